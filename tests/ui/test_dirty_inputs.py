"""Every form against what nobody should type: a message stands, or what was typed is kept and shown as it was typed.

What a browser says comes in as the browser says it, values of wrong types too. Several fields are filled in at once:
those that are told of are put right, then the others must be kept letter by letter.
"""

import csv
import io
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from nicegui.elements.choice_element import ChoiceElement

from store.changes import ChangeDraft, ChangeKind
from store.half_width import to_half_width
from store.ids import normalise_id
from store.prenatal import ExamType
from store.roc_date import InvalidRocDate, parse_roc_date
from store.stock import StockRow
from tests.dirty_inputs import dirty_texts, dirty_values, whole
from tests.factories import (
    PATIENT_ID,
    VACCINATION_ID,
    make_exam,
    make_lot,
    make_patient,
    make_vaccination,
)
from tests.ui.dirty_screen import Screen
from ui import wording
from ui.state import AppState

Reading = Callable[[str], str]
_PEOPLE = 20  # who take turns: a long history of one makes each check of it slow


@pytest.fixture
async def people(state: AppState) -> None:
    for number in range(_PEOPLE):
        person = make_patient(record_id=f"{number + 0xA00:032x}", chart_number=f"P{number:03}", name=f"王{number}")
        await keep(state, ChangeKind.REGISTER_PATIENT, person.model_copy(update={"national_id": None, "phone": ""}))


async def keep(state: AppState, kind: ChangeKind, record: Any) -> None:
    payload = record.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
    await state.commit([ChangeDraft(kind, record.record_id, payload)])


# ---- how a text is read; "" is what nothing is kept of


def as_typed(text: str) -> str:
    return text.strip()


def half_width(text: str) -> str:
    return to_half_width(text.strip())


def day(text: str) -> str:
    try:
        return parse_roc_date(text).isoformat()
    except InvalidRocDate:
        return ""


def institution(text: str) -> str:
    return "".join(to_half_width(text).split()).upper()


def number(text: str) -> str:
    plain = to_half_width(text.strip())
    return str(int(plain)) if plain.isascii() and plain.isdigit() and len(plain) < 4 else ""


@dataclass
class Form:
    """How one form is opened, filled in and read again.

    `fields`: what stands in each to begin with, "#" for the number of the round; `reads`: how a text is read where it
    is not kept as typed; `opens` shows an empty form, or a record again; `table` holds what is saved.
    """

    name: str
    fields: Mapping[str, str]
    opens: Callable[[Screen, str], Awaitable[None]]
    table: str
    button: str = "save"
    reads: Mapping[str, Reading] = field(default_factory=dict)
    record_id: str = ""


async def drive(screen: Screen, form: Form) -> None:
    values = dirty_values(form.name)
    stored, turns = 0, itertools.count()
    while round_of := dict(zip(form.fields, values, strict=False)):
        await form.opens(screen, form.record_id)
        turn = next(turns)
        begun = {mark: first.replace("#", str(turn)) for mark, first in form.fields.items()}
        for mark, first in begun.items():
            if screen.value(mark) != first:
                screen.choose(mark, first)
        typed = {}
        for mark, value in round_of.items():
            before = screen.value(mark)
            screen.type(mark, value)
            if isinstance(value, str) and not isinstance(screen.at(mark), ChoiceElement):
                typed[mark] = whole(value)
            else:
                typed[mark] = "" if value is None and _can_be_emptied(screen.at(mark)) else before
            assert screen.value(mark) == typed[mark]
        known = _revisions(screen, form)
        while not await screen.save(form.button):
            screen.check()
            if screen.told == [wording.NOT_CHANGED]:
                break
            refused = [mark for mark in typed if screen.fault(mark) or _is_named(screen, mark)]
            assert refused, (screen.told, typed)
            assert all(len(told) < 100 + 400 * len(refused) for told in screen.told)
            for mark in refused:
                del typed[mark]
                screen.choose(mark, begun[mark])
            for mark, text in typed.items():
                if screen.value(mark) != text:  # as what was put right brought something with it
                    screen.choose(mark, text)
        else:
            [(record_id, _)] = _revisions(screen, form).items() - known.items()
            await _is_kept(screen, form, record_id, typed)
            stored += len(typed)
    assert stored > 100  # else little was seen of what is kept


def _can_be_emptied(field: Any) -> bool:
    return not isinstance(field, ChoiceElement) or bool(field.props.get("clearable"))


def _revisions(screen: Screen, form: Form) -> dict[str, str]:
    return {d["record_id"]: d["revision"] for d in getattr(screen.state.database.tables, form.table).documents()}


def _is_named(screen: Screen, mark: str) -> bool:
    return any(wording.FIELD.get(mark, mark) in told for told in screen.told)


