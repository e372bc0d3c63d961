"""What CDC says that a person was given anywhere: kept as it came, read tolerantly for the screen.

Invariants:
- nobody is asked about without an identity that passes its form check, and an answer says for which identity it is;
- a row keeps every text as CDC wrote it; what cannot be read is shown so and marked, never dropped or guessed;
- the answer that the hub asked for last stands, whatever the clocks say: it names those that it replaces.

Source: CDC contract, section 5; operations manual, chapter 3, I.5 (BA102_3FF).
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from store.codes import vaccine_by_code
from store.ids import IdType, check_national_id, classify_id, normalise_id
from store.problems import Problem, ProblemCode
from store.roc_date import TAIPEI, InvalidRocDate, parse_roc_date

# ASSUMED: the manual's window shows 999/01/01, which can only stand for a day that nobody knows.
_UNKNOWN_ROC_YEAR = 999 + 1911
_WESTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?|(19|20)[0-9]{6}")


class HistoryRow(BaseModel):
    """One dose as CDC told it. Shape: every text as it came, empty where not given; `status` only where it is not
    "completed"; `as_came` is the row's JSON where it was no row of the kind expected."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    date_text: str = ""
    vaccine_code: str = ""
    vaccine_name: str = ""
    dose_label: str = ""
    lot_number: str = ""
    lot_type: str = ""
    institution_code: str = ""
    institution_name: str = ""
    status: str = ""
    as_came: str = ""


class HistoryReceived(BaseModel):
    """An answer of CDC that was a success, an empty one too.

    Shape: `identity` is `Identity.digest` of whom CDC was asked for; with `has_more` CDC told of more than these rows.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    identity: str
    fetched_at: AwareDatetime
    rows: list[HistoryRow]
    has_more: bool = False


@dataclass(frozen=True)
class Identity:
    """By what CDC is asked for a person. Shape: `id_type` is None where `value` is a parent's ID."""

    id_type: IdType | None
    value: str
    birth_date: date

    @property
    def digest(self) -> str:
        """Shape: 16 hex digits; with the birth date, since CDC is asked by both."""
        told = f"{'own' if self.id_type else 'parent'}|{self.value}|{self.birth_date.isoformat()}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def read_identity(patient: Mapping[str, Any]) -> tuple[Identity | None, list[Problem]]:
    """Whom to ask for, or everything that stands in the way. `patient` is a document.

    A parent's ID counts only where there is no own one: else a mistyped ID would bring somebody else's history.
    """
    own = normalise_id(patient.get("national_id") or "")
    value = own or normalise_id(patient.get("parent_national_id") or "")
    field = "national_id" if own or not value else "parent_national_id"
    problems = []
    if not value:
        problems.append(Problem(field, ProblemCode.ID_MISSING))
    elif not (own and patient.get("id_type") == IdType.PASSPORT):
        problems += check_national_id(value, field)
    birth_date = patient.get("birth_date")
    if not birth_date:
        problems.append(Problem("birth_date", ProblemCode.BIRTH_DATE_MISSING))
    if problems or not birth_date:
        return None, problems
    id_type = classify_id(value) or IdType.PASSPORT
    if patient.get("id_type") == IdType.PASSPORT:
        id_type = IdType.PASSPORT
    return Identity(id_type if own else None, value, date.fromisoformat(birth_date)), []


def asked_for(patient: Mapping[str, Any]) -> str:
    """The digest of the person's present identity, empty where CDC cannot be asked. `patient` is a document."""
    identity, _ = read_identity(patient)
    return identity.digest if identity is not None else ""


def read_day(text: str) -> date | None:
    """The day that a text of CDC means, None where nobody can tell.

    Shape: "2026-11-20", "2026-11-20T10:00:00+08:00", "20261120", "115/11/20", "1151120"; not "2026-11", "999/01/01".
    """
    plain = text.strip()
    if _WESTERN.fullmatch(plain):
        try:
            moment = datetime.fromisoformat(plain)
            return (moment.astimezone(TAIPEI) if moment.tzinfo else moment).date()
        except (ValueError, OverflowError):
            return None
    try:
        day = parse_roc_date(plain)
    except InvalidRocDate:
        return None
    return None if day.year == _UNKNOWN_ROC_YEAR else day


class RowMark(StrEnum):
    """What is to be said of a row."""

    OURS = "ours"
    NOT_A_ROW = "not_a_row"
    DATE_UNREADABLE = "date_unreadable"
    DATE_IN_FUTURE = "date_in_future"
    DATE_BEFORE_BIRTH = "date_before_birth"
    VACCINE_UNKNOWN = "vaccine_unknown"
    LOT_MISSING = "lot_missing"
    NOT_COMPLETED = "not_completed"


@dataclass(frozen=True)
class ShownRow:
    row: HistoryRow
    day: date | None
    marks: tuple[RowMark, ...]


def show_history(
    history: HistoryReceived, patient: Mapping[str, Any], own_doses: Iterable[Mapping[str, Any]]
) -> tuple[list[ShownRow], list[Mapping[str, Any]]]:
    """CDC's rows by day, those without a readable day last; and which of our standing doses are not among them.

    `patient` and `own_doses` are documents. A dose is the same by vaccine, dose label and day; each counts once.
    """
    birth_date = date.fromisoformat(patient["birth_date"]) if patient.get("birth_date") else None
    fetched_on = history.fetched_at.astimezone(TAIPEI).date()
    ours = [dose for dose in own_doses if not dose["voided"]]
    shown = []
    for row in history.rows:
        day = read_day(row.date_text)
        marks = _marks(row, day, birth_date, fetched_on)
        key = (row.vaccine_code, row.dose_label, day.isoformat() if day else "")
        if (mine := _position(ours, key)) is not None and not row.as_came:
            del ours[mine]
            marks = [RowMark.OURS, *marks]
        shown.append(ShownRow(row, day, tuple(marks)))
    shown.sort(key=lambda one: (one.day is None, one.day or date.min))
    return shown, sorted(ours, key=lambda dose: str(dose["vaccination_date"]))


def _position(doses: Sequence[Mapping[str, Any]], key: tuple[str, str, str]) -> int | None:
    for number, dose in enumerate(doses):
        if (dose["vaccine_code"], dose["dose_number"], dose["vaccination_date"]) == key:
            return number
    return None


def _marks(row: HistoryRow, day: date | None, birth_date: date | None, fetched_on: date) -> list[RowMark]:
    if row.as_came:
        return [RowMark.NOT_A_ROW]
    marks = []
    if row.status:
        marks.append(RowMark.NOT_COMPLETED)
    if day is None:
        marks.append(RowMark.DATE_UNREADABLE)
    elif day > fetched_on:
        marks.append(RowMark.DATE_IN_FUTURE)
    elif birth_date is not None and day < birth_date:
        marks.append(RowMark.DATE_BEFORE_BIRTH)
    if vaccine_by_code(row.vaccine_code) is None:
        marks.append(RowMark.VACCINE_UNKNOWN)
    if not row.lot_number:
        marks.append(RowMark.LOT_MISSING)
    return marks


def replaced_by_next(history: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The answers that the next one replaces: the one that stands, and all those before. `history` is a document."""
    return (history["revision"], *history["replaced"]) if history is not None else ()
