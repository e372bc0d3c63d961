"""A TinyDB table over runs on disk and a delta in memory: TinyDB's query face, and a cost that does not grow.

Invariants:
- finding, adding and changing a record touch that record only; a query by an index touches what it finds;
- a record is parsed when it is asked for, and never kept parsed;
- TinyDB's own queries see every record; `where(FIELD) == VALUE` on an indexed field goes by the index;
- what is written here was journalled before: by applying a change, or by this table's writer.

Decision 2026-11-24: stock TinyDB hands the whole table to its storage at each insert (19.5 ms at 50,000 records), and a
record held as a dict costs 1.9 KB, so documents stay on disk as they were written.
"""

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from itertools import islice
from typing import Any

from tinydb.queries import QueryLike
from tinydb.storages import MemoryStorage
from tinydb.table import Document, Table

from store.delta import Delta, KeyOf, TextOf
from store.errors import RecordNotFound
from store.run import TableRun

Writer = Callable[[str, Mapping[str, Mapping[str, Any] | None]], None]
_UNKNOWN = object()


def encode_json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


class RecordTable(Table):
    """A TinyDB table whose document ids are record ids."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB documents this hook, its annotation says int
    default_query_cache_capacity = 0

    def __init__(
        self,
        name: str,
        indexes: Mapping[str, KeyOf] | None = None,
        *,
        counted: tuple[str, ...] = (),
        text_of: TextOf | None = None,
        write: Writer | None = None,
        encode: Callable[[Mapping[str, Any]], bytes] = encode_json,
        decode: Callable[[bytes], dict[str, Any]] = json.loads,
    ) -> None:
        super().__init__(MemoryStorage(), name, cache_size=0)  # type: ignore[no-untyped-call]
        self.indexes = dict(indexes or {})
        self.text_of = text_of
        self.encode = encode
        self.decode = decode
        self._write = write
        self.delta = self._new_delta()
        self.frozen: Delta | None = None
        self.runs: list[TableRun] = []  # the newest first
        self.counted = {index: Counter[str]() for index in counted}
        self.total = 0
        self.version = 0  # another one whenever a record may be another
        self._found: tuple[str, Document | None] = ("", None)

    @property
    def is_own(self) -> bool:
        """Whether this is a table of the device itself, written by TinyDB's own methods and never synced."""
        return self._write is not None

    # ---- one record

    def find(self, record_id: str) -> Document | None:
        document = self.delta.documents.get(record_id, _UNKNOWN)
        if document is _UNKNOWN and self.frozen is not None:
            document = self.frozen.documents.get(record_id, _UNKNOWN)
        if document is not _UNKNOWN:
            return document  # type: ignore[return-value]
        return self._find_in_runs(record_id)

    def at(self, record_id: str) -> Document:
        """Raises: RecordNotFound."""
        document = self.find(record_id)
        if document is None:
            raise RecordNotFound(record_id)
        return document

    def exists(self, record_id: str) -> bool:
        """Whether there is such a record; it is not read."""
        for layer in (self.delta, self.frozen):
            if layer is not None and record_id in layer.documents:
                return layer.documents[record_id] is not None
        for run in self.runs:
            if (ordinal := run.ordinal_of(record_id)) is not None:
                start, end = run.bounds(ordinal)
                return end > start
        return False

    def put(self, record_id: str, document: Mapping[str, Any] | None) -> None:
        """Insert or replace one document, or remove it with None. It is journalled already."""
        if self.counted:
            old = self._found[1] if self._found[0] == record_id else self.find(record_id)
            existed = old is not None
        else:
            old, existed = None, self.exists(record_id)
        new = Document(document, record_id) if document is not None else None  # type: ignore[arg-type]
        self._found = ("", None)
        for index, counts in self.counted.items():
            key_of = self.indexes[index]
            before, after = (key_of(old) if old is not None else None), (key_of(new) if new is not None else None)
            if before != after:
                if before is not None:
                    counts[before] -= 1
                if after is not None:
                    counts[after] += 1
        self.total += (new is not None) - existed
        self.version += 1
        self.delta.put(record_id, new)
        if new is None and not self._in_runs(record_id):
            self.delta.forget(record_id)

    def drop_known(self, record_id: str) -> None:
        """Remove a record that is there, of a table without counts: it is not looked for first."""
        self.total -= 1
        self.version += 1
        self.delta.put(record_id, None)
        if not self._in_runs(record_id):
            self.delta.forget(record_id)

    # ---- many records

    def find_by(self, index: str, key: str, limit: int | None = None) -> list[Document]:
        """Documents whose index key is `key`, the oldest runs' first, at most `limit`."""
        found = self._all_parsed(list(islice(self._in_runs_at(index, key), limit)))
        for layer, hidden in self._newer():
            for record_id in layer.ids_at(index, key):
                if limit is not None and len(found) >= limit:
                    return found
                if record_id not in hidden:
                    found.append(layer.documents[record_id])  # type: ignore[arg-type]  # an index names what is there
        return found

    def find_by_prefix(self, index: str, prefix: str, limit: int, *, last: bool = False) -> list[Document]:
        """The first `limit` documents in the order of keys that begin so; the `last`, the greatest key first."""
        candidates: list[tuple[bytes, str, TableRun | None, int]] = []
        for depth, run in enumerate(self.runs):
            if (keys := run.index(index)) is None:
                continue
            taken = 0
            all_places = keys.places_from(prefix.encode())
            places = iter(reversed(all_places) if last else all_places)
            while taken < limit and (some := list(islice(places, limit - taken))):
                ordinals = [keys.ordinal(place) for place in some]
                for place, ordinal, record_id in zip(some, ordinals, run.ids_at(ordinals), strict=True):
                    if not self._is_hidden(record_id, depth):
                        candidates.append((keys.key(place), record_id, run, ordinal))
                        taken += 1
        for layer, hidden in self._newer():
            taken = 0
            pairs = layer.ids_from(index, prefix)
            for key, record_id in reversed(list(pairs)) if last else pairs:
                if record_id in hidden:
                    continue
                candidates.append((key.encode(), record_id, None, 0))
                taken += 1
                if taken == limit:
                    break
        candidates.sort(key=lambda candidate: candidate[:2], reverse=last)
        del candidates[limit:]
        in_runs = [(run, ordinal, record_id) for _, record_id, run, ordinal in candidates if run is not None]
        parsed = iter(self._all_parsed(in_runs))
        return [self.at(record_id) if run is None else next(parsed) for _, record_id, run, _ in candidates]

    def ids_between(self, index: str, low: str, high: str, limit: int, *, last: bool = False) -> list[str]:
        """The ids of the first `limit` documents in the order of keys from `low` on, below `high`, none of them read;
        the `last`, the greatest key first."""
        found: list[tuple[bytes, str]] = []
        for depth, run in enumerate(self.runs):
            if (keys := run.index(index)) is None:
                continue
            places = keys.places_between(low.encode(), high.encode())
            pairs = ((keys.key(at), run.id_at(keys.ordinal(at))) for at in (reversed(places) if last else places))
            found += islice((pair for pair in pairs if not self._is_hidden(pair[1], depth)), limit)
        for layer, hidden in self._newer():
            newer = layer.ids_between(index, low, high, last=last)
            found += islice(((key.encode(), one) for key, one in newer if one not in hidden), limit)
        found.sort(reverse=last)
        return [record_id for _, record_id in found[:limit]]

    def find_by_text(self, piece: str, limit: int) -> list[Document]:
        """Documents whose text holds `piece`, at most `limit`; first those with a line that is it or begins so."""
        if not piece:
            return []
        exact, starts, inside = f"\n{piece}\n".encode(), f"\n{piece}".encode(), piece.encode()
        ranked: dict[str, tuple[int, bytes]] = {}
        for rank, wanted in enumerate((exact, starts, inside)):
            for record_id, text in self._with_text(wanted):
                if record_id not in ranked:
                    ranked[record_id] = (rank, text)
                    if len(ranked) == limit:
                        break
            if len(ranked) == limit:
                break
        return [self.at(record_id) for record_id, _ in sorted(ranked.items(), key=lambda item: item[1])]

    def ids_by(self, index: str, key: str) -> list[str]:
        """The ids of the documents whose index key is `key`; none of them is read."""
        found = [record_id for _, _, record_id in self._in_runs_at(index, key)]
        for layer, hidden in self._newer():
            found += [record_id for record_id in layer.ids_at(index, key) if record_id not in hidden]
        return found

    def count_by(self, index: str, key: str, at_most: int | None = None) -> int:
        """How many documents have this index key. With `at_most`, so many or more count as so many."""
        if index in self.counted:
            return self.counted[index][key]
        count = 0
        # Looked at first whether a run has the key at all: each change of a person asks for three that nobody shares.
        encoded = key.encode()
        for run in self.runs:
            if (keys := run.index(index)) is not None and keys.places_of(encoded):
                count = sum(1 for _ in islice(self._in_runs_at(index, key), at_most))
                break
        for layer, hidden in self._newer():
            if ids := layer.ids_at(index, key):
                count += sum(record_id not in hidden for record_id in ids) if hidden else len(ids)
        return count if at_most is None else min(count, at_most)

    def ids(self) -> Iterator[str]:
        """Every record's id, the oldest runs' first."""
        for depth, run in reversed(list(enumerate(self.runs))):
            for ordinal, (key, _) in enumerate(run.keys("ids").pairs()):
                start, end = run.bounds(ordinal)
                if end > start and not self._is_hidden(key.decode(), depth):
                    yield key.decode()
        for layer, hidden in self._newer():
            for record_id, document in list(layer.documents.items()):
                if document is not None and record_id not in hidden:
                    yield record_id

    def documents(self) -> Iterator[Document]:
        return (self.at(record_id) for record_id in self.ids())

    def __len__(self) -> int:
        return self.total

    # ---- for the database that owns this table

    def freeze(self) -> None:
        """Set the delta aside to be written as a run; what comes from now on goes into a new one."""
        assert self.frozen is None
        self.frozen, self.delta = self.delta, self._new_delta()

    def clear(self) -> None:
        """Forget what is newer than the runs, and all counts: other runs are about to take their place."""
        self.frozen, self.delta, self.total, self._found = None, self._new_delta(), 0, ("", None)
        self.version += 1
        for counts in self.counted.values():
            counts.clear()

    def counts(self) -> dict[str, Any]:
        return {"total": self.total, "by": {index: dict(+counts) for index, counts in self.counted.items()}}

    def set_counts(self, counts: Mapping[str, Any]) -> None:
        self.total = counts["total"]
        for index, known in self.counted.items():
            known.update(counts["by"].get(index, {}))

    # ---- inner steps

    def _new_delta(self) -> Delta:
        return Delta(self.indexes, self.text_of)

    def _find_in_runs(self, record_id: str) -> Document | None:
        found = None
        for run in self.runs:
            ordinal = run.ordinal_of(record_id)
            if ordinal is not None:
                found = self._parse(run, ordinal, record_id)
                break
        self._found = (record_id, found)
        return found

    def _parse(self, run: TableRun, ordinal: int, record_id: str) -> Document | None:
        body = run.body(ordinal)
        return Document(self.decode(body), record_id) if body else None  # type: ignore[arg-type]

    def _all_parsed(self, places: Sequence[tuple[TableRun, int, str]]) -> list[Document]:
        """The records at these places, none of them removed, in the same order."""
        body_of: dict[tuple[TableRun, int], bytes] = {}
        for run in dict.fromkeys(run for run, _, _ in places):
            ordinals = [ordinal for of, ordinal, _ in places if of is run]
            body_of.update(zip(((run, ordinal) for ordinal in ordinals), run.bodies_at(ordinals), strict=True))
        return [
            Document(self.decode(body_of[run, ordinal]), record_id)  # type: ignore[arg-type]  # our ids are text
            for run, ordinal, record_id in places
        ]

    def _in_runs(self, record_id: str) -> bool:
        return any(record_id in run for run in self.runs) or (
            self.frozen is not None and record_id in self.frozen.documents
        )

    def _is_hidden(self, record_id: str, depth: int) -> bool:
        """Whether something newer than the run at `depth` has a word on the record."""
        if record_id in self.delta.documents or (self.frozen is not None and record_id in self.frozen.documents):
            return True
        return any(record_id in run for run in self.runs[:depth])

    def _newer(self) -> list[tuple[Delta, Mapping[str, Any]]]:
        """What is newer than the runs, the older first, each with the ids that something newer has a word on."""
        newest: list[tuple[Delta, Mapping[str, Any]]] = [(self.delta, {})]
        return newest if self.frozen is None else [(self.frozen, self.delta.documents), *newest]

    def _in_runs_at(self, index: str, key: str) -> Iterator[tuple[TableRun, int, str]]:
        """Where the runs hold the records whose index key is `key`, the oldest runs' first."""
        encoded = key.encode()
        for depth in range(len(self.runs) - 1, -1, -1):
            run = self.runs[depth]
            if (keys := run.index(index)) is not None:
                for place in keys.places_of(encoded):
                    record_id = run.id_at(ordinal := keys.ordinal(place))
                    if not self._is_hidden(record_id, depth):
                        yield run, ordinal, record_id

    def _with_text(self, piece: bytes) -> Iterator[tuple[str, bytes]]:
        for depth, run in enumerate(self.runs):
            for ordinal in run.ordinals_with_text(piece) if run.has("texts") else ():
                record_id = run.id_at(ordinal)
                if not self._is_hidden(record_id, depth):
                    yield record_id, run.text(ordinal)
        for layer, hidden in self._newer():
            for record_id in layer.ids_with_text(piece):
                if record_id not in hidden:
                    yield record_id, layer.text(record_id)

    # ---- TinyDB's inner gates: everything its query API does passes through these

    def search(self, cond: QueryLike) -> list[Document]:
        index, value = self._indexed(cond)
        if index is not None:
            return [document for document in self.find_by(index, value) if cond(document)]
        return super().search(cond)

    def _indexed(self, cond: QueryLike) -> tuple[str | None, str]:
        """The index that answers `where(FIELD) == VALUE`, and the key; None where none does."""
        known = getattr(cond, "_hash", None)
        if isinstance(known, tuple) and len(known) == 3 and known[0] == "==" and isinstance(known[2], str):
            path = known[1]
            if len(path) == 1 and getattr(self.indexes.get(path[0]), "field", None) == path[0] and known[2]:
                return path[0], known[2]
        return None, ""

    def _read_table(self) -> dict[str, Mapping[str, Any]]:
        return _Reading(self)  # type: ignore[return-value]  # TinyDB only reads from it

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> None:
        if self._write is None:
            raise TypeError("this table is written by applying changes only")
        editing = _Editing(self)
        updater(editing)  # type: ignore[arg-type]  # it behaves as the dict of all documents
        if changed := editing.changed():
            self._write(self.name, changed)
        self.clear_cache()

    def to_key(self, doc_id: Any) -> str:
        """The record id of a TinyDB document id."""
        return str(doc_id)

    def to_doc_id(self, record_id: str) -> Any:
        return record_id


