"""The receipts of what went to CDC and came back, for staff to look at; and how they lose their bodies past their time.

    POST /api/receipts      ReceiptsRequest -> ReceiptsAnswer    a page of lines, the newest first
    POST /api/receipts/one  ReceiptRequest  -> ReceiptAnswer     one as it was

Invariants:
- no secret is in a receipt: it is not kept, and what might be one is left out once more here;
- a page reads a bounded number of exchanges and gives way between them;
- what is asked for is not logged.
"""

import asyncio
import base64
import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from store.changes import World
from store.errors import AppError
from store.hub_database import HubDatabase, give_way
from store.protocol import (
    MAX_RECEIPT_BYTES,
    ReceiptAnswer,
    ReceiptBody,
    ReceiptLine,
    ReceiptRequest,
    ReceiptsAnswer,
    ReceiptsRequest,
)
from store.receipts import (
    body_bytes,
    find_overdue,
    find_receipts,
    find_sent,
    first_day_kept,
    is_failed,
    is_meant,
    is_needed,
    number_of,
    rows_in_batch,
    without_bodies,
)
from store.roc_date import TAIPEI
from store.tables import Tables
from store.uploads import CdcMessage
from sync import cdc_answers
from sync.hub import HUB
from sync.messages import answer_json, read_message
from sync.registry import without_secrets

_LOOKED_AT = 200  # exchanges, for one page
_DROPPED_AT_ONCE = 20
_LOOK_AGAIN_SECONDS = 3600.0
_log = logging.getLogger(__name__)


def add_receipts(app: web.Application) -> None:
    app.router.add_post("/api/receipts", list_receipts)
    app.router.add_post("/api/receipts/one", one_receipt)


async def list_receipts(request: web.Request) -> web.Response:
    """Give a page of lines. One that is not full may still go on: its `before` says so."""
    asked = await read_message(request, ReceiptsRequest)
    tables = request.app[HUB].database.tables
    lines: list[ReceiptLine] = []
    candidates = find_receipts(tables, asked, _LOOKED_AT + 1)
    before: int | None = None
    for place, record_id in enumerate(candidates):
        if place == _LOOKED_AT or len(lines) == asked.limit:
            before = tables.exchanges.to_doc_id(candidates[place - 1])
            break
        exchange = tables.exchanges.find(record_id)
        if exchange is not None and is_meant(exchange, asked):
            lines.append(_line(tables, exchange))
        await give_way()
    return await answer_json(request, ReceiptsAnswer(receipts=lines, before=before))


async def one_receipt(request: web.Request) -> web.Response:
    """Give one receipt whole."""
    asked = await read_message(request, ReceiptRequest)
    tables = request.app[HUB].database.tables
    exchange = tables.exchanges.find(tables.exchanges.to_key(asked.number))
    if exchange is None or "started_at" not in exchange:
        raise web.HTTPNotFound
    sent, answer = exchange.get("request") or {}, exchange.get("answer") or {}
    holds_body = sent
    if not body_bytes(sent) and (kept := find_sent(tables, exchange)) is not None:
        holds_body = kept["request"]
    receipt = ReceiptAnswer(
        line=_line(tables, exchange),
        method=sent.get("method", ""),
        path=sent.get("path", ""),
        request_headers=without_secrets(sent.get("headers") or {}),
        request=_body(holds_body),
        sha256=sent.get("body_sha256", ""),
        answer_headers=without_secrets(answer.get("headers") or {}),
        answer=_body(answer),
    )
    return await answer_json(request, receipt)


def _line(tables: Tables, exchange: Any) -> ReceiptLine:
    answer, batch_id = exchange.get("answer") or {}, exchange.get("upload_batch_id", "")
    content = _json_of(answer)
    rows = rows_in_batch(tables, batch_id)
    if rows is None and isinstance(entries := cdc_answers.pick(content, "entry"), list):
        rows = len(entries)  # a page of stock, a person's history
    return ReceiptLine(
        number=number_of(exchange),
        kind=exchange["kind"],
        started_at=exchange["started_at"],
        ended_at=exchange.get("ended_at"),
        upload_batch_id=batch_id,
        record_id=exchange.get("record_id", ""),
        records=rows,
        status=answer.get("status"),
        failed=is_failed(exchange),
        failure=exchange.get("failure", ""),
        message=_words(content),
        asked_by=exchange.get("asked_by", ""),
        dropped_at=exchange.get("dropped_at"),
    )


def _json_of(answer: Mapping[str, Any]) -> Any:
    try:
        return json.loads(body_bytes(answer).decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _words(content: Any) -> CdcMessage | None:
    """CDC's own words in an answer: the first refusal of any row, else the first word of all."""
    entries = cdc_answers.pick(content, "entry")
    outcomes = [content]
    for entry in entries if isinstance(entries, list) else ():
        outcomes += [cdc_answers.pick(entry, "response", "outcome"), cdc_answers.pick(entry, "resource")]
    messages = [message for outcome in outcomes for message in cdc_answers.messages_of(outcome) or ()]
    harmful = [one for one in messages if cdc_answers.worst_of([one]) == "harmful"]
    return next(iter(harmful or messages), None)


def _body(part: Mapping[str, Any]) -> ReceiptBody:
    body = body_bytes(part)
    shown, is_cut = body[:MAX_RECEIPT_BYTES], len(body) > MAX_RECEIPT_BYTES
    if part.get("body") is not None:
        return ReceiptBody(text=shown.decode("utf-8", "ignore"), size_bytes=len(body), is_cut=is_cut)
    return ReceiptBody(base64=base64.b64encode(shown).decode("ascii"), size_bytes=len(body), is_cut=is_cut)


class ReceiptKeeper:
    """Drops the bodies of receipts past their time, some at a time; the lines stay."""

    def __init__(self, database: HubDatabase, years: int, world: World) -> None:
        self._database, self._years, self._world = database, years, world

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                while await self.step():
                    await self._database.rest()
            except AppError as error:
                _log.warning("receipts: %s", error.code)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def step(self) -> bool:
        """Drop what is overdue of a few; False where nothing is left to drop. Raises: StorageFailed."""
        tables, now = self._database.tables, self._now()
        first_kept = first_day_kept(now.astimezone(TAIPEI).date(), self._years)
        after, dropped = "", dict[int, dict[str, Any]]()
        while not dropped and (ids := find_overdue(tables, first_kept, _DROPPED_AT_ONCE, after)):
            exchanges = [tables.exchanges.at(one) for one in ids]
            dropped = {number_of(one): without_bodies(one, now) for one in exchanges if not is_needed(tables, one)}
            after = ids[-1]
        if dropped:
            await self._database.put_exchanges(dropped)
        return bool(dropped)

    def _now(self) -> datetime:
        """Not later than the newest exchange: a clock set years ahead by mistake must not drop anything by itself."""
        table, now = self._database.tables.exchanges, self._world.now()
        newest = table.find(table.to_key(table.last_number()))
        return min(now, datetime.fromisoformat(newest["started_at"])) if newest and "started_at" in newest else now
