"""The bridge against small real applications, on CPython."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from ui.runtime.bridge import AsgiBridge, Request

ROOT = Path(__file__).parents[3]


async def echo(request: HttpRequest) -> Response:
    body = await request.body()
    return JSONResponse(
        {
            "method": request.method,
            "path": request.path_params["rest"],
            "query": dict(request.query_params),
            "header": request.headers.get("x-test"),
            "cookies": request.cookies,
            "body": body.decode(),
            "url": str(request.url),
        },
        headers={"x-answer": "yes"},
    )


async def set_cookies(_request: HttpRequest) -> Response:
    response = PlainTextResponse("set")
    response.set_cookie("first", "1")
    response.set_cookie("second", "2")
    return response


async def drop_cookie(_request: HttpRequest) -> Response:
    response = PlainTextResponse("dropped")
    response.delete_cookie("first")
    return response


async def fail(_request: HttpRequest) -> Response:
    raise ValueError("on purpose")


async def stream(_request: HttpRequest) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(5):
            await asyncio.sleep(0)
            yield f"part {number};".encode()

    return StreamingResponse(parts())


async def echo_socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(f"{socket.headers['upgrade']} {socket.query_params['x']}")
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        if message.get("text") == "bye":
            await socket.close(4000)
            return
        if message.get("text") == "crash":
            raise ValueError("on purpose")
        if message.get("bytes") is not None:
            await socket.send_bytes(message["bytes"][::-1])
        else:
            await socket.send_text(message["text"].upper())


ROUTES = [
    Route("/echo/{rest:path}", echo, methods=["GET", "POST"]),
    Route("/set", set_cookies),
    Route("/drop", drop_cookie),
    Route("/fail", fail),
    Route("/stream", stream),
    WebSocketRoute("/socket", echo_socket),
]


@pytest.fixture
def bridge() -> AsgiBridge:
    return AsgiBridge(Starlette(routes=ROUTES))


async def _echoed(bridge: AsgiBridge, **request: Any) -> dict[str, Any]:
    answer = await bridge.http(Request(**request))
    assert answer.status == 200
    return dict(json.loads(answer.body))


async def test_a_request_arrives_as_it_was_sent(bridge: AsgiBridge) -> None:
    got = await _echoed(
        bridge, path="/echo/%E7%96%AB%20a", query="x=1&y=%26", method="POST", headers=[("X-Test", "value")],
        body="劑".encode(), host="desk.example:8765", scheme="https",
    )  # fmt: skip

    assert got["path"] == "疫 a"
    assert got["query"] == {"x": "1", "y": "&"}
    assert (got["method"], got["header"], got["body"]) == ("POST", "value", "劑")
    assert got["url"].startswith("https://desk.example:8765/echo/")


async def test_an_answer_keeps_its_headers_but_no_length(bridge: AsgiBridge) -> None:
    answer = await bridge.http(Request("/echo/a"))

    assert ("x-answer", "yes") in answer.headers
    assert ("content-type", "application/json") in answer.headers
    assert "content-length" not in dict(answer.headers)


async def test_cookies_come_back_with_the_next_request(bridge: AsgiBridge) -> None:
    answer = await bridge.http(Request("/set"))

    assert "set-cookie" not in dict(answer.headers)
    assert (await _echoed(bridge, path="/echo/a"))["cookies"] == {"first": "1", "second": "2"}


async def test_a_deleted_cookie_is_gone(bridge: AsgiBridge) -> None:
    await bridge.http(Request("/set"))

    await bridge.http(Request("/drop"))

    assert (await _echoed(bridge, path="/echo/a"))["cookies"] == {"second": "2"}


async def test_cookies_of_the_browser_are_not_believed(bridge: AsgiBridge) -> None:
    got = await _echoed(bridge, path="/echo/a", headers=[("Cookie", "first=forged")])

    assert got["cookies"] == {}


async def test_an_error_in_the_application_is_answered_500_and_logged(
    bridge: AsgiBridge, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await bridge.http(Request("/fail"))

    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert "on purpose" in caplog.text
    assert (await bridge.http(Request("/echo/a"))).status == 200


async def test_a_streamed_answer_is_gathered(bridge: AsgiBridge) -> None:
    answer = await bridge.http(Request("/stream"))

    assert answer.body == b"part 0;part 1;part 2;part 3;part 4;"


async def test_work_goes_on_after_the_answer() -> None:
    done = asyncio.Event()

    async def later() -> None:
        done.set()

    async def page(_request: HttpRequest) -> Response:
        return PlainTextResponse("ok", background=BackgroundTask(later))

    bridge = AsgiBridge(Starlette(routes=[Route("/", page)]))

    assert (await bridge.http(Request("/"))).body == b"ok"
    await asyncio.wait_for(done.wait(), 5)


async def test_slow_answers_do_not_hold_up_others(bridge: AsgiBridge) -> None:
    release = asyncio.Event()

    async def slow(_request: HttpRequest) -> Response:
        await release.wait()
        return PlainTextResponse("slow")

    async def quick(_request: HttpRequest) -> Response:
        return PlainTextResponse("quick")

    bridge = AsgiBridge(Starlette(routes=[Route("/slow", slow), Route("/quick", quick)]))
    waiting = asyncio.ensure_future(bridge.http(Request("/slow")))

    assert (await bridge.http(Request("/quick"))).body == b"quick"
    release.set()
    assert (await waiting).body == b"slow"


class Page:
    """The page's end of a socket."""

    def __init__(self, bridge: AsgiBridge, query: str = "x=7") -> None:
        self.got: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        request = Request("/socket", query=query, scheme="ws")
        self.socket = bridge.open_socket(request, lambda kind, data: self.got.put_nowait((kind, data)))

    async def next(self) -> tuple[str, Any]:
        return await asyncio.wait_for(self.got.get(), 5)