async def _is_kept(screen: Screen, form: Form, record_id: str, typed: Mapping[str, str]) -> None:
    document = getattr(screen.state.database.tables, form.table).at(record_id)
    await form.opens(screen, record_id)
    screen.check()
    for mark, text in typed.items():
        if isinstance(screen.at(mark), ChoiceElement):
            continue
        kept = "" if document.get(mark) is None else str(document[mark])
        if mark in document.get("as_written", {}):
            assert document["as_written"][mark] == text.strip()
            assert screen.value(mark) == text.strip()
        else:
            assert kept == form.reads.get(mark, as_typed)(text), (mark, text)
            shown = screen.value(mark)
            assert day(shown) == kept if form.reads.get(mark) is day else shown == kept, (mark, text)


# ---- the forms that keep a record


async def open_vaccination(screen: Screen, record_id: str) -> None:
    if screen.find("day-filter") is None:
        await screen.open("/BA102_3")
    if screen.find("leave"):
        screen.click("leave")
    if record_id:
        screen.open_row("vaccinations", record_id)
    else:
        screen.type("patient-search", f"P{next(_turn) % _PEOPLE:03}")
        screen.enter("patient-search")
    await screen.until(lambda: screen.find("vaccination_date"))


_turn = itertools.count()
VACCINATION = {
    "vaccination_date": "1151120", "vaccine_code": "MMR", "dose_number": "1", "lot_number": "AMJRE075AA-CDC",
    "lot_type": "1", "special_identity": "", "manufacturer": "GSK", "body_site": "", "route": "", "vaccinator_id": "",
    "note": "",
}  # fmt: skip
VACCINATION_READS: dict[str, Reading] = {"vaccination_date": day, "dose_number": half_width}


async def test_a_new_vaccination(screen: Screen, people: None) -> None:
    await drive(screen, Form("new vaccination", VACCINATION, open_vaccination, "vaccinations", reads=VACCINATION_READS))


async def test_a_vaccination_corrected(screen: Screen, state: AppState) -> None:
    await keep(state, ChangeKind.RECORD_VACCINATION, make_vaccination(vaccination_date=state.today()))
    form = Form("vaccination", VACCINATION, open_vaccination, "vaccinations", reads=VACCINATION_READS)
    form.record_id = VACCINATION_ID
    await drive(screen, form)


async def open_patient(screen: Screen, record_id: str) -> None:
    if screen.find("day-filter") is None:
        await screen.open("/BA102_3")
    while screen.find("leave"):
        screen.click("leave")
    if record_id:
        screen.type("patient-search", screen.state.database.tables.patients.at(record_id)["chart_number"])
        screen.open_row("patients", record_id)
        await screen.until(lambda: screen.find("edit-patient"))
        screen.click("edit-patient")
    else:
        screen.click("new-patient")
    await screen.until(lambda: screen.find("save-patient"))


PATIENT = {
    "chart_number": "0700#", "name": "王小寶", "sex": "1", "national_id": "", "id_type": "", "birth_date": "1151119",
    "phone": "", "address": "", "parent_national_id": "B222419838", "birth_order": "", "parity": "", "plurality": "",
    "four_corner_code": "",
}  # fmt: skip
PATIENT_READS: dict[str, Reading] = {
    "chart_number": half_width, "national_id": normalise_id, "parent_national_id": normalise_id, "phone": half_width,
    "four_corner_code": half_width, "birth_date": day, "birth_order": number, "parity": number, "plurality": number,
}  # fmt: skip


async def test_a_new_patient(screen: Screen) -> None:
    await drive(screen, Form("new patient", PATIENT, open_patient, "patients", "save-patient", PATIENT_READS))


async def test_a_patient_mended(screen: Screen, state: AppState) -> None:
    fields = {**PATIENT, "chart_number": "057164"}
    await drive(screen, Form("patient", fields, open_patient, "patients", "save-patient", PATIENT_READS, PATIENT_ID))


async def open_lot(screen: Screen, record_id: str) -> None:
    if screen.find("lot-search") is None and screen.find("lot-form") is None:
        await screen.open("/BA109")
    if screen.find("lot-form"):
        screen.click("leave")
    if record_id:
        screen.type("lot-search", screen.state.database.tables.lots.at(record_id)["lot_number"])
        screen.open_row("lots", record_id)
    else:
        screen.click("add-lot")
    await screen.until(lambda: screen.find("lot-form"))


LOT = {
    "vaccine_code": "MMR", "lot_number": "N-#", "manufacturer": "GSK", "expiry_date": "1160331", "doses_per_vial": "1",
    "lot_type": "2", "status": "active",
}  # fmt: skip


