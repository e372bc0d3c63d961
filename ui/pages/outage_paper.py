"""紙本表單: the sheet on which vaccinations are written when nothing works, blank or with a session's list; for A4."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from store.audit import AuditAction
from store.clinic_settings import clinic_of
from store.roc_date import InvalidRocDate, format_compact, parse_roc_date
from ui import wording
from ui.patient_search import roc_text
from ui.shell import page_frame
from ui.state import AppState

_LINES, _MOST_LINES = 20, 200
_MOST_PEOPLE = 500


def build(state: AppState) -> None:
    PaperPage(state).build()


class PaperPage:
    """The choice above, which is not printed; the sheet below. ui/assets/print.js prints it: only a page can."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._tables = state.database.tables

    def build(self) -> None:
        keys = {"F9": self._note_print, "Escape": lambda: ui.navigate.to("/outage")}
        key_help = {"F9": wording.PAPER_PRINT}
        with page_frame(self._state, wording.PAPER, on_key=keys, key_help=key_help):
            with ui.column().classes("desk-card desk-not-printed enter-moves"):
                ui.label(wording.PAPER_INTRO)
                with ui.element("div").classes("desk-fields"):
                    self._day = ui.input(wording.PAPER_DAY, value=format_compact(self._state.today()))
                    self._session = ui.select({"": wording.PAPER_BLANK}, label=wording.PAPER_SESSION, value="")
                    self._lines = ui.input(wording.PAPER_LINES, value=str(_LINES))
                for field, name in ((self._day, "paper-day"), (self._lines, "paper-lines")):
                    field.without_auto_validation().props("outlined autocomplete=off").mark(name)
                self._session.props("outlined").mark("paper-session").on_value_change(lambda: self._sheet.refresh())
                self._day.on_value_change(self._offer_sessions)
                self._lines.on_value_change(lambda: self._sheet.refresh())
                with ui.row():
                    give = ui.button(wording.PAPER_PRINT, on_click=self._note_print).props("color=primary")
                    give.classes("desk-print enter-last").mark("print")
                    leave = ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/outage"))
                    leave.props("outline").mark("leave")
            # On a narrow screen it scrolls sideways, by keys as well.
            with ui.element("section").classes("desk-card desk-sheet") as sheet:
                sheet.props(f'tabindex=0 aria-label="{wording.PAPER}"')
                self._sheet()
        self._offer_sessions()

    def _note_print(self) -> None:
        """Blank sheets are nobody's."""
        session = self._tables.sessions.find(self._session.value) if self._session.value else None
        if session is not None:
            people = min(len(session["patient_ids"]), _MOST_PEOPLE)
            self._state.note(AuditAction.PRINTED, kind="paper_list", record_id=session["record_id"], count=people)

    def _offer_sessions(self) -> None:
        """The sessions of the day that is typed."""
        self._day.error = None
        sessions: list[Any] = []
        try:
            day = parse_roc_date(self._day.value or "")
            sessions = self._tables.sessions.find_by("session_date", day.isoformat())
        except InvalidRocDate as error:
            self._day.error = wording.DATE_FAULT[error.fault]
        choices = {
            one["record_id"]: wording.PAPER_SESSION_CHOICE.format(
                name=one["session_name"], count=len(one["patient_ids"])
            )
            for one in sessions
        }
        chosen = self._session.value if self._session.value in choices else ""
        self._session.set_options({"": wording.PAPER_BLANK, **choices}, value=chosen)

    @ui.refreshable_method
    def _sheet(self) -> None:
        session = self._tables.sessions.find(self._session.value) if self._session.value else None
        ids = session["patient_ids"] if session is not None else ()
        people = [one for patient_id in ids[:_MOST_PEOPLE] if (one := self._tables.patients.find(patient_id))]
        self._head(session)
        if len(ids) > _MOST_PEOPLE:
            ui.label(wording.PAPER_LIST_CUT.format(count=_MOST_PEOPLE)).classes("desk-refused").mark("paper-cut")
        with ui.element("table").classes("desk-paper").mark("paper"):
            with ui.element("thead"), ui.element("tr"):
                for name, label in wording.PAPER_COLUMNS.items():
                    with ui.element("th").classes(f"desk-paper-{name}"):
                        ui.label(label)
            with ui.element("tbody"):
                # After a list some lines for who comes without standing on it.
                for number, person in enumerate([*people, *[{}] * self._blank_lines()], start=1):
                    _line(number, person)
        ui.label(wording.PAPER_FOOT).classes("desk-paper-foot")

    def _head(self, session: Mapping[str, Any] | None) -> None:
        clinic = clinic_of(self._tables)
        day = roc_text(session["session_date"]) if session is not None else wording.PAPER_DATE_BLANK
        ui.label(wording.PAPER).classes("desk-person").props("role=heading aria-level=2")
        with ui.row().classes("desk-paper-head"):
            ui.label(f"{wording.PAPER_CLINIC}　{clinic.clinic_name} {clinic.institution_code}")
            if session is not None:
                ui.label(f"{wording.PAPER_SESSION}　{session['session_name']}").mark("paper-of")
            ui.label(f"{wording.PAPER_DATE}　{day}").mark("paper-date")
            ui.label(f"{wording.PAPER_LOT}　{wording.PAPER_BLANK_LINE}")

    def _blank_lines(self) -> int:
        self._lines.error = None
        typed = (self._lines.value or "").strip()
        if typed.isdecimal() and 1 <= int(typed[:6]) <= _MOST_LINES:
            return int(typed)
        self._lines.error = wording.PAPER_LINES_FAULT.format(highest=_MOST_LINES)
        return _LINES


def _line(number: int, person: Mapping[str, Any]) -> None:
    told = {
        "number": str(number),
        "chart_number": person.get("chart_number", ""),
        "name": person.get("name", ""),
        "national_id": wording.masked_id(person.get("national_id") or person.get("parent_national_id")),
        "birth_date": roc_text(person.get("birth_date")),
    }
    with ui.element("tr").mark("paper-line"):
        for name in wording.PAPER_COLUMNS:
            with ui.element("td"):
                if text := told.get(name):
                    ui.label(text)
