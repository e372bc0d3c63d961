"""The questions that screens ask before something that hurts: a reason, a yes, a look at what is odd."""

from collections.abc import Sequence

from nicegui import ui

from store.problems import Problem
from ui import wording


def problem_line(problem: Problem) -> str:
    """Shape: "劑別：115/11/20 已有同疫苗同劑別的紀錄"; a problem of the whole record has no field."""
    field = wording.FIELD.get(problem.field, problem.field)
    words = wording.problem(problem)
    return wording.FIELD_PROBLEM.format(field=field, problem=words) if field else words


def show_warnings(problems: Sequence[Problem]) -> None:
    for problem in problems:
        ui.label(f"⚠ {problem_line(problem)}").classes("desk-warned")


async def ask_void_reason(question: str) -> str:
    """Why a record is voided; empty when the nurse thinks better of it."""
    with ui.dialog() as dialog, ui.card():
        ui.label(question)
        reason = ui.input(wording.VOID_REASON).props("autofocus outlined").classes("w-full").mark("void-reason")
        with ui.row():
            confirm = ui.button(wording.VOID_CONFIRM, on_click=lambda: dialog.submit(reason.value))
            confirm.props("color=negative").mark("void-confirm").bind_enabled_from(reason, "value", _says_something)
            ui.button(wording.CANCEL, on_click=lambda: dialog.submit("")).props("outline")
    return str(await answer_of(dialog) or "").strip()


async def ask_warning_reason(problems: Sequence[Problem], before: str) -> str:
    """Why it is saved in spite of the warnings; empty when the nurse goes back. `before`: the reason kept so far."""
    with ui.dialog() as dialog, ui.card():
        ui.label(wording.ASK_AGAIN).classes("text-lg")
        show_warnings(problems)
        reason = ui.input(wording.REASON, value=before or wording.WARNING_REASONS[0])
        reason.props("outlined maxlength=200").classes("w-full").mark("warning-reason")
        with ui.row():
            for each in wording.WARNING_REASONS:
                choice = ui.button(each, on_click=lambda each=each: reason.set_value(each))
                choice.props("outline no-caps color=primary").mark(f"reason {each}")
        with ui.row():
            save = ui.button(wording.SAVE_ANYWAY, on_click=lambda: dialog.submit(reason.value))
            save.props("color=warning autofocus").mark("save-anyway")
            save.bind_enabled_from(reason, "value", _says_something)
            ui.button(wording.GO_BACK, on_click=lambda: dialog.submit("")).props("outline").mark("go-back")
    return str(await answer_of(dialog) or "").strip()


def _says_something(text: str | None) -> bool:
    return bool((text or "").strip())


async def confirm(question: str) -> bool:
    with ui.dialog() as dialog, ui.card():
        ui.label(question)
        with ui.row():
            yes = ui.button(wording.CONFIRM, on_click=lambda: dialog.submit(True))
            yes.props("color=warning").mark("confirm")
            ui.button(wording.CANCEL, on_click=lambda: dialog.submit(False)).props("outline autofocus").mark("cancel")
    return bool(await answer_of(dialog))


async def answer_of(dialog: ui.dialog) -> object:
    """What was chosen, None for nothing. A dialog that was answered would else stay on the page, unseen."""
    answer = await dialog
    dialog.delete()
    return answer
