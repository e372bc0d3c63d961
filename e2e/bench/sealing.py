"""What sealing costs: the same store in clear and sealed, in one browser, in turns, so that the machine's moods hit both."""

import json
import statistics
from pathlib import Path

from playwright.sync_api import Playwright

from e2e.bench.report import OURS, Report
from e2e.bench.store import ready
from e2e.programs import Hub
from e2e.screens import Desk, Tablet

RECORDS = 50_000
ROUNDS, EACH = 40, 25
CLEAR, SEALED = "in clear", "sealed"

PREPARE = """
import js
from ui.browser_storage import BrowserFolder
async def folder_of(how):
    key = js.Uint8Array.new(32) if how == "sealed" else None
    return BrowserFolder(await js.desk.storage.openOpfs("bench-" + how.replace(" ", "-"), 8000, key))
async def opened(how):
    folder = await folder_of(how)
    began = perf_counter()
    database = await DeviceDatabase.open(folder, WORLD)
    return database, (perf_counter() - began) * 1000
async def first_query(how):
    database, milliseconds = await opened(how)
    milliseconds = [milliseconds, milliseconds + prefix(database, "王春")]
    warm = [prefix(database, name) for name in NAMES]
    await database.close()
    return [*milliseconds, sorted(warm)[len(warm) // 2]]
None
"""


def measure_sealing(report: Report, playwright: Playwright, hub: Hub, folder: Path, runs: int) -> None:
    """Add inserting into 50,000 records, opening them and searching them, both ways, and what is between them."""
    tablet = Tablet(playwright, folder / "sealing", hub.url, [])
    desk = _ready(tablet)
    for how in (CLEAR, SEALED):
        desk.python(f"db, _ = await opened('{how}')\nawait fill(db, 0, {RECORDS})\nawait db.settle()\nawait db.close()")
    desk.python(f"both = {{how: (await opened(how))[0] for how in ('{CLEAR}', '{SEALED}')}}\nNone")
    inserts: dict[str, list[float]] = {CLEAR: [], SEALED: []}
    for number in range(ROUNDS):
        for how in (CLEAR, SEALED) if number % 2 else (SEALED, CLEAR):
            first = 10**6 + number * EACH
            inserts[how] += json.loads(desk.python(f"json.dumps(await single(both['{how}'], {first}, {EACH}))"))
    desk.python("for db in both.values():\n    await db.settle()\n    await db.close()")
    opens: dict[str, list[list[float]]] = {CLEAR: [], SEALED: []}
    for number in range(runs):
        tablet.close()
        desk = _ready(tablet)
        for how in (CLEAR, SEALED) if number % 2 else (SEALED, CLEAR):
            opens[how].append(json.loads(desk.python(f"json.dumps(await first_query('{how}'))")))
    figures = {f"single insert @{RECORDS}": inserts}
    for place, what in enumerate(("open", "open + first prefix query", "prefix query (limit 50, warm, median)")):
        figures[f"{what} @{RECORDS}"] = {how: [figure[place] for figure in opens[how]] for how in opens}
    for what, samples in figures.items():
        for how in (CLEAR, SEALED):
            report.add(OURS, f"{what}, {how}", "ms", samples[how])
        clear, sealed = (statistics.median(samples[how]) for how in (CLEAR, SEALED))
        report.add("ratio", f"{what}, sealed to clear", "x", [sealed / clear], f"{sealed - clear:+.3f} ms")
    tablet.throw_away()


def _ready(tablet: Tablet) -> Desk:
    desk = ready(tablet)
    desk.python(PREPARE)
    return desk
