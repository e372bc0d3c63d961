"""A person of the clinic's roster.

Invariants:
- whoever has a chart number and a name is a patient; everything else may be missing or wrong and is only reported;
- a cell nobody can read is kept in `as_written` beside its empty field;
- a search finds a number, a day or a name however it was typed: full-width, small letters, with or without signs.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from store.half_width import to_half_width
from store.ids import IdType, check_national_id
from store.problems import Problem, ProblemCode
from store.roc_date import InvalidRocDate, RocDateFault, RocDay, format_roc_date, parse_roc_date
from store.texts import MAX_TEXT, Code, Limit, Text

RecordId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
_Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

_NUMBER_FIELDS = ("birth_order", "parity", "plurality")
_TEXT_FIELDS = ("chart_number", "name", "phone", "four_corner_code", "address")
_DATE_SIGNS = re.compile(r"[/.-]")
_PHONE_SIGNS = re.compile(r"[()+-]")


class Sex(StrEnum):
    """Sex as the HIS and the upload list code it."""

    MALE = "1"
    FEMALE = "2"


class PatientDraft(BaseModel):
    """What is known of a person before the store gives a record id.

    Shape: IDs are normalised (ids.py); `birth_order` counts among twins, `parity` the mother's births, `plurality` is
    the HIS code of single or twin birth; `as_written` maps a field left empty because nobody could read it to its text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    chart_number: Annotated[_Filled, Limit(60)]
    name: Annotated[_Filled, Limit(MAX_TEXT)]
    sex: Sex | None = None
    national_id: Annotated[str | None, Limit(60)] = None
    id_type: IdType | None = None
    birth_date: RocDay | None = None
    phone: Code = ""
    four_corner_code: Code = ""
    address: Text = ""
    birth_order: int | None = None
    parity: int | None = None
    plurality: int | None = None
    parent_national_id: Annotated[str | None, Limit(60)] = None
    as_written: dict[str, str] = Field(default_factory=dict)

    def to_patient(self, record_id: str) -> "Patient":
        return Patient(record_id=record_id, **self.__dict__)


class Patient(PatientDraft):
    """A person with a chart number."""

    record_id: RecordId


def can_identify(patient: Mapping[str, Any]) -> bool:
    """Say whether CDC can be told who a person is: by an own ID or by a parent's. `patient` is a document."""
    return bool(patient.get("national_id") or patient.get("parent_national_id"))


def identity_digest(patient: Mapping[str, Any] | None) -> str:
    """By what CDC knows the person, as a digest: the own ID, else a parent's with birth date and place among twins.

    Shape: 16 hex digits; empty where CDC cannot be told who it is. `patient` is a document.
    """
    if patient is None or not can_identify(patient):
        return ""
    if national_id := patient.get("national_id"):
        told = f"own|{national_id}"
    else:
        told = f"parent|{patient['parent_national_id']}|{patient.get('birth_date')}|{patient.get('birth_order') or 1}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def check_patient(patient: PatientDraft, today: date) -> list[Problem]:
    """Report everything about a person that will trouble an upload; nothing here stops saving."""
    problems: list[Problem] = []
    as_written = patient.as_written
    if patient.national_id:
        if patient.id_type is not IdType.PASSPORT:
            problems += check_national_id(patient.national_id)
    elif not patient.parent_national_id:
        problems.append(Problem("national_id", ProblemCode.ID_MISSING))
    if patient.parent_national_id:
        problems += check_national_id(patient.parent_national_id, "parent_national_id")
    if patient.sex is None:
        problems.append(Problem("sex", ProblemCode.SEX_UNKNOWN, {"text": as_written.get("sex", "")}))
    if patient.birth_date is not None:
        if patient.birth_date > today:
            problems.append(Problem("birth_date", ProblemCode.DATE_IN_FUTURE))
    elif "birth_date" in as_written:
        facts = {"text": as_written["birth_date"], "fault": _date_fault(as_written["birth_date"])}
        problems.append(Problem("birth_date", ProblemCode.DATE_UNREADABLE, facts))
    else:
        problems.append(Problem("birth_date", ProblemCode.BIRTH_DATE_MISSING))
    if as_written:
        for field in _NUMBER_FIELDS:
            if field in as_written:
                problems.append(Problem(field, ProblemCode.NUMBER_UNREADABLE, {"text": as_written[field]}))
    # First all in one, for the speed of long rosters.
    texts = [getattr(patient, field) for field in _TEXT_FIELDS]
    joined = "".join(texts)
    if "?" in joined or "\ufffd" in joined:
        for field, text in zip(_TEXT_FIELDS, texts, strict=True):
            if "?" in text or "\ufffd" in text:
                problems.append(Problem(field, ProblemCode.CHARACTERS_LOST))
    return problems


def _date_fault(text: str) -> RocDateFault:
    try:
        parse_roc_date(text)
    except InvalidRocDate as error:
        return error.fault
    # Written by a version that read fewer forms: the nurse sees a date she can take over.
    return RocDateFault.NOT_A_DATE


def patient_search_text(patient: Mapping[str, Any]) -> str:
    """Everything a nurse may look a person up by, in one text that is searched for a piece of it.

    Shape: one piece a line: chart number, name, ID, parent's ID, phone digits, birth date as 0741108 and 074/11/08.
    """
    pieces = [patient["chart_number"], patient["name"], patient.get("national_id"), patient.get("parent_national_id")]
    pieces.append(phone_digits(patient.get("phone")))
    lines = ["".join(to_half_width(piece).split()).upper() if piece else "" for piece in pieces]
    if birth_date := patient.get("birth_date"):
        day = format_roc_date(date.fromisoformat(birth_date))
        lines += [day.replace("/", ""), day]
    return "\n".join(lines)


def phone_digits(phone: str | None) -> str:
    """A telephone number without the signs that people put into it."""
    return "".join(to_half_width(_PHONE_SIGNS.sub("", phone or "")).split())


def normalise_query(text: str) -> str:
    """Bring what a nurse typed to the spelling of `patient_search_text`.

    Shape: "b2224" -> "B2224", "０９１２-345" -> "0912345", "74.11.8" -> "074/11/08", "陳 " -> "陳"; a whole date is one
    with signs, since bare digits may be a chart number.
    """
    plain = "".join(to_half_width(text).split()).upper()
    if _DATE_SIGNS.search(plain):
        try:
            return format_roc_date(parse_roc_date(plain))
        except InvalidRocDate:
            pass
    digits = _PHONE_SIGNS.sub("", plain)
    return digits if digits.isdigit() else plain
