"""中斷作業 as staff see it without a network: choosing, exporting, what came of it, letting go; and the paper form."""

import asyncio
import hashlib
from datetime import date
from typing import Any

from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.clinic_settings import Clinic, draft_setting, make_setting
from store.sessions import plan_session
from store.uploads import UploadState
from tests.factories import make_patient, make_vaccination
from tests.ui.keys import press
from tests.ui.waiting import WAITED, see, until
from ui.state import AppState

CODE = "1133060019"


def element(user: User, marker: str) -> Any:
    return next(iter(user.find(marker=marker).elements))


def rows(user: User, marker: str) -> list[dict[str, Any]]:
    table = element(user, marker)
    assert isinstance(table, ui.table)
    return table.rows


def keys(user: User, key: str) -> None:
    """To the page; a part of it may listen too."""
    for keyboard in list(user.find(ui.keyboard).elements):
        press(keyboard, key)


async def name_the_clinic(state: AppState) -> None:
    clinic = make_setting(Clinic, institution_code=CODE, clinic_name="測試診所")
    await state.commit([draft_setting(clinic, None)])


async def register(state: AppState, number: int, **fields: Any) -> str:
    person = make_patient(record_id=f"{number:031x}a", chart_number=f"{number:06d}", **fields)
    payload = person.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, person.record_id, payload)])
    return person.record_id


async def give(state: AppState, number: int = 1, **fields: Any) -> str:
    dose = make_vaccination(record_id=f"{number:032x}", **{"vaccination_date": state.today(), **fields})
    payload = dose.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, dose.record_id, payload)])
    return dose.record_id


async def export(user: User) -> bytes:
    user.find(marker="export").click()
    await see(user, "匯出這")
    user.find(marker="confirm").click()
    return (await user.download.next(timeout=3)).content


def state_of(state: AppState, record_id: str) -> UploadState:
    return UploadState(state.database.tables.vaccinations.at(record_id)["upload_state"])


async def test_a_file_is_exported_downloaded_and_kept_as_it_was(user: User, state: AppState) -> None:
    await name_the_clinic(state)
    await give(state)
    await user.open("/outage")
    await see(user, "可匯出 1 筆，已勾選 1 筆")

    data = await export(user)

    assert data.decode("cp950").splitlines()[1].startswith("B222419838,測試患者,F,741108,1,")
    [listed] = rows(user, "exports")
    assert (listed["count"], listed["sha256"]) == (1, hashlib.sha256(data).hexdigest())
    assert listed["number"].endswith("-001")
    assert state_of(state, f"{1:032x}") is UploadState.EXPORTED
    await see(user, "沒有可以匯出的資料")
    await user.open("/BA102_3_UPLOAD")
    await see(user, "已匯出檔案 1 筆")


async def test_it_is_downloaded_again_with_the_same_bytes_and_not_once_it_is_damaged(
    user: User, state: AppState
) -> None:
    await name_the_clinic(state)
    await give(state)
    await user.open("/outage")
    data = await export(user)
    await until(lambda: len(rows(user, "exports")) == 1)
    export_id = rows(user, "exports")[0]["record_id"]

    user.find(marker="exports").trigger("rowClick", args=[None, {"record_id": export_id}, 0])
    await see(user, hashlib.sha256(data).hexdigest())
    user.find(marker="export-again").click()
    assert (await user.download.next(timeout=3)).content == data

    files = state.database.tables.export_files
    files.put(export_id, {**files.at(export_id), "text": "x"})
    user.find(marker="export-again").click()
    await see(user, "SHA-256 不符")


async def test_only_what_is_ticked_is_exported(user: User, state: AppState) -> None:
    await name_the_clinic(state)
    first, second = await give(state, 1), await give(state, 2, vaccine_code="Var", lot_number="V-CDC")
    await user.open("/outage")
    await see(user, "可匯出 2 筆，已勾選 2 筆")

    user.find(marker="to-export").trigger("rowClick", args=[None, {"record_id": first}, 0])
    await see(user, "可匯出 2 筆，已勾選 1 筆")
    await export(user)

    assert (state_of(state, first), state_of(state, second)) == (UploadState.NOT_SENT, UploadState.EXPORTED)
    await see(user, "可匯出 1 筆，已勾選 1 筆")


async def test_what_the_file_cannot_carry_is_told_at_its_row(user: User, state: AppState) -> None:
    await name_the_clinic(state)
    no_id = await register(state, 1, national_id=None, id_type=None)
    rare = await register(state, 2, name="陳𠮷", national_id="A123456789")
    await give(state, 1, patient_id=no_id)
    await give(state, 2, patient_id=rare)
    await user.open("/outage")

    await see(user, "不能匯出 1 筆")
    assert [row["told"] for row in rows(user, "left-out")] == ["沒有身分證，也沒有父母身分證"]
    assert [row["told"] for row in rows(user, "to-export")] == [
        "姓名有匯入檔 (Big5) 沒有的字「𠮷」，檔案裡會是「？」"
    ]
    assert ",".join(["A123456789", "陳？"]) in (await export(user)).decode("cp950")


async def test_what_changed_since_it_was_listed_is_listed_again_and_not_exported(user: User, state: AppState) -> None:
    await name_the_clinic(state)
    record_id = await give(state)
    await user.open("/outage")
    await see(user, "已勾選 1 筆")
    dose = make_vaccination(vaccination_date=state.today(), lot_number="OTHER-CDC")
    payload = dose.model_dump(mode="json", exclude={"record_id"})
    revision = state.database.tables.vaccinations.at(record_id)["revision"]
    await state.commit([ChangeDraft(ChangeKind.CORRECT_VACCINATION, record_id, payload, (revision,))])

    user.find(marker="export").click()
    await see(user, "匯出這")
    user.find(marker="confirm").click()

    await see(user, "列出之後有 1 筆已經變動")
    assert len(state.database.tables.exports) == 0
    assert [row["lot_number"] for row in rows(user, "to-export")] == ["OTHER-CDC"]


