"""Measure everything in one run. Figures mean something on a quiet machine only: each line says how loaded it was."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from e2e.bench.report import Report
from e2e.bench.roster import measure_roster
from e2e.bench.starts import RUNS, measure_starts
from e2e.bench.store import measure_store, measure_sync
from e2e.programs import ROOT, Hub

ROWS = 60_000
PARTS = ("starts", "roster", "store", "sync")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m tests bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; none means all")
    parser.add_argument("--runs", type=int, default=RUNS, help="starts of each kind")
    parser.add_argument("--rows", type=int, default=ROWS, help="of the large roster")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    subprocess.run([sys.executable, "-m", "ui.build"], cwd=ROOT, check=True, stdout=sys.stderr)
    report = Report()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        hub = Hub(folder / "hub", None, bundle=ROOT / ".build" / "bundle")
        hub.start()
        try:
            if not options.parts or "starts" in options.parts:
                measure_starts(report, playwright, hub, folder, options.runs)
            if not options.parts or "roster" in options.parts:
                measure_roster(report, playwright, hub, folder, options.rows, options.runs)
            if not options.parts or "store" in options.parts:
                measure_store(report, playwright, hub, folder, options.runs)
            if not options.parts or "sync" in options.parts:
                measure_sync(report, playwright, hub, folder)
        finally:
            hub.kill()
    report.print_table()


main()
