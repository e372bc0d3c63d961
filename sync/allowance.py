"""How often one address may do a thing: a bucket of tokens for each, filled again with time. Pure but for the clock."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from time import monotonic

_MOST_ADDRESSES = 4096  # far more than a clinic has devices; whoever invents addresses makes the oldest forgotten


class Allowance:
    """Units: `per_second` on average, `burst` at once."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # by address: tokens, and when they were

    def take(self, owner: str) -> bool:
        """Whether this address (`owner_of`) may now; it is counted where it may."""
        now = self._clock()
        tokens, then = self._left.pop(owner, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - then) * self._per_second)
        may = tokens >= 1
        self._left[owner] = (tokens - 1 if may else tokens, now)
        if len(self._left) > _MOST_ADDRESSES:
            self._left.popitem(last=False)
        return may


def owner_of(address: str) -> str:
    """Whom an address counts as: of IPv6 one device takes as many as it likes out of its network's 64 bits."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(parsed.ipv4_mapped or parsed.packed[:8].hex())
