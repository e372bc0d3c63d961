"""The journal: every change ever made, in order, in frames that a crash cannot half-write.

    file  = header frame*
    header = "VACDESK" 0x01                      8 bytes, the last is the format version
    frame  = marker 0xA7 | kind | length | crc   10 bytes, little endian, then `length` bytes of payload
    crc    = CRC-32 of the first six bytes and the payload, so that a damaged length is noticed as well

Invariants:
- one append is one frame and one flush: all of it is there after a crash, or none;
- a file cut at any byte opens with every whole frame, and says what it dropped;
- damage in the middle costs the damaged frames only: reading finds the next whole frame, and nothing is erased;
- a file that is not a journal, or is of a newer format, is refused and left untouched.

Decision 2026-11-23: binary frames instead of lines, because a sealed payload (kind 2, reserved) is not text. The marker
is what resynchronising looks for; `kind` says how to read the payload, so that sealed and plain frames share a file.
"""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from store.errors import JournalTooNew, JournalUnreadable, StorageFailed
from store.storage import JournalStorage

HEADER = b"VACDESK\x01"
MARKER = 0xA7
PLAIN = 1
MAX_PAYLOAD_BYTES = 16 * 1024 * 1024
_HEAD = struct.Struct("<BBI")
_CRC = struct.Struct("<I")
FRAME_OVERHEAD_BYTES = _HEAD.size + _CRC.size
_WINDOW_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Dropped:
    """A stretch of the file that holds no whole frame. Units: bytes."""

    offset: int
    length: int
    at_end: bool


@dataclass
class Recovery:
    """What opening a journal found: whole frames, and the stretches it could not read."""

    frames: int = 0
    dropped: list[Dropped] = field(default_factory=list)

    @property
    def damaged(self) -> bool:
        """True when a stretch in the middle was lost; a cut end alone was never acknowledged to anybody."""
        return any(not stretch.at_end for stretch in self.dropped)


def encode_frame(payload: bytes) -> bytes:
    """Frame one payload. Raises: ValueError above MAX_PAYLOAD_BYTES."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"payload of {len(payload)} bytes is above {MAX_PAYLOAD_BYTES}")
    head = _HEAD.pack(MARKER, PLAIN, len(payload))
    return b"".join((head, _CRC.pack(zlib.crc32(payload, zlib.crc32(head))), payload))


class Journal:
    """A storage read once from the start, then only appended to."""

    def __init__(self, storage: JournalStorage) -> None:
        self._storage = storage
        self._size = 0
        self._usable = False
        self._lock = asyncio.Lock()
        self.recovery = Recovery()

    async def replay(self) -> AsyncIterator[bytes]:
        """Yield every whole payload in order, then make the end of the file ready for appending.

        Raises: JournalUnreadable, JournalTooNew, StorageFailed.
        """
        size = await self._storage.size()
        header = await self._storage.read(0, len(HEADER))
        if len(header) < len(HEADER) and HEADER.startswith(header):
            await self._start_file(size)
            return
        if header != HEADER:
            newer = header[:-1] == HEADER[:-1] and header[-1] > HEADER[-1]
            raise JournalTooNew("newer format") if newer else JournalUnreadable("no journal header")
        async for payload in self._frames(size):
            yield payload
        tail = self.recovery.dropped[-1] if self.recovery.dropped else None
        if tail and tail.at_end:
            await self._storage.truncate(tail.offset)
            size = tail.offset
        self._size, self._usable = size, True

    async def append(self, payload: bytes) -> None:
        """Write one frame; durable on return. Raises: StorageFailed; then nothing of the frame remains."""
        frame = encode_frame(payload)
        async with self._lock:
            if not self._usable:
                raise StorageFailed("the journal is not open for writing")
            try:
                await self._storage.append(frame)
            except BaseException:
                # A part may be on disk. Cut it off; if that fails too, only a new opening may decide what is there.
                self._usable = False
                await asyncio.shield(self._storage.truncate(self._size))
                self._usable = True
                raise
            self._size += len(frame)

    async def close(self) -> None:
        self._usable = False
        await self._storage.close()

    @property
    def size_bytes(self) -> int:
        return self._size

    async def _start_file(self, size: int) -> None:
        if size:
            self.recovery.dropped.append(Dropped(0, size, at_end=True))
            await self._storage.truncate(0)
        await self._storage.append(HEADER)
        self._size, self._usable = len(HEADER), True

    async def _frames(self, size: int) -> AsyncIterator[bytes]:
        window, base, position = b"", 0, len(HEADER)
        lost_from: int | None = None

        async def bytes_at(offset: int, length: int) -> memoryview:
            nonlocal window, base
            if not base <= offset or offset + length > base + len(window):
                base, window = offset, await self._storage.read(offset, max(length, _WINDOW_BYTES))
            return memoryview(window)[offset - base : offset - base + length]

        while position < size:
            payload = await _whole_frame(bytes_at, position, size)
            if payload is None:
                lost_from = position if lost_from is None else lost_from
                position = await _next_marker(bytes_at, position + 1, size)
                continue
            if lost_from is not None:
                self.recovery.dropped.append(Dropped(lost_from, position - lost_from, at_end=False))
                lost_from = None
            self.recovery.frames += 1
            position += FRAME_OVERHEAD_BYTES + len(payload)
            yield payload
        if lost_from is not None:
            self.recovery.dropped.append(Dropped(lost_from, size - lost_from, at_end=True))


async def _whole_frame(bytes_at: "_BytesAt", position: int, size: int) -> bytes | None:
    if position + FRAME_OVERHEAD_BYTES > size:
        return None
    head = bytes(await bytes_at(position, FRAME_OVERHEAD_BYTES))
    marker, kind, length = _HEAD.unpack_from(head)
    end = position + FRAME_OVERHEAD_BYTES + length
    if marker != MARKER or kind != PLAIN or length > MAX_PAYLOAD_BYTES or end > size:
        return None
    payload = bytes(await bytes_at(position + FRAME_OVERHEAD_BYTES, length))
    (crc,) = _CRC.unpack_from(head, _HEAD.size)
    return payload if zlib.crc32(payload, zlib.crc32(head[: _HEAD.size])) == crc else None


async def _next_marker(bytes_at: "_BytesAt", position: int, size: int) -> int:
    while position < size:
        length = min(_WINDOW_BYTES, size - position)
        found = bytes(await bytes_at(position, length)).find(MARKER)
        if found >= 0:
            return position + found
        position += length
    return size


class _BytesAt(Protocol):
    """Reads through a window, so that a long journal is never in memory whole."""

    async def __call__(self, offset: int, length: int) -> memoryview: ...
