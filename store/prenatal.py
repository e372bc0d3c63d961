"""One report of a prenatal examination (hepatitis B) or of a rubella or measles test, and what CDC would refuse of it.

Invariants:
- a report has a person, a kind and a day; without one of them it cannot be saved;
- anything else odd is a warning that names CDC's own code, since CDC refuses a whole upload for one such report;
- each kind is a record of its own: hepatitis B and rubella of one day are two records;
- its key at CDC (資料key) is its record id, for life.

Source: NIIS-IG 0.0.1 (twniis.cdc.gov.tw, 2026-08), DiagnosticReport-reporting-niis and its code systems; codes in
data/exam_error_codes.csv.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from store.ids import IdType, check_institution_code, check_national_id, classify_id
from store.patients import Patient, RecordId, Sex
from store.problems import Problem, ProblemCode
from store.roc_date import RocDay
from store.texts import Code

_REQUIRED = ("patient_id", "exam_type", "exam_date")


class ExamType(StrEnum):
    """檢驗種類. Source: code system twniis-obs-type-values."""

    RUBELLA = "1"
    HEPATITIS_B = "2"
    MEASLES = "3"


class ExamMethod(StrEnum):
    """檢驗方法. Source: code system twniis-obs-method-values."""

    RIA = "RIA"
    EIA = "EIA"
    OTHER = "Other"


class Finding(StrEnum):
    """A result as the laboratory reports it. Source: v3-ObservationInterpretation; ± is IND.

    # ASSUMED: that the value is coded so; the published examples show POS and NEG only.
    """

    POSITIVE = "POS"
    NEGATIVE = "NEG"
    INDETERMINATE = "IND"


class ExamState(StrEnum):
    """Where a report's current revision stands with CDC, whose answer to an upload is its last word."""

    NOT_SENT = "not_sent"
    NOT_NEEDED = "not_needed"  # voided before CDC ever had it
    SENT = "sent"  # fate unknown: it left, and no answer came that could be used
    STORED = "stored"
    REFUSED = "refused"


# What somebody has still to do something about.
WAITING = (ExamState.REFUSED, ExamState.NOT_SENT, ExamState.SENT)


_HEPATITIS_B_FIELDS = ("method", "hbsag", "hbeag", "viral_load", "viral_load_date", "antiviral", "antiviral_since")
_ANTIBODY_FIELDS = ("is_prenatal", "igg", "igm")
# What a form shows of each kind below the days; the fields of another kind are not that report's.
FIELDS_OF_TYPE: Mapping[ExamType, tuple[str, ...]] = {
    ExamType.RUBELLA: _ANTIBODY_FIELDS,
    ExamType.HEPATITIS_B: _HEPATITIS_B_FIELDS,
    ExamType.MEASLES: _ANTIBODY_FIELDS,
}


