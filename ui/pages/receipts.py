"""傳輸紀錄: what went to CDC and came back, searched on the hub, which keeps it; each opens whole."""

from collections.abc import Sequence
from typing import Any

from nicegui import background_tasks, ui

from store.audit import AuditAction
from store.protocol import ReceiptKind, ReceiptLine, ReceiptsAnswer, ReceiptsRequest
from ui import wording
from ui.following import follow
from ui.range_search import read_days
from ui.receipt_window import http_text, is_bad, kind_text, show_receipt, who_text, words_text
from ui.receipts_client import LIST, ask_for_receipts
from ui.row_table import open_rows
from ui.shell import page_frame
from ui.state import AppState
from ui.sync_client import HubLink
from ui.vaccination_list import moment_text

_A_PAGE = 20
_LONG = ("words", "batch")
_WORDS_CELL = """
<q-td :props="props"><span :class="props.row.is_bad ? 'desk-refused' : ''">{{ props.row.words }}</span></q-td>
"""


def build(state: AppState, record: str = "", batch: str = "") -> None:
    """Of all; or of the record, or of the upload batch that another screen names."""
    ReceiptsPage(state, record, batch).build()


class ReceiptsPage:
    """What to search for, and the receipts found, a page at a time."""

    def __init__(self, state: AppState, record: str, batch: str) -> None:
        self._state, self._record, self._first_batch = state, record, batch
        self._lines: list[ReceiptLine] = []
        self._asked = ReceiptsRequest(limit=_A_PAGE)
        self._is_asking = self._is_open = self._has_asked = False

    def build(self) -> None:
        keys, helps = {"F9": self.search}, {"F9": wording.RECEIPT_SEARCH}
        with page_frame(self._state, wording.RECEIPTS, on_key=keys, key_help=helps):
            with ui.column().classes("desk-card enter-moves"):
                ui.label(wording.RECEIPTS_HINT).classes("desk-note")
                with ui.row().classes("items-center") as self._of_record:
                    ui.label(wording.RECEIPT_OF_RECORD).classes("text-lg").mark("of-record")
                    ui.button(wording.RECEIPT_OF_RECORD_END, on_click=self._all_records).props("outline").mark("all")
                self._of_record.set_visibility(bool(self._record))
                self._build_fields()
                with ui.row():
                    search = ui.button(wording.RECEIPT_SEARCH, on_click=self.search).mark("search")
                    search.props("color=primary").classes("enter-last")
                    ui.button(wording.RECEIPT_CLEAR, on_click=self._clear).props("outline").mark("clear")
                    ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/")).props("outline").mark("leave")
                self._note = ui.label("").classes("text-lg").mark("receipts-note").props('role="status"')
            with ui.column().classes("desk-card") as self._list:
                self._build_table()
            self._list.set_visibility(False)
            follow(self._state.changed, self._follow)
        self._follow()

    def _build_fields(self) -> None:
        kinds = {"": wording.RECEIPT_KIND_ALL, **{str(one): told for one, told in wording.RECEIPT_KIND.items()}}
        with ui.element("div").classes("desk-fields desk-fields-more"):
            self._from = ui.input(wording.RECEIPT_FROM).mark("receipts-from")
            self._to = ui.input(wording.RECEIPT_TO).mark("receipts-to")
            self._kind = ui.select(kinds, label=wording.RECEIPT_KIND_LABEL, value="").mark("receipts-kind")
            self._outcome = ui.select(wording.RECEIPT_OUTCOME, label=wording.RECEIPT_OUTCOME_LABEL, value="")
            self._outcome.mark("receipts-outcome")
            self._chart = ui.input(wording.RECEIPT_CHART).mark("receipts-chart")
            self._batch = ui.input(wording.RECEIPT_BATCH, value=self._first_batch).mark("receipts-batch")
        for select in (self._kind, self._outcome):
            select.props("outlined").classes("w-full")
        for field in (self._from, self._to, self._chart, self._batch):
            field.without_auto_validation().props("outlined bottom-slots autocomplete=off").classes("w-full")

    def _build_table(self) -> None:
        columns = [
            {
                "name": name, "label": label, "field": name, "align": "left",
                "classes": "desk-breaks" if name in _LONG else "desk-whole",
            }
            for name, label in wording.RECEIPT_COLUMNS.items()
        ]  # fmt: skip
        self._table = ui.table(columns=columns, rows=[], row_key="number")
        self._table.props(f'dense wrap-cells no-data-label="{wording.NO_DATA}"').mark("receipts")
        self._table.add_slot("body-cell-words", _WORDS_CELL)
        open_rows(self._table, self._open, key="number").classes("w-full desk-narrow desk-receipts")
        self._older = ui.button(wording.RECEIPT_OLDER, on_click=self._go_on).props("outline").mark("older")

    # ---- asking

    def _follow(self) -> None:
        """What the page opened for is asked as soon as there is a hub; later staff ask."""
        if self._has_asked or self._is_asking:
            return
        if self._state.sync.link is HubLink.UNKNOWN and not self._state.is_practice:
            self._show(wording.RECEIPT_SEARCHING)
        elif self._state.sync.link not in (HubLink.CONNECTED, HubLink.UNKNOWN):
            self._show(wording.RECEIPT_NO_HUB, bad=True)
        else:
            background_tasks.create(self.search(), name="receipts")

    def _all_records(self) -> None:
        self._record = ""
        self._of_record.set_visibility(False)
        background_tasks.create(self.search(), name="receipts")

    def _clear(self) -> None:
        for field in (self._from, self._to, self._chart, self._batch, self._kind, self._outcome):
            field.set_value("")
        self._from.error = self._to.error = None
        self._all_records()

    async def search(self) -> None:
        """Ask the hub anew for what stands in the fields; nothing where a day cannot be read."""
        if (days := read_days(self._from, self._to)) is None:
            return
        self._asked = ReceiptsRequest(
            kind=ReceiptKind(self._kind.value) if self._kind.value else None,
            upload_batch_id=self._typed(self._batch),
            record_id=self._record or None,
            chart_number=self._typed(self._chart),
            first_day=days[0],
            last_day=days[1],
            failed={"ok": False, "failed": True}.get(self._outcome.value or ""),
            limit=_A_PAGE,
        )
        self._lines = []
        await self._go_on()

    async def _go_on(self) -> None:
        """Add the next page, and look on behind empty ones as long as somebody wants to see more."""
        if self._is_asking:
            return
        self._is_asking = True
        self._note.set_text(wording.RECEIPT_SEARCHING)
        try:
            answer = await ask_for_receipts(self._state, LIST, self._asked, ReceiptsAnswer)
        finally:
            self._is_asking = False
        if self._table.is_deleted:
            return
        if isinstance(answer, str):
            self._show(answer, bad=True)
            return
        self._has_asked = True
        self._lines += answer.receipts
        self._state.note(AuditAction.SEARCHED, kind="receipts", count=len(answer.receipts))
        self._asked = self._asked.model_copy(update={"before": answer.before})
        found = wording.RECEIPT_FOUND if answer.before is None else wording.RECEIPT_FOUND_MORE
        nothing = not self._lines and answer.before is None
        self._show(wording.RECEIPT_NONE if nothing else found.format(count=len(self._lines)))

    @staticmethod
    def _typed(field: ui.input) -> str:
        return (field.value or "").strip()[:100]

    # ---- what is shown

    def _show(self, told: str, *, bad: bool = False) -> None:
        self._note.set_text(told)
        self._note.classes(add="desk-refused" if bad else "", remove="" if bad else "desk-refused")
        self._table.rows = _rows(self._lines)
        self._list.set_visibility(bool(self._lines) or (not bad and self._asked.before is not None))
        self._older.set_visibility(not bad and self._asked.before is not None)

    async def _open(self, number: Any) -> None:
        if self._is_open:
            return
        self._is_open = True
        try:
            if told := await show_receipt(self._state, int(number)):
                self._note.set_text(told)
                self._note.classes("desk-refused")
        finally:
            self._is_open = False


def _rows(lines: Sequence[ReceiptLine]) -> list[dict[str, Any]]:
    return [
        {
            "number": line.number,
            "at": moment_text(line.started_at.isoformat()),
            "kind": kind_text(line.kind),
            "records": "" if line.records is None else line.records,
            "http": http_text(line),
            "words": words_text(line),
            "who": who_text(line.asked_by),
            # What pages of one download have in common is no batch to a nurse.
            "batch": "" if line.kind == ReceiptKind.STOCK else line.upload_batch_id,
            "is_bad": is_bad(line),
        }
        for line in lines
    ]
