"""CDC's stock on the wire: what its rows say, what is sent of consumption, what the answers mean. Pure.

Every `section` is one of the interface contract in the README; what no published document says is `# ASSUMED:`.

Invariants:
- the same rows, time and identifier give the same bytes;
- what cannot be understood decides nothing: a row without identifier, lot, code or number of vials is counted, and
  never guessed;
- an entry about consumption is about the row that it names, whatever its place; one without a name about that of its
  place.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import ValidationError

from store.roc_date import TAIPEI
from store.stock import ConsumptionResult, ConsumptionRow, StockRow
from store.uploads import CdcMessage
from sync.cdc_answers import (
    batch_response,
    content_of,
    first_message,
    messages_of,
    outcome_of,
    pick,
    raise_for_transport,
    text_of,
    unreadable,
    worst_of,
)
from sync.registry import AnswerUnreadable, Exchange

_STRUCTURE = "https://twniis.cdc.gov.tw/twniis/StructureDefinition"
_MOST_VIALS = 10_000_000  # ASSUMED: more than the country has of any lot
_MAX_QUERY = 2000  # characters
_STATUS = re.compile(r"\s*([0-9]{3})(?![0-9])")


@dataclass(frozen=True)
class StockPage:
    """One page of the searchset. Shape: `next_query` is empty on the last; `total` is None where CDC does not say."""

    rows: list[StockRow]
    unreadable: int
    total: int | None
    next_query: str


def first_query(org_id: str) -> str:
    return f"destination.identifier={org_id}"


def read_stock_page(exchange: Exchange) -> StockPage:
    """Source: section 4. Raises: RegistryError."""
    raise_for_transport(exchange)
    content = content_of(exchange)
    entries = pick(content, "entry")
    if entries is None and pick(content, "total") == 0:
        entries = []  # FHIR leaves an empty list out
    if exchange.status != 200 or pick(content, "type") != "searchset" or not isinstance(entries, list):
        raise unreadable(exchange)
    found = [_stock_row(pick(entry, "resource")) for entry in entries]
    total = pick(content, "total")
    return StockPage(
        rows=[row for row in found if row is not None],
        unreadable=found.count(None),
        total=total if type(total) is int else None,
        next_query=_next_query(content),
    )


def _next_query(content: Any) -> str:
    links = pick(content, "link")
    for link in links if isinstance(links, list) else ():
        if pick(link, "relation") != "next":
            continue
        try:
            # ASSUMED: pages differ by their query alone. Only that is taken, so that the key goes to no other host.
            query = quote(urlsplit(pick(link, "url")).query, safe="=&%:;|,./+-_~")
        except (ValueError, TypeError, AttributeError) as error:
            raise AnswerUnreadable("a next page without an address") from error
        if not 0 < len(query) <= _MAX_QUERY:
            raise AnswerUnreadable("a next page without an address")  # it must not look like the last one
        return query
    return ""


def _stock_row(resource: Any) -> StockRow | None:
    vials = pick(resource, "suppliedItem", "quantity", "value")
    if isinstance(vials, float) and vials.is_integer():
        vials = int(vials)
    is_number = type(vials) is int and abs(vials) <= _MOST_VIALS
    if pick(resource, "resourceType") != "SupplyDelivery" or not is_number:
        return None
    doses_per_vial = _extension(resource, "doses-per-vial", "valuePositiveInt")
    try:
        return StockRow(
            identifier=text_of(pick(resource, "identifier", 0, "value")),
            vaccine_code=text_of(pick(resource, "suppliedItem", "itemCodeableConcept", "coding", 0, "code")),
            lot_number=text_of(_extension(resource, "lot-number", "valueString")),
            lot_type=text_of(_extension(resource, "lot-type", "valueCode")),
            vials=vials,
            expiry_date=_day(_extension(resource, "expiry-date", "valueDate")),
            doses_per_vial=doses_per_vial if type(doses_per_vial) is int and doses_per_vial > 0 else None,
        )
    except ValidationError:
        return None


def _day(value: Any) -> date | None:
    """A day that cannot be read is left out, like one that CDC does not tell; the raw exchange keeps it."""
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return day if 1912 <= day.year <= 2910 else None


def make_consumption(batch_id: str, rows: Sequence[tuple[ConsumptionRow, str, str]], at: datetime) -> bytes:
    """The Bundle of one upload. `rows`: each with CDC's identifier of the stock row and its lot. Source: section 4."""
    entries = [
        {
            "resource": {
                "resourceType": "SupplyDelivery",
                "identifier": [{"value": identifier}],
                "status": "completed",
                "extension": [
                    {"url": f"{_STRUCTURE}/lot-number", "valueString": lot_number},
                    {"url": f"{_STRUCTURE}/doses-used", "valueUnsignedInt": row.doses},
                ],
                "suppliedItem": {"quantity": {"value": row.vials, "unit": "瓶"}},
            },
            "request": {"method": "PUT", "url": f"SupplyDelivery/{identifier}"},
        }
        for row, identifier, lot_number in rows
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "identifier": {"value": batch_id},
        "timestamp": at.astimezone(TAIPEI).isoformat(timespec="seconds"),
        "entry": entries,
    }
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def read_consumption(exchange: Exchange, consumption_ids: Sequence[str]) -> list[ConsumptionResult]:
    """Judge the answer row by row; a row that nothing can be read of is left out. Source: section 4.

    `consumption_ids` are in the order of the Bundle. Raises: RegistryError; then the fate of the batch is unknown, and
    the same bytes may go again.
    """
    raise_for_transport(exchange)
    if exchange.status in (400, 409):
        message = first_message(outcome_of(exchange))
        if message is None:
            raise unreadable(exchange)
        refusal = message.model_dump()
        return [ConsumptionResult(consumption_id=one, accepted=False, **refusal) for one in consumption_ids]
    bundle = batch_response(exchange)
    if pick(bundle, "identifier", "value") != exchange.upload_batch_id:
        raise AnswerUnreadable("HTTP 200 for another batch")
    entries = bundle["entry"]
    if len(entries) != len(consumption_ids):
        raise AnswerUnreadable(f"HTTP 200 with {len(entries)} entries for {len(consumption_ids)} rows")
    sent = [entry["request"]["url"] for entry in json.loads(exchange.request_body)["entry"]]
    id_by_name = dict(zip(sent, consumption_ids, strict=True))
    found: dict[str, ConsumptionResult] = {}
    for at_place, entry in zip(sent, entries, strict=True):
        one = id_by_name.get(_name_of(entry) or at_place)
        result = _result(one, entry) if one is not None else None
        if result is not None and (result.consumption_id not in found or not result.accepted):
            found[result.consumption_id] = result  # told twice and differently: the refusal counts
    return list(found.values())


