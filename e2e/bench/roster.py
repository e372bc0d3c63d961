"""60,000 patients on one device: importing, taps meanwhile, searching, saving; a second device fetching them all."""

import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from playwright.sync_api import Frame, Playwright

from e2e.bench.in_page import CLICKS, SEARCHES
from e2e.bench.report import OURS, Report
from e2e.bench.starts import WARM, add_warm_starts
from e2e.programs import Hub, eventually
from e2e.sample.make_sample import make_roster
from e2e.screens import Desk, Tablet

BREATH_MILLISECONDS = 40
ROUND_TRIP = "UI round trip: click → Python → DOM"
SEARCHED = 40
SAVES = 300

# A page with one button, so that a click costs what every click costs and no more.
TAP_PAGE = """
from nicegui import ui as nicegui_ui
@nicegui_ui.page("/-/tap")
def tap_page():
    count = nicegui_ui.label("0").classes("bench-count")
    nicegui_ui.button("tap", on_click=lambda: count.set_text(str(int(count.text) + 1))).classes("bench-tap")
None
"""
# What is typed and the chart number that shall come first, and Python's own share of it in milliseconds.
SEARCH = f"""
import json, random
from time import perf_counter
from ui import boot
patients = boot.running().database.tables.patients
people = random.Random(1).sample(list(patients.documents()), {SEARCHED})
fields = ("chart_number", "name", "national_id", "phone")
typed = [p.get(fields[n % 4]) or p["chart_number"] for n, p in enumerate(people)] + ["74/11/08", "0912", "測試"]
searches, spent = [], []
for text in typed:
    began = perf_counter()
    found = patients.find_by_typed(text, 50)
    spent.append((perf_counter() - began) * 1000)
    searches.append([text, found[0]["chart_number"]])
json.dumps([searches, spent])
"""
SAVE = f"""
import json
from time import perf_counter
from store.changes import ChangeDraft, ChangeKind
from ui import boot
state, spent = boot.running(), []
for person in list(state.database.tables.patients.documents())[:{SAVES}]:
    dose = {{"patient_id": person["record_id"], "vaccination_date": state.today().isoformat(), "vaccine_code": "MMR",
            "dose_number": "1", "lot_number": "AMJRE075AA-CDC", "lot_type": "1"}}
    began = perf_counter()
    await state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, state.world.make_record_id(), dose)])
    spent.append((perf_counter() - began) * 1000)
json.dumps(spent)
"""


def measure_roster(report: Report, playwright: Playwright, hub: Hub, folder: Path, rows: int, runs: int) -> None:
    """Add everything that depends on how many patients a device holds."""
    file = folder / "roster.csv"
    file.write_bytes(make_roster(rows, 7, date(2026, 11, 23)))
    tablet = Tablet(playwright, folder / "large", hub.url, [])
    desk = tablet.open("/roster")
    taps = open_tap_page(tablet, desk)
    report.add(OURS, ROUND_TRIP, "ms", tap(taps, 4000), "idle, empty store")
    import_and_tap(report, desk, taps, file, f"{rows} rows")
    eventually("all is with the hub", lambda: desk.bar("未同步 0").count(), within=600)
    import_and_tap(report, desk, taps, file, f"the same {rows} rows again")
    report.add(OURS, ROUND_TRIP, "ms", tap(taps, 4000), f"idle, {rows} rows imported")

    go_inside(desk, "/BA102_3")
    searches, spent = json.loads(desk.python(SEARCH))
    report.add(OURS, f"search among {rows}: in Python", "ms", spent)
    desk.page.bring_to_front()  # browsers let the timers of hidden tabs tick once a second
    shown = frame_of(desk).evaluate(SEARCHES, searches)
    report.add(OURS, f"search among {rows}: keystroke to rows on the screen", "ms", shown)

    tablet.close()
    fetch_all(report, Tablet(playwright, folder / "second", hub.url, []), hub)
    add_warm_starts(report, tablet, hub, runs, f"{WARM}, {rows} rows held")
    hub.stop()
    saved = json.loads(tablet.open().python(SAVE))
    report.add(OURS, "durable save through AppState.commit", "ms", saved, f"hub off, {rows} rows held")
    tablet.throw_away()
    hub.start()


def import_and_tap(report: Report, desk: Desk, taps: Frame, file: Path, what: str) -> None:
    """Import through the page while somebody taps in another tab; the hub is on, so that all is synced meanwhile."""
    go_inside(desk, "/roster")
    began = time.monotonic()
    desk.frame.locator("input[type=file]").set_input_files(str(file))
    desk.see("編碼 Big5", within=120)
    report.add(OURS, f"import {what}: to the preview", "s", [time.monotonic() - began])
    began = time.monotonic()
    desk.tap("確定匯入")
    samples = tap_until(taps, lambda: desk.frame.get_by_text("匯入完成。").count() > 0)
    report.add(OURS, f"import {what}", "s", [time.monotonic() - began], "hub on, taps in another tab")
    report.add(OURS, f"click during import of {what}", "ms", samples)


def fetch_all(report: Report, tablet: Tablet, hub: Hub) -> None:
    """A device that is new to the clinic, with somebody tapping while it learns of everybody."""
    desk = tablet.open()
    began = time.monotonic()
    taps = open_tap_page(tablet, desk)
    head = hub.health()["head"]
    code = "from ui import boot\nboot.running().database.cursor"
    samples = tap_until(taps, lambda: bool(desk.python(code) == head))
    report.add(
        OURS,
        f"new device fetches {head} changes",
        "s",
        [time.monotonic() - began],
        "from its first page on; taps in another tab",
    )
    report.add(OURS, f"click while a new device fetches {head} changes", "ms", samples)
    tablet.throw_away()


def open_tap_page(tablet: Tablet, leader: Desk) -> Frame:
    leader.python(TAP_PAGE)
    assert tablet.context is not None
    page = tablet.context.new_page()
    page.goto(f"{tablet.url}/-/tap")
    page.frame_locator("iframe").locator("button.bench-tap").wait_for(timeout=60_000)
    return page.frames[1]


def go_inside(desk: Desk, path: str) -> None:
    """Load the page anew inside the frame: the address bar would start Python anew."""
    frame_of(desk).goto(f"{desk.page.url.split('/', 3)[0]}//{desk.page.url.split('/', 3)[2]}{path}")
    desk.wait()


def frame_of(desk: Desk) -> Frame:
    return desk.page.frames[1]


def tap(frame: Frame, milliseconds: float) -> list[float]:
    samples: list[float] = frame.evaluate(CLICKS, [milliseconds, BREATH_MILLISECONDS])
    return samples


def tap_until(frame: Frame, is_over: Callable[[], bool]) -> list[float]:
    samples = tap(frame, 1000)
    while not is_over():
        samples += tap(frame, 1000)
    return samples
