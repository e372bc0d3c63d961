"""From the journal into runs: in the background, a crash at any moment, and nothing of it to be seen in the tables."""

import asyncio
from typing import Any

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.errors import JournalUnreadable, StorageFailed
from store.hub_database import HubDatabase
from store.manifest import journal_name, run_name
from store.protocol import DeviceCount, HubStatus, SyncAnswer, SyncRequest
from store.storage import MemoryFile, MemoryFolder
from tests.worlds import make_world


class Disk(MemoryFolder):
    """A disk whose power goes after so many steps: what was being written then is there up to some byte."""

    def __init__(self, files: dict[str, bytes] | None = None, steps: int | None = None, torn: float = 0.5) -> None:
        super().__init__(files)
        self.steps, self.torn, self.taken = steps, torn, 0

    def step(self) -> None:
        self.taken += 1
        if self.steps is not None and self.taken > self.steps:
            raise StorageFailed("the power is off")

    async def append(self, name: str, data: bytes) -> None:
        try:
            self.step()
        except StorageFailed:
            if self.taken == (self.steps or 0) + 1:
                self.files[name] += data[: int(len(data) * self.torn)]
            raise
        await super().append(name, data)

    async def remove(self, name: str) -> None:
        self.step()
        await super().remove(name)


async def no_rest() -> None:
    await asyncio.sleep(0)


def patient(number: int, **fields: Any) -> ChangeDraft:
    payload = {"chart_number": f"{number:06d}", "name": f"病患{number}", **fields}
    return ChangeDraft(ChangeKind.REGISTER_PATIENT, f"{number:032x}", payload)


async def fill(database: DeviceDatabase | HubDatabase, numbers: range) -> None:
    for number in numbers:
        await database.commit([patient(number)], made_by="nurse")


def shown(database: DeviceDatabase | HubDatabase) -> dict[str, Any]:
    return {
        table.name: {document.doc_id: dict(document) for document in table.documents()}
        for table in database.tables.record_tables()
    }


async def test_a_store_that_was_moved_into_runs_opens_as_it_was() -> None:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    for start in (0, 40, 60):
        await fill(device, range(start, start + 20))
        await device.checkpoint()
    await fill(device, range(80, 85))

    again = await DeviceDatabase.open(folder.copy(), make_world())

    assert shown(again) == shown(device)
    assert [c.change_id for c in again.unsent] == [c.change_id for c in device.unsent]
    assert len(again.tables.patients) == 65
    [change] = await again.commit([patient(99)], made_by="nurse")
    assert change.device_seq == 66


async def test_old_files_go_once_nothing_needs_them() -> None:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    for start in range(0, 200, 10):
        await fill(device, range(start, start + 10))
        await device.checkpoint()

    assert len(folder.files) < 12
    assert journal_name(1) not in folder.files
    assert run_name(1) not in folder.files


@pytest.mark.parametrize("torn", [0.0, 0.5, 1.0])
async def test_a_crash_at_any_step_loses_nothing_that_was_acknowledged(torn: float) -> None:
    steps = 0
    while True:
        folder = Disk(steps=steps, torn=torn)
        acknowledged: list[int] = []
        database: DeviceDatabase | None = None
        try:
            database = await DeviceDatabase.open(folder, make_world())
            database.rest = no_rest
            for number in range(30):
                await database.commit([patient(number)], made_by="nurse")
                acknowledged.append(number)
                if number % 7 == 6:
                    await database.checkpoint()
        except StorageFailed:
            pass

        again = await DeviceDatabase.open(folder.copy(), make_world())
        charts = {document["chart_number"] for document in again.tables.patients.documents()}
        assert {f"{n:06d}" for n in acknowledged} <= charts, f"power off after {steps} steps"
        assert len(charts) <= len(acknowledged) + 1
        assert len(again.unsent) == len(again.tables.patients) == len(charts)
        again.rest = no_rest
        await again.checkpoint()
        await again.commit([patient(77)], made_by="nurse")
        third = await DeviceDatabase.open(MemoryFolder(dict(again.folder.files)), make_world())  # type: ignore[arg-type]
        assert shown(third) == shown(again)
        if folder.taken <= steps:
            break
        steps += 1
    assert steps > 50


