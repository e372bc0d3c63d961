"""From a list to the record, at the field that CDC names."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from store.refusals import read_refusal
from store.uploads import UploadState
from ui.state import AppState


def open_record(state: AppState, record_id: str) -> None:
    """Open a dose; where CDC refused it, at the field at fault, which may be one of the person."""
    document = state.database.tables.vaccinations.find(record_id)
    field = ""
    if document is not None and document["upload_state"] == UploadState.REFUSED:
        field = read_refusal(document["upload"]["message"]).field
        person: Mapping[str, Any] = state.database.tables.patients.find(document["person_id"]) or {}
        if field == "national_id" and not person.get("national_id") and person.get("parent_national_id"):
            field = "parent_national_id"  # a newborn goes by a parent's
    ui.navigate.to(f"/BA102_3?record={record_id}&field={field}")
