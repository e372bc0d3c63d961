"""No cell of a file runs in a spreadsheet, and the mark that sees to it comes off again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.formulas import is_formula_but_no_number, is_like_a_formula, sign_of, with_mark, without_mark

SIGNS = ["=", "+", "-", "@", "＝", "＋", "－", "＠"]
BEFORE = ["", " ", "\u3000", "\u00a0", "'", '"', " '\" ", "\ufeff", "\u200b", "\t", "\r", "\n", "\u202e"]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", BEFORE, ids=ascii)
def test_what_a_spreadsheet_would_reckon_gets_a_mark(sign: str, before: str) -> None:
    cell = f"{before}{sign}cmd|' /C calc'!A0"
    assert with_mark(cell) == f"'{cell}"
    assert sign_of(cell) == sign


@pytest.mark.parametrize("cell", ["", "王小明", "A123456789", "1-2", "a=b", "(04)2223-4567", "O'Brien", "'", '"x"'])
def test_all_else_stays_as_it_is(cell: str) -> None:
    assert with_mark(cell) == without_mark(cell) == cell
    assert sign_of(cell) == ""


TEXTS = st.text(alphabet=st.sampled_from("'\"=+-@ \t\r\n\u3000\u200b＝１a王"), max_size=8) | st.text(max_size=20)


@given(TEXTS)
def test_a_cell_comes_back_as_it_was(cell: str) -> None:
    assert without_mark(with_mark(cell)) == cell


@given(TEXTS)
def test_a_marked_cell_begins_with_nothing_that_runs(cell: str) -> None:
    assert not is_like_a_formula(cell) or with_mark(cell).startswith("'")


@pytest.mark.parametrize("cell", ["+886912345678", "+886-912-345678", "-5", "＋886 (0)912", "(04) 222"])
def test_a_number_with_a_sign_does_no_harm(cell: str) -> None:
    assert not is_formula_but_no_number(cell)


@pytest.mark.parametrize("cell", ["+1+cmd|'!A", "-A1", "@SUM(1)", "=1", "+1=1", "+886x"])
def test_what_only_begins_like_a_number_does(cell: str) -> None:
    assert is_formula_but_no_number(cell)
