"""BA109: the lots, found by either number; registering and editing one; and who received doses of it."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from store.lots import Lot, LotStatus, parse_lot_number
from store.roc_date import format_roc_date
from ui import wording
from ui.following import follow
from ui.form_drafts import Form, draft_of, kept_draft
from ui.forms import record_fields
from ui.lot_form import LotForm
from ui.row_table import open_rows
from ui.shell import page_frame
from ui.state import AppState
from ui.vaccination_list import VaccinationTable

CODE = "BA109"
_LISTED = 200
# The manual's columns of a lot's patients, then what tells a wrong record from a right one.
_DOSE_COLUMNS = (
    "number", "vaccine_code", "lot_number", "chart_number", "name", "vaccination_date", "dose_number", "state",
)  # fmt: skip


def build(state: AppState, lot: str = "") -> None:
    """The list; with `lot`, a record id, that lot open."""
    LotsPage(state).build(lot)


class LotsPage:
    """List and form in one place, so that the next lot needs no page load."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._tables = state.database.tables
        self._form: LotForm | None = None
        self._typed = ""

    def build(self, lot: str) -> None:
        keys = {"F3": self._add, "F9": self._save, "Escape": self._leave}
        with page_frame(self._state, wording.LOTS, code=CODE, on_key=keys):
            self._work = ui.column().classes("w-full")
        if lot:
            self._open(lot)
        else:
            self._show_list()
            if draft := kept_draft(self._state, Form.LOT):
                self._show_form(self._tables.lots.find(draft["record_id"]) if draft["record_id"] else None)
        follow(self._state.changed, self._refresh)

    # ---- the list

    def _show_list(self) -> None:
        self._form = None
        self._work.clear()
        with self._work, ui.column().classes("desk-card"):
            self._search = ui.input(wording.LOT_SEARCH, value=self._typed, on_change=self._refresh)
            self._search.props("outlined autofocus clearable autocomplete=off data-enter=stay").classes("w-full")
            self._search.mark("lot-search").on("keydown.enter", self._open_first)
            with ui.row():
                add = ui.button(wording.LOT_ADD, on_click=self._add).mark("add-lot")
                add.props("color=primary no-caps")
                ui.button(wording.LOT_LEAVE, on_click=self._leave).props("outline no-caps").mark("leave")
            self._count = ui.label("").classes("text-lg").mark("lot-count")
            columns = [
                {"name": name, "label": label, "field": name, "align": "left", "sortable": True}
                for name, label in wording.LOT_COLUMNS.items()
            ]
            self._table = ui.table(columns=columns, rows=[], row_key="record_id", pagination=15)
            self._table.props("dense wrap-cells").classes("w-full desk-narrow desk-lots").mark("lots")
            for name in ("manufacturer", "expiry_date", "status"):
                self._table.add_slot(f"body-cell-{name}", _MARKED_CELL)
            open_rows(self._table, self._open)
        self._refresh()

    def _refresh(self) -> None:
        if self._form is not None:
            return
        lots = self._tables.lots
        self._typed = self._search.value or ""
        found = lots.find_by_typed(self._typed, _LISTED)
        self._table.rows = [lot_row(self._state, lot) for lot in found]
        self._table.set_visibility(bool(found))
        more = wording.LOTS_MORE.format(limit=_LISTED) if len(found) == _LISTED else ""
        if self._typed.strip():
            told = wording.LOTS_FOUND.format(count=len(found)) + more if found else wording.LOTS_NOT_FOUND
        else:
            missing = lots.count_by("manufacturer_missing", "missing")
            told = wording.LOTS_COUNT.format(count=len(lots), missing=missing) + more if found else wording.LOTS_NONE
        self._count.set_text(told)

    def _open_first(self) -> None:
        if self._table.rows:
            self._open(self._table.rows[0]["record_id"])

    # ---- one lot

    def _add(self) -> None:
        if self._form is None:
            self._show_form(None)

    def _open(self, record_id: str) -> None:
        document = self._tables.lots.find(record_id)
        if document is not None:
            self._show_form(document)
        else:
            self._show_list()
            with self._work:
                ui.notify(wording.APP_ERROR["record_not_found"], type="warning", position="bottom")

    def _show_form(self, document: Mapping[str, Any] | None) -> None:
        self._form = LotForm(self._state, document, self._show_list, self._open)
        if half_filled := draft_of(self._state, Form.LOT, record_id=document["record_id"] if document else ""):
            self._form.take_up(half_filled)
            ui.notify(wording.HALF_FILLED, type="info", position="bottom")
        self._work.clear()
        with self._work:
            self._form.build()
            if document is not None:
                self._show_doses(document["lot_number"])

    def _show_doses(self, lot_number: str) -> None:
        vaccinations = self._tables.vaccinations
        documents = vaccinations.find_by("lot_number", lot_number, _LISTED)
        if len(documents) < _LISTED:
            told = wording.LOT_DOSES.format(count=sum(not document["voided"] for document in documents))
        else:
            count = vaccinations.count_by("lot_number", lot_number)
            told = wording.LOT_DOSES_MANY.format(count=count, limit=_LISTED)
        with ui.column().classes("desk-card"):
            ui.label(told).classes("text-lg").mark("lot-doses")
            if self._state.database.reach.is_chosen:
                ui.label(wording.LOT_DOSES_HERE_ONLY).classes("desk-note")
            if documents:
                table = VaccinationTable(
                    self._state,
                    _DOSE_COLUMNS,
                    on_open=lambda record_id: ui.navigate.to(f"/BA102_3?record={record_id}"),
                )
                table.show(documents)

    async def _save(self) -> None:
        if self._form is not None:
            with self._work:
                await self._form.save()

    def _leave(self) -> None:
        if self._form is not None:
            self._form.leave()
        else:
            ui.navigate.to("/")


# A cell that asks for something, or warns, is told apart by more than its words.
_MARKED_CELL = """
<q-td :props="props" :class="props.row.marked.includes(props.col.name) ? 'desk-refused' : ''">{{ props.value }}</q-td>
"""


def lot_row(state: AppState, document: Mapping[str, Any]) -> dict[str, Any]:
    """One row of the list. `marked` names the cells that want a look."""
    lot = Lot.model_validate(record_fields(document, Lot))
    expires_on = lot.expires_on
    expiry = format_roc_date(expires_on) if expires_on is not None else ""
    expired = expires_on is not None and expires_on < state.today()
    marks = {
        "manufacturer": not lot.manufacturer,
        "expiry_date": expired,
        "status": lot.status is LotStatus.RECALLED,
    }
    return {
        "record_id": lot.record_id,
        "vaccine_code": lot.vaccine_code,
        "lot_number": lot.lot_number,
        "maker_lot_number": parse_lot_number(lot.lot_number).maker_lot_number,
        "lot_type": wording.LOT_TYPE[lot.lot_type],
        "manufacturer": lot.manufacturer or wording.LOT_ASK_MANUFACTURER,
        "expiry_date": wording.LOT_EXPIRED_MARK.format(day=expiry) if expired else expiry,
        "doses_per_vial": lot.doses_per_vial or "",
        "status": wording.LOT_STATUS[lot.status],
        "marked": [name for name, is_marked in marks.items() if is_marked],
    }
