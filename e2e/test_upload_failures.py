"""What CDC will not take any more, and what it does not judge within a day: told, kept, and never sent by itself."""

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.programs import FakeCdc, Hub, eventually
from e2e.screens import Tablet
from store.changes import ChangeDraft, ChangeKind, World
from store.hub_database import HubDatabase
from store.storage import FileFolder
from tests.factories import make_patient, make_vaccination

LOT = "AMJRE075AA-CDC"
BATCH = "1133060019-20261120-100000-9f3a"


@pytest.fixture
def hub(tmp_path: Path, cdc: FakeCdc, bundle: Path, port: int, request: pytest.FixtureRequest) -> Iterator[Hub]:
    program = Hub(tmp_path / "hub", cdc, bundle=bundle, port=port)
    request.node.user_properties.append(("hub", program))
    yield program
    program.stop()


def test_a_correction_after_cdc_has_settled_the_month_is_kept_and_explained(
    make_tablet: Callable[[str], Tablet], hub: Hub, cdc: FakeCdc, roster: Path
) -> None:
    hub.start()
    desk = make_tablet("one").open()
    desk.import_roster(roster)
    desk.record("057164", lot=LOT, warn=True)
    desk.go("/BA102_3_DOWNLOAD")
    desk.see(re.compile("檢核通過 1"), within=60)
    cdc.scenario("upload", "month_closed", times=None)

    desk.row_with("MMR").first.click()
    desk.frame.get_by_label("劑別", exact=True).fill("2")
    desk.save(despite_warning=True)
    desk.go("/BA102_3_DOWNLOAD")
    desk.see(re.compile("檢核失敗 0　待檢核 0　檢核通過 0　疾管署已鎖定 1"), within=60)
    row = desk.row_with("E00002 單位此月份已結算")
    expect(row).to_contain_text("這個月份在疾管署已經結算")
    expect(row).to_contain_text("本機保留修改後的內容，疾管署仍是修改前的內容")

    # It is hers to read and CDC's to open: nothing goes out again by itself.
    row.click()
    desk.see("疾管署已鎖定。疾管署訊息：E00002 單位此月份已結算")
    expect(desk.frame.get_by_label("劑別", exact=True)).to_have_value("2")
    [held] = cdc.records().values()
    assert (held["stored_versions"], held["uploads"]) == (1, 2)

    # CDC has agreed to open the month.
    cdc.scenario("upload", "normal", times=None)
    desk.go("/BA102_3_DOWNLOAD")
    desk.frame.get_by_label("清單狀態").click()
    desk.frame.get_by_role("option", name="疾管署已鎖定").click()
    desk.tap("疾管署已開放，再上傳一次（1 筆）")
    desk.frame.get_by_role("dialog").get_by_role("button", name="確定").click()
    desk.see(re.compile("檢核失敗 0　待檢核 0　檢核通過 1$"), within=60)
    assert [record["stored_versions"] for record in cdc.records().values()] == [2]


def test_a_dose_without_a_verdict_for_a_day_is_shown_as_failed_with_what_to_do(
    make_tablet: Callable[[str], Tablet], hub: Hub, cdc: FakeCdc
) -> None:
    folder = hub.settings.parent / "data"
    with ThreadPoolExecutor() as beside:  # Playwright has a loop of its own in this thread
        beside.submit(lambda: asyncio.run(_sent_yesterday(folder))).result()
    cdc.scenario("confirm", "error_500", times=None)
    hub.start()
    eventually("the dose is overdue", lambda: hub.health()["queue"]["overdue"] == 1)
    desk = make_tablet("one").open("/BA102_3_DOWNLOAD")

    desk.see(re.compile("逾時未檢核 1"), within=60)
    desk.see(f"超過 24 小時沒有檢核結果，系統每小時再查詢（批次 {BATCH}）")
    expect(desk.row_with("逾時未檢核")).to_contain_text("請不要重新登錄")
    expect(desk.row_with("逾時未檢核")).to_contain_text(f"請把批次 {BATCH} 告訴疾管署查明")
    desk.row_with("逾時未檢核").click()
    desk.see(re.compile("不算完成。請不要重新登錄"))
    desk.go("/BA102_3_UPLOAD")
    desk.see("逾時未檢核 1 筆，不會自動再上傳")
    assert cdc.records() == {}


async def _sent_yesterday(folder: Path) -> None:
    """What a hub has on its disk that sent a dose yesterday, and was told that CDC has it."""
    sent_at = datetime.now(UTC) - timedelta(hours=25)
    database = await HubDatabase.open(FileFolder(folder), World(now=lambda: sent_at, random_bytes=os.urandom))
    patient, dose = make_patient(), make_vaccination()
    facts = [
        (ChangeKind.REGISTER_PATIENT, patient.record_id, patient.model_dump(mode="json", exclude={"record_id"})),
        (ChangeKind.RECORD_VACCINATION, dose.record_id, dose.model_dump(mode="json", exclude={"record_id"})),
    ]
    await database.commit([ChangeDraft(kind, key, payload) for kind, key, payload in facts], "nurse")
    revision = database.tables.vaccinations.at(dose.record_id)["revision"]
    row = {"record_id": dose.record_id, "revision": revision, "method": "POST"}
    accepted = {"due_at": sent_at.isoformat(), "message": {"code": "I00000", "text": "作業完成"}}
    sent = ChangeDraft(ChangeKind.UPLOAD_SENT, BATCH, {"rows": [row]})
    await database.commit([sent, ChangeDraft(ChangeKind.UPLOAD_ACCEPTED, BATCH, accepted)], "hub")
    await database.close()
