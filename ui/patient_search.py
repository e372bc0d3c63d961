"""The search that begins everything: one field, the manual's columns, Enter takes the first row."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from nicegui import ui

from store.persons import effective_patient
from store.roc_date import format_roc_date
from ui import wording
from ui.hub_search import HubSearch
from ui.row_table import open_rows
from ui.search_note import SearchNote
from ui.state import AppState

MAX_ROWS = 50



def roc_text(iso_date: str | None) -> str:
    """Shape: "1985-11-08" -> "074/11/08", empty for None."""
    return format_roc_date(date.fromisoformat(iso_date)) if iso_date else ""


def patient_row(document: Mapping[str, Any], *, merged: bool = False) -> dict[str, str]:
    """One row of the search window; ID, phone and address masked until the record opens."""
    return {
        "record_id": document["record_id"],
        "chart_number": document["chart_number"],
        "name": document["name"] + (wording.MERGED_CHART if merged else ""),
        "national_id": wording.masked_id(document.get("national_id")),
        "phone": wording.masked_phone(document.get("phone")),
        "birth_date": roc_text(document.get("birth_date")),
        "four_corner_code": document.get("four_corner_code", ""),
        "address": wording.masked_address(document.get("address")),
    }


def patient_search(state: AppState, on_chosen: Callable[[str], object]) -> ui.input:
    """Build the search field and its result list; `on_chosen` gets the record id."""

    tables, note = state.database.tables, SearchNote(state, "patients")

    def choose(record_id: str) -> None:
        note.now()
        on_chosen(record_id)

    def is_merged(document: Mapping[str, Any]) -> bool:
        record_id: str = document["record_id"]
        return effective_patient(tables, record_id) != record_id

    def search() -> None:
        found = tables.patients.find_by_typed(field.value or "", MAX_ROWS)
        table.rows = [patient_row(document, merged=is_merged(document)) for document in found]
        table.set_visibility(bool(found))
        typed = bool((field.value or "").strip())
        note.typed(len(found) if typed else None)
        if typed and not found:
            is_chosen = state.database.reach.is_chosen
            count.set_text(wording.SEARCH_NOBODY_HERE if is_chosen else wording.SEARCH_NOBODY)
        else:
            more = wording.SEARCH_MORE.format(limit=MAX_ROWS) if len(found) == MAX_ROWS else ""
            count.set_text(wording.SEARCH_FOUND.format(count=len(found)) + more if typed else "")
        hub.search(field.value or "", [document["record_id"] for document in found])

    async def take_first() -> None:
        if table.rows:
            choose(table.rows[0]["record_id"])
        elif hub.first is not None:
            await hub.choose(hub.first)

    with ui.column().classes("desk-card"):
        field = ui.input(label=wording.SEARCH_LABEL, on_change=search)
        field.props("outlined autofocus clearable autocomplete=off data-enter=stay").classes("w-full").mark(
            "patient-search"
        )
        field.on("keydown.enter", take_first)
        count = ui.label("").classes("desk-note").mark("patient-count")
        labels = wording.PATIENT_COLUMNS
        columns = [{"name": n, "label": label, "field": n, "align": "left"} for n, label in labels.items()]
        table = (
            ui.table(columns=columns, rows=[], row_key="record_id", pagination=10).classes("w-full").mark("patients")
        )
        open_rows(table, choose).set_visibility(False)
        hub = HubSearch(state, columns, patient_row, choose)
    return field
