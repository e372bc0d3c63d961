"""A run: an immutable file with the records of all tables as they stood at one moment, and the indexes to find them.

    file    = body* section* footer | footer length u32 | footer CRC-32 u32 | "VACRUN1\\n"
    body    = a record as its table writes it; a record that was removed has an empty one
    section = bytes whose place, length and CRC-32 stand in the footer
    footer  = JSON {"tables": {name: {"count", "bodies_at", "rules", "sections": {name: [offset, length, crc]}}}}

Sections of a table: "ids" (keys, sorted, in the order of the bodies), "ends" (u32 each, from `bodies_at`), "crcs" (u32
each, of the bodies), "index NAME" (keys), and "texts" with "text ends" where the table is searched by text. `rules`
says by what the indexes were made (tables.py); a run of before there were such has none.

Invariants:
- opening a run reads its footer only; a section is read when something is asked of it, and checked then;
- a damaged body is named by its record id and costs that record only.
"""

import json
import struct
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from store.errors import JournalUnreadable, RecordDamaged
from store.key_section import KEY_SECTION_HEAD_BYTES, KeySection, first_key_at, number_bytes, numbers
from store.storage import StorageFile, read_many

MAGIC = b"VACRUN1\n"
TEXT_SEPARATOR = b"\0"
_TAIL = struct.Struct("<II8s")
_FOOTER_GUESS_BYTES = 16 * 1024
_READ_SINGLY = 200
_FLUSHED_AT_ONCE_BYTES = 4 * 1024 * 1024


