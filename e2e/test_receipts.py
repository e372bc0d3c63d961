"""A nurse shows what became of a dose: recorded, sent, refused in CDC's words, mended, verified; and the receipts."""

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from e2e.programs import FakeCdc, Hub
from e2e.screens import Desk, Tablet

LOT = "AMJRE075AA-CDC"
WRONG = "WRONG1-CDC"


def in_window(desk: Desk, text: str | re.Pattern[str]) -> None:
    expect(desk.frame.get_by_role("dialog").get_by_text(text).first).to_be_visible(timeout=60_000)


def close(desk: Desk) -> None:
    desk.frame.get_by_role("dialog").get_by_role("button", name="關閉").click()
    expect(desk.frame.get_by_role("dialog")).to_have_count(0)


def test_a_dose_shows_its_whole_way_and_each_receipt_says_what_cdc_said(
    tablet: Tablet, hub: Hub, cdc: FakeCdc, roster: Path, tmp_path: Path
) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.record("057164", lot=WRONG, warn=True)
    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核失敗")
    desk.row_with(WRONG).first.click()
    desk.see("病歷號碼 057164")
    desk.frame.get_by_label(re.compile("疫苗批號")).fill(LOT)
    desk.save(despite_warning=True)
    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核通過")
    desk.row_with(LOT).first.click()
    desk.see("病歷號碼 057164")

    # The way of the dose, step by step, with CDC's words as they came.
    desk.tap("歷程")
    in_window(desk, "這筆資料的歷程")
    told = desk.frame.get_by_role("listitem").all_inner_texts()
    steps = ["登錄", "送往疾管署：新增", "疾管署收件", "檢核失敗", "修改", "送往疾管署：新增", "疾管署收件", "檢核通過"]
    assert len(told) == len(steps), told
    assert all(step in line for step, line in zip(steps, told, strict=True)), told
    assert "E00091 批號不存在" in told[3]
    assert "改了疫苗批號" in told[4]
    assert "這台裝置" in told[0]

    # From the refused step to what was exchanged about that batch.
    desk.frame.get_by_role("dialog").get_by_role("button", name="看往來原文").first.click()
    desk.see_row("查詢檢核結果")
    desk.row_with("批號不存在").first.click()
    in_window(desk, re.compile("傳輸紀錄第 \\d+ 號"))
    in_window(desk, "E00091 批號不存在")
    with desk.page.expect_download() as saved:
        desk.tap("存成檔案")
    saved.value.save_as(tmp_path / "receipt.json")
    receipt = json.loads((tmp_path / "receipt.json").read_text(encoding="utf-8"))
    assert "批號不存在" in receipt["answer"]["text"]
    close(desk)
    desk.row_with("上傳接種資料").first.click()
    in_window(desk, "送出的內容")
    in_window(desk, re.compile(WRONG))
    secrets = desk.frame.get_by_role("dialog").get_by_text(re.compile("Authorization|AUTH", re.IGNORECASE))
    expect(secrets).to_have_count(0)
    close(desk)

    # All of this person's, by chart number.
    desk.tap("清除條件")
    desk.frame.get_by_label("病歷號碼").fill("057164")
    desk.page.keyboard.press("F9")
    desk.see("列出 4 筆")

    # Without the hub the page says so, and the way shows what this device knows.
    tablet.cut_network()
    desk.page.keyboard.press("F9")
    desk.see("連不上主機。傳輸紀錄存放在主機上")
    tablet.mend_network()
    desk.page.keyboard.press("F9")
    desk.see("列出 4 筆", within=60)


def test_the_hub_tells_whose_tap_asked_for_stock(tablet: Tablet, hub: Hub, cdc: FakeCdc) -> None:
    desk = tablet.open()
    desk.go("/BA109_3_DOWNLOAD")
    desk.tap("下載(CDC)庫存")
    desk.see_row("D006A-CDC")

    desk.go("/")
    desk.page.keyboard.press("Shift+F4")
    desk.see("傳輸紀錄", within=60)
    desk.see_row("下載庫存")

    expect(desk.row_with("下載庫存").first).to_contain_text("工作人員")
