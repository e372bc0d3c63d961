"""The manual's two-level window (二層式查詢): a code on the left, what belongs to it on the right, then 選擇."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nicegui import ui

from ui import wording
from ui.dialogs import answer_of
from ui.row_table import open_rows

Choice = tuple[str, str]  # a code and what it is called


@dataclass
class _Chosen:
    left: str = ""
    right: str = ""


async def choose_two_level(
    title: str,
    left: Sequence[Choice],
    right_of: Callable[[str], Sequence[Choice]],
    *,
    left_title: str,
    right_title: str,
    first: str = "",
) -> tuple[str, str] | None:
    """Ask for a code of each side; None where the nurse leaves. `first`: what is chosen on the left to begin with.

    Typing filters the left; Enter takes its first row, and once more the first on the right.
    """
    chosen = _Chosen()

    def filtered() -> list[Choice]:
        piece = (search.value or "").strip().casefold()
        return [choice for choice in left if piece in choice[0].casefold() or piece in choice[1].casefold()]

    def show_left() -> None:
        lefts.rows = _rows(filtered())

    def take_left(code: str) -> None:
        chosen.left, chosen.right = code, ""
        rights.rows = _rows(right_of(code))
        tell()

    def take_right(code: str) -> None:
        chosen.right = code
        tell()

    def tell() -> None:
        told.set_text(wording.TWO_LEVEL_CHOSEN.format(left=chosen.left, right=chosen.right))
        choose.set_enabled(bool(chosen.right))

    def enter() -> None:
        if chosen.right:
            submit()
        elif chosen.left and (rows := right_of(chosen.left)):
            take_right(rows[0][0])
        elif found := filtered():
            take_left(found[0][0])

    def submit() -> None:
        dialog.submit((chosen.left, chosen.right))

    with ui.dialog() as dialog, ui.card().classes("desk-window"):
        ui.label(title).classes("text-lg")
        search = ui.input(wording.TWO_LEVEL_SEARCH, on_change=show_left)
        search.props("outlined dense autofocus clearable data-enter=stay").classes("w-full").mark("window-search")
        search.on("keydown.enter", enter)
        with ui.element("div").classes("desk-two-level"):
            lefts = _list(left_title, "window-left", take_left)
            rights = _list(right_title, "window-right", take_right)
        told = ui.label("").classes("desk-note").mark("window-chosen")
        with ui.row():
            choose = ui.button(wording.CHOOSE, on_click=submit).props("color=primary").mark("window-choose")
            ui.button(wording.LEAVE, on_click=lambda: dialog.submit(None)).props("outline").mark("window-leave")
    show_left()
    if first:
        take_left(first)
    else:
        tell()
    answer = await answer_of(dialog)
    return answer if isinstance(answer, tuple) else None


def _rows(choices: Sequence[Choice]) -> list[dict[str, str]]:
    return [{"code": code, "name": name} for code, name in choices]


def _list(title: str, mark: str, take: Callable[[str], None]) -> ui.table:
    columns = [
        {"name": name, "label": label, "field": name, "align": "left"}
        for name, label in (("code", title), ("name", wording.CODE_NAME))
    ]
    table = ui.table(columns=columns, rows=[], row_key="code").mark(mark)
    table.props("dense hide-bottom virtual-scroll wrap-cells")
    return open_rows(table, take, key="code")
