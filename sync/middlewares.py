"""What holds for every request: who may ask, how an error looks, which headers go out.

Invariants:
- a request whose Host is not a name of this hub is refused, so that a rebound DNS name reads nothing;
- no page of another site can post, nor read anything under /api;
- every error has the one JSON shape; log lines name route and kind of error, never a query, a body or a value.
"""

import logging
import math
import traceback
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import NoReturn
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware
from aiohttp.web_protocol import RequestPayloadError

from store.errors import AppError, HubBehindDevice, ProtocolMismatch, StorageFull
from store.protocol import ErrorBody
from sync.access.throttle import TooManyTries
from sync.hub import HUB
from sync.live import TooManyStreams
from sync.refused import Refused
from sync.settings import Settings

log = logging.getLogger(__name__)

# What no page of the program uses, so that nothing put into one can. sw.js has the same list.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer"),
        *("microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking"),
    )
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_CODE_BY_STATUS = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    503: "unavailable",
}


def make_error_response(status: int, code: str, detail: str = "") -> web.Response:
    body = ErrorBody(code=code, detail=detail)
    return web.json_response({"error": body.model_dump()}, status=status)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever stops a request into the one error shape."""
    started = monotonic()
    response = await _answer(request, handler)
    route = getattr(request.match_info.route.resource, "canonical", "?")
    level = logging.WARNING if response.status >= 500 else logging.DEBUG
    log.log(level, "%s %s %d %.0f ms", request.method, route, response.status, (monotonic() - started) * 1000)
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as error:
        response = make_error_response(error.status, error.code, error.detail)
        if error.status == 408:
            response.force_close()  # its body would be waited for
        return response
    except web.HTTPException as error:
        response = make_error_response(error.status, _CODE_BY_STATUS.get(error.status, "refused"))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        if error.status == 413:
            response.force_close()  # the rest of such a body is not worth reading
        return response
    except RequestPayloadError:
        return make_error_response(400, "invalid_body", "the body does not decode")
    except TooManyTries as error:
        response = make_error_response(429, "too_many_tries")
        response.headers["Retry-After"] = str(math.ceil(error.seconds))
        return response
    except TooManyStreams:
        return make_error_response(503, "too_many_streams")
    except ProtocolMismatch as error:
        return make_error_response(409, error.code, f"hub {error.ours}, device {error.theirs}")
    except HubBehindDevice as error:
        return make_error_response(409, error.code, str(error))
    except AppError as error:
        log.error("%s: %s", error.code, error)
        status = 507 if isinstance(error, StorageFull) else 503 if error.retryable else 500
        return make_error_response(status, error.code)
    except ConnectionError:
        raise  # nobody is there to be answered
    except Exception as error:  # noqa: BLE001 -- requests' one place for bugs: logged, answered, not continued
        log_bug(error)
        return make_error_response(500, "bug")


def log_bug(error: BaseException) -> None:
    """Log where it happened but not its message: pydantic and the standard library like to quote values in it."""
    log.error("bug: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))


def make_gate(settings: Settings) -> Middleware:
    """Make the middleware that lets in only what comes from this hub's own pages, or from no page at all."""
    hosts = {"localhost", "127.0.0.1", "::1", settings.listen_host, *settings.allowed_hosts}
    local_names = {host.lower() for host in hosts}

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Without TLS there is this computer only; over TLS the clinic's network only, with the names it has now.
        names = request.app[HUB].lan_names if request.secure else local_names
        hosts = request.headers.getall("Host", [])
        if not request.raw_path.startswith("/"):
            _refuse(400, "invalid_request")  # an address with a host of its own, as only proxies are asked
        if len(hosts) != 1 or _name_of(hosts[0]) not in names:
            _refuse(421, "host_not_allowed")
        if request.path.startswith("/api/") or request.method not in ("GET", "HEAD"):
            _check_same_site(request, hosts[0])
        if request.method == "POST" and request.content_type != "application/json":
            _refuse(415, "content_type_not_json")
        if request.headers.get("Content-Encoding", "identity").lower() not in ("identity", "gzip"):
            _refuse(415, "encoding_not_supported")
        return await handler(request)

    return gate


def _check_same_site(request: web.Request, host: str) -> None:
    # "none" is a person's own doing, such as opening the health page; no page can make the browser say it.
    allowed = ("same-origin", "none") if request.method in ("GET", "HEAD") else ("same-origin",)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in allowed:
        _refuse(403, "other_site")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        _refuse(403, "other_site")


def _name_of(host: str) -> str | None:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return None
    # Whoever writes user@host or host/path in this header is no browser.
    return name if name and not set(host) & set("@/?#\\ ") else None


def _refuse(status: int, code: str) -> NoReturn:
    raise Refused(status, code)


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Set what every answer carries, unless its handler has set its own."""
    if response.status == 417 and isinstance(response, web.Response):
        # aiohttp answers this before any middleware, and repeats the header that it did not understand.
        response.body = make_error_response(417, "expectation_failed").body
        response.content_type = "application/json"
        response.headers["Content-Length"] = str(response.content_length)
    put_security_headers(request, response)


def put_security_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    defaults = {
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS_POLICY,
    }
    if request.path.startswith("/api/") or response.status >= 400:
        defaults["Cache-Control"] = "no-store"
    for name, value in defaults.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "desk"
