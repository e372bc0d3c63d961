"""How the product's stores get at a virtual disk: the one place to change when the storage contract changes.

With the contract of folders and files (`StorageFolder`, `StorageFile`) `JournalOnFile` goes, a class of three methods
over `VirtualFolder` takes its place (`names`, `open`, `remove`, each bound to the process), and the two functions below
hand it to `open`. `VirtualFile` already is a `StorageFile`.
"""

from store.changes import World
from store.database import DeviceDatabase, HubDatabase
from store.protocol import NumberedChange
from tests.sim.disk import VirtualFile, VirtualFolder
from tests.sim.loop import Process

JOURNAL = "journal"


async def open_device(folder: VirtualFolder, process: Process, world: World) -> DeviceDatabase:
    return await DeviceDatabase.open(JournalOnFile(folder.open(JOURNAL, process)), world)


async def open_hub(folder: VirtualFolder, process: Process, world: World) -> HubDatabase:
    return await HubDatabase.open(JournalOnFile(folder.open(JOURNAL, process)), world)


class JournalOnFile:
    """One file as `store.storage.JournalStorage`."""

    def __init__(self, file: VirtualFile) -> None:
        self._file = file

    async def size(self) -> int:
        return self._file.size()

    async def read(self, offset: int, length: int) -> bytes:
        return self._file.read(offset, length)

    async def append(self, data: bytes) -> None:
        await self._file.append(data)

    async def truncate(self, size: int) -> None:
        await self._file.truncate(size)

    async def close(self) -> None:
        await self._file.close()


def hub_log(database: HubDatabase) -> list[NumberedChange]:
    """Everything the hub has numbered, by number."""
    numbered, upto = database.changes_after(0, database.head, except_device="")
    assert upto == database.head
    return numbered


def has_given_up(database: DeviceDatabase | HubDatabase) -> bool:
    """Say whether a store takes nothing any more until it is opened anew, although its disk is well again.

    Today's journal does so once it could not cut off a failed write.
    """
    return not database._journal._usable
