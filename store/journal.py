"""The journal: every change ever made, in order, in frames that a crash cannot half-write.

    file  = header frame*
    header = "VACDESK" 0x01                      8 bytes, the last is the format version
    frame  = marker 0xA7 | kind | length | crc   10 bytes, little endian, then `length` bytes of payload
    crc    = CRC-32 of the first six bytes and the payload, so that a damaged length is noticed as well

Invariants:
- one append is one flush; after a crash each of its frames is there whole or not at all, and none without those before;
- a file cut at any byte opens with every whole frame, and says what it dropped;
- damage in the middle costs the damaged frames only: reading finds the next whole frame, and nothing is erased;
- a file that is not a journal, or is of a newer format, is refused and left untouched.

Decision 2026-11-23: binary frames instead of lines, because a sealed payload (kind 2, reserved) is not text. The marker
is what resynchronising looks for; `kind` says how to read the payload, so that sealed and plain frames share a file.
"""

import asyncio
import contextlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from store.errors import JournalTooNew, JournalUnreadable, StorageFailed
from store.storage import StorageFile, to_its_end

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
    """A file read once from the start, then only appended to."""

    def __init__(self, file: StorageFile) -> None:
        self._file = file
        self._size = 0
        self._usable = False
        self._torn = False  # bytes that nobody was told about may stand after `_size`
        self._lock = asyncio.Lock()
        self.recovery = Recovery()

    def frames(self) -> Iterator[bytes]:
        """Every whole payload in order; what cannot be read is noted in `recovery`. Changes nothing.

        Raises: JournalUnreadable, JournalTooNew.
        """
        return (payload for _, payload in self.placed_frames())

    def placed_frames(self) -> Iterator[tuple[int, bytes]]:
        """As `frames`, each payload with where it begins in the file."""
        self.recovery = Recovery()
        if not _is_journal(self._file):
            if self._file.size():
                self.recovery.dropped.append(Dropped(0, self._file.size(), at_end=True))
            return
        size, window, position = self._file.size(), _Window(self._file), len(HEADER)
        lost_from: int | None = None
        while position < size:
            payload = _whole_frame(window, position, size)
            if payload is None:
                lost_from = position if lost_from is None else lost_from
                position = _next_marker(window, position + 1, size)
                continue
            if lost_from is not None:
                self.recovery.dropped.append(Dropped(lost_from, position - lost_from, at_end=False))
                lost_from = None
            self.recovery.frames += 1
            yield position + FRAME_OVERHEAD_BYTES, payload
            position += FRAME_OVERHEAD_BYTES + len(payload)
        if lost_from is not None:
            self.recovery.dropped.append(Dropped(lost_from, size - lost_from, at_end=True))

    async def open_for_appending(self) -> None:
        """Make the end ready after `frames` came to its own end: a torn frame there was never acknowledged."""
        size = self._file.size()
        tail = self.recovery.dropped[-1] if self.recovery.dropped else None
        if tail and tail.at_end:
            size = tail.offset
            await self._file.truncate(size)
        # Also where nothing is to be added: a program killed between writing and flushing left frames that are read and
        # told from now on, and the next loss of power must not take them.
        await self._file.append(b"" if size else HEADER)
        size = size or len(HEADER)
        self._size, self._usable = size, True

    async def begin(self, payload: bytes) -> None:
        """Write the first frame of a new file, header and all in one append. Raises: StorageFailed."""
        if self._file.size():  # what an attempt left whose disk refused it; nobody was told of it
            await self._file.truncate(0)
        await self._file.append(HEADER + encode_frame(payload))
        self._size, self._usable = self._file.size(), True

    async def append(self, *payloads: bytes) -> None:
        """Write frames, all with one flush; durable on return. Raises: StorageFailed; then nothing of them remains."""
        frames = b"".join(map(encode_frame, payloads))
        async with self._lock:
            if not self._usable:
                raise StorageFailed("the journal is not open for writing")
            if self._torn:
                await self._cut()
            try:
                await self._file.append(frames)
            except BaseException:
                # A part may be on disk. Where not even cutting works, because the disk has become read-only, the next
                # append tries it again. Should a new start find whole frames there: nobody was told of them.
                self._torn = True
                with contextlib.suppress(StorageFailed):
                    await to_its_end(self._cut())
                raise
            self._size += len(frames)

    async def _cut(self) -> None:
        await self._file.truncate(self._size)
        self._torn = False

    async def close(self) -> None:
        self._usable = False
        await self._file.close()

    @property
    def size_bytes(self) -> int:
        return self._size


class _Window:
    """Reads through a window, so that a long journal is never in memory whole."""

    def __init__(self, file: StorageFile) -> None:
        self._file = file
        self._base, self._data = 0, b""

    def at(self, offset: int, length: int) -> bytes:
        if not self._base <= offset or offset + length > self._base + len(self._data):
            self._base, self._data = offset, self._file.read(offset, max(length, _WINDOW_BYTES))
        return self._data[offset - self._base : offset - self._base + length]


def _is_journal(file: StorageFile) -> bool:
    """False for a file whose header was not even written whole. Raises: JournalUnreadable, JournalTooNew."""
    header = file.read(0, len(HEADER))
    if len(header) < len(HEADER) and HEADER.startswith(header):
        return False
    if header != HEADER:
        newer = header[:-1] == HEADER[:-1] and header[-1] > HEADER[-1]
        raise JournalTooNew("newer format") if newer else JournalUnreadable("no journal header")
    return True


def _whole_frame(window: _Window, position: int, size: int) -> bytes | None:
    if position + FRAME_OVERHEAD_BYTES > size:
        return None
    head = window.at(position, FRAME_OVERHEAD_BYTES)
    marker, kind, length = _HEAD.unpack_from(head)
    end = position + FRAME_OVERHEAD_BYTES + length
    if marker != MARKER or kind != PLAIN or length > MAX_PAYLOAD_BYTES or end > size:
        return None
    payload = window.at(position + FRAME_OVERHEAD_BYTES, length)
    (crc,) = _CRC.unpack_from(head, _HEAD.size)
    return payload if zlib.crc32(payload, zlib.crc32(head[: _HEAD.size])) == crc else None


def _next_marker(window: _Window, position: int, size: int) -> int:
    while position < size:
        length = min(_WINDOW_BYTES, size - position)
        found = window.at(position, length).find(MARKER)
        if found >= 0:
            return position + found
        position += length
    return size
