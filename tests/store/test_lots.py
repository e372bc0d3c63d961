from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from store.lots import Lot, LotType, parse_lot_number
from store.roc_date import format_compact
from tests.factories import make_lot


@pytest.mark.parametrize(
    ("lot_number", "maker", "lot_type", "county"),
    [
        ("D006A-CDC", "D006A", LotType.CENTRAL, ""),
        ("X123-HPA", "X123", LotType.CENTRAL, ""),
        ("T025257-66-hb", "T025257", LotType.LOCALLY_PURCHASED, "66"),
        ("AMJRE023AA-1", "AMJRE023AA-1", LotType.SELF_PAID, ""),
        ("AMJRE023AA", "AMJRE023AA", LotType.SELF_PAID, ""),
        ("d006a-cdc", "d006a-cdc", LotType.SELF_PAID, ""),
        ("AB-1-CDC", "AB-1", LotType.CENTRAL, ""),
    ],
)
def test_the_suffix_tells_who_paid(lot_number: str, maker: str, lot_type: LotType, county: str) -> None:
    parts = parse_lot_number(lot_number)

    assert (parts.maker_lot_number, parts.lot_type, parts.county_code) == (maker, lot_type, county)


@pytest.mark.parametrize("suffix", ["", "-CDC", "-HPA", "-66-hb"])
def test_an_expiry_written_into_the_number_is_read(suffix: str) -> None:
    parts = parse_lot_number(f"U0B011M_1150826{suffix}")

    assert (parts.maker_lot_number, parts.expiry_date, parts.suffix) == ("U0B011M", date(2026, 8, 26), suffix)


def test_seven_digits_that_are_no_day_belong_to_the_makers_number() -> None:
    parts = parse_lot_number("U0B011M_1151326-CDC")

    assert (parts.maker_lot_number, parts.expiry_date) == ("U0B011M_1151326", None)


@given(
    st.text(),
    st.one_of(
        st.just(""),
        st.dates(min_value=date(1912, 1, 1), max_value=date(2910, 1, 1)).map(lambda d: f"_{format_compact(d)}"),
    ),
    st.sampled_from(["", "-CDC", "-HPA", "-66-hb"]),
)
def test_the_parts_put_together_are_the_lot_number(maker: str, expiry: str, suffix: str) -> None:
    parts = parse_lot_number(maker + expiry + suffix)

    written = f"_{format_compact(parts.expiry_date)}" if parts.expiry_date else ""
    assert parts.maker_lot_number + written + parts.suffix == maker + expiry + suffix


@given(st.text(min_size=1, alphabet=st.characters(codec="utf-8")))
def test_a_lot_number_is_kept_exactly(lot_number: str) -> None:
    lot = make_lot(lot_number=lot_number)

    assert Lot.model_validate_json(lot.model_dump_json()).lot_number == lot_number


def test_the_entered_expiry_counts_before_the_written_one() -> None:
    lot = make_lot(lot_number="X_1150826-CDC", expiry_date=date(2027, 1, 1))

    assert lot.expires_on == date(2027, 1, 1)


def test_the_written_expiry_counts_where_none_was_entered() -> None:
    assert make_lot(lot_number="X_1150826-CDC", expiry_date=None).expires_on == date(2026, 8, 26)


@pytest.mark.parametrize(
    "changes", [{"lot_number": ""}, {"vaccine_code": ""}, {"lot_type": "0"}, {"doses_per_vial": 0}]
)
def test_a_lot_needs_its_number_its_vaccine_and_a_sensible_type(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make_lot(**changes)
