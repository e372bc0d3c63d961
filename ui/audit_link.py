"""The way from a person or a record to what the audit says of it."""

from nicegui import ui

from store.roles import HubOperation
from ui import wording
from ui.state import AppState


def audit_link(state: AppState, record_id: str) -> None:
    """A button, for whoever may look at the audit."""
    if state.may_call(HubOperation.AUDIT) and not state.is_practice:
        see = ui.button(wording.AUDIT_SEE, on_click=lambda: ui.navigate.to(f"/audit?record={record_id}"))
        see.props("outline no-caps").mark("see-audit")
