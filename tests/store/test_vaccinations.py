from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from store.lots import LotType
from store.problems import Problem, ProblemCode, Severity
from store.vaccinations import Vaccination, VaccinationDraft, check_vaccination
from tests.factories import LOT_ID, TODAY, make_lot, make_patient, make_vaccination

OTHER_ID = "4" * 32


def check(vaccination: VaccinationDraft, **changes: object) -> list[Problem]:
    given_facts: dict[str, object] = {"patient": make_patient(), "lots": [make_lot()], "others_of_patient": []}
    return check_vaccination(vaccination, today=TODAY, **(given_facts | changes))  # type: ignore[arg-type]


def test_a_usual_vaccination_has_no_problem() -> None:
    assert check(make_vaccination()) == []


@pytest.mark.parametrize(
    "field", ["patient_id", "vaccination_date", "vaccine_code", "dose_number", "lot_number", "lot_type"]
)
def test_without_a_required_field_it_cannot_be_saved(field: str) -> None:
    filled = make_vaccination().model_dump(exclude={"record_id", field})
    draft = VaccinationDraft(**filled)

    assert [p for p in check(draft) if p.severity is Severity.ERROR] == [Problem(field, ProblemCode.REQUIRED)]
    with pytest.raises(ValidationError):
        draft.to_vaccination(OTHER_ID)


def test_an_empty_form_is_told_all_it_needs_and_nothing_else() -> None:
    assert {p.code for p in check(VaccinationDraft(), patient=None, lots=[])} == {ProblemCode.REQUIRED}


def test_a_complete_draft_becomes_a_vaccination() -> None:
    vaccination = make_vaccination()
    draft = VaccinationDraft(**vaccination.model_dump(exclude={"record_id"}))

    assert draft.to_vaccination(vaccination.record_id) == vaccination


def test_a_vaccination_comes_back_from_json_as_it_went() -> None:
    vaccination = make_vaccination(special_identity="F01", note="左上臂")

    assert Vaccination.model_validate_json(vaccination.model_dump_json()) == vaccination


def test_the_manuals_example_row_is_only_an_unregistered_lot() -> None:
    vaccination = make_vaccination(
        vaccination_date=date(2021, 5, 27),
        dose_number="3",
        lot_number="AMJRE023AA-1",
        lot_type=LotType.SELF_PAID,
    )

    assert check(vaccination) == [Problem("lot_number", ProblemCode.LOT_UNKNOWN)]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"vaccination_date": TODAY + timedelta(days=1)}, "vaccination_date", ProblemCode.DATE_IN_FUTURE),
        ({"vaccination_date": date(1985, 11, 7)}, "vaccination_date", ProblemCode.DATE_BEFORE_BIRTH),
        ({"dose_number": "9"}, "dose_number", ProblemCode.DOSE_UNKNOWN),
        ({"lot_type": LotType.SELF_PAID}, "lot_type", ProblemCode.LOT_TYPE_DIFFERS),
        ({"lot_number": "AMJRE075AB-CDC"}, "lot_number", ProblemCode.LOT_UNKNOWN),
        ({"lot_number": "amjre075aa-CDC"}, "lot_number", ProblemCode.LOT_CASE_DIFFERS),
        ({"vaccine_code": "Var"}, "lot_number", ProblemCode.LOT_OF_OTHER_VACCINE),
        ({"vaccination_date": date(2027, 4, 1)}, "lot_number", ProblemCode.LOT_EXPIRED),
    ],
)
def test_what_is_odd_is_warned_of_at_its_field(changes: dict[str, object], field: str, code: ProblemCode) -> None:
    found = {(p.field, p.code): p.severity for p in check(make_vaccination(**changes))}

    assert found.get((field, code)) is Severity.WARNING
    expected = {(field, code)}
    if code is ProblemCode.LOT_EXPIRED:
        expected.add(("vaccination_date", ProblemCode.DATE_IN_FUTURE))
    assert set(found) == expected


def test_given_on_the_day_of_birth_is_not_odd() -> None:
    vaccination = make_vaccination(vaccine_code="rHepB", lot_number="HB2601A-CDC")
    lot = make_lot(vaccine_code="rHepB", lot_number="HB2601A-CDC")

    assert check(vaccination, patient=make_patient(birth_date=TODAY), lots=[lot]) == []


def test_a_lot_is_good_on_its_last_day() -> None:
    assert check(make_vaccination(), lots=[make_lot(expiry_date=TODAY)]) == []


def test_a_lot_expired_the_day_after_its_last() -> None:
    lot = make_lot(expiry_date=TODAY - timedelta(days=1))

    assert check(make_vaccination(), lots=[lot]) == [
        Problem("lot_number", ProblemCode.LOT_EXPIRED, {"expiry_date": "2026-11-22"})
    ]


def test_an_expiry_written_into_an_unregistered_lot_counts() -> None:
    vaccination = make_vaccination(lot_number="X1_1150826-CDC")

    assert {p.code for p in check(vaccination)} == {ProblemCode.LOT_UNKNOWN, ProblemCode.LOT_EXPIRED}


def test_the_suffix_of_an_unregistered_lot_tells_its_type() -> None:
    vaccination = make_vaccination(lot_number="X1-66-hb", lot_type=LotType.CENTRAL)

    assert Problem("lot_type", ProblemCode.LOT_TYPE_DIFFERS, {"lot_type": "3"}) in check(vaccination)


