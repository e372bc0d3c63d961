from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.lot_choice import choose_lots
from store.lots import Lot, LotStatus
from tests.factories import TODAY, make_lot

SOON, LATER = date(2027, 1, 31), date(2028, 1, 31)


def offered(*lots: Lot, last_used: str = "", of_the_day: str = "") -> list[str]:
    return [lot.lot_number for lot in choose_lots(lots, "MMR", TODAY, last_used, of_the_day)]


def test_the_first_to_expire_is_offered_first_and_an_unknown_expiry_last() -> None:
    lots = [
        make_lot(lot_number="UNKNOWN", expiry_date=None),
        make_lot(lot_number="LATER", expiry_date=LATER),
        make_lot(lot_number="WRITTEN_1151201", expiry_date=None),
        make_lot(lot_number="SOON", expiry_date=SOON),
    ]

    assert offered(*lots) == ["WRITTEN_1151201", "SOON", "LATER", "UNKNOWN"]


def test_the_lot_last_used_comes_before_the_first_to_expire() -> None:
    lots = [make_lot(lot_number="SOON", expiry_date=SOON), make_lot(lot_number="LATER", expiry_date=LATER)]

    assert offered(*lots, last_used="LATER") == ["LATER", "SOON"]


def test_the_lot_of_the_day_comes_before_the_first_to_expire_and_after_the_lot_in_hand() -> None:
    lots = [
        make_lot(lot_number="SOON", expiry_date=SOON),
        make_lot(lot_number="LATER", expiry_date=LATER),
        make_lot(lot_number="UNKNOWN", expiry_date=None),
    ]

    assert offered(*lots, of_the_day="LATER") == ["LATER", "SOON", "UNKNOWN"]
    assert offered(*lots, last_used="UNKNOWN", of_the_day="LATER") == ["UNKNOWN", "LATER", "SOON"]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": LotStatus.DEPLETED},
        {"status": LotStatus.RECALLED},
        {"expiry_date": date(2026, 11, 22)},
        {"lot_number": "X_1151122", "expiry_date": None},
        {"vaccine_code": "Var"},
    ],
    ids=["depleted", "recalled", "expired", "expired by its number", "of another vaccine"],
)
def test_a_lot_that_must_not_be_used_is_not_offered_even_when_it_was_used_last(changes: dict[str, Any]) -> None:
    lot = make_lot(**changes)

    assert offered(lot, last_used=lot.lot_number) == []


def test_on_its_last_day_a_lot_is_still_offered() -> None:
    assert offered(make_lot(expiry_date=TODAY)) == ["AMJRE075AA-CDC"]


def test_what_is_offered_depends_on_the_day_of_the_dose() -> None:
    lot = make_lot(expiry_date=date(2026, 11, 22))

    assert choose_lots([lot], "MMR", date(2026, 11, 20)) == [lot]


@given(st.permutations([make_lot(lot_number=n, expiry_date=e) for n, e in (("A", SOON), ("B", SOON), ("C", None))]))
def test_the_order_does_not_depend_on_how_the_lots_came(lots: list[Lot]) -> None:
    assert offered(*lots, last_used="C") == ["C", "A", "B"]
