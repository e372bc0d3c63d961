"""Which entries of the audit somebody asked for. Pure."""

from collections.abc import Collection

from store.audit import AuditEntry
from store.audit_protocol import AuditQuery
from store.roc_date import TAIPEI
from store.scope import doses_of, exams_of, ids_by_any, with_merged
from store.tables import Tables


def records_meant(tables: Tables, query: AuditQuery) -> set[str] | None:
    """The ids of the records that were asked for, of a person all there are; None where any will do."""
    if query.record_id is None:
        return None
    people = with_merged(tables, [query.record_id])
    decided = ids_by_any(tables.decisions, ("first", "second"), people)
    return people | doses_of(tables, people) | exams_of(tables, people) | decided


def first_month(query: AuditQuery) -> str:
    """The first month whose file may hold what was asked for. Shape: "2026-11", empty for all."""
    return f"{query.first_day:%Y-%m}" if query.first_day else ""


def is_meant(entry: AuditEntry, query: AuditQuery, records: Collection[str] | None) -> bool:
    """Whether an entry is one that was asked for. `records`: `records_meant`."""
    if (query.who and entry.who != query.who) or (query.what and entry.what != query.what):
        return False
    if records is not None and entry.about.get("record_id") not in records:
        return False
    day = entry.happened_at.astimezone(TAIPEI).date()
    return (query.first_day is None or day >= query.first_day) and (query.last_day is None or day <= query.last_day)
