"""The records of one table that are newer than its runs, in memory, with their indexes.

Invariants:
- the newest word on a record is here or in the newest run that holds it; what is here hides what a run says;
- a record that was removed is here as None until no run holds it any more.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tinydb.table import Document

KeyOf = Callable[[Mapping[str, Any]], str | None]
TextOf = Callable[[Mapping[str, Any]], str]


class Delta:
    """One table's newest records."""

    def __init__(self, indexes: Mapping[str, KeyOf], text_of: TextOf | None) -> None:
        self.documents: dict[str, Document | None] = {}
        self._key_by_index = indexes
        self._text_of = text_of
        self._indexes: dict[str, _Index] = {name: _Index() for name in indexes}
        self._texts: dict[str, bytes] = {}

    def put(self, record_id: str, document: Document | None) -> None:
        old = self.documents.get(record_id)
        self.documents[record_id] = document
        for name, key_of in self._key_by_index.items():
            before = key_of(old) if old is not None else None
            after = key_of(document) if document is not None else None
            if before != after:
                if before is not None:
                    self._indexes[name].remove(before, record_id)
                if after is not None:
                    self._indexes[name].add(after, record_id)
        if self._text_of is not None:
            if document is not None:
                self._texts[record_id] = b"\n%b\n" % self._text_of(document).encode()
            else:
                self._texts.pop(record_id, None)

    def forget(self, record_id: str) -> None:
        """Drop a removed record that no run holds."""
        del self.documents[record_id]

    def ids_at(self, index: str, key: str) -> Iterable[str]:
        return self._indexes[index].ids_by_key.get(key, ())

    def ids_from(self, index: str, prefix: str) -> Iterator[tuple[str, str]]:
        """Pairs of key and id of all keys that begin so, in order."""
        return self._indexes[index].pairs_from(prefix)

    def pairs(self, index: str) -> list[tuple[bytes, str]]:
        """All pairs of key and id, in the order in which a run keeps them."""
        return sorted((key.encode(), i) for key, ids in self._indexes[index].ids_by_key.items() for i in ids)

    def text(self, record_id: str) -> bytes:
        return self._texts.get(record_id, b"")

    def ids_with_text(self, piece: bytes) -> Iterator[str]:
        return (record_id for record_id, text in self._texts.items() if piece in text)


class _Index:
    def __init__(self) -> None:
        self.ids_by_key: dict[str, dict[str, None]] = {}
        self._sorted: list[str] | None = None  # made at the first query, then kept

    def add(self, key: str, record_id: str) -> None:
        ids = self.ids_by_key.get(key)
        if ids is None:
            ids = self.ids_by_key[key] = {}
            if self._sorted is not None:
                insort(self._sorted, key)
        ids[record_id] = None

    def remove(self, key: str, record_id: str) -> None:
        ids = self.ids_by_key[key]
        del ids[record_id]
        if not ids:
            del self.ids_by_key[key]
            if self._sorted is not None:
                del self._sorted[bisect_left(self._sorted, key)]

    def pairs_from(self, prefix: str) -> Iterator[tuple[str, str]]:
        if self._sorted is None:
            self._sorted = sorted(self.ids_by_key)
        for place in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            key = self._sorted[place]
            if not key.startswith(prefix):
                return
            for record_id in self.ids_by_key[key]:
                yield key, record_id
