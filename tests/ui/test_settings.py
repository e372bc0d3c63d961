"""設定 as staff see it, and what the forms offer of it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from store import codes
from store.changes import ChangeDraft, ChangeKind
from store.clinic_settings import (
    Clinic,
    LotOfTheDay,
    Setting,
    StaffMember,
    VaccinesInUse,
    clinic_of,
    draft_setting,
    lot_key,
    lot_of_the_day,
    make_setting,
    staff_members,
    vaccines_in_use,
)
from store.code_table_file import CodeTableName
from store.code_tables import CodeTableSetting, follow_code_tables
from store.codes import vaccine_by_code
from store.protocol import HubStatus
from store.roc_date import format_compact
from store.tables import Tables
from tests.factories import PATIENT_ID, make_lot
from tests.ui.keys import press
from tests.ui.offline import FailingStorage
from tests.worlds import Clock, make_world
from ui import wording
from ui.state import AppState

LATER = "AMJRE900ZZ-CDC"
VACCINES = CodeTableName.VACCINES


async def set_up(state: AppState, *settings: Setting) -> None:
    await state.commit([draft_setting(setting, find(state, setting)) for setting in settings])


def find(state: AppState, setting: Setting) -> Any:
    table = state.database.tables.staff if isinstance(setting, StaffMember) else state.database.tables.settings
    return table.find(setting.record_id)


async def register_later_lot(state: AppState) -> None:
    lot = make_lot(record_id="6" * 32, lot_number=LATER, expiry_date=date(2028, 3, 31))
    payload = lot.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_LOT, lot.record_id, payload)])


def element(user: User, marker: str) -> Any:
    return next(iter(user.find(marker=marker).elements))


async def open_settings(user: User, tab: str = "clinic") -> None:
    await user.open("/settings")
    element(user, "tab clinic").parent_slot.parent.set_value(tab)


def key(user: User, name: str) -> None:
    press(next(iter(user.find(ui.keyboard).elements)), name)


async def save(user: User) -> None:
    key(user, "F9")
    await user.should_see("設定已存檔")
    await user.should_see("沒有未存檔的變更")


async def open_form(user: User) -> None:
    await user.open(f"/BA102_3?patient={PATIENT_ID}")


def newer_table(*rows: str, day: str = "2026-11-26") -> bytes:
    return (codes.built_in_text(VACCINES).replace("# date: 2026-11-25", f"# date: {day}") + "\n".join(rows)).encode()


@pytest.fixture(autouse=True)
def built_in_tables() -> Iterator[None]:
    yield
    follow_code_tables(Tables())


@pytest.fixture
def later(state: AppState) -> None:
    """The day is after the built-in tables'."""
    state.world = make_world(Clock(datetime(2027, 1, 5, tzinfo=UTC)))


async def load(user: User, data: bytes, name: str = "newer.csv") -> None:
    await element(user, f"load {VACCINES}").handle_uploads([ui.upload.SmallFileUpload(name, "text/csv", data)])


# ---- the clinic


async def test_the_menu_opens_it_by_its_key(user: User) -> None:
    await user.open("/")
    key(user, "Shift+F2")

    await user.should_see(wording.SETTINGS_INTRO)


async def test_what_is_typed_is_saved_by_one_key(user: User, state: AppState) -> None:
    await open_settings(user)
    element(user, "institution-code").set_value(" 592202a２96 ")
    element(user, "clinic-name").set_value("頭城診所")
    element(user, "influenza").set_value(False)
    await user.should_see("有尚未存檔的變更（診所）")

    await save(user)

    clinic = clinic_of(state.database.tables)
    assert (clinic.institution_code, clinic.clinic_name, clinic.influenza) == ("592202A296", "頭城診所", False)
    await user.should_see("沒有未存檔的變更")


@pytest.mark.parametrize(("code", "told"), [("1133060018", "檢查碼可能不符"), ("12345", "應為 10 碼")])
async def test_an_odd_institution_code_is_warned_of_and_saved_all_the_same(
    user: User, state: AppState, code: str, told: str
) -> None:
    await open_settings(user)
    element(user, "institution-code").set_value(code)
    await user.should_see(told)

    await save(user)

    assert clinic_of(state.database.tables).institution_code == code


