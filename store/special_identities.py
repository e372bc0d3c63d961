"""Special identities: for whom a vaccination is paid, in two levels, scheme and code.

Invariants:
- a code no table has is kept as it came;
- a code is suggested only where its scheme defines it by age.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from types import MappingProxyType

from store.codes import IDENTITIES, read_table, rows_of, table_text, vaccine_by_code
from store.lots import LotType
from store.problems import Problem, ProblemCode

_FIELD = "special_identity"


@dataclass(frozen=True, slots=True)
class IdentityScheme:
    """One group of codes. Shape: `vaccine_codes` are whose records need one of them, "CoV_*" all that begin so."""

    scheme: str
    name: str
    vaccine_codes: tuple[str, ...]
    source: str

    def is_of(self, vaccine_code: str) -> bool:
        return any(
            vaccine_code.startswith(code[:-1]) if code.endswith("*") else vaccine_code == code
            for code in self.vaccine_codes
        )


@dataclass(frozen=True, slots=True)
class SpecialIdentity:
    """One code. Shape: ages both inclusive; without any the code is not one of age."""

    scheme: str
    code: str
    name: str
    note: str
    years_apart: bool
    from_days: int | None
    from_years: int | None
    to_years: int | None

    @property
    def is_by_age(self) -> bool:
        return (self.from_days, self.from_years, self.to_years) != (None, None, None)

    def fits_age(self, birth_date: date, day: date) -> bool:
        years = years_between(birth_date, day, apart=self.years_apart)
        return (
            (day - birth_date).days >= (self.from_days or 0)
            and years >= (self.from_years or 0)
            and (self.to_years is None or years <= self.to_years)
        )


@cache
def identity_schemes() -> tuple[IdentityScheme, ...]:
    return tuple(
        IdentityScheme(row["scheme"], row["name"], tuple(row["vaccine_codes"].split()), row["source"])
        for row in read_table("identity_schemes.csv")
    )


def schemes_of(vaccine_code: str) -> tuple[IdentityScheme, ...]:
    """The schemes a vaccine's records need a code of; none for most vaccines."""
    return tuple(scheme for scheme in identity_schemes() if scheme.is_of(vaccine_code))


def _identities() -> Mapping[str, tuple[SpecialIdentity, ...]]:
    return _read_identities(table_text(IDENTITIES))


@lru_cache(maxsize=2)
def _read_identities(text: str) -> Mapping[str, tuple[SpecialIdentity, ...]]:
    found: dict[str, tuple[SpecialIdentity, ...]] = {scheme.scheme: () for scheme in identity_schemes()}
    for row in rows_of(text):
        identity = SpecialIdentity(
            scheme=row["scheme"],
            code=row["code"],
            name=row["name"],
            note=row["note"],
            years_apart=row["age_counted"] == "years_apart",
            from_days=_number(row["from_days"]),
            from_years=_number(row["from_years"]),
            to_years=_number(row["to_years"]),
        )
        found[identity.scheme] = (*found.get(identity.scheme, ()), identity)
    return MappingProxyType(found)


def identities_of(scheme: str) -> tuple[SpecialIdentity, ...]:
    return _identities().get(scheme, ())


def find_identity(code: str) -> SpecialIdentity | None:
    """The identity of a code in whatever scheme; the tables have no code twice."""
    return next((identity for group in _identities().values() for identity in group if identity.code == code), None)


def suggest_identity(vaccine_code: str, birth_date: date | None, vaccination_date: date | None) -> str | None:
    """The code that a person's age on the day gives, None where age does not decide.

    ASSUMED: nothing for withdrawn COVID-19 vaccines: the codes by age are of the programme that runs, of 2021 only
    priority classes are known.
    """
    vaccine = vaccine_by_code(vaccine_code)
    if birth_date is None or vaccination_date is None or vaccination_date < birth_date:
        return None
    if vaccine is None or not vaccine.in_use:
        return None
    fitting = (
        identity.code
        for scheme in schemes_of(vaccine_code)
        for identity in identities_of(scheme.scheme)
        if identity.is_by_age and identity.fits_age(birth_date, vaccination_date)
    )
    return next(fitting, None)


def years_between(birth_date: date, day: date, *, apart: bool) -> int:
    """Age in years: full ones, or the two calendar years' difference (`apart`), as COVID-19 codes count it."""
    years = day.year - birth_date.year
    return years if apart else years - ((day.month, day.day) < (birth_date.month, birth_date.day))


def check_identity(
    vaccine_code: str,
    special_identity: str | None,
    lot_type: LotType | None,
    birth_date: date | None,
    vaccination_date: date | None,
) -> list[Problem]:
    """Report an identity that is missing, unknown, of another vaccine or not of the person's age."""
    schemes = schemes_of(vaccine_code)
    if not special_identity:
        # ASSUMED: the codes name groups for whom public doses are meant, so a self-paid one needs none.
        if not schemes or lot_type is LotType.SELF_PAID:
            return []
        return [Problem(_FIELD, ProblemCode.SPECIAL_IDENTITY_MISSING, _facts(schemes[0]))]
    identity = find_identity(special_identity)
    if identity is None:
        # Of vaccines without a scheme the codes are not public, so an unknown one is not odd.
        return [Problem(_FIELD, ProblemCode.SPECIAL_IDENTITY_UNKNOWN, _facts(schemes[0]))] if schemes else []
    own = next(scheme for scheme in identity_schemes() if scheme.scheme == identity.scheme)
    if (schemes or own.vaccine_codes) and own not in schemes:
        return [Problem(_FIELD, ProblemCode.SPECIAL_IDENTITY_OF_OTHER_VACCINE, _facts(own))]
    if birth_date is None or vaccination_date is None or vaccination_date < birth_date:
        return []
    # Where the source says how age is counted, a code either fits or does not; elsewhere age only suggests.
    if identity.years_apart and not identity.fits_age(birth_date, vaccination_date):
        years = years_between(birth_date, vaccination_date, apart=True)
        facts = {**_facts(own), "identity": f"{identity.code} {identity.name}", "years": str(years)}
        return [Problem(_FIELD, ProblemCode.SPECIAL_IDENTITY_OF_OTHER_AGE, facts)]
    return []


def _facts(scheme: IdentityScheme) -> dict[str, str]:
    return {"scheme": scheme.name, "source": scheme.source}


def _number(text: str) -> int | None:
    return int(text) if text else None