class NumberedTable(RecordTable):
    """A table with TinyDB's own ids: 1, 2, 3, in the order of inserting."""

    document_id_class = int  # type: ignore[assignment]
    _last: int | None = None

    def to_key(self, doc_id: Any) -> str:
        return f"{int(doc_id):012d}"

    def to_doc_id(self, record_id: str) -> int:
        return int(record_id)

    def put(self, record_id: str, document: Mapping[str, Any] | None) -> None:
        number = int(record_id)
        if number <= self.last_number() or document is None:
            super().put(record_id, document)
            return
        self._last = number  # above all that were given, so none of that number is looked for
        self.total += 1
        self.delta.put(record_id, Document(document, record_id))  # type: ignore[arg-type]  # our ids are text

    def last_number(self) -> int:
        """The highest id that was given and is still known; 0 in an empty table."""
        if self._last is None:
            layers = [layer.documents for layer in (self.delta, self.frozen) if layer is not None and layer.documents]
            ids = [run.id_at(run.count - 1) for run in self.runs if run.count] + [max(layer) for layer in layers]
            self._last = int(max(ids, default="0"))
        return self._last

    def truncate(self) -> None:
        super().truncate()
        self._next_id = 1  # type: ignore[assignment]

    def _get_next_id(self) -> int:
        number = self._next_id or self.last_number() + 1
        self._next_id = number + 1  # type: ignore[assignment]  # TinyDB's own annotation says None
        return number


