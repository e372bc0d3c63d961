"""The hub's audit: one chain of all that was done, in a file for each month that is never removed.

    file    = the journal's frames (journal.py), named audit-2026-11; audit-2026-11.02 where that one does not open
    frame   = a JSON array of entries, or {"state": ...}: what the entries so far amount to, so that opening reads few

Invariants:
- an append is on disk, with one flush, when it returns; what the disk did not take is not in the chain;
- what a device tells twice is one entry; where its chain does not go on as it should, an entry says so, and the rest
  is kept all the same;
- files follow each other also where the clock is set back.
"""

import asyncio
import json
import re
from array import array
from bisect import bisect_left
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from store.audit import (
    CODE,
    HUB,
    RECORD_ID,
    SHAPES,
    About,
    AuditAction,
    AuditEntry,
    AuditHead,
    Told,
    fault_of,
    head_of,
    is_moment,
    make_entry,
)
from store.changes import HUB_MADE_KINDS, Change
from store.errors import JournalTooNew, JournalUnreadable
from store.journal import Journal
from store.roc_date import TAIPEI
from store.storage import StorageFile, StorageFolder

ENTRIES = TypeAdapter(list[AuditEntry])
_NAME = re.compile(r"audit-(\d{4}-\d{2})(\.\d{2})?")
_STATE_FRAME = b'{"state"'
_FIRST_SEQ = re.compile(rb'\[\{"seq":(\d+)')
_ENTRIES_BETWEEN_STATES = 500
_MONTHS_REMEMBERED = 4  # of which it is known where the frames are


@dataclass(frozen=True, slots=True)
class Note:
    """Something done, before it has its place in the chain. `kept_at` is the hub's time where `at` is not."""

    at: datetime
    who: str
    what: str
    about: About
    device_id: str = ""
    kept_at: datetime | None = None
    told: Told | None = None


def note_of_change(change: Change, hub_seq: int, now: datetime) -> Note:
    """What the chain says of a change that the hub has numbered. Whatever a device wrote into it makes an entry."""
    about: dict[str, str | int] = {"change_id": change.change_id, "hub_seq": hub_seq}
    if RECORD_ID.fullmatch(change.record_id) or CODE.fullmatch(change.record_id):
        about["record_id"] = change.record_id
    elif change.kind in HUB_MADE_KINDS and SHAPES["upload_batch_id"].fullmatch(change.record_id):
        about["upload_batch_id"] = change.record_id
    # A change that goes by the name of the hub's own doings would be taken for one of them.
    is_kind = CODE.fullmatch(change.kind) and change.kind not in set(AuditAction)
    return Note(
        at=change.made_at if is_moment(change.made_at) else now,
        who=change.made_by,
        what=change.kind if is_kind else AuditAction.UNKNOWN_CHANGE,
        about=about,
        device_id=change.device_id,
        kept_at=now,
    )


class ChainState(BaseModel):
    """What the entries so far amount to.

    Shape: `by_device` is where the chain of each device ends; the changes up to `noted_upto` of the store's
    `generation` have their entries.
    """

    model_config = ConfigDict(extra="ignore")

    head: AuditHead = AuditHead()
    by_device: dict[str, AuditHead] = {}
    generation: str = ""
    noted_upto: int = 0

    def take(self, entry: AuditEntry) -> None:
        self.head = head_of(entry)
        about = entry.about
        if entry.told is not None:
            self.by_device[entry.device_id] = AuditHead(seq=entry.told.seq, hash=entry.told.hash)
        elif entry.what in (AuditAction.AUDIT_BEGAN, AuditAction.STORE_REPLACED):
            self.generation, self.noted_upto = str(about["generation"]), int(about["count"])
        elif "hub_seq" in about:
            self.noted_upto = int(about["hub_seq"])


@dataclass
class _Places:
    """Where the frames with entries begin in a file, by the number of their first entry."""

    first_seqs: "array[int]" = field(default_factory=lambda: array("Q"))
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    lengths: "array[int]" = field(default_factory=lambda: array("Q"))

    def add(self, offset: int, payload: bytes) -> None:
        if match := _FIRST_SEQ.match(payload):
            self.first_seqs.append(int(match[1]))
            self.offsets.append(offset)
            self.lengths.append(len(payload))


