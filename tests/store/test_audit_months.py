"""The hub's chain in its month files."""

from datetime import UTC, datetime, timedelta

import pytest

from store.audit import HUB, AuditAction, AuditEntry, AuditHead, Fault, faults, head_of, make_entry
from store.audit_months import AuditMonths, Note
from store.errors import StorageFailed
from store.storage import MemoryFolder
from tests.store.test_audit import AT, DEVICE, chain

NOVEMBER, DECEMBER = AT, datetime(2026, 12, 1, 1, 0, tzinfo=UTC)


def note(at: datetime = AT, what: str = AuditAction.SIGNED_IN, **about: str | int) -> Note:
    return Note(at, "staff", what, about)


async def all_entries(months: AuditMonths) -> list[AuditEntry]:
    found = [entry async for entries in months.frames_back() for entry in entries]
    return found[::-1]


async def test_the_chain_goes_on_over_months_and_over_starts() -> None:
    folder = MemoryFolder()
    for at in (NOVEMBER, NOVEMBER + timedelta(days=1), DECEMBER, DECEMBER + timedelta(days=1)):
        months = await AuditMonths.open(folder)
        await months.add([note(at), note(at)], at)
        await months.close()

    entries = await all_entries(await AuditMonths.open(folder))
    assert sorted(folder.files) == ["audit-2026-11", "audit-2026-12"]
    assert [entry.seq for entry in entries] == list(range(1, 9))
    assert not list(faults(entries, AuditHead()))


async def test_a_clock_set_back_goes_on_in_the_newest_file() -> None:
    folder = MemoryFolder()
    months = await AuditMonths.open(folder)
    for at in (DECEMBER, NOVEMBER):
        await months.add([note(at)], at)

    assert list(folder.files) == ["audit-2026-12"]


async def test_nothing_noted_makes_no_file() -> None:
    folder = MemoryFolder()
    months = await AuditMonths.open(folder)
    await months.add([], AT)
    await months.close()

    assert not folder.files


