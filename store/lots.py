"""Vaccine lots, and what the lot number itself tells.

Invariants:
- a lot number is kept exactly as CDC or the box spells it, capitals included;
- the parts of a lot number put together are the lot number;
- a lot is never deleted, since doses name it: it is used up or recalled;
- the same number of the same vaccine, registered at two stations, is one lot;
- a search finds a lot by CDC's number or the maker's, whatever the capitals, width, blanks or underscores.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PositiveInt, StringConstraints

from store.codes import vaccine_by_code
from store.half_width import to_half_width
from store.patients import RecordId
from store.problems import Problem, ProblemCode
from store.roc_date import InvalidRocDate, RocDay, parse_roc_date
from store.texts import Code, Text

LotText = Annotated[str, StringConstraints(min_length=1)]

_PARTS = re.compile(
    r"(?P<maker>.*?)(?P<expiry>_[0-9]{7})?(?P<suffix>-CDC|-HPA|-(?P<county>[0-9A-Za-z]+)-hb)?", re.DOTALL
)


class LotType(StrEnum):
    """Who paid for the lot, as the upload codes it. Source: CDC upload field BatchType, read through VaxCheck."""

    CENTRAL = "1"
    SELF_PAID = "2"
    LOCALLY_PURCHASED = "3"


class LotStatus(StrEnum):
    """Whether doses may be given of a lot."""

    ACTIVE = "active"
    DEPLETED = "depleted"
    RECALLED = "recalled"


@dataclass(frozen=True, slots=True)
class LotNumberParts:
    """What is written into a lot number.

    Shape: "X1_1150826-CDC" -> maker's lot "X1", expiry 2026-08-26, suffix "-CDC"; county code only before "-hb".
    """

    maker_lot_number: str
    expiry_date: date | None
    suffix: str
    county_code: str
    lot_type: LotType


def parse_lot_number(lot_number: str) -> LotNumberParts:
    """Read what CDC's spelling of a lot number tells. Every text is some lot number: without a suffix it is self-paid.

    Source: suffixes -CDC, -HPA (public HPV) and -{county}-hb as listed by VaxCheck; -CDC also in the operations manual.
    """
    match = _PARTS.fullmatch(lot_number)
    assert match is not None, "the pattern takes every text"
    maker, suffix, expiry_date = match["maker"], match["suffix"] or "", None
    if match["expiry"]:
        try:
            expiry_date = parse_roc_date(match["expiry"][1:])
        except InvalidRocDate:
            # Seven digits that are no day belong to the maker's number.
            maker += match["expiry"]
    lot_type = LotType.LOCALLY_PURCHASED if match["county"] else LotType.CENTRAL if suffix else LotType.SELF_PAID
    return LotNumberParts(maker, expiry_date, suffix, match["county"] or "", lot_type)


class LotDraft(BaseModel):
    """A lot being typed: anything may still be missing. How much is left is a sum over movements, never kept here."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    lot_number: Code = ""
    vaccine_code: Code = ""
    lot_type: LotType | None = None
    manufacturer: Text = ""
    expiry_date: RocDay | None = None
    doses_per_vial: PositiveInt | None = None
    status: LotStatus = LotStatus.ACTIVE

    @property
    def expires_on(self) -> date | None:
        """The last day of use: as entered, else as written into the lot number."""
        return self.expiry_date or parse_lot_number(self.lot_number).expiry_date

    def to_lot(self, record_id: str) -> "Lot":
        """Raises: pydantic.ValidationError while a required field is missing."""
        return Lot(record_id=record_id, **self.__dict__)


class Lot(LotDraft):
    """One lot of one vaccine as it is kept."""

    record_id: RecordId
    lot_number: LotText
    vaccine_code: LotText
    lot_type: LotType


def record_id_of_lot(vaccine_code: str, lot_number: str) -> str:
    """The record id of a lot that is registered: the same on every device, whether typed or told by CDC."""
    return hashlib.sha256(f"lot\0{vaccine_code}\0{lot_number}".encode()).hexdigest()[:32]


