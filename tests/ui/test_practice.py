"""練習模式 as staff see it, and the hub of practice mode."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nicegui.testing import User, user_simulation

from store.conflicts import count_open_conflicts
from store.device_database import DeviceDatabase
from store.history import HistoryReceived
from store.prenatal import ExamState
from store.protocol import ExamsAnswer, HistoryAnswer, HistoryOutcome, HistoryRequest, StockAnswer
from store.roster_plan import record_id_of_chart
from store.stock import draft_consumption, stock_rows
from store.storage import MemoryFolder
from store.uploads import UploadState
from tests.test_dependency_direction import imported_names
from tests.ui.test_storage_watch import Browser
from tests.worlds import Clock, make_world
from ui import boot, wording
from ui.network import NetworkFailed
from ui.practice_hub import PracticeHub
from ui.state import AppState
from ui.sync_client import HubLink

ROOT = Path(__file__).parents[2]


class Practice:
    """A device in practice mode, on a clock that the test moves."""

    def __init__(self, clock: Clock, folder: MemoryFolder, database: DeviceDatabase, hub: PracticeHub) -> None:
        self.clock, self.folder, self.hub = clock, folder, hub
        self.browser = Browser()
        self.state = AppState(database, make_world(clock), hub, self.browser, is_practice=True)
        self.tables = database.tables

    def count(self, state: UploadState) -> int:
        return self.tables.vaccinations.count_by("upload_state", state)

    async def ask(self, path: str, body: bytes = b"{}") -> bytes:
        status, _, content = await self.hub.fetch("POST", path, body, {})
        assert status == 200
        return content


@pytest.fixture
async def practice() -> Practice:
    clock, folder = Clock(), MemoryFolder()
    world = make_world(clock)
    database = await DeviceDatabase.open(folder, world)
    return Practice(clock, folder, database, await PracticeHub.begin(database, world))


@pytest.fixture
async def practising(practice: Practice) -> AsyncIterator[User]:
    async with user_simulation(root=None) as user:
        boot.define_pages()
        boot.run(practice.state)
        yield user


# ---- no way out


def test_the_hub_of_practice_knows_of_no_network() -> None:
    """All that could reach one: the browser, what speaks HTTP, and whatever imports them by another name."""
    names = imported_names(ROOT / "ui" / "practice_hub.py", ROOT)

    assert {name for name in names if name.startswith("ui")} == {"ui.network.NetworkFailed"}
    assert {name.split(".")[0] for name in names} <= {
        "asyncio", "contextlib", "logging", "collections", "datetime", "typing", "pydantic", "store", "ui",
    }  # fmt: skip


async def test_what_practice_has_no_answer_to_fails_as_without_a_hub(practice: Practice) -> None:
    with pytest.raises(NetworkFailed):
        await practice.hub.fetch("POST", "/api/people", b"{}", {})


def test_nobody_who_does_not_practise_loads_what_practice_needs() -> None:
    code = (
        "import sys\nfrom ui import boot\nboot.define_pages()\n"
        "print([name for name in sys.modules if 'practice_' in name and name != 'ui.practice_switch'])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"


# ---- the data, and what becomes of an upload


async def test_lists_are_not_empty_at_the_beginning(practice: Practice) -> None:
    assert practice.count(UploadState.NOT_SENT) == 3
    assert practice.count(UploadState.REFUSED) == 1
    assert practice.count(UploadState.VERIFIED) > 50
    assert len(stock_rows(practice.tables)) == 11
    assert practice.tables.lots.count_by("manufacturer_missing", "missing") == 0
    assert count_open_conflicts(practice.tables) == 1


async def test_a_second_start_finds_what_the_first_has_left(practice: Practice) -> None:
    count = len(practice.tables.changes)

    await PracticeHub.begin(practice.state.database, make_world(practice.clock))

    assert len(practice.tables.changes) == count


async def test_what_waits_is_sent_after_a_while_and_verified_after_another(practice: Practice) -> None:
    verified = practice.count(UploadState.VERIFIED)
    practice.clock.at = await practice.hub.step()
    assert practice.count(UploadState.NOT_SENT) == 3

    practice.clock.at = await practice.hub.step()
    assert (practice.count(UploadState.NOT_SENT), practice.count(UploadState.ACCEPTED)) == (1, 2)

    await practice.hub.step()
    assert (practice.count(UploadState.ACCEPTED), practice.count(UploadState.VERIFIED)) == (0, verified + 2)


async def test_a_clock_that_was_put_back_does_not_hold_an_upload_up(practice: Practice) -> None:
    await practice.hub.step()
    practice.clock.forward(days=-2)

    await practice.hub.step()

    assert practice.count(UploadState.ACCEPTED) == 2


async def test_a_tap_on_upload_hurries_it(practice: Practice) -> None:
    await practice.hub.step()

    await practice.ask("/api/cdc/wake")
    await practice.hub.step()

    assert practice.count(UploadState.ACCEPTED) == 2


async def test_the_sync_takes_everything_and_sends_nothing(practice: Practice) -> None:
    assert len(practice.state.database.unsent) > 0

    assert await practice.state.sync.sync_now()

    assert len(practice.state.database.unsent) == 0
    assert practice.state.sync.link is HubLink.CONNECTED


async def test_stock_is_downloaded_typed_and_uploaded(practice: Practice) -> None:
    answer = StockAnswer.model_validate_json(await practice.ask("/api/cdc/stock"))
    assert (answer.code, answer.rows, answer.new_lots) == ("downloaded", 12, 1)
    assert StockAnswer.model_validate_json(await practice.ask("/api/cdc/stock/upload")).code == "nothing_to_upload"
    await practice.state.commit(draft_consumption(practice.tables, stock_rows(practice.tables)[0], 1))

    answer = StockAnswer.model_validate_json(await practice.ask("/api/cdc/stock/upload"))

    assert (answer.code, answer.accepted, answer.refused) == ("uploaded", 1, 0)


async def test_exam_reports_are_uploaded_once(practice: Practice) -> None:
    answer = ExamsAnswer.model_validate_json(await practice.ask("/api/cdc/exams/upload"))
    again = ExamsAnswer.model_validate_json(await practice.ask("/api/cdc/exams/upload"))

    assert (answer.code, answer.stored, again.code) == ("uploaded", 2, "nothing_to_upload")
    assert practice.tables.exams.count_by("exam_state", ExamState.STORED) == 2


@pytest.mark.parametrize(
    ("chart", "outcome"),
    [("990008", HistoryOutcome.RECEIVED), ("990019", HistoryOutcome.NOT_IDENTIFIED)],
    ids=["somebody", "somebody without an ID"],
)
async def test_the_history_is_answered_or_says_what_lacks(
    practice: Practice, chart: str, outcome: HistoryOutcome
) -> None:
    person_id = record_id_of_chart(chart)
    body = HistoryRequest(record_id=person_id).model_dump_json().encode()

    answer = HistoryAnswer.model_validate_json(await practice.ask("/api/cdc/history", body))

    assert answer.outcome is outcome
    history = practice.tables.histories.find(person_id)
    assert (history is not None) == (outcome is HistoryOutcome.RECEIVED)
    assert history is None or HistoryReceived.model_validate(history).rows


# ---- the screens


@pytest.mark.parametrize("path", boot.PATHS)
async def test_every_page_says_that_it_is_practice(practising: User, path: str) -> None:
    await practising.open(path)

    await practising.should_see(wording.PRACTICE_BAND)
    await practising.should_see(marker="leave-practice")


async def test_leaving_asks_first(practising: User, practice: Practice) -> None:
    practice.browser.is_practising = True
    await practising.open("/device")
    practising.find(marker="leave-practice").click()
    await practising.should_see(wording.PRACTICE_LEAVE_QUESTION)
    practising.find(marker="cancel").click()
    await practising.should_not_see(wording.PRACTICE_LEAVE_QUESTION)
    assert practice.browser.is_practising
    assert len(practice.tables.patients) == 20


async def test_leaving_closes_the_practice_store_and_goes_back(practising: User, practice: Practice) -> None:
    practice.browser.is_practising = True
    await practising.open("/")
    practising.find(marker="leave-practice").click()
    await practising.should_see(wording.PRACTICE_LEAVE_QUESTION)

    practising.find(marker="confirm").click()

    await asyncio.wait_for(practice.browser.switched.wait(), 10)
    assert not practice.browser.is_practising


@pytest.mark.parametrize("path", ["/", "/device"])
async def test_real_work_shows_no_band_and_tells_what_waits_before_it_is_left(
    user: User, state: AppState, path: str
) -> None:
    browser = Browser()
    state.source = browser
    await user.open(path)
    await user.should_not_see(wording.PRACTICE_BAND)
    user.find(marker="start-practice" if path == "/device" else wording.PRACTICE_MODE).click()
    await user.should_see(wording.PRACTICE_UNSENT.format(count=2))

    user.find(marker="confirm").click()

    await asyncio.wait_for(browser.switched.wait(), 10)
    assert browser.is_practising
    assert len(state.database.unsent) == 2
