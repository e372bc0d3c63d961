"""What nobody can see is not kept in a name, a number or a code; what people are really called is."""

import pytest

from store.problems import ProblemCode
from store.texts import check_text, check_texts
from tests.factories import make_patient

UNSEEN = {
    "turns the line": "\u202e",
    "isolates": "\u2066",
    "Arabic mark": "\u061c",
    "no width": "\u200b",
    "Hangul filler": "\u3164",
    "half-width filler": "\uffa0",
    "operator": "\u2062",
    "tag": "\U000e0041",
    "joiner of graphemes": "\u034f",
    "annotation": "\ufff9",
    "NUL": "\0",
    "escape": "\x1b",
    "half of a character": "\ud800",
    "no character": "\uffff",
}


@pytest.mark.parametrize("name", UNSEEN)
def test_a_sign_that_nobody_sees_is_told(name: str) -> None:
    assert [problem.code for problem in check_text(f"王{UNSEEN[name]}明")] == [ProblemCode.TEXT_UNSEEN]


def test_a_record_names_the_field() -> None:
    assert [problem.field for problem in check_texts(make_patient(name="王\u3164明"))] == ["name"]


@pytest.mark.parametrize(
    "text",
    ["王小明", "𠮷田", "邉\U000e0104", "O'Brien-Łukasz", "الاسم", "ᠮᠣᠩ", "👩\u200d👧\ufe0f", "नाम\u200c", "王　明"],
    ids=ascii,
)
def test_names_of_all_scripts_are_kept(text: str) -> None:
    assert check_text(text) == []
