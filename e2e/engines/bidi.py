"""A WebDriver BiDi client: commands out, answers and log entries back, over the browser's own websocket."""

import asyncio
import threading
from typing import Any

import aiohttp

ANSWER_SECONDS = 60.0


class BidiError(Exception):
    """The browser refused a command. Shape: `code` as in the specification, e.g. "unknown command"."""

    def __init__(self, method: str, answer: dict[str, Any]) -> None:
        super().__init__(f"{method}: {answer.get('error')}: {answer.get('message')}")
        self.code = str(answer.get("error"))


class Bidi:
    """One session. It lives on a thread of its own, as Playwright may hold a running loop on the tests' thread."""

    def __init__(self, url: str, log: list[str]) -> None:
        self._log = log
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bidi", daemon=True)
        self._thread.start()
        self._socket = self._run(self._connect(url))

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Carry out one command. Raises: BidiError, TimeoutError."""
        answer = self._run(self._send(method, parameters))
        if answer["type"] == "error":
            raise BidiError(method, answer)
        return dict(answer["result"])

    def close(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, ANSWER_SECONDS), self._loop).result()

    async def _connect(self, url: str) -> aiohttp.ClientWebSocketResponse:
        self._client = aiohttp.ClientSession()
        socket = await self._client.ws_connect(url, max_msg_size=0)
        self._reader = self._loop.create_task(self._read(socket))
        return socket

    async def _close(self) -> None:
        await self._client.close()
        await self._reader

    async def _send(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = len(self._waiting) + 1
        answer = self._waiting[number] = self._loop.create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        given: dict[str, Any] = await answer
        return given

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            content = message.json()
            if content["type"] == "event":
                entry = content["params"]
                self._log.append(f"{entry.get('type')} {entry.get('level')}: {entry.get('text')}")
            else:
                self._waiting[content["id"]].set_result(content)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result({"type": "error", "error": "connection lost", "message": "the browser is gone"})
