"""Callers of the hub that come together share a flush, and an error meets only those whose bytes are not on disk."""

import asyncio
import json
from typing import Any

import pytest

from store.changes import Change, ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.errors import StorageFailed, StorageFull
from store.hub_database import HubDatabase
from store.journal import Journal
from store.manifest import journal_name
from store.storage import MemoryFile, MemoryFolder
from tests.worlds import make_world


class SlowDisk(MemoryFolder):
    """A disk that takes a while for each append, counts them, and has room for so many bytes."""

    def __init__(self, files: dict[str, bytes] | None = None, room: int | None = None) -> None:
        super().__init__(files)
        self.appends = 0
        self.room = room
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.at_work = asyncio.Event()

    async def append(self, name: str, data: bytes) -> None:
        self.appends += 1
        self.at_work.set()
        await self.may_go_on.wait()
        await asyncio.sleep(0)
        if self.room is not None and len(data) > self.room:
            self.files[name] += data[: self.room]
            raise StorageFull("no space left")
        await super().append(name, data)


def patient(number: int, **fields: Any) -> ChangeDraft:
    payload = {"chart_number": f"{number:06d}", "name": f"病患{number}", **fields}
    return ChangeDraft(ChangeKind.REGISTER_PATIENT, f"{number:032x}", payload)


async def changes_of_devices(count: int, each: int = 1) -> list[list[Change]]:
    """What so many devices have recorded."""
    made = []
    for number in range(count):
        device = await DeviceDatabase.open(MemoryFolder(), make_world())
        drafts = [patient(number * each + n) for n in range(each)]
        made.append(await device.commit(drafts, made_by="nurse"))
    return made


async def open_hub(disk: MemoryFolder) -> HubDatabase:
    return await HubDatabase.open(disk, make_world())


def journalled(disk: MemoryFolder) -> list[tuple[int, str]]:
    """Number and id of each change as the journal holds them, in its order."""
    class File:
        def size(self) -> int:
            return len(disk.files[journal_name(1)])

        def read(self, offset: int, length: int) -> bytes:
            return bytes(disk.files[journal_name(1)][offset : offset + length])

    frames = Journal(File()).frames()  # type: ignore[arg-type]
    entries = [entry for frame in frames for entry in json.loads(frame)]
    return [(entry["hub_seq"], entry["change"]["change_id"]) for entry in entries if entry["e"] == "change"]


async def test_callers_that_come_while_the_disk_is_busy_share_one_append() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    batches = await changes_of_devices(20)
    disk.appends = 0
    disk.may_go_on.clear()
    disk.at_work.clear()
    first = asyncio.create_task(hub.accept(batches[0]))
    await disk.at_work.wait()
    others = [asyncio.create_task(hub.accept(batch)) for batch in batches[1:]]
    await asyncio.sleep(0)
    disk.may_go_on.set()

    answers = await asyncio.gather(first, *others)

    assert disk.appends == 2
    assert [a.hub_seq for answer in answers for a in answer] == list(range(1, 21))


async def test_each_caller_has_a_frame_of_its_own_also_in_a_shared_append() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    await asyncio.gather(*(hub.accept(batch) for batch in await changes_of_devices(5, each=3)))
    again = await HubDatabase.open(disk.copy(), make_world())
    assert again.recovery.frames == 1 + 5


async def test_numbers_are_in_the_order_of_the_journal_and_have_no_gap() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    batches = await changes_of_devices(10, each=4)
    await asyncio.gather(
        *(hub.accept(batch) for batch in batches), *(hub.commit([patient(900 + n)], made_by="hub") for n in range(5))
    )
    assert [number for number, _ in journalled(disk)] == list(range(1, 46))
    for number, change_id in journalled(disk):
        document = hub.tables.changes.at(hub.tables.changes.to_key(number))
        assert document["change"].change_id == change_id


async def test_nobody_is_answered_before_the_bytes_are_on_disk() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    disk.may_go_on.clear()
    [batch] = await changes_of_devices(1)
    saving = asyncio.create_task(hub.accept(batch))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not saving.done()
    assert (hub.head, len(hub.tables.patients)) == (0, 0)
    disk.may_go_on.set()
    await saving
    assert (hub.head, len(hub.tables.patients)) == (1, 1)


async def test_one_change_sent_by_two_requests_at_once_has_one_number_and_is_kept_once() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    [batch] = await changes_of_devices(1, each=3)
    first, second = await asyncio.gather(hub.accept(batch), hub.accept([*batch[1:], batch[0]]))
    assert sorted(first, key=lambda a: a.hub_seq) == sorted(second, key=lambda a: a.hub_seq)
    assert hub.head == 3
    assert len(journalled(disk)) == 3


