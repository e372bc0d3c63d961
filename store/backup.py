"""A backup: the whole store in one file, made while the hub runs, and put back as a whole or not at all.

    file = a tar archive: the files of the store, of the audit and what else a hub cannot do without (beside.py), by
           their names, then "manifest.json" with the SHA-256 of each

Invariants:
- a file under a backup's name is whole and was read again before it got the name; only its owner may read it;
- nothing is put back before all of the backup was read and found to be what was written;
- a store that knows something the backup does not is not replaced;
- putting back happens at one rename: stopped at any earlier moment, the store is what it was; the one replaced stays
  beside, in a folder of its own with the day and time;
- the store put back has a new generation and a new device id: devices see that it is not the one they knew, and its own
  changes are not taken for those that it made after the backup.

Decision 2026-11-25: the backup reads the store's files itself instead of asking the running hub over HTTP. It works the
same without a hub, and there is no address from which a web page or another program of the same PC could fetch the
clinic's patients. snapshot.py says why that is safe. On Windows an open file cannot be removed, so a hub may find a run
in use that it no longer needs; it removes it at its next checkpoint.

Decision 2026-11-25: tar, so that a clinic's files can be got out of a backup by any computer without this program.
"""

import hashlib
import io
import json
import os
import tarfile
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import AwareDatetime, BaseModel, ConfigDict

from store.audit import AuditHead
from store.audit_months import end_of, month_names
from store.beside import is_beside, names_beside
from store.changes import World
from store.check import Findings, check_files, open_audit
from store.database import SCHEMA_VERSION
from store.manifest import Manifest, is_store_file, run_name
from store.snapshot import Snapshot, SnapshotFile, open_snapshot
from store.storage import open_private, sync_folder

FORMAT = 1
MANIFEST = "manifest.json"
_PIECE_BYTES = 1024 * 1024
_TRIES = 5


class BackupRefused(Exception):
    """A backup is not made or not put back, for the reason `code`; nothing was changed."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


class Part(BaseModel):
    """One file of the store in a backup. Units: `start` and `size` in bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    start: int
    size: int
    sha256: str


