"""BA109_3_DOWNLOAD as staff see it, with a hub that is away and one that answers."""

import asyncio
import json
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.protocol import AcceptedChange, HubStatus, StockAnswer, SyncAnswer, SyncRequest
from store.stock import StockRow, consumption_id, count_waiting, stock_line, stock_rows
from store.storage import MemoryFolder
from tests.factories import make_patient, make_vaccination
from tests.worlds import Clock, make_world
from ui.state import AppState
from ui.sync_client import NetworkFailed

AZ = StockRow(
    identifier="S-1", vaccine_code="CoV_AZ", lot_number="D006A-CDC", lot_type="1", vials=33, doses_per_vial=10
)
PCV = StockRow(identifier="S-2", vaccine_code="13PCV", lot_number="DH2437-CDC", lot_type="1", vials=13)


class Hub:
    """A hub that holds whatever is told, and answers a tap with `answer`; away while that is None."""

    def __init__(self) -> None:
        self.answer: StockAnswer | int | None = None
        self.asked: list[str] = []
        self.head = 0

    async def fetch(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        if self.answer is None:
            raise NetworkFailed("offline")
        if path == "/api/sync":
            assert body is not None
            request = SyncRequest.model_validate_json(body)
            self.head += len(request.changes)
            accepted = [AcceptedChange(change_id=c.change_id, hub_seq=self.head) for c in request.changes]
            answer = SyncAnswer(accepted=accepted, changes=[], upto=self.head, head=self.head, status=HubStatus())
            return 200, {}, answer.model_dump_json().encode()
        if not path.startswith("/api/cdc"):
            return 404, {}, b""
        self.asked.append(path)
        if isinstance(self.answer, int):
            error = {"error": {"code": "cdc_not_configured", "detail": ""}}
            return self.answer, {}, json.dumps(error).encode()
        return 200, {}, self.answer.model_dump_json().encode()

    def event_stream(self, *_: object) -> None:
        pass

    def is_online(self) -> bool:
        return self.answer is not None


class BusyDisk(MemoryFolder):
    """A disk that lets others go on while it writes, as every real one does."""

    async def append(self, name: str, data: bytes) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        await super().append(name, data)


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
async def state(hub: Hub) -> AppState:
    world = make_world(Clock())
    return AppState(await DeviceDatabase.open(BusyDisk(), world), world, hub)


async def receive(state: AppState, *rows: StockRow, name: str = "d1") -> None:
    payload = {"rows": [row.model_dump(mode="json") for row in rows]}
    await state.commit([ChangeDraft(ChangeKind.STOCK_RECEIVED, name, payload)])


async def give(state: AppState, count: int) -> None:
    person = make_patient()
    payload = person.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, person.record_id, payload)])
    dose = make_vaccination(vaccine_code="CoV_AZ", lot_number="D006A-CDC")
    payload = dose.model_dump(mode="json", exclude={"record_id"})
    ids = [state.world.make_record_id() for _ in range(count)]
    await state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, one, payload) for one in ids])


async def answered(state: AppState, *, accepted: bool) -> None:
    """What the hub makes of an upload of 1 vial of AZ."""
    [row] = [row for row in stock_rows(state.database.tables) if row["lot_number"] == "D006A-CDC"]
    consumption = stock_line(state.database.tables, row).consumption
    assert consumption is not None
    one = {"consumption_id": consumption["record_id"], "row_id": row["record_id"], "vials": consumption["vials"]}
    sent = {"rows": [{**one, "revision": consumption["revision"], "doses": 10, "doses_total": 10}]}
    result = {"consumption_id": consumption["record_id"], "accepted": accepted, "code": "E1", "text": "批號不存在"}
    await state.commit([ChangeDraft(ChangeKind.CONSUMPTION_SENT, "b1", sent)])
    await state.commit([ChangeDraft(ChangeKind.CONSUMPTION_ANSWERED, "b1", {"results": [result]})])


def text(user: User, marker: str) -> str:
    element = next(iter(user.find(marker=marker).elements))
    assert isinstance(element, ui.label)
    return element.text


def field(user: User, lot: str = "D006A-CDC") -> ui.input:
    element = next(iter(user.find(marker=f"vials-{lot}").elements))
    assert isinstance(element, ui.input)
    return element


async def type_vials(user: User, value: str, lot: str = "D006A-CDC") -> None:
    field(user, lot).set_value(value)
    user.find(marker=f"vials-{lot}").trigger("blur")


