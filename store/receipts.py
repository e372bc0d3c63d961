"""The hub's raw exchanges with CDC as receipts: how they are found, and what is left of one past its time.

Shape: a receipt's number is its place among all exchanges, from 1; lists run by day in Taiwan, then by number.

Invariants:
- a list is found by keys, and each request reads a bounded number of exchanges, however many there are;
- a line outlives its bodies, and what a batch without CDC's last word still needs is never dropped.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from store.roc_date import TAIPEI
from store.uploads import BatchState, batch_of

if TYPE_CHECKING:
    from store.protocol import ReceiptsRequest
    from store.tables import Tables

_SENT = "sent"
_LAST = "~"  # after every key


def number_of(exchange: Any) -> int:
    """The number of a document of the exchanges table."""
    return int(exchange.doc_id)


def is_failed(exchange: Mapping[str, Any]) -> bool:
    """Whether CDC gave no answer, or one that HTTP calls an error. What is only about to leave has not failed."""
    status = (exchange.get("answer") or {}).get("status")
    return exchange["kind"] != _SENT and (bool(exchange.get("failure")) or status is None or status >= 400)


def body_bytes(part: Mapping[str, Any] | None) -> bytes:
    """The body that a request or an answer was kept with."""
    if not part:
        return b""
    text = part.get("body")
    return base64.b64decode(part.get("body_base64", "")) if text is None else str(text).encode()


# ---- keys of the table


def _place_key(exchange: Any) -> str | None:
    """Shape: "2026-11-23 000000000012"."""
    if "started_at" not in exchange or "kind" not in exchange:
        return None
    day = datetime.fromisoformat(exchange["started_at"]).astimezone(TAIPEI).date()
    return f"{day} {number_of(exchange):012d}"


def listed_key(exchange: Any) -> str | None:
    return _place_key(exchange) if exchange.get("kind") != _SENT else None


def kind_key(exchange: Any) -> str | None:
    key = _place_key(exchange)
    return f"{exchange['kind']} {key}" if key else None


def failed_key(exchange: Any) -> str | None:
    key = _place_key(exchange)
    return key if key and is_failed(exchange) else None


def with_body_key(exchange: Any) -> str | None:
    return None if "dropped_at" in exchange else _place_key(exchange)


# ---- finding


def find_receipts(tables: "Tables", asked: "ReceiptsRequest", limit: int) -> list[str]:
    """The ids of exchanges that may be meant, the newest first, at most `limit`; `is_meant` tells of each."""
    table = tables.exchanges
    if asked.upload_batch_id or asked.record_id or asked.chart_number:
        below = table.to_key(asked.before) if asked.before else _LAST
        return sorted((one for one in _ids_about(tables, asked) if one < below), reverse=True)[:limit]
    if asked.failed:
        index, prefix = "failed", ""
    elif asked.kind:
        index, prefix = "kind", f"{asked.kind} "
    else:
        index, prefix = "listed", ""
    low = f"{asked.first_day}" if asked.first_day else ""
    high = f"{asked.last_day} {_LAST}" if asked.last_day else _LAST
    if asked.before and (before := table.find(table.to_key(asked.before))) is not None:
        high = min(high, _place_key(before) or high)
    return table.ids_between(index, prefix + low, prefix + high, limit, last=True)


def is_meant(exchange: Any, asked: "ReceiptsRequest") -> bool:
    """Whether an exchange is one that was asked for, as far as `find_receipts` leaves that open."""
    key = _place_key(exchange)
    if key is None:
        return False
    day = date.fromisoformat(key.split()[0])
    is_sent = exchange["kind"] == _SENT
    return (
        (exchange["kind"] == asked.kind if asked.kind else bool(asked.upload_batch_id) or not is_sent)
        and (asked.first_day is None or day >= asked.first_day)
        and (asked.last_day is None or day <= asked.last_day)
        and (asked.failed is None or (asked.failed == is_failed(exchange) and not is_sent))
    )


def _ids_about(tables: "Tables", asked: "ReceiptsRequest") -> set[str]:
    """What is about the batch, the record and the person asked for, all of them at once."""
    found = []
    if asked.upload_batch_id:
        found.append(set(tables.exchanges.ids_by("upload_batch_id", asked.upload_batch_id)))
    if asked.record_id:
        found.append(_ids_about_records(tables, [asked.record_id]))
    if asked.chart_number:
        persons = tables.patients.ids_by("chart_number", asked.chart_number.strip())
        kept = (tables.vaccinations, tables.exams)
        of_persons = [
            one for person in persons for table in kept for by in ("patient_id", "person_id")
            for one in table.ids_by(by, person)
        ]  # fmt: skip
        found.append(_ids_about_records(tables, [*persons, *of_persons]))
    return set.intersection(*found)


def _ids_about_records(tables: "Tables", record_ids: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for record_id in dict.fromkeys(record_ids):
        found.update(tables.exchanges.ids_by("record_id", record_id))
        document: Mapping[str, Any] = tables.vaccinations.find(record_id) or tables.exams.find(record_id) or {}
        for upload in (*document.get("past_uploads", ()), document.get("upload") or {}):
            if batch_id := batch_of(upload):
                found.update(tables.exchanges.ids_by("upload_batch_id", batch_id))
    return found


def find_sent(tables: "Tables", exchange: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The exchange that holds the very body this one sent."""
    sha256 = (exchange.get("request") or {}).get("body_sha256")
    for one in tables.exchanges.find_by("upload_batch_id", exchange.get("upload_batch_id") or ""):
        if one.get("kind") == _SENT and sha256 and hashlib.sha256(body_bytes(one["request"])).hexdigest() == sha256:
            return one
    return None


def rows_in_batch(tables: "Tables", batch_id: str) -> int | None:
    """How many records a batch is about; None where no batch has this id."""
    batch = tables.find_batch(batch_id)
    return len(batch["rows"]) if batch is not None else None


# ---- retention


def first_day_kept(today: date, years: int) -> date:
    """The oldest day whose bodies are kept. 29 February counts as the day before it in years without one."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)


def find_overdue(tables: "Tables", first_kept: date, limit: int, after: str = "") -> list[str]:
    """Ids of exchanges before that day which still have bodies, the oldest first; `after` an id, only those after."""
    low = ""
    if after and (before := tables.exchanges.find(after)) is not None:
        low = f"{_place_key(before)}~"
    return tables.exchanges.ids_between("with_body", low, f"{first_kept}", limit)


def is_needed(tables: "Tables", exchange: Mapping[str, Any]) -> bool:
    """Whether CDC's last word on the exchange's batch is still out, so that it may have to go again as it was."""
    batch = tables.find_batch(exchange.get("upload_batch_id") or "")
    return batch is not None and batch["state"] in (BatchState.SENT, BatchState.ACCEPTED)


def without_bodies(exchange: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What stays for ever: the line, with hashes of the bodies; not the query, which names a person."""
    request = exchange.get("request") or {}
    kept: dict[str, Any] = {"path": str(request.get("path", "")).split("?")[0], "method": request.get("method", "")}
    if sha256 := request.get("body_sha256") or _hash_of(request):
        kept["body_sha256"] = sha256
    rest = {**exchange, "request": kept, "dropped_at": at.isoformat()}
    if answer := exchange.get("answer"):
        rest["answer"] = {"status": answer.get("status"), "headers": {}, "body_sha256": _hash_of(answer)}
    return rest


def _hash_of(part: Mapping[str, Any]) -> str:
    body = body_bytes(part)
    return hashlib.sha256(body).hexdigest() if body else ""
