"""Sorted keys as bytes: what one index of one run looks like on disk and in memory.

    section = count u32 | ends u32 * count | ordinals u32 * count | keys

Invariants:
- keys are UTF-8 and sorted by their bytes, which is the order of their code points;
- a search reads a few keys, however many there are, and parses none of the records.

Decision 2026-11-24: bytes and two arrays instead of Python lists, because a list of 100,000 keys takes 60 ms and 12 MB
to build in the browser, these take one copy.
"""

import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

_COUNT = struct.Struct("<I")
AFTER_ANY_SUFFIX = b"\xff"  # no byte of UTF-8


def numbers(data: bytes) -> "array[int]":
    """Read 32-bit numbers, little endian."""
    values = array("I")
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def number_bytes(values: "array[int]") -> bytes:
    if sys.byteorder == "big":
        values = array("I", values)
        values.byteswap()
    return values.tobytes()


class KeySection:
    """The keys of one index, each with the ordinal of its record in the run."""

    def __init__(self, data: bytes) -> None:
        (self.count,) = _COUNT.unpack_from(data)
        ends_at, ordinals_at, keys_at = 4, 4 + 4 * self.count, 4 + 8 * self.count
        self._ends = numbers(data[ends_at:ordinals_at])
        self._ordinals = numbers(data[ordinals_at:keys_at])
        self._keys = data[keys_at:]

    def key(self, place: int) -> bytes:
        return self._keys[self._ends[place - 1] if place else 0 : self._ends[place]]

    def ordinal(self, place: int) -> int:
        return self._ordinals[place]

    def places_of(self, key: bytes) -> range:
        """The places at which exactly this key stands."""
        start = self._find(key)
        end = start
        while end < self.count and self.key(end) == key:
            end += 1
            if end - start == 16:  # a key that many records share: not one by one
                end = self._find(key + b"\0")
                break
        return range(start, end)

    def places_from(self, prefix: bytes) -> range:
        """The places of all keys that begin so."""
        return range(self._find(prefix), self._find(prefix + AFTER_ANY_SUFFIX))

    def pairs(self) -> Iterator[tuple[bytes, int]]:
        """Every key with its ordinal, in order."""
        start = 0
        for end, ordinal in zip(self._ends, self._ordinals, strict=True):
            yield self._keys[start:end], ordinal
            start = end

    def _find(self, key: bytes) -> int:
        return bisect_left(range(self.count), key, key=self.key)


class KeySectionBuilder:
    """Collects keys that come in order."""

    def __init__(self) -> None:
        self._keys = bytearray()
        self._ends = array("I")
        self._ordinals = array("I")

    def add(self, key: bytes, ordinal: int) -> None:
        self._keys += key
        self._ends.append(len(self._keys))
        self._ordinals.append(ordinal)

    def to_bytes(self) -> bytes:
        parts = (_COUNT.pack(len(self._ends)), number_bytes(self._ends), number_bytes(self._ordinals), self._keys)
        return b"".join(parts)


def build_key_section(pairs: Iterable[tuple[bytes, int]]) -> bytes:
    builder = KeySectionBuilder()
    for key, ordinal in pairs:
        builder.add(key, ordinal)
    return builder.to_bytes()
