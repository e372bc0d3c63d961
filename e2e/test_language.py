"""The English switch in the words of a nurse who reads English better, in a clinic whose other screens are Chinese."""

import re
from pathlib import Path

from playwright.sync_api import expect

from e2e.screens import Desk, Tablet

LOT = "AMJRE075AA-CDC"


def reload_and_wait(desk: Desk) -> None:
    """Load the whole program again, as after a flat battery."""
    desk.page.reload()
    expect(desk.bar("Hub offline")).to_be_visible(timeout=60_000)


def test_a_nurse_goes_on_in_english_and_back(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.go("/BA102_3")
    desk.choose_first("057164")
    desk.fill_vaccination(vaccine="MMR", dose="1", lot=LOT)
    desk.frame.get_by_label("備註").fill("poked twice")

    desk.frame.get_by_role("button", name=re.compile("English")).click()
    desk.see("Chart no. 057164")
    desk.see(re.compile("Your unsaved entries are back"))
    expect(desk.frame.get_by_label("Note")).to_have_value("poked twice")
    expect(desk.frame.get_by_label("Lot number (case matters)")).to_have_value(LOT)
    vaccine = desk.frame.get_by_role("combobox", name="Vaccine", exact=True)
    expect(vaccine).to_have_value(re.compile("^MMR.Measles-mumps-rubella"))
    expect(desk.frame.locator("html")).to_have_attribute("lang", "en-US")
    expect(desk.page.locator("html")).to_have_attribute("lang", "en-US")

    tablet.cut_network()
    desk.tap("Save (F9)")
    desk.tap("Save anyway")
    desk.see(re.compile("^Saved: .*Measles-mumps-rubella, dose 1"))

    reload_and_wait(desk)
    desk.see("Doses today: 1")
    expect(desk.page).to_have_title(re.compile("^Vaccination records"))
    expect(desk.row_with("057164")).to_contain_text("To upload")
    expect(desk.frame.get_by_text("1-1 of 1").first).to_be_visible()  # Quasar's own words

    desk.frame.get_by_role("button", name=re.compile("中文")).click()
    desk.see("今日接種 1 筆")
    desk.page.reload()
    desk.wait()
    desk.see("今日接種 1 筆")
    expect(desk.page.locator("html")).to_have_attribute("lang", "zh-TW")


def test_the_start_itself_speaks_the_language_chosen(tablet: Tablet) -> None:
    """Also what it says before Python runs: here that a start failed."""
    desk = tablet.open()
    desk.frame.get_by_role("button", name=re.compile("English")).click()
    desk.see("Main menu")
    expect(desk.page.locator("html")).to_have_attribute("lang", "en-US")

    assert tablet.context is not None
    tablet.context.add_init_script("if (self === top) delete Navigator.prototype.serviceWorker")
    desk.page.reload()

    expect(desk.page.get_by_text("This address is not secure")).to_be_visible()
    expect(desk.page.get_by_role("button", name="Try again")).to_be_visible()


def test_every_window_of_a_device_goes_on_in_the_language_chosen_in_one(tablet: Tablet) -> None:
    first = tablet.open()
    second = tablet.open("/BA109")
    second.frame.get_by_role("button", name=re.compile("English")).click()
    second.see("Vaccine lots (BA109)")

    first.page.bring_to_front()
    first.see("主選單")
    first.page.reload()  # the second window serves both from now on
    first.see("Main menu", within=60)
    second.see("Vaccine lots (BA109)")