async def test_what_the_disk_refused_is_not_in_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = MemoryFolder()
    months = await AuditMonths.open(folder)
    await months.add([note()], AT)
    append = folder.append

    async def torn(name: str, data: bytes) -> None:
        await append(name, data[: len(data) // 2])
        raise StorageFailed("no")

    monkeypatch.setattr(folder, "append", torn)
    with pytest.raises(StorageFailed):
        await months.add([note()], AT)
    monkeypatch.setattr(folder, "append", append)
    await months.add([note()], AT)

    entries = await all_entries(await AuditMonths.open(folder.copy()))
    assert [entry.seq for entry in entries] == [1, 2]
    assert not list(faults(entries, AuditHead()))


async def test_a_file_cut_at_any_byte_opens_and_goes_on_unbroken() -> None:
    folder = MemoryFolder()
    months = await AuditMonths.open(folder)
    for _ in range(3):
        await months.add([note()], AT)
    whole = bytes(folder.files["audit-2026-11"])

    for cut in range(len(whole)):
        torn = MemoryFolder({"audit-2026-11": whole[:cut]})
        months = await AuditMonths.open(torn)
        await months.add([note()], AT)
        entries = await all_entries(await AuditMonths.open(torn))
        assert 1 <= len(entries) <= 3
        assert not list(faults(entries, AuditHead()))


async def test_opening_reads_the_state_and_what_came_after() -> None:
    folder = MemoryFolder()
    months = await AuditMonths.open(folder)
    for number in range(1300):
        await months.add([note(number=number)], AT)
    await months.take(DEVICE, chain(), AT)

    again = await AuditMonths.open(folder)
    assert again.state == months.state
    assert again.state.head.seq == 1312
    assert len(await all_entries(again)) == 1312


async def test_a_page_begins_where_the_last_one_ended() -> None:
    months = await AuditMonths.open(MemoryFolder())
    for at in (NOVEMBER, DECEMBER):
        for _ in range(5):
            await months.add([note(at)] * 7, at)

    for before in (1, 2, 8, 36, 37, 70, 71, 1000):
        found = [entry.seq async for entries in months.frames_back(before) for entry in entries]
        assert found == list(range(min(before - 1, 70), 0, -1))


async def test_a_device_that_tells_twice_is_kept_once() -> None:
    months = await AuditMonths.open(MemoryFolder())
    told = chain(10)
    for batch in (told[:4], told[:4], told[:7], told[2:10], told[9:]):
        await months.take(DEVICE, batch, AT)

    entries = await all_entries(months)
    assert [entry.told and entry.told.seq for entry in entries] == list(range(1, 11))


@pytest.mark.parametrize(
    ("batch", "fault"),
    [
        (lambda told: told[6:], Fault.LACKING),
        (lambda told: chain(9)[:2], Fault.REPEATED),
        (lambda told: [told[5].model_copy(update={"who": "x"}), *told[6:]], Fault.ALTERED),
    ],
    ids=["gap", "older copy", "altered"],
)
async def test_a_break_in_a_devices_chain_is_an_entry_and_the_rest_is_kept(batch: object, fault: Fault) -> None:
    folder = MemoryFolder()
    months = await AuditMonths.open(folder)
    told = other_chain(10)
    await months.take(DEVICE, told[:5], AT)
    brought = batch(told)  # type: ignore[operator]

    await months.take(DEVICE, brought, AT)
    await months.take(DEVICE, brought, AT)

    entries = await all_entries(months)
    assert not list(faults(entries, AuditHead()))
    assert len(entries) == 5 + 1 + len(brought)
    broken = entries[5]
    assert (broken.who, broken.what) == (HUB, AuditAction.CHAIN_BROKEN)
    assert broken.about == {"device_id": DEVICE, "number": brought[0].seq, "reason": fault.value}


def other_chain(count: int) -> list[AuditEntry]:
    head, entries = AuditHead(), list[AuditEntry]()
    for number in range(count):
        about: dict[str, str | int] = {"count": number + 100}
        entry = make_entry(head, at=AT, who="staff", what=AuditAction.SEARCHED, about=about, device_id=DEVICE)
        head = head_of(entry)
        entries.append(entry)
    return entries


async def test_files_cut_off_at_the_end_leave_a_gap_behind_the_anchor() -> None:
    folder = MemoryFolder()
    months = await AuditMonths.open(folder)
    [entry] = await months.add([note()], AT)
    cut = folder.copy()
    for _ in range(3):
        [entry] = await months.add([note()], AT)

    months = await AuditMonths.open(cut, head_of(entry))
    [after] = await months.add([note()], AT)

    assert after.seq == 5
    entries = await all_entries(months)
    assert [fault for _, fault in faults(entries, AuditHead())] == [Fault.LACKING]


async def test_a_file_that_does_not_open_is_left_alone_and_another_goes_on() -> None:
    folder = MemoryFolder()
    months = await AuditMonths.open(folder)
    await months.add([note()], NOVEMBER)
    await months.add([note()], DECEMBER)
    folder.files["audit-2026-12"][:4] = b"rubb"
    rubbish = bytes(folder.files["audit-2026-12"])

    for _ in range(2):
        months = await AuditMonths.open(folder)
        await months.add([note(DECEMBER)], DECEMBER)

    assert sorted(folder.files) == ["audit-2026-11", "audit-2026-12", "audit-2026-12.02"]
    assert bytes(folder.files["audit-2026-12"]) == rubbish
    assert [entry.seq for entry in await all_entries(months)] == [3, 2, 1][::-1]


async def test_an_entrys_hash_is_found_by_its_number() -> None:
    months = await AuditMonths.open(MemoryFolder())
    entries = [*await months.add([note()] * 3, NOVEMBER), *await months.add([note()] * 3, DECEMBER)]

    assert [await months.hash_at(number) for number in range(1, 8)] == [*(one.hash for one in entries), None]
