"""Which lots a nurse is offered for a dose, the likeliest first. Pure.

Invariants:
- a lot that expired before the day, is used up or recalled is never offered;
- the lot in hand comes first, then the first to expire.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from store.lots import Lot, LotStatus


def choose_lots(lots: Iterable[Lot], vaccine_code: str, day: date, last_used: str = "") -> list[Lot]:
    """The lots to offer for a dose of this vaccine on this day.

    `last_used` is the lot number that was last used today for this vaccine (`last_used_lot`), empty for none.
    """
    offered = [lot for lot in lots if lot.vaccine_code == vaccine_code and is_offered(lot, day)]
    return sorted(offered, key=lambda lot: (lot.lot_number != last_used, lot.expires_on or date.max, lot.lot_number))


def is_offered(lot: Lot, day: date) -> bool:
    """Its last day of use counts as good; a lot whose expiry nobody typed is offered, after those known."""
    return lot.status is LotStatus.ACTIVE and (lot.expires_on is None or day <= lot.expires_on)


def last_used_lot(doses: Iterable[Mapping[str, Any]], vaccine_code: str) -> str:
    """The lot number of the dose of this vaccine recorded last among `doses` (documents of one day), empty for none."""
    standing = (dose for dose in doses if dose["vaccine_code"] == vaccine_code and not dose["voided"])
    newest = max(standing, key=lambda dose: str(dose["made_at"]), default=None)
    return str(newest["lot_number"]) if newest is not None else ""
