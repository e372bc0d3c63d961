"""Stores of every earlier version open as they were. The old files were written by the programs of those versions."""

import json
from pathlib import Path
from typing import Any

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.database import Database
from store.device_database import DeviceDatabase
from store.errors import StorageFailed
from store.hub_database import HubDatabase
from store.storage import MemoryFolder
from tests.worlds import make_world

OLD = Path(__file__).parent / "old_stores"
_DERIVED_LATER = {"person_id", "identity", "export", "overdue_at", "past_uploads"}
_TOLD_LATER = {"accepted_at", "accepted_message", "answered_at"}  # of a dose's upload
SIDES: dict[str, type[Database]] = {"device": DeviceDatabase, "hub": HubDatabase}


def old_folder(side: str) -> MemoryFolder:
    return MemoryFolder({SIDES[side].schema_1_file: (OLD / f"schema1-{side}.journal").read_bytes()})


def shown(database: Any) -> dict[str, Any]:
    tables = database.tables
    records = {table.name: table for table in (tables.patients, tables.lots, tables.vaccinations, tables.batches)}
    is_hub = isinstance(database, HubDatabase)
    return {
        "device_id": database.device_id,
        "generation": database.generation,
        "tables": {
            # What later versions derive besides is theirs.
            name: {document.doc_id: _as_in_schema_1(document) for document in table.documents()}
            for name, table in records.items()
        },
        "unsent": [] if is_hub else [change.change_id for change in database.unsent],
        "cursor": None if is_hub else database.cursor,
        "head": database.head if is_hub else None,
    }


def _as_in_schema_1(document: dict[str, Any]) -> Any:
    shown = _without(document, _DERIVED_LATER)
    if isinstance(upload := shown.get("upload"), dict):
        shown["upload"] = {name: value for name, value in upload.items() if name not in _TOLD_LATER}
    return shown


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, names) for name, inner in value.items() if name not in names}
    return [_without(inner, names) for inner in value] if isinstance(value, list) else value


def expected(side: str) -> dict[str, Any]:
    return dict(json.loads((OLD / f"schema1-{side}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("side", SIDES)
async def test_a_store_of_schema_1_opens_as_it_was_and_again_after_that(side: str) -> None:
    folder = old_folder(side)

    database = await SIDES[side].open(folder, make_world())
    assert shown(database) == expected(side)
    assert SIDES[side].schema_1_file not in folder.files
    await database.close()

    database = await SIDES[side].open(folder.copy(), make_world())
    assert shown(database) == expected(side)


async def test_the_hub_of_schema_1_keeps_its_numbers_and_its_exchanges() -> None:
    database = await HubDatabase.open(old_folder("hub"), make_world())

    changes, upto = database.changes_after(0, 100, except_device="")
    assert [n.hub_seq for n in changes] == list(range(1, upto + 1))
    [batch] = database.tables.batches.documents()
    assert [e["kind"] for e in database.exchanges_of(batch["upload_batch_id"])] == ["sent"]


@pytest.mark.parametrize("side", SIDES)
async def test_a_crash_in_any_step_of_the_migration_loses_nothing(side: str) -> None:
    class Crashing(MemoryFolder):
        left = 10_000

        def count(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise StorageFailed("the power went")

        async def append(self, name: str, data: bytes) -> None:
            self.count()
            await super().append(name, data)

        async def remove(self, name: str) -> None:
            self.count()
            await super().remove(name)

    steps, over = 0, False
    while not over:
        folder = Crashing({name: bytes(data) for name, data in old_folder(side).files.items()})
        folder.left = steps
        try:
            await SIDES[side].open(folder, make_world())
            over = True
        except StorageFailed:
            database = await SIDES[side].open(folder.copy(), make_world())
            assert shown(database) == expected(side), f"after {steps} steps"
        steps += 1
    assert steps > 4


@pytest.mark.parametrize("side", SIDES)
async def test_an_old_file_that_a_loss_of_power_brings_back_is_not_migrated_again(side: str) -> None:
    removed: dict[str, bytes] = {}

    class Haunted(MemoryFolder):
        async def remove(self, name: str) -> None:
            if name in self.files:
                removed[name] = bytes(self.files[name])
            await super().remove(name)

    folder = Haunted({name: bytes(data) for name, data in old_folder(side).files.items()})
    database = await SIDES[side].open(folder, make_world())
    draft = ChangeDraft(ChangeKind.REGISTER_PATIENT, "f" * 32, {"chart_number": "999999", "name": "x"})
    await database.commit([draft], made_by="nurse")

    back = MemoryFolder({**removed, **folder.copy().files})
    again = await SIDES[side].open(back, make_world())

    assert again.tables.patients.find("f" * 32) is not None
