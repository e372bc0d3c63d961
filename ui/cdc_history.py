"""BA102_3FF: what CDC says that one person was given anywhere, in a window over the record; asked for by a tap only.

Invariants:
- what is shown says as of when it is, and of which identity where that is no longer the person's;
- only CDC's own empty answer is shown as 查無接種紀錄; a refusal or a failure leaves what was known on the screen;
- keys pressed in the window do not reach the form under it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nicegui import ui
from nicegui.events import KeyEventArguments

from store.audit import AuditAction
from store.codes import vaccine_by_code
from store.history import HistoryReceived, Identity, ShownRow, read_identity, show_history
from store.persons import effective_patient
from store.problems import Problem, ProblemCode
from store.protocol import HistoryAnswer, HistoryOutcome, HistoryRequest
from store.roc_date import TAIPEI, format_roc_date
from ui import wording
from ui.dialogs import problem_line
from ui.following import follow
from ui.hub_question import ask_hub
from ui.patient_search import roc_text
from ui.state import AppState

_OWN_LISTED = 50
_ROWS_A_PAGE = 50
_SORTABLE = ("vaccination_date", "vaccine_code")
_LONG = ("vaccine_name", "institution_name", "lot_number", "marks")


def history_button(state: AppState, patient_id: str) -> None:
    """The button that opens the window, where it is called; F7 does the same as long as the button is there."""
    window: list[HistoryWindow] = []

    def open_it() -> None:
        if not window or window[0].is_closed:
            window[:] = [open_history(state, patient_id)]

    def pressed(event: KeyEventArguments) -> None:
        if str(event.key) == "F7" and event.action.keydown and not event.action.repeat:
            open_it()

    ui.button(wording.HISTORY_BUTTON, on_click=open_it).props("outline no-caps").classes("takes-f7").mark("cdc-history")
    ui.keyboard(pressed, ignore=[], repeating=False)


def open_history(state: AppState, patient_id: str) -> "HistoryWindow":
    """Show what is known, and offer to ask. `patient_id` is a record id; a merged chart shows the one it went into."""
    person_id = effective_patient(state.database.tables, patient_id)
    state.note(AuditAction.OPENED_HISTORY, record_id=person_id)
    window = HistoryWindow(state, person_id)
    # Not where the button is: what is drawn anew there must not take the window along.
    with ui.context.client.content:
        window.build()
    return window


class HistoryWindow:
    """One open window."""

    def __init__(self, state: AppState, person_id: str) -> None:
        self._state = state
        self._tables = state.database.tables
        self._person_id = person_id
        self._is_asking = False
        self._awaited = ""  # the answer that the hub has and this device has not yet
        self._shown: object = None
        self.is_closed = False

    def build(self) -> None:
        with ui.dialog().props("persistent position=top") as self._dialog, ui.card().classes("desk-history"):
            ui.label(wording.HISTORY_TITLE).classes("desk-person").mark("history-title")
            ui.label(self._person_line()).classes("text-lg").mark("history-person")
            with ui.row().classes("items-center w-full"):
                self._button = ui.button(wording.HISTORY_ASK, on_click=self.ask).props("color=primary autofocus")
                self._button.mark("history-ask")
                ui.button(wording.HISTORY_LEAVE, on_click=self.close).props("outline no-caps").mark("history-leave")
                self._as_of = ui.label("").classes("text-lg").mark("history-as-of")
            self._note = ui.label("").classes("desk-history-note").mark("history-note").props('role="status"')
            self._body = ui.column().classes("w-full desk-history-body").props("tabindex=0")
        # The page's own keyboard listens above the window: what is typed here ends here.
        self._dialog.on("keydown", js_handler="(event) => event.stopPropagation()")
        self._dialog.on("keydown.esc", self.close)
        self._dialog.on("keydown.f9", self.ask)
        follow(self._state.changed, self.refresh, self._dialog)
        self.refresh()
        self._say_what_stops()
        self._dialog.open()

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._dialog.close()
            self._dialog.delete()

    async def ask(self) -> None:
        """Ask CDC through the hub, once; what came of it is said, whatever it is."""
        if self._is_asking or self._say_what_stops():
            return
        self._is_asking = True
        self._button.props("loading")  # disabled, it would lose the focus, and keys would go to the form below
        self._say(wording.HISTORY_ASKING)
        try:
            told, is_bad = await self._ask()
        finally:
            self._is_asking = False
        if not self.is_closed:
            self._button.props(remove="loading")
            self._say(told, bad=is_bad)
            self.refresh()

    async def _ask(self) -> tuple[str, bool]:
        """What to say, and whether it is bad news."""
        asked = HistoryRequest(record_id=self._person_id, asked_by=self._state.staff)
        no_hub, refused = wording.HISTORY_NO_HUB, wording.HISTORY_ERROR
        answer = await ask_hub(
            self._state, "/api/cdc/history", HistoryAnswer, asked, no_hub=no_hub, refused=refused
        )
        if isinstance(answer, str):
            return answer, True
        if answer.outcome is HistoryOutcome.RECEIVED:
            self._awaited = answer.revision
            self._state.sync.wake()
        return _words(answer), answer.outcome not in (HistoryOutcome.RECEIVED, HistoryOutcome.STILL_ASKING)

    # ---- what is shown

    def refresh(self) -> None:
        """Draw anew where something of it has changed: changes of others must not move the list under a finger."""
        if self.is_closed or self._dialog.is_deleted:
            return
        history = self._tables.histories.find(self._person_id)
        if history is not None and self._awaited in (history["revision"], *history["replaced"]):
            self._awaited = ""
            self._say(wording.HISTORY_DONE)
        person: Mapping[str, Any] = self._tables.patients.find(self._person_id) or {}
        doses = self._tables.vaccinations.find_by("person_id", self._person_id)
        shown = (history, person, [(dose["revision"], dose["upload_state"]) for dose in doses])
        if shown != self._shown:
            self._shown = shown
            self._body.clear()
            with self._body:
                self._draw(history, person, doses)

    def _draw(
        self, history: Mapping[str, Any] | None, person: Mapping[str, Any], doses: Sequence[Mapping[str, Any]]
    ) -> None:
        if history is None:
            self._as_of.set_text(wording.HISTORY_NEVER)
            ui.label(wording.HISTORY_BEGIN).classes("desk-note").mark("history-empty")
            return
        received = HistoryReceived.model_validate(history)
        moment = received.fetched_at.astimezone(TAIPEI)
        self._as_of.set_text(wording.HISTORY_AS_OF.format(at=f"{format_roc_date(moment.date())} {moment:%H:%M}"))
        identity, _ = read_identity(person)
        is_present = identity is not None and identity.digest == received.identity
        if not is_present:
            ui.label(wording.HISTORY_OTHER_IDENTITY).classes("desk-refused").mark("history-other-identity")
        elif identity is not None and identity.id_type is None:
            ui.label(wording.HISTORY_BY_PARENT).classes("desk-note").mark("history-by-parent")
        rows, lacking = show_history(received, person, doses)
        if rows:
            _table(rows)
        elif is_present and identity is not None:
            ui.label(wording.HISTORY_NONE.format(identity=_identity_text(identity))).classes("text-lg").mark(
                "history-none"
            )
        else:
            ui.label(wording.HISTORY_NONE_THEN).classes("text-lg").mark("history-none")
        if received.has_more:
            ui.label(wording.HISTORY_HAS_MORE).classes("desk-refused").mark("history-has-more")
        if lacking:
            self._draw_lacking(lacking)

    def _draw_lacking(self, doses: Sequence[Mapping[str, Any]]) -> None:
        ui.label(wording.HISTORY_ONLY_OURS.format(count=len(doses))).classes("text-lg").mark("history-only-ours")
        with ui.column().classes("gap-1"):
            for dose in doses[-_OWN_LISTED:]:
                ui.label(
                    f"{roc_text(dose['vaccination_date'])}　{dose['vaccine_code']}-{dose['dose_number']}　"
                    f"{wording.HISTORY_COLUMNS['lot_number']} {dose['lot_number']}　"
                    f"{wording.upload_state(dose['upload_state'])}"
                ).mark("history-own-dose")

    def _person_line(self) -> str:
        person: Mapping[str, Any] = self._tables.patients.find(self._person_id) or {}
        own = person.get("national_id")
        named = wording.FIELD["national_id" if own else "parent_national_id"]
        masked = wording.masked_id(own or person.get("parent_national_id")) or wording.HISTORY_NOTHING
        return wording.HISTORY_PERSON.format(
            chart=person.get("chart_number", ""),
            name=person.get("name", ""),
            id_name=named,
            id=masked,
            birth=roc_text(person.get("birth_date")) or wording.HISTORY_NOTHING,
        )

    def _say_what_stops(self) -> bool:
        """Say what keeps CDC from being asked; False where nothing does."""
        identity, problems = read_identity(self._tables.patients.find(self._person_id) or {})
        if identity is None:
            self._say(_stopping((problem.field, problem.code) for problem in problems), bad=True)
        return identity is None

    def _say(self, text: str, *, bad: bool = False) -> None:
        self._note.set_text(text)
        self._note.classes(add="desk-refused" if bad else "", remove="" if bad else "desk-refused")


def _table(rows: list[ShownRow]) -> None:
    columns = [
        {
            "name": name,
            "label": label,
            "field": name,
            "align": "left",
            "sortable": name in _SORTABLE,
            "classes": "desk-breaks" if name in _LONG else "desk-whole",
        }
        for name, label in wording.HISTORY_COLUMNS.items()
    ]
    table = ui.table(
        columns=columns,
        rows=[_row(number, shown) for number, shown in enumerate(rows, start=1)],
        row_key="number",
        pagination=_ROWS_A_PAGE,
    )
    table.props("dense wrap-cells").classes("w-full desk-history-table").mark("history-rows")


def _row(number: int, shown: ShownRow) -> dict[str, Any]:
    row = shown.row
    known = vaccine_by_code(row.vaccine_code)
    lot, lot_type = row.lot_number, wording.LOT_TYPE.get(row.lot_type, row.lot_type)
    if lot and lot_type:
        lot = wording.HISTORY_LOT.format(lot=lot, lot_type=lot_type)
    return {
        "number": number,
        "vaccination_date": format_roc_date(shown.day) if shown.day else row.date_text,
        "vaccine_code": row.vaccine_code,
        "vaccine_name": row.as_came or row.vaccine_name or (wording.vaccine_name(known) if known else ""),
        "institution_code": row.institution_code,
        "institution_name": row.institution_name,
        "dose_number": row.dose_label,
        "lot_number": lot,
        "marks": wording.sentences(wording.HISTORY_MARK[mark].format(status=row.status) for mark in shown.marks),
    }


def _words(answer: HistoryAnswer) -> str:
    match answer.outcome:
        case HistoryOutcome.REFUSED:
            words = wording.cdc_words(answer.message.model_dump() if answer.message else None)
            return wording.HISTORY_OUTCOME[answer.outcome].format(words=words)
        case HistoryOutcome.NOT_IDENTIFIED:
            return _stopping((problem.field, problem.code) for problem in answer.problems)
        case _:
            return wording.HISTORY_OUTCOME[answer.outcome].format(words=answer.detail)


def _stopping(problems: Iterable[tuple[str, str]]) -> str:
    """One sentence of all that stops the asking. A newer hub may name a problem that this program does not know."""
    known = [Problem(field, ProblemCode(code)) for field, code in problems if code in set(ProblemCode)]
    told = wording.sentences(map(problem_line, known))
    return wording.HISTORY_OUTCOME[HistoryOutcome.NOT_IDENTIFIED].format(words=told)


def _identity_text(identity: Identity) -> str:
    named = wording.FIELD["national_id" if identity.id_type else "parent_national_id"]
    birth = wording.FIELD["birth_date"]
    return f"{named} {wording.masked_id(identity.value)} {birth} {format_roc_date(identity.birth_date)}"
