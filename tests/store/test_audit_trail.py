"""A device's part of the audit: killed at any moment it loses the last half second, and its chain is unbroken."""

import asyncio

import pytest

from store import audit_trail
from store.audit import AuditAction, AuditEntry, AuditHead, faults
from store.audit_protocol import AuditTaken
from store.audit_trail import TOLD_AT_ONCE, AuditTrail
from store.errors import StorageFailed, StorageFull
from store.storage import MemoryFolder
from tests.worlds import make_world

DEVICE, OTHER = "d" * 32, "e" * 32
HUB_HEAD = AuditHead(seq=9, hash="9" * 64)


async def open_trail(folder: MemoryFolder, device_id: str = DEVICE) -> AuditTrail:
    trail = AuditTrail(folder, make_world(), lambda: device_id)
    await trail.flush()
    return trail


def note(trail: AuditTrail, number: int = 0) -> None:
    trail.note("王護理師", AuditAction.VIEWED, {"record_id": f"{number:032x}"})


async def all_told(trail: AuditTrail) -> list[AuditEntry]:
    """What a hub is told until it holds all."""
    entries: list[AuditEntry] = []
    while (telling := trail.telling()) is not None:
        entries += telling.entries
        await trail.told(telling, AuditTaken(hub_head=HUB_HEAD))
    return entries


async def test_what_was_noted_is_there_after_the_next_start() -> None:
    folder = MemoryFolder()
    trail = await open_trail(folder)
    note(trail, 1)
    note(trail, 2)
    await trail.flush()

    entries = await all_told(await open_trail(folder.copy()))

    assert [entry.about["record_id"] for entry in entries] == [f"{1:032x}", f"{2:032x}"]
    assert not list(faults(entries, AuditHead()))


async def test_noting_writes_nothing_at_once_and_is_on_disk_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "FLUSH_SECONDS", 0.0)
    folder, is_written = MemoryFolder(), asyncio.Event()
    append = folder.append

    async def tell(name: str, data: bytes) -> None:
        await append(name, data)
        if b"viewed" in data:
            is_written.set()

    monkeypatch.setattr(folder, "append", tell)
    trail = await open_trail(folder)
    note(trail)
    assert not folder.files

    async with asyncio.timeout(5):
        await is_written.wait()
    assert len(await all_told(await open_trail(folder.copy()))) == 1


async def test_nothing_is_told_that_is_not_on_disk() -> None:
    trail = await open_trail(MemoryFolder())
    note(trail)
    assert trail.telling() is None
    await trail.close()


async def test_killed_at_any_byte_the_chain_goes_on_unbroken() -> None:
    folder = MemoryFolder()
    trail = await open_trail(folder)
    for number in range(3):
        note(trail, number)
        await trail.flush()
    telling = trail.telling()
    assert telling is not None
    await trail.told(telling, AuditTaken(hub_head=HUB_HEAD))
    note(trail, 3)
    await trail.flush()
    whole = bytes(folder.files["audit.000001"])

    for cut in range(len(whole) + 1):
        torn = MemoryFolder({"audit.000001": whole[:cut]})
        trail = await open_trail(torn)
        note(trail, 9)
        await trail.flush()
        entries = await all_told(await open_trail(torn.copy()))
        assert entries[-1].about["record_id"] == f"{9:032x}"
        head = AuditHead(seq=entries[0].seq - 1, hash=entries[0].prev)
        assert not list(faults(entries, head)), cut


async def test_what_the_hub_holds_is_dropped_and_the_chain_keeps_its_head() -> None:
    folder = MemoryFolder()
    trail = await open_trail(folder)
    for number in range(700):
        note(trail, number)
    await trail.flush()
    first = await all_told(trail)
    assert len(first) == 700
    assert list(folder.files) == ["audit.000002"]
    assert len(folder.files["audit.000002"]) < 1000

    trail = await open_trail(folder.copy())
    note(trail)
    await trail.flush()
    telling = trail.telling()
    assert telling is not None
    assert telling.hub_head == HUB_HEAD
    assert not list(faults([*first, *telling.entries], AuditHead()))


