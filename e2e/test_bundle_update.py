"""A new version of the program, while data recorded with the old one waits."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.programs import Hub, build_changed
from e2e.screens import Desk, Tablet

LOT = "AMJRE075AA-CDC"
NEW_NAME = "疫苗接種工作站二版"


@pytest.fixture
def new_bundle(tmp_path: Path, bundle: Path) -> Path:
    """The same program under a new name, so that a person can tell the versions apart."""
    name = 'PRODUCT = "{}"'
    return build_changed(tmp_path, "ui/wording/zh_tw/frame.py", name.format("疫苗接種工作站"), name.format(NEW_NAME))


def build_of(desk: Desk) -> str:
    return str(desk.page.evaluate("document.querySelector('meta[name=desk-build]').content"))


def test_a_new_version_is_offered_and_taken_without_losing_what_waits(
    tablet: Tablet, hub: Hub, roster: Path, new_bundle: Path
) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    old_build = build_of(desk)
    hub.stop()
    desk.record("057164", lot=LOT, warn=True)
    desk.see("主機 離線")

    hub.use_bundle(new_bundle)
    hub.start()
    desk.go("/BA102_3")
    expect(desk.page.locator("#desk-update")).to_be_visible(timeout=60_000)
    assert build_of(desk) == old_build, "the old version goes on until a person says otherwise"
    desk.see("疫苗接種工作站")
    desk.see("未同步 0", within=40)

    desk.page.locator("#desk-update-apply").click()
    desk.see(NEW_NAME, within=60)
    assert build_of(desk) != old_build
    desk.see("今日接種 1 筆")

    hub.stop()
    desk.page.reload()
    desk.see(NEW_NAME, within=60)
    desk.see("今日接種 1 筆")
