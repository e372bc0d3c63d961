"""The main menu: search first, then the manual's functions under their codes, each with what waits there."""

from collections.abc import Callable

from nicegui import ui

from store.conflicts import count_open_conflicts
from store.exam_uploads import count_waiting as count_waiting_exams
from store.roles import HubOperation
from store.stock import count_waiting
from store.uploads import FAILED_STATES, AfterExport, UploadState
from ui import wording
from ui.following import follow
from ui.page_roles import is_view_only
from ui.pages.staff import may_manage
from ui.patient_search import patient_search
from ui.practice_switch import enter_practice
from ui.shell import page_frame
from ui.state import AppState
from ui.sync_client import HubLink


def _functions(state: AppState) -> tuple[tuple[str, str, str, str], ...]:
    """Code, name, path, and the key that opens it from here."""
    audit = ((wording.AUDIT, wording.AUDIT_MENU, "/audit", ""),) if state.may_call(HubOperation.AUDIT) else ()
    return (
        ("2.BA102_3", wording.RECORDING, "/BA102_3", "F2"),
        ("2.BA102_3_UPLOAD", wording.UPLOADING, "/BA102_3_UPLOAD", "F3"),
        ("3.BA102_3_DOWNLOAD", wording.VERIFYING, "/BA102_3_DOWNLOAD", "F4"),
        ("7.BA109", wording.LOTS, "/BA109", "F7"),
        ("D.BA109_3_DOWNLOAD", wording.STOCK, "/BA109_3_DOWNLOAD", "F8"),
        ("E.BAMENU4", wording.EXAM_MENU, "/BAMENU4", "F9"),
        (wording.CONFLICTS, wording.CONFLICTS_MENU, "/conflicts", "F10"),
        (wording.RECEIPTS, wording.RECEIPTS_MENU, "/receipts", "Shift+F4"),
        (wording.ROSTER, wording.ROSTER_MENU, "/roster", ""),
        (wording.OUTAGE, wording.OUTAGE_MENU, "/outage", "Shift+F9"),
        (wording.DEVICE, wording.DEVICE_MENU, "/device", ""),
        *audit,
        (wording.SETTINGS, wording.SETTINGS_MENU, "/settings", "Shift+F2"),
    )


def build(state: AppState) -> None:
    def open_person(record_id: str) -> None:
        ui.navigate.to(f"/BA102_3?patient={record_id}")

    def opener(path: str) -> Callable[[], None]:
        return lambda: ui.navigate.to(path)

    functions = _functions(state)
    keys = {key: opener(path) for _, _, path, key in functions if key}
    key_help = {key: name for _, name, _, key in functions if key}
    with page_frame(state, wording.MENU, on_key=keys, key_help=key_help):
        patient_search(state, open_person)
        has_no_accounts = not (state.person or state.is_practice)
        is_empty = not state.database.tables.patients
        first_start = _first_start(state, opener) if has_no_accounts and is_empty else None
        with ui.element("div").classes("desk-menu"):
            notes = {path: _function(code, name, opener(path), key) for code, name, path, key in functions}
            if may_manage(state) or has_no_accounts:
                managing = _function(wording.MANAGING, wording.MANAGING_MENU, opener("/staff"), "")
                managing.set_text("" if state.person else wording.MANAGING_BEGIN)
            if not state.is_practice:
                _function(wording.PRACTICE_MODE, wording.PRACTICE_MENU, lambda: enter_practice(state), "")

    def refresh() -> None:
        if first_start is not None:
            # Before the hub has answered, or while it sends what it holds, nobody knows whether it is one.
            is_told = state.sync.link is HubLink.CONNECTED and state.sync.snapshot.percent is None
            first_start.set_visibility(is_told and not state.database.tables.patients)
        waiting = _waiting(state)
        for path, note in notes.items():
            told = waiting.get(path, "")
            note.set_text(wording.VIEW_ONLY.format(waiting=told) if is_view_only(state, path) else told)

    refresh()
    follow(state.changed, refresh)


def _first_start(state: AppState, opener: Callable[[str], Callable[[], None]]) -> ui.column:
    """As long as nobody is in the store: what comes first, and why."""
    with ui.column().classes("desk-card desk-saved").mark("first-start") as card:
        ui.label(wording.FIRST_START)
        with ui.row():
            account = ui.button(wording.LOCK_BEGIN, on_click=state.vault.begin_accounts)
            account.props("color=primary no-caps").mark("begin-accounts")
            ui.button(wording.ROSTER, on_click=opener("/roster")).props("outline no-caps")
            ui.button(wording.SETTINGS, on_click=opener("/settings")).props("outline no-caps")
    return card


def _waiting(state: AppState) -> dict[str, str]:
    tables = state.database.tables
    count = {each: tables.vaccinations.count_by("upload_state", each) for each in UploadState}
    to_verify = wording.MENU_TO_VERIFY.format(count=count[UploadState.ACCEPTED] + count[UploadState.SENT])
    failed = sum(count[each] for each in FAILED_STATES)
    refused = wording.MENU_REFUSED.format(count=failed) if failed else ""
    return {
        "/BA102_3_UPLOAD": wording.MENU_TO_UPLOAD.format(count=count[UploadState.NOT_SENT]),
        "/BA102_3_DOWNLOAD": to_verify + refused,
        "/BA109": wording.LOTS_WAITING.format(count=tables.lots.count_by("manufacturer_missing", "missing")),
        "/BA109_3_DOWNLOAD": wording.MENU_TO_UPLOAD.format(count=count_waiting(tables)),
        "/BAMENU4": wording.EXAM_WAITING.format(count=count_waiting_exams(tables)),
        "/conflicts": wording.MENU_TO_HANDLE.format(count=count_open_conflicts(tables)),
        "/roster": wording.MENU_PEOPLE.format(count=len(tables.patients)),
        "/outage": _exported(tables.vaccinations.count_by),
        "/device": wording.CHOSEN_SESSIONS if state.database.reach.is_chosen else wording.EVERYONE,
    }


def _exported(count_by: Callable[[str, str], int]) -> str:
    changed = sum(count_by("after_export", what) for what in AfterExport)
    told = wording.EXPORTED_COUNT.format(count=count_by("upload_state", UploadState.EXPORTED))
    return told + wording.CHANGED_COUNT.format(count=changed) if changed else told


def _function(code: str, name: str, on_click: Callable[[], object], key: str) -> ui.label:
    """Returns the label that says how much is waiting there."""
    with ui.button(on_click=on_click).props("flat no-caps align=left") as button:
        ui.label(f"{code}　{key}" if key else code).classes("desk-code")
        ui.label(name)
        note = ui.label("").classes("desk-code")
    button.mark(code)
    return note
