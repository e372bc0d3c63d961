"""BA102_3: search, form and the list of the day on one page, so that the next child needs no page load."""

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui

from store.audit import AuditAction
from store.patients import Patient
from store.persons import effective_patient
from store.uploads import UploadState
from store.vaccinations import Vaccination
from ui import wording
from ui.conflict_facts import dose_text
from ui.day_list import DayList
from ui.form_drafts import Form, draft_of, kept_draft, kept_header
from ui.patient_form import PatientForm
from ui.patient_search import patient_search
from ui.shell import page_frame
from ui.state import AppState
from ui.vaccination_form import VaccinationForm

CODE = "BA102_3"


def build(state: AppState, patient: str = "", record: str = "", field: str = "") -> None:
    """One page, three uses: search; a new record of `patient`; the record `record`, with CDC's finger on `field`."""
    Desk(state).build(patient, record, field)


class Desk:
    """What is being done on the page: searching, or one form."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._form: VaccinationForm | PatientForm | None = None
        self._person = ""  # whom the last saved dose was given to
        self._search: ui.input | None = None

    def build(self, patient: str, record: str, field: str) -> None:
        keys: dict[str, Callable[[], object]] = {
            "F2": self.search,
            "F3": self.register,
            "F8": self.another_vaccine,
            "F9": self._save,
            "Escape": self._leave,
        }
        with page_frame(self._state, wording.RECORDING, code=CODE, on_key=keys):
            self._work = ui.column().classes("w-full")
            DayList(self._state, on_open=self.open_record)
        if record:
            self.open_record(record, field)
        elif patient:
            self.open_person(patient)
            if draft_of(self._state, Form.PATIENT, record_id=patient):
                self.edit_person(patient)
        else:
            self._go_on()

    def search(self, saved: str = "") -> None:
        """`saved`: the record that was just saved; what may come next is offered above the search."""
        self._form = None
        self._work.clear()
        with self._work:
            if saved:
                self._offer_next(saved)
            self._search = patient_search(self._state, self.open_person)
            with ui.row().classes("items-center"):
                new = ui.button(f"{wording.NEW_PATIENT} (F3)", on_click=self.register)
                new.props("outline color=primary").mark("new-patient")
                if header := kept_header(self._state):
                    values = "　".join(header[name] for name in ("vaccination_date", "vaccine_code", "lot_number"))
                    ui.label(wording.NEXT_GETS.format(values=values)).classes("desk-note").mark("next-gets")

    def open_person(self, record_id: str, *, another_vaccine: bool = False) -> None:
        tables = self._state.database.tables
        person = tables.patients.find(effective_patient(tables, record_id))
        if person is None:
            self.search()
        else:
            self._open_form(person, None, another_vaccine=another_vaccine)

    def open_record(self, record_id: str, field: str = "") -> None:
        document = self._state.database.tables.vaccinations.find(record_id)
        person = self._state.database.tables.patients.find(document["person_id"]) if document else None
        if person is None:
            self.search()
            ui.notify(wording.APP_ERROR["record_not_found"], type="warning", position="bottom")
        elif document is not None and _is_of_person(document, field):
            self._mend_person(person, document, field)
        else:
            self._open_form(person, document, field)

    def register(self) -> None:
        """A person whom nobody has registered yet: in the flow, with what was searched in vain."""
        typed = str(self._search.value or "").strip() if self._form is None and self._search is not None else ""
        form = PatientForm(self._state, None, typed=typed, on_saved=self.open_person, on_leave=self.search)
        fields = draft_of(self._state, Form.PATIENT)
        # Who was searched in vain since is somebody else.
        self._open(form, fields if fields and typed in ("", fields["chart_number"], fields["name"]) else None)

    def edit_person(self, record_id: str) -> None:
        def back(record_id: str = record_id) -> None:
            self.open_person(record_id)

        document = self._state.database.tables.patients.find(record_id)
        if document is not None:
            self._state.note(AuditAction.VIEWED, record_id=record_id)
            form = PatientForm(self._state, document, on_saved=back, on_leave=back)
            self._open(form, draft_of(self._state, Form.PATIENT, record_id=record_id))

    def _mend_person(self, person: Mapping[str, Any], document: Mapping[str, Any], field: str) -> None:
        """What CDC refuses of a dose may be the person's: there first, and then back to the dose."""

        def back(_: str = "") -> None:
            self.open_record(document["record_id"])

        self._state.note(AuditAction.VIEWED, record_id=document["record_id"])
        told = wording.cdc_words(document["upload"]["message"])
        form = PatientForm(self._state, person, field=field, refusal=told, on_saved=back, on_leave=back)
        self._open(form, draft_of(self._state, Form.PATIENT, record_id=person["record_id"]))

    def another_vaccine(self) -> None:
        if self._form is None and self._person:
            self.open_person(self._person, another_vaccine=True)

    def _go_on(self) -> None:
        """With what was half-filled before the page was loaded again, a person before the dose it is opened from."""
        self.search()
        if person := kept_draft(self._state, Form.PATIENT):
            if person["record_id"]:
                self.edit_person(person["record_id"])
            else:
                self.register()
        elif draft := kept_draft(self._state):
            if draft["record_id"]:
                self.open_record(draft["record_id"])
            else:
                self.open_person(draft["patient_id"])

    def _open_form(
        self, person: Mapping[str, Any], document: Mapping[str, Any] | None, field: str = "", **how: bool
    ) -> None:
        form = VaccinationForm(
            self._state,
            person,
            document,
            field,
            on_saved=self._saved,
            on_leave=self.search,
            on_edit_person=self.edit_person,
            **how,
        )
        self._state.note(AuditAction.VIEWED, record_id=(document or person)["record_id"])
        is_voided = document is not None and document["voided"]
        record_id = document["record_id"] if document else ""
        half_filled = draft_of(self._state, Form.VACCINATION, person["record_id"], record_id)
        self._open(form, None if is_voided else half_filled)

    def _open(self, form: VaccinationForm | PatientForm, half_filled: Mapping[str, str] | None) -> None:
        if half_filled:
            form.take_up(half_filled)
            ui.notify(wording.HALF_FILLED, type="info", position="bottom")
        self._form = form
        self._work.clear()
        with self._work:
            form.build()

    def _saved(self, record_id: str) -> None:
        self._person = self._state.database.tables.vaccinations.at(record_id)["person_id"]
        self.search(saved=record_id)

    def _offer_next(self, record_id: str) -> None:
        """The next child needs only to be found; the same one may get another vaccine by one tap."""
        with ui.row().classes("desk-card desk-saved items-center"):
            told = wording.SAVED_LATELY.format(dose=dose_text(self._state, record_id))
            ui.label(told).mark("saved-lately")
            ui.space()
            ui.button(f"{wording.NEXT_PERSON} (F2)", on_click=self.search).props("color=primary").mark("next-person")
            another = ui.button(f"{wording.ANOTHER_VACCINE} (F8)", on_click=self.another_vaccine)
            another.props("outline color=primary").mark("another-vaccine")
            opened = ui.button(wording.OPEN_SAVED, on_click=lambda: self.open_record(record_id))
            opened.props("outline").mark("open-saved")

    async def _save(self) -> None:
        if self._form is not None:
            with self._work:
                await self._form.save()

    def _leave(self) -> None:
        if self._form is not None:
            self._form.leave()
        else:
            ui.navigate.to("/")


def _is_of_person(document: Mapping[str, Any], field: str) -> bool:
    """Whether CDC refuses the dose for a field that only its person has."""
    own = Patient.model_fields.keys() - Vaccination.model_fields.keys()
    return field in own and document["upload_state"] == UploadState.REFUSED
