"""疫苗批號建檔: the box is in the nurse's hand, the network is not."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from e2e.programs import Hub
from e2e.screens import Desk, Tablet

BOX, MAKERS_NUMBER = "VAX7q_1160630", "VAX7q"


def choose(desk: Desk, field: str, option: str) -> None:
    desk.frame.get_by_role("combobox", name=field).click()
    desk.frame.get_by_role("option", name=option).click()


def register_lot(desk: Desk, vaccine: str, number: str, maker: str) -> None:
    """As it is done with a box in one hand: F3, then Enter from field to field, up to 確定."""
    keys = desk.page.keyboard
    keys.press("F3")
    expect(desk.frame.get_by_role("combobox", name="疫苗代碼")).to_be_focused()
    keys.type(vaccine)
    expect(desk.frame.get_by_role("option").first).to_have_text(re.compile(rf"^{vaccine}\s"))
    keys.press("Enter")
    number_field = desk.frame.get_by_label(re.compile("疫苗批號"))
    expect(number_field).to_be_focused()
    keys.type(number)
    keys.press("Enter")
    expect(desk.frame.get_by_role("combobox", name="批號型別")).to_be_focused()
    keys.press("Enter")
    expect(desk.frame.get_by_label("廠商", exact=True)).to_be_focused()
    keys.type(maker)
    for field in ("效期", "每瓶劑數"):
        keys.press("Enter")
        expect(desk.frame.get_by_label(re.compile(field))).to_be_focused()
    keys.press("Enter")
    expect(desk.frame.get_by_role("combobox", name="狀態")).to_be_focused()
    keys.press("Enter")
    expect(desk.frame.get_by_role("button", name="確定")).to_be_focused()


def test_a_lot_is_registered_offline_used_and_recalled_everywhere(
    make_tablet: Callable[[str], Tablet], hub: Hub, roster: Path
) -> None:
    one, two = make_tablet("one"), make_tablet("two")
    first = one.open()
    first.import_roster(roster)
    second = two.open("/BA109")
    second.see("還沒有批號")
    first.see("未同步 0", within=60)

    one.cut_network()
    hub.stop()
    first.go("/")
    first.tap("疫苗批號建檔")
    first.see("還沒有批號")
    register_lot(first, "Var", BOX, "")
    expect(first.frame.get_by_label(re.compile("效期"))).to_have_value("1160630")
    expect(first.frame.get_by_role("combobox", name="批號型別")).to_have_value("2 自費")
    first.page.keyboard.press("Enter")
    first.see("廠商：沒有填廠商")
    first.page.keyboard.press("Escape")
    first.frame.get_by_label("廠商", exact=True).fill("MSD")
    first.page.keyboard.press("F9")
    first.see(f"已存檔：批號 {BOX}")
    first.see("共 1 個批號，缺廠商 0 個")

    first.record("057164", vaccine="Var", lot=BOX)

    first.go("/BA109")
    search = first.frame.get_by_label(re.compile("查詢批號"))
    expect(search).to_be_focused()
    search.fill(MAKERS_NUMBER.lower())
    first.see("找到 1 個批號")
    search.press("Enter")
    first.see("用這個批號的接種紀錄 1 筆")
    first.see_row("測試患者")
    choose(first, "狀態", "回收")
    first.tap("確定 (F9)")
    first.see(re.compile("接種時不再提供"))
    first.tap("仍要存檔")
    first.see(f"已存檔：批號 {BOX}")
    first.see_row("回收")

    hub.start()
    one.mend_network()
    second.see_row("回收")
    second.row_with(BOX).click()
    second.see("用這個批號的接種紀錄 1 筆")
