"""Wires between machines: what goes in may come out late, twice, in another order or not at all.

Invariants:
- a message is delivered whole or not at all, and only while the wire is up;
- who waits for an answer waits a bounded time; what was sent may still arrive after that.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Generic, Protocol, TypeVar

from tests.sim.loop import Process, VirtualLoop
from ui.sync_client import NetworkFailed

Answer = TypeVar("Answer")
REQUEST_SECONDS = 30.0  # as ui/browser.py
_RECONNECT_SECONDS = 3.0


@dataclass
class Quality:
    """How bad a wire is. Units: seconds; shares from 0 to 1."""

    latency: float = 0.01
    jitter: float = 0.0
    loss: float = 0.0
    duplication: float = 0.0
    strays: float = 0.0  # share of messages that take a long way round, past everybody's patience


PERFECT = Quality()


class Wire:
    """One line between two machines, the same both ways."""

    def __init__(self, loop: VirtualLoop, rng: Random, quality: Quality) -> None:
        self._loop, self._rng = loop, rng
        self.quality = quality
        self.is_up = True
        self.on_up: list[Callable[[bool], None]] = []

    def switch(self, is_up: bool) -> None:
        if is_up is not self.is_up:
            self.is_up = is_up
            for told in list(self.on_up):
                told(is_up)

    def send(self, deliver: Callable[[], None]) -> None:
        quality, rng = self.quality, self._rng
        if not self.is_up or rng.random() < quality.loss:
            return
        for _ in range(2 if rng.random() < quality.duplication else 1):
            seconds = quality.latency + quality.jitter * rng.random() ** 3
            if rng.random() < quality.strays:
                seconds += rng.uniform(0, 2 * REQUEST_SECONDS)
            self._loop.later(seconds, lambda: deliver() if self.is_up else None)


class Question(Generic[Answer]):
    """One request from a process, and the first answer that comes in time.

    `send` is handed what to do with the answer once the other side has one; it may be called again, or never.
    """

    def __init__(self, wire: Wire, process: Process) -> None:
        self._wire, self._process = wire, process
        self._future: asyncio.Future[Answer] = process.loop.create_future()

    async def ask(self, deliver: Callable[[Callable[[Answer], None]], None]) -> Answer | None:
        """None when nothing came in time."""
        self._process.refuse_the_dead()
        self._wire.send(lambda: deliver(self._answered))
        timer = self._process.loop.later(REQUEST_SECONDS, lambda: self._resolve(None))
        try:
            return await self._future
        finally:
            timer.cancel()

    def _answered(self, answer: Answer) -> None:
        self._wire.send(lambda: self._resolve(answer))

    def _resolve(self, answer: Answer | None) -> None:
        if not self._future.done():
            self._future.set_result(answer)  # type: ignore[arg-type]


HubAnswer = tuple[int, bytes] | None


class HubSide(Protocol):
    """What a device finds at the other end of its wire."""

    loop: VirtualLoop
    streams: list["Stream"]

    def is_serving(self) -> bool: ...

    def serve(self, method: str, path: str, body: bytes, answered: Callable[[HubAnswer], None]) -> None: ...

    def notice(self) -> str: ...


class HubPort:
    """The hub as one process on a device reaches it: `ui.sync_client.Network`."""

    def __init__(self, wire: Wire, hub: HubSide, process: Process) -> None:
        self._wire, self._hub, self._process = wire, hub, process

    async def fetch(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        question: Question[HubAnswer] = Question(self._wire, self._process)
        answer = await question.ask(lambda answered: self._hub.serve(method, path, body or b"", answered))
        if answer is None:
            raise NetworkFailed("no answer")
        return answer[0], {}, answer[1]

    def event_stream(self, path: str, on_message: Callable[[str], None], on_open: Callable[[bool], None]) -> None:
        Stream(self._wire, self._hub, self._process, on_message, on_open)

    def is_online(self) -> bool:
        return self._wire.is_up


class Stream:
    """A live stream: it opens when it can, dies when the hub or the wire does, and comes back by itself."""

    def __init__(
        self,
        wire: Wire,
        hub: HubSide,
        process: Process,
        on_message: Callable[[str], None],
        on_open: Callable[[bool], None],
    ) -> None:
        self._wire, self._hub, self._process = wire, hub, process
        self._on_message, self._on_open = on_message, on_open
        self._is_open = False
        wire.on_up.append(self._wire_switched)
        self._try_soon()

    def tell(self, text: str) -> None:
        self._wire.send(lambda: self._on_message(text) if self._is_open and self._process.is_alive else None)

    def broke(self) -> None:
        """The hub is gone."""
        self._hub.streams.remove(self)
        self._is_open = False
        if self._process.is_alive:
            self._hub.loop.later(0.5, self._noticed)

    def _noticed(self) -> None:
        if self._process.is_alive and not self._is_open:
            self._on_open(False)
            self._try_soon()

    def _try_soon(self) -> None:
        self._hub.loop.later(self._wire.quality.latency + 0.01, self._try)

    def _try(self) -> None:
        if not self._process.is_alive:
            if self._wire_switched in self._wire.on_up:
                self._wire.on_up.remove(self._wire_switched)
            return
        if self._is_open:
            return
        if not (self._wire.is_up and self._hub.is_serving()):
            self._hub.loop.later(_RECONNECT_SECONDS, self._try)
            return
        self._is_open = True
        self._hub.streams.append(self)
        self._on_open(True)
        self.tell(self._hub.notice())

    def _wire_switched(self, is_up: bool) -> None:
        # A stream over a cut wire dies without a word; only when the wire is back does its end get to know.
        if is_up and self._is_open:
            self.broke()
