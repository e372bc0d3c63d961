"""Write runs: the delta of all tables as a new one, several as one, all anew; in small steps, so that no screen stands.

Invariants:
- a merged run says what its runs said, the newest word on each record; what was removed vanishes once nothing older
  could say otherwise;
- bodies are copied as they are, each with its checksum, so a damaged one stays damaged and named, and costs no other;
- runs are merged by their indexes only where all were made by today's rules; else everything is made from the records;
- nothing here changes a table: whoever calls puts the finished run in its place.
"""

import heapq
import zlib
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from tinydb.table import Document

from store.delta import framed
from store.key_section import KeySection, KeySectionBuilder, number_bytes
from store.record_table import RecordTable
from store.run import TEXT_SEPARATOR, RunWriter, TableRun
from store.tables import index_rules

# Records or keys copied between two rests: some milliseconds in a browser.
STEP = 400
# The same of records whose keys and texts are made.
_KEYED_STEP = 100
MERGE_FACTOR = 4

# Records whose keys are sorted at once; sorted pieces are merged afterwards, so that no step is long.
_PIECE = 4000

Rest = Callable[[], Awaitable[None]]
OnProgress = Callable[[int, int], None]


def choose_merge(counts: Sequence[int]) -> int | None:
    """From which run on, of those from the oldest to the newest, all should become one; None while they are well apart.

    Each run is to be at least MERGE_FACTOR times as large as all newer ones together: so there are few, and a record is
    copied a few times in its life.
    """
    newer, start = 0, None
    for place in range(len(counts) - 1, -1, -1):
        if newer and counts[place] < MERGE_FACTOR * newer:
            start = place
        newer += counts[place]
    return start


async def write_delta(writer: RunWriter, tables: Sequence[RecordTable], rest: Rest) -> None:
    """Write what each table has set aside (`RecordTable.freeze`)."""
    for table in tables:
        delta = table.frozen
        if delta is None or not delta.documents:  # None: a device's own table that was made since
            continue
        await _write_documents(writer, table, delta.documents, delta.documents.get, rest)
    await writer.finish()


async def write_records(
    writer: RunWriter, tables: Sequence[RecordTable], ids_by_table: Mapping[str, Collection[str]], rest: Rest
) -> dict[str, Any]:
    """Write a run of the records named, in the order of their ids; returns what each table counts in it."""
    counts = {
        table.name: await _write_documents(writer, table, ids_by_table.get(table.name, ()), table.at, rest)
        for table in tables
    }
    await writer.finish()
    return counts


async def _write_documents(
    writer: RunWriter,
    table: RecordTable,
    ids: Collection[str],
    document_of: Callable[[str], Document | None],
    rest: Rest,
) -> dict[str, Any]:
    """One table out of its documents, None for one that was removed; returns what it counts."""
    made = _TableWriter(writer, table)
    for number, record_id in enumerate(sorted(ids)):
        document = document_of(record_id)
        made.add(record_id.encode(), table.encode(document) if document is not None else b"", document)
        if number % _KEYED_STEP == 0:
            await writer.flush_some()
            await rest()
    await made.end(rest)
    return made.counts()


async def merge_runs(
    writer: RunWriter,
    runs: Sequence[dict[str, TableRun]],
    tables: Sequence[RecordTable],
    oldest: bool,
    rest: Rest,
    *,
    bare: bool = False,
) -> None:
    """Write one run for several. `runs`, the newest first, by table name; `oldest`: no run before them exists.

    A `bare` one has the records alone and follows no rules: `rebuild_runs` gives it indexes and texts.
    """
    for table in tables:
        parts = [run[table.name] for run in runs if table.name in run]
        if parts:
            await _merge_table(writer, table, parts, oldest, rest, bare)
    await writer.finish()


async def _merge_table(
    writer: RunWriter, table: RecordTable, parts: Sequence[TableRun], oldest: bool, rest: Rest, bare: bool
) -> None:
    assert all(part.rules == index_rules(table) for part in parts), "the merged run would lack keys"
    writer.begin_table(table.name, [] if bare else index_rules(table))
    new_ordinals = [array("i", [-1]) * part.count for part in parts]
    keys, texts = KeySectionBuilder(unique=True), _Texts()
    last = b""
    for number, (key, age, ordinal, body) in enumerate(heapq.merge(*(_records(p, n) for n, p in enumerate(parts)))):
        if number % STEP == 0:
            await writer.flush_some()
            await rest()
        if key == last and number:
            continue  # an older word on the record before
        last = key
        if not body and oldest:
            continue
        new_ordinals[age][ordinal] = place = writer.add_body(body, parts[age].array("crcs")[ordinal])
        keys.add(key, place)
        if not bare:
            texts.add(parts[age].text(ordinal) if parts[age].has("texts") else b"")
    _end_bodies(writer, keys, texts if table.text_of is not None and not bare else None)
    for index in table.indexes if not bare else ():
        name = f"index {index}"
        sources = [_kept(part, name, new_ordinals[age]) for age, part in enumerate(parts) if part.has(name)]
        writer.add_section(name, await _section(heapq.merge(*sources), rest))
        await writer.flush_some()


def follow_rules(run: Mapping[str, TableRun], tables: Sequence[RecordTable]) -> bool:
    """Whether a run was made by the rules that this program's tables have, so that no search misses what it holds."""
    return all(run[table.name].rules == index_rules(table) for table in tables if table.name in run)


