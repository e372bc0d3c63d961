from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from store.changes import ChangeKind
from store.codes import exam_error_codes
from store.conflicts import count_open_conflicts, draft_choice
from store.decisions import draft_merge
from store.ids import IdType
from store.patients import Sex
from store.prenatal import ExamDraft, ExamMethod, ExamResult, ExamType, Finding, check_exam
from store.problems import Problem, ProblemCode, Severity
from store.tables import Tables
from tests.factories import EXAM_ID, TODAY, make_exam, make_patient
from tests.store.settling import Writer, apply_all, record

OTHER_ID = "6" * 32
TOMORROW = TODAY + timedelta(days=1)


def check(exam: ExamDraft, **changes: Any) -> list[Problem]:
    given_facts: dict[str, Any] = {"patient": make_patient(), "others_of_patient": []}
    return check_exam(exam, today=TODAY, **(given_facts | changes))


def told(problems: list[Problem]) -> list[tuple[str, str, ProblemCode]]:
    return [(p.facts.get("cdc_code", ""), p.field, p.code) for p in problems]


def test_a_usual_report_has_no_problem() -> None:
    assert check(make_exam()) == []


@pytest.mark.parametrize("field", ["patient_id", "exam_type", "exam_date"])
def test_without_person_kind_or_day_it_cannot_be_saved(field: str) -> None:
    draft = ExamDraft(**make_exam().model_dump(exclude={"record_id", field}))

    assert told([p for p in check(draft) if p.severity is Severity.ERROR]) == [
        ("E00003", field, ProblemCode.REQUIRED)
    ]
    with pytest.raises(ValidationError):
        draft.to_exam(EXAM_ID)


def test_person_kind_and_day_are_enough_to_save() -> None:
    draft = ExamDraft(patient_id="1" * 32, exam_type=ExamType.RUBELLA, exam_date=TODAY)

    assert {p.severity for p in check(draft)} == {Severity.WARNING}
    assert draft.to_exam(EXAM_ID).data_key == EXAM_ID


ODD: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str, ProblemCode]]] = {
    "drawn tomorrow": (
        {"collection_date": TOMORROW, "exam_date": TOMORROW}, {},
        ("E00046", "collection_date", ProblemCode.DRAWN_IN_FUTURE),
    ),
    "tested tomorrow, draw unknown": (
        {"collection_date": None, "exam_date": TOMORROW}, {}, ("E00046", "exam_date", ProblemCode.DRAWN_IN_FUTURE)
    ),
    "drawn before birth": (
        {"collection_date": date(1980, 1, 1)}, {}, ("E00047", "collection_date", ProblemCode.DRAWN_BEFORE_BIRTH)
    ),
    "drawn after the test": (
        {"exam_date": date(2026, 11, 1)}, {}, ("E00047", "collection_date", ProblemCode.DRAWN_AFTER_TEST)
    ),
    "drawn after the due date": (
        {"due_date": date(2026, 11, 19)}, {}, ("E00054", "collection_date", ProblemCode.DRAWN_AFTER_DUE_DATE)
    ),
    "another method": (
        {"method": ExamMethod.OTHER}, {}, ("E00048", "method", ProblemCode.NEITHER_RIA_NOR_EIA)
    ),
    "no result": (
        {"hbsag": None, "hbeag": None}, {}, ("E00048", "hbsag", ProblemCode.EXAM_RESULT_MISSING)
    ),
    "s- e+": (
        {"hbeag": Finding.POSITIVE}, {}, ("E00049", "hbeag", ProblemCode.S_NEGATIVE_E_POSITIVE)
    ),
    "s±": ({"hbsag": Finding.INDETERMINATE}, {}, ("E00050", "hbsag", ProblemCode.RESULT_INDETERMINATE)),
    "e±": ({"hbeag": Finding.INDETERMINATE}, {}, ("E00051", "hbeag", ProblemCode.RESULT_INDETERMINATE)),
    "no antibody": (
        {"exam_type": ExamType.MEASLES}, {}, ("E00003", "igg", ProblemCode.EXAM_RESULT_MISSING)
    ),
    "no institution": (
        {"collection_institution": ""}, {}, ("E00025", "collection_institution", ProblemCode.EXAM_VALUE_MISSING)
    ),
    "an institution of nine places": (
        {"collection_institution": "113306001"}, {},
        ("E00022", "collection_institution", ProblemCode.INSTITUTION_CODE_FORM),
    ),
    "an institution whose check digit is wrong": (
        {"collection_institution": "1133060018"}, {},
        ("E00043", "collection_institution", ProblemCode.INSTITUTION_CODE_CHECK_DIGIT),
    ),
    "an ID that does not add up": (
        {}, {"national_id": "B222419839"}, ("E00018", "national_id", ProblemCode.ID_CHECKSUM)
    ),
    "an ID that is none": (
        {}, {"national_id": "B22241983"}, ("E00041", "national_id", ProblemCode.ID_UNKNOWN_FORM)
    ),
    "a resident certificate that does not add up": (
        {}, {"national_id": "A800000015", "id_type": None}, ("E00018", "national_id", ProblemCode.ID_CHECKSUM)
    ),
    "a resident certificate that is none": (
        {}, {"national_id": "A80000001", "id_type": IdType.RESIDENT},
        ("E00042", "national_id", ProblemCode.ID_UNKNOWN_FORM),
    ),
    "no ID": ({}, {"national_id": None}, ("E00023", "national_id", ProblemCode.EXAM_VALUE_MISSING)),
    "no birth date": ({}, {"birth_date": None}, ("E00024", "birth_date", ProblemCode.BIRTH_DATE_MISSING)),
    "no telephone": ({}, {"phone": ""}, ("E00003", "phone", ProblemCode.EXAM_VALUE_MISSING)),
    "a man": ({}, {"sex": Sex.MALE}, ("", "patient_id", ProblemCode.PRENATAL_OF_A_MAN)),
}  # fmt: skip


