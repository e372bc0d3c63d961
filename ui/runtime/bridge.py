"""An ASGI server without a network: requests and sockets come in as calls, answers go out as values.

Runs on CPython too, where the tests drive it. `prepare` must be called before nicegui or fastapi are imported.

Invariant: an answer is complete when it is given out; a body that streams is gathered first, because the service worker
answers the page with one message. Do not stream without end.
"""

import asyncio
import email.utils
import logging
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]
Emit = Callable[[str, Any], None]

_LOG = logging.getLogger(__name__)
# Would lie after gathering, or are the service worker's to set. Accept-Encoding: nothing is gained by compressing here.
_DROPPED_FROM_ANSWER = {"set-cookie", "content-length", "connection", "transfer-encoding"}
_DROPPED_FROM_REQUEST = {"cookie", "host", "accept-encoding", "if-none-match", "if-modified-since"}


@dataclass(frozen=True)
class Request:
    """A request as the service worker saw it.

    Shape: path percent-encoded, query without "?", scheme http, https, ws or wss.
    """

    path: str
    query: str = ""
    method: str = "GET"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    host: str = "localhost"
    scheme: str = "http"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Socket:
    """One page's end of a WebSocket."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})

    def receive(self, kind: str, data: Any) -> None:
        """Take what the page sent. Shape: "text" with str, "binary" with bytes, "close" with the code."""
        if kind == "close":
            self.incoming.put_nowait({"type": "websocket.disconnect", "code": data})
        else:
            self.incoming.put_nowait({"type": "websocket.receive", "text" if kind == "text" else "bytes": data})


class AsgiBridge:
    """Serves one ASGI application."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._cookies: dict[str, str] = {}  # browsers ignore Set-Cookie in a service worker's answer
        self._tasks: set[asyncio.Task[None]] = set()
        self._lifespan: asyncio.Queue[Message] = asyncio.Queue()
        self._stopped = asyncio.Event()

    async def startup(self) -> None:
        """Run the application's start handlers. Raises: RuntimeError with its own words when they fail."""
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def send(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                started.set_result(None)
            elif message["type"] == "lifespan.startup.failed":
                started.set_exception(RuntimeError(message.get("message", "")))

        async def run() -> None:
            try:
                await self._app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, self._lifespan.get, send)
            except Exception as error:
                if started.done():
                    raise
                started.set_exception(error)
            finally:
                self._stopped.set()

        self._lifespan.put_nowait({"type": "lifespan.startup"})
        self._keep(run())
        await started

    async def shutdown(self) -> None:
        self._lifespan.put_nowait({"type": "lifespan.shutdown"})
        await self._stopped.wait()

    async def http(self, request: Request) -> Answer:
        """Answer one request; an error in the application is logged and answered 500."""
        status, headers, parts = 500, list[tuple[str, str]](), list[bytes]()
        complete, sent = asyncio.Event(), False

        async def receive() -> Message:
            nonlocal sent
            if not sent:
                sent = True
                return {"type": "http.request", "body": request.body, "more_body": False}
            await complete.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                for name, value in ((n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in message["headers"]):
                    if name == "set-cookie":
                        self._keep_cookie(value)
                    elif name not in _DROPPED_FROM_ANSWER:
                        headers.append((name, value))
            elif message["type"] == "http.response.body":
                parts.append(bytes(message.get("body", b"")))
                if not message.get("more_body", False):
                    complete.set()

        async def run() -> None:
            nonlocal status
            try:
                await self._app(self._scope("http", request), receive, send)
            except Exception:  # noqa: BLE001 - what a server does: log, answer 500, serve the next request
                _LOG.exception("%s %s failed", request.method, request.path)
                if not complete.is_set():
                    status, headers[:], parts[:] = 500, [("content-type", "text/plain")], [b"Internal Server Error"]
            finally:
                complete.set()

        self._keep(run())  # goes on after the answer: background tasks
        await complete.wait()
        return Answer(status, headers, b"".join(parts))

    def open_socket(self, request: Request, emit: Emit) -> Socket:
        """Connect a WebSocket; `emit` is told "open", "text", "binary" and at the end "close" with the code, once."""
        socket = Socket()
        closed = False

        async def send(message: Message) -> None:
            nonlocal closed
            if message["type"] == "websocket.accept":
                emit("open", None)
            elif message["type"] == "websocket.send":
                text = message.get("text")
                if text is not None:
                    emit("text", text)
                else:
                    emit("binary", message["bytes"])
            elif message["type"] == "websocket.close" and not closed:
                closed = True
                emit("close", message.get("code", 1000))

        async def run() -> None:
            nonlocal closed
            try:
                await self._app(self._scope("websocket", request), socket.incoming.get, send)
            except Exception:  # noqa: BLE001
                _LOG.exception("socket %s failed", request.path)
            if not closed:
                closed = True
                emit("close", 1006)

        self._keep(run())
        return socket

    def _scope(self, kind: str, request: Request) -> Message:
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in request.headers
            if name.lower() not in _DROPPED_FROM_REQUEST
        ]
        headers.append((b"host", request.host.encode()))
        if kind == "websocket":  # python-engineio looks for these
            headers += [(b"upgrade", b"websocket"), (b"connection", b"Upgrade")]
        if self._cookies:
            headers.append((b"cookie", "; ".join(f"{k}={v}" for k, v in self._cookies.items()).encode("latin-1")))
        host, _, port = request.host.partition(":")
        scope: Message = {
            "type": kind, "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "root_path": "",
            "scheme": request.scheme, "path": unquote_to_bytes(request.path).decode("utf-8", "replace"),
            "raw_path": request.path.encode(), "query_string": request.query.encode(), "headers": headers,
            "client": ("127.0.0.1", 1), "server": (host, int(port or 80)),
        }  # fmt: skip
        if kind == "http":
            scope["method"] = request.method
        else:
            scope["subprotocols"] = []
        return scope

    def _keep_cookie(self, line: str) -> None:
        pair, *attributes = (part.strip() for part in line.split(";"))
        name, _, value = pair.partition("=")
        if any(_expires_at_once(attribute) for attribute in attributes):
            self._cookies.pop(name, None)
        else:
            self._cookies[name] = value

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _expires_at_once(attribute: str) -> bool:
    name, _, value = attribute.lower().partition("=")
    if name == "max-age":
        return int(value) <= 0
    if name == "expires":
        # Only "delete me" dates lie in the past when they are set; none of ours lies a day ahead or less otherwise.
        return email.utils.parsedate_to_datetime(value).year < 2000
    return False


class Prepared:
    """What `ui.run()` handed over instead of opening a port."""

    app: AsgiApp | None = None


def prepare() -> Prepared:
    """Make `ui.run()` return with its application kept here, and let code meant for a thread run at once.

    Two public functions are replaced, none of them NiceGUI's: there are no threads and no ports in the browser.
    """
    import anyio.to_thread
    import uvicorn

    prepared = Prepared()

    async def run_sync(func: Callable[..., Any], *args: Any, **_options: Any) -> Any:
        return func(*args)

    def run(server: Any, sockets: Any = None) -> None:
        prepared.app = server.config.app
        server.started = True

    anyio.to_thread.run_sync = run_sync  # type: ignore[assignment]  # takes the same arguments, more loosely typed
    uvicorn.Server.run = run  # type: ignore[method-assign, assignment]
    return prepared