async def test_a_new_lot(screen: Screen) -> None:
    reads = {"expiry_date": day, "doses_per_vial": number}
    await drive(screen, Form("lot", LOT, open_lot, "lots", reads=reads))


async def open_exam(screen: Screen, record_id: str) -> None:
    if screen.find("save"):
        screen.click("leave")
    if screen.find("person") is None:
        await screen.open(f"/BA103_3?patient={PATIENT_ID}")
    if record_id:
        screen.open_row("exams", record_id)
    else:
        screen.click("new")
    await screen.until(lambda: screen.find("exam_type"))


EXAM = {"exam_date": "1151120", "collection_date": "1151118", "collection_institution": "1133060019", "due_date": ""}
ANTIBODIES = {"is_prenatal": "yes", "igg": "POS", "igm": "NEG"}
EXAM_FIELDS = {
    ExamType.HEPATITIS_B: {
        "method": "EIA", "hbsag": "NEG", "hbeag": "NEG", "viral_load": "1E+4", "viral_load_date": "", "antiviral": "no",
        "antiviral_since": "",
    },
    ExamType.RUBELLA: ANTIBODIES,
    ExamType.MEASLES: ANTIBODIES,
}  # fmt: skip
EXAM_READS: dict[str, Reading] = {
    "exam_date": day, "collection_date": day, "due_date": day, "viral_load_date": day, "antiviral_since": day,
    "collection_institution": institution,
}  # fmt: skip


@pytest.mark.parametrize("kind", ExamType, ids=lambda kind: kind.name.lower())
async def test_an_exam(screen: Screen, kind: ExamType) -> None:
    async def opens(screen: Screen, record_id: str) -> None:
        await open_exam(screen, record_id)
        if not record_id:
            screen.choose("exam_type", str(kind))

    fields = {**EXAM, **EXAM_FIELDS[kind]}
    await drive(screen, Form(f"exam {kind.name}", fields, opens, "exams", reads=EXAM_READS))


# ---- what is searched, filtered and asked


async def test_the_search_for_a_patient_and_the_day_of_the_list(screen: Screen, state: AppState) -> None:
    await screen.open("/BA102_3")
    for text, chosen in zip(dirty_values("patient search"), dirty_values("day filter"), strict=True):
        screen.type("patient-search", text)
        screen.type("day-filter", chosen)
        assert screen.find("vaccinations") or any(_shows(one, wording.DAY_UNREADABLE) for one in screen.elements)
        if screen.value("patient-search").strip():
            assert screen.text("patient-count")
    screen.check()


async def test_the_search_for_a_lot(screen: Screen) -> None:
    await screen.open("/BA109")
    for text in dirty_values("lot search"):
        screen.type("lot-search", text)
        assert screen.text("lot-count")
    screen.check()


@pytest.mark.parametrize("path", ["/BA103_3_UPLOAD", "/BA102_3_UPLOAD", "/BA102_3_DOWNLOAD"])
async def test_the_range_of_days_to_search(screen: Screen, state: AppState, path: str) -> None:
    await keep(state, ChangeKind.RECORD_EXAM, make_exam())
    await keep(state, ChangeKind.RECORD_VACCINATION, make_vaccination(vaccination_date=state.today()))
    await screen.open(path)
    screen.choose("search-by", "range")
    for number, text in enumerate(dirty_values("range")):
        ends = ("range-from", "range-to") if number % 2 else ("range-to", "range-from")
        for mark, typed in zip(ends, (text, "1151120"), strict=True):
            screen.type(mark, typed)
        screen.click("load")
        told = [screen.at(mark).props.get("error-message") for mark in ends]
        assert any(told) or day(screen.value(ends[0]))
    screen.check()


async def test_the_vials_of_a_stock_row(screen: Screen, state: AppState) -> None:
    row = StockRow(identifier="S-1", vaccine_code="MMR", lot_number="AMJRE075AA-CDC", lot_type="1", vials=14)
    await state.commit([ChangeDraft(ChangeKind.STOCK_RECEIVED, "d1", {"rows": [row.model_dump(mode="json")]})])
    await screen.open("/BA109_3_DOWNLOAD")
    vials = f"vials-{row.lot_number}"
    for text in dirty_values("stock"):
        screen.type(vials, text)
        kept = half_width(screen.value(vials))
        if not screen.fault(vials):
            await screen.until(lambda kept=kept: _vials(state) == (int(kept) if kept else None))
        else:
            assert kept
            assert not (kept.isascii() and kept.isdigit() and len(kept) <= 5)
    screen.check()


def _vials(state: AppState) -> int | None:
    for document in state.database.tables.consumptions.documents():
        vials: int | None = document.get("vials")
        return vials
    return None


