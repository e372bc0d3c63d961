"""Records for tests: valid by default, always the same, nobody real."""

from datetime import date
from typing import Any

from store.ids import IdType
from store.lots import Lot, LotType
from store.patients import Patient, Sex
from store.prenatal import ExamMethod, ExamResult, ExamType, Finding
from store.vaccinations import Vaccination

TODAY = date(2026, 11, 23)
PATIENT_ID = "1" * 32
VACCINATION_ID = "2" * 32
LOT_ID = "3" * 32
EXAM_ID = "5" * 32


def make_patient(**changes: Any) -> Patient:
    """The operations manual's test person."""
    fields: dict[str, Any] = {
        "record_id": PATIENT_ID,
        "chart_number": "057164",
        "name": "測試患者",
        "sex": Sex.FEMALE,
        "national_id": "B222419838",
        "id_type": IdType.NATIONAL,
        "birth_date": date(1985, 11, 8),
        "phone": "0912345678",
        "four_corner_code": "3614",
        "address": "台中市南區復興路1號",
        "birth_order": 1,
        "parity": 1,
        "plurality": 1,
    }
    return Patient(**(fields | changes))


def make_lot(**changes: Any) -> Lot:
    """A central lot of the manual's stock table."""
    fields: dict[str, Any] = {
        "record_id": LOT_ID,
        "lot_number": "AMJRE075AA-CDC",
        "vaccine_code": "MMR",
        "lot_type": LotType.CENTRAL,
        "manufacturer": "GSK",
        "expiry_date": date(2027, 3, 31),
        "doses_per_vial": 1,
    }
    return Lot(**(fields | changes))


def make_vaccination(**changes: Any) -> Vaccination:
    """A first MMR out of `make_lot()` for `make_patient()`, on `TODAY`."""
    fields: dict[str, Any] = {
        "record_id": VACCINATION_ID,
        "patient_id": PATIENT_ID,
        "vaccination_date": TODAY,
        "vaccine_code": "MMR",
        "dose_number": "1",
        "lot_number": "AMJRE075AA-CDC",
        "lot_type": LotType.CENTRAL,
        "manufacturer": "GSK",
    }
    return Vaccination(**(fields | changes))


def make_exam(**changes: Any) -> ExamResult:
    """A hepatitis B report of `make_patient()` without anything odd, of `TODAY`."""
    fields: dict[str, Any] = {
        "record_id": EXAM_ID,
        "patient_id": PATIENT_ID,
        "exam_type": ExamType.HEPATITIS_B,
        "exam_date": TODAY,
        "collection_date": date(2026, 11, 20),
        "collection_institution": "1133060019",
        "due_date": date(2027, 5, 20),
        "method": ExamMethod.EIA,
        "hbsag": Finding.NEGATIVE,
        "hbeag": Finding.NEGATIVE,
    }
    return ExamResult(**(fields | changes))
