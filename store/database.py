"""One store: a journal, the tables it gives, and what is still to be told to the hub.

Invariants:
- a change is applied only after its frame is in the journal and flushed: what a screen shows is on disk;
- one user action is one frame and one flush, however many changes it makes;
- opening gives the same tables again; a store that is not empty never opens as empty;
- what the journal holds moves into runs in the background; a crash at any moment of that costs nothing;
- runs whose indexes were made by other rules are made anew before anything is asked of them.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from store.apply import apply_change, keep_unreadable, knowledge, reason_unreadable
from store.changes import Change, ChangeDraft, World
from store.collector import standing_aside
from store.compaction import OnProgress, Rest, choose_merge, follow_rules, merge_runs, rebuild_runs, write_delta
from store.digests import RangeDigests
from store.errors import JournalTooNew, JournalUnreadable
from store.journal import Journal, Recovery
from store.manifest import Manifest, journal_name, journal_numbers, run_name, unneeded
from store.run import Run, RunWriter
from store.storage import StorageFolder
from store.tables import Tables

SCHEMA_VERSION = 2
# Of records newer than the runs: so many are read again at the next opening, some 25 microseconds each.
CHECKPOINT_RECORDS = 2000
# When nobody has recorded anything for a while, fewer are enough: the next opening then has almost nothing to read.
IDLE_RECORDS, IDLE_SECONDS = 32, 2.0
# Longer than the 2 ms that Pyodide takes for none: a tap comes in between.
REST_SECONDS = 0.004


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a frame, checked only when it is read. A frame is a JSON array of entries and is applied whole.

    Shape: `store` opens a journal (who owns it, its manifest); `runs` brings a newer manifest; `change` holds a change,
    with `hub_seq` once the hub has numbered it; `ack` gives a device's own change its number; `cursor` says how far a
    device has read; `exchange` keeps what was sent to CDC and what came back, raw, on the hub alone; `put` writes
    records of this device's own tables; `hub` says which hub a device speaks to, or that a hub takes a new generation;
    `again` has a device send all of its own changes again, `catch_up` lets it read its own from the hub, `renew` gives
    it a new name; `range` precedes the changes of a range of the hub's numbers that is read again.
    """

    e: Literal[
        "store", "runs", "change", "ack", "cursor", "exchange", "put", "hub", "again", "catch_up", "renew", "range"
    ]
    change: Change | None = None
    hub_seq: int | None = None
    change_id: str | None = None
    data: dict[str, Any] | None = None


ENTRIES = TypeAdapter(list[Entry])
_log = logging.getLogger(__name__)
Listener = Callable[[Sequence[Change]], None]
Result = TypeVar("Result")
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
        self.digests = RangeDigests()
        self._knew = ""  # what the program could read that wrote the manifest
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
        elif database._knew != knowledge() and len(database.tables.unreadable):
            await database._read_what_was_unreadable()
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
            with standing_aside(len(drafts)):
                changes = self._make_changes(drafts, made_by, self._next_device_seq)
                entries = [Entry(e="change", change=change) for change in changes]
                entries += [Entry(e="exchange", data=exchange) for exchange in exchanges]
                await self._write(entries, checked=True)
        self._tell(changes)
        return changes

    # ---- what the two sides fill in

    def _take(self, entry: Entry) -> None:
        """Note an entry in the bookkeeping of this side."""

    async def _read_what_was_unreadable(self) -> None:
        """Apply what an earlier program had to keep unread and this one can read, as far as it is held here whole.

        Nothing is journalled: until a manifest says what this program knows, each opening does the same.
        """
        for change_id in list(self.tables.unreadable.ids()):
            for document in self.tables.changes.find_by("change_id", change_id):
                if reason_unreadable(document["change"]) is None:
                    self._apply(document["change"], None)

    def _state(self) -> dict[str, Any]:
        """What a manifest keeps beside the runs."""
        return {
            "next_device_seq": self._next_device_seq,
            "counts": {table.name: table.counts() for table in self.tables.record_tables()},
            "digests": self.digests.state(),
            "knows": knowledge(),
        }

    def _restore(self, state: Mapping[str, Any]) -> None:
        self._next_device_seq = state.get("next_device_seq", 1)
        self._knew = state.get("knows", "")
        self.digests.restore(state.get("digests", {}))
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
            if entry.hub_seq is not None:
                self.digests.add(entry.hub_seq, entry.change.device_id, entry.change.change_id)
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
        elif len(self.tables.unreadable) and self.tables.unreadable.exists(change.change_id):
            self.tables.unreadable.put(change.change_id, None)

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
            # Its making was cut off, so nothing was ever acknowledged in it; unless it is known to have held something.
            if not entries and not journals and not journal.recovery.damaged:
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
