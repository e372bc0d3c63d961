"""待處理衝突: what stations wrote apart, doses and persons recorded twice; staff settle each, and may take it back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, timedelta
from functools import partial
from typing import Any

from nicegui import ui

from store.audit import AuditAction
from store.changes import ChangeDraft, ChangeKind
from store.conflicts import (
    competing_revisions,
    conflicting_records,
    count_open_conflicts,
    draft_choice,
    replaced_by_edit,
)
from store.decisions import Pair, draft_distinct, draft_merge, draft_withdrawal, pair_id
from store.pairs import open_pairs
from store.persons import effective_patient, merged_patients
from ui import wording
from ui.conflict_facts import (
    Fact,
    decision_text,
    dose_facts,
    patient_facts,
    person_name,
    revision_facts,
    setting_name,
)
from ui.dialogs import ask_void_reason, confirm
from ui.following import follow
from ui.patient_search import roc_text
from ui.saving import commit_and_tell
from ui.shell import page_frame
from ui.state import AppState

_LISTED = 30  # of each kind: each is a table of its own
_DAYS_TO_TAKE_BACK = 30
_PAGE = {"vaccinations": "/BA102_3", "exams": "/BA103_3"}  # where a record of a person opens
_Action = tuple[str, str, Callable[[], object]]  # text, mark, what it does


def build(state: AppState, patient: str = "") -> None:
    """All that waits; with `patient` also the merges of that person, however old, so that each can be taken back."""
    state.note(AuditAction.VIEWED, kind="conflicts")
    ConflictsPage(state, patient).build()


class ConflictsPage:
    """The lists, and one stable place for the question that each button asks."""

    def __init__(self, state: AppState, patient: str) -> None:
        self._state = state
        self._patient = patient
        self._tables = state.database.tables
        self._settling = False

    def build(self) -> None:
        keys = {"F2": lambda: ui.navigate.to("/BA102_3")}
        with page_frame(self._state, wording.CONFLICTS, on_key=keys):

            @ui.refreshable
            def lists() -> None:
                self._build_lists()

            lists()
            # Outside of the lists: these are drawn anew at each change, also while a question is open.
            self._questions = ui.element("div")
            follow(self._state.recorded, lists.refresh)

    def _build_lists(self) -> None:
        count = count_open_conflicts(self._tables)
        with ui.column().classes("desk-card"):
            told = wording.COUNTED.format(what=wording.CONFLICTS, count=count) if count else wording.NO_CONFLICTS
            ui.label(told).classes("text-lg").mark(
                "conflict-count"
            )
            ui.label(wording.CONFLICTS_INTRO).classes("desk-note")
            ui.button(f"{wording.LEAVE} (Esc)", on_click=lambda: ui.navigate.to("/")).props("outline no-caps").mark(
                "leave"
            )
        if self._patient:
            title = f"{wording.MERGES_OF}　{person_name(self._state, self._patient)}"
            self._section(title, self._merges_of_person(), self._show_decision)
        self._section(wording.EDITED_APART, conflicting_records(self._tables), self._show_edited)
        self._section(wording.SAME_DOSE, open_pairs(self._tables, Pair.DOSES), self._show_doses)
        self._section(wording.LIKELY_SAME_PERSON, open_pairs(self._tables, Pair.PATIENTS), self._show_patients)
        self._section(wording.DECIDED_LATELY, self._decided_lately(), self._show_decision)

    def _section(self, title: str, found: Sequence[Any], show: Callable[[Any], None]) -> None:
        if not found:
            return
        with ui.column().classes("desk-card"):
            ui.label(wording.COUNTED.format(what=title, count=len(found))).classes("text-lg")
            for one in found[:_LISTED]:
                with ui.column().classes("desk-conflict"):
                    show(one)
            if len(found) > _LISTED:
                ui.label(wording.MORE_CONFLICTS.format(count=len(found) - _LISTED)).classes("desk-note")

    # ---- one conflict of each kind

    def _show_edited(self, found: tuple[str, Mapping[str, Any]]) -> None:
        table, document = found
        name = self._name(table, document)
        ui.label(f"{wording.EDITED_TABLE[table]}　{name}").classes("desk-person").mark("edited-apart")
        revisions = competing_revisions(document)
        choices: list[_Action] = [
            (wording.CHOOSE_VERSION, "choose-version", partial(self._choose, table, document, revision))
            for revision in revisions
        ]
        _comparison(revision_facts(self._state, document, revisions), choices)
        if table in _PAGE:
            self._open_button(table, document)

    def _show_doses(self, pair: Mapping[str, Any]) -> None:
        first, second = (self._tables.vaccinations.at(pair[side]) for side in ("first", "second"))
        dose = f"{first['vaccine_code']}-{first['dose_number']}"
        ui.label(f"{person_name(self._state, first['person_id'])}　{dose}").classes("desk-person").mark("same-dose")
        choices: list[_Action] = [
            (wording.KEEP_THIS_DOSE, "keep-dose", partial(self._keep, kept, gone))
            for kept, gone in ((first, second), (second, first))
        ]
        _comparison(dose_facts(self._state, [first, second]), choices)
        self._button(wording.BOTH_DOSES_REAL, "both-real", lambda: self._both_real(pair))

    def _show_patients(self, pair: Mapping[str, Any]) -> None:
        ids = [pair["first"], pair["second"]]
        decision = self._tables.decisions.find(pair["record_id"])
        why = wording.list_of(wording.LIKENESS[reason] for reason in pair["reasons"])
        names = wording.SIDE_BY_SIDE.join(person_name(self._state, one) for one in ids)
        ui.label(names).classes("desk-person").mark("same-person")
        ui.label(why).classes("desk-note").mark("likeness")
        if decision is not None and decision["conflict"]:
            ui.label(wording.DECIDED_APART).classes("desk-refused").mark("decided-apart")
            for revision in competing_revisions(decision):
                ui.label(decision_text(self._state, decision, revision)).classes("desk-note")
        elif any(effective_patient(self._tables, one) != one for one in ids):
            ui.label(wording.MERGED_ELSEWHERE).classes("desk-refused")
        known = [document for document in map(self._tables.patients.find, ids) if document is not None]
        if len(known) == 2:
            choices: list[_Action] = [
                (wording.MERGE_INTO_THIS, "merge", partial(self._merge, gone, into))
                for into, gone in (ids, reversed(ids))
            ]
            _comparison(patient_facts(self._state, known), choices)
        self._button(wording.NOT_SAME_PERSON, "not-same-person", lambda: self._not_same(pair))

    def _show_decision(self, decision: Mapping[str, Any]) -> None:
        ui.label(decision_text(self._state, decision)).mark("decided")
        self._button(wording.WITHDRAW, "withdraw", lambda: self._withdraw(decision))

    # ---- what staff decide; each asks first, and each is one change

    async def _choose(self, table: str, document: Mapping[str, Any], revision: str) -> None:
        if await confirm(wording.CONFIRM_CHOICE):
            await self._settle(draft_choice(table, document, revision))

    async def _keep(self, kept: Mapping[str, Any], gone: Mapping[str, Any]) -> None:
        if reason := await ask_void_reason(wording.CONFIRM_KEEP, wording.VOID_REASON_DUPLICATE):
            payload = {"reason": reason}
            await self._settle(
                ChangeDraft(ChangeKind.VOID_VACCINATION, gone["record_id"], payload, replaced_by_edit(gone))
            )

    async def _both_real(self, pair: Mapping[str, Any]) -> None:
        if await confirm(wording.CONFIRM_BOTH_REAL):
            await self._settle(draft_distinct(Pair.DOSES, pair["first"], pair["second"], self._decision_on(pair)))

    async def _merge(self, gone: str, survivor: str) -> None:
        doses = len(self._tables.vaccinations.find_by("patient_id", gone))
        names = {"gone": person_name(self._state, gone), "survivor": person_name(self._state, survivor)}
        if await confirm(wording.CONFIRM_MERGE.format(doses=doses, **names)):
            await self._settle(draft_merge_of(self._state, gone, survivor))

    async def _not_same(self, pair: Mapping[str, Any]) -> None:
        if await confirm(wording.CONFIRM_NOT_SAME):
            await self._settle(draft_distinct(Pair.PATIENTS, pair["first"], pair["second"], self._decision_on(pair)))

    async def _withdraw(self, decision: Mapping[str, Any]) -> None:
        if await confirm(wording.CONFIRM_WITHDRAW):
            await self._settle(draft_withdrawal(decision))

    async def _settle(self, draft: ChangeDraft) -> None:
        """Commit and say so, once, whatever is tapped how often."""
        if self._settling:
            return
        self._settling = True
        # The row that was tapped may be gone by now: another station's change draws the lists anew.
        with self._questions:
            try:
                await commit_and_tell(self._state, draft, wording.SETTLED)
            finally:
                self._settling = False

    # ---- small parts

    def _decision_on(self, pair: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return self._tables.decisions.find(pair["record_id"])

    def _merges_of_person(self) -> list[Mapping[str, Any]]:
        chain = [self._patient, *merged_patients(self._tables, self._patient)]
        return [merge for one in chain for merge in self._tables.decisions.find_by("survivor", one)]

    def _decided_lately(self) -> list[Mapping[str, Any]]:
        today = self._state.world.now().astimezone(UTC).date()
        days = [today - timedelta(days=ago) for ago in range(-1, _DAYS_TO_TAKE_BACK)]
        found = [d for day in days for d in self._tables.decisions.find_by("decided_on", day.isoformat())]
        return sorted(found, key=lambda d: str(d["revisions"][d["revision"]]["made_at"]), reverse=True)

    def _name(self, table: str, document: Mapping[str, Any]) -> str:
        if table in _PAGE:
            return person_name(self._state, document["person_id"])
        if table == "sessions":
            return f"{roc_text(document['session_date'])} {document['session_name']}"
        if table == "consumptions":
            row = self._tables.stock_rows.find(document["row_id"])
            return f"{row['vaccine_code']} {row['lot_number']}" if row else ""
        if table == "settings":
            return setting_name(document)
        if table == "staff":
            return f"{document['staff_id']} {document.get('name', '')}"
        return str(document["lot_number"] if table == "lots" else f"{document['chart_number']} {document['name']}")

    def _open_button(self, table: str, document: Mapping[str, Any]) -> None:
        path = f"{_PAGE[table]}?record={document['record_id']}"
        self._button(wording.OPEN_RECORD, "open-record", lambda: ui.navigate.to(path))

    @staticmethod
    def _button(text: str, mark: str, on_click: Callable[[], object]) -> None:
        ui.button(text, on_click=on_click).props("outline no-caps").mark(mark)


def draft_merge_of(state: AppState, gone: str, survivor: str) -> ChangeDraft:
    """Merge two persons as they go on now, so that a chart merged before is not pulled out of its own person.

    Where stations decided this very pair apart, or its two are one already, the choice is about this pair.
    """
    tables = state.database.tables
    decision = tables.decisions.find(pair_id(Pair.PATIENTS, gone, survivor))
    now_gone, now_survivor = effective_patient(tables, gone), effective_patient(tables, survivor)
    if now_gone != now_survivor and not (decision is not None and decision["conflict"]):
        gone, survivor = now_gone, now_survivor
    return draft_merge(gone, survivor, tables.decisions.find(pair_id(Pair.PATIENTS, gone, survivor)))


def _comparison(facts: Iterable[Fact], actions: Sequence[_Action]) -> None:
    """A line for each fact, a column for each side, and what may be done with a side under it."""
    with ui.element("table").classes("desk-compare"), ui.element("tbody"):
        for fact in facts:
            with ui.element("tr").classes("desk-differs" if fact.differs else ""):
                with ui.element("th").props("scope=row"):
                    ui.label(fact.label)
                for value in fact.values:
                    with ui.element("td"):
                        ui.label(value or "—")
        with ui.element("tr"):
            ui.element("td")
            for number, (text, mark, act) in enumerate(actions, start=1):
                with ui.element("td"):
                    ui.button(text, on_click=act).props("outline color=primary no-caps").mark(f"{mark}-{number}")
