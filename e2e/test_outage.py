"""中斷作業: without a network doses leave in a file for NIIS, and go by the interface only when staff say so."""

import csv
import io
import re
from pathlib import Path

from playwright.sync_api import Download, expect

from e2e.programs import INSTITUTION, FakeCdc, Hub, eventually
from e2e.screens import Desk, Tablet

COUNT_PRINTS = "() => { window.prints = 0; window.print = () => { window.prints += 1; }; }"


def set_the_clinics_code(desk: Desk) -> None:
    desk.go("/settings")
    desk.frame.get_by_label(re.compile("醫事機構代碼")).fill(INSTITUTION)
    desk.page.keyboard.press("F9")
    desk.see("設定已存檔")


def export(desk: Desk) -> Download:
    """F9 and 確定, and the file that comes of it."""
    desk.page.keyboard.press("F9")
    question = desk.frame.get_by_role("dialog")
    expect(question.get_by_text("系統不再自動上傳")).to_be_visible()
    with desk.page.expect_download() as coming:
        question.get_by_role("button", name="確定").click()
    return coming.value


def rows_of(download: Download) -> list[list[str]]:
    return list(csv.reader(io.StringIO(Path(download.path()).read_bytes().decode("big5"), newline="")))


def test_doses_leave_in_a_file_while_nothing_is_reachable_and_are_not_sent_again_by_themselves(
    tablet: Tablet, hub: Hub, cdc: FakeCdc, roster: Path
) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    set_the_clinics_code(desk)
    hub.stop()
    desk.record("057164", warn=True)
    desk.record("057165", warn=True)

    # The head nurse takes only the first child's dose to NIIS by hand.
    desk.go("/outage")
    desk.see("可匯出 2 筆，已勾選 2 筆")
    desk.row_with("057165").get_by_role("checkbox").click()
    desk.see("可匯出 2 筆，已勾選 1 筆")
    download = export(desk)
    assert download.suggested_filename.startswith(f"NIIS_{INSTITUTION}_")
    header, row = rows_of(download)
    assert (len(header), header[0], row[0], row[8]) == (24, "幼兒身分證號", "B222419838", INSTITUTION)
    desk.see("可匯出 1 筆，已勾選 1 筆")

    # The same file later, from the list.
    desk.frame.get_by_role("row", name=re.compile("-001")).click()
    with desk.page.expect_download() as again:
        desk.frame.get_by_role("button", name="再下載一次").click()
    assert Path(again.value.path()).read_bytes() == Path(download.path()).read_bytes()
    desk.frame.get_by_role("dialog").get_by_role("button", name="關閉").click()

    # CDC is back: the other one goes by itself, this one does not, and the lists say why.
    hub.start()
    desk.go("/BA102_3")
    expect(desk.row_with("057165").first).to_contain_text("檢核", timeout=60_000)
    expect(desk.row_with("057164").first).to_contain_text("已匯出檔案")
    assert len(cdc.records()) == 1

    # The file was never loaded: it goes by the interface after all.
    desk.row_with("057164").first.click()
    desk.see("系統不會自動上傳這筆")
    desk.tap("改由系統上傳")
    desk.see("再上傳會變成重複的接種紀錄")
    desk.frame.get_by_role("dialog").get_by_role("button", name="確定").click()
    eventually("both are at CDC", lambda: len(cdc.records()) == 2)


def test_a_paper_form_is_printed_without_a_network_and_entered_in_a_few_keys_each(
    tablet: Tablet, roster: Path
) -> None:
    desk = tablet.open()
    desk.go("/roster")
    desk.frame.locator("input[type=file]").set_input_files(str(roster))
    desk.frame.get_by_label(re.compile("場次名稱")).fill("復興國小")
    desk.tap("確定匯入")
    desk.see("匯入完成。", within=120)
    tablet.cut_network()
    desk.go("/outage/paper")
    desk.frame.get_by_role("combobox", name="場次", exact=True).click()
    desk.frame.get_by_role("option", name=re.compile("復興國小")).click()
    desk.see("場次　復興國小")
    body = desk.frame.locator("body")
    body.evaluate(COUNT_PRINTS)
    desk.tap("列印 (F9)")
    desk.page.keyboard.press("F9")
    assert body.evaluate("() => window.prints") == 2

    # The next day: of the first the day, the vaccine and the lot are typed, of the others only the number.
    desk.go("/BA102_3")
    keys = desk.page.keyboard
    for number, chart in enumerate(("057164", "057165")):
        desk.choose_first(chart)
        desk.see(f"病歷號碼 {chart}")
        if not number:
            desk.fill_vaccination(vaccine="MMR", dose="1", lot="AMJRE075AA-CDC", day="1100527")
        keys.press("F9")
        expect(desk.frame.get_by_label("原因（會記在這筆紀錄）")).to_have_value("補登過去紀錄")
        expect(desk.frame.get_by_role("button", name="仍要存檔")).to_be_focused()
        keys.press("Enter")
        desk.see(re.compile("已存檔：.*110/05/27.*MMR"))
        expect(desk.frame.get_by_label(re.compile("查詢患者"))).to_be_focused()
