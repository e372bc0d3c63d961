"""What a device remembers of its scope: whom it holds, and of whom it still lacks something.

Invariants:
- nobody is in scope and incomplete without standing in `wanted`, which empties as the hub is asked;
- all of it follows from the manifest's state and the entries after it: a restart loses nothing of it;
- whoever the device records something of is in scope from then on, and so is whom a merge makes one with somebody here;
- a session that once was in scope stays in it, wherever its day goes, and so do all who ever stood on its list.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from store.changes import Change, ChangeKind
from store.decisions import Pair, Verdict, verdict
from store.record_table import RecordTable
from store.scope import (
    DECISION_KINDS,
    DOSE_KINDS,
    EXAM_KINDS,
    PATIENT_KINDS,
    SESSION_KINDS,
    Scope,
    patients_of_dose,
    sessions_in,
)
from store.sessions import days_of, people_of
from store.tables import Tables


class DeviceScope:
    """One device's scope as it stands now; everyone until sessions are chosen (`is_chosen`)."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.is_chosen = False
        self.session_ids: set[str] = set()
        self._days: set[str] = set()
        self._patient_ids: set[str] = set()  # in scope by themselves
        self._listed: set[str] = set()  # in scope by a session's list
        self.wanted: dict[str, None] = {}  # in the order in which they came

    @property
    def scope(self) -> Scope | None:
        """What to tell the hub; None for everyone."""
        if not self.is_chosen:
            return None
        return Scope(
            session_ids=tuple(sorted(self.session_ids)),
            days=tuple(date.fromisoformat(day) for day in sorted(self._days)),
            patient_ids=tuple(sorted(self._patient_ids - self._listed)),
        )

    def note(self, change: Change, *, is_own: bool) -> None:
        """Follow a change that was applied."""
        if not self.is_chosen:
            return
        if change.kind in SESSION_KINDS:
            self._note_session(change, is_own=is_own)
        elif change.kind in DOSE_KINDS:
            self._note_dose(self._tables.vaccinations, change, is_own=is_own)
        elif change.kind in EXAM_KINDS:
            self._note_dose(self._tables.exams, change, is_own=is_own)
        elif change.kind in PATIENT_KINDS and is_own:
            if self._tables.patients.exists(change.record_id):  # not where this program cannot read it
                self.include([change.record_id])
        elif change.kind == ChangeKind.MERGE_PATIENTS or (change.kind in DECISION_KINDS and is_own):
            decision = self._tables.decisions.find(change.record_id)
            if decision is not None and decision["pair"] == Pair.PATIENTS:
                self.include([decision["first"], decision["second"]])

    def include(self, people: Iterable[str]) -> None:
        """Take persons into scope; of those who were not in it, something is lacking."""
        for one in people:
            if one not in self._patient_ids and one not in self._listed:
                self._patient_ids.add(one)
                self.wanted[one] = None

    def take(self, people: Iterable[str], asked: Iterable[str]) -> None:
        """All that the hub knows of whom it was asked for is here now: of these people, and of the others nothing."""
        self.include(people)
        for one in (*people, *asked):
            self.wanted.pop(one, None)

    def state(self) -> dict[str, Any]:
        """What a manifest keeps; nothing for everyone."""
        return scope_state(self.scope, self.wanted)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Begin from what a manifest kept, over the tables that belong to it."""
        self.is_chosen = bool(state)
        self._days = set(state.get("days", ()))
        sessions = sessions_in(self._tables, state.get("session_ids", ()), self._days)
        self.session_ids = {*state.get("session_ids", ()), *(session["record_id"] for session in sessions)}
        self._listed = set().union(*map(people_of, sessions))
        self._patient_ids = set(state.get("patient_ids", ()))
        for decision in self._tables.decisions.documents() if state else ():
            if decision["pair"] == Pair.PATIENTS and verdict(decision) is Verdict.MERGED:
                self._patient_ids.update((decision["first"], decision["second"]))
        self.wanted = dict.fromkeys(state.get("wanted", ()))

    def _note_session(self, change: Change, *, is_own: bool) -> None:
        session = self._tables.sessions.find(change.record_id)
        if session is None:
            return
        if is_own or change.record_id in self.session_ids or self._days & days_of(session):
            self.session_ids.add(change.record_id)
            people = people_of(session)
            self.wanted.update(dict.fromkeys(sorted(people - self._listed - self._patient_ids)))
            self._listed |= people

    def _note_dose(self, table: RecordTable, change: Change, *, is_own: bool) -> None:
        dose = table.find(change.record_id)
        if dose is None:
            return
        people = patients_of_dose(dose)
        if is_own:
            self.include(people)
        elif any(base not in dose["revisions"] for base in change.base_revisions):
            # It came here from a person out of scope: what it was before, and what CDC knows of it, is lacking.
            self.wanted.update(dict.fromkeys(sorted(people & (self._patient_ids | self._listed))))


def scope_state(scope: Scope | None, wanted: Iterable[str] = ()) -> dict[str, Any]:
    """What a manifest keeps of a scope."""
    return {} if scope is None else {**scope.model_dump(mode="json"), "wanted": list(wanted)}
