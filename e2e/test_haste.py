"""Hands faster than the program: nothing typed is lost or overtaken by a later tap, no button moves away."""

import re
from pathlib import Path

from playwright.sync_api import expect

from e2e.programs import Hub
from e2e.screens import Tablet

ONLY_RECORD = "from ui import boot\nlist(boot.running().database.tables.vaccinations.documents())[0]"
LOT = "AMJRE075AA-CDC"
# The page's socket opens late, and the timers with which nicegui.js would wait for it end in any order.
LATE_SOCKET = """
if (window.top !== window) {
  const { desk } = window.top, { openSocket } = desk, later = window.setTimeout;
  desk.openSocket = (...how) => later(() => openSocket.apply(desk, how), 3000);
  window.setTimeout = (call, after, ...rest) => later(call, after === 10 ? 200 * Math.random() : after, ...rest);
}
"""
# Word of the program reaches the page late.
LATE_WORD = """
if (window.top !== window) {
  const { desk } = window.top, { openSocket } = desk;
  desk.openSocket = (call, port, socket) => {
    const receive = socket.receive.bind(socket);
    socket.receive = (...said) => setTimeout(() => receive(...said), 1000);
    return openSocket.call(desk, call, port, socket);
  };
}
"""


def test_what_is_typed_before_the_page_is_connected_is_there_and_in_order(
    tablet: Tablet, hub: Hub, roster: Path
) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.record("057164", lot="WRONG1-CDC", warn=True)
    hub.stop()
    record_id = desk.python(ONLY_RECORD + "['record_id']")
    assert tablet.context is not None
    tablet.context.add_init_script(LATE_SOCKET)

    desk.page.goto(f"{tablet.url}/BA102_3?record={record_id}")
    lot = desk.frame.get_by_label(re.compile("疫苗批號"))
    lot.press("ControlOrMeta+A")
    lot.press_sequentially(LOT)
    assert desk.page.locator("html").get_attribute("data-desk") == "page", "typed too late to prove anything"
    desk.save(despite_warning=True)

    assert desk.python(ONLY_RECORD + "['lot_number']") == LOT


def test_the_button_to_save_stays_where_it_is_whatever_appears(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.go("/BA102_3")
    desk.choose_first("057164")
    save = desk.frame.get_by_role("button", name="確定 (F9)")
    save.wait_for()
    before = save.bounding_box()

    desk.fill_vaccination(vaccine="MMR", dose="2", lot="UNKNOWN", day="1150101")
    desk.see(re.compile("⚠"))
    desk.frame.get_by_role("button", name="1", exact=True).wait_for()

    assert save.bounding_box() == before


def test_what_is_typed_while_the_program_fills_in_another_is_shown_and_saved(tablet: Tablet, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    assert tablet.context is not None
    tablet.context.add_init_script(LATE_WORD)
    desk.go("/BA102_3")
    desk.choose_first("057164")
    dose = desk.frame.get_by_label("劑別", exact=True)

    vaccine = desk.frame.get_by_role("combobox", name="疫苗編號")
    vaccine.fill("MMR")
    desk.frame.get_by_role("option", name=re.compile(r"^MMR\s")).first.click()
    dose.fill("3")
    assert desk.frame.get_by_role("button", name="2", exact=True).count() == 0, "typed too late to prove anything"

    desk.frame.get_by_role("button", name="2", exact=True).wait_for()  # comes with the dose that is filled in: 1
    expect(dose).to_have_value("3")
    desk.frame.get_by_label(re.compile("疫苗批號")).fill(LOT)
    desk.save(despite_warning=True)
    assert desk.python(ONLY_RECORD + "['dose_number']") == "3"
