"""Time and chance that tests own."""

import itertools
from datetime import UTC, datetime, timedelta

from store.changes import World

START = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # 10:00 in Taiwan


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, **units: float) -> None:
        self.at += timedelta(**units)


_makers = itertools.count(1)


def make_world(clock: Clock | None = None) -> World:
    """A world whose random bytes count up, each world in a range of its own so that ids never meet."""
    prefix, numbers = next(_makers), itertools.count(1)

    def random_bytes(length: int) -> bytes:
        return (prefix << 48 | next(numbers)).to_bytes(length, "big")

    return World(now=(clock or Clock()).now, random_bytes=random_bytes)
