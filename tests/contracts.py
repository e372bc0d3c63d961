"""What every journal storage must do. Plain async functions without pytest, so that the very same text also runs inside
the browser's worker against OPFS and IndexedDB (e2e/test_storage_in_browser.py)."""

from collections.abc import Awaitable, Callable
from typing import Any

from store.changes import ChangeDraft, ChangeKind, World
from store.device_database import DeviceDatabase
from store.journal import HEADER, Journal, encode_frame
from store.storage import StorageFolder, read_many

# Opens the folder of one test: the same bytes again at each call, after closing the one before.
Reopen = Callable[[], Awaitable[StorageFolder]]
NAME = "journal.000001"


async def check_a_new_folder_is_empty_and_so_is_a_new_file(reopen: Reopen) -> None:
    folder = await reopen()
    assert await folder.names() == []
    file = await folder.open(NAME)
    assert file.size() == 0
    assert file.read(0, 10) == b""
    await file.close()
    assert await folder.names() in ([], [NAME])  # a file without a byte need not be remembered
    await folder.close()


async def check_appended_bytes_are_read_back_after_reopening(reopen: Reopen) -> None:
    folder = await reopen()
    file = await folder.open(NAME)
    await file.append(b"first")
    assert file.read(0, 100) == b"first"
    await file.append(bytes(range(256)) * 200, durable=False)
    await file.append(bytes(range(256)) * 200)
    await file.close()
    await folder.close()

    folder = await reopen()
    file = await folder.open(NAME)
    assert file.size() == 5 + 256 * 400
    assert file.read(0, 5) == b"first"
    assert file.read(3, 6) == b"st\x00\x01\x02\x03"
    assert read_many(file, [(3, 6), (5, 0), (0, 5)]) == [b"st\x00\x01\x02\x03", b"", b"first"]
    assert file.read(5 + 256 * 400 - 2, 100) == b"\xfe\xff"
    assert file.read(5 + 256 * 400, 100) == b""
    await file.close()
    await folder.close()


async def check_truncating_cuts_the_end_for_good(reopen: Reopen) -> None:
    folder = await reopen()
    file = await folder.open(NAME)
    for part in (b"aaaa", b"bbbb", b"cccc"):
        await file.append(part)
    await file.truncate(6)
    await file.append(b"dd")
    await file.close()
    await folder.close()

    folder = await reopen()
    file = await folder.open(NAME)
    assert file.size() == 8
    assert file.read(0, 100) == b"aaaabbdd"
    await file.truncate(0)
    assert file.size() == 0
    await file.close()
    await folder.close()


async def check_files_are_apart_and_a_removed_one_is_gone(reopen: Reopen) -> None:
    folder = await reopen()
    for name in (NAME, "run.000001"):
        file = await folder.open(name)
        await file.append(name.encode())
        await file.close()
    await folder.remove(NAME)
    await folder.remove("never.there")
    await folder.close()

    folder = await reopen()
    assert await folder.names() == ["run.000001"]
    file = await folder.open("run.000001")
    assert file.read(0, 100) == b"run.000001"
    await file.close()
    await folder.close()


async def check_a_journal_cut_in_its_last_frame_keeps_the_others(reopen: Reopen) -> None:
    folder = await reopen()
    file = await folder.open(NAME)
    await file.append(HEADER + encode_frame(b"one") + encode_frame(b"two"))
    await file.append(encode_frame(b"three")[:-2], durable=False)  # what is cut off was never durable
    await file.close()

    journal = Journal(await folder.open(NAME))
    assert list(journal.frames()) == [b"one", b"two"]
    await journal.open_for_appending()
    await journal.append(b"four")
    await journal.close()

    journal = Journal(await folder.open(NAME))
    assert list(journal.frames()) == [b"one", b"two", b"four"]
    assert journal.recovery.dropped == []
    await journal.close()
    await folder.close()


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
    await database.checkpoint()
    draft = ChangeDraft(ChangeKind.REGISTER_PATIENT, "b" * 32, {**patient, "chart_number": "057165"})
    await database.commit([draft], made_by="nurse")
    device_id = database.device_id
    await database.close()

    database = await DeviceDatabase.open(await reopen(), world)
    assert database.device_id == device_id
    found = database.tables.patients.find_by("chart_number", "057164")
    assert [document["name"] for document in found] == ["測試患者"]
    assert [document["name"] for document in database.tables.patients.find_by_typed("05716", 10)] == ["測試患者"] * 2
    assert len(database.unsent) == 2
    await database.close()


STORAGE_CONTRACT = [
    check_a_new_folder_is_empty_and_so_is_a_new_file,
    check_appended_bytes_are_read_back_after_reopening,
    check_truncating_cuts_the_end_for_good,
    check_files_are_apart_and_a_removed_one_is_gone,
    check_a_journal_cut_in_its_last_frame_keeps_the_others,
    check_a_database_opens_as_it_was_closed,
]
