"""BA103_3_UPLOAD: the reports that wait for CDC, with what CDC would refuse of each.

Sending them is a later part: until the link exists 上傳 stays disabled and the page says so.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import islice
from typing import Any

from nicegui import ui

from store.prenatal import ExamState
from store.roc_date import InvalidRocDate, format_compact, parse_roc_date
from ui import wording
from ui.exam_list import UPLOAD_COLUMNS, exam_table
from ui.shell import page_frame
from ui.state import AppState

CODE = "BA103_3_UPLOAD"
_LISTED = 100  # each row is checked anew at each change: 0.4 ms in a browser
_LONGEST = timedelta(days=92)  # each day is looked up by itself
_UNSENT, _RANGE = "unsent", "range"


def build(state: AppState) -> None:
    UploadPage(state).build()


class UploadPage:
    """How to search, 確定, and the list; what is listed stays what was asked for until 確定 is tapped again."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._range: tuple[date, date] | None = None

    def build(self) -> None:
        with page_frame(self._state, wording.EXAM_UPLOAD, code=CODE, on_key={"F9": self._load, "Escape": _leave}):
            with ui.column().classes("desk-card enter-moves"):
                ui.label(wording.EXAM_UPLOAD_BY)
                self._search = ui.radio(
                    {_UNSENT: wording.EXAM_SEARCH_UNSENT, _RANGE: wording.EXAM_SEARCH_RANGE}, value=_UNSENT
                )
                self._search.props("inline").classes("desk-scope").mark("search-by")
                with ui.element("div").classes("desk-fields"):
                    self._from, self._to = (self._day(label) for label in (wording.EXAM_FROM, wording.EXAM_TO))
                    self._from.mark("range-from")
                    self._to.mark("range-to")
                with ui.row():
                    load = ui.button(wording.EXAM_LOAD, on_click=self._load)
                    load.props("color=primary").classes("enter-last").mark("load")
                    ui.button(wording.EXAM_UPLOAD_BUTTON).props("color=primary disable").mark("upload")
                    ui.button(wording.LEAVE, on_click=_leave).props("outline").mark("leave")
                ui.label(wording.EXAM_UPLOAD_NOT_YET).classes("desk-refused").mark("upload-not-yet")

            @ui.refreshable
            def rows() -> None:
                self._build_rows()

            with ui.column().classes("desk-card"):
                rows()
            self._rows = rows
            self._state.changed.subscribe(rows.refresh)

    def _day(self, label: str) -> ui.input:
        field = ui.input(label, value=format_compact(self._state.today()))
        field.props("outlined autocomplete=off").classes("w-full")
        field.bind_visibility_from(self._search, "value", lambda chosen: chosen == _RANGE)
        return field

    def _load(self) -> None:
        if self._search.value == _UNSENT:
            self._range = None
        elif (chosen := self._read_range()) is not None:
            self._range = chosen
        else:
            return
        self._rows.refresh()

    def _read_range(self) -> tuple[date, date] | None:
        """The days asked for; None where a field says what is wrong."""
        days: list[date] = []
        for field in (self._from, self._to):
            field.props(remove="error error-message")
            try:
                days.append(parse_roc_date(field.value or ""))
            except InvalidRocDate as error:
                _show_fault(field, wording.DATE_FAULT[error.fault])
        if len(days) < 2:
            return None
        first, last = days
        if first > last:
            _show_fault(self._from, wording.EXAM_RANGE_REVERSED)
        elif last - first > _LONGEST:
            _show_fault(self._to, wording.EXAM_RANGE_TOO_LONG)
        else:
            return first, last
        return None

    def _build_rows(self) -> None:
        found = self._found()
        cut = wording.EXAM_LIST_CUT.format(count=_LISTED) if len(found) > _LISTED else ""
        exams = self._state.database.tables.exams
        count = exams.count_by("exam_state", ExamState.NOT_SENT) if self._range is None else len(found[:_LISTED])
        ui.label(wording.EXAM_LISTED.format(count=count) + cut).classes("text-lg").mark("exam-count")
        if found:
            exam_table(self._state, found[:_LISTED], columns=UPLOAD_COLUMNS, on_open=_open)
        else:
            empty = wording.EXAM_NONE_WAITS if self._range is None else wording.EXAM_NONE_IN_RANGE
            ui.label(empty).classes("desk-note").mark("nothing-listed")

    def _found(self) -> list[Mapping[str, Any]]:
        """At most one more than are listed, by their day."""
        exams = self._state.database.tables.exams
        if self._range is None:
            waiting = exams.find_by("exam_state", ExamState.NOT_SENT, _LISTED + 1)
            return sorted(waiting, key=lambda document: str(document.get("exam_date", "")))
        first, last = self._range
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return list(islice((d for day in days for d in exams.find_by("exam_date", day.isoformat())), _LISTED + 1))


def _show_fault(field: ui.input, words: str) -> None:
    field.props(f'error error-message="{words}"')


def _open(record_id: str) -> None:
    ui.navigate.to(f"/BA103_3?record={record_id}")


def _leave() -> None:
    ui.navigate.to("/BAMENU4")
