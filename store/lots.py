"""Vaccine lots, and what the lot number itself tells.

Invariants:
- a lot number is kept exactly as CDC or the box spells it, capitals included;
- the parts of a lot number put together are the lot number.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PositiveInt, StringConstraints

from store.patients import RecordId
from store.roc_date import InvalidRocDate, RocDay, parse_roc_date

LotText = Annotated[str, StringConstraints(min_length=1)]

_PARTS = re.compile(
    r"(?P<maker>.*?)(?P<expiry>_[0-9]{7})?(?P<suffix>-CDC|-HPA|-(?P<county>[0-9A-Za-z]+)-hb)?", re.DOTALL
)


class LotType(StrEnum):
    """Who paid for the lot, as the upload codes it. Source: CDC upload field BatchType, read through VaxCheck."""

    CENTRAL = "1"
    SELF_PAID = "2"
    LOCALLY_PURCHASED = "3"


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


class Lot(BaseModel):
    """One lot of one vaccine. How much is left is a sum over movements, never kept here."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    record_id: RecordId
    lot_number: LotText
    vaccine_code: LotText
    lot_type: LotType
    manufacturer: str = ""
    expiry_date: RocDay | None = None
    doses_per_vial: PositiveInt | None = None

    @property
    def expires_on(self) -> date | None:
        """The last day of use: as entered, else as written into the lot number."""
        return self.expiry_date or parse_lot_number(self.lot_number).expiry_date
