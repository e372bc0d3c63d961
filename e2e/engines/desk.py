"""What a nurse does, in the words of e2e/screens.py, for browsers that Playwright does not drive.

She clicks and types with real input events, at the place where the thing is seen; only finding it is done by script.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from e2e.engines.browser import Browser
from e2e.programs import PATIENCE_SECONDS, eventually
from e2e.screens import SEARCH, Desk, Tablet

ENTER = "\ue007"
# Where the middle of the first matching thing is, if it is seen there, is not covered by another, and stands still.
FIND = """
async (selector, pattern) => {
  const frame = document.getElementById("desk-frame");
  const page = frame?.contentDocument;
  if (!page?.body) return null;
  const wanted = new RegExp(pattern);
  const name = (one) => one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent;
  const usable = (one) => one.getClientRects().length && !one.disabled;
  const found = [...page.querySelectorAll(selector)].find((one) => wanted.test(name(one).trim()) && usable(one));
  if (!found) return null;
  found.scrollIntoView({ block: "nearest" });
  const box = JSON.stringify(found.getBoundingClientRect());
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { left, top, width, height } = found.getBoundingClientRect();
  if (JSON.stringify(found.getBoundingClientRect()) !== box) return null;
  const x = Math.floor(left + width / 2), y = Math.floor(top + height / 2);
  const there = page.elementFromPoint(x, y);
  const area = found.closest("label") ?? found;
  if (!area.contains(there)) return null;
  window.deskClicked = false;
  area.addEventListener("click", () => { window.deskClicked = true; }, { once: true, capture: true });
  const { left: frameLeft, top: frameTop } = frame.getBoundingClientRect();
  return [x + Math.floor(frameLeft), y + Math.floor(frameTop)];
}
"""
CLICKED = "() => window.deskClicked !== false"  # a new page knows of no click that missed
SELECT_TEXT = "() => document.getElementById('desk-frame').contentDocument.activeElement.select?.()"
SEEN_TEXT = "() => document.getElementById('desk-frame')?.contentDocument?.body?.innerText ?? ''"
STATE = "() => document.documentElement.dataset.desk ?? ''"
WHOLE = "() => document.documentElement.dataset.whole ?? ''"
ROWS = """
(text) => [...document.getElementById("desk-frame").contentDocument.querySelectorAll("tbody tr")]
  .filter((row) => row.textContent.includes(text)).length
"""


class EngineTablet(Tablet):
    """A device with one of the other browsers."""

    def __init__(self, browser: Browser, profile: Path, url: str) -> None:
        self.browser, self.profile, self.url = browser, profile, url
        self.offline = self.running = False

    def open(self, path: str = "/") -> "EngineDesk":
        assert not self.running, "these tablets have one tab"
        self.browser.start()
        self.running = True
        if self.offline:
            self.browser.set_offline(True)
        desk = EngineDesk(self.browser, self.url)
        desk.go(path)
        eventually("the device can do without the hub", lambda: self.browser.evaluate(WHOLE) == "yes")
        return desk

    def cut_network(self) -> None:
        self.offline = True
        self.browser.set_offline(True)

    def mend_network(self) -> None:
        self.offline = False
        self.browser.set_offline(False)

    def close(self) -> None:
        self.browser.stop()
        self.running = False

    def throw_away(self) -> None:
        self.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class Rows:
    """Some rows of a table, named as Playwright names what the journey asks of them."""

    def __init__(self, browser: Browser, text: str) -> None:
        self._browser, self._text = browser, text

    def count(self) -> int:
        return int(self._browser.evaluate(ROWS, self._text))


class EngineDesk(Desk):
    """The one tab of such a tablet. What it does not define, it does as in Chromium."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url

    def wait(self) -> None:
        eventually("the page answers", lambda: self.browser.evaluate(STATE) == "interactive")
        self.see("主機", within=PATIENCE_SECONDS)

    def see(self, text: str | re.Pattern[str], *, within: float = PATIENCE_SECONDS) -> None:
        wanted = re.compile(re.escape(text)) if isinstance(text, str) else text
        within = max(within, PATIENCE_SECONDS)  # what is slow here says nothing of the app
        self._await(wanted.pattern, lambda: wanted.search(self.text()), within)

    def text(self) -> str:
        """All that is to be read on the page, each run of space as one."""
        return " ".join(str(self.browser.evaluate(SEEN_TEXT)).split())

    def go(self, path: str) -> None:
        self.browser.goto(self.url + path)
        self.wait()

    def tap(self, name: str) -> None:
        self._click("button, [role=button]", re.escape(name))

    def choose_first(self, text: str) -> None:
        self._fill(SEARCH, text)
        self.see(re.compile(r"找到 \d+ 人"))
        self._type(ENTER)

    def import_roster(self, file: Path) -> None:
        self.go("/roster")
        self.browser.set_file(file)
        self.tap("確定匯入")
        self.see("匯入完成。")

    def fill_vaccination(self, *, vaccine: str, dose: str, lot: str, day: str = "") -> None:
        if day:
            self._fill("接種日期", day)
        self._fill("疫苗編號", vaccine)
        self._click("[role=option]", rf"^{re.escape(vaccine)}\s")
        self._fill("^劑別$", dose)
        self._fill("疫苗批號", lot)

    def row_with(self, text: str) -> Any:
        return Rows(self.browser, text)

    def _await(self, what: str, condition: Callable[[], Any], within: float = PATIENCE_SECONDS) -> Any:
        try:
            return eventually(what, condition, within=within)
        except AssertionError as error:
            raise AssertionError(f"{error}; seen instead: {self.text()}") from error

    def _fill(self, label: str, text: str) -> None:
        self._click("input", label)
        self.browser.evaluate(SELECT_TEXT)
        self._type(text)

    def _type(self, text: str) -> None:
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.browser.act([{"type": "key", "id": "keyboard", "actions": keys}])

    def _click(self, selector: str, name: str) -> None:
        self._await(f"{selector} {name}", lambda: self._hit(selector, name))

    def _hit(self, selector: str, name: str) -> bool:
        """Click once; it may have moved away meanwhile, as what stands below a warning does when that appears."""
        place = self.browser.evaluate(FIND, selector, name)
        if place is None:
            return False
        x, y = place
        steps = [
            {"type": "pointerMove", "x": x, "y": y, "duration": 0},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self.browser.act([{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}])
        return bool(self.browser.evaluate(CLICKED))
