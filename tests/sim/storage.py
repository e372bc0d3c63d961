"""How the product's stores get at a virtual disk, and what the rules ask of a store beyond its public face."""

from dataclasses import dataclass
from typing import Any

from store.changes import World
from store.database import Database, Entry
from store.device_database import DeviceDatabase
from store.hub_database import HubDatabase
from store.protocol import NumberedChange
from tests.sim.disk import VirtualFile, VirtualFolder
from tests.sim.loop import Process


class Folder:
    """The files of one machine as one process has them: `store.storage.StorageFolder`."""

    def __init__(self, folder: VirtualFolder, process: Process) -> None:
        self._folder, self._process = folder, process

    async def names(self) -> list[str]:
        self._process.refuse_the_dead()
        return self._folder.names()

    async def open(self, name: str) -> VirtualFile:
        self._process.refuse_the_dead()
        return await self._folder.open(name, self._process)

    async def remove(self, name: str) -> None:
        self._process.refuse_the_dead()
        await self._folder.remove(name, self._process)

    async def close(self) -> None:
        pass


@dataclass(frozen=True)
class Upkeep:
    """How often a store moves its journal into runs: far more often than in a clinic."""

    checkpoint_records: int = 10
    idle_records: int = 3
    idle_seconds: float = 2.0

    def set(self, database: Database) -> None:
        database.checkpoint_records = self.checkpoint_records
        database.idle_records, database.idle_seconds = self.idle_records, self.idle_seconds


async def open_device(folder: VirtualFolder, process: Process, world: World) -> DeviceDatabase:
    return await DeviceDatabase.open(Folder(folder, process), world)


async def open_hub(folder: VirtualFolder, process: Process, world: World) -> HubDatabase:
    return await HubDatabase.open(Folder(folder, process), world)


async def put_note(database: DeviceDatabase, note: str, text: str) -> None:
    """Write to a table of the device itself, which alone knows removed records; TinyDB's own writing waits for none."""
    async with database._lock:
        data = {"table": "notes", "records": {note: {"text": text} if text else None}}
        await database._write([Entry(e="put", data=data)])


def note(database: DeviceDatabase, note: str) -> str:
    document = database.tables.table("notes").find(note)
    return document["text"] if document is not None else ""


def hub_log(database: HubDatabase) -> list[NumberedChange]:
    """Everything the hub has numbered, by number."""
    numbered, upto = database.changes_after(0, database.head, except_device="")
    assert upto == database.head
    return numbered


def holds(database: DeviceDatabase, change_id: str) -> bool:
    """Whether a device has a change of its own, told to the hub or not."""
    return bool(database.tables.changes.find_by("change_id", change_id, limit=1))


def forget(database: DeviceDatabase, change_id: str) -> None:
    """For planted bugs: an own change is no more."""
    for document in database.tables.changes.find_by("change_id", change_id):
        database.tables.changes.put(database.tables.changes.to_key(document.doc_id), None)


def shown(database: Database) -> dict[str, list[tuple[str, Any]]]:
    """All that the tables of a store hold, counts included."""
    tables = database.tables.record_tables()
    return {one.name: [(str(len(one)), one.counts()), *sorted((i, one.find(i)) for i in one.ids())] for one in tables}


def merges_of(database: Database) -> int:
    """How many runs have gone into others so far."""
    return database._manifest.next_run - 1 - len(database._manifest.runs)


def upkeep_under_way(database: Database, folder: VirtualFolder) -> str:
    """What a store is at in the background, for a crash to be counted by; empty for nothing."""
    if folder.is_removing:
        return "tidying"
    if any(b'"e":"runs"' in data for data in folder.being_written()):
        return "publishing"
    if database._maintenance is None:
        return ""
    manifest: Any = database._manifest
    if any(table.frozen is not None for table in database.tables.record_tables()):
        return "writing a run"
    return "merging" if f"run.{manifest.next_run:06d}" in folder.names() else "between two journals"
