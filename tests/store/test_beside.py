"""Staff, devices and the clinic's CA in a backup: they come back, and never back to an older state."""

import errno
import json
import os
from pathlib import Path

import pytest

from store import restore
from store.backup import BackupRefused, read_backup, write_backup
from store.beside import is_replaced
from store.restore import restore_backup
from tests.store.hub_on_disk import WORLD, fill, shown


def access(hub_id: str, revision: int) -> bytes:
    return b"0" * 64 + b"\n" + json.dumps({"hub_id": hub_id, "revision": revision}).encode()


CA = b"the clinic's CA"


def found(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.fixture
async def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "tls").mkdir(parents=True)
    (folder / "access.json").write_bytes(access("a", 7))
    (folder / "tls" / "ca.pem").write_bytes(CA)
    (folder / "tls" / "server.pem").write_bytes(b"made anew")
    await fill(folder, range(4))
    await write_backup(folder, tmp_path / "b.tar", WORLD)
    return tmp_path / "b.tar"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    (tmp_path / "new" / "tls").mkdir(parents=True)
    return tmp_path / "new"


async def test_a_new_computer_gets_staff_devices_and_the_ca_back_for_its_owner_only(
    backup: Path, tmp_path: Path
) -> None:
    new = tmp_path / "bare"
    new.mkdir()
    await restore_backup(new, backup, WORLD)
    assert (new / "access.json").read_bytes() == access("a", 7)
    assert (new / "tls" / "ca.pem").read_bytes() == CA
    assert not (new / "tls" / "server.pem").exists()
    if os.name != "posix":
        return
    modes = {path.name: path.stat().st_mode & 0o777 for path in (new / "access.json", new / "tls", new / "tls/ca.pem")}
    assert modes == {"access.json": 0o600, "tls": 0o700, "ca.pem": 0o600}


async def test_a_device_that_was_revoked_since_stays_revoked(backup: Path, new: Path) -> None:
    (new / "access.json").write_bytes(access("a", 8))
    await restore_backup(new, backup, WORLD)
    assert (new / "access.json").read_bytes() == access("a", 8)


async def test_what_a_new_computer_had_made_meanwhile_is_replaced_and_kept_beside(backup: Path, new: Path) -> None:
    (new / "access.json").write_bytes(access("b", 99))
    (new / "tls" / "ca.pem").write_bytes(b"another CA")
    _, kept = await restore_backup(new, backup, WORLD)
    assert kept is not None
    assert (new / "access.json").read_bytes() == access("a", 7)
    assert (new / "tls" / "ca.pem").read_bytes() == CA
    assert (kept / "access.json").read_bytes() == access("b", 99)
    assert (kept / "tls" / "ca.pem").read_bytes() == b"another CA"


@pytest.mark.parametrize("present", [b"", b"rubbish", b"\n{}", b'\n{"hub_id": 1, "revision": null}', b"\n\xff"])
def test_a_state_that_cannot_be_read_is_replaced(present: bytes) -> None:
    assert is_replaced("access.json", present, access("a", 7))


async def test_a_restore_that_the_disk_stops_before_the_store_can_be_done_again(
    backup: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (new / "access.json").write_bytes(access("b", 99))
    rename = os.replace

    def stop_at_the_journal(source: Path, target: Path) -> None:
        if target.name.startswith("journal."):
            raise OSError(errno.ENOSPC, "no space", str(target))
        rename(source, target)

    with monkeypatch.context() as full:
        full.setattr(restore.os, "replace", stop_at_the_journal)
        with pytest.raises(OSError, match="no space"):
            await restore_backup(new, backup, WORLD)
    assert (new / "access.json").read_bytes() == access("a", 7)
    [kept] = found(new, "replaced-*")
    assert (kept / "access.json").read_bytes() == access("b", 99)
    assert not found(new, "*.part")

    await restore_backup(new, backup, WORLD)
    assert await shown(new) == await shown(backup.parent / "data")


async def test_a_refused_restore_leaves_staff_and_devices_alone(backup: Path, new: Path) -> None:
    await fill(new, range(100, 110))
    with pytest.raises(BackupRefused):
        await restore_backup(new, backup, WORLD)
    assert not (new / "access.json").exists()


async def test_a_damaged_file_of_staff_in_a_backup_is_refused(backup: Path) -> None:
    part = next(part for part in read_backup(backup).beside if part.name == "access.json")
    flip(backup, part.start + 70)
    with pytest.raises(BackupRefused) as refused:
        read_backup(backup)
    assert refused.value.facts["part"] == "access.json"
