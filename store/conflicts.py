"""What waits for a person: records edited differently at two stations, and the pairs of pairs.py. Choosing is a change.

Invariants:
- counting costs the same however large the store is;
- choosing one version replaces all of them by a new revision that says the same, so that every version stays readable;
- a choice is made of what the chooser saw: what came meanwhile is in conflict with it, never overwritten.
"""

from collections.abc import Mapping
from typing import Any

from tinydb.table import Document

from store.changes import VOID_KINDS, ChangeDraft, ChangeKind
from store.pairs import count_open_pairs
from store.record_table import RecordTable
from store.tables import Tables

# Table -> what makes a new revision of its records; of a setting it is the kind of the revision chosen.
_CORRECTION = {
    "vaccinations": ChangeKind.CORRECT_VACCINATION,
    "exams": ChangeKind.CORRECT_EXAM,
    "patients": ChangeKind.CORRECT_PATIENT,
    "lots": ChangeKind.REGISTER_LOT,
    "sessions": ChangeKind.CORRECT_SESSION,
    "consumptions": ChangeKind.RECORD_CONSUMPTION,
    "staff": ChangeKind.REGISTER_STAFF_MEMBER,
}


def conflicting_records(tables: Tables) -> list[tuple[str, Document]]:
    """Shape: table name and document, doses first, then exams."""
    return [(table.name, found) for table in _edited(tables) for found in table.find_by("conflict", "open")]


def count_open_conflicts(tables: Tables) -> int:
    records = sum(table.count_by("conflict", "open") for table in _edited(tables))
    return records + count_open_pairs(tables)


def competing_revisions(document: Mapping[str, Any]) -> list[str]:
    """The versions to choose from, the one shown until then last."""
    return [*document["conflict"], document["revision"]]


def replaced_by_edit(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What an edit of the record as it is shown replaces: the revision shown, and those made apart from it."""
    return (document["revision"], *document["other_heads"])


def draft_choice(table: str, document: Mapping[str, Any], revision: str) -> ChangeDraft:
    """Let one of the versions stand."""
    chosen = document["revisions"][revision]
    kind = ChangeKind(chosen["kind"])
    if kind not in VOID_KINDS:
        kind = _CORRECTION.get(table, kind)
    return ChangeDraft(kind, document["record_id"], dict(chosen["payload"]), replaced_by_edit(document))


def _edited(tables: Tables) -> tuple[RecordTable, ...]:
    return (
        tables.vaccinations, tables.exams, tables.patients, tables.lots, tables.sessions, tables.consumptions,
        tables.settings, tables.staff,
    )  # fmt: skip
