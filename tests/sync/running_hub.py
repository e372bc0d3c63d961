"""A hub on a free port with its journal in a real file, and devices that speak to it."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from aiohttp import ClientResponse, ClientSession, web

from store.changes import Change, ChangeDraft, ChangeKind, World
from store.device_database import DeviceDatabase
from store.hub_database import HubDatabase
from store.protocol import SyncAnswer, SyncRequest
from store.storage import FileFolder, MemoryFolder
from sync.app import make_app
from sync.doors import THIS_COMPUTER, Doors, GuardedSite
from sync.hub import HUB, CdcLink, Hub
from sync.settings import LanSettings, Settings
from sync.snapshot import SNAPSHOTS, Snapshots
from tests.factories import make_patient

WORLD = World(now=lambda: datetime.now(UTC), random_bytes=os.urandom)


@dataclass
class RunningHub:
    hub: Hub
    database: HubDatabase
    session: ClientSession
    port: int
    snapshots: Snapshots
    runner: web.AppRunner

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its origin, as browsers say it."""
        return f"http://{self.host}"

    async def post(self, path: str, body: bytes = b"{}", **headers: str) -> ClientResponse:
        given = {"Content-Type": "application/json"} | _spelt(headers)
        return await self.session.post(path, data=body, headers=given)

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.session.get(path, headers=_spelt(headers), allow_redirects=False)

    async def sync(self, device: DeviceDatabase) -> SyncAnswer:
        """One exchange, as the browser does it."""
        response = await self.post("/api/sync", request_of(device).model_dump_json().encode())
        assert response.status == 200, await response.text()
        answer = SyncAnswer.model_validate_json(await response.read())
        await device.receive(answer)
        return answer


def _spelt(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def running_hub(
    folder: Path,
    *,
    worker: CdcLink | None = None,
    allowed_hosts: tuple[str, ...] = (),
    lan: LanSettings | None = None,
    world: World = WORLD,
    clock: Callable[[], float] = monotonic,
) -> AsyncIterator[RunningHub]:
    settings = Settings(data_dir=folder, bundle_dir=folder / "bundle", allowed_hosts=allowed_hosts, lan=lan)
    database = await HubDatabase.open(FileFolder(folder), world)
    app = make_app(settings, database, worker, world, clock)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await GuardedSite(runner, Doors(THIS_COMPUTER), "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        async with ClientSession(f"http://127.0.0.1:{port}") as session:
            yield RunningHub(app[HUB], database, session, port, app[SNAPSHOTS], runner)
    finally:
        await runner.cleanup()
        await database.close()


async def make_device() -> DeviceDatabase:
    return await DeviceDatabase.open(MemoryFolder(), WORLD)


def request_of(device: DeviceDatabase, **changes: Any) -> SyncRequest:
    fields: dict[str, Any] = {
        "device_id": device.device_id,
        "generation": device.generation,
        "after": device.cursor,
        "changes": list(device.unsent),
        "hub_generation": device.hub_generation,
        "own": device.wants_own,
    }
    return SyncRequest(**(fields | changes))


async def register_patient(device: DeviceDatabase, chart_number: str = "057164") -> Change:
    """One person recorded on a device; nothing is sent yet."""
    payload = make_patient(chart_number=chart_number).model_dump(mode="json", exclude={"record_id"})
    record_id = WORLD.make_record_id()
    [change] = await device.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, record_id, payload)], made_by="nurse")
    return change
