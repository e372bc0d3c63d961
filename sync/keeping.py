"""`python3 -m sync backup`, `restore` and `check`: what keeps a clinic's data when its computer does not.

None of them needs the hub: `backup` and `check` read beside a running one, `restore` wants it closed.
"""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from store.backup import BackupRefused, write_backup
from store.beside import ACCESS_FILE, CA_FILE
from store.changes import World
from store.check import Damage, Findings, check_store
from store.errors import AppError
from store.restore import restore_backup
from store.snapshot import NoStore
from sync.access.kept_file import read_known
from sync.app import data_folder, refusing
from sync.bootstrap.refusal import say
from sync.sentences import DAMAGES, HubRefused, ToolRefused
from sync.settings import load_settings
from sync.tls import belong_together, read_certificates, read_key

EXIT_DAMAGED = 1


def run(command: str, settings_path: Path | None, file: Path | None) -> int:
    """Run one of the three; return the exit code."""
    return refusing(lambda: _run(command, load_settings(settings_path, os.environ).data_dir, file))


def _run(command: str, folder: Path, file: Path | None) -> int:
    world = World(now=lambda: datetime.now(UTC), random_bytes=os.urandom)
    if command == "check":
        return _told(folder, folder, lambda: _check(folder, world))
    assert file is not None
    if command == "backup":
        return _told(folder, file, lambda: _back_up(folder, file, world))
    return _told(folder, folder, lambda: _restore(folder, file, world))


def _told(folder: Path, written: Path, work: Callable[[], int]) -> int:
    """Turn what stops the work into a sentence. Raises: ToolRefused."""
    try:
        return work()
    except HubRefused as error:
        raise ToolRefused(error.code, **error.facts) from error
    except NoStore as error:
        raise ToolRefused("no_store", folder=folder) from error
    except BackupRefused as error:
        raise ToolRefused(error.code, **{"folder": folder, **error.facts}) from error
    except AppError as error:
        raise ToolRefused(error.code, path=folder) from error
    except OSError as error:
        code = "storage_full" if error.errno == errno.ENOSPC else "storage_failed"
        raise ToolRefused(code, path=error.filename or written) from error


def _back_up(folder: Path, file: Path, world: World) -> int:
    manifest = asyncio.run(write_backup(folder, file, world))
    size = sum(part.size for part in manifest.parts)
    say(f"已備份到 · Backed up to  {file}")
    say(f"      {manifest.head} 筆異動 · changes, {size / 1_000_000:.1f} MB")
    if manifest.damages:
        say("      資料中有損壞，備份照原樣保存；請執行 check · Some of it is damaged and was kept as it is; run check")
    return 0


def _restore(folder: Path, file: Path, world: World) -> int:
    with data_folder(folder):
        backup, kept = asyncio.run(restore_backup(folder, file, world))
    say(f"已還原 · Restored: {backup.head} 筆異動 · changes, {backup.made_at.astimezone():%Y-%m-%d %H:%M}")
    if kept is not None:
        say(f"      原來的資料保留在 · What was there before is kept in  {kept}")
    return 0


def _check(folder: Path, world: World) -> int:
    findings = asyncio.run(check_store(folder, world))
    findings.damages += _check_beside(folder, findings.counts)
    for table, count in findings.counts.items():
        say(f"{table:14}{count:>10}")
    say(f"{findings.head} 筆異動 · changes, {findings.files} 個檔案 · files, {findings.bytes / 1_000_000:.1f} MB")
    if findings.unfinished_bytes:
        say(f"未寫完、未曾確認 · Unfinished, never acknowledged: {findings.unfinished_bytes} bytes")
    for damage in findings.damages:
        say(f"損壞 · Damaged: {_describe(damage)}")
    say(_verdict(findings))
    return EXIT_DAMAGED if findings.damages else 0


def _check_beside(folder: Path, counts: dict[str, int]) -> Iterator[Damage]:
    """Look at what stands beside the store (store/beside.py), and count it."""
    try:
        known = read_known(folder)
        counts |= {"accounts": len(known.accounts), "devices": len(known.devices)}
    except HubRefused as error:
        yield Damage("access", ACCESS_FILE, error.code)
    try:
        data = (folder / CA_FILE).read_bytes()
        if not belong_together(read_certificates(data)[0], read_key(data)):
            yield Damage("ca", CA_FILE, "another key")
    except FileNotFoundError:
        return
    except ValueError:
        yield Damage("ca", CA_FILE, "unreadable")


def _describe(damage: Damage) -> str:
    chinese, english = DAMAGES[damage.what]
    return f"{chinese} · {english}  {damage.place}{f' ({damage.file})' if damage.file else ''}"


def _verdict(findings: Findings) -> str:
    count = len(findings.damages)
    if not count:
        return "全部完好 · All is as it was written"
    return f"{count} 處損壞，請先備份資料夾，再還原備份 · {count} damaged; copy the folder away, then restore a backup"
