"""The roster reader, fed with small files that carry the dirt of real exports."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.ids import IdType
from store.patients import Sex
from store.problems import Problem, ProblemCode
from store.roster import RosterError, RosterFault, RosterRow, RosterText, decode_roster, read_rows
from tests.factories import TODAY

HEADER = "病歷號碼,姓名,性別,身份證號碼,出生日期,電話,四角號碼,地址,同胎次序,胎次,胎別,父母身分證"
CLEAN = "057164,測試患者,2,B222419838,0741108,0912345678,3614,台中市南區復興路1號,1,1,1,"
SAMPLE = Path(__file__).parents[2] / "e2e" / "sample" / "roster.csv"


def file_of(*rows: str, header: str = HEADER, encoding: str = "cp950", line_end: str = "\r\n") -> bytes:
    return "".join(row + line_end for row in (header, *rows)).encode(encoding, errors="replace")


def rows_of(*rows: str, header: str = HEADER, encoding: str = "cp950") -> list[RosterRow]:
    return list(read_rows(decode_roster(file_of(*rows, header=header, encoding=encoding)), TODAY))


def row_with(**changes: str) -> RosterRow:
    """The clean row with some cells replaced, keyed by field."""
    fields = ["chart_number", "name", "sex", "national_id", "birth_date", "phone", "four_corner_code", "address"]
    fields += ["birth_order", "parity", "plurality", "parent_national_id"]
    cells = dict(zip(fields, CLEAN.split(","), strict=True)) | changes
    (row,) = rows_of(",".join(cells.values()), encoding="utf-8")
    return row


def codes(row: RosterRow) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in row.problems]


# ---- the file


@pytest.mark.parametrize("encoding", ["cp950", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_a_roster_reads_the_same_in_every_encoding_and_line_end(encoding: str, line_end: str) -> None:
    roster = decode_roster(file_of(CLEAN, CLEAN.replace("057164", "057165"), encoding=encoding, line_end=line_end))

    rows = list(read_rows(roster, TODAY))
    assert roster.encoding == encoding
    assert [row.patient.chart_number for row in rows if row.patient] == ["057164", "057165"]
    assert [row.line_number for row in rows] == [2, 3]
    assert [row.problems for row in rows] == [[], []]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    (row,) = rows_of(CLEAN.replace(",", delimiter), header=HEADER.replace(",", delimiter))

    assert row.patient is not None
    assert row.patient.address == "台中市南區復興路1號"


def test_columns_are_found_by_their_titles_in_any_order_and_spelling() -> None:
    (row,) = rows_of("0741108, ,王,x,B222419838,7", header="生日, 備註 ,姓名,,身分證,病歷號")

    assert row.patient is not None
    assert (row.patient.chart_number, row.patient.birth_date) == ("7", date(1985, 11, 8))


def test_cells_of_unknown_and_untitled_columns_are_kept() -> None:
    (row,) = rows_of("7,王,B222419838,0741108,甲,乙,丙", header="病歷號碼,姓名,身份證號碼,出生日期,備註,備註,")

    assert list(row.cells.values()) == ["7", "王", "B222419838", "0741108", "甲", "乙", "丙"]


def test_a_title_in_quotes_and_blank_lines_above_are_read() -> None:
    quoted = ",".join(f'"{title}"' for title in HEADER.split(","))
    roster = decode_roster(("\r\n\r\n" + quoted + "\r\n" + CLEAN).encode("cp950"))

    assert [row.line_number for row in read_rows(roster, TODAY)] == [4]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", RosterFault.EMPTY),
        (b"\xef\xbb\xbf\r\n \r\n", RosterFault.EMPTY),
        (b"PK\x03\x04rest of a workbook", RosterFault.SPREADSHEET),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", RosterFault.SPREADSHEET),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", RosterFault.NOT_TEXT),
        (b"hello\r\nworld\r\n", RosterFault.MISSING_COLUMNS),
        (CLEAN.encode("cp950"), RosterFault.MISSING_COLUMNS),
        (bytes(range(1, 256)), RosterFault.MISSING_COLUMNS),
        (file_of(header=HEADER + ",病歷號"), RosterFault.REPEATED_COLUMNS),
    ],
)
def test_what_is_no_roster_is_refused_before_the_first_row(data: bytes, fault: RosterFault) -> None:
    with pytest.raises(RosterError) as caught:
        decode_roster(data)

    assert caught.value.fault is fault


def test_the_missing_columns_are_named() -> None:
    with pytest.raises(RosterError) as caught:
        decode_roster("病歷號碼,姓名\r\n1,王\r\n".encode())

    assert caught.value.columns == ("national_id", "birth_date")


def test_a_header_alone_is_a_roster_without_rows() -> None:
    assert rows_of() == []


@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_a_roster_error(data: bytes) -> None:
    try:
        roster = decode_roster(data)
    except RosterError:
        return
    list(read_rows(roster, TODAY))


@given(st.binary(max_size=400), st.sampled_from(["cp950", "utf-8", "utf-8-sig"]))
def test_no_row_raises_whatever_its_bytes(data: bytes, encoding: str) -> None:
    for row in read_rows(decode_roster(file_of(encoding=encoding) + data), TODAY):
        assert row.patient is not None or row.problems


# ---- nothing is lost


@given(st.lists(st.text(alphabet=st.sampled_from("0Aa王,\",;\r\t ?='１\ufffd\0\x1c\u2028")), max_size=30))
def test_every_line_with_text_comes_back_in_some_row(lines: list[str]) -> None:
    data = file_of(*lines, encoding="utf-8", line_end="\n")
    roster = decode_roster(data)

    read = [line for row in read_rows(roster, TODAY) for line in row.raw.split("\n") if line.strip()]
    # NUL is the one character that is replaced.
    assert read == [line.replace("\0", "\ufffd").rstrip("\r") for line in lines if line.strip()] or any(
        '"' in line for line in lines
    )


@given(st.lists(st.text(alphabet=st.sampled_from('0Aa王,"'), max_size=30), max_size=30))
def test_quotes_never_swallow_a_line(lines: list[str]) -> None:
    roster = decode_roster(file_of(*lines, encoding="utf-8", line_end="\n"))

    read = "\n".join(row.raw for row in read_rows(roster, TODAY))
    assert [line for line in read.split("\n") if line.strip()] == [line for line in lines if line.strip()]


def test_a_quote_that_is_never_closed_costs_its_own_row_only() -> None:
    rows = rows_of(CLEAN.replace("台中市", '"台中市'), *(CLEAN.replace("057164", f"1{n:05d}") for n in range(40)))

    assert len(rows) == 41
    assert all(row.patient for row in rows)


def test_a_cell_in_quotes_may_hold_delimiters_and_lines() -> None:
    rows = rows_of(CLEAN.replace("台中市南區復興路1號", '"台中市, 南區\r\n""1""號"'), CLEAN.replace("057164", "057165"))

    assert [row.line_number for row in rows] == [2, 4]
    assert rows[0].patient is not None
    assert rows[0].patient.address == '台中市, 南區 "1"號'


def test_rows_are_read_one_at_a_time() -> None:
    roster = decode_roster(file_of(CLEAN, "x"))
    rows: Iterator[RosterRow] = read_rows(roster, TODAY)

    assert next(rows).patient is not None
    assert next(rows).is_bad


@pytest.mark.parametrize(
    ("row", "found"), [("057164,測試患者", "2"), (CLEAN + ",surplus", "13"), ("x", "1"), (CLEAN[:-1], "11")]
)
def test_a_row_of_another_cell_count_is_bad_and_keeps_its_cells(row: str, found: str) -> None:
    (read,) = rows_of(row)

    assert read.is_bad
    assert read.patient is None
    assert read.problems == [Problem("", ProblemCode.WRONG_CELL_COUNT, {"expected": "12", "found": found})]
    assert list(read.cells.values())[: int(found)] == row.split(",")
    assert read.raw == row


def test_blank_cells_at_the_end_are_a_spreadsheets_doing() -> None:
    (row,) = rows_of(CLEAN + ",, ,")

    assert row.patient is not None
    assert row.problems == []


@pytest.mark.parametrize("field", ["chart_number", "name"])
@pytest.mark.parametrize("text", ["", "  ", "　"])
def test_without_chart_number_or_name_a_row_is_bad(field: str, text: str) -> None:
    row = row_with(**{field: text})

    assert row.patient is None
    assert row.is_bad
    assert (field, ProblemCode.REQUIRED) in codes(row)


# ---- cells


def test_a_clean_row_is_a_patient_without_problems() -> None:
    row = row_with()

    assert row.problems == []
    assert row.patient is not None
    assert row.patient.model_dump(exclude_defaults=True) == {
        "chart_number": "057164",
        "name": "測試患者",
        "sex": Sex.FEMALE,
        "national_id": "B222419838",
        "id_type": IdType.NATIONAL,
        "birth_date": date(1985, 11, 8),
        "phone": "0912345678",
        "four_corner_code": "3614",
        "address": "台中市南區復興路1號",
        "birth_order": 1,
        "parity": 1,
        "plurality": 1,
    }


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("chart_number", "０５７１６４", "057164"),
        ("national_id", "Ｂ２２２４１９８３８", "B222419838"),
        ("national_id", " b222419838 ", "B222419838"),
        ("name", "  測試患者　", "測試患者"),
        ("birth_date", "０７４１１０８", date(1985, 11, 8)),
        ("sex", "２", Sex.FEMALE),
        ("phone", "０９１２ ", "0912"),
        ("birth_order", "１", 1),
        ("parent_national_id", "ａ123456789", "A123456789"),
    ],
)
def test_what_can_be_tidied_without_guessing_is_tidied_and_noted(field: str, cell: str, value: object) -> None:
    row = row_with(**{field: cell})

    assert getattr(row.patient, field) == value
    assert row.problems == [Problem(field, ProblemCode.CLEANED, {"text": cell})]


@pytest.mark.parametrize("cell", ["0741108", "74/11/08", "074/11/08", "74.11.8", "0074/11/08"])
def test_the_date_forms_of_one_file_mean_the_same_day(cell: str) -> None:
    row = row_with(birth_date=cell)

    assert row.patient is not None
    assert row.patient.birth_date == date(1985, 11, 8)
    assert row.problems == []


@pytest.mark.parametrize(
    ("field", "cell", "code"),
    [
        ("birth_date", "1130230", ProblemCode.DATE_UNREADABLE),
        ("birth_date", "19851108", ProblemCode.DATE_UNREADABLE),
        ("sex", "M", ProblemCode.SEX_UNKNOWN),
        ("sex", "女", ProblemCode.SEX_UNKNOWN),
        ("sex", "9", ProblemCode.SEX_UNKNOWN),
        ("birth_order", "甲", ProblemCode.NUMBER_UNREADABLE),
        ("parity", "-1", ProblemCode.NUMBER_UNREADABLE),
        ("plurality", "1.0", ProblemCode.NUMBER_UNREADABLE),
        ("birth_order", "101", ProblemCode.NUMBER_UNREADABLE),
        ("birth_order", "9" * 5000, ProblemCode.NUMBER_UNREADABLE),
        ("birth_order", "²", ProblemCode.NUMBER_UNREADABLE),
    ],
)
def test_an_unreadable_cell_leaves_its_field_empty_and_is_kept_as_written(
    field: str, cell: str, code: ProblemCode
) -> None:
    row = row_with(**{field: cell})

    assert row.patient is not None
    assert getattr(row.patient, field) is None
    assert row.patient.as_written == {field: cell}
    assert codes(row) == [(field, code)]
    assert row.cells["姓名"] == "測試患者"


def test_a_wrong_checksum_is_still_a_patient() -> None:
    row = row_with(national_id="B222419839")

    assert row.patient is not None
    assert row.patient.national_id == "B222419839"
    assert codes(row) == [("national_id", ProblemCode.ID_CHECKSUM)]


def test_neither_own_nor_parents_id_is_still_a_patient() -> None:
    row = row_with(national_id="")

    assert row.patient is not None
    assert codes(row) == [("national_id", ProblemCode.ID_MISSING)]


def test_a_number_of_no_known_form_is_kept_without_a_type() -> None:
    row = row_with(national_id="M8819203")

    assert row.patient is not None
    assert (row.patient.national_id, row.patient.id_type) == ("M8819203", None)
    assert codes(row) == [("national_id", ProblemCode.ID_UNKNOWN_FORM)]


def test_a_birth_after_today_is_warned_of() -> None:
    assert codes(row_with(birth_date="1151124")) == [("birth_date", ProblemCode.DATE_IN_FUTURE)]


def test_a_name_big5_cannot_hold_is_reported_at_its_row() -> None:
    (row,) = rows_of(CLEAN.replace("測試", "𤧟"))

    assert codes(row) == [("name", ProblemCode.CHARACTERS_LOST)]


@pytest.mark.parametrize("encoding", ["cp950", "utf-8"])
def test_a_byte_that_is_no_character_is_reported_and_hurts_no_other_row(encoding: str) -> None:
    rows = (CLEAN, CLEAN.replace("057164", "057165"))
    data = file_of(*rows, encoding=encoding)
    damaged = data.replace("測".encode(encoding), b"\xff", 1)

    roster = decode_roster(damaged)
    first, second = read_rows(roster, TODAY)
    assert roster.encoding == encoding
    assert codes(first) == [("name", ProblemCode.CHARACTERS_LOST)]
    assert "\ufffd" in first.cells["姓名"]
    assert second.problems == []


def test_zeros_protected_from_excel_are_read() -> None:
    (row,) = rows_of(CLEAN.replace("057164", '="057164"'))

    assert row.patient is not None
    assert row.patient.chart_number == "057164"


def test_nul_in_a_row_is_a_lost_character_and_not_the_end_of_the_import() -> None:
    data = file_of(*(CLEAN.replace("057164", f"1{n:05d}") for n in range(20))) + file_of(CLEAN.replace("測試", "\0"))

    rows = list(read_rows(decode_roster(data), TODAY))
    assert codes(rows[-1]) == [("name", ProblemCode.CHARACTERS_LOST)]


# ---- duplicates


def test_a_second_person_under_one_chart_number_is_a_bad_row() -> None:
    first, second = rows_of(CLEAN, CLEAN.replace("測試患者", "別人").replace("B222419838", "A123456789"))

    assert first.patient is not None
    assert second.patient is None
    assert second.is_bad
    assert Problem("chart_number", ProblemCode.DUPLICATE_CHART_NUMBER, {"first_line": "2"}) in second.problems
    assert second.problems[-1].facts == {"first_line": "2"}


def test_the_first_row_counts_even_where_only_the_phone_differs() -> None:
    _, second = rows_of(CLEAN, CLEAN.replace("0912345678", "0987654321"))

    assert second.is_bad


def test_the_same_row_again_is_neither_a_patient_nor_bad() -> None:
    _, second = rows_of(CLEAN, CLEAN)

    assert second.patient is None
    assert not second.is_bad
    assert [(p.code, dict(p.facts)) for p in second.problems] == [(ProblemCode.REPEATED_ROW, {"first_line": "2"})]


def test_a_bad_row_does_not_take_the_chart_number() -> None:
    _, second = rows_of(CLEAN.replace("測試患者", ""), CLEAN)

    assert second.patient is not None


def test_a_chart_number_is_the_same_in_full_width() -> None:
    _, second = rows_of(CLEAN, CLEAN.replace("057164", "０５７１６４"))

    assert second.is_bad


# ---- the sample of the demo


@pytest.fixture(scope="module")
def sample() -> RosterText:
    return decode_roster(SAMPLE.read_bytes())


def test_the_sample_has_120_people_of_which_three_rows_are_bad(sample: RosterText) -> None:
    rows = list(read_rows(sample, TODAY))

    assert sample.encoding == "cp950"
    assert len(rows) == 120
    assert sum(row.is_bad for row in rows) == 3


def test_the_sample_shows_every_kind_of_dirt(sample: RosterText) -> None:
    assert {problem.code for row in read_rows(sample, TODAY) for problem in row.problems} == {
        ProblemCode.ID_CHECKSUM,
        ProblemCode.DATE_UNREADABLE,
        ProblemCode.ID_MISSING,
        ProblemCode.DUPLICATE_CHART_NUMBER,
        ProblemCode.CLEANED,
        ProblemCode.CHARACTERS_LOST,
        ProblemCode.SEX_UNKNOWN,
        ProblemCode.REQUIRED,
        ProblemCode.WRONG_CELL_COUNT,
    }


def test_the_sample_holds_the_manuals_test_person(sample: RosterText) -> None:
    first = next(read_rows(sample, TODAY)).patient

    assert first is not None
    assert (first.chart_number, first.name, first.national_id) == ("057164", "測試患者", "B222419838")
    assert first.birth_date == date(1985, 11, 8)


# ---- files made to keep the program busy


def test_a_header_of_a_million_columns_is_refused_at_once() -> None:
    with pytest.raises(RosterError) as caught:
        decode_roster((HEADER + ",a" * 1_000_000).encode())
    assert caught.value.fault is RosterFault.TOO_MANY_COLUMNS


@pytest.mark.parametrize(
    "row",
    [
        "x," * 2_000_000,
        '"' * 5_000_000,
        '"x",' * 1_000_000 + "x",
        '"' + "a\n" * 200_000,
        CLEAN.replace("台中市", "a" + " " * 80_000 + "\x01"),
        CLEAN.replace("台中市", "a" + " " * 3_000_000 + "\x01"),
        "\0" * 5_000_000,
        "a" * 5_000_000,
    ],
    ids=["cells", "quotes", "quoted cells", "a quote never closed", "blanks", "more blanks", "NULs", "one word"],
)
@pytest.mark.timeout(30)
def test_a_row_of_megabytes_is_a_bad_row_that_costs_little(row: str) -> None:
    rows = list(read_rows(decode_roster(f"{HEADER}\n{row}\n{CLEAN}\n".encode()), TODAY))

    assert [one.patient.name for one in rows if one.patient] == ["測試患者"]
    assert all(one.is_bad for one in rows if not one.patient)
    assert max(len(one.cells) for one in rows) <= 300, "one object for each comma would fill the device's memory"