@pytest.mark.parametrize(("exam", "patient", "expected"), ODD.values(), ids=ODD.keys())
def test_what_cdc_would_refuse_is_told_beside_its_code(
    exam: dict[str, Any], patient: dict[str, Any], expected: tuple[str, str, ProblemCode]
) -> None:
    problems = check(make_exam(**exam), patient=make_patient(**patient))

    assert told(problems) == [expected]
    assert problems[0].severity is Severity.WARNING


def test_a_birth_in_the_future_is_told_beside_the_odd_day_that_comes_of_it() -> None:
    found = told(check(make_exam(), patient=make_patient(birth_date=TOMORROW)))
    assert ("E00019", "birth_date", ProblemCode.DATE_IN_FUTURE) in found


def test_a_passport_has_no_form_of_its_own() -> None:
    assert check(make_exam(), patient=make_patient(national_id="X1234", id_type=IdType.PASSPORT)) == []


def test_the_same_kind_of_one_day_is_told_and_another_kind_is_not() -> None:
    same, other_kind = make_exam(record_id=OTHER_ID), make_exam(record_id=OTHER_ID, exam_type=ExamType.RUBELLA)

    assert [p.code for p in check(make_exam(), others_of_patient=[make_exam(), same])] == [
        ProblemCode.EXAM_ALREADY_RECORDED
    ]
    assert check(make_exam(), others_of_patient=[other_kind]) == []


def test_all_thirty_published_codes_are_there_with_cdcs_words() -> None:
    codes = exam_error_codes()

    assert len(codes) == 30
    assert codes["E00054"].text == "抽血日大於預產日"
    assert {name for code in codes.values() for name in code.problems} <= set(ProblemCode)


def test_the_table_names_each_check_beside_the_code_it_tells() -> None:
    checked = {
        (cdc_code, code) for cdc_code, _, code in (case[2] for case in ODD.values()) if cdc_code
    } | {("E00003", ProblemCode.REQUIRED)}
    named = {(code.code, ProblemCode(name)) for code in exam_error_codes().values() for name in code.problems}

    assert checked <= named
    assert {code for code, _ in named} == {code for code, _ in checked} | {"E00019"}


