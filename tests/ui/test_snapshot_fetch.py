"""A device far behind takes the hub's tables as a snapshot, from a real hub, over a line that fails in every way."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from store.device_database import DeviceDatabase
from store.errors import StorageFailed, StorageFull
from store.storage import MemoryFolder
from tests.store.test_checkpoint import Disk, fill, no_rest, patient
from tests.store.test_rebuild import dose
from tests.store.test_snapshot_pages import derived
from tests.sync.running_hub import WORLD, RunningHub, running_hub
from tests.ui.test_sync_client import HttpNetwork, running_device
from ui.snapshot_fetch import PART, SnapshotFetch
from ui.sync_client import HubLink, NetworkFailed, SyncClient


@pytest.fixture(autouse=True)
def _with_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.hub_database.BARE_RECORDS", 0)


Fault = Callable[[int, bytes], tuple[int, bytes]]


class Line(HttpNetwork):
    """A line whose pages a test can lose, cut or answer otherwise: `faults[n]` has the n-th page that is asked for."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        super().__init__(url, session)
        self.asked: list[str] = []
        self.faults: dict[int, Fault] = {}

    @property
    def pages_asked(self) -> list[int]:
        return [int(path.rsplit("/", 1)[1]) for path in self.asked if path.count("/") > 3]

    @property
    def exchanges(self) -> int:
        return self.asked.count("/api/sync")

    async def fetch(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        status, answered, content = await super().fetch(method, path, body, headers)
        if path.count("/") > 3 and (fault := self.faults.pop(len(self.pages_asked), None)):
            status, content = fault(status, content)
        return status, answered, content


def lose(_: int, __: bytes) -> tuple[int, bytes]:
    raise NetworkFailed("lost")


def cut(status: int, page: bytes) -> tuple[int, bytes]:
    return status, page[:-1]


def flip(status: int, page: bytes) -> tuple[int, bytes]:
    return status, bytes([page[0] ^ 1]) + page[1:]


def refuse(_: int, __: bytes) -> tuple[int, bytes]:
    return 503, b"{}"


class Stand:
    """One hub, one line, and a device that is started as often as a test likes."""

    def __init__(self, hub: RunningHub, line: Line) -> None:
        self.hub, self.line = hub, line
        hub.snapshots.far_behind, hub.snapshots.page_bytes = 20, 4096
        self.seen: list[int | None] = []
        self.database: DeviceDatabase
        self.fetch: SnapshotFetch

    async def start(self, folder: MemoryFolder) -> None:
        self.database = await DeviceDatabase.open(folder, WORLD)
        self.database.rest = no_rest
        self.fetch = SnapshotFetch(self.database, self.line, lambda: self.seen.append(self.fetch.percent))
        self.fetch.far_behind = 20

    async def record_elsewhere(self, numbers: range) -> None:
        other = await DeviceDatabase.open(MemoryFolder(), WORLD)
        for number in numbers:
            await other.commit([patient(number), dose(number)], made_by="nurse")
        await self.hub.database.accept(list(other.unsent))

    async def sync(self) -> None:
        """The usual exchange, to its end."""
        while (await self.hub.sync(self.database)).upto < self.hub.database.head or self.database.unsent:
            pass


@asynccontextmanager
async def stand(folder: Path) -> AsyncIterator[Stand]:
    async with running_hub(folder) as hub, aiohttp.ClientSession() as session:
        hub.database.rest = no_rest
        standing = Stand(hub, Line(f"http://{hub.host}", session))
        await standing.record_elsewhere(range(60))
        await standing.start(MemoryFolder())
        yield standing


def nothing_beside(database: DeviceDatabase) -> bool:
    folder: Any = database.folder
    return PART not in folder.files


async def test_a_fresh_device_ends_with_exactly_the_tables_of_the_hub(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.fetch.run(0)

        assert derived(s.database) == derived(s.hub.database)
        assert s.database.cursor == s.hub.database.head
        assert nothing_beside(s.database)
        assert s.line.pages_asked == list(range(len(s.line.pages_asked)))
        assert len(s.line.pages_asked) > 5


async def test_its_own_unsent_changes_are_kept_and_then_synced(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await fill(s.database, range(700, 705))

        await s.fetch.run(0)

        assert len(s.database.unsent) == 5
        assert len(s.database.tables.patients) == 65
        await s.sync()
        assert derived(s.database) == derived(s.hub.database)
        assert len(s.hub.database.tables.patients) == 65


async def test_how_far_it_is_can_be_told(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.fetch.run(0)

        told = [percent for percent in s.seen if percent is not None]
        assert told == sorted(told)
        assert (told[0], told[-1], s.seen[-1]) == (0, 100, None)
        assert len(told) > 5


async def test_after_a_lost_page_only_the_rest_is_fetched(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.line.faults[4] = lose
        before = derived(s.database)
        with pytest.raises(NetworkFailed):
            await s.fetch.run(0)
        assert derived(s.database) == before

        assert await s.fetch.is_due(0)
        await s.fetch.run(0)

        last = max(s.line.pages_asked)
        assert s.line.pages_asked == [0, 1, 2, 3, *range(3, last + 1)]
        assert derived(s.database) == derived(s.hub.database)


async def test_after_a_restart_of_the_browser_only_the_rest_is_fetched(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.line.faults[4] = lose
        with pytest.raises(NetworkFailed):
            await s.fetch.run(0)
        s.line.asked.clear()

        folder: Any = s.database.folder
        await s.start(folder.copy())
        assert await s.fetch.is_due(0)
        await s.fetch.run(0)

        assert s.line.pages_asked[0] == 3
        assert derived(s.database) == derived(s.hub.database)


@pytest.mark.parametrize("fault", [cut, flip])
async def test_a_bad_page_is_fetched_again(tmp_path: Path, fault: Fault) -> None:
    async with stand(tmp_path) as s:
        s.line.faults[3] = fault

        await s.fetch.run(0)

        assert s.line.pages_asked[:4] == [0, 1, 2, 2]
        assert derived(s.database) == derived(s.hub.database)


@pytest.mark.parametrize("fault", [cut, flip, refuse])
async def test_a_page_that_stays_bad_leaves_the_device_as_it_was_and_the_usual_way_open(
    tmp_path: Path, fault: Fault
) -> None:
    async with stand(tmp_path) as s:
        s.line.faults = dict.fromkeys(range(3, 100), fault)
        await fill(s.database, range(700, 705))
        before = derived(s.database)

        await s.fetch.run(0)

        assert derived(s.database) == before
        assert nothing_beside(s.database)
        assert not await s.fetch.is_due(0)
        await s.sync()
        assert derived(s.database)["tables"] == derived(s.hub.database)["tables"]


async def test_what_lies_beside_and_was_damaged_is_fetched_anew(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.line.faults[6] = lose
        with pytest.raises(NetworkFailed):
            await s.fetch.run(0)
        folder: Any = s.database.folder
        folder.files[PART][9000] ^= 1
        s.line.asked.clear()

        await s.fetch.run(0)

        assert s.line.pages_asked[0] == 0
        assert derived(s.database) == derived(s.hub.database)


async def test_a_hub_that_moves_on_meanwhile_gives_the_rest_by_the_usual_exchange(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.line.faults[4] = lose
        with pytest.raises(NetworkFailed):
            await s.fetch.run(0)
        await s.record_elsewhere(range(100, 105))

        await s.fetch.run(0)

        assert s.line.pages_asked[:5] == [0, 1, 2, 3, 3]
        assert s.database.cursor == s.hub.database.head - 10
        await s.sync()
        assert derived(s.database) == derived(s.hub.database)


async def test_a_hub_that_moved_far_on_gives_a_newer_snapshot(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.line.faults[4] = lose
        with pytest.raises(NetworkFailed):
            await s.fetch.run(0)
        await s.record_elsewhere(range(100, 150))
        s.line.asked.clear()

        await s.fetch.run(0)

        assert s.line.pages_asked[0] == 0
        assert s.database.cursor == s.hub.database.head
        assert derived(s.database) == derived(s.hub.database)


async def test_after_a_restart_of_the_hub_a_device_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = MemoryFolder()
    async with stand(tmp_path) as s:
        s.line.faults[4] = lose
        with pytest.raises(NetworkFailed):
            await s.fetch.run(0)
        beside: Any = s.database.folder
        folder = beside.copy()

    async with running_hub(tmp_path) as hub, aiohttp.ClientSession() as session:
        s = Stand(hub, Line(f"http://{hub.host}", session))
        await s.start(folder)
        await s.fetch.run(0)

        assert s.line.pages_asked[0] == 3
        assert derived(s.database) == derived(hub.database)


async def test_a_devices_own_change_that_the_hub_got_after_the_snapshot_is_not_missing(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.fetch.run(0)  # the hub has a snapshot now
        await s.start(MemoryFolder())
        await fill(s.database, range(700, 703))
        await s.hub.sync(s.database)  # acknowledged, so it is not the device's to keep
        assert not s.database.unsent
        await s.record_elsewhere(range(900, 906))
        s.database.cursor = 0  # far behind
        s.hub.snapshots.far_behind = 50

        await s.fetch.run(s.hub.database.head)
        await s.sync()

        assert derived(s.database) == derived(s.hub.database)


async def test_a_device_that_lacks_little_takes_the_usual_way(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.hub.snapshots.far_behind = 1000

        await s.fetch.run(0)

        assert s.line.asked == ["/api/snapshot"]
        assert s.database.cursor == 0
        assert not await s.fetch.is_due(10)
        assert not await s.fetch.is_due(0)


async def test_a_hub_of_another_schema_is_left_to_the_usual_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand(tmp_path) as s:
        monkeypatch.setattr("sync.snapshot.SCHEMA_VERSION", 99)

        await s.fetch.run(0)

        assert s.database.cursor == 0
        assert s.line.pages_asked == []


async def test_what_a_crash_left_beside_goes_at_the_next_start(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.fetch.run(0)
        folder: Any = s.database.folder
        file = await folder.open(PART)
        await file.append(b"left over")

        await s.start(folder.copy())
        assert await s.fetch.is_due(0)
        await s.fetch.run(0)

        assert nothing_beside(s.database)
        assert not await s.fetch.is_due(s.hub.database.head)


@pytest.mark.parametrize("torn", [0.0, 0.5])
async def test_power_that_goes_at_any_step_of_fetching_costs_nothing(tmp_path: Path, torn: float) -> None:
    async with stand(tmp_path) as s:
        s.hub.snapshots.page_bytes = 40000
        folder = MemoryFolder()
        await s.start(folder)
        await fill(s.database, range(700, 704))
        unsent = [change.change_id for change in s.database.unsent]
        files = {name: bytes(data) for name, data in folder.files.items()}
        steps = 0
        while True:
            disk = Disk(files, steps=steps, torn=torn)
            failed = False
            try:
                await s.start(disk)
                await s.fetch.run(0)
            except StorageFailed:
                failed = True

            await s.start(disk.copy())
            assert [change.change_id for change in s.database.unsent] == unsent, f"after {steps} steps"
            if await s.fetch.is_due(0):
                await s.fetch.run(0)
            assert len(s.database.tables.patients) == 64, f"after {steps} steps"
            assert [change.change_id for change in s.database.unsent] == unsent
            assert nothing_beside(s.database)
            if not failed:
                break
            steps += 1
        assert steps > 8


async def test_a_device_without_room_for_a_snapshot_takes_the_usual_way(tmp_path: Path) -> None:
    class Small(MemoryFolder):
        async def append(self, name: str, data: bytes) -> None:
            if name == PART and len(self.files[name]) > 9000:
                raise StorageFull("full")
            await super().append(name, data)

    async with stand(tmp_path) as s:
        await s.start(Small())

        await s.fetch.run(0)

        assert s.database.cursor == 0
        assert nothing_beside(s.database)


async def test_the_sync_of_a_fresh_device_begins_with_a_snapshot(tmp_path: Path) -> None:
    async with stand(tmp_path) as s, running_device(s.hub) as device:
        await device.until(lambda: device.client.link is HubLink.CONNECTED)

        assert device.database.cursor == s.hub.database.head
        assert derived(device.database) == derived(s.hub.database)


async def test_a_device_that_was_away_for_long_takes_a_snapshot_and_the_rest(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        client = SyncClient(s.database, s.line, WORLD, lambda: None)
        client.snapshot.far_behind = 20
        assert await client._try_to_sync()
        await fill(s.database, range(700, 703))
        await s.record_elsewhere(range(100, 400))
        s.line.asked.clear()

        assert await client._try_to_sync()

        assert s.line.pages_asked
        assert s.line.exchanges < 4
        assert derived(s.database) == derived(s.hub.database)
        assert not s.database.unsent


async def test_a_device_that_knows_another_hub_leaves_it_to_the_exchange_to_tell(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.database.hub_generation = "e" * 32

        await s.fetch.run(0)

        assert s.line.pages_asked == []
        assert s.database.cursor == 0


async def test_an_older_copy_of_a_device_reads_what_it_made_later_by_the_exchange(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await fill(s.database, range(700, 703))
        folder: Any = s.database.folder
        older = folder.copy()
        await s.sync()
        await fill(s.database, range(703, 706))
        await s.sync()

        await s.start(older)
        await s.hub.sync(s.database)
        assert s.database.wants_own
        assert not await s.fetch.is_due(s.hub.database.head)
        await s.sync()

        assert derived(s.database)["tables"] == derived(s.hub.database)["tables"]
        [change] = await s.database.commit([patient(800)], made_by="nurse")
        assert change.device_seq == 7
