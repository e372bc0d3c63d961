"""What a device keeps when it has a data key: nothing to be read in its files, and nothing lost on the way there."""

import json
from pathlib import Path

from playwright.sync_api import expect

from e2e.screens import START_SECONDS, Tablet

LOT = "AMJRE075AA-CDC"
# Whoever unlocks the device gives the worker its key with the word to lead; here the browser does.
GIVE_KEY = """
const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function (message, ...rest) {
  const given = message.t === "lead" ? { ...message, dataKey: new Uint8Array(32).fill(%d) } : message;
  return postMessage.call(this, given, ...rest);
};
"""
ABOUT = """
import json
from ui import boot
[person] = boot.running().database.tables.patients.find_by("chart_number", "057164")
json.dumps(dict(person))
"""


def start_with_key(tablet: Tablet, number: int) -> None:
    tablet.start()
    assert tablet.context is not None
    tablet.context.add_init_script(GIVE_KEY % number)


def found_in_files(tablet: Tablet, words: list[str]) -> set[str]:
    """Which of the words stand in the device's own files, in any way that programs write text."""
    folders = [tablet.profile / "Default" / name for name in ("File System", "IndexedDB")]
    files = [path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert sum(map(len, files)) > 10_000, "the files are elsewhere"
    ways = {
        word: [word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be"), json.dumps(word)[1:-1].encode()]
        for word in words
    }
    return {word for word in words if any(way in data for way in ways[word] for data in files)}


def test_a_store_in_clear_is_sealed_whole_and_opens_by_its_key_only(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    tablet.cut_network()
    desk.record("057164", lot=LOT, warn=True)
    person = json.loads(desk.python(ABOUT))
    words = [LOT, *(person[key] for key in ("name", "national_id", "phone", "chart_number"))]
    assert all(len(word) > 3 for word in words)
    tablet.close()
    assert found_in_files(tablet, words) == set(words)

    start_with_key(tablet, 7)
    desk = tablet.open()
    assert json.loads(desk.python(ABOUT)) == person
    desk.record("057165", lot=LOT, warn=True)
    desk.see("今日接種 2 筆")
    tablet.close()
    assert found_in_files(tablet, words) == set()

    for start in (lambda: tablet.start(), lambda: start_with_key(tablet, 8)):
        start()
        assert tablet.context is not None
        page = tablet.context.new_page()
        page.goto(tablet.url)
        expect(page.locator("#desk-failure-code")).to_contain_text("storage_sealed", timeout=START_SECONDS * 1000)
        tablet.close()

    start_with_key(tablet, 7)
    desk = tablet.open("/BA102_3")
    assert json.loads(desk.python(ABOUT)) == person
    desk.see("今日接種 2 筆")
    tablet.kill()
    start_with_key(tablet, 7)
    desk = tablet.open("/BA102_3")
    desk.see("今日接種 2 筆")
    assert found_in_files(tablet, words) == set()
