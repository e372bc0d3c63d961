"""Judge one record of an accepted Bundle, as told at verification: the person, the vaccination, the record key.

Source: the interface contract, sections 2 and 3; identity rules of https://www.immigration.gov.tw/5385/12162/238449/.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from . import outcomes
from .bundle_reading import Row, pick
from .outcomes import Refusal

VACCINE_SYSTEM = "https://twniis.cdc.gov.tw/twniis/CodeSystem/twniis-vaccine-code-values"
LOT_TYPE_URL = "https://twniis.cdc.gov.tw/twniis/StructureDefinition/lot-type"
RECORD_KEY_SYSTEM = "https://twniis.cdc.gov.tw/record-key"
ID_TYPE_SYSTEM = "http://terminology.hl7.org/CodeSystem/v2-0203"
# ASSUMED: PRC and PPN as in the published examination interface; the contract's text shows only NNxxx and MR.
# A passport's system names its country, so any non-empty one is taken.
_ID_SYSTEM = {
    "NNxxx": "http://www.moi.gov.tw",
    "PRC": "http://www.immigration.gov.tw",
    "PPN": None,
    "MR": "https://twniis.cdc.gov.tw/parent-id",
}
_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"  # position + 10 is the letter's value
_NATIONAL_ID = re.compile(r"[A-Z][12][0-9]{8}")
_RESIDENT_ID = re.compile(r"[A-Z][89A-D][0-9]{8}")
_INSTITUTION = re.compile(r"[0-9A-Z]{10}")
# ASSUMED: 1..99 or B, B2, ...: booster labels as in CDC's vaccine table; which doses a vaccine has is not checked.
_DOSE = re.compile(r"[1-9][0-9]?|B[0-9]?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SELF_PAID = "2"

LotExists = Callable[[str, str, str], bool]
"""(lot number, vaccine code, lot type) -> does CDC know such a lot?"""


def judge_row(
    row: Row,
    *,
    org_id: str,
    today: date,
    held: bool,
    ever_held: bool,
    vaccine_codes: frozenset[str],
    lot_exists: LotExists,
) -> Refusal | None:
    """Say why CDC will not take this record, or None.

    `held`: CDC holds a record under this key now; `ever_held`: it did once, perhaps voided since.
    """
    if row.method == "DELETE":
        return None if held else outcomes.NOTHING_TO_DELETE
    if row.method == "PUT" and not held:
        return outcomes.UNKNOWN_KEY
    if row.method == "POST" and ever_held:
        # ASSUMED: a key once used is never new again, even after voiding.
        return outcomes.KEY_EXISTS.at("Immunization.identifier")
    assert row.patient is not None
    assert row.resource is not None
    return (
        check_patient(row.patient, today)
        or _check_identity_of_record(row.resource, row.record_key, org_id)
        or _check_dates(row.resource, row.patient, today)
        or _check_vaccine(row.resource, vaccine_codes)
        or _check_lot(row.resource, lot_exists)
        or _check_optional(row.resource)
    )


def check_patient(patient: dict[str, Any], today: date) -> Refusal | None:
    """Check who the person is; the identifier first, since nothing can be stored without it."""
    problem = _check_identifier(patient)
    if problem:
        return problem
    if not _text(pick(patient, "name", 0, "text")):
        return outcomes.MISSING.at("Patient.name")
    if patient.get("gender") not in ("male", "female", "other", "unknown"):
        return outcomes.WRONG_VALUE.at("Patient.gender")
    if patient.get("birthDate") in (None, ""):
        return outcomes.NO_BIRTH_DATE.at("Patient.birthDate")
    born = _date(patient["birthDate"])
    if born is None or born > today:
        return outcomes.WRONG_BIRTH_DATE.at("Patient.birthDate")
    # ASSUMED: telephone and address may be absent, but not present and empty.
    for name, part in (("telecom", "value"), ("address", "text")):
        if name in patient and not _text(pick(patient, name, 0, part)):
            return outcomes.MISSING.at(f"Patient.{name}")
    return None


def _check_identifier(patient: dict[str, Any]) -> Refusal | None:
    identifiers = patient.get("identifier")
    if not isinstance(identifiers, list) or len(identifiers) != 1:
        return outcomes.NO_ID.at("Patient.identifier", "exactly one identifier")
    coding = pick(identifiers, 0, "type", "coding", 0)
    id_type, system, value = pick(coding, "code"), pick(identifiers, 0, "system"), pick(identifiers, 0, "value")
    if not isinstance(id_type, str) or id_type not in _ID_SYSTEM or pick(coding, "system") != ID_TYPE_SYSTEM:
        return outcomes.WRONG_VALUE.at("Patient.identifier.type")
    if not _text(system) or _ID_SYSTEM[id_type] not in (None, system):
        return outcomes.WRONG_VALUE.at("Patient.identifier.system")
    if not _text(value):
        return outcomes.NO_ID.at("Patient.identifier")
    if id_type == "MR":
        order = patient.get("multipleBirthInteger")
        if type(order) is not int or not 1 <= order <= 100:
            return outcomes.MISSING.at("Patient.multipleBirth", "order of birth, 1 when single")
        fitting = _RESIDENT_ID if _RESIDENT_ID.fullmatch(value) else _NATIONAL_ID  # a parent may be of either kind
    elif id_type == "PPN":
        return None
    else:
        fitting = _NATIONAL_ID if id_type == "NNxxx" else _RESIDENT_ID
    if not fitting.fullmatch(value):
        refusal = outcomes.RESIDENT_ID_FORMAT if id_type == "PRC" else outcomes.NATIONAL_ID_FORMAT
        return refusal.at("Patient.identifier")
    if not _check_sum_fits(value):
        return outcomes.WRONG_NATIONAL_ID.at("Patient.identifier")
    return None


def _check_sum_fits(value: str) -> bool:
    first = _LETTERS.index(value[0]) + 10
    second = value[1]
    digits = [_LETTERS.index(second) % 10 if second.isalpha() else int(second), *map(int, value[2:])]
    weighed = sum(digit * weight for digit, weight in zip(digits, (8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True))
    return (first // 10 + first % 10 * 9 + weighed) % 10 == 0


def _check_identity_of_record(resource: dict[str, Any], record_key: str, org_id: str) -> Refusal | None:
    identifier = pick(resource, "identifier", 0)
    if pick(identifier, "system") != RECORD_KEY_SYSTEM or pick(identifier, "value") != record_key:
        return outcomes.WRONG_VALUE.at("Immunization.identifier", "not the record key of the entry's url")
    if resource.get("status") != "completed":
        return outcomes.WRONG_VALUE.at("Immunization.status")
    institution = pick(resource, "performer", 0, "actor", "identifier", "value")
    where = "Immunization.performer"
    if not _text(institution):
        return outcomes.NO_INSTITUTION.at(where)
    if not _INSTITUTION.fullmatch(institution):
        return outcomes.WRONG_INSTITUTION_FORMAT.at(where)
    # ASSUMED: an institution reports only what it gave itself.
    return None if institution == org_id else outcomes.OTHER_INSTITUTION.at(where)


def _check_dates(resource: dict[str, Any], patient: dict[str, Any], today: date) -> Refusal | None:
    given = _date(resource.get("occurrenceDateTime"))
    born = _date(patient["birthDate"])
    if given is None or born is None or not born <= given <= today:
        return outcomes.WRONG_VALUE.at("Immunization.occurrence", "no date, before birth or in the future")
    return None


def _check_vaccine(resource: dict[str, Any], vaccine_codes: frozenset[str]) -> Refusal | None:
    coding = pick(resource, "vaccineCode", "coding", 0)
    code = pick(coding, "code")
    if pick(coding, "system") != VACCINE_SYSTEM or not isinstance(code, str) or code not in vaccine_codes:
        return outcomes.WRONG_VALUE.at("Immunization.vaccineCode")
    dose = pick(resource, "protocolApplied", 0, "doseNumberString")
    if not isinstance(dose, str) or not _DOSE.fullmatch(dose):
        return outcomes.WRONG_VALUE.at("Immunization.protocolApplied.doseNumber")
    return None


def _check_lot(resource: dict[str, Any], lot_exists: LotExists) -> Refusal | None:
    extensions = resource.get("extension")
    lot_types = [
        pick(extension, "valueCode")
        for extension in (extensions if isinstance(extensions, list) else [])
        if pick(extension, "url") == LOT_TYPE_URL
    ]
    if len(lot_types) != 1 or lot_types[0] not in ("1", "2", "3"):
        return outcomes.WRONG_VALUE.at("Immunization.extension", "lot-type 1, 2 or 3, once")
    lot_number = resource.get("lotNumber")
    if not isinstance(lot_number, str) or not _text(lot_number):
        return outcomes.MISSING.at("Immunization.lotNumber")
    if lot_types[0] == SELF_PAID:
        return None  # CDC hands out no self-paid lots and cannot know them
    # ASSUMED: a lot is known as number, vaccine and type together, as its stock row says them; case matters.
    vaccine_code = pick(resource, "vaccineCode", "coding", 0, "code")
    known = lot_exists(lot_number, vaccine_code, lot_types[0])
    return None if known else outcomes.NO_SUCH_LOT.at("Immunization.lotNumber")


def _check_optional(resource: dict[str, Any]) -> Refusal | None:
    # ASSUMED: both may be absent, neither present and empty.
    if "manufacturer" in resource and not _text(pick(resource, "manufacturer", "display")):
        return outcomes.MISSING.at("Immunization.manufacturer")
    if "programEligibility" in resource and not _text(pick(resource, "programEligibility", 0, "coding", 0, "code")):
        return outcomes.MISSING.at("Immunization.programEligibility")
    return None


def _text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _date(value: Any) -> date | None:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
