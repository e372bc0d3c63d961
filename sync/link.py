"""How the line to CDC stands: what staff are told, and when anything may be tried again."""

from collections.abc import Callable
from datetime import datetime, timedelta

from store.changes import World
from store.protocol import CdcLinkState
from sync import upload_queue
from sync.registry import CdcSettings, KeyRefused, RegistryError, RegistryUnreachable
from sync.upload_queue import Pause


class Link:
    """One line, shared by all batches."""

    def __init__(self, settings: CdcSettings, world: World) -> None:
        self._settings = settings
        self._world = world
        self._listeners: list[Callable[[], None]] = []
        self.pause = Pause()
        self.state = CdcLinkState.UNKNOWN
        self.since = world.now()
        self.detail = ""
        self._told = (self.state, self.detail, self.again_at)

    @property
    def again_at(self) -> datetime | None:
        """Until when nothing is tried; None while nothing stands in the way."""
        return self.pause.until

    def listen(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def worked(self) -> None:
        """CDC gave an answer that could be understood, whatever it was."""
        self.pause = Pause()
        self._tell(CdcLinkState.CONNECTED, "")

    def failed(self, error: RegistryError) -> None:
        """No usable answer came."""
        if isinstance(error, KeyRefused):
            # Not tried again by itself soon: a locked-out institution is worse than a late upload.
            until = self._world.now() + timedelta(seconds=upload_queue.KEY_REFUSED_PAUSE_SECONDS)
            self.pause = Pause(self.pause.failures + 1, until)
            self._tell(CdcLinkState.REFUSED_KEY, error.detail)
            return
        self.rest(error.retry_after)
        unreachable = isinstance(error, RegistryUnreachable)
        self._tell(CdcLinkState.UNREACHABLE if unreachable else CdcLinkState.FAILING, error.detail)

    def rest(self, retry_after: float | None = None) -> None:
        self.pause = self.longer(self.pause, retry_after)

    def tapped(self) -> None:
        self.pause = self.pause.after_tap()
        self._tell(self.state, self.detail)

    def longer(self, pause: Pause, retry_after: float | None = None) -> Pause:
        """The pause after one more failure, from now."""
        chance = int.from_bytes(self._world.random_bytes(4), "big") / 2**32
        return upload_queue.longer(pause, self._world.now(), self._settings, chance, retry_after)

    def _tell(self, state: CdcLinkState, detail: str) -> None:
        if state is not self.state:
            self.since = self._world.now()
        self.state, self.detail = state, detail
        # Staff wait for what their tap came to: another failure of the same kind is news to them.
        if (told := (state, detail, self.again_at)) == self._told:
            return
        self._told = told
        for listener in list(self._listeners):
            listener()
