from datetime import date

import pytest

from store.lots import LotType
from store.problems import ProblemCode, Severity
from store.special_identities import (
    check_identity,
    find_identity,
    identities_of,
    identity_schemes,
    schemes_of,
    suggest_identity,
)

DAY = date(2026, 11, 23)
COVID = "CoV_Moderna_LP"


def test_no_code_is_in_the_tables_twice() -> None:
    codes = [identity.code for scheme in identity_schemes() for identity in identities_of(scheme.scheme)]

    assert len(codes) == len(set(codes)) == 19 + 7 + 10 + 1


def test_every_code_is_of_a_scheme_and_has_a_name() -> None:
    assert all(find_identity(i.code) is i and i.name for s in identity_schemes() for i in identities_of(s.scheme))


@pytest.mark.parametrize(
    ("vaccine_code", "schemes"),
    [
        ("Flu", ["flu"]),
        ("CoV_Moderna_XFG", ["covid", "covid_2021"]),
        ("CoV_AZ", ["covid", "covid_2021"]),
        ("CoV_of_2030", ["covid", "covid_2021"]),
        ("MMR", []),
        ("13PCV", []),
        ("FluHD", []),
        ("", []),
    ],
)
def test_which_schemes_a_vaccine_needs(vaccine_code: str, schemes: list[str]) -> None:
    assert [scheme.scheme for scheme in schemes_of(vaccine_code)] == schemes


@pytest.mark.parametrize(
    ("born", "code"),
    [
        (date(2026, 5, 27), "C15"),  # 180 days
        (date(2026, 5, 28), None),  # 179 days: under six months
        (date(2022, 1, 1), "C15"),  # 2026 - 2022 = 4
        (date(2021, 12, 31), "C14"),  # 2026 - 2021 = 5, though not yet five years old
        (date(2015, 6, 1), "C14"),
        (date(2014, 6, 1), "C17"),
        (date(2009, 6, 1), "C17"),
        (date(2008, 12, 31), "C12"),
        (date(1977, 1, 1), "C12"),
        (date(1976, 12, 31), "C10"),
        (date(1962, 1, 1), "C10"),
        (date(1961, 12, 31), "C11"),
        (date(1952, 1, 1), "C11"),
        (date(1951, 12, 31), "C08A"),
        (date(1920, 1, 1), "C08A"),
        (date(2026, 11, 24), None),  # born after the day
    ],
)
def test_covid_codes_follow_from_the_two_years(born: date, code: str | None) -> None:
    assert suggest_identity(COVID, born, DAY) == code


@pytest.mark.parametrize(
    ("born", "code"),
    [
        (date(1976, 11, 23), "F03A"),  # fifty today
        (date(1976, 11, 24), None),  # fifty tomorrow
        (date(2026, 5, 27), "F01"),
        (date(2026, 5, 28), None),
        (date(2021, 11, 24), "F01"),  # five tomorrow
        (date(2021, 11, 23), None),  # five: at school or not, age does not tell
        (date(1990, 1, 1), None),
    ],
)
def test_flu_codes_are_suggested_only_where_age_decides(born: date, code: str | None) -> None:
    assert suggest_identity("Flu", born, DAY) == code


@pytest.mark.parametrize(
    ("vaccine_code", "born", "day"),
    [
        ("MMR", date(1960, 1, 1), DAY),
        ("", date(1960, 1, 1), DAY),
        ("CoV_AZ", date(1960, 1, 1), date(2021, 6, 16)),
        ("Flu", None, DAY),
        ("Flu", date(1960, 1, 1), None),
    ],
)
def test_nothing_is_suggested_where_nothing_is_known(vaccine_code: str, born: date | None, day: date | None) -> None:
    assert suggest_identity(vaccine_code, born, day) is None


def test_who_was_born_on_a_leap_day_is_fifty_on_the_first_of_march() -> None:
    assert suggest_identity("Flu", date(1976, 2, 29), date(2026, 2, 28)) is None
    assert suggest_identity("Flu", date(1976, 2, 29), date(2026, 3, 1)) == "F03A"


@pytest.mark.parametrize(
    ("vaccine_code", "identity", "lot_type", "code"),
    [
        ("Flu", "", LotType.CENTRAL, ProblemCode.SPECIAL_IDENTITY_MISSING),
        ("Flu", None, LotType.LOCALLY_PURCHASED, ProblemCode.SPECIAL_IDENTITY_MISSING),
        ("Flu", None, None, ProblemCode.SPECIAL_IDENTITY_MISSING),
        (COVID, None, LotType.CENTRAL, ProblemCode.SPECIAL_IDENTITY_MISSING),
        ("Flu", None, LotType.SELF_PAID, None),
        ("MMR", None, LotType.CENTRAL, None),
        ("Flu", "F05A", LotType.CENTRAL, None),
        ("Flu", "F99", LotType.CENTRAL, ProblemCode.SPECIAL_IDENTITY_UNKNOWN),
        ("Flu", "C12", LotType.CENTRAL, ProblemCode.SPECIAL_IDENTITY_OF_OTHER_VACCINE),
        (COVID, "F05A", LotType.CENTRAL, ProblemCode.SPECIAL_IDENTITY_OF_OTHER_VACCINE),
        (COVID, "R03C", LotType.CENTRAL, ProblemCode.SPECIAL_IDENTITY_OF_OTHER_VACCINE),
        ("MMR", "F05A", LotType.CENTRAL, ProblemCode.SPECIAL_IDENTITY_OF_OTHER_VACCINE),
        ("MMR", "R03C", LotType.CENTRAL, None),
        ("MMR", "R99", LotType.CENTRAL, None),
        (COVID, "C12", LotType.CENTRAL, None),
        (COVID, "C08A", LotType.CENTRAL, ProblemCode.SPECIAL_IDENTITY_OF_OTHER_AGE),
        ("CoV_AZ", "1", LotType.CENTRAL, None),
    ],
)
def test_an_identity_is_judged_by_the_schemes_of_its_vaccine(
    vaccine_code: str, identity: str | None, lot_type: LotType | None, code: ProblemCode | None
) -> None:
    found = check_identity(vaccine_code, identity, lot_type, date(1985, 11, 8), DAY)

    assert [p.code for p in found] == ([code] if code else [])
    assert all(p.field == "special_identity" and p.severity is Severity.WARNING and p.facts["source"] for p in found)


def test_a_code_by_age_is_not_judged_without_a_birth_date() -> None:
    assert check_identity(COVID, "C08A", LotType.CENTRAL, None, DAY) == []
    assert check_identity(COVID, "C08A", LotType.CENTRAL, date(1985, 11, 8), None) == []


def test_a_child_of_six_before_school_may_have_f01() -> None:
    assert check_identity("Flu", "F01", LotType.CENTRAL, date(2020, 9, 10), DAY) == []
