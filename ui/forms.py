"""Screen text to drafts, or to all the problems it has, each at its field."""

from collections.abc import Mapping
from typing import Any

from nicegui.binding import bindable_dataclass

from store.half_width import to_half_width
from store.lots import Lot, LotType
from store.pairs import are_confirmed_doses
from store.patients import Patient
from store.problems import Problem, ProblemCode, Severity
from store.roc_date import InvalidRocDate, parse_roc_date
from store.texts import check_texts
from store.vaccinations import Vaccination, VaccinationDraft, check_vaccination
from ui.state import AppState


@bindable_dataclass
class VaccinationText:
    """What stands in the fields of the vaccination form. Bindable: what is filled in by itself is shown at once."""

    vaccination_date: str = ""
    vaccine_code: str = ""
    dose_number: str = ""
    lot_number: str = ""
    lot_type: str = ""
    special_identity: str = ""
    manufacturer: str = ""
    body_site: str = ""
    route: str = ""
    vaccinator_id: str = ""
    note: str = ""


def record_fields(document: Mapping[str, Any], model: type[Any]) -> dict[str, Any]:
    """The fields of a record's own model out of its document in a table."""
    return {name: document[name] for name in model.model_fields if name in document}


def read_vaccination(text: VaccinationText, patient_id: str) -> tuple[VaccinationDraft, list[Problem]]:
    """Read the form; an unreadable date is a problem and leaves the draft without one."""
    problems, day = [], None
    if text.vaccination_date.strip():
        try:
            day = parse_roc_date(text.vaccination_date)
        except InvalidRocDate as error:
            facts = {"text": text.vaccination_date, "fault": error.fault.value}
            problems.append(Problem("vaccination_date", ProblemCode.DATE_UNREADABLE, facts))
    draft = VaccinationDraft(
        patient_id=patient_id,
        vaccination_date=day,
        vaccine_code=text.vaccine_code,
        dose_number=to_half_width(text.dose_number).strip(),
        lot_number=text.lot_number.strip(),
        lot_type=LotType(text.lot_type) if text.lot_type else None,
        special_identity=text.special_identity.strip() or None,
        manufacturer=text.manufacturer.strip(),
        body_site=text.body_site.strip(),
        route=text.route.strip(),
        vaccinator_id=text.vaccinator_id.strip(),
        note=text.note.strip(),
    )
    return draft, problems


def check_form(
    state: AppState, text: VaccinationText, patient_id: str, record_id: str
) -> tuple[VaccinationDraft, list[Problem]]:
    """Everything odd about what is typed, against what this device knows."""
    tables = state.database.tables
    draft, problems = read_vaccination(text, patient_id)
    patient = tables.patients.find(patient_id)
    lots = tables.lots.find_by("vaccine_code", draft.vaccine_code) + tables.lots.find_by("lot_number", draft.lot_number)
    others = [
        d
        for d in tables.vaccinations.find_by("person_id", patient_id)
        if not d["voided"] and not are_confirmed_doses(tables, d["record_id"], record_id)
    ]
    unreadable = {problem.field for problem in problems}
    problems += check_texts(draft)
    problems += [
        problem
        for problem in check_vaccination(
            draft,
            Patient.model_validate(record_fields(patient, Patient)) if patient else None,
            [Lot.model_validate(record_fields(lot, Lot)) for lot in lots],
            [Vaccination.model_validate(record_fields(d, Vaccination)) for d in others if d["record_id"] != record_id],
            state.today(),
        )
        if not (problem.field in unreadable and problem.code is ProblemCode.REQUIRED)
    ]
    return draft, problems


def stops_saving(problem: Problem) -> bool:
    """True for what leaves nothing that could be saved."""
    return problem.severity is Severity.ERROR or (
        problem.code is ProblemCode.DATE_UNREADABLE and problem.field in ("vaccination_date", "expiry_date")
    )
