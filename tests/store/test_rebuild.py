"""A store whose runs were made by other index rules: opened, it finds everything; a crash meanwhile costs nothing."""

import pytest

from store import tables
from store.changes import ChangeDraft, ChangeKind
from store.database import Database
from store.device_database import DeviceDatabase
from store.errors import RecordDamaged, StorageFailed
from store.manifest import run_name
from store.storage import MemoryFolder
from store.tables import index_rules
from tests.store.test_checkpoint import Disk, fill, no_rest, patient, shown
from tests.worlds import make_world


def forget_some_rules(database: Database) -> None:
    """Make an empty store's tables those of an earlier program, which found patients by less."""
    patients = database.tables.patients
    del patients.indexes["phone"], patients.indexes["birth_date"]
    patients.text_of = None
    del database.tables.vaccinations.counted["upload_state"]
    for table in (patients, database.tables.vaccinations):
        table.delta = table._new_delta()


async def make_earlier_store() -> MemoryFolder:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    forget_some_rules(device)
    device.rest = no_rest
    for start in (0, 40, 50):
        await fill(device, range(start, start + 10))
        await device.commit(
            [patient(start, phone=f"09{start:08d}", birth_date="2020-05-01"), dose(start)], made_by="nurse"
        )
        await device.checkpoint()
    await device.commit([patient(90, phone="0999000000", birth_date="2020-05-01")], made_by="nurse")
    return folder


def dose(number: int) -> ChangeDraft:
    payload = {
        "patient_id": f"{number:032x}",
        "vaccination_date": "2026-11-20",
        "vaccine_code": "MMR",
        "dose_number": "1",
        "lot_number": "AMJRE075AA-CDC",
        "lot_type": "1",
    }
    return ChangeDraft(ChangeKind.RECORD_VACCINATION, f"{number + 1000:032x}", payload)


async def test_a_table_with_more_indexes_finds_everything_that_a_store_with_fewer_holds() -> None:
    folder = await make_earlier_store()

    device = await DeviceDatabase.open(folder.copy(), make_world())

    found = device.tables.patients
    assert [d["chart_number"] for d in found.find_by("phone", "0900000040")] == ["000040"]
    assert {d["chart_number"] for d in found.find_by("birth_date", "2020-05-01")} == {
        "000000",
        "000040",
        "000050",
        "000090",
    }
    assert [d["chart_number"] for d in found.find_by_typed("0900000050", 10)] == ["000050"]
    assert len(found.find_by_typed("病患4", 50)) == 11
    assert len(found) == 31


async def test_what_a_table_counts_anew_is_counted_from_the_records() -> None:
    folder = await make_earlier_store()

    device = await DeviceDatabase.open(folder.copy(), make_world())

    counts = device.tables.vaccinations.count_by
    assert sum(counts("upload_state", d["upload_state"]) for d in device.tables.vaccinations.documents()) == 9
    assert len(device.tables.vaccinations) == 3


async def test_a_rebuilt_store_shows_what_it_showed_and_goes_on() -> None:
    folder = await make_earlier_store()
    device = await DeviceDatabase.open(folder, make_world())
    assert len(device.unsent) == 37

    await fill(device, range(200, 220))
    await device.checkpoint()
    again = await DeviceDatabase.open(folder.copy(), make_world())

    assert shown(again) == shown(device)
    assert again._runs[0].number == device._runs[0].number


async def test_a_store_made_by_todays_rules_is_not_made_anew() -> None:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    await fill(device, range(10))
    await device.checkpoint()
    told: list[tuple[int, int]] = []

    await DeviceDatabase.open(folder.copy(), make_world(), lambda done, total: told.append((done, total)))

    assert told == []


async def test_a_raised_index_version_makes_every_table_anew() -> None:
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(tables, "INDEX_VERSION", tables.INDEX_VERSION - 1)
        folder = MemoryFolder()
        device = await DeviceDatabase.open(folder, make_world())
        await fill(device, range(900))
        device.tables.table("notes").insert({"text": "one"})
        await device.checkpoint()
    told: list[tuple[int, int]] = []

    again = await DeviceDatabase.open(folder.copy(), make_world(), lambda done, total: told.append((done, total)))

    total = sum(run.count for run in device._runs)
    assert told[-1] == (total, total)
    assert told == sorted(told)
    assert len(told) > 4
    [run] = again._runs
    assert all(
        run.tables[table.name].rules == index_rules(table)
        for table in again.tables.record_tables()
        if table.name in run.tables
    )
    assert shown(again) == shown(device)


async def test_a_damaged_record_stays_damaged_and_named_when_indexes_are_made_anew() -> None:
    folder = await make_earlier_store()
    copy = folder.copy()
    for name, data in copy.files.items():
        if name.startswith("run.") and b'"000045"' in data:
            data[data.index(b'"000045"') + 3] ^= 1

    device = await DeviceDatabase.open(copy, make_world())

    with pytest.raises(RecordDamaged):
        device.tables.patients.find(f"{45:032x}")
    assert device.tables.patients.find(f"{44:032x}") is not None
    assert len(device.tables.patients) == 31


@pytest.mark.parametrize("torn", [0.0, 0.5, 1.0])
async def test_a_crash_at_any_step_of_making_indexes_anew_loses_nothing(torn: float) -> None:
    earlier = await make_earlier_store()
    whole = shown(await DeviceDatabase.open(earlier.copy(), make_world()))
    files = {name: bytes(data) for name, data in earlier.files.items()}
    steps = 0
    while True:
        disk = Disk(files, steps=steps, torn=torn)
        failed = False
        try:
            await DeviceDatabase.open(disk, make_world())
        except StorageFailed:
            failed = True

        again = await DeviceDatabase.open(disk.copy(), make_world())
        assert shown(again) == whole, f"power off after {steps} steps"
        assert [d["chart_number"] for d in again.tables.patients.find_by("phone", "0900000040")] == ["000040"]
        if not failed:
            break
        steps += 1
    assert steps > 2


async def test_the_old_runs_go_once_the_new_one_is_in_place() -> None:
    folder = await make_earlier_store()
    before = {name for name in folder.files if name.startswith("run.")}
    device = await DeviceDatabase.open(folder, make_world())
    for start in (300, 310):
        await fill(device, range(start, start + 5))
        await device.checkpoint()
    await device._tidy()

    assert not before & set(folder.files)
    assert run_name(device._runs[-1].number) in folder.files
