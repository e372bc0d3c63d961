"""One store: a journal, the tables it gives, and what is still to be told to the hub.

Invariants:
- a change is applied only after its frame is in the journal and flushed: what a screen shows is on disk;
- one user action is one frame and one flush, however many changes it makes;
- opening replays the journal and gives the same tables; a store that is not empty never opens as empty;
- the hub's sequence has no gaps, and a change has one number for ever.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from store.apply import apply_change, keep_unreadable, reason_unreadable
from store.changes import Change, ChangeDraft, World
from store.errors import JournalTooNew, JournalUnreadable
from store.journal import Journal, Recovery
from store.protocol import AcceptedChange, NumberedChange, SyncAnswer
from store.storage import JournalStorage
from store.tables import Tables

SCHEMA_VERSION = 1


class Entry(BaseModel):
    """One line of a frame. A frame is a JSON array of entries and is applied whole.

    Shape: `store` opens the journal (who owns it); `change` holds a change, with `hub_seq` once the hub has numbered
    it; `ack` gives a device's own change its number; `cursor` says how far a device has read; `exchange` keeps what was
    sent to CDC and what came back, raw, on the hub alone.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    e: Literal["store", "change", "ack", "cursor", "exchange"]
    change: Change | None = None
    hub_seq: int | None = None
    change_id: str | None = None
    data: dict[str, Any] | None = None


_ENTRIES = TypeAdapter(list[Entry])
_log = logging.getLogger(__name__)
Listener = Callable[[Sequence[Change]], None]


class Database:
    """What both ends share; `DeviceDatabase` and `HubDatabase` add the two sides of the sync."""

    role = "device"

    def __init__(self, journal: Journal, world: World) -> None:
        self._journal = journal
        self._world = world
        self._lock = asyncio.Lock()
        self._listeners: list[Listener] = []
        self._known: set[str] = set()
        self._next_device_seq = 1
        self.device_id = ""
        self.generation = ""
        self.tables = Tables()

    @classmethod
    async def open(cls, storage: JournalStorage, world: World) -> Self:
        """Replay the journal, or begin one. Raises: JournalUnreadable, JournalTooNew, StorageFailed."""
        database = cls(Journal(storage), world)
        async for payload in database._journal.replay():
            try:
                entries = _ENTRIES.validate_json(payload)
            except ValidationError as error:
                raise JournalTooNew("a frame holds entries this version does not know") from error
            for entry in entries:
                database._replay(entry)
        if not database.device_id:
            await database._begin()
        return database

    async def close(self) -> None:
        async with self._lock:
            await self._journal.close()

    @property
    def recovery(self) -> Recovery:
        return self._journal.recovery

    @property
    def size_bytes(self) -> int:
        return self._journal.size_bytes

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after each applied batch of changes; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def commit(
        self, drafts: Sequence[ChangeDraft], made_by: str, exchanges: Sequence[dict[str, Any]] = ()
    ) -> list[Change]:
        """Make the drafts changes of this store: all in one frame, on disk when this returns.

        Raises: StorageFailed (nothing was written), ValueError (a draft's payload is not a record).
        """
        async with self._lock:
            changes = [self._make_change(draft, made_by, offset) for offset, draft in enumerate(drafts)]
            for change in changes:
                if reason := reason_unreadable(change):
                    raise ValueError(f"{change.kind}: {reason}")
            entries = self._own_entries(changes) + [Entry(e="exchange", data=exchange) for exchange in exchanges]
            await self._write(entries)
        self._tell(changes)
        return changes

    # ---- what the two sides fill in

    def _own_entries(self, changes: Sequence[Change]) -> list[Entry]:
        return [Entry(e="change", change=change) for change in changes]

    def _take(self, entry: Entry) -> None:
        """Note an entry in the bookkeeping of this side."""

    # ---- shared inner steps

    def _make_change(self, draft: ChangeDraft, made_by: str, offset: int) -> Change:
        return Change(
            change_id=self._world.make_change_id(),
            device_id=self.device_id,
            device_seq=self._next_device_seq + offset,
            record_id=draft.record_id,
            base_revisions=draft.base_revisions,
            kind=draft.kind,
            payload=draft.payload,
            made_by=made_by,
            made_at=self._world.now(),
        )

    async def _begin(self) -> None:
        data = {
            "schema": SCHEMA_VERSION,
            "role": self.role,
            "device_id": self._world.make_record_id(),
            "generation": self._world.make_record_id(),
        }
        await self._write([Entry(e="store", data=data)])

    async def _write(self, entries: Sequence[Entry]) -> None:
        """Journal, then apply. The caller holds the lock."""
        await self._journal.append(_ENTRIES.dump_json(list(entries), exclude_none=True))
        for entry in entries:
            self._replay(entry)

    def _replay(self, entry: Entry) -> None:
        if entry.e == "store":
            self._open_as(entry.data or {})
        elif entry.change is not None and entry.change.change_id not in self._known:
            self._known.add(entry.change.change_id)
            if entry.change.device_id == self.device_id:
                self._next_device_seq = max(self._next_device_seq, entry.change.device_seq + 1)
            self._apply(entry.change)
        self._take(entry)

    def _apply(self, change: Change) -> None:
        reason = reason_unreadable(change)
        if reason is None:
            try:
                apply_change(self.tables, change)
            except Exception as error:  # noqa: BLE001 -- a bug in applying must not keep a whole clinic's store shut
                reason = f"bug: {type(error).__name__}"
        if reason is not None:
            keep_unreadable(self.tables, change, reason)

    def _open_as(self, data: dict[str, Any]) -> None:
        if data.get("schema", 0) > SCHEMA_VERSION:
            raise JournalTooNew(f"schema {data['schema']}, this program knows {SCHEMA_VERSION}")
        if data.get("role") != self.role:
            raise JournalUnreadable(f"a journal of role {data.get('role')}, opened as {self.role}")
        self.device_id, self.generation = data["device_id"], data["generation"]

    def _tell(self, changes: Sequence[Change]) -> None:
        if changes:
            for listener in list(self._listeners):
                try:
                    listener(changes)
                except Exception as error:  # noqa: BLE001 -- what is on disk must not be reported as failed
                    _log.error("a listener failed: %s", type(error).__name__)


