"""What staff say was used of CDC's stock and CDC does not know yet, as it goes there."""

from typing import TYPE_CHECKING, Any

from store.stock import ConsumptionRow, ConsumptionState, Document, count_standing_doses

if TYPE_CHECKING:
    from store.tables import Tables


def waiting_rows(tables: "Tables") -> list[tuple[ConsumptionRow, Document]]:
    """Each with its row of the stock. What stations typed apart waits for a person."""
    found = []
    for state in (ConsumptionState.NOT_SENT, ConsumptionState.REFUSED):
        for consumption in tables.consumptions.find_by("state", state):
            row: Any = tables.stock_rows.find(consumption["row_id"])
            if row is None or consumption["conflict"] or row["period"] != consumption.get("period", ""):
                continue
            total = count_standing_doses(tables, row)
            used = ConsumptionRow(
                consumption_id=consumption["record_id"],
                revision=consumption["revision"],
                row_id=row["record_id"],
                vials=consumption["vials"],
                doses=max(0, total - row["doses_before"]),
                doses_total=total,
            )
            found.append((used, row))
    return found