class BackupManifest(BaseModel):
    """What a backup is of.

    Shape: `store` is the store's own manifest; `damages` counts what was damaged in it already when it was copied;
    `audit` are the files of the audit, in order, and `audit_head` the last entry in them; `beside` are those of
    beside.py.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int
    schema_version: int
    generation: str
    device_id: str
    head: int
    exchanges: int
    made_at: AwareDatetime
    damages: int
    store: Manifest
    parts: tuple[Part, ...]
    audit: tuple[Part, ...] = ()
    audit_head: AuditHead = AuditHead()
    beside: tuple[Part, ...] = ()


async def write_backup(folder: Path, file: Path, world: World) -> BackupManifest:
    """Copy the hub's store in `folder` into one file, whether or not its hub runs.

    Raises: NoStore, JournalUnreadable, JournalTooNew, StorageFailed; BackupRefused; OSError for the file.
    """
    beside = file.with_name(f"{file.name}.part")
    try:
        for _ in range(_TRIES):
            try:
                manifest = await _try_to_write(folder, beside, world)
            except _Unsteady:
                continue
            os.replace(beside, file)
            sync_folder(file.parent)
            return manifest
        raise BackupRefused("store_unsteady")
    finally:
        beside.unlink(missing_ok=True)


class _Unsteady(Exception):
    """The hub cut off an append that failed while its bytes were being copied."""


async def _try_to_write(folder: Path, beside: Path, world: World) -> BackupManifest:
    """Write one copy. Raises: _Unsteady."""
    snapshot = await open_snapshot(folder, world)
    try:
        return _write_copy(snapshot, folder, beside, world.now())
    finally:
        await snapshot.close()


def _write_copy(snapshot: Snapshot, folder: Path, beside: Path, made_at: datetime) -> BackupManifest:
    beside.unlink(missing_ok=True)
    with open_private(beside) as out:
        copy = _Writer(out, made_at)
        parts = [copy.add(name, file) for name, file in snapshot.parts().items()]
        out.flush()
        views = {part.name: SnapshotFile(beside, part.start, part.size) for part in parts}
        findings = Findings()
        numbers = check_files(views, findings)
        for view in views.values():
            view.close_now()
        # The store first: changes without an entry get one when it is opened.
        audit = open_audit(folder)
        audit_head = end_of(audit)
        audit_parts = [copy.add(name, file) for name, file in audit.items()]
        others = {name: SnapshotFile(folder / name) for name in names_beside(folder)}
        other_parts = [copy.add(name, file) for name, file in others.items()]
        for file in (*audit.values(), *others.values()):
            file.close_now()
        if findings.has_torn_frames and not snapshot.recovery.damaged:
            raise _Unsteady
        manifest = BackupManifest(
            format=FORMAT,
            schema_version=SCHEMA_VERSION,
            generation=snapshot.generation,
            device_id=snapshot.device_id,
            head=max([snapshot.head, *numbers]),
            exchanges=snapshot.tables.exchanges.last_number(),
            made_at=made_at,
            damages=len(findings.damages),
            store=snapshot.manifest,
            parts=tuple(parts),
            audit=tuple(audit_parts),
            audit_head=audit_head,
            beside=tuple(other_parts),
        )
        copy.finish(manifest)
    read_backup(beside)
    return manifest


class _Writer:
    """Writes the archive piece by piece, so that a store of any size fits into memory."""

    def __init__(self, out: BinaryIO, made_at: datetime) -> None:
        self._out = out
        self._tar = tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self.made_at = made_at

    def add(self, name: str, file: SnapshotFile) -> Part:
        source = _Hashed(file)
        self._tar.addfile(self._info(name, file.size()), source)  # type: ignore[arg-type]  # it only reads
        start = self._out.tell() - _padded(file.size())
        return Part(name=name, start=start, size=file.size(), sha256=source.digest.hexdigest())

    def finish(self, manifest: BackupManifest) -> None:
        text = manifest.model_dump_json(indent=1).encode()
        self._tar.addfile(self._info(MANIFEST, len(text)), io.BytesIO(text))
        self._tar.close()
        self._out.flush()
        os.fsync(self._out.fileno())

    def _info(self, name: str, size: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(self.made_at.timestamp())
        return info


class _Hashed:
    """A file read from its start, with the digest of what was read."""

    def __init__(self, file: SnapshotFile) -> None:
        self._file, self._at, self.digest = file, 0, hashlib.sha256()

    def read(self, length: int) -> bytes:
        data = self._file.read(self._at, length)
        if len(data) < min(length, self._file.size() - self._at):
            raise _Unsteady  # cut meanwhile
        self._at += len(data)
        self.digest.update(data)
        return data


def _padded(size: int) -> int:
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def read_backup(file: Path) -> BackupManifest:
    """Read all of a backup. Raises: BackupRefused where it is none, is damaged or of a newer version; OSError."""
    try:
        with tarfile.open(file, mode="r:") as tar:
            members = {member.name: member for member in tar.getmembers()}
            text = _read_member(tar, members[MANIFEST])
            known = json.loads(text)
            if known["format"] > FORMAT or known["schema_version"] > SCHEMA_VERSION:
                raise BackupRefused("backup_too_new")
            manifest = BackupManifest.model_validate_json(text)
            for part in (*manifest.parts, *manifest.audit, *manifest.beside):
                member = members[part.name]
                is_known = is_store_file(part.name) or bool(month_names([part.name])) or is_beside(part.name)
                if not is_known or (member.size, member.offset_data) != (part.size, part.start):
                    raise BackupRefused("backup_damaged", part=part.name)
                if _sha256(SnapshotFile(file, part.start, part.size)) != part.sha256:
                    raise BackupRefused("backup_damaged", part=part.name)
            for number in manifest.store.runs:
                members[run_name(number)]
    except KeyError as error:
        # Cut off, since its list stands at the end.
        raise BackupRefused("backup_damaged", part=str(error.args[0])) from error
    except (tarfile.TarError, ValueError, TypeError, EOFError, _Unsteady) as error:
        raise BackupRefused("not_a_backup") from error
    return manifest


def _read_member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = tar.extractfile(member)
    if source is None:
        raise BackupRefused("not_a_backup")
    return source.read()


def _sha256(file: SnapshotFile) -> str:
    source = _Hashed(file)
    while source.read(_PIECE_BYTES):
        pass
    file.close_now()
    return source.digest.hexdigest()
