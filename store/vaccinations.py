"""One dose given to one person, and what is odd about it.

Invariants:
- a vaccination has a person, a day, a vaccine, a dose, a lot and its type; without one of them it cannot be saved;
- anything else odd is a warning, since what happened, happened;
- codes no table knows are kept as they came.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from store.codes import dose_labels, vaccine_by_code
from store.duplicates import is_given_again, season_of
from store.immunization_checks import DoseGiven, check_timing
from store.lots import Lot, LotText, LotType, parse_lot_number
from store.patients import Patient, RecordId
from store.problems import Problem, ProblemCode
from store.roc_date import RocDay
from store.special_identities import check_identity
from store.texts import Code, Limit, Text

_REQUIRED = ("patient_id", "vaccination_date", "vaccine_code", "dose_number", "lot_number", "lot_type")


class VaccinationDraft(BaseModel):
    """A vaccination being typed: anything may still be missing.

    Shape: `dose_number` is the label of the code table ("1", "B2"), text because boosters have letters;
    `warning_reason` is why staff saved it in spite of warnings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    patient_id: str = ""
    vaccination_date: RocDay | None = None
    vaccine_code: Code = ""
    dose_number: Code = ""
    lot_number: Code = ""
    lot_type: LotType | None = None
    manufacturer: Text = ""
    special_identity: Annotated[str | None, Limit(60)] = None
    body_site: Text = ""
    route: Text = ""
    vaccinator_id: Code = ""
    note: Text = ""
    warning_reason: Text = ""

    def to_vaccination(self, record_id: str) -> "Vaccination":
        """Raises: pydantic.ValidationError while a required field is missing."""
        return Vaccination(record_id=record_id, **self.__dict__)


class Vaccination(VaccinationDraft):
    """A vaccination as it is kept and uploaded."""

    record_id: RecordId
    patient_id: RecordId
    vaccination_date: RocDay
    vaccine_code: LotText
    dose_number: LotText
    lot_number: LotText
    lot_type: LotType


def check_vaccination(
    vaccination: VaccinationDraft,
    patient: Patient | None,
    lots: Iterable[Lot],
    others_of_patient: Iterable[Vaccination],
    today: date,
) -> list[Problem]:
    """Report everything odd about a vaccination at once, saved or still being typed.

    Shape: `lots` are at least the vaccine's and those with this number; `others_of_patient` are the person's doses that
    stand, the one looked at may be among them.
    """
    own_id = vaccination.record_id if isinstance(vaccination, Vaccination) else None
    others = [other for other in others_of_patient if other.record_id != own_id]
    birth_date = patient.birth_date if patient is not None else None
    problems = [Problem(field, ProblemCode.REQUIRED) for field in _REQUIRED if not getattr(vaccination, field)]
    problems += _check_date(vaccination.vaccination_date, birth_date, today)
    problems += _check_dose(vaccination, others)
    if (given := _given(vaccination)) is not None:
        problems += check_timing(given, birth_date, (dose for dose in map(_given, others) if dose is not None))
    problems += _check_lot(vaccination, list(lots))
    problems += check_identity(
        vaccination.vaccine_code,
        vaccination.special_identity,
        vaccination.lot_type,
        birth_date,
        vaccination.vaccination_date,
    )
    return problems


def _given(vaccination: VaccinationDraft) -> DoseGiven | None:
    day = vaccination.vaccination_date
    return DoseGiven(vaccination.vaccine_code, vaccination.dose_number, day) if day is not None else None


def _check_date(day: date | None, birth_date: date | None, today: date) -> list[Problem]:
    problems = []
    if day is not None and day > today:
        problems.append(Problem("vaccination_date", ProblemCode.DATE_IN_FUTURE))
    if day is not None and birth_date is not None and day < birth_date:
        problems.append(Problem("vaccination_date", ProblemCode.DATE_BEFORE_BIRTH))
    return problems


def _check_dose(vaccination: VaccinationDraft, others: Iterable[Vaccination]) -> list[Problem]:
    code, dose = vaccination.vaccine_code, vaccination.dose_number
    problems = []
    if code and vaccine_by_code(code) is None:
        problems.append(Problem("vaccine_code", ProblemCode.VACCINE_UNKNOWN))
    labels = dose_labels(code)
    if dose and labels and dose not in labels:
        problems.append(Problem("dose_number", ProblemCode.DOSE_UNKNOWN, {"dose_labels": " ".join(labels)}))
    for other in others if code and dose else ():
        if (other.vaccine_code, other.dose_number) == (code, dose) and _are_of_one_course(vaccination, other):
            facts = {"vaccination_date": other.vaccination_date.isoformat(), "record_id": other.record_id}
            problems.append(Problem("dose_number", ProblemCode.DOSE_ALREADY_RECORDED, facts))
    return problems


def _are_of_one_course(one: VaccinationDraft, other: Vaccination) -> bool:
    """False for doses of a vaccine that is given again each season, where the seasons differ."""
    if one.vaccination_date is None or not is_given_again(other.vaccine_code):
        return True
    return season_of(one.vaccination_date) == season_of(other.vaccination_date)


def _check_lot(vaccination: VaccinationDraft, lots: list[Lot]) -> list[Problem]:
    number, day = vaccination.lot_number, vaccination.vaccination_date
    if not number:
        return []
    problems = []
    same_number = [lot for lot in lots if lot.lot_number == number]
    lot = next((lot for lot in same_number if lot.vaccine_code == vaccination.vaccine_code), None)
    if lot is None and same_number:
        if vaccination.vaccine_code:
            facts = {"vaccine_code": same_number[0].vaccine_code}
            problems.append(Problem("lot_number", ProblemCode.LOT_OF_OTHER_VACCINE, facts))
        lot = same_number[0]
    elif lot is None:
        spelled = next((lot.lot_number for lot in lots if lot.lot_number.casefold() == number.casefold()), None)
        if spelled is None:
            problems.append(Problem("lot_number", ProblemCode.LOT_UNKNOWN))
        else:
            problems.append(Problem("lot_number", ProblemCode.LOT_CASE_DIFFERS, {"lot_number": spelled}))
    parts = parse_lot_number(number)
    expiry_date = lot.expires_on if lot is not None else parts.expiry_date
    if day is not None and expiry_date is not None and day > expiry_date:
        problems.append(Problem("lot_number", ProblemCode.LOT_EXPIRED, {"expiry_date": expiry_date.isoformat()}))
    lot_type = lot.lot_type if lot is not None else parts.lot_type
    if vaccination.lot_type is not None and vaccination.lot_type != lot_type:
        problems.append(Problem("lot_type", ProblemCode.LOT_TYPE_DIFFERS, {"lot_type": lot_type.value}))
    return problems
