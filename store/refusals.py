"""What CDC's refusal of a dose or of an exam report means, and which field to look at.

Invariants:
- CDC's words decide, not its code alone: two published code lists of CDC give one code different meanings;
- words that no published list has mean nothing to this program: they are shown as they came, with general advice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from store.codes import read_table


class RefusalReason(StrEnum):
    """What is at fault, as far as staff can do something about it."""

    LOT_UNKNOWN = "lot_unknown"
    ID_UNKNOWN = "id_unknown"
    ID_WRONG = "id_wrong"
    ID_MISSING = "id_missing"
    BIRTH_DATE = "birth_date"
    MISSING = "missing"
    VALUE = "value"
    INSTITUTION = "institution"
    NOT_AT_CDC = "not_at_cdc"
    NOT_ALLOWED = "not_allowed"
    MONTH_CLOSED = "month_closed"
    NOT_CHANGEABLE = "not_changeable"
    WHOLE_BATCH = "whole_batch"
    PROGRAM = "program"
    COLLECTOR = "collector"  # of an exam report: either institution, of which staff type the 採檢單位
    DRAWING_DAY = "drawing_day"
    EXAM_METHOD = "exam_method"
    EXAM_RESULT = "exam_result"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Shape: `field` is one of a dose (`Vaccination`) or a report (`ExamResult`), or of its person (`Patient`); empty
    where none is known."""

    reason: RefusalReason
    field: str


def read_refusal(message: Mapping[str, str] | None) -> Refusal:
    """Say what the refusal of a dose means. `message` is a `CdcMessage` as a document holds it.

    The element that CDC names goes before the field that its words usually mean.
    """
    return _read(message, _by_words(), _by_code())


def read_exam_refusal(message: Mapping[str, str] | None) -> Refusal:
    """The same of an exam report, whose own words go before those that CDC has for doses."""
    return _read(message, _exams_by_words(), _exams_by_code())


def _read(
    message: Mapping[str, str] | None, by_words: Mapping[str, Refusal], by_code: Mapping[str, Refusal]
) -> Refusal:
    told = message or {}
    code, words = told.get("code", ""), told.get("text", "")
    # ASSUMED: where CDC gives a code without words, it is one of the list of NIIS, whose interface this is.
    known = by_words.get(words) or by_words.get(_stem(words)) if words else by_code.get(code)
    reason, field = (known.reason, known.field) if known else (RefusalReason.OTHER, "")
    named = told.get("expression", "")
    at_fault = next((row["field"] for row in _elements() if named and row["element"] in named), field)
    return Refusal(reason, at_fault)


def is_locking(message: Mapping[str, str] | None) -> bool:
    """Whether CDC refuses for good, because it takes no change of this record any more: its month is settled, or
    certificates were issued on it. CDC's other meaning of E00002 (NIIS's: a wrong check code) locks nothing."""
    return read_refusal(message).reason in (RefusalReason.MONTH_CLOSED, RefusalReason.NOT_CHANGEABLE)


def _stem(text: str) -> str:
    """The words without what stands in brackets behind them: "資料型別錯誤(欄位1)" names others each time."""
    return text.partition("(")[0].partition("（")[0].strip()


@cache
def _rows() -> tuple[dict[str, str], ...]:
    return tuple(read_table("cdc_refusals.csv"))


@cache
def _by_words() -> dict[str, Refusal]:
    return {_stem(row["text"]): Refusal(RefusalReason(row["reason"]), row["field"]) for row in _rows()}


@cache
def _by_code() -> dict[str, Refusal]:
    niis = (row for row in _rows() if row["source"] == "NIIS-IG")
    return {row["code"]: Refusal(RefusalReason(row["reason"]), row["field"]) for row in niis}


@cache
def _exam_rows() -> tuple[tuple[dict[str, str], Refusal], ...]:
    rows = (row for row in read_table("exam_error_codes.csv") if row["reason"])
    return tuple((row, Refusal(RefusalReason(row["reason"]), row["field"])) for row in rows)


@cache
def _exams_by_words() -> dict[str, Refusal]:
    whole = {row["text"]: refusal for row, refusal in _exam_rows()}
    # "s(-)e(+)" and "s(+/-)" say nothing but by their brackets.
    stems = {stem: refusal for text, refusal in whole.items() if len(stem := _stem(text)) > 1}
    return {**_by_words(), **stems, **whole}


@cache
def _exams_by_code() -> dict[str, Refusal]:
    return {row["code"]: refusal for row, refusal in _exam_rows()}


@cache
def _elements() -> tuple[dict[str, str], ...]:
    return tuple(read_table("cdc_elements.csv"))
