"""Fetch the hub's tables as one snapshot, page by page, where this device lacks too much to take change by change.

Invariants:
- what was fetched stays in a file beside the store: after a lost connection or a restart only the rest is fetched;
- the store changes in one step at the end (`DeviceDatabase.adopt`), or not at all;
- a snapshot that cannot be had is no reason to stand still: the usual exchange brings the same, more slowly;
- another scope comes only as a snapshot of it: until that is in place, the device holds what it held.
"""

import asyncio
import logging
import zlib
from collections.abc import Callable, Iterator

from pydantic import ValidationError

from store.database import SCHEMA_VERSION
from store.device_database import DeviceDatabase
from store.errors import AppError, JournalUnreadable, SnapshotDamaged, StorageFull
from store.journal import Journal
from store.protocol import FAR_BEHIND_CHANGES, SnapshotAnswer, SnapshotOffer, SnapshotRequest
from store.scope import Scope, scope_digest
from store.snapshot_pages import page_count, page_size
from store.storage import StorageFile
from ui.network import JSON, Network

# A journal by its form: the offer as its first frame, then one frame for each page.
PART = "snapshot.part"
_TRIES = 3  # of one page, and of a whole snapshot, before the usual exchange is taken instead
_REST_SECONDS = 0.25  # before the hub is asked again that is making one; it answers late by itself
_log = logging.getLogger(__name__)


class _Refused(Exception):
    """The hub has no snapshot for this device, or none any more."""


class ScopeRefused(AppError):
    """The hub gives no snapshot of the scope: it is of an older version, or being put back. Nothing has changed."""

    code = "scope_refused"
    retryable = True


