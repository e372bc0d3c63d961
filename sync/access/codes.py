"""Codes with which one device is enrolled: eight digits, five minutes, once."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from store.access_protocol import CODE_DIGITS, CODE_SECONDS, EnrolRequest
from sync.access.throttle import Clock

_OPEN = 5  # a guess meets one of so many at most


@dataclass
class _Code:
    digits: str
    ends_at: float
    made_by: str
    used_for: tuple[str, str, str] | None = None


class EnrolmentCodes:
    """The codes that count now; a restart of the hub forgets them."""

    def __init__(self, random_bytes: Callable[[int], bytes], clock: Clock) -> None:
        self._random_bytes, self._clock = random_bytes, clock
        self._codes: list[_Code] = []

    def make(self, made_by: str) -> str:
        # Of 2**64 numbers: no code is likelier than another by more than one in ten billion.
        number = int.from_bytes(self._random_bytes(8), "big") % 10**CODE_DIGITS
        digits = f"{number:0{CODE_DIGITS}}"
        self._codes = [*self._open(), _Code(digits, self._clock() + CODE_SECONDS, made_by)][-_OPEN:]
        return digits

    def take(self, request: EnrolRequest) -> str | None:
        """Use the code for this device: who made it, or None where it does not count.

        The very same request is taken again, since its answer may have been lost.
        """
        device = (request.device_id, request.public_key, request.data_key)
        for code in self._open():
            if hmac.compare_digest(code.digits, request.code) and code.used_for in (None, device):
                code.used_for = device
                return code.made_by
        return None

    def give_back(self, request: EnrolRequest) -> None:
        """The device was not enrolled after all: the code counts on."""
        for code in self._codes:
            if code.digits == request.code:
                code.used_for = None

    def _open(self) -> list[_Code]:
        now = self._clock()
        return [code for code in self._codes if now < code.ends_at]
