"""The README's table of CDC's refusals says what the program does, no more and no less."""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.codes import exam_error_codes, read_table
from store.ids import check_institution_code
from store.patients import check_patient
from store.problems import Problem
from store.vaccinations import check_vaccination
from tests.factories import TODAY, make_lot, make_patient, make_vaccination
from tests.store.test_prenatal import ODD

README = Path(__file__).parents[1] / "README.md"
TITLES = ("Code", "CDC's words", "A report is told by", "A dose is told by", "If not, why")
TOMORROW = TODAY + timedelta(days=1)

# What each check of an exam report tells, as its own tests see it: by CDC's code, problem and field.
OF_REPORTS = {(code, problem.value, field) for _, _, (code, field, problem) in ODD.values() if code} | {
    *((("E00003", "required", field)) for field in ("exam_type", "exam_date")),
    ("E00019", "date_in_future", "birth_date"),
}


def of_dose(**changes: Any) -> list[Problem]:
    return check_vaccination(make_vaccination(**changes), make_patient(), [make_lot()], (), TODAY)


def of_draft(missing: str) -> list[Problem]:
    draft = make_vaccination().model_copy(update={missing: ""})
    return check_vaccination(draft, make_patient(), [make_lot()], (), TODAY)


def of_person(**changes: Any) -> list[Problem]:
    return check_patient(make_patient(**changes), TODAY)


# What brings each problem about, and the field it is told at.
OF_DOSES: dict[tuple[str, str], Callable[[], Iterable[Problem]]] = {
    ("required", "vaccine_code"): lambda: of_draft("vaccine_code"),
    ("required", "dose_number"): lambda: of_draft("dose_number"),
    ("required", "lot_number"): lambda: of_draft("lot_number"),
    ("date_in_future", "vaccination_date"): lambda: of_dose(vaccination_date=TOMORROW),
    ("date_before_birth", "vaccination_date"): lambda: of_dose(vaccination_date=date(1980, 1, 1)),
    ("vaccine_unknown", "vaccine_code"): lambda: of_dose(vaccine_code="ZZ"),
    ("dose_unknown", "dose_number"): lambda: of_dose(dose_number="77"),
    ("lot_unknown", "lot_number"): lambda: of_dose(lot_number="UNKNOWN"),
    ("lot_case_differs", "lot_number"): lambda: of_dose(lot_number="amjre075aa-cdc"),
    ("lot_of_other_vaccine", "lot_number"): lambda: of_dose(vaccine_code="Var"),
    ("lot_type_differs", "lot_type"): lambda: of_dose(lot_type="2"),
    ("id_checksum", "national_id"): lambda: of_person(national_id="B222419839"),
    ("id_unknown_form", "national_id"): lambda: of_person(national_id="B22241983"),
    ("id_missing", "national_id"): lambda: of_person(national_id=None),
    ("birth_date_missing", "birth_date"): lambda: of_person(birth_date=None),
    ("date_in_future", "birth_date"): lambda: of_person(birth_date=TOMORROW),
    ("institution_code_form", "institution_code"): lambda: check_institution_code("113306001"),
    ("institution_code_check_digit", "institution_code"): lambda: check_institution_code("1133060018"),
}
# A person's or a dose's day: the words say whose.
_ABOUT_BIRTH = "出生日期"


def readme_rows() -> list[list[str]]:
    lines = README.read_text("utf-8").splitlines()
    start = lines.index(f"| {' | '.join(TITLES)} |") + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line.strip("|"))
        rows.append([cell.strip().replace("\\|", "|") for cell in cells])
    return rows


def told_by(pairs: Iterable[tuple[str, str]]) -> str:
    """Shape: "`required`: exam_date, exam_type; `exam_value_missing`: phone"."""
    fields: dict[str, list[str]] = {}
    for problem, field in sorted(pairs):
        fields.setdefault(problem, []).append(field)
    return "; ".join(f"`{problem}`: {', '.join(names)}" for problem, names in fields.items())


def expected_rows() -> list[list[str]]:
    """Code, words, and the two columns of checks: reports' codes first, then those that only doses meet."""
    doses = {(row["code"], row["text"]): row["problems"].split() for row in read_table("cdc_refusals.csv")}
    reports = {(one.code, one.text) for one in exam_error_codes().values() if one.severity == "error"}
    keys = [(one.code, one.text) for one in exam_error_codes().values() if one.severity == "error"]
    keys += [key for key in doses if key not in reports]
    rows = []
    for code, text in keys:
        of_report = ((problem, field) for cdc_code, problem, field in OF_REPORTS if cdc_code == code)
        of_dose = (
            (problem, field)
            for problem, field in OF_DOSES
            if problem in doses.get((code, text), ())
            and (problem != "date_in_future" or (field == "birth_date") == (_ABOUT_BIRTH in text))
        )
        report = told_by(of_report) if (code, text) in reports else "not met"
        rows.append([code or "(none)", text, report, told_by(of_dose) if (code, text) in doses else "not met"])
    return rows


def test_the_readme_has_every_published_code_with_the_checks_that_tell_it() -> None:
    assert [row[:4] for row in readme_rows()] == expected_rows()
    assert len(readme_rows()) > 30


def test_where_no_check_tells_a_code_the_readme_says_why() -> None:
    for row in readme_rows():
        unchecked = "" in row[2:4]
        assert bool(row[4]) == unchecked, row


@pytest.mark.parametrize(("problem", "field"), OF_DOSES, ids=[":".join(pair) for pair in OF_DOSES])
def test_the_check_of_a_dose_tells_it_at_the_field(problem: str, field: str) -> None:
    assert (problem, field) in {(one.code.value, one.field) for one in OF_DOSES[problem, field]()}


def test_each_problem_that_the_table_of_refusals_names_is_one_of_these() -> None:
    named = {problem for row in read_table("cdc_refusals.csv") for problem in row["problems"].split()}
    assert named == {problem for problem, _ in OF_DOSES}
    assert {(code, problem) for code, problem, _ in OF_REPORTS} == {
        (one.code, problem) for one in exam_error_codes().values() for problem in one.problems
    }
