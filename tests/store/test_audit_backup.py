"""A backup holds the audit; putting it back never shortens the one that is there."""

from pathlib import Path

import pytest

from store.audit import AuditAction
from store.audit_months import AuditMonths, Note
from store.backup import BackupRefused, read_backup, write_backup
from store.check import check_store
from store.restore import restore_backup
from store.storage import FileFolder
from tests.store.hub_on_disk import WORLD, files_of, fill, open_hub
from tests.store.test_audit_months import DECEMBER, NOVEMBER


async def add(folder: Path, *moments: object, remember: bool = True) -> None:
    months = await AuditMonths.open(FileFolder(folder))
    for at in moments:
        await months.add([Note(at, "staff", AuditAction.PRINTED, {"count": 2})] * 3, at)  # type: ignore[arg-type]
    await months.close()
    if remember:
        hub = await open_hub(folder)
        await hub.keep_audit_head(months.state.head)
        await hub.close()


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    await fill(tmp_path / "data", range(6))
    await add(tmp_path / "data", NOVEMBER, DECEMBER)
    return tmp_path / "data"


@pytest.fixture
async def backup(folder: Path, tmp_path: Path) -> Path:
    await write_backup(folder, tmp_path / "b.tar", WORLD)
    return tmp_path / "b.tar"


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def audit_of(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in files_of(folder).items() if name.startswith("audit")}


async def assert_proved(folder: Path, entries: int) -> None:
    findings = await check_store(folder, WORLD)
    assert findings.damages == []
    assert findings.counts["audit"] == entries


async def test_the_audit_comes_back_into_an_empty_folder(folder: Path, backup: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    await restore_backup(tmp_path / "new", backup, WORLD)

    assert audit_of(tmp_path / "new") == audit_of(folder)
    assert sorted(audit_of(folder)) == ["audit-2026-11", "audit-2026-12"]
    await assert_proved(tmp_path / "new", 6)


async def test_a_backup_names_the_last_entry(folder: Path, backup: Path) -> None:
    hub = await open_hub(folder)
    assert read_backup(backup).audit_head == hub.audit_head
    await hub.close()


async def test_an_audit_that_goes_on_is_left_as_it_is(folder: Path, backup: Path) -> None:
    await add(folder, DECEMBER, remember=False)
    before = audit_of(folder)

    await restore_backup(folder, backup, WORLD)

    assert audit_of(folder) == before
    await assert_proved(folder, 9)


async def test_an_audit_that_was_cut_off_comes_back_and_the_cut_one_stays_beside(folder: Path, backup: Path) -> None:
    whole = audit_of(folder)
    (folder / "audit-2026-12").unlink()
    (folder / "audit-2026-11").write_bytes(whole["audit-2026-11"][:-30])
    cut = audit_of(folder)

    _, kept = await restore_backup(folder, backup, WORLD)

    assert audit_of(folder) == whole
    assert kept is not None
    assert audit_of(kept) == cut
    await assert_proved(folder, 6)


async def test_a_damaged_audit_in_a_backup_is_refused(folder: Path, backup: Path) -> None:
    part = read_backup(backup).audit[0]
    flip(backup, part.start + part.size // 2)

    with pytest.raises(BackupRefused) as refused:
        await restore_backup(folder, backup, WORLD)
    assert refused.value.facts == {"part": part.name}


async def test_a_backup_of_before_there_was_an_audit_goes_back(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    await fill(tmp_path / "data", range(3))
    await write_backup(tmp_path / "data", tmp_path / "b.tar", WORLD)

    await add(tmp_path / "data", NOVEMBER)
    await restore_backup(tmp_path / "data", tmp_path / "b.tar", WORLD)

    await assert_proved(tmp_path / "data", 3)


async def test_the_store_remembers_the_end_over_its_checkpoints(folder: Path) -> None:
    hub = await open_hub(folder)
    head = hub.audit_head
    await hub.checkpoint()
    await hub.close()

    hub = await open_hub(folder)
    assert hub.audit_head == head
    assert head.seq == 6
    await hub.close()
