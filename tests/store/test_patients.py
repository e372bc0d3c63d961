from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from store.ids import IdType
from store.patients import (
    Patient,
    PatientDraft,
    Sex,
    check_patient,
    normalise_query,
    patient_search_text,
)
from store.problems import Problem, ProblemCode, Severity
from tests.factories import TODAY, make_patient


def search_text(patient: PatientDraft) -> str:
    return patient_search_text(patient.model_dump(mode="json"))


def codes_at(patient: PatientDraft) -> set[tuple[str, str]]:
    return {(problem.field, problem.code) for problem in check_patient(patient, TODAY)}


def test_a_complete_patient_has_no_problem() -> None:
    assert check_patient(make_patient(), TODAY) == []


def test_a_chart_number_and_a_name_make_a_patient() -> None:
    draft = PatientDraft(chart_number="1", name="王")

    assert draft.to_patient("a" * 32).chart_number == "1"


@pytest.mark.parametrize("field", ["chart_number", "name"])
@pytest.mark.parametrize("text", ["", " ", "　"])
def test_without_chart_number_or_name_there_is_no_patient(field: str, text: str) -> None:
    with pytest.raises(ValidationError):
        make_patient(**{field: text})


def test_a_patient_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        make_patient().name = "別人"


def test_a_patient_comes_back_from_json_as_it_went() -> None:
    patient = make_patient(as_written={"sex": "女"}, sex=None)

    assert Patient.model_validate_json(patient.model_dump_json()) == patient


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"national_id": "A123456780"}, "national_id", ProblemCode.ID_CHECKSUM),
        ({"national_id": "XYZ"}, "national_id", ProblemCode.ID_UNKNOWN_FORM),
        ({"national_id": None}, "national_id", ProblemCode.ID_MISSING),
        ({"national_id": ""}, "national_id", ProblemCode.ID_MISSING),
        ({"parent_national_id": "A123456780"}, "parent_national_id", ProblemCode.ID_CHECKSUM),
        ({"sex": None}, "sex", ProblemCode.SEX_UNKNOWN),
        ({"birth_date": None}, "birth_date", ProblemCode.BIRTH_DATE_MISSING),
        ({"birth_date": date(2026, 11, 24)}, "birth_date", ProblemCode.DATE_IN_FUTURE),
        ({"parity": None, "as_written": {"parity": "x"}}, "parity", ProblemCode.NUMBER_UNREADABLE),
        ({"name": "王?明"}, "name", ProblemCode.CHARACTERS_LOST),
        ({"address": "臺中市\ufffd路"}, "address", ProblemCode.CHARACTERS_LOST),
    ],
)
def test_what_will_trouble_an_upload_is_warned_of(changes: dict[str, object], field: str, code: ProblemCode) -> None:
    found = check_patient(make_patient(**changes), TODAY)

    assert [(problem.field, problem.code, problem.severity) for problem in found] == [(field, code, Severity.WARNING)]


def test_all_problems_come_at_once() -> None:
    patient = make_patient(national_id=None, sex=None, birth_date=None)

    assert len(check_patient(patient, TODAY)) == 3


def test_an_unreadable_birth_date_is_shown_with_its_reason() -> None:
    patient = make_patient(birth_date=None, as_written={"birth_date": "1130230"})

    assert check_patient(patient, TODAY) == [
        Problem("birth_date", ProblemCode.DATE_UNREADABLE, {"text": "1130230", "fault": "no_such_day"})
    ]


def test_a_newborn_is_known_by_a_parents_id() -> None:
    assert check_patient(make_patient(national_id=None, parent_national_id="A123456789"), TODAY) == []


def test_a_passport_number_has_no_form_to_check() -> None:
    assert check_patient(make_patient(national_id="M8819203", id_type=IdType.PASSPORT), TODAY) == []


def test_born_today_is_not_in_the_future() -> None:
    assert check_patient(make_patient(birth_date=TODAY), TODAY) == []


def test_sex_is_kept_as_the_his_codes_it() -> None:
    assert make_patient(sex="2").sex is Sex.FEMALE


@pytest.mark.parametrize(
    "typed",
    [
        "057164",
        "７１６４",
        "測試",
        " 測試 患者",
        "B222419838",
        "b2224",
        "ｂ２２２４",
        "0912",
        "０９１２",
        "0912-345-678",
        "0912 345 678",
        "0741108",
        "741108",
        "74/11/08",
        "74/11/8",
        "074/11/08",
        "0074/11/08",
        "74.11.8",
        "74-11-08",
        "７４／１１／０８",
        "74/11",
        "",
    ],
)
def test_a_person_is_found_however_the_nurse_types_it(typed: str) -> None:
    assert normalise_query(typed) in search_text(make_patient())


@pytest.mark.parametrize("typed", ["057165", "陳", "C2224", "0913", "0741109", "74/11/9", "74/1/1", "75.11.8"])
def test_another_person_is_not_found(typed: str) -> None:
    assert normalise_query(typed) not in search_text(make_patient())


def test_a_newborn_is_found_by_the_parents_id() -> None:
    newborn = make_patient(national_id=None, parent_national_id="A123456789")

    assert normalise_query("a1234") in search_text(newborn)


def test_a_foreign_name_is_found_in_small_letters_and_without_its_blanks() -> None:
    patient = make_patient(name="Nguyễn Thị Mai")

    assert normalise_query("nguyễn thịmai") in search_text(patient)


def test_a_query_never_spans_two_facts() -> None:
    patient = make_patient(chart_number="77", name="88", national_id=None)

    assert normalise_query("77 88") not in search_text(patient)


def test_a_phone_with_signs_is_found_by_its_digits() -> None:
    patient = make_patient(phone="(04)2222-3333")

    assert normalise_query("0422223333") in search_text(patient)
    assert normalise_query("(04) 2222-3333") in search_text(patient)


@given(st.text())
def test_any_name_is_found_by_itself(text: str) -> None:
    name = f"王{text}"
    try:
        patient = make_patient(name=name, national_id=None)
    except ValidationError:
        return  # a lone surrogate is no text
    assert normalise_query(name) in search_text(patient)


@given(st.dates(min_value=date(1912, 1, 1), max_value=TODAY), st.sampled_from("/.-"))
def test_any_birth_date_is_found_however_it_is_written(day: date, sign: str) -> None:
    text = search_text(make_patient(birth_date=day))
    year = day.year - 1911

    assert normalise_query(f"{year}{sign}{day.month}{sign}{day.day}") in text
    assert normalise_query(f"{year:03d}{day:%m%d}") in text


@given(st.text())
def test_any_query_is_harmless(text: str) -> None:
    assert isinstance(normalise_query(text), str)
