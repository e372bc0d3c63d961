"""BA102_3 in a nurse's words: forty children wait, the network is away, and one of them has no chart yet."""

import re
from pathlib import Path

from playwright.sync_api import expect

from e2e.screens import Desk, Tablet

LOT = "AMJRE075AA-CDC"


def identify(desk: Desk, chart: str) -> None:
    """On the search that stands there already: no page is loaded for the next child."""
    desk.choose_first(chart)
    expect(desk.frame.get_by_role("button", name="確定 (F9)")).to_be_visible()


def test_the_next_child_gets_the_same_by_one_key(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    tablet.cut_network()
    desk.record("057164", lot=LOT, warn=True)
    desk.see("下一位沿用")

    identify(desk, "057165")
    desk.page.keyboard.press("F9")
    desk.tap("仍要存檔")

    desk.see("今日接種 2 筆")
    row = desk.row_with("057165")
    expect(row).to_contain_text("MMR")
    expect(row).to_contain_text(LOT)

    desk.page.keyboard.press("F8")
    desk.see("測試患者2")
    expect(desk.frame.get_by_role("combobox", name="疫苗編號")).to_have_value("")
    desk.see("本院接種紀錄：115/")


def test_a_newborn_without_a_chart_is_registered_and_a_reload_loses_nothing(tablet: Tablet) -> None:
    desk = tablet.open("/BA102_3")
    tablet.cut_network()
    desk.search("070001")
    desk.see("查無此人")
    desk.page.keyboard.press("F3")
    expect(desk.frame.get_by_label("病歷號碼")).to_have_value("070001")
    desk.frame.get_by_label("姓名", exact=True).fill("王小寶")  # the search, which goes, names it in its label too
    desk.frame.get_by_label(re.compile("出生日期")).fill("115/11/20")
    desk.frame.get_by_label("父母身分證").fill("B222419838")
    desk.frame.get_by_label("同胎次序").fill("1")
    desk.tap("確定 (F9)")
    desk.see("本院接種紀錄：無")

    desk.fill_vaccination(vaccine="rHepB", dose="1", lot="HB1-CDC")
    desk.frame.get_by_label("備註").fill("第一劑")
    desk.see(re.compile("批號未建檔"))
    desk.page.reload()
    desk.wait()

    desk.see("王小寶")
    expect(desk.frame.get_by_label(re.compile("疫苗批號"))).to_have_value("HB1-CDC")
    expect(desk.frame.get_by_label("備註")).to_have_value("第一劑")
    desk.save(despite_warning=True)
    desk.see_row("HB1-CDC")


def test_the_manuals_window_is_used_by_keyboard_alone(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.go("/BA102_3")
    identify(desk, "057164")
    desk.frame.get_by_role("button", name="疫苗代碼查詢").press("Enter")
    window = desk.frame.get_by_label(re.compile("輸入代碼或名稱"))
    window.fill("水痘")
    window.press("Enter")
    window.press("Enter")
    desk.see("已選：Var　1")
    window.press("Enter")

    expect(desk.frame.get_by_label("劑別", exact=True)).to_have_value("1")
    expect(desk.frame.get_by_role("combobox", name="疫苗編號")).to_have_value(re.compile("^Var"))


def test_the_manuals_record_stands_in_the_list_of_its_day(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    tablet.cut_network()
    desk.go("/BA102_3")
    identify(desk, "057164")
    desk.fill_vaccination(vaccine="MMR", dose="3", lot="AMJRE023AA-1", day="110/05/27")
    desk.frame.get_by_role("combobox", name="批號型別").click()
    desk.frame.get_by_role("option", name="2 自費").click()
    desk.save(despite_warning=True)

    desk.frame.get_by_label("清單日期").fill("110.05.27")
    desk.see("110/05/27 接種 1 筆")
    for title in ("接種日期", "疫苗編號", "劑別", "疫苗批號", "常規"):
        expect(desk.frame.get_by_role("columnheader", name=title)).to_be_visible()
    cells = ["1", "110/05/27", "MMR", "3", "AMJRE023AA-1", "", "057164", "測試患者", "待上傳"]
    expect(desk.row_with("057164").locator("td")).to_have_text(cells)