async def test_the_hubs_other_code_is_told(user: User, state: AppState) -> None:
    await set_up(state, make_setting(Clinic, institution_code="592202A296"))
    state.sync.status = HubStatus(institution_code="1133060019")

    await open_settings(user)

    await user.should_see("主機設定檔的醫事機構代碼是 1133060019")


async def test_what_is_too_long_is_told_and_not_cut(user: User, state: AppState) -> None:
    await open_settings(user)
    element(user, "clinic-name").set_value("長" * 101)
    key(user, "F9")

    await user.should_see("診所名稱最多 100 個字")
    assert len(state.database.tables.settings) == 0


async def test_leaving_with_something_unsaved_asks_first(user: User, state: AppState) -> None:
    await open_settings(user)
    element(user, "clinic-name").set_value("頭城診所")
    key(user, "Escape")
    await user.should_see("要先存檔嗎？")
    user.find(marker="stay").click()
    await user.should_not_see("要先存檔嗎？")

    key(user, "Escape")
    await user.should_see("要先存檔嗎？")
    user.find(marker="save-and-leave").click()

    await user.should_see("2.BA102_3")
    assert clinic_of(state.database.tables).clinic_name == "頭城診所"


async def test_leaving_with_nothing_unsaved_asks_nothing(user: User) -> None:
    await open_settings(user)
    key(user, "Escape")

    await user.should_see("2.BA102_3")


async def test_a_full_disk_saves_nothing_and_says_so(user: User, storage: FailingStorage) -> None:
    await open_settings(user)
    element(user, "clinic-name").set_value("頭城診所")
    storage.full = True
    key(user, "F9")

    await user.should_see(wording.APP_ERROR["storage_full"])
    await user.should_see("有尚未存檔的變更（診所）")


async def test_another_stations_setting_is_shown_and_never_typed_over(user: User, state: AppState) -> None:
    await open_settings(user)
    await set_up(state, make_setting(Clinic, clinic_name="甲"))
    state.changed.emit()
    assert element(user, "clinic-name").value == "甲"

    element(user, "clinic-name").set_value("乙")
    await set_up(state, make_setting(Clinic, clinic_name="丙"))
    state.changed.emit()
    await user.should_see("另一站剛改了這一頁的設定")
    assert element(user, "clinic-name").value == "乙"
    await save(user)

    await user.should_see("有設定在兩站改得不同")
    await user.open("/conflicts")
    await user.should_see("設定　診所")
    await user.should_see("診所名稱")


async def test_the_clinics_code_is_the_first_sampling_institution(user: User, state: AppState) -> None:
    await set_up(state, make_setting(Clinic, institution_code="1133060019"))
    await user.open(f"/BA103_3?patient={PATIENT_ID}")
    user.find(marker="new").click()
    element(user, "exam_type").set_value("2")

    assert element(user, "collection_institution").value == "1133060019"


# ---- vaccines in use


async def test_ticked_vaccines_come_first_in_the_form_and_in_its_window(user: User, state: AppState) -> None:
    await open_settings(user, "vaccines")
    for code in ("PPV", "MMR"):
        element(user, f"tick {code}").set_value(True)
    await user.should_see("已勾選 2 種")
    await save(user)
    assert set(vaccines_in_use(state.database.tables)) == {"MMR", "PPV"}

    await open_form(user)
    options = element(user, "vaccine_code").options
    assert list(options)[:2] == ["MMR", "PPV"]
    assert options["PPV"].endswith("★")
    assert len(options) == sum(vaccine.in_use for vaccine in codes.vaccines())
    user.find(marker="vaccine-window").click()
    await user.should_see(marker="window-left")
    assert [row["code"] for row in element(user, "window-left").rows[:2]] == ["MMR", "PPV"]


async def test_a_lot_is_registered_of_the_clinics_own_vaccines_first_and_of_influenza_even_when_it_is_off(
    user: User, state: AppState
) -> None:
    await set_up(state, make_setting(VaccinesInUse, vaccine_codes=("PPV",)))
    await set_up(state, make_setting(Clinic, influenza=False))
    await user.open("/BA109")
    user.find(marker="add-lot").click()
    await user.should_see(marker="lot-form")

    options = element(user, "vaccine_code").options

    assert next(iter(options)) == "PPV"
    assert options["PPV"].endswith("★")
    assert "Flu" in options


