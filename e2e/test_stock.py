"""A nurse and the vaccine stock: download it, say what was used, also without network, and tell CDC."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from e2e.programs import FakeCdc, Hub, call, eventually
from e2e.screens import Desk, Tablet

# The manual's list behind D006A-CDC, of 110/06/16: chart number and the letters that it shows of each name. Its table
# counts ten doses of that lot; the two it does not list are made up.
MANUALS_PATIENTS = (
    ("049353", "李"), ("049578", "陳"), ("045789", "梁"), ("047850", "陳"), ("047851", "黃"), ("048572", "陳"),
    ("048753", "呂"), ("048754", "郭"),
)  # fmt: skip
TWO_MORE = (("900001", "甲"), ("900002", "乙"))
# AstraZeneca is no longer among the vaccines in use, so no form offers it.
DOSES_OF_1100616 = """
from ui import boot
from store.changes import ChangeDraft, ChangeKind
state = boot.running()
dose = {"vaccine_code": "CoV_AZ", "dose_number": "1", "lot_number": "D006A-CDC", "lot_type": "1"}
for chart in CHARTS:
    [person] = state.database.tables.patients.find_by("chart_number", chart)
    payload = {**dose, "patient_id": person["record_id"], "vaccination_date": "2021-06-16"}
    await state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, state.world.make_record_id(), payload)])
state.touch()
"""
MMR, AZ, PCV, HEPA = "AMJRE075AA-CDC", "D006A-CDC", "DH2437-CDC", "R3N735V-CDC"


def line_of(desk: Desk, lot: str) -> Locator:
    return desk.frame.locator(".desk-stock tbody tr", has=desk.frame.get_by_role("button", name=lot, exact=True))


def see_line(desk: Desk, lot: str, *cells: str) -> None:
    """The figures of one lot as the manual lists them: 庫存量(CDC) 消耗量(劑) 結存量(瓶)."""
    figures = line_of(desk, lot).locator("td.desk-number")
    expect(figures).to_have_text(list(cells), timeout=20_000)


def see_state(desk: Desk, lot: str, state: str) -> None:
    expect(line_of(desk, lot).locator("td").nth(1)).to_have_text(state, timeout=20_000)


def type_vials(desk: Desk, lot: str, vials: str) -> None:
    desk.frame.get_by_label(f"消耗量(瓶) {lot}", exact=True).fill(vials)


def balance_at_cdc(cdc: FakeCdc, lot: str) -> Any:
    return next(one["vials"] for one in call(f"{cdc.url}/control/lots")["lots"] if one["lot_number"] == lot)


def test_stock_is_downloaded_used_up_offline_too_and_told_to_cdc(
    tablet: Tablet, hub: Hub, cdc: FakeCdc, roster: Path
) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.go("/BA109_3_DOWNLOAD")
    desk.see(re.compile("還沒有庫存資料。領到疫苗後"))
    desk.tap("下載(CDC)庫存")
    desk.see("下載成功：共 15 筆，新增批號 15 筆。")
    desk.see(re.compile("庫存下載時間 1.*共 15 筆"))
    see_line(desk, AZ, "33", "0", "33")

    # A lot that came by itself is known at once: nobody is warned of it.
    for chart in ("057164", "057165"):
        desk.record(chart, lot=MMR)
    desk.go("/BA109_3_DOWNLOAD")
    see_line(desk, MMR, "14", "2", "14")
    type_vials(desk, MMR, "2")
    see_line(desk, MMR, "14", "2", "12")
    see_state(desk, MMR, "待上傳")

    tablet.cut_network()
    type_vials(desk, PCV, "5")
    see_line(desk, PCV, "13", "0", "8")
    expect(line_of(desk, PCV)).to_contain_text("瓶數比 0 劑所需的多")
    type_vials(desk, HEPA, "2")
    see_state(desk, HEPA, "待上傳")
    desk.tap("上傳(CDC)庫存 (F9)")
    desk.see(re.compile("連不上主機。已登錄的消耗量都在這台裝置"))
    assert call(f"{cdc.url}/control/consumptions")["consumptions"] == []

    tablet.mend_network()
    cdc.scenario("consumption", "refuse_row", lot_number=PCV)
    desk.page.keyboard.press("F9")
    desk.see(re.compile("疾管署已收下 2 筆，退回 1 筆"))
    see_state(desk, MMR, "上傳成功")
    see_state(desk, PCV, "上傳失敗")
    expect(line_of(desk, PCV)).to_contain_text("批號不存在")
    see_line(desk, MMR, "12", "0", "12")
    assert [balance_at_cdc(cdc, lot) for lot in (MMR, HEPA, PCV)] == [12, 3, 13]

    desk.frame.get_by_role("button", name=MMR, exact=True).click()
    desk.see(f"MMR {MMR} 接種名單：共 2 劑，其中 0 劑尚未上傳耗用")
    for column in ("(2021)疫苗代碼", "病歷號", "姓名", "接種日期"):
        expect(desk.frame.get_by_role("dialog").get_by_role("columnheader", name=column)).to_be_visible()
    assert desk.frame.get_by_role("dialog").locator("tbody tr", has_text="057164").count() == 1


def test_an_answer_lost_on_the_way_is_not_counted_twice(tablet: Tablet, hub: Hub, cdc: FakeCdc) -> None:
    desk = tablet.open("/BA109_3_DOWNLOAD")
    desk.tap("下載(CDC)庫存")
    desk.see(re.compile("下載成功"))
    type_vials(desk, AZ, "1")
    see_state(desk, AZ, "待上傳")
    cdc.scenario("consumption", "drop_after_storing")
    desk.tap("上傳(CDC)庫存 (F9)")
    see_state(desk, AZ, "已送出(等候回應)")
    hub.kill()
    hub.start()
    eventually("the hub answers", hub.answers)

    desk.tap("上傳(CDC)庫存 (F9)")

    desk.see(re.compile("疾管署已收下 1 筆"), within=60)
    see_state(desk, AZ, "上傳成功")
    see_line(desk, AZ, "32", "0", "32")
    assert balance_at_cdc(cdc, AZ) == 32
    [stored] = call(f"{cdc.url}/control/consumptions")["consumptions"]
    assert stored["times_received"] == 2


def test_the_manuals_ten_doses_of_one_vial_and_whom_they_were_given(
    tablet: Tablet, cdc: FakeCdc, tmp_path: Path
) -> None:
    everyone = (*MANUALS_PATIENTS, *TWO_MORE)
    lines = ["病歷號碼,姓名,身份證號碼,出生日期", *(f"{chart},{name},,0500101" for chart, name in everyone)]
    (tmp_path / "ten.csv").write_text("\n".join(lines), encoding="utf-8")
    desk = tablet.open()
    desk.import_roster(tmp_path / "ten.csv")
    desk.go("/BA109_3_DOWNLOAD")
    desk.tap("下載(CDC)庫存")
    desk.see(re.compile("下載成功"))
    tablet.cut_network()

    desk.python(DOSES_OF_1100616.replace("CHARTS", repr([chart for chart, _ in everyone])))
    see_line(desk, AZ, "33", "10", "33")
    type_vials(desk, AZ, "1")
    see_line(desk, AZ, "33", "10", "32")

    desk.frame.get_by_role("button", name=AZ, exact=True).click()
    rows = desk.frame.get_by_role("dialog").locator("tbody tr")
    expect(rows).to_have_count(10)
    for number, (chart, name) in enumerate(MANUALS_PATIENTS, start=1):
        cells = [str(number), "CoV_AZ", AZ, chart, name, "110/06/16"]
        expect(rows.nth(number - 1).locator("td")).to_have_text(cells)
