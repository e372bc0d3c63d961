"""The records of one table that are newer than its runs, in memory, with their indexes.

Invariants:
- the newest word on a record is here or in the newest run that holds it; what is here hides what a run says;
- a record that was removed is here as None until no run holds it any more;
- an index costs nothing before it is asked: only then does it take in what came since it was asked last.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from tinydb.table import Document

KeyOf = Callable[[Mapping[str, Any]], str | None]
TextOf = Callable[[Mapping[str, Any]], str]


def framed(text: str) -> bytes:
    """A record's text as it is searched: each of its lines stands between line ends."""
    return b"\n%b\n" % text.encode()


class Delta:
    """One table's newest records."""

    def __init__(self, indexes: Mapping[str, KeyOf], text_of: TextOf | None) -> None:
        self.documents: dict[str, Document | None] = {}
        self._changed: list[str] = []  # record ids in the order of their changes, for the indexes
        self._indexes = {name: _Index(key_of) for name, key_of in indexes.items()}
        self._text_of = text_of
        self._texts: dict[str, bytes] = {}
        self._texts_seen = 0

    def put(self, record_id: str, document: Document | None) -> None:
        self.documents[record_id] = document
        self._changed.append(record_id)

    def forget(self, record_id: str) -> None:
        """Drop a removed record that no run holds."""
        del self.documents[record_id]

    def ids_at(self, index: str, key: str) -> Collection[str]:
        return self._index(index).ids_by_key.get(key, ())

    def ids_from(self, index: str, prefix: str) -> Iterator[tuple[str, str]]:
        """Pairs of key and id of all keys that begin so, in order."""
        return self._index(index).pairs_from(prefix)

    def ids_between(self, index: str, low: str, high: str, *, last: bool) -> Iterator[tuple[str, str]]:
        """Pairs of key and id of the keys from `low` on, below `high`, in order; the `last`, the greatest first."""
        return self._index(index).pairs_between(low, high, last)

    def text(self, record_id: str) -> bytes:
        return self._all_texts().get(record_id, b"")

    def ids_with_text(self, piece: bytes) -> Iterator[str]:
        return (record_id for record_id, text in self._all_texts().items() if piece in text)

    def _index(self, name: str) -> "_Index":
        index = self._indexes[name]
        if index.seen < len(self._changed):
            index.take_in(self._changed, self.documents)
        return index

    def _all_texts(self) -> dict[str, bytes]:
        if self._text_of is not None:
            for record_id in dict.fromkeys(self._changed[self._texts_seen :]):
                if (document := self.documents.get(record_id)) is not None:
                    self._texts[record_id] = framed(self._text_of(document))
                else:
                    self._texts.pop(record_id, None)
            self._texts_seen = len(self._changed)
        return self._texts


class _Index:
    def __init__(self, key_of: KeyOf) -> None:
        self._key_of = key_of
        self.seen = 0
        self.key_by_id: dict[str, str] = {}
        self.ids_by_key: dict[str, dict[str, None]] = {}
        self._sorted: list[str] | None = None  # made at the first query for a prefix, then kept

    def take_in(self, changed: list[str], documents: Mapping[str, Document | None]) -> None:
        for record_id in changed[self.seen :]:
            document = documents.get(record_id)
            before = self.key_by_id.get(record_id)
            after = self._key_of(document) if document is not None else None
            if before == after:
                continue
            if before is not None:
                self._remove(before, record_id)
            if after is not None:
                self._add(after, record_id)
        self.seen = len(changed)

    def _add(self, key: str, record_id: str) -> None:
        self.key_by_id[record_id] = key
        ids = self.ids_by_key.get(key)
        if ids is None:
            ids = self.ids_by_key[key] = {}
            if self._sorted is not None:
                insort(self._sorted, key)
        ids[record_id] = None

    def _remove(self, key: str, record_id: str) -> None:
        del self.key_by_id[record_id]
        ids = self.ids_by_key[key]
        del ids[record_id]
        if not ids:
            del self.ids_by_key[key]
            if self._sorted is not None:
                del self._sorted[bisect_left(self._sorted, key)]

    def pairs_between(self, low: str, high: str, last: bool) -> Iterator[tuple[str, str]]:
        keys = self._in_order()
        places = range(bisect_left(keys, low), bisect_left(keys, high))
        for place in reversed(places) if last else places:
            for record_id in sorted(self.ids_by_key[keys[place]], reverse=last):
                yield keys[place], record_id

    def _in_order(self) -> list[str]:
        if self._sorted is None:
            self._sorted = sorted(self.ids_by_key)
        return self._sorted

    def pairs_from(self, prefix: str) -> Iterator[tuple[str, str]]:
        keys = self._in_order()
        for place in range(bisect_left(keys, prefix), len(keys)):
            key = keys[place]
            if not key.startswith(prefix):
                return
            for record_id in sorted(self.ids_by_key[key]):
                yield key, record_id
