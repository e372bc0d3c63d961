"""The form of one lot: what the number tells is filled in, what is odd is said, and nothing typed is lost."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from nicegui import ui
from nicegui.binding import bindable_dataclass
from nicegui.elements.mixins.validation_element import ValidationElement

from store.changes import ChangeDraft, ChangeKind
from store.conflicts import replaced_by_edit
from store.half_width import to_half_width
from store.lots import Lot, LotDraft, LotStatus, LotType, check_lot, folded_number, parse_lot_number, record_id_of_lot
from store.problems import Problem, ProblemCode
from store.roc_date import InvalidRocDate, format_compact, parse_roc_date
from store.texts import check_texts
from ui import wording
from ui.clinic_offer import vaccine_options
from ui.dialogs import ask_anyway, problem_line
from ui.form_drafts import Form, forget_draft, keep_draft
from ui.forms import record_fields, stops_saving
from ui.patient_search import roc_text
from ui.saving import commit_and_tell
from ui.state import AppState

_FIELDS = ("vaccine_code", "lot_number", "lot_type", "manufacturer", "expiry_date", "doses_per_vial", "status")
_HIGHEST_DOSES = 999
_COUNT = re.compile(r"[0-9]{1,3}")
_MAKERS_SHOWN = 10
_ALIKE = 20  # lots of a number in other spellings that are looked at


@bindable_dataclass
class LotFields:
    """What stands in the fields. Bindable: what is filled in by itself is shown at once."""

    vaccine_code: str = ""
    lot_number: str = ""
    lot_type: str = ""
    manufacturer: str = ""
    expiry_date: str = ""
    doses_per_vial: str = ""
    status: str = LotStatus.ACTIVE.value


def read_lot(text: LotFields) -> tuple[LotDraft, list[Problem]]:
    """Read the form; what cannot be read is a problem and leaves the draft without it."""
    problems: list[Problem] = []
    expiry_date, doses_per_vial = None, None
    if text.expiry_date.strip():
        try:
            expiry_date = parse_roc_date(text.expiry_date)
        except InvalidRocDate as error:
            facts = {"text": text.expiry_date, "fault": error.fault.value}
            problems.append(Problem("expiry_date", ProblemCode.DATE_UNREADABLE, facts))
    if typed := to_half_width(text.doses_per_vial).strip():
        doses_per_vial = int(typed) if _COUNT.fullmatch(typed) else 0
        if doses_per_vial < 1:
            facts = {"text": text.doses_per_vial, "highest": str(_HIGHEST_DOSES)}
            problems.append(Problem("doses_per_vial", ProblemCode.COUNT_OUT_OF_RANGE, facts))
    draft = LotDraft(
        lot_number=text.lot_number.strip(),
        vaccine_code=text.vaccine_code,
        lot_type=LotType(text.lot_type) if text.lot_type else None,
        manufacturer=text.manufacturer.strip(),
        expiry_date=expiry_date,
        doses_per_vial=doses_per_vial or None,
        status=LotStatus(text.status),
    )
    return draft, problems


def check_lot_form(
    state: AppState, text: LotFields, document: Mapping[str, Any] | None
) -> tuple[LotDraft, list[Problem]]:
    """Everything odd about what is typed, against what this device knows. `document`: the lot being edited."""
    tables = state.database.tables
    draft, problems = read_lot(text)
    unreadable = {problem.field for problem in problems}
    problems += check_texts(draft)
    alike = tables.lots.find_by("folded_number", folded_number(draft.lot_number), _ALIKE) if draft.lot_number else []
    own_id = document["record_id"] if document else ""
    others = [Lot.model_validate(record_fields(lot, Lot)) for lot in alike if lot["record_id"] != own_id]
    problems += [
        problem
        for problem in check_lot(draft, others, state.today())
        if not (problem.field in unreadable and problem.code is ProblemCode.EXPIRY_MISSING)
    ]
    if document is not None:
        before = document["lot_number"], document["vaccine_code"]
        if before != (draft.lot_number, draft.vaccine_code):
            count = tables.vaccinations.count_by("lot_number", before[0])
            facts = {"count": str(count), "lot_number": before[0]}
            problems += [Problem("lot_number", ProblemCode.LOT_NUMBER_IN_USE, facts)] if count else []
    return draft, problems


def lot_fields(document: Mapping[str, Any] | None) -> LotFields:
    """What the form of a lot begins with."""
    if document is None:
        return LotFields()
    lot = Lot.model_validate(record_fields(document, Lot))
    return LotFields(
        vaccine_code=lot.vaccine_code,
        lot_number=lot.lot_number,
        lot_type=lot.lot_type.value,
        manufacturer=lot.manufacturer,
        expiry_date=_compact(lot.expiry_date),
        doses_per_vial=str(lot.doses_per_vial or ""),
        status=lot.status.value,
    )


class LotForm:
    """The fields of one lot, new or being edited, and its saving."""

    def __init__(
        self,
        state: AppState,
        document: Mapping[str, Any] | None,
        on_done: Callable[[], None],
        on_open: Callable[[str], None],
    ) -> None:
        """`on_open` opens another lot, by its record id."""
        self._state, self._document, self._on_done, self._on_open = state, document, on_done, on_open
        self._text = lot_fields(document)
        self._as_opened = asdict(self._text)
        # What the program filled in, and may replace as long as staff have not changed it.
        written = parse_lot_number(self._text.lot_number)
        self._filled = {"lot_type": written.lot_type.value, "expiry_date": _compact(written.expiry_date)}
        self._saving = self._tried = False

    def build(self) -> None:
        with ui.column().classes("desk-card enter-moves"):
            title = wording.LOT_EDIT if self._document is not None else wording.LOT_NEW
            ui.label(title).classes("desk-person").mark("lot-form")
            self._show_conflict()
            self._build_fields()
            with ui.row():
                save = ui.button(wording.LOT_SAVE, on_click=self.save).props("color=primary")
                save.classes("enter-last").mark("save")
                ui.button(wording.LOT_LEAVE, on_click=self.leave).props("outline no-caps").mark("leave")
            # Below the buttons: what comes and goes must not move them away under the finger.
            self._problems = ui.column().classes("w-full gap-1").mark("problems")
        self._check()

    def leave(self) -> None:
        if not self._saving:
            self._done()

    def take_up(self, fields: Mapping[str, str]) -> None:
        """Go on with what was half-filled before the page was loaded again."""
        self._text = LotFields(**{name: fields[name] for name in _FIELDS if name in fields})

    def _done(self) -> None:
        forget_draft(self._state, Form.LOT)
        self._on_done()

    async def save(self) -> None:
        """Save once, whatever is tapped how often; say saved only when it is on disk."""
        if self._saving:
            return
        self._saving = self._tried = True
        try:
            problems = self._check()
            if stopping := [problem_line(problem) for problem in problems if stops_saving(problem)]:
                ui.notify(wording.sentences(stopping), type="negative", position="bottom", multi_line=True)
                return
            lot = self._draft.to_lot(self._record_id())
            if self._document is not None and not self._document["conflict"] and lot == self._before(self._document):
                ui.notify(wording.LOT_UNCHANGED, type="info", position="bottom")
                self._done()
                return
            warnings = [problem_line(problem) for problem in problems]
            if lot.status is LotStatus.RECALLED and self._status_before() != LotStatus.RECALLED:
                warnings.insert(0, wording.LOT_ASK_RECALL)
            if not warnings or await ask_anyway(wording.ASK_AGAIN, warnings):
                await self._commit(lot)
        finally:
            self._saving = False

    # ---- fields

    def _show_conflict(self) -> None:
        document = self._document
        for other in document["conflict"] if document is not None else ():
            content = document["revisions"][other]["payload"] if document is not None else {}
            words = wording.LOT_OTHER_VERSION.format(
                lot_number=content["lot_number"],
                manufacturer=content.get("manufacturer") or "—",
                expiry_date=roc_text(content.get("expiry_date")) or "—",
                status=wording.LOT_STATUS[content.get("status", LotStatus.ACTIVE)],
            )
            ui.label(wording.CONFLICT.format(other=words)).classes("desk-refused").mark("conflict")

    def _build_fields(self) -> None:
        text = self._text
        codes = vaccine_options(self._state, None, text.vaccine_code)
        labels = {**wording.FIELD, **wording.LOT_COLUMNS, **wording.LOT_FIELD_LABEL}
        with ui.element("div").classes("desk-fields"):
            vaccine = ui.select(codes, label=labels["vaccine_code"], value=text.vaccine_code or None, with_input=True)
            vaccine.on_value_change(lambda event: self._take_vaccine(event.value))
            number = ui.input(labels["lot_number"])
            lot_type = ui.select(wording.LOT_TYPE, label=labels["lot_type"])
            maker = ui.input(labels["manufacturer"])
            expiry = ui.input(labels["expiry_date"])
            doses = ui.input(labels["doses_per_vial"]).props("inputmode=numeric")
            status = ui.select(wording.LOT_STATUS, label=labels["status"])
        fields = (vaccine, number, lot_type, maker, expiry, doses, status)
        self._fields: dict[str, ValidationElement[Any]] = dict(zip(_FIELDS, fields, strict=True))
        for name, field in self._fields.items():
            # The room for a message is always there, so that none moves the buttons.
            field.without_auto_validation().props("outlined bottom-slots").classes("w-full").mark(name)
            if isinstance(field, ui.input):  # on a list it lays an unseen second field over the first
                field.props("autocomplete=off")
            if field is not vaccine:
                field.bind_value(text, name, forward=lambda value: value or "")
                field.on_value_change(self._take_number if field is number else self._check)
        self._makers = ui.row().classes("desk-choice-row items-center").mark("makers")
        self._show_makers()
        missing = self._document is not None and not text.manufacturer
        first = maker if missing else vaccine if self._document is None else number
        first.props("autofocus")

    def _take_vaccine(self, code: str | None) -> None:
        self._text.vaccine_code = code or ""
        known = [lot for lot in self._lots_of_vaccine() if lot.get("doses_per_vial")]
        newest = max(known, key=lambda lot: str(lot["made_at"]), default=None)
        self._fill("doses_per_vial", str(newest["doses_per_vial"]) if newest is not None else "")
        self._show_makers()
        self._check()

    def _take_number(self) -> None:
        written = parse_lot_number(self._text.lot_number.strip())
        self._fill("lot_type", written.lot_type.value if self._text.lot_number.strip() else "")
        self._fill("expiry_date", _compact(written.expiry_date))
        self._check()

    def _fill(self, name: str, value: str) -> None:
        """Fill in what follows from another field, unless staff typed something of their own."""
        if getattr(self._text, name) in ("", self._filled.get(name, "")):
            self._filled[name] = value
            setattr(self._text, name, value)

    def _lots_of_vaccine(self) -> list[Any]:
        lots = self._state.database.tables.lots
        return lots.find_by("vaccine_code", self._text.vaccine_code) if self._text.vaccine_code else []

    def _show_makers(self) -> None:
        """Makers to tap instead of typing: those of this vaccine, then the most frequent."""
        of_vaccine = [lot["manufacturer"] for lot in self._lots_of_vaccine() if lot.get("manufacturer")]
        makers = list(dict.fromkeys([*of_vaccine, *self._state.database.tables.lots.manufacturers()]))
        self._makers.clear()
        with self._makers:
            ui.label(wording.LOT_MAKERS if makers else "").classes("desk-note")
            for maker in makers[:_MAKERS_SHOWN]:
                button = ui.button(maker, on_click=lambda maker=maker: self._fields["manufacturer"].set_value(maker))
                button.props("outline no-caps color=primary").mark(f"choose {maker}")

    # ---- checking and saving

    def _check(self) -> list[Problem]:
        self._draft, problems = check_lot_form(self._state, self._text, self._document)
        for name, field in self._fields.items():
            stopping = [p for p in problems if p.field == name and stops_saving(p)]
            told = stopping and (self._tried or getattr(self._text, name))
            field.error = wording.problem(stopping[0]) if told else None
        if asdict(self._text) != self._as_opened:
            keep_draft(self._state, "", str((self._document or {}).get("record_id", "")), asdict(self._text), Form.LOT)
        self._problems.clear()
        if not (self._text.lot_number or self._text.vaccine_code):
            return problems  # an empty form needs no reproach
        with self._problems:
            for problem in problems:
                if not stops_saving(problem):
                    self._show_problem(problem)
        return problems

    def _show_problem(self, problem: Problem) -> None:
        with ui.row().classes("items-center"):
            ui.label(f"⚠ {problem_line(problem)}").classes("desk-warned")
            if problem.code is ProblemCode.LOT_ALREADY_REGISTERED:
                other = problem.facts["record_id"]
                open_other = ui.button(wording.LOT_OPEN_OTHER, on_click=lambda: self._go_to(other))
                open_other.props("outline").mark("open-other")

    def _go_to(self, record_id: str) -> None:
        forget_draft(self._state, Form.LOT)
        self._on_open(record_id)

    def _record_id(self) -> str:
        if self._document is not None:
            return str(self._document["record_id"])
        record_id = record_id_of_lot(self._draft.vaccine_code, self._draft.lot_number)
        # Taken where that lot's number was corrected since, or staff insist on a second one.
        taken = self._state.database.tables.lots.exists(record_id)
        return self._state.world.make_record_id() if taken else record_id

    @staticmethod
    def _before(document: Mapping[str, Any]) -> Lot:
        return Lot.model_validate(record_fields(document, Lot))

    def _status_before(self) -> str:
        return str((self._document or {}).get("status", LotStatus.ACTIVE))

    async def _commit(self, lot: Lot) -> None:
        payload = lot.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
        bases = replaced_by_edit(self._document) if self._document is not None else ()
        draft = ChangeDraft(ChangeKind.REGISTER_LOT, lot.record_id, payload, bases)
        if await commit_and_tell(self._state, draft, wording.LOT_SAVED.format(lot_number=lot.lot_number)):
            self._done()


def _compact(day: date | None) -> str:
    return format_compact(day) if day is not None else ""
