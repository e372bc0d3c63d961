"""Valid records of every kind that goes to CDC or comes from it, for properties."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from e2e.fake_cdc.holdings import Lot
from store.exam_uploads import ExamRow
from store.ids import IdType
from store.lots import LotType
from store.patients import Patient, Sex
from store.prenatal import FIELDS_OF_TYPE, ExamMethod, ExamResult, ExamType, Finding
from store.uploads import UploadMethod, UploadRow
from store.vaccinations import Vaccination
from sync.cdc_exams import ExamItem
from sync.registry import UploadItem
from tests.factories import make_patient

# Any sign a person can type and see, blanks inside too.
SEEN = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
WORDS = st.lists(SEEN, min_size=1, max_size=3).map(" ".join)
DAYS = st.dates(date(1912, 1, 1), date(2910, 12, 31))
RECORD_IDS = st.uuids().map(lambda one: one.hex)
# An old resident certificate goes under the same kind as a new one.
ID_TYPES = st.sampled_from([IdType.NATIONAL, IdType.RESIDENT, IdType.PASSPORT])

_ANYBODY: dict[str, Any] = {
    "record_id": RECORD_IDS,
    "chart_number": SEEN,
    "name": WORDS,
    "sex": st.none() | st.sampled_from(Sex),
    "birth_date": st.none() | DAYS,
}
PEOPLE = st.builds(
    Patient,
    **_ANYBODY,
    national_id=SEEN,
    id_type=ID_TYPES,
    phone=st.just("") | WORDS,
    address=st.just("") | WORDS,
)
NEWBORNS = st.builds(
    Patient,
    **_ANYBODY,
    parent_national_id=SEEN,
    birth_order=st.integers(1, 100),
)
DOSES = st.builds(
    Vaccination,
    record_id=RECORD_IDS,
    patient_id=RECORD_IDS,
    vaccination_date=DAYS,
    vaccine_code=WORDS,
    dose_number=WORDS,
    lot_number=WORDS,
    lot_type=st.sampled_from(LotType),
    manufacturer=st.just("") | WORDS,
    special_identity=st.none() | SEEN,
)


@st.composite
def uploads(draw: st.DrawFn) -> list[UploadItem]:
    """Doses of some persons, each recorded, corrected or voided."""
    people = draw(st.lists(PEOPLE | NEWBORNS, min_size=1, max_size=4, unique_by=lambda one: one.record_id))
    people = list({one.national_id or one.parent_national_id: one for one in people}.values())
    items = []
    for dose in draw(st.lists(DOSES, min_size=1, max_size=8, unique_by=lambda one: one.record_id)):
        method = draw(st.sampled_from(UploadMethod))
        row = UploadRow(record_id=dose.record_id, revision="f" * 32, method=method)
        person = draw(st.sampled_from(people))
        sent = dose.model_copy(update={"patient_id": person.record_id})
        is_void = method is UploadMethod.DELETE
        items.append(UploadItem(row, None if is_void else sent, None if is_void else person))
    return items


LOTS = st.builds(
    Lot,
    identifier=SEEN,
    vaccine_code=WORDS,
    lot_number=WORDS,
    lot_type=st.sampled_from(LotType).map(str),
    vials=st.integers(0, 10**6),
    expiry_date=st.none() | DAYS.map(date.isoformat),
    doses_per_vial=st.none() | st.integers(1, 100),
)
STOCKS = st.lists(LOTS, max_size=13, unique_by=lambda lot: lot.identifier)


EXAM_DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
# What CDC is not told of a person with an ID of her own.
NOT_TOLD = {"chart_number": "-", "four_corner_code": "", "birth_order": None, "parity": None, "plurality": None}
INSTITUTIONS = st.sampled_from(["1133060019", "0412040012", "113306001", ""])
WOMEN = st.builds(
    make_patient,
    record_id=RECORD_IDS,
    name=WORDS,
    national_id=st.sampled_from(["B222419838", "A800000014", "B222419839", "A800000015", "B22241983", "A80000001"]),
    birth_date=st.none() | st.dates(date(1980, 1, 1), date(2026, 12, 31)),
    phone=st.just("") | SEEN,
    address=st.just("") | WORDS,
).map(lambda one: one.model_copy(update={"id_type": IdType.NATIONAL if one.national_id[0] == "B" else IdType.RESIDENT}))


@st.composite
def exams(draw: st.DrawFn, patient_id: str = "") -> ExamResult:
    """A report of any kind with its kind's fields, whatever CDC makes of it."""
    exam_type = draw(st.sampled_from(ExamType))
    values: dict[str, st.SearchStrategy[Any]] = {
        "method": st.none() | st.sampled_from(ExamMethod),
        **dict.fromkeys(("hbsag", "hbeag", "igg", "igm"), st.none() | st.sampled_from(Finding)),
        "viral_load": st.just("") | WORDS,
        "viral_load_date": st.none() | EXAM_DAYS,
        "antiviral": st.none() | st.booleans(),
        "antiviral_since": st.none() | EXAM_DAYS,
        "is_prenatal": st.none() | st.booleans(),
    }
    return ExamResult(
        record_id=draw(RECORD_IDS),
        patient_id=patient_id or draw(RECORD_IDS),
        exam_type=exam_type,
        exam_date=draw(EXAM_DAYS),
        collection_date=draw(st.none() | EXAM_DAYS),
        collection_institution=draw(INSTITUTIONS),
        due_date=draw(st.none() | EXAM_DAYS),
        **{name: draw(values[name]) for name in FIELDS_OF_TYPE[exam_type]},
    )


def with_result(exam: ExamResult) -> bool:
    return any((exam.hbsag, exam.hbeag, exam.igg, exam.igm))


def item_of(exam: ExamResult, patient: Patient, method: UploadMethod = UploadMethod.POST) -> ExamItem:
    row = ExamRow(record_id=exam.record_id, revision="f" * 32, method=method)
    return ExamItem(row, exam.model_copy(update={"patient_id": patient.record_id}), patient)
