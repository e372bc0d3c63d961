"""Whether a dose came too early: for the person's age, after the dose before it, or too near to another vaccine.

Invariants:
- doses are compared in both directions, so a dose entered late is seen against those given after it;
- a dose whose label or vaccine no rule names is not judged;
- what a rule's grace accepts is not told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from store.duplicates import is_given_again
from store.problems import Problem, ProblemCode
from store.schedule import DoseInterval, find_interval, find_spacing, scheduled_dose, source_title

_FIELD = "vaccination_date"


@dataclass(frozen=True, slots=True)
class DoseGiven:
    """One dose as these checks need it, of our records or of anybody's history."""

    vaccine_code: str
    dose_number: str
    vaccination_date: date


def check_timing(dose: DoseGiven, birth_date: date | None, others: Iterable[DoseGiven]) -> list[Problem]:
    """Report every rule of age, interval and spacing that a dose breaks. `others` are the person's doses that stand."""
    found = [_check_age(dose, birth_date), *(_check_pair(dose, other, birth_date) for other in others)]
    return [problem for problem in found if problem is not None]


def _check_age(dose: DoseGiven, birth_date: date | None) -> Problem | None:
    scheduled = scheduled_dose(dose.vaccine_code, dose.dose_number)
    if scheduled is None or birth_date is None or dose.vaccination_date < birth_date:
        return None
    age_days = (dose.vaccination_date - birth_date).days
    if age_days >= scheduled.min_age_days - scheduled.grace_days:
        return None
    facts = _facts(birth_date, scheduled.min_age_days, age_days, scheduled.grace_days, scheduled.source)
    facts["age_basis"] = "derived" if scheduled.age_is_derived else "stated"
    return Problem(_FIELD, ProblemCode.AGE_UNDER_MINIMUM, facts)


def _check_pair(dose: DoseGiven, other: DoseGiven, birth_date: date | None) -> Problem | None:
    """What one other dose makes odd about this one."""
    if dose.vaccine_code == other.vaccine_code:
        for earlier, later in ((other, dose), (dose, other)):
            age_days = None if birth_date is None else (earlier.vaccination_date - birth_date).days
            interval = find_interval(dose.vaccine_code, earlier.dose_number, later.dose_number, age_days)
            if interval is not None:
                return _check_interval(dose, earlier, later, interval)
    return _check_spacing(dose, other)


def _check_interval(dose: DoseGiven, earlier: DoseGiven, later: DoseGiven, interval: DoseInterval) -> Problem | None:
    gap = (later.vaccination_date - earlier.vaccination_date).days
    other = _told_of(earlier if dose is later else later)
    if gap < 0:
        # The first dose of this season comes after the second of the last one.
        return None if is_given_again(dose.vaccine_code) else Problem(_FIELD, ProblemCode.DOSE_OUT_OF_ORDER, other)
    if gap >= interval.min_days - interval.grace_days:
        return None
    code = ProblemCode.INTERVAL_UNDER_MINIMUM if dose is later else ProblemCode.NEXT_DOSE_TOO_SOON
    facts = _facts(earlier.vaccination_date, interval.min_days, gap, interval.grace_days, interval.source)
    return Problem(_FIELD, code, {**other, **facts})


def _check_spacing(dose: DoseGiven, other: DoseGiven) -> Problem | None:
    for earlier, later in ((other, dose), (dose, other)):
        gap = (later.vaccination_date - earlier.vaccination_date).days
        rule = find_spacing(earlier.vaccine_code, later.vaccine_code)
        if rule is None or not 0 <= gap < rule.min_days or (gap == 0 and rule.same_day):
            continue
        code = ProblemCode.SPACING_UNDER_MINIMUM if dose is later else ProblemCode.OTHER_VACCINE_TOO_SOON
        facts = _facts(earlier.vaccination_date, rule.min_days, gap, 0, rule.source)
        return Problem(_FIELD, code, {**_told_of(other), **facts, "rule": rule.rule})
    return None


def _told_of(other: DoseGiven) -> dict[str, str]:
    return {
        "other_vaccine": other.vaccine_code,
        "other_dose": other.dose_number,
        "other_date": other.vaccination_date.isoformat(),
    }


def _facts(since: date, needed_days: int, actual_days: int, grace_days: int, source: str) -> dict[str, str]:
    return {
        "needed_days": str(needed_days),
        "actual_days": str(actual_days),
        "earliest_date": (since + timedelta(days=needed_days)).isoformat(),
        "grace_days": str(grace_days),
        "source": source_title(source),
    }