async def test_the_list_is_narrowed_by_what_is_typed(user: User) -> None:
    await open_settings(user, "vaccines")
    element(user, "vaccines-filter").set_value("麻疹腮腺炎德國麻疹混合疫苗")
    await user.should_see(marker="tick MMR")
    await user.should_not_see(marker="tick BCG")

    element(user, "vaccines-filter").set_value("沒有這種")
    await user.should_see("沒有符合「沒有這種」的疫苗。")


async def test_with_influenza_off_it_is_offered_for_an_earlier_day_only(user: User, state: AppState) -> None:
    await set_up(state, make_setting(Clinic, influenza=False))
    await open_form(user)
    assert not {"Flu", "FluHD", "FluAdj", "LAIV"} & set(element(user, "vaccine_code").options)

    element(user, "vaccination_date").set_value(format_compact(state.today() - timedelta(days=1)))

    assert "Flu" in element(user, "vaccine_code").options


@pytest.mark.parametrize(("influenza", "suggested"), [(True, True), (False, False)])
async def test_a_flu_identity_is_suggested_only_while_influenza_is_on(
    user: User, state: AppState, influenza: bool, suggested: bool
) -> None:
    await set_up(state, make_setting(Clinic, influenza=influenza))
    old = {"chart_number": "1", "name": "老先生", "birth_date": "1940-01-01"}
    await state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, "7" * 32, old)])
    await user.open(f"/BA102_3?patient={'7' * 32}")
    element(user, "vaccination_date").set_value(format_compact(state.today() - timedelta(days=1)))
    element(user, "vaccine_code").set_value("Flu")

    assert bool(element(user, "special_identity").value) is suggested


# ---- lots of the day


async def test_the_lot_of_the_day_is_taken_first_and_the_lot_in_hand_before_it(user: User, state: AppState) -> None:
    await register_later_lot(state)
    await open_settings(user, "lots")
    element(user, "lot of MMR").set_value(LATER)
    await save(user)
    assert lot_of_the_day(state.database.tables, "MMR", state.today()) == LATER

    await open_form(user)
    element(user, "vaccine_code").set_value("MMR")
    assert element(user, "lot_number").value == LATER
    element(user, "lot_number").set_value("AMJRE075AA-CDC")
    user.find(marker="save").click()
    await user.should_see("已存檔")
    await open_form(user)
    element(user, "vaccine_code").set_value("MMR")

    assert element(user, "lot_number").value == "AMJRE075AA-CDC"


async def test_yesterdays_lot_of_the_day_is_none_today_and_no_change_to_save(user: User, state: AppState) -> None:
    yesterday = state.today() - timedelta(days=1)
    fields = {"vaccine_code": "MMR", "day": yesterday, "lot_number": LATER}
    await set_up(state, make_setting(LotOfTheDay, lot_key("MMR", yesterday), **fields))
    await open_settings(user, "lots")

    assert element(user, "lot of MMR").value == ""
    key(user, "F9")
    await user.should_see("沒有變更")


async def test_without_any_usable_lot_it_says_where_to_get_one(user: User, state: AppState) -> None:
    await set_up(state, make_setting(VaccinesInUse, vaccine_codes=("BCG",)))
    await open_settings(user, "lots")
    await user.should_see("使用中疫苗都還沒有可用的批號")
    user.find(marker="go /BA109").click()

    await user.should_see("疫苗批號建檔")


# ---- staff


async def test_staff_are_added_switched_off_and_offered_in_the_form(user: User, state: AppState) -> None:
    await open_settings(user, "staff")
    await user.should_see("還沒有人員")
    for staff_id, name in (("Ｎ01", "王護理師"), ("N02", "林護理師")):
        element(user, "new-staff-id").set_value(staff_id)
        element(user, "new-staff-name").set_value(name)
        user.find(marker="add-staff").click()
    element(user, "new-staff-id").set_value("N03")  # F9 without 加入
    await save(user)
    element(user, "active N02").set_value(False)
    await save(user)

    found = [(one.staff_id, one.name, one.active) for one in staff_members(state.database.tables)]
    assert found == [("N01", "王護理師", True), ("N03", "", True), ("N02", "林護理師", False)]
    await open_form(user)
    user.find(marker="staff-list").click()
    await user.should_not_see(marker="staff N02")
    user.find(marker="staff N01").click()
    assert element(user, "vaccinator_id").value == "N01"