async def test_without_the_clinics_code_nothing_is_exported_and_the_way_to_it_is_shown(
    user: User, state: AppState
) -> None:
    await give(state)
    await user.open("/outage")

    await see(user, "請先到「設定」填寫")
    keys(user, "F9")
    await asyncio.sleep(0)
    assert len(state.database.tables.exports) == 0
    await name_the_clinic(state)
    state.touch()
    await user.should_not_see(marker="no-code", retries=WAITED)


async def test_an_export_goes_by_the_interface_once_staff_say_so(user: User, state: AppState) -> None:
    await name_the_clinic(state)
    record_id = await give(state)
    await user.open("/outage")
    await export(user)
    await until(lambda: len(rows(user, "exports")) == 1)

    export_id = rows(user, "exports")[0]["record_id"]
    user.find(marker="exports").trigger("rowClick", args=[None, {"record_id": export_id}, 0])
    await see(user, "改由系統上傳")
    user.find(marker="release-export").click()
    await see(user, "再上傳會變成重複的接種紀錄")
    user.find(marker="confirm").click()

    await see(user, "1 筆已改由系統上傳")
    assert state_of(state, record_id) is UploadState.NOT_SENT
    await until(lambda: rows(user, "exports")[0]["released"] == 1)


async def test_a_void_after_the_export_is_told_and_settled_on_the_record(user: User, state: AppState) -> None:
    await name_the_clinic(state)
    record_id = await give(state)
    await user.open("/outage")
    await export(user)
    revision = state.database.tables.vaccinations.at(record_id)["revision"]
    await state.commit([ChangeDraft(ChangeKind.VOID_VACCINATION, record_id, {"reason": "打錯人"}, (revision,))])
    state.touch()

    await see(user, "匯出後又有變動 1 筆")
    [row] = rows(user, "changed-since")
    assert row["told"] == "匯出後已作廢，檔案裡還有這筆：已匯入時，請到 NIIS 刪除。"
    await user.open(f"/BA102_3?record={record_id}")
    await see(user, "匯出後已作廢，檔案裡還有這筆")
    user.find(marker="release-dose").click()
    await see(user, "這筆已作廢，不會上傳")
    user.find(marker="confirm").click()
    await see(user, "已記錄處理完成")
    assert state_of(state, record_id) is UploadState.NOT_NEEDED


async def test_the_menu_counts_what_left_in_files_and_opens_by_key(user: User, state: AppState) -> None:
    await name_the_clinic(state)
    await give(state)
    await user.open("/outage")
    await export(user)

    await user.open("/")
    await see(user, "已匯出 1")
    keys(user, "Shift+F9")
    await see(user, "匯出紀錄")


def lines(user: User) -> int:
    return len(user.find(marker="paper-line").elements)


# ---- the paper form, and entering what was written on it


async def test_a_session_of_the_day_fills_the_sheet_and_leaves_lines_for_others(user: User, state: AppState) -> None:
    await name_the_clinic(state)
    people = [await register(state, number, name=f"學生{number}") for number in (1, 2)]
    draft = plan_session("國小A", date(2026, 12, 1), people, None)
    assert draft is not None
    await state.commit([draft])
    await user.open("/outage/paper")
    await see(user, "紙本接種紀錄表")

    element(user, "paper-day").set_value("1151201")
    session = element(user, "paper-session")
    session.set_value(draft.record_id)

    await see(user, "學生2")
    await see(user, "場次　國小A")
    await see(user, "接種日期　115/12/01")
    await see(user, "測試診所 1133060019")
    assert "B222419838" not in str([label.text for label in user.find(ui.label).elements])
    element(user, "paper-lines").set_value("3")
    await until(lambda: lines(user) == 5)


async def test_a_number_of_lines_that_cannot_be_is_told_and_the_sheet_stays(user: User, state: AppState) -> None:
    await user.open("/outage/paper")

    element(user, "paper-lines").set_value("二十")

    await until(lambda: element(user, "paper-lines").error == "請填 1 到 200 的整數。")
    assert lines(user) == 20


async def test_twenty_rows_of_a_sheet_are_entered_with_search_enter_and_f9_each(user: User, state: AppState) -> None:
    people = [await register(state, number, name=f"學生{number}") for number in range(1, 21)]
    await user.open("/BA102_3")
    for number in range(1, 21):
        user.find(marker="patient-search").type(f"{number:06d}").trigger("keydown.enter")
        await see(user, f"病歷號碼 {number:06d}")
        if number == 1:  # of the first the header is typed
            for name, value in {"vaccine_code": "MMR", "vaccination_date": "1151120"}.items():
                element(user, name).set_value(value)
        keys(user, "F9")
        await user.should_see(marker="saved-lately", retries=WAITED)

    doses = state.database.tables.vaccinations.find_by("vaccination_date", "2026-11-20")
    assert sorted(dose["patient_id"] for dose in doses) == people
    assert {dose["lot_number"] for dose in doses} == {"AMJRE075AA-CDC"}


async def test_the_reason_of_what_is_entered_afterwards_is_chosen_already(user: User, state: AppState) -> None:
    await give(state, 1, vaccination_date=date(2026, 11, 19))
    await user.open(f"/BA102_3?patient={make_patient().record_id}")
    for name, value in {"vaccine_code": "MMR", "dose_number": "1", "vaccination_date": "1151119"}.items():
        element(user, name).set_value(value)

    keys(user, "F9")

    await see(user, "請再確認")
    assert element(user, "warning-reason").value == "補登過去紀錄"
