"""本機資料, the search below the search, and the roster as a session: as staff see them, against a real hub."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from nicegui import ui
from nicegui.testing import User, user_simulation

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.roster_plan import record_id_of_chart
from store.scope import Scope
from store.storage import MemoryFolder
from tests.store.test_checkpoint import no_rest, patient
from tests.store.test_rebuild import dose
from tests.sync.running_hub import WORLD, RunningHub, running_hub
from tests.ui.test_scope import SESSION, pid, session
from tests.ui.test_storage_watch import GB, Browser
from tests.ui.test_sync_client import HttpNetwork
from ui import boot, wording
from ui.state import AppState
from ui.sync_client import HubLink


class Desk:
    def __init__(self, hub: RunningHub, network: HttpNetwork, state: AppState, browser: Browser, user: User) -> None:
        self.hub, self.network, self.state, self.browser, self.user = hub, network, state, browser, user

    async def until(self, condition: Callable[[], object]) -> None:
        changed = asyncio.Event()
        self.state.changed.subscribe(changed.set)
        async with asyncio.timeout(10):
            while not condition():
                changed.clear()
                await changed.wait()

    async def hub_finds(self) -> list[str]:
        """The chart numbers below the search, once the hub has answered."""
        await self.user.should_see(wording.SEARCH_HUB_FOUND, retries=100)
        return [row["chart_number"] for row in self.element("hub-patients").rows]

    def element(self, mark: str) -> Any:
        return next(iter(self.user.find(marker=mark).elements))

    def charts(self) -> set[int]:
        return {int(d["chart_number"]) for d in self.state.database.tables.patients.documents()}

    async def choose(self, *session_ids: str) -> None:
        await self.state.sync.choose_scope(Scope(session_ids=session_ids))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_hub(tmp_path) as hub, aiohttp.ClientSession() as http:
        hub.database.rest = no_rest
        other = await DeviceDatabase.open(MemoryFolder(), WORLD)
        for number in range(30):
            await other.commit([patient(number), dose(number)], made_by="nurse")
        await other.commit([session(range(10))], made_by="nurse")
        await hub.database.accept(list(other.unsent))
        network = HttpNetwork(f"http://{hub.host}", http)
        database = await DeviceDatabase.open(MemoryFolder(), WORLD)
        database.rest = no_rest
        browser = Browser(2 * GB, 10 * GB)
        state = AppState(database, WORLD, network, browser)
        async with user_simulation(root=None) as user:
            boot.define_pages()
            boot.run(state)
            desk = Desk(hub, network, state, browser, user)
            await desk.until(lambda: state.sync.link is HubLink.CONNECTED and len(desk.charts()) == 30)
            yield desk
            boot._running.clear()
            for task in list(boot._tasks):
                task.cancel()
            await asyncio.gather(*boot._tasks, return_exceptions=True)
            await network.close()


async def test_choosing_a_session_asks_first_and_says_what_stays(desk: Desk) -> None:
    user = desk.user
    await user.open("/device")
    await user.should_see("全部患者（30 人）")
    desk.element("scope-which").set_value("chosen")
    sessions = desk.element("sessions")
    assert [(row["day"], row["name"], row["people"]) for row in sessions.rows] == [("115/11/25", "復興國小", 10)]
    user.find(marker="sessions").trigger("rowClick", [{}, sessions.rows[0], 0])
    user.find(marker="apply").click()
    await user.should_see("其他 20 人的資料會從這台裝置移除")
    await user.should_see("尚未同步的資料（0 筆）一律保留")
    assert len(desk.charts()) == 30

    user.find(marker="confirm").click()

    await user.should_see(wording.SCOPE_DONE)
    assert desk.charts() == set(range(10))
    await user.should_see("只存 1 場次 10 人")


async def test_choosing_nothing_is_not_taken_for_nobody(desk: Desk) -> None:
    await desk.user.open("/device")
    desk.element("scope-which").set_value("chosen")
    desk.user.find(marker="apply").click()

    await desk.user.should_see(wording.CHOOSE_A_SESSION)
    assert desk.state.database.reach.scope is None


async def test_without_the_hub_the_choice_fails_in_words_and_changes_nothing(desk: Desk) -> None:
    await desk.choose(SESSION)
    desk.network.cut = True
    await desk.user.open("/device")
    desk.element("scope-which").set_value("everyone")
    desk.user.find(marker="apply").click()
    await desk.user.should_see(wording.CONFIRM_EVERYONE)
    desk.user.find(marker="confirm").click()

    await desk.user.should_see(wording.SCOPE_UNREACHABLE)
    assert desk.charts() == set(range(10))


async def test_the_search_shows_whom_the_hub_finds_apart_and_opens_after_fetching(desk: Desk) -> None:
    await desk.choose(SESSION)
    await desk.user.open("/BA102_3")
    desk.element("patient-search").set_value("病患2")

    here = desk.element("patients")
    assert [row["chart_number"] for row in here.rows] == ["000002"]  # at once
    assert await desk.hub_finds() == [f"{n:06d}" for n in range(20, 30)]

    desk.element("patient-search").set_value("病患25")
    assert await desk.hub_finds() == ["000025"]
    desk.user.find(marker="patient-search").trigger("keydown.enter")

    await desk.user.should_see("病患25")
    await desk.user.should_see("MMR-1")
    assert desk.charts() == {*range(10), 25}


async def test_an_answer_to_what_was_typed_before_is_dropped(desk: Desk) -> None:
    await desk.choose(SESSION)
    await desk.user.open("/BA102_3")
    asked, held_up, first = list[str](), asyncio.Event(), asyncio.Event()
    search = desk.state.sync.people.search

    async def slow_at_first(typed: str) -> Any:
        asked.append(typed)
        if len(asked) == 1:
            held_up.set()
            await first.wait()
        return await search(typed)

    desk.state.sync.people.search = slow_at_first  # type: ignore[method-assign]  # a line that holds one answer up
    desk.element("patient-search").set_value("病患21")
    await held_up.wait()
    desk.element("patient-search").set_value("病患22")
    assert await desk.hub_finds() == ["000022"]
    first.set()
    for _ in range(3):
        assert await search("病患21")  # round trips later than the answer that was held up

    assert asked == ["病患21", "病患22"]
    assert await desk.hub_finds() == ["000022"]


async def test_offline_the_search_says_that_it_looks_here_only(desk: Desk) -> None:
    await desk.choose(SESSION)
    desk.network.cut = True
    desk.state.sync.wake()
    await desk.until(lambda: desk.state.sync.link is HubLink.NO_NETWORK)
    await desk.user.open("/")
    desk.element("patient-search").set_value("病患25")

    await desk.user.should_see(wording.SEARCH_HERE_ONLY)
    await desk.user.should_see(wording.SEARCH_NOBODY_HERE)


async def test_a_device_that_holds_everyone_does_not_ask_the_hub(desk: Desk) -> None:
    await desk.user.open("/")
    desk.element("patient-search").set_value("不存在")

    await desk.user.should_see(wording.SEARCH_NOBODY)
    await desk.user.should_not_see(wording.SEARCH_HUB_ASKING)


async def test_storage_is_shown_and_the_bar_warns_when_it_runs_out(desk: Desk) -> None:
    await desk.user.open("/device")
    await desk.user.should_see("已使用 2.0 GB，瀏覽器允許 10.0 GB（20%）")
    await desk.user.should_see(wording.STORAGE_NOT_KEPT)
    await desk.user.should_not_see(marker="storage-short")

    desk.browser.used = 9 * GB
    await desk.state.storage.measure()

    await desk.user.should_see("儲存空間剩 1.0 GB")
    await desk.user.should_see(marker="storage-short")


async def test_the_button_asks_the_browser_to_keep_the_data(desk: Desk) -> None:
    await desk.user.open("/device")
    desk.browser.keeps = True
    desk.user.find(marker="ask-to-keep").click()

    await desk.user.should_see(wording.KEPT_NOW)
    await desk.user.should_see(wording.STORAGE_KEPT)


ROSTER = "病歷號碼,姓名,身分證,出生日期\n000001,病患1,,074/11/08\nS1,新的人,,080/01/01\n".encode()


async def import_roster(desk: Desk, name: str, day: str, roster: bytes = ROSTER) -> None:
    await desk.user.open("/roster")
    upload = next(iter(desk.user.find(ui.upload).elements))
    await upload.handle_uploads([ui.upload.SmallFileUpload("roster.csv", "text/csv", roster)])
    await desk.user.should_see(marker="session-name")
    desk.element("session-name").set_value(name)
    desk.element("session-date").set_value(day)
    desk.user.find(marker="import").click()


async def test_a_roster_with_a_name_and_a_day_becomes_a_session_of_new_and_known(desk: Desk) -> None:
    await import_roster(desk, "仁愛國小", "1151201")

    await desk.user.should_see("場次「仁愛國小」115/12/01：名單共 2 人。")
    [made] = desk.state.database.tables.sessions.find_by("session_date", "2026-12-01")
    new = desk.state.database.tables.patients.find_by("chart_number", "S1")[0]["record_id"]
    assert made["patient_ids"] == [pid(1), new]


async def test_a_roster_without_a_name_is_no_session(desk: Desk) -> None:
    await import_roster(desk, "", "1151201")

    await desk.user.should_see("匯入完成。")
    assert len(desk.state.database.tables.sessions) == 1


async def test_a_day_nobody_can_read_stops_the_import_at_its_field(desk: Desk) -> None:
    await import_roster(desk, "仁愛國小", "1150230")

    await desk.user.should_see("場次日期：沒有這一天")
    assert len(desk.charts()) == 30


async def test_on_a_device_with_chosen_sessions_every_roster_is_a_session(desk: Desk) -> None:
    await desk.choose(SESSION)
    await import_roster(desk, "", "1151201")

    await desk.user.should_see("場次「名冊匯入」115/12/01：名單共 2 人。")
    await desk.until(lambda: not desk.state.database.unsent and not desk.state.database.reach.wanted)
    scope = desk.state.database.reach.scope
    assert scope is not None
    assert (len(scope.session_ids), scope.patient_ids) == (2, ())


async def test_on_a_device_with_chosen_sessions_a_roster_does_not_register_anew_whom_the_hub_knows(
    desk: Desk,
) -> None:
    payload = {"chart_number": "S1", "name": "新的人", "birth_date": "1991-01-01", "address": "護理師補的地址"}
    mended = ChangeDraft(ChangeKind.REGISTER_PATIENT, record_id_of_chart("S1"), payload)
    await desk.hub.database.commit([mended], made_by="nurse")
    await desk.choose(SESSION)
    await import_roster(desk, "仁愛國小", "1151201")

    await desk.user.should_see("匯入完成。")
    await desk.until(lambda: not desk.state.database.unsent)
    person = desk.hub.database.tables.patients.at(mended.record_id)
    assert (person["conflict"], len(person["revisions"]), person["address"]) == ([], 1, "護理師補的地址")


async def test_a_row_that_is_refused_puts_nobody_on_the_list(desk: Desk) -> None:
    await import_roster(desk, "仁愛國小", "1151201", ROSTER + "000002,別的人,,070/01/01\n".encode())

    await desk.user.should_see("不能匯入的 1 列")
    await desk.user.should_see("場次「仁愛國小」115/12/01：名單共 2 人。")
