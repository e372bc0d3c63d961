"""What stands in a Bundle that was sent, read by the contract and the guide alone: nothing of sync/ is used here.

Each reader gives back a record of store/, so that it can be compared with the one that was sent.
"""

from datetime import date
from typing import Any

from e2e.fake_cdc.bundle_reading import Row, pick
from store.ids import IdType
from store.lots import LotType
from store.patients import Patient, Sex
from store.prenatal import ExamMethod, ExamResult, ExamType, Finding
from store.vaccinations import Vaccination

_KIND_OF_ID = {
    ("NNxxx", "http://www.moi.gov.tw"): IdType.NATIONAL,
    ("PRC", "http://www.immigration.gov.tw"): IdType.RESIDENT,
    ("PPN", "http://hl7.org/fhir/sid/passport-TWN"): IdType.PASSPORT,
}
_SEX = {"male": Sex.MALE, "female": Sex.FEMALE, "unknown": None}


def read_dose(row: Row, patient_id: str) -> Vaccination:
    resource = row.resource
    lot_types = {one["url"].rpartition("/")[2]: one["valueCode"] for one in pick(resource, "extension")}
    return Vaccination(
        record_id=row.record_key,
        patient_id=patient_id,
        vaccination_date=date.fromisoformat(pick(resource, "occurrenceDateTime")),
        vaccine_code=pick(resource, "vaccineCode", "coding", 0, "code"),
        dose_number=pick(resource, "protocolApplied", 0, "doseNumberString"),
        lot_number=pick(resource, "lotNumber"),
        lot_type=LotType(lot_types["lot-type"]),
        manufacturer=pick(resource, "manufacturer", "display") or "",
        special_identity=pick(resource, "programEligibility", 0, "coding", 0, "code"),
    )


def read_person(resource: Any, record_id: str, chart_number: str) -> Patient:
    """CDC is told neither of the clinic's own numbers."""
    identifier = pick(resource, "identifier", 0)
    kind = (pick(identifier, "type", "coding", 0, "code"), identifier["system"])
    own = kind != ("MR", "https://twniis.cdc.gov.tw/parent-id")
    born = resource.get("birthDate")
    return Patient(
        record_id=record_id,
        chart_number=chart_number,
        name=pick(resource, "name", 0, "text"),
        sex=_SEX[resource["gender"]],
        national_id=identifier["value"] if own else None,
        id_type=_KIND_OF_ID[kind] if own else None,
        parent_national_id=None if own else identifier["value"],
        birth_order=resource.get("multipleBirthInteger"),
        birth_date=date.fromisoformat(born) if born else None,
        phone=pick(resource, "telecom", 0, "value") or "",
        address=pick(resource, "address", 0, "text") or "",
    )


def read_exam(bundle: Any, key: str) -> ExamResult:
    """The report of this key with all that it refers to."""
    resources = {entry["request"]["url"]: entry["resource"] for entry in bundle["entry"]}
    report = next(one for one in resources.values() if pick(one, "identifier", 0, "value") == key)
    observations = [resources[one["reference"]] for one in report["result"]]
    findings = {
        pick(one, "code", "coding", 0, "code").lower(): Finding(pick(one, "valueCodeableConcept", "coding", 0, "code"))
        for one in observations
    }
    told = observations[0]
    specimen = resources.get(pick(told, "specimen", "reference"))
    collector = resources.get(pick(told, "performer", 0, "reference"))
    parts = {
        pick(one, "code", "coding", 0, "code"): next(value for name, value in one.items() if name.startswith("value"))
        for one in told.get("component", ())
    }
    method = pick(told, "method", "coding", 0, "code")
    return ExamResult(
        record_id=key,
        patient_id=report["subject"]["reference"].removeprefix("Patient/"),
        exam_type=ExamType(pick(report, "code", "coding", 0, "code")),
        exam_date=date.fromisoformat(report["effectiveDateTime"]),
        collection_date=_day(pick(specimen, "collection", "collectedDateTime")),
        collection_institution=pick(collector, "identifier", 0, "value") or "",
        due_date=_day(parts.get("預產期")),
        is_prenatal=parts.get("是否為產檢"),
        method=ExamMethod(method) if method else None,
        viral_load=parts.get("B型肝炎病毒含量", ""),
        viral_load_date=_day(pick(specimen, "receivedTime")),
        antiviral=parts.get("是否使用抗病毒藥物治療"),
        antiviral_since=_day(parts.get("抗病毒藥物治療起日")),
        **findings,  # type: ignore[arg-type]
    )


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None