async def rebuild_runs(
    writer: RunWriter,
    runs: Sequence[Mapping[str, TableRun]],
    tables: Sequence[RecordTable],
    rest: Rest,
    on_progress: OnProgress,
) -> dict[str, Any]:
    """Write one run for all runs of a store, the newest first, its keys and texts out of the parsed records.

    Returns what each table counts. `on_progress` is told how many records are done, and of how many.
    """
    parts_by_table = {table.name: [run[table.name] for run in runs if table.name in run] for table in tables}
    total = sum(part.count for parts in parts_by_table.values() for part in parts)
    counts: dict[str, Any] = {}
    done = 0

    async def step(records: int) -> None:
        nonlocal done
        done += records
        on_progress(done, total)
        await writer.flush_some()
        await rest()

    for table in tables:
        if parts := parts_by_table[table.name]:
            counts[table.name] = await _rebuild_table(writer, table, parts, rest, step)
    await writer.finish()
    return counts


async def _rebuild_table(
    writer: RunWriter,
    table: RecordTable,
    parts: Sequence[TableRun],
    rest: Rest,
    step: Callable[[int], Awaitable[None]],
) -> dict[str, Any]:
    made = _TableWriter(writer, table)
    seen = 0
    last: bytes | None = None
    for seen, (key, age, ordinal, body) in enumerate(heapq.merge(*(_records(p, n) for n, p in enumerate(parts))), 1):
        if seen % _KEYED_STEP == 0:
            await step(_KEYED_STEP)
        if key == last:
            continue  # an older word on the record before
        last = key
        if body:
            crc = parts[age].array("crcs")[ordinal]
            made.add(key, body, _parsed(table, key.decode(), body, crc), crc)
    await step(seen % _KEYED_STEP)
    await made.end(rest)
    return made.counts()


class _TableWriter:
    """One table of a run, with the keys and texts that its records give."""

    def __init__(self, writer: RunWriter, table: RecordTable) -> None:
        writer.begin_table(table.name, index_rules(table))
        self._writer, self._table = writer, table
        self._ids, self._texts = KeySectionBuilder(unique=True), _Texts()
        self._keys = {index: _Keys() for index in table.indexes}
        self._counted = {index: Counter[str]() for index in table.counted}
        self._total = 0

    def add(self, record_id: bytes, body: bytes, document: Document | None, crc: int | None = None) -> None:
        """Take the next record in the order of ids; no `document` of one that was removed or is damaged."""
        place = self._writer.add_body(body, crc)
        self._ids.add(record_id, place)
        self._total += bool(body)
        text_of = self._table.text_of
        self._texts.add(framed(text_of(document)) if text_of is not None and document is not None else b"")
        if document is None:
            return
        for index, key_of in self._table.indexes.items():
            if (key := key_of(document)) is not None:
                self._keys[index].add(key.encode(), place)
                if index in self._counted:
                    self._counted[index][key] += 1

    async def end(self, rest: Rest) -> None:
        _end_bodies(self._writer, self._ids, self._texts if self._table.text_of is not None else None)
        for index, keys in self._keys.items():
            self._writer.add_section(f"index {index}", await _section(keys.pairs(), rest))
            await self._writer.flush_some()

    def counts(self) -> dict[str, Any]:
        """As `RecordTable.counts`."""
        return {"total": self._total, "by": {index: dict(count) for index, count in self._counted.items()}}


def _parsed(table: RecordTable, record_id: str, body: bytes, crc: int) -> Document | None:
    """None where a record is damaged: its id alone finds it then, and says so."""
    if zlib.crc32(body) != crc:
        return None
    try:
        return Document(table.decode(body), record_id)  # type: ignore[arg-type]  # our ids are text
    except ValueError:
        return None


class _Keys:
    """The keys of one index in any order; given back sorted. Held as sections, a tenth of what tuples would take."""

    def __init__(self) -> None:
        self._pieces: list[KeySection] = []
        self._newest: list[tuple[bytes, int]] = []

    def add(self, key: bytes, ordinal: int) -> None:
        self._newest.append((key, ordinal))
        if len(self._newest) == _PIECE:
            self._end_piece()

    def pairs(self) -> Iterator[tuple[bytes, int]]:
        self._end_piece()
        return heapq.merge(*(piece.pairs() for piece in self._pieces))

    def _end_piece(self) -> None:
        builder = KeySectionBuilder()
        builder.extend(sorted(self._newest))
        self._pieces.append(KeySection(builder.to_bytes()))
        self._newest = []


def _records(part: TableRun, age: int) -> Iterator[tuple[bytes, int, int, bytes]]:
    for (key, ordinal), body in zip(part.keys("ids").pairs(), part.bodies(), strict=True):
        yield key, age, ordinal, body


def _kept(part: TableRun, name: str, new_ordinals: "array[int]") -> Iterator[tuple[bytes, int]]:
    for key, ordinal in part.keys(name).pairs():
        if (place := new_ordinals[ordinal]) >= 0:
            yield key, place


async def _section(pairs: Iterator[tuple[bytes, int]], rest: Rest) -> bytes:
    builder = KeySectionBuilder()
    while some := list(islice(pairs, 4 * STEP)):
        builder.extend(some)
        await rest()
    return builder.to_bytes()


def _end_bodies(writer: RunWriter, ids: KeySectionBuilder, texts: "_Texts | None") -> None:
    writer.end_bodies()
    writer.add_section("ids", ids.to_bytes())
    if texts is not None:
        writer.add_section("texts", bytes(texts.data))
        writer.add_section("text ends", number_bytes(texts.ends))


class _Texts:
    def __init__(self) -> None:
        self.data, self.ends = bytearray(), array("I")

    def add(self, text: bytes) -> None:
        self.data += text + TEXT_SEPARATOR
        self.ends.append(len(self.data))
