"""What goes to CDC, byte for byte. Pure; with cdc_answers.py the one place that knows the interface.

Every `section` is one of the interface contract in the README; what no published document says is `# ASSUMED:`.

Invariant: the same rows, time and identifier give the same bytes.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from store.history import Identity
from store.ids import IdType
from store.patients import Patient, Sex
from store.roc_date import TAIPEI
from store.uploads import UploadMethod
from store.vaccinations import Vaccination
from sync.registry import UploadItem

CONTENT_TYPE = "application/fhir+json; charset=utf-8"  # section 1
_TWNIIS = "https://twniis.cdc.gov.tw"
_ID_CODES = "http://terminology.hl7.org/CodeSystem/v2-0203"
_PARENT_ID = ("MR", f"{_TWNIIS}/parent-id")  # section 2, newborn without own ID
_OWN_ID = {
    IdType.NATIONAL: ("NNxxx", "http://www.moi.gov.tw"),
    # ASSUMED: as in the published NIIS guide (patient-reporting-niis); section 2 shows only NNxxx.
    IdType.RESIDENT: ("PRC", "http://www.immigration.gov.tw"),
    IdType.OLD_RESIDENT: ("PRC", "http://www.immigration.gov.tw"),
    # As in the guide's example patient-passport-min and in TW Core's Patient, whatever country issued the passport.
    IdType.PASSPORT: ("PPN", "http://hl7.org/fhir/sid/passport-TWN"),
}
_GENDER = {Sex.MALE: "male", Sex.FEMALE: "female", None: "unknown"}


def make_upload(org_id: str, upload_batch_id: str, items: Sequence[UploadItem], at: datetime) -> bytes:
    """The Bundle of one batch. Source: section 2."""
    entries: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for item in items:
        method, key = item.row.method, item.row.record_id
        entry: dict[str, Any] = {"fullUrl": _urn(key)}
        if method is UploadMethod.DELETE:
            person = entries.setdefault((), [])  # a void names nobody: it carries no resource
        else:
            if item.vaccination is None or item.patient is None:
                raise ValueError(f"row {key}: nothing to send")
            person = _entries_of_person(entries, item.patient)
            entry["resource"] = _immunization(org_id, item.vaccination, person[0]["fullUrl"])
        entry["request"] = {"method": str(method), "url": f"Immunization/{key}"}
        person.append(entry)
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "identifier": {"value": upload_batch_id},
        "timestamp": at.astimezone(TAIPEI).isoformat(timespec="seconds"),
        "entry": [entry for person in entries.values() for entry in person],
    }
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _entries_of_person(entries: dict[tuple[str, ...], list[dict[str, Any]]], patient: Patient) -> list[dict[str, Any]]:
    """The person's list, beginning with the Patient entry. Two charts of one person share it: section 2."""
    resource = patient_resource(patient)
    identifier = resource["identifier"][0]
    system, value = identifier["system"], identifier["value"]
    # Twins under one parent's ID are two persons.
    person = (system, value, str(resource.get("birthDate")), str(resource.get("multipleBirthInteger")))
    if person not in entries:
        request = {"method": "PUT", "url": f"Patient?identifier={system}|{value}"}
        entries[person] = [{"fullUrl": _urn(patient.record_id), "resource": resource, "request": request}]
    return entries[person]


def patient_resource(patient: Patient) -> dict[str, Any]:
    """By the own ID, else a parent's. Source: section 2. Raises: ValueError without either."""
    newborn = not patient.national_id
    value = patient.parent_national_id if newborn else patient.national_id
    if not value:
        raise ValueError(f"patient {patient.record_id}: no ID")
    # ASSUMED: a number of unknown form goes as a national ID, and CDC says what it thinks of it.
    code, system = _PARENT_ID if newborn else _OWN_ID[patient.id_type or IdType.NATIONAL]
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": [{"type": {"coding": [{"system": _ID_CODES, "code": code}]}, "system": system, "value": value}],
        "name": [{"text": patient.name}],
        "gender": _GENDER[patient.sex],
    }
    if patient.birth_date is not None:
        resource["birthDate"] = patient.birth_date.isoformat()
    if newborn:
        resource["multipleBirthInteger"] = max(1, patient.birth_order or 1)  # section 2: 1 when single
    # ASSUMED: telephone and address are left out where unknown; section 2 does not call them required.
    if phone := patient.phone.strip():
        resource["telecom"] = [{"system": "phone", "value": phone}]
    if address := patient.address.strip():
        resource["address"] = [{"text": address}]
    return resource


def _immunization(org_id: str, vaccination: Vaccination, patient_url: str) -> dict[str, Any]:
    codes = f"{_TWNIIS}/twniis/CodeSystem/twniis-vaccine-code-values"
    resource: dict[str, Any] = {
        "resourceType": "Immunization",
        "identifier": [{"system": f"{_TWNIIS}/record-key", "value": vaccination.record_id}],
        "extension": [
            {"url": f"{_TWNIIS}/twniis/StructureDefinition/lot-type", "valueCode": str(vaccination.lot_type)}
        ],
        "status": "completed",
        "vaccineCode": {"coding": [{"system": codes, "code": vaccination.vaccine_code}]},
        "patient": {"reference": patient_url},
        "occurrenceDateTime": vaccination.vaccination_date.isoformat(),
        "lotNumber": vaccination.lot_number,
    }
    # ASSUMED: left out where empty; a manufacturer is staff's typing (section 4), never CDC's demand.
    if manufacturer := vaccination.manufacturer.strip():
        resource["manufacturer"] = {"display": manufacturer}
    if vaccination.special_identity:
        resource["programEligibility"] = [{"coding": [{"code": vaccination.special_identity}]}]
    resource["performer"] = [{"actor": {"identifier": {"value": org_id}}}]
    resource["protocolApplied"] = [{"doseNumberString": vaccination.dose_number}]
    return resource


def history_path(identity: Identity) -> str:
    """What to ask for a person's history, below the base URL. Source: section 5."""
    # ASSUMED: a newborn is asked for as it is uploaded, by a parent's ID; section 5 has no place among twins.
    _, system = _OWN_ID[identity.id_type] if identity.id_type is not None else _PARENT_ID
    identifier = quote(f"{system}|{identity.value}", safe="")
    return f"/Immunization?patient.identifier={identifier}&patient.birthdate={identity.birth_date.isoformat()}"


def _urn(record_id: str) -> str:
    return f"urn:uuid:{UUID(hex=record_id)}"
