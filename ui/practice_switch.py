"""The way into practice mode and out of it, and what says on every page that this is practice."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from store.audit import AuditAction
from store.errors import AppError
from ui import wording
from ui.dialogs import confirm
from ui.state import AppState


def practice_band(state: AppState) -> None:
    """On top of every page while practising."""
    with ui.row().classes("desk-practice-band").mark("practice-band"):
        ui.label(wording.PRACTICE_BAND)
        leave = ui.button(wording.PRACTICE_LEAVE, on_click=lambda: leave_practice(state)).props("no-caps color=black")
        leave.mark("leave-practice")


def practice_card(state: AppState) -> None:
    """For the device's page: what practice mode is, and the button."""
    with ui.column().classes("desk-card").mark("practice-card"):
        ui.label(wording.PRACTICE_MODE).classes("text-lg")
        ui.label(wording.PRACTICE_IS_ON if state.is_practice else wording.PRACTICE_INTRO).classes("desk-note")
        if not state.is_practice:
            start = ui.button(wording.PRACTICE_START, on_click=lambda: enter_practice(state))
            start.props("outline no-caps").mark("start-practice")


async def enter_practice(state: AppState) -> None:
    """Ask, saying what waits for the hub, then start afresh with the practice store."""

    async def enter() -> None:
        state.note(AuditAction.SET_DEVICE, kind="practice")
        if state.trail is not None:
            await state.trail.flush()  # what runs now is gone in a moment
        await state.source.enter_practice()

    count = len(state.database.unsent)
    waiting = wording.PRACTICE_UNSENT.format(count=count) if count else ""
    if await confirm(f"{wording.PRACTICE_START_QUESTION}{waiting}"):
        await _switch(enter)


async def leave_practice(state: AppState) -> None:
    """Ask, then delete the practice store and start afresh with the real one."""

    async def leave() -> None:
        await state.database.close()
        await state.source.leave_practice()

    if await confirm(wording.PRACTICE_LEAVE_QUESTION):
        await _switch(leave)


async def _switch(switch: Callable[[], Awaitable[None]]) -> None:
    try:
        await switch()
    except AppError:
        ui.notify(wording.PRACTICE_FAILED, type="negative", position="bottom")
