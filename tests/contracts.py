"""What every journal storage must do. Plain async functions without pytest, so that the very same text also runs inside
the browser's worker against OPFS and IndexedDB (e2e/test_storage_in_browser.py)."""

from collections.abc import Awaitable, Callable
from typing import Any

from store.changes import ChangeDraft, ChangeKind, World
from store.database import DeviceDatabase
from store.journal import HEADER, Journal, encode_frame
from store.storage import JournalStorage

# Opens the storage of one test: the same bytes again at each call, after closing the one before.
Reopen = Callable[[], Awaitable[JournalStorage]]


async def check_a_new_storage_is_empty(reopen: Reopen) -> None:
    storage = await reopen()
    assert await storage.size() == 0
    assert await storage.read(0, 10) == b""
    await storage.close()


async def check_appended_bytes_are_read_back_after_reopening(reopen: Reopen) -> None:
    storage = await reopen()
    await storage.append(b"first")
    await storage.append(bytes(range(256)) * 400)
    await storage.close()

    storage = await reopen()
    assert await storage.size() == 5 + 256 * 400
    assert await storage.read(0, 5) == b"first"
    assert await storage.read(3, 6) == b"st\x00\x01\x02\x03"
    assert await storage.read(5 + 256 * 400 - 2, 100) == b"\xfe\xff"
    await storage.close()


async def check_truncating_cuts_the_end_for_good(reopen: Reopen) -> None:
    storage = await reopen()
    for part in (b"aaaa", b"bbbb", b"cccc"):
        await storage.append(part)
    await storage.truncate(6)
    await storage.append(b"dd")
    await storage.close()

    storage = await reopen()
    assert await storage.size() == 8
    assert await storage.read(0, 100) == b"aaaabbdd"
    await storage.truncate(0)
    assert await storage.size() == 0
    await storage.close()


async def check_a_journal_cut_in_its_last_frame_keeps_the_others(reopen: Reopen) -> None:
    storage = await reopen()
    await storage.append(HEADER + encode_frame(b"one") + encode_frame(b"two") + encode_frame(b"three")[:-2])
    await storage.close()

    storage = await reopen()
    journal = Journal(storage)
    assert [payload async for payload in journal.replay()] == [b"one", b"two"]
    await journal.append(b"four")
    await journal.close()

    storage = await reopen()
    journal = Journal(storage)
    assert [payload async for payload in journal.replay()] == [b"one", b"two", b"four"]
    assert journal.recovery.dropped == []
    await journal.close()


async def check_a_database_opens_as_it_was_closed(reopen: Reopen) -> None:
    from datetime import UTC, datetime

    count = 0

    def numbered_bytes(length: int) -> bytes:
        nonlocal count
        count += 1
        return count.to_bytes(length, "big")

    world = World(now=lambda: datetime(2026, 11, 20, tzinfo=UTC), random_bytes=numbered_bytes)
    patient: dict[str, Any] = {"chart_number": "057164", "name": "測試患者"}
    database = await DeviceDatabase.open(await reopen(), world)
    draft = ChangeDraft(ChangeKind.REGISTER_PATIENT, "a" * 32, patient)
    await database.commit([draft], made_by="nurse")
    device_id = database.device_id
    await database.close()

    database = await DeviceDatabase.open(await reopen(), world)
    assert database.device_id == device_id
    found = database.tables.patients.find_by("chart_number", "057164")
    assert [document["name"] for document in found] == ["測試患者"]
    assert len(database.unsent) == 1
    await database.close()


STORAGE_CONTRACT = [
    check_a_new_storage_is_empty,
    check_appended_bytes_are_read_back_after_reopening,
    check_truncating_cuts_the_end_for_good,
    check_a_journal_cut_in_its_last_frame_keeps_the_others,
    check_a_database_opens_as_it_was_closed,
]
