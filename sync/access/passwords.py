"""Passwords as the hub keeps them: argon2id, with the cost written into each hash.

Source: RFC 9106, section 4, the second recommended choice (3 passes, 64 MiB, 4 lanes): 0.1 to 0.3 s on a clinic's PC.
"""

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


def make_hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)


HASHER = make_hasher()
_AT_ONCE = 2  # of 64 MiB each


class Passwords:
    """Hashes and verifies beside the loop, a few at a time; who may ask how often, throttle.py says."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._nobodys = ""

    async def hash(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(HASHER.hash, _normal(password))

    async def verify(self, kept: str | None, password: str) -> bool:
        """`kept` None for an account that is not there: it takes as long, and tells nobody which accounts there are."""
        if kept is None and not self._nobodys:
            self._nobodys = await self.hash("nobody's")
        async with self._turns:
            is_right = await asyncio.to_thread(_verify, kept or self._nobodys, _normal(password))
        return is_right and kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made at another cost than is usual now."""
    return HASHER.check_needs_rehash(kept)


def _verify(kept: str, password: str) -> bool:
    try:
        return HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    # Keyboards of two systems write one letter in two ways, or in full width.
    return unicodedata.normalize("NFKC", password)
