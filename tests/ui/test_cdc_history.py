"""BA102_3FF as staff see it: against a real hub and the fake CDC, and with both out of reach."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from nicegui.testing import User, user_simulation

from e2e.fake_cdc.history import read_seed
from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.history import RowMark
from store.protocol import HistoryOutcome
from store.storage import MemoryFolder
from sync.cdc_client import CdcClient
from sync.history import HistoryDesk
from tests.factories import PATIENT_ID, make_patient, make_vaccination
from tests.sync.cdc_stand import Stand, make_settings, make_world, running_cdc
from tests.sync.running_hub import WORLD, RunningHub, running_hub
from tests.ui.test_sync_client import HttpNetwork
from ui import boot, wording
from ui.network import NetworkFailed
from ui.state import AppState
from ui.sync_client import HubLink

MMR = {"date": "2020-03-02", "vaccine_code": "MMR", "dose": "1", "lot_number": "OLD-1-CDC", "lot_type": "1"}


class Desk:
    def __init__(self, hub: RunningHub, cdc: Stand, network: HttpNetwork, state: AppState, user: User) -> None:
        self.hub, self.cdc, self.network, self.state, self.user = hub, cdc, network, state, user

    async def until(self, condition: Callable[[], object]) -> None:
        changed = asyncio.Event()
        self.state.changed.subscribe(changed.set)
        async with asyncio.timeout(10):
            while not condition():
                changed.clear()
                await changed.wait()

    async def register(self, **changes: Any) -> None:
        patient = make_patient(**changes)
        payload = patient.model_dump(mode="json", exclude={"record_id"})
        await self.state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, patient.record_id, payload)])
        await self.until(lambda: not self.state.database.unsent)

    async def correct(self, **changes: Any) -> None:
        revision = self.state.database.tables.patients.at(PATIENT_ID)["revision"]
        payload = make_patient(**changes).model_dump(mode="json", exclude={"record_id"})
        await self.state.commit([ChangeDraft(ChangeKind.CORRECT_PATIENT, PATIENT_ID, payload, (revision,))])

    async def record(self, **changes: Any) -> None:
        dose = make_vaccination(**changes)
        payload = dose.model_dump(mode="json", exclude={"record_id"})
        await self.state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, dose.record_id, payload)])

    def cdc_knows(self, *rows: dict[str, str]) -> None:
        person, read = read_seed({"value": "B222419838", "birth_date": "1985-11-08", "rows": list(rows)})
        self.cdc.cdc.holdings.add_history(person, read)

    async def open(self) -> None:
        await self.user.open(f"/BA102_3?patient={PATIENT_ID}")
        self.user.find(marker="cdc-history").click()
        await self.user.should_see(marker="history-title")

    async def ask(self, told: str = wording.HISTORY_DONE) -> None:
        self.user.find(marker="history-ask").click()
        await self.user.should_see(told, retries=100)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(next(iter(self.user.find(marker="history-rows").elements)).rows)  # type: ignore[attr-defined]

    def text(self, mark: str) -> str:
        return str(next(iter(self.user.find(marker=mark).elements)).text)  # type: ignore[attr-defined]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_cdc(tmp_path / "cdc") as cdc, running_hub(tmp_path / "hub") as hub:
        client = CdcClient(make_settings(cdc.base_url), make_world())
        hub.hub.history = HistoryDesk(hub.database, client, make_world(2))
        async with aiohttp.ClientSession() as http, user_simulation(root=None) as user:
            network = HttpNetwork(f"http://{hub.host}", http)
            state = AppState(await DeviceDatabase.open(MemoryFolder(), WORLD), WORLD, network)
            boot.define_pages()
            boot.run(state)
            made = Desk(hub, cdc, network, state, user)
            await made.until(lambda: state.sync.link is HubLink.CONNECTED)
            yield made
            boot._running.clear()
            for task in list(boot._tasks):
                task.cancel()
            await asyncio.gather(*boot._tasks, return_exceptions=True)
            await network.close()
        await client.close()


async def test_asking_shows_the_manuals_columns_and_the_time(desk: Desk) -> None:
    await desk.register()
    desk.cdc_knows(MMR)
    await desk.open()

    assert desk.text("history-person") == "病歷號 057164　姓名 測試患者　身分證 B222******　生日 074/11/08"
    assert desk.text("history-as-of") == "尚無查詢結果"
    await desk.ask()

    assert list(wording.HISTORY_COLUMNS.values())[:6] == [
        "筆數", "接種日期", "接種疫苗", "接種疫苗名稱", "接種機構", "接種機構名稱",
    ]  # fmt: skip
    [row] = desk.rows
    assert [row[name] for name in list(wording.HISTORY_COLUMNS)[:3]] == [1, "109/03/02", "MMR"]
    assert (row["institution_code"], row["institution_name"]) == ("1133060019", "宜蘭縣頭城鎮衛生所")
    assert (row["dose_number"], row["lot_number"]) == ("1", "OLD-1-CDC（1 中央）")
    assert desk.text("history-as-of").startswith("截至 115/11/23 12:")


async def test_rows_nobody_can_read_are_shown_as_they_came_and_marked(desk: Desk) -> None:
    await desk.register()
    desk.cdc_knows({"date": "999/01/01", "vaccine_code": "TEST-1"}, {**MMR, "vaccine_code": "ZZ", "vaccine_name": "新"})
    await desk.open()
    await desk.ask()

    known, unknown = desk.rows
    assert (known["vaccine_name"], known["marks"]) == ("新", "⚠ 代碼表沒有這個疫苗")
    assert (unknown["vaccination_date"], unknown["vaccine_code"]) == ("999/01/01", "TEST-1")
    assert unknown["marks"].startswith("⚠ 日期看不懂，照原文顯示")


async def test_our_own_doses_are_marked_and_what_cdc_lacks_is_listed(desk: Desk) -> None:
    await desk.register()
    await desk.record(vaccination_date="2020-03-02")
    await desk.record(record_id="4" * 32, vaccine_code="Var", lot_number="VAR-1")
    desk.cdc_knows(MMR)
    await desk.open()
    await desk.ask()

    assert desk.rows[0]["marks"] == "（本院）"
    assert desk.text("history-only-ours") == "本院有，CDC 沒有（1 筆）"
    assert desk.text("history-own-dose") == "115/11/23　Var-1　批號 VAR-1　待上傳"


async def test_only_cdcs_own_empty_answer_is_shown_as_no_record(desk: Desk) -> None:
    await desk.register()
    await desk.open()
    await desk.ask("疾管署拒絕這次查詢：E00005 查無此證號")
    await desk.user.should_not_see(marker="history-none")
    await desk.user.should_see(wording.HISTORY_BEGIN)

    desk.cdc_knows()
    await desk.ask()
    assert desk.text("history-none") == "查無接種紀錄（以 身分證 B222****** 出生日期 074/11/08 查詢）"


async def test_out_of_reach_what_was_known_stays_with_its_time(desk: Desk) -> None:
    await desk.register()
    desk.cdc_knows(MMR)
    await desk.open()
    await desk.ask()
    at = desk.text("history-as-of")

    desk.cdc.cdc.down = True
    await desk.ask("疾管署忙碌中，請稍後再查詢")
    assert (desk.text("history-as-of"), len(desk.rows)) == (at, 1)

    async def nobody(*_: object) -> None:
        raise NetworkFailed("offline")

    desk.network.fetch = nobody  # type: ignore[assignment,method-assign]
    await desk.open()
    await desk.ask(wording.HISTORY_NO_HUB)
    assert (desk.text("history-as-of"), len(desk.rows)) == (at, 1)


async def test_who_cannot_be_identified_is_told_so_at_once_and_nobody_is_asked(desk: Desk) -> None:
    await desk.register(national_id="B222419839")
    await desk.open()

    assert desk.text("history-note") == "不能查詢：身分證：檢查碼不符，請核對證件。請先更正患者資料。"
    desk.user.find(marker="history-ask").click()
    await desk.user.should_see("不能查詢")
    assert desk.cdc.requests("GET") == []


async def test_an_answer_for_another_identity_says_so(desk: Desk) -> None:
    await desk.register()
    desk.cdc_knows()
    await desk.open()
    await desk.ask()
    await desk.correct(national_id="A123456789")

    await desk.user.should_see(wording.HISTORY_OTHER_IDENTITY, retries=50)
    assert desk.text("history-none") == wording.HISTORY_NONE_THEN


async def test_an_answer_later_than_anybody_waits_for_appears_by_itself(desk: Desk) -> None:
    await desk.register()
    desk.cdc_knows(MMR)
    assert desk.hub.hub.history is not None
    desk.hub.hub.history.patience_seconds = 0.02
    desk.cdc.misfortune("history", "slow", seconds=0.5)
    await desk.open()
    await desk.ask("疾管署還沒有回應")

    await desk.user.should_see(marker="history-rows", retries=100)


async def test_the_window_closes_and_opens_again(desk: Desk) -> None:
    await desk.register()
    await desk.open()
    desk.user.find(marker="history-leave").click()
    await desk.user.should_not_see(marker="history-title")
    desk.user.find(marker="cdc-history").click()
    await desk.user.should_see(marker="history-title")


def test_every_outcome_and_every_mark_has_its_words() -> None:
    assert wording.HISTORY_OUTCOME.keys() == set(HistoryOutcome)
    assert wording.HISTORY_MARK.keys() == set(RowMark)
