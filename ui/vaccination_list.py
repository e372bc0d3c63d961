"""Vaccination records as a table, in the manual's columns, each with where it stands at CDC."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from store.codes import vaccine_by_code
from store.lots import LotType
from store.pairs import same_doses
from store.patients import can_identify
from store.roc_date import TAIPEI, format_roc_date
from store.uploads import UploadState
from ui import wording
from ui.failed_upload import what_to_do
from ui.patient_search import roc_text
from ui.row_table import open_rows
from ui.state import AppState

# One set of columns for the day's list, the upload list and the verification list; each names those it shows.
DAY_COLUMNS = (
    "number", "vaccination_date", "vaccine_code", "dose_number", "lot_number", "routine", "chart_number", "name",
    "state",
)  # fmt: skip
UPLOAD_COLUMNS = (
    "number", "state", "vaccination_date", "chart_number", "name", "sex", "birth_date", "national_id", "birth_order",
    "parity", "plurality", "parent_national_id", "vaccine_code", "dose_number", "lot_number",
)  # fmt: skip
VERIFICATION_COLUMNS = (
    "number", "state", "message", "vaccination_date", "chart_number", "name", "vaccine_code", "dose_number",
    "lot_number", "judged_at",
)  # fmt: skip
_ON_A_PAGE = 15
# Too narrow for a finger on an upright tablet, and nobody sorts by them.
_NARROW = frozenset({"number", "sex", "birth_order", "parity", "plurality", "dose_number"})
# CDC's words as they came; under them what they mean and what to do.
_MESSAGE_CELL = """
<q-td :props="props">
  <div :class="props.row.explained ? 'desk-refused' : ''">{{ props.row.message }}</div>
  <div v-if="props.row.explained">{{ props.row.explained }}</div>
