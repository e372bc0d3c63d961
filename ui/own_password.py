"""The window in which somebody changes the own password, which the hub alone keeps."""

from nicegui import ui

from store.access_protocol import MAX_PASSWORD, Done, PasswordChange
from ui import wording
from ui.access_client import PASSWORD, ask_of_access, problem_words
from ui.dialogs import answer_of, window_place
from ui.state import AppState


async def change_password(state: AppState) -> None:
    """Nothing is changed away from the hub. Everywhere else the person signs in anew, with the new one."""
    with window_place(), ui.dialog().props("persistent") as dialog, ui.card().classes("desk-window enter-moves"):
        ui.label(wording.PASSWORD_CHANGE).classes("desk-person")
        old = _field(wording.PASSWORD_OLD, "old-password").props("autofocus")
        new, again = _field(wording.PASSWORD_NEW, "new-password"), _field(wording.PASSWORD_AGAIN, "again-password")
        told = ui.label("").classes("desk-refused").mark("password-note").props('role="status"')

        async def save() -> None:
            again.error = None if new.value == again.value else wording.PASSWORDS_DIFFER
            if again.error:
                return
            asked = PasswordChange(old=old.value or "", new=new.value or "")
            answer = await ask_of_access(state, PASSWORD, Done, asked)
            told.set_text(answer if isinstance(answer, str) else "")
            problems = [] if isinstance(answer, str) else answer.problems
            by_field = {problem.field: problem_words(problem) for problem in problems}
            old.error, new.error = by_field.get("old"), by_field.get("new")
            if isinstance(answer, Done) and not problems:
                dialog.submit(True)

        with ui.row():
            ui.button(wording.CONFIRM, on_click=save).props("color=primary").classes("enter-last").mark("save-password")
            ui.button(wording.CANCEL, on_click=lambda: dialog.submit(False)).props("outline").mark("leave-password")
    if await answer_of(dialog):
        ui.notify(wording.PASSWORD_CHANGED, type="positive", position="bottom")


def _field(label: str, mark: str) -> ui.input:
    field = ui.input(label, password=True).without_auto_validation()
    field.props(f"outlined bottom-slots autocomplete=off maxlength={MAX_PASSWORD}")
    return field.classes("w-full").mark(mark)