async def test_the_hub_is_told_a_bounded_number_at_once() -> None:
    trail = await open_trail(MemoryFolder())
    for number in range(TOLD_AT_ONCE + 1):
        note(trail, number)
    await trail.flush()

    telling = trail.telling()
    assert telling is not None
    assert len(telling.entries) == TOLD_AT_ONCE


async def test_killed_between_two_files_it_opens_the_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every writing and removing in turn is the last that reaches the disk."""
    monkeypatch.setattr(audit_trail, "_ANOTHER_FILE_BYTES", 0)
    for steps in range(8):
        folder = _Dying(steps)
        with pytest.raises(StorageFailed):
            await _work(folder)
        for torn in (0, 7, 10_000):
            left = folder.left(torn)
            trail = await open_trail(left)
            note(trail, 99)
            await trail.flush()
            entries = await all_told(await open_trail(left.copy()))
            assert entries[-1].about["record_id"] == f"{99:032x}"
            head = AuditHead(seq=entries[0].seq - 1, hash=entries[0].prev)
            assert not list(faults(entries, head)), (steps, torn)
    await _work(_Dying(1000))


async def _work(folder: MemoryFolder) -> None:
    trail = await open_trail(folder)
    for number in range(2):
        note(trail, number)
        await trail.flush()
        await all_told(trail)
    await trail.close()


class _Dying(MemoryFolder):
    """Takes so many writings and removings, then none."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps, self._last = steps, ("", b"")

    def left(self, torn_bytes: int) -> MemoryFolder:
        """What is on the disk, with so many bytes of the writing that did not reach it."""
        folder = self.copy()
        name, data = self._last
        if name:
            folder.files.setdefault(name, bytearray()).extend(data[:torn_bytes])
        return folder

    def _step(self, name: str, data: bytes) -> None:
        if self.steps <= 0:
            self._last = self._last if self._last[0] else (name, data)
            raise StorageFailed("no power")
        self.steps -= 1

    async def append(self, name: str, data: bytes) -> None:
        self._step(name, data)
        await super().append(name, data)

    async def remove(self, name: str) -> None:
        self._step("", b"")
        await super().remove(name)


async def test_a_full_disk_stops_nobody_and_what_did_not_fit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = MemoryFolder()
    trail = await open_trail(folder)
    append = folder.append

    async def full(*_: object) -> None:
        raise StorageFull("no space")

    monkeypatch.setattr(folder, "append", full)
    for number in range(1010):
        note(trail, number)
    with pytest.raises(StorageFull):
        await trail.flush()
    monkeypatch.setattr(folder, "append", append)
    await trail.flush()

    entries = await all_told(trail)
    assert len(entries) == 1001
    assert (entries[-1].what, entries[-1].about) == (AuditAction.LOST, {"count": 10})
    await trail.close()


async def test_under_another_name_a_device_begins_another_chain() -> None:
    folder, name = MemoryFolder(), [DEVICE]
    trail = AuditTrail(folder, make_world(), lambda: name[0])
    note(trail, 1)
    await trail.flush()
    name[0] = OTHER
    note(trail, 2)
    await trail.flush()

    trail = await open_trail(folder.copy(), OTHER)
    note(trail, 3)
    await trail.flush()
    first = trail.telling()
    assert first is not None
    assert (first.device_id, [entry.seq for entry in first.entries]) == (DEVICE, [1])
    await trail.told(first, AuditTaken(hub_head=HUB_HEAD))
    second = trail.telling()
    assert second is not None
    assert (second.device_id, [entry.seq for entry in second.entries]) == (OTHER, [1, 2])
    assert not list(faults(second.entries, AuditHead()))


@pytest.mark.parametrize("rubbish", [b"rubbish!" + bytes(50), b"VACDESK\x09" + bytes(50)], ids=["none", "newer"])
async def test_a_file_that_does_not_open_is_left_alone(rubbish: bytes) -> None:
    folder = MemoryFolder({"audit.000004": rubbish})
    trail = await open_trail(folder)
    note(trail)
    await trail.flush()

    assert bytes(folder.files["audit.000004"]) == rubbish
    assert len(await all_told(await open_trail(folder.copy()))) == 1
