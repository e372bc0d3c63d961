"""A fake CDC on a free port in this process, and a clinic that talks to it over loopback."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from aiohttp import web

from e2e.fake_cdc.app import make_app
from e2e.fake_cdc.cdc import Cdc
from e2e.fake_cdc.practice_certificate import make_practice_certificate
from e2e.fake_cdc.scenarios import read_rule
from e2e.fake_cdc.signature import Gate, read_public_key
from store.changes import ChangeDraft, ChangeKind, World
from store.hub_database import HubDatabase
from store.protocol import CdcLinkState
from store.storage import FileFolder
from sync.cdc_client import CdcClient
from sync.registry import CdcSettings
from sync.worker import CdcWorker
from tests.factories import PATIENT_ID, make_patient, make_vaccination

ORG_ID = "1133060019"
KEY_ID = "KEY-1"
DEADLINE_SECONDS = 20.0
# Always the day of the factories, whatever day the tests run on.
_NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC).timestamp()
_START = time.monotonic()


def clock() -> float:
    return _NOON + time.monotonic() - _START


def make_world(seed: int = 1) -> World:
    return World(now=lambda: datetime.fromtimestamp(clock(), UTC), random_bytes=random.Random(seed).randbytes)


@cache
def certificate_folder() -> Path:
    """One practice certificate for the whole run: making a key takes longer than most tests."""
    folder = Path(mkdtemp(prefix="practice-certificate-"))
    make_practice_certificate(folder)
    return folder


def make_settings(base_url: str, **changes: Any) -> CdcSettings:
    folder = certificate_folder()
    settings = CdcSettings(
        base_url=base_url,
        org_id=ORG_ID,
        read_key_id=lambda: KEY_ID,
        p12_path=folder / "practice.p12",
        p12_password=(folder / "practice.p12.password").read_bytes(),
        verify_after_seconds=0.02,
        gather_seconds=0.0,
        timeout_seconds=5.0,
        retry_base_seconds=0.02,
        retry_cap_seconds=0.1,
    )
    return replace(settings, **changes)


class Stand:
    """The fake CDC, its levers and what it holds."""

    def __init__(self, cdc: Cdc, base_url: str) -> None:
        self.cdc = cdc
        self.base_url = base_url

    def misfortune(self, kind: str, scenario: str, **details: Any) -> None:
        self.cdc.scenarios.rules.append(read_rule({"kind": kind, "scenario": scenario, **details}))

    def requests(self, method: str) -> list[Any]:
        return [seen for seen in self.cdc.requests if seen.method == method]

    def versions(self, record_id: str) -> list[str]:
        """The methods by which CDC came to hold the record, each stored exactly once."""
        record = self.cdc.holdings.records.get(record_id)
        return [version["method"] for version in record.versions] if record else []

    def times_received(self) -> list[int]:
        return [batch.times_received for batch in self.cdc.holdings.batches.values()]


@asynccontextmanager
async def running_cdc(folder: Path, verify_after: float = 0.0) -> AsyncIterator[Stand]:
    gate = Gate(ORG_ID, KEY_ID, read_public_key(certificate_folder() / "practice.pem"))
    cdc = Cdc(folder / "cdc", gate, verify_after, clock)
    runner = web.AppRunner(make_app(cdc), handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Stand(cdc, f"http://127.0.0.1:{runner.addresses[0][1]}/fhir")
    finally:
        await runner.cleanup()
        cdc.holdings.close()


class Clinic:
    """One hub's journal on disk with its upload loop running. `start` and `kill` as often as wanted."""

    def __init__(self, folder: Path, settings: CdcSettings) -> None:
        self.folder = folder
        self.settings = settings
        self.world = make_world()
        self.database: HubDatabase
        self.worker: CdcWorker
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self.database = await HubDatabase.open(FileFolder(self.folder), self.world)

    async def start(self) -> None:
        await self.open()
        self.worker = CdcWorker(self.database, CdcClient(self.settings, self.world), self.settings, self.world)
        self._task = asyncio.create_task(self.worker.run())

    async def kill(self) -> None:
        """Stop in the middle of whatever it does."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self.database.close()

    async def register_patient(self, **changes: Any) -> None:
        patient = make_patient(**changes)
        payload = patient.model_dump(mode="json", exclude={"record_id"})
        await self._commit(ChangeDraft(ChangeKind.REGISTER_PATIENT, patient.record_id, payload))

    async def record(self, record_id: str, **changes: Any) -> None:
        await self._commit(vaccination_draft(ChangeKind.RECORD_VACCINATION, record_id, (), **changes))

    async def record_many(self, drafts: list[ChangeDraft]) -> None:
        await self._commit(*drafts)

    async def correct(self, record_id: str, **changes: Any) -> None:
        base = (self.vaccination(record_id)["revision"],)
        await self._commit(vaccination_draft(ChangeKind.CORRECT_VACCINATION, record_id, base, **changes))

    async def void(self, record_id: str) -> None:
        base = (self.vaccination(record_id)["revision"],)
        await self._commit(ChangeDraft(ChangeKind.VOID_VACCINATION, record_id, {"reason": "測試"}, base))

    async def ask_again(self, record_id: str) -> None:
        base = (self.vaccination(record_id)["revision"],)
        await self._commit(ChangeDraft(ChangeKind.REQUEST_UPLOAD, record_id, {}, base))

    def vaccination(self, record_id: str) -> dict[str, Any]:
        document = self.database.tables.vaccinations.find(record_id)
        assert document is not None
        return document

    def state(self, record_id: str) -> str:
        return str(self.vaccination(record_id)["upload_state"])

    def link(self) -> CdcLinkState:
        return self.worker.status()[0]

    async def until_state(self, state: str, *record_ids: str) -> None:
        await until(
            lambda: all(self.state(i) == state for i in record_ids), lambda: [self.state(i) for i in record_ids]
        )

    async def _commit(self, *drafts: ChangeDraft) -> None:
        await self.database.commit(drafts, "nurse")


def vaccination_draft(kind: ChangeKind, record_id: str, base: tuple[str, ...], **changes: Any) -> ChangeDraft:
    fields = {"vaccination_date": date(2026, 11, 20), "patient_id": PATIENT_ID, **changes}
    payload = make_vaccination(record_id=record_id, **fields).model_dump(mode="json", exclude={"record_id"})
    return ChangeDraft(kind, record_id, payload, base)


async def until(condition: Callable[[], bool], shown: Callable[[], object] = lambda: "") -> None:
    """Wait for something to come true; what `shown` tells stands in the failure."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still not so: {shown()}"
        await asyncio.sleep(0.005)