async def test_recording_goes_on_while_a_run_is_written_and_after_it_failed() -> None:
    folder = Disk()
    device = await DeviceDatabase.open(folder, make_world())
    device.rest = no_rest
    await fill(device, range(50))
    writing = asyncio.create_task(device.checkpoint())
    await fill(device, range(50, 60))
    await writing
    await fill(device, range(60, 70))

    folder.steps = folder.taken + 2
    with pytest.raises(StorageFailed):
        await device.checkpoint()
    folder.steps = None
    await fill(device, range(70, 80))
    assert len(device.tables.patients) == 80
    assert shown(await DeviceDatabase.open(MemoryFolder(dict(folder.files)), make_world())) == shown(device)

    await device.checkpoint()
    await device.checkpoint()
    again = await DeviceDatabase.open(MemoryFolder(dict(folder.files)), make_world())
    assert shown(again) == shown(device)
    assert len(again.tables.patients) == 80


async def test_much_recorded_moves_into_runs_by_itself() -> None:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    device.rest, device.checkpoint_records = no_rest, 100
    for start in range(0, 400, 20):
        await device.commit([patient(n) for n in range(start, start + 20)], made_by="nurse")
        await asyncio.sleep(0)
    await device.settle()

    assert device.newer_records() < 100
    await device.close()
    again = await DeviceDatabase.open(folder.copy(), make_world())
    assert len(again.tables.patients) == len(again.unsent) == 400


async def test_acknowledged_changes_leave_the_queue_also_out_of_a_run() -> None:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    hub = await HubDatabase.open(MemoryFolder(), make_world())
    await fill(device, range(30))
    await device.checkpoint()

    first = device.unsent.first(10)
    accepted = await hub.accept(first)
    await device.receive(SyncAnswer(accepted=accepted, changes=[], upto=10, head=10, status=HubStatus()))

    assert len(device.unsent) == 20
    assert first[0].change_id not in device.unsent
    assert [c.device_seq for c in device.unsent.first(3)] == [11, 12, 13]
    await device.checkpoint()
    again = await DeviceDatabase.open(folder.copy(), make_world())
    assert [c.device_seq for c in again.unsent] == list(range(11, 31))


async def test_the_hub_knows_every_change_also_out_of_its_runs() -> None:
    folder = MemoryFolder()
    hub = await HubDatabase.open(folder, make_world())
    device = await DeviceDatabase.open(MemoryFolder(), make_world())
    await fill(device, range(25))
    changes = list(device.unsent)
    await hub.accept(changes[:15])
    await hub.checkpoint()
    await hub.accept(changes[10:])

    for store in (hub, await HubDatabase.open(folder.copy(), make_world())):
        assert store.head == 25
        assert [n.change for n in store.changes_after(0, 100, except_device="")[0]] == changes
        assert [a.hub_seq for a in await store.accept(changes)] == list(range(1, 26))


async def test_a_missing_run_is_refused_not_taken_for_an_empty_store() -> None:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    await fill(device, range(5))
    await device.checkpoint()
    copy = folder.copy()
    del copy.files[run_name(1)]

    with pytest.raises(JournalUnreadable):
        await DeviceDatabase.open(copy, make_world())


async def test_a_damaged_word_on_the_newest_run_is_made_good_by_the_one_before() -> None:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    await fill(device, range(20))
    await device.checkpoint()
    await fill(device, range(20, 25))
    copy = folder.copy()
    journal = copy.files[journal_name(2)]
    journal[journal.index(b'"runs",') + 20] ^= 1

    again = await DeviceDatabase.open(copy, make_world())

    assert again.recovery.damaged
    assert shown(again) == shown(device)


class Marked(MemoryFolder):
    """Knows of each file how far it reached in another folder, and names also those that are gone."""

    def __init__(self, files: dict[str, bytes], before: MemoryFolder) -> None:
        super().__init__(files)
        self.before = before

    async def names(self) -> list[str]:
        return sorted({*self.files, *self.before.files})

    async def open(self, name: str) -> MemoryFile:
        file = await super().open(name)
        file.marked_size = lambda: len(self.before.files.get(name, b""))  # type: ignore[attr-defined]
        return file


