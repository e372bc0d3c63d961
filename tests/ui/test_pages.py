"""The pages as staff see them, on CPython: the same functions that the browser runs."""

from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from tests.factories import make_patient, make_vaccination
from tests.ui.keys import press
from tests.ui.offline import FailingStorage
from ui import boot
from ui.state import AppState

TODAY = "1151120"


async def record_dose(state: AppState, **fields: object) -> str:
    vaccination = make_vaccination(vaccination_date=state.today(), **fields)
    payload = vaccination.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, vaccination.record_id, payload)])
    return vaccination.record_id


async def fill(user: User, **fields: str) -> None:
    for name, value in fields.items():
        next(iter(user.find(marker=name).elements)).set_value(value)


def saved(state: AppState) -> list[tuple[str, str, str]]:
    return [
        (d["vaccine_code"], d["dose_number"], d["lot_number"]) for d in state.database.tables.vaccinations.documents()
    ]


async def test_search_masks_id_and_phone_until_the_record_opens(user: User) -> None:
    await user.open("/")
    user.find(marker="patient-search").type("測試")

    table = next(iter(user.find(marker="patients").elements))
    assert isinstance(table, ui.table)
    row = table.rows[0]
    assert (row["national_id"], row["phone"], row["birth_date"]) == ("B222******", "09********", "074/11/08")


async def test_nobody_found_says_what_to_do(user: User) -> None:
    await user.open("/")
    user.find(marker="patient-search").type("不存在")
    await user.should_see("查無此人")


