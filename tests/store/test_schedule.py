import csv
from pathlib import Path

import pytest

from store.codes import LiveKind, dose_labels, vaccine_by_code, vaccines
from store.schedule import (
    dose_intervals,
    find_interval,
    find_spacing,
    scheduled_dose,
    scheduled_doses,
    source_title,
    spacing_rules,
)

DATA = Path(__file__).parents[2] / "store" / "data"


def test_every_rule_is_of_a_known_dose() -> None:
    named = [(d.vaccine_code, d.dose_number) for d in scheduled_doses()]
    named += [(i.vaccine_code, label) for i in dose_intervals() for label in (i.earlier_dose, i.later_dose)]

    assert named
    assert [(code, label) for code, label in named if label not in dose_labels(code)] == []


def test_every_spacing_rule_is_of_known_vaccines() -> None:
    named = {code for rule in spacing_rules() for code in (*rule.earlier, *rule.later)} - {"[live]"}

    assert named
    assert [code for code in named if vaccine_by_code(code) is None] == []


def test_every_rule_names_a_document() -> None:
    sources = {rule.source for table in (scheduled_doses(), dose_intervals(), spacing_rules()) for rule in table}

    assert {source for source in sources if source_title(source) == source} == set()


def test_a_document_no_table_has_is_named_as_it_came() -> None:
    assert source_title("new_table") == "new_table"


def test_derived_ages_are_the_first_doses_age_and_the_intervals_after_it() -> None:
    derived = [dose for dose in scheduled_doses() if dose.age_is_derived]

    assert derived
    for dose in derived:
        reached = [
            scheduled.min_age_days + interval.min_days
            for interval in dose_intervals()
            if (interval.vaccine_code, interval.later_dose) == (dose.vaccine_code, dose.dose_number)
            and interval.if_earlier_from_age_days is None
            and (scheduled := scheduled_dose(dose.vaccine_code, interval.earlier_dose)) is not None
        ]
        assert dose.min_age_days == max(reached), dose


def test_varicella_mmr_and_live_je_have_no_grace() -> None:
    without = {dose.vaccine_code for dose in scheduled_doses() if not dose.grace_days and dose.source == "minimum"}
    without_between = {interval.vaccine_code for interval in dose_intervals() if not interval.grace_days}

    assert without == {"Var", "MMR", "JE-CV_LiveAtd", "5in1"}
    assert without_between == {"MMR", "JE-CV_LiveAtd"}


def test_of_5in1_only_the_fourth_dose_has_no_grace_for_age() -> None:
    grace = {dose.dose_number: dose.grace_days for dose in scheduled_doses() if dose.vaccine_code == "5in1"}

    assert grace == {"1": 4, "2": 4, "3": 4, "4": 0}


@pytest.mark.parametrize(("age_days", "min_days"), [(209, 56), (210, 28), (None, 56)])
def test_pcv_first_given_at_seven_months_needs_four_weeks_only(age_days: int | None, min_days: int) -> None:
    interval = find_interval("13PCV", "1", "2", age_days)

    assert interval is not None
    assert interval.min_days == min_days


def test_the_28_day_rule_holds_for_every_live_vaccine_that_is_injected_and_for_laiv() -> None:
    live = {vaccine.code for vaccine in vaccines() if vaccine.live is LiveKind.INJECTABLE and vaccine.in_use}

    assert live == {"MMR", "Var", "JE-CV_LiveAtd", "YF", "LAIV", "ZVL", "HepA_L"}
    for code in live:
        rule = find_spacing("MMR", code)
        assert rule is not None
        assert (rule.min_days, rule.same_day) == (28, True)


@pytest.mark.parametrize("code", ["BCG", "2Rota", "3Rota", "5in1", "Flu", "JE-VC_Inactd", "Typhoid", "New_2030"])
def test_others_are_given_any_time_beside_a_live_vaccine(code: str) -> None:
    assert find_spacing("MMR", code) is None
    assert find_spacing(code, "MMR") is None


def test_a_line_of_each_table_has_as_many_cells_as_its_head() -> None:
    tables = sorted(DATA.glob("*.csv"))

    assert len(tables) >= 8
    for table in tables:
        lines = [line for line in table.read_text("utf-8").splitlines() if not line.startswith("#")]
        assert {len(cells) for cells in csv.reader(lines)} == {len(next(csv.reader(lines)))}, table.name
