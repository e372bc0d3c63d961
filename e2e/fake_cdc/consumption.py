"""Read a Bundle of consumption and judge its rows, each by itself: a refused row leaves the others stored.

Source: the interface contract, section 4.
"""

from __future__ import annotations

import json
from typing import Any

from . import outcomes
from .bundle_reading import IDENTIFIER, check_timestamp, parse, pick, refuse
from .holdings import ConsumedRow, JudgedRow, Lot
from .scenarios import Rule

_STRUCTURE = "https://twniis.cdc.gov.tw/twniis/StructureDefinition"


def is_consumption(body: bytes) -> bool:
    """Whether a Bundle posted is about stock. Whatever cannot be read is left to the upload to refuse."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return pick(content, "entry", 0, "resource", "resourceType") == "SupplyDelivery"


def read_consumption(body: bytes, lots: list[Lot], rule: Rule) -> tuple[str, list[ConsumedRow]]:
    """Give the Bundle's identifier and its rows with CDC's verdict on each.

    Raises: RequestRefused (400) for a fault of the frame.
    """
    bundle = parse(body)
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "batch":
        refuse(outcomes.WRONG_VALUE, "Bundle.type", "not a Bundle of type 'batch'")
    identifier = pick(bundle, "identifier", "value")
    if not isinstance(identifier, str) or not IDENTIFIER.fullmatch(identifier):
        refuse(outcomes.WRONG_VALUE, "Bundle.identifier.value", "missing, longer than 40 or odd characters")
    check_timestamp(bundle.get("timestamp"))
    rows: list[ConsumedRow] = []
    for number, entry in enumerate(bundle["entry"]):
        row = _read_row(entry, f"Bundle.entry[{number}]", lots, rule, number + 1)
        if row.identifier in {other.identifier for other in rows}:
            # ASSUMED: refused whole, as a record key twice in an upload is.
            refuse(outcomes.WRONG_VALUE, f"Bundle.entry[{number}]", "stock row twice in one Bundle")
        rows.append(row)
    return identifier, rows


def _read_row(entry: Any, where: str, lots: list[Lot], rule: Rule, number: int) -> ConsumedRow:
    resource = pick(entry, "resource")
    row_id = pick(resource, "identifier", 0, "value")
    if pick(resource, "resourceType") != "SupplyDelivery" or not isinstance(row_id, str) or not row_id:
        refuse(outcomes.WRONG_VALUE, f"{where}.resource", "no SupplyDelivery with an identifier")
    if pick(entry, "request", "method") != "PUT" or pick(entry, "request", "url") != f"SupplyDelivery/{row_id}":
        refuse(outcomes.WRONG_VALUE, f"{where}.request", "not PUT SupplyDelivery/{row identifier}")
    if pick(resource, "status") != "completed":
        refuse(outcomes.WRONG_VALUE, f"{where}.resource.status", "not 'completed'")
    vials = pick(resource, "suppliedItem", "quantity", "value")
    doses = _extension(resource, "doses-used", "valueUnsignedInt")
    lot_number = _extension(resource, "lot-number", "valueString")
    lot = next((lot for lot in lots if lot.identifier == row_id), None)
    refusal = None
    if lot is None:
        refusal = outcomes.NOTHING_TO_DELETE.at("SupplyDelivery.identifier")
    elif lot_number != lot.lot_number:
        refusal = outcomes.NO_SUCH_LOT.at("SupplyDelivery.extension")
    elif type(vials) is not int or vials < 0 or type(doses) is not int or doses < 0:
        # ASSUMED: whole vials and doses, none below zero. More than the balance is stored: the contract forbids it not.
        refusal = outcomes.WRONG_VALUE.at("SupplyDelivery.suppliedItem.quantity")
    if rule.scenario == "refuse_row" and rule.picks(
        number, JudgedRow(row_id, "PUT", {"lotNumber": lot_number}, None, refusal)
    ):
        refusal = rule.refusal(outcomes.NO_SUCH_LOT.at("SupplyDelivery.extension"))
    if rule.scenario == "month_closed":
        refusal = outcomes.MONTH_CLOSED
    return ConsumedRow(row_id, vials if refusal is None else 0, doses if refusal is None else 0, refusal)


def _extension(resource: Any, name: str, value: str) -> Any:
    extensions = pick(resource, "extension")
    for extension in extensions if isinstance(extensions, list) else ():
        if pick(extension, "url") == f"{_STRUCTURE}/{name}":
            return pick(extension, value)
    return None
