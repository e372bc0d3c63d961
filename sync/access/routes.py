"""The messages of store/access_protocol.py over HTTP: parse, ask the desk, answer."""

import asyncio
import re
from ipaddress import ip_address

import segno
from aiohttp import web

from store.access_protocol import (
    SESSION_SECONDS,
    ChallengeAnswer,
    CodeAnswer,
    DeviceList,
    DeviceState,
    Done,
    EnrolAnswer,
    EnrolRequest,
    FieldProblem,
    FirstManager,
    HandOverAnswer,
    HandOverRequest,
    HubState,
    NameDevice,
    PasswordChange,
    PcCodeRequest,
    Purpose,
    RevokeDevice,
    SessionRequest,
    SetStaff,
    SignInRequest,
    StaffList,
)
from store.audit import NOBODY, AuditAction
from store.protocol import MAX_BODY_BYTES
from sync.access import managing
from sync.access.gate import caller_of, cookie_name, signed_in
from sync.access.pushing import check_pushed
from sync.hub import HUB, Hub
from sync.messages import answer_json, read_message
from sync.refused import Refused

_ID = re.compile(r"[0-9a-f]{32}")
_HANDING_OVER = web.AppKey("handing_over", asyncio.Semaphore)
_AT_ONCE = 4


def add_access(app: web.Application) -> None:
    app[_HANDING_OVER] = asyncio.Semaphore(_AT_ONCE)
    router = app.router
    router.add_get("/api/access/state", state, allow_head=False)
    router.add_post("/api/access/first", first)
    router.add_post("/api/access/pc-code", pc_code)
    router.add_post("/api/access/enrol", enrol)
    router.add_get("/api/access/challenge", challenge, allow_head=False)
    router.add_post("/api/access/sign-in", sign_in)
    router.add_post("/api/access/session", session)
    router.add_post("/api/access/hand-over", hand_over)
    router.add_post("/api/access/sign-out", sign_out)
    router.add_post("/api/access/device-state", device_state)
    router.add_post("/api/access/password", password)
    router.add_get("/api/access/staff", staff, allow_head=False)
    router.add_post("/api/access/staff", set_staff)
    router.add_get("/api/access/devices", devices, allow_head=False)
    router.add_post("/api/access/devices/name", name_device)
    router.add_post("/api/access/devices/revoke", revoke)
    router.add_post("/api/access/code", code)

    async def keep_notes(app: web.Application) -> None:
        await app[HUB].access.contacts.keep(now=True)

    app.on_cleanup.append(keep_notes)


# ---- for everybody


async def state(request: web.Request) -> web.Response:
    """Whether somebody has to sign in, and whether the first account can be made from here."""
    has_accounts = request.app[HUB].access.has_accounts
    return await answer_json(
        request, HubState(has_accounts=has_accounts, is_this_pc=caller_of(request).is_this_pc)
    )


async def first(request: web.Request) -> web.Response:
    """Make the first account."""
    hub = request.app[HUB]
    asked = await read_message(request, FirstManager)
    made, problems = await hub.access.make_first(asked, caller_of(request))
    return await answer_json(request, _code_answer(hub, made, problems))


async def pc_code(request: web.Request) -> web.Response:
    """Enrol this computer's browser anew."""
    hub = request.app[HUB]
    made = await hub.access.make_pc_code(await read_message(request, PcCodeRequest), caller_of(request))
    return await answer_json(request, _code_answer(hub, made))


async def enrol(request: web.Request) -> web.Response:
    device = await request.app[HUB].access.enrol(await read_message(request, EnrolRequest), caller_of(request))
    return await answer_json(request, EnrolAnswer(device_id=device.device_id, name=device.name))


async def challenge(request: web.Request) -> web.Response:
    """Give one to whoever asks, for any device: it says nothing, and costs the hub nothing to have given."""
    device_id = request.query.get("device_id", "")
    if not _ID.fullmatch(device_id):
        raise Refused(400, "invalid_body", "device_id: string_pattern_mismatch")
    made = request.app[HUB].access.challenges.make(device_id)
    return await answer_json(request, ChallengeAnswer(challenge=made))


async def sign_in(request: web.Request) -> web.Response:
    asked = await read_message(request, SignInRequest)
    return await answer_json(request, await request.app[HUB].access.sign_in(asked, caller_of(request)))


async def session(request: web.Request) -> web.Response:
    """Begin a session: the cookie is for this hub's /api alone, and no script reads it."""
    asked = await read_message(request, SessionRequest)
    value, told = await request.app[HUB].access.open_session(asked, caller_of(request))
    answer = await answer_json(request, told)
    answer.set_cookie(
        cookie_name(request),
        value,
        max_age=SESSION_SECONDS,
        path="/api",
        secure=request.secure,
        httponly=True,
        samesite="Strict",
    )
    return answer


