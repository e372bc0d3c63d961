"""E.BAMENU4 and BA103_3: a person's exam reports; record one, correct one, void one."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from nicegui import ui

from store.audit import AuditAction
from store.changes import ChangeDraft, ChangeKind
from store.clinic_settings import clinic_of
from store.conflicts import replaced_by_edit
from store.exam_uploads import count_waiting
from store.patients import Patient
from store.persons import effective_patient
from store.prenatal import FIELDS_OF_TYPE, ExamDraft, ExamType
from store.problems import Problem
from store.roc_date import format_compact, format_roc_date
from ui import wording
from ui.dialogs import ask_anyway, ask_void_reason, problem_line, show_warnings
from ui.exam_forms import (
    COMMON_FIELDS,
    DATE_FIELDS,
    FINDING_FIELDS,
    YES_NO_FIELDS,
    ExamText,
    check_exam_form,
    shown_fields,
    stops_saving,
    text_of_exam,
)
from ui.exam_list import HISTORY_COLUMNS, cdc_message, exam_table, refusal_of, result_text, state_text
from ui.following import follow
from ui.form_drafts import Form, draft_of, forget_draft, keep_draft, kept_draft
from ui.forms import record_fields
from ui.patient_search import patient_search, roc_text
from ui.record_way import way_button
from ui.saving import commit_and_tell
from ui.shell import page_frame
from ui.state import AppState

CODE = "BA103_3"
_LISTED = 100  # of one person
_HINTED = DATE_FIELDS & set(COMMON_FIELDS)  # the further days are typed alike
_KEPT = ("collection_institution", "method")  # of the next report too, most likely


def build_menu(state: AppState) -> None:
    """BAMENU4: the two functions, each with what is in it or waits there."""
    with page_frame(state, wording.EXAM_MENU, code="BAMENU4"):
        with ui.element("div").classes("desk-menu"):
            records = _function("2.BA103_3", wording.EXAM_RECORDS, "/BA103_3")
            waiting = _function("3.BA103_3_UPLOAD", wording.EXAM_UPLOAD, "/BA103_3_UPLOAD")
        with ui.row():
            ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/")).props("outline").mark("leave")

        def refresh() -> None:
            records.set_text(wording.EXAM_TOTAL.format(count=len(state.database.tables.exams)))
            waiting.set_text(wording.EXAM_WAITING.format(count=count_waiting(state.database.tables)))

        refresh()
        follow(state.changed, refresh)


def _function(code: str, name: str, path: str) -> ui.label:
    """Returns the label that says how much is in it."""
    with ui.button(on_click=lambda: ui.navigate.to(path)).props("flat no-caps align=left") as button:
        ui.label(code).classes("desk-code")
        ui.label(name)
        note = ui.label("").classes("desk-code")
    button.mark(code)
    return note


def build(state: AppState, patient: str = "", record: str = "", field: str = "") -> None:
    """One page, three uses: search; the reports of `patient`; the report `record`, with a finger on `field`."""
    ExamDesk(state).build(patient, record, field)


class ExamDesk:
    """Search, a person's reports, and the form: one of them at a time, without a page load between."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._person: Mapping[str, Any] | None = None
        self._form: ExamForm | None = None

    def build(self, patient: str, record: str, field: str) -> None:
        keys = {"F3": self._add, "F9": self._save, "Escape": self._leave}
        with page_frame(self._state, wording.EXAM_RECORDS, code=CODE, on_key=keys):
            self._work = ui.column().classes("w-full")
        follow(self._state.changed, self._show_history)
        if record:
            self._open_record(record, field)
        elif patient:
            self._open_person(patient)
        elif draft := kept_draft(self._state, Form.EXAM):
            if draft["record_id"]:
                self._open_record(draft["record_id"])
            else:
                self._open_person(draft["patient_id"])
        else:
            self._search()

    def _search(self) -> None:
        self._person = self._form = None
        self._work.clear()
        with self._work:
            patient_search(self._state, self._open_person)

    def _open_person(self, record_id: str) -> None:
        tables = self._state.database.tables
        person = tables.patients.find(effective_patient(tables, record_id))
        if person is None:
            self._search()
        else:
            self._show_person(person)
            if draft_of(self._state, Form.EXAM, person["record_id"]):
                self._add()

    def _open_record(self, record_id: str, field: str = "") -> None:
        document = self._state.database.tables.exams.find(record_id)
        person = self._state.database.tables.patients.find(document["person_id"]) if document else None
        if document is None or person is None or "exam_type" not in document:
            self._search()
            ui.notify(wording.APP_ERROR["record_not_found"], type="warning", position="bottom")
        else:
            self._show_form(person, text_of_exam(document), document, field)

    def _reports(self, person: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The newest first."""
        found = self._state.database.tables.exams.find_by("person_id", person["record_id"])
        return sorted(found, key=lambda document: str(document.get("exam_date", "")), reverse=True)

    def _show_person(self, person: Mapping[str, Any], saved: ExamDraft | None = None) -> None:
        """The person's reports; after a report was recorded also what else was tested that day, in one tap."""
        self._person, self._form = person, None
        if saved is None:
            self._state.note(AuditAction.VIEWED, record_id=person["record_id"])
        self._work.clear()
        reports = self._reports(person)
        with self._work, ui.column().classes("desk-card"):
            show_person(person)
            if saved is not None and saved.exam_date is not None:
                with ui.row():
                    day = format_roc_date(saved.exam_date)
                    done = {d["exam_type"] for d in reports if d.get("exam_date") == saved.exam_date.isoformat()}
                    for kind in [kind for kind in wording.EXAM_TYPE if kind not in done]:
                        label = wording.EXAM_NEW_SAME_DAY.format(day=day, kind=wording.EXAM_TYPE[kind])
                        button = ui.button(label, on_click=lambda kind=kind: self._add_same_day(kind, saved))
                        button.props("outline no-caps").mark(f"same-day-{kind}")
            with ui.row():
                ui.button(wording.EXAM_NEW, on_click=self._add).props("color=primary").mark("new")
                ui.button(wording.EXAM_OTHER_PERSON, on_click=self._search).props("outline").mark("leave")
        with self._work:
            self._history = ui.column().classes("desk-card")
        self._show_history()

    def _show_history(self) -> None:
        """What is known of the person shown, also as it comes from other stations."""
        if self._person is None or self._form is not None:
            return
        reports = self._reports(self._person)
        self._history.clear()
        with self._history:
            cut = wording.EXAM_HISTORY_CUT.format(count=_LISTED) if len(reports) > _LISTED else ""
            ui.label(wording.EXAM_HISTORY.format(count=len(reports)) + cut).classes("text-lg").mark("exam-history")
            if reports:
                exam_table(self._state, reports[:_LISTED], columns=HISTORY_COLUMNS, on_open=self._open_record)
            else:
                ui.label(wording.EXAM_NO_HISTORY).classes("desk-note").mark("no-history")

    def _add(self) -> None:
        if self._person is None or self._form is not None:
            return
        today = self._state.today()
        text = ExamText(exam_date=format_compact(today), is_prenatal="yes")
        text.collection_institution = clinic_of(self._state.database.tables).institution_code
        for name in _KEPT:
            setattr(text, name, self._state.kept.get(f"exam_{name}", getattr(text, name)))
        # Of one pregnancy all reports have one due date.
        ahead = [d["due_date"] for d in self._reports(self._person) if d.get("due_date") and not d["voided"]]
        if ahead and ahead[0] >= today.isoformat():
            text.due_date = text_of_exam({"due_date": ahead[0]}).due_date
        self._show_form(self._person, text, None)

    def _add_same_day(self, kind: ExamType, saved: ExamDraft) -> None:
        assert self._person is not None
        before = text_of_exam(saved.model_dump(mode="json"))
        text = ExamText(exam_type=kind, is_prenatal="yes", **{name: getattr(before, name) for name in COMMON_FIELDS})
        text.method = self._state.kept.get("exam_method", "")
        self._show_form(self._person, text, None)

    def _show_form(
        self, person: Mapping[str, Any], text: ExamText, document: Mapping[str, Any] | None, field: str = ""
    ) -> None:
        self._person = person
        self._form = ExamForm(self._state, person, text, document, field, partial(self._done, person))
        record_id, is_voided = (document["record_id"], document["voided"]) if document else ("", False)
        if document:
            self._state.note(AuditAction.VIEWED, record_id=record_id)
        half_filled = draft_of(self._state, Form.EXAM, person["record_id"], record_id)
        if half_filled and not is_voided:
            self._form.take_up(half_filled)
            ui.notify(wording.HALF_FILLED, type="info", position="bottom")
        self._work.clear()
        with self._work:
            self._form.build()

    def _done(self, person: Mapping[str, Any], saved: ExamDraft | None = None) -> None:
        forget_draft(self._state, Form.EXAM)
        self._show_person(person, saved)

    async def _save(self) -> None:
        if self._form is not None:
            with self._work:
                await self._form.save()

    def _leave(self) -> None:
        if self._form is not None and self._person is not None:
            self._done(self._person)
        elif self._person is not None:
            self._search()
        else:
            ui.navigate.to("/BAMENU4")


def show_person(person: Mapping[str, Any]) -> None:
    sex = wording.SEX.get(person.get("sex") or "", "")
    ui.label(f"{person['name']}　{sex}　{roc_text(person.get('birth_date'))}").classes("desk-person").mark("person")
    ids = [(wording.FIELD[name], person.get(name) or "") for name in ("chart_number", "national_id", "phone")]
    ui.label("　".join(f"{label} {value}" for label, value in ids)).classes("desk-note")


class ExamForm:
    """The kind first, below it that kind's fields, problems where they are. `on_done` gets what was newly recorded."""

    def __init__(
        self,
        state: AppState,
        person: Mapping[str, Any],
        text: ExamText,
        document: Mapping[str, Any] | None,
        field: str,
        on_done: Callable[[ExamDraft | None], None],
    ) -> None:
        self._state, self._person, self._text, self._document = state, person, text, document
        self._on_done = on_done
        refusal = refusal_of(document) if document else None
        self._at_fault = refusal.field if refusal else ""
        self._field = field or self._at_fault
        self._as_opened = asdict(text)
        self._record_id = document["record_id"] if document else state.world.make_record_id()
        self._saving = False
        self._fields: dict[str, Any] = {}

    def take_up(self, fields: Mapping[str, str]) -> None:
        """Go on with what was half-filled before the page was loaded again."""
        self._text = ExamText(**{name: fields[name] for name in self._as_opened if name in fields})

    def build(self) -> None:
        voided = self._document is not None and self._document["voided"]
        with ui.column().classes("desk-card enter-moves"):
            show_person(self._person)
            if self._document is not None:
                self._show_state(self._document)
            ui.label(wording.FIELD["exam_type"]).classes("desk-note")
            kinds = {str(kind): name for kind, name in wording.EXAM_TYPE.items()}
            kind = ui.toggle(kinds, value=self._text.exam_type or None, on_change=self._take_kind)
            kind.props("no-caps unelevated").classes("desk-kinds").mark("exam_type")
            self._body = ui.column().classes("w-full")
            with ui.row():
                if not voided:
                    ui.button(wording.EXAM_SAVE, on_click=self.save).props("color=primary").classes("enter-last").mark(
                        "save"
                    )
                if self._document is not None and not voided:
                    ui.button(wording.EXAM_VOID, on_click=self._void).props("color=negative outline").mark("void")
                if self._document is not None:
                    way_button(self._state, self._document)
                ui.button(wording.LEAVE, on_click=lambda: self._on_done(None)).props("outline").mark("leave")
            # Below the buttons: what comes and goes must not move them away under the finger.
            self._problems = ui.column().classes("w-full gap-1").mark("problems")
        self._show_fields()

    def _show_state(self, document: Mapping[str, Any]) -> None:
        for other in document["conflict"]:
            revision = document["revisions"][other]
            told = revision["payload"].get("reason") or f"{_day_and_kind(revision['payload'])} " + result_text(
                revision["payload"]
            )
            ui.label(wording.CONFLICT.format(other=told)).classes("desk-refused").mark("conflict")
        if document["voided"]:
            told = wording.EXAM_VOIDED.format(reason=document["void_reason"])
            ui.label(told).classes("desk-refused").mark("voided")
        told = f"{state_text(document)}　{cdc_message(document)}"
        refusal = refusal_of(document)
        ui.label(told).classes("desk-refused" if refusal else "desk-note").mark("state")
        if refusal:
            ui.label(wording.exam_refusal(refusal)).classes("desk-note").mark("cdc-remedy")
            of_person = refusal.field in Patient.model_fields
            ui.label(wording.EXAM_PERSON_HINT if of_person else wording.CORRECT_TO_RESEND_EXAM).classes("desk-note")

    def _take_kind(self, event: Any) -> None:
        self._text.exam_type = event.value or ""
        self._show_fields()

    def _show_fields(self) -> None:
        """Draw the fields of the kind chosen; what was typed stays, also while another kind is looked at."""
        self._body.clear()
        self._fields = {}
        names = shown_fields(self._text)
        with self._body:
            if not names:
                ui.label(wording.EXAM_CHOOSE_TYPE).classes("desk-note").mark("choose-type")
            for group in (COMMON_FIELDS, FIELDS_OF_TYPE[ExamType(self._text.exam_type)]) if names else ():
                with ui.element("div").classes("desk-fields desk-wide"):
                    for name in group:
                        self._fields[name] = self._make_field(name)
            if names:
                ui.label(wording.EXAM_TWO_RECORDS).classes("desk-note").mark("two-records")
        if names:
            first = self._field if self._field in self._fields else names[0]
            self._fields[first].props("autofocus")
        self._check()

    def _make_field(self, name: str) -> Any:
        field: Any  # a select gets no autocomplete=off: Quasar then lays an input over it, where Enter would stop
        if options := _options(name):
            chosen = getattr(self._text, name) or None
            field = ui.select(options, label=wording.FIELD[name], clearable=True, value=chosen)
            field.bind_value_to(self._text, name, forward=lambda value: value or "")
        else:
            label = wording.FIELD[name]
            field = ui.input(wording.EXAM_HINT_DATE.format(field=label) if name in _HINTED else label)
            field.bind_value(self._text, name, forward=lambda value: value or "").props("autocomplete=off")
        field.on_value_change(self._check)
        # Room for a message is there before there is one, so that the buttons stay where they are.
        return field.without_auto_validation().props("outlined bottom-slots").classes("w-full").mark(name)

    def _check(self) -> list[Problem]:
        draft, problems = check_exam_form(self._state, self._text, self._person["record_id"], self._record_id)
        self._draft = draft
        for name, field in self._fields.items():
            mine = [problem for problem in problems if problem.field == name]
            field.props(remove="bg-color")
            stops = any(map(stops_saving, mine)) and bool(getattr(self._text, name))
            field.error = wording.problem(mine[0]) if stops else None
            if not stops and name == self._field and (mine or self._is_as_refused(name)):
                field.props("bg-color=red-1")
        if asdict(self._text) != self._as_opened:
            record_id = self._record_id if self._document is not None else ""
            keep_draft(self._state, self._person["record_id"], record_id, asdict(self._text), Form.EXAM)
        self._problems.clear()
        with self._problems:
            show_warnings([problem for problem in problems if self._fields and not stops_saving(problem)])
        return problems

    def _is_as_refused(self, name: str) -> bool:
        return name == self._at_fault and getattr(self._text, name) == self._as_opened[name]

    async def save(self) -> None:
        """Save once, whatever is tapped how often; say saved only when it is on disk."""
        if self._saving or (self._document is not None and self._document["voided"]):
            return
        self._saving = True
        try:
            problems = self._check()
            if stopping := [problem for problem in problems if stops_saving(problem)]:
                told = wording.sentences(map(problem_line, stopping))
                ui.notify(told, type="negative", position="bottom", multi_line=True)
                return
            if problems and not await ask_anyway(wording.EXAM_CHECK_AGAIN, [problem_line(p) for p in problems]):
                return
            await self._commit(self._draft)
        finally:
            self._saving = False

    async def _commit(self, draft: ExamDraft) -> None:
        if self._document is None:
            payload = draft.model_dump(mode="json", exclude_defaults=True)
            change = ChangeDraft(ChangeKind.RECORD_EXAM, self._record_id, payload)
        else:
            # Of a merged person's report the form shows the survivor; whom it was recorded for stays as it was.
            draft = draft.model_copy(update={"patient_id": self._document["patient_id"]})
            if draft == ExamDraft(**record_fields(self._document, ExamDraft)) and not self._document["conflict"]:
                ui.notify(wording.EXAM_NOT_CHANGED, type="info", position="bottom")
                self._on_done(None)
                return
            payload = draft.model_dump(mode="json", exclude_defaults=True)
            bases = replaced_by_edit(self._document)
            change = ChangeDraft(ChangeKind.CORRECT_EXAM, self._record_id, payload, bases)
        day, kind = _day_and_kind(payload).split(" ", 1)
        told = wording.EXAM_SAVED.format(name=self._person["name"], day=day, kind=kind)
        if await commit_and_tell(self._state, change, told):
            for name in _KEPT:
                if value := payload.get(name):
                    self._state.kept[f"exam_{name}"] = value
            self._on_done(draft if self._document is None else None)

    async def _void(self) -> None:
        if self._saving or self._document is None:
            return
        self._saving = True
        try:
            reason = await ask_void_reason(wording.EXAM_ASK_VOID)
            bases = replaced_by_edit(self._document)
            change = ChangeDraft(ChangeKind.VOID_EXAM, self._record_id, {"reason": reason}, bases)
            if reason and await commit_and_tell(self._state, change, wording.VOIDED):
                self._on_done(None)
        finally:
            self._saving = False


def _options(name: str) -> dict[str, str]:
    """What may be chosen; none for a field to type into."""
    if name in FINDING_FIELDS:
        return {str(code): words for code, words in wording.EXAM_FINDING.items()}
    if name in YES_NO_FIELDS:
        return {"yes": wording.EXAM_YES_NO[True], "no": wording.EXAM_YES_NO[False]}
    return {str(code): words for code, words in wording.EXAM_METHOD.items()} if name == "method" else {}


def _day_and_kind(payload: Mapping[str, Any]) -> str:
    """Shape: "115/11/20 孕婦B肝產檢結果"."""
    return f"{roc_text(payload['exam_date'])} {wording.EXAM_TYPE.get(payload['exam_type'], payload['exam_type'])}"
