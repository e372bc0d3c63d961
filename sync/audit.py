"""The hub's side of the audit: what the hub and its devices did, in one chain; and a manager's look at it.

Invariants:
- each change that the hub holds has an entry, soon after it is on disk; one that a crash left without gets it at the
  next start; nobody who records waits for that;
- what a device tells is on disk before it is told so;
- where the chain ends is remembered in the store too, and by each device.
"""

import asyncio
import logging
from contextlib import aclosing, suppress

from store.audit import CODE, RECORD_ID, About, AuditAction, AuditEntry, AuditHead, checked_about
from store.audit import HUB as BY_HUB
from store.audit_months import AuditMonths, Note, note_of_change
from store.audit_protocol import AuditPage, AuditQuery, AuditTaken, AuditTelling
from store.audit_search import first_month, is_meant, records_meant
from store.changes import World
from store.errors import StorageFailed
from store.hub_database import HubDatabase, give_way
from store.storage import StorageFolder

_log = logging.getLogger(__name__)
_AT_ONCE = 200  # entries in one go: some 5 ms
# What comes together shares a flush, and while a roster comes in, devices come first.
_GATHER_SECONDS, _LONGEST_SECONDS = 0.3, 5.0
_REST_SECONDS = 0.02  # between two goes
_AGAIN_SECONDS = 5.0
_REMEMBER_SECONDS = 300.0
_MOST_WAITING = 10_000  # where the disk takes nothing; more are counted only
_LOOKED_AT = 5000  # entries, for one page


