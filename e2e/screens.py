"""What a nurse does, in her words. She finds fields by their labels and buttons by what stands on them."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error, FrameLocator, Locator, Page, Playwright, expect

from e2e.cable import Cable
from e2e.trust import Trust
from tests.chromium import find_chromium

START_SECONDS = 60
SEARCH = "查詢患者"


class Tablet:
    """One browser with its own profile: what a device keeps is in `profile` and nowhere else.

    Shape: `trust` is how this browser comes to trust a CA, see e2e/trust.py. Only one with a cable can be cut off.
    """

    def __init__(
        self,
        playwright: Playwright,
        profile: Path,
        url: str,
        log: list[str],
        trust: Trust | None = None,
        cable: Cable | None = None,
    ) -> None:
        self._playwright, self.profile, self.url, self._log = playwright, profile, url, log
        self._trust, self._cable = trust or Trust(), cable
        self.context: BrowserContext | None = None
        self.offline = False

    def start(self) -> Page:
        """Start the browser, with an empty tab."""
        chromium = find_chromium()
        assert chromium is not None, "python3 -m tests installs Chromium"
        through = self._cable.arguments if self._cable else ()
        self.context = self._playwright.chromium.launch_persistent_context(
            str(self.profile),
            executable_path=str(chromium),
            args=["--no-sandbox", "--disable-background-networking", *self._trust.arguments, *through],
            env={**os.environ, **self._trust.environment},
            viewport={"width": 1280, "height": 800},
            locale="zh-TW",
            accept_downloads=True,
        )
        self.context.set_offline(self.offline)
        self.context.on("page", self._listen)
        first = self.context.pages[0]
        self._listen(first)
        return first

    def open(self, path: str = "/") -> "Desk":
        """Open the app in a new tab, starting the browser where it is not running."""
        page = self.start() if self.context is None else self.context.new_page()
        page.goto(self.url + path)
        desk = Desk(page)
        desk.wait()
        # As long as the screen asks her not to leave the clinic's network, she does not.
        expect(page.locator("html[data-whole]")).to_be_attached(timeout=START_SECONDS * 1000)
        return desk

    def cut_network(self) -> None:
        """The network cable, at this device; the browser is told as well, as a tablet notices that."""
        assert self._cable is not None, "this device was started without a cable"
        self._cable.cut()
        self.offline = True
        if self.context is not None:
            self.context.set_offline(True)

    def mend_network(self) -> None:
        assert self._cable is not None, "this device was started without a cable"
        self._cable.mend()
        self.offline = False
        if self.context is not None:
            self.context.set_offline(False)

    def close(self) -> None:
        if self.context is not None:
            self.context.close()
            self.context = None

    def kill(self) -> None:
        """SIGKILL to every process of this browser, as when the battery is pulled."""
        for pid in self._pids():
            subprocess.run(["kill", f"-{signal.SIGKILL.value}", pid], check=False, stderr=subprocess.DEVNULL)
        context, self.context = self.context, None
        if context is not None:
            try:
                context.close()
            except Exception as error:  # noqa: BLE001  # whatever Playwright says of a browser that was shot
                self._log.append(f"closing a killed browser: {type(error).__name__}")
        for lock in ("SingletonLock", "SingletonSocket", "SingletonCookie"):
            (self.profile / lock).unlink(missing_ok=True)

    def log_text(self) -> str:
        """What stands on the screens: for the report of a failure."""
        pages = self.context.pages if self.context else []
        return "\n".join(f"{page.url}\n{self._text(page)}" for page in pages)

    @staticmethod
    def _text(page: Page) -> str:
        try:
            return "\n".join(frame.locator("body").inner_text(timeout=2000) for frame in page.frames)
        except Error as error:
            return str(error)

    def throw_away(self) -> None:
        self.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _pids(self) -> list[str]:
        found = subprocess.run(
            ["pgrep", "-f", f"user-data-dir={self.profile}"], capture_output=True, text=True, check=False
        )
        return found.stdout.split()

    def _listen(self, page: Page) -> None:
        page.on("console", lambda message: self._log.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self._log.append(f"page error: {error}"))


class Desk:
    """One open tab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    def wait(self) -> None:
        """Wait until the page answers."""
        expect(self.bar(re.compile("^(主機|Hub) "))).to_be_visible(timeout=START_SECONDS * 1000)

    def bar(self, text: str | re.Pattern[str]) -> Locator:
        return self.frame.locator(".desk-bar").get_by_text(text)

    def see(self, text: str | re.Pattern[str], *, within: float = 20) -> None:
        expect(self.frame.get_by_text(text).first).to_be_visible(timeout=within * 1000)

    def see_row(self, text: str, *, within: float = 60) -> None:
        """Wait for a row of a list; the same words may stand in a note or in the bar as well."""
        expect(self.row_with(text).first).to_be_visible(timeout=within * 1000)

    def go(self, path: str) -> None:
        """Open a page of the app by its address, in the tab that the nurse has before her."""
        self.page.bring_to_front()
        self.page.goto(re.sub(r"^(https?://[^/]+).*", r"\1", self.page.url) + path)
        self.wait()

    def tap(self, name: str) -> None:
        self.frame.get_by_role("button", name=name).first.click()

    def search(self, text: str) -> None:
        self.frame.get_by_label(re.compile(SEARCH)).fill(text)

    def choose_first(self, text: str) -> None:
        """Search and take the first row with Enter."""
        field = self.frame.get_by_label(re.compile(SEARCH))
        field.fill(text)
        self.see(re.compile(r"找到 \d+ 人"))
        field.press("Enter")

    def import_roster(self, file: Path) -> None:
        self.go("/roster")
        self.frame.locator("input[type=file]").set_input_files(str(file))
        self.tap("確定匯入")
        self.see("匯入完成。", within=120)

    def fill_vaccination(self, *, vaccine: str, dose: str, lot: str, day: str = "") -> None:
        if day:
            self.frame.get_by_label(re.compile("接種日期")).fill(day)
        select = self.frame.get_by_role("combobox", name="疫苗編號")
        select.fill(vaccine)
        self.frame.get_by_role("option", name=re.compile(rf"^{re.escape(vaccine)}\s")).first.click()
        self.frame.get_by_label("劑別", exact=True).fill(dose)
        self.frame.get_by_label(re.compile("疫苗批號")).fill(lot)

    def save(self, *, despite_warning: bool = False) -> None:
        """確定, and wait for the word that it is saved."""
        self.tap("確定 (F9)")
        if despite_warning:
            self.tap("仍要存檔")
        self.see(re.compile("已存檔"))

    def record(
        self, chart: str, *, vaccine: str = "MMR", dose: str = "1", lot: str = "AMJRE075AA-CDC", warn: bool = False
    ) -> None:
        """One whole vaccination from the search to 已存檔."""
        self.go("/BA102_3")
        self.choose_first(chart)
        self.fill_vaccination(vaccine=vaccine, dose=dose, lot=lot)
        self.save(despite_warning=warn)

    def row_with(self, text: str) -> Locator:
        return self.frame.locator("tbody tr", has_text=text)

    def python(self, code: str) -> Any:
        """Run Python in the worker that leads: for what no nurse sees, such as writing a thousand records."""
        worker = self.page.workers[0]
        return worker.evaluate(
            "async (code) => { const r = await self.desk.py.runPythonAsync(code); return r?.toJs ? r.toJs() : r; }",
            code,
        )
