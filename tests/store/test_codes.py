import pytest

from store.codes import dose_labels, field_by_roster_title, roster_title, table_origin, vaccine_by_code, vaccines
from store.patients import PatientDraft


def test_the_table_has_every_vaccine_once() -> None:
    codes = [vaccine.code for vaccine in vaccines()]

    assert len(codes) == len(set(codes)) == 81


@pytest.mark.parametrize("code", ["13PCV", "2HepA", "5in1", "CoV_AZ", "DTaP-IPV", "JE-CV_LiveAtd", "MMR", "Var"])
def test_the_vaccines_of_the_manuals_stock_table_are_known(code: str) -> None:
    assert vaccine_by_code(code) is not None


def test_the_manuals_third_mmr_is_a_known_dose() -> None:
    assert dose_labels("MMR")[:3] == ("1", "2", "3")


def test_boosters_have_letters_in_the_order_of_giving() -> None:
    assert dose_labels("CoV_bModerna_BA4/5") == ("1", "2", "B", "B2", "B3", "B4", "B5")


def test_every_vaccine_has_a_name_and_a_dose() -> None:
    assert [v.code for v in vaccines() if not (v.name and v.english_name and v.dose_labels)] == []


def test_rubella_is_not_taken_for_rotavirus() -> None:
    rubella = vaccine_by_code("RV")

    assert rubella is not None
    assert rubella.english_name.startswith("Rubella")


def test_withdrawn_codes_are_kept_for_history_and_come_last() -> None:
    in_use = [vaccine.in_use for vaccine in vaccines()]

    assert in_use == sorted(in_use, reverse=True)
    assert not all(in_use)


def test_an_unknown_code_is_no_error() -> None:
    assert vaccine_by_code("New_2030") is None
    assert dose_labels("New_2030") == ()


@pytest.mark.parametrize("name", ["vaccines.csv", "roster_columns.csv", "exam_error_codes.csv"])
def test_every_table_says_its_source_and_date(name: str) -> None:
    assert "source: " in table_origin(name)
    assert "date: 2026-" in table_origin(name)


def test_every_roster_column_is_a_field_of_a_patient_or_of_the_bad_rows_list() -> None:
    assert set(field_by_roster_title().values()) - {"line_number", "problems"} == set(PatientDraft.model_fields) - {
        "id_type",
        "as_written",
    }


def test_fields_are_written_under_the_title_the_his_uses() -> None:
    assert roster_title("national_id") == "身份證號碼"