async def test_a_newest_journal_that_is_gone_is_told_where_it_is_known_to_have_been() -> None:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    await fill(device, range(5))
    await device.checkpoint()
    await fill(device, range(5, 8))
    left = {name: bytes(data) for name, data in folder.files.items() if name != journal_name(2)}

    lossy = Marked(left, folder)
    again = await DeviceDatabase.open(lossy, make_world())

    assert again.recovery.damaged
    await fill(again, range(20, 22))
    assert len(again.tables.patients) == 7
    assert shown(await DeviceDatabase.open(lossy.copy(), make_world())) == shown(again)
    with pytest.raises(JournalUnreadable):  # with the runs alone nothing says what is true
        await DeviceDatabase.open(Marked({run_name(1): left[run_name(1)]}, folder), make_world())


async def test_a_devices_own_tables_are_kept_and_take_tinydbs_own_writing() -> None:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    notes = device.tables.table("notes")
    first = notes.insert({"text": "one"})
    notes.insert_multiple([{"text": "two"}, {"text": "three"}])
    await device.checkpoint()
    notes.update({"text": "uno"}, doc_ids=[first])
    notes.remove(doc_ids=[2])

    for store in (device, await DeviceDatabase.open(folder.copy(), make_world())):
        assert {d.doc_id: d["text"] for d in store.tables.table("notes").all()} == {1: "uno", 3: "three"}
    assert not device.unsent


async def test_what_comes_while_a_run_is_written_is_counted_once_for_its_device() -> None:
    folder = MemoryFolder()
    hub = await HubDatabase.open(folder, make_world())
    hub.rest = no_rest
    device = await DeviceDatabase.open(MemoryFolder(), make_world())
    await fill(device, range(20))
    changes = list(device.unsent)
    await hub.accept(changes[:10])
    writing = asyncio.create_task(hub.checkpoint())
    for change in changes[10:]:
        await hub.accept([change])
    await writing

    again = await HubDatabase.open(folder.copy(), make_world())

    answer = await again.answer(
        SyncRequest(device_id=device.device_id, generation=device.generation, after=20, changes=[]), 250, HubStatus()
    )
    assert answer.device == DeviceCount(last_seq=20, count=20)


async def test_a_new_journal_that_the_disk_refused_is_begun_anew_by_the_next_attempt() -> None:
    class Exclusive(Disk):
        """As OPFS: a file is open once at a time, and removed only while it is closed."""

        def __init__(self) -> None:
            super().__init__()
            self.in_use: set[str] = set()

        async def open(self, name: str) -> MemoryFile:
            if name in self.in_use:
                raise StorageFailed("open already")
            self.in_use.add(name)
            folder = self

            class File(MemoryFile):
                async def close(self) -> None:
                    folder.in_use.discard(name)

            self.files.setdefault(name, bytearray())
            return File(self, name)

        async def remove(self, name: str) -> None:
            if name in self.in_use:
                raise StorageFailed("open")
            await super().remove(name)

    for steps in range(4):
        folder = Exclusive()
        database = await DeviceDatabase.open(folder, make_world())
        database.rest = no_rest
        await fill(database, range(5))
        folder.steps = folder.taken + steps  # the disk is full in the midst of a new journal, of a run, ...
        with pytest.raises(StorageFailed):
            await database.checkpoint()
        folder.steps = None
        await database.checkpoint()
        await fill(database, range(5, 7))

        again = await DeviceDatabase.open(folder.copy(), make_world())
        assert shown(again) == shown(database), f"refused after {steps} steps"


async def test_a_table_made_after_a_checkpoint_failed_keeps_no_later_one_from_its_work() -> None:
    """Found by tests/sim, seed 20102."""
    folder = Disk()
    device = await DeviceDatabase.open(folder, make_world())
    device.rest = no_rest
    await fill(device, range(5))
    folder.steps = folder.taken + 2  # the journal is begun, the run is not written
    with pytest.raises(StorageFailed):
        await device.checkpoint()
    folder.steps = None
    device.tables.table("notes").insert({"text": "one"})

    await device.checkpoint()
    await device.checkpoint()

    again = await DeviceDatabase.open(folder.copy(), make_world())
    assert shown(again) == shown(device)
    assert [document["text"] for document in again.tables.table("notes").all()] == ["one"]
    assert not again.newer_records()
