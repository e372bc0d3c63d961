"""The form of one person: registered by hand in the flow of recording, or mended."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from store.changes import ChangeDraft, ChangeKind
from store.conflicts import replaced_by_edit
from store.duplicates import Likeness
from store.ids import IdType
from store.pairs import find_likely_patients
from store.patients import Patient, PatientDraft
from store.problems import Problem, Severity
from store.roster import read_typed_person
from store.roster_plan import record_id_of_chart
from store.uploads import UploadState
from ui import wording
from ui.audit_link import audit_link
from ui.conflict_facts import person_name
from ui.dialogs import confirm, problem_line, show_warnings
from ui.form_drafts import Form, forget_draft, keep_draft
from ui.forms import record_fields
from ui.patient_search import roc_text
from ui.saving import commit_and_tell
from ui.state import AppState

_FIELDS = (
    "chart_number", "name", "sex", "national_id", "id_type", "birth_date", "phone", "address", "parent_national_id",
    "birth_order", "parity", "plurality", "four_corner_code",
)  # fmt: skip


class PatientForm:
    """One person. `on_saved` gets the record id of whom the nurse goes on with, new, mended or found."""

    def __init__(
        self,
        state: AppState,
        document: Mapping[str, Any] | None,
        *,
        typed: str = "",
        field: str = "",
        refusal: str = "",
        on_saved: Callable[[str], None],
        on_leave: Callable[[], None],
    ) -> None:
        """`typed` is what was searched in vain: a number is taken for the chart's, anything else for the name.

        `field` is the one that CDC refuses, `refusal` its words."""
        self._state = state
        self._document = document
        self._field_at_fault = field
        self._refusal = refusal
        self._on_saved = on_saved
        self._on_leave = on_leave
        self._saving = self._is_half_filled = False
        if document is not None:
            self._first = _typed_of(document)
        else:
            self._first = {"chart_number" if typed.isascii() and typed.isalnum() else "name": typed}

    def take_up(self, fields: Mapping[str, str]) -> None:
        """Go on with what was half-filled before the page was loaded again."""
        self._first = dict(fields)
        self._is_half_filled = True

    def build(self) -> None:
        with ui.column().classes("desk-card enter-moves"):
            ui.label(wording.EDIT_PATIENT if self._document else wording.NEW_PATIENT).classes("desk-person")
            if self._refusal:
                told = wording.CDC_SAID.format(state=wording.UPLOAD_STATE[UploadState.REFUSED], message=self._refusal)
                ui.label(told).classes("desk-refused").mark("cdc-message")
                ui.label(wording.MEND_PERSON).classes("desk-note")
            with ui.element("div").classes("desk-fields"):
                self._fields: dict[str, Any] = {name: self._field(name) for name in _FIELDS}
            ui.label(wording.NEWBORN_HINT).classes("desk-note")
            with ui.row():
                save = ui.button(wording.SAVE, on_click=self.save).props("color=primary")
                save.classes("enter-last").mark("save-patient")
                ui.button(wording.LEAVE, on_click=self.leave).props("outline").mark("leave")
                if self._document is not None:
                    audit_link(self._state, self._document["record_id"])
            self._below = ui.column().classes("w-full gap-1")
        first = next((name for name in ("chart_number", "name") if not self._first.get(name)), "national_id")
        if self._field_at_fault:
            first = self._field_at_fault
            self._fields[first].props("bg-color=red-1")
        self._fields[first].props("autofocus")
        self._as_opened = self._texts()
        self._check()

    def leave(self) -> None:
        forget_draft(self._state, Form.PATIENT)
        self._on_leave()

    def _done(self, record_id: str) -> None:
        forget_draft(self._state, Form.PATIENT)
        self._on_saved(record_id)

    async def save(self) -> None:
        """Save once, whatever is tapped how often; whoever may be known already is asked about first."""
        if self._saving:
            return
        self._saving = True
        try:
            person, problems, likely = self._check()
            stopping = [p for p in problems if p.severity is Severity.ERROR]
            if person is None or stopping or self._is_taken(person):
                taken = wording.CHART_TAKEN_SHORT.format(chart=self._typed("chart_number"))
                told = wording.sentences(map(problem_line, stopping)) or taken
                ui.notify(told, type="negative", position="bottom", multi_line=True)
            elif not likely or await confirm(wording.CONFIRM_NEW_PATIENT):
                await self._commit(person)
        finally:
            self._saving = False

    def _field(self, name: str) -> Any:
        value = self._first.get(name, "")
        label = wording.BIRTH_DATE_HINT if name == "birth_date" else wording.FIELD[name]
        if name == "sex":
            sexes = {"": "", **wording.SEX}
            field: Any = ui.select(sexes, label=label, value=value if value in sexes else "")
        elif name == "id_type":
            kinds = {"": wording.ID_BY_FORM, IdType.PASSPORT.value: wording.PASSPORT}
            field = ui.select(kinds, label=label, value=value if value in kinds else "")
        else:
            field = ui.input(label, value=value).props("autocomplete=off").without_auto_validation()
        return field.props("outlined").classes("w-full").mark(name).on_value_change(self._check)

    def _typed(self, name: str) -> str:
        return str(self._fields[name].value or "").strip()

    def _texts(self) -> dict[str, str]:
        return {name: self._typed(name) for name in _FIELDS}

    def _check(self) -> tuple[PatientDraft | None, list[Problem], Sequence[Any]]:
        typed = self._texts()
        if self._is_half_filled or typed != self._as_opened:
            self._is_half_filled = True
            keep_draft(self._state, "", self._document["record_id"] if self._document else "", typed, Form.PATIENT)
        id_type = typed.pop("id_type")
        person, problems = read_typed_person(typed, self._state.today())
        if person is not None and id_type:
            person = person.model_copy(update={"id_type": IdType(id_type)})
        likely: list[tuple[Any, list[Likeness]]] = []
        if person is not None and self._document is None:
            likely = find_likely_patients(self._state.database.tables, person.model_dump(mode="json"))
        for name, field in self._fields.items():
            stopping = [p for p in problems if p.field == name and p.severity is Severity.ERROR]
            if isinstance(field, ui.input):
                field.error = wording.problem(stopping[0]) if stopping and typed[name] else None
        self._below.clear()
        with self._below:
            show_warnings([p for p in problems if p.severity is Severity.WARNING])
            if person is not None and (holder := self._is_taken(person)):
                self._offer(wording.CHART_TAKEN.format(chart=person.chart_number), [holder])
            elif likely:
                self._offer(wording.PERHAPS_KNOWN, [document["record_id"] for document, _ in likely])
        return person, problems, likely

    def _offer(self, told: str, record_ids: Sequence[str]) -> None:
        ui.label(told).classes("desk-refused").mark("perhaps-known")
        for record_id in record_ids[:5]:
            with ui.row().classes("items-center"):
                ui.label(person_name(self._state, record_id))
                take = ui.button(wording.OPEN_PATIENT, on_click=lambda record_id=record_id: self._done(record_id))
                take.props("outline").mark("open-known")

    def _is_taken(self, person: PatientDraft) -> str:
        """Who has this chart number already; empty for nobody else."""
        own = self._document["record_id"] if self._document else ""
        holders = self._state.database.tables.patients.find_by("chart_number", person.chart_number, 2)
        return next((holder["record_id"] for holder in holders if holder["record_id"] != own), "")

    async def _commit(self, person: PatientDraft) -> None:
        payload = person.model_dump(mode="json", exclude_defaults=True)
        if self._document is None:
            # As a roster would name it: who is registered by hand today is the same person in tomorrow's import.
            record_id = record_id_of_chart(person.chart_number)
            if self._state.database.tables.patients.exists(record_id):
                record_id = self._state.world.make_record_id()
            draft = ChangeDraft(ChangeKind.REGISTER_PATIENT, record_id, payload)
        else:
            record_id = self._document["record_id"]
            before = Patient.model_validate(record_fields(self._document, Patient))
            if person.to_patient(record_id) == before and not self._document["conflict"]:
                ui.notify(wording.NOT_CHANGED, type="info", position="bottom")
                self._done(record_id)
                return
            draft = ChangeDraft(ChangeKind.CORRECT_PATIENT, record_id, payload, replaced_by_edit(self._document))
        if await commit_and_tell(self._state, draft, wording.PATIENT_SAVED.format(name=person.name)):
            self._done(record_id)


def _typed_of(document: Mapping[str, Any]) -> dict[str, str]:
    """What would be typed to say the same; what nobody could read stands as it was written."""
    values = {name: document.get(name) for name in _FIELDS}
    typed = {name: "" if value is None else str(value) for name, value in values.items()}  # of a 0 something is left
    typed["birth_date"] = roc_text(document.get("birth_date"))
    return typed | {name: text for name, text in document.get("as_written", {}).items() if name in _FIELDS}
