"""A newer code table: read whole or refused with all its faults, compared, in force by its date."""

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import codes
from store.apply import reason_unreadable
from store.changes import ChangeDraft, ChangeKind
from store.clinic_settings import draft_setting, make_setting
from store.code_table_file import (
    MAX_TABLE_BYTES,
    CodeTable,
    CodeTableName,
    TableFault,
    built_in_table,
    read_code_table,
)
from store.code_tables import CodeTableSetting, compare_tables, follow_code_tables, table_in_force
from store.codes import rows_of, vaccine_by_code
from store.special_identities import find_identity
from store.tables import Tables
from tests.store.settling import Writer, apply_all

TODAY = date(2027, 3, 1)
VACCINES, IDENTITIES = CodeTableName.VACCINES, CodeTableName.IDENTITIES
HEAD = "# source: 衛生局公文\n# date: 2027-01-02\ncode,name,english_name,dose_labels,in_use,routine,live,routes\n"
ROW = "New_2027,新疫苗,New vaccine,1 2,yes,no,no,IM\n"
IDENTITY_HEAD = (
    "# source: 公文\n# date: 2027-01-02\nscheme,code,name,age_counted,from_days,from_years,to_years,note\n"
)


@pytest.fixture(autouse=True)
def built_in_tables() -> Iterator[None]:
    yield
    follow_code_tables(Tables())


def newer(name: CodeTableName, added: str = "", day: str = "2027-01-02") -> str:
    """The built-in table with another date and a line more."""
    text = codes.built_in_text(name)
    return text.replace("# date: 2026-11-25", f"# date: {day}") + added


def read(text: str, name: CodeTableName = VACCINES) -> CodeTable:
    table, faults = read_code_table(name, text.encode(), TODAY)
    assert faults == []
    assert table is not None
    return table


def faults_of(data: bytes | str, name: CodeTableName = VACCINES) -> list[tuple[TableFault, int, str]]:
    table, faults = read_code_table(name, data.encode() if isinstance(data, str) else data, TODAY)
    assert (table is None) == bool(faults)
    return [(found.fault, found.line, found.column) for found in faults]


def loaded(*texts: str, name: CodeTableName = VACCINES) -> Tables:
    tables, writer = Tables(), Writer()
    for text in texts:
        setting = make_setting(CodeTableSetting, name, table_name=name, table_text=text)
        before = tables.settings.find(setting.record_id)
        apply_all([writer.change(draft_setting(setting, before))], tables)
    follow_code_tables(tables)
    return tables


@pytest.mark.parametrize("name", CodeTableName)
def test_the_built_in_table_can_be_read_and_written_without_a_change(name: CodeTableName) -> None:
    table = built_in_table(name)

    assert list(table.rows) == rows_of(codes.built_in_text(name)) == rows_of(table.text)
    assert table.dated == date(2026, 11, 25)
    assert len(table.sources) > 2


def test_a_newer_table_is_in_force_everywhere_at_once() -> None:
    assert vaccine_by_code("New_2027") is None

    tables = loaded(read(newer(VACCINES, ROW)).text)

    found = vaccine_by_code("New_2027")
    assert found is not None
    assert (found.name, found.dose_labels) == ("新疫苗", ("1", "2"))
    assert codes.vaccines()[-1] == found
    assert table_in_force(tables, VACCINES).dated == date(2027, 1, 2)
    assert vaccine_by_code("MMR") is not None


def test_a_newer_table_of_identities_is_in_force() -> None:
    loaded(read(newer(IDENTITIES, "flu,F99,新身分,,,,,\n"), IDENTITIES).text, name=IDENTITIES)

    found = find_identity("F99")
    assert found is not None
    assert found.name == "新身分"


def test_the_built_in_table_comes_back_when_it_is_asked_for() -> None:
    loaded(read(newer(VACCINES, ROW)).text, "")

    assert vaccine_by_code("New_2027") is None


def test_a_table_that_a_newer_programs_own_has_overtaken_is_not_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    text = read(newer(VACCINES, ROW)).text
    built_in, overtaking = codes.built_in_text, newer(VACCINES)
    monkeypatch.setattr(codes, "built_in_text", lambda name: overtaking if name == VACCINES else built_in(name))
    built_in_table.cache_clear()
    try:
        loaded(text)
        assert vaccine_by_code("New_2027") is None
    finally:
        monkeypatch.undo()
        built_in_table.cache_clear()


def test_what_is_no_table_is_kept_as_unreadable() -> None:
    payload = {"table_name": VACCINES.value, "table_text": "code\nMMR\n"}
    draft = ChangeDraft(ChangeKind.SET_CODE_TABLE, CodeTableSetting.id_of(VACCINES), payload)

    assert reason_unreadable(Writer().change(draft))


def test_a_table_is_compared_with_the_one_in_force() -> None:
    old = built_in_table(VACCINES)
    text = newer(VACCINES, ROW).replace("BCG,卡介苗,", "BCG,卡介苗（新）,")
    text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("HBIG,"))

    difference = compare_tables(old, read(text))

    assert [row["code"] for row in difference.new] == ["New_2027"]
    assert [(was["name"], now["name"]) for was, now in difference.changed] == [("卡介苗", "卡介苗（新）")]
    assert [row["code"] for row in difference.missing] == ["HBIG"]


