"""The device's journal in the browser: OPFS where a sync access handle opens, else IndexedDB.

Invariant: a device that has data in one place never starts empty in the other.
Source: wasm-runtime trials of 2026-11-23: OPFS write + flush 0.3 to 0.4 ms (Chromium, Firefox), absent in WebKitGTK;
IndexedDB with strict durability 0.6 to 2 ms; both kept every acknowledged record when the browser was killed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from store.errors import AppError, StorageFailed, StorageFull
from store.storage import JournalStorage, to_its_end
from ui import browser

JOURNAL_FILE = "journal.v1"
DATABASE = "desk"
# A tab that has just closed may hold the file for a moment longer.
_PATIENCE_MILLISECONDS = 8000


class StorageKind(StrEnum):
    OPFS = "opfs"
    INDEXED_DB = "indexeddb"


class StorageBusy(AppError):
    """Another window or program holds the journal."""

    code = "storage_busy"
    retryable = True


class StorageUnavailable(AppError):
    """The place where this device's data lies cannot be opened; nothing was started beside it."""

    code = "storage_unavailable"


class StorageConflict(AppError):
    """Data lies in OPFS and in IndexedDB; which is the newer cannot be told."""

    code = "storage_conflict"


@dataclass(frozen=True)
class Found:
    """What a look at both places showed. Units: bytes; -1 where something is there that cannot be read."""

    opfs_opened: bool
    opfs_error: str
    opfs_bytes: int
    indexed_db_bytes: int
    last_kind: StorageKind | None


def choose_storage(found: Found) -> StorageKind:
    """Say where the journal is to be kept. Raises: StorageBusy, StorageUnavailable, StorageConflict."""
    if found.opfs_bytes != 0 and found.indexed_db_bytes != 0:
        raise StorageConflict("journals in both places")
    if found.indexed_db_bytes != 0:
        return StorageKind.INDEXED_DB
    if found.opfs_opened:
        return StorageKind.OPFS
    if found.opfs_error == "NoModificationAllowedError":
        raise StorageBusy("the journal is open elsewhere")
    if found.opfs_bytes != 0 or found.last_kind is StorageKind.OPFS:
        raise StorageUnavailable(f"OPFS: {found.opfs_error}")
    return StorageKind.INDEXED_DB


async def open_storage() -> JournalStorage:
    """Open this device's journal. Raises: StorageBusy, StorageUnavailable, StorageConflict, StorageFailed."""
    store = browser.journal_store()
    with _as_storage_errors():
        facts = await store.probe(JOURNAL_FILE, DATABASE, _PATIENCE_MILLISECONDS)
        found = Found(
            opfs_opened=bool(facts.opfs),
            opfs_error=facts.opfsError,
            opfs_bytes=facts.opfsBytes,
            indexed_db_bytes=facts.indexedDbBytes,
            last_kind=StorageKind(facts.lastKind) if facts.lastKind else None,
        )
        kind = choose_storage(found)
        if found.last_kind is not kind:
            await store.rememberKind(kind.value)
        if kind is StorageKind.OPFS:
            return OpfsStorage(facts.opfs)
        if facts.opfs:
            facts.opfs.close()
        return await IndexedDbStorage.open()


class OpfsStorage:
    """A journal in the origin's private file system. Each append is one call into JavaScript: write, then flush."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal

    @classmethod
    async def open(cls, file: str = JOURNAL_FILE) -> "OpfsStorage":
        with _as_storage_errors():
            return cls(await browser.journal_store().openOpfs(file, _PATIENCE_MILLISECONDS))

    async def size(self) -> int:
        return int(self._journal.size())

    async def read(self, offset: int, length: int) -> bytes:
        browser.mark("reading")  # a long journal is slow to open, which is no standstill
        with _as_storage_errors():
            return bytes(self._journal.read(offset, length).to_bytes())

    async def append(self, data: bytes) -> None:
        with _as_storage_errors():
            self._journal.append(data)

    async def truncate(self, size: int) -> None:
        with _as_storage_errors():
            self._journal.truncate(size)

    async def close(self) -> None:
        self._journal.close()


class IndexedDbStorage:
    """A journal in IndexedDB, one entry per append, each transaction with strict durability."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal

    @classmethod
    async def open(cls, database: str = DATABASE) -> "IndexedDbStorage":
        with _as_storage_errors():
            return cls(await browser.journal_store().openIndexedDb(database))

    async def size(self) -> int:
        return int(self._journal.size())

    async def read(self, offset: int, length: int) -> bytes:
        browser.mark("reading")
        with _as_storage_errors():
            return bytes((await self._journal.read(offset, length)).to_bytes())

    async def append(self, data: bytes) -> None:
        await to_its_end(self._append(data))

    async def truncate(self, size: int) -> None:
        with _as_storage_errors():
            await self._journal.truncate(size)

    async def _append(self, data: bytes) -> None:
        with _as_storage_errors():
            await self._journal.append(data)

    async def close(self) -> None:
        self._journal.close()


@contextmanager
def _as_storage_errors() -> Iterator[None]:
    try:
        yield
    except browser.js_error() as error:
        name = str(getattr(error, "name", ""))
        raise (StorageFull if name == "QuotaExceededError" else StorageFailed)(f"{name} {error}") from error
