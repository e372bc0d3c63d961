"""Upload Bundles written from the contract's example; made-up people only."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

ORG = "1133060019"
MOI = "http://www.moi.gov.tw"
PARENT = "https://twniis.cdc.gov.tw/parent-id"
_V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
_TWNIIS = "https://twniis.cdc.gov.tw"
TODAY = datetime.now(timezone(timedelta(hours=8))).date()
BIRTH = TODAY - timedelta(days=400)


def patient(
    value: str = "A123456789",
    /,
    *,
    id_type: str = "NNxxx",
    system: str = MOI,
    birth: str = BIRTH.isoformat(),
    **changes: Any,
) -> dict[str, Any]:
    identifier = {"type": {"coding": [{"system": _V2_0203, "code": id_type}]}, "system": system, "value": value}
    resource = {
        "resourceType": "Patient",
        "identifier": [identifier],
        "name": [{"text": "測試患者"}],
        "gender": "female",
        "birthDate": birth,
        "telecom": [{"system": "phone", "value": "0912345678"}],
        "address": [{"text": "臺中市南區"}],
        **changes,
    }
    return {
        "fullUrl": f"urn:uuid:{uuid.uuid4()}",
        "resource": {name: part for name, part in resource.items() if part is not None},
        "request": {"method": "PUT", "url": f"Patient?identifier={system}|{value}"},
    }


def immunization(
    person: dict[str, Any],
    key: str,
    /,
    *,
    method: str = "POST",
    lot: str = "AMJRE075AA-CDC",
    lot_type: str = "1",
    vaccine: str = "MMR",
    dose: str = "1",
    given: str = TODAY.isoformat(),
    **changes: Any,
) -> dict[str, Any]:
    resource = {
        "resourceType": "Immunization",
        "identifier": [{"system": f"{_TWNIIS}/record-key", "value": key}],
        "extension": [{"url": f"{_TWNIIS}/twniis/StructureDefinition/lot-type", "valueCode": lot_type}],
        "status": "completed",
        "vaccineCode": {
            "coding": [{"system": f"{_TWNIIS}/twniis/CodeSystem/twniis-vaccine-code-values", "code": vaccine}]
        },
        "patient": {"reference": person["fullUrl"]},
        "occurrenceDateTime": given,
        "lotNumber": lot,
        "manufacturer": {"display": "Merck"},
        "programEligibility": [{"coding": [{"code": "F01"}]}],
        "performer": [{"actor": {"identifier": {"value": ORG}}}],
        "protocolApplied": [{"doseNumberString": dose}],
        **changes,
    }
    return {
        "fullUrl": f"urn:uuid:{uuid.uuid4()}",
        "resource": {name: part for name, part in resource.items() if part is not None},
        "request": {"method": method, "url": f"Immunization/{key}"},
    }


def deletion(key: str) -> dict[str, Any]:
    return {"request": {"method": "DELETE", "url": f"Immunization/{key}"}}


def bundle(identifier: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "identifier": {"value": identifier},
        "timestamp": "2026-11-20T10:00:00+08:00",
        "entry": list(entries),
    }


def one_record(identifier: str, key: str, /, **changes: Any) -> dict[str, Any]:
    person = patient()
    return bundle(identifier, person, immunization(person, key, **changes))