def month_names(names: Sequence[str]) -> list[str]:
    """Those that are files of the audit, the oldest first."""
    return sorted(name for name in names if _NAME.fullmatch(name))


def read_entries(payload: bytes) -> list[AuditEntry]:
    """Raises: JournalTooNew."""
    try:
        return ENTRIES.validate_json(payload)
    except ValidationError as error:
        raise JournalTooNew("a frame of the audit that this version does not know") from error


def is_state(payload: bytes) -> bool:
    return payload.startswith(_STATE_FRAME)


def read_state(payload: bytes) -> ChainState:
    """Raises: JournalTooNew."""
    try:
        return ChainState.model_validate(json.loads(payload)["state"])
    except ValueError as error:
        raise JournalTooNew("a state of the audit that this version does not know") from error


def end_of(files: Mapping[str, StorageFile]) -> AuditHead:
    """The last entry that can be read in the files of a chain. Raises: StorageFailed, JournalTooNew."""
    for _, file in sorted(files.items(), reverse=True):
        last = b""
        with suppress(JournalUnreadable):
            for payload in Journal(file).frames():
                last = last if is_state(payload) else payload
        if last:
            return head_of(read_entries(last)[-1])
    return AuditHead()


class AuditMonths:
    """The hub's chain, open for adding and for reading backwards. The caller closes the folder."""

    def __init__(self, folder: StorageFolder) -> None:
        self._folder = folder
        self._lock = asyncio.Lock()
        self._names: list[str] = []
        self._file: StorageFile | None = None
        self._journal: Journal | None = None
        self._places: dict[str, _Places] = {}
        self._since_state = 0
        self.state = ChainState()
        self.found = AuditHead()  # the last entry that the files held at opening

    @classmethod
    async def open(cls, folder: StorageFolder, anchor: AuditHead | None = None) -> "AuditMonths":
        """Read the newest file, or as many as it takes to find a state. Writes nothing where there is none.

        `anchor`: an entry that was once the last, as it is remembered elsewhere. Where the files end before it, the
        chain goes on behind it, so that no number is given twice, and the gap stays to be seen.

        Raises: StorageFailed, JournalTooNew.
        """
        months = cls(folder)
        months._names = month_names(await folder.names())
        later: list[bytes] = []
        for name in reversed(months._names):
            payloads = await months._read(name, is_newest=name == months._names[-1])
            states = [place for place, payload in enumerate(payloads) if is_state(payload)]
            later = payloads[states[-1] if states else 0 :] + later
            if states:
                months.state = read_state(later.pop(0))
                break
        for payload in later:
            entries = read_entries(payload)
            months._since_state += len(entries)
            for entry in entries:
                months.state.take(entry)
        months.found = months.state.head
        if anchor is not None and anchor.seq > months.state.head.seq:
            months.state.head = anchor
        return months

    async def _read(self, name: str, *, is_newest: bool) -> list[bytes]:
        """The payloads of a file that can be read; the newest stays open for appending."""
        file = await self._folder.open(name)
        journal, payloads = Journal(file), list[bytes]()
        try:
            places = _Places()
            for offset, payload in journal.placed_frames():
                places.add(offset, payload)
                payloads.append(payload)
            if is_newest:
                await journal.open_for_appending()
                self._file, self._journal, self._places[name] = file, journal, places
                return payloads
        except JournalUnreadable:
            pass  # left as it is; `check` names it, and another file goes on
        await file.close()
        return payloads

    async def close(self) -> None:
        async with self._lock:
            if self._journal is not None:
                await self._journal.close()

    # ---- adding

    async def add(self, notes: Sequence[Note], now: datetime) -> list[AuditEntry]:
        """Give notes their places in the chain; on disk when this returns. Raises: StorageFailed; then none has one."""
        async with self._lock:
            return await self._add(notes, now)

    async def take(self, device_id: str, entries: Sequence[AuditEntry], now: datetime) -> None:
        """Keep what a device tells, in its order; on disk when this returns. Raises: StorageFailed."""
        async with self._lock:
            before = self.state.by_device.get(device_id, AuditHead())
            known = next((place for place, one in enumerate(entries, 1) if head_of(one) == before), 0)
            notes: list[Note] = []
            for entry in entries[known:]:
                if fault := fault_of(entry, before):
                    about: About = {"device_id": device_id, "number": entry.seq, "reason": fault.value}
                    notes.append(Note(now, HUB, AuditAction.CHAIN_BROKEN, about, device_id))
                told = Told(seq=entry.seq, prev=entry.prev, hash=entry.hash)
                notes.append(Note(entry.at, entry.who, entry.what, entry.about, device_id, now, told))
                before = head_of(entry)
            if notes:
                await self._add(notes, now)

    async def _add(self, notes: Sequence[Note], now: datetime) -> list[AuditEntry]:
        head, entries = self.state.head, list[AuditEntry]()
        for note in notes:
            entry = make_entry(
                head,
                at=note.at,
                who=note.who,
                what=note.what,
                about=note.about,
                device_id=note.device_id,
                kept_at=note.kept_at,
                told=note.told,
            )
            head = head_of(entry)
            entries.append(entry)
        if entries:
            await self._append(entries, now)
        return entries

    async def _append(self, entries: Sequence[AuditEntry], now: datetime) -> None:
        payload = ENTRIES.dump_json(list(entries), exclude_none=True)
        name = f"audit-{now.astimezone(TAIPEI):%Y-%m}"
        newest = self._names[-1] if self._names else ""
        if self._journal is None or name > newest[: len(name)]:
            await self._begin(name if name > newest else f"{newest[:13]}.{int(newest[14:] or 1) + 1:02d}")
        assert self._journal is not None
        assert self._file is not None
        frames = [payload]
        if self._since_state >= _ENTRIES_BETWEEN_STATES:
            frames.insert(0, self._state_frame())
            self._since_state = 0
        await self._journal.append(*frames)
        self._since_state += len(entries)
        self._places[self._names[-1]].add(self._file.size() - len(payload), payload)
        for entry in entries:
            self.state.take(entry)

    async def _begin(self, name: str) -> None:
        """Begin another file with the state so far."""
        file = await self._folder.open(name)
        journal = Journal(file)
        try:
            await journal.begin(self._state_frame())
        except BaseException:
            await file.close()
            raise
        if self._journal is not None:
            await self._journal.close()
        self._file, self._journal, self._since_state = file, journal, 0
        self._names.append(name)
        self._places[name] = _Places()

    def _state_frame(self) -> bytes:
        return b'{"state":' + self.state.model_dump_json().encode() + b"}"

    # ---- reading

    async def frames_back(
        self, before: int | None = None, *, first_month: str = ""
    ) -> AsyncGenerator[list[AuditEntry], None]:
        """The entries below the number `before`, the newest first, some at a time.

        `first_month` ("2026-11") leaves out the files before it, in which nothing of that month or later can be.
        Raises: StorageFailed.
        """
        for name in reversed([name for name in self._names if name >= f"audit-{first_month}"]):
            file = await self._folder.open(name)
            try:
                places = self._places_of(name, file)
                end = len(places.offsets) if before is None else bisect_left(places.first_seqs, before)
                for place in range(end - 1, -1, -1):
                    try:
                        entries = read_entries(file.read(places.offsets[place], places.lengths[place]))
                    except JournalTooNew:
                        continue  # damaged meanwhile; `check` names it
                    yield [one for one in reversed(entries) if before is None or one.seq < before]
            finally:
                await file.close()

    async def hash_at(self, seq: int) -> str | None:
        """The hash of the entry of a number; None where it is not there."""
        async with aclosing(self.frames_back(seq + 1)) as frames:
            async for entries in frames:
                return next((one.hash for one in entries if one.seq == seq), None)
        return None

    def _places_of(self, name: str, file: StorageFile) -> _Places:
        places = self._places.get(name)
        if places is None:
            places = _Places()
            with suppress(JournalUnreadable):
                for offset, payload in Journal(file).placed_frames():
                    places.add(offset, payload)
            while len(self._places) >= _MONTHS_REMEMBERED:
                del self._places[next(one for one in self._places if one != self._names[-1])]
            self._places[name] = places
        return places
