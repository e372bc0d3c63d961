"""A whole day without a mouse: every step is a key, and the eye sees where the keys are."""

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from e2e.programs import FakeCdc
from e2e.screens import START_SECONDS, Desk, Tablet

LOT = "AMJRE075AA-CDC"
_MANY = 60  # stops of Tab: more than any screen has
# A frame around the stop itself, or the field that is lit.
_IS_SEEN = """() => {
  const now = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(now);
  return now.closest(".q-field--focused") !== null || (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2);
}"""


class Keys:
    """The ten fingers of a nurse."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def press(self, *keys: str) -> None:
        for key in keys:
            self.desk.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.desk.page.keyboard.type(text)

    def walk_to(self, place: Locator, key: str = "Tab") -> None:
        """From stop to stop until the place is reached."""
        expect(place.first).to_be_visible()
        for _ in range(_MANY):
            if place.first.evaluate("(one) => one === document.activeElement"):
                break
            self.press(key)
        expect(place.first).to_be_focused()
        assert self.desk.page.frames[-1].evaluate(_IS_SEEN), "nobody sees where the keys are"

    def tap(self, button: str, key: str = "Tab") -> None:
        self.walk_to(self.desk.frame.get_by_role("button", name=button), key)
        self.press("Enter")

    def find(self, text: str) -> None:
        """In the search, where the cursor stands already."""
        expect(self.desk.frame.get_by_label(re.compile("查詢患者"))).to_be_focused()
        self.type(text)
        self.desk.see("找到 1 人")

    def vaccinate(self, vaccine: str, dose: str, lot: str) -> None:
        expect(self.desk.frame.get_by_role("combobox", name="疫苗編號")).to_be_focused()
        self.type(vaccine)
        expect(self.desk.frame.get_by_role("option").first).to_have_text(re.compile(rf"^{vaccine}\s"))
        self.press("Enter")
        for field, text in (("劑別", dose), ("疫苗批號 (區分大小寫)", lot)):
            expect(self.desk.frame.get_by_label(field, exact=True)).to_be_focused()
            self.press("ControlOrMeta+A")
            self.type(text)
            self.press("Enter")
        self.press("F9")

    def save_anyway(self) -> None:
        """What the question offers first."""
        expect(self.desk.frame.get_by_role("button", name="仍要存檔")).to_be_focused()
        self.press("Enter")
        self.desk.see(re.compile("已存檔"))

    def go_to_menu(self) -> None:
        expect(self.desk.frame.get_by_role("dialog")).to_have_count(0)
        self.press("Escape")
        self.see_title("主選單")

    def see_title(self, title: str) -> None:
        expect(self.desk.frame.get_by_role("heading", level=1)).to_have_text(re.compile(title), timeout=30_000)
        expect(self.desk.bar("主機 正常")).to_be_visible(timeout=START_SECONDS * 1000)


def test_recording_without_a_mouse(tablet: Tablet, cdc: FakeCdc, roster: Path) -> None:
    desk = tablet.open()
    keys = Keys(desk)
    keys.tap("名冊匯入")
    keys.see_title("名冊匯入")
    with desk.page.expect_file_chooser() as chooser:
        keys.tap("選擇檔案")
    chooser.value.set_files(str(roster))
    expect(desk.frame.get_by_role("button", name="確定匯入")).to_be_visible()
    keys.press("F9")
    desk.see("匯入完成。", within=60)
    keys.go_to_menu()

    keys.find("057164")
    keys.press("ArrowDown")
    keys.walk_to(desk.row_with("057164"))
    keys.press("Enter")
    keys.see_title("預防接種建檔及修改")
    keys.vaccinate("MMR", "2", "WRONG1-CDC")
    expect(desk.frame.get_by_role("button", name="仍要存檔")).to_be_focused()
    keys.tap("補登過去紀錄", "Shift+Tab")
    keys.walk_to(desk.frame.get_by_role("button", name="仍要存檔"))
    keys.save_anyway()

    keys.find("057165")
    keys.press("Enter")
    desk.see("病歷號碼 057165")
    keys.press("F9")
    keys.save_anyway()
    desk.see("今日接種 2 筆")
    keys.press("F8")
    desk.see("病歷號碼 057165")
    keys.vaccinate("Var", "1", "V1")
    keys.save_anyway()
    desk.see("今日接種 3 筆")

    keys.walk_to(desk.row_with("V1"))
    keys.press("Enter")
    keys.tap("作廢")
    expect(desk.frame.get_by_label("作廢原因（必填）")).to_be_focused()
    keys.type("打錯人")
    keys.tap("確定作廢")
    desk.see_row("已作廢")
    desk.see("今日接種 2 筆")

    keys.press("F3")
    chart = desk.frame.get_by_label("病歷號碼", exact=True)
    expect(chart).to_be_focused()
    keys.type("070001")
    expect(chart).to_have_value("070001")
    keys.press("Enter")
    expect(desk.frame.get_by_label("姓名", exact=True)).to_be_focused()
    keys.type("王小明")
    keys.walk_to(desk.frame.get_by_label(re.compile("出生日期")))
    keys.type("1130520")
    keys.press("F9")
    desk.see("病歷號碼 070001")
    keys.press("F7")
    desk.see("預防接種(CDC)查詢(BA102_3FF)")
    keys.press("Escape")
    expect(desk.frame.get_by_role("dialog")).to_have_count(0)
    keys.press("Escape")
    keys.go_to_menu()

    keys.press("F3")
    keys.see_title("上傳作業")
    keys.press("F9")
    keys.go_to_menu()
    keys.press("F4")
    keys.see_title("下載作業")
    keys.press("F9")
    desk.see_row("檢核失敗")
    keys.walk_to(desk.row_with("檢核失敗"))
    keys.press("Enter")
    lot = desk.frame.get_by_label("疫苗批號 (區分大小寫)", exact=True)
    expect(lot).to_be_focused()
    keys.press("ControlOrMeta+A")
    keys.type(LOT)
    keys.press("F9")
    keys.save_anyway()
    keys.go_to_menu()
    keys.press("F1")
    desk.see("說明：這個畫面的按鍵")
    expect(desk.frame.get_by_role("button", name="離開")).to_be_focused()
    keys.press("Enter")
    expect(desk.frame.get_by_role("dialog")).to_have_count(0)


def test_lots_stock_exams_conflicts_and_the_device_without_a_mouse(tablet: Tablet, cdc: FakeCdc, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    for _ in range(2):
        desk.record("057164", lot="M1-CDC", warn=True)
    keys = Keys(desk)
    keys.go_to_menu()

    keys.press("F7")
    keys.see_title("疫苗批號建檔")
    keys.press("F3")
    expect(desk.frame.get_by_role("combobox", name="疫苗代碼")).to_be_focused()
    keys.type("Var")
    expect(desk.frame.get_by_role("option").first).to_have_text(re.compile(r"^Var\s"))
    keys.press("Enter")
    expect(desk.frame.get_by_label(re.compile("疫苗批號"))).to_be_focused()
    keys.type("KEY1-CDC")
    keys.press("F9")
    keys.save_anyway()
    expect(desk.frame.get_by_label(re.compile("查詢批號"))).to_be_focused()
    keys.press("ArrowDown")
    keys.walk_to(desk.row_with("KEY1-CDC"), "ArrowDown")
    keys.press("Enter")
    desk.see("用這個批號的接種紀錄 0 筆")
    keys.press("Escape")
    desk.see("共 1 個批號")
    keys.go_to_menu()

    keys.press("F8")
    keys.see_title("疫苗批號和數量")
    keys.tap("下載(CDC)庫存")
    desk.see(re.compile("下載成功"))
    keys.walk_to(desk.frame.get_by_label("消耗量(瓶) DH2437-CDC", exact=True))
    keys.type("5")
    keys.press("F9")
    desk.see(re.compile("疾管署已收下 1 筆"), within=60)
    keys.go_to_menu()

    keys.press("F9")
    keys.see_title("BAMENU4")
    keys.tap("2.BA103_3")
    keys.find("057164")
    keys.press("Enter")
    desk.see("還沒有檢驗紀錄")
    keys.press("F3")
    keys.tap("孕婦B肝產檢結果")
    keys.walk_to(desk.frame.get_by_role("combobox", name="HBsAg"))
    keys.press("ArrowDown")
    expect(desk.frame.get_by_role("option", name="陰性")).to_be_visible()
    keys.press("ArrowDown", "Enter")
    keys.press("F9")
    keys.save_anyway()
    desk.see("檢驗紀錄 1 筆")
    keys.press("Escape", "Escape")
    keys.see_title("BAMENU4")
    keys.go_to_menu()

    keys.press("F10")
    keys.see_title("待處理衝突")
    keys.tap("兩筆都是真的")
    expect(desk.frame.get_by_role("dialog").get_by_role("button", name="取消")).to_be_focused()
    keys.press("Shift+Tab")
    expect(desk.frame.get_by_role("dialog").get_by_role("button", name="確定")).to_be_focused()
    keys.press("Enter")
    desk.see("近 30 天的決定")
    keys.go_to_menu()

    keys.tap("本機資料")
    keys.see_title("本機資料")
    keys.walk_to(desk.frame.get_by_role("radio", name="指定場次"))
    keys.press("Space")
    desk.see("還沒有場次")
    keys.go_to_menu()


def test_escape_closes_an_open_list_and_leaves_the_form(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.go("/BA102_3")
    desk.choose_first("057164")
    desk.frame.get_by_label("備註").fill("第一劑")
    lists = desk.frame.get_by_role("listbox")
    desk.frame.get_by_role("combobox", name="批號型別").click()
    expect(lists).to_be_visible()

    desk.page.keyboard.press("Escape")
    expect(lists).to_be_hidden()
    expect(desk.frame.get_by_label("備註")).to_have_value("第一劑")

    desk.page.keyboard.press("Escape")
    expect(desk.frame.get_by_label("備註")).to_be_hidden()
