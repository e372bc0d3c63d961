"""Cells that a spreadsheet would reckon with instead of showing them, and the mark that keeps it from doing so. Pure.

Invariants:
- a marked cell never begins with what a spreadsheet takes for a formula;
- `without_mark(with_mark(cell)) == cell` for every cell.

Decision 2026-11-29: what stands before the sign counts as nothing (blanks, quotes, signs that cannot be seen), since
spreadsheets differ in what they skip. Full-width signs count, as a Chinese spreadsheet takes them for the plain ones.
"""

import re

_SIGN = "=+\\-@＝＋－＠﹢﹣﹦﹫"
_BEFORE = "'\"\\s\ufeff\u00ad\u200b-\u200f\u2060\u2028-\u202e"
_FORMULA = re.compile(f"[\t\r\n]|[{_BEFORE}]*[{_SIGN}]")
# "+886-912-345678", "-5": what a spreadsheet makes of a number harms nobody.
_NUMBER = re.compile(r"[+\-＋－]?[\d\s()（）.\-]*")
_MARK = "'"


def is_like_a_formula(cell: str) -> bool:
    return _FORMULA.match(cell.lstrip(_MARK)) is not None


def is_formula_but_no_number(cell: str) -> bool:
    return is_like_a_formula(cell) and _NUMBER.fullmatch(cell) is None


def with_mark(cell: str) -> str:
    """The cell as it may stand in a file that people open in a spreadsheet."""
    return f"{_MARK}{cell}" if is_like_a_formula(cell) else cell


def without_mark(cell: str) -> str:
    """The cell as it was before `with_mark`."""
    return cell[1:] if cell.startswith(_MARK) and is_like_a_formula(cell) else cell


def sign_of(cell: str) -> str:
    """The sign by which a cell is like a formula; empty where none is."""
    found = re.search(f"[{_SIGN}]", cell)
    return found[0] if found and is_like_a_formula(cell) else ""
