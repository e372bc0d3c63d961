"""How much room the browser has left for this device's data, and whether it promised to keep it.

Invariants:
- measuring is rare, since browsers count files for it: at the start, after much has come, and now and then;
- what a browser does not tell is not guessed: then nothing warns.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Protocol

WARN_FROM_PERCENT = 80
WARN_BELOW_BYTES = 200 * 1024 * 1024
MEASURE_EVERY_SECONDS = 180.0


class StorageSource(Protocol):
    """What the browser tells (ui/browser.py), or a test."""

    async def storage_estimate(self) -> tuple[int, int]: ...

    async def request_persistence(self) -> bool: ...

    async def is_persistent(self) -> bool: ...

    def asks_the_user(self) -> bool: ...

    async def enter_practice(self) -> None: ...

    async def leave_practice(self) -> None: ...


class StorageWatch:
    """Units: bytes; `allowed_bytes` is 0 as long as it is unknown. `is_kept`: the browser promised not to clear it."""

    def __init__(self, source: StorageSource, on_change: Callable[[], None]) -> None:
        self._source = source
        self._on_change = on_change
        self._task: asyncio.Task[None] | None = None
        self._measured_at = -MEASURE_EVERY_SECONDS
        self.used_bytes = 0
        self.allowed_bytes = 0
        self.is_kept: bool | None = None

    @property
    def percent(self) -> int:
        return self.used_bytes * 100 // self.allowed_bytes if self.allowed_bytes else 0

    @property
    def left_bytes(self) -> int:
        return max(0, self.allowed_bytes - self.used_bytes)

    @property
    def is_short(self) -> bool:
        """Whether staff should do something before the disk refuses a record."""
        if not self.allowed_bytes:
            return False
        return self.percent >= WARN_FROM_PERCENT or self.left_bytes < WARN_BELOW_BYTES

    async def begin(self) -> None:
        """Measure, and ask for the promise where no one is disturbed by it."""
        await self.measure()
        if not self.is_kept and not self._source.asks_the_user():
            await self.ask_to_keep()

    async def measure(self) -> None:
        self._measured_at = monotonic()
        self.used_bytes, self.allowed_bytes = await self._source.storage_estimate()
        self._on_change()
        self.is_kept = await self._source.is_persistent()
        self._on_change()

    def measure_when_due(self) -> None:
        """Begin to measure where it is time to; whoever calls does not wait for the browser."""
        if monotonic() - self._measured_at >= MEASURE_EVERY_SECONDS:
            self._task = asyncio.get_running_loop().create_task(self.measure())

    async def ask_to_keep(self) -> bool:
        """Ask the browser; some ask the user. Returns its answer."""
        self.is_kept = await self._source.request_persistence()
        self._on_change()
        return self.is_kept
