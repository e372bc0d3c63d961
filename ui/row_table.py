"""Tables whose rows open, or are chosen: by a tap, and by key where ui/assets/reach.js walks from row to row."""

from collections.abc import Callable, Iterable

from nicegui import ui

# Quasar's own boxes say nothing to a screen reader.
_BOX = '<q-checkbox v-model="props.selected" {name} />'


def open_rows(table: ui.table, on_open: Callable[[str], object], *, key: str = "record_id") -> ui.table:
    """Let a tap or Enter on a row call `on_open` with the row's `key`."""
    table.on("rowClick", lambda event: on_open(event.args[1][key]), [[], [key], None])
    return table.classes("desk-opens")


def choose_rows(
    table: ui.table, chosen: Iterable[str], every: str, on_choice: Callable[[], object] = lambda: None
) -> ui.table:
    """Let a tap on a row, or on its box, choose it or not. `table` has `selection="multiple"` and `record_id`s.

    Shape: `chosen` are the record ids to begin with; `every` is what the box for all is called, a row's `name` its own.
    """
    table.add_slot("header-selection", _BOX.format(name=f'aria-label="{every}"'))
    table.add_slot("body-selection", _BOX.format(name=':aria-label="props.row.name"'))
    begin = set(chosen)
    table.selected = [row for row in table.rows if row["record_id"] in begin]

    def toggle(record_id: str) -> None:
        others = [one for one in table.selected if one["record_id"] != record_id]
        if len(others) == len(table.selected):
            others += [row for row in table.rows if row["record_id"] == record_id]
        table.selected = others
        on_choice()

    table.on_select(on_choice)
    return open_rows(table, toggle).classes("desk-chooses")
