"""What surrounds a device in these tests: no network, and a disk that may be full."""

from store.errors import StorageFull
from store.storage import MemoryFolder
from ui.sync_client import NetworkFailed


class NoNetwork:
    """A device out of reach of everything."""

    async def fetch(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> None:
        raise NetworkFailed("offline")

    def event_stream(self, *_: object) -> None:
        pass

    def is_online(self) -> bool:
        return False


class FailingStorage(MemoryFolder):
    full = False

    async def append(self, name: str, data: bytes) -> None:
        if self.full:
            raise StorageFull("full")
        await super().append(name, data)
