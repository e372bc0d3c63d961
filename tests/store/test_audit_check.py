"""`check` proves the hub's chain and names the place where it was tampered with."""

import json
import re
import zlib
from pathlib import Path

import pytest

from store.audit import AuditAction, AuditHead, fault_of, hash_of
from store.audit_months import ENTRIES, AuditMonths, Note, is_state
from store.check import Damage, Findings, check_store
from store.journal import HEADER, Journal, encode_frame
from store.snapshot import SnapshotFile
from store.storage import FileFolder
from tests.store.hub_on_disk import WORLD, files_of, fill, open_hub
from tests.store.test_audit import DEVICE, chain
from tests.store.test_audit_months import DECEMBER, NOVEMBER

FIRST, LAST = "audit-2026-11", "audit-2026-12"


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A store, and a chain of 24 entries in two files, a device's among them, of which the store remembers the end."""
    await fill(tmp_path, range(6))
    months = await AuditMonths.open(FileFolder(tmp_path))
    for at in (NOVEMBER, DECEMBER):
        for number in range(1, 4):
            await months.add([Note(at, "staff", AuditAction.SEARCHED, {"kind": "patients", "count": number})] * 2, at)
        told = chain()
        await months.take(DEVICE, told[:6] if at == NOVEMBER else told, at)
    hub = await open_hub(tmp_path)
    await hub.keep_audit_head(months.state.head)
    await hub.close()
    await months.close()
    return tmp_path


async def damages(folder: Path) -> list[Damage]:
    findings: Findings = await check_store(folder, WORLD)
    return findings.damages


def frames(path: Path) -> list[bytes]:
    file = SnapshotFile(path)
    try:
        return list(Journal(file).frames())
    finally:
        file.close_now()


def write(path: Path, payloads: list[bytes]) -> None:
    """With right checksums, as somebody who knows the format would."""
    path.write_bytes(HEADER + b"".join(map(encode_frame, payloads)))


async def test_a_whole_chain_is_proved_and_counted(folder: Path) -> None:
    findings = await check_store(folder, WORLD)

    assert findings.damages == []
    assert findings.counts["audit"] == 24


async def test_every_flipped_byte_is_seen(folder: Path) -> None:
    for name in (FIRST, LAST):
        path = folder / name
        whole = path.read_bytes()
        for offset in range(8, len(whole), 23):
            data = bytearray(whole)
            data[offset] ^= 0x01
            path.write_bytes(data)
            found = await damages(folder)
            assert found, offset
            assert {damage.what for damage in found} == {"audit"}
        path.write_bytes(whole)


async def test_every_entry_that_is_altered_is_named(folder: Path) -> None:
    for name in (FIRST, LAST):
        payloads = frames(folder / name)
        for place, payload in enumerate(payloads):
            if is_state(payload):
                continue
            for seq in map(int, re.findall(rb'\{"seq":(\d+),"at"', payload)):
                entries = json.loads(payload)
                forged = next(entry for entry in entries if entry["seq"] == seq)
                forged["who"] = "somebody"
                write(folder / name, [*payloads[:place], json.dumps(entries).encode(), *payloads[place + 1 :]])
                assert Damage("audit", name, f"entry {seq}: altered") in await damages(folder)
        write(folder / name, payloads)
    assert await damages(folder) == []


async def test_a_frame_that_is_dropped_repeated_or_moved_is_seen(folder: Path) -> None:
    for name in (FIRST, LAST):
        payloads = frames(folder / name)
        for place in range(len(payloads)):
            for spoiled in (
                payloads[:place] + payloads[place + 1 :],
                [*payloads[: place + 1], *payloads[place:]],
                [*payloads[:place], *payloads[place : place + 2][::-1], *payloads[place + 2 :]],
            ):
                if [one for one in spoiled if not is_state(one)] == [one for one in payloads if not is_state(one)]:
                    continue
                write(folder / name, spoiled)
                assert await damages(folder), (name, place)
        write(folder / name, payloads)


@pytest.mark.parametrize("frames_left", range(5))
async def test_a_chain_cut_off_at_its_end_is_missed_by_the_store(folder: Path, frames_left: int) -> None:
    payloads = frames(folder / LAST)
    assert len(payloads) == 5
    write(folder / LAST, payloads[:frames_left])

    found = await damages(folder)

    assert len(found) == 1
    assert re.fullmatch(r"entries \d+-24: cut_off", found[0].place)


@pytest.mark.parametrize("name", [FIRST, LAST])
async def test_a_file_that_is_taken_away_is_seen(folder: Path, name: str) -> None:
    (folder / name).unlink()

    assert await damages(folder)


async def test_all_files_taken_away_are_seen(folder: Path) -> None:
    for name in (FIRST, LAST):
        (folder / name).unlink()

    assert await damages(folder) == [Damage("audit", "", "entries 1-24: cut_off")]


async def test_a_chain_written_anew_with_right_hashes_is_seen(folder: Path) -> None:
    head = AuditHead()
    for name in (FIRST, LAST):
        spoiled = []
        for payload in frames(folder / name):
            if is_state(payload):
                continue
            entries = []
            for entry in ENTRIES.validate_json(payload):
                forged = entry.model_copy(update={"who": "somebody", "prev": head.hash})
                forged = forged.model_copy(update={"hash": hash_of(forged)})
                assert fault_of(forged, head) is None
                head = AuditHead(seq=forged.seq, hash=forged.hash)
                entries.append(forged)
            spoiled.append(ENTRIES.dump_json(entries, exclude_none=True))
        write(folder / name, spoiled)

    assert Damage("audit", LAST, "entry 24: written_anew") in await damages(folder)


async def test_an_end_that_was_not_finished_is_no_damage(folder: Path) -> None:
    whole = (folder / LAST).read_bytes()
    (folder / LAST).write_bytes(whole + encode_frame(b"[]")[:9])

    findings = await check_store(folder, WORLD)

    assert findings.damages == []
    assert findings.unfinished_bytes == 9


async def test_the_chain_is_proved_where_the_store_does_not_open(folder: Path) -> None:
    newest = max(name for name in files_of(folder) if name.startswith("journal."))
    (folder / newest).write_bytes(b"rubbish!" + bytes(100))
    payloads = frames(folder / FIRST)
    write(folder / FIRST, payloads[:-1])

    found = await damages(folder)

    assert "store" in {damage.what for damage in found}
    assert any(damage.what == "audit" and "lacking" in damage.place for damage in found)


def test_checksums_of_forged_frames_are_right() -> None:
    """The instrument: what these tests write is refused for its hashes, not for its frames."""
    frame = encode_frame(b"[]")
    assert zlib.crc32(b"[]", zlib.crc32(frame[:6])) == int.from_bytes(frame[6:10], "little")
