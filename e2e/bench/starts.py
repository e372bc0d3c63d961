"""From opening the page to Python's first answer: a bare page, our first visit, our start without the hub."""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Error, Page, Playwright

from e2e.bench.bare import serve_bare_page
from e2e.bench.in_page import BARE_ANSWER, FIRST_ANSWER
from e2e.bench.report import BARE, OURS, Report
from e2e.programs import Hub
from e2e.screens import Tablet

COLD = "start, cold (fresh profile) to first click answered by Python"
WARM = "start, warm (cached, new process) to first click answered"
SETTLE_MILLISECONDS = 700  # a browser just started is still busy with itself
RUNS = 5


def measure_starts(report: Report, playwright: Playwright, hub: Hub, folder: Path, runs: int) -> None:
    """Add cold and warm starts of both, and how many times as long ours takes. The hub is off for our warm starts."""
    with serve_bare_page(hub.bundle) as url:
        bare = [Tablet(playwright, folder / f"bare{run}", url, []) for run in range(runs)]
        ours = [Tablet(playwright, folder / f"ours{run}", hub.url, []) for run in range(runs)]
        cold: dict[str, list[float]] = {BARE: [], OURS: []}
        steps = Steps()
        for bare_tablet, our_tablet in zip(bare, ours, strict=True):  # in turn, so that both meet the same load
            cold[BARE].append(start(bare_tablet, BARE_ANSWER))
            cold[OURS].append(start(our_tablet, FIRST_ANSWER, steps.note))
        report.add(BARE, COLD, "s", cold[BARE], "page + worker + 1+1, brotli from localhost")
        report.add(OURS, COLD, "s", cold[OURS], f"a search typed on the first page, answered; {steps}")
        report.add_ratio(COLD, COLD, COLD)
        report.add(BARE, WARM, "s", [start(bare[-1], BARE_ANSWER) for _ in range(runs)], "HTTP cache")
        add_warm_starts(report, ours[-1], hub, runs, WARM)
        report.add_ratio(WARM, WARM, WARM)
        for tablet in (*bare, *ours):
            tablet.throw_away()


def add_warm_starts(report: Report, tablet: Tablet, hub: Hub, runs: int, metric: str) -> None:
    """Open the app again and again in a new browser process while the hub is off."""
    hub.stop()
    steps = Steps()
    samples = [start(tablet, FIRST_ANSWER, steps.note) for _ in range(runs)]
    hub.start()
    report.add(OURS, metric, "s", samples, f"hub off; {steps}")


class Steps:
    """When the shell reached which step of the start."""

    def __init__(self) -> None:
        self._marks: list[dict[str, float]] = []

    def note(self, page: Page) -> None:
        """Read the steps of one start, once the first visit's last work is done and the next may be without the hub."""
        page.locator("html[data-desk=interactive][data-whole]").wait_for(state="attached", timeout=60_000)
        self._marks.append(json.loads(page.evaluate("JSON.stringify(deskMarks)")))

    def __str__(self) -> str:
        medians = {name: statistics.median(one.get(name, 0) for one in self._marks) for name in self._marks[0]}
        return "ms: " + " ".join(f"{name} {at:.0f}" for name, at in sorted(medians.items(), key=lambda it: it[1]))


def start(tablet: Tablet, script: str, afterwards: Callable[[Page], None] = lambda _: None) -> float:
    """Seconds from asking a new browser process for the page until its first answer."""
    page = tablet.start()
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    began = time.time()
    page.goto(tablet.url, wait_until="commit")
    while True:
        try:
            answered_at: float = page.evaluate(script)
            break
        except Error as error:  # the page came anew, and the script with it
            if "context" not in error.message:
                raise
    afterwards(page)
    tablet.close()
    return answered_at / 1000 - began
