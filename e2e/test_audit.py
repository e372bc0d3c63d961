"""What was looked at on a tablet is in the clinic's audit, whatever happens to the tablet; and check proves it."""

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect

from e2e.programs import ROOT, Hub
from e2e.screens import SEARCH, Desk, Tablet

_FLUSHED = """
from ui import boot
await boot.running().trail.flush()
"""


def check(hub: Hub) -> str:
    """`python3 -m sync check`; returns what it says."""
    run = "import sys, pathlib, sync.keeping as k; sys.exit(k.run('check', pathlib.Path(sys.argv[1]), None))"
    done = subprocess.run(
        [sys.executable, "-c", run, str(hub.settings)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def rows(desk: Desk) -> list[str]:
    return desk.frame.locator(".desk-receipts tbody tr").all_inner_texts()


def test_what_was_looked_at_out_of_the_network_is_in_the_audit_after_the_battery_is_pulled(
    tablet: Tablet, hub: Hub, roster: Path
) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    tablet.cut_network()
    desk.go("/BA102_3")
    desk.frame.get_by_label(re.compile(SEARCH)).fill("057164")
    desk.row_with("057164").first.click()
    desk.see("病歷號碼 057164")
    desk.python(_FLUSHED)

    tablet.kill()
    tablet.mend_network()
    desk = tablet.open()
    desk.go("/audit")

    desk.see(re.compile(r"列出 \d+ 筆"))
    expect(desk.frame.locator(".desk-receipts tbody tr", has_text="搜尋")).to_contain_text("個案　1 筆")
    expect(desk.frame.locator(".desk-receipts tbody tr", has_text="查看").first).to_be_visible()
    assert any("新增個案" in row for row in rows(desk))
    hub.stop()
    said = check(hub)
    assert said.startswith("0\n"), said
    assert "audit" in said

    [path] = (hub.settings.parent / "data").glob("audit-*")
    path.write_bytes(path.read_bytes()[:-400])
    assert check(hub).startswith("1\n")
    assert "稽核紀錄的一處" in check(hub)


def test_a_manager_saves_the_audit_of_one_person(tablet: Tablet, roster: Path, tmp_path: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.go("/BA102_3")
    desk.frame.get_by_label(re.compile(SEARCH)).fill("057164")
    desk.row_with("057164").first.click()
    desk.tap("修改患者資料")
    desk.tap("看稽核紀錄")
    desk.see(re.compile("只列與此有關的紀錄：057164"))
    desk.see(re.compile(r"列出 \d+ 筆"))

    desk.tap("存成 CSV")
    with desk.page.expect_download() as downloading:
        desk.frame.get_by_role("dialog").get_by_role("button", name="確定").click()
    text = Path(downloading.value.path()).read_text(encoding="utf-8-sig")

    assert text.startswith("編號,時間,人員,做了什麼")
    assert "新增個案,057164" in text
    assert all("057164" in line for line in text.splitlines()[1:])
