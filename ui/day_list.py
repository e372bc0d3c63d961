"""The list of a day's records under the form, with the filters that narrow it."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from nicegui import ui

from store.codes import vaccines
from store.roc_date import InvalidRocDate, format_roc_date, parse_roc_date
from ui import wording
from ui.following import follow
from ui.state import AppState
from ui.vaccination_list import VaccinationTable

_LISTED = 200  # drawn anew at each change, so not without end


class DayList:
    """Today's records, newest first: the nurse looks for the child she has just done. Another day is typed."""

    def __init__(self, state: AppState, *, on_open: Callable[[str], object]) -> None:
        self._state = state
        with ui.column().classes("desk-card"):
            with ui.row().classes("items-center w-full"):
                self._count = ui.label("").classes("text-lg").mark("today-count")
                ui.space()
                self._day = ui.input(wording.DAY_FILTER, placeholder=wording.DAY_TODAY).mark("day-filter")
                codes = {"": wording.EVERY_VACCINE, **{v.code: v.code for v in vaccines() if v.in_use}}
                self._vaccine = ui.select(codes, label=wording.LIST_VACCINE, value="").mark("vaccine-filter")
                states = {"": wording.EVERY_STATE, **{s.value: text for s, text in wording.UPLOAD_STATE.items()}}
                self._upload_state = ui.select(states, label=wording.LIST_STATE, value="").mark("state-filter")
                for each in (self._day, self._vaccine, self._upload_state):
                    each.props("dense outlined").on_value_change(self._refresh)
            self._unreadable = ui.label(wording.DAY_UNREADABLE).classes("desk-note")
            # Filled, not drawn anew: whoever walks through it by keys stays at her row.
            self._table = VaccinationTable(state, on_open=on_open)
        self._refresh()
        follow(state.changed, self._refresh)

    def _refresh(self) -> None:
        day = self._chosen_day()
        self._unreadable.set_visibility(day is None)
        self._table.element.set_visibility(day is not None)
        if day is None:
            return
        of_day = self._state.database.tables.vaccinations.find_by("vaccination_date", day.isoformat())
        found = [document for document in of_day if self._shows(document)]
        documents = sorted(found, key=lambda document: str(document["made_at"]), reverse=True)
        count = sum(not d["voided"] for d in documents)
        words = wording.TODAY_COUNT if day == self._state.today() else wording.DAY_COUNT
        self._count.set_text(words.format(day=format_roc_date(day), count=count))
        self._table.show(documents[:_LISTED])

    def _chosen_day(self) -> date | None:
        """None where nobody can read what is typed."""
        if not (self._day.value or "").strip():
            return self._state.today()
        try:
            return parse_roc_date(self._day.value)
        except InvalidRocDate:
            return None

    def _shows(self, document: Mapping[str, Any]) -> bool:
        return (not self._vaccine.value or document["vaccine_code"] == self._vaccine.value) and (
            not self._upload_state.value or document["upload_state"] == self._upload_state.value
        )
