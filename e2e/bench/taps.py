"""From a tap to its answer on the screen, through the screens of a day's work, on a device that holds a whole town."""

from pathlib import Path

from playwright.sync_api import Playwright

from e2e.bench.in_page import TAP
from e2e.bench.report import OURS, Report
from e2e.bench.roster import go_inside
from e2e.bench.store import DOSES, PATIENTS, filled_hub
from e2e.programs import eventually
from e2e.screens import Tablet

FETCH_SECONDS = 300
OPEN = 400  # doses of a busy day, not uploaded yet
# Lots, as a clinic has them; one of them with thousands of doses given.
LOTS = """
from store.changes import ChangeDraft, ChangeKind
from store.lots import record_id_of_lot
from ui import boot
drafts = []
for number in range(40):
    lot = {"lot_number": f"LOT{number}-CDC", "vaccine_code": ("MMR", "Var", "Flu")[number % 3], "lot_type": "1"}
    of = record_id_of_lot(lot["vaccine_code"], lot["lot_number"])
    drafts.append(ChangeDraft(ChangeKind.REGISTER_LOT, of, {**lot, "expiry_date": "2027-12-31"}))
await boot.running().commit(drafts)
None
"""
CHARTS = """
from itertools import islice
from ui import boot
[person["chart_number"] for person in islice(boot.running().database.tables.patients.documents(), 200, 260)]
"""
_SEARCH = 'field("查詢患者")'
# What is done, and when its answer stands on the screen. Shape: name, JavaScript of the tap, JavaScript of the answer.
_RECORDING = (
    ("search: rows", 'type(SEARCH, "CHART")', 'says("CHART")'),
    ("Enter on the first row: form", 'press(SEARCH, "Enter")', 'button("確定 (F9)")'),
    ("window of vaccines", 'button("search").click()', 'says("疫苗代碼查詢")'),
    ("Escape: window gone", 'press(page().activeElement, "Escape")', '!says("疫苗代碼查詢")'),
    ("vaccine typed", 'type(field("疫苗編號"), "Var")', 'option("Var")'),
    ("vaccine chosen: doses and lots", 'option("Var").click()', 'button("LOT1-")'),
    ("vaccine typed", 'type(field("疫苗編號"), "MMR")', 'option("MMR")'),
    ("vaccine chosen: doses and lots", 'option("MMR").click()', 'button("LOT0-")'),
    ("dose tapped", 'button("1").click()', 'field("劑別").value === "1"'),
    ("dose tapped", 'button("2").click()', 'field("劑別").value === "2"'),
    # Where it asks first, that is answered at once.
    ("確定: saved, next search", 'button("確定 (F9)").click()', 'button("仍要存檔")?.click() ?? SEARCH'),
)
_DAY = (
    ("list of another day", 'type(field("清單日期"), "1150105")', 'says("115/01/05 接種")'),
    ("list of today", 'type(field("清單日期"), "")', 'says("今日接種")'),
)
_LOTS = (
    ("lot search: row", 'type(field("查詢批號"), "LOT39")', 'row("LOT39") && !row("LOT0-")'),
    ("lot opened, its 7,500 doses", 'row("LOT39").click()', 'says("用這個批號的接種紀錄")'),
    ("lot left: list", 'button("離開 (Esc)").click()', 'field("查詢批號")'),
    ("lot search emptied: rows", 'type(field("查詢批號"), "")', 'row("LOT0-")'),
)
_PAGES = ("2.BA102_3", "2.BA102_3_UPLOAD", "3.BA102_3_DOWNLOAD", "7.BA109", "D.BA109_3_DOWNLOAD", "E.BAMENU4")


def measure_taps(
    report: Report, playwright: Playwright, folder: Path, rounds: int, patients: int = PATIENTS, doses: int = DOSES
) -> None:
    """Add each step of recording a dose, the day's list, a lot, and going from the menu to each function."""
    with filled_hub(folder / "taps-hub", patients, doses, open_doses=OPEN) as hub:
        tablet = Tablet(playwright, folder / "taps", hub.url, [])
        desk = tablet.open()
        head = hub.health()["head"]
        code = "from ui import boot\nboot.running().database.cursor"
        eventually("the device holds everybody", lambda: desk.python(code) == head, within=FETCH_SECONDS)
        desk.python(LOTS)
        charts = desk.python(CHARTS)
        samples: dict[str, list[float]] = {}

        def tap(name: str, act: str, done: str) -> None:
            samples.setdefault(name, []).append(desk.page.evaluate(TAP.replace("ACT", act).replace("DONE", done)))

        for path, steps in (("/BA102_3", (*_RECORDING, *_DAY)), ("/BA109", _LOTS)):
            go_inside(desk, path)
            for chart in charts[:rounds]:
                for name, act, done in steps:
                    tap(name, *(code.replace("SEARCH", _SEARCH).replace("CHART", chart) for code in (act, done)))
        go_inside(desk, "/")
        # There and back as she goes: nothing is loaded anew, as it would be by an address.
        for function in _PAGES:
            for _ in range(rounds):
                opened = f'title().includes("{function[2:]}")'
                tap(f"from the menu to {function}", f'button("{function}").click()', opened)
                tap(f"Escape: from {function} to the menu", 'press(page().body, "Escape")', f'button("{function}")')
        for name, values in samples.items():
            report.add(OURS, f"tap: {name}", "ms", values, f"{patients} patients, {doses} doses")
        tablet.throw_away()
