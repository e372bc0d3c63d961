"""The device's half of the sync against a real hub."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from store import digests
from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.errors import StorageFull
from store.storage import MemoryFolder
from tests.factories import make_patient
from tests.sync.running_hub import WORLD, RunningHub, running_hub
from ui import sync_client
from ui.sync_client import HubLink, NetworkFailed, SyncClient


class HttpNetwork:
    """What the browser does for the sync, done by aiohttp. `cut` is the cable; `lose_answers` drops what comes back.

    `tamper` changes what an exchange brings; `after` notes from where each was asked for.
    """

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, self._session = url, session
        self.cut = False
        self.lose_answers = 0
        self.bugs = 0
        self.tamper: Callable[[bytes], bytes] | None = None
        self.after: list[int] = []
        self._streams: set[asyncio.Task[None]] = set()

    async def fetch(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        if self.bugs:
            self.bugs -= 1
            raise KeyError("a bug")
        if self.cut:
            raise NetworkFailed("cut")
        try:
            async with self._session.request(method, self._url + path, data=body, headers=headers) as answer:
                content = await answer.read()
        except aiohttp.ClientError as error:
            raise NetworkFailed(type(error).__name__) from error
        if path == "/api/sync" and body is not None:
            self.after.append(json.loads(body)["after"])
            content = self.tamper(content) if self.tamper else content
        if self.lose_answers:
            self.lose_answers -= 1
            raise NetworkFailed("answer lost")
        return answer.status, dict(answer.headers), content

    def event_stream(
        self, path: str, on_message: Callable[[str], None], on_state: Callable[[bool], None]
    ) -> Callable[[], None]:
        task = asyncio.create_task(self._stream(path, on_message, on_state))
        self._streams.add(task)

        def close() -> None:
            task.cancel()

        return close

    def is_online(self) -> bool:
        return not self.cut

    async def _stream(self, path: str, on_message: Callable[[str], None], on_state: Callable[[bool], None]) -> None:
        async with self._session.get(self._url + path, timeout=aiohttp.ClientTimeout(total=None)) as answer:
            on_state(True)
            async for line in answer.content:
                if line.startswith(b"data:"):
                    on_message(line[5:].decode().strip())

    async def close(self) -> None:
        for task in self._streams:
            task.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)


class FillingStorage(MemoryFolder):
    full = False

    async def append(self, name: str, data: bytes) -> None:
        if self.full:
            raise StorageFull("full")
        await super().append(name, data)


class Device:
    def __init__(self, database: DeviceDatabase, storage: FillingStorage, network: HttpNetwork) -> None:
        self.database, self.storage, self.network = database, storage, network
        self.changed = asyncio.Event()
        self.client = SyncClient(database, network, WORLD, self.changed.set)

    async def register(self, chart_number: str) -> None:
        payload = make_patient(chart_number=chart_number).model_dump(mode="json", exclude={"record_id"})
        draft = ChangeDraft(ChangeKind.REGISTER_PATIENT, WORLD.make_record_id(), payload)
        await self.database.commit([draft], made_by="nurse")

    def charts(self) -> list[str]:
        return sorted(d["chart_number"] for d in self.database.tables.patients.documents())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def running_device(hub: RunningHub, kept: MemoryFolder | None = None) -> AsyncIterator[Device]:
    """`kept`: what the device's disk holds already."""
    async with aiohttp.ClientSession() as session:
        network = HttpNetwork(f"http://{hub.host}", session)
        storage = FillingStorage()
        storage.files = kept.copy().files if kept is not None else {}
        device = Device(await DeviceDatabase.open(storage, WORLD), storage, network)
        task = asyncio.create_task(device.client.run())
        try:
            yield device
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await network.close()


