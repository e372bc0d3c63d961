"""BA102_3_UPLOAD: what CDC does not have yet, the tap that hurries it, and what CDC answered.

Invariants:
- a tap never sends by itself: the hub sends each revision once, however often anybody taps;
- accepted is never called done: the outcome says that CDC has not verified yet.
"""

from typing import Any

from nicegui import background_tasks, ui

from store.audit import AuditAction
from store.uploads import FAILED_STATES, UploadState
from ui import wording
from ui.cdc_line import hurry_cdc, standstill
from ui.dialogs import answer_of
from ui.following import follow
from ui.open_record import open_record
from ui.outcome import Outcome
from ui.range_search import RangeSearch
from ui.shell import page_frame
from ui.state import AppState
from ui.upload_progress import Progress, awaiting, is_held_back, is_ready, progress_of
from ui.vaccination_list import UPLOAD_COLUMNS, VaccinationTable, moment_text

CODE = "BA102_3_UPLOAD"
_LISTED = 200  # drawn anew at each change
_TO_VERIFY = "/BA102_3_DOWNLOAD"


def build(state: AppState) -> None:
    state.note(AuditAction.VIEWED, kind="uploads")
    UploadPage(state).build()


class UploadPage:
    """How to search, 確定, 上傳 with its progress, and the list."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._tables = state.database.tables
        self._asked: frozenset[str] | None = None  # what the last tap asked for, until CDC has answered for all of it
        self._hurrying = False

    def build(self) -> None:
        keys = {"F9": self._upload}
        with page_frame(self._state, wording.UPLOADING, code=CODE, on_key=keys):
            with ui.column().classes("desk-card enter-moves") as self._card:
                with ui.row().classes("items-center"):
                    self._head = ui.label("").mark("last-sent")
                    ui.label(wording.UPLOAD_BY)
                labels = (wording.GIVEN_FROM, wording.GIVEN_TO)
                self._search = RangeSearch(wording.SEARCH_UNSENT, labels, self._state.today())
                with ui.row():
                    load = ui.button(wording.LOAD, on_click=self._load).mark("load")
                    load.props("outline color=primary").classes("enter-last")
                    self._button = ui.button(wording.UPLOAD_BUTTON, on_click=self._upload)
                    self._button.props("color=primary").mark("upload")
                    ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/")).props("outline").mark("leave")
                self._bar = ui.linear_progress(0, show_value=False).mark("upload-bar")
                self._bar.props["aria-label"] = wording.UPLOADING
                ui.label(f"{wording.NOT_NHI}{wording.ACCEPTED_IS_NOT_VERIFIED}").classes("desk-note")
                self._outcome = Outcome(self._state, "", "upload-outcome")
            with ui.column().classes("desk-card"):
                above = ui.column().classes("w-full")
                self._table = VaccinationTable(
                    self._state, UPLOAD_COLUMNS, on_open=lambda one: open_record(self._state, one)
                )
                self._table.element.classes("desk-narrow desk-upload")
                with above:
                    self._rows()
            follow(self._state.recorded, self._rows.refresh)
            follow(self._state.changed, self._follow)

    # ---- the list

    def _load(self) -> None:
        if self._search.read():
            self._rows.refresh()

    @ui.refreshable_method
    def _rows(self) -> None:
        newest = self._tables.batches.find_by_prefix("sent_at", "", 1, last=True)
        last = moment_text(newest[0]["sent_at"]) if newest else wording.NOTHING
        self._head.set_text(wording.LAST_SENT.format(at=last))
        refused, overdue, locked = (self._tables.vaccinations.count_by("upload_state", each) for each in FAILED_STATES)
        if refused or overdue or locked:
            with ui.row().classes("items-center"):
                if refused:
                    ui.label(wording.REFUSED_WAIT.format(count=refused)).classes("desk-refused").mark("refused-wait")
                if overdue or locked:
                    not_again = {UploadState.OVERDUE: overdue, UploadState.LOCKED: locked}
                    failed = wording.list_of(
                        wording.FAILED_COUNT.format(state=wording.UPLOAD_STATE[state], count=count)
                        for state, count in not_again.items()
                        if count
                    )
                    ui.label(wording.NOT_BY_ITSELF.format(failed=failed)).classes("desk-refused").mark("not-by-itself")
                see = ui.button(wording.SEE_REFUSED, on_click=lambda: ui.navigate.to(_TO_VERIFY))
                see.props("outline").mark("see-refused")
        if exported := self._tables.vaccinations.count_by("upload_state", UploadState.EXPORTED):
            with ui.row().classes("items-center"):
                ui.label(wording.EXPORTED_WAIT.format(count=exported)).mark("exported-wait")
                files = ui.button(wording.EXPORTED_SEE, on_click=lambda: ui.navigate.to("/outage"))
                files.props("outline").mark("see-exports")
        found, counts = self._found()
        told = "" if self._search.days is None else wording.RANGE_COUNT.format(**counts)
        told += wording.UPLOAD_COUNT.format(**counts) + (wording.SENT_COUNT.format(**counts) if counts["sent"] else "")
        told += wording.LIST_CUT.format(count=_LISTED) if counts["count"] > len(found) else ""
        ui.label(told).classes("text-lg").mark("upload-count")
        self._table.show(found)
        self._table.element.set_visibility(bool(found))
        if not found:
            empty = wording.NONE_WAITS if self._search.days is None else wording.NONE_IN_RANGE
            ui.label(empty).classes("desk-note").mark("nothing-listed")

    def _found(self) -> tuple[list[Any], dict[str, int]]:
        """What is listed, the oldest first; how many are found, how many of them wait and how many have no answer."""
        doses = self._tables.vaccinations
        states = UploadState.NOT_SENT, UploadState.SENT
        if self._search.days is None:
            found = doses.find_by_prefix("awaits_upload", "", _LISTED)
            waiting, sent = (doses.count_by("upload_state", state) for state in states)
            return found, {"count": waiting + sent, "waiting": waiting, "sent": sent}
        ids = self._ids_in_range()
        waiting, sent = (len(set(doses.ids_by("upload_state", state)).intersection(ids)) for state in states)
        return [doses.at(one) for one in ids[:_LISTED]], {"count": len(ids), "waiting": waiting, "sent": sent}

    def _ids_in_range(self) -> list[str]:
        by = self._tables.vaccinations.ids_by
        return [one for day in self._search.each_day() for one in by("vaccination_date", day)]

    # ---- staff's tap

    async def _upload(self) -> None:
        """Hurry what is listed. Tapped again before CDC has answered, it does nothing."""
        if self._asked is not None:
            return
        asked = awaiting(self._tables)
        if self._search.days is not None:
            in_range = set(self._ids_in_range())
            asked = [one for one in asked if one["record_id"] in in_range]
        ready = frozenset(one["record_id"] for one in asked if is_ready(self._tables, one))
        if not ready:
            self._outcome.end(self._held_back(asked) or wording.UPLOAD_NOTHING)
            return
        self._asked, self._hurrying = ready, True
        self._button.disable()
        self._outcome.work(wording.UPLOAD_RUNNING)
        told = await hurry_cdc(self._state)
        self._hurrying = False
        if told:
            self._end(told)
        else:
            self._follow()

    def _held_back(self, asked: list[Any]) -> str:
        held = sum(is_held_back(self._tables, one) for one in asked)
        return wording.UPLOAD_HELD_BACK.format(count=held) if held else ""

    def _follow(self) -> None:
        """Something changed: show how far it is, and end when CDC has answered for all, or when nothing goes on."""
        self._outcome.refresh()
        if self._asked is None or self._hurrying:
            return
        progress = progress_of(self._tables, self._asked)
        self._bar.set_value(progress.answered / progress.total if progress.total else 1)
        if progress.is_over:
            self._end()
            background_tasks.create(self._show_result(progress), name="upload result")
        elif told := standstill(self._state):
            self._end(told)
        else:
            self._outcome.work(f"{wording.UPLOAD_RUNNING}{_counts(progress)}{wording.UPLOAD_GOES_ON}")

    def _end(self, told: str = "") -> None:
        self._asked = None
        self._bar.set_value(0)
        self._button.enable()
        self._outcome.end(told)

    async def _show_result(self, progress: Progress) -> None:
        held_back = self._held_back(awaiting(self._tables))
        with self._card, ui.dialog() as dialog, ui.card().classes("desk-window").mark("upload-result"):
            good = progress.accepted or progress.verified
            ui.label(wording.RESULT_ACCEPTED if good else wording.RESULT_ANSWERED).classes("desk-person")
            for message in progress.messages:
                words = wording.RESULT_WORDS.format(message=wording.cdc_words(message)) if message else ""
                ui.label(words or wording.RESULT_NO_WORDS).mark("api-words")
            accepted = progress.accepted + progress.verified
            counts = wording.RESULT_COUNTS.format(
                total=progress.total, accepted=accepted, refused=progress.refused
            )
            ui.label(counts).classes("text-lg").mark("result-counts")
            if progress.verified:
                ui.label(wording.RESULT_JUDGED.format(verified=progress.verified))
            if held_back:
                ui.label(held_back).classes("desk-refused")
            ui.label(wording.NOT_NHI).classes("desk-refused")
            if progress.due_at:
                ui.label(wording.RESULT_LATER.format(at=moment_text(progress.due_at)))
            ui.label(wording.ACCEPTED_IS_NOT_VERIFIED)
            with ui.row():
                ok = ui.button(wording.CONFIRM, on_click=lambda: dialog.submit(None))
                ok.props("color=primary autofocus").mark("result-ok")
                see = ui.button(wording.RESULT_SEE, on_click=lambda: ui.navigate.to(_TO_VERIFY))
                see.props("outline").mark("result-see")
        await answer_of(dialog)


def _counts(progress: Progress) -> str:
    return wording.UPLOAD_PROGRESS.format(
        total=progress.total,
        waiting=progress.waiting,
        sent=progress.sent,
        accepted=progress.accepted + progress.verified,
        refused=progress.refused,
    )
