import csv
import io
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store.ids import IdType
from store.patients import Patient
from store.problems import Problem, ProblemCode
from store.roster import RosterRow, decode_roster, read_rows
from store.roster_plan import Changed, New, Refused, Unchanged, bad_rows_csv, plan_import
from tests.factories import PATIENT_ID, TODAY, make_patient

HEADER = "病歷號碼,姓名,性別,身份證號碼,出生日期,電話,四角號碼,地址,同胎次序,胎次,胎別,父母身分證"
CLEAN = "057164,測試患者,2,B222419838,0741108,0912345678,3614,台中市南區復興路1號,1,1,1,"


def rows_of(*rows: str, header: str = HEADER) -> list[RosterRow]:
    return list(read_rows(decode_roster("\r\n".join((header, *rows)).encode()), TODAY))


def row_of(text: str = CLEAN) -> RosterRow:
    (row,) = rows_of(text)
    return row


def plan(text: str, current: Patient | None) -> New | Unchanged | Changed | Refused:
    return plan_import(row_of(text), {current.chart_number: current}.get if current else lambda chart: None)


def sentence(problem: Problem) -> str:
    return f"[{problem.field}:{problem.code}]"


# ---- what a row does


def test_an_unknown_chart_number_is_a_new_person() -> None:
    row = row_of()

    assert plan_import(row, lambda chart: None) == New(row.patient)  # type: ignore[arg-type]


def test_what_the_store_has_already_changes_nothing() -> None:
    assert plan(CLEAN, make_patient()) == Unchanged()


def test_a_new_phone_changes_the_phone_alone() -> None:
    current = make_patient()

    assert plan(CLEAN.replace("0912345678", "0987654321"), current) == Changed(
        current.model_copy(update={"phone": "0987654321"}), ("phone",)
    )


def test_an_empty_cell_never_erases_what_the_store_knows() -> None:
    assert plan("057164,測試患者,,B222419838,,,,,,,,", make_patient()) == Unchanged()


def test_a_date_the_nurse_mended_stays_mended() -> None:
    assert plan(CLEAN.replace("0741108", "1130230"), make_patient()) == Unchanged()


def test_an_id_the_nurse_mended_stays_mended() -> None:
    assert plan(CLEAN.replace("B222419838", "B222419839"), make_patient()) == Unchanged()


def test_a_name_the_nurse_mended_stays_mended() -> None:
    assert plan(CLEAN.replace("測試患者", "測?患者"), make_patient(name="測𤧟患者")) == Unchanged()


def test_a_doubtful_cell_fills_what_the_store_lacks() -> None:
    found = plan(CLEAN.replace("B222419838", "B222419839"), make_patient(national_id=None, id_type=None))

    assert isinstance(found, Changed)
    assert (found.patient.national_id, found.patient.id_type) == ("B222419839", IdType.NATIONAL)


def test_a_right_date_takes_the_place_of_the_unreadable_one() -> None:
    current = make_patient(birth_date=None, as_written={"birth_date": "1130230"})

    found = plan(CLEAN, current)

    assert isinstance(found, Changed)
    assert found.patient == make_patient()
    assert found.fields == ("birth_date", "as_written")


def test_an_unreadable_text_the_store_lacks_is_kept_beside_its_empty_field() -> None:
    found = plan(CLEAN.replace("0741108", "1130230"), make_patient(birth_date=None))

    assert isinstance(found, Changed)
    assert found.patient.as_written == {"birth_date": "1130230"}


def test_the_staffs_choice_of_id_type_stays() -> None:
    current = make_patient(national_id="M8819203", id_type=IdType.PASSPORT)

    assert plan(CLEAN.replace("B222419838", "M8819203"), current) == Unchanged()


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (CLEAN.replace("測試患者", "新名字"), ("name",)),
        (CLEAN.replace("B222419838", "A123456789"), ("national_id",)),
        (CLEAN.replace("0741108", "0741109"), ("birth_date",)),
        (CLEAN.replace("測試患者", "新名字").replace("0741108", "0741109"), ("name", "birth_date")),
    ],
)
def test_one_agreeing_fact_makes_it_the_same_person(text: str, fields: tuple[str, ...]) -> None:
    found = plan(text, make_patient())

    assert isinstance(found, Changed)
    assert found.fields == fields


@pytest.mark.parametrize(
    "text", ["057164,別人,1,A123456789,0600101,,,,,,,", "057164,別人,,,,,,,,,,", "057164,別人,,,0600101,,,,,,,"]
)
def test_a_chart_number_never_passes_to_another_person(text: str) -> None:
    found = plan(text, make_patient())

    assert isinstance(found, Refused)
    assert found.row.is_bad
    assert found.row.patient is None
    assert found.row.problems[-1] == Problem(
        "chart_number", ProblemCode.CHART_NUMBER_OF_OTHER_PERSON, {"record_id": PATIENT_ID}
    )


