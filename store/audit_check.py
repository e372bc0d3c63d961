"""Prove the hub's chain, file after file, and name every place where it does not hold.

Invariants: those of check.py.
"""

from collections.abc import Iterator, Mapping

from store.audit import AuditAction, AuditEntry, AuditHead, as_told, fault_of, head_of
from store.audit_months import is_state, read_entries, read_state
from store.errors import AppError
from store.journal import Journal
from store.storage import StorageFile


class AuditCheck:
    """What reading the files of a chain, the oldest first, has shown so far."""

    def __init__(self, anchor: AuditHead) -> None:
        """`anchor`: an entry that was once the last, as it is remembered outside of the chain."""
        self._anchor = anchor
        self._by_device: dict[str, AuditHead] = {}
        self._excused: set[str] = set()  # devices of which the next entry was noted not to follow
        self.head = AuditHead()
        self.unfinished_bytes = 0

    def damages(self, files: Mapping[str, StorageFile]) -> Iterator[tuple[str, str]]:
        """Each as its file and the place in it. `files`: by their names, in order; all that the chain consists of."""
        newest = max(files, default="")
        for name, file in files.items():
            yield from ((name, place) for place in self._in_file(file, is_newest=name == newest))
        if self._anchor.seq > self.head.seq:
            yield newest, f"entries {self.head.seq + 1}-{self._anchor.seq}: cut_off"

    def _in_file(self, file: StorageFile, *, is_newest: bool) -> Iterator[str]:
        journal = Journal(file)
        try:
            for payload in journal.frames():
                if is_state(payload):
                    if read_state(payload).head != self.head:
                        yield f"state behind entry {self.head.seq}"
                    continue
                for entry in read_entries(payload):
                    yield from (f"entry {entry.seq}: {fault}" for fault in self._faults(entry))
        except AppError as error:
            yield str(error)
        for stretch in journal.recovery.dropped:
            if stretch.at_end and is_newest:
                self.unfinished_bytes = stretch.length
            else:
                yield f"bytes {stretch.offset}-{stretch.offset + stretch.length}"

    def _faults(self, entry: AuditEntry) -> Iterator[str]:
        if fault := fault_of(entry, self.head):
            yield fault
        if entry.seq == self._anchor.seq and entry.hash != self._anchor.hash:
            yield "written_anew"
        self.head = head_of(entry)
        if entry.what == AuditAction.CHAIN_BROKEN and entry.told is None and "device_id" in entry.about:
            self._excused.add(str(entry.about["device_id"]))
        elif entry.told is not None:
            before = self._by_device.get(entry.device_id, AuditHead())
            if (fault := fault_of(as_told(entry), before)) and entry.device_id not in self._excused:
                yield f"{fault} on the device"
            self._excused.discard(entry.device_id)
            self._by_device[entry.device_id] = AuditHead(seq=entry.told.seq, hash=entry.told.hash)
