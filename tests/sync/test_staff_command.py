"""`python3 -m sync staff` as somebody at the clinic PC runs it: a real process."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from store.access_protocol import CodeAnswer, PcCodeRequest
from store.roles import Role
from sync.access.kept_file import read_known
from sync.app import data_folder
from sync.settings import ROOT
from tests.sync.running_hub import running_hub
from tests.sync.staff_and_devices import MANAGER, PASSWORD, DeskDevice, Devices, first_manager

NEW = "a new long sentence"


async def run_staff(data_dir: Path, *typed: str) -> tuple[int, str]:
    """Run it with what is typed, a line each; returns exit code and words."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")}
    environment |= {"DESK_DATA_DIR": str(data_dir), "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys, sync.staff_command as s; sys.exit(s.run(None))",
        cwd=ROOT,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    words, _ = await process.communicate("".join(f"{line}\n" for line in typed).encode())
    assert process.returncode is not None
    assert b"Traceback" not in words
    return process.returncode, words.decode()


async def may_sign_in(folder: Path, staff_id: str, password: str) -> bool:
    async with running_hub(folder) as hub:
        account = hub.hub.access.known.accounts[staff_id]
        is_off = staff_id in hub.hub.access.off()
        return await hub.hub.access.passwords.verify(account.password_hash, password) and not is_off


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    async with running_hub(tmp_path) as hub, Devices() as devices:
        manager = devices.keep(await first_manager(hub.url))
        await manager.set_staff("May", [Role.RECORDER])
    return tmp_path


async def test_the_only_manager_gets_a_new_password(data: Path) -> None:
    code, words = await run_staff(data, NEW, NEW)
    assert code == 0, words
    assert NEW not in words
    assert await may_sign_in(data, MANAGER, NEW)


async def test_a_password_that_will_not_do_is_asked_for_again(data: Path) -> None:
    code, words = await run_staff(data, "short", "0123456789", NEW, "another one", NEW, NEW)
    assert code == 0, words
    assert "At least 10 characters" in words
    assert "Too easy to guess" in words
    assert "They differ" in words
    assert await may_sign_in(data, MANAGER, NEW)


async def test_of_several_managers_the_named_one_gets_it_and_one_who_was_off_is_on(data: Path) -> None:
    async with running_hub(data) as hub, Devices() as devices:
        pc = devices.keep(DeskDevice(hub.url))
        made = await pc.post("/api/access/pc-code", PcCodeRequest(staff_id=MANAGER, password=PASSWORD))
        await pc.enrol(CodeAnswer.model_validate_json(await made.read()).code)
        await pc.enter(MANAGER)
        await pc.set_staff("Lin", [Role.MANAGER])
        await pc.set_staff("Lin", [Role.MANAGER], is_new=False, password=None, active=False)
    code, words = await run_staff(data, "May", "lin", NEW, NEW)
    assert code == 0, words
    assert "There is no such manager: May" in words
    assert "Lin  已停用 · off" in words
    assert await may_sign_in(data, "Lin", NEW)
    assert not await may_sign_in(data, MANAGER, NEW)


async def test_nobody_who_answers_changes_nothing(data: Path) -> None:
    before = read_known(data)
    code, words = await run_staff(data, NEW)
    assert (code, read_known(data)) == (4, before)
    assert "Run this in a terminal window" in words


async def test_it_is_refused_while_a_hub_runs(data: Path) -> None:
    with data_folder(data):
        code, words = await run_staff(data, NEW, NEW)
    assert code == 4
    assert "Another hub is using the data" in words


async def test_without_accounts_it_says_how_to_make_the_first(tmp_path: Path) -> None:
    code, words = await run_staff(tmp_path)
    assert code == 4
    assert "make the first manager's account in the browser" in words
    code, words = await run_staff(tmp_path / "nowhere")
    assert code == 4
    assert "nowhere" not in os.listdir(tmp_path)
