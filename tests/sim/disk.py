"""A machine's disk: named files, each with a durable part and a part that a crash may take away.

Invariants:
- what was flushed survives every crash; of the rest a crash keeps an arbitrary prefix, cut at any byte;
- a kill of the program alone keeps what was written, and a prefix of what was being written;
- a failed write may have written a part;
- what a folder does not promise about its names, a loss of power may undo.
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
    named: bool = False  # its name too survives a loss of power


class VirtualFolder:
    """The files of one machine. It outlives the processes that use it.

    Shape: with `promises_names` a name made or removed is durable at once, as `store.storage.FileFolder` sees to. OPFS
    promises nothing: a name is durable with the first flush of its file, a removed file may come back by a loss of
    power, and a file is open once at a time.
    """

    def __init__(self, rng: Random, latency_seconds: float, promises_names: bool = True) -> None:
        self._rng = rng
        self._latency_seconds = latency_seconds
        self._promises_names = promises_names
        self._files: dict[str, _Content] = {}
        self._removed: dict[str, _Content] = {}  # may come back
        self._opened: dict[str, Process] = {}
        self.trouble = Trouble.NONE
        self.on_next_write: Callable[[], None] | None = None
        self.next_write_holds = b""  # which write that waits for; empty for any
        self.is_removing = False
        self.came_back = 0

    # ---- what happens to the machine

    def crash(self, power_lost: bool, cached: bool = False) -> None:
        """`cached`: what a killed program wrote stays in the machine's memory, and a later loss of power takes it."""
        self._opened.clear()
        self.is_removing = False
        for content in self._files.values():
            if content.writing:
                content.data += content.writing[: self._rng.randint(0, len(content.writing))]
                content.writing = b""
            if power_lost and content.durable_size < len(content.data):
                del content.data[self._cut(content.durable_size, len(content.data)) :]
            if not cached:
                content.durable_size = len(content.data)
        if power_lost:
            self._lose_names()
        if not cached:
            self._removed.clear()
            for content in self._files.values():
                content.named = True

    def _lose_names(self) -> None:
        for name in [name for name, content in self._files.items() if not content.named]:
            if self._rng.random() < 0.5:
                del self._files[name]
        for name, content in self._removed.items():
            if name not in self._files and self._rng.random() < 0.5:
                content.durable_size = len(content.data)
                self._files[name] = content
                self.came_back += 1

    def snapshot(self) -> Snapshot:
        """A copy as a backup takes it: whole up to what was flushed."""
        return {name: bytes(content.data[: content.durable_size]) for name, content in self._files.items()}

    def replace(self, snapshot: Snapshot) -> None:
        """Put back an older copy; an empty one wipes the machine."""
        self._files = {name: _Content(bytearray(data), len(data), named=True) for name, data in snapshot.items()}
        self._removed.clear()

    def _cut(self, least: int, most: int) -> int:
        return self._rng.choice((least, most, self._rng.randint(least, most), self._rng.randint(least, most)))

    @property
    def longest_write_seconds(self) -> float:
        """Of one write and its flush, nearly."""
        return self._latency_seconds * 3

    def being_written(self) -> list[bytes]:
        return [content.writing for content in self._files.values() if content.writing]

    # ---- what a process sees

    def names(self) -> list[str]:
        return sorted(self._files)

    async def open(self, name: str, process: Process) -> "VirtualFile":
        """Raises: StorageFailed."""
        if name not in self._files and self.trouble is Trouble.READ_ONLY:
            raise StorageFailed("read-only")
        if not self._promises_names:
            if name in self._opened:
                raise StorageFailed(f"{name} is open already")
            self._opened[name] = process
        content = self._files.setdefault(name, _Content(named=self._promises_names))
        return VirtualFile(self, name, content, process)

    async def remove(self, name: str, process: Process) -> None:
        """Raises: StorageFailed."""
        if self.trouble is Trouble.READ_ONLY:
            raise StorageFailed("read-only")
        if name not in self._files:
            return
        if name in self._opened:
            raise StorageFailed(f"{name} is open")
        self.is_removing = True
        await self._take_time()
        process.refuse_the_dead()
        self.is_removing = False
        content = self._files.pop(name)
        if not self._promises_names and content.named:
            self._removed.setdefault(name, content)

    def closed(self, name: str) -> None:
        self._opened.pop(name, None)

    async def write(self, content: _Content, data: bytes) -> None:
        """Put `data` at the end, not yet durable. Raises: StorageFailed, StorageFull."""
        if self.trouble is Trouble.READ_ONLY:
            raise StorageFailed("read-only")
        content.writing = data
        if self.on_next_write is not None and self.next_write_holds in data:
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
        content.durable_size, content.named = len(content.data), True

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

    def __init__(self, folder: VirtualFolder, name: str, content: _Content, process: Process) -> None:
        self._folder, self.name, self._content, self._process = folder, name, content, process

    def size(self) -> int:
        self._process.refuse_the_dead()
        return len(self._content.data)

    def read(self, offset: int, length: int) -> bytes:
        self._process.refuse_the_dead()
        return bytes(self._content.data[offset : offset + length])

    async def append(self, data: bytes, *, durable: bool = True) -> None:
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
        if self._process.is_alive:
            self._folder.closed(self.name)
