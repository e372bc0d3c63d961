"""The device's half of the sync: tell the hub what it does not hold, learn what the others did.

Invariants:
- a change stays unsent until the hub has said that it is on its disk;
- one exchange at a time; whatever wakes the client meanwhile makes it go round once more;
- the hub being away is a state to show, not an error to raise.
"""

import asyncio
import contextlib
import logging
import random
import traceback
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError

from store.changes import Change, World
from store.device_database import DeviceDatabase
from store.digests import RANGE_CHANGES, differing_ranges
from store.errors import AppError, ProtocolMismatch
from store.protocol import STAFF, HubStatus, Notice, NumberedChange, StaffRequest, SyncAnswer, SyncRequest
from store.scope import Scope
from ui.network import JSON, Network, NetworkFailed, refusal_code
from ui.people_client import PeopleClient
from ui.snapshot_fetch import SnapshotFetch

# Far below what the hub takes: writing and reading a message holds the screen up.
PUSH_CHANGES = 800
REST_SECONDS = 0.004
FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 30.0
QUIET_SECONDS = 60.0  # a live stream can die without a word; then this brings what it did not
_log = logging.getLogger(__name__)


class HubLink(StrEnum):
    """How the last exchange with the hub went."""

    UNKNOWN = "unknown"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"  # the hub is off, or not to be reached from this network
    NO_NETWORK = "no_network"  # this device itself is in none
    REFUSING = "refusing"


