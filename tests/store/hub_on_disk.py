"""A hub's store in a real folder, with changes in runs, in journals, and exchanges with CDC."""

from pathlib import Path
from typing import Any

from store.changes import ChangeDraft, ChangeKind
from store.hub_database import HubDatabase
from store.storage import FileFolder
from tests.worlds import make_world

WORLD = make_world()


def patient(number: int, **fields: Any) -> ChangeDraft:
    payload = {"chart_number": f"{number:06d}", "name": f"病患{number}", **fields}
    return ChangeDraft(ChangeKind.REGISTER_PATIENT, f"{number:032x}", payload)


async def open_hub(folder: Path) -> HubDatabase:
    return await HubDatabase.open(FileFolder(folder), WORLD)


async def fill(folder: Path, numbers: range) -> None:
    """Record patients, a third of them in each of two runs and the rest in the journal."""
    hub = await open_hub(folder)
    third = max(1, len(numbers) // 3)
    for place, number in enumerate(numbers, start=1):
        await hub.commit([patient(number)], made_by="nurse")
        if place in (third, 2 * third):
            await hub.keep_exchange({"upload_batch_id": f"b{number}", "body": "raw"})
            await hub.checkpoint()
    await hub.close()


async def shown(folder: Path) -> dict[str, Any]:
    """All that the store in a folder holds."""
    hub = await open_hub(folder)
    try:
        return {t.name: {d.doc_id: dict(d) for d in t.documents()} for t in hub.tables.record_tables()}
    finally:
        await hub.close()


def files_of(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}
