"""The device's store in the browser: OPFS where a sync access handle opens, else IndexedDB.

Invariant: a device that has data in one place never starts empty in the other.
Source: wasm-runtime trials of 2026-11-23: OPFS write + flush 0.3 to 0.4 ms (Chromium, Firefox), absent in WebKitGTK;
IndexedDB with strict durability 0.6 to 2 ms; both kept every acknowledged record when the browser was killed.
"""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, chain
from typing import Any

from store.errors import AppError, StorageFailed, StorageFull
from store.storage import StorageFolder, to_its_end
from ui import browser

# Of the OPFS folder and of the IndexedDB database alike.
FOLDER, PRACTICE_FOLDER = "desk", "desk-practice"
# A tab that has just closed may hold the file for a moment longer.
_PATIENCE_MILLISECONDS = 8000


class StorageKind(StrEnum):
    OPFS = "opfs"
    INDEXED_DB = "indexeddb"


class StorageBusy(AppError):
    """Another window or program holds the store."""

    code = "storage_busy"
    retryable = True


class StorageUnavailable(AppError):
    """The place where this device's data lies cannot be opened; nothing was started beside it."""

    code = "storage_unavailable"


class StorageSealed(AppError):
    """The files on this device are sealed, and not by the key at hand; they were left untouched."""

    code = "storage_sealed"


class StorageConflict(AppError):
    """Data lies in OPFS and in IndexedDB; which is the newer cannot be told."""

    code = "storage_conflict"


_SEALED = "SealError"  # as runtime/sealing.js names it


@dataclass(frozen=True)
class Found:
    """What a look at both places showed. Units: bytes; -1 where something is there that cannot be read."""

    opfs_opened: bool
    opfs_error: str
    opfs_bytes: int
    indexed_db_bytes: int
    last_kind: StorageKind | None


def choose_storage(found: Found) -> StorageKind:
    """Say where the store is to be kept. Raises: StorageBusy, StorageUnavailable, StorageSealed, StorageConflict."""
    if found.opfs_bytes != 0 and found.indexed_db_bytes != 0:
        raise StorageConflict("data in both places")
    if found.indexed_db_bytes != 0:
        return StorageKind.INDEXED_DB
    if found.opfs_opened:
        return StorageKind.OPFS
    if found.opfs_error == "NoModificationAllowedError":
        raise StorageBusy("the store is open elsewhere")
    if found.opfs_error == _SEALED:
        raise StorageSealed("OPFS")
    if found.opfs_bytes != 0 or found.last_kind is StorageKind.OPFS:
        raise StorageUnavailable(f"OPFS: {found.opfs_error}")
    return StorageKind.INDEXED_DB


async def open_storage(name: str = FOLDER) -> StorageFolder:
    """Open this device's store, or that of practice mode.

    Raises: StorageBusy, StorageUnavailable, StorageSealed, StorageConflict, StorageFailed.
    """
    store = browser.device_storage()
    with _as_storage_errors():
        facts = await store.probe(name, name, _PATIENCE_MILLISECONDS)
        found = Found(
            opfs_opened=bool(facts.opfs),
            opfs_error=facts.opfsError,
            opfs_bytes=facts.opfsBytes,
            indexed_db_bytes=facts.indexedDbBytes,
            last_kind=StorageKind(facts.lastKind) if facts.lastKind else None,
        )
        kind = choose_storage(found)
        if found.last_kind is not kind:
            await store.rememberKind(name, kind.value)
        if kind is StorageKind.OPFS:
            return BrowserFolder(facts.opfs)
        if facts.opfs:
            facts.opfs.close()
    return await open_indexed_db(name)


async def open_opfs(name: str = FOLDER) -> "BrowserFolder":
    """Raises: StorageFailed."""
    with _as_storage_errors():
        return BrowserFolder(await browser.device_storage().openOpfs(name, _PATIENCE_MILLISECONDS))


async def open_indexed_db(name: str = FOLDER) -> "BrowserFolder":
    """Raises: StorageFailed."""
    with _as_storage_errors():
        return BrowserFolder(await browser.device_storage().openIndexedDb(name))


class BrowserFolder:
    """A folder of runtime/storage.js, of either kind."""

    def __init__(self, folder: Any) -> None:
        self._folder = folder

    async def names(self) -> list[str]:
        with _as_storage_errors():
            return [str(name) for name in await self._folder.names()]

    async def open(self, name: str) -> "BrowserFile":
        with _as_storage_errors():
            return BrowserFile(await self._folder.open(name))

    async def remove(self, name: str) -> None:
        with _as_storage_errors():
            await self._folder.remove(name)

    async def close(self) -> None:
        self._folder.close()


class BrowserFile:
    """A file of such a folder. In OPFS each append is one call into JavaScript: write, then flush."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def size(self) -> int:
        return int(self._file.size())

    def marked_size(self) -> int:
        return int(self._file.markedSize())

    def read(self, offset: int, length: int) -> bytes:
        try:  # not by the context manager below: a search reads a record in fewer microseconds than that takes
            return bytes(self._file.read(offset, length).to_bytes())
        except browser.js_error() as error:
            raise _storage_error(error) from error

    def read_many(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        with _as_storage_errors():
            data = self._file.readMany(array("d", chain.from_iterable(places))).to_bytes()
        ends = list(accumulate(length for _, length in places))
        return [data[end - length : end] for end, (_, length) in zip(ends, places, strict=True)]

    async def append(self, data: bytes, *, durable: bool = True) -> None:
        with _as_storage_errors():
            writing = self._file.append(data, durable)
        if writing is not None:  # IndexedDB's is over later
            await to_its_end(_awaited(writing))

    async def truncate(self, size: int) -> None:
        with _as_storage_errors():
            if (cutting := self._file.truncate(size)) is not None:
                await cutting

    async def close(self) -> None:
        self._file.close()


async def _awaited(promise: Any) -> None:
    with _as_storage_errors():
        await promise


@contextmanager
def _as_storage_errors() -> Iterator[None]:
    try:
        yield
    except browser.js_error() as error:
        raise _storage_error(error) from error


def _storage_error(error: Exception) -> AppError:
    name = str(getattr(error, "name", ""))
    if name == _SEALED:
        return StorageSealed(str(error))
    return (StorageFull if name == "QuotaExceededError" else StorageFailed)(f"{name} {error}")
