"""A nurse enters a pregnant woman's results: hepatitis B, and rubella of the same day, without a network."""

import re
from pathlib import Path

from playwright.sync_api import expect

from e2e.programs import FakeCdc, Hub
from e2e.screens import Desk, Tablet


def choose(desk: Desk, field: str, value: str) -> None:
    desk.frame.get_by_role("combobox", name=field).click()
    desk.frame.get_by_role("option", name=value).click()
    expect(desk.frame.get_by_role("listbox")).to_have_count(0)  # gone, as before the eyes of a nurse


def type_into(desk: Desk, field: str, text: str) -> None:
    desk.frame.get_by_label(re.compile(f"^{re.escape(field)}")).fill(text)


def test_two_results_of_one_day_are_entered_offline_corrected_and_wait_for_the_upload(
    tablet: Tablet, hub: Hub, cdc: FakeCdc, roster: Path
) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.see("未同步 0", within=60)
    tablet.cut_network()

    desk.go("/")
    desk.tap("E.BAMENU4")
    desk.tap("2.BA103_3")
    desk.choose_first("057164")
    desk.see("還沒有檢驗紀錄。請按「新增」建立第一筆。")
    desk.tap("新增")
    desk.tap("孕婦B肝產檢結果")
    type_into(desk, "檢驗日期", "115/11/20")
    type_into(desk, "採檢日期", "115.11.18")
    type_into(desk, "採檢單位代碼", "1133060019")
    type_into(desk, "預產期", "1160520")
    choose(desk, "檢驗方法", "EIA")
    choose(desk, "HBsAg", "陰性")
    choose(desk, "HBeAg", "陽性")
    desk.see("HBeAg：HBsAg 陰性而 HBeAg 陽性，請核對報告（疾管署代碼 E00049）")
    choose(desk, "HBeAg", "陰性")
    desk.page.keyboard.press("F9")
    desk.see(re.compile("已存檔：測試患者 115/11/20 孕婦B肝產檢結果"))

    desk.tap("新增同天（115/11/20）的德國麻疹檢驗結果")
    choose(desk, "IgG", "陽性")
    desk.page.keyboard.press("F9")
    desk.see("檢驗紀錄 2 筆")
    tablet.close()

    desk = tablet.open("/BAMENU4")
    desk.see("待上傳 2")
    desk.see("主機 離線", within=40)
    desk.tap("3.BA103_3_UPLOAD")
    desk.tap("上傳 (F9)")
    desk.see("連不上主機，檢驗結果都保存在這台裝置", within=40)
    desk.row_with("德國麻疹檢驗結果").click()
    desk.see("IgG")
    choose(desk, "IgG", "陰性")
    desk.tap("儲存 (F9)")
    desk.see_row("IgG (-)")

    tablet.mend_network()
    desk.see("主機 正常", within=40)
    desk.see("未同步 0", within=60)
    desk.see_row("待上傳")
    assert cdc.exams() == {}

    desk.go("/BA103_3_UPLOAD")
    desk.page.keyboard.press("F9")
    desk.see("疾管署已收下 2 筆，退回 0 筆。API回傳訊息=I00001 新增成功", within=40)
    desk.see("沒有待上傳的檢驗結果")
    assert len(cdc.exams()) == 2

    # A correction CDC refuses is shown with its words, and with the next one CDC has what the clinic has.
    desk.go("/BA103_3")
    desk.choose_first("057164")
    desk.row_with("孕婦B肝產檢結果").click()
    choose(desk, "檢驗方法", "Other")
    desk.tap("儲存 (F9)")
    desk.tap("仍要存檔")
    desk.see(re.compile("已存檔"))
    desk.go("/BA103_3_UPLOAD")
    desk.see("產檢列表 1 筆")
    desk.page.keyboard.press("F9")
    desk.see("疾管署已收下 0 筆，退回 1 筆。API回傳訊息=E00048 無RIA及EIA檢驗結果", within=40)
    desk.row_with("疾管署退回").click()
    desk.see("E00048 無RIA及EIA檢驗結果")
    desk.see("疾管署只收 RIA 或 EIA 的檢驗結果。請核對報告的檢驗方法與結果後修正。（欄位：檢驗方法）")
    choose(desk, "檢驗方法", "RIA")
    desk.tap("儲存 (F9)")
    desk.see(re.compile("已存檔"))
    desk.go("/BA103_3_UPLOAD")
    desk.page.keyboard.press("F9")
    desk.see("疾管署已收下 1 筆，退回 0 筆。API回傳訊息=I00002 修改成功", within=40)
