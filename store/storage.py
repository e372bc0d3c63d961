"""Where a store's bytes live: the contract, memory and files. OPFS and IndexedDB are in ui/browser_storage.py.

Invariants (tests/contracts.py, run against every implementation):
- when a durable `append` returns, the bytes and all before them survive a crash of the process and of the machine;
- when `append` raises, the journal above cuts back to the size it knew;
- bytes already appended never change, except that `truncate` cuts the end off;
- on the clinic PC only the owner may read a folder or a file made here, whatever the process's umask;
- a folder has one owner; reading waits for nothing, so that a query can read a record where it stands.
"""

import asyncio
import errno
import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar, runtime_checkable

from store.errors import StorageFailed, StorageFull

Result = TypeVar("Result")


class StorageFile(Protocol):
    """One append-only file of bytes. One writing call at a time: the caller sees to that."""

    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes; fewer only at the end. Raises: StorageFailed."""
        ...

    async def append(self, data: bytes, *, durable: bool = True) -> None:
        """Write at the end; on disk on return where `durable`. Raises: StorageFailed, StorageFull."""
        ...

    async def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes; durable on return."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class ReadsMany(Protocol):
    """A file of which reading several places in one call is much cheaper than in several."""

    def read_many(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return what lies at each offset and length, all within the file. Raises: StorageFailed."""
        ...


@runtime_checkable
class KnowsItsEnd(Protocol):
    """A file of which it is known, apart from its own bytes, how far it once reached."""

    def marked_size(self) -> int:
        """Bytes that were on disk for certain; there may have been more since. 0 where nothing is known."""
        ...


def read_many(file: StorageFile, places: Sequence[tuple[int, int]]) -> list[bytes]:
    """As `ReadsMany.read_many`, of any file."""
    if isinstance(file, ReadsMany):
        return file.read_many(places)
    return [file.read(offset, length) for offset, length in places]


class StorageFolder(Protocol):
    """The files of one store, by name."""

    async def names(self) -> list[str]: ...

    async def open(self, name: str) -> StorageFile:
        """Open a file, making an empty one where there is none. Raises: StorageFailed."""
        ...

    async def remove(self, name: str) -> None:
        """Remove a file that nobody has open; nothing happens where there is none. Raises: StorageFailed."""
        ...

    async def close(self) -> None: ...


class MemoryFolder:
    """A store for tests: as durable as this object."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = {name: bytearray(data) for name, data in (files or {}).items()}

    def copy(self) -> "MemoryFolder":
        """What another process would find on the disk now."""
        return MemoryFolder({name: bytes(data) for name, data in self.files.items()})

    async def names(self) -> list[str]:
        return list(self.files)

    async def open(self, name: str) -> "MemoryFile":
        self.files.setdefault(name, bytearray())
        return MemoryFile(self, name)

    async def remove(self, name: str) -> None:
        self.files.pop(name, None)

    async def close(self) -> None:
        pass

    async def append(self, name: str, data: bytes) -> None:
        """Every writing passes here, so that a test can let it fail."""
        self.files[name] += data


class MemoryFile:
    """A file of a `MemoryFolder`."""

    def __init__(self, folder: MemoryFolder, name: str) -> None:
        self._folder, self._name = folder, name

    def size(self) -> int:
        return len(self._folder.files[self._name])

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self._folder.files[self._name][offset : offset + length])

    async def append(self, data: bytes, *, durable: bool = True) -> None:
        await self._folder.append(self._name, data)

    async def truncate(self, size: int) -> None:
        del self._folder.files[self._name][size:]

    async def close(self) -> None:
        pass


class FileFolder:
    """A folder on the clinic PC's disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _storage_error(error) from error

    async def names(self) -> list[str]:
        return [entry.name for entry in self._path.iterdir() if entry.is_file()]

    async def open(self, name: str) -> "FileStorage":
        return FileStorage(self._path / name)

    async def remove(self, name: str) -> None:
        try:
            (self._path / name).unlink(missing_ok=True)
            sync_folder(self._path)
        except OSError as error:
            raise _storage_error(error) from error

    async def close(self) -> None:
        pass


class FileStorage:
    """A file on the clinic PC's disk. fsync runs in a thread, so that the hub goes on answering meanwhile."""

    def __init__(self, path: Path) -> None:
        try:
            at = path if path.exists() else _make_private(path)
            self._file: BinaryIO = open(at, "r+b", buffering=0)  # noqa: SIM115
            # Of its own, because its place in the file must not move the writing one's.
            self._reader: BinaryIO = open(path, "rb", buffering=0)  # noqa: SIM115
            sync_folder(path.parent)
        except OSError as error:
            raise _storage_error(error) from error

    def size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def read(self, offset: int, length: int) -> bytes:
        try:
            self._reader.seek(offset)
            parts: list[bytes] = []
            while length > 0 and (part := self._reader.read(length)):
                parts.append(part)
                length -= len(part)
        except OSError as error:
            raise _storage_error(error) from error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def append(self, data: bytes, *, durable: bool = True) -> None:
        await _in_thread(self._append, data, durable)

    async def truncate(self, size: int) -> None:
        await _in_thread(self._truncate, size)

    async def close(self) -> None:
        self._file.close()
        self._reader.close()

    def _append(self, data: bytes, durable: bool) -> None:
        self._file.seek(0, os.SEEK_END)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) or 0 :]
        if durable:
            os.fsync(self._file.fileno())

    def _truncate(self, size: int) -> None:
        self._file.truncate(size)
        os.fsync(self._file.fileno())


async def _in_thread(work: Callable[..., Result], *arguments: object) -> Result:
    try:
        return await to_its_end(asyncio.to_thread(work, *arguments))
    except OSError as error:
        raise _storage_error(error) from error


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
    # EFBIG: a memory stick's file system or a quota lets the file grow no further.
    full = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
    return (StorageFull if error.errno in full else StorageFailed)(error.strerror or type(error).__name__)


def sync_folder(path: Path) -> None:
    """Make a file's name durable too. Windows cannot open a directory and needs no such step."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_private(path: Path) -> BinaryIO:
    """Make a file that only its owner may read. Raises: FileExistsError, OSError."""
    return open(_make_private(path), "w+b")


def _make_private(path: Path) -> int:
    """Make the file; returns its handle."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
