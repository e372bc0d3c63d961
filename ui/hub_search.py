"""Below the search of a device that holds chosen sessions only: whom the hub finds besides.

Invariants:
- what the device finds itself is shown at once and never waits for the hub;
- an answer to what was typed before is dropped;
- a person of the hub opens only after all records of that person are in the store.
"""

import asyncio
from collections.abc import Callable, Sequence

from nicegui import background_tasks, ui

from store.audit import AuditAction
from store.errors import AppError
from store.protocol import FoundPerson
from ui import wording
from ui.row_table import open_rows
from ui.state import AppState
from ui.sync_client import HubLink

# After the last key: nobody types slower than this and wants an answer in between.
PAUSE_SECONDS = 0.3


class HubSearch:
    """One search field's question to the hub. `row` and `columns` are those of the search window."""

    def __init__(
        self,
        state: AppState,
        columns: list[dict[str, str]],
        row: Callable[..., dict[str, str]],
        on_chosen: Callable[[str], object],
    ) -> None:
        self._state, self._row, self._on_chosen = state, row, on_chosen
        self._asked = 0  # counts what was typed: only the newest is asked and shown
        self._is_fetching = False
        self._note = ui.label("").classes("desk-note").mark("hub-note")
        table = ui.table(columns=columns, rows=[], row_key="record_id", pagination=10)
        self._table = table.classes("w-full desk-from-hub").mark("hub-patients")
        open_rows(table, self.choose)
        self._show("")

    def search(self, typed: str, here: Sequence[str]) -> None:
        """Ask for what was typed. `here`: the record ids that the device found itself."""
        self._asked += 1
        if not typed.strip() or not self._state.database.reach.is_chosen:
            self._show("")
        elif self._state.sync.link is not HubLink.CONNECTED:
            self._show(wording.SEARCH_HERE_ONLY)
        else:
            self._show(wording.SEARCH_HUB_ASKING)
            background_tasks.create(self._ask(self._asked, typed, set(here)), name="search on the hub")

    @property
    def first(self) -> str | None:
        """The record id of the first that the hub found."""
        return self._table.rows[0]["record_id"] if self._table.rows else None

    async def choose(self, record_id: str) -> None:
        """Fetch a person, and open the record."""
        if self._is_fetching:
            return
        self._is_fetching = True
        self._note.set_text(wording.FETCHING_PERSON)
        try:
            is_here = await self._state.sync.people.fetch([record_id])
            told = wording.PERSON_NOT_FETCHED
        except AppError as error:
            is_here, told = False, wording.APP_ERROR[error.code]
        finally:
            self._is_fetching = False
        if is_here:
            self._state.touch()
            self._on_chosen(record_id)
        else:
            self._note.set_text(told)

    async def _ask(self, number: int, typed: str, here: set[str]) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        if number != self._asked:
            return
        found = await self._state.sync.people.search(typed)
        if number != self._asked or self._table.is_deleted:
            return
        if found is None:
            self._show(wording.SEARCH_HERE_ONLY)
            return
        self._state.note(AuditAction.SEARCHED, kind="patients_on_hub", count=len(found))
        others = [person for person in found if person.record_id not in here]
        self._show(wording.SEARCH_HUB_FOUND if others else wording.SEARCH_HUB_NONE, others)

    def _show(self, note: str, people: Sequence[FoundPerson] = ()) -> None:
        self._note.set_text(note)
        self._note.classes(replace="text-lg" if people else "desk-note")
        self._note.set_visibility(bool(note))
        self._table.rows = [self._row(person.model_dump(), merged=person.merged) for person in people]
        self._table.set_visibility(bool(people))