class SyncClient:
    """Keeps one device and the hub alike."""

    def __init__(self, database: DeviceDatabase, network: Network, world: World, on_change: Callable[[], None]) -> None:
        self._database = database
        self._network = network
        self._world = world
        self._on_change = on_change
        self._wake = asyncio.Event()
        self._retry_seconds = FIRST_RETRY_SECONDS
        self.link = HubLink.UNKNOWN
        self.link_detail = ""
        self.last_sync_at: datetime | None = None
        self.status = HubStatus()
        self.head = 0
        self._mended: list[tuple[int, list[str]]] = []
        self._turn = asyncio.Lock()  # one exchange at a time, also of what pages ask for
        self.snapshot = SnapshotFetch(database, network, on_change)
        self.people = PeopleClient(database, network, self._turn)
        self.after_sync: Callable[[], Awaitable[None]] | None = None  # what is told once both are alike

    def wake(self) -> None:
        """Sync now: something was recorded, the network came back, or a person asked."""
        self._retry_seconds = FIRST_RETRY_SECONDS
        self._wake.set()

    async def run(self) -> None:
        """Sync whenever there is a reason to, until cancelled."""
        self._database.listen(self._on_recorded)
        self._network.event_stream("/api/events", self._on_notice, self._on_stream)
        while True:
            self._wake.clear()
            pause = QUIET_SECONDS if await self._try_to_sync() else self._next_pause()
            # Not wait_for: before Python 3.12 it can swallow the cancellation that ends this loop.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def wake_cdc(self, asked_by: str = STAFF) -> str:
        """Have the hub use its line to CDC now (staff's tap). Empty when it does so, else the code of an error."""
        asked = StaffRequest(asked_by=asked_by).model_dump_json().encode()
        try:
            answer = await self._network.fetch("POST", "/api/cdc/wake", asked, JSON)
        except NetworkFailed as error:
            self._set_link(HubLink.UNREACHABLE)
            return error.code
        if answer[0] >= 300:
            return refusal_code(answer) or AppError.code
        with contextlib.suppress(ValidationError):
            told = HubStatus.model_validate_json(answer[2])
            if "cdc" in told.model_fields_set:  # an older hub says nothing
                self.status = told
                self._on_change()
        return ""

    async def sync_now(self) -> bool:
        """Bring the hub and this device alike before going on; False when the hub cannot be used."""
        return await self._try_to_sync()

    async def choose_scope(self, scope: Scope | None) -> None:
        """Hold only the records in `scope` from now on, or everyone again.

        Raises: NetworkFailed, ScopeRefused, SnapshotDamaged, StorageFailed; then the device holds what it held.
        """
        async with self._turn:
            await self.snapshot.choose(scope)
        self.wake()

    def _next_pause(self) -> float:
        pause = self._retry_seconds * random.uniform(0.8, 1.2)  # spread the tablets of one clinic
        self._retry_seconds = min(self._retry_seconds * 2, LAST_RETRY_SECONDS)
        return pause

    def _on_recorded(self, changes: Sequence[Change]) -> None:
        if self._database.unsent:
            self._wake.set()
        self._on_change()

    def _on_notice(self, text: str) -> None:
        try:
            notice = Notice.model_validate_json(text)
        except ValidationError:
            return  # a newer hub says something we cannot read; the next sync will tell
        self.status, self.head = notice.status, notice.head
        if notice.head > self._database.cursor:
            self._wake.set()
        self._on_change()

    def _on_stream(self, is_open: bool) -> None:
        # A stream that breaks again says that the network has changed, and with it what stands in the way.
        if is_open or self.link is not HubLink.REFUSING:
            self.wake()

    async def _try_to_sync(self) -> bool:
        """One round. Whatever goes wrong in it is shown and tried again: nobody else would start this loop anew."""
        try:
            is_alike = await self._sync_all()
            if is_alike and self.after_sync is not None:
                await self.after_sync()
            return is_alike
        except AppError as error:
            self._set_link(HubLink.REFUSING, error.code)
        except Exception as error:  # noqa: BLE001 -- the loop's one place for bugs
            # Without the message, which may quote a patient.
            _log.error("sync: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            self._set_link(HubLink.REFUSING, AppError.code)
        return False

    async def _sync_all(self) -> bool:
        """Exchange until both sides hold the same; False when the hub could not be used."""
        while True:
            async with self._turn:
                if not await self._catch_up():
                    return False
                answer = await self._exchange(self._database.unsent.first(PUSH_CHANGES))
                if answer is None:
                    return False
                await self._database.receive(answer)
            self.last_sync_at = self._world.now()
            self.status, self.head = answer.status, answer.head
            self._retry_seconds = FIRST_RETRY_SECONDS
            self._set_link(HubLink.CONNECTED)
            # By what this device has read: an answer may have told it to read all again, and only then is it whole.
            if self._database.cursor >= answer.head and not self._database.unsent:
                await self.people.fetch_wanted()
                async with self._turn:
                    return not self._differs(answer) or await self._mend(answer)
            await asyncio.sleep(REST_SECONDS)

    async def _catch_up(self) -> bool:
        """Take a snapshot where that is shorter than the exchange; False when there was no answer."""
        try:
            if await self.snapshot.is_due(self.head):
                await self.snapshot.run(self.head)
        except NetworkFailed:
            self._set_link(HubLink.UNREACHABLE)
            return False
        return True

    def _differs(self, answer: SyncAnswer) -> bool:
        """Whether this device, which has read all, holds other changes than the hub. An older hub does not say."""
        if self._database.reach.is_chosen:
            return False  # it is meant to
        ours = self._database.digests.total(self._database.device_id)
        return bool(answer.digest) and answer.digest != ours

    async def _mend(self, answer: SyncAnswer) -> bool:
        """Read again the ranges that differ, once for what the hub holds of them; False when there was no answer."""
        told = await self._exchange([], want_ranges=True)
        if told is None or told.head != answer.head:
            return told is not None  # something new has come: the next round looks at it
        ours = self._database.digests.ranges(self._database.device_id)
        for number in differing_ranges(ours, told.ranges):
            theirs = (number, told.ranges[number : number + 1])
            if theirs in self._mended:
                continue
            _log.warning("range %d differs from the hub's and is read again", number)
            changes = await self._read_range(number, told.head)
            if changes is None:
                return False
            await self._database.mend_range(number, changes)
            self._mended.append(theirs)
        return True

    async def _read_range(self, number: int, head: int) -> list[NumberedChange] | None:
        changes: list[NumberedChange] = []
        upto, end = number * RANGE_CHANGES, min((number + 1) * RANGE_CHANGES, head)
        while upto < end:
            answer = await self._exchange([], after=upto)
            if answer is None:
                return None
            changes += [numbered for numbered in answer.changes if numbered.hub_seq <= end]
            upto = answer.upto
        return changes

    async def _exchange(
        self, batch: list[Change], *, after: int | None = None, want_ranges: bool = False
    ) -> SyncAnswer | None:
        """`after`: to read again from there, instead of going on."""
        request = SyncRequest(
            device_id=self._database.device_id,
            generation=self._database.generation,
            after=self._database.cursor if after is None else after,
            changes=batch,
            hub_generation=self._database.hub_generation,
            own=self._database.wants_own,
            after_mark=self._database.cursor_mark if after is None else "",
            want_ranges=want_ranges,
            scope=self._database.reach.scope,
        )
        body = request.model_dump_json().encode()
        asking = asyncio.ensure_future(self._network.fetch("POST", "/api/sync", body, JSON))
        try:
            if batch:
                await asyncio.sleep(0)  # now it is on its way
                self._database.unsent.read_ahead(PUSH_CHANGES)
            answer = await asking
        except NetworkFailed:
            self._set_link(HubLink.UNREACHABLE)
            return None
        finally:
            asking.cancel()
        if answer[0] != 200:
            self._set_link(HubLink.REFUSING, refusal_code(answer) or AppError.code)
            return None
        try:
            return SyncAnswer.model_validate_json(answer[2])
        except ValidationError:
            self._set_link(HubLink.REFUSING, ProtocolMismatch.code)
            return None

    def _set_link(self, link: HubLink, detail: str = "") -> None:
        if link is HubLink.UNREACHABLE and not self._network.is_online():
            link = HubLink.NO_NETWORK
        self.link, self.link_detail = link, detail
        self._on_change()
