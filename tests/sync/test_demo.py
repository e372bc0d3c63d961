"""Practice mode as one starts it: real processes, a second start, and nothing left running."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ClientSession

from store.changes import ChangeDraft, ChangeKind
from store.hub_database import HubDatabase
from store.practice_data import practice_lots
from store.storage import MemoryFolder
from sync.demo import fill_practice_data
from sync.settings import ROOT
from tests.sync.running_hub import WORLD

TODAY = date(2026, 11, 23)


async def test_the_practice_data_is_brought_in_once() -> None:
    database = await HubDatabase.open(MemoryFolder(), WORLD)
    await fill_practice_data(database, TODAY)
    head = database.head
    assert len(database.tables.lots) == 11
    assert len(database.tables.patients) > 50
    assert len(database.tables.unreadable) == 0

    await fill_practice_data(database, TODAY)
    assert database.head == head


async def test_what_staff_corrected_in_practice_stays_corrected() -> None:
    database = await HubDatabase.open(MemoryFolder(), WORLD)
    await fill_practice_data(database, TODAY)
    [person] = database.tables.patients.find_by("chart_number", "057164")
    payload = {"chart_number": "057164", "name": "練習更正"}
    draft = ChangeDraft(ChangeKind.CORRECT_PATIENT, person["record_id"], payload, (person["revision"],))
    await database.commit([draft], "nurse")

    await fill_practice_data(database, TODAY)

    [person] = database.tables.patients.find_by("chart_number", "057164")
    assert person["name"] == "練習更正"


@dataclass
class RunningDemo:
    process: asyncio.subprocess.Process
    desk_url: str
    cdc_url: str
    session: ClientSession

    async def get(self, url: str) -> Any:
        async with self.session.get(url) as response:
            return await response.json()

    async def stop(self) -> int:
        if sys.platform == "win32":
            pytest.skip("Windows has no signal that another process may send politely")
        self.process.send_signal(signal.SIGINT)
        return await asyncio.wait_for(self.process.wait(), 15)


async def start_demo(folder: Path) -> asyncio.subprocess.Process:
    code = "import sys, pathlib; from sync import demo; sys.exit(demo.run(0, False, pathlib.Path(sys.argv[1])))"
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        str(folder),
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running_demo(folder: Path) -> AsyncIterator[RunningDemo]:
    process = await start_demo(folder)
    assert process.stdout is not None
    try:
        lines = [(await process.stdout.readline()).decode().split() for _ in range(2)]
        async with ClientSession() as session:
            yield RunningDemo(process, desk_url=lines[1][-1], cdc_url=lines[0][-1], session=session)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def test_practice_mode_starts_both_stops_both_and_starts_again_as_it_was(tmp_path: Path) -> None:
    async with running_demo(tmp_path) as demo:
        first = await demo.get(f"{demo.desk_url}api/health")
        lots = await demo.get(f"{demo.cdc_url}control/lots")
        assert await demo.stop() == 0
        # The stand-in was another process: it must be gone too.
        with pytest.raises(ClientConnectionError):
            await demo.get(f"{demo.cdc_url}control/state")

    async with running_demo(tmp_path) as demo:
        second = await demo.get(f"{demo.desk_url}api/health")

    assert first["practice"]
    assert first["cdc"]["state"] != "not_configured"
    ours = {each.lot.lot_number for each in practice_lots(datetime.now().astimezone().date())}
    assert ours <= {lot["lot_number"] for lot in lots["lots"]}
    assert second["head"] == first["head"] > 50
    assert second["queue"] == first["queue"]


async def test_a_second_practice_mode_leaves_the_first_alone(tmp_path: Path) -> None:
    async with running_demo(tmp_path) as demo:
        second = await start_demo(tmp_path)
        assert second.stderr is not None
        words = (await second.stderr.read()).decode()
        assert await second.wait() == 4
        assert "Another hub is using the data" in words
        assert (await demo.get(f"{demo.cdc_url}control/state"))["down"] is False
