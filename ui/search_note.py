"""A search in the audit: what kind it was and how many it found, never what was typed."""

import asyncio

from store.audit import AuditAction
from ui.state import AppState

_REST_SECONDS = 2.0  # so long nothing is typed any more


class SearchNote:
    """One field's searches: each is noted once, when the typing rests or something found is opened."""

    def __init__(self, state: AppState, kind: str) -> None:
        self._state, self._kind = state, kind
        self._found = 0
        self._timer: asyncio.TimerHandle | None = None

    def typed(self, found: int | None) -> None:
        """So many were found for what stands there now; None where nothing stands there."""
        self._drop()
        if found is not None:
            self._found = found
            self._timer = asyncio.get_running_loop().call_later(_REST_SECONDS, self.now)

    def now(self) -> None:
        """Something found is opened."""
        if self._drop():
            self._state.note(AuditAction.SEARCHED, kind=self._kind, count=self._found)

    def _drop(self) -> bool:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        return timer is not None
