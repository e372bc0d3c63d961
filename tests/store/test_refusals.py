"""CDC's words at a refusal, and what this program makes of them."""

import pytest

from store.codes import read_table
from store.patients import Patient
from store.prenatal import ExamResult
from store.refusals import Refusal, RefusalReason, read_exam_refusal, read_refusal
from store.vaccinations import Vaccination


@pytest.mark.parametrize(
    ("message", "reason", "field"),
    [
        ({"code": "E00091", "text": "批號不存在"}, "lot_unknown", "lot_number"),
        ({"code": "E00018", "text": "身分證號錯誤(未轉入NIIS系統)"}, "id_wrong", "national_id"),
        ({"code": "E00006", "text": "資料型別錯誤(生日)"}, "value", ""),
        ({"code": "E00002", "text": "單位此月份已結算"}, "month_closed", ""),
        ({"code": "E00002", "text": "非正確之交易檢查碼"}, "program", ""),
        ({"code": "E00019", "text": ""}, "birth_date", "birth_date"),
        ({"code": "E00004", "text": "參數異常", "expression": "Immunization.occurrence"}, "other", "vaccination_date"),
        ({"text": "輸入之交易參數異常", "expression": "Patient.gender"}, "value", "sex"),
        ({"code": "Z1", "expression": "Immunization.lotNumber"}, "other", "lot_number"),
    ],
)  # fmt: skip
def test_the_words_are_understood(message: dict[str, str], reason: str, field: str) -> None:
    assert read_refusal(message) == Refusal(RefusalReason(reason), field)


@pytest.mark.parametrize("code", ["E00002", "E00018", "E00091", ""])
def test_a_known_code_with_words_of_its_own_is_given_no_meaning(code: str) -> None:
    assert read_refusal({"code": code, "text": "全新的說法"}) == Refusal(RefusalReason.OTHER, "")


@pytest.mark.parametrize(
    ("message", "reason", "field"),
    [
        ({"code": "E00049", "text": "s(-)e(+)"}, "exam_result", "hbeag"),
        ({"code": "E00050", "text": "s(+/-)"}, "exam_result", "hbsag"),
        ({"code": "E00051", "text": "e(+/-)"}, "exam_result", "hbeag"),
        ({"code": "E00048", "text": ""}, "exam_method", "method"),
        ({"code": "E00006", "text": "資料型別錯誤(生日)"}, "value", ""),
        ({"code": "E00043", "text": "院所不存在"}, "collector", "collection_institution"),
        ({"code": "E00003", "text": "缺少交易參數(必填欄位不足)", "expression": "Patient.telecom"}, "missing", "phone"),
        ({"code": "E00013", "text": "新增失敗,整批退回"}, "whole_batch", ""),
        ({"code": "E00050", "text": "s(新)"}, "other", ""),
    ],
)
def test_the_words_on_a_report_are_understood(message: dict[str, str], reason: str, field: str) -> None:
    assert read_exam_refusal(message) == Refusal(RefusalReason(reason), field)


def test_the_same_words_on_a_dose_are_about_the_clinic() -> None:
    assert read_refusal({"code": "E00043", "text": "院所不存在"}) == Refusal(RefusalReason.INSTITUTION, "")


def test_no_message_at_all_is_no_error() -> None:
    assert read_refusal(None) == read_refusal({}) == Refusal(RefusalReason.OTHER, "")


def test_every_field_of_the_tables_is_one_of_a_dose_or_a_person() -> None:
    fields = {row["field"] for name in ("cdc_refusals.csv", "cdc_elements.csv") for row in read_table(name)}
    assert fields - {""} <= Vaccination.model_fields.keys() | Patient.model_fields.keys()
    assert "lot_number" in fields
    of_reports = {row["field"] for row in read_table("exam_error_codes.csv")}
    assert of_reports - {""} <= ExamResult.model_fields.keys() | Patient.model_fields.keys()


def test_the_same_words_never_mean_two_things() -> None:
    meanings: dict[str, set[str]] = {}
    for row in read_table("cdc_refusals.csv"):
        meanings.setdefault(row["text"].partition("(")[0], set()).add(row["reason"])
    assert all(len(reasons) == 1 for reasons in meanings.values())
    assert len(meanings) > 20
