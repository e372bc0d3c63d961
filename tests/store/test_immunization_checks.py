"""Dates are counted by hand from the CDC's tables: minimum ages and intervals 114.4 (S3), spacing 115.05 (S2)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.immunization_checks import DoseGiven, check_timing
from store.problems import Problem, ProblemCode, Severity
from store.schedule import dose_intervals, scheduled_doses

BORN = date(2025, 1, 1)
MINIMUM = "疾管署「最小接種年齡與最短間隔」114.4"
SPACING = "疾管署「間隔時間一覽表」115.05"


def codes(dose: DoseGiven, *others: DoseGiven, born: date | None = None) -> list[ProblemCode]:
    return [problem.code for problem in check_timing(dose, born, others)]


def given_on(vaccine_code: str, dose_number: str, day: date) -> DoseGiven:
    return DoseGiven(vaccine_code, dose_number, day)


AGE = [ProblemCode.AGE_UNDER_MINIMUM]
SOON = [ProblemCode.INTERVAL_UNDER_MINIMUM]
NEXT = [ProblemCode.NEXT_DOSE_TOO_SOON]
NEAR = [ProblemCode.SPACING_UNDER_MINIMUM]
OTHER = [ProblemCode.OTHER_VACCINE_TOO_SOON]


@pytest.mark.parametrize(
    ("vaccine_code", "dose_number", "day", "told"),
    [
        # 5in1-1: 6 weeks = 42 days after 2025-01-01 is 02-12; four days early is 02-08.
        ("5in1", "1", date(2025, 2, 12), []),
        ("5in1", "1", date(2025, 2, 11), []),
        ("5in1", "1", date(2025, 2, 8), []),
        ("5in1", "1", date(2025, 2, 7), AGE),
        # 13PCV-3: 365 days = 2026-01-01, with grace 2025-12-28.
        ("13PCV", "3", date(2025, 12, 28), []),
        ("13PCV", "3", date(2025, 12, 27), AGE),
        # MMR, Var and live JE: 365 days without grace.
        ("MMR", "1", date(2026, 1, 1), []),
        ("MMR", "1", date(2025, 12, 31), AGE),
        ("MMR", "1", date(2025, 12, 28), AGE),
        ("MMR", "1", date(2025, 12, 27), AGE),
        ("Var", "1", date(2026, 1, 1), []),
        ("Var", "1", date(2025, 12, 31), AGE),
        ("JE-CV_LiveAtd", "1", date(2026, 1, 1), []),
        ("JE-CV_LiveAtd", "1", date(2025, 12, 31), AGE),
        # 5in1-4: not a day before twelve months.
        ("5in1", "4", date(2026, 1, 1), []),
        ("5in1", "4", date(2025, 12, 31), AGE),
        # rHepB-1: from birth on; rHepB-3: 112 days = 2025-04-23, with grace 04-19.
        ("rHepB", "1", date(2025, 1, 1), []),
        ("rHepB", "3", date(2025, 4, 19), []),
        ("rHepB", "3", date(2025, 4, 18), AGE),
        # MMR-3 is the self-paid dose from six months on: 180 days = 2025-06-30.
        ("MMR", "3", date(2025, 6, 30), []),
        ("MMR", "3", date(2025, 6, 29), AGE),
        # DTaP-IPV-5: 4 years = 1460 days = 2028-12-31, with grace 12-27.
        ("DTaP-IPV", "5", date(2028, 12, 27), []),
        ("DTaP-IPV", "5", date(2028, 12, 26), AGE),
        ("PPV", "1", date(2026, 12, 31), AGE),
        ("PPV", "1", date(2027, 1, 1), []),
    ],
)
def test_an_age_is_judged_to_the_day(vaccine_code: str, dose_number: str, day: date, told: list[ProblemCode]) -> None:
    assert codes(given_on(vaccine_code, dose_number, day), born=BORN) == told


def test_a_dose_before_birth_is_not_told_to_be_early_as_well() -> None:
    assert codes(given_on("MMR", "1", BORN - timedelta(days=1)), born=BORN) == []


def test_without_a_birth_date_no_age_is_judged() -> None:
    assert codes(given_on("MMR", "1", BORN)) == []


def test_the_sentence_has_all_it_needs_of_an_age() -> None:
    assert check_timing(given_on("MMR", "1", date(2025, 12, 31)), BORN, []) == [
        Problem(
            "vaccination_date",
            ProblemCode.AGE_UNDER_MINIMUM,
            {
                "needed_days": "365",
                "actual_days": "364",
                "earliest_date": "2026-01-01",
                "grace_days": "0",
                "source": MINIMUM,
                "age_basis": "stated",
            },
        )
    ]


FIRST = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("vaccine_code", "earlier", "later", "day", "told"),
    [
        # 28 days after 2026-03-02 is 03-30; one, four and five days under are 03-29, 03-26 and 03-25.
        ("5in1", "1", "2", date(2026, 3, 30), []),
        ("5in1", "1", "2", date(2026, 3, 29), []),
        ("5in1", "1", "2", date(2026, 3, 26), []),
        ("5in1", "1", "2", date(2026, 3, 25), SOON),
        # 6 months = 180 days: 2026-08-29, with grace 08-25.
        ("5in1", "3", "4", date(2026, 8, 25), []),
        ("5in1", "3", "4", date(2026, 8, 24), SOON),
        # rHepB-3: 56 days after dose 2 (04-27, with grace 04-23), 112 after dose 1 (06-22, with grace 06-18).
        ("rHepB", "2", "3", date(2026, 4, 23), []),
        ("rHepB", "2", "3", date(2026, 4, 22), SOON),
        ("rHepB", "1", "3", date(2026, 6, 22), []),
        ("rHepB", "1", "3", date(2026, 6, 18), []),
        ("rHepB", "1", "3", date(2026, 6, 17), SOON),
        # MMR: 28 days and not one less.
        ("MMR", "1", "2", date(2026, 3, 30), []),
        ("MMR", "1", "2", date(2026, 3, 29), SOON),
        ("MMR", "1", "2", date(2026, 3, 26), SOON),
        ("MMR", "1", "2", date(2026, 3, 25), SOON),
        # Live JE: 12 months = 365 days, not one less.
        ("JE-CV_LiveAtd", "1", "2", date(2027, 3, 2), []),
        ("JE-CV_LiveAtd", "1", "2", date(2027, 3, 1), SOON),
        # 2HepA: 6 months.
        ("2HepA", "1", "2", date(2026, 8, 25), []),
        ("2HepA", "1", "2", date(2026, 8, 24), SOON),
        ("2HepA", "1", "2", FIRST, SOON),
        # Flu: four weeks; also over the turn of the season.
        ("Flu", "1", "2", date(2026, 3, 26), []),
        ("Flu", "1", "2", date(2026, 3, 25), SOON),
        # Nothing is said of doses that do not follow each other, nor of labels that are no number.
        ("13PCV", "1", "3", date(2026, 3, 3), []),
        ("rHepB", "2", "無劑次", date(2026, 3, 3), []),
        ("CoV_Moderna", "B", "B2", date(2026, 3, 3), []),
        ("New_2030", "1", "2", date(2026, 3, 3), []),
    ],
)
def test_an_interval_is_judged_to_the_day_from_either_side(
    vaccine_code: str, earlier: str, later: str, day: date, told: list[ProblemCode]
) -> None:
    one, other = given_on(vaccine_code, earlier, FIRST), given_on(vaccine_code, later, day)

    assert codes(other, one) == told
    assert codes(one, other) == (NEXT if told else [])


@pytest.mark.parametrize(
    ("first_day", "gap", "told"),
    [
        # 7 months = 210 days after 2025-01-01 is 2025-07-30.
        (date(2025, 7, 30), 24, []),
        (date(2025, 7, 30), 23, SOON),
        (date(2025, 7, 29), 52, []),
        (date(2025, 7, 29), 51, SOON),
    ],
)
def test_pcv_begun_at_seven_months_needs_four_weeks(first_day: date, gap: int, told: list[ProblemCode]) -> None:
    first, second = given_on("13PCV", "1", first_day), given_on("13PCV", "2", first_day + timedelta(days=gap))

    assert codes(second, first, born=BORN) == told


def test_hepatitis_b_three_is_told_both_of_its_intervals() -> None:
    first, second = given_on("rHepB", "1", FIRST), given_on("rHepB", "2", date(2026, 4, 1))
    found = check_timing(given_on("rHepB", "3", date(2026, 5, 1)), None, [first, second])

    # 60 of 112 days since dose 1; 30 of 56 since dose 2.
    assert [(p.facts["other_dose"], p.facts["actual_days"], p.facts["earliest_date"]) for p in found] == [
        ("1", "60", "2026-06-22"),
        ("2", "30", "2026-05-27"),
    ]


def test_the_sentence_has_all_it_needs_of_an_interval() -> None:
    first = given_on("5in1", "1", FIRST)

    assert check_timing(given_on("5in1", "2", date(2026, 3, 20)), None, [first]) == [
        Problem(
            "vaccination_date",
            ProblemCode.INTERVAL_UNDER_MINIMUM,
            {
                "other_vaccine": "5in1",
                "other_dose": "1",
                "other_date": "2026-03-02",
                "needed_days": "28",
                "actual_days": "18",
                "earliest_date": "2026-03-30",
                "grace_days": "4",
                "source": MINIMUM,
            },
        )
    ]


def test_a_second_dose_dated_before_the_first_is_out_of_order() -> None:
    first, second = given_on("2HepA", "1", FIRST), given_on("2HepA", "2", date(2026, 3, 1))

    assert codes(second, first) == [ProblemCode.DOSE_OUT_OF_ORDER]
    assert codes(first, second) == [ProblemCode.DOSE_OUT_OF_ORDER]


def test_the_first_flu_dose_after_the_second_of_the_last_season_is_in_order() -> None:
    last_season = [given_on("Flu", "1", date(2025, 10, 5)), given_on("Flu", "2", date(2025, 11, 9))]

    assert codes(given_on("Flu", "1", date(2026, 10, 5)), *last_season) == []


@pytest.mark.parametrize(
    ("one", "other", "gap", "is_near"),
    [
        ("MMR", "Var", 0, False),
        ("MMR", "Var", 1, True),
        ("MMR", "Var", 24, True),  # the grace is for one vaccine's own intervals
        ("MMR", "Var", 27, True),
        ("MMR", "Var", 28, False),
        ("JE-CV_LiveAtd", "MMR", 27, True),
        ("YF", "Var", 27, True),
        ("LAIV", "JE-CV_LiveAtd", 27, True),
        ("ZVL", "MMR", 27, True),
        ("Var", "Var", 27, True),  # Var-1 and Var-2: no interval of their own in the table
        ("BCG", "MMR", 1, False),
        ("2Rota", "MMR", 1, False),
        ("5in1", "MMR", 1, False),
        ("JE-VC_Inactd", "MMR", 1, False),
        ("OPV", "2Rota", 13, True),
        ("3Rota", "OPV", 0, True),
        ("OPV", "2Rota", 14, False),
        ("HBIG", "MMR", 89, True),
        ("HBIG", "MMR", 90, False),
        ("Var", "HBIG", 13, True),
        ("Var", "HBIG", 14, False),
        ("New_2030", "MMR", 1, False),
    ],
)
def test_two_vaccines_are_spaced_whichever_is_entered_last(one: str, other: str, gap: int, is_near: bool) -> None:
    earlier, later = given_on(one, "1", FIRST), given_on(other, "2", FIRST + timedelta(days=gap))

    assert codes(later, earlier) == (NEAR if is_near else [])
    # On one day there is no later dose: the one entered counts as it.
    assert codes(earlier, later) == ((OTHER if gap else NEAR) if is_near else [])


def test_the_sentence_has_all_it_needs_of_a_spacing() -> None:
    later = given_on("Var", "1", date(2026, 3, 20))

    assert check_timing(given_on("MMR", "1", FIRST), None, [later]) == [
        Problem(
            "vaccination_date",
            ProblemCode.OTHER_VACCINE_TOO_SOON,
            {
                "other_vaccine": "Var",
                "other_dose": "1",
                "other_date": "2026-03-20",
                "needed_days": "28",
                "actual_days": "18",
                "earliest_date": "2026-03-30",
                "grace_days": "0",
                "source": SPACING,
                "rule": "live_live",
            },
        )
    ]


def test_two_mmr_too_near_are_told_once() -> None:
    assert codes(given_on("MMR", "2", date(2026, 3, 20)), given_on("MMR", "1", FIRST)) == SOON


def test_a_travel_mmr_is_spaced_from_the_first_one() -> None:
    assert codes(given_on("MMR", "1", date(2026, 3, 20)), given_on("MMR", "3", FIRST)) == NEAR


LABELS = [*{dose.dose_number for dose in scheduled_doses()}, "B", "B2", "無劑次", ""]
VACCINES = [*{interval.vaccine_code for interval in dose_intervals()}, "OPV", "2Rota", "HBIG", "YF", "Var", "LAIV"]
doses = st.builds(
    DoseGiven,
    st.sampled_from(VACCINES) | st.text(),
    st.sampled_from(LABELS) | st.text(),
    st.dates(min_value=date(1912, 1, 1), max_value=date(2910, 12, 31))
    | st.dates(min_value=BORN, max_value=BORN + timedelta(days=400)),
)


@given(doses, st.none() | st.just(BORN) | st.dates(date(1912, 1, 1), date(2910, 12, 31)), st.lists(doses, max_size=6))
def test_whatever_was_given_is_a_warning_at_most(
    dose: DoseGiven, born: date | None, others: list[DoseGiven]
) -> None:
    for problem in check_timing(dose, born, others):
        assert (problem.field, problem.severity) == ("vaccination_date", Severity.WARNING)


@given(doses, doses)
def test_a_pair_is_odd_from_either_side_or_from_none(one: DoseGiven, other: DoseGiven) -> None:
    assert bool(check_timing(one, None, [other])) == bool(check_timing(other, None, [one]))
