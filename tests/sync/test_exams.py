"""Exam reports through the hub to CDC: a real fake CDC over loopback, a real journal."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.hub_database import HubDatabase
from store.prenatal import ExamMethod, ExamType, Finding
from store.protocol import ExamsAnswer
from store.storage import FileFolder
from sync.cdc_client import CdcClient
from sync.exams import ExamDesk
from tests.factories import make_exam, make_patient
from tests.sync.cdc_stand import Stand, make_settings, make_world, running_cdc

MANY_FIELDS = {
    "viral_load": "> 1.2E7 IU/mL",
    "viral_load_date": date(2026, 11, 19),
    "antiviral": True,
    "antiviral_since": date(2026, 10, 1),
}


def record(number: int) -> str:
    return f"{number:032x}"


class Clinic:
    def __init__(self, folder: Path, base_url: str) -> None:
        self._folder, self._settings = folder, make_settings(base_url)
        self.world = make_world()

    async def start(self) -> None:
        self.database = await HubDatabase.open(FileFolder(self._folder), self.world)
        self.tables = self.database.tables
        self._client = CdcClient(self._settings, self.world)
        self.desk = ExamDesk(self.database, self._client, self._settings, self.world)

    async def stop(self) -> None:
        await self._client.close()
        await self.database.close()

    async def register(self, **changes: Any) -> None:
        patient = make_patient(**changes)
        payload = patient.model_dump(mode="json", exclude={"record_id"})
        await self._commit(ChangeKind.REGISTER_PATIENT, patient.record_id, payload)

    async def write(self, kind: ChangeKind, record_id: str, **changes: Any) -> None:
        exam = make_exam(record_id=record_id, **changes)
        payload = exam.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
        await self._commit(kind, record_id, payload)

    async def void(self, record_id: str) -> None:
        await self._commit(ChangeKind.VOID_EXAM, record_id, {"reason": "登錯人"})

    async def _commit(self, kind: ChangeKind, record_id: str, payload: dict[str, Any]) -> None:
        before = self.tables.exams.find(record_id)
        bases = (before["revision"],) if before else ()
        await self.database.commit([ChangeDraft(kind, record_id, payload, bases)], "nurse")

    def states(self) -> dict[str, str]:
        return {exam["record_id"][-2:]: exam["exam_state"] for exam in self.tables.exams.documents()}


@pytest.fixture
async def cdc(tmp_path: Path) -> AsyncIterator[Stand]:
    async with running_cdc(tmp_path) as stand:
        yield stand


@pytest.fixture
async def clinic(tmp_path: Path, cdc: Stand) -> AsyncIterator[Clinic]:
    clinic = Clinic(tmp_path / "hub", cdc.base_url)
    await clinic.start()
    await clinic.register()
    yield clinic
    await clinic.stop()


def held(cdc: Stand) -> dict[str, Any]:
    """What stands at CDC: by key, the report's Observations by their test."""
    return {
        key: {
            resource["code"]["coding"][0]["code"]: resource["valueCodeableConcept"]["coding"][0]["code"]
            for resource in resources.values()
            if resource["resourceType"] == "Observation"
        }
        for (_, key), resources in cdc.cdc.holdings.exams.items()
    }


def bundles(cdc: Stand) -> list[dict[str, Any]]:
    return [json.loads(one["body"]) for one in cdc.cdc.holdings.exam_bundles]