def check_lot(lot: LotDraft, others: Iterable[Lot], today: date) -> list[Problem]:
    """Report everything odd about a lot at once, saved or still being typed.

    Shape: `others` are at least those of the same `folded_number`, without the lot itself.
    """
    problems = [
        Problem(field, ProblemCode.REQUIRED)
        for field in ("lot_number", "vaccine_code", "lot_type")
        if not getattr(lot, field)
    ]
    if lot.vaccine_code and vaccine_by_code(lot.vaccine_code) is None:
        problems.append(Problem("vaccine_code", ProblemCode.VACCINE_UNKNOWN))
    if lot.lot_number:
        problems += _check_number(lot, others)
    if not lot.manufacturer:
        problems.append(Problem("manufacturer", ProblemCode.MANUFACTURER_MISSING))
    return problems + _check_expiry(lot, today)


def _check_number(lot: LotDraft, others: Iterable[Lot]) -> list[Problem]:
    problems = []
    for other in others:
        if other.lot_number != lot.lot_number:
            if folded_number(other.lot_number) == folded_number(lot.lot_number):
                facts = {"lot_number": other.lot_number}
                problems.append(Problem("lot_number", ProblemCode.LOT_CASE_DIFFERS, facts))
        elif other.vaccine_code == lot.vaccine_code:
            facts = {"record_id": other.record_id}
            problems.append(Problem("lot_number", ProblemCode.LOT_ALREADY_REGISTERED, facts))
        elif lot.vaccine_code:
            facts = {"vaccine_code": other.vaccine_code}
            problems.append(Problem("lot_number", ProblemCode.LOT_OF_OTHER_VACCINE, facts))
    written = parse_lot_number(lot.lot_number).lot_type
    if lot.lot_type is not None and lot.lot_type != written:
        problems.append(Problem("lot_type", ProblemCode.LOT_TYPE_DIFFERS, {"lot_type": written.value}))
    return problems


def _check_expiry(lot: LotDraft, today: date) -> list[Problem]:
    expires_on = lot.expires_on
    if expires_on is None:
        return [Problem("expiry_date", ProblemCode.EXPIRY_MISSING)]
    problems = []
    if expires_on < today:
        facts = {"expiry_date": expires_on.isoformat()}
        problems.append(Problem("expiry_date", ProblemCode.LOT_ALREADY_EXPIRED, facts))
    written = parse_lot_number(lot.lot_number).expiry_date
    if written is not None and written != expires_on:
        facts = {"expiry_date": written.isoformat()}
        problems.append(Problem("expiry_date", ProblemCode.EXPIRY_DIFFERS_FROM_NUMBER, facts))
    return problems


# ---- what lots are found by; `lot` is a document


def folded_number(lot_number: str) -> str:
    """Under one key: numbers that differ in capitals or in the width of letters only."""
    return to_half_width(lot_number).casefold()


def folded_number_key(lot: Mapping[str, Any]) -> str:
    return folded_number(lot["lot_number"])


def manufacturer_missing_key(lot: Mapping[str, Any]) -> str | None:
    """ "missing" for a lot whose maker staff have still to type."""
    return None if lot.get("manufacturer") else "missing"


def listing_key(lot: Mapping[str, Any]) -> str:
    """The order of the list: without a maker first, then in use, then the others; by vaccine, first to expire first."""
    in_use = lot.get("status", LotStatus.ACTIVE) == LotStatus.ACTIVE
    rank = 0 if manufacturer_missing_key(lot) else 1 if in_use else 2
    expiry = lot.get("expiry_date") or parse_lot_number(lot["lot_number"]).expiry_date or "9999"
    return f"{rank}|{lot['vaccine_code']}|{expiry}|{lot['lot_number']}"


def lot_search_text(lot: Mapping[str, Any]) -> str:
    """Shape: one piece a line: CDC's lot number, the maker's, vaccine code, maker, each as `normalise_lot_query`."""
    maker_lot_number = parse_lot_number(lot["lot_number"]).maker_lot_number
    pieces = (lot["lot_number"], maker_lot_number, lot["vaccine_code"], lot.get("manufacturer", ""))
    return "\n".join(map(normalise_lot_query, pieces))


def normalise_lot_query(text: str) -> str:
    """Shape: "u0b011m_1150826" -> "U0B011M1150826", "JE-CV LiveAtd" -> "JE-CVLIVEATD", as manuals print the code."""
    return "".join(sign for sign in to_half_width(text).upper() if sign.isprintable() and sign not in " _")
