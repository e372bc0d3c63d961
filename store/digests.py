"""What a device and its hub hold, in few bytes: whether they differ, and in which range of the hub's numbers.

Invariants:
- a digest is the exclusive or of change ids, so it does not depend on the order in which changes came;
- a device's own changes are left out on both sides: the hub does not bring them, it counts them (standing.py);
- a change is taken once under one number: whoever reads again from the start clears first.
"""

from collections.abc import Mapping, Sequence

RANGE_CHANGES = 4096


class RangeDigests:
    """By the device that made a change and by range. Shape: range n begins above the number n * RANGE_CHANGES."""

    def __init__(self) -> None:
        self._ranges: dict[str, list[int]] = {}
        self._totals: dict[str, int] = {}
        self._total = 0

    def add(self, hub_seq: int, device_id: str, change_id: str) -> None:
        self._toggle(device_id, (hub_seq - 1) // RANGE_CHANGES, int(change_id, 16))

    def total(self, except_device: str) -> str:
        """Shape: 32 hex digits."""
        return f"{self._total ^ self._totals.get(except_device, 0):032x}"

    def ranges(self, except_device: str) -> list[str]:
        """The same for each range, without those at the end that hold nothing."""
        found: list[int] = []
        for device_id, ranges in self._ranges.items():
            if device_id != except_device:
                found += [0] * (len(ranges) - len(found))
                for number, digest in enumerate(ranges):
                    found[number] ^= digest
        while found and not found[-1]:
            found.pop()
        return [f"{digest:032x}" for digest in found]

    def forget_range(self, number: int) -> None:
        """Take nothing as held in one range: it is about to be read again."""
        for device_id, ranges in self._ranges.items():
            if number < len(ranges):
                self._toggle(device_id, number, ranges[number])

    def clear(self) -> None:
        self.restore({})

    def state(self) -> dict[str, list[str]]:
        return {device_id: [f"{digest:x}" for digest in ranges] for device_id, ranges in self._ranges.items()}

    def restore(self, state: Mapping[str, Sequence[str]]) -> None:
        self._ranges, self._totals, self._total = {}, {}, 0
        for device_id, ranges in state.items():
            for number, digest in enumerate(ranges):
                self._toggle(device_id, number, int(digest, 16))

    def _toggle(self, device_id: str, number: int, digest: int) -> None:
        ranges = self._ranges.setdefault(device_id, [])
        ranges += [0] * (number + 1 - len(ranges))
        ranges[number] ^= digest
        self._totals[device_id] = self._totals.get(device_id, 0) ^ digest
        self._total ^= digest


def differing_ranges(ours: Sequence[str], theirs: Sequence[str]) -> list[int]:
    """The numbers of the ranges that are not alike. Shape: as `RangeDigests.ranges` gives them."""
    nothing = f"{0:032x}"
    count = max(len(ours), len(theirs))
    pad = [[*side, *[nothing] * (count - len(side))] for side in (ours, theirs)]
    return [number for number, (our, their) in enumerate(zip(*pad, strict=True)) if our != their]
