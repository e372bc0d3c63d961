"""Every Bundle this program sends is FHIR R4, and a validator that catches nothing would be noticed."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

import pytest

from store.exam_uploads import ExamRow
from store.ids import IdType
from store.prenatal import ExamType, Finding
from store.stock import ConsumptionRow
from store.uploads import UploadMethod, UploadRow
from sync import cdc_exams, cdc_format, cdc_stock
from sync.cdc_exams import ExamItem
from sync.registry import UploadItem
from tests.conformance.conftest import Resource, Validate
from tests.factories import make_exam, make_patient, make_vaccination

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ORG_ID = "1133060019"


def upload() -> Resource:
    """A new dose, a correction of a newborn's, and a void."""
    newborn = make_patient(
        record_id="8" * 32, national_id=None, id_type=None, parent_national_id="B222419838", phone="", address=""
    )
    dose = make_vaccination(record_id="4" * 32, special_identity="F01")
    items = [
        UploadItem(row("4", UploadMethod.POST), dose, make_patient()),
        UploadItem(row("5", UploadMethod.PUT), make_vaccination(record_id="5" * 32, manufacturer="Merck"), newborn),
        UploadItem(row("6", UploadMethod.DELETE), None, None),
    ]
    return parsed(cdc_format.make_upload(ORG_ID, "B-1", items, NOW))


def row(digit: str, method: UploadMethod) -> UploadRow:
    return UploadRow(record_id=digit * 32, revision="f" * 32, method=method)


def consumption() -> Resource:
    used = ConsumptionRow(
        consumption_id="1" * 32, revision="f" * 32, row_id="2" * 32, vials=1, doses=10, doses_total=10
    )
    return parsed(cdc_stock.make_consumption("B-2", [(used, "S-0001", "D006A-CDC")], NOW))


def exams() -> Resource:
    """Every kind of exam with every field, of persons with each kind of ID; one voided."""
    full = {"viral_load": "> 1.2E7 IU/mL", "viral_load_date": date(2026, 11, 19), "antiviral": True}
    antibody = {"hbsag": None, "hbeag": None, "method": None, "is_prenatal": True, "igm": Finding.NEGATIVE}
    passport = make_patient(record_id="9" * 32, national_id="X1234567", id_type=IdType.PASSPORT)
    items = [
        exam_item("1", UploadMethod.POST, make_patient(), **full, antiviral_since=date(2026, 10, 1)),
        exam_item("2", UploadMethod.PUT, make_patient(), exam_type=ExamType.RUBELLA, **antibody),
        exam_item("3", UploadMethod.DELETE, passport, exam_type=ExamType.MEASLES, **antibody, igg=Finding.POSITIVE),
    ]
    return parsed(cdc_exams.make_report(ORG_ID, "B-3", items, NOW))


def exam_item(digit: str, asked: UploadMethod, patient: Any, **fields: Any) -> ExamItem:
    exam = make_exam(record_id=digit * 32, patient_id=patient.record_id, **fields)
    return ExamItem(ExamRow(record_id=exam.record_id, revision="f" * 32, method=asked), exam, patient)


def parsed(body: bytes) -> Resource:
    bundle: Resource = json.loads(body)
    return bundle


@pytest.mark.parametrize("make", [upload, consumption, exams])
def test_what_is_sent_is_fhir_r4(validate: Validate, make: Callable[[], Resource]) -> None:
    assert validate([make()]) == [[]]


def test_references_lead_to_entries_of_the_same_bundle() -> None:
    for bundle in (upload(), exams()):
        urls = {entry["fullUrl"] for entry in bundle["entry"]}
        for entry in bundle["entry"]:
            base = entry["fullUrl"].rsplit("/", 2)[0]
            for reference in references(entry.get("resource", {})):
                assert reference in urls or f"{base}/{reference}" in urls


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [found for part in value.values() for found in references(part)]
    return [found for part in value for found in references(part)] if isinstance(value, list) else []


def immunization(bundle: Resource) -> Resource:
    resources = (entry.get("resource", {}) for entry in bundle["entry"])
    return next(resource for resource in resources if resource.get("resourceType") == "Immunization")


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("a missing vaccine code", lambda bundle: immunization(bundle).pop("vaccineCode")),
        ("a missing status", lambda bundle: immunization(bundle).pop("status")),
        ("an unknown property", lambda bundle: immunization(bundle).update(vaccinator="nurse")),
        ("a number for a text", lambda bundle: immunization(bundle).update(lotNumber=7)),
        ("no day", lambda bundle: immunization(bundle).update(occurrenceDateTime="115/11/23")),
        ("no type", lambda bundle: bundle.pop("type")),
        ("an entry asked for nothing", lambda bundle: bundle["entry"][0]["request"].pop("method")),
    ],
)
def test_the_validator_catches(validate: Validate, name: str, spoil: Callable[[Resource], object]) -> None:
    bundle = deepcopy(upload())
    spoil(bundle)
    assert validate([bundle]) != [[]], name
