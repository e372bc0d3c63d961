"""`backup`, `restore` and `check` as a clinic runs them: real processes, beside a running hub and without one."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar

import sync.__main__ as program
from store.roles import Role
from store.storage import FileFolder
from sync.app import data_folder
from sync.settings import ROOT
from tests.store.hub_on_disk import fill, open_hub, patient, shown
from tests.sync.running_hub import make_device, register_patient, running_hub
from tests.sync.staff_and_devices import MANAGER, Devices, first_manager
from tests.sync.test_lan import clinic


async def run(command: str, data_dir: Path, *file: Path) -> tuple[int, str]:
    """Run one of the three in a process of its own; returns exit code and words."""
    code = "import sys, pathlib, sync.keeping as k; f = sys.argv[2:]; "
    code += "sys.exit(k.run(sys.argv[1], None, pathlib.Path(f[0]) if f else None))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")}
    environment |= {"DESK_DATA_DIR": str(data_dir), "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        command,
        *map(str, file),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    words, _ = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in words
    return process.returncode, words.decode()


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    await fill(tmp_path / "data", range(12))
    return tmp_path / "data"


async def test_a_clinic_gets_back_what_it_backed_up_while_its_hub_ran(tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    async with running_hub(tmp_path / "data") as hub:
        device = await make_device()
        for chart in ("1", "2", "3"):
            await register_patient(device, chart)
        await hub.sync(device)
        assert (await run("backup", tmp_path / "data", file))[0] == 0
    code, words = await run("restore", tmp_path / "other", file)
    assert code == 0, words
    assert await shown(tmp_path / "other") == await shown(tmp_path / "data")


async def test_restoring_newer_data_is_refused_in_a_sentence(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    await run("backup", data, file)
    hub = await open_hub(data)
    await hub.commit([patient(99)], made_by="nurse")
    await hub.close()
    before = await shown(data)

    code, words = await run("restore", data, file)

    assert code == 4
    assert "newer than the backup (it reaches number 13, the backup 12" in words
    assert await shown(data) == before


async def test_restoring_while_a_hub_runs_is_refused(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    await run("backup", data, file)
    with data_folder(data):
        code, words = await run("restore", data, file)
    assert code == 4
    assert "Another hub is using the data" in words


async def test_what_a_restore_replaced_is_named(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    await run("backup", data, file)
    before = await shown(data)
    code, words = await run("restore", data, file)
    assert code == 0
    kept = next(Path(word) for word in words.split() if "replaced-" in word)
    assert await shown(kept) == before


async def test_a_whole_store_passes_the_check(data: Path) -> None:
    code, words = await run("check", data)
    assert code == 0
    assert "All is as it was written" in words
    assert words.splitlines()[0].split() == ["patients", "12"]


async def test_staff_devices_and_the_ca_come_back_with_a_backup_and_are_checked(tmp_path: Path) -> None:
    data, file, new = tmp_path / "data", tmp_path / "b.tar", tmp_path / "new"
    async with clinic(data) as lan, Devices() as devices:
        manager = devices.keep(await first_manager(lan.hub.url))
        await manager.set_staff("May", [Role.RECORDER])
        assert (await run("backup", data, file))[0] == 0
        trusting = await lan.trusting()
    assert (await run("restore", new, file))[0] == 0
    code, words = await run("check", new)
    assert (code, [line.split() for line in words.splitlines() if "accounts" in line]) == (0, [["accounts", "2"]])

    async with clinic(new) as lan:
        async with ClientSession() as session:
            assert (await session.get(f"{lan.app}/", ssl=trusting)).status < 500
        manager.url, manager.session = lan.hub.url, ClientSession(cookie_jar=CookieJar(unsafe=True))
        await manager.enter(MANAGER)
        await manager.close()

    for name, said in (("access.json", "the file of staff and devices"), ("tls/ca.pem", "the clinic's CA")):
        cut(new / name)
        code, words = await run("check", new)
        assert (code, said in words) == (1, True), words


async def test_a_damaged_record_is_named_and_the_exit_code_tells(data: Path) -> None:
    runs = [name for name in await FileFolder(data).names() if name.startswith("run.")]
    damage(data / max(runs), "病患5".encode())
    code, words = await run("check", data)
    assert code == 1
    assert f"patients/{5:032x}" in words
    assert "病患5" not in words


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def damage(path: Path, where: bytes) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole.replace(where, where[::-1]))


async def test_a_check_beside_a_running_hub_finds_no_fault(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        device = await make_device()
        await register_patient(device)
        await hub.sync(device)
        code, words = await run("check", tmp_path)
    assert code == 0, words


@pytest.mark.parametrize("command", ["backup", "check"])
async def test_a_folder_without_data_is_told(tmp_path: Path, command: str) -> None:
    files = [tmp_path / "b.tar"] if command == "backup" else []
    code, words = await run(command, tmp_path / "nothing", *files)
    assert code == 4
    assert "There is no data of this version" in words


async def test_a_letter_is_not_restored(data: Path, tmp_path: Path) -> None:
    code, words = await run("restore", data, ROOT / "README.md")
    assert code == 4
    assert "not a backup of this program" in words


async def test_a_backup_that_is_not_there_is_told(data: Path, tmp_path: Path) -> None:
    code, words = await run("restore", data, tmp_path / "gone.tar")
    assert code == 4
    assert "gone.tar" in words


@pytest.mark.parametrize("arguments", [["backup"], ["restore"], ["check", "x"], ["serve", "x"]])
def test_a_file_belongs_to_backup_and_restore_alone(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        program.parse_arguments(arguments)



def test_the_three_go_without_building_the_bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done: list[tuple[object, ...]] = []
    monkeypatch.setattr(sys, "argv", ["sync", "backup", str(tmp_path / "b.tar")])
    monkeypatch.setattr(program, "enter", lambda *_, **__: None)
    monkeypatch.setattr(program, "build_bundle", lambda _: pytest.fail("the bundle was built"))
    monkeypatch.setattr("sync.keeping.run", lambda *arguments: done.append(arguments) or 0)
    assert program.main() == 0
    assert done == [("backup", None, tmp_path / "b.tar")]
