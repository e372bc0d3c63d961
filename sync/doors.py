"""Where the network comes in: how many connections one address and all together may hold, and for how long idly.

Invariants:
- a connection above its address's share, or above what all may hold, is closed before anything is spent on it; the
  places that one address cannot take are left to the others, and those of this computer are not counted here at all;
- whoever does not finish its TLS handshake or its headers, or does not read its answers, loses its connection;
- what is no HTTP is answered without a word of it, and none of it is logged.
"""

import asyncio
import ssl
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from sync.allowance import Allowance, owner_of
from sync.middlewares import log_bug, make_error_response, put_security_headers

_KEEPALIVE_SECONDS = 60.0  # also how long a request line and its headers may take
_LINGERING_SECONDS = 2.0  # how long to go on reading a body that was refused, so that its sender sees the answer
_BACKLOG = 128


@dataclass(frozen=True)
class Limits:
    """Source: a browser holds up to six connections to a hub; several may stand behind one address.

    Units: `connects_per_second` on average, `connects_at_once` after a rest. `most` leaves this process files to write
    its journal with: common systems give a process 1024 of both together.
    """

    most: int = 400
    most_of_address: int = 60
    connects_per_second: float = 20
    connects_at_once: int = 200
    handshake_seconds: float = 15
    look_seconds: float = 15
    unread_looks: int = 4


# Of this computer's own browsers, and of programs beside them, nothing is kept but files for the journal.
THIS_COMPUTER = Limits(most_of_address=400, connects_per_second=10_000, connects_at_once=10_000)


class Doors:
    """Lets connections in to the servers behind it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._connects = Allowance(self.limits.connects_per_second, self.limits.connects_at_once)
        self._arriving: set[_Arrival] = set()
        self._inside: list[_Inside] = []

    def admits(self, owner: str) -> bool:
        """Whether one more connection of this address may come in; it is counted as one that came."""
        if not self._connects.take(owner):
            return False
        self._inside = [each for each in self._inside if each.is_open]
        held = [*(each.owner for each in self._arriving), *(each.owner for each in self._inside)]
        return len(held) < self.limits.most and held.count(owner) < self.limits.most_of_address

    def arrive(self, arrival: "_Arrival") -> None:
        self._arriving.add(arrival)

    def arrived(self, arrival: "_Arrival", inside: "_Inside | None") -> None:
        """`inside`: what came of it, None where nothing did."""
        self._arriving.discard(arrival)
        if inside is not None:
            self._inside.append(inside)

    async def watch(self) -> None:
        """Look after what is open, until cancelled."""
        while True:
            await asyncio.sleep(self.limits.look_seconds)
            self.look()

    def look(self) -> None:
        """Close what has not read anything for some looks, though something waits for it."""
        for each in self._inside:
            waits = each.waiting_bytes() if each.is_open else 0
            each.unread_looks = each.unread_looks + 1 if waits and waits >= each.waited_bytes else 0
            each.waited_bytes = waits
            if each.unread_looks > self.limits.unread_looks:
                each.wire.abort()


@dataclass
class _Inside:
    """A connection that a server has. `wire` is what carries it, TLS or not; `owner` as allowance.owner_of tells."""

    owner: str
    handler: RequestHandler
    wire: asyncio.Transport
    waited_bytes: int = 0
    unread_looks: int = 0

    @property
    def is_open(self) -> bool:
        return self.handler.transport is not None

    def waiting_bytes(self) -> int:
        """What its other end has not read yet. Of TLS nearly all waits on the wire, a rest before it."""
        secure = self.handler.transport
        above = secure.get_write_buffer_size() if secure is not None and secure is not self.wire else 0
        return self.wire.get_write_buffer_size() + above


class _Arrival(asyncio.Protocol):
    """A connection until a server takes it: counted first, then its TLS, then handed over with what it said already."""

    def __init__(self, doors: Doors, server: web.Server, context: ssl.SSLContext | None) -> None:
        self._doors, self._server, self._context = doors, server, context
        self._said: list[bytes] = []
        self._is_lost = False
        self._securing: asyncio.Task[None] | None = None  # kept, or it might be collected while it works
        self.owner = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.owner = owner_of(_address_of_peer(transport))
        if not self._doors.admits(self.owner):
            transport.abort()
        elif self._context is None:
            self._hand_over(transport, transport)
        else:
            self._doors.arrive(self)
            transport.pause_reading()  # until there is something that understands it
            self._securing = asyncio.get_running_loop().create_task(self._secure(transport, self._context))

    def data_received(self, data: bytes) -> None:
        self._said.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._is_lost = True

    async def _secure(self, transport: asyncio.Transport, context: ssl.SSLContext) -> None:
        loop, seconds = asyncio.get_running_loop(), self._doors.limits.handshake_seconds
        try:
            secure = await loop.start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=seconds, ssl_shutdown_timeout=seconds
            )
        except OSError:  # ssl's errors and a handshake that took too long are some
            transport.abort()
            secure = None
        if secure is not None and not self._is_lost:
            self._hand_over(secure, transport)
        else:
            self._doors.arrived(self, None)

    def _hand_over(self, transport: asyncio.Transport, wire: asyncio.Transport) -> None:
        handler = _RequestHandler(
            self._server,
            loop=asyncio.get_running_loop(),
            # It would keep queries, and with them what was searched for. None is what aiohttp's own runner passes.
            access_log=None,  # type: ignore[arg-type]
            keepalive_timeout=_KEEPALIVE_SECONDS,
            lingering_time=_LINGERING_SECONDS,
        )
        transport.set_protocol(handler)
        handler.connection_made(transport)
        self._doors.arrived(self, _Inside(self.owner, handler, wire))
        if self._said:
            handler.data_received(b"".join(self._said))


class _RequestHandler(RequestHandler):
    """aiohttp's, but for what it says and logs of a request that is none: that would be the request's own words."""

    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if not isinstance(exc, HttpProcessingError):
            log_bug(exc or RuntimeError("no reason given"))
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        response = make_error_response(status, "invalid_request" if status < 500 else "bug")
        put_security_headers(request, response)
        response.force_close()
        return response

    def log_exception(self, *args: object, **kw: object) -> None:
        error = kw.get("exc_info")
        log_bug(error if isinstance(error, BaseException) else RuntimeError("no reason given"))


class GuardedSite(web.BaseSite):
    """A site of aiohttp's behind doors."""

    def __init__(
        self, runner: web.AppRunner, doors: Doors, host: str, port: int, *, context: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(runner, ssl_context=context)
        assert runner.server is not None
        self._doors, self._served, self._host, self._port = doors, runner.server, host, port

    @property
    def name(self) -> str:
        return f"{'https' if self._ssl_context else 'http'}://{self._host}:{self._port}"

    async def start(self) -> None:
        """Raises: OSError."""
        await super().start()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Arrival(self._doors, self._served, self._ssl_context), self._host, self._port, backlog=_BACKLOG
        )


def _address_of_peer(transport: asyncio.BaseTransport) -> str:
    """The address at the other end; empty where it has gone."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""
