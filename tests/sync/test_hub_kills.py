"""A hub that is killed again and again while twenty devices push: what it acknowledged is there, once.

Shape: 8 kills; `HUB_KILLS=100` makes it 100. The hub moves its journal into runs often, so that kills hit that too.
"""

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession

from store.changes import ChangeDraft, ChangeKind
from store.check import check_store
from store.device_database import DeviceDatabase
from store.hub_database import HubDatabase
from store.protocol import SyncAnswer
from store.storage import FileFolder
from tests.sync.hub_process import HubProcess
from tests.sync.running_hub import WORLD, make_device, request_of

DEVICES = 20
KILLS = int(os.environ.get("HUB_KILLS", "8"))


class Nurse:
    """A device that records a few patients at a time and pushes them until the hub has said that it holds them."""

    def __init__(self, number: int, device: DeviceDatabase) -> None:
        self.number, self.device = number, device
        self.recorded = 0
        self.number_by_id: dict[str, int] = {}  # what the hub has acknowledged
        self.contradictions: list[str] = []

    async def work(self, hub: HubProcess, stop: asyncio.Event, chance: random.Random) -> None:
        async with ClientSession() as session:
            while not (stop.is_set() and not self.device.unsent):
                if not stop.is_set() and len(self.device.unsent) < 20:
                    await self._record(chance.randint(1, 5))
                try:
                    answer = await hub.sync(session, request_of(self.device))
                except (ClientError, OSError):
                    await asyncio.sleep(0.02)  # nobody is there; a device asks again
                    continue
                assert isinstance(answer, SyncAnswer), answer
                self._note(answer)
                # Sometimes the answer is lost on the way, and the device sends the same again.
                if chance.random() > 0.2:
                    await self.device.receive(answer)

    async def _record(self, count: int) -> None:
        drafts = []
        for _ in range(count):
            self.recorded += 1
            payload = {"chart_number": f"{self.number}-{self.recorded}", "name": "x"}
            drafts.append(ChangeDraft(ChangeKind.REGISTER_PATIENT, WORLD.make_record_id(), payload))
        await self.device.commit(drafts, made_by="nurse")

    def _note(self, answer: SyncAnswer) -> None:
        for accepted in answer.accepted:
            if self.number_by_id.setdefault(accepted.change_id, accepted.hub_seq) != accepted.hub_seq:
                self.contradictions.append(accepted.change_id)


@pytest.mark.timeout(120 + 4 * KILLS)
async def test_nothing_acknowledged_is_missing_or_doubled_after_a_hub_was_killed_under_load(tmp_path: Path) -> None:
    chance, stop = random.Random(1), asyncio.Event()
    hub = HubProcess(tmp_path, checkpoint_records=400)
    await hub.start()
    nurses = [Nurse(number, await make_device()) for number in range(DEVICES)]
    working = [asyncio.create_task(nurse.work(hub, stop, chance)) for nurse in nurses]
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        await hub.kill()
        await hub.start()
    stop.set()
    await asyncio.gather(*working)
    await hub.kill()

    assert (await check_store(tmp_path, WORLD)).damages == []
    database = await HubDatabase.open(FileFolder(tmp_path), WORLD)
    kept, _ = database.changes_after(0, database.head, except_device="")
    number_by_id = {numbered.change.change_id: numbered.hub_seq for numbered in kept}
    charts = Counter(document["chart_number"] for document in database.tables.patients.documents())
    await database.close()

    assert sum(len(nurse.number_by_id) for nurse in nurses) > 10 * KILLS
    assert [nurse.contradictions for nurse in nurses] == [[]] * DEVICES
    assert {i: n for nurse in nurses for i, n in nurse.number_by_id.items()} == number_by_id
    assert sorted(number_by_id.values()) == list(range(1, len(kept) + 1))
    assert set(charts.values()) == {1}
    assert len(charts) == sum(nurse.recorded for nurse in nurses)
