"""How often somebody may guess at a secret: some tries are free, then each has to wait longer than the one before.

Invariants:
- a try counts before its outcome is known, so that a hundred at once are not a hundred free ones;
- what is remembered is bounded, whoever asks from however many addresses;
- time is the computer's own steady clock: setting its date back or ahead opens nothing.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

MAX_KEYS = 1000
Clock = Callable[[], float]


@dataclass(frozen=True)
class Limit:
    """Units: seconds. After `free` tries that failed, the next waits `wait`, then twice that, up to `longest`; all is
    forgotten `longest` after the last try's wait was over."""

    free: int
    wait: float
    longest: float = 900.0


class TooManyTries(Exception):
    """Units: `seconds` until the next try is looked at."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass
class _Tries:
    count: int = 0
    again_at: float = 0.0


class Throttle:
    """Counts tries by several keys at once, each with its limit: by address, by person, over all."""

    def __init__(self, limits: Mapping[str, Limit], clock: Clock) -> None:
        self._limits, self._clock = limits, clock
        # By name of the limit, so that nobody's many addresses push out what is counted over all.
        self._tries: dict[str, OrderedDict[str, _Tries]] = {name: OrderedDict() for name in limits}

    def begin(self, **keys: str) -> "Try":
        """Count one more try under these keys, one for each limit. Raises: TooManyTries; then it is not counted."""
        now = self._clock()
        found = {name: self._find(name, keys.get(name, ""), now) for name in self._limits}
        if (wait := max(tries.again_at for tries in found.values()) - now) > 0:
            raise TooManyTries(wait)
        before = {name: tries.again_at for name, tries in found.items()}
        for name, tries in found.items():
            tries.count += 1
            tries.again_at = now + self._wait(name, tries.count)
        return Try(found, before)

    def _wait(self, name: str, count: int) -> float:
        limit = self._limits[name]
        over = count - limit.free
        # 2**16 times the first wait is beyond the longest one already.
        return min(limit.wait * 2.0 ** min(over, 16), limit.longest) if over >= 0 else 0.0

    def _find(self, name: str, key: str, now: float) -> _Tries:
        kept, limit = self._tries[name], self._limits[name]
        tries = kept.setdefault(key, _Tries(again_at=now))
        if now - tries.again_at > limit.longest:
            tries.count = 0
        kept.move_to_end(key)
        if len(kept) > MAX_KEYS:
            kept.popitem(last=False)
        return tries


class Try:
    """One try that was counted."""

    def __init__(self, found: Mapping[str, _Tries], before: Mapping[str, float]) -> None:
        self._found, self._before = found, before

    def succeeded(self, *forgiven: str) -> None:
        """It was no guess. What came before it under other keys than the `forgiven` ones stays counted: else whoever
        knows one secret could guess at another for ever."""
        for name, tries in self._found.items():
            tries.count = 0 if name in forgiven else max(0, tries.count - 1)
            tries.again_at = self._before[name]


def key_of_address(remote: str | None) -> str:
    """A client's address; of IPv6 its network, since one computer has all addresses of it."""
    try:
        address = ip_address((remote or "").partition("%")[0])
    except ValueError:
        return ""
    if address.version == 4 or address.ipv4_mapped:
        return str(address)
    return str(ip_network(f"{address}/64", strict=False))
