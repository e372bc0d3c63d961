"""From page to page without a load: the address tells where she is, so reloading and going back do as ever."""

import re

from playwright.sync_api import expect

from e2e.screens import Desk, Tablet


def see_page(desk: Desk, title: str, path: str) -> None:
    expect(desk.frame.get_by_role("heading", level=1)).to_have_text(re.compile(title), timeout=30_000)
    expect(desk.page).to_have_url(re.compile(rf"//[^/]+{re.escape(path)}$"))


def test_the_address_follows_and_back_goes_back(tablet: Tablet) -> None:
    desk = tablet.open()
    frame = desk.page.frames[1]
    frame.evaluate("window.stays = true")

    desk.tap("2.BA102_3_UPLOAD")
    see_page(desk, "上傳作業", "/BA102_3_UPLOAD")
    desk.page.keyboard.press("Escape")
    see_page(desk, "主選單", "/")
    desk.tap("7.BA109")
    see_page(desk, "疫苗批號建檔", "/BA109")
    desk.page.go_back()
    see_page(desk, "主選單", "/")
    desk.page.go_forward()
    see_page(desk, "疫苗批號建檔", "/BA109")
    assert frame.evaluate("window.stays") is True

    desk.page.reload()
    desk.wait()
    see_page(desk, "疫苗批號建檔", "/BA109")
    expect(desk.page).to_have_title(re.compile("疫苗批號建檔"))