def test_one_number_registered_for_two_vaccines_is_not_odd_for_either() -> None:
    lots = [make_lot(record_id=OTHER_ID, vaccine_code="Var"), make_lot(record_id=LOT_ID)]

    assert check(make_vaccination(), lots=lots) == []


def test_an_unknown_vaccine_is_kept_and_its_dose_not_judged() -> None:
    vaccination = make_vaccination(vaccine_code="New_2030", dose_number="Z")

    assert check(vaccination, lots=[make_lot(vaccine_code="New_2030")]) == [
        Problem("vaccine_code", ProblemCode.VACCINE_UNKNOWN)
    ]


def test_the_same_dose_already_recorded_is_warned_of_with_its_day() -> None:
    other = make_vaccination(record_id=OTHER_ID, vaccination_date=date(2026, 1, 5))

    assert check(make_vaccination(), others_of_patient=[other]) == [
        Problem(
            "dose_number",
            ProblemCode.DOSE_ALREADY_RECORDED,
            {"vaccination_date": "2026-01-05", "record_id": OTHER_ID},
        )
    ]


def test_another_dose_of_the_vaccine_is_not_the_same() -> None:
    second = make_vaccination(dose_number="2")
    first = make_vaccination(record_id=OTHER_ID, vaccination_date=TODAY - timedelta(days=28))

    assert check(second, others_of_patient=[first]) == []


def test_a_second_dose_too_soon_is_warned_of_with_what_would_do() -> None:
    second = make_vaccination(dose_number="2")
    first = make_vaccination(record_id=OTHER_ID, vaccination_date=TODAY - timedelta(days=27))

    (problem,) = check(second, others_of_patient=[first])

    assert (problem.field, problem.code) == ("vaccination_date", ProblemCode.INTERVAL_UNDER_MINIMUM)
    assert (problem.facts["actual_days"], problem.facts["earliest_date"]) == ("27", "2026-11-24")


def test_a_child_too_young_is_warned_of() -> None:
    patient = make_patient(birth_date=TODAY - timedelta(days=364))

    assert [p.code for p in check(make_vaccination(), patient=patient)] == [ProblemCode.AGE_UNDER_MINIMUM]


def test_a_flu_dose_of_another_season_is_not_the_same_and_one_of_this_season_is() -> None:
    flu = {"vaccine_code": "Flu", "lot_number": "F1-CDC", "special_identity": "F05A"}
    lots = [make_lot(vaccine_code="Flu", lot_number="F1-CDC")]
    last_year = make_vaccination(record_id=OTHER_ID, vaccination_date=date(2025, 10, 9), **flu)
    this_year = make_vaccination(record_id=OTHER_ID, vaccination_date=date(2026, 10, 9), **flu)

    assert check(make_vaccination(**flu), lots=lots, others_of_patient=[last_year]) == []
    assert [p.code for p in check(make_vaccination(**flu), lots=lots, others_of_patient=[this_year])] == [
        ProblemCode.DOSE_ALREADY_RECORDED
    ]


def test_why_staff_saved_against_a_warning_is_kept_and_older_records_have_none() -> None:
    vaccination = make_vaccination(warning_reason="出國需要，醫師同意")
    older = make_vaccination().model_dump_json(exclude={"warning_reason"})

    assert Vaccination.model_validate_json(vaccination.model_dump_json()) == vaccination
    assert Vaccination.model_validate_json(older) == make_vaccination()


def test_a_flu_dose_without_an_identity_is_warned_of_at_its_field() -> None:
    vaccination = make_vaccination(vaccine_code="Flu", lot_number="F1-CDC")
    lots = [make_lot(vaccine_code="Flu", lot_number="F1-CDC")]

    assert [(p.field, p.code) for p in check(vaccination, lots=lots)] == [
        ("special_identity", ProblemCode.SPECIAL_IDENTITY_MISSING)
    ]


def test_a_record_is_not_its_own_double() -> None:
    vaccination = make_vaccination()

    assert check(vaccination, others_of_patient=[vaccination]) == []


@given(
    st.builds(
        VaccinationDraft,
        patient_id=st.text(),
        vaccination_date=st.none() | st.dates(min_value=date(1912, 1, 1), max_value=date(2910, 12, 31)),
        vaccine_code=st.text() | st.sampled_from(["MMR", "Flu", "CoV_AZ"]),
        dose_number=st.text(),
        lot_number=st.text(),
        lot_type=st.none() | st.sampled_from(LotType),
        special_identity=st.none() | st.text() | st.sampled_from(["F01", "C08A", "1", "R03C"]),
    ),
    st.none() | st.dates(min_value=date(1912, 1, 1), max_value=date(2910, 12, 31)),
)
def test_whatever_is_typed_gets_problems_and_never_an_exception(draft: VaccinationDraft, born: date | None) -> None:
    known_fields = set(VaccinationDraft.model_fields)
    others = [make_vaccination(record_id=OTHER_ID), make_vaccination(record_id=OTHER_ID, vaccine_code="Var")]

    found = check(draft, patient=make_patient(birth_date=born), others_of_patient=others)

    assert {p.field for p in found} <= known_fields
