"""BA109_3_DOWNLOAD: CDC's stock downloaded, what was used of it typed and uploaded, what remains always in sight.

Invariants:
- a number typed is kept at once, whatever the network does; what cannot be one stays in its field and says why;
- the table is drawn anew only when its rows are others, so that nobody's cursor jumps while data come in.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nicegui import background_tasks, ui

from store.errors import AppError
from store.half_width import to_half_width
from store.protocol import StockAnswer
from store.roc_date import TAIPEI, format_roc_date
from store.stock import (
    MAX_VIALS,
    ConsumptionState,
    StockLine,
    check_vials,
    count_standing_doses,
    draft_consumption,
    last_download,
    standing_doses,
    stock_line,
    stock_rows,
)
from ui import wording
from ui.cdc_taps import DOWNLOAD, NO_ANSWER, UNREACHABLE, UPLOAD, ask_hub_to
from ui.following import follow
from ui.form_drafts import Form, draft_of, forget_draft, keep_draft
from ui.patient_search import roc_text
from ui.row_table import open_rows
from ui.shell import page_frame
from ui.state import AppState

CODE = "BA109_3_DOWNLOAD"
_LISTED = 300
_PATIENTS_LISTED = 500


def build(state: AppState) -> None:
    StockPage(state).build()


class StockPage:
    """The buttons, the outcome of the last tap, and one line for each row of stock."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._lines: list[_Line] = []
        self._busy = False

    def build(self) -> None:
        with page_frame(self._state, wording.STOCK, code=CODE, on_key={"F9": self._upload}):
            with ui.column().classes("desk-card"):
                self._head = ui.label("").classes("text-lg").mark("stock-downloaded")
                ui.label(wording.STOCK_HOW).classes("desk-note")
                if self._state.database.reach.is_chosen:
                    ui.label(wording.STOCK_SCOPED).classes("desk-note")
                with ui.row():
                    down = ui.button(wording.STOCK_DOWNLOAD, on_click=self._download).mark("stock-download")
                    up = ui.button(wording.STOCK_UPLOAD, on_click=self._upload).mark("stock-upload")
                    leave = ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/")).props("outline")
                    leave.mark("leave")
                self._buttons = (down.props("color=primary no-caps"), up.props("color=primary no-caps"))
                # Always there, so that nothing moves when it begins to speak.
                self._outcome = ui.label(wording.NOT_NHI).classes("desk-outcome").mark("stock-outcome")
            self._table = ui.column().classes("desk-card")
            self._draw()
            follow(self._state.changed, self._refresh)

    # ---- the table

    def _draw(self) -> None:
        tables = self._state.database.tables
        rows = stock_rows(tables)
        self._table.clear()
        with self._table:
            if not rows:
                ui.label(wording.STOCK_EMPTY).classes("text-lg").mark("stock-empty")
            else:
                with ui.element("div").classes("desk-stock enter-moves"), ui.element("table"):
                    with ui.element("thead"), ui.element("tr"):
                        for title in wording.STOCK_COLUMNS:
                            with ui.element("th").props("scope=col"):
                                ui.label(title)
                    with ui.element("tbody"):
                        self._lines = [_Line(self._state, n, row) for n, row in enumerate(rows[:_LISTED], start=1)]
            if len(rows) > _LISTED:
                ui.label(wording.STOCK_MORE.format(count=len(rows) - _LISTED)).classes("desk-note")
        if not rows:
            self._lines = []
        # The one that comes next stands out.
        down, up = self._buttons
        down.props(**{"add" if rows else "remove": "outline"})
        up.props(**{"remove" if rows else "add": "outline"})
        self._drawn = [row["record_id"] for row in rows[:_LISTED]]
        self._refresh_head()

    def _refresh(self) -> None:
        if [row["record_id"] for row in stock_rows(self._state.database.tables)[:_LISTED]] != self._drawn:
            self._draw()
            return
        self._refresh_head()
        for line in self._lines:
            line.refresh()

    def _refresh_head(self) -> None:
        download = last_download(self._state.database.tables)
        if download is None:
            self._head.set_text(wording.STOCK_NEVER)
            return
        at = datetime.fromisoformat(download["downloaded_at"]).astimezone(TAIPEI)
        text = wording.STOCK_DOWNLOADED_AT.format(
            at=f"{format_roc_date(at.date())} {at:%H:%M:%S}", rows=download["rows"]
        )
        if download["unreadable"]:
            text += wording.STOCK_UNREADABLE.format(unreadable=download["unreadable"])
        self._head.set_text(text)

    # ---- staff's taps

    async def _download(self) -> None:
        await self._ask(DOWNLOAD, wording.STOCK_DOWNLOADING)

    async def _upload(self) -> None:
        if faulty := sum(line.is_faulty for line in self._lines):
            # What was kept of them before is not what is meant now.
            self._say(wording.STOCK_FIX_FIRST.format(count=faulty), good=False)
            return
        await self._ask(UPLOAD, wording.STOCK_UPLOADING)

    async def _ask(self, path: str, doing: str) -> None:
        if self._busy:
            return
        self._busy = True
        for button in self._buttons:
            button.disable()
        self._say(doing, good=True)
        try:
            for line in self._lines:
                await line.keep()
            answer = await ask_hub_to(self._state, path, StockAnswer)
            self._say(_sentence(answer), good=answer.code in ("downloaded", "uploaded") and not answer.refused)
        finally:
            self._busy = False
            for button in self._buttons:
                button.enable()
            self._refresh()

    def _say(self, sentence: str, *, good: bool) -> None:
        self._outcome.set_text(sentence)
        self._outcome.classes(remove="desk-refused" if good else "", add="" if good else "desk-refused")


