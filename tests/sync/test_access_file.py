"""The file with staff and devices: what was answered is in it, whatever happens to the hub or the disk."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from aiohttp import ClientError

from store.access_protocol import FirstManager
from store.roles import Role
from sync.access import kept_file
from sync.access.kept_file import KeptFile, read_known, write_known
from sync.access.known import Known
from sync.sentences import HubRefused
from tests.sync.hub_process import HubProcess
from tests.sync.running_hub import running_hub
from tests.sync.staff_and_devices import MANAGER, PASSWORD, DeskDevice, Devices, first_manager
from tests.sync.test_routes import assert_error, start_process

_DIES_BEFORE_THE_SWAP = """
import os, sys
from pathlib import Path
from sync.access import kept_file
from sync.access.known import Known
kept_file.os.replace = lambda source, target: os._exit(9)
folder = Path(sys.argv[1])
known = kept_file.read_known(folder)
kept_file.write_known(folder, known.model_copy(update={"accounts": {}, "revision": known.revision + 1}))
"""


def listed(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir() if "access" in entry.name}


async def test_a_hub_that_dies_between_writing_and_swapping_keeps_its_accounts(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await (await first_manager(hub.url)).close()
    before = read_known(tmp_path)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _DIES_BEFORE_THE_SWAP, str(tmp_path))
    assert await process.wait() == 9
    assert listed(tmp_path) == {"access.json", "access.json.part"}

    assert read_known(tmp_path) == before
    async with running_hub(tmp_path) as hub, Devices() as devices:
        manager = devices.keep(DeskDevice(hub.url))
        first = FirstManager(staff_id="Thief", password=PASSWORD)
        await assert_error(await manager.post("/api/access/first", first), 409, "accounts_exist")
        await assert_error(await hub.get("/api/events"), 401, "session_needed")


async def test_whatever_was_answered_is_there_after_a_hub_was_killed(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    await hub.start()
    manager = await first_manager(hub.url)
    told: list[str] = []
    some_told = asyncio.Event()

    async def make_accounts() -> None:
        for number in range(500):
            try:
                await manager.set_staff(f"nurse {number}", [Role.RECORDER])
            except (ClientError, OSError):
                return
            told.append(f"nurse {number}")
            if number == 4:
                some_told.set()

    making = asyncio.create_task(make_accounts())
    await some_told.wait()
    await hub.kill()
    await making
    await manager.close()

    kept = set(read_known(tmp_path).accounts)
    assert kept >= {MANAGER, *told}
    assert len(kept) <= len(told) + 2  # and the one whose answer was lost


async def test_a_disk_that_takes_nothing_makes_no_account_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with running_hub(tmp_path) as hub, Devices() as devices:
        pc = devices.keep(DeskDevice(hub.url))
        with monkeypatch.context() as full:
            full.setattr(kept_file, "open_private", no_space)
            first = FirstManager(staff_id=MANAGER, password=PASSWORD)
            await assert_error(await pc.post("/api/access/first", first), 507, "storage_full")
            assert not hub.hub.access.has_accounts
            assert (await hub.get("/api/health")).status == 200
        manager = devices.keep(await first_manager(hub.url))

        code = await manager.code()
        tablet = devices.keep(DeskDevice(hub.url))
        with monkeypatch.context() as full:
            full.setattr(kept_file, "open_private", no_space)
            answer = await tablet.post("/api/access/enrol", tablet.enrol_request(code))
            await assert_error(answer, 507, "storage_full")
        await tablet.enrol(code)


async def test_many_changes_at_once_are_all_kept(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, Devices() as devices:
        manager = devices.keep(await first_manager(hub.url))
        names = [f"nurse {number}" for number in range(20)]
        await asyncio.gather(*(manager.set_staff(name, [Role.VACCINATOR]) for name in names))
    assert set(read_known(tmp_path).accounts) == {MANAGER, *names}


# ---- a file that does not count


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    async with running_hub(tmp_path) as hub:
        await (await first_manager(hub.url)).close()
    return tmp_path


async def test_no_flipped_bit_and_no_cut_opens_the_hub(folder: Path) -> None:
    path = folder / "access.json"
    whole = kept(path)
    for place in range(0, len(whole), 7):
        path_write(path, whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(HubRefused):
            read_known(folder)
        path_write(path, whole[:place])
        with pytest.raises(HubRefused):
            read_known(folder)


async def test_a_hub_does_not_start_with_a_damaged_file_and_says_what_to_do(folder: Path) -> None:
    path_write(folder / "access.json", b"{}")
    process, url = await start_process(folder)
    assert process.stderr is not None
    words = (await process.stderr.read()).decode()
    assert (await process.wait(), url) == (4, "")
    assert "Restore a backup; do not delete it" in words
    assert "Traceback" not in words


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps elsewhere who may read a file")
async def test_the_file_is_its_owners_alone_and_another_is_refused(folder: Path) -> None:
    path = folder / "access.json"
    assert mode(path) == 0o600
    os.chmod(path, 0o640)
    with pytest.raises(HubRefused) as refused:
        read_known(folder)
    assert refused.value.code == "file_not_private"


async def test_nothing_in_the_file_is_a_password_or_a_token(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, Devices() as devices:
        manager = devices.keep(await first_manager(hub.url))
        text = kept(tmp_path / "access.json").decode()
        assert manager.token_by_staff[MANAGER] not in text
        assert PASSWORD not in text
        assert "$argon2id$" in text


def test_a_change_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    write_known(tmp_path, Known(hub_id="a", revision=3))
    before = (tmp_path / "access.json").stat().st_mtime_ns
    asyncio.run(KeptFile(tmp_path).change(lambda known: known))
    assert (tmp_path / "access.json").stat().st_mtime_ns == before
    asyncio.run(KeptFile(tmp_path).change(lambda known: known.model_copy()))
    assert read_known(tmp_path).revision == 4


def kept(path: Path) -> bytes:
    return path.read_bytes()


def path_write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
