"""A store as it stood at one moment, read from its files while its owner goes on writing.

Invariants:
- nothing is written, made, cut or removed;
- what a snapshot holds is a state the store was in, or that state and frames that nobody has been told about.

Why reading the files is safe: a store's files are only ever appended to, or are runs that are whole before a journal
names them. So any length of the newest journal, its last frame left out where it is not whole, is the store as it once
stood, with the journals and runs that it names. Two things happen meanwhile. A file may be removed because a newer
manifest no longer needs it: then it is read anew from the newest journal. And the owner may cut an append that failed
and write others over its bytes: whoever copies therefore looks through the copy (backup.py).
"""

import asyncio
import os
from pathlib import Path
from typing import BinaryIO

from store.changes import World
from store.errors import JournalTooNew, JournalUnreadable, StorageFailed
from store.hub_database import HubDatabase
from store.manifest import Manifest, is_store_file

_TRIES = 20
_PAUSE_SECONDS = 0.05


class NoStore(Exception):
    """The folder holds no store of this version."""


class SnapshotFile:
    """A file for reading, as long as it was when it was opened; or the stretch of one that begins at `start`."""

    def __init__(self, path: Path, start: int = 0, size: int | None = None) -> None:
        try:
            self._file: BinaryIO = open(path, "rb", buffering=0)  # noqa: SIM115
        except FileNotFoundError:
            raise JournalUnreadable(f"{path.name} is missing") from None
        except OSError as error:
            raise StorageFailed(error.strerror or type(error).__name__) from error
        self._start = start
        self.cut_off_bytes = 0
        self._size = os.fstat(self._file.fileno()).st_size if size is None else size

    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        wanted = max(0, min(length, self._size - offset))
        try:
            self._file.seek(self._start + offset)
            parts = []
            while wanted > 0 and (part := self._file.read(wanted)):
                parts.append(part)
                wanted -= len(part)
        except OSError as error:
            raise StorageFailed(error.strerror or type(error).__name__) from error
        return b"".join(parts)

    async def append(self, data: bytes, *, durable: bool = True) -> None:
        if data:  # flushing without adding anything is for the owner to do
            raise StorageFailed("a snapshot is not written to")

    async def truncate(self, size: int) -> None:
        """Look no further than this: what stands there was never acknowledged. The file stays as it is."""
        self.cut_off_bytes += self._size - size
        self._size = size

    async def close(self) -> None:
        self.close_now()

    def close_now(self) -> None:
        self._file.close()

    @property
    def is_open(self) -> bool:
        return not self._file.closed


class SnapshotFolder:
    """The files of a store for reading. `files` are those opened so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._passed_over: set[str] = set()
        self.files: dict[str, SnapshotFile] = {}

    async def names(self) -> list[str]:
        try:
            return [e.name for e in self._path.iterdir() if is_store_file(e.name) and e.name not in self._passed_over]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageFailed(error.strerror or type(error).__name__) from error

    async def open(self, name: str) -> SnapshotFile:
        file = self.files[name] = SnapshotFile(self._path / name)
        return file

    async def remove(self, name: str) -> None:
        """Pass over a journal whose making is not finished."""
        self._passed_over.add(name)

    async def close(self) -> None:
        for file in self.files.values():
            await file.close()


class Snapshot(HubDatabase):
    """The hub's store opened without touching it."""

    async def begin(self, device_id: str, generation: str) -> None:
        raise NoStore

    def _follow_rules(self) -> bool:
        return True  # nothing is written: whoever opens the store for good makes its indexes anew

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def parts(self) -> dict[str, SnapshotFile]:
        """The files that make up this state, in the order of their names."""
        assert isinstance(self.folder, SnapshotFolder)
        return {name: file for name, file in sorted(self.folder.files.items()) if file.is_open}


async def open_snapshot(path: Path, world: World) -> Snapshot:
    """Open the hub's store in a folder as it stands now; `close` it in the end.

    Raises: NoStore, JournalUnreadable (also where a file is missing), JournalTooNew, StorageFailed.
    """
    tries = 0
    while True:
        folder = SnapshotFolder(path)
        try:
            return await Snapshot.open(folder, world)
        except BaseException as error:
            await folder.close()
            tries += 1
            if isinstance(error, JournalTooNew) or not isinstance(error, (JournalUnreadable, StorageFailed)):
                raise
            # It may come of files removed between two looks; if it is still so after a second, it is so.
            if tries == _TRIES:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
