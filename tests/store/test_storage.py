"""The storage contract on memory and on a file."""

import asyncio
import errno
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.errors import StorageFull
from store.storage import FileFolder, FileStorage, MemoryFolder, StorageFolder
from tests.contracts import STORAGE_CONTRACT
from tests.worlds import make_world


@pytest.mark.parametrize("check", STORAGE_CONTRACT, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", ["memory", "file"])
async def test_storage_contract(
    kind: str, check: Callable[[Callable[[], Awaitable[StorageFolder]]], Awaitable[None]], tmp_path: Path
) -> None:
    memory = MemoryFolder()

    async def reopen() -> StorageFolder:
        return memory if kind == "memory" else FileFolder(tmp_path / "deep" / "store")

    await check(reopen)


async def test_a_save_cancelled_while_the_disk_is_busy_leaves_a_journal_that_opens(tmp_path: Path) -> None:
    busy, go_on = threading.Event(), threading.Event()

    class SlowStorage(FileStorage):
        def _append(self, data: bytes, durable: bool) -> None:
            if data:  # opening only flushes
                busy.set()
                assert go_on.wait(10)
            super()._append(data, durable)

    class SlowFolder(FileFolder):
        async def open(self, name: str) -> FileStorage:
            return SlowStorage(tmp_path / name)

    await (await DeviceDatabase.open(FileFolder(tmp_path), make_world())).close()
    database = await DeviceDatabase.open(SlowFolder(tmp_path), make_world())

    def draft(number: int) -> ChangeDraft:
        return ChangeDraft(ChangeKind.REGISTER_PATIENT, f"{number:032x}", {"chart_number": str(number), "name": "x"})

    saving = asyncio.create_task(database.commit([draft(1)], made_by="nurse"))
    await asyncio.to_thread(busy.wait, 10)
    saving.cancel()
    await asyncio.wait([saving], timeout=0.2)  # whoever lets go too early has truncated by now
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await saving
    await database.commit([draft(2)], made_by="nurse")
    await database.close()

    again = await DeviceDatabase.open(FileFolder(tmp_path), make_world())
    assert again.recovery.dropped == []
    assert [d["chart_number"] for d in again.tables.patients.documents()] == ["2"]


async def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FileStorage(tmp_path / "hub.journal")

    def no_space(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)

    with pytest.raises(StorageFull):
        await storage.append(b"x")
