"""Devices tell the hub what they noted, and a manager looks at it.

    POST /api/audit    AuditTelling -> AuditTaken
    GET  /api/audit?   AuditQuery -> AuditPage
"""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web
from pydantic import ValidationError

from store.audit import About, AuditAction
from store.audit_protocol import AuditQuery, AuditTelling
from store.errors import AppError
from store.protocol import MAX_BODY_BYTES, STAFF
from sync.access.gate import session_of
from sync.audit import HubAudit
from sync.hub import HUB
from sync.messages import answer_json, read_message
from sync.middlewares import log_bug
from sync.refused import Refused


def add_audit(app: web.Application) -> None:
    """Serve the two routes, and keep the chain as long as the application runs."""
    app.router.add_post("/api/audit", tell)
    app.router.add_get("/api/audit", look, allow_head=False)
    app.cleanup_ctx.append(_kept)


async def _kept(app: web.Application) -> AsyncIterator[None]:
    audit = app[HUB].audit
    await audit.open()
    task = asyncio.create_task(_run(audit))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await audit.close()


async def _run(audit: HubAudit) -> None:
    try:
        await audit.run()
    except Exception as error:  # noqa: BLE001 -- saving must go on without it: logged, and told by the health page
        audit.failure = AppError.code
        log_bug(error)


def note_by(request: web.Request, what: AuditAction, about: About | None = None) -> None:
    """Note what whoever asks has done."""
    session = session_of(request)
    who, device_id = (session.staff_id, session.device_id) if session is not None else (STAFF, "")
    request.app[HUB].audit.note(who, what, about, device_id)


async def tell(request: web.Request) -> web.Response:
    """Keep what a device noted; on disk before the answer leaves."""
    hub, told = request.app[HUB], await read_message(request, AuditTelling, MAX_BODY_BYTES)
    session = session_of(request)
    if session is not None and hub.access.known.owner_of(told.device_id) not in (None, session.device_id):
        raise Refused(403, "not_at_the_desk")
    return await answer_json(request, await hub.audit.take(told))


async def look(request: web.Request) -> web.Response:
    """Give a page of the chain. Looking is noted as well, once for each search."""
    try:
        query = AuditQuery.model_validate(dict(request.query))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Refused(400, "invalid_query", f"{'.'.join(map(str, first['loc']))}: {first['type']}") from None
    if query.before is None:
        note_by(request, AuditAction.VIEWED_AUDIT, {"record_id": query.record_id} if query.record_id else {})
    hub = request.app[HUB]
    page = await hub.audit.find(query)
    ids = {str(one) for entry in page.entries for one in (entry.device_id, entry.about.get("device_id")) if one}
    return await answer_json(request, page.model_copy(update={"device_names": hub.access.known.names_of(ids)}))
