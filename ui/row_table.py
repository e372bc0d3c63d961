"""Tables whose rows open: by a tap, and by key where ui/assets/reach.js lets the focus walk from row to row."""

from collections.abc import Callable

from nicegui import ui


def open_rows(table: ui.table, on_open: Callable[[str], object], *, key: str = "record_id") -> ui.table:
    """Let a tap or Enter on a row call `on_open` with the row's `key`."""
    table.on("rowClick", lambda event: on_open(event.args[1][key]), [[], [key], None])
    return table.classes("desk-opens")
