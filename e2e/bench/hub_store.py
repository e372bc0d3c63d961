"""What one hub keeps per second, on a real disk, without HTTP: the store's own share of a push."""

import asyncio
import os
import random
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from e2e.bench.report import OURS, Report
from e2e.sample.make_sample import make_roster
from store.changes import Change, ChangeDraft, ChangeKind, World
from store.hub_database import HubDatabase
from store.ids import id_checksum_holds
from store.patients import can_identify
from store.roster import decode_roster, read_rows
from store.storage import FileFolder, FileStorage
from sync.app import spare_the_collector

ROWS = 20_000
BATCH = 500
CALLERS = 20
SMALL_BATCH = 5
LOTS = 40  # LOT0-CDC, LOT1-CDC, ...: each of one vaccine, in turn
VACCINES = ("MMR", "Var", "Flu")
_WORLD = World(now=lambda: datetime.now(UTC), random_bytes=os.urandom)


def measure_hub_store(report: Report, folder: Path, rows: int = ROWS) -> None:
    """Add what the hub's store takes in large batches, and how many flushes many small ones share."""
    asyncio.run(_measure(report, folder, rows))


async def _measure(report: Report, folder: Path, rows: int) -> None:
    changes = _make_changes(rows)
    spare_the_collector()  # as the hub does
    batches = [changes[n : n + BATCH] for n in range(0, len(changes), BATCH)]
    with tempfile.TemporaryDirectory(dir=folder) as name:
        hub = await HubDatabase.open(FileFolder(Path(name)), _WORLD)
        rates, began, busy = [], perf_counter(), process_time()
        for batch in batches:
            start = perf_counter()
            await hub.accept(batch)
            rates.append(len(batch) / (perf_counter() - start))
        spent, busy = perf_counter() - began, process_time() - busy
        report.add(OURS, f"hub durable records/s (batches of {BATCH})", "1/s", rates, f"{rows} patients, each batch")
        report.add(OURS, "the same over the whole run", "1/s", [rows / spent], "checkpoints meanwhile included")
        report.add(OURS, "the same for each second of processor time", "1/s", [rows / busy], "for a loaded machine")
        await hub.settle()
        start = perf_counter()
        await hub.accept(batches[-1])
        report.add(OURS, f"hub: {BATCH} records it knows already", "ms", [(perf_counter() - start) * 1000])
        await hub.close()
    with tempfile.TemporaryDirectory(dir=folder) as name:
        await _measure_callers(report, Path(name), _make_changes(CALLERS * SMALL_BATCH * 50))


async def _measure_callers(report: Report, folder: Path, changes: list[Change]) -> None:
    flushes = 0

    class CountingFile(FileStorage):
        def _append(self, data: bytes, durable: bool) -> None:
            nonlocal flushes
            flushes += durable
            super()._append(data, durable)

    class CountingFolder(FileFolder):
        async def open(self, name: str) -> FileStorage:
            return CountingFile(folder / name)

    hub = await HubDatabase.open(CountingFolder(folder), _WORLD)
    flushes, waits = 0, []

    async def call(mine: list[Change]) -> None:
        for n in range(0, len(mine), SMALL_BATCH):
            start = perf_counter()
            await hub.accept(mine[n : n + SMALL_BATCH])
            waits.append((perf_counter() - start) * 1000)

    share, began = len(changes) // CALLERS, perf_counter()
    await asyncio.gather(*(call(changes[n * share : (n + 1) * share]) for n in range(CALLERS)))
    spent = perf_counter() - began
    what = f"{CALLERS} callers, batches of {SMALL_BATCH}"
    report.add(OURS, "hub: flushes per acknowledged batch", "", [flushes / len(waits)], what)
    report.add(OURS, "hub: a batch acknowledged", "ms", waits, what)
    report.add(OURS, "hub durable records/s (small batches)", "1/s", [len(changes) / spent], what)
    await hub.close()


async def fill_hub(folder: Path, patients: int, doses: int, *, open_doses: int | None = None) -> None:
    """Make a hub's store with so many people, and doses spread over them.

    `open_doses`: CDC has verified all but the last so many; None where nothing was ever uploaded.
    """
    hub = await HubDatabase.open(FileFolder(folder), _WORLD)
    people = _make_changes(patients)
    known = [one for one in people if _is_known_at_cdc(one.payload)]
    given = (_dose(number, known[number % len(known)]) for number in range(doses))
    for changes in (iter(people), given):
        while batch := list(islice(changes, BATCH)):
            await hub.accept(batch)
            if open_doses is not None and batch[0].kind == ChangeKind.RECORD_VACCINATION:
                verified = batch[: max(0, doses - open_doses - batch[0].device_seq + 1)]
                if verified:
                    await hub.commit(_verified_upload(batch[0].record_id[-12:], verified), "hub")
            await hub.settle()
    await hub.close()


def _is_known_at_cdc(person: Mapping[str, Any]) -> bool:
    """CDC takes the doses of no others."""
    own_id = person.get("national_id", "")
    return can_identify(person) and "birth_date" in person and (not own_id or id_checksum_holds(own_id))


def _verified_upload(batch_id: str, changes: list[Change]) -> list[ChangeDraft]:
    """One batch sent, accepted and verified."""
    rows = [{"record_id": one.record_id, "revision": one.change_id, "method": "POST"} for one in changes]
    results = [{"record_id": one.record_id, "verified": True, "code": "I00001", "text": "新增成功"} for one in changes]
    return [
        ChangeDraft(ChangeKind.UPLOAD_SENT, batch_id, {"rows": rows}),
        ChangeDraft(ChangeKind.UPLOAD_ACCEPTED, batch_id, {"due_at": None, "message": None}),
        ChangeDraft(ChangeKind.VERIFICATION_RECEIVED, batch_id, {"results": results}),
    ]


def _dose(number: int, person: Change) -> Change:
    day = date(2026, 1, 1) + timedelta(days=number % 300)
    payload = {
        "patient_id": person.record_id,
        "vaccination_date": max(day.isoformat(), person.payload["birth_date"]),
        "vaccine_code": VACCINES[number % LOTS % len(VACCINES)],
        "dose_number": "1",
        "lot_number": f"LOT{number % LOTS}-CDC",
        "lot_type": "1",
    }
    return Change(
        change_id=_WORLD.make_change_id(),
        device_id=f"{CALLERS:032x}",
        device_seq=number + 1,
        record_id=f"{number:032x}",
        kind=ChangeKind.RECORD_VACCINATION,
        payload=payload,
        made_by="nurse",
        made_at=_WORLD.now(),
    )


def _make_changes(rows: int) -> list[Change]:
    """Registrations as devices push them: made-up people of the sample, ids in the order of time."""
    chance, today = random.Random(7), date(2026, 11, 23)
    roster = decode_roster(make_roster(rows * 5 // 4, 7, today))
    people = [row.patient for row in read_rows(roster, today) if row.patient is not None]
    assert len(people) >= rows
    return [
        Change(
            change_id=_WORLD.make_change_id(),
            device_id=f"{number % CALLERS:032x}",
            device_seq=number // CALLERS + 1,
            record_id=chance.randbytes(16).hex(),
            kind=ChangeKind.REGISTER_PATIENT,
            payload=person.model_dump(mode="json", exclude_defaults=True),
            made_by="nurse",
            made_at=_WORLD.now(),
        )
        for number, person in enumerate(people[:rows])
    ]
