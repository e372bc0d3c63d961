"""How long a PIN takes to be checked: what a nurse waits for, and what each guess costs a thief."""

from pathlib import Path

from playwright.sync_api import Playwright

from e2e.bench.report import OURS, Report
from e2e.programs import Hub
from e2e.screens import Tablet

CHECK = """async () => {
  const build = document.querySelector('meta[name="desk-build"]').content;
  const { pinThread } = await import(`/bundle/${build}/runtime/pin.js`);
  const { PARAMETERS } = await import(`/bundle/${build}/runtime/vault.js`);
  const box = pinThread(build);
  const given = { pin: "204816", salt: new Uint8Array(16), parameters: PARAMETERS, context: "" };
  const sealed = await box.sealUnderPin({ ...given, secret: new Uint8Array(64) });
  const began = performance.now();
  await box.openWithPin({ ...given, box: sealed });
  return performance.now() - began;
}"""


def measure_pin(report: Report, playwright: Playwright, hub: Hub, folder: Path, runs: int) -> None:
    """Add the time from a PIN to its answer, with the thread that it is counted in."""
    tablet = Tablet(playwright, folder / "pin", hub.url, [])
    desk = tablet.open()
    report.add(OURS, "PIN check", "ms", [desk.page.evaluate(CHECK) for _ in range(runs)], "wanted: 300 to 1000")
    tablet.throw_away()
