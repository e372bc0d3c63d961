"""BA102_3: record a vaccination, correct one, void one; and the list of the day."""

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui

from store.changes import ChangeDraft, ChangeKind
from store.codes import dose_labels, vaccine_by_code, vaccines
from store.errors import AppError
from store.pairs import same_doses
from store.persons import effective_patient, merged_patients
from store.problems import Problem
from store.roc_date import InvalidRocDate, format_compact, parse_roc_date
from store.uploads import UploadState
from ui import wording
from ui.cdc_history import history_button
from ui.conflict_facts import dose_text, person_name
from ui.forms import VaccinationText, check_form, stops_saving
from ui.patient_search import patient_search, roc_text
from ui.shell import page_frame
from ui.state import AppState
from ui.vaccination_list import vaccination_table

CODE = "BA102_3"
_LOTS_SHOWN = 6
_LISTED = 200  # drawn anew at each change, so not without end
_FIELDS = ("vaccination_date", "vaccine_code", "dose_number", "lot_number", "lot_type")


def build(state: AppState, patient: str = "", record: str = "", field: str = "") -> None:
    """One page, three uses: search; a new record of `patient`; the record `record`, with CDC's finger on `field`."""
    Desk(state).build(patient, record, field)


class Desk:
    """Search, form and the list of the day on one page, so that the next child needs no page load."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._form: VaccinationForm | None = None

    def build(self, patient: str, record: str, field: str) -> None:
        keys = {"F2": self.search, "F9": self._save, "Escape": self._leave}
        with page_frame(self._state, "預防接種建檔及修改", code=CODE, on_key=keys):
            self._work = ui.column().classes("w-full")
            self._build_day_list()
        if record:
            self.open_record(record, field)
        elif patient:
            self.open_person(patient)
        else:
            self.search()

    def search(self) -> None:
        self._form = None
        self._work.clear()
        with self._work:
            patient_search(self._state, self.open_person)

    def open_person(self, record_id: str) -> None:
        tables = self._state.database.tables
        person = tables.patients.find(effective_patient(tables, record_id))
        if person is None:
            self.search()
        else:
            self._open(VaccinationForm(self._state, person, None, "", self.search))

    def open_record(self, record_id: str, field: str = "") -> None:
        document = self._state.database.tables.vaccinations.find(record_id)
        person = self._state.database.tables.patients.find(document["person_id"]) if document else None
        if person is None:
            self.search()
            ui.notify(wording.APP_ERROR["record_not_found"], type="warning", position="bottom")
        else:
            self._open(VaccinationForm(self._state, person, document, field, self.search))

    def _open(self, form: "VaccinationForm") -> None:
        self._form = form
        self._work.clear()
        with self._work:
            form.build()

    async def _save(self) -> None:
        if self._form is not None:
            with self._work:
                await self._form.save()

    def _leave(self) -> None:
        if self._form is not None:
            self.search()
        else:
            ui.navigate.to("/")

    def _build_day_list(self) -> None:
        @ui.refreshable
        def rows() -> None:
            today = self._state.today().isoformat()
            # Newest first: the nurse looks for the child she has just done.
            found = self._state.database.tables.vaccinations.find_by("vaccination_date", today)
            documents = sorted(found, key=lambda document: document["made_at"], reverse=True)
            ui.label(f"今日接種 {sum(not d['voided'] for d in documents)} 筆").classes("text-lg").mark("today-count")
            vaccination_table(self._state, documents[:_LISTED], on_open=self.open_record)

        with ui.column().classes("desk-card"):
            rows()
        self._state.changed.subscribe(rows.refresh)


class VaccinationForm:
    """The fields of one record, kept values filled in, problems shown where they are."""

    def __init__(
        self,
        state: AppState,
        person: Mapping[str, Any],
        document: Mapping[str, Any] | None,
        field: str,
        on_done: Callable[[], None],
    ) -> None:
        self._state = state
        self._on_done = on_done
        self._person = person
        self._document = document
        self._field = field
        self._record_id = document["record_id"] if document else state.world.make_record_id()
        self._saving = False
        source = document or state.kept
        self._text = VaccinationText(
            vaccination_date=_compact(source.get("vaccination_date")) or format_compact(state.today()),
            vaccine_code=source.get("vaccine_code", ""),
            dose_number=source.get("dose_number", ""),
            lot_number=source.get("lot_number", ""),
            lot_type=source.get("lot_type", "1"),
        )
        if document is None and self._text.vaccine_code:
            self._text.dose_number = self._next_dose()

    def build(self) -> None:
        with ui.column().classes("desk-card enter-moves"):
            self._show_person()
            if self._document is not None:
                self._show_state(self._document)
            self._build_fields()
            with ui.row():
                voided = self._document is not None and self._document["voided"]
                if not voided:
                    ui.button("確定 (F9)", on_click=self.save).props("color=primary").classes("enter-last").mark("save")
                if self._document is not None and not voided:
                    ui.button("作廢", on_click=self._void).props("color=negative outline").mark("void")
                ui.button("離開", on_click=self._on_done).props("outline").mark("leave")
            # Below the buttons: what comes and goes must not move them away under the finger.
            self._problems = ui.column().classes("w-full gap-1").mark("problems")
        self._check()

    def _show_person(self) -> None:
        person = self._person
        sex = wording.SEX.get(person.get("sex") or "", "")
        line = f"{person['name']}　{sex}　{roc_text(person.get('birth_date'))}"
        ui.label(line).classes("desk-person").mark("person")
        identity = person.get("national_id") or f"父母 {person.get('parent_national_id') or ''}"
        ui.label(f"病歷號碼 {person['chart_number']}　身分證 {identity}").classes("desk-note")
        history_button(self._state, person["record_id"])
        tables = self._state.database.tables
        if merged := merged_patients(tables, person["record_id"]):
            charts = "、".join(person_name(self._state, one) for one in merged)
            with ui.row().classes("items-center"):
                ui.label(wording.MERGED_CHARTS.format(charts=charts)).classes("desk-note").mark("merged-charts")
                path = f"/conflicts?patient={person['record_id']}"
                ui.button(wording.SEE_MERGES, on_click=lambda: ui.navigate.to(path)).props("outline").mark("see-merges")
        doses = [
            d
            for d in self._state.database.tables.vaccinations.find_by("person_id", person["record_id"])
            if not d["voided"]
        ]
        past = "、".join(f"{roc_text(d['vaccination_date'])} {d['vaccine_code']}-{d['dose_number']}" for d in doses)
        ui.label(f"本院接種紀錄：{past or '無'}").classes("desk-note").mark("past-doses")

    def _show_state(self, document: Mapping[str, Any]) -> None:
        words = wording.upload_state(document["upload_state"])
        upload = document["upload"] or {}
        message = wording.cdc_words(upload.get("message")) if upload.get("revision") == document["revision"] else ""
        for other in document["conflict"]:
            ui.label(wording.CONFLICT.format(other=_revision_text(document["revisions"][other]))).classes(
                "desk-refused"
            ).mark("conflict")
        for other in same_doses(self._state.database.tables, document):
            told = wording.RECORDED_TWICE_FORM.format(other=dose_text(self._state, other["record_id"]))
            ui.label(told).classes("desk-refused").mark("recorded-twice")
        if document["upload_state"] == UploadState.REFUSED:
            ui.label(f"{words}。疾管署訊息：{message}").classes("desk-refused").mark("cdc-message")
            ui.label("請修正後按確定，系統會自動重新上傳及檢核。").classes("desk-note")
        else:
            ui.label(f"{words}　{message}").classes("desk-note").mark("cdc-message")
        if document["voided"]:
            ui.label(f"已作廢：{document['void_reason']}").classes("desk-refused")

    def _build_fields(self) -> None:
        text = self._text
        codes = {v.code: f"{v.code}　{v.name}" for v in vaccines() if v.in_use or v.code == text.vaccine_code}
        if text.vaccine_code:
            codes.setdefault(text.vaccine_code, text.vaccine_code)
        with ui.element("div").classes("desk-fields"):
            day = ui.input("接種日期 (例 1150520)")
            vaccine = ui.select(codes, label="疫苗編號", value=text.vaccine_code or None, with_input=True)
            vaccine.on_value_change(lambda event: self._take_vaccine(event.value))
            dose = ui.input("劑別")
            lot = ui.input("疫苗批號 (區分大小寫)").props("maxlength=60")
            lot_type = ui.select(wording.LOT_TYPE, label="批號型別")
        self._fields = dict(zip(_FIELDS, (day, vaccine, dose, lot, lot_type), strict=True))
        for name, field in self._fields.items():
            field.props("outlined autocomplete=off").classes("w-full").mark(name)
            if field is not vaccine:
                field.bind_value(text, name, forward=lambda value: value or "")
                field.on_value_change(self._take_lot if field is lot else self._check)
        self._choices = ui.column().classes("w-full gap-1 desk-choices")
        self._show_choices()
        first = self._field if self._field in self._fields else "dose_number" if text.vaccine_code else "vaccine_code"
        self._fields[first].props("autofocus")

    def _show_choices(self) -> None:
        """Doses and lots to tap instead of typing; the soonest to expire first."""
        self._choices.clear()
        if not self._text.vaccine_code:
            return
        with self._choices:
            with ui.row():
                ui.label("劑別").classes("desk-note")
                for label in dose_labels(self._text.vaccine_code):
                    self._choice("dose_number", label, label)
            with ui.row():
                ui.label("批號").classes("desk-note")
                for lot in self._lots()[:_LOTS_SHOWN]:
                    expiry = roc_text(lot.get("expiry_date"))
                    self._choice(
                        "lot_number", lot["lot_number"], f"{lot['lot_number']}{f' 效期 {expiry}' if expiry else ''}"
                    )

    def _choice(self, name: str, value: str, label: str) -> None:
        button = ui.button(label, on_click=lambda: self._fields[name].set_value(value))
        button.props("outline no-caps color=primary").mark(f"choose {value}")

    def _lots(self) -> list[Any]:
        lots = self._state.database.tables.lots.find_by("vaccine_code", self._text.vaccine_code)
        return sorted(lots, key=lambda lot: lot.get("expiry_date") or "9999")

    def _take_vaccine(self, code: str | None) -> None:
        self._text.vaccine_code = code or ""
        self._text.dose_number = self._next_dose()
        self._text.lot_number = next((lot["lot_number"] for lot in self._lots()), "")
        self._show_choices()
        self._take_lot()

    def _take_lot(self) -> None:
        for lot in self._state.database.tables.lots.find_by("lot_number", self._text.lot_number.strip()):
            self._text.lot_type = lot["lot_type"]
        self._check()

    def _next_dose(self) -> str:
        """The first dose label this person has no record of here; staff change it at will."""
        doses = self._state.database.tables.vaccinations.find_by("person_id", self._person["record_id"])
        given = {d["dose_number"] for d in doses if d["vaccine_code"] == self._text.vaccine_code and not d["voided"]}
        return next((label for label in dose_labels(self._text.vaccine_code) if label not in given), "")

    def _check(self) -> list[Problem]:
        self._draft, problems = check_form(self._state, self._text, self._person["record_id"], self._record_id)
        for name, field in self._fields.items():
            mine = [p for p in problems if p.field == name]
            field.props(remove="error error-message bg-color")
            if any(stops_saving(p) for p in mine) and self._text_of(name):
                field.props(f'error error-message="{wording.problem(mine[0])}"')
            elif mine and name == self._field:
                field.props("bg-color=red-1")
        if self._field in self._fields:
            self._fields[self._field].props("bg-color=red-1")
        self._problems.clear()
        with self._problems:
            for problem in problems:
                if not stops_saving(problem):
                    ui.label(f"⚠ {wording.FIELD.get(problem.field, '')}：{wording.problem(problem)}").classes(
                        "text-orange-10"
                    )
        return problems

    def _text_of(self, name: str) -> str:
        return str(getattr(self._text, name))

    async def save(self) -> None:
        """Save once, whatever is tapped how often; say saved only when it is on disk."""
        if self._saving or (self._document is not None and self._document["voided"]):
            return
        self._saving = True
        try:
            problems = self._check()
            if stopping := [p for p in problems if stops_saving(p)]:
                first = "；".join(f"{wording.FIELD.get(p.field, p.field)}：{wording.problem(p)}" for p in stopping)
                ui.notify(first, type="negative", position="bottom", multi_line=True)
                return
            if problems and not await _confirm(problems):
                return
            await self._commit()
        finally:
            self._saving = False

    async def _commit(self) -> None:
        payload = self._draft.model_dump(mode="json", exclude_defaults=True)
        if self._document is None:
            draft = ChangeDraft(ChangeKind.RECORD_VACCINATION, self._record_id, payload)
        else:
            # Fields that this form does not show stay as they were.
            shown = {k: self._document[k] for k in type(self._draft).model_fields if k in self._document}
            settled = self._document["conflict"] or self._document["upload_state"] == UploadState.REFUSED
            if {**shown, **payload, "patient_id": shown["patient_id"]} == shown and not settled:
                ui.notify("沒有變更", type="info", position="bottom")
                self._on_done()
                return
            # Of a merged person's dose the form shows the survivor; whom it was recorded for stays as it was.
            payload = {**shown, **payload, "patient_id": self._document["patient_id"]}
            draft = ChangeDraft(ChangeKind.CORRECT_VACCINATION, self._record_id, payload, self._bases(self._document))
        vaccine = vaccine_by_code(payload["vaccine_code"])
        name = vaccine.name if vaccine else payload["vaccine_code"]
        if await self._store(draft, f"已存檔：{self._person['name']} {name} 第 {payload['dose_number']} 劑"):
            if self._document is None:
                self._state.kept.update({name: payload.get(name, "") for name in _FIELDS})
            self._on_done()

    async def _store(self, draft: ChangeDraft, told: str) -> bool:
        """Commit and say so; or say what went wrong and leave everything as it stands in the form."""
        try:
            await self._state.commit([draft])
        except AppError as error:
            ui.notify(wording.APP_ERROR[error.code], type="negative", position="bottom", timeout=0, close_button="關閉")
            return False
        ui.notify(told, type="positive", position="bottom")
        return True

    @staticmethod
    def _bases(document: Mapping[str, Any]) -> tuple[str, ...]:
        """What an edit here replaces: the revision shown, and those that two stations made apart from it."""
        return (document["revision"], *document["other_heads"])

    async def _void(self) -> None:
        if self._saving or self._document is None:
            return
        self._saving = True
        try:
            reason = await _ask_reason()
            draft = ChangeDraft(
                ChangeKind.VOID_VACCINATION, self._record_id, {"reason": reason}, self._bases(self._document)
            )
            if reason and await self._store(draft, wording.VOIDED):
                self._on_done()
        finally:
            self._saving = False


def _revision_text(revision: Mapping[str, Any]) -> str:
    payload = revision["payload"]
    if revision["kind"] == ChangeKind.VOID_VACCINATION:
        return f"作廢（{payload.get('reason', '')}）"
    day = roc_text(payload["vaccination_date"])
    return f"{day} {payload['vaccine_code']}-{payload['dose_number']} 批號 {payload['lot_number']}"


async def _ask_reason() -> str:
    """Why a record is voided; empty when the nurse thinks better of it."""
    with ui.dialog() as dialog, ui.card():
        ui.label("作廢這筆接種紀錄？資料會保留並註明原因，疾管署端會一併刪除。")
        reason = ui.input("作廢原因（必填）").props("autofocus outlined").classes("w-full").mark("void-reason")
        with ui.row():
            confirm = ui.button("確定作廢", on_click=lambda: dialog.submit(reason.value)).props("color=negative")
            confirm.mark("void-confirm").bind_enabled_from(reason, "value", lambda text: bool((text or "").strip()))
            ui.button("取消", on_click=lambda: dialog.submit("")).props("outline")
    return str(await dialog or "").strip()


async def _confirm(problems: list[Problem]) -> bool:
    with ui.dialog() as dialog, ui.card():
        ui.label("請再確認：").classes("text-lg")
        for problem in problems:
            ui.label(f"⚠ {wording.FIELD.get(problem.field, '')}：{wording.problem(problem)}")
        with ui.row():
            ui.button("仍要存檔", on_click=lambda: dialog.submit(True)).props("color=warning autofocus").mark(
                "save-anyway"
            )
            ui.button("返回修改", on_click=lambda: dialog.submit(False)).props("outline").mark("go-back")
    return bool(await dialog)


def _compact(text: str | None) -> str:
    """An ISO date of a document, or ROC text already kept, as seven digits."""
    if not text:
        return ""
    try:
        return format_compact(parse_roc_date(text))
    except InvalidRocDate:
        return roc_text(text).replace("/", "")
