"""The clinic's store: every change of every device, numbered; the raw exchanges with CDC; snapshots for devices.

Invariants:
- the hub's sequence has no gaps, and a change has one number for ever; it is the order of the journal;
- each caller has a frame of its own, and callers that come together share a flush (group_commit.py).
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from store.apply import reason_unreadable
from store.audit import AuditHead
from store.changes import Change, ChangeDraft, World
from store.compaction import merge_runs, write_records
from store.database import ENTRIES, NOT_ASKED, Database, Entry
from store.errors import HubBehindDevice, JournalUnreadable, StorageFailed
from store.group_commit import GroupCommit
from store.protocol import (
    SCOPED_PULL_CHANGES,
    AcceptedChange,
    DeviceCount,
    HubStatus,
    NumberedChange,
    SyncAnswer,
    SyncRequest,
)
from store.run import RunWriter
from store.scope import Scope, ScopeFilter, people_in, with_merged
from store.scope_records import NOT_OF_PEOPLE, ids_of_people
from store.storage import StorageFile, StorageFolder
from store.tables import Tables

# A hub starts once a day and takes from all devices: fewer, larger runs are merged less often.
HUB_CHECKPOINT_RECORDS = 20_000
# Loop iterations from calling a journal's append to the moment when a thread is at the disk.
_STEPS_TO_DISK = 3
# A snapshot of fewer goes without indexes: of 10,000 patients it is 1.0 MB on the line instead of 1.8, and the device
# makes them in a second. Of many more, the making would take longer than the line does.
BARE_RECORDS = 20_000
_AUDIT_HEAD = "audit_head"  # in the place of a table: where the audit's chain ends
_PERSONS_AT_ONCE = 20  # looked up between two rests: some milliseconds


async def give_way() -> None:
    await asyncio.sleep(0)


class _Planned:
    """What the frames of a group will have given out. Nothing of it holds before they are on disk."""

    def __init__(self, head: int, next_device_seq: int) -> None:
        self.head, self.next_device_seq = head, next_device_seq
        self.number_by_id: dict[str, int] = {}

    def number(self, changes: Iterable[Change]) -> list[Entry]:
        entries = []
        for change in changes:
            self.head += 1
            self.number_by_id[change.change_id] = self.head
            entries.append(Entry(e="change", change=change, hub_seq=self.head))
        return entries


@dataclass
class _Frame:
    """What one caller of the hub has written. It is planned when its turn comes, on top of those before it."""

    plan: Callable[[_Planned], list[Entry]]
    checked: bool = False  # `reason_unreadable` let its changes pass
    entries: list[Entry] = field(default_factory=list)
    refused: Exception | None = None


class HubDatabase(Database):
    """The clinic's store: every change of every device, numbered; and the raw exchanges with CDC."""

    role = "hub"
    schema_1_file = "hub.journal"

    def __init__(self, folder: StorageFolder, world: World) -> None:
        super().__init__(folder, world)
        self.head = 0  # the highest sequence number given
        self.audit_head = AuditHead()  # where the audit's chain (audit_months.py) ended when that was last remembered
        self._counts: dict[str, list[int]] = {}  # by device: its highest number, how many changes
        self.checkpoint_records = HUB_CHECKPOINT_RECORDS
        self.rest = give_way  # a server's loop takes what has come at every turn
        self.storage_failure = ""  # the code of the error that the last writing met
        self.on_storage: Callable[[str], None] | None = None  # told each time when that becomes another
        self._frames = GroupCommit(self._write_frames)

    async def close(self) -> None:
        await self._frames.settle()
        await super().close()

    async def commit(
        self, drafts: Sequence[ChangeDraft], made_by: str, exchanges: Sequence[dict[str, Any]] = ()
    ) -> list[Change]:
        changes: list[Change] = []

        def plan(planned: _Planned) -> list[Entry]:
            changes[:] = self._make_changes(drafts, made_by, planned.next_device_seq)
            planned.next_device_seq += len(changes)
            return planned.number(changes) + [Entry(e="exchange", data=exchange) for exchange in exchanges]

        await self._put_frame(_Frame(plan, checked=True), len(drafts))
        return changes

    async def accept(self, changes: Sequence[Change]) -> list[AcceptedChange]:
        """Number and keep what devices bring; on disk when this returns. What is known keeps its number."""
        number_by_id: dict[str, int] = {}

        def plan(planned: _Planned) -> list[Entry]:
            by_id = {change.change_id: change for change in changes}
            known = {i: planned.number_by_id.get(i) or self._number_of(i) for i in by_id}
            entries = planned.number(change for i, change in by_id.items() if known[i] is None)
            number_by_id.update({i: number or planned.number_by_id[i] for i, number in known.items()})
            return entries

        if changes:
            await self._put_frame(_Frame(plan), len(changes))
        return [AcceptedChange(change_id=c.change_id, hub_seq=number_by_id[c.change_id]) for c in changes]

    async def keep_exchange(self, exchange: dict[str, Any]) -> None:
        """Keep one exchange with CDC raw, on disk when this returns, before anybody tries to understand it."""
        await self._put_frame(_Frame(lambda _: [Entry(e="exchange", data=exchange)]), 1)

    async def put_exchanges(self, exchanges: Mapping[int, Mapping[str, Any]]) -> None:
        """Put these in the place of the raw exchanges so numbered, on disk when this returns. Raises: StorageFailed."""
        table = self.tables.exchanges
        records = {table.to_key(number): dict(exchange) for number, exchange in exchanges.items()}
        entry = Entry(e="put", data={"table": table.name, "records": records})
        await self._put_frame(_Frame(lambda _: [entry]), 1)

    async def keep_audit_head(self, head: AuditHead) -> None:
        """Remember where the audit's chain ends, so that what is cut off there is missed; on disk on return.

        Raises: StorageFailed.
        """
        entry = Entry(e="put", data={"table": _AUDIT_HEAD, "records": {"1": head.model_dump()}})
        await self._put_frame(_Frame(lambda _: [entry]), 1)

    async def _put_frame(self, frame: _Frame, changes: int) -> None:
        await self._frames.put(frame, changes)
        if frame.refused is not None:
            raise frame.refused

    async def _write_frames(self, frames: Sequence[_Frame]) -> None:
        """Plan, journal and apply what callers have put together. Raises: StorageFailed; then nothing of it holds."""
        async with self._lock:
            planned = _Planned(self.head, self._next_device_seq)
            for frame in frames:
                try:
                    frame.entries = frame.plan(planned)
                except Exception as error:  # noqa: BLE001 -- one caller's fault is told to that caller alone
                    frame.entries, frame.refused = [], error
            try:
                reasons = await self._journal_frames([frame for frame in frames if frame.entries])
            except StorageFailed as error:
                self._note_storage(error.code)
                raise
            self._note_storage("")
            entries = [entry for frame in frames for entry in frame.entries]
            self._apply_written(zip(entries, reasons, strict=True))
        self._tell([entry.change for entry in entries if entry.change is not None])

    def _note_storage(self, failure: str) -> None:
        if failure != self.storage_failure:
            self.storage_failure = failure
            if self.on_storage is not None:
                self.on_storage(failure)

    async def _journal_frames(self, frames: Sequence[_Frame]) -> list[str | None]:
        """Append the frames; returns what `reason_unreadable` says of each entry, asked while the disk is at work."""
        if not frames:
            return []
        payloads = [ENTRIES.dump_json(frame.entries, exclude_none=True) for frame in frames]
        writing = asyncio.ensure_future(self._journal.append(*payloads))
        try:
            for _ in range(_STEPS_TO_DISK):
                await asyncio.sleep(0)
            return [
                reason_unreadable(entry.change) if entry.change is not None and not frame.checked else None
                for frame in frames
                for entry in frame.entries
            ]
        finally:
            await writing

    async def answer(self, request: SyncRequest, limit: int, status: HubStatus) -> SyncAnswer:
        """One round trip: keep what the device brings, tell what it has not seen. On disk before this returns.

        Raises: HubBehindDevice for a device of an earlier version, StorageFailed.
        """
        if self._is_behind(request) and request.hub_generation in ("", self.generation):
            if not request.hub_generation:
                raise HubBehindDevice(f"device read {request.after}, hub has {self.head}")
            # Put back from an older copy without saying so: from now on every device notices.
            renewed = Entry(e="hub", data={"generation": self._world.make_record_id()})
            await self._put_frame(_Frame(lambda _: [renewed]), 1)
        accepted = await self.accept(request.changes)
        changes, upto = list[NumberedChange](), 0
        if request.hub_generation in ("", self.generation):
            if request.scope is not None:
                changes, upto = self._changes_in_scope(request, request.scope, limit)
            else:
                except_device = "" if request.own else request.device_id
                told = {change.change_id for change in request.changes if change.device_id == except_device}
                just_told = {a.hub_seq for a in accepted if a.change_id in told}
                changes, upto = self.changes_after(
                    request.after, limit, except_device=except_device, just_told=just_told
                )
        last_seq, count = self._counts.get(request.device_id, (0, 0))
        return SyncAnswer(
            accepted=accepted,
            changes=changes,
            upto=upto,
            head=self.head,
            status=status,
            generation=self.generation,
            device=DeviceCount(last_seq=last_seq, count=count),
            mark=self._mark_at(upto),
            digest=self.digests.total(request.device_id) if request.scope is None else "",
            ranges=self.digests.ranges(request.device_id) if request.want_ranges and request.scope is None else [],
        )

    def _changes_in_scope(self, request: SyncRequest, scope: Scope, limit: int) -> tuple[list[NumberedChange], int]:
        """As `changes_after`, of what the device holds; what it made itself where it reads that again too."""
        found: list[NumberedChange] = []
        upto, wanted = request.after, ScopeFilter(self.tables, scope)
        while upto < min(self.head, request.after + SCOPED_PULL_CHANGES) and len(found) < limit:
            changes, upto = self.changes_after(upto, limit - len(found), except_device="")
            for numbered in changes:
                is_own = numbered.change.device_id == request.device_id
                if request.own if is_own else wanted.lets_through(numbered.change):
                    found.append(numbered)
        return found, upto

    def _is_behind(self, request: SyncRequest) -> bool:
        """Whether the device has read what this hub does not hold, or holds no more under the same number."""
        mark = self._mark_at(request.after)
        return request.after > self.head or (bool(mark and request.after_mark) and mark != request.after_mark)

    def _mark_at(self, number: int) -> str:
        document = self.tables.changes.find(self.tables.changes.to_key(number))
        return document["change"].change_id if document is not None else ""

    def exchanges_of(self, upload_batch_id: str) -> Iterable[Mapping[str, Any]]:
        """The raw exchanges about one upload batch, in the order they happened."""
        found = self.tables.exchanges.find_by("upload_batch_id", upload_batch_id)
        return sorted(found, key=lambda document: document.doc_id)

    def changes_after(
        self, seq: int, limit: int, *, except_device: str, just_told: Set[int] = frozenset()
    ) -> tuple[list[NumberedChange], int]:
        """Changes above `seq`, at most `limit` numbers on, without the device's own; and how far that reaches.

        `just_told`: numbers of the device's own that need not be read again, and do not count. Else a device that
        tells much would fall behind by it, until it seemed to need a snapshot.
        """
        upto, table, found = seq, self.tables.changes, []
        while upto < self.head and (upto + 1 in just_told or limit > 0):
            upto += 1
            if upto in just_told:
                continue
            limit -= 1
            document = table.find(table.to_key(upto))
            if document is not None and document["change"].device_id != except_device:
                found.append(NumberedChange(hub_seq=upto, change=document["change"]))
        return found, upto

    async def write_snapshot(self, file: StorageFile, scope: Scope | None = None) -> dict[str, Any]:
        """Write a run with all that devices derive from changes, as it stands at the head or a little later.

        With `scope` it holds the records in it. Returns what `SnapshotOffer` says of it: "head", "counts", "devices",
        "digests" and "scope". Raises: StorageFailed.
        """
        return await self.alone(lambda: self._write_snapshot(file, scope, self.head))

    async def _write_snapshot(self, file: StorageFile, scope: Scope | None, at_least: int) -> dict[str, Any]:
        while self._manifest.state.get("head", 0) < at_least:
            await self._checkpoint()
        state, derived = self._manifest.state, self.tables.derived_tables()
        facts = {
            "head": state.get("head", 0),
            "devices": {device_id: last_seq for device_id, (last_seq, _) in state.get("devices", {}).items()},
        }
        if scope is not None:
            return {**facts, "counts": await self._write_scope(file, scope), "scope": scope.digest}
        parts, is_small = [run.tables for run in self._runs], sum(map(len, derived)) < BARE_RECORDS
        await merge_runs(RunWriter(file), parts, derived, True, self.rest, bare=is_small)
        # A table that came with a newer version is not in the counts of a store that has written none of it yet.
        counts = {table.name: state["counts"][table.name] for table in derived if table.name in state["counts"]}
        return {**facts, "counts": counts, "digests": state.get("digests", {})}

    async def _write_scope(self, file: StorageFile, scope: Scope) -> dict[str, Any]:
        """The records in scope, out of the runs alone: those stand still while new changes go on coming."""
        still = Tables()
        for table in still.record_tables():
            table.runs = self.tables.table(table.name).runs
        ids = {name: set(still.table(name).ids()) for name in NOT_OF_PEOPLE}
        everybody = with_merged(still, people_in(still, scope))
        persons = iter(sorted(everybody))
        while some := list(islice(persons, _PERSONS_AT_ONCE)):
            for name, found in ids_of_people(still, some, everybody).items():
                ids.setdefault(name, set()).update(found)
            await self.rest()
        return await write_records(RunWriter(file), still.derived_tables(), ids, self.rest)

    def holds(self, change_id: str) -> bool:
        """Whether this change has a number already."""
        return self._number_of(change_id) is not None

    def _number_of(self, change_id: str) -> int | None:
        found = self.tables.changes.ids_by("change_id", change_id)
        return self.tables.changes.to_doc_id(found[0]) if found else None

    def replay(self, entry: Entry, reason: str | None = NOT_ASKED) -> None:
        if entry.e == "put" and entry.data is not None and entry.data["table"] == _AUDIT_HEAD:
            self.audit_head = AuditHead.model_validate(entry.data["records"]["1"])
        else:
            super().replay(entry, reason)

    def _take(self, entry: Entry) -> None:
        if entry.e == "change" and entry.change is not None:
            if entry.hub_seq is None or entry.hub_seq <= self.head:
                raise JournalUnreadable(f"hub sequence {entry.hub_seq} follows {self.head}")
            # A damaged frame in the middle takes its numbers with it: they stay empty, and are never given twice.
            self.head = entry.hub_seq
            self.tables.changes.put(self.tables.changes.to_key(entry.hub_seq), {"change": entry.change})
            count = self._counts.setdefault(entry.change.device_id, [0, 0])
            count[0], count[1] = max(count[0], entry.change.device_seq), count[1] + 1
        elif entry.e == "exchange" and entry.data is not None:
            table = self.tables.exchanges
            table.put(table.to_key(table.last_number() + 1), entry.data)
        elif entry.e == "hub" and entry.data is not None:
            self.generation = entry.data["generation"]

    def _state(self) -> dict[str, Any]:
        # A copy: changes are counted on while the run is written that these belong to.
        devices = {device_id: list(count) for device_id, count in self._counts.items()}
        audit_head = self.audit_head.model_dump()
        return {**super()._state(), "head": self.head, "devices": devices, _AUDIT_HEAD: audit_head}

    def _restore(self, state: Mapping[str, Any]) -> None:
        super()._restore(state)
        self.head = state.get("head", 0)
        self.audit_head = AuditHead.model_validate(state.get(_AUDIT_HEAD, {}))
        if "digests" not in state:  # of a program that did not keep them
            for numbered in self.changes_after(0, self.head, except_device="")[0]:
                self.digests.add(numbered.hub_seq, numbered.change.device_id, numbered.change.change_id)
        self._counts = {device_id: list(count) for device_id, count in state.get("devices", {}).items()}
