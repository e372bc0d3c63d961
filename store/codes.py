"""The code tables in data/, each carrying its source and date in its first lines.

Invariants:
- a code no table has is not an error: it is shown and kept as it came;
- nothing is read before the first question;
- a table that the clinic loaded (code_tables.py) takes the place of the file for everything that asks here.

Decision 2026-11-28: which table is in force belongs to the running program, not to each question: a code is asked for
in hundreds of places, none of which has a store at hand; and nothing that a change does to the tables asks for one.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType

VACCINES, IDENTITIES = "vaccines.csv", "identity_codes.csv"  # the tables that a clinic may load anew
_TEXTS_KEPT = 2
_loaded: dict[str, str] = {}


class LiveKind(StrEnum):
    """Whether a vaccine is live, as far as spacing asks; INJECTABLE are those of the 28-day rule, LAIV among them."""

    NO = "no"
    INJECTABLE = "injectable"
    ORAL = "oral"
    ANY_TIME = "any_time"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Vaccine:
    """One vaccine code.

    Shape: `dose_labels` in the order of giving, boosters "B", "B2"; `in_use` is false for codes met in history only;
    `routine` means publicly funded for children; `routes` are IM, SC, ID, PO, IN, the usual one first, none where
    unknown.
    """

    code: str
    name: str
    english_name: str
    dose_labels: tuple[str, ...]
    in_use: bool
    routine: bool
    live: LiveKind
    routes: tuple[str, ...]

    @property
    def is_influenza(self) -> bool:
        """Also the live, high-dose and adjuvanted ones; not Haemophilus influenzae."""
        return "influenza" in self.english_name.casefold().split()


def vaccines() -> tuple[Vaccine, ...]:
    """All vaccines, those of the children's programme first, those withdrawn last."""
    return _vaccines(table_text(VACCINES))


@lru_cache(maxsize=_TEXTS_KEPT)
def _vaccines(text: str) -> tuple[Vaccine, ...]:
    return tuple(
        Vaccine(
            code=row["code"],
            name=row["name"],
            english_name=row["english_name"],
            dose_labels=tuple(row["dose_labels"].split()),
            in_use=row["in_use"] == "yes",
            routine=row["routine"] == "yes",
            live=LiveKind(row["live"]),
            routes=tuple(row["routes"].split()),
        )
        for row in rows_of(text)
    )


@lru_cache(maxsize=_TEXTS_KEPT)
def _vaccines_by_code(text: str) -> dict[str, Vaccine]:
    return {vaccine.code: vaccine for vaccine in _vaccines(text)}


def vaccine_by_code(code: str) -> Vaccine | None:
    """The vaccine of a code, None where the table has no such code."""
    return _vaccines_by_code(table_text(VACCINES)).get(code)


def dose_labels(code: str) -> tuple[str, ...]:
    """The doses of a vaccine, none where the code is unknown."""
    vaccine = vaccine_by_code(code)
    return vaccine.dose_labels if vaccine else ()


@cache
def field_by_roster_title() -> Mapping[str, str]:
    """Column title of a roster file -> field; the first title of a field is how this program writes it."""
    return MappingProxyType({row["title"]: row["field"] for row in read_table("roster_columns.csv")})


def roster_title(field: str) -> str:
    """The column title under which this program writes a field."""
    return next(title for title, known in field_by_roster_title().items() if known == field)


def table_origin(name: str) -> str:
    """What a table in force says of its source and date, for the screen and for whoever doubts a code."""
    lines = table_text(name).splitlines()
    return "\n".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))


@dataclass(frozen=True, slots=True)
class ExamErrorCode:
    """One of CDC's published answers to an upload of exam reports.

    Shape: `problems` are the values of the `ProblemCode`s by which this program tells it before the upload; none where
    only CDC can know, or where it is the upload's own business.
    """

    code: str
    text: str
    severity: str
    problems: tuple[str, ...]


@cache
def exam_error_codes() -> Mapping[str, ExamErrorCode]:
    """CDC's codes for exam reports, by code."""
    return MappingProxyType(
        {
            row["code"]: ExamErrorCode(row["code"], row["text"], row["severity"], tuple(row["problems"].split()))
            for row in read_table("exam_error_codes.csv")
        }
    )


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of the table in force by column name; readers keep what they made of them."""
    return rows_of(table_text(name))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def table_text(name: str) -> str:
    """The table in force, whole. The same object until another is put in force."""
    return _loaded.get(name) or built_in_text(name)


def put_in_force(name: str, text: str | None) -> None:
    """Let a loaded table, of the built-in one's columns, take its place; None puts the built-in one back."""
    if text is None:
        _loaded.pop(name, None)
    elif text != _loaded.get(name):
        _loaded[name] = text


@cache
def built_in_text(name: str) -> str:
    return (files("store") / "data" / name).read_text(encoding="utf-8")
