"""The HTTP side of the fake CDC: FHIR routes, the one request log, and being down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256

from aiohttp import web

from . import control, control_page, outcomes
from .cdc import Answer, Cdc, SeenRequest
from .consumption import is_consumption
from .outcomes import RequestRefused
from .scenarios import Rule
from .staging import SEEN, drop, perform, refused_response

BASE = "/fhir"
_MAX_BODY_BYTES = 32 * 1024 * 1024
_log = logging.getLogger("fake_cdc")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(cdc: Cdc) -> web.Application:
    app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[_watch])
    app[control.CDC] = cdc
    app[control.OPEN] = set()
    app.router.add_post(f"{BASE}/Bundle", _upload)
    app.router.add_get(f"{BASE}/Bundle/{{identifier}}/$confirm", _confirm)
    app.router.add_get(f"{BASE}/SupplyDelivery", _stock)
    app.router.add_get(f"{BASE}/Immunization", _history)
    app.router.add_post(f"{BASE}/UpldExamRslt", _exams)
    app.router.add_route("*", f"{BASE}/{{rest:.*}}", _unknown_path)
    control.add_routes(app)
    control_page.add_routes(app)
    return app


@web.middleware
async def _watch(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Log every request to CDC, without query, header or body: those may name a person. Refuse all when down."""
    if not request.path.startswith(f"{BASE}/"):
        return await handler(request)
    cdc = request.app[control.CDC]
    seen = request[SEEN] = SeenRequest(cdc.clock(), request.method, request.path, "")
    cdc.requests.append(seen)
    transport = request.transport
    if transport is not None:
        request.app[control.OPEN].add(transport)
    try:
        if cdc.down:
            return drop(request)
        seen.body_sha256 = sha256(await request.read()).hexdigest()
        response = await handler(request)
        if seen.status == "open":
            seen.status = response.status
        return response
    except web.HTTPRequestEntityTooLarge:
        seen.status = 400
        return refused_response(outcomes.WRONG_VALUE, 400)
    except asyncio.CancelledError:
        seen.status = "dropped"  # the other side went away, or CDC went down
        raise
    finally:
        if transport is not None:
            request.app[control.OPEN].discard(transport)
        resource = request.match_info.route.resource
        label = "?" if resource is None else resource.canonical
        _log.info("%s %s -> %s %s", seen.method, label, seen.status, seen.scenario)


async def _upload(request: web.Request) -> web.StreamResponse:
    cdc = request.app[control.CDC]
    body = await request.read()
    about_stock = is_consumption(body)

    def work(rule: Rule) -> Answer:
        org_id = cdc.gate.check_sender(request.headers.get("Authorization"))
        cdc.gate.check_signature(request.headers.get("AUTH"), body)
        # ASSUMED: another media type or charset is a bad parameter, 400.
        if request.content_type != "application/fhir+json" or (request.charset or "utf-8").lower() != "utf-8":
            raise RequestRefused(outcomes.WRONG_VALUE.at("Content-Type"))
        return (cdc.consume if about_stock else cdc.upload)(org_id, body, rule)

    return await perform(request, cdc, "consumption" if about_stock else "upload", work)


async def _confirm(request: web.Request) -> web.StreamResponse:
    cdc = request.app[control.CDC]

    def work(rule: Rule) -> Answer:
        org_id = cdc.gate.check_sender(request.headers.get("Authorization"))
        return cdc.confirm(org_id, request.match_info["identifier"], rule)

    return await perform(request, cdc, "confirm", work)


async def _stock(request: web.Request) -> web.StreamResponse:
    cdc = request.app[control.CDC]

    def work(rule: Rule) -> Answer:
        org_id = cdc.gate.check_sender(request.headers.get("Authorization"))
        return cdc.stock(
            org_id,
            request.query.get("destination.identifier"),
            request.query.get("page", "1"),  # ASSUMED: pages are numbered; a client only follows the links
            lambda page: str(request.url.update_query(page=str(page))),
            rule,
        )

    return await perform(request, cdc, "stock", work)


async def _history(request: web.Request) -> web.StreamResponse:
    cdc = request.app[control.CDC]

    def work(rule: Rule) -> Answer:
        cdc.gate.check_sender(request.headers.get("Authorization"))
        return cdc.history(request.query.get("patient.identifier"), request.query.get("patient.birthdate"), rule)

    return await perform(request, cdc, "history", work)


async def _exams(request: web.Request) -> web.StreamResponse:
    cdc = request.app[control.CDC]
    body = await request.read()

    def work(rule: Rule) -> Answer:
        org_id = cdc.gate.check_sender(request.headers.get("Authorization"))
        try:
            cdc.gate.check_signature(request.headers.get("AUTH"), body)
        except RequestRefused as refused:
            raise RequestRefused(outcomes.WRONG_CHECKSUM) from refused
        return cdc.report_exams(org_id, body, rule)

    return await perform(request, cdc, "exams", work)


async def _unknown_path(_: web.Request) -> web.StreamResponse:
    return refused_response(outcomes.UNKNOWN_PATH, 404)
