"""Bring a HIS roster into the store: in steps short enough that the screen answers meanwhile.

Invariants:
- each step is one frame: a reload in the middle keeps what was told as done, and importing again goes on from there;
- importing the same file twice changes nothing.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from store.changes import ChangeDraft, ChangeKind
from store.patients import Patient
from store.roster import RosterRow, RosterText, read_rows
from store.roster_plan import Changed, New, Refused, plan_import
from ui.forms import record_fields
from ui.state import AppState

ROWS_PER_STEP = 100
_PREVIEW_ROWS = 20


@dataclass
class ImportResult:
    """How far an import has come. Units: rows, except `line` of `lines` for the progress."""

    lines: int
    line: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    warned: list[RosterRow] = field(default_factory=list)
    bad: list[RosterRow] = field(default_factory=list)

    @property
    def fraction(self) -> float:
        return min(1.0, self.line / max(1, self.lines))


def preview(state: AppState, roster: RosterText) -> list[RosterRow]:
    """The first rows as the import would read them."""
    return list(islice(read_rows(roster, state.today()), _PREVIEW_ROWS))


async def import_roster(state: AppState, roster: RosterText, result: ImportResult) -> None:
    """Import all rows, keeping `result` up to date. Raises: StorageFailed; what `result` counts is on disk."""
    rows = read_rows(roster, state.today())
    while step := list(islice(rows, ROWS_PER_STEP)):
        drafts = list(_drafts(state, step, result))
        if drafts:
            await state.commit(drafts)
        result.new += sum(draft.kind is ChangeKind.REGISTER_PATIENT for draft in drafts)
        result.changed += sum(draft.kind is ChangeKind.CORRECT_PATIENT for draft in drafts)
        result.line = step[-1].line_number
        # The browser's one thread is ours: hand it back so that a tap is answered.
        await asyncio.sleep(0)


def _drafts(state: AppState, step: list[RosterRow], result: ImportResult) -> Iterator[ChangeDraft]:
    for row in step:
        plan = plan_import(row, lambda chart_number: find_by_chart(state, chart_number))
        match plan:
            case New(draft):
                payload = draft.model_dump(mode="json", exclude_defaults=True)
                yield ChangeDraft(ChangeKind.REGISTER_PATIENT, state.world.make_record_id(), payload)
            case Changed(patient, _):
                payload = patient.model_dump(mode="json", exclude_defaults=True, exclude={"record_id"})
                revision = state.database.tables.patients.at(patient.record_id)["revision"]
                yield ChangeDraft(ChangeKind.CORRECT_PATIENT, patient.record_id, payload, (revision,))
            case Refused(refused):
                result.bad.append(refused)
                continue
            case _:
                result.unchanged += 1
        if any(problem.severity == "warning" for problem in row.problems):
            result.warned.append(row)


def find_by_chart(state: AppState, chart_number: str) -> Patient | None:
    """The person of a chart number; of several that stations registered apart, the first."""
    found = state.database.tables.patients.find_by("chart_number", chart_number)
    return Patient.model_validate(record_fields(found[0], Patient)) if found else None
