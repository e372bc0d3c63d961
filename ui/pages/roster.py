"""名冊匯入: the HIS's roster into the store, with a look before and a list of what could not be taken after."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from nicegui import ui
from nicegui.events import UploadEventArguments

from store.audit import AuditAction
from store.errors import AppError
from store.roc_date import InvalidRocDate, format_compact, format_roc_date, parse_roc_date
from store.roster import RosterError, RosterRow, RosterText, decode_roster
from store.roster_plan import bad_rows_csv
from store.sessions import record_id_of_session
from store.texts import check_text
from ui import wording
from ui.file_choice import file_button
from ui.roster_import import ImportResult, import_roster, preview
from ui.shell import page_frame
from ui.state import AppState

_MAX_FILE_BYTES = 64 * 1024 * 1024
_LISTED = 200
_SHOWN = 1000  # characters of a cell that is none of a person's


def build(state: AppState) -> None:
    RosterPage(state).build()


class RosterPage:
    """Choose a file, look at it, import it, see what happened."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._loaded: RosterText | None = None  # looked at, and not imported yet
        self._is_importing = False

    def build(self) -> None:
        keys = {"F9": self._import}
        with page_frame(self._state, wording.ROSTER, on_key=keys, is_half_typed=lambda: self._loaded is not None):
            with ui.column().classes("desk-card"):
                ui.label(wording.ROSTER_INTRO)
                self._upload = file_button(
                    wording.ROSTER_CHOOSE, self._read, most_bytes=_MAX_FILE_BYTES, rejected=wording.ROSTER_REJECTED
                ).mark("roster-file")
            self._work = ui.column().classes("w-full")

    async def _read(self, event: UploadEventArguments) -> None:
        data = await event.file.read()
        self._loaded = None
        self._upload.reset()  # ready for the next file
        self._work.clear()
        with self._work, ui.column().classes("desk-card"):
            try:
                roster = decode_roster(data)
            except RosterError as error:
                columns = wording.list_of(wording.FIELD.get(column, column) for column in error.columns)
                ui.label(wording.ROSTER_FAULT[error.fault].format(columns=columns)).classes("desk-refused").mark(
                    "roster-error"
                )
                return
            self._show_preview(event.file.name, roster)

    def _show_preview(self, name: str, roster: RosterText) -> None:
        encoding = "Big5" if roster.encoding == "cp950" else roster.encoding.upper()
        rows = roster.text.count("\n", roster.body_at, len(roster.text.rstrip()) + 1)
        ui.label(name).classes("text-lg").mark("roster-name")
        ui.label(wording.ROSTER_SUMMARY.format(encoding=encoding, rows=rows)).mark("roster-summary")
        is_chosen = self._state.database.reach.is_chosen
        ui.label(wording.ROSTER_SCOPED if is_chosen else wording.ROSTER_SESSION).classes("desk-note")
        with ui.element("div").classes("desk-fields"):
            self._name = ui.input(wording.ROSTER_SESSION_NAME).props("outlined").mark("session-name")
            self._name.without_auto_validation()
            self._day = ui.input(wording.ROSTER_SESSION_DATE, value=format_compact(self._state.today()))
            self._day.props("outlined").mark("session-date")
        self._day_fault = ui.label("").classes("desk-refused").mark("session-date-fault")
        with ui.row():
            self._confirm = ui.button(wording.ROSTER_IMPORT, on_click=self._import).props("color=primary autofocus")
            self._confirm.mark("import")
            ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/")).props("outline")
        self._progress = ui.linear_progress(0, show_value=False, size="18px").mark("import-progress")
        self._progress.props["aria-label"] = wording.ROSTER
        self._progress.set_visibility(False)
        self._told = ui.label("").mark("import-told")
        self._result = ui.column().classes("w-full")
        # Last: however long, it pushes neither the button nor what came of it off the screen.
        _rows_table(preview(self._state, roster), "preview")
        self._loaded = roster

    def _session(self) -> tuple[str, date] | None:
        """What was typed of a session, if anything. Raises: InvalidRocDate."""
        name = (self._name.value or "").strip()
        if not name and self._state.database.reach.is_chosen:
            name = wording.ROSTER_SESSION_DEFAULT  # whom no list names here would be left without others' doses
        return (name, parse_roc_date(self._day.value or "")) if name else None

    async def _import(self) -> None:
        if (roster := self._loaded) is None:
            if not self._is_importing:
                ui.notify(wording.ROSTER_CHOOSE_FIRST, type="warning", position="bottom")
            return
        unfit = check_text((self._name.value or "").strip())
        self._name.error = wording.problem(unfit[0]) if unfit else None
        if unfit:
            return
        try:
            session = self._session()
        except InvalidRocDate as error:
            self._day_fault.set_text(_line("session_date", wording.DATE_FAULT[error.fault]))
            return
        self._day_fault.set_text("")
        self._loaded, self._is_importing = None, True
        self._confirm.disable()
        self._progress.set_visibility(True)
        result = ImportResult(lines=roster.line_count)
        with self._work:
            timer = ui.timer(0.2, lambda: self._show_progress(result))
        try:
            await import_roster(self._state, roster, result, session)
        except AppError as error:
            with self._result:
                ui.label(wording.APP_ERROR[error.code]).classes("desk-refused").mark("import-failed")
            self._loaded = roster
            self._confirm.enable()
        else:
            self._show_result(result, session)
        finally:
            self._is_importing = False
            timer.cancel()
            self._show_progress(result)

    def _show_progress(self, result: ImportResult) -> None:
        self._progress.set_value(result.fraction)
        self._told.set_text(
            wording.ROSTER_PROGRESS.format(
                percent=f"{result.fraction:.0%}",
                new=result.new,
                changed=result.changed,
                unchanged=result.unchanged,
                bad=len(result.bad),
            )
        )

    def _show_result(self, result: ImportResult, session: tuple[str, date] | None) -> None:
        with self._result:
            ui.label(wording.ROSTER_DONE).classes("text-lg").mark("import-done")
            if session is not None:
                list_of_it = self._state.database.tables.sessions.at(record_id_of_session(*session))["patient_ids"]
                facts = {"name": session[0], "day": format_roc_date(session[1]), "count": len(list_of_it)}
                ui.label(wording.ROSTER_SESSION_DONE.format(**facts)).mark("session-done")
            if result.bad:
                ui.label(wording.ROSTER_BAD_ROWS.format(count=len(result.bad))).classes(
                    "desk-refused"
                )
                _rows_table(result.bad[:_LISTED], "bad-rows")
                data = bad_rows_csv(result.bad, _sentence)
                name = wording.ROSTER_BAD_ROWS_FILE.format(day=format_compact(self._state.today()))
                if self._state.is_practice:
                    name = wording.PRACTICE_FILE.format(name=name)

                def save() -> None:
                    self._state.note(AuditAction.EXPORTED, kind="bad_rows", count=len(result.bad))
                    ui.download(data, name)

                give = ui.button(wording.ROSTER_BAD_ROWS_DOWNLOAD, on_click=save)
                give.props("outline").mark("bad-rows-download")
            if result.warned:
                ui.label(wording.ROSTER_WARNED_ROWS.format(count=len(result.warned)))
                _rows_table(result.warned[:_LISTED], "warned-rows")


def _sentence(problem: Any) -> str:
    return _line(problem.field, wording.problem(problem))


def _line(field: str, words: str) -> str:
    return wording.FIELD_PROBLEM.format(field=wording.FIELD.get(field, ""), problem=words)


def _rows_table(rows: Iterable[RosterRow], mark: str) -> None:
    ui.table(
        columns=[
            {"name": name, "label": label, "field": name, "align": "left"}
            for name, label in wording.ROSTER_COLUMNS.items()
        ],
        rows=[
            {
                "line": row.line_number,
                "chart_number": row.patient.chart_number if row.patient else row.cells.get("病歷號碼", "")[:_SHOWN],
                "name": row.patient.name if row.patient else row.cells.get("姓名", "")[:_SHOWN],
                "problems": wording.sentences(_sentence(problem)[:_SHOWN] for problem in row.problems),
            }
            for row in rows
        ],
        row_key="line",
        pagination=10,
    ).classes("w-full").props("dense wrap-cells").mark(mark)
