"""A disk that is full or read-only, and a clock that is set back: told clearly, nothing lost, no restart needed."""

import asyncio
import errno
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from store.changes import ChangeKind, World
from store.errors import StorageFull
from store.hub_database import HubDatabase
from store.protocol import SyncAnswer
from store.storage import FileFolder, FileStorage, MemoryFolder
from tests.store.hub_on_disk import patient
from tests.sync.hub_process import HubProcess
from tests.sync.running_hub import RunningHub, make_device, register_patient, request_of, running_hub
from tests.worlds import Clock, make_world

posix_limit = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process's files")


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[HubProcess]:
    hub = HubProcess(tmp_path / "data")
    await hub.start()
    yield hub
    await hub.kill()


def limit_files(pid: int, size: int | None) -> None:
    """Let no file of the process grow above `size`: to it the disk is full there."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY if size is None else size, hard))


def journal_size(folder: Path) -> int:
    return max(path.stat().st_size for path in folder.glob("journal.*"))


def words_of(hub: HubProcess) -> str:
    return "\n".join(hub.words)


@posix_limit
async def test_a_hub_without_room_acknowledges_nothing_says_so_and_goes_on_once_there_is_room(
    process: HubProcess,
) -> None:
    device = await make_device()
    await register_patient(device, "1")
    async with ClientSession() as session:
        answer = await process.sync(session, request_of(device))
        assert isinstance(answer, SyncAnswer)
        await device.receive(answer)
        limit_files(process.process.pid, journal_size(process.data_dir) + 100)
        await register_patient(device, "2")
        assert await process.sync(session, request_of(device)) == "storage_full"
        assert await process.sync(session, request_of(device)) == "storage_full"
        async with session.get(f"{process.url}api/health") as response:
            health = await response.json()
        assert (health["storage"], health["head"]) == ("storage_full", 1)

        limit_files(process.process.pid, None)
        answer = await process.sync(session, request_of(device))
        assert isinstance(answer, SyncAnswer)
        assert [accepted.hub_seq for accepted in answer.accepted] == [2]

    await process.kill()
    hub = await HubDatabase.open(FileFolder(process.data_dir), make_world())
    assert (hub.head, hub.recovery.dropped) == (2, [])
    await hub.close()
    await process.start()


@posix_limit
async def test_staff_at_the_clinic_pc_are_told_once_in_both_languages_and_when_it_is_well_again(
    process: HubProcess,
) -> None:
    device = await make_device()
    await register_patient(device)
    async with ClientSession() as session:
        limit_files(process.process.pid, journal_size(process.data_dir) + 100)
        for _ in range(3):
            await process.sync(session, request_of(device))
        limit_files(process.process.pid, None)
        await process.sync(session, request_of(device))
    await process.kill()
    words = words_of(process)
    assert words.count("磁碟已滿") == 1
    assert words.count("The disk is full: what devices send cannot be kept now") == 1
    assert words.index("磁碟已滿") < words.index("磁碟恢復正常")
    assert "測試患者" not in words
    await process.start()


@posix_limit
async def test_devices_whose_changes_fit_are_served_on_a_disk_too_full_for_another(process: HubProcess) -> None:
    small, large = await make_device(), await make_device()
    await register_patient(small)
    for number in range(40):
        await register_patient(large, str(number))
    limit_files(process.process.pid, journal_size(process.data_dir) + 2000)
    async with ClientSession() as session:
        answers = await asyncio.gather(*(process.sync(session, request_of(device)) for device in (large, small)))
    assert answers[0] == "storage_full"
    assert isinstance(answers[1], SyncAnswer)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO, errno.EACCES], ids=["read-only", "broken", "locked"])
async def test_a_disk_that_takes_nothing_and_cannot_be_cut_needs_no_restart_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    async with running_hub(tmp_path) as hub:
        device = await make_device()
        await register_patient(device)
        monkeypatch.setattr(FileStorage, "_append", refuse)
        monkeypatch.setattr(FileStorage, "_truncate", refuse)
        assert await code_of(hub, request_of(device).model_dump_json().encode()) == (503, "storage_failed")
        monkeypatch.undo()
        await hub.sync(device)
        assert hub.database.head == 1
        assert not device.unsent


async def code_of(hub: RunningHub, body: bytes) -> tuple[int, str]:
    response = await hub.post("/api/sync", body)
    return response.status, (await response.json())["error"]["code"]


async def test_after_half_a_frame_was_written_to_a_full_disk_the_next_one_stands_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FileStorage._append

    def half(self: FileStorage, data: bytes, durable: bool) -> None:
        real(self, data[: len(data) // 2], durable)
        raise OSError(errno.ENOSPC, "No space left on device")

    async with running_hub(tmp_path) as hub:
        device = await make_device()
        await register_patient(device)
        monkeypatch.setattr(FileStorage, "_append", half)
        assert await code_of(hub, request_of(device).model_dump_json().encode()) == (507, "storage_full")
        monkeypatch.undo()
        await hub.sync(device)
    again = await HubDatabase.open(FileFolder(tmp_path), make_world())
    assert (again.head, again.recovery.dropped) == (1, [])
    await again.close()


async def test_a_checkpoint_without_room_costs_nothing_and_is_made_up_for() -> None:
    class Disk(MemoryFolder):
        full = False

        async def append(self, name: str, data: bytes) -> None:
            if self.full and name.startswith("run."):
                raise StorageFull("no space left")
            await super().append(name, data)

    disk = Disk()
    hub = await HubDatabase.open(disk, make_world())
    hub.checkpoint_records = 10
    disk.full = True
    for number in range(20):
        await hub.commit([patient(number)], made_by="nurse")
        await hub.settle()
    assert len(hub.tables.patients) == 20
    assert (await HubDatabase.open(disk.copy(), make_world())).head == 20
    disk.full = False
    for number in range(20, 40):
        await hub.commit([patient(number)], made_by="nurse")
        await hub.settle()
    assert hub.newer_records() < 40
    assert (await HubDatabase.open(disk.copy(), make_world())).head == 40


@pytest.mark.parametrize("refused", ["journal.", "run."])
async def test_checkpoints_that_a_full_disk_refuses_leave_no_file_open(tmp_path: Path, refused: str) -> None:
    """On Windows an open file cannot be removed, and elsewhere a process may not have many."""
    opened: list[FileStorage] = []

    class FullFile(FileStorage):
        async def append(self, data: bytes, *, durable: bool = True) -> None:
            raise StorageFull("no space left")

    class Disk(FileFolder):
        full = False

        async def open(self, name: str) -> FileStorage:
            kind = FullFile if self.full and name.startswith(refused) else FileStorage
            opened.append(kind(tmp_path / name))
            return opened[-1]

    disk = Disk(tmp_path)
    hub = await HubDatabase.open(disk, make_world())
    await hub.commit([patient(1)], made_by="nurse")
    disk.full = True
    for _ in range(3):
        with pytest.raises(StorageFull):
            await hub.checkpoint()
    assert [file for file in opened if isinstance(file, FullFile) and not file._file.closed] == []
    disk.full = False
    await hub.checkpoint()
    assert len(hub.tables.patients) == 1
    await hub.close()


@pytest.mark.parametrize("back", [timedelta(minutes=10), timedelta(days=400)], ids=["minutes", "over a year"])
async def test_a_clock_set_back_changes_neither_numbers_nor_order(back: timedelta) -> None:
    clock = Clock()
    world: World = make_world(clock)
    disk = MemoryFolder()
    hub = await HubDatabase.open(disk, world)
    first = await hub.commit([patient(1), patient(2)], made_by="nurse")
    clock.at -= back
    second = await hub.commit([patient(3)], made_by="nurse")

    again = await HubDatabase.open(disk.copy(), world)
    for store in (hub, again):
        numbered, _ = store.changes_after(0, 10, except_device="")
        assert [(n.hub_seq, n.change) for n in numbered] == list(enumerate(first + second, start=1))
        assert len(store.tables.patients) == 3


async def test_a_correction_made_after_the_clock_was_set_back_is_what_is_shown() -> None:
    clock = Clock()
    hub = await HubDatabase.open(MemoryFolder(), make_world(clock))
    [first] = await hub.commit([patient(1)], made_by="nurse")
    clock.at -= timedelta(days=400)
    corrected = replace(
        patient(1, phone="0912345678"),
        kind=ChangeKind.CORRECT_PATIENT,
        base_revisions=(first.change_id,),
    )
    await hub.commit([corrected], made_by="nurse")
    document = hub.tables.patients.at(first.record_id)
    assert (document["phone"], document["conflict"]) == ("0912345678", [])