def test_what_a_spreadsheet_makes_of_the_file_is_the_same_table() -> None:
    plain = read(HEAD + ROW)
    as_saved = HEAD.replace("# date: 2027-01-02", "# date: 116/1/2,,,,,,,").replace(
        "# source: 衛生局公文", '"# source: 衛生局公文",,,,,,,'
    )
    as_saved = (as_saved + ROW + ",,,,,,,\n").replace("\n", "\r\n")

    for data in (as_saved.encode("utf-8-sig"), as_saved.encode("cp950"), as_saved.encode("utf-16")):
        table, faults = read_code_table(VACCINES, data, TODAY)
        assert faults == []
        assert table == plain


def test_columns_may_stand_in_another_order() -> None:
    text = "# source: x\n# date: 2027-01-02\nname,code,english_name,dose_labels,in_use,routine,live,routes\n"

    assert read(text + "新疫苗,New_2027,New vaccine,1 2,yes,no,no,IM\n").rows == read(HEAD + ROW).rows


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"x" * (MAX_TABLE_BYTES + 1), [(TableFault.TOO_LARGE, 0, "")]),
        (b" \r\n", [(TableFault.EMPTY, 0, "")]),
        (b"PK\x03\x04rest", [(TableFault.SPREADSHEET, 0, "")]),
        (b"\x81\xff\xfe\x00", [(TableFault.NOT_TEXT, 0, "")]),
        ("code,name\n".encode("utf-16") + b"x", [(TableFault.NOT_TEXT, 0, "")]),
        (HEAD + 'A,"never closed', [(TableFault.NOT_CSV, 4, "")]),
        (HEAD, [(TableFault.NO_ROWS, 0, "")]),
        (
            "# date: soon\ncode,name\nA,B\n",
            [
                (TableFault.NO_SOURCE, 0, ""),
                (TableFault.DATE_UNREADABLE, 0, ""),
                *((TableFault.COLUMN_MISSING, 2, each) for each in HEAD.splitlines()[2].split(",")[2:]),
            ],
        ),
        (HEAD.replace("# date: 2027-01-02\n", "") + ROW, [(TableFault.NO_DATE, 0, "")]),
        (HEAD.replace("2027-01-02", "0001-01-02") + ROW, [(TableFault.DATE_UNREADABLE, 0, "")]),
        (HEAD.replace("2027-01-02", "2027-03-02") + ROW, [(TableFault.DATE_IN_FUTURE, 0, "")]),
        (HEAD.replace("2027-01-02", "2026-11-25") + ROW, [(TableFault.DATE_NOT_NEWER, 0, "")]),
        (
            HEAD.replace("routes", "routes,name,colour") + "A,B,C,1,yes,no,no,IM,D,red\n",
            [(TableFault.COLUMN_UNKNOWN, 3, ""), (TableFault.COLUMN_REPEATED, 3, "name")],
        ),
        (HEAD + "A,B,C,1,yes,no,no\n", [(TableFault.CELL_COUNT, 4, "")]),
        (
            HEAD + ROW + ROW + ",,C,,maybe,no,undead,XX\n",
            [
                (TableFault.REQUIRED, 6, "code"),
                (TableFault.REQUIRED, 6, "name"),
                (TableFault.REQUIRED, 6, "dose_labels"),
                (TableFault.NOT_ONE_OF, 6, "in_use"),
                (TableFault.NOT_ONE_OF, 6, "live"),
                (TableFault.NOT_ONE_OF, 6, "routes"),
                (TableFault.CODE_REPEATED, 5, "code"),
            ],
        ),
        (
            HEAD + "A B,=1+1,C,1,yes,no,no,IM\n",
            [(TableFault.SIGN_NOT_ALLOWED, 4, "name"), (TableFault.BLANK_IN_CODE, 4, "code")],
        ),
        (HEAD + 'A,"two\nlines",C,1,yes,no,no,IM\n', [(TableFault.SIGN_NOT_ALLOWED, 5, "name")]),
        (HEAD + "A,\u202eB,C,1,yes,no,no,IM\n", [(TableFault.SIGN_NOT_ALLOWED, 4, "name")]),
        (HEAD + f"A,{'長' * 301},C,1,yes,no,no,IM\n", [(TableFault.TOO_LONG, 4, "name")]),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused_with_all_its_faults(
    data: bytes | str, expected: list[tuple[TableFault, int, str]]
) -> None:
    assert faults_of(data) == expected


def test_identities_are_checked_by_their_own_columns() -> None:
    assert faults_of(IDENTITY_HEAD + "moon,X1,名稱,weeks,１,-1,x,\n", IDENTITIES) == [
        (TableFault.SIGN_NOT_ALLOWED, 4, "from_years"),
        (TableFault.NOT_ONE_OF, 4, "scheme"),
        (TableFault.NOT_ONE_OF, 4, "age_counted"),
        (TableFault.NOT_A_NUMBER, 4, "from_days"),
        (TableFault.NOT_A_NUMBER, 4, "from_years"),
        (TableFault.NOT_A_NUMBER, 4, "to_years"),
    ]


def test_html_in_a_name_is_a_name() -> None:
    assert read(HEAD + "A,<img src=x onerror=alert(1)>,C,1,yes,no,no,IM\n").rows[0]["name"].startswith("<img")


@given(st.text())
def test_any_text_is_a_table_or_has_faults(text: str) -> None:
    faults_of(text.encode("utf-8", "surrogatepass"))
    faults_of((HEAD + text).encode("utf-8", "surrogatepass"))


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=8), min_size=8, max_size=8))
def test_what_is_kept_reads_back_as_it_was_read(cells: list[str]) -> None:
    quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    table, _ = read_code_table(VACCINES, (HEAD + ROW + quoted + "\n").encode(), TODAY)

    assert table is None or rows_of(table.text) == list(table.rows)
