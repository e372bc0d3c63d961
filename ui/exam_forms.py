"""The exam form's text to a report, or to all the problems it has, each at its field."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from nicegui.binding import bindable_dataclass

from store.half_width import to_half_width
from store.patients import Patient
from store.prenatal import FIELDS_OF_TYPE, ExamDraft, ExamMethod, ExamResult, ExamType, Finding, check_exam
from store.problems import Problem, ProblemCode, Severity
from store.roc_date import InvalidRocDate, format_compact, parse_roc_date
from store.texts import check_texts
from ui.forms import record_fields
from ui.state import AppState

COMMON_FIELDS = ("exam_date", "collection_date", "collection_institution", "due_date")
DATE_FIELDS = frozenset({"exam_date", "collection_date", "due_date", "viral_load_date", "antiviral_since"})
FINDING_FIELDS = frozenset({"hbsag", "hbeag", "igg", "igm"})
YES_NO_FIELDS = frozenset({"is_prenatal", "antiviral"})


@bindable_dataclass
class ExamText:
    """What stands in the fields of the exam form; yes and no are "yes" and "no"."""

    exam_type: str = ""
    exam_date: str = ""
    collection_date: str = ""
    collection_institution: str = ""
    due_date: str = ""
    is_prenatal: str = ""
    method: str = ""
    hbsag: str = ""
    hbeag: str = ""
    viral_load: str = ""
    viral_load_date: str = ""
    antiviral: str = ""
    antiviral_since: str = ""
    igg: str = ""
    igm: str = ""


def shown_fields(text: ExamText) -> tuple[str, ...]:
    """The fields to fill in, in their order; none before the kind is chosen."""
    return (*COMMON_FIELDS, *FIELDS_OF_TYPE[ExamType(text.exam_type)]) if text.exam_type else ()


def text_of_exam(document: Mapping[str, Any]) -> ExamText:
    """A report as it stands in a table, as one would type it."""
    texts: dict[str, str] = {}
    for name in ExamText.__dataclass_fields__:
        value = document.get(name)
        if value in (None, ""):
            continue
        if name in DATE_FIELDS:
            texts[name] = format_compact(date.fromisoformat(value))
        elif name in YES_NO_FIELDS:
            texts[name] = "yes" if value else "no"
        else:
            texts[name] = str(value)
    return ExamText(**texts)


def read_exam(text: ExamText, patient_id: str) -> tuple[ExamDraft, list[Problem]]:
    """Read the form; an unreadable date is a problem and leaves the draft without one.

    What was typed into fields of another kind before the kind was changed is not this report's.
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {"exam_type": ExamType(text.exam_type) if text.exam_type else None}
    for name in shown_fields(text) or COMMON_FIELDS:
        typed = getattr(text, name).strip()
        if not typed:
            continue
        if name in DATE_FIELDS:
            try:
                values[name] = parse_roc_date(typed)
            except InvalidRocDate as error:
                facts = {"text": typed, "fault": error.fault.value}
                problems.append(Problem(name, ProblemCode.DATE_UNREADABLE, facts))
        elif name in FINDING_FIELDS:
            values[name] = Finding(typed)
        elif name in YES_NO_FIELDS:
            values[name] = typed == "yes"
        elif name == "method":
            values[name] = ExamMethod(typed)
        else:
            values[name] = "".join(to_half_width(typed).split()).upper() if name == "collection_institution" else typed
    return ExamDraft(patient_id=patient_id, **values), problems


def check_exam_form(
    state: AppState, text: ExamText, patient_id: str, record_id: str
) -> tuple[ExamDraft, list[Problem]]:
    """Everything odd about what is typed, against what this device knows."""
    draft, problems = read_exam(text, patient_id)
    tables = state.database.tables
    patient = tables.patients.find(patient_id)
    others = [
        ExamResult.model_validate(record_fields(document, ExamResult))
        for document in tables.exams.find_by("person_id", patient_id)
        if not document["voided"] and document["record_id"] != record_id
    ]
    unreadable = {problem.field for problem in problems}
    known = Patient.model_validate(record_fields(patient, Patient)) if patient else None
    problems += check_texts(draft)
    problems += [
        problem
        for problem in check_exam(draft, known, others, state.today())
        if not (problem.field in unreadable and problem.code is ProblemCode.REQUIRED)
    ]
    return draft, problems


def stops_saving(problem: Problem) -> bool:
    """True for what cannot be saved, also for a day nobody can read: a report keeps no text in its place."""
    return problem.severity is Severity.ERROR or problem.code is ProblemCode.DATE_UNREADABLE