def typed(state: AppState) -> dict[str, Any]:
    return {
        state.database.tables.stock_rows.at(d["row_id"])["lot_number"]: d["vials"]
        for d in state.database.tables.consumptions.documents()
    }


async def test_before_any_download_the_screen_says_what_to_do(user: User) -> None:
    await user.open("/BA109_3_DOWNLOAD")
    await user.should_see("尚未下載庫存")
    await user.should_see("系統會自動新增批號")


async def test_the_manuals_line_is_typed_offline_and_kept(user: User, state: AppState) -> None:
    await receive(state, AZ, PCV)
    await give(state, 10)
    await user.open("/BA109_3_DOWNLOAD")
    assert [text(user, f"{what}-D006A-CDC") for what in ("stock-of", "doses", "balance")] == ["33", "10", "33"]

    await type_vials(user, "１")

    await user.should_see(marker="state-D006A-CDC", content="待上傳")
    assert text(user, "balance-D006A-CDC") == "32"
    assert text(user, "warning-D006A-CDC") == ""
    assert typed(state) == {"D006A-CDC": 1}
    assert [line for line in ("balance-DH2437-CDC",) if text(user, line) == "13"]


async def test_the_balance_follows_the_fingers_and_odd_numbers_warn_without_stopping(
    user: User, state: AppState
) -> None:
    await receive(state, AZ)
    await give(state, 10)
    await user.open("/BA109_3_DOWNLOAD")
    field(user).set_value("5")
    assert (text(user, "balance-D006A-CDC"), "瓶數比 10 劑所需的多" in text(user, "warning-D006A-CDC")) == ("28", True)

    await type_vials(user, "40")

    assert text(user, "balance-D006A-CDC") == "-7"
    assert "消耗量比庫存量多" in text(user, "warning-D006A-CDC")
    await user.should_see(marker="state-D006A-CDC", content="待上傳")
    assert typed(state) == {"D006A-CDC": 40}


@pytest.mark.parametrize("dirty", ["-1", "1.5", "abc", "100000", "9" * 10_000, "<b>1</b>", "💉", "1\u202e2", "²"])
async def test_what_is_no_number_of_vials_stays_in_its_field_and_says_why(
    user: User, state: AppState, dirty: str
) -> None:
    await receive(state, AZ)
    await user.open("/BA109_3_DOWNLOAD")

    await type_vials(user, dirty)

    assert (field(user).value, field(user).error) == (dirty, "請填整數 0-99999")
    assert typed(state) == {}


async def test_nothing_is_uploaded_while_a_number_cannot_be_read(user: User, hub: Hub, state: AppState) -> None:
    hub.answer = StockAnswer(code="uploaded", accepted=1)
    await receive(state, AZ)
    await user.open("/BA109_3_DOWNLOAD")
    await type_vials(user, "5")
    await type_vials(user, "5x")
    user.find(marker="stock-upload").click()
    await user.should_see("有 1 列的消耗量(瓶)看不懂，請先改正再上傳。")
    assert hub.asked == []


async def test_letters_typed_quickly_are_one_record_without_conflict(user: User, state: AppState) -> None:
    await receive(state, AZ)
    await user.open("/BA109_3_DOWNLOAD")
    for value in ("1", "12", "1", "15"):
        field(user).set_value(value)
        await asyncio.sleep(0)  # its keeping has begun, and is not done
    user.find(marker="vials-D006A-CDC").trigger("blur")
    await user.should_see(marker="state-D006A-CDC", content="待上傳")
    [document] = state.database.tables.consumptions.documents()
    assert (document["vials"], document["conflict"]) == (15, [])


async def test_a_lot_opens_the_list_of_its_patients(user: User, state: AppState) -> None:
    await receive(state, AZ)
    await give(state, 2)
    await user.open("/BA109_3_DOWNLOAD")
    user.find(marker="lot-D006A-CDC").click()
    await user.should_see("CoV_AZ D006A-CDC 接種名單：共 2 劑，其中 2 劑尚未上傳耗用")
    table = next(iter(user.find(marker="lot-patients").elements))
    assert isinstance(table, ui.table)
    labels = [column["label"] for column in table.columns]
    assert labels == ["筆數", "(2021)疫苗代碼", "疫苗批號", "病歷號", "姓名", "接種日期"]
    row = {name: table.rows[0][name] for name in ("vaccine_code", "lot_number", "chart_number", "vaccination_date")}
    assert list(row.values()) == ["CoV_AZ", "D006A-CDC", "057164", "115/11/23"]


