"""The store in a browser: its own changes until the hub holds them, what the hub has told, a snapshot put in place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from store.apply import knowledge
from store.changes import Change, World
from store.collector import standing_aside
from store.compaction import Rest, follow_rules, merge_runs
from store.database import ENTRIES, NOT_ASKED, Database, Entry
from store.device_scope import DeviceScope, scope_state
from store.errors import SnapshotDamaged
from store.manifest import run_name
from store.protocol import NumberedChange, PeopleAnswer, SnapshotOffer, SyncAnswer
from store.run import Run
from store.scope import Scope, scope_digest
from store.scope_records import TABLES_OF_PEOPLE, put_records
from store.snapshot_pages import checked_counts, copy_pages
from store.standing import Reaction, Standing, react
from store.storage import StorageFolder
from store.tables import Tables

_FRAME_CHANGES = 250
_TAKEN = "people taken"  # in the place of a table: a program of before there were scopes keeps it, and reads all anew


class DeviceDatabase(Database):
    """The store in a browser: its own changes, what of them the hub holds, and what the hub has told so far."""

    role = "device"
    schema_1_file = "journal.v1"

    def __init__(self, folder: StorageFolder, world: World) -> None:
        super().__init__(folder, world)
        self.own = OwnChanges(self.tables)
        self.reach = DeviceScope(self.tables)
        self.cursor, self.cursor_mark = 0, ""
        self.hub_generation = ""
        self._own_until = 0  # up to here the hub shall bring our own changes too
        self._answers_to_wait = self._resend_pause = 0

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
                with standing_aside(len(entries)):
                    await self._write(entries)
            await self._react(react(self.standing, answer), answer)
        self._tell([n.change for n in brought])

    async def mend_range(self, number: int, changes: Sequence[NumberedChange]) -> None:
        """Take a range of the hub's numbers anew, all of it, in one frame."""
        async with self._lock:
            entries = [Entry(e="range", data={"number": number})]
            entries += [Entry(e="change", change=n.change, hub_seq=n.hub_seq) for n in changes]
            await self._write(entries)
        self._tell([n.change for n in changes])

    async def take_people(self, answer: PeopleAnswer, asked: Sequence[str]) -> bool:
        """Take all records of some persons in one frame, and the persons into scope; False where they are not of now.

        Of whom the hub knows nothing, nothing is lacking either.

        No exchange may lie between the asking and this: what it brought later would be put back to what it was.
        """
        async with self._lock:
            if not self.reach.is_chosen or answer.head < self.cursor:
                return False
            if self.hub_generation not in ("", answer.generation):
                return False
            records = {name: answer.records.get(name, {}) for name in TABLES_OF_PEOPLE}
            entries = [Entry(e="put", data={"table": _TAKEN, "records": records, "asked": list(asked)})]
            told = {record_id for table in records.values() for record_id in table}
            entries += [Entry(e="change", change=change) for change in self.unsent if change.record_id in told]
            await self._write(entries)
        return True

    async def adopt(self, offer: SnapshotOffer, pages: Iterable[bytes], scope: Scope | None = None) -> None:
        """Put the hub's tables as they stood at `offer.head` in the place of this device's, in one step.

        From then on this device holds `scope`, None for everyone: what the snapshot was asked for.

        Invariant: what is this device's own stays: its changes that the snapshot cannot hold are applied over it.
        Raises: SnapshotDamaged, StorageFailed; then the store is as it was.
        """
        if offer.scope != scope_digest(scope):
            raise SnapshotDamaged("of another scope")
        await self.alone(lambda: self._adopt(offer, pages, scope))

    async def _adopt(self, offer: SnapshotOffer, pages: Iterable[bytes], scope: Scope | None) -> None:
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
            replaced = await self._put_in_place(opened[:2], counts, offer, newer, scope)
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
        self,
        runs: list[Run],
        counts: dict[str, Any],
        offer: SnapshotOffer,
        newer: Sequence[Change],
        scope: Scope | None,
    ) -> list[Run]:
        """Returns the runs that no longer count."""
        async with self._lock:
            if offer.head < self.cursor or self.hub_generation not in ("", offer.generation):
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
                "digests": offer.digests,
                "scope": scope_state(scope),
                "knows": knowledge(),
            }
            await self._publish(runs, state=state)
            for table in self.tables.derived_tables():
                table.clear()
                table.set_counts(counts[table.name])
            self.cursor, self.cursor_mark, self.hub_generation = offer.head, "", offer.generation
            self.digests.restore(offer.digests)
            self.reach.restore(state["scope"])
            for entry in again:
                self.replay(entry)
        return replaced

    async def _react(self, reaction: Reaction, answer: SyncAnswer) -> None:
        match reaction:
            case Reaction.START_OVER:
                # Who still reads its own later changes goes on with that at the other hub: it has counted them already,
                # so nothing else would ever tell that they are missing.
                data = {"generation": answer.generation, "until": answer.head if self.wants_own else 0}
                await self._write([Entry(e="hub", data=data), Entry(e="again")])
            case Reaction.CATCH_UP if answer.device is not None:
                data = {"last_seq": answer.device.last_seq, "until": answer.head}
                await self._write([Entry(e="catch_up", data=data)])
            case Reaction.RENEW:
                ids = {"device_id": self._world.make_record_id(), "generation": self._world.make_record_id()}
                await self._write([Entry(e="renew", data=ids)])
            case Reaction.RESEND if not self.unsent:  # else the sending has to end before it is known what lacks
                self._answers_to_wait -= 1
                if self._answers_to_wait <= 0:
                    # The hub may have been put back once more meanwhile. Where it does not help it is done rarely.
                    self._answers_to_wait = self._resend_pause = max(1, 2 * self._resend_pause)
                    await self._write([Entry(e="again")])
            case Reaction.NONE if not self.unsent:
                self._answers_to_wait = self._resend_pause = 0

    def replay(self, entry: Entry, reason: str | None = NOT_ASKED) -> None:
        data = entry.data or {}
        if entry.e == "put" and data["table"] == _TAKEN:
            put_records(self.tables, data["records"])
            self.reach.take(data["records"]["patients"], data["asked"])
        else:
            super().replay(entry, reason)

    async def _read_what_was_unreadable(self) -> None:
        """What others made is not held here whole: it is read again from the hub, all of it."""
        await super()._read_what_was_unreadable()
        if len(self.tables.unreadable) and self.hub_generation and self.cursor:
            data = {"generation": self.hub_generation, "until": 0, "knows": knowledge()}
            await self._write([Entry(e="hub", data=data)])

    def _take(self, entry: Entry) -> None:
        data = entry.data or {}
        if entry.change is not None:
            self.reach.note(entry.change, is_own=entry.change.device_id == self.device_id)
        match entry.e:
            case "change" if entry.change is not None and entry.change.device_id == self.device_id:
                self.own.add(entry.change, is_held=entry.hub_seq is not None)
            case "ack" if entry.change_id is not None:
                self.own.acknowledge(entry.change_id)
            case "cursor" if entry.hub_seq is not None and entry.hub_seq >= self.cursor:
                self.cursor, self.cursor_mark = entry.hub_seq, entry.change_id or ""
            case "hub":
                if self.hub_generation:
                    self._read_again(own_until=data.get("until", 0))
                self.hub_generation = data["generation"]
                self._knew = data.get("knows", self._knew)
            case "again":
                self.own.send_all_again()
            case "catch_up":
                self._next_device_seq = max(self._next_device_seq, data["last_seq"] + 1)
                self._read_again(own_until=data["until"])
            case "renew":
                self.device_id, self.generation = data["device_id"], data["generation"]
                self._next_device_seq = 1
                self.own.begin_name()
                # Read anew: what the other one of the old name made was kept from us as our own.
                self._read_again(own_until=0)
            case "range":
                self.digests.forget_range(data["number"])

    def _read_again(self, *, own_until: int) -> None:
        self.cursor, self.cursor_mark, self._own_until = 0, "", own_until
        self.digests.clear()

    def _state(self) -> dict[str, Any]:
        return {
            **super()._state(),
            "cursor": self.cursor,
            "cursor_mark": self.cursor_mark,
            "hub_generation": self.hub_generation,
            "own_until": self._own_until,
            "acknowledged": self.own.acknowledged,
            "counts_from": self.own.counts_from,
            "scope": self.reach.state(),
        }

    def _restore(self, state: Mapping[str, Any]) -> None:
        super()._restore(state)
        self.cursor, self.cursor_mark = state.get("cursor", 0), state.get("cursor_mark", "")
        self.hub_generation = state.get("hub_generation", "")
        self._own_until = state.get("own_until", 0)
        self.own.acknowledged, self.own.counts_from = state.get("acknowledged", 0), state.get("counts_from", 1)
        self.reach.restore(state.get("scope", {}))


class OwnChanges:
    """A device's own changes, in the order they were made; as a collection, those that the hub is not known to hold.

    All are kept: a hub that was put back from an older copy gets from its devices what it has lost.
    """

    def __init__(self, tables: Tables) -> None:
        self._changes, self._unsent = tables.changes, tables.unsent
        self._keys: dict[str, None] | None = None  # of what is unsent, in order; read when it is first asked for
        self._key_by_offered: dict[str, str] = {}
        self._ahead: dict[str, Change] = {}
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
            self._unsent.drop_known(key)
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
        changes: list[Change] = [self._ahead.get(key) or self._changes.at(key)["change"] for key in keys]
        self._ahead = {}
        self._key_by_offered = {change.change_id: key for change, key in zip(changes, keys, strict=True)}
        return changes

    def read_ahead(self, limit: int) -> None:
        """Read those that come after what was offered last, while the hub is busy with that."""
        offered = len(self._key_by_offered)
        keys = islice(self._keys or (), offered, offered + limit)
        self._ahead = {key: self._changes.at(key)["change"] for key in keys}

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
            if key in self._keys if self._keys is not None else self._unsent.exists(key):
                return key
        return None
