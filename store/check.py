"""Read everything a store holds and name whatever is not as it was written.

Invariants:
- nothing is changed, and the store's owner may go on writing meanwhile;
- every byte is looked at: each frame of each journal, each section and each body of each run;
- a damaged record is named by table and record id, a damaged stretch of a journal by its place;
- the chain of the audit is proved from its first entry to the last that the store remembers.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from zlib import crc32

from pydantic import ValidationError

from store.audit import AuditHead
from store.audit_check import AuditCheck
from store.audit_months import month_names
from store.changes import World
from store.database import ENTRIES
from store.errors import AppError, JournalUnreadable
from store.journal import Journal
from store.manifest import journal_name, journal_numbers, run_numbers
from store.record_table import RecordTable
from store.run import Run, TableRun
from store.snapshot import SnapshotFile, SnapshotFolder, open_snapshot
from store.storage import StorageFile
from store.tables import Tables


@dataclass(frozen=True)
class Damage:
    """One thing that is not as it was written.

    Shape: `what` is "record", "section", "run", "frame", "numbers", "store" or "audit"; `place` is within `file`, such
    as "patients/0af3...", "bytes 512-1024", "hub numbers 7-9" or "entry 12: altered".
    """

    what: str
    file: str
    place: str


@dataclass
class Findings:
    """What a check has read. Units: bytes. Nobody was told about the `unfinished_bytes` at the newest journal's end."""

    damages: list[Damage] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    head: int = 0
    files: int = 0
    bytes: int = 0
    unfinished_bytes: int = 0

    @property
    def has_torn_frames(self) -> bool:
        return any(damage.what == "frame" for damage in self.damages)


async def check_store(path: Path, world: World) -> Findings:
    """Read the hub's store in a folder. Raises: NoStore, JournalTooNew, StorageFailed."""
    findings = Findings()
    try:
        snapshot = await open_snapshot(path, world)
    except JournalUnreadable as error:
        findings.damages.append(Damage("store", "", str(error)))
        check_audit(open_audit(path), AuditHead(), findings)
        folder = SnapshotFolder(path)
        files = {name: await folder.open(name) for name in sorted(await folder.names())}
        check_files(files, findings)
        await folder.close()
        return findings
    try:
        files = snapshot.parts()
        numbers = check_files(files, findings)
        findings.head = snapshot.head
        newest = journal_name(max(journal_numbers(list(files))))
        for name, file in files.items():
            if name == newest:
                findings.unfinished_bytes = file.cut_off_bytes
            elif file.cut_off_bytes:
                end = file.size() + file.cut_off_bytes
                findings.damages.append(Damage("frame", name, f"bytes {file.size()}-{end}"))
        findings.damages += _missing_numbers(numbers, snapshot.head)
        findings.counts = {table.name: len(table) for table in snapshot.tables.record_tables()}
        anchor = snapshot.audit_head
    finally:
        await snapshot.close()
    # After the store, since a running hub writes an entry first and then remembers it in there.
    check_audit(open_audit(path), anchor, findings)
    return findings


def open_audit(path: Path) -> dict[str, SnapshotFile]:
    """The files of the audit in a folder, in order. Raises: StorageFailed."""
    names = month_names([entry.name for entry in path.iterdir()]) if path.is_dir() else []
    return {name: SnapshotFile(path / name) for name in names}


def check_audit(files: Mapping[str, SnapshotFile], anchor: AuditHead, findings: Findings) -> AuditHead:
    """Prove the chain, and close its files; returns its end. `anchor` is an entry it is known to have reached."""
    check = AuditCheck(anchor)
    findings.damages += [Damage("audit", file, place) for file, place in check.damages(files)]
    findings.counts["audit"] = check.head.seq
    findings.unfinished_bytes += check.unfinished_bytes
    for file in files.values():
        findings.files += 1
        findings.bytes += file.size()
        file.close_now()
    return check.head


