"""What a device holds when it does not hold everyone: chosen sessions and days, and single persons.

Invariants:
- lots, stock, sessions and settings are always in scope, and so is a change that this program cannot read;
- a change about a person in scope is in scope, whoever made it, also where it moves a dose away from that person;
- a scope only says who; that a person's records came whole is counted by the device (device_scope.py).
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict
from tinydb.table import Document

from store.changes import HUB_MADE_KINDS, Change, ChangeKind, Id
from store.decisions import Pair
from store.exports import exported_in
from store.persons import affected_patients, effective_patient
from store.record_table import RecordTable
from store.roc_date import RocDay
from store.sessions import people_of
from store.tables import Tables

PATIENT_KINDS = frozenset({ChangeKind.REGISTER_PATIENT, ChangeKind.CORRECT_PATIENT})
DOSE_KINDS = frozenset(
    {
        ChangeKind.RECORD_VACCINATION,
        ChangeKind.CORRECT_VACCINATION,
        ChangeKind.VOID_VACCINATION,
        ChangeKind.REQUEST_UPLOAD,
    }
)
EXAM_KINDS = frozenset({ChangeKind.RECORD_EXAM, ChangeKind.CORRECT_EXAM, ChangeKind.VOID_EXAM})
DECISION_KINDS = frozenset(
    {
        ChangeKind.MERGE_PATIENTS,
        ChangeKind.CONFIRM_DISTINCT_PATIENTS,
        ChangeKind.CONFIRM_DISTINCT_DOSES,
        ChangeKind.WITHDRAW_DECISION,
    }
)
EXPORT_KINDS = frozenset({ChangeKind.EXPORT_DOSES, ChangeKind.RELEASE_EXPORT})
SESSION_KINDS = frozenset({ChangeKind.REGISTER_SESSION, ChangeKind.CORRECT_SESSION})


class Scope(BaseModel):
    """Shape: each sorted. `days`: the sessions of these days, also those planned later."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    session_ids: tuple[Id, ...] = ()
    days: tuple[RocDay, ...] = ()
    patient_ids: tuple[Id, ...] = ()

    @property
    def digest(self) -> str:
        """Shape: 64 hex digits, alike for scopes that say the same."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def scope_digest(scope: Scope | None) -> str:
    """Empty for everyone."""
    return scope.digest if scope is not None else ""


def sessions_in(tables: Tables, session_ids: Iterable[str], days: Iterable[str]) -> list[Document]:
    """The sessions chosen one by one or by their day (ISO text), each once."""
    found = {s["record_id"]: s for one in session_ids if (s := tables.sessions.find(one)) is not None}
    for day in days:
        found |= {session["record_id"]: session for session in tables.sessions.find_by("session_date", day)}
    return list(found.values())


def people_in(tables: Tables, scope: Scope) -> set[str]:
    """The record ids of everybody in scope, come already or not."""
    sessions = sessions_in(tables, scope.session_ids, [day.isoformat() for day in scope.days])
    return set(scope.patient_ids).union(*map(people_of, sessions))


def with_merged(tables: Tables, people: Iterable[str]) -> set[str]:
    """These and all whom a merge makes one with them, so that whose a dose is can be told without the rest."""
    found: set[str] = set()
    for one in people:
        found.update((one, *affected_patients(tables, one, effective_patient(tables, one))))
    return found


def ids_by_any(table: RecordTable, indexes: Iterable[str], keys: Collection[str]) -> set[str]:
    """The ids of the records that have one of these keys in one of these indexes."""
    return {record_id for index in indexes for key in keys for record_id in table.ids_by(index, key)}


def doses_of(tables: Tables, people: Collection[str]) -> set[str]:
    """The record ids of the doses recorded for these people, or theirs by a merge."""
    return ids_by_any(tables.vaccinations, ("patient_id", "person_id"), people)


def exams_of(tables: Tables, people: Collection[str]) -> set[str]:
    """The record ids of the exams recorded of these people, or theirs by a merge."""
    return ids_by_any(tables.exams, ("patient_id", "person_id"), people)


class ScopeFilter:
    """Which changes a scope lets through, asked of the tables that hold all of them. One per request."""

    def __init__(self, tables: Tables, scope: Scope) -> None:
        self._tables = tables
        self._people = people_in(tables, scope)
        self._known_doses: dict[str, bool] = {}
        self._own_doses: set[str] | None = None

    def lets_through(self, change: Change) -> bool:
        kind, payload = change.kind, change.payload
        if kind in PATIENT_KINDS:
            return change.record_id in self._people
        if kind in DOSE_KINDS:
            return payload.get("patient_id") in self._people or self._has_dose(change.record_id)
        if kind in EXAM_KINDS:
            return payload.get("patient_id") in self._people or self._has_exam(change.record_id)
        if kind in DECISION_KINDS:
            ids = (payload.get("first", ""), payload.get("second", ""))
            if payload.get("pair") == Pair.DOSES:
                return any(map(self._has_dose, ids))
            return not self._people.isdisjoint(ids)
        if kind in EXPORT_KINDS:
            return any(map(self._has_dose, exported_in(change)))
        if kind == ChangeKind.HISTORY_RECEIVED:
            return change.record_id in self._people
        return kind not in HUB_MADE_KINDS or self._has_row_of(change)

    def _has_dose(self, record_id: str) -> bool:
        known = self._known_doses.get(record_id)
        if known is None:
            dose = self._tables.vaccinations.find(record_id)
            known = dose is not None and not self._people.isdisjoint(patients_of_dose(dose))
            self._known_doses[record_id] = known
        return known

    def _has_exam(self, record_id: str) -> bool:
        exam = self._tables.exams.find(record_id)
        return exam is not None and not self._people.isdisjoint(patients_of_dose(exam))

    def _has_row_of(self, change: Change) -> bool:
        batch = self._tables.batches.find(change.record_id)
        if self._own_doses is None:  # by the few in scope: a batch has hundreds of rows
            self._own_doses = doses_of(self._tables, self._people)
        return batch is None or any(row["record_id"] in self._own_doses for row in batch["rows"])


def patients_of_dose(dose: Mapping[str, Any]) -> set[str]:
    """Whose a dose, or an exam, is or was by any of its revisions. `dose` is a document."""
    told = {revision["payload"].get("patient_id") for revision in dose["revisions"].values()}
    return {one for one in (*told, dose.get("patient_id"), dose.get("person_id")) if one}
