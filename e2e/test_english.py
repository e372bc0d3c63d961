"""The main screens in English, whose words are longer: nothing is cut off, nothing is wider than an upright tablet."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.audit import UPRIGHT, Audit
from e2e.screens import Desk, Tablet
from ui.boot import PATHS

FIRST_PATIENT = "from ui import boot\nnext(iter(boot.running().database.tables.patients.documents()))['record_id']"


def audit_english(desk: Desk) -> Audit:
    """After it the screens are in English."""
    desk.frame.get_by_role("button", name=re.compile("English")).click()
    expect(desk.frame.locator("html")).to_have_attribute("lang", "en-US")
    desk.wait()
    return Audit(desk, sizes=(UPRIGHT,))


def close(desk: Desk, button: str) -> None:
    """Out of the window that is open."""
    desk.frame.get_by_role("dialog").get_by_role("button", name=button).click()
    expect(desk.frame.get_by_role("dialog")).to_have_count(0)


def test_every_page(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.go("/BA109_3_DOWNLOAD")
    desk.tap("下載(CDC)庫存")
    desk.see(re.compile("下載成功"))
    audit = audit_english(desk)
    for path in PATHS:
        desk.go(path)
        audit.look(f"english{path.replace('/', '-')}")
    desk.go("/settings")
    for tab in ("Vaccines in use", "Lots of the day", "Staff", "Code tables"):
        desk.frame.get_by_role("tab", name=tab).click()
        audit.look(f"english-settings-{tab}")
    desk.page.keyboard.press("F1")
    desk.see("Help: keys on this page")
    audit.look("english-help")
    assert not audit.faults, "\n".join(audit.faults)


@pytest.mark.parametrize("hub", [{"gather": 3600.0}], indirect=True)
def test_recording_and_what_comes_of_it(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    keys = desk.page.keyboard
    desk.import_roster(roster)
    desk.record("057164", lot="WRONG1-CDC", warn=True)
    audit = audit_english(desk)
    desk.go("/BA102_3")
    desk.frame.get_by_label(re.compile("^Find a patient")).fill("058001")
    keys.press("Enter")
    desk.see(re.compile("^Chart no. 058001"))
    desk.tap("Vaccine codes")
    desk.see("Type a code or name; Enter takes the first")
    audit.look("english-two-level")
    close(desk, "Leave")
    desk.frame.get_by_role("combobox", name="Vaccine", exact=True).fill("MMR")
    desk.frame.get_by_role("option", name=re.compile(r"^MMR\s")).first.click()
    desk.frame.get_by_label("Lot number (case matters)").fill("UNKNOWN")
    desk.see(re.compile("⚠"))
    audit.look("english-record")
    desk.tap("Save (F9)")
    desk.see("Please check again:")
    audit.look("english-save-anyway")
    desk.tap("Save anyway")
    desk.see(re.compile("^Saved: "))
    audit.look("english-saved")
    desk.go("/BA102_3_UPLOAD")
    audit.look("english-upload")
    desk.tap("Upload (F9)")
    desk.see("2 sent: 2 accepted, 0 refused.")
    audit.look("english-upload-result")
    desk.tap("See the verdicts")
    desk.see(re.compile("^Refused 2"), within=60)
    audit.look("english-verification")
    assert not audit.faults, "\n".join(audit.faults)


def test_the_forms_of_patients_lots_and_exams(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    keys = desk.page.keyboard
    desk.import_roster(roster)
    audit = audit_english(desk)
    desk.go("/BA102_3")
    keys.press("F3")
    expect(desk.frame.get_by_label("Name", exact=True)).to_be_visible()
    audit.look("english-patient")
    desk.go("/BA109")
    keys.press("F3")
    expect(desk.frame.get_by_role("combobox", name=re.compile("Vaccine"))).to_be_visible()
    audit.look("english-lot")
    desk.go("/BA103_3?patient=" + desk.python(FIRST_PATIENT))
    keys.press("F3")
    desk.see("Hepatitis B")
    audit.look("english-exam")
    assert not audit.faults, "\n".join(audit.faults)
