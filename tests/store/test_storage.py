"""The storage contract on memory and on a file."""

import errno
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from store.errors import StorageFull
from store.storage import FileStorage, JournalStorage, MemoryStorage
from tests.contracts import STORAGE_CONTRACT


@pytest.mark.parametrize("check", STORAGE_CONTRACT, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", ["memory", "file"])
async def test_storage_contract(
    kind: str, check: Callable[[Callable[[], Awaitable[JournalStorage]]], Awaitable[None]], tmp_path: Path
) -> None:
    memory = MemoryStorage()

    async def reopen() -> JournalStorage:
        return memory if kind == "memory" else FileStorage(tmp_path / "deep" / "hub.journal")

    await check(reopen)


async def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FileStorage(tmp_path / "hub.journal")

    def no_space(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)

    with pytest.raises(StorageFull):
        await storage.append(b"x")
