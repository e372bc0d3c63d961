"""At which ages and how far apart doses may be given, out of the tables in data/, each rule with its source.

Invariant: a vaccine or a dose no table has is not judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from store.codes import LiveKind, read_table, vaccine_by_code

_LIVE = "[live]"


@dataclass(frozen=True, slots=True)
class ScheduledDose:
    """When one dose may be given.

    Units: days; a week is 7, a month 30, a year 365. `grace_days` is how much earlier is still accepted.
    Shape: `age_is_derived` where the age follows from the doses before; the recommended age may be unknown.
    """

    vaccine_code: str
    dose_number: str
    recommended_age: str
    recommended_age_days: int | None
    min_age_days: int
    age_is_derived: bool
    grace_days: int
    source: str


@dataclass(frozen=True, slots=True)
class DoseInterval:
    """How far two doses of one vaccine must be apart. Units: days, as in `ScheduledDose`."""

    vaccine_code: str
    earlier_dose: str
    later_dose: str
    min_days: int
    if_earlier_from_age_days: int | None
    grace_days: int
    source: str


@dataclass(frozen=True, slots=True)
class SpacingRule:
    """How far a vaccine must be from another one given before it. Units: days.

    Shape: `earlier` and `later` are vaccine codes, or "[live]" for every live one that is injected (and LAIV).
    """

    rule: str
    earlier: tuple[str, ...]
    later: tuple[str, ...]
    min_days: int
    same_day: bool
    source: str


@cache
def _scheduled_doses() -> Mapping[tuple[str, str], ScheduledDose]:
    doses = (
        ScheduledDose(
            vaccine_code=row["vaccine_code"],
            dose_number=row["dose_number"],
            recommended_age=row["recommended_age"],
            recommended_age_days=_number(row["recommended_age_days"]),
            min_age_days=int(row["min_age_days"]),
            age_is_derived=row["age_basis"] == "derived",
            grace_days=int(row["grace_days"]),
            source=row["source"],
        )
        for row in read_table("schedule.csv")
    )
    return MappingProxyType({(dose.vaccine_code, dose.dose_number): dose for dose in doses})


def scheduled_doses() -> tuple[ScheduledDose, ...]:
    """Every dose with an age, a vaccine's in the order of giving."""
    return tuple(_scheduled_doses().values())


def scheduled_dose(vaccine_code: str, dose_number: str) -> ScheduledDose | None:
    return _scheduled_doses().get((vaccine_code, dose_number))


@cache
def dose_intervals() -> tuple[DoseInterval, ...]:
    return tuple(
        DoseInterval(
            vaccine_code=row["vaccine_code"],
            earlier_dose=row["earlier_dose"],
            later_dose=row["later_dose"],
            min_days=int(row["min_days"]),
            if_earlier_from_age_days=_number(row["if_earlier_from_age_days"]),
            grace_days=int(row["grace_days"]),
            source=row["source"],
        )
        for row in read_table("dose_intervals.csv")
    )


def find_interval(
    vaccine_code: str, earlier_dose: str, later_dose: str, earlier_age_days: int | None
) -> DoseInterval | None:
    """The shortest interval that holds between two doses of a vaccine, None where no table speaks of these two.

    `earlier_age_days` is the person's age at the earlier dose; unknown, a shorter interval for late starters is not
    taken.
    """
    fitting = [
        interval
        for interval in dose_intervals()
        if (interval.vaccine_code, interval.earlier_dose, interval.later_dose)
        == (vaccine_code, earlier_dose, later_dose)
        and (
            interval.if_earlier_from_age_days is None
            or (earlier_age_days is not None and earlier_age_days >= interval.if_earlier_from_age_days)
        )
    ]
    return min(fitting, key=lambda interval: interval.min_days, default=None)


@cache
def spacing_rules() -> tuple[SpacingRule, ...]:
    return tuple(
        SpacingRule(
            rule=row["rule"],
            earlier=tuple(row["earlier"].split()),
            later=tuple(row["later"].split()),
            min_days=int(row["min_days"]),
            same_day=row["same_day"] == "yes",
            source=row["source"],
        )
        for row in read_table("spacing_rules.csv")
    )


def find_spacing(earlier_code: str, later_code: str) -> SpacingRule | None:
    """The rule between a vaccine and one given after it; the table has one at most for any two."""
    return next(
        (rule for rule in spacing_rules() if _is_of(earlier_code, rule.earlier) and _is_of(later_code, rule.later)),
        None,
    )


@cache
def _titles() -> Mapping[str, str]:
    return MappingProxyType({row["source"]: row["title"] for row in read_table("rule_sources.csv")})


def source_title(source: str) -> str:
    """The document a rule stands in, as staff would ask for it; what the table does not have stays as it is."""
    return _titles().get(source, source)


def _is_of(code: str, group: tuple[str, ...]) -> bool:
    if code in group:
        return True
    vaccine = vaccine_by_code(code)
    return _LIVE in group and vaccine is not None and vaccine.live is LiveKind.INJECTABLE


def _number(text: str) -> int | None:
    return int(text) if text else None
