"""The media-import CSV: golden bytes, and what cannot go into it."""

import csv
import io
from datetime import date
from typing import Any

import pytest

from store.lots import LotType
from store.outage_csv import FIELDS, MAX_ROWS, TITLES, NoteKind, OutageFile, file_bytes, make_file
from store.patients import Sex
from tests.factories import make_patient, make_vaccination

INSTITUTION = "1133060019"
# Byte for byte, as the domain's notes have it.
HEADER = (
    "幼兒身分證號,嬰幼兒姓名,嬰幼兒性別,(必填)幼兒出生日期,同胎次序,通訊地址,電話,父或母身分證號,(必填)接種機構,"
    "(必填)接種日期,(必填)疫苗種類,(必填)疫苗劑別,(必填)疫苗批號,疫苗廠商,(必填)疫苗型別,曾接種流感疫苗,身分別,"
    "接種站識別碼,期別,時段,醫師,接種位址,接種站名稱,處置費註記(非必填)\r\n"
)
HEADER_HEX_START = "a5aea8e0a8ada4c0c3d2b8b92c"  # 幼兒身分證號,


def make(person: dict[str, Any] | None = None, **dose: Any) -> OutageFile:
    return make_file([(make_vaccination(**dose), make_patient(**(person or {})))], INSTITUTION)


def cells(file: OutageFile) -> dict[str, str]:
    """The one row, by field."""
    header, row = csv.reader(io.StringIO(file.text, newline=""))
    assert tuple(header) == TITLES
    return dict(zip(FIELDS, row, strict=True))


def kinds(file: OutageFile) -> list[tuple[str, NoteKind, str]]:
    return [(note.field, note.kind, note.characters) for note in file.notes]


def test_the_header_is_that_of_niis_byte_for_byte() -> None:
    written = file_bytes(make_file([], INSTITUTION).text)

    assert written == HEADER.encode("big5")
    assert written.hex().startswith(HEADER_HEX_START)
    assert len(TITLES) == len(FIELDS) == 24


def test_rows_are_written_byte_for_byte() -> None:
    child = make_patient(
        record_id="4" * 32, name="陳,小\"明", sex=Sex.MALE, national_id=None, id_type=None,
        parent_national_id="A123456789", birth_date=date(2026, 5, 1), birth_order=2, phone="", address="",
    )  # fmt: skip
    doses = [
        (make_vaccination(), make_patient()),
        (make_vaccination(record_id="6" * 32, vaccine_code="Flu", special_identity="F01", manufacturer=""), child),
    ]

    file = make_file(doses, INSTITUTION)

    assert file_bytes(file.text) == HEADER.encode("big5") + (
        "B222419838,測試患者,F,741108,1,台中市南區復興路1號,0912345678,,1133060019,1151123,MMR,1,AMJRE075AA-CDC,GSK,1,"
        ",,,,,,,,\r\n"
        ',"陳,小""明",M,1150501,2,,,A123456789,1133060019,1151123,Flu,1,AMJRE075AA-CDC,,1,,F01,,,,,,,\r\n'
    ).encode("big5")
    assert file.record_ids == ("2" * 32, "6" * 32)
    assert not file.notes


def test_the_leading_zero_of_a_birth_date_stays_where_that_is_wanted() -> None:
    doses = [(make_vaccination(), make_patient())]

    assert ",0741108," in make_file(doses, INSTITUTION, birth_date_keeps_zero=True).text


def test_a_place_among_twins_is_the_first_where_none_is_known() -> None:
    assert cells(make({"birth_order": None}))["birth_order"] == "1"


@pytest.mark.parametrize(
    ("person", "dose", "field", "kind"),
    [
        ({"national_id": None, "id_type": None}, {}, "national_id", NoteKind.NO_IDENTITY),
        ({"birth_date": None}, {}, "birth_date", NoteKind.MISSING),
        ({}, {"lot_number": " "}, "lot_number", NoteKind.MISSING),
        ({}, {"vaccine_code": "Flu"}, "special_identity", NoteKind.MISSING),
        ({}, {"vaccine_code": "CoV_Moderna_LP"}, "special_identity", NoteKind.MISSING),
    ],
    ids=["no ID", "no birth date", "no lot", "influenza without identity", "COVID-19 without identity"],
)
def test_a_row_that_niis_would_refuse_is_left_out_and_told(
    person: dict[str, Any], dose: dict[str, Any], field: str, kind: NoteKind
) -> None:
    file = make(person, **dose)

    assert file.text == HEADER
    assert kinds(file) == [(field, kind, "")]
    assert file.left_out == {"2" * 32}
    assert file.record_ids == ()


