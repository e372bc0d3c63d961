"""Measure everything in one run. Figures mean something on a quiet machine only: each line says how loaded it was."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from e2e.bench.cdc_link import measure_cdc_link
from e2e.bench.hub_store import measure_hub_store
from e2e.bench.pin import measure_pin
from e2e.bench.report import Report
from e2e.bench.roster import measure_roster
from e2e.bench.sealing import measure_sealing
from e2e.bench.starts import RUNS, measure_starts
from e2e.bench.store import measure_large, measure_store, measure_sync
from e2e.bench.taps import measure_taps
from e2e.programs import ROOT, Hub

ROWS = 60_000
PARTS = ("starts", "roster", "store", "sealing", "pin", "sync", "large", "taps", "hub", "cdc")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m tests bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; none means all")
    parser.add_argument("--runs", type=int, default=RUNS, help="starts of each kind")
    parser.add_argument("--rows", type=int, default=ROWS, help="of the large roster")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    report = Report()
    wanted = set(options.parts or PARTS)
    if "hub" in wanted:
        with tempfile.TemporaryDirectory() as name:
            measure_hub_store(report, Path(name))
    if "cdc" in wanted:
        with tempfile.TemporaryDirectory() as name:
            measure_cdc_link(report, Path(name))
    if wanted - {"hub", "cdc"}:
        measure_in_browser(report, wanted, options)
    report.print_table()


def measure_in_browser(report: Report, wanted: set[str], options: argparse.Namespace) -> None:
    subprocess.run([sys.executable, "-m", "ui.build"], cwd=ROOT, check=True, stdout=sys.stderr)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        hub = Hub(folder / "hub", None, bundle=ROOT / ".build" / "bundle")
        hub.start()
        try:
            if "starts" in wanted:
                measure_starts(report, playwright, hub, folder, options.runs)
            if "roster" in wanted:
                measure_roster(report, playwright, hub, folder, options.rows, options.runs)
            if "store" in wanted:
                measure_store(report, playwright, hub, folder, options.runs)
            if "sealing" in wanted:
                measure_sealing(report, playwright, hub, folder, options.runs)
            if "pin" in wanted:
                measure_pin(report, playwright, hub, folder, options.runs)
            if "sync" in wanted:
                measure_sync(report, playwright, hub, folder)
            if "large" in wanted:
                measure_large(report, playwright, folder, options.runs)
            if "taps" in wanted:
                measure_taps(report, playwright, folder, options.runs)
        finally:
            hub.kill()


main()