class HubAudit:
    """One hub's chain. `note` never waits and never fails for want of a disk; a task writes."""

    def __init__(self, database: HubDatabase, folder: StorageFolder, world: World) -> None:
        self._database, self._folder, self._world = database, folder, world
        self._months: AuditMonths | None = None
        self._waiting: list[Note] = []
        self._lost = 0  # notes for which there was no room
        self._beginning: Note | None = None  # comes before all others
        self._noted_upto = 0  # of the hub's sequence
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self.failure = ""  # the code of the error that the last writing met

    def note(self, who: str, what: str, about: About | None = None, device_id: str = "") -> None:
        """Note what was done, now; on disk soon after.

        Shape: `who` a staff id, or `HUB` or `NOBODY` (store/audit.py); `what` an `AuditAction`; `about` as
        `checked_about` says; `device_id` empty where it was none. Raises: ValueError for another shape.
        """
        if not CODE.fullmatch(what) or (device_id and not RECORD_ID.fullmatch(device_id)):
            raise ValueError("neither code nor device id")
        if len(self._waiting) >= _MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append(Note(self._world.now(), who, what, checked_about(about or {}), device_id))
        self._wake.set()

    async def open(self) -> None:
        """Read where the chain ends. Raises: StorageFailed, JournalTooNew."""
        anchor, database = self._database.audit_head, self._database
        self._months = await AuditMonths.open(self._folder, anchor)
        state = self._months.state
        self._noted_upto = state.noted_upto
        if state.generation != database.generation or state.noted_upto > database.head:
            # A hub of before there was an audit, or one that was put back: what has no entry yet begins here.
            what = AuditAction.STORE_REPLACED if state.generation else AuditAction.AUDIT_BEGAN
            self._noted_upto = min(state.noted_upto, database.head) if state.generation else database.head
            about: About = {"generation": database.generation, "count": self._noted_upto}
            self._beginning = Note(self._world.now(), BY_HUB, what, about)
        if reason := await self._differs(anchor, self._months.found):
            self.note(BY_HUB, AuditAction.CHAIN_BROKEN, {"number": anchor.seq, "reason": reason})
        self._stop_listening = database.listen(lambda _: self._wake.set())
        self._wake.set()

    async def run(self) -> None:
        """Write whatever comes, until cancelled."""
        remember_at = asyncio.get_running_loop().time()
        while True:
            await self._wake.wait()
            await self._gather()
            try:
                await self._write_all(_REST_SECONDS)
                if (now := asyncio.get_running_loop().time()) >= remember_at:
                    remember_at = now + _REMEMBER_SECONDS
                    await self._remember()
            except StorageFailed as error:
                _log.error("audit: %s", error.code)
                await asyncio.sleep(_AGAIN_SECONDS)
                self._wake.set()

    async def _gather(self) -> None:
        """Until nothing more comes for a moment."""
        give_up_at = asyncio.get_running_loop().time() + _LONGEST_SECONDS
        while self._wake.is_set() and asyncio.get_running_loop().time() < give_up_at:
            self._wake.clear()
            await asyncio.sleep(_GATHER_SECONDS)

    async def settle(self) -> None:
        """Write all that was noted and all changes without an entry; on disk on return. Raises: StorageFailed."""
        await self._write_all(0)

    async def _write_all(self, rest_seconds: float) -> None:
        try:
            while True:
                async with self._writing:
                    if not await self._write_some():
                        break
                await asyncio.sleep(rest_seconds)
        except StorageFailed as error:
            self.failure = error.code
            raise
        self.failure = ""

    async def close(self) -> None:
        """Write what is left, and remember the end."""
        self._stop_listening()
        with suppress(StorageFailed):
            await self.settle()
            await self._remember()
        await self._opened.close()

    @property
    def _opened(self) -> AuditMonths:
        assert self._months is not None, "not opened"
        return self._months

    @property
    def head(self) -> AuditHead:
        return self._opened.state.head

    async def _write_some(self) -> bool:
        """False where nothing was left."""
        months, now = self._opened, self._world.now()
        await self._begin()
        notes = self._waiting[:_AT_ONCE]
        changes, upto = self._database.changes_after(self._noted_upto, _AT_ONCE, except_device="")
        of_changes = [note_of_change(one.change, one.hub_seq, now) for one in changes]
        if not notes and upto == self._noted_upto:
            return False
        await months.add([*of_changes, *notes], now)
        del self._waiting[: len(notes)]
        if self._lost and not self._waiting:
            lost, self._lost = self._lost, 0
            self.note(BY_HUB, AuditAction.LOST, {"count": lost})
        self._noted_upto = upto
        return True

    async def _begin(self) -> None:
        if self._beginning is not None:
            await self._opened.add([self._beginning], self._world.now())
            self._beginning = None

    async def _remember(self) -> None:
        if self._database.audit_head != self.head:
            await self._database.keep_audit_head(self.head)

    # ---- what devices and a manager ask

    async def take(self, told: AuditTelling) -> AuditTaken:
        """Keep what a device tells. Raises: StorageFailed."""
        months = self._opened
        if reason := await self._differs(told.hub_head, self.head):
            self.note(BY_HUB, AuditAction.CHAIN_BROKEN, {"number": told.hub_head.seq, "reason": reason}, told.device_id)
            await self.settle()
        async with self._writing:
            await self._begin()
        await months.take(told.device_id, told.entries, self._world.now())
        return AuditTaken(hub_head=self.head)

    async def _differs(self, seen: AuditHead, head: AuditHead) -> str:
        """Why the chain up to `head` is not the one that was seen to end at `seen`; empty where it is."""
        if seen.seq == 0 or seen == head:
            return ""
        if seen.seq > head.seq:
            return "cut_off"
        return "" if await self._opened.hash_at(seen.seq) == seen.hash else "written_anew"

    async def find(self, query: AuditQuery) -> AuditPage:
        """One page; where much had to be looked through it may have few entries and still go on."""
        with suppress(StorageFailed):  # what is there can be looked at all the same
            await self.settle()
        records = records_meant(self._database.tables, query)
        found: list[AuditEntry] = []
        looked_at = 0
        async with aclosing(self._opened.frames_back(query.before, first_month=first_month(query))) as frames:
            async for entries in frames:
                for entry in entries:
                    if len(found) == query.limit or looked_at == _LOOKED_AT:
                        return AuditPage(entries=found, before=entry.seq + 1, hub_head=self.head)
                    looked_at += 1
                    if is_meant(entry, query, records):
                        found.append(entry)
                await give_way()
        return AuditPage(entries=found, hub_head=self.head)
