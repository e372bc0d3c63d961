"""Every screen, empty and at work: axe finds nothing, a finger hits everything, nothing is wider than the screen."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.audit import Audit
from e2e.programs import INSTITUTION, FakeCdc, Hub, call
from e2e.screens import Desk, Tablet
from ui.boot import PATHS

LOT = "AMJRE075AA-CDC"
EDITED_APART = """
from ui import boot
from store.changes import ChangeDraft, ChangeKind
from store.conflicts import replaced_by_edit
state = boot.running()
dose = next(state.database.tables.vaccinations.documents())
names = "patient_id", "vaccination_date", "vaccine_code", "dose_number", "lot_number", "lot_type"
kept = {name: dose[name] for name in names}
bases = replaced_by_edit(dose)
for note in ("左", "右"):
    await state.commit([ChangeDraft(ChangeKind.CORRECT_VACCINATION, dose["record_id"], {**kept, "note": note}, bases)])
state.touch()
"""


ELSEWHERE = {
    "date": "2020-03-02", "vaccine_code": "BCG", "dose": "1", "lot_number": "B-1", "name": "臺中市南區衛生所",
    "institution_code": "2366020014",
}  # fmt: skip


WAITING = """
from ui import boot
from store.changes import ChangeDraft, ChangeKind
state = boot.running()
people = sorted(state.database.tables.patients.documents(), key=lambda one: one["chart_number"] != "057164")[:3]
for number, person in enumerate(people, start=1):
    dose = {
        "patient_id": person["record_id"], "vaccination_date": f"2026-11-2{number}", "vaccine_code": "MMR",
        "dose_number": "1", "lot_number": "AMJRE075AA-CDC" if number > 1 else "𠮷-CDC", "lot_type": str(number),
    }
    await state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, f"{number:032x}", dose)])
