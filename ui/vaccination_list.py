"""Vaccination records as a table, in the manual's columns, each with where it stands at CDC."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from nicegui import ui

from store.codes import vaccine_by_code
from store.lots import LotType
from store.pairs import same_doses
from store.patients import can_identify
from store.roc_date import TAIPEI, format_roc_date
from store.uploads import UploadState
from ui import wording
from ui.failed_upload import what_to_do
from ui.patient_search import roc_text
from ui.row_table import open_rows
from ui.state import AppState

# One set of columns for the day's list, the upload list and the verification list; each names those it shows.
DAY_COLUMNS = (
    "number", "vaccination_date", "vaccine_code", "dose_number", "lot_number", "routine", "chart_number", "name",
    "state",
)  # fmt: skip
UPLOAD_COLUMNS = (
    "number", "state", "vaccination_date", "chart_number", "name", "sex", "birth_date", "national_id", "birth_order",
    "parity", "plurality", "parent_national_id", "vaccine_code", "dose_number", "lot_number",
)  # fmt: skip
VERIFICATION_COLUMNS = (
    "number", "state", "message", "vaccination_date", "chart_number", "name", "vaccine_code", "dose_number",
    "lot_number", "judged_at",
)  # fmt: skip
# Too narrow for a finger on an upright tablet, and nobody sorts by them.
_NARROW = frozenset({"number", "sex", "birth_order", "parity", "plurality", "dose_number"})
# CDC's words as they came; under them what they mean and what to do.
_MESSAGE_CELL = """
<q-td :props="props">
  <div :class="props.row.explained ? 'desk-refused' : ''">{{ props.row.message }}</div>
  <div v-if="props.row.explained">{{ props.row.explained }}</div>
</q-td>
"""


def vaccination_row(state: AppState, number: int, document: Mapping[str, Any]) -> dict[str, Any]:
    """One row; a record whose person has not come yet shows what it has."""
    person: Mapping[str, Any] = state.database.tables.patients.find(document["person_id"]) or {}
    upload = document["upload"] or {}
    judged = upload if upload.get("revision") == document["revision"] else {}
    return {
        "record_id": document["record_id"],
        "number": number,
        "vaccination_date": roc_text(document["vaccination_date"]),
        "chart_number": person.get("chart_number", ""),
        "name": person.get("name", ""),
        "sex": person.get("sex") or "",
        "birth_date": roc_text(person.get("birth_date")),
        "national_id": wording.masked_id(person.get("national_id")),
        "birth_order": person.get("birth_order") or "",
        "parity": person.get("parity") or "",
        "plurality": person.get("plurality") or "",
        "parent_national_id": wording.masked_id(person.get("parent_national_id")),
        "vaccine_code": document["vaccine_code"],
        "dose_number": document["dose_number"],
        "lot_number": document["lot_number"],
        "lot_type": wording.LOT_TYPE.get(document["lot_type"], document["lot_type"]),
        "routine": "V" if _is_routine(document) else "",
        "state": _state(state, document, person),
        "message": wording.cdc_words(judged.get("message")),
        "explained": what_to_do(document),
        "judged_at": moment_text(judged.get("verified_at")),
    }


def moment_text(iso_moment: str | None) -> str:
    """Shape: an ISO moment -> "110/05/10 10:55:41" in Taiwan, empty for None."""
    if not iso_moment:
        return ""
    moment = datetime.fromisoformat(iso_moment).astimezone(TAIPEI)
    return f"{format_roc_date(moment.date())} {moment:%H:%M:%S}"


def _is_routine(document: Mapping[str, Any]) -> bool:
    # ASSUMED: 常規 means a dose of the children's programme out of a central lot; the manual does not explain it.
    vaccine = vaccine_by_code(document["vaccine_code"])
    return vaccine is not None and vaccine.routine and document["lot_type"] == LotType.CENTRAL


def _state(state: AppState, document: Mapping[str, Any], person: Mapping[str, Any]) -> str:
    if document["conflict"]:
        return wording.CONFLICTING
    at_cdc = wording.upload_state(document["upload_state"])
    if document["voided"]:
        return wording.STATE_TOO.format(mark=wording.VOIDED, state=at_cdc)
    if same_doses(state.database.tables, document):
        return wording.STATE_TOO.format(mark=wording.RECORDED_TWICE, state=at_cdc)
    if document["upload_state"] == UploadState.NOT_SENT and not can_identify(person):
        return wording.WAITS_FOR_ID
    return at_cdc


def vaccination_table(
    state: AppState,
    documents: Iterable[Mapping[str, Any]],
    *,
    columns: tuple[str, ...] = DAY_COLUMNS,
    on_open: Callable[[str], object],
) -> ui.table:
    """Show the documents in their order; a tap on a row opens its record."""
    rows = [vaccination_row(state, number, document) for number, document in enumerate(documents, start=1)]
    table = ui.table(
        columns=[
            {
                "name": c,
                "label": wording.VACCINATION_COLUMNS[c],
                "field": c,
                "align": "left",
                "sortable": c not in _NARROW,
                "classes": f"desk-col-{c}",
                "headerClasses": f"desk-col-{c}",
            }
            for c in columns
        ],
        rows=rows,
        row_key="record_id",
        pagination=15,
    )
    table.props(f'dense no-data-label="{wording.NO_DATA}"').classes("w-full").mark("vaccinations")
    if "message" in columns:
        table.add_slot("body-cell-message", _MESSAGE_CELL)
    return open_rows(table, on_open)
