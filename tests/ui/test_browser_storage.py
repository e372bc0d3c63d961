"""Where a device's journal is kept. The storages themselves run in e2e: they need a browser."""

from dataclasses import replace

import pytest

from store.errors import AppError
from ui.browser_storage import (
    Found,
    StorageBusy,
    StorageConflict,
    StorageKind,
    StorageSealed,
    StorageUnavailable,
    choose_storage,
)

NEW = Found(opfs_opened=True, opfs_error="", opfs_bytes=0, indexed_db_bytes=0, last_kind=None)
NO_OPFS = replace(NEW, opfs_opened=False, opfs_error="NotSupportedError")
BUSY = replace(NEW, opfs_opened=False, opfs_error="NoModificationAllowedError")
OPFS, INDEXED_DB = StorageKind.OPFS, StorageKind.INDEXED_DB


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(NEW, OPFS, id="a new device"),
        pytest.param(NO_OPFS, INDEXED_DB, id="a new device without sync handles"),
        pytest.param(replace(NEW, opfs_bytes=9, last_kind=OPFS), OPFS, id="data in OPFS"),
        pytest.param(replace(NO_OPFS, indexed_db_bytes=9, last_kind=INDEXED_DB), INDEXED_DB, id="data in IndexedDB"),
        pytest.param(
            replace(NEW, indexed_db_bytes=9, last_kind=INDEXED_DB),
            INDEXED_DB,
            id="a browser that has learnt OPFS since",
        ),
        pytest.param(replace(NEW, last_kind=INDEXED_DB), OPFS, id="IndexedDB was opened but never written"),
    ],
)
def test_the_journal_stays_where_the_data_is(found: Found, expected: StorageKind) -> None:
    assert choose_storage(found) is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(replace(BUSY, opfs_bytes=9), StorageBusy, id="held elsewhere"),
        pytest.param(replace(BUSY, opfs_bytes=-1), StorageBusy, id="held elsewhere, size unknown"),
        pytest.param(BUSY, StorageBusy, id="held elsewhere, still empty"),
        pytest.param(replace(NO_OPFS, opfs_bytes=9, opfs_error="SealError"), StorageSealed, id="sealed by another key"),
        pytest.param(replace(NO_OPFS, opfs_bytes=9), StorageUnavailable, id="OPFS has data but does not open"),
        pytest.param(replace(NO_OPFS, opfs_bytes=-1), StorageUnavailable, id="OPFS has something unreadable"),
        pytest.param(replace(NO_OPFS, last_kind=OPFS), StorageUnavailable, id="OPFS had data and cannot be looked at"),
        pytest.param(replace(NEW, opfs_bytes=9, indexed_db_bytes=9), StorageConflict, id="data in both"),
    ],
)
def test_a_device_never_starts_empty_beside_its_data(found: Found, expected: type[AppError]) -> None:
    with pytest.raises(expected):
        choose_storage(found)
