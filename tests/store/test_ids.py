import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.ids import (
    IdType,
    check_institution_code,
    check_national_id,
    classify_id,
    id_checksum_holds,
    normalise_id,
)
from store.problems import Problem, ProblemCode, Severity

VALID = [
    ("A123456789", IdType.NATIONAL),
    ("B222419838", IdType.NATIONAL),
    ("A800000014", IdType.RESIDENT),
    ("AC01234567", IdType.OLD_RESIDENT),
]


@pytest.mark.parametrize(("text", "id_type"), VALID)
def test_numbers_are_told_apart_by_their_form(text: str, id_type: IdType) -> None:
    assert classify_id(text) is id_type


@pytest.mark.parametrize("text", [text for text, _ in VALID])
def test_right_numbers_give_no_problem(text: str) -> None:
    assert check_national_id(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A12345678",
        "A1234567890",
        "A323456789",
        "AE01234567",
        "1123456789",
        "a123456789",
        "A12345678９",
        "A1234?6789",
    ],
)
def test_a_number_of_unknown_form_is_reported(text: str) -> None:
    assert classify_id(text) is None
    assert check_national_id(text) == [Problem("national_id", ProblemCode.ID_UNKNOWN_FORM)]


def test_the_form_is_known_even_where_the_checksum_is_wrong() -> None:
    assert classify_id("A912345678") is IdType.RESIDENT
    assert check_national_id("A912345678") == [Problem("national_id", ProblemCode.ID_CHECKSUM)]


def test_a_parents_number_is_reported_at_its_own_field() -> None:
    assert check_national_id("A123456780", "parent_national_id") == [
        Problem("parent_national_id", ProblemCode.ID_CHECKSUM)
    ]


def test_wrong_numbers_are_warnings_so_that_nobody_is_turned_away() -> None:
    assert {p.severity for text in ("X", "A123456780") for p in check_national_id(text)} == {Severity.WARNING}


@given(
    st.sampled_from([text for text, _ in VALID]),
    st.integers(min_value=2, max_value=9),
    st.integers(min_value=1, max_value=9),
)
def test_one_mistyped_digit_never_passes_unless_its_weight_hides_it(text: str, place: int, step: int) -> None:
    mistyped = text[:place] + str((int(text[place]) + step) % 10) + text[place + 1 :]
    weight = 1 if place == 9 else 9 - place
    change = (int(mistyped[place]) - int(text[place])) * weight

    # Weights 2, 4, 5 and 6 share a factor with 10: there the sum itself cannot tell.
    assert id_checksum_holds(mistyped) == (change % 10 == 0)


@given(st.from_regex(r"[A-Z]([1289]|[A-D])[0-9]{7}", fullmatch=True))
def test_exactly_one_last_digit_makes_a_number_right(start: str) -> None:
    assert sum(id_checksum_holds(f"{start}{digit}") for digit in range(10)) == 1


@pytest.mark.parametrize("text", [" b222419838 ", "Ｂ２２２４１９８３８", "b222 419 838", "ｂ222419838　"])
def test_ids_are_read_however_they_are_typed(text: str) -> None:
    assert normalise_id(text) == "B222419838"


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalise_id(normalise_id(text)) == normalise_id(text)


@pytest.mark.parametrize("code", ["1133060019", "592202A296", "0412040012"])
def test_institution_codes_seen_in_public_data_pass(code: str) -> None:
    assert check_institution_code(code) == []


def test_a_mistyped_institution_code_is_only_warned_of() -> None:
    (problem,) = check_institution_code("1133060018")

    assert problem.code is ProblemCode.INSTITUTION_CODE_CHECK_DIGIT
    assert problem.severity is Severity.WARNING


@pytest.mark.parametrize("code", ["", "113306001", "11330600190", "A133060019", "1133060019\n", "113306aaaa"])
def test_an_institution_code_of_another_form_is_reported(code: str) -> None:
    assert [p.code for p in check_institution_code(code)] == [ProblemCode.INSTITUTION_CODE_FORM]
