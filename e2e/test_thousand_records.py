"""A thousand vaccinations offline, the browser killed twenty times: none lost, none doubled, none made up."""

import json
import os
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage

from e2e.programs import FakeCdc, Hub, eventually
from e2e.sample.make_sample import make_roster
from e2e.screens import Desk, Tablet

RECORDS = 1000
KILLS = 20
ROSTER_ROWS = 1400  # about one in ten is nobody whom CDC would take
LONGEST_DELAY_MILLISECONDS = 40

# In the leading worker: one dose after the other, as fast as they can be saved, each of somebody who has none yet. The
# id is told to the outside when AppState.commit has returned, which is when a screen says 已存檔.
RECORDING = """
import asyncio, js
from store.changes import ChangeDraft, ChangeKind
from store.patients import Patient, check_patient
from ui import boot
from ui.forms import record_fields

async def record_doses(count):
    state = boot.running()
    tables = state.database.tables
    for person in list(tables.patients.documents()):
        if count <= 0:
            break
        patient = Patient.model_validate(record_fields(person, Patient))
        if tables.vaccinations.count_by("patient_id", patient.record_id) or check_patient(patient, state.today()):
            continue
        record_id = state.world.make_record_id()
        dose = {
            "patient_id": patient.record_id, "vaccination_date": state.today().isoformat(), "vaccine_code": "MMR",
            "dose_number": "1", "lot_number": "AMJRE075AA-CDC", "lot_type": "1", "note": record_id,
        }
        await state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, record_id, dose)])
        js.console.log(f"acknowledged {record_id} {patient.record_id}")
        count -= 1
        await asyncio.sleep(0)
"""
# What the store holds, once more checked by the model: a record is whole or it is not there.
FOUND = """
import json
from store.uploads import UploadState
from store.vaccinations import Vaccination
from ui import boot
from ui.forms import record_fields

def found():
    database = boot.running().database
    vaccinations = database.tables.vaccinations
    doses = [Vaccination.model_validate(record_fields(d, Vaccination)) for d in vaccinations.documents()]
    return json.dumps({
        "patient_by_record": {dose.record_id: dose.patient_id for dose in doses if dose.note == dose.record_id},
        "records": len(doses),
        "damaged": database.recovery.damaged,
        "unreadable": len(database.tables.unreadable),
        "unsent": len(database.unsent),
        "verified": vaccinations.count_by("upload_state", UploadState.VERIFIED),
    })
found()
"""


@contextmanager
def listening(desk: Desk, acknowledged: dict[str, str]) -> Iterator[None]:
    """Collect, outside the browser, what the recording says is saved: patient by record."""

    def note(message: ConsoleMessage) -> None:
        word, *ids = message.text.split(" ")
        if word == "acknowledged":
            acknowledged[ids[0]] = ids[1]

    desk.page.on("console", note)
    yield
    desk.page.remove_listener("console", note)


def start_recording(desk: Desk, count: int) -> None:
    desk.python(f"{RECORDING}\nrecording = asyncio.ensure_future(record_doses({count}))\nNone")


def look(desk: Desk, acknowledged: dict[str, str]) -> dict[str, Any]:
    """What the device holds: everything acknowledged, and nothing broken."""
    found: dict[str, Any] = json.loads(desk.python(FOUND))
    patient_by_record = found["patient_by_record"]
    missing = {record: patient for record, patient in acknowledged.items() if patient_by_record.get(record) != patient}
    assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged records are gone: {sorted(missing)[:5]}"
    assert len(patient_by_record) == found["records"]
    assert (found["damaged"], found["unreadable"]) == (False, 0)
    return found


def test_a_thousand_records_and_twenty_kills_lose_and_double_nothing(
    tablet: Tablet, hub: Hub, cdc: FakeCdc, tmp_path: Path
) -> None:
    seed = int(os.environ.get("KILL_SEED") or secrets.randbelow(10**6))
    print(f"KILL_SEED={seed} repeats this run's moments")
    chance = random.Random(seed)
    roster = tmp_path / "roster.csv"
    roster.write_bytes(make_roster(ROSTER_ROWS, seed, date(2026, 11, 23)))
    desk = tablet.open()
    desk.import_roster(roster)
    tablet.cut_network()
    hub.stop()

    acknowledged: dict[str, str] = {}
    for kill in range(1, KILLS + 1):
        before = len(acknowledged)
        # The kills are spread over the whole run: after each, so many are recorded in all.
        enough = RECORDS * kill // (KILLS + 2) + chance.randrange(-15, 16)
        with listening(desk, acknowledged):
            start_recording(desk, RECORDS)
            eventually_heard(desk, acknowledged, enough)
            desk.page.wait_for_timeout(chance.uniform(0, LONGEST_DELAY_MILLISECONDS))  # the random moment itself
            tablet.kill()
        assert len(acknowledged) > before
        desk = tablet.open()
        found = look(desk, acknowledged)
        print(f"kill {kill}: {len(acknowledged)} acknowledged, {found['records']} on disk")

    with listening(desk, acknowledged):
        start_recording(desk, RECORDS - len(acknowledged))
        eventually_heard(desk, acknowledged, RECORDS)
    recorded = look(desk, acknowledged)["patient_by_record"]
    assert len(acknowledged) >= RECORDS
    assert cdc.records() == {}

    hub.start()
    tablet.mend_network()
    eventually("CDC has verified all", lambda: hub.health()["queue"]["verified"] == len(recorded), within=120)
    eventually("the device knows", lambda: look(desk, acknowledged)["verified"] == len(recorded))
    assert look(desk, acknowledged)["unsent"] == 0

    held = cdc.records()
    assert held.keys() == recorded.keys()
    assert {(record["state"], record["stored_versions"], record["uploads"]) for record in held.values()} == {
        ("held", 1, 1)
    }


def eventually_heard(desk: Desk, acknowledged: dict[str, str], count: int) -> None:
    """Wait until so many are acknowledged, letting the browser's messages in."""

    def heard() -> bool:
        desk.page.wait_for_timeout(1)
        return len(acknowledged) >= count

    eventually(f"{count} records are acknowledged", heard)
