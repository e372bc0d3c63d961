"""中斷作業: doses that wait, exported as a file for NIIS while CDC is out of reach; and what came of earlier files.

Invariants:
- nothing leaves without having been looked at: what changed since it was listed is listed again, not exported;
- a file is downloaded only once the export is on disk, and later only while its bytes have its SHA-256.
"""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from store.audit import AuditAction
from store.clinic_settings import clinic_of
from store.exports import (
    after_export,
    draft_export,
    intact_bytes,
    make_export,
    may_be_exported,
    next_number,
    waiting_for_export,
)
from store.outage_csv import INSTITUTION_CODE_LENGTH, MAX_ROWS, Note, OutageFile
from store.uploads import AfterExport
from ui import wording
from ui.dialogs import answer_of, confirm
from ui.exports import doses_table, opened_doses_table, release, texts_by_dose
from ui.following import follow
from ui.range_search import RangeSearch
from ui.row_table import choose_rows, open_rows
from ui.saving import commit_and_tell, tell_failure
from ui.shell import page_frame
from ui.state import AppState
from ui.vaccination_list import moment_text

_LISTED = 200  # doses that changed, and doses of one file
_EXPORTS_LISTED = 30
_FILE = "NIIS_{code}_{number}.csv"


def build(state: AppState) -> None:
    state.note(AuditAction.VIEWED, kind="exports")
    OutagePage(state).build()


