"""One table of exam reports: a person's history, and what waits for the upload."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nicegui import ui

from store.codes import exam_error_codes
from store.patients import Patient
from store.prenatal import ExamResult, ExamState, check_exam
from store.refusals import Refusal, read_exam_refusal
from ui import wording
from ui.forms import record_fields
from ui.patient_search import roc_text
from ui.row_table import open_rows
from ui.state import AppState

# CDC's words are long: on a tablet whose report it is must stand beside them.
_STYLE = dict.fromkeys(("problems", "message"), "white-space: pre-line; min-width: 11rem")
HISTORY_COLUMNS = ("exam_date", "exam_type", "result", "institution", "due_date", "state")
UPLOAD_COLUMNS = (
    "number", "state", "message", "problems", "exam_date", "chart_number", "name", "exam_type", "result", "birth_date",
    "national_id",
)  # fmt: skip


def result_text(document: Mapping[str, Any]) -> str:
    """Shape: "HBsAg (-)　HBeAg (-)　EIA", "IgG (+)"."""
    findings = [
        f"{wording.FIELD[name]} {wording.EXAM_SIGN.get(document[name], document[name])}"
        for name in ("hbsag", "hbeag", "igg", "igm")
        if document.get(name)
    ]
    return "　".join([*findings, document.get("method") or ""]).strip("　")


def state_text(document: Mapping[str, Any]) -> str:
    if document["conflict"]:
        return wording.CONFLICTING
    at_cdc = wording.EXAM_STATE[document["exam_state"]]
    return wording.STATE_TOO.format(mark=wording.VOIDED, state=at_cdc) if document["voided"] else at_cdc


def would_be_refused(state: AppState, document: Mapping[str, Any]) -> str:
    """With which words CDC would refuse the report as it stands. Shape: "E00048 無RIA及EIA檢驗結果　等 2 項"."""
    if document["voided"]:
        return ""
    patient = state.database.tables.patients.find(document["person_id"])
    known = Patient.model_validate(record_fields(patient, Patient)) if patient else None
    problems = check_exam(ExamResult.model_validate(record_fields(document, ExamResult)), known, (), state.today())
    codes = list(dict.fromkeys(problem.facts["cdc_code"] for problem in problems if "cdc_code" in problem.facts))
    if not codes:
        return wording.EXAM_READY
    more = wording.EXAM_MORE_PROBLEMS.format(count=len(codes)) if len(codes) > 1 else ""
    return f"{codes[0]} {exam_error_codes()[codes[0]].text}{more}"


def exam_table(
    state: AppState,
    documents: Iterable[Mapping[str, Any]],
    *,
    columns: tuple[str, ...],
    on_open: Callable[[str], object],
) -> ui.table:
    """Show the documents in their order; a tap on a row opens its record."""
    rows = [_row(state, number, document, columns) for number, document in enumerate(documents, start=1)]
    table = ui.table(
        columns=[
            {"name": c, "label": label, "field": c, "align": "left", "sortable": True, "style": _STYLE.get(c, "")}
            for c, label in ((c, wording.EXAM_COLUMNS[c]) for c in columns)
        ],
        rows=rows,
        row_key="record_id",
        pagination=15,
    )
    table.props("dense").classes("w-full").mark("exams")
    return open_rows(table, on_open)


def cdc_message(document: Mapping[str, Any]) -> str:
    """CDC's words on the revision shown."""
    upload = document["upload"] or {}
    return wording.cdc_words(upload.get("message")) if upload.get("revision") == document["revision"] else ""


def refusal_of(document: Mapping[str, Any]) -> Refusal | None:
    """What CDC's refusal of the revision shown means; None where it is not refused."""
    if document["exam_state"] != ExamState.REFUSED:
        return None
    found = read_exam_refusal(document["upload"]["message"])
    if found.field == "collection_date" and not document.get("collection_date"):
        return Refusal(found.reason, "exam_date")  # by which CDC then goes
    return found


def _message(document: Mapping[str, Any]) -> str:
    refusal = refusal_of(document)
    return "\n".join([cdc_message(document), *([wording.exam_refusal(refusal)] if refusal else [])])


def _row(state: AppState, number: int, document: Mapping[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    """One row. A void that came before its report has no content yet, nor need its person have come."""
    person: Mapping[str, Any] = state.database.tables.patients.find(document["person_id"]) or {}
    kind = document.get("exam_type", "")
    return {
        "record_id": document["record_id"],
        "number": number,
        "state": state_text(document),
        "problems": would_be_refused(state, document) if "problems" in columns else "",
        "message": _message(document),
        "exam_date": roc_text(document.get("exam_date")),
        "chart_number": person.get("chart_number", ""),
        "name": person.get("name", ""),
        "birth_date": roc_text(person.get("birth_date")),
        "national_id": wording.masked_id(person.get("national_id")),
        "exam_type": wording.EXAM_TYPE.get(kind, kind),
        "result": result_text(document),
        "institution": document.get("collection_institution", ""),
        "due_date": roc_text(document.get("due_date")),
    }