class _Line:
    """One row of stock on the screen. What is being typed is not overwritten by what comes in."""

    def __init__(self, state: AppState, number: int, row: Mapping[str, Any]) -> None:
        self._state = state
        self._row_id = row["record_id"]
        self._typing = False
        self._turn = asyncio.Lock()  # one number after the other, or a second would be an edit apart from the first
        lot = row["lot_number"]
        with ui.element("tr").mark(f"stock-{lot}"):
            _cell(str(number))
            self._status = _cell("").mark(f"state-{lot}")
            with ui.element("td"):
                self._words = ui.label("").mark(f"message-{lot}")
                self._warning = ui.label("").classes("desk-warned").mark(f"warning-{lot}")
            _cell(row["vaccine_code"])
            with ui.element("td"):
                ui.button(lot, on_click=self._show_patients).props("flat no-caps dense align=left").mark(f"lot-{lot}")
            _cell(wording.STOCK_LOT_TYPE.get(row["lot_type"], row["lot_type"]))
            self._stock = _cell("", "desk-number").mark(f"stock-of-{lot}")
            self._doses = _cell("", "desk-number").mark(f"doses-{lot}")
            with ui.element("td"):
                self._field = ui.input(on_change=self._typed, validation=_fault)
                # After a short rest of the fingers, at once when the field is left: 12 is not kept as 1 and 12.
                self._field.props("dense outlined hide-bottom-space inputmode=numeric debounce=300")
                self._field.props["aria-label"] = wording.STOCK_VIALS_OF.format(lot=lot)
                self._field.on("blur", self.keep).mark(f"vials-{lot}")
            self._balance = _cell("", "desk-number").mark(f"balance-{lot}")
        self.refresh()
        if text := (draft_of(state, Form.STOCK) or {}).get(self._row_id):
            self._field.set_value(text)

    @property
    def is_faulty(self) -> bool:
        return not _read_vials(self._field.value)[1]

    def refresh(self) -> None:
        line = self._line()
        if not self._typing:
            self._set_field("" if line.vials is None else str(line.vials))
        self._field.set_enabled(line.state is not ConsumptionState.SENT)
        self._status.set_text(_state_text(line))
        self._words.set_text(_words(line))
        self._stock.set_text(str(line.stock))
        self._doses.set_text("—" if line.doses is None else str(line.doses))
        self._show_balance(line)

    async def keep(self) -> None:
        """Keep what was typed; nothing to do where it is kept already, or no number."""
        async with self._turn:
            text = self._field.value
            vials, is_number = _read_vials(text)
            if not self._typing or not is_number:
                return
            try:
                if drafts := draft_consumption(self._state.database.tables, self._line().row, vials):
                    await self._state.commit(drafts)
            except AppError as error:  # still in the field: the next letter or tap tries again
                self._field.error = wording.APP_ERROR[error.code]
                return
            self._typing = self._field.value != text
        self.refresh()

    def _typed(self) -> None:
        self._typing = True
        self._keep_fault()
        self._show_balance(self._line())
        background_tasks.create(self.keep(), name="keep vials")

    def _keep_fault(self) -> None:
        """What cannot be kept as a number is there again after a reload, to be mended."""
        before = draft_of(self._state, Form.STOCK) or {}
        others = {row: text for row, text in before.items() if row != self._row_id}
        faults = {**others, self._row_id: self._field.value} if self.is_faulty else others
        if not faults:
            forget_draft(self._state, Form.STOCK)
        elif faults != before:
            keep_draft(self._state, "", "", faults, Form.STOCK)

    def _set_field(self, text: str) -> None:
        if self._field.value != text:
            self._field.set_value(text)
            self._typing = False

    def _line(self) -> StockLine:
        tables = self._state.database.tables
        whole = not self._state.database.reach.is_chosen
        return stock_line(tables, tables.stock_rows.at(self._row_id), counts_doses=whole)

    def _show_balance(self, line: StockLine) -> None:
        vials, is_number = _read_vials(self._field.value)
        balance = line.stock - (vials or 0) if is_number else line.balance
        self._balance.set_text(str(balance))
        self._balance.classes(add="desk-refused" if balance < 0 else "", remove="" if balance < 0 else "desk-refused")
        found = check_vials(line.stock, line.doses, vials, line.doses_per_vial) if is_number else []
        self._warning.set_text(wording.sentences(wording.STOCK_WARNING[one].format(doses=line.doses) for one in found))

    async def _show_patients(self) -> None:
        line = self._line()
        tables, row = self._state.database.tables, line.row
        total = count_standing_doses(tables, row)
        documents = standing_doses(tables, row, _PATIENTS_LISTED)
        documents.sort(key=lambda dose: (dose["vaccination_date"], dose["made_at"]))
        names = {"vaccine": row["vaccine_code"], "lot": row["lot_number"], "total": total, "since": line.doses}
        title = wording.STOCK_PATIENTS if line.doses is not None else wording.STOCK_PATIENTS_HERE
        with ui.dialog() as dialog, ui.card().classes("desk-patients"):
            ui.label(title.format(**names)).classes("text-lg").mark("lot-patients-title")
            if documents:
                _patient_table(self._state, documents)
            else:
                ui.label(wording.STOCK_PATIENTS_NONE).classes("desk-note")
            if total > len(documents):
                ui.label(wording.STOCK_PATIENTS_LIMIT.format(count=len(documents))).classes("desk-note")
            ui.button(wording.LEAVE, on_click=dialog.close).props("outline autofocus").mark("close-patients")
        await dialog
        dialog.delete()