class OutagePage:
    """How to search, 確定, the list to choose from, 匯出; under it the files, and doses that changed since."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._tables = state.database.tables
        self._listed: dict[str, Mapping[str, Any]] = {}  # as they were when they were listed
        self._table: ui.table | None = None
        self._exporting = False

    def build(self) -> None:
        with page_frame(self._state, wording.OUTAGE, on_key={"F9": self._export}):
            with ui.column().classes("desk-card enter-moves") as self._card:
                ui.label(wording.OUTAGE_INTRO)
                with ui.row().classes("items-center") as self._no_code:
                    ui.label(wording.EXPORT_NO_CODE).classes("desk-refused").mark("no-code")
                    to_settings = ui.button(wording.EXPORT_TO_SETTINGS, on_click=lambda: ui.navigate.to("/settings"))
                    to_settings.props("outline").mark("to-settings")
                self._no_code.set_visibility(not self._has_code())
                labels = (wording.GIVEN_FROM, wording.GIVEN_TO)
                self._search = RangeSearch(wording.OUTAGE_UNSENT, labels, self._state.today())
                with ui.row():
                    load = ui.button(wording.LOAD, on_click=self._load).mark("load")
                    load.props("outline color=primary").classes("enter-last")
                    ui.button(wording.EXPORT, on_click=self._export).props("color=primary").mark("export")
                    paper = ui.button(wording.PAPER_FORM, on_click=lambda: ui.navigate.to("/outage/paper"))
                    paper.props("outline").mark("paper")
                    ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/")).props("outline").mark("leave")
                self._count = ui.label("").classes("text-lg").mark("export-count")
                self._choices()
            self._changed()
            with ui.column().classes("desk-card"):
                ui.label(wording.EXPORTS).classes("desk-person")
                ui.label(wording.EXPORT_UNTOUCHED).classes("desk-note")
                self._exports()
            follow(self._state.recorded, self._follow)

    def _follow(self) -> None:
        """What was listed to choose from stays: it is read again before it is exported."""
        self._no_code.set_visibility(not self._has_code())
        self._changed.refresh()
        self._exports.refresh()

    def _code(self) -> str:
        return clinic_of(self._tables).institution_code.strip()

    def _has_code(self) -> bool:
        return len(self._code()) == INSTITUTION_CODE_LENGTH

    # ---- what to export

    def _load(self) -> None:
        if self._search.read():
            self._choices.refresh()

    @ui.refreshable_method
    def _choices(self) -> None:
        days = None if self._search.days is None else self._search.each_day()
        waiting = waiting_for_export(self._tables, days)
        file = make_export(self._tables, waiting, self._code())
        told, left_out = texts_by_dose(file.notes), file.left_out
        self._listed = {one["record_id"]: one for one in waiting if one["record_id"] not in left_out}
        self._table = None
        if self._listed:
            self._table = doses_table(self._state, self._listed.values(), told).props("selection=multiple")
            choose_rows(self._table, self._listed, wording.EXPORT_EVERY, self._show_count)
            self._table.mark("to-export")
        if left_out:
            ui.label(wording.EXPORT_LEFT_OUT.format(count=len(left_out))).classes("desk-refused").mark("left-out-count")
            unfit = [one for one in waiting if one["record_id"] in left_out]
            opened_doses_table(self._state, unfit, told).mark("left-out")
        self._full = len(waiting) == MAX_ROWS
        self._show_count()

    def _chosen(self) -> list[str]:
        """Record ids in the order of the list."""
        ticked = {row["record_id"] for row in self._table.selected} if self._table is not None else set()
        return [record_id for record_id in self._listed if record_id in ticked]

    def _show_count(self) -> None:
        words = wording.EXPORT_COUNT.format(count=len(self._listed), chosen=len(self._chosen()))
        more = wording.EXPORT_LIMIT.format(limit=MAX_ROWS) if self._full else ""
        self._count.set_text(words + more if self._listed else wording.EXPORT_NOTHING)

    async def _export(self) -> None:
        if self._exporting:
            return
        self._exporting = True
        try:
            with self._card:
                await self._export_chosen()
        finally:
            self._exporting = False

    async def _export_chosen(self) -> None:
        chosen = self._chosen()
        if not self._has_code() or not chosen:
            told = wording.EXPORT_NONE_CHOSEN if self._has_code() else wording.EXPORT_NO_CODE
            ui.notify(told, type="warning", position="bottom")
            return
        if not await confirm(wording.EXPORT_ASK.format(count=len(chosen))):
            return
        file, outdated = self._as_it_is_now(chosen)
        if outdated:
            ui.notify(wording.EXPORT_OUTDATED.format(count=outdated), type="warning", position="bottom", timeout=0)
            self._choices.refresh()
            return
        number = next_number(self._tables, self._state.today(), self._state.database.device_id)
        export_id = self._state.world.make_record_id()
        told = wording.EXPORT_DONE.format(count=len(chosen), number=number)
        if await commit_and_tell(self._state, draft_export(self._tables, export_id, number, file), told):
            self._download(export_id)
            self._choices.refresh()

    def _as_it_is_now(self, chosen: list[str]) -> tuple[OutageFile, int]:
        """The file, and how many of the chosen are not any more what was looked at."""
        now = [self._tables.vaccinations.at(one) for one in chosen]
        same = ("revision", "identity")
        outdated = {
            one["record_id"]
            for one in now
            if not may_be_exported(one) or any(one[name] != self._listed[one["record_id"]][name] for name in same)
        }
        file = make_export(self._tables, now, self._code())
        return file, len(outdated | file.left_out)

    def _download(self, export_id: str) -> None:
        data = intact_bytes(self._tables, export_id)
        if data is None:
            tell_failure(wording.EXPORT_DAMAGED)
            return
        number = self._tables.exports.at(export_id)["number"]
        count = len(self._tables.export_files.at(export_id)["rows"])
        self._state.note(AuditAction.EXPORTED, kind="doses_file", record_id=export_id, count=count)
        name = _FILE.format(code=self._code(), number=number)
        ui.download(data, wording.PRACTICE_FILE.format(name=name) if self._state.is_practice else name)

    # ---- what came of earlier files

    @ui.refreshable_method
    def _changed(self) -> None:
        doses = self._tables.vaccinations
        count = sum(doses.count_by("after_export", what) for what in AfterExport)
        if not count:
            return
        found = [one for what in AfterExport for one in doses.find_by("after_export", what, _LISTED)][:_LISTED]
        told = {one["record_id"]: wording.AFTER_EXPORT[what] for one in found if (what := after_export(one))}
        with ui.column().classes("desk-card"):
            ui.label(wording.AFTER_EXPORT_COUNT.format(count=count)).classes("desk-refused").mark("changed-count")
            opened_doses_table(self._state, found, told).mark("changed-since")

    @ui.refreshable_method
    def _exports(self) -> None:
        exports = self._tables.exports.find_by_prefix("made_at", "", _EXPORTS_LISTED, last=True)
        if not exports:
            ui.label(wording.EXPORTS_NONE).classes("desk-note").mark("no-exports")
            return
        columns = [
            {"name": name, "label": label, "field": name, "align": "left", "classes": f"desk-col-{name}"}
            for name, label in wording.EXPORT_COLUMNS.items()
        ]
        rows = [
            {**one, "made_at": moment_text(one["made_at"]), "released": one["released"] or ""}
            for one in sorted(exports, key=lambda one: str(one["made_at"]), reverse=True)
        ]
        table = ui.table(columns=columns, rows=rows, row_key="record_id", pagination=10)
        table.props("dense wrap-cells").classes("w-full desk-narrow desk-exports").mark("exports")
        open_rows(table, self._open)
        if len(self._tables.exports) > len(exports):
            ui.label(wording.EXPORTS_MORE.format(count=len(exports))).classes("desk-note")

    async def _open(self, export_id: str) -> None:
        """One file in a window: its facts, its doses and what is to be said of them, and what can be done."""
        listed, file = self._tables.exports.at(export_id), self._tables.export_files.at(export_id)
        doses = [one for row in file["rows"] if (one := self._tables.vaccinations.find(row["record_id"])) is not None]
        told = texts_by_dose(map(Note.model_validate, file["notes"]))
        for one in doses:
            if (one["export"] or {}).get("export_id") == export_id and (after := after_export(one)):
                told[one["record_id"]] = wording.AFTER_EXPORT[after]
        waiting = [row["record_id"] for row in file["rows"] if row["record_id"] not in set(file["released"])]
        with self._card, ui.dialog() as dialog, ui.card().classes("desk-window").mark("export-window"):
            ui.label(wording.EXPORT_TITLE.format(number=listed["number"])).classes("desk-person")
            ui.label(wording.EXPORT_FACTS.format(**{**listed, "at": moment_text(listed["made_at"])}))
            ui.label(f"SHA-256 {listed['sha256']}").classes("desk-col-sha256").mark("export-sha256")
            ui.label(wording.EXPORT_UNTOUCHED).classes("desk-note")
            with ui.row():
                again = ui.button(wording.EXPORT_AGAIN, on_click=lambda: self._download(export_id))
                again.props("color=primary autofocus").mark("export-again")
                if waiting:
                    let_go = ui.button(wording.RELEASE, on_click=lambda: dialog.submit(True))
                    let_go.props("outline color=primary").mark("release-export")
                ui.button(wording.CLOSE, on_click=lambda: dialog.submit(None)).props("outline").mark("export-close")
            opened_doses_table(self._state, doses[:_LISTED], told).mark("export-doses")
            if len(doses) > _LISTED:
                ui.label(wording.LIST_CUT.format(count=_LISTED)).classes("desk-note")
        if await answer_of(dialog):
            with self._card:
                await release(self._state, export_id, waiting)
            self._choices.refresh()
