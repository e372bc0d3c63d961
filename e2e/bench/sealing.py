"""What sealing costs: the same store in clear and sealed, in turns, so that the machine's moods hit both.

Each ratio and difference is the median of those between two turns that followed each other.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median

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
    inserts: dict[str, list[list[float]]] = {CLEAR: [], SEALED: []}
    for number in range(ROUNDS):
        for how in (CLEAR, SEALED) if number % 2 else (SEALED, CLEAR):
            first = 10**6 + number * EACH
            inserts[how].append(json.loads(desk.python(f"json.dumps(await single(both['{how}'], {first}, {EACH}))")))
    desk.python("await asyncio.sleep(5)\nfor db in both.values():\n    await db.settle()\n    await db.close()")
    opens: dict[str, list[list[float]]] = {CLEAR: [], SEALED: []}
    for number in range(runs):
        tablet.close()
        desk = _ready(tablet)
        for how in (CLEAR, SEALED) if number % 2 else (SEALED, CLEAR):
            opens[how].append(json.loads(desk.python(f"json.dumps(await first_query('{how}'))")))
    _compare(report, f"single insert @{RECORDS}", inserts)
    for place, what in enumerate(("open", "open + first prefix query", "prefix query (limit 50, warm, median)")):
        _compare(report, f"{what} @{RECORDS}", {how: [[figure[place]] for figure in opens[how]] for how in opens})
    tablet.throw_away()


def _compare(report: Report, what: str, turns: dict[str, list[list[float]]]) -> None:
    for how in (CLEAR, SEALED):
        report.add(OURS, f"{what}, {how}", "ms", [sample for turn in turns[how] for sample in turn])
    pairs = [(_usual(clear), _usual(sealed)) for clear, sealed in zip(turns[CLEAR], turns[SEALED], strict=True)]
    more = median(sealed - clear for clear, sealed in pairs)
    ratio = median(sealed / clear for clear, sealed in pairs)
    report.add("ratio", f"{what}, sealed to clear", "x", [ratio], f"{more:+.3f} ms")


def _usual(samples: Sequence[float]) -> float:
    """Their mean without the slowest fifth, which other programs made; finer than the browser's clock."""
    return mean(sorted(samples)[: max(1, len(samples) * 4 // 5)])


def _ready(tablet: Tablet) -> Desk:
    desk = ready(tablet)
    desk.python(PREPARE)
    return desk