def test_a_bad_row_is_refused_as_it_is() -> None:
    row = row_of("057164")

    assert plan_import(row, lambda chart: None) == Refused(row)


def test_the_repetition_of_a_row_does_nothing() -> None:
    _, again = rows_of(CLEAN, CLEAN)

    assert plan_import(again, lambda chart: None) == Unchanged()


CELLS = st.one_of(
    st.sampled_from(["", "1", "2", "女", "王", "陳?", "A123456789", "a123456780", "1130230", "110/5/27", "０９１２"]),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters='\r\n,"'), max_size=8),
)
ROW = st.lists(CELLS, min_size=12, max_size=12).map(",".join)


def import_into(people: dict[str, Patient], lines: list[str]) -> tuple[int, int]:
    """Do what the plans say, as the app does; how many people it made or changed, and how many rows it refused."""
    written = refused = 0
    for row in rows_of(*lines):
        match plan_import(row, people.get):
            case New(draft):
                people[draft.chart_number] = draft.to_patient(f"{len(people):032x}")
                written += 1
            case Changed(patient):
                people[patient.chart_number] = patient
                written += 1
            case Refused():
                refused += 1
    return written, refused


@given(st.lists(ROW, max_size=8))
def test_importing_a_file_twice_changes_nothing_the_second_time(lines: list[str]) -> None:
    people: dict[str, Patient] = {}
    _, refused_first = import_into(people, lines)
    before = dict(people)

    assert import_into(people, lines) == (0, refused_first)
    assert people == before


@given(st.lists(ROW, max_size=6), st.lists(ROW, max_size=6))
def test_importing_another_file_between_settles_too(lines: list[str], others: list[str]) -> None:
    people: dict[str, Patient] = {}
    import_into(people, lines)
    import_into(people, others)

    written, _ = import_into(people, others)

    assert written == 0


@given(ROW, ROW)
def test_an_import_never_empties_a_field(first: str, second: str) -> None:
    people: dict[str, Patient] = {}
    import_into(people, [first])
    before = dict(people)

    import_into(people, [second])

    for chart_number, patient in before.items():
        known = {field: value for field, value in patient if field != "as_written" and value not in (None, "")}
        assert [field for field in known if getattr(people[chart_number], field) in (None, "")] == []


# ---- the list of bad rows


def table_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_bad_rows_are_listed_with_their_cells_their_line_and_the_reason() -> None:
    rows = rows_of(CLEAN, CLEAN.replace("測試患者", ""))

    data = bad_rows_csv([row for row in rows if row.is_bad], sentence)

    assert data.startswith(b"\xef\xbb\xbf")
    assert table_of(data) == [
        [*HEADER.split(","), "行號", "問題"],
        [*CLEAN.replace("測試患者", "").split(","), "3", "[name:required]"],
    ]


def test_cells_beyond_the_header_are_listed_too() -> None:
    data = bad_rows_csv([row_of(CLEAN + ",surplus"), row_of("x")], sentence)

    header, first, second = table_of(data)
    assert first[header.index("#13")] == "surplus"
    assert second[0] == "x"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_runs_as_a_formula(start: str) -> None:
    row = row_of()._replace(cells={"病歷號碼": "", "姓名": f"{start}HYPERLINK(1)"})

    assert table_of(bad_rows_csv([row], lambda problem: "=1"))[1][1] == f"'{start}HYPERLINK(1)"


def test_the_sentences_do_not_run_as_a_formula_either() -> None:
    data = bad_rows_csv([row_of("x")], lambda problem: "=1+1")

    assert table_of(data)[1][-1] == "'=1+1"


@example("\t")
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp")), max_size=12))
def test_a_mended_bad_row_imports_with_its_other_cells_unharmed(address: str) -> None:
    row = row_of()._replace(cells=dict(zip(HEADER.split(","), CLEAN.split(","), strict=True)) | {"地址": address})

    (again,) = read_rows(decode_roster(bad_rows_csv([row], sentence)), TODAY)

    assert again.patient is not None
    assert again.patient.address.strip() == address.strip()
    assert again.patient.birth_date == date(1985, 11, 8)


def test_a_row_still_bad_after_mending_is_listed_without_doubled_columns() -> None:
    first = bad_rows_csv([row_of("x")], sentence)
    (again,) = read_rows(decode_roster(first), TODAY)

    assert table_of(bad_rows_csv([again], sentence))[0].count("行號") == 1
