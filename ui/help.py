"""F1: which keys do what on this page, and what the bar above tells."""

from collections.abc import Iterable, Mapping

from nicegui import ui

from ui import wording
from ui.dialogs import answer_of


async def show_help(keys: Iterable[str], key_help: Mapping[str, str]) -> None:
    """`keys`: those that do something on the page that is open; `key_help` says what, where it is not the usual."""
    with ui.dialog() as dialog, ui.card().classes("desk-window").mark("help"):
        ui.label(wording.HELP).classes("text-lg")
        with ui.element("dl").classes("desk-help"):
            for key in ("F1", "Enter", *sorted(keys, key=lambda key: (len(key), key))):
                _line(wording.KEY_NAME.get(key, key), key_help.get(key) or wording.KEY_HELP[key])
        ui.label(wording.HELP_BAR).classes("desk-person")
        with ui.element("dl").classes("desk-help"):
            for name, told in wording.BAR_HELP:
                _line(name, told)
        ui.button(wording.LEAVE, on_click=lambda: dialog.submit(None)).props("outline autofocus").mark("help-leave")
    await answer_of(dialog)


def _line(name: str, told: str) -> None:
    with ui.element("dt"):
        ui.label(name)
    with ui.element("dd"):
        ui.label(told)
