"""A check reads all of a store, names each damage, and touches nothing."""

from pathlib import Path

import pytest

from store.check import Damage, Findings, check_store
from store.manifest import journal_name
from store.run import Run
from store.snapshot import NoStore, SnapshotFile
from tests.store.hub_on_disk import WORLD, files_of, fill, open_hub, patient


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    await fill(tmp_path, range(30))
    return tmp_path


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x55
    path.write_bytes(data)


def newest_run(folder: Path) -> str:
    return max(name for name in files_of(folder) if name.startswith("run."))


async def check(folder: Path) -> Findings:
    return await check_store(folder, WORLD)


async def test_a_whole_store_has_no_damage_and_its_records_are_counted(folder: Path) -> None:
    findings = await check(folder)
    assert findings.damages == []
    assert findings.head == 30
    assert (findings.counts["patients"], findings.counts["changes"], findings.counts["exchanges"]) == (30, 30, 2)


async def test_a_check_changes_no_file(folder: Path) -> None:
    before = files_of(folder)
    await check(folder)
    assert files_of(folder) == before


async def test_a_damaged_record_is_named_by_table_and_record_id(folder: Path) -> None:
    name = newest_run(folder)
    file = SnapshotFile(folder / name)
    table = Run(file, 1).tables["patients"]
    record_id, (start, end) = table.id_at(4), table.bounds(4)
    body = table.body(4)
    offset = file.read(0, file.size()).index(body)
    flip(folder / name, offset + (end - start) // 2)

    findings = await check(folder)

    assert findings.damages == [Damage("record", name, f"patients/{record_id}")]


async def test_every_byte_of_a_run_is_looked_at(folder: Path) -> None:
    name = newest_run(folder)
    whole = (folder / name).read_bytes()
    missed = []
    for offset in range(0, len(whole), 97):
        flip(folder / name, offset)
        if not (await check(folder)).damages:
            missed.append(offset)
        (folder / name).write_bytes(whole)
    assert missed == []


async def test_a_damaged_stretch_of_a_journal_is_named_with_the_numbers_it_held(folder: Path) -> None:
    name = max(name for name in files_of(folder) if name.startswith("journal."))
    data = (folder / name).read_bytes()
    flip(folder / name, data.index("病患25".encode()))

    findings = await check(folder)

    assert [(damage.what, damage.file) for damage in findings.damages] == [("frame", name), ("numbers", "")]
    start, end = findings.damages[0].place.removeprefix("bytes ").split("-")
    assert "病患25".encode() in data[int(start) : int(end)]
    assert findings.damages[1].place == "hub numbers 26-26"


async def test_an_end_that_was_cut_off_is_no_damage_but_is_told(folder: Path) -> None:
    name = max(name for name in files_of(folder) if name.startswith("journal."))
    with (folder / name).open("ab") as file:
        file.write(b"\xa7\x01\xff")
    findings = await check(folder)
    assert (findings.damages, findings.unfinished_bytes) == ([], 3)


async def test_a_missing_run_is_named(folder: Path) -> None:
    name = newest_run(folder)
    (folder / name).unlink()
    findings = await check(folder)
    assert Damage("store", "", f"{name} is missing") in findings.damages


async def test_a_store_is_checked_while_its_hub_writes(folder: Path) -> None:
    hub = await open_hub(folder)
    for number in range(100, 130):
        await hub.commit([patient(number)], made_by="nurse")
        if number % 10 == 0:
            await hub.checkpoint()
        findings = await check(folder)
        assert findings.damages == []
        assert findings.counts["patients"] == findings.head == number - 69
    await hub.close()


async def test_an_empty_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(NoStore):
        await check(tmp_path)
    assert not (tmp_path / journal_name(1)).exists()
