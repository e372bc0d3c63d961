"""What CDC's refusal of a dose means, and which field to look at.

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
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Shape: `field` is one of a dose (`Vaccination`) or of a person (`Patient`); empty where none is known."""

    reason: RefusalReason
    field: str


def read_refusal(message: Mapping[str, str] | None) -> Refusal:
    """Say what a refusal means. `message` is a `CdcMessage` as a document holds it.

    The element that CDC names goes before the field that its words usually mean.
    """
    told = message or {}
    code, words = told.get("code", ""), _stem(told.get("text", ""))
    # ASSUMED: where CDC gives a code without words, it is one of the list of NIIS, whose interface this is.
    known = _by_words().get(words) if words else _by_code().get(code)
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
def _elements() -> tuple[dict[str, str], ...]:
    return tuple(read_table("cdc_elements.csv"))