class _Reading(Mapping[Any, Mapping[str, Any]]):
    """All documents of a table, each parsed when it is looked at. TinyDB asks with text ids."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table

    def __getitem__(self, doc_id: Any) -> Mapping[str, Any]:
        try:
            document = self._table.find(self._table.to_key(doc_id))
        except ValueError:  # no id at all, such as NaN
            document = None
        if document is None:
            raise KeyError(doc_id)
        return document

    def __iter__(self) -> Iterator[Any]:
        return (str(self._table.to_doc_id(record_id)) for record_id in self._table.ids())

    def __len__(self) -> int:
        return len(self._table)


class _Editing(MutableMapping[Any, Any]):
    """All documents of a table as TinyDB's updaters want to change them; knows afterwards what they changed."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table
        self._touched: dict[str, dict[str, Any] | None] = {}

    def __getitem__(self, doc_id: Any) -> Any:
        key = self._table.to_key(doc_id)
        if key not in self._touched:
            document = self._table.find(key)
            if document is None:
                raise KeyError(doc_id)
            self._touched[key] = copy.deepcopy(dict(document))
        if (editable := self._touched[key]) is None:
            raise KeyError(doc_id)
        return editable

    def __setitem__(self, doc_id: Any, document: Any) -> None:
        self._touched[self._table.to_key(doc_id)] = dict(document)

    def __delitem__(self, doc_id: Any) -> None:
        self[doc_id]
        self._touched[self._table.to_key(doc_id)] = None

    def __contains__(self, doc_id: object) -> bool:
        key = self._table.to_key(doc_id)
        return self._touched[key] is not None if key in self._touched else self._table.find(key) is not None

    def __iter__(self) -> Iterator[Any]:
        known = [record_id for record_id in self._table.ids() if self._touched.get(record_id, _UNKNOWN) is not None]
        added = [key for key, document in self._touched.items() if document is not None and key not in set(known)]
        return iter([self._table.to_doc_id(key) for key in known + added])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def changed(self) -> dict[str, dict[str, Any] | None]:
        return {key: document for key, document in self._touched.items() if document != self._table.find(key)}
