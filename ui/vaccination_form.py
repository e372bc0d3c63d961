"""The form of one vaccination record: kept values filled in, problems shown where they are."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from nicegui import ui

from store.changes import ChangeDraft, ChangeKind
from store.clinic_settings import clinic_of, lot_of_the_day
from store.codes import dose_labels, vaccine_by_code
from store.conflicts import replaced_by_edit
from store.lot_choice import choose_lots
from store.lots import Lot
from store.pairs import same_doses
from store.persons import merged_patients
from store.problems import Problem, Severity
from store.roc_date import InvalidRocDate, format_compact, format_roc_date, parse_roc_date
from store.special_identities import identities_of, identity_schemes, schemes_of, suggest_identity
from store.uploads import FAILED_STATES, UploadState
from store.vaccinations import VaccinationDraft
from ui import wording
from ui.cdc_history import history_button
from ui.clinic_offer import offer_staff, offered_vaccines, vaccine_options
from ui.code_window import choose_two_level
from ui.conflict_facts import dose_text, person_name
from ui.dialogs import ask_void_reason, ask_warning_reason, problem_line, show_warnings
from ui.exports import show_export
from ui.failed_upload import what_to_do
from ui.form_drafts import Form, draft_of, forget_draft, keep_draft, keep_header, kept_header, kept_lot
from ui.forms import VaccinationText, check_form, record_fields, stops_saving
from ui.patient_search import roc_text
from ui.record_way import way_button
from ui.saving import commit_and_tell
from ui.state import AppState

_LOTS_SHOWN = 6
# What the next person most likely gets too.
_HEADER = ("vaccination_date", "vaccine_code", "dose_number", "lot_number", "lot_type")
_OPTIONAL = ("special_identity", "manufacturer", "body_site", "route", "vaccinator_id", "note")
_FIELDS = (*_HEADER, *_OPTIONAL)


class VaccinationForm:
    """One record, new or corrected. `on_saved` gets the record id; `on_leave` is the nurse's 離開."""

    def __init__(
        self,
        state: AppState,
        person: Mapping[str, Any],
        document: Mapping[str, Any] | None,
        field: str = "",
        *,
        on_saved: Callable[[str], None],
        on_leave: Callable[[], None],
        on_edit_person: Callable[[str], None],
        another_vaccine: bool = False,
    ) -> None:
        self._state = state
        self._on_saved = on_saved
        self._on_leave = on_leave
        self._on_edit_person = on_edit_person
        self._person = person
        self._document = document
        self._field = field
        self._record_id = document["record_id"] if document else state.world.make_record_id()
        self._saving = False
        source = document or kept_header(state)
        self._text = VaccinationText(**{name: source.get(name) or "" for name in _FIELDS})
        self._text.vaccination_date = _compact(source.get("vaccination_date")) or format_compact(state.today())
        self._text.lot_type = self._text.lot_type or "1"
        if another_vaccine:
            self._text.vaccine_code = self._text.lot_number = ""
        if document is None:
            self._text.dose_number = self._next_dose()
        self._suggested = ""
        self._suggest_identity()
        self._as_opened = asdict(self._text)

    def take_up(self, fields: Mapping[str, str]) -> None:
        """Go on with what was half-filled before the page was loaded again."""
        for name in _FIELDS:
            setattr(self._text, name, fields.get(name, ""))

    def build(self) -> None:
        with ui.column().classes("desk-card enter-moves"):
            self._show_person()
            if self._document is not None:
                self._show_state(self._document)
            self._build_fields()
            with ui.row():
                voided = self._document is not None and self._document["voided"]
                if not voided:
                    save = ui.button(wording.SAVE, on_click=self.save).props("color=primary")
                    save.classes("enter-last").mark("save")
                if self._document is not None and not voided:
                    ui.button(wording.VOID, on_click=self._void).props("color=negative outline").mark("void")
                if self._document is not None:
                    way_button(self._state, self._document)
                ui.button(wording.LEAVE, on_click=self.leave).props("outline").mark("leave")
            # Below the buttons: what comes and goes must not move them away under the finger.
            self._problems = ui.column().classes("w-full gap-1").mark("problems")
        self._check()

    def leave(self) -> None:
        forget_draft(self._state)
        self._on_leave()

    def _show_person(self) -> None:
        person = self._person
        sex = wording.SEX.get(person.get("sex") or "", "")
        line = f"{person['name']}　{sex}　{roc_text(person.get('birth_date'))}"
        with ui.row().classes("items-center w-full"):
            ui.label(line).classes("desk-person").mark("person")
            ui.space()
            history_button(self._state, person["record_id"])
            edit = ui.button(wording.EDIT_PATIENT, on_click=lambda: self._on_edit_person(person["record_id"]))
            edit.props("outline").mark("edit-patient")
        identity = person.get("national_id") or wording.PARENT_ID.format(id=person.get("parent_national_id") or "")
        ui.label(wording.PERSON_LINE.format(chart=person["chart_number"], id=identity)).classes("desk-note")
        tables = self._state.database.tables
        if merged := merged_patients(tables, person["record_id"]):
            charts = wording.list_of(person_name(self._state, one) for one in merged)
            with ui.row().classes("items-center"):
                ui.label(wording.MERGED_CHARTS.format(charts=charts)).classes("desk-note").mark("merged-charts")
                conflicts = f"/conflicts?patient={person['record_id']}"
                see = ui.button(wording.SEE_MERGES, on_click=lambda: ui.navigate.to(conflicts))
                see.props("outline").mark("see-merges")
        doses = (f"{roc_text(d['vaccination_date'])} {d['vaccine_code']}-{d['dose_number']}" for d in self._doses())
        past = wording.list_of(doses)
        ui.label(wording.PAST_DOSES.format(doses=past or wording.NOTHING)).classes("desk-note").mark("past-doses")

    def _doses(self) -> list[Any]:
        doses = self._state.database.tables.vaccinations.find_by("person_id", self._person["record_id"])
        return sorted((d for d in doses if not d["voided"]), key=lambda d: str(d["vaccination_date"]))

    def _show_state(self, document: Mapping[str, Any]) -> None:
        words = wording.upload_state(document["upload_state"])
        upload = document["upload"] or {}
        message = wording.cdc_words(upload.get("message")) if upload.get("revision") == document["revision"] else ""
        for other in document["conflict"]:
            told = wording.CONFLICT.format(other=_revision_text(document["revisions"][other]))
            ui.label(told).classes("desk-refused").mark("conflict")
        for other in same_doses(self._state.database.tables, document):
            told = wording.RECORDED_TWICE_FORM.format(other=dose_text(self._state, other["record_id"]))
            ui.label(told).classes("desk-refused").mark("recorded-twice")
        if document["upload_state"] in FAILED_STATES:
            told = wording.CDC_SAID.format(state=words, message=message) if message else words
            ui.label(told).classes("desk-refused").mark("cdc-message")
            is_refused = document["upload_state"] == UploadState.REFUSED
            remedy = wording.CORRECT_TO_RESEND if is_refused else what_to_do(document)
            ui.label(remedy).classes("desk-note").mark("cdc-remedy")
        else:
            ui.label(f"{words}　{message}").classes("desk-note").mark("cdc-message")
        show_export(self._state, document, self.leave)
        if document["voided"]:
            ui.label(wording.VOIDED_BECAUSE.format(reason=document["void_reason"])).classes("desk-refused")
        if document.get("warning_reason"):
            ui.label(wording.SAVED_BECAUSE.format(reason=document["warning_reason"])).classes("desk-note")

    def _build_fields(self) -> None:
        text = self._text
        codes = self._vaccine_options()
        with ui.element("div").classes("desk-fields desk-dose"):
            day = ui.input(wording.DATE_HINT.format(field=wording.FIELD["vaccination_date"]))
            label, known = wording.FIELD["vaccine_code"], text.vaccine_code or None
            self._vaccine = vaccine = ui.select(codes, label=label, value=known, with_input=True)
            vaccine.classes("desk-two-wide").on_value_change(lambda event: self._take_vaccine(event.value))
            with vaccine.add_slot("after"):
                window = ui.button(icon="search", on_click=self.choose_vaccine).props("flat")
                window.props(f'aria-label="{wording.VACCINE_WINDOW}"').mark("vaccine-window")
            dose = ui.input(wording.FIELD["dose_number"])
            lot = ui.input(wording.LOT_NUMBER_HINT)
            lot_type = ui.select(wording.LOT_TYPE, label=wording.FIELD["lot_type"])
        self._choices = ui.column().classes("w-full gap-1 desk-choices")
        # Enter goes past these, as nearly every record is whole without them.
        with ui.element("div").classes("desk-fields desk-fields-more enter-skips"):
            sites = {"body_site": wording.BODY_SITES}
            optional = [ui.input(wording.FIELD[name], autocomplete=sites.get(name)) for name in _OPTIONAL]
        self._fields = dict(zip(_FIELDS, (day, vaccine, dose, lot, lot_type, *optional), strict=True))
        take_by_field = {"lot_number": self._take_lot, "vaccination_date": self._take_day}
        for name, field in self._fields.items():
            # Of a select that would lay an input over its list.
            field.props("outlined" if isinstance(field, ui.select) else "outlined autocomplete=off")
            field.without_auto_validation().classes("w-full").mark(name)
            if field is not vaccine:
                field.bind_value(text, name, forward=lambda value: value or "")
                field.on_value_change(take_by_field.get(name, self._check))
        with self._fields["special_identity"].add_slot("append"):
            identities = ui.button(icon="search", on_click=self.choose_identity).props("flat dense")
            identities.props(f'aria-label="{wording.IDENTITY_WINDOW}"').mark("identity-window")
        offer_staff(self._state, self._fields["vaccinator_id"])
        self._show_choices()
        first = self._field if self._field in self._fields else "dose_number" if text.vaccine_code else "vaccine_code"
        self._fields[first].props("autofocus")

    def _vaccine_options(self) -> dict[str, str]:
        return vaccine_options(self._state, self._day() or self._state.today(), self._text.vaccine_code)

    async def choose_vaccine(self) -> None:
        """The manual's window: vaccine on the left, its doses on the right."""
        day = self._day() or self._state.today()
        offered = offered_vaccines(self._state, day, self._text.vaccine_code, by_lots=True)
        chosen = await choose_two_level(
            wording.VACCINE_WINDOW,
            list(offered.items()),
            lambda code: [(label, _dose_name(label)) for label in dose_labels(code)],
            left_title=wording.FIELD["vaccine_code"],
            right_title=wording.FIELD["dose_number"],
            first=self._text.vaccine_code,
        )
        if chosen:
            self._fields["vaccine_code"].set_value(chosen[0])
            self._fields["dose_number"].set_value(chosen[1])

    async def choose_identity(self) -> None:
        """The manual's window: scheme on the left, its codes on the right; the vaccine's own scheme first."""
        own = schemes_of(self._text.vaccine_code)
        schemes = {scheme.name: scheme for scheme in sorted(identity_schemes(), key=lambda scheme: scheme not in own)}
        chosen = await choose_two_level(
            wording.IDENTITY_WINDOW,
            [(name, scheme.source) for name, scheme in schemes.items()],
            lambda name: [(identity.code, identity.name) for identity in identities_of(schemes[name].scheme)],
            left_title=wording.IDENTITY_SCHEME,
            right_title=wording.FIELD["special_identity"],
            first=own[0].name if own else "",
        )
        if chosen:
            self._fields["special_identity"].set_value(chosen[1])

    def _suggest_identity(self) -> None:
        """Fill in the code that age decides; what a person chose stays."""
        born, day = self._person.get("birth_date"), self._day()
        if self._document is not None or not born or day is None or self._text.special_identity != self._suggested:
            return
        vaccine = vaccine_by_code(self._text.vaccine_code)
        # A clinic that does not record influenza is asked for no code of it.
        is_asked = vaccine is None or not vaccine.is_influenza or clinic_of(self._state.database.tables).influenza
        code = suggest_identity(self._text.vaccine_code, date.fromisoformat(born), day) if is_asked else None
        self._suggested = code or ""
        self._text.special_identity = self._suggested

    def _show_choices(self) -> None:
        """Doses and lots to tap instead of typing; the soonest to expire first."""
        self._choices.clear()
        with self._choices:
            if not self._text.vaccine_code:
                ui.label(wording.CHOICES_LATER).classes("desk-note")
                return
            with ui.row():
                ui.label(wording.DOSE_CHOICES).classes("desk-note")
                for label in dose_labels(self._text.vaccine_code):
                    self._choice("dose_number", label, label)
            with ui.row():
                lots = self._lots()[:_LOTS_SHOWN]
                ui.label(wording.LOT_CHOICES if lots else wording.LOT_CHOICES_NONE).classes("desk-note")
                for lot in lots:
                    expiry = wording.LOT_EXPIRES.format(day=format_roc_date(lot.expires_on)) if lot.expires_on else ""
                    self._choice("lot_number", lot.lot_number, f"{lot.lot_number}{expiry}")

    def _choice(self, name: str, value: str, label: str) -> None:
        button = ui.button(label, on_click=lambda: self._fields[name].set_value(value))
        button.props("outline no-caps color=primary").mark(f"choose {value}")

    def _lots(self) -> list[Lot]:
        """The lots to offer: the one in hand, the day's, then the first to expire; none that was expired on the day."""
        code, tables = self._text.vaccine_code, self._state.database.tables
        lots = [Lot.model_validate(record_fields(d, Lot)) for d in tables.lots.find_by("vaccine_code", code)]
        day = self._day() or self._state.today()
        return choose_lots(lots, code, day, kept_lot(self._state, code), lot_of_the_day(tables, code, day))

    def _day(self) -> date | None:
        try:
            return parse_roc_date(self._text.vaccination_date)
        except InvalidRocDate:
            return None

    def _take_vaccine(self, code: str | None) -> None:
        self._text.vaccine_code = code or ""
        self._text.dose_number = self._next_dose()
        self._text.lot_number = next((lot.lot_number for lot in self._lots()), "")
        self._suggest_identity()
        self._show_choices()
        self._take_lot()

    def _take_day(self) -> None:
        if (options := self._vaccine_options()) != self._vaccine.options:
            self._vaccine.set_options(options)
        self._suggest_identity()
        self._show_choices()
        self._check()

    def _take_lot(self) -> None:
        for lot in self._state.database.tables.lots.find_by("lot_number", self._text.lot_number.strip()):
            self._text.lot_type = lot["lot_type"]
            self._text.manufacturer = lot.get("manufacturer", "")
        self._check()

    def _next_dose(self) -> str:
        """The first dose label this person has no record of here; staff change it at will."""
        given = {d["dose_number"] for d in self._doses() if d["vaccine_code"] == self._text.vaccine_code}
        return next((label for label in dose_labels(self._text.vaccine_code) if label not in given), "")

    def _check(self) -> list[Problem]:
        self._draft, problems = check_form(self._state, self._text, self._person["record_id"], self._record_id)
        for name, field in self._fields.items():
            mine = [p for p in problems if p.field == name]
            field.props(remove="bg-color")
            stops = any(stops_saving(p) for p in mine) and self._text_of(name)
            field.error = wording.problem(mine[0]) if stops else None
            if mine and not stops and name == self._field:
                field.props("bg-color=red-1")
        if self._field in self._fields:
            self._fields[self._field].props("bg-color=red-1")
        self._problems.clear()
        with self._problems:
            show_warnings([problem for problem in problems if not stops_saving(problem)])
        correcting = self._record_id if self._document else ""
        if asdict(self._text) != self._as_opened:
            keep_draft(self._state, self._person["record_id"], correcting, asdict(self._text))
        elif draft_of(self._state, Form.VACCINATION, self._person["record_id"], correcting) is not None:
            forget_draft(self._state)  # changed back
        return problems

    def _text_of(self, name: str) -> str:
        return str(getattr(self._text, name))

    async def save(self) -> None:
        """Save once, whatever is tapped how often; say saved only when it is on disk."""
        if self._saving or (self._document is not None and self._document["voided"]):
            return
        self._saving = True
        try:
            problems, reason = self._check(), ""
            if stopping := [p for p in problems if stops_saving(p)]:
                first = wording.sentences(map(problem_line, stopping))
                ui.notify(first, type="negative", position="bottom", multi_line=True)
                return
            warnings = [p for p in problems if p.severity is Severity.WARNING]
            if warnings and not (reason := await ask_warning_reason(warnings, self._likely_reason())):
                return
            await self._commit(reason)
        finally:
            self._saving = False

    def _likely_reason(self) -> str:
        """The one kept; of a new record for an earlier day, that it is entered afterwards."""
        if self._document is not None:
            return str(self._document.get("warning_reason", ""))
        day = self._draft.vaccination_date
        return wording.ENTERED_LATER if day is not None and day < self._state.today() else ""

    async def _commit(self, reason: str) -> None:
        saved = self._draft.model_copy(update={"warning_reason": reason})
        payload = saved.model_dump(mode="json", exclude_defaults=True)
        if self._document is None:
            draft = ChangeDraft(ChangeKind.RECORD_VACCINATION, self._record_id, payload)
        else:
            # Of a merged person's dose the form shows the survivor; whom it was recorded for stays as it was.
            payload = {**payload, "patient_id": self._document["patient_id"]}
            kept = VaccinationDraft.model_validate(record_fields(self._document, VaccinationDraft))
            settled = self._document["conflict"] or self._document["upload_state"] == UploadState.REFUSED
            if VaccinationDraft.model_validate(payload) == kept and not settled:
                ui.notify(wording.NOT_CHANGED, type="info", position="bottom")
                self.leave()
                return
            draft = ChangeDraft(
                ChangeKind.CORRECT_VACCINATION, self._record_id, payload, replaced_by_edit(self._document)
            )
        vaccine = vaccine_by_code(payload["vaccine_code"])
        name = wording.vaccine_name(vaccine) if vaccine else payload["vaccine_code"]
        told = wording.DOSE_SAVED.format(name=self._person["name"], vaccine=name, dose=payload["dose_number"])
        if await commit_and_tell(self._state, draft, told):
            if self._document is None:
                keep_header(self._state, {name: self._text_of(name) for name in _HEADER})
            forget_draft(self._state)
            self._on_saved(self._record_id)

    async def _void(self) -> None:
        if self._saving or self._document is None:
            return
        self._saving = True
        try:
            reason = await ask_void_reason(wording.VOID_QUESTION)
            draft = ChangeDraft(
                ChangeKind.VOID_VACCINATION, self._record_id, {"reason": reason}, replaced_by_edit(self._document)
            )
            if reason and await commit_and_tell(self._state, draft, wording.VOIDED):
                self.leave()
        finally:
            self._saving = False


def _revision_text(revision: Mapping[str, Any]) -> str:
    payload = revision["payload"]
    if revision["kind"] == ChangeKind.VOID_VACCINATION:
        return wording.VOID_REVISION.format(reason=payload.get("reason", ""))
    day = roc_text(payload["vaccination_date"])
    return wording.DOSE_REVISION.format(
        day=day, vaccine=payload["vaccine_code"], dose=payload["dose_number"], lot=payload["lot_number"]
    )


def _dose_name(label: str) -> str:
    return wording.DOSE_LABEL.format(dose=label) if label.isdecimal() else label


def _compact(text: str | None) -> str:
    """An ISO date of a document, or ROC text already kept, as seven digits."""
    if not text:
        return ""
    try:
        return format_compact(parse_roc_date(text))
    except InvalidRocDate:
        return roc_text(text).replace("/", "")
