"""What stands half-filled in the forms, kept on this device so that a reload or a dead battery loses nothing.

Invariants:
- of each kind one form is half-filled on one device; it is kept at each change and forgotten when saved or left;
- what is half-filled of one person, or of one record, is never put into the form of another;
- it is this device's own, never synced, and no record before it is saved.
"""

import logging
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from tinydb.table import Document

from store.errors import AppError
from ui.state import AppState

_TABLE, _HEADER = "desk", 2
_log = logging.getLogger(__name__)


class Form(IntEnum):
    """The kinds of forms. The number is that of the document, so it never changes."""

    VACCINATION = 1
    PATIENT = 3
    LOT = 4
    EXAM = 5
    STOCK = 6


def keep_draft(
    state: AppState, patient_id: str, record_id: str, fields: Mapping[str, str], form: Form = Form.VACCINATION
) -> None:
    """`record_id` is that of the record being corrected, empty for a new one; `patient_id` is whose it is.

    A lot is nobody's, and a person's own record has the `record_id` alone: their `patient_id` is empty.
    """
    _keep(state, form, {"patient_id": patient_id, "record_id": record_id, "fields": dict(fields)})


def kept_draft(state: AppState, form: Form = Form.VACCINATION) -> Mapping[str, Any] | None:
    """Shape: {"patient_id", "record_id", "fields"}, or None where nothing is half-filled."""
    return _kept(state, form) or None


def draft_of(state: AppState, form: Form, patient_id: str = "", record_id: str = "") -> Mapping[str, str] | None:
    """The fields half-filled of just this record, or of a new one of just this person."""
    draft = kept_draft(state, form)
    is_of = draft is not None and (draft["patient_id"], draft["record_id"]) == (patient_id, record_id)
    return draft["fields"] if draft is not None and is_of else None


def forget_draft(state: AppState, form: Form = Form.VACCINATION) -> None:
    if kept_draft(state, form) is not None:
        _writing(lambda: state.database.tables.table(_TABLE).remove(doc_ids=[form]))


def keep_header(state: AppState, values: Mapping[str, str]) -> None:
    """Keep what the next person most likely gets too: day, vaccine, dose, lot and its type."""
    lots = {**_kept_today(state).get("lots", {}), values["vaccine_code"]: values["lot_number"]}
    _keep(state, _HEADER, {"kept_on": state.today().isoformat(), "values": dict(values), "lots": lots})


def kept_header(state: AppState) -> Mapping[str, str]:
    """Empty where nothing is kept, or what is kept is of another day's work."""
    values: Mapping[str, str] = _kept_today(state).get("values", {})
    return values


def kept_lot(state: AppState, vaccine_code: str) -> str:
    """The lot that was given last today of this vaccine, on this device; empty for none."""
    return str(_kept_today(state).get("lots", {}).get(vaccine_code, ""))


def _kept_today(state: AppState) -> Mapping[str, Any]:
    header = _kept(state, _HEADER)
    return header if header.get("kept_on") == state.today().isoformat() else {}


def _kept(state: AppState, number: int) -> Mapping[str, Any]:
    return state.database.tables.table(_TABLE).get(doc_id=number) or {}


def _keep(state: AppState, number: int, document: Mapping[str, Any]) -> None:
    _writing(lambda: state.database.tables.table(_TABLE).upsert(Document(document, number)))


def _writing(write: Callable[[], object]) -> None:
    try:
        write()
    except AppError as error:  # a full disk: the form itself stands as it is, and saving it will say so
        _log.warning("a draft was not kept: %s", error.code)