async def hand_over(request: web.Request) -> web.Response:
    """Take what a revoked device has not sent yet. It learns which of them the hub holds, and nothing else."""
    hub = request.app[HUB]
    # As large as a push, and nobody has shown yet who it is.
    if (turn := request.app[_HANDING_OVER]).locked():
        raise Refused(503, "unavailable")
    async with turn:
        asked = await read_message(request, HandOverRequest, MAX_BODY_BYTES)
    device = hub.access.signed(asked, Purpose.HAND_OVER, caller_of(request))
    if device.revoked_at is None:
        raise Refused(409, "device_not_revoked")
    await check_pushed(hub, device, asked.request, None)
    accepted = await hub.database.accept(asked.request.changes)
    audit = None
    if asked.audit is not None and hub.access.known.owner_of(asked.audit.device_id) in (None, device.device_id):
        audit = await hub.audit.take(asked.audit)
    count = {"count": len(accepted)}
    if accepted:
        hub.access.audit.note(NOBODY, AuditAction.HANDED_OVER, count, device.device_id)
    told = hub.access.contacts.of(device.device_id).state
    hub.access.contacts.note_seen(device.device_id, told.model_copy(update={"unsent": asked.left}))
    if asked.wiped and not asked.left:
        await managing.note_wiped(hub.access, device.device_id)
    return await answer_json(request, HandOverAnswer(accepted=accepted, audit=audit))


# ---- for whoever is signed in


async def sign_out(request: web.Request) -> web.Response:
    request.app[HUB].access.close_session(signed_in(request))
    answer = await answer_json(request, Done())
    answer.del_cookie(cookie_name(request), path="/api", secure=request.secure, httponly=True, samesite="Strict")
    return answer


async def device_state(request: web.Request) -> web.Response:
    """What a device says of itself, for the list of devices."""
    told = await read_message(request, DeviceState)
    request.app[HUB].access.contacts.note_seen(signed_in(request).device_id, told)
    return await answer_json(request, Done())


async def password(request: web.Request) -> web.Response:
    asked, by = await read_message(request, PasswordChange), signed_in(request)
    return await answer_json(
        request, await managing.change_password(request.app[HUB].access, asked, by, caller_of(request))
    )


# ---- for managers


async def staff(request: web.Request) -> web.Response:
    signed_in(request)
    return await answer_json(request, StaffList(staff=managing.list_staff(request.app[HUB].access)))


async def set_staff(request: web.Request) -> web.Response:
    asked, by = await read_message(request, SetStaff), signed_in(request)
    return await answer_json(request, await managing.set_staff(request.app[HUB].access, asked, by))


async def devices(request: web.Request) -> web.Response:
    by = signed_in(request)
    return await answer_json(request, DeviceList(devices=managing.list_devices(request.app[HUB].access, by)))


async def name_device(request: web.Request) -> web.Response:
    asked, _ = await read_message(request, NameDevice), signed_in(request)
    await managing.name_device(request.app[HUB].access, asked.device_id, asked.name)
    return await answer_json(request, Done())


async def revoke(request: web.Request) -> web.Response:
    asked, by = await read_message(request, RevokeDevice), signed_in(request)
    await managing.revoke(request.app[HUB].access, asked.device_id, by)
    return await answer_json(request, Done())


async def code(request: web.Request) -> web.Response:
    """One more device."""
    hub, by = request.app[HUB], signed_in(request)
    return await answer_json(request, _code_answer(hub, hub.access.make_code(by.staff_id, by.device_id)))


def _code_answer(hub: Hub, made: str, problems: list[FieldProblem] | None = None) -> CodeAnswer:
    urls = [f"{origin}/#enrol={made}" for origin in _origins(hub)] if made else []
    picture = segno.make(urls[0], error="m", micro=False).svg_inline(border=4, omitsize=True) if urls else ""
    return CodeAnswer(code=made, urls=urls, qr_svg=picture, problems=problems or [])


def _origins(hub: Hub) -> list[str]:
    """Where tablets reach this hub: by the names of the settings, by address, by the computer's name."""
    if hub.settings.lan is None:
        return []
    names = list(hub.lan_names)
    configured = [name for name in map(str.lower, hub.settings.allowed_hosts) if name in names]
    addresses = [name for name in names if _is_address(name)]
    port = hub.settings.lan.port
    return [
        f"https://{f'[{name}]' if ':' in name else name}{'' if port == 443 else f':{port}'}"
        for name in dict.fromkeys([*configured, *addresses, *names])
    ]


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False
