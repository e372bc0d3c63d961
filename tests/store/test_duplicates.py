"""Which records are likely one, told without a store."""

from typing import Any

import pytest

from store.duplicates import Likeness, are_twins, dose_key, likeness, phone_birth_key

ONE: dict[str, Any] = {
    "name": "陳小明",
    "birth_date": "2020-05-01",
    "national_id": "A123456789",
    "phone": "0912345678",
    "birth_order": 1,
}


def person(**changes: Any) -> dict[str, Any]:
    return {**ONE, **changes}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (person(name="王大同", birth_date="1999-01-01"), [Likeness.NATIONAL_ID]),
        (person(national_id=None, phone=""), [Likeness.NAME_BIRTH]),
        (person(name="陳　小明 ", national_id="B222419838", phone=""), [Likeness.NAME_BIRTH]),
        (person(name="陳曉明", national_id=None, phone="0912-345-678"), [Likeness.PHONE_BIRTH]),
        (person(name="陳曉明", national_id=None, phone=""), []),
        (person(birth_date="2020-05-02", national_id=None), []),
        (person(name="陳曉明", national_id="B222419838"), []),
    ],
    ids=[
        "same ID alone",
        "name and birth date",
        "name however it is spaced, although the IDs differ",
        "telephone and birth date",
        "birth date alone",
        "another birth date",
        "a telephone of two who have neither name nor ID in common",
    ],
)
def test_who_is_likely_the_same_person(other: dict[str, Any], expected: list[Likeness]) -> None:
    assert likeness(ONE, other) == expected
    assert likeness(other, ONE) == expected


def test_twins_are_never_likely_the_same_person_even_with_one_id_and_one_name() -> None:
    one = person(parent_national_id="B222419838")
    other = person(parent_national_id="B222419838", birth_order=2)

    assert are_twins(one, other)
    assert likeness(one, other) == []


def test_one_name_and_telephone_are_no_match_where_the_place_among_twins_differs() -> None:
    one, other = person(national_id=None), person(national_id=None, birth_order=2)

    assert likeness(one, other) == []


def test_the_same_child_of_one_parent_registered_twice_is_a_match() -> None:
    child = person(national_id=None, parent_national_id="B222419838")

    assert likeness(child, dict(child)) == [Likeness.NAME_BIRTH, Likeness.PHONE_BIRTH]


def test_a_short_telephone_finds_nobody() -> None:
    assert phone_birth_key(person(phone="12345")) is None


DOSE = {
    "person_id": "a" * 32,
    "vaccine_code": "MMR",
    "dose_number": "1",
    "vaccination_date": "2026-11-20",
    "voided": False,
}


def test_a_dose_is_the_same_on_whatever_day_it_was_given() -> None:
    assert dose_key(DOSE) == dose_key({**DOSE, "vaccination_date": "2024-01-05"})


def test_a_voided_dose_is_nobodys_duplicate() -> None:
    assert dose_key({**DOSE, "voided": True}) is None


def test_influenza_of_two_winters_is_not_the_same_dose() -> None:
    flu = {**DOSE, "vaccine_code": "Flu"}

    assert dose_key(flu) != dose_key({**flu, "vaccination_date": "2025-11-20"})
    assert dose_key(flu) == dose_key({**flu, "vaccination_date": "2027-01-20"})
