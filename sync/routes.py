"""The hub's HTTP surface: parse, call the store, answer. No rules here."""

import asyncio
import gzip

from aiohttp import web
from pydantic import BaseModel, ValidationError

from store.changes import HUB_MADE_KINDS
from store.errors import ProtocolMismatch
from store.protocol import MAX_PULL_CHANGES, PROTOCOL_VERSION, SyncAnswer, SyncRequest
from store.uploads import UploadState
from sync.hub import HUB
from sync.middlewares import Refused

_GZIP_FROM_BYTES = 4096
_ROOT_FILES = ("/sw.js", "/manifest.webmanifest", "/favicon.ico", "/icons/{name}")


def add_routes(app: web.Application) -> None:
    bundle = app[HUB].bundle
    app.router.add_post("/api/sync", sync)
    app.router.add_get("/api/events", events, allow_head=False)
    app.router.add_get("/api/health", health)
    app.router.add_post("/api/cdc/wake", wake_cdc)
    app.router.add_route("*", "/api/{rest:.*}", _nothing_here)
    for path in _ROOT_FILES:
        app.router.add_get(path, bundle.serve_root_file)
    app.router.add_get("/bundle/{build}/{path:.+}", bundle.serve_build_file)
    app.router.add_get("/{rest:.*}", bundle.serve_shell)


async def sync(request: web.Request) -> web.Response:
    """Keep what a device brings and answer with what it has not seen; on disk before the answer leaves."""
    hub = request.app[HUB]
    message = _read_request(await request.read())
    return await _answer_json(request, await hub.database.answer(message, MAX_PULL_CHANGES, hub.status()))


async def events(request: web.Request) -> web.StreamResponse:
    """Keep a stream of notices open."""
    return await request.app[HUB].live.serve(request)


async def health(request: web.Request) -> web.Response:
    """Say how the hub is, for staff and for whoever looks after the PC; counts only."""
    hub = request.app[HUB]
    database = hub.database
    status = hub.status()
    vaccinations = database.tables.vaccinations
    return web.json_response(
        {
            "ok": True,
            "head": database.head,
            "journal_bytes": database.size_bytes,
            "recovery_dropped": len(database.recovery.dropped),
            "journal_damaged": database.recovery.damaged,
            "storage": database.storage_failure or "ok",
            "unreadable_changes": len(database.tables.unreadable),
            "cdc": {
                "state": status.cdc,
                "since": status.cdc_since.isoformat() if status.cdc_since else None,
                "detail": status.cdc_detail,
            },
            "queue": {state: vaccinations.count_by("upload_state", state) for state in UploadState},
            "streams": hub.live.stream_count,
            "build": hub.bundle.build,
            "protocol": PROTOCOL_VERSION,
            "practice": status.practice,
            "started_at": hub.started_at.isoformat(),
        }
    )


async def wake_cdc(request: web.Request) -> web.Response:
    """Staff want to upload or ask CDC now."""
    hub = request.app[HUB]
    if hub.cdc_failed:
        raise Refused(409, "cdc_link_failed", hub.cdc_failed)
    if hub.worker is None:
        raise Refused(409, "cdc_not_configured")
    hub.worker.wake()
    return web.json_response({}, status=202)


async def _nothing_here(_: web.Request) -> web.Response:
    raise web.HTTPNotFound


class _Versioned(BaseModel):
    protocol: int = PROTOCOL_VERSION


def _read_request(body: bytes) -> SyncRequest:
    # The version first: what another version says need not look like ours at all.
    try:
        if (theirs := _Versioned.model_validate_json(body).protocol) != PROTOCOL_VERSION:
            raise ProtocolMismatch(ours=PROTOCOL_VERSION, theirs=theirs)
        message = SyncRequest.model_validate_json(body)
    except ValidationError as error:
        # Field and kind only; the values are patients'.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"] if part != "payload")
        raise Refused(400, "invalid_body", f"{field}: {first['type']}") from None
    if any(change.kind in HUB_MADE_KINDS for change in message.changes):
        raise Refused(400, "invalid_body", "changes: a kind that only the hub makes")
    return message


async def _answer_json(request: web.Request, answer: SyncAnswer) -> web.Response:
    body = answer.model_dump_json().encode()
    headers = {"Vary": "Accept-Encoding"}
    if len(body) >= _GZIP_FROM_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = await asyncio.to_thread(gzip.compress, body, 5)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, content_type="application/json", charset="utf-8", headers=headers)
