"""Doses on their way to CDC: recorded on two tablets without a network, uploaded, refused, mended, verified."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.programs import FakeCdc, Hub, call
from e2e.screens import Desk, Tablet

LOT = "AMJRE075AA-CDC"
WRONG = "WRONG1-CDC"
NOBODY_WAITS = 3600.0  # only a tap of staff sends before that


# A hub that gathers for long, and asks CDC for its verdict after some seconds.
pytestmark = pytest.mark.parametrize("hub", [{"verify_after": 8.0, "gather": NOBODY_WAITS}], indirect=True)


def in_window(desk: Desk, text: str | re.Pattern[str]) -> None:
    expect(desk.frame.get_by_role("dialog").get_by_text(text).first).to_be_visible(timeout=60_000)


def see_wide_enough(desk: Desk) -> None:
    """The last column of the list can be read without moving the list sideways."""
    box = desk.frame.locator(".q-table__middle")
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth"), "the list is wider than the screen"


def search_today(desk: Desk) -> None:
    desk.frame.get_by_text("區間範圍搜尋").click()
    today = re.compile(r"^1\d{6}$")
    expect(desk.frame.get_by_label(re.compile("^接種日期起"))).to_have_value(today)
    desk.tap("確定")


def test_doses_of_two_tablets_go_to_cdc_are_refused_mended_and_verified(
    make_tablet: Callable[[str], Tablet], hub: Hub, cdc: FakeCdc, roster: Path
) -> None:
    one, two = make_tablet("one"), make_tablet("two")
    first, second = one.open(), two.open()
    first.import_roster(roster)
    first.go("/")
    everybody = first.frame.get_by_text(re.compile(r"^\d+ 人$")).inner_text()
    second.see(everybody, within=60)
    one.cut_network()
    two.cut_network()
    first.record("057164", lot=LOT, warn=True)
    second.record("057165", lot=WRONG, warn=True)

    # Without a network nothing is lost, and the tap says what is missing.
    first.go("/BA102_3_UPLOAD")
    first.see("待上傳 1 筆")
    first.page.keyboard.press("F9")
    first.see("這台裝置沒有連上診所網路，請檢查網路線或 Wi-Fi")
    expect(first.frame.get_by_role("button", name="上傳 (F9)")).to_be_enabled()  # the tap is over
    assert cdc.records() == {}

    one.mend_network()
    two.mend_network()
    first.see("待上傳 2 筆", within=60)
    search_today(first)
    first.see("區間內 2 筆，其中待上傳 2 筆")
    see_wide_enough(first)
    first.page.keyboard.press("F9")
    first.page.keyboard.press("F9")
    in_window(first, "API回傳訊息=I00000 作業完成。")
    in_window(first, "送出 2 筆：收件 2 筆、退回 0 筆。")
    in_window(first, "資料是送往「疾管署(CDC)」，不是健保署。")
    in_window(first, re.compile("還沒有檢核，不算完成"))
    expect(first.frame.get_by_role("dialog").get_by_role("button", name="確定")).to_be_focused()
    first.page.keyboard.press("Enter")
    expect(first.frame.get_by_role("dialog")).to_have_count(0)

    # The time is counted down; when it has come the hub asks by itself, and the other tablet sees it too.
    second.go("/BA102_3_DOWNLOAD")
    second.see(re.compile(r"送出 2 筆，.* 自動下載檢核結果，還有 0 分 \d 秒"))
    second.see_row("檢核通過")
    refused = second.row_with("E00091 批號不存在")
    expect(refused).to_contain_text("疾管署沒有這個疫苗、型別的這個批號")
    second.page.set_viewport_size({"width": 820, "height": 1180})
    see_wide_enough(second)

    # She mends it where CDC points, and it goes again; only the tap is hers.
    refused.click()
    lot = second.frame.get_by_label(re.compile("疫苗批號"))
    expect(lot).to_be_focused()
    lot.fill(LOT)
    second.save(despite_warning=True)
    second.go("/BA102_3_UPLOAD")
    second.see("待上傳 1 筆")
    see_wide_enough(second)
    second.tap("上傳 (F9)")
    in_window(second, "送出 1 筆：收件 1 筆、退回 0 筆。")
    second.tap("看檢核結果")
    second.see(re.compile("檢核失敗 0　待檢核 0　檢核通過 2"), within=60)
    assert {(r["state"], r["stored_versions"]) for r in cdc.records().values()} == {("held", 1)}
    assert sorted(r["uploads"] for r in cdc.records().values()) == [1, 2]  # the refused one came once more, mended


def test_with_cdc_away_the_tap_says_so_and_the_queue_goes_later_by_itself(
    tablet: Tablet, hub: Hub, cdc: FakeCdc, roster: Path
) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    call(f"{cdc.url}/control/down", {"down": True})
    desk.record("057164", lot=LOT, warn=True)
    desk.go("/BA102_3_UPLOAD")
    desk.tap("上傳 (F9)")
    desk.see(re.compile("VPN 已通，但疾管署系統沒有正常回應.*下次自動再試"), within=60)
    desk.see("已送出等候回應 1 筆")  # perhaps CDC has it: it is asked before anything is sent again

    call(f"{cdc.url}/control/down", {"down": False})
    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核通過")

    [record] = cdc.records().values()
    assert (record["stored_versions"], record["uploads"]) == (1, 1)
