"""本機資料: whose records this device holds, how much room is left, and whether the browser promised to keep them."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from nicegui import ui

from store.audit import AuditAction
from store.errors import AppError
from store.scope import Scope, sessions_in
from store.sessions import people_of
from ui import wording
from ui.dialogs import confirm
from ui.following import follow
from ui.lock_button import lock_card
from ui.network import NetworkFailed
from ui.patient_search import roc_text
from ui.practice_switch import practice_card
from ui.row_table import choose_rows
from ui.shell import page_frame
from ui.state import AppState


def build(state: AppState) -> None:
    DevicePage(state).build()


class DevicePage:
    """The choice of the scope, with the sessions to choose from; and the storage."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._tables = state.database.tables
        self._is_working = False

    def build(self) -> None:
        keys = {} if self._state.is_practice else {"F9": self._apply}
        with page_frame(self._state, wording.DEVICE, on_key=keys):
            if self._state.is_practice:  # there is no hub to fetch other people from
                practice_card(self._state)
            else:
                with ui.column().classes("desk-card"):
                    self._build_scope()
            with ui.column().classes("desk-card"):
                self._build_storage()
            if not self._state.is_practice or self._state.person:
                lock_card(self._state)
            if not self._state.is_practice:
                practice_card(self._state)

    # ---- whose records are here

    def _build_scope(self) -> None:
        scope = self._state.database.reach.scope
        ui.label(wording.SCOPE_TITLE).classes("text-lg")
        now = ui.label("").classes("desk-person").mark("scope-now")
        ui.label(wording.SCOPE_INTRO).classes("desk-note")
        options = {"everyone": wording.EVERYONE, "chosen": wording.CHOSEN_SESSIONS}
        self._which = ui.radio(options, value="everyone" if scope is None else "chosen").props("inline")
        self._which.classes("desk-scope").mark("scope-which")
        with ui.column().classes("w-full") as choices:
            self._build_choices(scope or Scope())
        choices.bind_visibility_from(self._which, "value", value="chosen")
        with ui.row():
            self._button = ui.button(wording.SCOPE_APPLY, on_click=self._apply).props("color=primary").mark("apply")
            ui.button(f"{wording.LEAVE} (Esc)", on_click=lambda: ui.navigate.to("/")).props("outline no-caps")
        self._progress = ui.linear_progress(0, show_value=False, size="18px").mark("scope-progress")
        self._progress.props["aria-label"] = wording.SCOPE_TITLE
        self._told = ui.label("").mark("scope-told")

        def refresh() -> None:
            now.set_text(self._now())
            percent = self._state.sync.snapshot.percent
            self._progress.set_visibility(self._is_working)
            self._progress.set_value((percent or 0) / 100)
            if self._is_working:
                self._told.set_text(wording.SCOPE_FETCHING.format(percent=percent or 0))

        refresh()
        self._refresh = refresh
        follow(self._state.changed, refresh)

    def _build_choices(self, scope: Scope) -> None:
        newest_first = sorted(
            self._tables.sessions.documents(), key=lambda s: (s["session_date"], s["session_name"]), reverse=True
        )
        rows: list[dict[str, Any]] = []
        by_day: dict[str, list[int]] = {}
        for session in newest_first:
            people = len(people_of(session))
            by_day.setdefault(session["session_date"], []).append(people)
            rows.append(
                {
                    "record_id": session["record_id"],
                    "day": roc_text(session["session_date"]),
                    "name": session["session_name"],
                    "location": session.get("location", ""),
                    "people": people,
                }
            )
        chosen_days = [day.isoformat() for day in scope.days]
        days = {
            day: wording.SCOPE_DAY.format(
                day=roc_text(day), sessions=len(by_day.get(day, ())), people=sum(by_day.get(day, ()))
            )
            for day in sorted({*by_day, *chosen_days}, reverse=True)
        }
        if not days:
            ui.label(wording.NO_SESSIONS).classes("desk-note").mark("no-sessions")
        columns = [
            {"name": name, "label": label, "field": name, "align": "left"}
            for name, label in wording.SESSION_COLUMNS.items()
            if name != "location" or any(row["location"] for row in rows)
        ]
        self._sessions = ui.table(
            columns=columns, rows=rows, row_key="record_id", selection="multiple", pagination=10
        ).classes("desk-sessions")
        self._sessions.mark("sessions").set_visibility(bool(rows))
        choose_rows(self._sessions, scope.session_ids, wording.EVERY_SESSION)
        self._days = ui.select(days, multiple=True, value=chosen_days, label=wording.SCOPE_DAYS)
        self._days.props("outlined use-chips").classes("w-full").mark("session-days").set_visibility(bool(days))

    def _now(self) -> str:
        reach, people = self._state.database.reach, len(self._tables.patients)
        if not reach.is_chosen:
            return wording.SCOPE_IS_EVERYONE.format(people=people)
        told = wording.SCOPE_IS_CHOSEN.format(sessions=len(reach.session_ids), people=people)
        return told + (wording.SCOPE_LACKS.format(people=len(reach.wanted)) if reach.wanted else "")

    async def _apply(self) -> None:
        if self._is_working:
            return
        scope = None
        if self._which.value == "chosen":
            days = tuple(map(date.fromisoformat, sorted(self._days.value)))
            scope = Scope(session_ids=tuple(sorted(row["record_id"] for row in self._sessions.selected)), days=days)
            if not scope.session_ids and not scope.days:
                self._tell(wording.CHOOSE_A_SESSION, failed=True)
                return
        if await confirm(self._question(scope)):
            await self._choose(scope)

    def _question(self, scope: Scope | None) -> str:
        if scope is None:
            return wording.CONFIRM_EVERYONE
        days: Iterable[str] = [day.isoformat() for day in scope.days]
        people = set().union(*map(people_of, sessions_in(self._tables, scope.session_ids, days)))
        others = len(self._tables.patients) - sum(map(self._tables.patients.exists, people))
        unsent = len(self._state.database.unsent)
        return wording.CONFIRM_NARROW.format(people=len(people), others=others, unsent=unsent)

    async def _choose(self, scope: Scope | None) -> None:
        self._is_working = True
        self._button.disable()
        self._tell("")
        self._refresh()
        told = ""
        try:
            await self._state.sync.choose_scope(scope)
            self._state.note(AuditAction.SET_DEVICE, kind="scope")
        except NetworkFailed:
            told = wording.SCOPE_UNREACHABLE
        except AppError as error:
            told = wording.APP_ERROR[error.code]
        finally:
            self._is_working = False
            self._button.enable()
        self._refresh()
        self._tell(told or wording.SCOPE_DONE, failed=bool(told))
        await self._state.storage.measure()

    def _tell(self, text: str, *, failed: bool = False) -> None:
        self._told.classes(replace="desk-refused" if failed else "text-lg").set_text(text)

    # ---- room

    def _build_storage(self) -> None:
        storage = self._state.storage
        ui.label(wording.STORAGE_TITLE).classes("text-lg")
        used = ui.label("").mark("storage-used")
        bar = ui.linear_progress(0, show_value=False, size="18px")
        bar.props["aria-label"] = wording.STORAGE_TITLE
        short = ui.label(wording.STORAGE_SHORT).classes("desk-refused").mark("storage-short")
        kept = ui.label("").mark("storage-kept")
        ask = ui.button(wording.ASK_TO_KEEP, on_click=self._ask_to_keep).props("outline no-caps").mark("ask-to-keep")

        def refresh() -> None:
            facts = {
                "used": wording.bytes_text(storage.used_bytes),
                "allowed": wording.bytes_text(storage.allowed_bytes),
                "percent": storage.percent,
            }
            used.set_text(wording.STORAGE_USED.format(**facts) if storage.allowed_bytes else wording.STORAGE_UNKNOWN)
            bar.set_value(storage.percent / 100)
            bar.set_visibility(bool(storage.allowed_bytes))
            bar.props(f"color={'negative' if storage.is_short else 'primary'}")
            short.set_visibility(storage.is_short)
            kept.set_text(wording.STORAGE_KEPT_BY_ANSWER[storage.is_kept])
            ask.set_visibility(storage.is_kept is False)

        refresh()
        follow(self._state.changed, refresh)

    async def _ask_to_keep(self) -> None:
        told = wording.KEPT_NOW if await self._state.storage.ask_to_keep() else wording.STILL_NOT_KEPT
        ui.notify(told, position="bottom")
