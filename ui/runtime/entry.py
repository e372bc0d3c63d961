"""What worker.js calls: the two phases of the start, requests and sockets. `message`, `emit` are JavaScript objects."""

import gc
import json
import random
import traceback
from typing import Any

from ui.runtime.bridge import AsgiBridge, Request, Socket, prepare

_bridge: AsgiBridge | None = None


def register() -> None:
    """Phase 1, also in a standby worker: import everything, define the pages. Touches nothing of JavaScript."""
    global _bridge
    gc.disable()  # 100,000 objects are made and all stay: looking through them again and again cost a fifth of the time
    prepared = prepare()
    from ui import boot

    boot.register()
    if prepared.app is None:
        raise RuntimeError("boot.register() did not call ui.run()")
    _bridge = AsgiBridge(prepared.app)
    gc.freeze()
    gc.enable()


async def rehearse() -> None:
    """At the build: do what every start would do alike, so that the memory afterwards can be kept for all of them."""
    register()
    from ui import boot

    async def open_page(path: str) -> int:
        return (await bridge().http(Request(path))).status

    await boot.rehearse(open_page)
    gc.collect()
    gc.freeze()


def begin(build: str) -> None:
    """Finish phase 1 with what differs from start to start; what came before may have been kept from the build."""
    random.seed()
    from nicegui import ui

    ui.add_head_html(f'<script src="/bundle/{build}/runtime/socket.js"></script>', shared=True)


async def lead(info: str) -> list[str]:
    """Phase 2, in the leading tab only: own the storage, start the application.

    Shape: two texts, an error's code and its details; both empty when all is well.
    """
    from store.errors import AppError
    from ui import boot, browser
    from ui.browser_storage import FOLDER, PRACTICE_FOLDER, open_storage

    facts = json.loads(info)
    try:
        storage = await open_storage(PRACTICE_FOLDER if facts["practice"] else FOLDER)
        browser.mark("store")
        await bridge().startup()
        await boot.start(storage, facts)
    except AppError as error:
        return [error.code, traceback.format_exc()]
    return ["", ""]


async def close() -> int | None:
    """Before this thread ends: finish what is being written. Returns how many changes the hub does not hold.

    None for a practice store, of which the hub knows nothing.
    """
    from ui import boot

    return await boot.close()


async def http(message: Any) -> dict[str, Any]:
    answer = await bridge().http(_request(message, message.method))
    from pyodide.ffi import to_js

    # A bytes object would reach JavaScript as a proxy, not as an array.
    return {"status": answer.status, "headers": answer.headers, "body": to_js(answer.body)}


def open_socket(message: Any, emit: Any) -> Any:
    from pyodide.ffi import to_js

    def tell(kind: str, data: Any) -> None:
        emit(kind, to_js(data) if isinstance(data, bytes) else data)

    return _FromPage(bridge().open_socket(_request(message, "GET"), tell))


class _FromPage:
    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def receive(self, kind: str, data: Any) -> None:
        self._socket.receive(kind, data.to_bytes() if kind == "binary" else data)


def _request(message: Any, method: str) -> Request:
    return Request(
        path=message.path,
        query=message.query,
        method=method,
        headers=[(name, value) for name, value in message.headers.to_py()],
        body=message.body.to_bytes() if message.body else b"",
        host=message.host,
        scheme=message.scheme,
    )


def bridge() -> AsgiBridge:
    """Return what serves the registered application."""
    assert _bridge is not None, "register() comes first"
    return _bridge
