"""What stands half-filled in a form, kept on this device so that a reload or a dead battery loses nothing.

Invariants:
- one form at a time is half-filled on one device; it is kept at each change and forgotten when saved or left;
- it is this device's own, never synced, and no record before it is saved.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from tinydb.table import Document

from store.errors import AppError
from ui.state import AppState

_TABLE, _HALF_FILLED, _HEADER = "desk", 1, 2
_log = logging.getLogger(__name__)


def keep_draft(state: AppState, patient_id: str, record_id: str, fields: Mapping[str, str]) -> None:
    """`record_id` is that of the record being corrected, empty for a new one."""
    _keep(state, _HALF_FILLED, {"patient_id": patient_id, "record_id": record_id, "fields": dict(fields)})


def kept_draft(state: AppState) -> Mapping[str, Any] | None:
    """Shape: {"patient_id", "record_id", "fields"}, or None where nothing is half-filled."""
    return _kept(state, _HALF_FILLED) or None


def forget_draft(state: AppState) -> None:
    if kept_draft(state) is not None:
        _writing(lambda: state.database.tables.table(_TABLE).remove(doc_ids=[_HALF_FILLED]))


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
