"""What the fake CDC tells of one person's vaccinations: the records it holds, and rows added by hand.

Source: the interface contract, section 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from . import outcomes
from .bundle_reading import pick
from .holdings import Holdings, Person, StoredRecord
from .outcomes import RequestRefused
from .row_checks import LOT_TYPE_URL, VACCINE_SYSTEM
from .scenarios import UNKNOWN_VACCINE

_NAMES = {"1133060019": "宜蘭縣頭城鎮衛生所"}  # of the manual's picture
_ROW_FIELDS = ("date", "vaccine_code", "vaccine_name", "dose", "lot_number", "lot_type", "institution_code", "name")
_NATIONAL = "http://www.moi.gov.tw"
_BIRTH = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ROW = {"date": "2020-03-02", "vaccine_code": "MMR", "dose": "1", "lot_number": "OLD-1-CDC", "lot_type": "1"}
ODD_ROWS: dict[str, dict[str, str]] = {
    "history_unknown_vaccine": {**_ROW, "vaccine_code": UNKNOWN_VACCINE, "vaccine_name": "新疫苗"},
    "history_missing_lot": {name: value for name, value in _ROW.items() if not name.startswith("lot_")},
    "history_before_birth": {**_ROW, "date": "before birth"},
    "history_unreadable_date": {**_ROW, "date": "999/01/01", "vaccine_code": "TEST-1"},
}
"""By scenario: the row that is told besides, and by the control page's buttons: the row that is added."""


def read_person(identifier: str | None, birth_date: str | None) -> Person:
    """Raises: RequestRefused 400, E00003 for what is blank, E00004 for a birth date that is none."""
    system, _, value = (identifier or "").rpartition("|")
    if not value.strip():
        raise RequestRefused(outcomes.MISSING.at("patient.identifier"))
    if not (birth_date or "").strip():
        # ASSUMED: the contract calls only the identifier blank; a question has both.
        raise RequestRefused(outcomes.MISSING.at("patient.birthdate"))
    assert birth_date is not None
    if not _BIRTH.fullmatch(birth_date) or not _is_day(birth_date):
        raise RequestRefused(outcomes.WRONG_VALUE.at("patient.birthdate"))
    return Person(system, value, birth_date)


def find_history(
    holdings: Holdings, person: Person, held: Iterable[StoredRecord], scenario: str
) -> list[dict[str, Any]]:
    """The person's Immunizations, added ones first.

    Raises: RequestRefused 400, E00005 for an ID that CDC has never heard of. ASSUMED: a known ID with another birth
    date is no refusal but a person without records, since "no record for that identity" is all the contract says.
    """
    ids = {(one.system, one.value) for one in holdings.people} | set(_uploaded(holdings))
    if (person.system, person.value) not in ids:
        raise RequestRefused(outcomes.UNKNOWN_ID.at("patient.identifier"))
    rows = list(holdings.people.get(person, ()))
    if scenario in ODD_ROWS:
        rows.append(ODD_ROWS[scenario])
    resources = [_immunization(row, person) for row in rows]
    for record in held:
        version = record.versions[-1]
        if _person_of(version["patient"]) == person:
            resources.append(_told(record.org_id, version["resource"]))
    return resources


def read_seed(given: Mapping[str, Any]) -> tuple[Person, list[dict[str, str]]]:
    """What the control page or a test adds: a person, with rows or with none. Raises: ValueError, RequestRefused."""
    person = read_person(f"{given.get('system', _NATIONAL)}|{given.get('value', '')}", given.get("birth_date"))
    rows = given.get("rows", [])
    if odd := given.get("odd"):
        rows = [ODD_ROWS[odd]] if odd in ODD_ROWS else None
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and row.keys() <= set(_ROW_FIELDS) and all(isinstance(v, str) for v in row.values())
        for row in rows
    ):
        raise ValueError(f"rows: a list of {', '.join(_ROW_FIELDS)}, all text; odd: one of {', '.join(ODD_ROWS)}")
    return person, rows


def _uploaded(holdings: Holdings) -> Iterable[tuple[str, str]]:
    for record in holdings.records.values():
        for version in record.versions:
            if version["patient"] is not None:
                person = _person_of(version["patient"])
                yield person.system, person.value


def _person_of(patient: Any) -> Person:
    identifier = pick(patient, "identifier", 0)
    return Person(str(pick(identifier, "system")), str(pick(identifier, "value")), str(pick(patient, "birthDate")))


def _told(org_id: str, resource: dict[str, Any]) -> dict[str, Any]:
    """Of an uploaded record only what section 5 names."""
    names = ("resourceType", "status", "extension", "vaccineCode", "occurrenceDateTime", "lotNumber", "protocolApplied")
    told = {name: resource[name] for name in names if name in resource}
    return {**told, "performer": [_performer(org_id, _NAMES.get(org_id, ""))]}


def _immunization(row: Mapping[str, str], person: Person) -> dict[str, Any]:
    day = row.get("date", "")
    if day == "before birth":
        day = (date.fromisoformat(person.birth_date) - timedelta(days=1)).isoformat()
    coding = {"system": VACCINE_SYSTEM, "code": row.get("vaccine_code", "")}
    if name := row.get("vaccine_name"):
        coding["display"] = name
    resource: dict[str, Any] = {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"coding": [coding]},
        "occurrenceDateTime": day,
        "performer": [_performer(row.get("institution_code", "1133060019"), row.get("name"))],
    }
    if lot_number := row.get("lot_number"):
        resource["lotNumber"] = lot_number
    if lot_type := row.get("lot_type"):
        resource["extension"] = [{"url": LOT_TYPE_URL, "valueCode": lot_type}]
    if dose := row.get("dose"):
        resource["protocolApplied"] = [{"doseNumberString": dose}]
    return resource


def _performer(code: str, name: str | None) -> dict[str, Any]:
    actor: dict[str, Any] = {"identifier": {"value": code}}
    if display := _NAMES.get(code, "") if name is None else name:
        actor["display"] = display
    return {"actor": actor}


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