class DeviceDatabase(Database):
    """The store in a browser: its own changes until the hub holds them, and what the hub has told so far."""

    role = "device"

    def __init__(self, journal: Journal, world: World) -> None:
        super().__init__(journal, world)
        self.unsent: dict[str, Change] = {}
        self.cursor = 0

    async def receive(self, answer: SyncAnswer) -> None:
        """Store an answer of the hub in one frame: what it accepted, what it brought, how far it reaches."""
        async with self._lock:
            accepted = [a for a in answer.accepted if a.change_id in self.unsent]
            brought = [n for n in answer.changes if n.change.change_id not in self._known]
            upto = max(answer.upto, self.cursor)
            if not accepted and not brought and upto == self.cursor:
                return
            await self._write(
                [Entry(e="ack", change_id=a.change_id, hub_seq=a.hub_seq) for a in accepted]
                + [Entry(e="change", change=n.change, hub_seq=n.hub_seq) for n in brought]
                + [Entry(e="cursor", hub_seq=upto)]
            )
        self._tell([n.change for n in brought])

    def _take(self, entry: Entry) -> None:
        if entry.e == "change" and entry.change is not None and entry.hub_seq is None:
            self.unsent[entry.change.change_id] = entry.change
        elif entry.e == "ack" and entry.change_id is not None:
            self.unsent.pop(entry.change_id, None)
        elif entry.e == "cursor" and entry.hub_seq is not None:
            self.cursor = max(self.cursor, entry.hub_seq)


class HubDatabase(Database):
    """The clinic's store: every change of every device, numbered; and the raw exchanges with CDC."""

    role = "hub"

    def __init__(self, journal: Journal, world: World) -> None:
        super().__init__(journal, world)
        self._log: list[bytes] = []
        self._seq_by_change: dict[str, int] = {}
        self.exchanges: list[dict[str, Any]] = []

    @property
    def head(self) -> int:
        """The highest sequence number given."""
        return len(self._log)

    async def accept(self, changes: Sequence[Change]) -> list[AcceptedChange]:
        """Number and keep what devices bring; on disk when this returns. What is known keeps its number."""
        async with self._lock:
            fresh = list({c.change_id: c for c in changes if c.change_id not in self._seq_by_change}.values())
            if fresh:
                await self._write(self._own_entries(fresh))
            accepted = [
                AcceptedChange(change_id=c.change_id, hub_seq=self._seq_by_change[c.change_id]) for c in changes
            ]
        self._tell(fresh)
        return accepted

    async def keep_exchange(self, exchange: dict[str, Any]) -> None:
        """Keep one exchange with CDC raw, on disk when this returns, before anybody tries to understand it."""
        async with self._lock:
            await self._write([Entry(e="exchange", data=exchange)])

    def changes_after(self, seq: int, limit: int, *, except_device: str) -> tuple[list[NumberedChange], int]:
        """Changes above `seq`, at most `limit` numbers on, without the device's own; and how far that reaches."""
        upto = min(self.head, seq + limit)
        numbered = (
            NumberedChange(hub_seq=number, change=Change.model_validate_json(self._log[number - 1]))
            for number in range(seq + 1, upto + 1)
            if self._log[number - 1]
        )
        return [n for n in numbered if n.change.device_id != except_device], upto

    def _own_entries(self, changes: Sequence[Change]) -> list[Entry]:
        return [Entry(e="change", change=c, hub_seq=self.head + n) for n, c in enumerate(changes, start=1)]

    def _take(self, entry: Entry) -> None:
        if entry.e == "change" and entry.change is not None:
            if entry.hub_seq is None or entry.hub_seq <= self.head:
                raise JournalUnreadable(f"hub sequence {entry.hub_seq} follows {self.head}")
            # A damaged frame in the middle takes its numbers with it: they stay empty, and are never given twice.
            self._log += [b""] * (entry.hub_seq - self.head - 1)
            self._log.append(entry.change.model_dump_json().encode())
            self._seq_by_change[entry.change.change_id] = entry.hub_seq
        elif entry.e == "exchange" and entry.data is not None:
            self.exchanges.append(entry.data)