DAYS = st.none() | st.dates(date(1912, 1, 1), date(2910, 12, 31))
DRAFTS = st.builds(
    ExamDraft,
    patient_id=st.text(max_size=40),
    exam_type=st.none() | st.sampled_from(ExamType),
    exam_date=DAYS,
    collection_date=DAYS,
    collection_institution=st.text(max_size=12),
    due_date=DAYS,
    is_prenatal=st.none() | st.booleans(),
    method=st.none() | st.sampled_from(ExamMethod),
    hbsag=st.none() | st.sampled_from(Finding),
    hbeag=st.none() | st.sampled_from(Finding),
    viral_load=st.text(),
    viral_load_date=DAYS,
    antiviral=st.none() | st.booleans(),
    antiviral_since=DAYS,
    igg=st.none() | st.sampled_from(Finding),
    igm=st.none() | st.sampled_from(Finding),
)
PATIENTS = st.none() | st.builds(
    make_patient,
    national_id=st.none() | st.text(max_size=12),
    id_type=st.none() | st.sampled_from(IdType),
    birth_date=DAYS,
    sex=st.none() | st.sampled_from(Sex),
    phone=st.text(max_size=12),
)


@given(DRAFTS, PATIENTS)
def test_checks_never_raise_and_each_code_they_tell_is_published_for_that_check(exam: ExamDraft, patient: Any) -> None:
    for problem in check_exam(exam, patient, [make_exam()], TODAY):
        if cdc_code := problem.facts.get("cdc_code"):
            assert problem.code in exam_error_codes()[cdc_code].problems


@given(DRAFTS)
def test_a_report_comes_back_from_what_is_kept_of_it(draft: ExamDraft) -> None:
    filled = draft.model_copy(update={"patient_id": "1" * 32, "exam_type": ExamType.MEASLES, "exam_date": TODAY})
    payload = filled.model_dump(mode="json", exclude_defaults=True)

    assert ExamResult.model_validate({**payload, "record_id": EXAM_ID}) == filled.to_exam(EXAM_ID)


class TestInTheTables:
    """What the tables make of the changes."""

    def waiting(self, tables: Tables) -> list[str]:
        return [d["record_id"] for d in tables.exams.find_by("exam_state", "not_sent")]

    def test_a_recorded_report_waits_and_a_voided_one_keeps_its_content_and_reason(self) -> None:
        writer = Writer()
        first = writer.exam("6", "a", hbsag="POS")
        tables = apply_all([first])
        assert self.waiting(tables) == [record("6")]

        void = first.model_copy(
            update={
                "change_id": "f" * 32,
                "kind": ChangeKind.VOID_EXAM,
                "payload": {"reason": "打錯人"},
                "base_revisions": (first.change_id,),
            }
        )
        apply_all([void], tables)

        document = tables.exams.at(record("6"))
        assert (document["voided"], document["void_reason"], document["hbsag"]) == (True, "打錯人", "POS")
        assert self.waiting(tables) == []

    def test_two_corrections_are_a_conflict_that_a_person_settles(self) -> None:
        writer = Writer()
        first = writer.exam("6", "a")
        corrections = [
            writer.exam("6", "a", ChangeKind.CORRECT_EXAM, hbsag=result, bases=(first.change_id,))
            for result in ("POS", "NEG")
        ]
        tables = apply_all([first, *corrections])
        assert count_open_conflicts(tables) == 1

        choice = draft_choice("exams", tables.exams.at(record("6")), corrections[0].change_id)
        apply_all([writer.change(choice)], tables)

        assert tables.exams.at(record("6"))["hbsag"] == "POS"
        assert count_open_conflicts(tables) == 0

    def test_a_void_can_be_chosen_against_a_correction(self) -> None:
        writer = Writer()
        first = writer.exam("6", "a")
        correction = writer.exam("6", "a", ChangeKind.CORRECT_EXAM, hbsag="POS", bases=(first.change_id,))
        void = correction.model_copy(
            update={"change_id": "0" * 31 + "9", "kind": ChangeKind.VOID_EXAM, "payload": {"reason": "打錯人"}}
        )
        tables = apply_all([first, correction, void])

        choice = draft_choice("exams", tables.exams.at(record("6")), void.change_id)

        assert (choice.kind, choice.payload) == (ChangeKind.VOID_EXAM, {"reason": "打錯人"})

    def test_a_merged_persons_reports_are_the_survivors(self) -> None:
        writer = Writer()
        people = [writer.patient("a"), writer.patient("b", national_id=None)]
        merge = writer.change(draft_merge(record("a"), record("b")))
        late = writer.exam("7", "a")

        tables = apply_all([*people, writer.exam("6", "a"), merge, late])

        assert {d["record_id"] for d in tables.exams.find_by("person_id", record("b"))} == {record("6"), record("7")}
