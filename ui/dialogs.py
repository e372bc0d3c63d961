"""The questions that screens ask before something that hurts: a reason, a yes, a look at what is odd.

While one of them is open the page's own keys do nothing (shell.py), so Esc takes back the question and not the form.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from nicegui import ui
from nicegui.element import Element

from store.problems import Problem
from store.texts import check_text
from ui import wording


def problem_line(problem: Problem) -> str:
    """Shape: "劑別：115/11/20 已有同疫苗同劑別的紀錄"; a problem of the whole record has no field."""
    field = wording.FIELD.get(problem.field, problem.field)
    words = wording.problem(problem)
    return wording.FIELD_PROBLEM.format(field=field, problem=words) if field else words


def show_warnings(problems: Sequence[Problem]) -> None:
    for problem in problems:
        ui.label(f"⚠ {problem_line(problem)}").classes("desk-warned")


async def confirm(question: str) -> bool:
    with _window() as dialog:
        ui.label(question).mark("question")
        with ui.row():
            yes = ui.button(wording.CONFIRM, on_click=lambda: dialog.submit(True))
            yes.props("color=warning").mark("confirm")
            ui.button(wording.CANCEL, on_click=lambda: dialog.submit(False)).props("outline autofocus").mark("cancel")
    return bool(await answer_of(dialog))


async def ask_void_reason(question: str, before: str = "") -> str:
    """Why a record is voided; empty when the nurse thinks better of it. `before`: the reason that mostly holds."""
    with _window() as dialog:
        ui.label(question).mark("question")
        reason = _reason_field(wording.VOID_REASON, before, "void-reason").props("autofocus")
        with ui.row():
            confirm = ui.button(wording.VOID_CONFIRM, on_click=lambda: dialog.submit(reason.value))
            confirm.props("color=negative").mark("void-confirm").bind_enabled_from(reason, "value", _is_reason)
            ui.button(wording.CANCEL, on_click=lambda: dialog.submit("")).props("outline").mark("cancel")
    return str(await answer_of(dialog) or "").strip()


async def ask_warning_reason(problems: Sequence[Problem], before: str) -> str:
    """Why it is saved in spite of the warnings; empty when the nurse goes back. `before`: the reason kept so far."""
    with _window() as dialog:
        ui.label(wording.ASK_AGAIN).classes("text-lg")
        show_warnings(problems)
        reason = _reason_field(wording.REASON, before or wording.WARNING_REASONS[0], "warning-reason")
        with ui.row():
            for each in wording.WARNING_REASONS:
                choice = ui.button(each, on_click=lambda each=each: reason.set_value(each))
                choice.props("outline no-caps color=primary").mark(f"reason {each}")
        save = _anyway_buttons(lambda: dialog.submit(reason.value), lambda: dialog.submit(""))
        save.bind_enabled_from(reason, "value", _is_reason)
    return str(await answer_of(dialog) or "").strip()


async def ask_anyway(title: str, warnings: Sequence[str]) -> bool:
    """Whether it is saved in spite of the warnings, where no reason is kept."""
    with _window() as dialog:
        ui.label(title).classes("text-lg")
        for warning in warnings:
            ui.label(f"⚠ {warning}").classes("desk-warned").mark("question")
        _anyway_buttons(lambda: dialog.submit(True), lambda: dialog.submit(False))
    return bool(await answer_of(dialog))


async def answer_of(dialog: ui.dialog) -> object:
    """What was chosen, None for nothing. A dialog that was answered would else stay on the page, unseen."""
    answer = await dialog
    dialog.delete()
    return answer


def open_window(element: ui.element) -> ui.dialog | None:
    """The window asked for last on the element's page and not answered yet, drawn already or not."""
    windows = (one for one in element.client.elements.values() if isinstance(one, ui.dialog) and one.value)
    return max(windows, key=lambda window: window.id, default=None)


def window_place() -> Element:
    """Where windows stand: not where the button is, which may be drawn anew meanwhile, and gone with the page."""
    return next(one for one in ui.context.client.content if isinstance(one, ui.sub_pages))


@contextmanager
def _window() -> Iterator[ui.dialog]:
    with window_place(), ui.dialog() as dialog, ui.card():
        yield dialog


def _anyway_buttons(save: Callable[[], object], go_back: Callable[[], object]) -> ui.button:
    with ui.row():
        button = ui.button(wording.SAVE_ANYWAY, on_click=save).props("color=warning autofocus").mark("save-anyway")
        ui.button(wording.GO_BACK, on_click=go_back).props("outline").mark("go-back")
    return button


def _reason_field(label: str, value: str, mark: str) -> ui.input:
    return ui.input(label, value=value, validation=_fault).props("outlined").classes("w-full").mark(mark)


def _fault(text: str | None) -> str | None:
    problems = check_text((text or "").strip())
    return wording.problem(problems[0]) if problems else None


def _is_reason(text: str | None) -> bool:
    return bool((text or "").strip()) and _fault(text) is None