def methods(bundle: dict[str, Any]) -> list[str]:
    """What is asked for each report of a Bundle."""
    return [
        entry["request"]["method"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "DiagnosticReport"
    ]


async def test_two_reports_of_one_day_are_stored_and_say_so(clinic: Clinic, cdc: Stand) -> None:
    await clinic.write(ChangeKind.RECORD_EXAM, record(1), **MANY_FIELDS)
    await clinic.write(
        ChangeKind.RECORD_EXAM, record(2), exam_type=ExamType.RUBELLA, hbsag=None, hbeag=None, method=None,
        igg=Finding.POSITIVE, is_prenatal=True,
    )  # fmt: skip

    answer = await clinic.desk.upload()

    assert answer == ExamsAnswer(code="uploaded", detail="I00001 新增成功", stored=2)
    assert clinic.states() == {"01": "stored", "02": "stored"}
    assert held(cdc) == {record(1): {"HBsAg": "NEG", "HBeAg": "NEG"}, record(2): {"IgG": "POS"}}
    assert clinic.tables.exams.at(record(1))["upload"]["message"]["text"] == "新增成功"
    kept = [(one["kind"], (one.get("answer") or {}).get("status")) for one in clinic.tables.exchanges.documents()]
    assert kept == [("sent", None), ("exams", 200)]
    assert await clinic.desk.upload() == ExamsAnswer(code="nothing_to_upload")


async def test_a_correction_modifies_and_a_void_deletes(clinic: Clinic, cdc: Stand) -> None:
    await clinic.write(ChangeKind.RECORD_EXAM, record(1))
    await clinic.write(ChangeKind.RECORD_EXAM, record(2), exam_date=date(2026, 11, 21))
    await clinic.desk.upload()
    await clinic.write(ChangeKind.CORRECT_EXAM, record(1), hbsag=Finding.POSITIVE)
    await clinic.void(record(2))
    await clinic.write(ChangeKind.RECORD_EXAM, record(3), exam_date=date(2026, 11, 22))
    await clinic.void(record(3))
    assert clinic.states() == {"01": "not_sent", "02": "not_sent", "03": "not_needed"}

    await clinic.desk.upload()

    assert held(cdc) == {record(1): {"HBsAg": "POS", "HBeAg": "NEG"}}
    assert sorted(methods(bundles(cdc)[1])) == ["DELETE", "PUT"]
    assert clinic.states() == {"01": "stored", "02": "stored", "03": "not_needed"}


async def test_what_cdc_would_refuse_goes_alone_and_holds_nobody_back(clinic: Clinic, cdc: Stand) -> None:
    await clinic.write(ChangeKind.RECORD_EXAM, record(1))
    await clinic.write(ChangeKind.RECORD_EXAM, record(2), exam_date=date(2026, 11, 21), method=ExamMethod.OTHER)

    answer = await clinic.desk.upload()

    assert (answer.stored, answer.refused) == (1, 1)
    assert clinic.states() == {"01": "stored", "02": "refused"}
    message = clinic.tables.exams.at(record(2))["upload"]["message"]
    assert (message["code"], message["text"]) == ("E00048", "無RIA及EIA檢驗結果")
    assert list(held(cdc)) == [record(1)]

    await clinic.write(ChangeKind.CORRECT_EXAM, record(2), exam_date=date(2026, 11, 21))
    await clinic.desk.upload()
    assert clinic.states() == {"01": "stored", "02": "stored"}
    assert methods(bundles(cdc)[-1]) == ["POST"], "CDC never had it, so it is no correction"


async def test_one_report_that_cdc_refuses_for_its_own_reason_is_found(clinic: Clinic, cdc: Stand) -> None:
    days = [date(2026, 11, day) for day in range(10, 15)]
    for number, day in enumerate(days, start=1):
        await clinic.write(ChangeKind.RECORD_EXAM, record(number), exam_date=day, collection_date=day)
    # Whole, then the half with three, then its half with two, then the first of them alone.
    cdc.misfortune("exams", "refuse_batch")
    cdc.misfortune("exams", "normal")
    cdc.misfortune("exams", "refuse_batch", times=3)

    answer = await clinic.desk.upload()

    assert (answer.stored, answer.refused) == (4, 1)
    assert sorted(clinic.states().values()) == ["refused", *["stored"] * 4]
    assert len(held(cdc)) == 4


@pytest.mark.parametrize("scenario", ["drop_after_storing", "truncated_json", "error_500"])
async def test_a_lost_answer_is_asked_for_with_the_same_bytes(clinic: Clinic, cdc: Stand, scenario: str) -> None:
    await clinic.write(ChangeKind.RECORD_EXAM, record(1))
    cdc.misfortune("exams", scenario, stored=True)
    assert (await clinic.desk.upload()).code.startswith("registry_")
    assert clinic.states() == {"01": "sent"}
    await clinic.write(ChangeKind.CORRECT_EXAM, record(1), hbsag=Finding.POSITIVE)
    assert clinic.states() == {"01": "sent"}, "the older revision's fate is open"

    await clinic.stop()
    await clinic.start()
    answer = await clinic.desk.upload()

    # What left first is stored once; then the correction goes, by the same tap.
    assert (answer.code, answer.stored) == ("uploaded", 2)
    assert [methods(bundle) for bundle in bundles(cdc)] == [["POST"], ["PUT"]]
    assert held(cdc) == {record(1): {"HBsAg": "POS", "HBeAg": "NEG"}}


async def test_nothing_is_lost_while_cdc_is_away_or_refuses_the_key(clinic: Clinic, cdc: Stand) -> None:
    await clinic.write(ChangeKind.RECORD_EXAM, record(1))
    cdc.misfortune("exams", "unauthorized_401")
    assert (await clinic.desk.upload()).code == "registry_key_refused"
    cdc.misfortune("exams", "drop_before_storing")
    assert (await clinic.desk.upload()).code == "registry_down"
    assert (clinic.states(), held(cdc)) == ({"01": "sent"}, {})
    await clinic.desk.upload()
    assert clinic.states() == {"01": "stored"}


async def test_a_woman_without_an_id_of_her_own_waits(clinic: Clinic) -> None:
    await clinic.register(record_id=record(9), chart_number="9", national_id=None, id_type=None)
    await clinic.write(ChangeKind.RECORD_EXAM, record(1), patient_id=record(9))
    assert await clinic.desk.upload() == ExamsAnswer(code="nothing_to_upload")
    assert clinic.states() == {"01": "not_sent"}


async def test_two_taps_at_once_are_one_upload(clinic: Clinic, cdc: Stand) -> None:
    await clinic.write(ChangeKind.RECORD_EXAM, record(1))
    answers = await asyncio.gather(clinic.desk.upload(), clinic.desk.upload())
    assert sorted(answer.code for answer in answers) == ["busy", "uploaded"]
    assert len(bundles(cdc)) == 1