def test_of_a_pneumococcal_vaccine_no_identity_is_written() -> None:
    assert cells(make(vaccine_code="13PCV", special_identity="F01"))["special_identity"] == ""


@pytest.mark.parametrize("field", ["name", "address", "phone"])
def test_what_big5_cannot_hold_is_substituted_where_it_tells_nobody_apart(field: str) -> None:
    file = make({field: "陳𠮷碁\u200b𠮷"})

    assert cells(file)[field] == "陳？碁？？"
    assert kinds(file) == [(field, NoteKind.SUBSTITUTED, "𠮷\u200b")]
    assert file.record_ids == ("2" * 32,)


@pytest.mark.parametrize(
    ("person", "dose", "field"),
    [
        ({}, {"lot_number": "Ｌ𠮷"}, "lot_number"),
        ({"parent_national_id": "A€\u200b"}, {}, "parent_national_id"),
        ({}, {"vaccine_code": "MMR—😀"}, "vaccine_code"),
    ],
)
def test_what_big5_cannot_hold_leaves_a_row_out_where_it_would_say_something_else(
    person: dict[str, Any], dose: dict[str, Any], field: str
) -> None:
    file = make(person, **dose)

    assert [one[:2] for one in kinds(file)] == [(field, NoteKind.NOT_IN_BIG5)]
    assert file.text == HEADER


def test_a_line_break_within_a_cell_makes_no_second_line() -> None:
    file = make({"address": "台中市\n南區"})

    assert cells(file)["address"] == "台中市？南區"
    assert file.text.count("\r\n") == 2


def test_no_text_runs_as_a_formula_and_the_change_is_told() -> None:
    file = make({"name": "=1+1", "address": " @SUM(A1)", "phone": "+886912345678"}, manufacturer="'-2+cmd|'!A0")

    written = cells(file)
    assert [written[field] for field in ("name", "address", "manufacturer")] == ["？1+1", " ？SUM(A1)", "'？2+cmd|'!A0"]
    assert written["phone"] == "+886912345678", "a number does no harm, and NIIS gets it as it is"
    assert kinds(file) == [
        ("name", NoteKind.LIKE_A_FORMULA, "="),
        ("address", NoteKind.LIKE_A_FORMULA, "@"),
        ("manufacturer", NoteKind.LIKE_A_FORMULA, "-"),
    ]


@pytest.mark.parametrize(
    ("person", "dose", "field"),
    [
        ({}, {"lot_number": "=HYPERLINK(1)"}, "lot_number"),
        ({"national_id": "@A1"}, {}, "national_id"),
        ({}, {"vaccine_code": "Flu", "special_identity": "＝1"}, "special_identity"),
    ],
)
def test_a_row_with_a_formula_where_it_must_be_exact_is_left_out(
    person: dict[str, Any], dose: dict[str, Any], field: str
) -> None:
    file = make(person, **dose)

    assert [one[:2] for one in kinds(file)] == [(field, NoteKind.FORMULA)]
    assert file.text == HEADER


@pytest.mark.parametrize(("lot_type", "written"), [(LotType.SELF_PAID, "0"), (LotType.LOCALLY_PURCHASED, "1")])
def test_the_code_of_a_lot_type_that_nobody_published_carries_a_note(lot_type: LotType, written: str) -> None:
    file = make(lot_type=lot_type)

    assert cells(file)["lot_type"] == written
    assert kinds(file) == [("lot_type", NoteKind.LOT_TYPE_UNSURE, "")]


def test_a_file_has_a_limit() -> None:
    doses = [(make_vaccination(), make_patient())]
    assert len(make_file(doses * MAX_ROWS, INSTITUTION).record_ids) == MAX_ROWS

    with pytest.raises(ValueError, match="at most"):
        make_file(doses * (MAX_ROWS + 1), INSTITUTION)
