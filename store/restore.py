"""Put a backup back: one rename, or nothing happened.

Invariants: those of backup.py.

The audit is never shortened: it is put back, file by file, only where the one that is there ends earlier; each of those
files goes on from the one before, so that stopping between two leaves a whole chain.

Staff and devices and the clinic's CA come before the store: stopped between, the hub knows who may open it, or nothing
has happened. An older state of staff and devices replaces none that goes on from it (beside.py).

How one rename can do it: a store is what its newest journal says (manifest.py). The runs of the backup are written
under numbers that no file has, where nobody looks at them; then one journal with the highest number of all is written
beside, naming those runs, and is renamed. From that moment on it is the newest.
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from store.audit_months import end_of
from store.backup import BackupManifest, BackupRefused, read_backup
from store.beside import is_replaced
from store.changes import World
from store.check import open_audit, read_change_ids
from store.database import ENTRIES, Entry
from store.errors import JournalTooNew, JournalUnreadable
from store.hub_database import HubDatabase
from store.journal import HEADER, Journal, encode_frame
from store.manifest import Manifest, is_store_file, journal_name, journal_numbers, run_name, run_numbers
from store.snapshot import NoStore, SnapshotFile, open_snapshot
from store.storage import open_private, sync_folder

_PIECE_BYTES = 1024 * 1024
_JOURNAL_BESIDE, _FILE_BESIDE = "restoring.part", "restored.part"


async def restore_backup(folder: Path, file: Path, world: World) -> tuple[BackupManifest, Path | None]:
    """Make the backup the hub's store in `folder`; returns what it was, and where the store is that it replaced.

    The caller owns the folder: no hub runs on it. Raises: BackupRefused, StorageFailed, JournalTooNew, OSError.
    """
    backup = read_backup(file)
    parts, audit, others = (
        {part.name: SnapshotFile(file, part.start, part.size) for part in kind}
        for kind in (backup.parts, backup.audit, backup.beside)
    )
    try:
        await _refuse_newer(folder, world, backup, parts)
        return backup, _put_back(folder, world, backup, parts, audit, others)
    finally:
        for part in (*parts.values(), *audit.values(), *others.values()):
            part.close_now()


async def _refuse_newer(
    folder: Path, world: World, backup: BackupManifest, parts: Mapping[str, SnapshotFile]
) -> None:
    """Raises: BackupRefused when the present store knows what the backup does not."""
    head, exchanges = 0, 0
    present: Mapping[str, SnapshotFile]
    try:
        snapshot = await open_snapshot(folder, world)
        present, head = snapshot.parts(), snapshot.head
        exchanges = snapshot.tables.exchanges.last_number()
    except JournalTooNew:
        raise
    except (NoStore, JournalUnreadable):
        # Damaged is what backups are for. Whatever can still be read of it counts; all of it is kept beside anyway.
        snapshot = None
        present = {name: SnapshotFile(folder / name) for name in _store_files(folder)}
    try:
        unknown = read_change_ids(present) - read_change_ids(parts)
    finally:
        for part in present.values():
            part.close_now()
        if snapshot is not None:
            await snapshot.close()
    if unknown or head > backup.head or exchanges > backup.exchanges:
        raise BackupRefused("newer_data", unknown=len(unknown), head=head, backup_head=backup.head)


def _put_back(
    folder: Path,
    world: World,
    backup: BackupManifest,
    parts: Mapping[str, SnapshotFile],
    audit: Mapping[str, SnapshotFile],
    others: Mapping[str, SnapshotFile],
) -> Path | None:
    present, shorter_audit = _store_files(folder), _audit_to_replace(folder, backup)
    replacing = [name for name, source in others.items() if _is_other(folder, name, source)]
    replaced = [name for name in replacing if (folder / name).exists()]
    next_run = max(run_numbers(present), default=0) + 1
    run_by_old = {number: next_run + place for place, number in enumerate(backup.store.runs)}
    state = backup.store.state | {"next_device_seq": 1}
    journal = folder / journal_name(max(journal_numbers(present), default=0) + 1)
    manifest = Manifest(
        runs=tuple(run_by_old.values()),
        journal_from=journal_numbers([journal.name])[0],
        next_run=next_run + len(run_by_old),
        state=state,
    )
    beside, kept = folder / _JOURNAL_BESIDE, None
    try:
        beside.unlink(missing_ok=True)
        for old, new in run_by_old.items():
            _copy(parts[run_name(old)], folder / run_name(new))
        _write_journal(beside, world, backup, manifest, parts)
        before = [*present, *(shorter_audit or ()), *replaced]
        kept = _keep_beside(folder, before, world.now()) if before else None
        for name in replacing:
            _put_file_back(folder, name, others[name])
        if shorter_audit is not None:
            _put_audit_back(folder, shorter_audit, audit)
        sync_folder(folder)
        os.replace(beside, journal)  # this is the moment
        sync_folder(folder)
    except BaseException:
        if not journal.exists():
            for name in [_JOURNAL_BESIDE, _FILE_BESIDE, *map(run_name, run_by_old.values())]:
                (folder / name).unlink(missing_ok=True)
            if kept is not None and not (shorter_audit or replaced):
                shutil.rmtree(kept, ignore_errors=True)
        raise
    _remove_replaced(folder, present)
    return kept


def _audit_to_replace(folder: Path, backup: BackupManifest) -> list[str] | None:
    """The files of an audit that ends before the backup's does; None where it is to stay."""
    files = open_audit(folder)
    try:
        return list(files) if end_of(files).seq < backup.audit_head.seq else None
    finally:
        for file in files.values():
            file.close_now()