async def test_a_socket_opens_and_carries_text_and_bytes_both_ways(bridge: AsgiBridge) -> None:
    page = Page(bridge)
    assert await page.next() == ("open", None)
    assert await page.next() == ("text", "websocket 7")

    page.socket.receive("text", "hello")
    page.socket.receive("binary", b"\x00\x01")

    assert await page.next() == ("text", "HELLO")
    assert await page.next() == ("binary", b"\x01\x00")


@pytest.mark.parametrize(("word", "code"), [("bye", 4000), ("crash", 1006)])
async def test_a_socket_that_ends_in_the_application_is_closed_once(bridge: AsgiBridge, word: str, code: int) -> None:
    page = Page(bridge)
    await page.next(), await page.next()

    page.socket.receive("text", word)

    assert await page.next() == ("close", code)
    page.socket.receive("close", 1001)
    assert page.got.empty()


async def test_a_socket_the_page_closes_ends_in_the_application(bridge: AsgiBridge) -> None:
    page = Page(bridge)
    await page.next(), await page.next()

    page.socket.receive("close", 1001)

    assert (await page.next())[0] == "close"


async def test_start_and_stop_handlers_run_around_the_service() -> None:
    happened: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        happened.append("start")
        yield
        happened.append("stop")

    bridge = AsgiBridge(Starlette(lifespan=lifespan))

    await bridge.startup()
    assert happened == ["start"]
    await bridge.shutdown()
    assert happened == ["start", "stop"]


async def test_a_failing_start_is_told() -> None:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        raise ValueError("no storage")
        yield

    with pytest.raises(RuntimeError, match="no storage"):
        await AsgiBridge(Starlette(lifespan=lifespan)).startup()


NICEGUI_APP = """
import asyncio
from ui.runtime.bridge import AsgiBridge, Request, prepare
prepared = prepare()
from nicegui import ui

@ui.page("/hello/{name}")
def hello(name: str):
    ui.label(f"hello {name}")

ui.run(reload=False, show=False, show_welcome_message=False)
async def main():
    bridge = AsgiBridge(prepared.app)
    await bridge.startup()
    answer = await bridge.http(Request("/hello/desk", headers=[("Accept", "text/html")]))
    got = asyncio.Queue()
    query = "EIO=4&transport=websocket"
    bridge.open_socket(Request("/_nicegui_ws/socket.io/", query=query, scheme="ws"), lambda *a: got.put_nowait(a))
    opened, hello = await got.get(), await got.get()
    print(answer.status, b"hello desk" in answer.body, opened[0], hello[1][:8])
    await bridge.shutdown()
asyncio.run(main())
"""


def test_stock_nicegui_runs_on_the_bridge_without_opening_a_port() -> None:
    # A process of its own: prepare() replaces functions that the other tests' NiceGUI must keep.
    # NiceGUI starts otherwise under pytest, which it knows by this variable.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}

    command = [sys.executable, "-c", NICEGUI_APP]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.stdout.strip().endswith('200 True open 0{"sid":'), done.stderr
