"""Nobody but the hub's own user reads what it writes, however permissive the process was started."""

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.backup import write_backup
from store.protocol import SnapshotAnswer, SnapshotRequest
from store.restore import restore_backup
from sync.app import data_folder
from tests.store.hub_on_disk import fill
from tests.sync.running_hub import WORLD, make_device, register_patient, running_hub
from tests.sync.test_lan import clinic
from tests.sync.test_routes import start_process

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps elsewhere who may read a file")
_NOT_CLINICAL = {"hub.lock", "bundle"}


@pytest.fixture(autouse=True)
def permissive() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """What others than the owner may do anything with."""
    found = [path for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077]
    return [str(path.relative_to(folder)) for path in found if not _NOT_CLINICAL.intersection(path.parts)]


async def test_the_store_its_snapshots_and_the_clinics_keys_are_their_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with data_folder(data):
        async with clinic(data) as lan:
            device = await make_device()
            await register_patient(device)
            await lan.hub.sync(device)
            lan.hub.snapshots.far_behind = 0
            asked = SnapshotRequest(after=0, anew=True).model_dump_json().encode()
            answer = SnapshotAnswer.model_validate_json(await (await lan.hub.post("/api/snapshot", asked)).read())
            assert answer.offer is not None
            names = {path.name for path in data.rglob("*")}
            assert {"ca.pem", "server.pem", "pages.1"} <= names, "else there is nothing to look at"
            assert open_to_others(data) == []


async def test_the_runs_and_journals_of_a_checkpoint_are_the_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await fill(data, range(1, 10))
    assert len(list(data.iterdir())) > 2, "else nothing was moved"
    assert open_to_others(data) == []


async def test_a_backup_and_what_a_restore_leaves_are_the_owners_alone(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "copy.tar"
    async with running_hub(data) as hub:
        device = await make_device()
        await register_patient(device)
        await hub.sync(device)
    await write_backup(data, file, WORLD)
    assert file.stat().st_mode & 0o777 == 0o600

    _, kept = await restore_backup(data, file, WORLD)
    assert kept is not None
    assert open_to_others(data) == []


async def test_a_folder_that_an_earlier_version_left_open_is_closed_at_the_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    process, _ = await start_process(data)
    process.terminate()
    await asyncio.wait_for(process.wait(), 20)
    assert data.stat().st_mode & 0o777 == 0o700


def test_the_look_at_modes_finds_an_open_file(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / f"{datetime.now(UTC):%Y}").write_text("")
    assert len(open_to_others(tmp_path)) == 1
