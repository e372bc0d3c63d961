"""Every form against what nobody should type: a message stands, or what was typed is kept and shown as it was typed.

What a browser says comes in as the browser says it, values of wrong types too. Several fields are filled in at once:
those that are told of are put right, then the others must be kept letter by letter.
"""

import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from nicegui.elements.choice_element import ChoiceElement
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.half_width import to_half_width
from store.ids import normalise_id
from store.prenatal import ExamType
from store.roc_date import InvalidRocDate, format_compact, parse_roc_date
from store.stock import StockRow
from tests.dirty_inputs import dirty_texts, dirty_values
from tests.factories import (
    EXAM_ID,
    LOT_ID,
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
def screen(user: User, state: AppState, caplog: pytest.LogCaptureFixture) -> Iterator[Screen]:
    """After it no log has an exception, nor a word of what was typed."""
    caplog.set_level(logging.DEBUG)
    screen = Screen(user, state)
    yield screen
    records = caplog.get_records("call")
    assert [record.getMessage() for record in records if record.levelno >= logging.WARNING] == []
    logged = "\n".join(record.getMessage() for record in records)
    private = {text.strip() for text in (*screen.typed, "測試患者", "B222419838", "0741108")}
    assert [text for text in private if len(text) > 5 and text in logged] == []


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


def whole(text: str) -> str:
    """Without halves of characters, which nothing can keep."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass
class Form:
    """How one form is opened, filled in and read again.

    `fields`: what stands in each to begin with; `reads`: how a text is read where it is not kept as typed; `opens` shows
    an empty form, or a record again; `table` holds what is saved.
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
        kept = str(document.get(mark) or "")
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