class ExamDraft(BaseModel):
    """A report being typed: anything may still be missing.

    Shape: `exam_date` 檢驗日期, `collection_date` 採檢日期 (the blood drawn), `due_date` 預產期;
    `collection_institution` is the 採檢單位's 10-character code; `viral_load` is kept as the laboratory wrote it, with
    its sign and unit, drawn on `viral_load_date`. Rubella and measles have `igg` and `igm`, hepatitis B the rest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    patient_id: str = ""
    exam_type: ExamType | None = None
    exam_date: RocDay | None = None
    collection_date: RocDay | None = None
    collection_institution: Code = ""
    due_date: RocDay | None = None
    is_prenatal: bool | None = None
    method: ExamMethod | None = None
    hbsag: Finding | None = None
    hbeag: Finding | None = None
    viral_load: Code = ""
    viral_load_date: RocDay | None = None
    antiviral: bool | None = None
    antiviral_since: RocDay | None = None
    igg: Finding | None = None
    igm: Finding | None = None

    def to_exam(self, record_id: str) -> "ExamResult":
        """Raises: pydantic.ValidationError while a required field is missing."""
        return ExamResult(record_id=record_id, **self.__dict__)


class ExamResult(ExamDraft):
    """A report as it is kept and uploaded."""

    record_id: RecordId
    patient_id: RecordId
    exam_type: ExamType
    exam_date: RocDay

    @property
    def data_key(self) -> str:
        """資料key: DiagnosticReport.identifier, the same however often the report is corrected."""
        return self.record_id


def check_exam(
    exam: ExamDraft, patient: Patient | None, others_of_patient: Iterable[ExamResult], today: date
) -> list[Problem]:
    """Report at once everything CDC would refuse, or that is odd, of a report saved or still being typed.

    Shape: fact "cdc_code" is CDC's code where it has one; `others_of_patient` are the person's reports that stand, the
    one looked at may be among them.
    """
    problems = [_of("E00003", name, ProblemCode.REQUIRED) for name in _REQUIRED if not getattr(exam, name)]
    problems += _check_days(exam, patient, today)
    problems += _check_institution(exam.collection_institution)
    problems += _check_hepatitis_b(exam) if exam.exam_type is ExamType.HEPATITIS_B else []
    if exam.exam_type in (ExamType.RUBELLA, ExamType.MEASLES) and exam.igg is None and exam.igm is None:
        problems.append(_of("E00003", "igg", ProblemCode.EXAM_RESULT_MISSING))
    if patient is not None:
        problems += _check_person(exam, patient, today)
    own_id = exam.record_id if isinstance(exam, ExamResult) else None
    for other in others_of_patient:
        if (other.exam_type, other.exam_date) == (exam.exam_type, exam.exam_date) and other.record_id != own_id:
            facts = {"exam_date": other.exam_date.isoformat(), "record_id": other.record_id}
            problems.append(Problem("exam_type", ProblemCode.EXAM_ALREADY_RECORDED, facts))
    return problems


def _of(cdc_code: str, name: str, code: ProblemCode, **facts: str) -> Problem:
    return Problem(name, code, {**facts, "cdc_code": cdc_code})


def _check_days(exam: ExamDraft, patient: Patient | None, today: date) -> list[Problem]:
    # ASSUMED: CDC's 抽血日 is the 採檢日期, and the 檢驗日期 of a report without one.
    name = "collection_date" if exam.collection_date else "exam_date"
    drawn, birth_date = exam.collection_date or exam.exam_date, patient.birth_date if patient else None
    if drawn is None:
        return []
    problems = []
    if drawn > today:
        problems.append(_of("E00046", name, ProblemCode.DRAWN_IN_FUTURE))
    elif exam.exam_date is not None and exam.exam_date > today:
        problems.append(Problem("exam_date", ProblemCode.DATE_IN_FUTURE))
    # ASSUMED: what CDC finds abnormal (異常) of a day is not public; no blood is drawn before birth or after its test.
    if birth_date is not None and drawn < birth_date:
        problems.append(_of("E00047", name, ProblemCode.DRAWN_BEFORE_BIRTH))
    if exam.exam_date is not None and drawn > exam.exam_date:
        problems.append(_of("E00047", name, ProblemCode.DRAWN_AFTER_TEST))
    if exam.due_date is not None and drawn > exam.due_date:
        problems.append(_of("E00054", name, ProblemCode.DRAWN_AFTER_DUE_DATE))
    return problems


def _check_institution(code: str) -> list[Problem]:
    if not code:
        # ASSUMED: that the code asks for the 採檢單位 too; our own code is the hub's to add.
        return [_of("E00025", "collection_institution", ProblemCode.EXAM_VALUE_MISSING)]
    found = check_institution_code(code, "collection_institution")
    # ASSUMED: E00022 is about the form of any institution's code, E00043 about one that nobody has.
    form = ProblemCode.INSTITUTION_CODE_FORM
    return [_of("E00022" if problem.code is form else "E00043", problem.field, problem.code) for problem in found]


def _check_hepatitis_b(exam: ExamDraft) -> list[Problem]:
    problems = []
    if exam.method not in (ExamMethod.RIA, ExamMethod.EIA):
        problems.append(_of("E00048", "method", ProblemCode.NEITHER_RIA_NOR_EIA))
    elif exam.hbsag is None and exam.hbeag is None:
        problems.append(_of("E00048", "hbsag", ProblemCode.EXAM_RESULT_MISSING))
    if exam.hbsag is Finding.NEGATIVE and exam.hbeag is Finding.POSITIVE:
        problems.append(_of("E00049", "hbeag", ProblemCode.S_NEGATIVE_E_POSITIVE))
    if exam.hbsag is Finding.INDETERMINATE:
        problems.append(_of("E00050", "hbsag", ProblemCode.RESULT_INDETERMINATE))
    if exam.hbeag is Finding.INDETERMINATE:
        problems.append(_of("E00051", "hbeag", ProblemCode.RESULT_INDETERMINATE))
    return problems


def _check_person(exam: ExamDraft, patient: Patient, today: date) -> list[Problem]:
    problems = []
    if not patient.national_id:
        problems.append(_of("E00023", "national_id", ProblemCode.EXAM_VALUE_MISSING))
    elif patient.id_type is not IdType.PASSPORT:
        kind = patient.id_type or classify_id(patient.national_id)
        of_form = "E00042" if kind in (IdType.RESIDENT, IdType.OLD_RESIDENT) else "E00041"
        # ASSUMED: a number of the right form that does not add up is E00018, whichever kind it is.
        for problem in check_national_id(patient.national_id):
            cdc_code = "E00018" if problem.code is ProblemCode.ID_CHECKSUM else of_form
            problems.append(_of(cdc_code, problem.field, problem.code))
    if patient.birth_date is None:
        problems.append(_of("E00024", "birth_date", ProblemCode.BIRTH_DATE_MISSING))
    elif patient.birth_date > today:
        problems.append(_of("E00019", "birth_date", ProblemCode.DATE_IN_FUTURE))
    if not patient.phone:  # tel 1..1 in NIISRequestModel
        problems.append(_of("E00003", "phone", ProblemCode.EXAM_VALUE_MISSING))
    if patient.sex is Sex.MALE and (exam.exam_type is ExamType.HEPATITIS_B or exam.is_prenatal):
        problems.append(Problem("patient_id", ProblemCode.PRENATAL_OF_A_MAN))
    return problems
