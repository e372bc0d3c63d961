"""What a child was given elsewhere: asked of CDC from the record, and looked at again without the network."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from e2e.programs import FakeCdc
from e2e.screens import Desk, Tablet

ELSEWHERE = {
    "date": "2020-03-02", "vaccine_code": "BCG", "dose": "1", "lot_number": "B-1", "name": "臺中市南區衛生所",
    "institution_code": "2366020014",
}  # fmt: skip
UNREADABLE = {"date": "999/01/01", "vaccine_code": "TEST-1", "name": "宜蘭縣頭城鎮衛生所"}
# Somebody whom CDC can be asked about: chart number, ID, birth date.
WHO = (
    "from ui import boot; from store.history import read_identity;"
    "t = boot.running().database.tables.patients;"
    "d = next(d for d in t.documents() if d.get('national_id') and read_identity(d)[0]);"
    "[d['chart_number'], d['national_id'], d['birth_date']]"
)


def open_record(desk: Desk, chart: str) -> None:
    desk.go("/BA102_3")
    desk.choose_first(chart)
    desk.see(f"病歷號碼 {chart}")


def test_asked_online_then_seen_again_with_its_time_when_the_network_is_cut(
    make_tablet: Callable[[str], Tablet], cdc: FakeCdc, roster: Path
) -> None:
    one, two = make_tablet("one"), make_tablet("two")
    desk = one.open()
    desk.import_roster(roster)
    chart, national_id, birth_date = desk.python(WHO)
    cdc.know_history(national_id, birth_date, ELSEWHERE, UNREADABLE)
    desk.record(chart, warn=True)
    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核通過")

    open_record(desk, chart)
    desk.frame.get_by_label("劑別", exact=True).fill("2")
    desk.tap("CDC 接種查詢 (F7)")
    desk.see("預防接種(CDC)查詢(BA102_3FF)")
    desk.see("還沒有這位患者的疾管署接種紀錄")
    desk.tap("查詢 (F9)")
    desk.see("查詢完成。")
    window = desk.frame.get_by_role("dialog")
    rows = window.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="臺中市南區衛生所")).to_contain_text("109/03/02")
    expect(rows.filter(has_text="AMJRE075AA-CDC")).to_contain_text("（本院）")
    expect(rows.filter(has_text="999/01/01")).to_contain_text("日期看不懂")
    expect(window).not_to_contain_text(national_id)

    desk.page.keyboard.press("Escape")
    expect(window).to_have_count(0)
    expect(desk.frame.get_by_label("劑別", exact=True)).to_have_value("2")

    # The other tablet has it too, without asking.
    asked = len(cdc.requests())
    other = two.open()
    other.see("未同步 0", within=60)
    other.see("主機 正常")
    open_record(other, chart)
    other.page.keyboard.press("F7")
    other.see(re.compile(r"截至 \d+/\d\d/\d\d \d\d:\d\d"))
    other.see_row("臺中市南區衛生所")
    assert len(cdc.requests()) == asked

    one.cut_network()
    one.close()
    desk = one.open()
    desk.see("主機 離線", within=40)
    open_record(desk, chart)
    desk.page.keyboard.press("F7")
    desk.see(re.compile(r"截至 \d+/\d\d/\d\d \d\d:\d\d"))
    desk.see_row("臺中市南區衛生所")
    desk.page.keyboard.press("F9")
    desk.see("連不上主機，現在不能向疾管署查詢")
    desk.see_row("臺中市南區衛生所")
    desk.page.keyboard.press("Escape")
    # What was pressed in the window saved nothing in the form under it.
    desk.see("今日接種 1 筆")
    desk.see("未同步 0")


def test_whom_cdc_does_not_know_is_no_child_without_vaccinations(tablet: Tablet, cdc: FakeCdc, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    chart, national_id, birth_date = desk.python(WHO)
    desk.see("未同步 0", within=60)

    open_record(desk, chart)
    desk.page.keyboard.press("F7")
    desk.see("還沒有這位患者的疾管署接種紀錄")
    desk.page.keyboard.press("F9")
    desk.see(re.compile("疾管署拒絕這次查詢：E00005 查無此證號"))
    expect(desk.frame.get_by_text("查無接種紀錄")).to_have_count(0)

    cdc.know_history(national_id, birth_date)
    desk.page.keyboard.press("F9")
    desk.see(re.compile(r"查無接種紀錄（以 身分證 \w{4}\*{6} 出生日期"))
