"""A snapshot: one run of the hub's tables in place of thousands of changes, on its way into a device's store.

Invariants:
- nothing of it counts before every byte is there and is what the hub promised (`SnapshotOffer`);
- the copying rests between small steps, so that the screen does not stand still.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from store.compaction import Rest
from store.errors import SnapshotDamaged
from store.journal import MAX_PAYLOAD_BYTES
from store.protocol import SnapshotOffer
from store.run import Run
from store.storage import StorageFile

# Hashed and written between two rests: some milliseconds in a browser.
_PIECE_BYTES = 256 * 1024
_NOTHING: dict[str, Any] = {"total": 0, "by": {}}


async def copy_pages(file: StorageFile, offer: SnapshotOffer, pages: Iterable[bytes], rest: Rest) -> None:
    """Write the pages into an empty file; all is durable on return. Raises: SnapshotDamaged, StorageFailed."""
    digest, size = hashlib.sha256(), 0
    for page in pages:
        for start in range(0, len(page), _PIECE_BYTES):
            piece = page[start : start + _PIECE_BYTES]
            digest.update(piece)
            size += len(piece)
            await file.append(piece, durable=size >= offer.size_bytes)
            await rest()
    if size != offer.size_bytes or digest.hexdigest() != offer.sha256:
        raise SnapshotDamaged(f"{size} bytes, {offer.size_bytes} were promised")


def checked_counts(run: Run, offer: SnapshotOffer, known: set[str]) -> dict[str, Any]:
    """What the tables of a snapshot count.

    Raises: SnapshotDamaged where that is not what they hold, and where this program does not know a table.
    """
    if unknown := run.tables.keys() - known:
        raise SnapshotDamaged(f"unknown tables: {sorted(unknown)}")
    for name in known:
        held = run.tables[name].count if name in run.tables else 0
        if offer.counts.get(name, _NOTHING)["total"] != held:
            raise SnapshotDamaged(f"{name}: {held} records are not what was promised")
    return {name: offer.counts.get(name, _NOTHING) for name in known}


def page_count(offer: SnapshotOffer) -> int:
    """How many pages an offer has. Raises: SnapshotDamaged where its numbers contradict each other."""
    pages = -(-offer.size_bytes // offer.page_bytes) if 0 < offer.page_bytes <= MAX_PAYLOAD_BYTES else -1
    if pages != len(offer.page_crcs):
        raise SnapshotDamaged(f"{len(offer.page_crcs)} pages of {offer.page_bytes} for {offer.size_bytes} bytes")
    return pages


def page_size(offer: SnapshotOffer, page: int) -> int:
    """Units: bytes; pages count from 0."""
    return min(offer.page_bytes, offer.size_bytes - page * offer.page_bytes)
