"""A snapshot of the hub's tables put in the place of a device's own: in one step, and nothing of its own is lost."""

import asyncio
import hashlib
import zlib
from typing import Any

import pytest

from store.database import SCHEMA_VERSION
from store.device_database import DeviceDatabase
from store.errors import SnapshotDamaged, StorageFailed
from store.hub_database import HubDatabase
from store.protocol import HubStatus, SnapshotOffer, SyncAnswer
from store.run import Run
from store.storage import MemoryFile, MemoryFolder
from tests.store.test_checkpoint import Disk, fill, no_rest, patient
from tests.store.test_rebuild import dose, forget_some_rules
from tests.worlds import make_world

PAGE_BYTES = 4096


@pytest.fixture(autouse=True, params=[0, 20_000], ids=["with indexes", "bare"])
def bare_records(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("store.hub_database.BARE_RECORDS", request.param)
    return int(request.param)


async def make_hub(patients: int = 60) -> HubDatabase:
    hub = await HubDatabase.open(MemoryFolder(), make_world())
    hub.rest = no_rest
    device = await open_device(MemoryFolder())
    for number in range(patients):
        await device.commit([patient(number, phone=f"09{number:08d}"), dose(number)], made_by="nurse")
    changes = list(device.unsent)
    await hub.accept(changes[:50])
    await hub.checkpoint()
    await hub.accept(changes[50:])
    return hub


async def open_device(folder: MemoryFolder) -> DeviceDatabase:
    device = await DeviceDatabase.open(folder, make_world())
    device.rest = no_rest
    return device


async def make_snapshot(hub: HubDatabase) -> tuple[SnapshotOffer, list[bytes]]:
    file = await MemoryFolder().open("snapshot")
    facts = await hub.write_snapshot(file)
    data = file.read(0, file.size())
    pages = [data[start : start + PAGE_BYTES] for start in range(0, len(data), PAGE_BYTES)]
    offer = SnapshotOffer(
        schema_version=SCHEMA_VERSION,
        generation=hub.generation,
        size_bytes=len(data),
        page_bytes=PAGE_BYTES,
        page_crcs=[zlib.crc32(page) for page in pages],
        sha256=hashlib.sha256(data).hexdigest(),
        **facts,
    )
    return offer, pages


def derived(database: DeviceDatabase | HubDatabase) -> dict[str, Any]:
    tables = {
        table.name: {document.doc_id: dict(document) for document in table.documents()}
        for table in database.tables.derived_tables()
    }
    counts = {table.name: table.counts() for table in database.tables.derived_tables()}
    return {"tables": tables, "counts": counts}


async def exchange(device: DeviceDatabase, hub: HubDatabase) -> None:
    """The usual sync, to its end."""
    while True:
        accepted = await hub.accept(device.unsent.first(250))
        changes, upto = hub.changes_after(device.cursor, 250, except_device=device.device_id)
        answer = SyncAnswer(accepted=accepted, changes=changes, upto=upto, head=hub.head, status=HubStatus())
        await device.receive(answer)
        if upto == hub.head and not device.unsent:
            return


def ids(changes: Any) -> list[str]:
    return [change.change_id for change in changes]


async def test_a_fresh_device_shows_what_the_hub_shows() -> None:
    hub = await make_hub()
    folder = MemoryFolder()
    device = await open_device(folder)

    await device.adopt(*await make_snapshot(hub))

    assert device.cursor == hub.head == 120
    for store in (device, await open_device(folder.copy())):
        assert derived(store) == derived(hub)
        assert store.cursor == 120
        assert [d["chart_number"] for d in store.tables.patients.find_by("phone", "0900000007")] == ["000007"]
        assert len(store.unsent) == 0


async def test_only_what_devices_derive_from_changes_is_in_it() -> None:
    hub = await make_hub()
    hub.tables.table("notes")
    names = {table.name for table in hub.tables.derived_tables()}

    people = {"patients", "sessions", "vaccinations", "exams", "histories", "batches", "decisions", "pairs"}
    stock = {"lots", "stock_rows", "consumptions", "stock_downloads", "stock_batches", "exam_batches"}
    exports = {"exports", "export_files", "exported_doses"}
    assert names == people | stock | exports | {"settings", "staff", "unreadable"}


async def test_a_table_of_a_newer_version_is_empty_in_the_snapshot_of_a_store_that_has_none_of_it_yet() -> None:
    hub = await make_hub()
    await hub.checkpoint()
    del hub._manifest.state["counts"]["exams"]  # as a version without the table has left it
    device = await open_device(MemoryFolder())

    await device.adopt(*await make_snapshot(hub))

    assert (device.cursor, len(device.tables.exams)) == (hub.head, 0)


async def test_a_devices_unsent_changes_stay_unsent_and_shown() -> None:
    hub = await make_hub()
    device = await open_device(MemoryFolder())
    await fill(device, range(500, 505))
    await device.checkpoint()
    await fill(device, range(505, 510))
    before = ids(device.unsent)

    await device.adopt(*await make_snapshot(hub))

    assert ids(device.unsent) == before
    assert {f"{n:06d}" for n in range(500, 510)} <= {d["chart_number"] for d in device.tables.patients.documents()}
    [change] = await device.commit([patient(600)], made_by="nurse")
    assert change.device_seq == 11
    await exchange(device, hub)
    assert derived(device) == derived(hub)
    assert len(hub.tables.patients) == 71


async def test_an_unsent_change_that_the_snapshot_holds_already_is_not_doubled() -> None:
    hub = await make_hub()
    device = await open_device(MemoryFolder())
    await fill(device, range(500, 505))
    await hub.accept(list(device.unsent))

    await device.adopt(*await make_snapshot(hub))

    assert derived(device) == derived(hub)
    assert len(device.unsent) == 5
    await exchange(device, hub)
    assert derived(device) == derived(hub)
    assert hub.head == 125


async def test_a_device_far_behind_gets_what_others_made_of_its_records() -> None:
    hub = await make_hub(10)
    device = await open_device(MemoryFolder())
    await exchange(device, hub)
    await device.checkpoint()
    other = await open_device(MemoryFolder())
    await exchange(other, hub)
    for number in range(10):
        shown = other.tables.patients.at(f"{number:032x}")
        draft = patient(number, phone="0222222222")
        corrected = type(draft)("correct_patient", draft.record_id, draft.payload, (shown["revision"],))  # type: ignore[arg-type]
        await other.commit([corrected], made_by="nurse")
    await exchange(other, hub)
    await fill(device, range(500, 503))

    await device.adopt(*await make_snapshot(hub))

    assert len(device.tables.patients.find_by("phone", "0222222222")) == 10
    await exchange(device, hub)
    assert derived(device) == derived(hub)


async def test_a_devices_own_tables_stay() -> None:
    hub = await make_hub()
    folder = MemoryFolder()
    device = await open_device(folder)
    device.tables.table("notes").insert_multiple([{"text": "one"}, {"text": "two"}])
    await device.checkpoint()
    device.tables.table("notes").remove(doc_ids=[1])

    await device.adopt(*await make_snapshot(hub))

    for store in (device, await open_device(folder.copy())):
        notes = store.tables.table("notes")
        assert {d.doc_id: d["text"] for d in notes.all()} == {2: "two"}
        assert len(notes) == 1


async def test_recording_goes_on_while_a_snapshot_is_put_in_place() -> None:
    hub = await make_hub()
    device = await open_device(MemoryFolder())
    placing = asyncio.create_task(device.adopt(*await make_snapshot(hub)))
    for number in range(500, 520):
        await device.commit([patient(number)], made_by="nurse")
        await asyncio.sleep(0)
    await placing
    await fill(device, range(520, 525))

    assert len(device.unsent) == 25
    await exchange(device, hub)
    assert derived(device) == derived(hub)


async def test_the_store_goes_on_into_runs_after_a_snapshot() -> None:
    hub = await make_hub()
    folder = MemoryFolder()
    device = await open_device(folder)
    await fill(device, range(500, 505))
    await device.checkpoint()
    await device.adopt(*await make_snapshot(hub))
    for start in range(600, 700, 20):
        await fill(device, range(start, start + 20))
        await device.checkpoint()
    await exchange(device, hub)

    again = await open_device(folder.copy())
    assert derived(again) == derived(device) == derived(hub)
    assert len(folder.files) < 12


async def test_a_snapshot_by_other_index_rules_gets_this_programs_indexes() -> None:
    hub = await HubDatabase.open(MemoryFolder(), make_world())
    forget_some_rules(hub)
    hub.rest = no_rest
    source = await open_device(MemoryFolder())
    await source.commit([patient(7, phone="0900000007"), dose(7)], made_by="nurse")
    await hub.accept(list(source.unsent))
    device = await open_device(MemoryFolder())

    await device.adopt(*await make_snapshot(hub))

    assert [d["chart_number"] for d in device.tables.patients.find_by("phone", "0900000007")] == ["000007"]
    [shown] = device.tables.vaccinations.documents()
    assert device.tables.vaccinations.count_by("upload_state", shown["upload_state"]) == 1


@pytest.mark.parametrize("fault", ["lost", "truncated", "flipped", "twice", "counts", "behind"])
async def test_a_snapshot_that_is_not_what_was_promised_changes_nothing(fault: str) -> None:
    hub = await make_hub()
    device = await open_device(MemoryFolder())
    await fill(device, range(500, 505))
    offer, pages = await make_snapshot(hub)
    if fault == "behind":
        await exchange(device, hub)
        await fill(device, range(510, 513))
    elif fault == "counts":
        offer = offer.model_copy(update={"counts": {**offer.counts, "lots": {"total": 4, "by": {}}}})
    else:
        wrong = {"lost": [], "truncated": [pages[1][:-1]], "flipped": [bytes(4096)], "twice": [pages[1]] * 2}[fault]
        pages[1:2] = wrong
    before, unsent = derived(device), ids(device.unsent)

    with pytest.raises(SnapshotDamaged):
        await device.adopt(offer, pages)

    assert derived(device) == before
    assert ids(device.unsent) == unsent
    await device.checkpoint()
    await exchange(device, hub)
    assert derived(device) == derived(hub)


@pytest.mark.parametrize("torn", [0.0, 0.5, 1.0])
async def test_a_crash_at_any_step_leaves_the_device_as_it_was_or_with_the_snapshot(torn: float) -> None:
    hub = await make_hub(20)
    offer, pages = await make_snapshot(hub)
    earlier = MemoryFolder()
    device = await open_device(earlier)
    await fill(device, range(500, 505))
    await device.checkpoint()
    await fill(device, range(505, 508))
    device.tables.table("notes").insert({"text": "one"})
    files = {name: bytes(data) for name, data in earlier.files.items()}
    before, unsent = derived(device), ids(device.unsent)
    await device.adopt(offer, pages)
    after = derived(device)
    steps, outcomes = 0, []
    while True:
        disk = Disk(files, steps=steps, torn=torn)
        failed = False
        try:
            again = await open_device(disk)
            await again.adopt(offer, pages)
        except StorageFailed:
            failed = True

        opened = await open_device(disk.copy())
        found = derived(opened)
        assert found in (before, after), f"power off after {steps} steps"
        assert ids(opened.unsent) == unsent
        assert [d["text"] for d in opened.tables.table("notes").all()] == ["one"]
        outcomes.append(found == after)
        if found == before:
            await opened.adopt(offer, pages)
        assert derived(opened) == after
        if not failed:
            break
        steps += 1
    assert outcomes == sorted(outcomes)
    assert outcomes[-1]
    assert not outcomes[0]
    assert len(outcomes) > 5


async def test_the_hub_goes_on_accepting_while_it_writes_a_snapshot() -> None:
    hub = await make_hub()
    device = await open_device(MemoryFolder())
    await fill(device, range(500, 530))
    making = asyncio.create_task(make_snapshot(hub))
    for change in list(device.unsent):
        await hub.accept([change])
        await asyncio.sleep(0)
    offer, pages = await making

    fresh = await open_device(MemoryFolder())
    await fresh.adopt(offer, pages)
    assert 120 <= offer.head <= 150
    await exchange(fresh, hub)
    assert derived(fresh) == derived(hub)


async def test_two_snapshots_at_one_number_are_the_same_bytes_however_the_runs_lie() -> None:
    hub = await make_hub()
    first, _ = await make_snapshot(hub)
    await hub.checkpoint()
    again = await HubDatabase.open(hub.folder, make_world())

    second, _ = await make_snapshot(again)

    assert second == first


async def test_after_a_snapshot_nothing_older_is_read_again() -> None:
    hub = await make_hub()
    folder = MemoryFolder()
    device = await open_device(folder)
    await fill(device, range(500, 505))
    await device.checkpoint()
    older = set(folder.files)

    await device.adopt(*await make_snapshot(hub))

    copy = folder.copy()
    for name in older:
        del copy.files[name]
    assert derived(await open_device(copy)) == derived(device)


async def test_a_snapshot_waits_for_a_run_that_is_being_written() -> None:
    hub = await make_hub()
    folder = MemoryFolder()
    device = await open_device(folder)
    await fill(device, range(500, 540))
    device._maintain_above(1)
    hub._maintain_above(1)

    await device.adopt(*await make_snapshot(hub))
    await fill(device, range(600, 610))
    device._maintain_above(1)
    await device.settle()

    for store in (device, await open_device(folder.copy())):
        assert len(store.unsent) == 50
        assert len(store.tables.patients) == 110
    await exchange(device, hub)
    assert derived(device) == derived(hub)


class StrictFolder(Disk):
    """A folder that, as browsers and Windows do, neither opens a file twice nor removes an open one."""

    def __init__(self, steps: int | None = None) -> None:
        super().__init__(steps=steps)
        self.opened: set[str] = set()

    async def open(self, name: str) -> MemoryFile:
        if name in self.opened:
            raise StorageFailed("it is open")
        self.opened.add(name)
        return StrictFile(self, name)

    async def remove(self, name: str) -> None:
        if name in self.opened:
            raise StorageFailed("it is open")
        await super().remove(name)


class StrictFile(MemoryFile):
    def __init__(self, folder: StrictFolder, name: str) -> None:
        folder.files.setdefault(name, bytearray())
        super().__init__(folder, name)
        self._close = lambda: folder.opened.discard(name)

    async def close(self) -> None:
        self._close()


async def test_a_snapshot_that_failed_half_way_leaves_no_file_open() -> None:
    hub = await make_hub()
    offer, pages = await make_snapshot(hub)
    folder = StrictFolder()
    device = await open_device(folder)
    await fill(device, range(500, 505))
    for steps in range(80):
        folder.steps = folder.taken + steps
        try:
            await device.adopt(offer, pages)
        except StorageFailed:
            folder.steps = None
        else:
            break
    folder.steps = None
    assert device.cursor == offer.head
    await device.checkpoint()
    await device.checkpoint()
    assert len([name for name in folder.opened if name.startswith("journal.")]) == 1
    await device.close()
    assert folder.opened == set()


async def test_a_run_that_could_not_be_written_can_be_written_again() -> None:
    folder = StrictFolder()
    device = await open_device(folder)
    await fill(device, range(5))
    folder.steps = folder.taken + 2
    with pytest.raises(StorageFailed):
        await device.checkpoint()
    folder.steps = None

    await device.checkpoint()

    assert device.newer_records() == 0


async def test_a_devices_own_change_that_the_hub_got_after_the_snapshot_is_put_over_it() -> None:
    hub = await make_hub(10)
    device = await open_device(MemoryFolder())
    await fill(device, range(500, 503))
    await hub.accept(list(device.unsent)[:1])
    snapshot = await make_snapshot(hub)
    accepted = await hub.accept(list(device.unsent))
    answer = SyncAnswer(accepted=accepted, changes=[], upto=0, head=hub.head, status=HubStatus())
    await device.receive(answer)
    assert not device.unsent

    await device.adopt(*snapshot)

    assert len(device.tables.patients) == 13
    await exchange(device, hub)
    assert derived(device) == derived(hub)


async def test_a_snapshot_of_another_hub_is_refused() -> None:
    hub, other = await make_hub(), await make_hub()
    device = await open_device(MemoryFolder())
    answer = SyncAnswer(accepted=[], changes=[], upto=0, head=9, status=HubStatus(), generation=other.generation)
    await device.receive(answer)

    with pytest.raises(SnapshotDamaged):
        await device.adopt(*await make_snapshot(hub))

    assert device.cursor == 0


async def test_a_device_knows_its_hub_by_the_snapshot() -> None:
    hub = await make_hub()
    folder = MemoryFolder()
    device = await open_device(folder)

    await device.adopt(*await make_snapshot(hub))

    for store in (device, await open_device(folder.copy())):
        assert store.hub_generation == hub.generation


async def test_a_small_snapshot_leaves_out_what_the_device_can_make(bare_records: int) -> None:
    hub = await make_hub()
    file = await MemoryFolder().open("snapshot")
    await hub.write_snapshot(file)

    patients = Run(file, 1).tables["patients"]

    assert patients.has("texts") == patients.has("index phone") == (bare_records == 0)
    assert patients.count == 60
