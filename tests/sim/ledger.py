"""What was promised to whom, noted the moment it is promised, outside of every machine.

Invariants:
- a promise is noted in the same step in which it is given, so that no crash comes between;
- the first broken rule ends the world; the rest of the story is its consequence.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from store.changes import HUB_MADE_KINDS, Change
from store.protocol import NumberedChange
from tests.sim.loop import VirtualLoop


class RuleBroken(Exception):
    """The product did what it must never do; the message says which rule."""


@dataclass
class Promise:
    """A change that a store called recorded."""

    change: Change
    device: str
    label: str


def is_shared(label: str) -> bool:
    """Rows of one roster carry the same label on every device that imports it."""
    return label.startswith("r")


def label_of(payload: dict[str, Any]) -> str:
    """What nurses.py put into the payload so that one edit is told from all others; empty where it put nothing."""
    return str(payload.get("manufacturer") or payload.get("reason") or payload.get("note") or payload.get("name") or "")


def records_of(changes: Iterable[Change]) -> set[str]:
    """The records that changes speak of, those in the rows of a batch or of an export, and those let go of it, too."""
    records = set[str]()
    for change in changes:
        rows = change.payload.get("rows", ()) or change.payload.get("results", ())
        released = change.payload.get("record_ids", ())
        records |= {change.record_id, *released, *(row["record_id"] for row in rows)}
    return records


class Ledger:
    """The memory of one world."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.story: list[str] | None = None
        self.broken = ""
        self.when_broken: Callable[[], None] = lambda: None
        self.promises: dict[str, Promise] = {}
        self.lost_with_device: set[str] = set()
        self.notes: dict[str, dict[str, set[str]]] = {}  # by device and note: what it may say
        self.tried: set[str] = set()
        self.refused: set[str] = set()
        self.seq_by_change: dict[str, int] = {}
        self.was_at_hub: dict[str, Change] = {}  # and may be no more, where the hub was put back
        self.untold: set[str] = set()  # records on which a hub that was put back forgot what it had told CDC
        self.gone_from_device: set[str] = set()  # with a store that was evicted or put back: only the hub has them
        self.change_by_seq: dict[int, str] = {}
        self.hub_restored = False
        self._last_word: dict[str, str] = {}
        self._sent_body: dict[str, bytes] = {}
        self.counts: dict[str, int] = {}

    # ---- the story

    def tell(self, who: str, what: str) -> None:
        if self.story is not None:
            self.story.append(f"{self._loop.time():10.3f} {self._loop.steps:6} {who:9} {what}")

    def count(self, what: str, times: int = 1) -> None:
        """Count what must happen now and then, or the world proves nothing."""
        self.counts[what] = self.counts.get(what, 0) + times

    def check(self, holds: bool, rule: str) -> None:
        """Note the first broken rule. It does not raise here: the product would catch it as a failure of its own."""
        if not holds and not self.broken:
            self.broken = rule
            self.tell("RULE", rule)
            self.when_broken()

    # ---- promises

    def recorded(self, device: str, changes: Iterable[Change]) -> None:
        for change in changes:
            self.promises[change.change_id] = Promise(change, device, label_of(change.payload))

    def device_was_replaced(self, device: str) -> None:
        """What only that device held is gone with it, and nobody can be blamed."""
        self.notes.pop(device, None)
        for change_id, promise in self.promises.items():
            if promise.device != device:
                continue
            self.gone_from_device.add(change_id)
            if change_id not in self.seq_by_change and change_id not in self.lost_with_device:
                self.lost_with_device.add(change_id)
                self.count("lost with an evicted device")

    def hub_was_restored(self, log: Iterable[NumberedChange]) -> None:
        """The numbers given since the backup are void; the changes are not: the devices that made them have them.

        `log` is what the hub held before. The hub's own changes since the backup are gone.
        """
        self.hub_restored = True
        self.was_at_hub.update((one.change.change_id, one.change) for one in log)
        self.seq_by_change.clear()
        self.change_by_seq.clear()

    def hub_opened(self, log: Iterable[NumberedChange]) -> None:
        """What an older copy of the hub still holds, it holds; what it and the device that made it lost is lost."""
        if not self.was_at_hub:
            return
        log = list(log)
        known = {one.change.change_id for one in log}
        lost = [one for change_id, one in self.was_at_hub.items() if change_id not in known]
        self.untold |= records_of(change for change in lost if change.kind in HUB_MADE_KINDS)
        for one in log:
            self.seq_by_change.setdefault(one.change.change_id, one.hub_seq)
            self.change_by_seq.setdefault(one.hub_seq, one.change.change_id)
        for change_id in self.gone_from_device:
            if change_id not in self.seq_by_change and change_id not in self.lost_with_device:
                self.lost_with_device.add(change_id)
                self.count("lost with a hub and a device")

    def hub_says(self, numbers: Iterable[tuple[str, int]], head: int) -> None:
        """The hub is about to tell somebody that these changes have these numbers."""
        for change_id, seq in numbers:
            if change_id not in self.seq_by_change:
                self.count("changes")
            known, owner = self.seq_by_change.setdefault(change_id, seq), self.change_by_seq.setdefault(seq, change_id)
            self.check(known == seq, f"the hub gave {change_id[-6:]} the numbers {known} and {seq}")
            self.check(owner == change_id, f"the hub gave number {seq} to {owner[-6:]} and {change_id[-6:]}")
            self.check(0 < seq <= head, f"the hub gave number {seq} above its head {head}")

    def upload_leaves(self, batch_id: str, body: bytes) -> None:
        """The law: again only after CDC said that it never saw the batch, and then the very same bytes."""
        word = self._last_word.get(batch_id)
        self.check(word in (None, "never seen"), f"batch {batch_id} was sent again without asking")
        self.check(self._sent_body.setdefault(batch_id, body) == body, f"batch {batch_id} was sent with other content")
        self.count("batches sent again" if word else "batches")
        self._last_word[batch_id] = "sent"

    def told_never_seen(self, batch_id: str) -> None:
        self._last_word[batch_id] = "never seen"
