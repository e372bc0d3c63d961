"""BA102_3_DOWNLOAD: CDC's verdict on what it has accepted, refusals first, and until when there is none.

Invariants:
- the hub asks CDC by itself when a batch is due; a tap only hurries what is due;
- CDC's words stand as they came, what this program makes of them stands under them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nicegui import background_tasks, ui

from store.audit import AuditAction
from store.changes import ChangeDraft, ChangeKind
from store.uploads import BatchState, UploadState, is_in_flight
from ui import wording
from ui.cdc_line import hurry_cdc, standstill
from ui.dialogs import answer_of, confirm
from ui.following import follow
from ui.open_record import open_record
from ui.outcome import Outcome
from ui.range_search import RangeSearch
from ui.saving import commit_all_and_tell
from ui.shell import page_frame
from ui.state import AppState
from ui.vaccination_list import VERIFICATION_COLUMNS, VaccinationTable, moment_text

CODE = "BA102_3_DOWNLOAD"
_LISTED = 200  # drawn anew at each change
_BATCHES_SHOWN = 6
_REFUSED, _OVERDUE, _LOCKED, _WAITING, _VERIFIED = "refused", "overdue", "locked", "waiting", "verified"
_GROUPS: dict[str, tuple[UploadState, ...]] = {  # in the order they are listed; the verified come last
    _REFUSED: (UploadState.REFUSED,),
    _OVERDUE: (UploadState.OVERDUE,),
    _LOCKED: (UploadState.LOCKED,),
    _WAITING: (UploadState.SENT, UploadState.ACCEPTED),
}


def build(state: AppState) -> None:
    state.note(AuditAction.VIEWED, kind="verification")
    VerificationPage(state).build()


class VerificationPage:
    """How to search, 確定, 下載, the batches with their time, and the list."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._tables = state.database.tables
        self._asked: frozenset[str] | None = None  # whose verdicts the last tap is waiting for
        self._hurrying = False
        self._batch_lines: list[tuple[ui.label, Mapping[str, Any]]] = []

    def build(self) -> None:
        keys = {"F9": self._download}
        with page_frame(self._state, wording.VERIFYING, code=CODE, on_key=keys):
            with ui.column().classes("desk-card enter-moves") as self._card:
                labels = (wording.GIVEN_FROM, wording.GIVEN_TO)
                self._search = RangeSearch(wording.SEARCH_RECENT, labels, self._state.today())
                with ui.row():
                    load = ui.button(wording.LOAD, on_click=self._load).mark("load")
                    load.props("outline color=primary").classes("enter-last")
                    self._button = ui.button(wording.DOWNLOAD_BUTTON, on_click=self._download)
                    self._button.props("color=primary").mark("download")
                    ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/")).props("outline").mark("leave")
                self._outcome = Outcome(self._state, wording.ACCEPTED_IS_NOT_VERIFIED, "download-outcome")
                self._batches()
            with ui.column().classes("desk-card"):
                with ui.row().classes("items-center w-full"):
                    self._count = ui.label("").classes("text-lg").mark("verification-count")
                    ui.space()
                    self._shown = ui.select(wording.LIST_JUDGED, label=wording.LIST_STATE, value="")
                    self._shown.props("dense outlined").classes("desk-judged").mark("state-filter")
                    self._shown.on_value_change(lambda: self._rows.refresh())
                above = ui.column().classes("w-full")
                self._table = VaccinationTable(
                    self._state, VERIFICATION_COLUMNS, on_open=lambda one: open_record(self._state, one)
                )
                self._table.element.classes("desk-narrow desk-verification")
                with above:
                    self._rows()
            follow(self._state.recorded, self._show_records)
            follow(self._state.changed, self._follow)

    # ---- the batches that are out

    @ui.refreshable_method
    def _batches(self) -> None:
        batches = self._open_batches()
        self._batch_lines = [(ui.label("").mark("due"), batch) for batch in batches[:_BATCHES_SHOWN]]
        if not batches:
            ui.label(wording.NO_BATCH_WAITS).classes("desk-note").mark("due")
            return
        if len(batches) > _BATCHES_SHOWN:
            ui.label(wording.BATCHES_MORE.format(count=len(batches) - _BATCHES_SHOWN)).classes("desk-note")
        self._count_down()
        ui.timer(1.0, self._count_down, immediate=False)

    def _count_down(self) -> None:
        for label, batch in self._batch_lines:
            label.set_text(self._batch_text(batch))

    def _batch_text(self, batch: Mapping[str, Any]) -> str:
        facts = {"sent": moment_text(batch["sent_at"]), "count": len(batch["rows"])}
        if batch.get("overdue_at"):
            return wording.BATCH_OVERDUE.format(**facts, batch=batch["upload_batch_id"])
        if batch["state"] == BatchState.SENT:
            return wording.BATCH_SENT.format(**facts)
        left = self._seconds_left(batch)
        if left <= 0:
            return wording.BATCH_NOW.format(**facts)
        minutes, seconds = divmod(left, 60)
        time_left = wording.TIME_LEFT.format(minutes=minutes, seconds=seconds)
        return wording.BATCH_DUE.format(**facts, due=moment_text(batch["due_at"]), left=time_left)

    def _seconds_left(self, batch: Mapping[str, Any]) -> int:
        """Until CDC is asked; 0 or less where that is due."""
        if not batch["due_at"]:
            return 0
        return round((datetime.fromisoformat(batch["due_at"]) - self._state.world.now()).total_seconds())

    def _open_batches(self) -> list[Any]:
        """Batches without CDC's last word, the oldest first."""
        by = self._tables.batches.find_by
        found = [*by("state", BatchState.SENT), *by("state", BatchState.ACCEPTED)]
        return sorted(found, key=lambda batch: str(batch["sent_at"]))

    # ---- the list

    def _load(self) -> None:
        if self._search.read():
            self._rows.refresh()

    @ui.refreshable_method
    def _rows(self) -> None:
        found, counts = self._found()
        told = wording.VERIFICATION_COUNT.format(**counts)
        for group, words in ((_OVERDUE, wording.OVERDUE_COUNT), (_LOCKED, wording.LOCKED_COUNT)):
            told += words.format(**counts) if counts[group] else ""
        shown = [group for group in found if self._shown.value in ("", group)]
        listed = [one for group in shown for one in found[group]][:_LISTED]
        told += wording.LIST_CUT.format(count=_LISTED) if sum(counts[group] for group in shown) > len(listed) else ""
        self._count.set_text(told)
        if refused := found[_REFUSED]:
            self._again_button(wording.SEND_AGAIN, wording.ASK_SEND_AGAIN, refused, "send-again")
        if self._shown.value == _LOCKED and (locked := found[_LOCKED]):
            self._again_button(wording.SEND_LOCKED_AGAIN, wording.ASK_SEND_LOCKED_AGAIN, locked, "send-locked-again")
        self._table.show(listed)
        self._table.element.set_visibility(bool(listed))
        if not listed:
            if any(counts.values()):
                empty = wording.NONE_OF_STATE
            else:
                empty = wording.NONE_UPLOADED if self._search.days is None else wording.NONE_IN_RANGE
            ui.label(empty).classes("desk-note").mark("nothing-listed")

    def _again_button(self, words: str, question: str, failed: list[Any], mark: str) -> None:
        button = ui.button(words.format(count=len(failed)), on_click=lambda: self._send_again(failed, question))
        button.props("outline no-caps color=primary").mark(mark)

    def _found(self) -> tuple[dict[str, list[Any]], dict[str, int]]:
        """The records to list by what CDC has said, at most `_LISTED` of each; and how many there are of each."""
        doses = self._tables.vaccinations
        by: dict[UploadState, list[str]] = {
            state: doses.ids_by("upload_state", state) for state in UploadState if state is not UploadState.VERIFIED
        }
        ids = {group: [one for state in states for one in by[state]] for group, states in _GROUPS.items()}
        if self._search.days is None:
            verified = doses.find_by_prefix("verified_upload", "", _LISTED, last=True)
            number = doses.count_by("upload_state", UploadState.VERIFIED)
        else:
            in_range = [one for day in self._search.each_day() for one in doses.ids_by("vaccination_date", day)]
            others = set().union(*by.values())  # a clinic has verified more doses than all others, and reads none here
            known = [one for one in in_range if one not in others]
            verified, number = [doses.at(one) for one in known[:_LISTED]], len(known)
            ids = {group: [one for one in in_range if one in set(ones)] for group, ones in ids.items()}
        counts = {group: len(ones) for group, ones in ids.items()} | {_VERIFIED: number}
        found = {group: [doses.at(one) for one in ones[:_LISTED]] for group, ones in ids.items()}
        return found | {_VERIFIED: verified}, counts

    # ---- staff's taps

    async def _download(self) -> None:
        """Ask CDC now for what is due. Tapped again before it has answered, it does nothing."""
        if self._asked is not None:
            return
        batches = self._open_batches()
        if not batches:
            self._outcome.end(wording.DOWNLOAD_NOTHING)
            return
        due = [batch for batch in batches if self._seconds_left(batch) <= 0]
        asked = {row["record_id"] for batch in due for row in batch["rows"]}
        self._asked, self._hurrying = frozenset(one for one in asked if self._is_open(one)), True
        self._button.disable()
        self._outcome.work(wording.DOWNLOAD_RUNNING)
        told = await hurry_cdc(self._state)
        self._hurrying = False
        if told:
            self._end(told)
        elif not due:
            first = min(batch["due_at"] for batch in batches)
            self._end(wording.DOWNLOAD_NOT_DUE.format(at=moment_text(first)))
        else:
            self._follow()

    def _is_open(self, record_id: str) -> bool:
        document = self._tables.vaccinations.find(record_id)
        return document is not None and is_in_flight(document)

    def _show_records(self) -> None:
        self._batches.refresh()
        self._rows.refresh()

    def _follow(self) -> None:
        """Something changed: show it, and end the tap when CDC has judged all, or when nothing goes on."""
        self._outcome.refresh()
        if self._asked is None or self._hurrying:
            return
        if done := len(self._asked) - sum(map(self._is_open, self._asked)):
            progress = wording.DOWNLOAD_PROGRESS.format(done=done, total=len(self._asked))
            self._outcome.work(f"{wording.DOWNLOAD_RUNNING}{progress}")
        if done == len(self._asked):
            asked = self._asked
            self._end()
            background_tasks.create(self._show_result(asked), name="verification result")
        elif told := standstill(self._state):
            self._end(told)

    def _end(self, told: str = "") -> None:
        self._asked = None
        self._button.enable()
        self._outcome.end(told)

    async def _show_result(self, asked: frozenset[str]) -> None:
        uploads = [self._tables.vaccinations.at(one)["upload"] or {} for one in asked]
        verified, refused = (
            sum(upload.get("state") == state for upload in uploads)  # what is locked was refused, too
            for state in (UploadState.VERIFIED, UploadState.REFUSED)
        )
        with self._card, ui.dialog() as dialog, ui.card().classes("desk-window").mark("download-result"):
            ui.label(wording.DOWNLOAD_DONE).classes("desk-person")
            ui.label(wording.DOWNLOAD_COUNTS.format(verified=verified, refused=refused)).classes("text-lg")
            if refused:
                ui.label(wording.DOWNLOAD_MEND).classes("desk-refused")
            ok = ui.button(wording.CONFIRM, on_click=lambda: dialog.submit(None))
            ok.props("color=primary autofocus").mark("result-ok")
        await answer_of(dialog)

    async def _send_again(self, refused: list[Any], question: str) -> None:
        """Refused records that nobody changed go again as they are, once somebody says so."""
        agreed = await confirm(question.format(count=len(refused)))
        drafts = [
            ChangeDraft(
                ChangeKind.REQUEST_UPLOAD,
                document["record_id"],
                {"upload_batch_id": document["upload"]["upload_batch_id"]},
                (document["revision"],),
            )
            for document in refused
        ]
        if agreed:
            await commit_all_and_tell(self._state, drafts, wording.SENT_AGAIN.format(count=len(drafts)))