def _name_of(entry: Any) -> str:
    """Shape: "SupplyDelivery/S-0001", empty where the entry names no row of stock."""
    full_url = pick(entry, "fullUrl")
    _, is_stock, identifier = full_url.rpartition("SupplyDelivery/") if isinstance(full_url, str) else ("", "", "")
    return is_stock + identifier


def _result(consumption_id: str, entry: Any) -> ConsumptionResult | None:
    status, outcome = pick(entry, "response", "status"), pick(entry, "response", "outcome")
    match = _STATUS.match(status) if isinstance(status, str) else None
    messages = [] if outcome is None else messages_of(outcome)
    if match is None or messages is None or (worst := worst_of(messages)) == "unknown":
        return None
    number = int(match[1])
    accepted = number in (200, 201, 204) and worst == "harmless"
    if not accepted and worst == "harmless" and not 400 <= number <= 499:
        return None  # neither taken nor refused
    harmful = [message for message in messages if message.severity in ("error", "fatal")]
    shown = (harmful or messages or [CdcMessage(text=text_of(status))])[0]
    return ConsumptionResult(consumption_id=consumption_id, accepted=accepted, **shown.model_dump())


def _extension(resource: Any, name: str, value: str) -> Any:
    extensions = pick(resource, "extension")
    for extension in extensions if isinstance(extensions, list) else ():
        if pick(extension, "url") == f"{_STRUCTURE}/{name}":
            return pick(extension, value)
    return None
