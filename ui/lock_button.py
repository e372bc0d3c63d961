"""The lock on the pages: whose desk it is, 鎖定／換人 in the bar; PIN and idle time on the device's page."""

from nicegui import ui

from store.audit import AuditAction
from ui import wording
from ui.own_password import change_password
from ui.state import AppState


def lock_button(state: AppState) -> None:
    """In the bar of every page: who is at the desk, and one tap that locks it for the next."""
    if state.person is None:
        return
    button = ui.button(state.staff, icon="lock", on_click=state.vault.lock).props("no-caps outline color=white")
    label = wording.LOCK_NOW.format(staff_id=state.staff)
    button.props["aria-label"] = label
    button.mark("lock").tooltip(label)


def lock_card(state: AppState) -> None:
    """For the device's page: the person's PIN and the device's idle time, or the way to accounts."""
    with ui.column().classes("desk-card").mark("lock-card"):
        ui.label(wording.LOCK_TITLE).classes("text-lg")
        if state.person is None:
            ui.label(wording.LOCK_NONE).classes("desk-note")
            begin = ui.button(wording.LOCK_BEGIN, on_click=state.vault.begin_accounts)
            begin.props("outline no-caps").mark("begin-accounts")
            return
        ui.label(wording.LOCK_WHO.format(staff_id=state.staff)).classes("desk-person").mark("lock-who")
        ui.label(wording.LOCK_INTRO).classes("desk-note")
        with ui.row().classes("items-center"):
            idle = ui.select(dict(wording.LOCK_IDLE), label=wording.LOCK_IDLE_LABEL).props("outlined")
            idle.mark("idle-time").classes("desk-idle")
            pin = ui.button(wording.LOCK_CHANGE_PIN, on_click=state.vault.change_pin).props("outline no-caps")
            pin.mark("change-pin")
            password = ui.button(wording.PASSWORD_CHANGE, on_click=lambda: change_password(state))
            password.props("outline no-caps").mark("change-password")

        async def show() -> None:
            seconds = await state.vault.idle_seconds()
            idle.set_options({seconds: wording.LOCK_SECONDS.format(seconds=seconds), **wording.LOCK_IDLE})
            idle.set_value(seconds)
            idle.on_value_change(keep)

        async def keep() -> None:
            await state.vault.keep_idle_seconds(int(idle.value))
            state.note(AuditAction.SET_DEVICE, kind="idle_time")

        ui.timer(0, show, once=True)
