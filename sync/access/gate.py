"""Which route needs what: nothing is answered that is not named here.

Invariants:
- a route that stands in neither table is refused to everybody once there is an account;
- what a session needs is looked at for every request anew: a role taken, a device revoked counts at once.
"""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from aiohttp import web

from store.audit import AuditAction
from store.roles import HubOperation, may_call
from sync.access.sessions import Caller, Session
from sync.hub import HUB
from sync.refused import Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# The program itself, which holds nothing of the clinic, and what lets somebody in.
OPEN_ROUTES = frozenset(
    {
        ("GET", "/sw.js"),
        ("GET", "/manifest.webmanifest"),
        ("GET", "/favicon.ico"),
        ("GET", "/icons/{name}"),
        ("GET", "/bundle/{build}/{path}"),
        ("GET", "/{rest}"),
        ("GET", "/api/access/state"),
        ("POST", "/api/access/first"),
        ("POST", "/api/access/pc-code"),
        ("POST", "/api/access/enrol"),
        ("GET", "/api/access/challenge"),
        ("POST", "/api/access/sign-in"),
        ("POST", "/api/access/session"),
        ("POST", "/api/access/hand-over"),
    }
)
OPERATIONS: dict[tuple[str, str], HubOperation] = {
    ("POST", "/api/sync"): HubOperation.SYNC,
    ("GET", "/api/events"): HubOperation.SYNC,
    ("GET", "/api/health"): HubOperation.SYNC,
    ("POST", "/api/search"): HubOperation.SYNC,
    ("POST", "/api/people"): HubOperation.SYNC,
    ("POST", "/api/snapshot"): HubOperation.SYNC,
    ("GET", "/api/snapshot/{sha256}/{page}"): HubOperation.SYNC,
    ("POST", "/api/cdc/wake"): HubOperation.UPLOAD_NOW,
    ("POST", "/api/cdc/stock"): HubOperation.STOCK_WITH_CDC,
    ("POST", "/api/cdc/stock/upload"): HubOperation.STOCK_WITH_CDC,
    ("POST", "/api/cdc/exams/upload"): HubOperation.EXAMS_TO_CDC,
    ("POST", "/api/cdc/history"): HubOperation.HISTORY_FROM_CDC,
    ("POST", "/api/receipts"): HubOperation.RECEIPTS,
    ("POST", "/api/receipts/one"): HubOperation.RECEIPTS,
    ("POST", "/api/audit"): HubOperation.SYNC,
    ("GET", "/api/audit"): HubOperation.AUDIT,
    ("POST", "/api/access/sign-out"): HubOperation.SYNC,
    ("POST", "/api/access/device-state"): HubOperation.SYNC,
    ("POST", "/api/access/password"): HubOperation.SYNC,
    ("GET", "/api/access/staff"): HubOperation.MANAGE_STAFF,
    ("POST", "/api/access/staff"): HubOperation.MANAGE_STAFF,
    ("GET", "/api/access/devices"): HubOperation.MANAGE_DEVICES,
    ("POST", "/api/access/devices/name"): HubOperation.MANAGE_DEVICES,
    ("POST", "/api/access/devices/revoke"): HubOperation.MANAGE_DEVICES,
    ("POST", "/api/access/code"): HubOperation.MANAGE_DEVICES,
}
_NOWHERE = "/api/{rest}"
_SESSION = web.RequestKey("session", Session)


def session_of(request: web.Request) -> Session | None:
    """Who asks; None as long as the hub has no accounts."""
    return request.get(_SESSION)


def signed_in(request: web.Request) -> Session:
    """Who asks, for what makes no sense without somebody. Raises: Refused while there are no accounts."""
    session = session_of(request)
    if session is None:
        raise Refused(409, "no_accounts")
    return session


def who_asks(request: web.Request, asked_by: str) -> str:
    """Whose tap it is: who is signed in, or as long as nobody can be, whom the device names."""
    session = session_of(request)
    return session.staff_id if session is not None else asked_by


def caller_of(request: web.Request) -> Caller:
    address = (request.remote or "").partition("%")[0]
    return Caller(
        address=address,
        origin=f"{request.scheme}://{request.host.lower()}",
        is_secure=request.secure,
        is_this_pc=not request.secure and _is_loopback(address),
    )


def cookie_name(request: web.Request) -> str:
    """Of this hub alone: browsers give the cookies of a computer to each of its ports.

    Shape: with the prefix that lets nobody set it over a connection without TLS.
    """
    port = request.url.port
    return f"__Secure-desk-{port}" if request.secure else f"desk-{port}"


@web.middleware
async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Ask for a session and its role, from the first account on."""
    desk = request.app[HUB].access
    resource = request.match_info.route.resource
    # Without a route there is nothing but a 404 or a 405 to be told, which under /api is nobody's business either.
    method = "GET" if request.method == "HEAD" else request.method
    route = (method, resource.canonical) if resource is not None and resource.canonical != _NOWHERE else None
    is_open = route in OPEN_ROUTES or (route is None and not request.path.startswith("/api/"))
    if not desk.has_accounts or is_open or _is_health_of_this_pc(request):
        return await handler(request)
    session = desk.session_of(request.cookies.get(cookie_name(request), ""), caller_of(request))
    # Whoever types an address into a locked tablet's browser has its cookie, but is no page of the program.
    if request.headers.get("Sec-Fetch-Mode") == "navigate":
        raise Refused(403, "not_a_page")
    operation = OPERATIONS.get(route) if route is not None else HubOperation.SYNC
    if operation is None or not may_call(desk.roles_of(session), operation):
        what = operation or "unknown"
        desk.contacts.note_refusal(session.staff_id, AuditAction.ROLE_REFUSED, {"kind": what}, session.device_id)
        raise Refused(403, "role_may_not", what)
    request[_SESSION] = session
    return await handler(request)


def _is_health_of_this_pc(request: web.Request) -> bool:
    """Counts only, for whoever looks after the PC."""
    return request.path == "/api/health" and request.method == "GET" and caller_of(request).is_this_pc


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
