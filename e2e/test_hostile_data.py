"""People, lots and CDC's words that are made to run as a page or a script: every screen shows them as what they are."""

import json
import re

import pytest
from playwright.sync_api import Frame, expect

from e2e.programs import FakeCdc, Hub, eventually
from e2e.screens import Desk, Tablet
from ui.boot import PATHS

MARKUP = '<img src=x onerror="top.ran=1">'
NAMES = (
    *(MARKUP, "{{7*7}}", "</script><script>top.ran=2</script>"),
    *("${top.ran=3}`\\`", "javascript:top.ran=4//", "' onx=top.ran=5 \""),
)
WORDS = f"{MARKUP}{{{{7*7}}}}</script>"
_PLANT = """
from ui import boot
from store.changes import ChangeDraft, ChangeKind as K
from store.clinic_settings import StaffMember, draft_setting, make_setting
state = boot.running()
async def make(kind, number, payload, bases=()):
    await state.commit([ChangeDraft(kind, number if isinstance(number, str) else f"{number:032x}", payload, bases)])
for place, name in enumerate(NAMES, start=1):
    person = {"chart_number": f"{place}{name}"[:60], "name": name, "address": name, "phone": name[:60],
              "national_id": name[:60], "id_type": "national", "birth_date": "1985-11-08", "sex": "2"}
    await make(K.REGISTER_PATIENT, place, person)
    dose = {"patient_id": f"{place:032x}", "vaccination_date": state.today().isoformat(), "vaccine_code": "MMR",
            "dose_number": "1", "lot_number": name[:60], "lot_type": "1", "manufacturer": name, "note": name,
            "vaccinator_id": name[:20]}
    await make(K.RECORD_VACCINATION, 100 + place, dose)
    lot = {"lot_number": name[:60], "vaccine_code": "MMR", "lot_type": "1", "manufacturer": name}
    await make(K.REGISTER_LOT, 200 + place, lot)
    exam = {"patient_id": f"{place:032x}", "exam_type": "2", "exam_date": state.today().isoformat(),
            "collection_institution": name[:60]}
    await make(K.RECORD_EXAM, 300 + place, exam)
    session = {"session_name": name, "session_date": state.today().isoformat(), "patient_ids": [f"{place:032x}"]}
    await make(K.REGISTER_SESSION, 400 + place, session)
    member = make_setting(StaffMember, name[:20], staff_id=name[:20], name=name)
    await state.commit([draft_setting(member, None)])
first = state.database.tables.vaccinations.at(f"{101:032x}")
for note in NAMES[:2]:
    payload = {"patient_id": f"{1:032x}", "vaccination_date": first["vaccination_date"], "vaccine_code": "MMR",
               "dose_number": "1", "lot_number": note[:60], "lot_type": "1", "note": note}
    await make(K.CORRECT_VACCINATION, 101, payload, (first["revision"],))
await make(K.REGISTER_PATIENT, 9, {"chart_number": "twin", "name": NAMES[1], "national_id": NAMES[1],
                                   "id_type": "national", "birth_date": "1985-11-08"})
state.touch()
"""


class Page:
    """A desk whose page tells what ran that should not have."""

    def __init__(self, desk: Desk, log: list[str]) -> None:
        self.desk, self._log = desk, log
        desk.page.on("dialog", lambda dialog: (log.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def check(self, where: str) -> None:
        assert self.desk.page.evaluate("window.ran") is None, where
        for frame in self.desk.page.frames:
            assert frame.locator("img[src=x]").count() == 0, where
        said = [line for line in self._log if re.search(r"dialog:|Content Security Policy|page error", line)]
        assert not said, (where, said)

    @property
    def frame(self) -> Frame:
        """That of Python's page."""
        return self.desk.page.frames[1]


@pytest.fixture
def page(tablet: Tablet, browser_log: list[str]) -> Page:
    return Page(tablet.open(), browser_log)


def test_no_screen_runs_what_stands_in_the_data(page: Page, cdc: FakeCdc, hub: Hub) -> None:
    desk = page.desk
    cdc.scenario("upload", "refuse_row", times=None, nth=1, text=WORDS, code=MARKUP)
    desk.python(f"NAMES = {json.dumps(NAMES)}\n{_PLANT}")

    for path in PATHS:
        desk.go(path)
        page.check(path)
    for name in NAMES:
        desk.go("/")
        desk.search(name)
        desk.see(re.compile(r"找到 \d+ 人"))
        expect(desk.row_with(name).first).to_be_visible()
        page.check(f"search {name}")
    for number in range(1, len(NAMES) + 1):
        for address in (f"/BA102_3?patient={number:032x}", f"/BA102_3?record={100 + number:032x}"):
            desk.go(address)
            page.check(address)
        desk.go(f"/BA103_3?patient={number:032x}")
        page.check("exam")
    desk.go("/BA102_3_DOWNLOAD")
    eventually("CDC's words are here", lambda: "7*7" in page.frame.locator("body").inner_text())
    page.check("CDC's words")
    for path in ("/receipts", "/BA102_3_UPLOAD"):
        desk.go(path)
        page.check(path)
    expect(page.frame.get_by_text("49", exact=True)).to_have_count(0)


def test_even_markup_that_came_into_the_page_would_not_run(page: Page, cdc: FakeCdc) -> None:
    # As if a screen had a hole: what the data is made of is put in as markup.
    blocked, elsewhere = page.frame.evaluate(
        """async (other) => {
          const said = [];
          document.addEventListener("securitypolicyviolation", (event) => said.push(event.violatedDirective));
          const place = document.body.appendChild(document.createElement("div"));
          place.innerHTML = `<img src="data:," onerror="top.ran = 1"><a href="javascript:top.ran = 2">x</a>` +
            `<svg onload="top.ran = 3"></svg><iframe srcdoc="<script>top.ran = 4</script>"></iframe>`;
          const script = place.appendChild(document.createElement("script"));
          script.textContent = "top.ran = 5";
          place.querySelector("a").click();
          await new Promise((resolve) => { place.querySelector("img").addEventListener("error", resolve); });
          const elsewhere = await fetch(other, { mode: "no-cors" }).then(() => "sent", () => "not sent");
          return [said, elsewhere];
        }""",
        f"{cdc.url}/control/state",
    )
    assert page.desk.page.evaluate("window.ran") is None
    assert set(blocked) >= {"script-src-attr", "script-src-elem"}
    assert elsewhere == "not sent"


def test_what_the_page_itself_brings_runs(page: Page) -> None:
    """Else the two tests above would pass in a page where nothing runs at all."""
    assert page.frame.evaluate("typeof Vue") == "object"
    page.desk.page.evaluate("window.ran = 1")
    with pytest.raises(AssertionError):
        page.check("planted")