async def test_recording_takes_the_lot_and_the_dose_by_itself(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={make_patient().record_id}")
    await fill(user, vaccine_code="MMR")
    user.find(marker="save").click()

    await user.should_see("已存檔")
    assert saved(state) == [("MMR", "1", "AMJRE075AA-CDC")]
    await user.should_see("今日接種 1 筆")


async def test_a_date_nobody_can_read_stops_saving_and_says_why(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={make_patient().record_id}")
    await fill(user, vaccine_code="MMR", vaccination_date="1150230")
    user.find(marker="save").click()

    await user.should_see("沒有這一天")
    assert saved(state) == []


async def test_a_warning_is_asked_about_and_never_blocks(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={make_patient().record_id}")
    await fill(user, vaccine_code="MMR", lot_number="UNHEARD-CDC")
    user.find(marker="save").click()
    await user.should_see("批號未建檔")
    assert saved(state) == []

    await user.should_see(marker="save-anyway")
    user.find(marker="save-anyway").click()

    await user.should_see("已存檔")
    assert saved(state) == [("MMR", "1", "UNHEARD-CDC")]


async def test_when_the_disk_is_full_nothing_says_saved(user: User, state: AppState, storage: FailingStorage) -> None:
    await user.open(f"/BA102_3?patient={make_patient().record_id}")
    await fill(user, vaccine_code="MMR")
    storage.full = True
    user.find(marker="save").click()
    await user.should_see("儲存空間已滿")
    await user.should_not_see("已存檔")

    storage.full = False
    user.find(marker="save").click()

    await user.should_see("已存檔")
    assert saved(state) == [("MMR", "1", "AMJRE075AA-CDC")]


async def test_tapping_save_twice_records_once(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={make_patient().record_id}")
    await fill(user, vaccine_code="MMR")
    user.find(marker="save").click()
    user.find(marker="save").click()

    await user.should_see("已存檔")
    assert len(saved(state)) == 1


async def test_a_refused_record_shows_cdcs_words_and_is_corrected_in_place(user: User, state: AppState) -> None:
    record_id = await record_dose(state)
    revision = state.database.tables.vaccinations.at(record_id)["revision"]
    row = {"record_id": record_id, "revision": revision, "method": "POST"}
    refusal = {"record_id": record_id, "verified": False, "code": "E00091", "text": "批號不存在"}
    await state.commit([ChangeDraft(ChangeKind.UPLOAD_SENT, "b1", {"rows": [row]})])
    await state.commit([ChangeDraft(ChangeKind.VERIFICATION_RECEIVED, "b1", {"results": [refusal]})])

    await user.open("/BA102_3_DOWNLOAD")
    table = next(iter(user.find(marker="vaccinations").elements))
    assert isinstance(table, ui.table)
    assert (table.rows[0]["state"], table.rows[0]["message"]) == ("檢核失敗", "E00091 批號不存在")

    await user.open(f"/BA102_3?record={record_id}&field=lot_number")
    await user.should_see("疾管署訊息：E00091 批號不存在")
    await fill(user, dose_number="2")
    user.find(marker="save").click()
    await user.should_see("已存檔")

    document = state.database.tables.vaccinations.at(record_id)
    assert (document["dose_number"], document["upload_state"], len(document["revisions"])) == ("2", "not_sent", 2)


async def test_voiding_asks_for_a_reason_and_keeps_the_record(user: User, state: AppState) -> None:
    record_id = await record_dose(state)
    await user.open(f"/BA102_3?record={record_id}")
    user.find(marker="void").click()
    await user.should_see(marker="void-reason")
    user.find(marker="void-reason").type("打錯人")
    user.find(marker="void-confirm").click()

    await user.should_see("今日接種 0 筆")
    document = state.database.tables.vaccinations.at(record_id)
    assert (document["voided"], document["void_reason"]) == (True, "打錯人")


async def test_a_voided_record_cannot_be_saved_back_to_life(user: User, state: AppState) -> None:
    record_id = await record_dose(state)
    revision = state.database.tables.vaccinations.at(record_id)["revision"]
    await state.commit([ChangeDraft(ChangeKind.VOID_VACCINATION, record_id, {"reason": "x"}, (revision,))])
    await user.open(f"/BA102_3?record={record_id}")

    await user.should_see("已作廢：x")
    await user.should_not_see(marker="save")


async def test_saving_without_a_change_makes_none(user: User, state: AppState) -> None:
    record_id = await record_dose(state)
    await user.open(f"/BA102_3?record={record_id}")
    user.find(marker="save").click()

    await user.should_see("沒有變更")
    assert len(state.database.tables.vaccinations.at(record_id)["revisions"]) == 1


async def test_what_two_stations_changed_apart_is_shown_and_settled_by_saving(user: User, state: AppState) -> None:
    record_id = await record_dose(state)
    document = state.database.tables.vaccinations.at(record_id)
    for lot in ("AMJRE075AA-CDC", "OTHER-CDC"):
        fields = make_vaccination(vaccination_date=state.today(), dose_number="2", lot_number=lot)
        payload = fields.model_dump(mode="json", exclude={"record_id"})
        draft = ChangeDraft(ChangeKind.CORRECT_VACCINATION, record_id, payload, (document["revision"],))
        await state.commit([draft])
    await user.open(f"/BA102_3?record={record_id}")
    await user.should_see("另一站同時改成")

    await fill(user, lot_number="AMJRE075AA-CDC")
    user.find(marker="save").click()

    await user.should_see("已存檔")
    assert state.database.tables.vaccinations.at(record_id)["conflict"] == []


async def test_header_values_stay_for_the_next_person(user: User, state: AppState) -> None:
    other = make_patient(record_id="9" * 32, chart_number="057165", national_id="D222419830")
    payload = other.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, other.record_id, payload)])
    await user.open(f"/BA102_3?patient={make_patient().record_id}")
    await fill(user, vaccine_code="MMR")
    user.find(marker="save").click()
    await user.should_see("已存檔")

    await user.open(f"/BA102_3?patient={other.record_id}")
    user.find(marker="save").click()
    await user.should_see("今日接種 2 筆")

    assert saved(state) == [("MMR", "1", "AMJRE075AA-CDC")] * 2


async def test_upload_page_says_that_it_goes_to_cdc_and_is_not_verified_yet(user: User, state: AppState) -> None:
    await record_dose(state)
    await user.open("/BA102_3_UPLOAD")

    await user.should_see("資料是送往「疾管署(CDC)」，不是健保署。")
    await user.should_see("待上傳 1 筆")


MANUAL = ("2.BA102_3", "2.BA102_3_UPLOAD", "3.BA102_3_DOWNLOAD", "7.BA109", "D.BA109_3_DOWNLOAD", "E.BAMENU4")


@pytest.mark.parametrize("code", MANUAL)
async def test_every_function_of_the_manual_opens_from_the_menu(user: User, code: str) -> None:
    await user.open("/")
    user.find(marker=code).click()

    await user.should_see(f"({code.split('.')[1]})")


async def test_opening_an_unknown_record_says_so_and_offers_the_search(user: User) -> None:
    await user.open("/BA102_3?record=" + "f" * 32)

    await user.should_see("找不到這筆資料")
    await user.should_see("查詢患者")


def test_every_state_error_and_problem_has_its_sentence() -> None:
    from store.errors import AppError
    from store.problems import ProblemCode
    from store.protocol import CdcLinkState
    from store.refusals import RefusalReason
    from store.roc_date import RocDateFault
    from store.roster import RosterFault
    from store.tables import Tables
    from store.uploads import UploadState
    from ui import sync_client, wording

    def all_errors(error: type[AppError]) -> set[str]:
        return {error.code}.union(*map(all_errors, error.__subclasses__()))

    ours = {code for code in all_errors(AppError) if code in _codes_in(Path(wording.__file__).parents[1])}
    assert ours <= wording.APP_ERROR.keys()
    assert set(UploadState) == wording.UPLOAD_STATE.keys()
    assert set(CdcLinkState) == wording.CDC_LINK.keys()
    assert set(sync_client.HubLink) == wording.HUB_LINK.keys()
    assert set(ProblemCode) == wording.PROBLEM.keys()
    assert set(RocDateFault) == wording.DATE_FAULT.keys()
    assert set(RefusalReason) == wording.REFUSAL.keys()
    assert set(RosterFault) == wording.ROSTER_FAULT.keys()
    edited = {table.name for table in Tables().record_tables() if "conflict" in table.indexes}
    assert edited == wording.EDITED_TABLE.keys()


def _codes_in(root: Path) -> str:
    """The text of what the browser runs: errors of the hub alone need no sentence on a device's screen."""
    files = (p for folder in ("store", "ui") for p in (root / folder).rglob("*.py") if p.name != "wording.py")
    return "\n".join(p.read_text(encoding="utf-8") for p in files)


async def test_the_bar_tells_how_far_the_first_sync_is(user: User, state: AppState) -> None:
    await user.open("/")
    await user.should_not_see("首次同步")

    state.sync.snapshot.total_bytes, state.sync.snapshot.fetched_bytes = 200, 84
    state.touch()
    await user.should_see("首次同步 42%")

    state.sync.snapshot.total_bytes = 0
    state.touch()
    await user.should_not_see("首次同步")


@pytest.mark.parametrize("path", boot.PATHS)
async def test_every_page_says_on_f1_what_each_of_its_keys_does(user: User, path: str) -> None:
    await user.open(path)
    keyboard = next(iter(user.find(ui.keyboard).elements))
    press(keyboard, "F1")

    await user.should_see("說明：這個畫面的按鍵")
    await user.should_see("離開，回上一層")
    user.find(marker="help-leave").click()
    await user.should_not_see("說明：這個畫面的按鍵")


async def test_f9_without_a_roster_file_says_what_to_do_first(user: User, state: AppState) -> None:
    await user.open("/roster")

    press(next(iter(user.find(ui.keyboard).elements)), "F9")

    await user.should_see("請先選擇名冊檔案。")


async def test_a_page_that_was_left_hears_of_no_change_any_more(user: User, state: AppState) -> None:
    await user.open("/")
    listening = len(state.changed.callbacks)

    for _ in range(3):
        ui.navigate.to("/BA109")
        await user.should_see("疫苗批號建檔", marker="title")
        ui.navigate.to("/")
        await user.should_see("主選單", marker="title")
    state.changed.emit()

    assert len(state.changed.callbacks) == listening