def _shows(element: Any, text: str) -> bool:
    return getattr(element, "text", None) == text


async def test_why_a_record_is_voided_or_saved_against_a_warning(screen: Screen, state: AppState) -> None:
    lot = make_lot(expiry_date=state.today())
    await keep(state, ChangeKind.REGISTER_LOT, lot.model_copy(update={"record_id": "6" * 32, "lot_number": "OTHER-1"}))
    await keep(state, ChangeKind.RECORD_VACCINATION, make_vaccination(vaccination_date=state.today()))
    await open_vaccination(screen, VACCINATION_ID)
    for mark, opens, confirms, leaves in (
        ("void-reason", "void", "void-confirm", "cancel"),
        ("warning-reason", "save", "save-anyway", "go-back"),
    ):
        if opens == "save":
            screen.choose("lot_number", "UNHEARD-CDC")
        screen.click(opens)
        await screen.until(lambda mark=mark: screen.find(mark))
        for value in dirty_values(mark, 480):
            screen.type(mark, value)
            text = screen.value(mark).strip()
            assert screen.at(confirms).enabled == (bool(text) and not screen.fault(mark))
            assert not screen.fault(mark) or text
        screen.check()
        screen.click(leaves)
        await screen.until(lambda mark=mark: not screen.find(mark))
    for value in itertools.islice(filter(str.strip, dirty_texts("kept reasons")), 20):
        screen.choose("lot_number", "UNHEARD-CDC")
        screen.click("save")
        await screen.until(lambda: screen.find("warning-reason"))
        screen.type("warning-reason", value)
        if not screen.at("save-anyway").enabled:
            assert screen.fault("warning-reason")
            screen.click("go-back")
            await screen.until(lambda: not screen.find("warning-reason"))
            continue
        screen.told.clear()
        screen.click("save-anyway")
        await screen.until(lambda: screen.told)
        await open_vaccination(screen, VACCINATION_ID)
        assert state.database.tables.vaccinations.at(VACCINATION_ID)["warning_reason"] == whole(value).strip()
        told = wording.SAVED_BECAUSE.format(reason=whole(value).strip())
        assert any(_shows(one, told) for one in screen.elements)


async def test_the_window_of_codes(screen: Screen, people: None) -> None:
    await open_vaccination(screen, "")
    screen.click("vaccine-window")
    await screen.until(lambda: screen.find("window-search"))
    for value in dirty_values("code window"):
        screen.type("window-search", value)
        assert isinstance(screen.at("window-left").rows, list)
    screen.check()


# ---- the roster


HEADER = ("病歷號碼", "姓名", "性別", "身份證號碼", "出生日期", "電話", "地址", "同胎次序")


def _roster(texts: Iterator[str], columns: int) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for number, text in enumerate(texts):
        row = [f"R{number:03}", f"名{number}", "1", "", "0741108", "", "", ""]
        row[number % columns] = whole(text)
        writer.writerow(row)
    return out.getvalue().encode()


async def test_the_rows_of_a_roster_and_its_session(screen: Screen, state: AppState) -> None:
    await screen.open("/roster")
    texts = list(dirty_texts("roster"))
    await screen.give("roster-file", _roster(iter(texts), len(HEADER)))
    for name, chosen in zip(dirty_values("session name"), dirty_values("session date"), strict=True):
        screen.type("session-name", name)
        screen.type("session-date", chosen)
        if screen.value("session-name").strip() and not day(screen.value("session-date")):
            screen.click("import")
            await screen.until(lambda: screen.text("session-date-fault") or screen.fault("session-name"))
    screen.check()
    screen.choose("session-name", "<b>流感</b>")
    screen.choose("session-date", "1151120")
    screen.click("import")
    await screen.until(lambda: screen.find("import-done"))
    screen.check()

    bad = screen.find("bad-rows")
    people = [*state.database.tables.patients.documents()]
    assert len(people) - 1 + len(bad.rows) >= len(texts) - 60  # the rest are repetitions of a chart number, or blank
    shown = {(row["chart_number"], row["name"]) for row in (*bad.rows, *screen.at("preview").rows)}
    assert any("<script>alert(1)</script>" in name for _, name in shown)
    assert [session["session_name"] for session in state.database.tables.sessions.documents()] == ["<b>流感</b>"]


async def test_files_that_are_no_roster(screen: Screen) -> None:
    await screen.open("/roster")
    for text in dirty_texts("files"):
        data = whole(text).encode("utf-8")
        await screen.give("roster-file", data if len(text) % 2 else ",".join(HEADER).encode("cp950") + b"\r\n" + data)
        assert screen.find("roster-error") or screen.find("roster-summary")
    screen.check()