def _put_audit_back(folder: Path, present: list[str], audit: Mapping[str, SnapshotFile]) -> None:
    for name in present:
        if name not in audit:
            (folder / name).unlink()
    for name, source in sorted(audit.items()):
        _put_file_back(folder, name, source)


def _is_other(folder: Path, name: str, source: SnapshotFile) -> bool:
    try:
        present = (folder / name).read_bytes()
    except FileNotFoundError:
        return True
    return is_replaced(name, present, source.read(0, source.size()))


def _put_file_back(folder: Path, name: str, source: SnapshotFile) -> None:
    beside, target = folder / _FILE_BESIDE, folder / name
    beside.unlink(missing_ok=True)
    _copy(source, beside)
    if not target.parent.exists():
        target.parent.mkdir(mode=0o700)
        sync_folder(folder)
    os.replace(beside, target)
    sync_folder(target.parent)


def _copy(source: SnapshotFile, target: Path) -> None:
    with open_private(target) as out:
        at = 0
        while data := source.read(at, _PIECE_BYTES):
            out.write(data)
            at += len(data)
        out.flush()
        os.fsync(out.fileno())


def _write_journal(
    path: Path, world: World, backup: BackupManifest, manifest: Manifest, parts: Mapping[str, SnapshotFile]
) -> None:
    """One journal for all of the backup's, with a first frame that makes it another store than the one copied."""
    first = {
        "schema": backup.schema_version,
        "role": HubDatabase.role,
        "device_id": world.make_record_id(),
        "generation": world.make_record_id(),
        "manifest": manifest.model_dump(mode="json"),
    }
    with open_private(path) as out:
        out.write(HEADER + encode_frame(ENTRIES.dump_json([Entry(e="store", data=first)], exclude_none=True)))
        for number in journal_numbers(list(parts)):
            for payload in Journal(parts[journal_name(number)]).frames():
                entries = ENTRIES.validate_json(payload)
                # Whose store it is and of which files, the first frame says.
                kept = [entry for entry in entries if entry.e not in ("store", "runs", "hub")]
                if len(kept) == len(entries):
                    out.write(encode_frame(payload))
                elif kept:
                    out.write(encode_frame(ENTRIES.dump_json(kept, exclude_none=True)))
        out.flush()
        os.fsync(out.fileno())


def _store_files(folder: Path) -> list[str]:
    """Every file of a store in the folder, the one of the first version too."""
    if not folder.is_dir():
        return []
    return sorted(e.name for e in folder.iterdir() if is_store_file(e.name) or e.name == HubDatabase.schema_1_file)


def _keep_beside(folder: Path, present: list[str], now: datetime) -> Path:
    kept = folder / f"replaced-{now:%Y%m%d-%H%M%S}"
    place, number = kept, 1
    while place.exists():
        place, number = kept.with_name(f"{kept.name}-{number}"), number + 1
    place.mkdir(mode=0o700)
    for name in present:
        (place / name).parent.mkdir(mode=0o700, exist_ok=True)
        try:
            os.link(folder / name, place / name)
        except OSError:  # a file system without second names
            shutil.copy2(folder / name, place / name)
    sync_folder(place)
    return place


def _remove_replaced(folder: Path, present: list[str]) -> None:
    # First the file of the first version: as long as it is there, a start would take it for the newest.
    if HubDatabase.schema_1_file in present:
        (folder / HubDatabase.schema_1_file).unlink()
        sync_folder(folder)
    for name in present:
        with suppress(OSError):  # the hub removes what it does not need
            (folder / name).unlink(missing_ok=True)
