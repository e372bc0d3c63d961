"""Bring a HIS roster into the store: in steps short enough that the screen answers meanwhile.

Invariants:
- each step is one frame: a reload in the middle keeps what was told as done, and importing again goes on from there;
- importing the same file twice changes nothing.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from time import monotonic

from store.changes import ChangeDraft, ChangeKind
from store.patients import Patient
from store.protocol import MAX_PEOPLE
from store.roster import RosterRow, RosterText, read_rows
from store.roster_plan import Changed, New, Refused, plan_import, record_id_of_chart
from store.sessions import plan_session, record_id_of_session
from ui.forms import record_fields
from ui.state import AppState

# Of reading; writing what was read takes about as long again. A tap passes through several steps before its answer.
STEP_SECONDS = 0.008
# Up to 2 ms Pyodide passes the turn to itself by a message of its own; Chromium then starved taps for 45 s.
REST_SECONDS = 0.004
_PREVIEW_ROWS = 20


@dataclass
class ImportResult:
    """How far an import has come. Units: rows, except `line` of `lines` for the progress."""

    lines: int
    line: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    people: dict[str, None] | None = None  # record ids of whom the rows are, where they become a session
    warned: list[RosterRow] = field(default_factory=list)
    bad: list[RosterRow] = field(default_factory=list)

    @property
    def fraction(self) -> float:
        return min(1.0, self.line / max(1, self.lines))


def preview(state: AppState, roster: RosterText) -> list[RosterRow]:
    """The first rows as the import would read them."""
    return list(islice(read_rows(roster, state.today()), _PREVIEW_ROWS))


async def import_roster(
    state: AppState, roster: RosterText, result: ImportResult, session: tuple[str, date] | None = None
) -> None:
    """Import all rows, keeping `result` up to date; with `session`, a name and a day, its people become one.

    Raises: StorageFailed; what `result` counts is on disk.
    """
    if state.database.reach.is_chosen:
        await _fetch_known(state, roster)
    people = result.people = {} if session is not None else None
    rows = read_rows(roster, state.today())
    more = True
    while more:
        more, line, drafts, until = False, result.line, list[ChangeDraft](), monotonic() + STEP_SECONDS
        for row in rows:
            drafts += _drafts(state, row, result)
            line = row.line_number
            if more := monotonic() >= until:
                break
        if drafts:
            await state.commit(drafts)
        result.new += sum(draft.kind is ChangeKind.REGISTER_PATIENT for draft in drafts)
        result.changed += sum(draft.kind is ChangeKind.CORRECT_PATIENT for draft in drafts)
        result.line = line
        # The browser's one thread is ours: hand it back so that a tap is answered.
        await asyncio.sleep(REST_SECONDS)
    result.line = result.lines  # blank lines at the end are no rows
    if session is not None and people is not None:
        before = state.database.tables.sessions.find(record_id_of_session(*session))
        if draft := plan_session(*session, people, before):
            await state.commit([draft])


async def _fetch_known(state: AppState, roster: RosterText) -> None:
    """Get from the hub whom it knows and this device does not: a row must not register them a second time.

    Without the hub they are registered all the same: the hub keeps both versions, and a person chooses.
    """
    charts = dict.fromkeys(row.patient.chart_number for row in read_rows(roster, state.today()) if row.patient)
    here = state.database.tables.patients
    missing = iter([record_id_of_chart(one) for one in charts if not here.ids_by("chart_number", one)])
    while some := list(islice(missing, MAX_PEOPLE)):
        if not await state.sync.people.fetch(some):
            return


def _drafts(state: AppState, row: RosterRow, result: ImportResult) -> Iterator[ChangeDraft]:
    plan = plan_import(row, lambda chart_number: find_by_chart(state, chart_number))
    match plan:
        case New(draft):
            payload = draft.model_dump(mode="json", exclude_defaults=True)
            yield ChangeDraft(ChangeKind.REGISTER_PATIENT, record_id_of_chart(draft.chart_number), payload)
        case Changed(patient, _):
            payload = patient.model_dump(mode="json", exclude_defaults=True, exclude={"record_id"})
            document = state.database.tables.patients.at(patient.record_id)
            bases = (document["revision"], *document["other_heads"])
            yield ChangeDraft(ChangeKind.CORRECT_PATIENT, patient.record_id, payload, bases)
        case Refused(refused):
            result.bad.append(refused)
            return
        case _:
            result.unchanged += 1
    if result.people is not None and row.patient is not None:
        # Somebody whom this row registers is not in the tables yet.
        known = state.database.tables.patients.ids_by("chart_number", row.patient.chart_number)
        result.people[known[0] if known else record_id_of_chart(row.patient.chart_number)] = None
    if any(problem.severity == "warning" for problem in row.problems):
        result.warned.append(row)


def find_by_chart(state: AppState, chart_number: str) -> Patient | None:
    """The person of a chart number; of several that stations registered apart, the first."""
    found = state.database.tables.patients.find_by("chart_number", chart_number)
    return Patient.model_validate(record_fields(found[0], Patient)) if found else None
