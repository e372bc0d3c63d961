"""E.BAMENU4, BA103_3 and BA103_3_UPLOAD as staff see them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.decisions import draft_merge
from store.device_database import DeviceDatabase
from store.prenatal import ExamResult, ExamType
from store.problems import ProblemCode
from tests.factories import EXAM_ID, PATIENT_ID, make_exam, make_patient
from tests.ui.offline import FailingStorage, NoNetwork
from tests.worlds import Clock, make_world
from ui import wording
from ui.exam_forms import DATE_FIELDS, ExamText, read_exam, text_of_exam
from ui.state import AppState

OTHER_PERSON = "9" * 32


@pytest.fixture
async def state(storage: FailingStorage) -> AppState:
    world = make_world(Clock())
    state = AppState(await DeviceDatabase.open(storage, world), world, NoNetwork())
    await register(state)
    return state


async def register(state: AppState, **fields: Any) -> None:
    patient = make_patient(**fields)
    payload = patient.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, patient.record_id, payload)])


async def record(state: AppState, bases: tuple[str, ...] = (), **fields: Any) -> ExamResult:
    exam = make_exam(**{"exam_date": state.today(), "collection_date": state.today(), **fields})
    payload = exam.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
    kind = ChangeKind.CORRECT_EXAM if bases else ChangeKind.RECORD_EXAM
    await state.commit([ChangeDraft(kind, exam.record_id, payload, bases)])
    return exam


async def fill(user: User, **fields: str) -> None:
    for name, value in fields.items():
        await user.should_see(marker=name)
        next(iter(user.find(marker=name).elements)).set_value(value)


async def new_report(user: User, kind: ExamType = ExamType.HEPATITIS_B) -> None:
    await user.open(f"/BA103_3?patient={PATIENT_ID}")
    user.find(marker="new").click()
    await fill(user, exam_type=str(kind))


def kept(state: AppState) -> list[dict[str, Any]]:
    return [dict(document) for document in state.database.tables.exams.documents()]


def rows(user: User) -> list[dict[str, Any]]:
    table = next(iter(user.find(marker="exams").elements))
    assert isinstance(table, ui.table)
    return table.rows


async def test_the_menus_count_what_waits(user: User, state: AppState) -> None:
    await record(state)
    await user.open("/")
    await user.should_see("待上傳 1")

    await user.open("/BAMENU4")
    await user.should_see("孕婦 B 肝產檢或德國麻疹建檔及修改")
    await user.should_see("共 1 筆")
    await user.should_see("待上傳 1")


async def test_a_person_without_reports_is_told_what_to_do(user: User) -> None:
    await user.open(f"/BA103_3?patient={PATIENT_ID}")

    await user.should_see("還沒有檢驗紀錄。請按「新增」建立第一筆。")


async def test_the_kind_comes_first_and_brings_its_fields(user: User) -> None:
    await user.open(f"/BA103_3?patient={PATIENT_ID}")
    user.find(marker="new").click()
    await user.should_see("請先選擇檢驗種類")
    await user.should_not_see(marker="hbsag")

    await fill(user, exam_type="2")
    await user.should_see(marker="hbsag")
    await user.should_not_see(marker="igg")

    await fill(user, exam_type="1")
    await user.should_see(marker="igg")
    await user.should_not_see(marker="hbsag")


async def test_recording_hepatitis_b_and_then_rubella_of_the_same_day_in_one_tap(user: User, state: AppState) -> None:
    await new_report(user)
    await user.should_see("需分開建 2 筆資料")
    await fill(
        user, exam_date="115/11/20", collection_date="1151118", collection_institution=" １133060019 ",
        due_date="1160520", method="EIA", hbsag="POS", hbeag="NEG", viral_load="1.2E+4 IU/mL",
        viral_load_date="1151118", antiviral="yes", antiviral_since="1151101",
    )  # fmt: skip
    user.find(marker="save").click()
    await user.should_see("已存檔：測試患者 115/11/20 孕婦B肝產檢結果")

    await user.should_see("新增同天（115/11/20）的德國麻疹檢驗結果")
    user.find(marker="same-day-1").click()
    await fill(user, igg="NEG")
    user.find(marker="save").click()
    await user.should_see("檢驗紀錄 2 筆")

    hepatitis_b, rubella = sorted(kept(state), key=lambda document: document["exam_type"], reverse=True)
    assert {name: hepatitis_b[name] for name in ExamText.__dataclass_fields__ if name in hepatitis_b} == {
        "exam_type": "2", "exam_date": "2026-11-20", "collection_date": "2026-11-18", "due_date": "2027-05-20",
        "collection_institution": "1133060019", "method": "EIA", "hbsag": "POS", "hbeag": "NEG",
        "viral_load": "1.2E+4 IU/mL", "viral_load_date": "2026-11-18", "antiviral": True,
        "antiviral_since": "2026-11-01",
    }  # fmt: skip
    assert (rubella["exam_date"], rubella["collection_date"], rubella["due_date"], rubella["is_prenatal"]) == (
        "2026-11-20", "2026-11-18", "2027-05-20", True,
    )  # fmt: skip
    assert (rubella["igg"], "hbsag" in rubella) == ("NEG", False)
    await user.should_not_see(marker="same-day-2")
    await user.should_see(marker="same-day-3")


async def test_what_cdc_would_refuse_is_asked_about_with_its_code_and_never_blocks(user: User, state: AppState) -> None:
    await new_report(user)
    await fill(user, collection_institution="1133060019", method="RIA", hbsag="NEG", hbeag="POS")
    await user.should_see("HBeAg：HBsAg 陰性而 HBeAg 陽性，請核對報告（疾管署代碼 E00049）")
    user.find(marker="save").click()
    await user.should_see(marker="save-anyway")
    assert kept(state) == []

    user.find(marker="save-anyway").click()
    await user.should_see("已存檔")
    assert len(kept(state)) == 1


async def test_without_a_kind_it_says_so_and_saves_nothing(user: User, state: AppState) -> None:
    await user.open(f"/BA103_3?patient={PATIENT_ID}")
    user.find(marker="new").click()
    user.find(marker="save").click()

    await user.should_see("檢驗種類：必須填寫")
    assert kept(state) == []


@pytest.mark.parametrize("name", sorted(DATE_FIELDS))
async def test_a_day_nobody_can_read_stays_in_its_field_and_says_why(user: User, state: AppState, name: str) -> None:
    await new_report(user)
    await fill(user, **{name: '1150230"'})
    user.find(marker="save").click()

    await user.should_see("看不懂這個日期")
    assert kept(state) == []
    field = next(iter(user.find(marker=name).elements))
    assert field.value == '1150230"'
    assert "看不懂這個日期" in field.props["error-message"]


async def test_a_full_disk_keeps_the_form_as_it_was(user: User, state: AppState, storage: FailingStorage) -> None:
    await new_report(user)
    await fill(user, collection_institution="1133060019", method="RIA", hbsag="NEG", hbeag="NEG")
    storage.full = True
    user.find(marker="save").click()

    await user.should_see("尚未存檔")
    assert next(iter(user.find(marker="hbsag").elements)).value == "NEG"


async def test_a_correction_keeps_the_key_and_clears_what_was_cleared(user: User, state: AppState) -> None:
    await record(state, viral_load="20")
    await user.open(f"/BA103_3?record={EXAM_ID}")
    await fill(user, hbsag="POS", viral_load="")
    user.find(marker="save").click()
    await user.should_see("已存檔")

    [document] = kept(state)
    assert (document["record_id"], document["hbsag"], "viral_load" in document) == (EXAM_ID, "POS", False)
    assert len(document["revisions"]) == 2
    await user.should_not_see(marker="same-day-1")


async def test_saving_without_a_change_makes_no_revision(user: User, state: AppState) -> None:
    await record(state)
    await user.open(f"/BA103_3?record={EXAM_ID}")
    user.find(marker="save").click()

    await user.should_see("沒有變更")
    assert len(kept(state)[0]["revisions"]) == 1


async def test_voiding_asks_for_the_reason_and_keeps_the_report(user: User, state: AppState) -> None:
    await record(state)
    await user.open(f"/BA103_3?record={EXAM_ID}")
    user.find(marker="void").click()
    await fill(user, **{"void-reason": "打錯人"})
    user.find(marker="void-confirm").click()
    await user.should_see("檢驗紀錄 1 筆")

    assert rows(user)[0]["state"] == "已作廢，不需上傳"
    [document] = kept(state)
    assert (document["void_reason"], document["hbsag"]) == ("打錯人", "NEG")


async def test_versions_of_two_stations_are_shown_and_saving_settles_them(user: User, state: AppState) -> None:
    await record(state)
    base = kept(state)[0]["revision"]
    for result in ("POS", "IND"):
        await record(state, (base,), hbsag=result)
    await user.open("/conflicts")
    await user.should_see("產檢檢驗紀錄")
    await user.should_see("不確定 (±)")

    await user.open(f"/BA103_3?record={EXAM_ID}")
    await user.should_see("另一站同時改成：115/11/20 孕婦B肝產檢結果 HBsAg (+)")
    user.find(marker="save").click()
    await user.should_see(marker="save-anyway")
    user.find(marker="save-anyway").click()
    await user.should_see("已存檔")
    assert kept(state)[0]["conflict"] == []


async def test_a_merged_persons_reports_are_among_the_survivors(user: User, state: AppState) -> None:
    await register(state, record_id=OTHER_PERSON, chart_number="057165")
    await record(state, patient_id=OTHER_PERSON)
    await state.commit([draft_merge(OTHER_PERSON, PATIENT_ID)])
    await user.open(f"/BA103_3?patient={PATIENT_ID}")
    await user.should_see("檢驗紀錄 1 筆")

    await user.open(f"/BA103_3?record={EXAM_ID}")
    await fill(user, hbsag="POS")
    user.find(marker="save").click()
    await user.should_see("已存檔")
    assert kept(state)[0]["patient_id"] == OTHER_PERSON


async def test_the_upload_list_tells_what_cdc_would_refuse_and_that_the_hub_is_away(
    user: User, state: AppState
) -> None:
    await record(state, method=None, hbsag="IND")
    await record(state, record_id="6" * 32, exam_type=ExamType.RUBELLA, igg="POS")
    await user.open("/BA103_3_UPLOAD")

    await user.should_see("產檢列表 2 筆")
    await user.should_see("上傳方式 1.VPN")
    assert {(row["exam_type"], row["problems"]) for row in rows(user)} == {
        ("孕婦B肝產檢結果", "E00048 無RIA及EIA檢驗結果　等 2 項"),
        ("德國麻疹檢驗結果", "無異常"),
    }
    user.find(marker="upload").click()
    await user.should_see("連不上主機，檢驗結果都保存在這台裝置", retries=50)


async def test_nothing_to_upload_says_where_records_come_from(user: User) -> None:
    await user.open("/BA103_3_UPLOAD")

    await user.should_see("沒有待上傳的檢驗結果")


async def test_a_range_of_days_is_loaded_with_確定_voided_reports_too(user: User, state: AppState) -> None:
    await record(state, exam_date=state.today() - timedelta(days=40))
    await record(state, record_id="6" * 32, exam_type=ExamType.MEASLES)
    base = state.database.tables.exams.at("6" * 32)["revision"]
    await state.commit([ChangeDraft(ChangeKind.VOID_EXAM, "6" * 32, {"reason": "打錯人"}, (base,))])
    await record(state, record_id="7" * 32, exam_type=ExamType.RUBELLA, exam_date=state.today() - timedelta(days=1))
    await record(state, record_id="8" * 32, exam_date=state.today() - timedelta(days=50))
    await user.open("/BA103_3_UPLOAD")
    await user.should_see("產檢列表 3 筆")
    await fill(user, **{"search-by": "range", "range-from": "1151101", "range-to": "1151130"})
    user.find(marker="load").click()

    await user.should_see("產檢列表 2 筆")
    listed = [(row["exam_type"], row["state"]) for row in rows(user)]
    assert listed == [("德國麻疹檢驗結果", "待上傳"), ("麻疹檢驗結果", "已作廢，不需上傳")]


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [("1151130", "1151101", "起日晚於迄日"), ("1140101", "1151130", "區間最長"), ("x", "1151130", "看不懂這個日期")],
)
async def test_a_range_that_is_none_says_why(user: User, first: str, last: str, told: str) -> None:
    await user.open("/BA103_3_UPLOAD")
    await fill(user, **{"search-by": "range", "range-from": first, "range-to": last})
    user.find(marker="load").click()

    fields = [next(iter(user.find(marker=mark).elements)) for mark in ("range-from", "range-to")]
    assert any(told in str(field.props.get("error-message", "")) for field in fields)


@given(st.builds(ExamText, exam_type=st.sampled_from(["", "1", "2", "3"]), exam_date=st.text(), due_date=st.text(),
                 collection_date=st.text(), collection_institution=st.text(), viral_load=st.text(),
                 viral_load_date=st.text(), antiviral_since=st.text()))  # fmt: skip
def test_whatever_is_typed_is_read_or_told(text: ExamText) -> None:
    draft, problems = read_exam(text, PATIENT_ID)

    for problem in problems:
        assert problem.code is ProblemCode.DATE_UNREADABLE
        assert wording.problem(problem)
    again, none = read_exam(text_of_exam(draft.model_dump(mode="json")), PATIENT_ID)
    assert (again, none) == (draft, [])
