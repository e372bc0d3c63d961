"""A flu season's day: thousands of doses go to CDC and come back verified, while a station goes on syncing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from aiohttp import ClientSession

from e2e.bench.hub_store import LOTS, VACCINES, fill_hub
from e2e.bench.report import OURS, Report, percentile
from e2e.programs import ROOT, FakeCdc, Hub
from store.device_database import DeviceDatabase
from store.protocol import SyncAnswer
from store.uploads import UploadState
from tests.sync.running_hub import make_device, register_patient, request_of

DOSES = 10_000
BATCHES_PER_MINUTE = 600  # the settings' most: what is measured is the hub and not its politeness
_BETWEEN_SYNCS_SECONDS = 0.05
_JSON = {"Content-Type": "application/json"}


def measure_cdc_link(report: Report, folder: Path, doses: int = DOSES) -> None:
    """Add how long so many doses take from waiting to verified, and what a station's syncs took meanwhile."""
    cdc = FakeCdc(folder / "cdc", verify_after=0.5)
    hub = Hub(
        folder / "hub", cdc, bundle=ROOT / ".build" / "bundle", verify_after=0.5, batches_per_minute=BATCHES_PER_MINUTE
    )
    data = folder / "hub" / "data"
    data.mkdir(mode=0o700)
    with ThreadPoolExecutor(1) as beside:  # Playwright's own loop may run in this thread
        beside.submit(asyncio.run, fill_hub(data, doses, doses)).result()
        cdc.start()
        try:
            for number in range(LOTS):
                cdc.know_lot(f"LOT{number}-CDC", VACCINES[number % len(VACCINES)])
            began = perf_counter()
            hub.start()
            seconds, syncs = beside.submit(asyncio.run, _sync_until_verified(hub, doses, began)).result()
            held = len(cdc.records())
            assert held == doses, f"CDC holds {held} of {doses}"
        finally:
            hub.kill()
            cdc.kill()
    note = f"{doses} doses, start of the hub included"
    report.add(OURS, "doses uploaded and verified", "s", [seconds], note)
    report.add(OURS, "a device's sync meanwhile", "ms", syncs, f"{len(syncs)} syncs of one change each")
    report.add(OURS, "the same, p99", "ms", [percentile(syncs, 99)])


async def _sync_until_verified(hub: Hub, doses: int, began: float) -> tuple[float, list[float]]:
    """Push one patient after another and pull what the hub says of the doses, until all of them are verified."""
    device, syncs = await make_device(), list[float]()
    async with ClientSession() as session:
        await _sync(hub, device, session)
        while device.tables.vaccinations.count_by("upload_state", UploadState.VERIFIED) < doses:
            await register_patient(device, f"new-{len(syncs)}")
            syncs.append(await _sync(hub, device, session))
            await asyncio.sleep(_BETWEEN_SYNCS_SECONDS)
    return perf_counter() - began, syncs


async def _sync(hub: Hub, device: DeviceDatabase, session: ClientSession) -> float:
    """Exchange until nothing is left on either side. Returns the longest request in milliseconds."""
    longest, more = 0.0, True
    while more:
        body, start = request_of(device).model_dump_json().encode(), perf_counter()
        async with session.post(f"{hub.url}/api/sync", data=body, headers=_JSON) as response:
            answer = SyncAnswer.model_validate_json(await response.read())
        longest = max(longest, (perf_counter() - start) * 1000)
        await device.receive(answer)
        more = answer.head > device.cursor
    return longest