state.touch()
"""
VOIDED = """
from ui import boot
from store.changes import ChangeDraft, ChangeKind
state = boot.running()
dose = state.database.tables.vaccinations.at(f"{2:032x}")
bases = (dose["revision"],)
await state.commit([ChangeDraft(ChangeKind.VOID_VACCINATION, dose["record_id"], {"reason": "打錯人"}, bases)])
state.touch()
"""


def leave(desk: Desk, button: str) -> None:
    """Out of the window that is open."""
    desk.frame.get_by_role("dialog").get_by_role("button", name=button).click()
    expect(desk.frame.get_by_role("dialog")).to_have_count(0)


def test_screens_of_a_clinic_that_begins(tablet: Tablet) -> None:
    desk = tablet.open()
    audit = Audit(desk)
    for path in PATHS:
        desk.go(path)
        audit.look(f"empty{path.replace('/', '-')}")
    desk.page.keyboard.press("F1")
    desk.see("說明：這個畫面的按鍵")
    audit.look("help")
    assert not audit.faults, "\n".join(audit.faults)


def test_screens_of_recording(tablet: Tablet, cdc: FakeCdc, hub: Hub, roster: Path) -> None:
    desk = tablet.open()
    audit = Audit(desk)
    keys = desk.page.keyboard
    desk.go("/roster")
    desk.frame.locator("input[type=file]").set_input_files(str(roster))
    desk.see("確定匯入")
    audit.look("roster-preview")
    desk.tap("確定匯入")
    desk.see("匯入完成。", within=120)
    audit.look("roster-done")
    desk.go("/")
    desk.search("陳")
    desk.see(re.compile(r"找到 \d+ 人"))
    audit.look("menu-found")
    desk.go("/BA102_3")
    desk.search("沒有這個人")
    desk.see("查無此人")
    audit.look("search-nobody")
    keys.press("F3")
    desk.see("新生兒沒有身分證時")
    desk.frame.get_by_label("身分證", exact=True).fill("A123456780")
    audit.look("new-patient")
    keys.press("Escape")
    desk.choose_first("057164")
    desk.see("病歷號碼 057164")
    audit.look("record-new")
    desk.tap("疫苗代碼查詢")
    desk.frame.get_by_label(re.compile("輸入代碼或名稱")).fill("M")
    desk.frame.get_by_label(re.compile("輸入代碼或名稱")).press("Enter")
    desk.see("已選：")
    audit.look("two-level")
    leave(desk, "離開")
    desk.fill_vaccination(vaccine="MMR", dose="3", lot="WRONG1-CDC", day="110/05/27")
    desk.see(re.compile("⚠"))
    audit.look("record-warned")
    desk.tap("確定 (F9)")
    desk.see("請再確認")
    audit.look("save-anyway")
    desk.tap("仍要存檔")
    desk.see(re.compile("已存檔"))
    audit.look("record-saved")
    desk.record("057165", lot=LOT, warn=True)
    desk.record("057165", lot=LOT, warn=True)
    desk.go("/BA102_3_UPLOAD")
    audit.look("upload")
    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核失敗")
    audit.look("verification")
    desk.row_with("WRONG1-CDC").first.click()
    desk.see("病歷號碼 057164")
    audit.look("record-refused")
    desk.tap("作廢")
    desk.see("作廢這筆接種紀錄？")
    audit.look("void")
    leave(desk, "取消")
    desk.tap("特殊身分查詢")
    desk.see("身分別類別")
    audit.look("identities")
    leave(desk, "離開")
    cdc.know_history("B222419838", "1985-11-08", ELSEWHERE)
    keys.press("F7")
    desk.see("還沒有這位患者的疾管署接種紀錄")
    audit.look("history-never")
    keys.press("F9")
    desk.see_row("臺中市南區衛生所")
    audit.look("history")
    keys.press("Escape")
    desk.see("未同步 0")
    desk.python(EDITED_APART)
    desk.go("/conflicts")
    desk.see("兩站修改不同")
    desk.see("同一劑登錄了兩筆")
    audit.look("conflicts")
    desk.tap("採用這一版")
    audit.look("conflict-question")
    assert not audit.faults, "\n".join(audit.faults)


def test_screens_of_stock_lots_and_device(tablet: Tablet, cdc: FakeCdc, hub: Hub, roster: Path) -> None:
    desk = tablet.open()
    audit = Audit(desk)
    desk.go("/roster")
    desk.frame.locator("input[type=file]").set_input_files(str(roster))
    desk.frame.get_by_label(re.compile("場次名稱")).fill("復興國小流感")
    desk.tap("確定匯入")
    desk.see("匯入完成。", within=120)
    desk.go("/BA109_3_DOWNLOAD")
    desk.tap("下載(CDC)庫存")
    desk.see(re.compile("下載成功"))
    desk.record("057164", lot=LOT)
    desk.go("/BA109_3_DOWNLOAD")
    desk.frame.get_by_label(f"消耗量(瓶) {LOT}", exact=True).fill("5")
    desk.frame.get_by_label("消耗量(瓶) DH2437-CDC", exact=True).fill("x")
    desk.see("請填整數")
    audit.look("stock")
    desk.frame.get_by_role("button", name=LOT, exact=True).click()
    desk.see(re.compile("接種名單"))
    audit.look("stock-patients")
    desk.go("/BA109")
    desk.see("共 15 個批號")
    audit.look("lots")
    desk.page.keyboard.press("F3")
    desk.see("新增批號")
    audit.look("lot-new")
    desk.page.keyboard.press("Escape")
    desk.row_with(LOT).click()
    desk.see("用這個批號的接種紀錄")
    audit.look("lot")
    desk.frame.get_by_role("combobox", name="狀態").click()
    desk.frame.get_by_role("option", name="回收").click()
    desk.tap("確定 (F9)")
    desk.see("接種時不再提供")
    audit.look("lot-question")
    desk.go("/device")
    desk.frame.get_by_role("radio", name="指定場次").click()
    desk.row_with("復興國小流感").get_by_role("checkbox").click()
    audit.look("device-chosen")
    desk.tap("套用 (F9)")
    desk.see("從這台裝置移除")
    audit.look("device-question")
    tablet.cut_network()
    hub.stop()
    desk.go("/")
    desk.see("主機 離線", within=40)
    audit.look("menu-offline")
    assert not audit.faults, "\n".join(audit.faults)


def test_screens_of_prenatal_exams(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    audit = Audit(desk)
    desk.import_roster(roster)
    desk.go("/BA103_3")
    desk.choose_first("057164")
    desk.see("還沒有檢驗紀錄")
    audit.look("exams-none")
    desk.tap("新增")
    audit.look("exam-new")
    desk.tap("孕婦B肝產檢結果")
    desk.see("HBsAg")
    desk.frame.get_by_label(re.compile("^檢驗日期")).fill("9")
    audit.look("exam-form")
    desk.frame.get_by_label(re.compile("^檢驗日期")).fill("115/11/20")
    desk.tap("儲存 (F9)")
    desk.see("仍要")
    audit.look("exam-question")
    desk.tap("仍要")
    desk.see(re.compile("已存檔"))
    audit.look("exams-one")
    desk.go("/BA103_3_UPLOAD")
    audit.look("exam-upload")
    assert not audit.faults, "\n".join(audit.faults)


def test_screens_of_the_settings(tablet: Tablet, tmp_path: Path) -> None:
    desk = tablet.open("/BA109_3_DOWNLOAD")
    audit = Audit(desk)
    desk.tap("下載(CDC)庫存")
    desk.see(re.compile("下載成功"))
    desk.go("/settings")
    desk.frame.get_by_label("醫事機構代碼").fill("592202A296")
    desk.see(re.compile("主機設定檔的醫事機構代碼是"))
    audit.look("settings-clinic")
    desk.frame.get_by_role("tab", name="使用中疫苗").click()
    desk.frame.get_by_label("找疫苗（代碼或名稱）").fill("麻疹")
    desk.frame.get_by_role("checkbox", name=re.compile(r"^MMR\s")).click()
    audit.look("settings-vaccines")
    desk.frame.get_by_role("tab", name="當日批號").click()
    desk.frame.get_by_role("combobox", name=re.compile("^MMR")).click()
    desk.frame.get_by_role("option", name=re.compile(LOT)).click()
    audit.look("settings-lots")
    desk.frame.get_by_role("tab", name="人員").click()
    desk.frame.get_by_label("人員代號").fill("N01")
    desk.frame.get_by_label("人員姓名").fill("王護理師")
    desk.tap("加入")
    expect(desk.frame.get_by_role("switch", name=re.compile("N01"))).to_be_visible()
    audit.look("settings-staff")
    desk.frame.get_by_role("tab", name="代碼表").click()
    with desk.page.expect_download() as giving:
        desk.tap("下載目前的疫苗代碼表")
    table = tmp_path / "table.csv"
    newer = Path(giving.value.path()).read_text(encoding="utf-8-sig").replace("# date: 2026-11-25", "# date: 115/11/26")
    for line, screen, told in (
        ("New_2027,新疫苗,New,,maybe,no,no,IM\n", "settings-table-refused", "必須填寫"),
        ("New_2027,新疫苗,New,1,yes,no,no,IM\n", "settings-table", "新增 1"),
    ):
        table.write_text(newer + line, encoding="utf-8")
        desk.frame.locator("input[type=file]").first.set_input_files(str(table))
        desk.see(re.compile(told))
        audit.look(screen)
    desk.page.keyboard.press("Escape")
    desk.see("要先存檔嗎？")
    audit.look("settings-question")
    assert not audit.faults, "\n".join(audit.faults)


def test_screens_of_practice(tablet: Tablet) -> None:
    desk = tablet.open()
    audit = Audit(desk)
    desk.tap("練習模式")
    desk.see(re.compile("這台裝置的所有視窗都會切換"))
    audit.look("practice-question")
    with desk.page.expect_navigation():
        desk.frame.get_by_role("dialog").get_by_role("button", name="確定").click()
    desk.wait()
    for path in ("/", "/device", "/BA102_3", "/BA109_3_DOWNLOAD"):
        desk.go(path)
        desk.see("練習模式：資料是假的，不會送到主機或疾管署")
        audit.look(f"practice{path.replace('/', '-')}")
    desk.tap("離開練習")
    desk.see(re.compile("練習的資料會全部刪除"))
    audit.look("practice-leave")
    assert not audit.faults, "\n".join(audit.faults)


@pytest.mark.parametrize("hub", [{"gather": 3600.0}], indirect=True)
def test_windows_with_what_came_of_an_upload(tablet: Tablet, cdc: FakeCdc, roster: Path) -> None:
    call(f"{cdc.url}/control/verify_after", {"seconds": 15})
    desk = tablet.open()
    audit = Audit(desk)
    desk.import_roster(roster)
    desk.record("057164", lot="WRONG1-CDC", warn=True)
    desk.record("057165", lot=LOT, warn=True)
    desk.go("/BA102_3_UPLOAD")
    desk.frame.get_by_text("區間範圍搜尋").click()
    desk.frame.get_by_label(re.compile("^接種日期起")).fill("1150230")
    desk.tap("確定")
    audit.look("upload-range")
    desk.frame.get_by_text("未上傳資料搜尋").click()
    desk.tap("上傳 (F9)")
    desk.see("送出 2 筆：收件 2 筆、退回 0 筆。")
    audit.look("upload-result")
    desk.tap("看檢核結果")
    desk.see(re.compile("檢核時間已到"))
    desk.tap("下載 (F9)")
    desk.see("下載完成", within=60)
    audit.look("verification-result")
    leave(desk, "確定")
    desk.see(re.compile("檢核失敗 1"))
    audit.look("verification-refused")
    assert not audit.faults, "\n".join(audit.faults)


def test_screens_of_receipts(tablet: Tablet, cdc: FakeCdc, roster: Path) -> None:
    desk = tablet.open()
    audit = Audit(desk)
    desk.import_roster(roster)
    desk.go("/BA109_3_DOWNLOAD")
    desk.tap("下載(CDC)庫存")
    desk.see(re.compile("下載成功"))
    desk.record("057164", lot="WRONG1-CDC", warn=True)
    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核失敗")
    desk.row_with("WRONG1-CDC").first.click()
    desk.see("病歷號碼 057164")
    audit.look("record-with-way")
    desk.tap("歷程")
    desk.see("這筆資料的歷程")
    audit.look("way")
    leave(desk, "關閉")
    desk.go("/receipts")
    desk.see(re.compile(r"列出 \d+ 筆"))
    audit.look("receipts")
    desk.row_with("批號不存在").first.click()
    desk.see(re.compile(r"傳輸紀錄第 \d+ 號"))
    audit.look("receipt")
    leave(desk, "關閉")
    tablet.cut_network()
    desk.tap("查詢 (F9)")
    desk.see("連不上主機。傳輸紀錄存放在主機上")
    audit.look("receipts-no-hub")
    assert not audit.faults, "\n".join(audit.faults)


def test_screens_of_the_audit(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    audit = Audit(desk)
    desk.import_roster(roster)
    desk.record("057164", warn=True)
    desk.go("/audit")
    desk.see(re.compile(r"列出 \d+ 筆"))
    audit.look("audit")
    desk.tap("存成 CSV")
    desk.see("存成檔案？")
    audit.look("audit-question")
    leave(desk, "取消")
    desk.frame.get_by_label("人員").fill("沒有這個人")
    desk.tap("查詢 (F9)")
    desk.see("沒有符合的稽核紀錄")
    audit.look("audit-none")
    tablet.cut_network()
    desk.tap("查詢 (F9)")
    desk.see("連不上主機。稽核紀錄存放在主機上")
    audit.look("audit-no-hub")
    assert not audit.faults, "\n".join(audit.faults)


def test_screens_of_an_outage(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    audit = Audit(desk)
    desk.go("/roster")
    desk.frame.locator("input[type=file]").set_input_files(str(roster))
    desk.frame.get_by_label(re.compile("場次名稱")).fill("復興國小流感")
    desk.tap("確定匯入")
    desk.see("匯入完成。", within=120)
    desk.go("/settings")
    desk.frame.get_by_label(re.compile("醫事機構代碼")).fill(INSTITUTION)
    desk.frame.get_by_label("診所名稱").fill("測試診所")
    desk.page.keyboard.press("F9")
    desk.see("設定已存檔")
    tablet.cut_network()
    desk.python(WAITING)
    desk.go("/outage")
    desk.see("可匯出 2 筆")
    audit.look("outage")
    desk.page.keyboard.press("F9")
    desk.see("系統不再自動上傳")
    audit.look("outage-question")
    desk.frame.get_by_role("dialog").get_by_role("button", name="確定").click()
    desk.see("沒有可以匯出的資料")
    desk.python(VOIDED)
    desk.see("匯出後又有變動 1 筆")
    audit.look("outage-changed")
    desk.frame.get_by_role("row", name=re.compile("-001")).click()
    desk.see("再下載一次")
    audit.look("outage-export")
    leave(desk, "關閉")
    desk.frame.locator(".desk-exports tbody tr", has_text="已作廢").click()
    desk.see("系統不會自動上傳這筆")
    audit.look("outage-record")
    desk.go("/BA102_3_UPLOAD")
    audit.look("outage-upload")
    desk.go("/outage/paper")
    audit.look("paper-blank")
    desk.frame.get_by_role("combobox", name="場次", exact=True).click()
    desk.frame.get_by_role("option", name=re.compile("復興國小")).click()
    desk.see("場次　復興國小流感")
    audit.look("paper-session")
    assert not audit.faults, "\n".join(audit.faults)
