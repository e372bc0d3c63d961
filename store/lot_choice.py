"""Which lots a nurse is offered for a dose, the likeliest first. Pure.

Invariants:
- a lot that expired before the day, is used up or recalled is never offered;
- the lot in hand comes first, then the lot of the day, then the first to expire.
"""

from collections.abc import Iterable
from datetime import date

from store.lots import Lot, LotStatus


def choose_lots(
    lots: Iterable[Lot], vaccine_code: str, day: date, last_used: str = "", of_the_day: str = ""
) -> list[Lot]:
    """The lots to offer for a dose of this vaccine on this day.

    `last_used` is the lot number that was last used today for this vaccine on this device, `of_the_day` the one set for
    all stations; empty for none.
    """
    offered = [lot for lot in lots if lot.vaccine_code == vaccine_code and is_offered(lot, day)]
    return sorted(
        offered,
        key=lambda lot: (
            lot.lot_number != last_used,
            lot.lot_number != of_the_day,
            lot.expires_on or date.max,
            lot.lot_number,
        ),
    )


def is_offered(lot: Lot, day: date) -> bool:
    """Its last day of use counts as good; a lot whose expiry nobody typed is offered, after those known."""
    return lot.status is LotStatus.ACTIVE and (lot.expires_on is None or day <= lot.expires_on)
