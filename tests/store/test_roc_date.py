import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.half_width import to_half_width
from store.roc_date import InvalidRocDate, RocDateFault, format_compact, format_roc_date, parse_roc_date

days = st.dates(min_value=date(1912, 1, 1), max_value=date(2910, 12, 31))
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1100527", date(2021, 5, 27)),
        ("110/5/27", date(2021, 5, 27)),
        ("110.05.27", date(2021, 5, 27)),
        ("110-05-27", date(2021, 5, 27)),
        ("99/1/1", date(2010, 1, 1)),
        ("990101", date(2010, 1, 1)),
        ("0740708", date(1985, 7, 8)),
        ("0074/11/08", date(1985, 11, 8)),
        ("110/ 5/ 7", date(2021, 5, 7)),
        ("1/1/1", date(1912, 1, 1)),
        ("１１００５２７", date(2021, 5, 27)),
        ("１１０／５／２７", date(2021, 5, 27)),
        ("　1100527 ", date(2021, 5, 27)),
        ("1130229", date(2024, 2, 29)),
        ("9990101", date(2910, 1, 1)),
    ],
)
def test_forms_that_staff_and_exports_write_are_read(text: str, day: date) -> None:
    assert parse_roc_date(text) == day


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", RocDateFault.EMPTY),
        (" 　", RocDateFault.EMPTY),
        ("20210527", RocDateFault.WESTERN_YEAR),
        ("19851108", RocDateFault.WESTERN_YEAR),
        ("2021/5/27", RocDateFault.WESTERN_YEAR),
        ("2021-05-27", RocDateFault.WESTERN_YEAR),
        ("0000527", RocDateFault.YEAR_ZERO),
        ("0/5/27", RocDateFault.YEAR_ZERO),
        ("1130230", RocDateFault.NO_SUCH_DAY),
        ("1120229", RocDateFault.NO_SUCH_DAY),
        ("110/13/1", RocDateFault.NO_SUCH_DAY),
        ("110/0/1", RocDateFault.NO_SUCH_DAY),
        ("1100532", RocDateFault.NO_SUCH_DAY),
        ("11052", RocDateFault.NOT_A_DATE),
        ("01100527", RocDateFault.NOT_A_DATE),
        ("01110/05/10", RocDateFault.NOT_A_DATE),
        ("110/05-27", RocDateFault.NOT_A_DATE),
        ("110/05", RocDateFault.NOT_A_DATE),
        ("110 05 27", RocDateFault.NOT_A_DATE),
        ("-1100527", RocDateFault.NOT_A_DATE),
        ("110年5月27日", RocDateFault.NOT_A_DATE),
        ("١١٠٠٥٢٧", RocDateFault.NOT_A_DATE),
        ("1100527\n1", RocDateFault.NOT_A_DATE),
    ],
)
def test_what_is_no_roc_date_is_refused_with_the_reason(text: str, fault: RocDateFault) -> None:
    with pytest.raises(InvalidRocDate) as caught:
        parse_roc_date(text)

    assert caught.value.fault is fault


def test_the_error_does_not_repeat_what_may_be_a_birthday() -> None:
    with pytest.raises(InvalidRocDate) as caught:
        parse_roc_date("19851108")

    assert "1985" not in str(caught.value)


@given(st.text())
def test_no_text_is_ever_guessed_into_a_day(text: str) -> None:
    try:
        day = parse_roc_date(text)
    except InvalidRocDate:
        return
    digits = [sign for sign in to_half_width(text) if sign in "123456789"]
    assert digits == [sign for sign in format_compact(day) if sign != "0"]


@given(st.from_regex(r"[0-9]{1,3}[/.-]?[0-9]{1,2}[/.-]?[0-9]{1,2}", fullmatch=True))
def test_date_like_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    with contextlib.suppress(InvalidRocDate):
        assert 1912 <= parse_roc_date(text).year <= 2910


@given(days, st.sampled_from([format_roc_date, format_compact]), st.booleans())
def test_what_is_formatted_here_is_read_back_as_the_same_day(day: date, write: object, wide: bool) -> None:
    assert callable(write)
    text = write(day)

    assert parse_roc_date(text.translate(FULL_WIDTH) if wide else text) == day


def test_days_are_shown_as_the_manual_prints_them() -> None:
    assert format_roc_date(date(1985, 11, 8)) == "074/11/08"
    assert format_compact(date(2021, 5, 27)) == "1100527"


@pytest.mark.parametrize("day", [date(1911, 12, 31), date(2911, 1, 1)])
@pytest.mark.parametrize("write", [format_roc_date, format_compact])
def test_days_outside_the_three_digit_calendar_are_not_written(day: date, write: object) -> None:
    assert callable(write)
    with pytest.raises(ValueError, match="1912"):
        write(day)
