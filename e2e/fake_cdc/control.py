"""The levers behind the scenes, JSON in and out: what CDC holds, what it was asked, what it shall do wrong next."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from itertools import islice
from typing import Any

from aiohttp import web

from .cdc import Cdc
from .history import read_seed
from .holdings import Lot, StoredBatch, StoredRecord
from .outcomes import RequestRefused
from .scenarios import KINDS, SCENARIOS, read_rule

CDC = web.AppKey("cdc", Cdc)
OPEN = web.AppKey("open", set[asyncio.Transport])
"""Connections on which CDC is answering, so that going down can cut them."""


def add_routes(app: web.Application) -> None:
    app.router.add_get("/control/state", _state)
    app.router.add_get("/control/records", _records)
    app.router.add_get("/control/batches", _batches)
    app.router.add_get("/control/requests", _requests)
    app.router.add_post("/control/scenarios", _add_scenario)
    app.router.add_delete("/control/scenarios", _clear_scenarios)
    app.router.add_post("/control/verify_after", _verify_after)
    app.router.add_get("/control/lots", _lots)
    app.router.add_post("/control/lots", _add_lot)
    app.router.add_get("/control/consumptions", _consumptions)
    app.router.add_get("/control/exams", _exams)
    app.router.add_post("/control/history", _add_history)
    app.router.add_post("/control/down", _down)
    app.router.add_post("/control/reset", _reset)


async def _state(request: web.Request) -> web.Response:
    cdc = request.app[CDC]
    return web.json_response(
        {
            "down": cdc.down,
            "verify_after": cdc.verify_after,
            "records": len(cdc.holdings.records),
            "batches": len(cdc.holdings.batches),
            "exams": len(cdc.holdings.exams),
            "consumptions": len(cdc.holdings.consumptions),
            "rules": [asdict(rule) for rule in cdc.scenarios.rules],
            "scenarios": {name: sorted(kinds, key=KINDS.index) for name, kinds in SCENARIOS.items()},
        }
    )


async def _records(request: web.Request) -> web.Response:
    """Give records by record key, oldest first; `?limit=N` gives the N newest, newest first."""
    cdc = request.app[CDC]
    records = cdc.holdings.records
    limit = request.query.get("limit")
    chosen = records if limit is None else islice(reversed(records), _number(limit))
    return web.json_response({"records": {key: _record(cdc, records[key]) for key in chosen}})


def _record(cdc: Cdc, record: StoredRecord) -> dict[str, Any]:
    row = record.last_row
    return {
        "org_id": record.org_id,
        "state": cdc.state_of(record),
        "uploads": record.uploads,
        "stored_versions": len(record.versions),
        "current": record.versions[-1] if record.held else None,
        "versions": record.versions,
        "last_batch": record.last_batch,
        "last_method": None if row is None else row.method,
        "last_resource": None if row is None else row.resource,
        "last_refusal": None if row is None or row.refusal is None else row.refusal.as_dict(),
    }


async def _batches(request: web.Request) -> web.Response:
    cdc = request.app[CDC]
    return web.json_response({"batches": [_batch(cdc, batch) for batch in cdc.holdings.batches.values()]})


def _batch(cdc: Cdc, batch: StoredBatch) -> dict[str, Any]:
    return {
        "org_id": batch.org_id,
        "identifier": batch.identifier,
        "accepted_at": batch.accepted_at,
        "verified": cdc.is_verified(batch),
        "times_received": batch.times_received,
        "body_sha256": batch.body_sha256,
        "body": batch.body.decode("utf-8"),
        "record_keys": [row.record_key for row in batch.rows],
    }


async def _requests(request: web.Request) -> web.Response:
    seen = request.app[CDC].requests
    limit = request.query.get("limit")
    chosen = list(seen) if limit is None else list(islice(reversed(seen), _number(limit)))
    return web.json_response({"requests": [asdict(one) for one in chosen]})


async def _add_scenario(request: web.Request) -> web.Response:
    try:
        rule = read_rule(await _given(request))
    except ValueError as error:
        raise _bad(str(error)) from error
    request.app[CDC].scenarios.rules.append(rule)
    return web.json_response(asdict(rule))


async def _clear_scenarios(request: web.Request) -> web.Response:
    kind = request.query.get("kind")
    if kind is not None and kind not in KINDS:
        raise _bad(f"kind: one of {', '.join(KINDS)}")
    request.app[CDC].scenarios.clear(kind)
    return web.json_response({})


async def _verify_after(request: web.Request) -> web.Response:
    seconds = (await _given(request)).get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e9:
        raise _bad("seconds: a number from 0")
    request.app[CDC].verify_after = seconds
    return web.json_response({"seconds": seconds})


async def _lots(request: web.Request) -> web.Response:
    return web.json_response({"lots": [asdict(lot) for lot in request.app[CDC].holdings.lots]})


async def _consumptions(request: web.Request) -> web.Response:
    stored = request.app[CDC].holdings.consumptions
    found = [
        {"identifier": identifier, "times_received": one.times_received, "rows": [asdict(row) for row in one.rows]}
        for (_, identifier), one in stored.items()
    ]
    return web.json_response({"consumptions": found})


async def _exams(request: web.Request) -> web.Response:
    """The reports that stand, by their key, with what each refers to."""
    held = request.app[CDC].holdings.exams
    return web.json_response({"exams": {key: resources for (_, key), resources in held.items()}})


async def _add_lot(request: web.Request) -> web.Response:
    holdings = request.app[CDC].holdings
    given = await _given(request)
    vaccine_code, lot_number, lot_type = (given.get(name) for name in ("vaccine_code", "lot_number", "lot_type"))
    vials, expiry_date, doses = given.get("vials", 0), given.get("expiry_date"), given.get("doses_per_vial")
    if not (isinstance(vaccine_code, str) and vaccine_code and isinstance(lot_number, str) and lot_number):
        raise _bad("vaccine_code and lot_number: text")
    if lot_type not in ("1", "2", "3"):
        raise _bad('lot_type: "1", "2" or "3"')
    if type(vials) is not int or type(doses) not in (int, type(None)) or type(expiry_date) not in (str, type(None)):
        raise _bad("vials, doses_per_vial: whole numbers; expiry_date: YYYY-MM-DD")
    lot = Lot(f"S-{len(holdings.lots) + 1:04d}", vaccine_code, lot_number, lot_type, vials, expiry_date, doses)
    holdings.add_lot(lot)
    return web.json_response(asdict(lot))


async def _add_history(request: web.Request) -> web.Response:
    try:
        person, rows = read_seed(await _given(request))
    except (ValueError, RequestRefused) as error:
        raise _bad(f"value: an ID; birth_date: YYYY-MM-DD; {error}") from error
    request.app[CDC].holdings.add_history(person, rows)
    return web.json_response({"rows": len(rows)})


async def _down(request: web.Request) -> web.Response:
    down = (await _given(request)).get("down")
    if not isinstance(down, bool):
        raise _bad("down: true or false")
    request.app[CDC].down = down
    open_connections = request.app[OPEN]
    if down:
        for transport in list(open_connections):
            transport.abort()
    return web.json_response({"down": down})


async def _reset(request: web.Request) -> web.Response:
    request.app[CDC].reset()
    return web.json_response({})


async def _given(request: web.Request) -> dict[str, Any]:
    # A page of another site cannot send this type without asking first, so it cannot pull these levers.
    if request.content_type != "application/json":
        raise _bad("Content-Type: application/json")
    try:
        given = await request.json()
    except ValueError as error:
        raise _bad("not JSON") from error
    if not isinstance(given, dict):
        raise _bad("not a JSON object")
    return given


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise _bad("limit: a whole number")
    return int(text)


def _bad(detail: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=detail)
