import pytest
from pydantic import ValidationError

from store.problems import Problem, ProblemCode, Severity, problems_from_validation
from store.vaccinations import VaccinationDraft
from tests.factories import make_patient


def test_a_missing_required_field_stops_saving() -> None:
    assert Problem("name", ProblemCode.REQUIRED).severity is Severity.ERROR


def test_most_problems_are_the_nurses_to_judge() -> None:
    assert Problem("lot_number", ProblemCode.LOT_EXPIRED).severity is Severity.WARNING


def test_what_was_tidied_is_only_a_note() -> None:
    assert Problem("phone", ProblemCode.CLEANED).severity is Severity.NOTE


def test_facts_stay_out_of_what_a_log_would_print() -> None:
    assert "0741108" not in repr(Problem("birth_date", ProblemCode.CLEANED, {"text": "0741108"}))


def test_every_missing_field_of_a_record_is_named_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        VaccinationDraft(patient_id="1" * 32).to_vaccination("2" * 32)

    found = problems_from_validation(caught.value)
    assert {p.field for p in found if p.code is ProblemCode.REQUIRED} == {"vaccine_code", "dose_number", "lot_number"}
    assert {p.field for p in found if p.code is ProblemCode.MALFORMED} == {"vaccination_date", "lot_type"}


def test_a_field_the_model_does_not_have_is_malformed() -> None:
    with pytest.raises(ValidationError) as caught:
        make_patient(nickname="x")

    assert problems_from_validation(caught.value) == [
        Problem("nickname", ProblemCode.MALFORMED, {"reason": "extra_forbidden"})
    ]


def test_a_refused_record_does_not_print_what_it_held() -> None:
    with pytest.raises(ValidationError) as caught:
        make_patient(birth_date="B222419838")

    assert "B222419838" not in str(caught.value)
