"""Whose name a dose goes to CDC under, after merges and mended IDs."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from store.changes import ChangeDraft, ChangeKind
from store.decisions import draft_merge, draft_withdrawal
from sync.cdc_client import CdcClient
from sync.outbox import Outbox
from tests.factories import PATIENT_ID, make_patient
from tests.sync.cdc_stand import Clinic, Stand, make_settings, running_cdc

A, B = "a" * 32, "b" * 32
SURVIVOR = "9" * 32
SURVIVOR_ID = "A123456789"


@pytest_asyncio.fixture
async def cdc(tmp_path: Path) -> AsyncIterator[Stand]:
    async with running_cdc(tmp_path) as stand:
        yield stand


@pytest_asyncio.fixture
async def clinic(tmp_path: Path, cdc: Stand) -> AsyncIterator[Clinic]:
    """A clinic where one person has two charts, the second with the right ID."""
    made = Clinic(tmp_path, make_settings(cdc.base_url))
    await made.start()
    await made.register_patient()
    await made.register_patient(record_id=SURVIVOR, chart_number="057165", national_id=SURVIVOR_ID)
    yield made
    await made.kill()


async def merge(clinic: Clinic) -> None:
    await clinic.database.commit([draft_merge(PATIENT_ID, SURVIVOR)], "nurse")


def ids_sent(clinic: Clinic) -> list[list[str]]:
    """The national IDs of each batch."""
    exchanges = clinic.database.tables.exchanges.documents()
    bodies = [json.loads(e["request"]["body"]) for e in exchanges if e["kind"] == "sent"]
    return [[_id_of(entry) for entry in body["entry"] if _is_patient(entry)] for body in bodies]


def _is_patient(entry: dict[str, Any]) -> bool:
    return entry.get("resource", {}).get("resourceType") == "Patient"


def _id_of(entry: dict[str, Any]) -> str:
    return str(entry["resource"]["identifier"][0]["value"])


async def test_a_merged_persons_dose_goes_under_the_survivor(clinic: Clinic) -> None:
    await merge(clinic)
    await clinic.record(A)
    await clinic.until_state("verified", A)

    assert ids_sent(clinic) == [[SURVIVOR_ID]]


async def test_a_dose_sent_before_the_merge_goes_again_under_the_survivor(cdc: Stand, clinic: Clinic) -> None:
    await clinic.record(A)
    await clinic.until_state("verified", A)
    await merge(clinic)
    assert clinic.state(A) == "not_sent"
    await clinic.until_state("verified", A)

    assert ids_sent(clinic) == [["B222419838"], [SURVIVOR_ID]]
    assert cdc.versions(A) == ["POST", "PUT"]


async def test_an_undone_merge_sends_the_dose_back_to_whose_it_was(cdc: Stand, clinic: Clinic) -> None:
    await merge(clinic)
    await clinic.record(A)
    await clinic.until_state("verified", A)
    [decision] = clinic.database.tables.decisions.documents()
    await clinic.database.commit([draft_withdrawal(decision)], "nurse")
    await clinic.until_state("verified", A)

    assert ids_sent(clinic) == [[SURVIVOR_ID], ["B222419838"]]


async def test_a_merge_of_charts_with_one_id_sends_nothing_again(clinic: Clinic) -> None:
    await clinic.register_patient(record_id=B, chart_number="057166")
    await clinic.record(A)
    await clinic.until_state("verified", A)
    await clinic.database.commit([draft_merge(PATIENT_ID, B)], "nurse")

    assert clinic.state(A) == "verified"


async def test_a_voided_dose_does_not_go_again_when_its_person_is_merged(clinic: Clinic) -> None:
    await clinic.record(A)
    await clinic.until_state("verified", A)
    await clinic.void(A)
    await clinic.until_state("verified", A)
    await merge(clinic)

    assert clinic.state(A) == "verified"


async def test_a_mended_id_sends_the_persons_doses_again(cdc: Stand, clinic: Clinic) -> None:
    await clinic.record(A)
    await clinic.until_state("verified", A)
    base = clinic.database.tables.patients.at(PATIENT_ID)["revision"]
    payload = make_patient(national_id=SURVIVOR_ID).model_dump(mode="json", exclude={"record_id"})
    await clinic.database.commit([ChangeDraft(ChangeKind.CORRECT_PATIENT, PATIENT_ID, payload, (base,))], "nurse")
    await clinic.until_state("verified", A)

    assert cdc.versions(A) == ["POST", "PUT"]


async def test_both_records_of_one_dose_go_since_the_warning_is_soft(cdc: Stand, clinic: Clinic) -> None:
    await clinic.record(A)
    await clinic.record(B)
    await clinic.until_state("verified", A, B)

    assert (cdc.versions(A), cdc.versions(B)) == (["POST"], ["POST"])


async def test_the_oldest_that_may_leave_is_found_behind_many_that_are_held_back(tmp_path: Path, cdc: Stand) -> None:
    clinic = Clinic(tmp_path, make_settings(cdc.base_url))
    await clinic.open()
    await clinic.register_patient()
    await clinic.register_patient(record_id=SURVIVOR, chart_number="057165", national_id=None)
    for number in range(9):
        await clinic.record(f"{number:032x}", patient_id=SURVIVOR)
    await clinic.record(A)
    await clinic.record(B)

    outbox = Outbox(clinic.database.tables, CdcClient(clinic.settings, clinic.world), 1)
    assert [row.record_id for row in outbox.next_rows()] == [A]
    await clinic.kill()
