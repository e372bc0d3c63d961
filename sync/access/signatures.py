"""Challenges, and what a device signed of them.

A challenge is not remembered until it was answered rightly: it names its device and its end, under a key that this hub
made when it started. So strangers who ask for many fill no memory and push nobody's out.

Shape of a challenge: 16 random bytes, 8 of its end on the hub's steady clock in milliseconds, 16 of HMAC-SHA-256.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from store.access_protocol import CHALLENGE_SECONDS, Purpose, signed_text
from sync.access.throttle import Clock

_RANDOM_BYTES, _END_BYTES = 16, 8


def unpadded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_unpadded(text: str) -> bytes:
    """Raises: ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Challenges:
    """Gives challenges to devices, and takes each back once."""

    def __init__(self, random_bytes: Callable[[int], bytes], clock: Clock) -> None:
        self._random_bytes, self._clock = random_bytes, clock
        self._key = random_bytes(32)
        self._end_by_used: dict[str, float] = {}

    def make(self, device_id: str) -> str:
        end = int((self._clock() + CHALLENGE_SECONDS) * 1000)
        head = self._random_bytes(_RANDOM_BYTES) + end.to_bytes(_END_BYTES, "big")
        return unpadded(head + self._seal(head, device_id))

    def is_open(self, challenge: str, device_id: str) -> bool:
        """Whether it was given to this device, counts still and was not used."""
        try:
            data = from_unpadded(challenge)
        except ValueError:
            return False
        head, seal = data[: _RANDOM_BYTES + _END_BYTES], data[_RANDOM_BYTES + _END_BYTES :]
        if not hmac.compare_digest(seal, self._seal(head, device_id)) or unpadded(data) != challenge:
            return False
        end = int.from_bytes(head[_RANDOM_BYTES:], "big") / 1000
        return self._clock() < end and challenge not in self._end_by_used

    def use(self, challenge: str) -> None:
        """Note one as used; what could not be used again anyway is forgotten."""
        now = self._clock()
        kept = {used: end for used, end in self._end_by_used.items() if end > now}
        self._end_by_used = {**kept, challenge: now + CHALLENGE_SECONDS}

    def _seal(self, head: bytes, device_id: str) -> bytes:
        return hmac.digest(self._key, head + device_id.encode(), "sha256")[:16]


def is_point(public_key: str) -> bool:
    """Whether this is a public key as WebCrypto exports it raw, on the curve P-256."""
    try:
        _load(public_key)
    except ValueError:
        return False
    return True


def is_signed(
    public_key: str, signature: str, purpose: Purpose, challenge: str, device_id: str, staff_id: str, origin: str
) -> bool:
    """Whether a device's key made this signature over `signed_text` of the rest."""
    try:
        raw = from_unpadded(signature)
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        text = signed_text(purpose, challenge, device_id, staff_id, origin).encode()
        _load(public_key).verify(encode_dss_signature(r, s), text, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _load(public_key: str) -> ec.EllipticCurvePublicKey:
    """Raises: ValueError."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_unpadded(public_key))