def check_files(files: Mapping[str, StorageFile], findings: Findings) -> set[int]:
    """Look through each file; returns the hub numbers of all changes met."""
    numbers: set[int] = set()
    newest = journal_name(max(journal_numbers(list(files)), default=0))
    for name, file in files.items():
        findings.files += 1
        findings.bytes += file.size()
        if run_numbers([name]):
            findings.damages += _check_run(name, file, numbers)
        else:
            findings.damages += _check_journal(name, file, numbers, findings, is_newest=name == newest)
    return numbers


def read_change_ids(files: Mapping[str, StorageFile]) -> set[str]:
    """The ids of all changes that can still be read in a store's files."""
    found: set[str] = set()
    for name, file in files.items():
        with suppress(AppError):
            if run_numbers([name]):
                table = Run(file, run_numbers([name])[0]).tables.get("changes")
                keys = table.keys("index change_id").pairs() if table is not None else ()
                found.update(key.decode() for key, _ in keys)
                continue
            for payload in Journal(file).frames():
                found.update(e.change.change_id for e in ENTRIES.validate_json(payload) if e.change is not None)
    return found


def _check_journal(
    name: str, file: StorageFile, numbers: set[int], findings: Findings, *, is_newest: bool
) -> Iterator[Damage]:
    journal = Journal(file)
    try:
        for number, payload in enumerate(journal.frames()):
            try:
                entries = ENTRIES.validate_json(payload)
            except ValidationError:
                yield Damage("frame", name, f"frame {number}")
                continue
            numbers.update(entry.hub_seq for entry in entries if entry.change is not None and entry.hub_seq is not None)
    except AppError as error:
        yield Damage("store", name, str(error))
    for stretch in journal.recovery.dropped:
        if stretch.at_end and is_newest:
            findings.unfinished_bytes = stretch.length
        else:
            yield Damage("frame", name, f"bytes {stretch.offset}-{stretch.offset + stretch.length}")


def _check_run(name: str, file: StorageFile, numbers: set[int]) -> Iterator[Damage]:
    try:
        run = Run(file, run_numbers([name])[0])
    except (JournalUnreadable, ValueError, KeyError) as error:
        yield Damage("run", name, str(error) if isinstance(error, JournalUnreadable) else "footer")
        return
    for table_name, table in run.tables.items():
        sections = list(_damaged_sections(name, table_name, table))
        yield from sections
        if any(damage.place.split("/")[1] in ("ids", "ends", "crcs") for damage in sections):
            continue  # without these no body can be told from the next
        yield from _check_bodies(name, table_name, table)
        if table_name == "changes":
            numbers.update(int(key) for key, _ in table.keys("ids").pairs())


def _damaged_sections(name: str, table_name: str, table: TableRun) -> Iterator[Damage]:
    for section in table._places:
        try:
            table.section(section)
        except JournalUnreadable:
            yield Damage("section", name, f"{table_name}/{section}")


def _check_bodies(name: str, table_name: str, table: TableRun) -> Iterator[Damage]:
    crcs, of = table.array("crcs"), Tables().table(table_name)
    for ordinal, body in enumerate(table.bodies()):
        if crc32(body) != crcs[ordinal] or not _is_record(of, body):
            yield Damage("record", name, f"{table_name}/{table.id_at(ordinal)}")


def _is_record(table: RecordTable, body: bytes) -> bool:
    if not body:
        return True  # removed
    try:
        table.decode(body)
    except (ValueError, TypeError, KeyError):
        return False
    return True


def _missing_numbers(numbers: set[int], head: int) -> Iterator[Damage]:
    """The hub gives numbers without gaps, so those that are nowhere stood in something that is lost."""
    missing = sorted(set(range(1, head + 1)) - numbers)
    for _, group in groupby(enumerate(missing), key=lambda pair: pair[1] - pair[0]):
        stretch = [number for _, number in group]
        yield Damage("numbers", "", f"hub numbers {stretch[0]}-{stretch[-1]}")
