"""The bytes of a Bundle, against the interface contract's section 2 and the fake CDC's own reading of it."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.fake_cdc.bundle_reading import read_bundle
from e2e.fake_cdc.row_checks import check_patient
from store.ids import IdType
from store.lots import LotType
from store.patients import Patient, Sex, can_identify
from store.uploads import UploadMethod, UploadRow
from store.vaccinations import Vaccination
from sync.cdc_format import make_upload
from sync.registry import UploadItem
from tests.factories import make_patient, make_vaccination

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
ORG_ID = "1133060019"
BATCH = "1133060019-20261120-000017"
MOTHER = "A123456789"


def item(
    vaccination: Vaccination | None = None, patient: Patient | None = None, method: UploadMethod = UploadMethod.POST
) -> UploadItem:
    vaccination, patient = vaccination or make_vaccination(), patient or make_patient()
    row = UploadRow(record_id=vaccination.record_id, revision="f" * 32, method=method)
    return UploadItem(row, vaccination, patient) if method is not UploadMethod.DELETE else UploadItem(row, None, None)


def bundle(*items: UploadItem) -> dict[str, Any]:
    found = json.loads(make_upload(ORG_ID, BATCH, items, AT))
    assert isinstance(found, dict)
    return found


def test_one_row_is_written_as_the_contract_prints_it() -> None:
    patient = make_patient(
        record_id="6a1e0d5c4c584a0e9f0e0b6f2f6d2c11",
        national_id="A123456789",
        birth_date=date(2025, 10, 2),
        address="臺中市南區",
    )
    vaccination = make_vaccination(
        record_id="0f0f3b5258a54a9e8c7c9a4b6c1d2e3f",
        vaccination_date=date(2026, 11, 20),
        manufacturer="Merck",
        special_identity="F01",
    )

    assert bundle(item(vaccination, patient)) == {
        "resourceType": "Bundle",
        "type": "batch",
        "identifier": {"value": "1133060019-20261120-000017"},
        "timestamp": "2026-11-20T10:00:00+08:00",
        "entry": [
            {
                "fullUrl": "urn:uuid:6a1e0d5c-4c58-4a0e-9f0e-0b6f2f6d2c11",
                "resource": {
                    "resourceType": "Patient",
                    "identifier": [
                        {
                            "type": {
                                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NNxxx"}]
                            },
                            "system": "http://www.moi.gov.tw",
                            "value": "A123456789",
                        }
                    ],
                    "name": [{"text": "測試患者"}],
                    "gender": "female",
                    "birthDate": "2025-10-02",
                    "telecom": [{"system": "phone", "value": "0912345678"}],
                    "address": [{"text": "臺中市南區"}],
                },
                "request": {"method": "PUT", "url": "Patient?identifier=http://www.moi.gov.tw|A123456789"},
            },
            {
                "fullUrl": "urn:uuid:0f0f3b52-58a5-4a9e-8c7c-9a4b6c1d2e3f",
                "resource": {
                    "resourceType": "Immunization",
                    "identifier": [
                        {"system": "https://twniis.cdc.gov.tw/record-key", "value": "0f0f3b5258a54a9e8c7c9a4b6c1d2e3f"}
                    ],
                    "extension": [
                        {"url": "https://twniis.cdc.gov.tw/twniis/StructureDefinition/lot-type", "valueCode": "1"}
                    ],
                    "status": "completed",
                    "vaccineCode": {
                        "coding": [
                            {
                                "system": "https://twniis.cdc.gov.tw/twniis/CodeSystem/twniis-vaccine-code-values",
                                "code": "MMR",
                            }
                        ]
                    },
                    "patient": {"reference": "urn:uuid:6a1e0d5c-4c58-4a0e-9f0e-0b6f2f6d2c11"},
                    "occurrenceDateTime": "2026-11-20",
                    "lotNumber": "AMJRE075AA-CDC",
                    "manufacturer": {"display": "Merck"},
                    "programEligibility": [{"coding": [{"code": "F01"}]}],
                    "performer": [{"actor": {"identifier": {"value": "1133060019"}}}],
                    "protocolApplied": [{"doseNumberString": "1"}],
                },
                "request": {"method": "POST", "url": "Immunization/0f0f3b5258a54a9e8c7c9a4b6c1d2e3f"},
            },
        ],
    }


def test_chinese_is_written_as_itself_in_utf_8() -> None:
    assert "測試患者".encode() in make_upload(ORG_ID, BATCH, [item()], AT)


def test_a_void_carries_no_resource_and_names_nobody() -> None:
    assert bundle(item(method=UploadMethod.DELETE))["entry"] == [
        {
            "fullUrl": "urn:uuid:22222222-2222-2222-2222-222222222222",
            "request": {"method": "DELETE", "url": f"Immunization/{'2' * 32}"},
        }
    ]


def test_a_correction_keeps_the_record_key() -> None:
    entry = bundle(item(method=UploadMethod.PUT))["entry"][1]
    assert entry["request"] == {"method": "PUT", "url": f"Immunization/{'2' * 32}"}
    assert entry["resource"]["identifier"][0]["value"] == "2" * 32


@pytest.mark.parametrize(
    ("changes", "code", "system"),
    [
        ({"id_type": IdType.RESIDENT, "national_id": "A800000014"}, "PRC", "http://www.immigration.gov.tw"),
        ({"id_type": IdType.OLD_RESIDENT, "national_id": "AC01234567"}, "PRC", "http://www.immigration.gov.tw"),
        ({"id_type": IdType.PASSPORT, "national_id": "X1234567"}, "PPN", "http://hl7.org/fhir/sid/passport-TWN"),
        ({"id_type": None, "national_id": "??"}, "NNxxx", "http://www.moi.gov.tw"),
        (
            {"id_type": None, "national_id": None, "parent_national_id": MOTHER},
            "MR",
            "https://twniis.cdc.gov.tw/parent-id",
        ),
    ],
    ids=["resident", "old resident", "passport", "unknown form", "newborn"],
)
def test_who_somebody_is_goes_under_the_kind_of_number(changes: dict[str, Any], code: str, system: str) -> None:
    entry = bundle(item(patient=make_patient(**changes)))["entry"][0]
    identifier = entry["resource"]["identifier"][0]
    assert (identifier["type"]["coding"][0]["code"], identifier["system"]) == (code, system)
    assert entry["request"]["url"] == f"Patient?identifier={system}|{identifier['value']}"


@pytest.mark.parametrize(("birth_order", "told"), [(None, 1), (0, 1), (1, 1), (2, 2)])
def test_a_newborn_without_own_id_goes_under_a_parents_with_the_order_of_birth(
    birth_order: int | None, told: int
) -> None:
    newborn = make_patient(national_id=None, id_type=None, parent_national_id=MOTHER, birth_order=birth_order)
    resource = bundle(item(patient=newborn))["entry"][0]["resource"]
    assert (resource["identifier"][0]["value"], resource["multipleBirthInteger"]) == (MOTHER, told)
    assert resource["birthDate"] == "1985-11-08"


def test_twins_under_one_parents_id_are_two_persons() -> None:
    twins = [
        make_patient(record_id=n * 32, national_id=None, parent_national_id=MOTHER, birth_order=int(n)) for n in "12"
    ]
    entries = bundle(
        item(make_vaccination(record_id="a" * 32), twins[0]), item(make_vaccination(record_id="b" * 32), twins[1])
    )["entry"]
    assert [entry["resource"]["resourceType"] for entry in entries] == ["Patient", "Immunization"] * 2


def test_two_charts_of_one_person_share_one_patient_entry() -> None:
    second_chart = make_patient(record_id="9" * 32, chart_number="000001")
    entries = bundle(
        item(make_vaccination(record_id="a" * 32)), item(make_vaccination(record_id="b" * 32), second_chart)
    )["entry"]
    assert [entry["resource"]["resourceType"] for entry in entries] == ["Patient", "Immunization", "Immunization"]
    assert entries[2]["resource"]["patient"]["reference"] == entries[0]["fullUrl"]


def test_what_is_unknown_is_left_out_and_never_empty() -> None:
    patient = make_patient(sex=None, phone=" ", address="", birth_date=None)
    vaccination = make_vaccination(manufacturer="", special_identity=None)
    person, dose = (entry["resource"] for entry in bundle(item(vaccination, patient))["entry"])
    assert person["gender"] == "unknown"
    assert not {"telecom", "address", "birthDate", "multipleBirthInteger"} & person.keys()
    assert not {"manufacturer", "programEligibility"} & dose.keys()


def test_nobody_without_any_id_is_sent() -> None:
    assert not can_identify({"national_id": "", "parent_national_id": None})
    with pytest.raises(ValueError, match="no ID"):
        bundle(item(patient=make_patient(national_id=None)))


_text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
_persons = st.builds(
    make_patient,
    name=_text.filter(str.strip),
    sex=st.sampled_from([None, *Sex]),
    national_id=st.sampled_from(["B222419838", "A123456789", None]),
    parent_national_id=st.just(MOTHER),
    birth_date=st.dates(date(1912, 1, 1), date(2026, 11, 1)),
    phone=_text,
    address=_text,
    birth_order=st.sampled_from([None, 0, 1, 2]),
)
_doses = st.builds(
    make_vaccination,
    dose_number=st.sampled_from(["1", "B2"]),
    lot_number=_text.filter(bool),
    lot_type=st.sampled_from(LotType),
    manufacturer=_text,
    special_identity=st.sampled_from([None, "F01"]),
)
_rows = st.lists(st.tuples(_persons, _doses, st.sampled_from(UploadMethod)), min_size=1, max_size=12)


@given(_rows)
def test_another_reader_finds_every_row_once_and_its_person_just_before(
    rows: list[tuple[Patient, Vaccination, UploadMethod]],
) -> None:
    items = [
        item(
            dose.model_copy(update={"record_id": f"{number:032x}"}),
            person.model_copy(update={"record_id": f"{1000 + number:032x}"}),
            method,
        )
        for number, (person, dose, method) in enumerate(rows)
    ]
    body = make_upload(ORG_ID, BATCH, items, AT)

    assert body == make_upload(ORG_ID, BATCH, items, AT)
    read = read_bundle(body)
    assert read.identifier == BATCH
    assert {(row.record_key, row.method) for row in read.rows} == {(i.row.record_id, str(i.row.method)) for i in items}
    for row in read.rows:
        if row.patient is not None:
            assert check_patient(row.patient, date(2026, 11, 20)) is None
