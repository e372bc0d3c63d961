"""傳輸紀錄 and 歷程 as staff see them, beside a real hub that is there or away."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError
from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.storage import MemoryFolder
from sync.registry import Exchange, sent_exchange
from tests.factories import make_patient, make_vaccination
from tests.sync.running_hub import WORLD, RunningHub, running_hub
from tests.ui.keys import press
from tests.ui.waiting import WAITED, see, until
from ui.network import NetworkFailed
from ui.receipts_client import LIST
from ui.state import AppState

DOSE = "a" * 32
BATCH = "1133060019-20261123-0001"
HTML = '{"resourceType":"OperationOutcome","note":"<b>粗體</b>","issue":[{"severity":"error","details":{"coding":[{"code":"E00091"}],"text":"批號不存在"}}]}'  # noqa: E501 -- as it came
AT = datetime.fromisoformat("2026-11-23T12:00:00+08:00")


class Line:
    """The way from a device to a running hub, which a test can cut."""

    def __init__(self, hub: RunningHub) -> None:
        self.hub, self.is_cut = hub, False
        self.asked: list[str] = []

    async def fetch(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        if self.is_cut:
            raise NetworkFailed("cut")
        try:
            async with self.hub.session.request(method, path, data=body, headers=headers) as answer:
                return answer.status, {}, await answer.read()
        except ClientError as error:
            raise NetworkFailed("no hub") from error

    def event_stream(self, *_: object) -> None:
        pass

    def is_online(self) -> bool:
        return not self.is_cut


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    async with running_hub(tmp_path) as running:
        yield running


@pytest.fixture
async def line(hub: RunningHub) -> Line:
    return Line(hub)


@pytest.fixture
async def state(line: Line) -> AppState:
    return AppState(await DeviceDatabase.open(MemoryFolder(), WORLD), WORLD, line)


def rows(user: User) -> list[dict[str, Any]]:
    [table] = user.find(marker="receipts", kind=ui.table).elements
    return table.rows


def texts(user: User, marker: str) -> list[str]:
    return [element.text for element in user.find(marker=marker, kind=ui.label).elements]


async def keep(hub: RunningHub, kind: str = "upload", **changes: Any) -> None:
    asked_by = changes.pop("asked_by", "")
    fields: dict[str, Any] = {
        "kind": kind, "upload_batch_id": BATCH, "method": "POST", "path": "/Bundle", "request_body": b"",
        "started_at": AT, "ended_at": AT, "status": 200, "body": b"{}",
    }  # fmt: skip
    await hub.database.keep_exchange(Exchange(**(fields | changes)).as_data(asked_by))


async def test_the_list_says_in_plain_words_what_went_and_what_came(user: User, hub: RunningHub) -> None:
    await keep(hub, status=400, body=HTML.encode(), asked_by="staff")
    await keep(hub, "history", status=None, body=b"", failure="time_out")

    await user.open("/receipts")
    await see(user, "列出 2 筆")

    assert [(row["kind"], row["http"], row["words"], row["who"]) for row in rows(user)] == [
        ("查詢個人接種紀錄", "-", "等候逾時，沒有回應", "自動"),
        ("上傳接種資料", "400", "E00091 批號不存在", "工作人員"),
    ]
    assert rows(user)[0]["at"] == "115/11/23 12:00:00"


async def test_a_receipt_opens_whole_and_its_html_is_text(user: User, hub: RunningHub) -> None:
    sent = b'{"resourceType":"Bundle"}'
    await hub.database.keep_exchange(sent_exchange(BATCH, sent, AT))
    await keep(hub, status=400, body=HTML.encode(), request_body=sent, request_headers={"Accept": "application/json"})
    await user.open("/receipts")
    await see(user, "列出 1 筆")

    [table] = user.find(marker="receipts", kind=ui.table).elements
    user.find(marker="receipts").trigger("rowClick", [None, {"number": rows(user)[0]["number"]}, None])
    await see(user, "傳輸紀錄第 2 號")

    assert '"note": "<b>粗體</b>"' in texts(user, "receipt-answer")[0]
    assert texts(user, "receipt-request") == ['{\n  "resourceType": "Bundle"\n}']
    user.find(marker="receipt-save").click()
    download = await user.download.next()
    assert HTML.replace('"', '\\"') in download.text
    user.find(marker="receipt-close").click()
    await user.should_not_see("傳輸紀錄第 2 號", retries=WAITED)
    assert table.rows


async def test_older_ones_come_with_a_tap(user: User, hub: RunningHub) -> None:
    for _ in range(23):
        await keep(hub)
    await user.open("/receipts")
    await see(user, "列出 20 筆，還有更早的紀錄")

    user.find(marker="older").click()

    await see(user, "列出 23 筆")
    assert [row["number"] for row in rows(user)] == list(range(23, 0, -1))


async def test_what_is_searched_for_is_listed(user: User, hub: RunningHub) -> None:
    await keep(hub)
    await keep(hub, "stock", upload_batch_id="S-1")
    await user.open("/receipts")
    await see(user, "列出 2 筆")

    user.find(marker="receipts-batch").type("S-1")
    press(next(iter(user.find(ui.keyboard).elements)), "F9")
    await until(lambda: [row["kind"] for row in rows(user)] == ["下載庫存"])

    user.find(marker="clear").click()
    await until(lambda: len(rows(user)) == 2)


async def test_a_day_nobody_can_read_is_said_at_its_field(user: User, hub: RunningHub) -> None:
    await user.open("/receipts")
    await see(user, "沒有符合的傳輸紀錄")

    user.find(marker="receipts-from").type("1151399")
    press(next(iter(user.find(ui.keyboard).elements)), "F9")

    [field] = user.find(marker="receipts-from", kind=ui.input).elements
    await until(lambda: bool(field.error))


async def test_without_a_hub_the_page_says_so_and_asks_when_it_is_back(
    user: User, hub: RunningHub, line: Line, state: AppState
) -> None:
    await keep(hub)
    line.is_cut = True
    await state.sync.sync_now()
    await user.open("/receipts")
    await see(user, "連不上主機。傳輸紀錄存放在主機上")
    assert LIST not in line.asked

    line.is_cut = False
    await state.sync.sync_now()

    await see(user, "列出 1 筆")


async def record_and_refuse(hub: RunningHub, state: AppState) -> None:
    """A dose that CDC refused, then mended and sent again."""
    person, dose = make_patient(), make_vaccination(record_id=DOSE)
    await state.commit(
        [
            ChangeDraft(kind, one.record_id, one.model_dump(mode="json", exclude={"record_id"}))
            for kind, one in ((ChangeKind.REGISTER_PATIENT, person), (ChangeKind.RECORD_VACCINATION, dose))
        ]
    )
    await state.sync.sync_now()
    revision = state.database.tables.vaccinations.at(DOSE)["revision"]
    row = {"record_id": DOSE, "revision": revision, "method": "POST"}
    words = {"severity": "error", "code": "E00091", "text": "批號不存在"}
    result = {"record_id": DOSE, "verified": False, **words}
    for kind, payload in (
        (ChangeKind.UPLOAD_SENT, {"rows": [row]}),
        (ChangeKind.UPLOAD_ACCEPTED, {"due_at": None, "message": None}),
        (ChangeKind.VERIFICATION_RECEIVED, {"results": [result]}),
    ):
        await hub.database.commit([ChangeDraft(kind, BATCH, payload)], "hub")
    await state.sync.sync_now()
    mended = make_vaccination(record_id=DOSE, lot_number="RIGHT-1").model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.CORRECT_VACCINATION, DOSE, mended, (revision,))])
    await state.sync.sync_now()


async def test_the_way_of_a_dose_names_each_step(user: User, hub: RunningHub, state: AppState) -> None:
    await record_and_refuse(hub, state)
    await user.open(f"/BA102_3?record={DOSE}")

    user.find(marker="way").click()
    await see(user, "這筆資料的歷程")

    for told in ("登錄", "工作人員，這台裝置", "送往疾管署：新增", f"批次 {BATCH}", "檢核失敗", "E00091 批號不存在",
                 "改了疫苗批號"):  # fmt: skip
        await user.should_see(told)
    user.find(marker=f"receipt-of {BATCH}").click()
    await see(user, "列出" if len(hub.database.tables.exchanges) else "沒有符合的傳輸紀錄")


async def test_the_way_without_a_hub_says_what_it_lacks(
    user: User, hub: RunningHub, state: AppState, line: Line
) -> None:
    await record_and_refuse(hub, state)
    line.is_cut = True
    await user.open(f"/BA102_3?record={DOSE}")

    user.find(marker="way").click()

    await see(user, "連不上主機，只列出這台裝置所知的歷程。")
    await user.should_see("檢核失敗")


async def test_a_tap_says_who_asks(user: User, state: AppState, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bytes | None] = []
    fetch = line.fetch

    async def listen(method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        if path == "/api/cdc/wake":
            told.append(body)
        return await fetch(method, path, body, headers)

    monkeypatch.setattr(line, "fetch", listen)
    state.staff = "nurse-7"
    await state.sync.wake_cdc(state.staff)

    assert told == [b'{"protocol":1,"asked_by":"nurse-7"}']
