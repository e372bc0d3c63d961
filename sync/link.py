"""How the line to CDC stands: what staff are told, and when anything may be tried again.

Invariants:
- a key that CDC refused is not tried again by itself: only a tap, or another key in its file, goes on;
- each endpoint has a circuit breaker of its own for answers that are none; no answer at all, and CDC's word to come
  later, count for the whole line.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from store.changes import World
from store.protocol import CdcLinkState
from sync import upload_queue
from sync.registry import AnswerUnreadable, CdcSettings, KeyRefused, RegistryDown, RegistryError, RegistryUnreachable
from sync.upload_queue import Pause


class Endpoint(StrEnum):
    """What the upload loop asks of CDC."""

    UPLOAD = "upload"
    CONFIRM = "confirm"


class Link:
    """One line, shared by all batches."""

    def __init__(self, settings: CdcSettings, world: World) -> None:
        self._settings = settings
        self._world = world
        self._listeners: list[Callable[[], None]] = []
        self.pause = Pause()
        self._breakers = dict.fromkeys(Endpoint, Pause())
        self._key_in_use = ""
        self._refused_key = ""
        self._before_unreachable = CdcLinkState.UNKNOWN
        self.state = CdcLinkState.UNKNOWN
        self.since = world.now()
        self.detail = ""
        self._told = (self.state, self.detail, self.again_at)

    def pause_of(self, endpoint: Endpoint) -> Pause:
        """The longer of the line's pause and the endpoint's own; `failures` are the line's."""
        times = [pause.until for pause in (self.pause, self._breakers[endpoint]) if pause.until is not None]
        return Pause(self.pause.failures, max(times, default=None))

    @property
    def again_at(self) -> datetime | None:
        """Until when nothing is tried; None while nothing stands in the way, and where only staff can go on."""
        times = [until for endpoint in Endpoint if (until := self.pause_of(endpoint).until) is not None]
        return max(times, default=None)

    @property
    def is_failing(self) -> bool:
        """Whether the last try of the whole line was in vain."""
        return self.pause.failures > 0 or bool(self._refused_key)

    def stays_stopped(self) -> bool:
        """Whether CDC refused the key that is still in its file. Another one there goes on by itself."""
        if self._refused_key and self._key() not in ("", self._refused_key):
            self._refused_key = ""
            self._tell(CdcLinkState.UNKNOWN, "")
        return bool(self._refused_key)

    def listen(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def begins(self) -> None:
        """A request leaves with the key as it is now; it may be another one when the answer comes."""
        self._key_in_use = self._key()

    def worked(self, endpoint: Endpoint) -> None:
        """CDC gave an answer that could be understood, whatever it was."""
        self.pause = self._breakers[endpoint] = Pause()
        if not any(breaker.failures for breaker in self._breakers.values()):
            self._tell(CdcLinkState.CONNECTED, "")

    def failed(self, error: RegistryError, endpoint: Endpoint) -> None:
        """No usable answer came."""
        if isinstance(error, KeyRefused):
            # A locked-out institution is worse than a late upload.
            self._refused_key = self._key_in_use or "unknown"
            self._tell(CdcLinkState.REFUSED_KEY, error.detail)
            return
        if isinstance(error, AnswerUnreadable):
            self._breakers[endpoint] = self.longer(self._breakers[endpoint], error.retry_after)
        else:
            self.rest(error.retry_after)
        unreachable = isinstance(error, RegistryUnreachable) and not isinstance(error, RegistryDown)
        self._tell(CdcLinkState.UNREACHABLE if unreachable else CdcLinkState.FAILING, error.detail)

    def probed(self, reachable: bool) -> bool:
        """CDC's host was, or was not, there to connect to. Returns whether it has come back."""
        if not reachable and self.state not in (CdcLinkState.UNREACHABLE, CdcLinkState.REFUSED_KEY):
            self._tell(CdcLinkState.UNREACHABLE, "not_reached")
        came_back = reachable and self.state is CdcLinkState.UNREACHABLE
        if came_back:
            self.pause = self.pause.after_tap()
            self._tell(self._before_unreachable, "")
        return came_back

    def rest(self, retry_after: float | None = None) -> None:
        self.pause = self.longer(self.pause, retry_after)

    def tapped(self) -> None:
        self.pause = self.pause.after_tap()
        self._breakers = {endpoint: breaker.after_tap() for endpoint, breaker in self._breakers.items()}
        stopped, self._refused_key = bool(self._refused_key), ""
        self._tell(CdcLinkState.UNKNOWN if stopped else self.state, "" if stopped else self.detail)

    def chance(self) -> float:
        """Shape: from 0 to 1."""
        return int.from_bytes(self._world.random_bytes(4), "big") / 2**32

    def longer(self, pause: Pause, retry_after: float | None = None) -> Pause:
        """The pause after one more failure, from now."""
        return upload_queue.longer(pause, self._world.now(), self._settings, self.chance(), retry_after)

    def _key(self) -> str:
        """By which one key is told from another; empty where it cannot be read."""
        try:
            return hashlib.sha256(self._settings.read_key_id().encode()).hexdigest()
        except OSError:
            return ""

    def _tell(self, state: CdcLinkState, detail: str) -> None:
        if state is not self.state:
            self.since = self._world.now()
            if state is CdcLinkState.UNREACHABLE:
                self._before_unreachable = self.state
        self.state, self.detail = state, detail
        # Staff wait for what their tap came to: another failure of the same kind is news to them.
        if (told := (state, detail, self.again_at)) == self._told:
            return
        self._told = told
        for listener in list(self._listeners):
            listener()
