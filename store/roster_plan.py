"""What importing one roster row would do to the store, decided before anything is done.

Invariants:
- importing a file twice changes nothing the second time;
- an empty, unreadable or doubtful cell never replaces what the store knows, so what a nurse mended stays mended;
- a chart number never passes from one person to another by import.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from store.codes import roster_title
from store.formulas import with_mark
from store.patients import Patient, PatientDraft
from store.problems import Problem, ProblemCode, Severity
from store.roster import RosterRow

_IDENTITY = ("national_id", "name", "birth_date")


@dataclass(frozen=True, slots=True)
class New:
    """A person the store does not have."""

    draft: PatientDraft


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing to do: the store has all of it, or an earlier row of the file said the same."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The store's person with what the row brings; `fields` names what differs."""

    patient: Patient
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The row must go on the list of bad rows; its problems say why."""

    row: RosterRow


def record_id_of_chart(chart_number: str) -> str:
    """The record id of a person whom a roster brings: the same on every device, so that two imports are one person."""
    return hashlib.sha256(b"roster chart number\0" + chart_number.encode()).hexdigest()[:32]


ImportPlan = New | Unchanged | Changed | Refused


def plan_import(row: RosterRow, find_by_chart: Callable[[str], Patient | None]) -> ImportPlan:
    """Decide what one row of a roster does. No clock, no store: `find_by_chart` answers from it."""
    draft = row.patient
    if draft is None:
        return Refused(row) if row.is_bad else Unchanged()
    current = find_by_chart(draft.chart_number)
    if current is None:
        return New(draft)
    if _is_other_person(draft, current):
        code = ProblemCode.CHART_NUMBER_OF_OTHER_PERSON
        problem = Problem("chart_number", code, {"record_id": current.record_id})
        return Refused(row._replace(patient=None, problems=[*row.problems, problem]))
    doubtful = {problem.field for problem in row.problems if problem.severity is Severity.WARNING}
    updates: dict[str, Any] = {}
    for field, value in draft:
        known = getattr(current, field)
        if field == "as_written" or value in (None, "") or value == known:
            continue
        if field in doubtful and known not in (None, ""):
            continue
        updates[field] = value
    # The kind goes with the number: alone it may be staff's choice, such as a passport.
    if "national_id" in updates:
        updates["id_type"] = draft.id_type
    else:
        updates.pop("id_type", None)
    as_written = {
        field: text
        for field, text in {**current.as_written, **draft.as_written}.items()
        if field not in updates and getattr(current, field) is None
    }
    if as_written.items() - current.as_written.items() or current.as_written.keys() & updates.keys():
        updates["as_written"] = as_written
    fields = tuple(field for field in updates if getattr(current, field) != updates[field])
    return Changed(current.model_copy(update=updates), fields) if fields else Unchanged()


def _is_other_person(draft: PatientDraft, current: Patient) -> bool:
    """Nothing that tells people apart agrees. A new name, or a mended ID, alone is still the same person."""
    known_of_both = [
        (ours, theirs)
        for ours, theirs in ((getattr(current, field), getattr(draft, field)) for field in _IDENTITY)
        if ours is not None and theirs is not None
    ]
    return all(ours != theirs for ours, theirs in known_of_both)


def bad_rows_csv(rows: Iterable[RosterRow], sentence: Callable[[Problem], str]) -> bytes:
    """Write bad rows as a file that a nurse mends in a spreadsheet and imports again.

    Shape: UTF-8 with mark, CRLF; the cells as they came, then line number and sentences. A cell that a spreadsheet
    would run as a formula gets an apostrophe before it, which `read_rows` takes away again.
    """
    rows = list(rows)
    line_title, problems_title = roster_title("line_number"), roster_title("problems")
    # A file mended before has these two columns of ours already.
    found_titles = dict.fromkeys(title for row in rows for title in row.cells)
    titles = [title for title in found_titles if title not in (line_title, problems_title)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*map(with_mark, titles), line_title, problems_title])
    for row in rows:
        sentences = " ".join(sentence(problem) for problem in row.problems)
        cells = [row.cells.get(title, "") for title in titles]
        writer.writerow([*map(with_mark, cells), row.line_number, with_mark(sentences)])
    return out.getvalue().encode("utf-8-sig")
