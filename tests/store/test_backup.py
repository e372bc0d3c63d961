"""Backups made while the hub runs, and put back as a whole or not at all."""

import asyncio
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from store import restore
from store.backup import BackupRefused, read_backup, write_backup
from store.changes import World
from store.journal import encode_frame
from store.protocol import HubStatus, SyncRequest
from store.restore import restore_backup
from store.snapshot import NoStore, Snapshot, open_snapshot
from tests.store.hub_on_disk import WORLD, files_of, fill, open_hub, patient, shown


def all_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def read(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    await fill(tmp_path / "data", range(30))
    return tmp_path / "data"


@pytest.fixture
async def backup(folder: Path, tmp_path: Path) -> Path:
    await write_backup(folder, tmp_path / "b.tar", WORLD)
    return tmp_path / "b.tar"


async def test_a_backup_put_back_into_an_empty_folder_shows_the_same(
    folder: Path, backup: Path, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    _, kept = await restore_backup(tmp_path / "new", backup, WORLD)
    assert kept is None
    assert await shown(tmp_path / "new") == await shown(folder)


async def test_a_backup_says_what_it_is_of(folder: Path, backup: Path) -> None:
    manifest = read_backup(backup)
    hub = await open_hub(folder)
    assert (manifest.head, manifest.generation, manifest.damages) == (hub.head, hub.generation, 0)
    await hub.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps elsewhere who may read a file")
async def test_a_backup_is_for_its_owner_only(backup: Path) -> None:
    assert mode_of(backup) == 0o600


async def test_backing_up_changes_no_file_of_the_store(folder: Path, tmp_path: Path) -> None:
    before = files_of(folder)
    await write_backup(folder, tmp_path / "c.tar", WORLD)
    assert files_of(folder) == before


async def test_any_tar_program_gets_the_files_out(folder: Path, backup: Path) -> None:
    with tarfile.open(backup) as tar:
        for part in read_backup(backup).parts:
            member = tar.extractfile(part.name)
            assert member is not None
            assert member.read() == (folder / part.name).read_bytes()


async def test_a_backup_made_while_the_hub_writes_is_a_state_the_store_was_in(folder: Path, tmp_path: Path) -> None:
    hub = await open_hub(folder)
    hub.checkpoint_records = 20
    stop = asyncio.Event()

    async def write() -> None:
        number = 1000
        while not stop.is_set():
            await asyncio.gather(*(hub.commit([patient(number + n)], made_by="nurse") for n in range(3)))
            number += 3

    writing = asyncio.create_task(write())
    try:
        for turn in range(8):
            acknowledged = hub.head
            file, target = tmp_path / f"{turn}.tar", tmp_path / f"put back {turn}"
            manifest = await write_backup(folder, file, WORLD)
            target.mkdir()
            await restore_backup(target, file, WORLD)
            copy = await open_hub(target)
            assert acknowledged <= copy.head == manifest.head
            assert len(copy.tables.patients) == len(copy.tables.changes) == copy.head
            await copy.close()
    finally:
        stop.set()
        await writing
        await hub.close()


async def test_a_folder_without_a_store_gives_no_backup(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(NoStore):
        await write_backup(tmp_path / "data", tmp_path / "b.tar", WORLD)
    assert all_of(tmp_path) == [tmp_path / "data"]


async def test_a_backup_that_fails_leaves_the_one_before_as_it_was(
    folder: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read(backup)

    def no_space(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        await write_backup(folder, backup, WORLD)
    assert read(backup) == before
    assert sorted(all_of(backup.parent))[0] == backup


async def test_a_journal_that_is_cut_while_it_is_copied_is_copied_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub wrote a frame, could not make it durable, cut it off: the backup holds what is acknowledged."""
    journal = max(path for path in all_of(folder) if path.name.startswith("journal."))
    acknowledged, good = read(journal), await shown(folder)
    write(journal, acknowledged + encode_frame(b"[]"))
    opened = 0

    async def cut_after_opening(path: Path, world: World) -> Snapshot:
        nonlocal opened
        snapshot = await open_snapshot(path, world)
        write(journal, acknowledged)
        opened += 1
        return snapshot

    monkeypatch.setattr("store.backup.open_snapshot", cut_after_opening)
    await write_backup(folder, tmp_path / "b.tar", WORLD)
    (tmp_path / "new").mkdir()
    await restore_backup(tmp_path / "new", tmp_path / "b.tar", WORLD)
    assert opened == 2
    assert await shown(tmp_path / "new") == good


# ---- putting back


async def test_a_store_put_back_is_another_generation_and_another_device(folder: Path, backup: Path) -> None:
    before = await open_hub(folder)
    await before.close()
    await restore_backup(folder, backup, WORLD)
    after = await open_hub(folder)
    assert after.generation != before.generation
    assert after.device_id != before.device_id
    [change] = await after.commit([patient(500)], made_by="hub")
    assert (change.device_seq, after.head) == (1, 31)
    await after.close()


async def test_a_generation_that_the_hub_took_on_its_way_does_not_come_back(folder: Path, tmp_path: Path) -> None:
    hub = await open_hub(folder)
    first, ids = hub.generation, {"device_id": "d" * 32, "generation": "e" * 32}
    request = SyncRequest(**ids, after=999, changes=[], hub_generation=first)
    await hub.answer(request, 10, HubStatus())
    renewed = hub.generation
    assert renewed != first
    await hub.close()
    await write_backup(folder, tmp_path / "b.tar", WORLD)
    await restore_backup(folder, tmp_path / "b.tar", WORLD)
    after_restore = await open_hub(folder)
    assert after_restore.generation not in (first, renewed)
    await after_restore.close()


async def test_the_store_that_was_replaced_stays_beside(folder: Path, backup: Path) -> None:
    before = files_of(folder)
    _, kept = await restore_backup(folder, backup, WORLD)
    assert kept is not None
    assert kept.parent == folder
    assert files_of(kept) == before


async def test_a_store_with_newer_changes_is_not_replaced(folder: Path, backup: Path) -> None:
    hub = await open_hub(folder)
    await hub.commit([patient(77)], made_by="nurse")
    await hub.close()
    before = files_of(folder)
    with pytest.raises(BackupRefused, match="newer_data"):
        await restore_backup(folder, backup, WORLD)
    assert files_of(folder) == before


async def test_a_store_with_another_history_is_not_replaced_though_it_is_shorter(
    folder: Path, backup: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    await fill(other, range(200, 203))
    with pytest.raises(BackupRefused, match="newer_data"):
        await restore_backup(other, backup, WORLD)


async def test_a_store_that_knows_more_answers_of_cdc_is_not_replaced(folder: Path, backup: Path) -> None:
    hub = await open_hub(folder)
    await hub.keep_exchange({"upload_batch_id": "b", "body": "raw"})
    await hub.close()
    with pytest.raises(BackupRefused, match="newer_data"):
        await restore_backup(folder, backup, WORLD)


async def test_a_damaged_store_is_replaced(folder: Path, backup: Path) -> None:
    good = await shown(folder)
    run = next(path for path in all_of(folder) if path.name.startswith("run."))
    write(run, read(run)[:-20])
    await restore_backup(folder, backup, WORLD)
    assert await shown(folder) == good


async def test_a_backup_can_be_put_back_twice(folder: Path, backup: Path) -> None:
    good = await shown(folder)
    first = (await restore_backup(folder, backup, WORLD))[1]
    second = (await restore_backup(folder, backup, WORLD))[1]
    assert first != second
    assert await shown(folder) == good


async def test_a_store_put_back_goes_on_into_runs_and_can_be_backed_up(
    folder: Path, backup: Path, tmp_path: Path
) -> None:
    await restore_backup(folder, backup, WORLD)
    hub = await open_hub(folder)
    for number in range(50, 60):
        await hub.commit([patient(number)], made_by="nurse")
        await hub.checkpoint()
    await hub.close()
    await write_backup(folder, tmp_path / "c.tar", WORLD)
    (tmp_path / "new").mkdir()
    await restore_backup(tmp_path / "new", tmp_path / "c.tar", WORLD)
    assert await shown(tmp_path / "new") == await shown(folder)


async def test_a_store_of_the_first_version_is_replaced_and_does_not_come_back(
    backup: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "hub.journal").write_bytes(b"VACDESK\x01")
    await restore_backup(old, backup, WORLD)
    hub = await open_hub(old)
    assert hub.head == 30
    await hub.close()


def _damaged(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 0x55]) + data[offset + 1 :]


async def test_a_backup_damaged_in_any_part_is_refused_before_anything_is_touched(
    folder: Path, backup: Path
) -> None:
    whole, before = read(backup), files_of(folder)
    for part in read_backup(backup).parts:
        for offset in (part.start, part.start + part.size // 2, part.start + part.size - 1):
            write(backup, _damaged(whole, offset))
            with pytest.raises(BackupRefused, match="backup_damaged"):
                await restore_backup(folder, backup, WORLD)
    assert files_of(folder) == before


async def test_a_backup_cut_at_any_length_is_refused(folder: Path, backup: Path) -> None:
    whole, before = read(backup), files_of(folder)
    end = max(part.start + part.size for part in read_backup(backup).parts)
    for length in [*range(0, end, 1024), end, end + 512, end + 700]:
        write(backup, whole[:length])
        with pytest.raises(BackupRefused):
            await restore_backup(folder, backup, WORLD)
    assert files_of(folder) == before


@pytest.mark.parametrize("content", [b"", b"somebody's letter", b"PK\x03\x04" + bytes(2000)])
async def test_a_file_that_is_no_backup_is_refused(folder: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "letter").write_bytes(content)
    with pytest.raises(BackupRefused):
        await restore_backup(folder, tmp_path / "letter", WORLD)


class _PowerCut(BaseException):
    """What no code of ours catches to go on."""


async def test_a_restore_stopped_at_any_step_has_not_happened_or_is_whole(
    folder: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step that touches the disk in turn is the last: nothing after it happens, not even tidying up."""
    old = await open_hub(folder)
    await old.close()
    good, generations = await shown(folder), []
    real = {name: getattr(os, name) for name in ("open", "fsync", "link", "replace", "unlink", "mkdir")}
    for steps in range(200):
        left, data = steps, tmp_path / f"after {steps} steps"
        shutil.copytree(folder, data)

        def stepping(name: str) -> object:
            def call(*arguments: object, **options: object) -> object:
                nonlocal left
                if left <= 0:
                    raise _PowerCut
                left -= 1
                return real[name](*arguments, **options)

            return call

        with monkeypatch.context() as patch:
            for name in real:
                patch.setattr(os, name, stepping(name))
            try:
                await restore_backup(data, backup, WORLD)
                finished = True
            except _PowerCut:
                finished = False
        assert await shown(data) == good
        hub = await open_hub(data)
        generations.append(hub.generation)
        await hub.close()
        if finished:
            break
    assert finished
    assert steps > 10
    assert generations[0] == old.generation != generations[-1]
    happened = [generation != old.generation for generation in generations]
    assert happened == sorted(happened)


async def test_a_restore_that_the_disk_refuses_leaves_no_file_behind(
    folder: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = all_of(folder)

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(restore, "_write_journal", no_space)
    with pytest.raises(OSError, match="No space"):
        await restore_backup(folder, backup, WORLD)
    assert all_of(folder) == before

