"""ROC dates: the only crossing between text and `datetime.date`. Year 1 is 1912.

Invariants:
- what is formatted here is read back as the same day;
- no text is ever guessed into a day: what does not fit raises, with the reason;
- every day a model holds (`RocDay`) can be formatted.
"""

import re
from datetime import date, timedelta, timezone
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from store.half_width import to_half_width

# Taiwan has one zone and no summer time; a machine's own zone may be set wrong.
TAIPEI = timezone(timedelta(hours=8))
RocDay = Annotated[date, Field(ge=date(1912, 1, 1), le=date(2910, 12, 31))]

_YEARS_BEFORE = 1911
# HIS prints pad with blanks ("110/ 5/27") or with a fourth digit ("0074/11/08", so in the operations manual).
_SEPARATED = re.compile(r"(0?[0-9]{1,3}) *([/.-]) *([0-9]{1,2}) *\2 *([0-9]{1,2})")
_COMPACT = re.compile(r"([0-9]{2,3})([0-9]{2})([0-9]{2})")
_WESTERN = re.compile(r"(?:19|20)[0-9]{6}|[1-9][0-9]{3} *([/.-]).*")


class RocDateFault(StrEnum):
    """Why a text is no ROC date."""

    EMPTY = "empty"
    NOT_A_DATE = "not_a_date"
    WESTERN_YEAR = "western_year"
    YEAR_ZERO = "year_zero"
    NO_SUCH_DAY = "no_such_day"


class InvalidRocDate(ValueError):
    """The text is no ROC date. The message names the reason and never the text, which may be somebody's birthday."""

    def __init__(self, fault: RocDateFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def parse_roc_date(text: str) -> date:
    """Read an ROC date as staff type it and as HIS exports carry it.

    Shape: 1100527, 990101, 110/5/27, 110.05.27, 110-05-27, 0074/11/08; also full-width and with blanks around.
    Raises: InvalidRocDate, also for a day that does not exist (1130230) and for western years (20210527, 2021/5/27).
    """
    plain = to_half_width(text).strip()
    if match := _COMPACT.fullmatch(plain):
        year, month, day = match.groups()
    elif match := _SEPARATED.fullmatch(plain):
        year, _, month, day = match.groups()
    elif not plain:
        raise InvalidRocDate(RocDateFault.EMPTY)
    elif _WESTERN.fullmatch(plain):
        raise InvalidRocDate(RocDateFault.WESTERN_YEAR)
    else:
        raise InvalidRocDate(RocDateFault.NOT_A_DATE)
    if int(year) == 0:
        raise InvalidRocDate(RocDateFault.YEAR_ZERO)
    try:
        return date(int(year) + _YEARS_BEFORE, int(month), int(day))
    except ValueError as error:
        raise InvalidRocDate(RocDateFault.NO_SUCH_DAY) from error


def format_roc_date(day: date) -> str:
    """Shape: "110/05/27", as the operations manual prints days. Raises: ValueError outside `RocDay`."""
    return f"{_roc_year(day):03d}/{day.month:02d}/{day.day:02d}"


def format_compact(day: date) -> str:
    """Shape: "1100527", as files and search carry days. Raises: ValueError outside `RocDay`."""
    return f"{_roc_year(day):03d}{day.month:02d}{day.day:02d}"


def _roc_year(day: date) -> int:
    if not 1 <= day.year - _YEARS_BEFORE <= 999:
        raise ValueError("the ROC calendar of three-digit years reaches from 1912 to 2910")
    return day.year - _YEARS_BEFORE
