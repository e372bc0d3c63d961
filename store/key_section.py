"""Sorted keys as bytes: what one index of one run looks like on disk and in memory.

    section = count u32 | width u32 | unique u32 | heads u64 each | [ends u32 each] | [ordinals u32 each] | keys

`width` is that of every key, or 0 where they differ: then `ends` tell where each key ends. Where keys are
unique there are no `ordinals`: that of a key is its place. `heads` are the first eight bytes of each key as numbers, so
that a search runs in C but for its last steps.

Invariants:
- keys are UTF-8 and sorted by their bytes, which is the order of their code points;
- a search reads a few keys, however many there are, and parses none of the records.

Decision 2026-11-24: bytes and arrays instead of Python lists, because a list of 100,000 keys takes 60 ms and 12 MB to
build in the browser, these take one copy.
"""

import struct
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate, chain, islice

_HEAD = struct.Struct("<III")
KEY_SECTION_HEAD_BYTES = _HEAD.size
_TAKEN_AT_ONCE = 512
_NOWHERE = range(0)
AFTER_ANY_SUFFIX = b"\xff"  # no byte of UTF-8


def numbers(data: bytes, code: str = "I") -> "array[int]":
    """Read unsigned little-endian numbers: of 32 bits ("I") or 64 ("Q")."""
    values = array(code)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def number_bytes(values: "array[int]") -> bytes:
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()


def first_key_at(head: bytes) -> tuple[int, int]:
    """Of a section of unique keys, by its first bytes: where the keys begin, and their width, 0 where it varies."""
    count, width, _ = _HEAD.unpack(head)
    return _HEAD.size + 8 * count, width


class KeySection:
    """The keys of one index, each with the ordinal of its record in the run."""

    def __init__(self, data: bytes) -> None:
        self.count, self._width, unique = _HEAD.unpack_from(data)
        at = _HEAD.size
        self._heads, at = numbers(data[at : at + 8 * self.count], "Q"), at + 8 * self.count
        self._ends = self._ordinals = None
        if not self._width:
            self._ends, at = numbers(data[at : at + 4 * self.count]), at + 4 * self.count
        if not unique:
            self._ordinals, at = numbers(data[at : at + 4 * self.count]), at + 4 * self.count
        self._keys = data[at:]
        self._last = self.key(self.count - 1) if self.count else b""
        self._first_number = self._number_of_first() if unique and self._width and self.count else None

    def key(self, place: int) -> bytes:
        if self._ends is None:
            return self._keys[place * self._width : (place + 1) * self._width]
        return self._keys[self._ends[place - 1] if place else 0 : self._ends[place]]

    def ordinal(self, place: int) -> int:
        return place if self._ordinals is None else self._ordinals[place]

    def place_of(self, key: bytes) -> int | None:
        """The place of this key, where every key stands once."""
        if self._first_number is not None and key.isdigit():
            place = int(key) - self._first_number
            if 0 <= place < self.count and self.key(place) == key:
                return place
        low, high = self._bucket(key)
        place = bisect_left(range(high), key, low, key=self.key) if low < high else high
        return place if place < high and self.key(place) == key else None

    def places_of(self, key: bytes) -> range:
        """The places at which exactly this key stands."""
        low, high = self._bucket(key)
        if low == high:
            return _NOWHERE
        end = low = bisect_left(range(high), key, low, key=self.key)
        while end < high and self.key(end) == key:
            end += 1
            if end - low == 16:  # a key that many records share: not one by one
                end = bisect_left(range(high), key + b"\0", end, key=self.key)
                break
        return range(low, end)

    def places_from(self, prefix: bytes) -> range:
        """The places of all keys that begin so."""
        return range(self._find(prefix), self._find(prefix + AFTER_ANY_SUFFIX))

    def places_between(self, low: bytes, high: bytes) -> range:
        """The places of all keys from `low` on, below `high`."""
        return range(self._find(low), self._find(high))

    def pairs(self) -> Iterator[tuple[bytes, int]]:
        """Every key with its ordinal, in order."""
        data, width = self._keys, self._width
        if self._ends is None:
            keys = (data[start : start + width] for start in range(0, self.count * width, width or 1))
        else:
            keys = (data[start:end] for start, end in zip(chain((0,), self._ends), self._ends, strict=False))
        return zip(keys, range(self.count) if self._ordinals is None else self._ordinals, strict=True)

    def _number_of_first(self) -> int | None:
        """The first key as a number where the keys are numbers without gaps: those are found without searching."""
        first = self.key(0)
        is_dense = first.isdigit() and self._last.isdigit() and int(self._last) - int(first) == self.count - 1
        return int(first) if is_dense else None

    def _find(self, key: bytes) -> int:
        low, high = self._bucket(key)
        return bisect_left(range(high), key, low, key=self.key) if low < high else low

    def _bucket(self, key: bytes) -> tuple[int, int]:
        """Where keys with the same first eight bytes begin and end; twice where they would begin if there are none."""
        if key > self._last:  # as nearly every new id that begins with the time
            return self.count, self.count
        head = int.from_bytes(key[:8].ljust(8, b"\0"), "big")
        low = bisect_left(self._heads, head)
        if low == self.count or self._heads[low] != head:
            return low, low
        return low, bisect_right(self._heads, head, low)


class KeySectionBuilder:
    """Collects keys that come in order. `unique`: each stands once, and its place is its ordinal."""

    def __init__(self, *, unique: bool = False) -> None:
        self._unique = unique
        self._keys = bytearray()
        self._ends, self._ordinals, self._heads = array("I"), array("I"), array("Q")
        self._widths: set[int] = set()
        self._next: list[tuple[bytes, int]] = []

    def add(self, key: bytes, ordinal: int) -> None:
        self._next.append((key, ordinal))
        if len(self._next) == _TAKEN_AT_ONCE:
            self._take()

    def extend(self, pairs: list[tuple[bytes, int]]) -> None:
        self._next += pairs
        self._take()

    def _take(self) -> None:
        """Take in what was added, by loops that run in C: one by one it was a third of the making of an index."""
        keys = [key for key, _ in self._next]
        widths = list(map(len, keys))
        self._ends.extend(islice(accumulate(widths, initial=len(self._keys)), 1, None))
        self._widths.update(widths)
        self._keys += b"".join(keys)
        heads = array("Q", b"".join([key[:8].ljust(8, b"\0") for key in keys]))
        if sys.byteorder == "little":
            heads.byteswap()
        self._heads += heads
        if not self._unique:
            self._ordinals.extend([ordinal for _, ordinal in self._next])
        self._next = []

    def to_bytes(self) -> bytes:
        self._take()
        width = self._widths.pop() if len(self._widths) == 1 else 0
        head = _HEAD.pack(len(self._ends), width, int(self._unique))
        parts = [number_bytes(self._heads), b"" if width else number_bytes(self._ends), number_bytes(self._ordinals)]
        return b"".join((head, *parts, self._keys))
