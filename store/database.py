"""One store: a journal, the tables it gives, and what is still to be told to the hub.

Invariants:
- a change is applied only after its frame is in the journal and flushed: what a screen shows is on disk;
- one user action is one frame and one flush, however many changes it makes;
- opening gives the same tables again; a store that is not empty never opens as empty;
- the hub's sequence has no gaps, and a change has one number for ever; it is the order of the journal;
- on the hub each caller has a frame of its own, and callers that come together share a flush (group_commit.py);
- what the journal holds moves into runs in the background; a crash at any moment of that costs nothing;
- runs whose indexes were made by other rules are made anew before anything is asked of them.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from store.apply import apply_change, keep_unreadable, reason_unreadable
from store.changes import Change, ChangeDraft, World
from store.compaction import OnProgress, Rest, choose_merge, follow_rules, merge_runs, rebuild_runs, write_delta
from store.errors import HubBehindDevice, JournalTooNew, JournalUnreadable, SnapshotDamaged, StorageFailed
from store.group_commit import GroupCommit
from store.journal import Journal, Recovery
from store.manifest import Manifest, journal_name, journal_numbers, run_name, unneeded
from store.protocol import (
    AcceptedChange,
    DeviceCount,
    HubStatus,
    NumberedChange,
    SnapshotOffer,
    SyncAnswer,
    SyncRequest,
)
from store.run import Run, RunWriter
from store.snapshot_pages import checked_counts, copy_pages
from store.standing import Reaction, Standing, react
from store.storage import StorageFile, StorageFolder
from store.tables import Tables

SCHEMA_VERSION = 2
# Of records newer than the runs: so many are read again at the next opening, some 25 microseconds each.
CHECKPOINT_RECORDS = 2000
# When nobody has recorded anything for a while, fewer are enough: the next opening then has almost nothing to read.
IDLE_RECORDS, IDLE_SECONDS = 32, 2.0
# A hub starts once a day and takes from all devices: fewer, larger runs are merged less often.
HUB_CHECKPOINT_RECORDS = 20_000
# Longer than the 2 ms that Pyodide takes for none: a tap comes in between.
REST_SECONDS = 0.004


class Entry(BaseModel):
    """One line of a frame. A frame is a JSON array of entries and is applied whole.

    Shape: `store` opens a journal (who owns it, its manifest); `runs` brings a newer manifest; `change` holds a change,
    with `hub_seq` once the hub has numbered it; `ack` gives a device's own change its number; `cursor` says how far a
    device has read; `exchange` keeps what was sent to CDC and what came back, raw, on the hub alone; `put` writes
    records of this device's own tables; `hub` says which hub a device speaks to, or that a hub takes a new generation;
    `again` has a device send all of its own changes again, `catch_up` lets it read its own from the hub, `renew` gives
    it a new name.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    e: Literal["store", "runs", "change", "ack", "cursor", "exchange", "put", "hub", "again", "catch_up", "renew"]
    change: Change | None = None
    hub_seq: int | None = None
    change_id: str | None = None
    data: dict[str, Any] | None = None


ENTRIES = TypeAdapter(list[Entry])
_log = logging.getLogger(__name__)
Listener = Callable[[Sequence[Change]], None]
Result = TypeVar("Result")
# Loop iterations from calling a journal's append to the moment when a thread is at the disk.
_STEPS_TO_DISK = 3
_FRAME_CHANGES = 250
# A snapshot of fewer goes without indexes: of 10,000 patients it is 1.0 MB on the line instead of 1.8, and the device
# makes them in a second. Of many more, the making would take longer than the line does.
BARE_RECORDS = 20_000
NOT_ASKED = ""  # in the place of a reason: `reason_unreadable` has still to be asked


async def rest() -> None:
    await asyncio.sleep(REST_SECONDS)


