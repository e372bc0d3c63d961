"""設定: what one station sets, all stations offer; the network may be away meanwhile."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from e2e.programs import INSTITUTION
from e2e.screens import Desk, Tablet

LATER, SOONER = "AMJRE900ZZ_1170331-CDC", "AMJRE075AA_1160331-CDC"


def open_tab(desk: Desk, name: str) -> None:
    desk.frame.get_by_role("tab", name=name).click()


def register_lot(desk: Desk, lot_number: str) -> None:
    desk.go("/BA109")
    desk.page.keyboard.press("F3")
    vaccine = desk.frame.get_by_role("combobox", name="疫苗代碼")
    vaccine.fill("MMR")
    desk.frame.get_by_role("option", name=re.compile(r"^MMR\s")).first.click()
    desk.frame.get_by_label(re.compile("疫苗批號")).fill(lot_number)
    desk.frame.get_by_label("廠商", exact=True).fill("GSK")
    desk.page.keyboard.press("F9")
    desk.see(re.compile("已存檔"))


def save(desk: Desk) -> None:
    desk.page.keyboard.press("F9")
    desk.see("設定已存檔")


def test_what_the_head_nurse_sets_offline_is_offered_at_the_other_station(
    make_tablet: Callable[[str], Tablet], roster: Path
) -> None:
    one, two = make_tablet("one"), make_tablet("two")
    first = one.open()
    first.import_roster(roster)
    register_lot(first, SOONER)
    register_lot(first, LATER)
    first.see("未同步 0", within=60)
    one.cut_network()
    first.go("/")
    first.see("主機 離線", within=40)

    first.page.keyboard.press("Shift+F2")
    first.see("這裡的設定所有站別共用")
    open_tab(first, "使用中疫苗")
    first.frame.get_by_label("找疫苗（代碼或名稱）").fill("MMR")
    first.frame.get_by_role("checkbox", name=re.compile(r"^MMR\s")).click()
    first.see("已勾選 1 種")
    open_tab(first, "人員")
    first.frame.get_by_label("人員代號").fill("N01")
    first.frame.get_by_label("人員姓名").fill("王護理師")
    first.frame.get_by_label("人員姓名").press("Enter")
    first.see("有尚未存檔的變更（使用中疫苗、人員）")
    save(first)
    open_tab(first, "當日批號")
    first.frame.get_by_role("combobox", name=re.compile("^MMR")).click()
    first.frame.get_by_role("option", name=re.compile(LATER)).click()
    save(first)
    first.see(re.compile(r"未同步 [1-9]"))
    one.mend_network()
    first.see("未同步 0", within=60)

    second = two.open()
    second.see(re.compile(r"\d\d:\d\d:\d\d"), within=60)
    second.go("/BA102_3")
    second.choose_first("057164")
    two.cut_network()
    select = second.frame.get_by_role("combobox", name="疫苗編號")
    select.click()
    expect(second.frame.get_by_role("option").first).to_have_text(re.compile(r"^MMR.*★"))
    second.frame.get_by_role("option").first.click()
    expect(second.frame.get_by_label(re.compile("疫苗批號"))).to_have_value(LATER)
    second.frame.get_by_role("button", name="選接種人員").click()
    second.frame.get_by_text("N01　王護理師").click()
    expect(second.frame.get_by_label("接種人員", exact=True)).to_have_value("N01")
    second.save()

    two.mend_network()
    second.see("未同步 0", within=60)
    first.go("/BA102_3")
    first.see_row(LATER)


def test_the_screen_says_when_the_hub_has_another_institution_code_and_asks_before_something_is_lost(
    tablet: Tablet,
) -> None:
    desk = tablet.open("/settings")
    code = desk.frame.get_by_label("醫事機構代碼")
    code.fill("592202A296")
    desk.see(f"主機設定檔的醫事機構代碼是 {INSTITUTION}")
    desk.page.keyboard.press("Escape")
    desk.see("要先存檔嗎？")
    desk.tap("繼續編輯")
    code.fill(INSTITUTION)
    desk.see("與主機設定檔（疾管署連線用）的代碼相同。")
    save(desk)
    desk.page.keyboard.press("Escape")
    desk.see("2.BA102_3")

    desk.go("/settings")

    expect(code).to_have_value(INSTITUTION)


def test_a_newer_code_table_is_looked_at_then_used_and_put_back(tablet: Tablet, tmp_path: Path) -> None:
    desk = tablet.open("/settings")
    open_tab(desk, "代碼表")
    with desk.page.expect_download() as giving:
        desk.tap("下載目前的疫苗代碼表")
    text = Path(giving.value.path()).read_text(encoding="utf-8-sig")
    newer = tmp_path / "newer.csv"
    edited = text + "New_2027,<b>新疫苗</b>,New,{dose},yes,no,no,IM\n"
    newer.write_text(edited.format(dose="").replace("# date: 2026-11-25", "# date: soon"), encoding="utf-8")
    tablet.cut_network()

    desk.frame.locator("input[type=file]").first.set_input_files(str(newer))
    desk.see("看不懂日期「soon」")
    desk.see("劑別（dose_labels）：必須填寫")
    newer.write_text(edited.format(dose="1").replace("# date: 2026-11-25", "# date: 115/11/26"), encoding="utf-8")
    desk.frame.locator("input[type=file]").first.set_input_files(str(newer))
    desk.see("新增 1、變更 0、不再列出 0")
    desk.see_row("<b>新疫苗</b>")
    desk.tap("採用這份代碼表")
    desk.see("使用中：診所匯入，115/11/26")
    open_tab(desk, "使用中疫苗")
    expect(desk.frame.get_by_role("checkbox", name=re.compile("^New_2027"))).to_be_visible()
    open_tab(desk, "代碼表")
    desk.tap("改回內建的疫苗代碼表")
    desk.frame.get_by_role("dialog").get_by_role("button", name="確定").click()
    desk.see("已改回內建的疫苗代碼表")