</q-td>
"""


@dataclass(frozen=True)
class _Seen:
    """A record, its person (empty where it has not come yet), and what CDC said of the revision that stands."""

    state: AppState
    document: Mapping[str, Any]
    person: Mapping[str, Any]
    judged: Mapping[str, Any]


_CELLS: dict[str, Callable[[_Seen], str]] = {
    "vaccination_date": lambda seen: roc_text(seen.document["vaccination_date"]),
    "chart_number": lambda seen: seen.person.get("chart_number", ""),
    "name": lambda seen: seen.person.get("name", ""),
    "sex": lambda seen: seen.person.get("sex") or "",
    "birth_date": lambda seen: roc_text(seen.person.get("birth_date")),
    "national_id": lambda seen: wording.masked_id(seen.person.get("national_id")),
    "birth_order": lambda seen: seen.person.get("birth_order") or "",
    "parity": lambda seen: seen.person.get("parity") or "",
    "plurality": lambda seen: seen.person.get("plurality") or "",
    "parent_national_id": lambda seen: wording.masked_id(seen.person.get("parent_national_id")),
    "vaccine_code": lambda seen: seen.document["vaccine_code"],
    "dose_number": lambda seen: seen.document["dose_number"],
    "lot_number": lambda seen: seen.document["lot_number"],
    "routine": lambda seen: "V" if _is_routine(seen.document) else "",
    "state": lambda seen: _state(seen.state, seen.document, seen.person),
    "message": lambda seen: wording.cdc_words(seen.judged.get("message")),
    "explained": lambda seen: what_to_do(seen.document),
    "judged_at": lambda seen: moment_text(seen.judged.get("verified_at")),
}


def vaccination_rows(
    state: AppState, documents: Iterable[Mapping[str, Any]], columns: Iterable[str]
) -> list[dict[str, Any]]:
    """The rows of a `VaccinationTable`: its columns and no more, as each row goes to the screen at each change."""
    told = [name for name in columns if name in _CELLS]
    told += ["explained"] if "message" in told else []
    rows = []
    for number, document in enumerate(documents, start=1):
        upload = document["upload"] or {}
        person: Mapping[str, Any] = state.database.tables.patients.find(document["person_id"]) or {}
        seen = _Seen(state, document, person, upload if upload.get("revision") == document["revision"] else {})
        cells = {name: _CELLS[name](seen) for name in told}
        rows.append({"record_id": document["record_id"], "number": number, **cells})
    return rows


def moment_text(iso_moment: str | None) -> str:
    """Shape: an ISO moment -> "110/05/10 10:55:41" in Taiwan, empty for None."""
    if not iso_moment:
        return ""
    moment = datetime.fromisoformat(iso_moment).astimezone(TAIPEI)
    return f"{format_roc_date(moment.date())} {moment:%H:%M:%S}"


def _is_routine(document: Mapping[str, Any]) -> bool:
    # ASSUMED: 常規 means a dose of the children's programme out of a central lot; the manual does not explain it.
    vaccine = vaccine_by_code(document["vaccine_code"])
    return vaccine is not None and vaccine.routine and document["lot_type"] == LotType.CENTRAL


def _state(state: AppState, document: Mapping[str, Any], person: Mapping[str, Any]) -> str:
    if document["conflict"]:
        return wording.CONFLICTING
    at_cdc = wording.upload_state(document["upload_state"])
    if document["voided"]:
        return wording.STATE_TOO.format(mark=wording.VOIDED, state=at_cdc)
    if same_doses(state.database.tables, document):
        return wording.STATE_TOO.format(mark=wording.RECORDED_TWICE, state=at_cdc)
    if document["upload_state"] == UploadState.NOT_SENT and not can_identify(person):
        return wording.WAITS_FOR_ID
    return at_cdc


class VaccinationTable:
    """The records that it shows, in their order; a tap on a row opens its record.

    Only the rows of the page in view are made and sent: a list of hundreds costs what fifteen cost.
    """

    def __init__(
        self, state: AppState, columns: tuple[str, ...] = DAY_COLUMNS, *, on_open: Callable[[str], object]
    ) -> None:
        self._state, self._columns = state, columns
        self._documents: Sequence[Mapping[str, Any]] = ()
        self._page: dict[str, Any] = {"page": 1, "sortBy": None, "descending": False}
        self.element = ui.table(
            columns=[
                {
                    "name": c,
                    "label": wording.VACCINATION_COLUMNS[c],
                    "field": c,
                    "align": "left",
                    "sortable": c not in _NARROW,
                    "classes": f"desk-col-{c}",
                    "headerClasses": f"desk-col-{c}",
                }
                for c in columns
            ],
            rows=[],
            row_key="record_id",
            pagination=_ON_A_PAGE,
        )
        self.element.props(f'dense no-data-label="{wording.NO_DATA}"').classes("w-full").mark("vaccinations")
        if "message" in columns:
            self.element.add_slot("body-cell-message", _MESSAGE_CELL)
        self.element.on("request", self._turn, ["pagination"])
        open_rows(self.element, on_open)

    def show(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Show these from now on; whoever stands on a later page stays there while there is one."""
        self._documents = documents
        self._page["page"] = max(1, min(self._page["page"], math.ceil(len(documents) / _ON_A_PAGE)))
        self._fill()

    def _turn(self, event: GenericEventArguments) -> None:
        """Another page, or another order, is asked for."""
        asked = event.args["pagination"]
        self._page = {name: asked.get(name) for name in self._page}
        self._fill()

    def _fill(self) -> None:
        numbers = list(range(len(self._documents)))
        if by := self._page["sortBy"]:
            cells = vaccination_rows(self._state, self._documents, (by,))
            numbers.sort(key=lambda n: str(cells[n][by]).lower(), reverse=bool(self._page["descending"]))
        begin = (self._page["page"] - 1) * _ON_A_PAGE
        seen = numbers[begin : begin + _ON_A_PAGE]
        rows = vaccination_rows(self._state, [self._documents[n] for n in seen], self._columns)
        self.element.rows = [{**row, "number": n + 1} for n, row in zip(seen, rows, strict=True)]
        # With the number of all rows the table leaves pages and order to us.
        self.element.pagination = {**self._page, "rowsPerPage": _ON_A_PAGE, "rowsNumber": len(numbers)}
