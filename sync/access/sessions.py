"""Who is signed in: one session for a device, kept in memory; a restart of the hub ends all.

A session counts on the address and the kind of connection that it was opened on, so that its cookie is of no use on
another computer. A tablet that changes its address opens a new one by itself.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from store.access_protocol import SESSION_SECONDS
from sync.access.signatures import unpadded
from sync.access.throttle import Clock


@dataclass(frozen=True)
class Caller:
    """Where a request comes from. Shape: `origin` as browsers say it of the page that asks."""

    address: str
    origin: str
    is_secure: bool
    is_this_pc: bool


@dataclass(frozen=True)
class Session:
    """Units: `ends_at` on the hub's steady clock."""

    device_id: str
    staff_id: str
    address: str
    is_secure: bool
    ends_at: float


class Sessions:
    """The sessions of one hub."""

    def __init__(self, random_bytes: Callable[[int], bytes], clock: Clock) -> None:
        self._random_bytes, self._clock = random_bytes, clock
        # By the hash of the cookie: how long a look-up takes tells nothing about it.
        self._by_digest: dict[bytes, Session] = {}

    def open(self, device_id: str, staff_id: str, caller: Caller) -> str:
        """Begin one, in the place of the device's last; returns the cookie's value."""
        self.close(device_id)
        value = unpadded(self._random_bytes(32))
        ends_at = self._clock() + SESSION_SECONDS
        self._by_digest[_digest(value)] = Session(device_id, staff_id, caller.address, caller.is_secure, ends_at)
        return value

    def find(self, value: str, caller: Caller) -> Session | None:
        session = self._by_digest.get(_digest(value))
        if session is None or not self.is_open(session):
            return None
        is_here = (session.address, session.is_secure) == (caller.address, caller.is_secure)
        return session if is_here else None

    def is_open(self, session: Session) -> bool:
        return self._clock() < session.ends_at and session in self._by_digest.values()

    def close(self, device_id: str) -> None:
        self._by_digest = {key: s for key, s in self._by_digest.items() if s.device_id != device_id}

    def staff_by_device(self) -> dict[str, str]:
        return {s.device_id: s.staff_id for s in self._by_digest.values() if self._clock() < s.ends_at}


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