async def test_a_full_disk_fails_those_for_whom_there_is_no_room_and_no_others() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    batches = await changes_of_devices(6)
    [large] = await changes_of_devices(1, each=60)
    disk.room = 8000

    answers = await asyncio.gather(
        *(hub.accept(batch) for batch in [*batches[:3], large, *batches[3:]]), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [list, list, list, StorageFull, list, list, list]
    assert [number for number, _ in journalled(disk)] == list(range(1, 7))
    assert hub.head == 6
    disk.room = None
    assert [a.hub_seq for a in await hub.accept(large)] == list(range(7, 67))


async def test_nothing_of_a_writing_that_failed_is_applied_or_numbered() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    batches = await changes_of_devices(3, each=2)
    told: list[Any] = []
    hub.listen(told.append)
    disk.room = 10

    answers = await asyncio.gather(*(hub.accept(batch) for batch in batches), return_exceptions=True)

    assert [type(answer) for answer in answers] == [StorageFull] * 3
    assert (hub.head, len(hub.tables.patients), len(hub.tables.changes), told) == (0, 0, 0, [])
    assert hub.storage_failure == "storage_full"
    again = await HubDatabase.open(disk.copy(), make_world())
    assert (again.head, again.recovery.dropped) == (0, [])


async def test_a_hub_takes_changes_again_once_there_is_room() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    [batch] = await changes_of_devices(1)
    disk.room = 10
    with pytest.raises(StorageFull):
        await hub.accept(batch)
    disk.room = None
    assert [a.hub_seq for a in await hub.accept(batch)] == [1]
    assert hub.storage_failure == ""
    again = await HubDatabase.open(disk.copy(), make_world())
    assert (again.head, again.recovery.dropped) == (1, [])


async def test_a_disk_that_could_not_even_be_cut_is_cut_before_the_next_append(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read_only(self: MemoryFile, size: int) -> None:
        raise StorageFailed("read-only file system")

    disk = SlowDisk()
    hub = await open_hub(disk)
    first, second = await changes_of_devices(2)
    disk.room = 10
    monkeypatch.setattr(MemoryFile, "truncate", read_only)
    with pytest.raises(StorageFull):
        await hub.accept(first)
    monkeypatch.undo()
    disk.room = None

    assert [a.hub_seq for a in await hub.accept(second)] == [1]
    again = await HubDatabase.open(disk.copy(), make_world())
    assert (again.head, again.recovery.dropped) == (1, [])


async def test_a_draft_that_is_no_record_is_refused_alone() -> None:
    hub = await open_hub(SlowDisk())
    wrong = ChangeDraft(ChangeKind.REGISTER_PATIENT, "f" * 32, {"no": "patient"})
    answers = await asyncio.gather(
        hub.commit([patient(1)], made_by="hub"),
        hub.commit([wrong], made_by="hub"),
        hub.commit([patient(2)], made_by="hub"),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [list, ValueError, list]
    assert [change.device_seq for answer in answers if isinstance(answer, list) for change in answer] == [1, 2]
    assert hub.head == 2


async def test_a_caller_that_gives_up_does_not_disturb_those_it_shares_with() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    batches = await changes_of_devices(4)
    disk.may_go_on.clear()
    disk.at_work.clear()
    calls = [asyncio.create_task(hub.accept(batch)) for batch in batches]
    await disk.at_work.wait()
    calls[0].cancel()
    calls[2].cancel()
    disk.may_go_on.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [isinstance(answer, list) for answer in answers] == [False, True, False, True]
    assert [number for number, _ in journalled(disk)] == list(range(1, hub.head + 1))
    again = await HubDatabase.open(disk.copy(), make_world())
    assert again.head == hub.head


async def test_a_group_torn_by_a_power_cut_keeps_whole_frames_in_order_from_the_first_on() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    start = len(disk.files[journal_name(1)])
    await asyncio.gather(*(hub.accept(batch) for batch in await changes_of_devices(4)))
    whole = bytes(disk.files[journal_name(1)])
    heads = set()
    for length in range(start, len(whole) + 1):
        again = await HubDatabase.open(MemoryFolder({journal_name(1): whole[:length]}), make_world())
        kept, _ = again.changes_after(0, 100, except_device="")
        assert [n.hub_seq for n in kept] == list(range(1, again.head + 1))
        heads.add(again.head)
    assert heads == {0, 1, 2, 3, 4}


async def test_what_was_put_together_before_closing_is_on_disk_after_it() -> None:
    disk = SlowDisk()
    hub = await open_hub(disk)
    calls = [asyncio.create_task(hub.accept(batch)) for batch in await changes_of_devices(3)]
    await asyncio.sleep(0)
    await hub.close()
    assert len([a for answer in await asyncio.gather(*calls) for a in answer]) == 3
    assert (await HubDatabase.open(disk.copy(), make_world())).head == 3


async def test_on_a_device_one_user_action_is_one_append() -> None:
    disk = SlowDisk()
    device = await DeviceDatabase.open(disk, make_world())
    disk.appends = 0
    await asyncio.gather(*(device.commit([patient(n), patient(n + 50)], made_by="nurse") for n in range(4)))
    assert disk.appends == 4
