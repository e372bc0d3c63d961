"""A device's part of the audit: what was done here, in a chain of its own, until the hub holds it.

    file    = the journal's frames (journal.py), named audit.000001, in the store's folder; the highest number counts
    frame   = {"base": ...} first: where the chain stood when the file was begun; an entry; or
              {"held": n, "hub_head": ...}: so many entries of this file the hub holds

Invariants:
- noting waits for nothing and fails for nothing; what was noted is on disk within `FLUSH_SECONDS`;
- a device that is killed loses what was noted since, and its chain goes on unbroken;
- an entry is told to the hub only once it is on disk, and is dropped only once the hub holds it.
"""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from store.audit import About, AuditAction, AuditEntry, AuditHead, checked_about, head_of, make_entry
from store.audit_protocol import AuditTaken, AuditTelling
from store.changes import World
from store.errors import AppError, JournalUnreadable
from store.journal import Journal
from store.storage import StorageFolder

FLUSH_SECONDS = 0.5
_AGAIN_SECONDS = 5.0
TOLD_AT_ONCE = 100  # far below what the hub takes: writing a message holds the screen up
_WAITING = 1000  # notes that the disk did not take; more are counted only
_ANOTHER_FILE_BYTES = 64 * 1024
_NAME = re.compile(r"audit\.(\d{6})")
_log = logging.getLogger(__name__)


class _Base(BaseModel):
    """Where a chain stands. Shape: `device_id` is whose it is: under another name a device begins another."""

    model_config = ConfigDict(extra="ignore")

    device_id: str = ""
    head: AuditHead = AuditHead()
    hub_head: AuditHead = AuditHead()


class AuditTrail:
    """One device's chain. Nothing is read before the first flush: a start does not wait for it."""

    def __init__(self, folder: StorageFolder, world: World, device_id: Callable[[], str]) -> None:
        self._folder, self._world, self._device_id = folder, world, device_id
        self._journal: Journal | None = None
        self._number = self._highest = 0  # of the file in use, and of all
        self._base = _Base()
        self._pending: list[tuple[Any, ...]] = []
        self._lost = 0
        self._unsent: list[AuditEntry] = []
        self._held = 0  # entries of this file that the hub holds
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._is_open = False

    async def _open(self) -> None:
        """Read what the hub does not hold yet. A file that does not open is left alone, and another begun.

        Raises: StorageFailed.
        """
        numbers = sorted(int(match[1]) for name in await self._folder.names() if (match := _NAME.fullmatch(name)))
        self._highest = max(numbers, default=0)
        while numbers and self._journal is None:
            await self._read(numbers.pop())
        for number in numbers:  # of before the newest whole one
            await self._folder.remove(_name(number))
        self._is_open = True

    async def _read(self, number: int) -> None:
        journal = Journal(await self._folder.open(_name(number)))
        try:
            frames = [json.loads(payload) for payload in journal.frames()]
            base = next((_Base.model_validate(frame["base"]) for frame in frames if "base" in frame), None)
            if base is None:  # killed while it was begun: the one before still counts
                await journal.close()
                await self._folder.remove(_name(number))
                return
            entries = [AuditEntry.model_validate(frame) for frame in frames if "seq" in frame]
            for frame in frames:
                if "held" in frame:
                    self._held = frame["held"]
                    base.hub_head = AuditHead.model_validate(frame["hub_head"])
            await journal.open_for_appending()
        except (JournalUnreadable, ValueError, KeyError):
            await journal.close()
            return
        if entries:
            base.device_id, base.head = entries[-1].device_id, head_of(entries[-1])
        self._journal, self._number, self._base = journal, number, base
        self._unsent = entries[self._held :]

    # ---- noting

    def note(self, who: str, what: str, about: About | None = None) -> None:
        """Note what was done, now. Raises: ValueError for an `about` of another shape (`checked_about`)."""
        about = checked_about(about or {})
        if len(self._pending) >= _WAITING:
            self._lost += 1
            return
        self._pending.append((self._world.now(), who, what, about))
        self._flush_in(FLUSH_SECONDS)

    def _flush_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._flush_soon)

    def _flush_soon(self) -> None:
        self._timer = None
        self._flushing = asyncio.get_running_loop().create_task(self._try_to_flush())

    async def _try_to_flush(self) -> None:
        try:
            await self.flush()
        except AppError as error:
            _log.error("audit: %s", error.code)
            self._flush_in(_AGAIN_SECONDS)

    async def flush(self) -> None:
        """Give all that was noted its place in the chain; on disk on return. Raises: StorageFailed."""
        async with self._lock:
            if not self._is_open:
                await self._open()
            count, lost = len(self._pending), self._lost
            if not count:
                return
            device_id = self._device_id()
            head = self._base.head if self._base.device_id == device_id else AuditHead()
            entries: list[AuditEntry] = []
            notes = self._pending[:count]
            if lost:
                notes.append((self._world.now(), notes[-1][1], AuditAction.LOST, {"count": lost}))
            for at, who, what, about in notes:
                entries.append(make_entry(head, at=at, who=who, what=what, about=about, device_id=device_id))
                head = head_of(entries[-1])
            await self._append(*(_dump(entry) for entry in entries))
            del self._pending[:count]
            self._lost -= lost
            self._base.device_id, self._base.head = device_id, head
            self._unsent += entries

    async def _append(self, *payloads: bytes) -> None:
        if self._journal is None:
            await self._begin()
        assert self._journal is not None
        await self._journal.append(*payloads)

    async def _begin(self) -> None:
        """Begin another file, with what the hub does not hold; then the one before is not needed."""
        number = self._highest + 1
        journal = Journal(await self._folder.open(_name(number)))
        try:
            await journal.begin(json.dumps({"base": self._base.model_dump()}).encode())
        except BaseException:
            await journal.close()
            raise
        old, old_number, self._journal = self._journal, self._number, journal
        self._number, self._highest, self._held = number, number, 0
        if old is not None:
            await old.close()
            await self._folder.remove(_name(old_number))

    # ---- telling the hub

    def telling(self) -> AuditTelling | None:
        """What to tell the hub next, of what was flushed; None where it holds all."""
        if not self._unsent:
            return None
        device_id = self._unsent[0].device_id
        same = next((n for n, one in enumerate(self._unsent) if one.device_id != device_id), len(self._unsent))
        entries = self._unsent[: min(same, TOLD_AT_ONCE)]
        return AuditTelling(device_id=device_id, entries=entries, hub_head=self._base.hub_head)

    async def told(self, telling: AuditTelling, answer: AuditTaken) -> None:
        """The hub holds what was told. Raises: StorageFailed."""
        async with self._lock:
            held = self._held + len(telling.entries)
            frame = {"held": held, "hub_head": answer.hub_head.model_dump()}
            await self._append(json.dumps(frame).encode())
            self._held, self._base.hub_head = held, answer.hub_head
            del self._unsent[: len(telling.entries)]
            if not self._unsent and self._journal is not None and self._journal.size_bytes > _ANOTHER_FILE_BYTES:
                await self._begin()

    async def close(self) -> None:
        """Write what was noted, as far as the disk takes it."""
        with contextlib.suppress(AppError):
            await self.flush()
        if self._timer is not None:
            self._timer.cancel()
        async with self._lock:
            if self._journal is not None:
                await self._journal.close()


def _name(number: int) -> str:
    return f"audit.{number:06d}"


def _dump(entry: AuditEntry) -> bytes:
    return entry.model_dump_json(exclude_none=True).encode()
