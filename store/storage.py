"""Where a journal's bytes live: the contract, memory and file. OPFS and IndexedDB are in ui/browser_storage.py.

Invariants (tests/contracts.py, run against every implementation):
- when `append` returns, the bytes survive a crash of the process and of the machine;
- when `append` raises, the journal above cuts back to the size it knew;
- bytes already appended never change, except that `truncate` cuts the end off.
"""

import asyncio
import errno
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar

from store.errors import StorageFailed, StorageFull

Result = TypeVar("Result")


class JournalStorage(Protocol):
    """One append-only file of bytes. One owner, one call at a time: the journal sees to that."""

    async def size(self) -> int: ...

    async def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes; fewer only at the end."""
        ...

    async def append(self, data: bytes) -> None:
        """Write at the end; durable on return. Raises: StorageFailed, StorageFull."""
        ...

    async def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes; durable on return."""
        ...

    async def close(self) -> None: ...


class MemoryStorage:
    """A journal for tests: as durable as this object."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)

    async def size(self) -> int:
        return len(self.data)

    async def read(self, offset: int, length: int) -> bytes:
        return bytes(self.data[offset : offset + length])

    async def append(self, data: bytes) -> None:
        self.data += data

    async def truncate(self, size: int) -> None:
        del self.data[size:]

    async def close(self) -> None:
        pass


class FileStorage:
    """A journal on the clinic PC's disk. fsync runs in a thread, so that the hub goes on answering meanwhile."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file: BinaryIO = open(path, "r+b" if path.exists() else "x+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise _storage_error(error) from error
        _sync_directory(path.parent)

    async def size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    async def read(self, offset: int, length: int) -> bytes:
        return await _in_thread(self._read, offset, length)

    async def append(self, data: bytes) -> None:
        try:
            await _in_thread(self._append, data)
        except OSError as error:
            raise _storage_error(error) from error

    async def truncate(self, size: int) -> None:
        try:
            await _in_thread(self._truncate, size)
        except OSError as error:
            raise _storage_error(error) from error

    async def close(self) -> None:
        self._file.close()

    def _read(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        parts: list[bytes] = []
        while length > 0 and (part := self._file.read(length)):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _append(self, data: bytes) -> None:
        self._file.seek(0, os.SEEK_END)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) or 0 :]
        os.fsync(self._file.fileno())

    def _truncate(self, size: int) -> None:
        self._file.truncate(size)
        os.fsync(self._file.fileno())


async def _in_thread(work: Callable[..., Result], *arguments: object) -> Result:
    return await to_its_end(asyncio.to_thread(work, *arguments))


async def to_its_end(writing: Coroutine[Any, Any, Result]) -> Result:
    """Await what cannot be stopped once begun, to its end also when the caller is cancelled.

    Were the caller let go at once, its truncation would run into the writing.
    """
    task = asyncio.ensure_future(writing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _storage_error(error: OSError) -> StorageFailed:
    # The message names no path: a path may hold a person's name.
    full = error.errno in (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else error.errno == errno.ENOSPC
    return (StorageFull if full else StorageFailed)(error.strerror or type(error).__name__)


def _sync_directory(path: Path) -> None:
    """Make the file's name durable too. Windows cannot open a directory and needs no such step."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
