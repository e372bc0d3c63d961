"""The hub's HTTP surface: parse, call the store, answer. No rules here."""

from typing import TypeVar

from aiohttp import web

from store.protocol import MAX_BODY_BYTES, MAX_PULL_CHANGES, PROTOCOL_VERSION, HistoryRequest, StaffRequest, SyncRequest
from store.uploads import UploadState
from sync.access.gate import session_of, who_asks
from sync.access.pushing import check_pushed, refuse_hub_made
from sync.hub import HUB
from sync.messages import answer_json, read_message
from sync.refused import Refused

Part = TypeVar("Part")
_ROOT_FILES = ("/sw.js", "/manifest.webmanifest", "/favicon.ico", "/icons/{name}")


def add_routes(app: web.Application) -> None:
    bundle = app[HUB].bundle
    app.router.add_post("/api/sync", sync)
    app.router.add_get("/api/events", events, allow_head=False)
    app.router.add_get("/api/health", health)
    app.router.add_post("/api/cdc/wake", wake_cdc)
    app.router.add_post("/api/cdc/stock", download_stock)
    app.router.add_post("/api/cdc/stock/upload", upload_consumption)
    app.router.add_post("/api/cdc/exams/upload", upload_exams)
    app.router.add_post("/api/cdc/history", ask_history)
    app.router.add_route("*", "/api/{rest:.*}", _nothing_here)
    for path in _ROOT_FILES:
        app.router.add_get(path, bundle.serve_root_file)
    app.router.add_get("/bundle/{build}/{path:.+}", bundle.serve_build_file)
    app.router.add_get("/{rest:.*}", bundle.serve_shell)


async def sync(request: web.Request) -> web.Response:
    """Keep what a device brings and answer with what it has not seen; on disk before the answer leaves."""
    hub = request.app[HUB]
    message = await read_message(request, SyncRequest, MAX_BODY_BYTES)
    session = session_of(request)
    if session is None:
        refuse_hub_made(message)
    else:
        await check_pushed(hub, hub.access.known.devices[session.device_id], message, session)
    answer = await hub.database.answer(message, MAX_PULL_CHANGES, hub.status())
    if session is not None:
        hub.access.contacts.note_seen(session.device_id, synced=True)
        await hub.access.contacts.keep()
    return await answer_json(request, answer)


async def events(request: web.Request) -> web.StreamResponse:
    """Keep a stream of notices open."""
    hub = request.app[HUB]
    desk, session = hub.access, session_of(request)
    return await hub.live.serve(request, lambda: desk.is_open(session) if session else not desk.has_accounts)


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
            "audit": hub.audit.failure or "ok",
            "streams": hub.live.stream_count,
            "build": hub.bundle.build,
            "protocol": PROTOCOL_VERSION,
            "practice": status.practice,
            "started_at": hub.started_at.isoformat(),
        }
    )


async def wake_cdc(request: web.Request) -> web.Response:
    """Staff want to upload or ask CDC now. Answers how the line stands with that: HubStatus."""
    hub = request.app[HUB]
    worker = _with_cdc(request, hub.worker)
    worker.wake(await _asked_by(request))
    answer = await answer_json(request, hub.status())
    answer.set_status(202)
    return answer


async def download_stock(request: web.Request) -> web.Response:
    """Staff want CDC's stock now. Answers when it is there: StockAnswer."""
    desk = _with_cdc(request, request.app[HUB].stock)
    return await answer_json(request, await desk.download(await _asked_by(request)))


async def upload_consumption(request: web.Request) -> web.Response:
    """Staff want CDC to know what was used. Answers when CDC has: StockAnswer."""
    desk = _with_cdc(request, request.app[HUB].stock)
    return await answer_json(request, await desk.upload(await _asked_by(request)))


async def upload_exams(request: web.Request) -> web.Response:
    """Staff want exam reports at CDC now. Answers when CDC has: ExamsAnswer."""
    desk = _with_cdc(request, request.app[HUB].exams)
    return await answer_json(request, await desk.upload(await _asked_by(request)))


async def ask_history(request: web.Request) -> web.Response:
    """Staff want to know what a person was given anywhere; what CDC tells is on disk before the answer leaves."""
    desk = _with_cdc(request, request.app[HUB].history)
    message = await read_message(request, HistoryRequest)
    return await answer_json(request, await desk.ask(message.record_id, who_asks(request, message.asked_by)))


async def _asked_by(request: web.Request) -> str:
    return who_asks(request, (await read_message(request, StaffRequest)).asked_by)


def _with_cdc(request: web.Request, part: Part | None) -> Part:
    """Raises: Refused where the hub has no line to CDC."""
    if failure := request.app[HUB].cdc_failed:
        raise Refused(409, "cdc_link_failed", failure)
    if part is None:
        raise Refused(409, "cdc_not_configured")
    return part


async def _nothing_here(_: web.Request) -> web.Response:
    raise web.HTTPNotFound