async def test_what_one_device_records_the_other_shows_without_asking(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, running_device(hub) as one, running_device(hub) as two:
        await two.until(lambda: two.client.link is HubLink.CONNECTED)
        await one.register("057164")

        await two.until(lambda: two.charts() == ["057164"])
        await one.until(lambda: not one.database.unsent)

        assert one.charts() == two.charts()


async def test_more_changes_than_fit_one_batch_all_arrive(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, running_device(hub) as one:
        one.network.cut = True
        drafts = [
            ChangeDraft(ChangeKind.REGISTER_PATIENT, WORLD.make_record_id(), {"chart_number": f"{n}", "name": "x"})
            for n in range(2500)
        ]
        await one.database.commit(drafts, made_by="nurse")
        one.network.cut = False
        one.client.wake()
        await one.until(lambda: not one.database.unsent)

        async with running_device(hub) as two:
            await two.until(lambda: len(two.database.tables.patients) == 2500)

        assert hub.database.head == 2500


async def test_a_lost_answer_neither_loses_nor_doubles(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, running_device(hub) as one:
        await one.until(lambda: one.client.link is HubLink.CONNECTED)
        one.network.lose_answers = 1
        await one.register("057164")
        await one.until(lambda: one.client.link is HubLink.UNREACHABLE)
        assert len(one.database.unsent) == 1

        one.client.wake()
        await one.until(lambda: not one.database.unsent)

        assert hub.database.head == 1


async def test_with_the_hub_away_everything_is_kept_and_goes_when_it_is_back(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, running_device(hub) as one:
        one.network.cut = True
        await one.register("057164")
        await one.until(lambda: one.client.link is HubLink.NO_NETWORK)
        assert one.charts() == ["057164"]

        one.network.cut = False
        one.client.wake()
        await one.until(lambda: one.client.link is HubLink.CONNECTED and not one.database.unsent)


async def test_a_disk_that_is_full_for_a_while_does_not_end_the_sync(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, running_device(hub) as one, running_device(hub) as two:
        await two.until(lambda: two.client.link is HubLink.CONNECTED)
        two.storage.full = True
        await one.register("057164")
        await two.until(lambda: two.client.link is HubLink.REFUSING)
        assert two.client.link_detail == StorageFull.code
        assert two.charts() == []

        two.storage.full = False
        two.client.wake()

        await two.until(lambda: two.charts() == ["057164"])


async def test_a_bug_in_one_round_does_not_end_the_sync(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, running_device(hub) as one:
        await one.until(lambda: one.client.link is HubLink.CONNECTED)
        one.network.bugs = 1
        await one.register("057164")
        await one.until(lambda: one.client.link is HubLink.REFUSING)

        one.client.wake()

        await one.until(lambda: not one.database.unsent)


def without_charts(lost: set[str]) -> Callable[[bytes], bytes]:
    """What brings an answer to a device without some changes, as if they had never been; the rest as it was."""

    def rob(content: bytes) -> bytes:
        answer = json.loads(content)
        answer["changes"] = [n for n in answer["changes"] if n["change"]["payload"].get("chart_number") not in lost]
        return json.dumps(answer).encode()

    return rob


async def test_what_never_came_is_noticed_and_only_its_range_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (digests, sync_client):  # the objects, not their names: the tests of pages load ui/ anew
        monkeypatch.setattr(module, "RANGE_CHANGES", 10)
    async with running_hub(tmp_path) as hub, running_device(hub) as one, running_device(hub) as two:
        two.network.tamper = without_charts({"17", "31"})
        await two.until(lambda: two.client.link is HubLink.CONNECTED)
        for number in range(40):
            await one.register(f"{number}")
        await two.until(lambda: two.database.cursor == 40)
        assert len(two.charts()) == 38

        two.network.tamper = None
        two.network.after = []
        two.client.wake()
        await two.until(lambda: len(two.charts()) == 40)

        assert [after for after in two.network.after if after < 40] == [10, 30]
        two.network.after = []
        two.client.wake()
        await one.register("last")
        await two.until(lambda: two.database.cursor == 41)
        assert [after for after in two.network.after if after < 40] == []


async def test_one_that_went_through_a_snapshot_agrees_with_the_hub(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, running_device(hub) as one:
        await one.register("057164")
        await one.until(lambda: not one.database.unsent)
        hub.snapshots.far_behind = 0
        async with running_device(hub) as two:
            two.client.snapshot.far_behind = 0
            await two.until(lambda: two.charts() == ["057164"])
            await two.register("058001")
            await two.until(lambda: not two.database.unsent)
            await one.until(lambda: len(one.charts()) == 2)

            for device in (one, two):
                own = device.database.device_id
                assert device.database.digests.total(own) == hub.database.digests.total(own)


async def test_an_older_copy_of_a_device_that_reads_all_again_agrees_with_the_hub(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, running_device(hub) as other:
        async with running_device(hub) as one:
            await one.register("057164")
            await other.register("058001")
            await one.until(lambda: len(one.charts()) == 2 and not one.database.unsent)
            kept = one.storage.copy()
            await one.register("057165")
            await one.until(lambda: not one.database.unsent)

        async with running_device(hub, kept) as one:
            await one.until(lambda: len(one.charts()) == 3 and not one.database.wants_own)
            await other.register("058002")
            await one.until(lambda: len(one.charts()) == 4)

            own = one.database.device_id
            assert one.database.digests.total(own) == hub.database.digests.total(own)