def _patient_table(state: AppState, documents: list[Any]) -> None:
    rows = []
    for number, dose in enumerate(documents, start=1):
        person: Mapping[str, Any] = state.database.tables.patients.find(dose["person_id"]) or {}
        rows.append(
            {
                "record_id": dose["record_id"],
                "number": number,
                "vaccine_code": dose["vaccine_code"],
                "lot_number": dose["lot_number"],
                "chart_number": person.get("chart_number", ""),
                "name": person.get("name", ""),
                "vaccination_date": roc_text(dose["vaccination_date"]),
            }
        )
    columns = [
        {"name": name, "label": label, "field": name, "align": "left", "sortable": True}
        for name, label in wording.STOCK_PATIENT_COLUMNS.items()
    ]
    table = ui.table(columns=columns, rows=rows, row_key="record_id", pagination=10).props("dense").classes("w-full")
    table.mark("lot-patients")
    open_rows(table, lambda record_id: ui.navigate.to(f"/BA102_3?record={record_id}"))


def _read_vials(text: str | None) -> tuple[int | None, bool]:
    """The number of vials, None for an empty field; and whether it is a number that can be kept."""
    plain = to_half_width(text or "").strip()
    if not plain:
        return None, True
    if plain.isascii() and plain.isdigit() and len(plain) <= len(str(MAX_VIALS)):
        return int(plain), True
    return None, False


def _fault(text: str | None) -> str | None:
    return None if _read_vials(text)[1] else wording.STOCK_VIALS_INVALID


def _state_text(line: StockLine) -> str:
    if line.consumption is not None and line.consumption["conflict"]:
        return wording.STOCK_IN_CONFLICT
    return wording.STOCK_STATE[line.state]


def _words(line: StockLine) -> str:
    if line.consumption is not None and line.consumption["conflict"]:
        return wording.STOCK_SETTLE
    upload = (line.consumption or {}).get("upload") or {}
    match line.state:
        case ConsumptionState.SENT:
            return wording.STOCK_SENT_WAITS
        case ConsumptionState.REFUSED:
            return wording.cdc_words(upload["message"])
        case ConsumptionState.LATE if line.last is not None:
            return wording.STOCK_LATE.format(sent=line.last["upload"]["vials"], typed=line.last.get("vials") or 0)
        case ConsumptionState.ACCEPTED if line.last is not None:
            told = line.last["upload"]
            return f"{wording.STOCK_ACCEPTED.format(vials=told['vials'])} {wording.cdc_words(told['message'])}"
    return ""


def _sentence(answer: StockAnswer) -> str:
    if answer.code in (UNREACHABLE, NO_ANSWER):
        return wording.STOCK_UNREACHABLE if answer.code == UNREACHABLE else wording.STOCK_NO_ANSWER
    known = wording.STOCK_ANSWER.get(answer.code) or wording.APP_ERROR.get(answer.code, wording.APP_ERROR["app_error"])
    text = known.format(**answer.model_dump())
    if answer.new_lots:
        text += wording.STOCK_NEW_MAKERS
    return text + (wording.STOCK_UNREADABLE.format(unreadable=answer.unreadable) if answer.unreadable else "")


def _cell(text: str, classes: str = "") -> ui.label:
    with ui.element("td").classes(classes):
        return ui.label(text)
