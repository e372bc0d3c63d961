"""Whether CDC's host can be connected to at all: what tells a VPN that is away from a CDC that gives no answer.

Invariants:
- nothing is asked of CDC and no key leaves: a connection is opened and closed;
- at most one in five seconds, and only while somebody looks; rarer while nothing waits and the line is well.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from store.protocol import CdcLinkState

PROBE_SECONDS = 5.0
QUIET_PROBE_SECONDS = 30.0
CONNECT_SECONDS = 3.0


class ProbedLine(Protocol):
    """What the probe must know of the line, and tells it (worker.py)."""

    def status(self) -> tuple[CdcLinkState, object, str]: ...

    def has_work(self) -> bool: ...

    def probed(self, reachable: bool) -> None: ...


def next_probe(state: CdcLinkState, has_work: bool) -> float:
    """How long until the next look. Units: seconds."""
    return QUIET_PROBE_SECONDS if state is CdcLinkState.CONNECTED and not has_work else PROBE_SECONDS


async def can_connect(base_url: str) -> bool:
    """Open a connection to the host and close it. A host that refuses is there, too."""
    address = urlsplit(base_url)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(address.hostname, port)
    except ConnectionRefusedError:
        return True
    except OSError:  # a time-out is one
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def keep_probing(line: ProbedLine, base_url: str, is_watched: Callable[[], bool]) -> None:
    """Look again and again while somebody watches, until cancelled."""
    while True:
        if is_watched():
            line.probed(await can_connect(base_url))
        await asyncio.sleep(next_probe(line.status()[0], line.has_work()))