class Run:
    """An open run."""

    def __init__(self, file: StorageFile, number: int) -> None:
        """Raises: JournalUnreadable when it is not whole."""
        self.number = number
        self.size = file.size()
        self._file = file
        guess = max(0, self.size - _FOOTER_GUESS_BYTES)
        end = file.read(guess, self.size - guess)
        if len(end) < _TAIL.size or end[-8:] != MAGIC:
            raise JournalUnreadable(f"run {number} has no end")
        length, crc, _ = _TAIL.unpack(end[-_TAIL.size :])
        at = self.size - _TAIL.size - length
        footer = end[at - guess : -_TAIL.size] if at >= guess else file.read(at, length)
        if zlib.crc32(footer) != crc:
            raise JournalUnreadable(f"run {number} has a damaged footer")
        self.tables = {name: TableRun(self, about) for name, about in json.loads(footer)["tables"].items()}

    @property
    def count(self) -> int:
        return sum(table.count for table in self.tables.values())

    def read(self, offset: int, length: int) -> bytes:
        return self._file.read(offset, length)

    def read_many(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        return read_many(self._file, places)

    async def close(self) -> None:
        await self._file.close()


class TableRun:
    """The records of one table in a run. Ordinals count its records in the order of their ids."""

    def __init__(self, run: Run, about: dict[str, Any]) -> None:
        self._run = run
        self.count: int = about["count"]
        self.rules: list[Any] | None = about.get("rules")
        self._bodies_at: int = about["bodies_at"]
        self._places: dict[str, list[int]] = about["sections"]
        self._keys: dict[str, KeySection] = {}
        self._loaded: dict[str, bytes] = {}
        self._id_place: tuple[int, int] | None = None
        self._singly_read = 0
        self._numbers: dict[str, array[int]] = {}

    # ---- by id

    def ordinal_of(self, record_id: str) -> int | None:
        return self.keys("ids").place_of(record_id.encode())

    def __contains__(self, record_id: str) -> bool:
        return self.ordinal_of(record_id) is not None

    def id_at(self, ordinal: int) -> str:
        return self.ids_at([ordinal])[0]

    def ids_at(self, ordinals: Sequence[int]) -> list[str]:
        """The ids of some records. A few are read alone, so that the first search after opening need not read all."""
        if "ids" not in self._keys and self._singly_read < _READ_SINGLY:
            self._singly_read += len(ordinals)
            offset = self._places["ids"][0]
            if self._id_place is None:
                self._id_place = first_key_at(self._run.read(offset, KEY_SECTION_HEAD_BYTES))
            start, width = self._id_place
            if width:
                first = offset + start
                return [i.decode() for i in self._run.read_many([(first + n * width, width) for n in ordinals])]
        keys = self.keys("ids")
        return [keys.key(ordinal).decode() for ordinal in ordinals]

    def body(self, ordinal: int) -> bytes:
        """The record as its table wrote it; empty where it was removed. Raises: RecordDamaged."""
        start, end = self.bounds(ordinal)
        return self._checked(ordinal, self._run.read(self._bodies_at + start, end - start) if end > start else b"")

    def bodies_at(self, ordinals: Sequence[int]) -> list[bytes]:
        """As `body`, of several records."""
        places = [(self._bodies_at + start, end - start) for start, end in map(self.bounds, ordinals)]
        return list(map(self._checked, ordinals, self._run.read_many(places)))

    def _checked(self, ordinal: int, data: bytes) -> bytes:
        if zlib.crc32(data) != self.array("crcs")[ordinal]:
            raise RecordDamaged(self.id_at(ordinal))
        return data

    def bounds(self, ordinal: int) -> tuple[int, int]:
        """Where the body begins and ends, from the first body on. Units: bytes."""
        ends = self.array("ends")
        return (ends[ordinal - 1] if ordinal else 0), ends[ordinal]

    def bodies(self, window_bytes: int = 256 * 1024) -> Iterator[bytes]:
        """All bodies in order, unchecked, read in large pieces."""
        base, window, start = 0, b"", 0
        for end in self.array("ends"):
            if not base <= start or end > base + len(window):
                base, window = start, self._run.read(self._bodies_at + start, max(end - start, window_bytes))
            yield window[start - base : end - base]
            start = end

    # ---- by key and by text

    def keys(self, name: str) -> KeySection:
        """The section of sorted keys: "ids" or "index NAME"."""
        section = self._keys.get(name)
        if section is None:
            section = self._keys[name] = KeySection(self.section(name))
            del self._loaded[name]
        return section

    def index(self, name: str) -> KeySection | None:
        """The keys of an index; None where this run has none of it."""
        section = self._keys.get(f"index {name}")
        if section is None and f"index {name}" in self._places:
            section = self.keys(f"index {name}")
        return section

    def has(self, name: str) -> bool:
        return name in self._places

    def text(self, ordinal: int) -> bytes:
        ends = self.array("text ends")
        return self.section("texts")[(ends[ordinal - 1] if ordinal else 0) : ends[ordinal] - 1]

    def ordinals_with_text(self, piece: bytes) -> Iterator[int]:
        """The records whose text holds `piece`, each once, in order."""
        texts, ends = self.section("texts"), self.array("text ends")
        at = texts.find(piece)
        while at >= 0:
            ordinal = bisect_right(ends, at)
            yield ordinal
            at = texts.find(piece, ends[ordinal])

    # ---- sections

    def in_use(self) -> list[str]:
        """The sections of keys that queries have asked for."""
        return list(self._keys)

    def section(self, name: str) -> bytes:
        """Raises: JournalUnreadable where its bytes are not what was written."""
        data = self._loaded.get(name)
        if data is None:
            offset, length, crc = self._places[name]
            data = self._run.read(offset, length)
            if zlib.crc32(data) != crc:
                raise JournalUnreadable(f"run {self._run.number}: section {name} is damaged")
            self._loaded[name] = data
        return data

    def array(self, name: str) -> "array[int]":
        values = self._numbers.get(name)
        if values is None:
            values = self._numbers[name] = numbers(self.section(name))
            del self._loaded[name]
        return values


class RunWriter:
    """Writes a run piece by piece; nothing of it counts before `finish`."""

    def __init__(self, file: StorageFile) -> None:
        self._file = file
        self._at = self._unflushed = 0
        self._buffer = bytearray()
        self._tables: dict[str, dict[str, Any]] = {}
        self._table: dict[str, Any] = {}

    def begin_table(self, name: str, rules: list[Any]) -> None:
        begins = self._at + len(self._buffer)
        self._table = self._tables[name] = {"count": 0, "bodies_at": begins, "rules": rules, "sections": {}}
        self._ends, self._crcs = array("I"), array("I")

    def add_body(self, body: bytes, crc: int | None = None) -> int:
        """Take the next body, in the order of ids; returns its ordinal. `crc` is that of a body copied from a run."""
        self._buffer += body
        self._ends.append((self._ends[-1] if self._ends else 0) + len(body))
        self._crcs.append(zlib.crc32(body) if crc is None else crc)
        self._table["count"] += 1
        return len(self._ends) - 1

    def end_bodies(self) -> None:
        self.add_section("ends", number_bytes(self._ends))
        self.add_section("crcs", number_bytes(self._crcs))

    def add_section(self, name: str, data: bytes) -> None:
        self._table["sections"][name] = [self._at + len(self._buffer), len(data), zlib.crc32(data)]
        self._buffer += data

    async def flush_some(self, above_bytes: int = 256 * 1024) -> None:
        """Hand what is gathered to the disk once it is more than so much.

        Flushed now and then: a browser's worker stands still while it flushes, and all at the end would be felt.
        """
        if len(self._buffer) > above_bytes:
            data, self._buffer = bytes(self._buffer), bytearray()
            self._unflushed += len(data)
            is_much = self._unflushed > _FLUSHED_AT_ONCE_BYTES
            await self._file.append(data, durable=is_much)
            self._at += len(data)
            if is_much:
                self._unflushed = 0

    async def finish(self) -> None:
        """Write the footer; all of the run is durable on return."""
        footer = json.dumps({"tables": self._tables}, separators=(",", ":")).encode()
        tail = _TAIL.pack(len(footer), zlib.crc32(footer), MAGIC)
        await self._file.append(bytes(self._buffer) + footer + tail)
