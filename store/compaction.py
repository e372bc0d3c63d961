"""Write runs: the delta of all tables as a new one, several as one; in small steps, so that no screen stands still.

Invariants:
- a merged run says what its runs said, the newest word on each record; what was removed vanishes once nothing older
  could say otherwise;
- bodies are copied as they are, each with its checksum, so a damaged one stays damaged and named, and costs no other;
- nothing here changes a table: whoever calls puts the finished run in its place.
"""

import heapq
from array import array
from collections.abc import Awaitable, Callable, Iterator, Sequence

from store.key_section import KeySectionBuilder, number_bytes
from store.record_table import RecordTable
from store.run import TEXT_SEPARATOR, RunWriter, TableRun

# Records or keys handled between two rests: some milliseconds in a browser.
STEP = 400
MERGE_FACTOR = 4

Rest = Callable[[], Awaitable[None]]


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
        assert delta is not None
        if not delta.documents:
            continue
        writer.begin_table(table.name)
        ids = sorted(delta.documents)
        ordinal_by_id, keys, texts = {}, KeySectionBuilder(unique=True), _Texts()
        for number, record_id in enumerate(ids):
            document = delta.documents[record_id]
            ordinal_by_id[record_id] = writer.add_body(table.encode(document) if document is not None else b"")
            keys.add(record_id.encode(), number)
            texts.add(delta.text(record_id))
            if number % STEP == 0:
                await writer.flush_some()
                await rest()
        _end_bodies(writer, keys, texts if table.text_of is not None else None)
        for index in table.indexes:
            pairs = ((key, ordinal_by_id[record_id]) for key, record_id in delta.pairs(index))
            writer.add_section(f"index {index}", await _section(pairs, rest))
    await writer.finish()


async def merge_runs(
    writer: RunWriter, runs: Sequence[dict[str, TableRun]], tables: Sequence[RecordTable], oldest: bool, rest: Rest
) -> None:
    """Write one run for several. `runs`, the newest first, by table name; `oldest`: no run before them exists."""
    for table in tables:
        parts = [run[table.name] for run in runs if table.name in run]
        if parts:
            await _merge_table(writer, table, parts, oldest, rest)
    await writer.finish()


async def _merge_table(
    writer: RunWriter, table: RecordTable, parts: Sequence[TableRun], oldest: bool, rest: Rest
) -> None:
    writer.begin_table(table.name)
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
        texts.add(parts[age].text(ordinal) if parts[age].has("texts") else b"")
    _end_bodies(writer, keys, texts if table.text_of is not None else None)
    for index in table.indexes:
        name = f"index {index}"
        sources = [_kept(part, name, new_ordinals[age]) for age, part in enumerate(parts) if part.has(name)]
        writer.add_section(name, await _section(heapq.merge(*sources), rest))
        await writer.flush_some()


def _records(part: TableRun, age: int) -> Iterator[tuple[bytes, int, int, bytes]]:
    for (key, ordinal), body in zip(part.keys("ids").pairs(), part.bodies(), strict=True):
        yield key, age, ordinal, body


def _kept(part: TableRun, name: str, new_ordinals: "array[int]") -> Iterator[tuple[bytes, int]]:
    for key, ordinal in part.keys(name).pairs():
        if (place := new_ordinals[ordinal]) >= 0:
            yield key, place


async def _section(pairs: Iterator[tuple[bytes, int]], rest: Rest) -> bytes:
    builder = KeySectionBuilder()
    for number, (key, ordinal) in enumerate(pairs):
        builder.add(key, ordinal)
        if number % (4 * STEP) == 0:
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
