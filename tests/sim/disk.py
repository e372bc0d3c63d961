"""A machine's disk: named files, each with a durable part and a part that a crash may take away.

Invariants:
- what was flushed survives every crash; of the rest a crash keeps an arbitrary prefix, cut at any byte;
- a kill of the program alone keeps what was written, and a prefix of what was being written;
- a failed write may have written a part.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from store.errors import StorageFailed, StorageFull
from tests.sim.loop import Process


class Trouble(StrEnum):
    """How a disk misbehaves."""

    NONE = "none"
    WRITE_ERROR = "write error"
    FLUSH_ERROR = "flush error"
    FULL = "full"
    READ_ONLY = "read-only"
    SLOW = "slow"


Snapshot = dict[str, bytes]


@dataclass
class _Content:
    """Invariant: files only grow and are cut, so the durable part is a prefix."""

    data: bytearray = field(default_factory=bytearray)
    durable_size: int = 0
    writing: bytes = b""


class VirtualFolder:
    """The files of one machine. It outlives the processes that use it."""

    def __init__(self, rng: Random, latency_seconds: float) -> None:
        self._rng = rng
        self._latency_seconds = latency_seconds
        self._files: dict[str, _Content] = {}
        self.trouble = Trouble.NONE
        self.on_next_write: Callable[[], None] | None = None

    # ---- what happens to the machine

    def crash(self, power_lost: bool, cached: bool = False) -> None:
        """`cached`: what a killed program wrote stays in the machine's memory, and a later loss of power takes it."""
        for content in self._files.values():
            if content.writing:
                content.data += content.writing[: self._rng.randint(0, len(content.writing))]
                content.writing = b""
            if power_lost and content.durable_size < len(content.data):
                del content.data[self._cut(content.durable_size, len(content.data)) :]
            if not cached:
                content.durable_size = len(content.data)

    def snapshot(self) -> Snapshot:
        """A copy as a backup takes it: whole up to what was flushed."""
        return {name: bytes(content.data[: content.durable_size]) for name, content in self._files.items()}

    def replace(self, snapshot: Snapshot) -> None:
        """Put back an older copy; an empty one wipes the machine."""
        self._files = {name: _Content(bytearray(data), len(data)) for name, data in snapshot.items()}

    def _cut(self, least: int, most: int) -> int:
        return self._rng.choice((least, most, self._rng.randint(least, most), self._rng.randint(least, most)))

    @property
    def longest_write_seconds(self) -> float:
        """Of one write and its flush, nearly."""
        return self._latency_seconds * 3

    # ---- what a process sees

    def names(self) -> list[str]:
        return sorted(self._files)

    def open(self, name: str, process: Process) -> "VirtualFile":
        return VirtualFile(self, self._files.setdefault(name, _Content()), process)

    def remove(self, name: str) -> None:
        self._files.pop(name, None)

    async def write(self, content: _Content, data: bytes) -> None:
        """Put `data` at the end, not yet durable. Raises: StorageFailed, StorageFull."""
        if self.trouble is Trouble.READ_ONLY:
            raise StorageFailed("read-only")
        content.writing = data
        if self.on_next_write is not None:
            self.on_next_write()
            self.on_next_write = None
        await self._take_time()
        content.writing = b""
        if self.trouble in (Trouble.FULL, Trouble.WRITE_ERROR):
            content.data += data[: self._rng.randint(0, len(data))]
            raise StorageFull("full") if self.trouble is Trouble.FULL else StorageFailed("write error")
        content.data += data

    async def flush(self, content: _Content) -> None:
        await self._take_time()
        if self.trouble is Trouble.FLUSH_ERROR:
            raise StorageFailed("flush error")
        content.durable_size = len(content.data)

    async def truncate(self, content: _Content, size: int) -> None:
        if self.trouble is Trouble.READ_ONLY:
            raise StorageFailed("read-only")
        await self._take_time()
        del content.data[size:]
        content.durable_size = min(content.durable_size, size)

    async def _take_time(self) -> None:
        slowness = 300 if self.trouble is Trouble.SLOW else 1
        await asyncio.sleep(self._latency_seconds * slowness * self._rng.uniform(0.5, 2.0))


class VirtualFile:
    """One file as one process has it open. A killed process gets nothing done with it."""

    def __init__(self, folder: VirtualFolder, content: _Content, process: Process) -> None:
        self._folder, self._content, self._process = folder, content, process

    def size(self) -> int:
        self._process.refuse_the_dead()
        return len(self._content.data)

    def read(self, offset: int, length: int) -> bytes:
        self._process.refuse_the_dead()
        return bytes(self._content.data[offset : offset + length])

    async def append(self, data: bytes, durable: bool = True) -> None:
        self._process.refuse_the_dead()
        await self._folder.write(self._content, data)
        if durable:
            await self.flush()

    async def flush(self) -> None:
        self._process.refuse_the_dead()
        await self._folder.flush(self._content)

    async def truncate(self, size: int) -> None:
        self._process.refuse_the_dead()
        await self._folder.truncate(self._content, size)

    async def close(self) -> None:
        pass