class SnapshotFetch:
    """One device's way to a snapshot."""

    def __init__(self, database: DeviceDatabase, network: Network, on_change: Callable[[], None]) -> None:
        self._database = database
        self._network = network
        self._on_change = on_change
        self._not_before_head = 0  # the hub had none, or it failed: the usual exchange until the hub is so far
        self._is_first = True  # nothing was heard of the hub since this program began
        self.far_behind = FAR_BEHIND_CHANGES
        self.fetched_bytes = 0
        self.total_bytes = 0

    @property
    def percent(self) -> int | None:
        """How much of a snapshot is here; None when none is being fetched."""
        return self.fetched_bytes * 100 // self.total_bytes if self.total_bytes else None

    async def is_due(self, head: int) -> bool:
        """Whether to ask the hub for a snapshot. `head` is what it said last; 0 when it has not spoken yet."""
        if self._database.wants_own:  # an older copy of itself: only the usual exchange brings what it made later
            return False
        if self._is_first:
            if self._database.cursor == 0 or PART in await self._database.folder.names():
                return True
            self._is_first = False
        return head - self._database.cursor > self.far_behind and head >= self._not_before_head

    async def run(self, head: int) -> None:
        """Fetch a snapshot and put it in place, or leave it to the usual exchange.

        Raises: NetworkFailed; what is here already stays for the next time.
        """
        try:
            if not await self._fetch_and_adopt(self._database.reach.scope, anew=False):
                await self._do_without(head)
        except (_Refused, SnapshotDamaged, JournalUnreadable, StorageFull, ValidationError) as error:
            _log.warning("snapshot: %s %s", type(error).__name__, error if isinstance(error, _Refused) else "")
            await self._do_without(head)
        finally:
            self.fetched_bytes = self.total_bytes = 0
            self._on_change()

        self._is_first = False

    async def choose(self, scope: Scope | None) -> None:
        """Hold another scope from now on, None for everyone; the device's own unsent changes stay whatever it is.

        Raises: NetworkFailed, ScopeRefused, SnapshotDamaged, StorageFailed; then it holds what it held.
        """
        try:
            if not await self._fetch_and_adopt(scope, anew=True):
                raise ScopeRefused("no offer")
            # Files that count no more go with the second checkpoint: what is dropped shall not lie on the device.
            await self._database.checkpoint()
            await self._database.checkpoint()
        except StorageFull:
            await self._database.folder.remove(PART)  # to give its space back
            raise
        except (_Refused, JournalUnreadable, ValidationError) as error:
            raise ScopeRefused(type(error).__name__) from error
        finally:
            self.fetched_bytes = self.total_bytes = 0
            self._on_change()

    async def _do_without(self, head: int) -> None:
        self._not_before_head = head + self.far_behind
        await self._database.folder.remove(PART)  # also to give its space back

    async def _fetch_and_adopt(self, scope: Scope | None, *, anew: bool) -> bool:
        """False when the hub says that the usual exchange is enough."""
        for tries_left in reversed(range(_TRIES)):
            offer = await self._ask(SnapshotRequest(after=self._database.cursor, scope=scope, anew=anew))
            if offer is None:
                break
            try:
                await self._fetch(offer, scope)
                return True
            except (_Refused, SnapshotDamaged):  # the hub has a newer one by now; or all has to be fetched anew
                if not tries_left:
                    raise
        return False

    async def _ask(self, request: SnapshotRequest) -> SnapshotOffer | None:
        while True:
            body = request.model_dump_json().encode()
            status, _, content = await self._network.fetch("POST", "/api/snapshot", body, JSON)
            if status != 200:  # also a hub of before there were snapshots
                raise _Refused(str(status))
            answer = SnapshotAnswer.model_validate_json(content)
            if not answer.making:
                break
            await asyncio.sleep(_REST_SECONDS)
        offer = answer.offer
        is_meant = offer is not None and offer.scope == scope_digest(request.scope)  # a hub of before gives everyone
        return offer if offer is not None and is_meant and self._is_ours(offer) else None

    def _is_ours(self, offer: SnapshotOffer) -> bool:
        """Not of a hub of another version, which derives other tables from the same changes; nor of another hub.

        What follows from a hub that was begun anew or put back is found out in the exchange (store/standing.py).
        """
        if self._database.hub_generation not in ("", offer.generation):
            return False
        names = {table.name for table in self._database.tables.derived_tables()}
        return offer.schema_version == SCHEMA_VERSION and offer.counts.keys() == names

    async def _fetch(self, offer: SnapshotOffer, scope: Scope | None) -> None:
        pages = page_count(offer)
        self.total_bytes = offer.size_bytes
        file, journal, here = await self._open_part(offer)
        try:
            self._progress(offer, here)
            for page in range(here, pages):
                await journal.append(await self._page(offer, page))
                self._progress(offer, page + 1)
            await self._database.adopt(offer, _pages(journal), scope)
        except SnapshotDamaged:
            await file.close()
            await self._database.folder.remove(PART)
            raise
        except BaseException:
            await file.close()
            raise
        await file.close()
        await self._database.folder.remove(PART)

    async def _open_part(self, offer: SnapshotOffer) -> tuple[StorageFile, Journal, int]:
        """The file beside, and how many pages of this very snapshot it holds."""
        folder, promised = self._database.folder, offer.model_dump_json().encode()
        file = await folder.open(PART)
        journal = Journal(file)
        try:
            frames = journal.frames()
            kept = next(frames, None) == promised
            here = 0
            for _ in frames:
                here += 1
                await self._database.rest()
            if kept and not journal.recovery.damaged and here <= len(offer.page_crcs):
                await journal.open_for_appending()
                return file, journal, here
        except JournalUnreadable:
            pass
        await file.close()
        await folder.remove(PART)
        file = await folder.open(PART)
        journal = Journal(file)
        await journal.begin(promised)
        return file, journal, 0

    async def _page(self, offer: SnapshotOffer, page: int) -> bytes:
        for _ in range(_TRIES):
            status, _, data = await self._network.fetch("GET", f"/api/snapshot/{offer.sha256}/{page}", None, {})
            if status != 200:
                raise _Refused(str(status))
            if len(data) == page_size(offer, page) and zlib.crc32(data) == offer.page_crcs[page]:
                return data
        raise SnapshotDamaged(f"page {page}")

    def _progress(self, offer: SnapshotOffer, pages: int) -> None:
        self.fetched_bytes = min(pages * offer.page_bytes, offer.size_bytes)
        self._on_change()


def _pages(journal: Journal) -> Iterator[bytes]:
    frames = journal.frames()
    next(frames)
    return frames
