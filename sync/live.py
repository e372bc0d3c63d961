"""Tell every open screen at once that something is new, over server-sent events.

Invariants:
- a notice says where the hub stands now and carries no clinical content; what a slow screen missed it need not be told;
- every stream has its own task, so one that does not read never holds up another.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web

from store.protocol import Notice

HEARTBEAT_SECONDS = 15.0
_LONGEST_WRITE_SECONDS = 60.0
_MAX_STREAMS = 200


class TooManyStreams(Exception):
    """More open streams than a clinic has screens."""


class Live:
    """The open streams of one hub."""

    def __init__(self, make_notice: Callable[[], Notice], heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._make_notice = make_notice
        self._heartbeat_seconds = heartbeat_seconds
        self._wakes: set[asyncio.Event] = set()
        self._is_closing = False

    @property
    def stream_count(self) -> int:
        return len(self._wakes)

    @property
    def is_watched(self) -> bool:
        """Whether any screen is open."""
        return bool(self._wakes)

    def tell(self) -> None:
        """Something changed: let each stream look."""
        for wake in self._wakes:
            wake.set()

    def close(self) -> None:
        """End all streams, so that the hub can stop."""
        self._is_closing = True
        self.tell()

    async def serve(
        self, request: web.Request, is_allowed: Callable[[], bool] = lambda: True
    ) -> web.StreamResponse:
        """Keep one stream open until either side goes, or it is not allowed any more. Raises: TooManyStreams.

        `is_allowed` is asked whenever there is something to tell, and at every heartbeat.
        """
        if len(self._wakes) >= _MAX_STREAMS:
            raise TooManyStreams
        # no-transform: a proxy that compresses would hold notices back.
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform"}
        response = web.StreamResponse(headers=headers)
        wake = asyncio.Event()
        self._wakes.add(wake)
        try:
            await response.prepare(request)
            await self._tell_until_gone(response, wake, is_allowed)
        except (ConnectionError, TimeoutError):
            pass  # the screen went away, or has not read for a minute; it comes back by itself
        finally:
            self._wakes.discard(wake)
        return response

    async def _tell_until_gone(
        self, response: web.StreamResponse, wake: asyncio.Event, is_allowed: Callable[[], bool]
    ) -> None:
        told: Notice | None = None
        while not self._is_closing and is_allowed():
            wake.clear()
            notice = self._make_notice()
            text = ":\n\n" if notice == told else f"data: {notice.model_dump_json()}\n\n"
            async with asyncio.timeout(_LONGEST_WRITE_SECONDS):
                await response.write(text.encode())
            told = notice
            try:
                async with asyncio.timeout(self._heartbeat_seconds):
                    await wake.wait()
            except TimeoutError:
                continue