async def test_an_id_that_is_there_already_is_told(user: User, state: AppState) -> None:
    await set_up(state, make_setting(StaffMember, "N01", staff_id="N01", name="王護理師"))
    await open_settings(user, "staff")
    element(user, "new-staff-id").set_value("N01")
    key(user, "F9")

    await user.should_see("已經有代號「N01」。")


async def test_without_staff_there_is_no_list_in_the_form(user: User) -> None:
    await open_form(user)

    await user.should_not_see(marker="staff-list")


# ---- code tables


@pytest.mark.usefixtures("later")
async def test_a_newer_table_is_shown_first_and_used_when_wanted(user: User) -> None:
    await open_settings(user, "tables")
    await user.should_see("使用中：程式內建，115/11/25，81 個代碼")
    await load(user, newer_table("New_2027,<b>新疫苗</b>,New,1,yes,no,no,IM"))
    await user.should_see("新增 1、變更 0、不再列出 0")
    assert element(user, f"rows {VACCINES}").rows[0]["name"] == "<b>新疫苗</b>"
    assert vaccine_by_code("New_2027") is None

    user.find(marker=f"use {VACCINES}").click()

    await user.should_see("使用中：診所匯入")
    assert vaccine_by_code("New_2027") is not None
    user.find(marker=f"back {VACCINES}").click()
    await user.should_see("改回程式內建")
    user.find(marker="confirm").click()
    await user.should_see("已改回內建的疫苗代碼表")
    assert vaccine_by_code("New_2027") is None


async def test_a_table_that_is_none_is_refused_with_every_reason(user: User, state: AppState) -> None:
    await open_settings(user, "tables")
    await load(user, newer_table("A B,\u202e<script>,C,,maybe,no,no,IM", day="soon"), "bad.csv")

    await user.should_see("「bad.csv」沒有匯入，請修正以下 5 項")
    for told in ("看不懂日期「soon」", "\\u202e<script>", "代碼「A B」不能有空白", "劑別（dose_labels）：必須填寫"):
        await user.should_see(told)
    assert len(state.database.tables.settings) == 0


@pytest.mark.usefixtures("later")
async def test_a_table_that_was_looked_at_is_unsaved_until_it_is_dropped(user: User) -> None:
    await open_settings(user, "tables")
    await load(user, newer_table("New_2027,新疫苗,New,1,yes,no,no,IM"))
    await user.should_see("有尚未存檔的變更（代碼表）")

    user.find(marker=f"drop {VACCINES}").click()

    await user.should_see("沒有未存檔的變更")


async def test_a_table_loaded_at_another_station_is_asked_at_once(state: AppState) -> None:
    text = newer_table("New_2027,新疫苗,New,1,yes,no,no,IM").decode()
    setting = make_setting(CodeTableSetting, VACCINES, table_name=VACCINES, table_text=text)
    told = asyncio.Event()
    state.changed.subscribe(told.set)

    await state.database.commit([draft_setting(setting, None)], made_by="another station")
    state.touch()
    await asyncio.wait_for(told.wait(), 10)

    assert vaccine_by_code("New_2027") is not None


async def test_tables_loaded_apart_are_compared_by_date_and_size(user: User, state: AppState) -> None:
    texts = newer_table().decode(), newer_table("New_2027,新疫苗,New,1,yes,no,no,IM", day="2026-11-27").decode()
    for text in texts:
        setting = make_setting(CodeTableSetting, VACCINES, table_name=VACCINES, table_text=text)
        await state.commit([draft_setting(setting, None)])
    await user.open("/conflicts")

    for told in ("代碼表　疫苗代碼表", "115/11/26，81 個代碼", "115/11/27，82 個代碼"):
        await user.should_see(told)