async def test_a_tap_while_the_hub_is_away_loses_nothing_and_says_so(user: User, state: AppState) -> None:
    await receive(state, AZ)
    await user.open("/BA109_3_DOWNLOAD")
    field(user).set_value("1")
    user.find(marker="stock-upload").click()
    await user.should_see("連不上主機。已登錄的消耗量都在這台裝置")
    assert typed(state) == {"D006A-CDC": 1}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (StockAnswer(code="downloaded", rows=15, new_lots=2), "下載成功：共 15 筆，新增批號 2 筆。新批號的廠商請到"),
        (StockAnswer(code="uploaded", accepted=1, refused=1, detail="I00002 修改成功"), "API回傳訊息=I00002 修"),
        (StockAnswer(code="registry_unreachable", detail="time_out"), "請確認 VPN 已連線"),
        (StockAnswer(code="said by a newer hub"), "作業沒有完成"),
        (409, "主機尚未設定疾管署連線"),
    ],
)
async def test_each_outcome_is_a_sentence(
    user: User, hub: Hub, answer: StockAnswer | int, sentence: str
) -> None:
    hub.answer = answer
    await user.open("/BA109_3_DOWNLOAD")
    user.find(marker="stock-download").click()
    await user.should_see(sentence)
    assert hub.asked == ["/api/cdc/stock"]


async def test_cdcs_words_stand_at_their_row(user: User, state: AppState) -> None:
    await receive(state, AZ)
    await user.open("/BA109_3_DOWNLOAD")
    await type_vials(user, "1")
    await user.should_see(marker="state-D006A-CDC", content="待上傳")

    await answered(state, accepted=False)

    await user.should_see(marker="state-D006A-CDC", content="上傳失敗")
    assert (text(user, "message-D006A-CDC"), text(user, "balance-D006A-CDC")) == ("E1 批號不存在", "32")


async def test_after_acceptance_the_field_is_empty_for_what_comes_next(user: User, state: AppState) -> None:
    await receive(state, AZ)
    await give(state, 10)
    await user.open("/BA109_3_DOWNLOAD")
    await type_vials(user, "1")
    await user.should_see(marker="state-D006A-CDC", content="待上傳")

    await answered(state, accepted=True)

    await user.should_see(marker="state-D006A-CDC", content="上傳成功")
    shown = [text(user, f"{what}-D006A-CDC") for what in ("stock-of", "doses", "balance")]
    assert (shown, field(user).value) == (["32", "0", "32"], "")


async def test_a_number_typed_for_an_ended_period_is_asked_about(user: User, state: AppState) -> None:
    await receive(state, AZ)
    await user.open("/BA109_3_DOWNLOAD")
    await type_vials(user, "1")
    await user.should_see(marker="state-D006A-CDC", content="待上傳")
    await answered(state, accepted=True)
    payload = {"row_id": AZ.record_id, "vials": 3}
    late = ChangeDraft(ChangeKind.RECORD_CONSUMPTION, consumption_id(AZ.record_id, ""), payload)
    await state.commit([late])
    await user.should_see("已上傳 1 瓶，但另有登錄 3 瓶")

    await type_vials(user, "0")

    await user.should_see(marker="state-D006A-CDC", content="上傳成功")
    assert count_waiting(state.database.tables) == 0


async def test_the_menu_counts_what_was_typed_and_not_sent(user: User, state: AppState) -> None:
    await receive(state, AZ)
    await user.open("/BA109_3_DOWNLOAD")
    await type_vials(user, "1")
    await user.should_see(marker="state-D006A-CDC", content="待上傳")
    await user.open("/")
    await user.should_see("待上傳 1")


async def test_two_numbers_for_one_lot_are_settled_among_the_conflicts(user: User, state: AppState) -> None:
    await receive(state, AZ)
    for vials in (1, 3):
        payload = {"row_id": AZ.record_id, "vials": vials}
        await state.commit([ChangeDraft(ChangeKind.RECORD_CONSUMPTION, consumption_id(AZ.record_id, ""), payload)])
    await user.open("/conflicts")
    await user.should_see("疫苗耗用　CoV_AZ D006A-CDC")
    await user.should_see("消耗量(瓶)")
