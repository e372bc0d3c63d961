"""練習模式: a new nurse practises on a tablet of the clinic, and the clinic's own work is not touched by it."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, expect

from e2e.programs import Hub, eventually
from e2e.screens import START_SECONDS, Desk, Tablet

BAND = "練習模式：資料是假的，不會送到主機或疾管署"
PAGES = ("/device", "/BA109", "/BA109_3_DOWNLOAD", "/BA102_3")
# Every file of the real store as it lies on the disk, read from beside whoever has it open; not of its audit, which
# notes that somebody began to practise.
READ_STORE = """async () => {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("desk");
  const files = {};
  for await (const entry of folder.values()) {
    if (entry.name.startsWith("audit.")) continue;
    const digest = await crypto.subtle.digest("SHA-256", await (await entry.getFile()).arrayBuffer());
    files[entry.name] = new Uint8Array(digest).join(" ");
  }
  return files;
}"""
FOLDERS = """async () => {
  const names = [];
  for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
  return names;
}"""
DAMAGED_PRACTICE = """async () => {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("desk-practice", { create: true });
  const file = await (await folder.getFileHandle("journal.000001", { create: true })).createWritable();
  await file.write("nothing that a journal begins with");
  await file.close();
  await (await caches.open("desk-meta")).put("/practice", new Response("yes"));
}"""
AT_REST = """
from ui import boot
database = boot.running().database
await database.settle()
database.newer_records() < database.idle_records
"""


def api_requests(context: BrowserContext) -> list[str]:
    """A list that grows with every request to the hub's API."""
    seen: list[str] = []

    def note(url: str) -> None:
        if (path := urlsplit(url).path).startswith("/api/"):
            seen.append(path)

    context.on("request", lambda request: note(request.url))
    return seen


def switch(desk: Desk, button: str, *, question: str, practice: bool) -> None:
    """Tap, read the question, say yes, and wait until the device has started afresh."""
    desk.tap(button)
    dialog = desk.frame.get_by_role("dialog")
    expect(dialog.get_by_text(question)).to_be_visible()
    with desk.page.expect_navigation():
        dialog.get_by_role("button", name="確定").click()
    desk.wait()
    expect(desk.frame.get_by_text(BAND)).to_be_visible(visible=practice, timeout=START_SECONDS * 1000)


def test_a_nurse_practises_and_the_real_work_waits_untouched(tablet: Tablet, hub: Hub, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.see("未同步 0", within=60)
    tablet.cut_network()
    desk.record("057164", warn=True)
    desk.see("未同步 1")
    eventually("the store is at rest", lambda: desk.python(AT_REST))
    real, head = desk.page.evaluate(READ_STORE), hub.health()["head"]
    assert len(real) > 1
    desk.go("/")

    switch(desk, "練習模式", question="還有 1 筆正式資料尚未同步到主機", practice=True)
    tablet.mend_network()
    assert tablet.context is not None
    requests = api_requests(tablet.context)
    for path in PAGES:
        desk.go(path)
        expect(desk.frame.get_by_text(BAND)).to_be_visible()
        expect(desk.page).to_have_title(re.compile("^【練習】"))
    assert desk.row_with("057164").count() == 0
    desk.choose_first("吳周歲")
    desk.fill_vaccination(vaccine="MMR", dose="1", lot="AMJRE075AA-CDC")
    desk.save()
    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核失敗")
    desk.go("/BA102_3_UPLOAD")
    desk.tap("上傳 (F9)")
    desk.go("/BA102_3_DOWNLOAD")
    expect(desk.row_with("吳周歲").filter(has_text="MMR").filter(has_text="檢核通過")).to_be_visible(timeout=60_000)
    assert desk.page.evaluate(READ_STORE) == real
    assert requests == []
    assert hub.health()["head"] == head

    switch(desk, "離開練習", question="練習的資料會全部刪除", practice=False)
    desk.see("未同步 0", within=60)
    assert "/api/sync" in requests
    assert hub.health()["head"] > head
    assert "desk-practice" not in desk.page.evaluate(FOLDERS)
    desk.go("/BA102_3")
    assert desk.row_with("057164").count() == 1
    desk.search("練習")
    desk.see(re.compile("查無此人"))


def test_a_tablet_that_dies_in_practice_wakes_up_in_practice(tablet: Tablet, hub: Hub) -> None:
    desk = tablet.open("/device")
    switch(desk, "開始練習", question="開始練習模式？", practice=True)
    desk.go("/BA102_3")
    desk.choose_first("吳周歲")
    desk.fill_vaccination(vaccine="MMR", dose="1", lot="AMJRE075AA-CDC")
    desk.save()
    hub.stop()
    tablet.kill()

    desk = tablet.open("/BA102_3")

    expect(desk.frame.get_by_text(BAND)).to_be_visible()
    expect(desk.row_with("吳周歲")).to_be_visible()


def test_all_tabs_of_a_device_practise_or_none(tablet: Tablet) -> None:
    first = tablet.open()
    second = tablet.open("/BA102_3")

    switch(first, "練習模式", question="這台裝置的所有視窗都會切換", practice=True)
    expect(second.frame.get_by_text(BAND)).to_be_visible(timeout=START_SECONDS * 1000)

    switch(second, "離開練習", question="離開練習模式", practice=False)
    expect(first.frame.get_by_text(BAND)).to_be_hidden(timeout=START_SECONDS * 1000)
    first.wait()


def test_a_practice_that_cannot_start_is_left_by_one_tap(tablet: Tablet) -> None:
    desk = tablet.open()
    desk.page.evaluate(DAMAGED_PRACTICE)
    desk.page.reload()
    leave = desk.page.get_by_role("button", name="離開練習模式")
    expect(leave).to_be_visible(timeout=START_SECONDS * 1000)
    expect(desk.page.get_by_role("button", name="匯出資料")).to_be_hidden()

    leave.click()

    desk.wait()
    desk.see("主機 正常")
    expect(desk.frame.get_by_text(BAND)).to_be_hidden()
