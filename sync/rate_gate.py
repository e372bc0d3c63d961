"""How many requests one address of the network may make: more than a tablet does, less than keeps the hub busy."""

from aiohttp import web
from aiohttp.typedefs import Middleware

from sync.allowance import Allowance, owner_of
from sync.middlewares import Handler, make_error_response

# Measured: a tablet's first visit makes 79 requests in nine seconds, 27 of them in the busiest one; a roster of 2,000
# makes two a second, and so does recording as fast as a program can. Several tablets may stand behind one address.
REQUESTS_PER_SECOND = 30
REQUESTS_AT_ONCE = 1000


def make_rate_gate(allowance: Allowance | None = None, *, plain: bool = False) -> Middleware:
    """Make the middleware that refuses what is too much; `plain` counts requests without TLS too.

    Without TLS the app is served to this computer only, whose own programs need no network to keep it busy.
    """
    allowed = allowance or Allowance(REQUESTS_PER_SECOND, REQUESTS_AT_ONCE)

    @web.middleware
    async def rate_gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if (request.secure or plain) and not allowed.take(owner_of(request.remote or "")):
            response = make_error_response(429, "too_many_requests")
            response.headers["Retry-After"] = "1"
            return response
        return await handler(request)

    return rate_gate
