"""BA103_3_UPLOAD: the reports that wait for CDC, with what CDC would refuse of each, and the tap that sends them."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from nicegui import ui

from store.audit import AuditAction
from store.errors import AppError
from store.exam_uploads import count_waiting
from store.prenatal import WAITING
from store.protocol import ExamsAnswer
from ui import wording
from ui.cdc_taps import UPLOAD_EXAMS, ask_hub_to
from ui.exam_list import UPLOAD_COLUMNS, exam_table
from ui.following import follow
from ui.range_search import RangeSearch
from ui.shell import page_frame
from ui.state import AppState

CODE = "BA103_3_UPLOAD"
_LISTED = 100  # each row is checked anew at each change: 0.4 ms in a browser


def build(state: AppState) -> None:
    state.note(AuditAction.VIEWED, kind="exam_uploads")
    UploadPage(state).build()


class UploadPage:
    """How to search, 確定, and the list; what is listed stays what was asked for until 確定 is tapped again."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._busy = False

    def build(self) -> None:
        with page_frame(self._state, wording.EXAM_UPLOAD, code=CODE, on_key={"F9": self._upload, "Escape": _leave}):
            with ui.column().classes("desk-card enter-moves"):
                ui.label(wording.UPLOAD_BY)
                labels = (wording.EXAM_FROM, wording.EXAM_TO)
                self._search = RangeSearch(wording.SEARCH_UNSENT, labels, self._state.today())
                with ui.row():
                    load = ui.button(wording.EXAM_LOAD, on_click=self._load)
                    load.props("outline color=primary").classes("enter-last").mark("load")
                    self._button = ui.button(wording.EXAM_UPLOAD_BUTTON, on_click=self._upload)
                    self._button.props("color=primary").mark("upload")
                    ui.button(wording.LEAVE, on_click=_leave).props("outline").mark("leave")
                # Always there, so that nothing moves when it begins to speak.
                self._outcome = ui.label(wording.NOT_NHI).classes("desk-outcome").mark("exam-outcome")

            @ui.refreshable
            def rows() -> None:
                self._build_rows()

            with ui.column().classes("desk-card"):
                rows()
            self._rows = rows
            follow(self._state.recorded, rows.refresh)

    async def _upload(self) -> None:
        """Have the hub send what waits, once, whatever is tapped how often."""
        if self._busy:
            return
        self._busy = True
        self._button.props("loading")
        self._outcome.set_text(wording.EXAM_UPLOADING)
        try:
            answer = await ask_hub_to(self._state, UPLOAD_EXAMS, ExamsAnswer)
            self._outcome.set_text(_sentence(answer))
        except AppError as error:
            self._outcome.set_text(wording.APP_ERROR[error.code])
        finally:
            self._busy = False
            self._button.props(remove="loading")

    def _load(self) -> None:
        if self._search.read():
            self._rows.refresh()

    def _build_rows(self) -> None:
        found = self._found()
        cut = wording.EXAM_LIST_CUT.format(count=_LISTED) if len(found) > _LISTED else ""
        count = count_waiting(self._state.database.tables) if self._search.days is None else len(found[:_LISTED])
        ui.label(wording.EXAM_LISTED.format(count=count) + cut).classes("text-lg").mark("exam-count")
        if found:
            exam_table(self._state, found[:_LISTED], columns=UPLOAD_COLUMNS, on_open=_open)
        else:
            empty = wording.EXAM_NONE_WAITS if self._search.days is None else wording.EXAM_NONE_IN_RANGE
            ui.label(empty).classes("desk-note").mark("nothing-listed")

    def _found(self) -> list[Mapping[str, Any]]:
        """At most one more than are listed, by their day."""
        exams = self._state.database.tables.exams
        if self._search.days is None:
            waiting: list[Mapping[str, Any]] = []
            for state in WAITING:
                waiting += exams.find_by("exam_state", state, _LISTED + 1)
            return sorted(waiting, key=lambda document: str(document.get("exam_date", "")))[: _LISTED + 1]
        found = (d for day in self._search.each_day() for d in exams.find_by("exam_date", day))
        return list(islice(found, _LISTED + 1))


def _sentence(answer: ExamsAnswer) -> str:
    known = wording.EXAM_UPLOAD_ANSWER.get(answer.code) or wording.APP_ERROR.get(
        answer.code, wording.APP_ERROR["app_error"]
    )
    text = known.format(**answer.model_dump())
    # What CDC took before the line broke is not to be passed over.
    if answer.code != "uploaded" and answer.stored + answer.refused:
        text += wording.EXAM_UPLOADED_SO_FAR.format(stored=answer.stored, refused=answer.refused)
    return text


def _open(record_id: str) -> None:
    ui.navigate.to(f"/BA103_3?record={record_id}")


def _leave() -> None:
    ui.navigate.to("/BAMENU4")
