"""How Python comes up: with the memory kept by the build where the browser can put it in place, else by importing."""

import shutil
from pathlib import Path

from playwright.sync_api import expect

from e2e.programs import Hub, build_changed, build_from, copy_source
from e2e.screens import Desk, Tablet

CHANCE = "import os, random\n[random.random(), os.urandom(8).hex()]"


def is_restored(desk: Desk) -> bool:
    return bool(desk.page.workers[0].evaluate("self.desk.restored"))


def test_python_starts_from_the_memory_that_the_build_kept_with_fresh_chance(tablet: Tablet) -> None:
    desk = tablet.open()
    first = desk.python(CHANCE)
    assert is_restored(desk)

    tablet.close()
    desk = tablet.open()
    assert is_restored(desk)
    assert not set(first) & set(desk.python(CHANCE)), "what is by chance must not be kept"


def test_a_memory_that_does_not_fit_this_browser_is_left_alone_and_the_start_goes_on(
    tablet: Tablet, hub: Hub, tmp_path: Path
) -> None:
    hub.stop()
    hub.use_bundle(build_changed(tmp_path, "ui/runtime/memory.js", "stringify({ table,", "stringify({ table: 1,"))
    hub.start()

    desk = tablet.open()
    with desk.page.expect_navigation():
        desk.page.locator("#desk-update-apply").click(timeout=60_000)
    desk.wait()
    assert not is_restored(desk)
    desk.tap("預防接種建檔及修改")
    desk.see("今日接種 0 筆")


def test_the_same_inputs_give_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    garbage_collected_all_the_time = "--expose-gc --import data:text/javascript,setInterval(gc,5)"
    again = build_from(copy_source(tmp_path), tmp_path / "again", NODE_OPTIONS=garbage_collected_all_the_time)

    assert (again / "manifest.json").read_bytes() == (bundle / "manifest.json").read_bytes()


def test_a_device_says_that_it_is_not_ready_to_leave_until_it_is(
    new_tablet: Tablet, hub: Hub, bundle: Path, tmp_path: Path
) -> None:
    shutil.copytree(bundle, tmp_path / "bundle")
    lacking = tmp_path / "bundle/files/icons/maskable-512.png"
    lacking.rename(tmp_path / "lacking")
    hub.stop()
    hub.use_bundle(tmp_path / "bundle")
    hub.start()

    page = new_tablet.start()
    page.goto(new_tablet.url)
    Desk(page).wait()
    filling = page.locator("#desk-filling")
    expect(filling).to_contain_text("完成前請勿離開診所網路", timeout=30_000)
    expect(page.locator("html[data-whole]")).not_to_be_attached()

    (tmp_path / "lacking").rename(lacking)
    expect(page.locator("html[data-whole]")).to_be_attached(timeout=60_000)
    expect(filling).to_be_hidden()
