"""A device that chooses sessions, against a real hub: what it drops, keeps, gets, and how it comes back to everyone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.errors import StorageFull
from store.protocol import SnapshotAnswer, SyncAnswer
from store.scope import Scope
from store.storage import MemoryFolder
from tests.store.test_checkpoint import no_rest, patient
from tests.store.test_rebuild import dose
from tests.store.test_snapshot_pages import derived
from tests.sync.running_hub import WORLD, RunningHub, running_hub
from tests.ui.test_snapshot_fetch import Line
from ui.network import NetworkFailed
from ui.snapshot_fetch import PART, ScopeRefused
from ui.sync_client import SyncClient

SESSION = "5" * 32


def pid(number: int) -> str:
    return f"{number:032x}"


def session(people: range, base: str = "", record_id: str = SESSION, day: str = "2026-11-25") -> ChangeDraft:
    payload = {"session_name": "復興國小", "session_date": day, "patient_ids": [pid(number) for number in people]}
    kind = ChangeKind.CORRECT_SESSION if base else ChangeKind.REGISTER_SESSION
    return ChangeDraft(kind, record_id, payload, (base,) if base else ())


class Stand:
    """A hub with 30 persons of whom ten are a session, a tablet, and another device."""

    def __init__(self, hub: RunningHub, line: Line) -> None:
        self.hub, self.line = hub, line
        self.other: DeviceDatabase
        self.database: DeviceDatabase
        self.client: SyncClient

    async def start(self, folder: MemoryFolder) -> None:
        self.database = await DeviceDatabase.open(folder, WORLD)
        self.database.rest = no_rest
        self.client = SyncClient(self.database, self.line, WORLD, lambda: None)

    async def elsewhere(self, *drafts: ChangeDraft) -> None:
        await self.other.commit(list(drafts), made_by="nurse")
        while (await self.hub.sync(self.other)).upto < self.hub.database.head or self.other.unsent:
            pass

    async def sync(self) -> None:
        assert await self.client._try_to_sync(), self.client.link_detail

    async def choose(self, *session_ids: str) -> None:
        await self.client.choose_scope(Scope(session_ids=session_ids))

    def charts(self) -> set[int]:
        return {int(d["chart_number"]) for d in self.database.tables.patients.documents()}

    def doses_of(self, number: int) -> int:
        return len(self.database.tables.vaccinations.find_by("patient_id", pid(number)))


@asynccontextmanager
async def stand(folder: Path) -> AsyncIterator[Stand]:
    async with running_hub(folder) as hub, aiohttp.ClientSession() as http:
        hub.database.rest = no_rest
        hub.snapshots.page_bytes = 4096
        s = Stand(hub, Line(f"http://{hub.host}", http))
        s.other = await DeviceDatabase.open(MemoryFolder(), WORLD)
        for number in range(30):
            await s.other.commit([patient(number), dose(number)], made_by="nurse")
        await s.elsewhere(session(range(10)))
        await s.start(MemoryFolder())
        await s.sync()
        assert s.charts() == set(range(30))
        yield s


async def test_choosing_a_session_drops_the_others_and_keeps_what_is_unsent(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        another_dose = ChangeDraft(ChangeKind.RECORD_VACCINATION, "d" * 32, {**dose(20).payload, "dose_number": "2"})
        await s.database.commit([patient(77), another_dose], made_by="nurse")

        await s.choose(SESSION)

        assert s.charts() == {*range(10), 77}
        assert len(s.database.unsent) == 2
        await s.sync()
        # Whom the tablet had unsent work for came back whole.
        assert s.charts() == {*range(10), 20, 77}
        assert s.doses_of(20) == 2
        assert not s.database.unsent
        assert len(s.hub.database.tables.vaccinations) == 31


async def test_what_was_dropped_lies_in_no_file_of_the_device(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        folder: Any = s.database.folder
        await s.database.checkpoint()
        assert any("病患20".encode() in bytes(data) for data in folder.files.values())

        await s.choose(SESSION)

        assert not any("病患20".encode() in bytes(data) for data in folder.files.values())
        assert any("病患5".encode() in bytes(data) for data in folder.files.values())


async def test_a_scoped_device_is_brought_its_own_people_only(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.choose(SESSION)
        second = [ChangeDraft(ChangeKind.RECORD_VACCINATION, f"{n}" * 32, dose(n).payload) for n in (3, 4)]
        foreign = ChangeDraft(ChangeKind.RECORD_VACCINATION, "a" * 32, dose(25).payload)
        await s.elsewhere(*second, foreign, patient(500))

        brought: list[int] = []
        s.line.tamper = lambda body: (brought.append(len(SyncAnswer.model_validate_json(body).changes)), body)[1]
        await s.sync()

        assert sum(brought) == 2
        assert (s.doses_of(3), s.doses_of(4), s.doses_of(25)) == (2, 2, 0)
        assert s.database.cursor == s.hub.database.head
        assert 500 not in s.charts()


async def test_who_joins_the_session_on_another_device_comes_with_all_doses(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.choose(SESSION)
        before = s.other.tables.sessions.at(SESSION)["revision"]
        await s.elsewhere(session(range(12), base=before))

        await s.sync()

        assert s.charts() == set(range(12))
        assert s.doses_of(11) == 1


async def test_a_session_planned_later_for_a_chosen_day_comes_by_itself(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.client.choose_scope(Scope(days=(WORLD.now().date().replace(2026, 12, 1),)))
        assert s.charts() == set()
        await s.elsewhere(session(range(20, 23), record_id="6" * 32, day="2026-12-01"))

        await s.sync()

        assert s.charts() == {20, 21, 22}


async def test_after_a_restart_the_scope_is_what_it_was(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.choose(SESSION)
        await s.client.people.fetch([pid(25)])
        folder: Any = s.database.folder

        await s.start(folder.copy())

        assert s.database.reach.scope == Scope(session_ids=(SESSION,), patient_ids=(pid(25),))
        assert s.charts() == {*range(10), 25}


async def test_back_to_everyone_it_has_exactly_the_tables_of_the_hub(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.choose(SESSION)
        await s.database.commit([patient(88)], made_by="nurse")
        await s.sync()

        await s.client.choose_scope(None)
        await s.sync()

        assert s.database.reach.scope is None
        assert derived(s.database) == derived(s.hub.database)
        assert not s.client._mended


async def test_a_found_person_is_fetched_with_all_doses_and_stays_in_step(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.choose(SESSION)
        found = await s.client.people.search("病患25")
        assert found is not None
        assert [person.record_id for person in found] == [pid(25)]

        assert await s.client.people.fetch([pid(25)])
        await s.elsewhere(ChangeDraft(ChangeKind.RECORD_VACCINATION, "a" * 32, dose(25).payload))
        await s.sync()

        assert s.doses_of(25) == 2


async def test_without_the_hub_nothing_is_chosen_found_or_fetched(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.line.cut = True

        with pytest.raises(NetworkFailed):
            await s.choose(SESSION)

        assert s.charts() == set(range(30))
        assert s.database.reach.scope is None
        assert await s.client.people.search("病患") is None
        assert not await s.client.people.fetch([pid(1)])


async def test_a_connection_lost_while_fetching_leaves_the_device_as_it_was_and_is_taken_up_again(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as s:
        s.line.faults = {3: lose_the_line}
        with pytest.raises(NetworkFailed):
            await s.choose(SESSION)
        assert s.charts() == set(range(30))
        assert s.database.reach.scope is None

        await s.choose(SESSION)

        assert s.line.pages_asked[:4] == [0, 1, 2, 2]
        assert s.charts() == set(range(10))


async def test_a_hub_of_before_there_were_scopes_refuses_nothing_and_drops_nothing(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:

        async def no_offer(*_: object) -> SnapshotAnswer:
            return SnapshotAnswer()

        s.hub.snapshots.answer = no_offer  # type: ignore[method-assign]  # what such a hub says to one so near
        with pytest.raises(ScopeRefused):
            await s.choose(SESSION)

        assert s.charts() == set(range(30))
        await s.sync()


async def test_a_merge_elsewhere_brings_the_other_chart(tmp_path: Path) -> None:
    from store.decisions import draft_merge

    async with stand(tmp_path) as s:
        await s.choose(SESSION)
        await s.elsewhere(draft_merge(pid(20), pid(3)))

        await s.sync()

        assert s.charts() == {*range(10), 20}
        assert len(s.database.tables.vaccinations.find_by("person_id", pid(3))) == 2


async def test_a_session_recorded_here_is_in_scope(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.choose(SESSION)
        await s.database.commit([session(range(28, 30), record_id="6" * 32)], made_by="nurse")
        await s.sync()

        assert s.charts() == {*range(10), 28, 29}
        assert s.doses_of(29) == 1


async def test_nothing_is_exchanged_between_asking_for_a_person_and_taking_the_answer(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.choose(SESSION)
        fetch, asked, go_on = s.line.fetch, asyncio.Event(), asyncio.Event()

        async def held_up(method: str, path: str, *rest: Any) -> Any:
            answer = await fetch(method, path, *rest)
            if path == "/api/people":
                asked.set()
                await go_on.wait()
            return answer

        s.line.fetch = held_up  # type: ignore[method-assign]  # a line that keeps an answer for a while
        fetching = asyncio.create_task(s.client.people.fetch([pid(3)]))
        await asked.wait()
        await s.elsewhere(ChangeDraft(ChangeKind.RECORD_VACCINATION, "a" * 32, dose(3).payload))
        exchanges = s.line.exchanges
        syncing = asyncio.create_task(s.sync())
        await s.hub.get("/api/health")  # a round trip in which an exchange would have begun
        assert s.line.exchanges == exchanges

        go_on.set()
        await asyncio.gather(fetching, syncing)

        assert s.doses_of(3) == 2


async def test_a_choice_without_room_for_it_changes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    class Small(MemoryFolder):
        async def append(self, name: str, data: bytes) -> None:
            if name == PART and len(self.files[name]) > 5000:
                raise StorageFull("full")
            await super().append(name, data)

    async with stand(tmp_path) as s:
        folder: Any = s.database.folder
        await s.start(Small({name: bytes(data) for name, data in folder.files.items()}))

        with pytest.raises(StorageFull):
            await s.choose(SESSION)

        assert s.charts() == set(range(30))
        assert PART not in await s.database.folder.names()


def lose_the_line(_: int, __: bytes) -> tuple[int, bytes]:
    raise NetworkFailed("lost")