class Database:
    """What both ends share; `DeviceDatabase` and `HubDatabase` add the two sides of the sync."""

    role = "device"
    schema_1_file = ""  # where the first version kept everything

    def __init__(self, folder: StorageFolder, world: World) -> None:
        self.folder = folder
        self._world = world
        self._journal: Journal
        self._number = 0
        self._older: list[Journal] = []  # journals that the runs do not hold yet
        self._runs: list[Run] = []  # the newest first
        self._manifest = self._first_manifest = Manifest()
        self._lock = asyncio.Lock()
        self._maintenance: asyncio.Task[Any] | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._writes = 0
        self._listeners: list[Listener] = []
        self._next_device_seq = 1
        self.device_id = ""
        self.generation = ""
        self.recovery = Recovery()
        self.checkpoint_records = CHECKPOINT_RECORDS
        self.idle_records, self.idle_seconds = IDLE_RECORDS, IDLE_SECONDS
        self._not_before = 0  # after a checkpoint that failed, so many newer records
        self.rest: Rest = rest
        self.on_rebuild: OnProgress = lambda done, total: None
        self.tables = Tables(self._put)

    @classmethod
    async def open(cls, folder: StorageFolder, world: World, on_rebuild: OnProgress | None = None) -> Self:
        """Open a store, or begin one. `on_rebuild` is told how far the making of new indexes is, where that is needed.

        Raises: JournalUnreadable, JournalTooNew, StorageFailed.
        """
        from store.migrations import migrate

        database = cls(folder, world)
        database.on_rebuild = on_rebuild or database.on_rebuild
        names = await folder.names()
        if await migrate(database, names):
            return database
        if not await database._load(names):
            await database.begin(world.make_record_id(), world.make_record_id())
        return database

    async def close(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._maintenance is not None:
            self._maintenance.cancel()
            await asyncio.gather(self._maintenance, return_exceptions=True)
        async with self._lock:
            for journal in (self._journal, *self._older):
                await journal.close()
            for run in self._runs:
                await run.close()
            await self.folder.close()

    async def settle(self) -> None:
        """Wait until nothing is being moved into runs."""
        while self._maintenance is not None:
            await asyncio.wait([self._maintenance])

    async def alone(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Do what needs the runs to stay as they are: nothing is moved into runs before it is done."""
        await self.settle()
        task: asyncio.Task[Result] = asyncio.get_running_loop().create_task(work())
        self._maintenance = task
        try:
            return await task
        finally:
            self._maintenance = None

    @property
    def size_bytes(self) -> int:
        return self._journal.size_bytes + sum(run.size for run in self._runs)

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
            changes = self._make_changes(drafts, made_by, self._next_device_seq)
            entries = [Entry(e="change", change=change) for change in changes]
            await self._write(entries + [Entry(e="exchange", data=exchange) for exchange in exchanges], checked=True)
        self._tell(changes)
        return changes

    # ---- what the two sides fill in

    def _take(self, entry: Entry) -> None:
        """Note an entry in the bookkeeping of this side."""

    def _state(self) -> dict[str, Any]:
        """What a manifest keeps beside the runs."""
        counts = {table.name: table.counts() for table in self.tables.record_tables()}
        return {"next_device_seq": self._next_device_seq, "counts": counts}

    def _restore(self, state: Mapping[str, Any]) -> None:
        self._next_device_seq = state.get("next_device_seq", 1)
        for name, counts in state.get("counts", {}).items():
            self.tables.table(name).set_counts(counts)

    # ---- writing

    def _make_changes(self, drafts: Sequence[ChangeDraft], made_by: str, first_seq: int) -> list[Change]:
        """Raises: ValueError (a draft's payload is not a record)."""
        changes = [
            Change(
                change_id=self._world.make_change_id(),
                device_id=self.device_id,
                device_seq=device_seq,
                record_id=draft.record_id,
                base_revisions=draft.base_revisions,
                kind=draft.kind,
                payload=draft.payload,
                made_by=made_by,
                made_at=self._world.now(),
            )
            for device_seq, draft in enumerate(drafts, start=first_seq)
        ]
        for change in changes:
            if reason := reason_unreadable(change):
                raise ValueError(f"{change.kind}: {reason}")
        return changes

    async def _write(self, entries: Sequence[Entry], *, checked: bool = False) -> None:
        """Journal, then apply. The caller holds the lock. `checked`: `reason_unreadable` let the changes pass."""
        await self._journal.append(ENTRIES.dump_json(list(entries), exclude_none=True))
        self._apply_written((entry, None if checked else NOT_ASKED) for entry in entries)

    def _apply_written(self, entries: Iterable[tuple[Entry, str | None]]) -> None:
        """Apply what is on disk now, each entry with what `reason_unreadable` said."""
        for entry, reason in entries:
            self.replay(entry, reason)
        self._writes += 1
        self._maintain_above(self.checkpoint_records)
        if self._idle_timer is None:
            self._watch_for_idleness()

    def _watch_for_idleness(self) -> None:
        loop = asyncio.get_running_loop()
        self._idle_timer = loop.call_later(self.idle_seconds, self._look_whether_idle, self._writes)

    def _look_whether_idle(self, writes: int) -> None:
        self._idle_timer = None
        if writes == self._writes:
            self._maintain_above(self.idle_records)
        else:
            self._watch_for_idleness()

    def _maintain_above(self, records: int) -> None:
        if self._maintenance is None and self.newer_records() >= max(records, self._not_before):
            self._maintenance = asyncio.get_running_loop().create_task(self._maintain(records))

    def _put(self, table: str, records: Mapping[str, Mapping[str, Any] | None]) -> None:
        """TinyDB's own writing to one of this device's tables: on disk on return.

        Raises: StorageFailed; TypeError where the storage cannot write at once (a file on the clinic PC).
        """
        entry = Entry(e="put", data={"table": table, "records": dict(records)})
        finish_now(self._journal.append(ENTRIES.dump_json([entry], exclude_none=True)))
        self.replay(entry)

    def replay(self, entry: Entry, reason: str | None = NOT_ASKED) -> None:
        """Apply what stands in a journal. `reason`: what `reason_unreadable` said of its change."""
        if entry.change is not None:
            if entry.change.device_id == self.device_id:
                self._next_device_seq = max(self._next_device_seq, entry.change.device_seq + 1)
            self._apply(entry.change, reason)
        elif entry.e == "put" and entry.data is not None:
            table = self.tables.table(entry.data["table"])
            for record_id, document in entry.data["records"].items():
                table.put(record_id, document)
        elif entry.e == "store" and entry.data is not None:
            # A name holds from where it stands: in the journals before, another one may have been this store's.
            self.device_id, self.generation = entry.data["device_id"], entry.data["generation"]
        self._take(entry)

    def _apply(self, change: Change, reason: str | None) -> None:
        if reason == NOT_ASKED:
            reason = reason_unreadable(change)
        if reason is None:
            try:
                apply_change(self.tables, change)
            except Exception as error:  # noqa: BLE001 -- a bug in applying must not keep a whole clinic's store shut
                reason = f"bug: {type(error).__name__}"
        if reason is not None:
            keep_unreadable(self.tables, change, reason)

    def _tell(self, changes: Sequence[Change]) -> None:
        if changes:
            for listener in list(self._listeners):
                try:
                    listener(changes)
                except Exception as error:  # noqa: BLE001 -- what is on disk must not be reported as failed
                    _log.error("a listener failed: %s", type(error).__name__)

    # ---- opening

    async def begin(self, device_id: str, generation: str) -> None:
        """Write the first journal of a new store."""
        self.device_id, self.generation = device_id, generation
        self._journal, self._number = await self._new_journal(1), 1

    async def _new_journal(self, number: int) -> Journal:
        file = await self.folder.open(journal_name(number))
        journal = Journal(file)
        data = {
            "schema": SCHEMA_VERSION,
            "role": self.role,
            "device_id": self.device_id,
            "generation": self.generation,
            "manifest": self._manifest.model_dump(mode="json"),
        }
        try:
            if file.size():
                await file.truncate(0)  # what an earlier try left; it never counted
            await journal.begin(ENTRIES.dump_json([Entry(e="store", data=data)], exclude_none=True))
        except BaseException:
            # A full disk refuses many, open files are not without end, and a browser opens none of them twice.
            await journal.close()
            raise
        return journal

    async def _load(self, names: list[str]) -> bool:
        """Read what the folder holds; False where that is no store yet."""
        journals: dict[int, tuple[Journal, list[Entry]]] = {}
        manifests: list[Manifest] = []
        for number in reversed(journal_numbers(names)):
            journal = Journal(await self.folder.open(journal_name(number)))
            entries = list(_entries(journal.frames()))
            if not entries and not journals:  # its making was cut off, so nothing was ever acknowledged in it
                await journal.close()
                await self.folder.remove(journal_name(number))
                continue
            journals[number] = journal, entries
            if not manifests:
                manifests = [self._read_manifest(e.data) for e in entries if e.e in ("store", "runs") and e.data]
            if manifests and number <= manifests[-1].journal_from:
                break
        if not journals:
            return False
        if not manifests:
            raise JournalUnreadable("the beginning of the journal is damaged")
        self._first_manifest, self._manifest, self._number = manifests[0], manifests[-1], max(journals)
        await self._open_runs()
        state, outdated = self._manifest.state, self._runs
        if self._follow_rules():
            outdated = []
        else:
            rebuilt, counts = await self._rebuild(outdated)
            state = {**state, "counts": {**state.get("counts", {}), **counts}}
            self._runs = [rebuilt]
            self._show_runs()
        self._restore(state)
        for number in range(self._manifest.journal_from, self._number + 1):
            if number not in journals:
                raise JournalUnreadable(f"journal {number} is missing")
            journal, entries = journals.pop(number)
            await journal.open_for_appending()
            for entry in entries:
                self.replay(entry)
            self._older.append(journal)
            self.recovery.frames += journal.recovery.frames
            self.recovery.dropped += journal.recovery.dropped
        self._journal = self._older.pop()
        for journal, _ in journals.values():
            await journal.close()
        if outdated:
            await self._publish(self._runs, state=state)
            for run in outdated:
                await run.close()
        return True

    def _read_manifest(self, data: Mapping[str, Any]) -> Manifest:
        if "schema" in data:
            if data["schema"] > SCHEMA_VERSION:
                raise JournalTooNew(f"schema {data['schema']}, this program knows {SCHEMA_VERSION}")
            if data.get("role") != self.role:
                raise JournalUnreadable(f"a journal of role {data.get('role')}, opened as {self.role}")
            self.device_id, self.generation = data["device_id"], data["generation"]
        return Manifest.model_validate(data["manifest"])

    async def _open_runs(self) -> None:
        files = await asyncio.gather(*(self.folder.open(run_name(number)) for number in self._manifest.runs))
        self._runs = [Run(file, number) for file, number in zip(files, self._manifest.runs, strict=True)][::-1]
        self._show_runs()

    def _show_runs(self) -> None:
        for run in self._runs:
            for name in run.tables:
                self.tables.table(name)  # one of the device's own exists from here on
        for table in self.tables.record_tables():
            table.runs = [run.tables[table.name] for run in self._runs if table.name in run.tables]

    def _follow_rules(self) -> bool:
        return all(follow_rules(run.tables, self.tables.record_tables()) for run in self._runs)

    async def _rebuild(self, runs: Sequence[Run], number: int | None = None) -> tuple[Run, dict[str, Any]]:
        """One run for these, the newest first, its indexes made anew; and what its tables count."""
        counts: dict[str, Any] = {}

        async def write(writer: RunWriter) -> None:
            parts = [run.tables for run in runs]
            counts.update(
                await rebuild_runs(writer, parts, self.tables.record_tables(), self.rest, self.on_rebuild)
            )

        return await self._write_run(write, number), counts

    # ---- from the journal into runs

    def newer_records(self) -> int:
        return sum(len(table.delta.documents) for table in self.tables.record_tables())

    async def _maintain(self, records: int) -> None:
        try:
            while self.newer_records() >= records:
                await self._checkpoint()
            self._not_before = 0
        except Exception as error:  # noqa: BLE001 -- all is in the journals still; a later writing tries again
            _log.error("no run could be written: %s", type(error).__name__)
            self._not_before = self.newer_records() + self.checkpoint_records
        finally:
            self._maintenance = None

    async def checkpoint(self) -> None:
        """Move what the journals hold into a run, and merge runs that have come too near in size.

        Raises: StorageFailed; then the store is as it was, and the next checkpoint does this one's work too.
        """
        await self.alone(self._checkpoint)

    async def _checkpoint(self) -> None:
        await self._tidy()
        async with self._lock:
            journal = await self._new_journal(self._number + 1)
            self._older.append(self._journal)
            self._journal, self._number = journal, self._number + 1
            self._first_manifest = self._manifest
            if all(table.frozen is None for table in self.tables.record_tables()):
                for table in self.tables.record_tables():
                    table.freeze()
                self._frozen_state, self._frozen_from = self._state(), self._number
        run = await self._write_run(lambda writer: write_delta(writer, self.tables.record_tables(), self.rest))
        async with self._lock:
            await self._publish([run, *self._runs], journal_from=self._frozen_from, state=self._frozen_state)
            for table in self.tables.record_tables():
                table.frozen = None
            done = len(self._older) - (self._number - self._frozen_from)
            older, self._older = self._older[:done], self._older[done:]
        for journal in older:
            await journal.close()
        await self._merge()

    async def _merge(self) -> None:
        oldest_first = self._runs[::-1]
        start = choose_merge([run.count for run in oldest_first])
        if start is None:
            return
        parts = oldest_first[start:][::-1]
        tables = [run.tables for run in parts]
        merged = await self._write_run(
            lambda writer: merge_runs(writer, tables, self.tables.record_tables(), start == 0, self.rest)
        )
        async with self._lock:
            await self._publish([merged, *oldest_first[:start][::-1]])
        for run in parts:
            await run.close()

    async def _write_run(self, write: Callable[[RunWriter], Any], number: int | None = None) -> Run:
        number = number or self._manifest.next_run
        await self.folder.remove(run_name(number))  # what a crash may have left
        file = await self.folder.open(run_name(number))
        try:
            await write(RunWriter(file))
            run = Run(file, number)
            await self._read_what_is_in_use(run)
            return run
        except BaseException:
            await file.close()  # the next try removes it, which only a closed file allows everywhere
            raise

    async def _read_what_is_in_use(self, run: Run) -> None:
        """Read the keys of a new run that queries ask for, one section after the other: all at once they are felt."""
        for name, table in run.tables.items():
            for section in {section for older in self.tables.table(name).runs for section in older.in_use()}:
                if table.has(section):
                    table.keys(section)
                    await self.rest()

    async def _publish(self, runs: list[Run], **changed: Any) -> None:
        """Make these runs, the newest first, the store's. The caller holds the lock."""
        update = {"runs": tuple(run.number for run in reversed(runs)), "next_run": runs[0].number + 1, **changed}
        manifest = self._manifest.model_copy(update=update)
        data = {"manifest": manifest.model_dump(mode="json")}
        try:
            await self._journal.append(ENTRIES.dump_json([Entry(e="runs", data=data)], exclude_none=True))
        except BaseException:
            await runs[0].close()  # the new one: the next try removes it, which only a closed file allows everywhere
            raise
        self._manifest, self._runs = manifest, runs
        self._show_runs()

    async def _tidy(self) -> None:
        """Remove files that neither manifest needs."""
        names = await self.folder.names()
        for name in unneeded(names, [self._first_manifest, self._manifest], self._number):
            await self.folder.remove(name)


class DeviceDatabase(Database):
    """The store in a browser: its own changes, what of them the hub holds, and what the hub has told so far."""

    role = "device"
    schema_1_file = "journal.v1"

    def __init__(self, folder: StorageFolder, world: World) -> None:
        super().__init__(folder, world)
        self.own = OwnChanges(self.tables)
        self.cursor, self.cursor_mark = 0, ""
        self.hub_generation = ""
        self._own_until = 0  # up to here the hub shall bring our own changes too
        self._has_resent = False

    @property
    def unsent(self) -> "OwnChanges":
        return self.own

    @property
    def wants_own(self) -> bool:
        """Whether this device is an older copy of itself and still reads its own later changes from the hub."""
        return self.cursor < self._own_until

    @property
    def standing(self) -> Standing:
        return Standing(self.hub_generation, self._next_device_seq - 1, self.own.acknowledged)

    async def receive(self, answer: SyncAnswer) -> None:
        """Store an answer of the hub in one frame: what it accepted, what it brought, how far it reaches.

        Where the two do not stand as they remember (standing.py), what follows from that goes into a frame after it.
        """
        async with self._lock:
            accepted = [a for a in answer.accepted if a.change_id in self.own]
            brought, upto = [n for n in answer.changes if n.hub_seq > self.cursor], max(answer.upto, self.cursor)
            entries = [Entry(e="ack", change_id=a.change_id, hub_seq=a.hub_seq) for a in accepted]
            entries += [Entry(e="change", change=n.change, hub_seq=n.hub_seq) for n in brought]
            if upto != self.cursor:
                entries.append(Entry(e="cursor", hub_seq=upto, change_id=answer.mark or None))
            if answer.generation and not self.hub_generation:
                entries.append(Entry(e="hub", data={"generation": answer.generation}))
            if entries:
                await self._write(entries)
            await self._react(react(self.standing, answer), answer)
        self._tell([n.change for n in brought])

    async def adopt(self, offer: SnapshotOffer, pages: Iterable[bytes]) -> None:
        """Put the hub's tables as they stood at `offer.head` in the place of this device's, in one step.

        Invariant: what is this device's own stays: its changes that the snapshot cannot hold are applied over it.
        Raises: SnapshotDamaged, StorageFailed; then the store is as it was.
        """
        await self.alone(lambda: self._adopt(offer, pages))

    async def _adopt(self, offer: SnapshotOffer, pages: Iterable[bytes]) -> None:
        # Before anything is copied, since it clears away files that no manifest names; twice where one had failed.
        has_failed = any(table.frozen is not None for table in self.tables.record_tables())
        for _ in range(1 + has_failed):
            await self._checkpoint()
        opened: list[Run] = []
        try:
            counts = await self._open_snapshot(offer, pages, opened)
            # What is this device's own lies in runs together with what is replaced: it gets a run for itself.
            parts, derived = [run.tables for run in self._runs], self.tables.derived_tables()
            own, number = [t for t in self.tables.record_tables() if t not in derived], opened[0].number + 1
            opened.insert(
                0, await self._write_run(lambda writer: merge_runs(writer, parts, own, True, self.rest), number)
            )
            newer = await self.own.newer_than(offer.devices, self.rest)
            replaced = await self._put_in_place(opened[:2], counts, offer, newer)
        except BaseException:
            for run in opened:
                await run.close()
            raise
        for run in (*replaced, *opened[2:]):
            await run.close()

    async def _open_snapshot(self, offer: SnapshotOffer, pages: Iterable[bytes], opened: list[Run]) -> dict[str, Any]:
        """Make the pages a run, not in use yet, with indexes by this program's rules; returns its counts.

        It becomes the first of `opened`.
        """
        number = self._manifest.next_run
        await self.folder.remove(run_name(number))
        file = await self.folder.open(run_name(number))
        try:
            await copy_pages(file, offer, pages, self.rest)
            opened.append(Run(file, number))
        except BaseException:
            await file.close()
            raise
        counts = checked_counts(opened[0], offer, {table.name for table in self.tables.derived_tables()})
        if not follow_rules(opened[0].tables, self.tables.record_tables()):
            rebuilt, remade = await self._rebuild(opened, number + 1)
            opened.insert(0, rebuilt)
            counts |= remade
        return counts

    async def _put_in_place(
        self, runs: list[Run], counts: dict[str, Any], offer: SnapshotOffer, newer: Sequence[Change]
    ) -> list[Run]:
        """Returns the runs that no longer count."""
        async with self._lock:
            if offer.head <= self.cursor or self.hub_generation not in ("", offer.generation):
                raise SnapshotDamaged("of another hub, or of before this device has read")
            journal = await self._new_journal(self._number + 1)
            self._older.append(self._journal)
            self._journal, self._number = journal, self._number + 1
            self._first_manifest, replaced = self._manifest, self._runs
            # Journalled again, because their records lie in runs that are read no more; before the manifest, so that
            # they are on disk when it counts. Should it never: a change applied twice is one change.
            by_id = {change.change_id: change for change in (*newer, *self.unsent)}
            again = [Entry(e="change", change=change) for change in by_id.values()]
            for start in range(0, len(again), _FRAME_CHANGES):
                frame = again[start : start + _FRAME_CHANGES]
                await self._journal.append(ENTRIES.dump_json(frame, exclude_none=True))
            before = self._manifest.state
            state = {
                **before,
                "counts": {**before["counts"], **counts},
                "cursor": offer.head,
                "cursor_mark": "",
                "hub_generation": offer.generation,
            }
            await self._publish(runs, state=state)
            for table in self.tables.derived_tables():
                table.clear()
                table.set_counts(counts[table.name])
            self.cursor, self.cursor_mark, self.hub_generation = offer.head, "", offer.generation
            for entry in again:
                self.replay(entry)
        return replaced

    async def _react(self, reaction: Reaction, answer: SyncAnswer) -> None:
        match reaction:
            case Reaction.START_OVER:
                await self._write([Entry(e="hub", data={"generation": answer.generation}), Entry(e="again")])
            case Reaction.CATCH_UP if answer.device is not None:
                data = {"last_seq": answer.device.last_seq, "until": answer.head}
                await self._write([Entry(e="catch_up", data=data)])
            case Reaction.RENEW:
                ids = {"device_id": self._world.make_record_id(), "generation": self._world.make_record_id()}
                await self._write([Entry(e="renew", data=ids)])
            case Reaction.RESEND if not self._has_resent:  # once; should that not help, it would go on for ever
                self._has_resent = True
                await self._write([Entry(e="again")])

    def _take(self, entry: Entry) -> None:
        data = entry.data or {}
        match entry.e:
            case "change" if entry.change is not None and entry.change.device_id == self.device_id:
                self.own.add(entry.change, is_held=entry.hub_seq is not None)
            case "ack" if entry.change_id is not None:
                self.own.acknowledge(entry.change_id)
            case "cursor" if entry.hub_seq is not None and entry.hub_seq >= self.cursor:
                self.cursor, self.cursor_mark = entry.hub_seq, entry.change_id or ""
            case "hub":
                if self.hub_generation:
                    self.cursor, self.cursor_mark, self._own_until = 0, "", 0
                self.hub_generation = data["generation"]
            case "again":
                self.own.send_all_again()
            case "catch_up":
                self._next_device_seq = max(self._next_device_seq, data["last_seq"] + 1)
                self.cursor, self.cursor_mark, self._own_until = 0, "", data["until"]
            case "renew":
                self.device_id, self.generation = data["device_id"], data["generation"]
                self._next_device_seq = 1
                self.own.begin_name()
                # Read anew: what the other one of the old name made was kept from us as our own.
                self.cursor, self.cursor_mark, self._own_until = 0, "", 0

    def _state(self) -> dict[str, Any]:
        return {
            **super()._state(),
            "cursor": self.cursor,
            "cursor_mark": self.cursor_mark,
            "hub_generation": self.hub_generation,
            "own_until": self._own_until,
            "acknowledged": self.own.acknowledged,
            "counts_from": self.own.counts_from,
        }

    def _restore(self, state: Mapping[str, Any]) -> None:
        super()._restore(state)
        self.cursor, self.cursor_mark = state.get("cursor", 0), state.get("cursor_mark", "")
        self.hub_generation = state.get("hub_generation", "")
        self._own_until = state.get("own_until", 0)
        self.own.acknowledged, self.own.counts_from = state.get("acknowledged", 0), state.get("counts_from", 1)


class OwnChanges:
    """A device's own changes, in the order they were made; as a collection, those that the hub is not known to hold.

    All are kept: a hub that was put back from an older copy gets from its devices what it has lost.
    """

    def __init__(self, tables: Tables) -> None:
        self._changes, self._unsent = tables.changes, tables.unsent
        self._keys: dict[str, None] | None = None  # of what is unsent, in order; read when it is first asked for
        self._key_by_offered: dict[str, str] = {}
        self.acknowledged = 0  # how many of the present name the hub said to hold
        self.counts_from = 1  # the number of the first change under that name

    def begin_name(self) -> None:
        """From now on changes are made under another name, and those alone are counted."""
        self.acknowledged, self.counts_from = 0, self._changes.last_number() + 1

    def add(self, change: Change, *, is_held: bool) -> None:
        if not self._changes.ids_by("change_id", change.change_id):
            key = self._changes.to_key(self._changes.last_number() + 1)
            self._changes.put(key, {"change": change})
            if is_held:
                self.acknowledged += 1
            else:
                self._mark_unsent(key)

    def acknowledge(self, change_id: str) -> None:
        key = self._key_of_unsent(change_id)
        if key is not None:
            self._unsent.put(key, None)
            self._key_by_offered.pop(change_id, None)
            if self._keys is not None:
                self._keys.pop(key, None)
            self.acknowledged += int(key) >= self.counts_from

    def send_all_again(self) -> None:
        for key in self._changes.ids():
            self._unsent.put(key, {})
        self._keys, self.acknowledged = None, 0

    async def newer_than(self, last_seq_by_device: Mapping[str, int], rest: Rest) -> list[Change]:
        """Those that were made after the last that was known of their device."""
        found = []
        for number, key in enumerate(list(self._changes.ids())):
            change = self._changes.at(key)["change"]
            if change.device_seq > last_seq_by_device.get(change.device_id, 0):
                found.append(change)
            if number % _FRAME_CHANGES == 0:
                await rest()
        return found

    def first(self, limit: int) -> list[Change]:
        """The first that the hub is not known to hold, at most `limit`."""
        if self._keys is None:
            self._keys = dict.fromkeys(sorted(self._unsent.ids()))
        keys = list(islice(self._keys, limit))
        changes: list[Change] = [self._changes.at(key)["change"] for key in keys]
        self._key_by_offered = {change.change_id: key for change, key in zip(changes, keys, strict=True)}
        return changes

    def __contains__(self, change_id: str) -> bool:
        return self._key_of_unsent(change_id) is not None

    def __len__(self) -> int:
        return len(self._unsent)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.first(len(self)))

    def _mark_unsent(self, key: str) -> None:
        self._unsent.put(key, {})
        if self._keys is not None:
            self._keys[key] = None

    def _key_of_unsent(self, change_id: str) -> str | None:
        keys = [self._key_by_offered[change_id]] if change_id in self._key_by_offered else None
        for key in keys or self._changes.ids_by("change_id", change_id):
            if self._unsent.exists(key):
                return key
        return None


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
        self._counts: dict[str, list[int]] = {}  # by device: its highest number, how many changes
        self.checkpoint_records = HUB_CHECKPOINT_RECORDS
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
            except_device = "" if request.own else request.device_id
            changes, upto = self.changes_after(request.after, limit, except_device=except_device)
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
        )

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

    def changes_after(self, seq: int, limit: int, *, except_device: str) -> tuple[list[NumberedChange], int]:
        """Changes above `seq`, at most `limit` numbers on, without the device's own; and how far that reaches."""
        upto, table, found = min(self.head, seq + limit), self.tables.changes, []
        for number in range(seq + 1, upto + 1):
            document = table.find(table.to_key(number))
            if document is not None and document["change"].device_id != except_device:
                found.append(NumberedChange(hub_seq=number, change=document["change"]))
        return found, upto

    async def write_snapshot(self, file: StorageFile) -> dict[str, Any]:
        """Write a run with all that devices derive from changes, as it stands at the head or a little later.

        Returns what `SnapshotOffer` says of it: "head", "counts" and "devices". Raises: StorageFailed.
        """
        return await self.alone(lambda: self._write_snapshot(file, self.head))

    async def _write_snapshot(self, file: StorageFile, at_least: int) -> dict[str, Any]:
        while self._manifest.state.get("head", 0) < at_least:
            await self._checkpoint()
        state, derived = self._manifest.state, self.tables.derived_tables()
        parts, is_small = [run.tables for run in self._runs], sum(map(len, derived)) < BARE_RECORDS
        await merge_runs(RunWriter(file), parts, derived, True, self.rest, bare=is_small)
        return {
            "head": state.get("head", 0),
            "counts": {table.name: state["counts"][table.name] for table in derived},
            "devices": {device_id: last_seq for device_id, (last_seq, _) in state.get("devices", {}).items()},
        }

    def _number_of(self, change_id: str) -> int | None:
        found = self.tables.changes.ids_by("change_id", change_id)
        return self.tables.changes.to_doc_id(found[0]) if found else None

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
        return {**super()._state(), "head": self.head, "devices": devices}

    def _restore(self, state: Mapping[str, Any]) -> None:
        super()._restore(state)
        self.head = state.get("head", 0)
        self._counts = {device_id: list(count) for device_id, count in state.get("devices", {}).items()}


def _entries(frames: Iterable[bytes]) -> Iterator[Entry]:
    for payload in frames:
        try:
            yield from ENTRIES.validate_json(payload)
        except ValidationError as error:
            raise JournalTooNew("a frame holds entries this version does not know") from error


def finish_now(writing: Any) -> None:
    """Run a coroutine that waits for nothing. Raises: TypeError when it does wait."""
    try:
        writing.send(None)
    except StopIteration:
        return
    writing.close()
    raise TypeError("this storage does not write at once")
