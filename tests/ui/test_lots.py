"""疫苗批號建檔 as staff see it, and what the other pages say of lots."""

from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.lots import record_id_of_lot
from tests.factories import LOT_ID, make_lot, make_patient, make_vaccination
from tests.ui.keys import press
from tests.ui.offline import FailingStorage, NoNetwork
from tests.worlds import Clock, make_world
from ui.state import AppState

OTHER_LOT = "4" * 32


@pytest.fixture
async def state(storage: FailingStorage) -> AppState:
    world = make_world(Clock())
    return AppState(await DeviceDatabase.open(storage, world), world, NoNetwork())


async def register(state: AppState, *bases: str, **fields: Any) -> None:
    lot = make_lot(**fields)
    payload = lot.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
    await state.commit([ChangeDraft(ChangeKind.REGISTER_LOT, lot.record_id, payload, bases)])


async def record_dose(state: AppState, **fields: Any) -> None:
    vaccination = make_vaccination(vaccination_date=state.today(), **fields)
    payload = vaccination.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, vaccination.record_id, payload)])


def element(user: User, marker: str) -> Any:
    return next(iter(user.find(marker=marker).elements))


async def fill(user: User, **fields: str) -> None:
    for name, value in fields.items():
        element(user, name).set_value(value)


async def open_new(user: User) -> None:
    await user.open("/BA109")
    user.find(marker="add-lot").click()
    await user.should_see(marker="lot-form")


def rows(user: User) -> list[dict[str, Any]]:
    table = element(user, "lots")
    assert isinstance(table, ui.table)
    return table.rows


def lots(state: AppState) -> list[dict[str, Any]]:
    return [dict(document) for document in state.database.tables.lots.documents()]


async def test_without_lots_the_page_says_where_they_come_from(user: User) -> None:
    await user.open("/BA109")

    await user.should_see("還沒有批號")


async def test_the_list_asks_for_makers_first_and_shows_both_numbers(user: User, state: AppState) -> None:
    await register(state)
    await register(state, record_id=OTHER_LOT, lot_number="X1_1151101-CDC", manufacturer="", expiry_date=None)
    await user.open("/BA109")

    await user.should_see("共 2 個批號，缺廠商 1 個")
    first, second = rows(user)
    assert (first["lot_number"], first["maker_lot_number"], first["manufacturer"]) == (
        "X1_1151101-CDC",
        "X1",
        "⚠ 請填廠商",
    )
    assert (first["expiry_date"], first["marked"]) == ("115/11/01 已過期", ["manufacturer", "expiry_date"])
    assert (second["lot_type"], second["expiry_date"], second["status"]) == ("1 中央", "116/03/31", "使用中")


async def test_a_lot_is_found_by_the_makers_number_and_enter_opens_it(user: User, state: AppState) -> None:
    await register(state)
    await register(state, record_id=OTHER_LOT, lot_number="D006A-CDC", vaccine_code="CoV_AZ")
    await user.open("/BA109")
    user.find(marker="lot-search").type("d006a")
    await user.should_see("找到 1 個批號")
    user.find(marker="lot-search").trigger("keydown.enter")

    await user.should_see("修改批號")
    assert element(user, "lot_number").value == "D006A-CDC"


async def test_nothing_found_says_what_to_do(user: User, state: AppState) -> None:
    await register(state)
    await user.open("/BA109")
    user.find(marker="lot-search").type("UNHEARD")

    await user.should_see("查無此批號。請核對後按「新增」建檔。")


async def test_the_number_fills_in_type_and_expiry_and_nothing_is_asked(user: User, state: AppState) -> None:
    await open_new(user)
    await fill(user, vaccine_code="Flu", lot_number=" FLU26a_1160630-66-hb ", manufacturer="國光")
    await fill(user, doses_per_vial="１０")
    assert (element(user, "lot_type").value, element(user, "expiry_date").value) == ("3", "1160630")
    user.find(marker="save").click()

    await user.should_see("已存檔：批號 FLU26a_1160630-66-hb")
    [lot] = lots(state)
    assert lot["revisions"][lot["revision"]]["payload"] == {
        "lot_number": "FLU26a_1160630-66-hb",
        "vaccine_code": "Flu",
        "lot_type": "3",
        "manufacturer": "國光",
        "expiry_date": "2027-06-30",
        "doses_per_vial": 10,
    }
    assert lot["record_id"] == record_id_of_lot("Flu", "FLU26a_1160630-66-hb")
    await user.should_see("共 1 個批號，缺廠商 0 個")


async def test_what_staff_chose_themselves_is_not_filled_in_again(user: User, state: AppState) -> None:
    await open_new(user)
    await fill(user, lot_number="A-CDC", expiry_date="1170101")
    await fill(user, lot_type="2")
    await fill(user, lot_number="AB_1160630-CDC")

    assert (element(user, "lot_type").value, element(user, "expiry_date").value) == ("2", "1170101")
    await user.should_see("批號型別應為「1 中央」")
    await user.should_see("與批號內的效期 116/06/30 不同")


async def test_a_missing_maker_is_asked_about_and_never_blocks(user: User, state: AppState) -> None:
    await open_new(user)
    await fill(user, vaccine_code="MMR", lot_number="AMJRE023AA-1", expiry_date="1160331")
    user.find(marker="save").click()
    await user.should_see("廠商：沒有填廠商")
    assert lots(state) == []
    await user.should_see(marker="save-anyway")
    user.find(marker="save-anyway").click()

    await user.should_see("已存檔")
    await user.should_see("缺廠商 1 個")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"lot_number": "   "}, "疫苗批號：必須填寫"),
        ({"lot_number": "A", "expiry_date": "20270331"}, "這是西元年"),
        ({"lot_number": "A", "expiry_date": "<b>\"';--"}, "看不懂這個日期"),
        ({"lot_number": "A", "doses_per_vial": "0"}, "「0」應為 1 到 999 的整數"),
        ({"lot_number": "A", "doses_per_vial": "很多"}, "「很多」應為 1 到 999 的整數"),
    ],
)
async def test_what_cannot_be_read_is_said_and_stays_in_the_form(
    user: User, state: AppState, fields: dict[str, str], told: str
) -> None:
    await open_new(user)
    await fill(user, vaccine_code="MMR", **fields)
    user.find(marker="save").click()

    await user.should_see(told)
    assert lots(state) == []
    assert {name: element(user, name).value for name in fields} == fields


async def test_whatever_is_typed_as_number_and_maker_is_kept_literally(user: User, state: AppState) -> None:
    odd = "Ａ'\"<b>💉שלום%s{0};DROP"
    await open_new(user)
    await fill(user, vaccine_code="MMR", lot_number=odd, manufacturer=odd, expiry_date="1160331")
    user.find(marker="save").click()

    await user.should_see("已存檔")
    [lot] = lots(state)
    assert (lot["lot_number"], lot["manufacturer"]) == (odd, odd)
    await user.open(f"/BA109?lot={lot['record_id']}")
    assert element(user, "lot_number").value == odd


@pytest.mark.parametrize(
    ("odd", "told"), [("A\u202e1", "看不見的字元"), ("A\x001", "看不見的字元"), ("A" * 61, "有 61 個字，最多 60 個字")]
)
async def test_what_would_look_like_another_number_or_is_none_is_told_and_not_kept(
    user: User, state: AppState, odd: str, told: str
) -> None:
    await open_new(user)
    await fill(user, vaccine_code="MMR", lot_number=odd)
    user.find(marker="save").click()

    await user.should_see(told)
    assert lots(state) == []


async def test_a_lot_registered_already_is_said_and_opened(user: User, state: AppState) -> None:
    await register(state)
    await open_new(user)
    await fill(user, vaccine_code="MMR", lot_number="AMJRE075AA-CDC")
    await user.should_see("這個疫苗的這個批號已經建檔")
    user.find(marker="open-other").click()

    await user.should_see("修改批號")
    assert element(user, "manufacturer").value == "GSK"


async def test_other_capitals_are_said(user: User, state: AppState) -> None:
    await register(state)
    await open_new(user)
    await fill(user, vaccine_code="MMR", lot_number="amjre075aa-CDC")

    await user.should_see("與已建檔的「AMJRE075AA-CDC」大小寫不同")


async def test_makers_already_used_are_offered_those_of_the_vaccine_first(user: User, state: AppState) -> None:
    for digit, code, maker in (("5", "Var", "MSD"), ("6", "Var", "MSD"), ("7", "MMR", "GSK")):
        await register(state, record_id=digit * 32, lot_number=digit, vaccine_code=code, manufacturer=maker)
    await open_new(user)
    await fill(user, vaccine_code="MMR")
    assert [child.text for child in element(user, "makers") if isinstance(child, ui.button)] == ["GSK", "MSD"]
    user.find(marker="choose GSK").click()

    assert element(user, "manufacturer").value == "GSK"
    assert element(user, "doses_per_vial").value == "1"


async def test_the_maker_is_typed_by_hand_afterwards(user: User, state: AppState) -> None:
    await register(state, manufacturer="")
    await user.open(f"/BA109?lot={LOT_ID}")
    await fill(user, manufacturer="GSK")
    user.find(marker="save").click()

    await user.should_see("已存檔")
    [lot] = lots(state)
    assert (lot["manufacturer"], lot["lot_number"], len(lot["revisions"])) == ("GSK", "AMJRE075AA-CDC", 2)
    assert lot["conflict"] == []


async def test_saving_without_a_change_makes_none(user: User, state: AppState) -> None:
    await register(state, manufacturer="")
    await user.open(f"/BA109?lot={LOT_ID}")
    user.find(marker="save").click()

    await user.should_see("沒有變更")
    assert len(lots(state)[0]["revisions"]) == 1


async def test_a_recall_is_confirmed_and_the_lot_is_kept(user: User, state: AppState) -> None:
    await register(state)
    await user.open(f"/BA109?lot={LOT_ID}")
    await fill(user, status="recalled")
    user.find(marker="save").click()
    await user.should_see("接種時不再提供")
    assert lots(state)[0].get("status") is None
    user.find(marker="save-anyway").click()

    await user.should_see("已存檔")
    assert rows(user)[0]["status"] == "回收"


async def test_a_lot_used_up_is_not_asked_about(user: User, state: AppState) -> None:
    await register(state)
    await user.open(f"/BA109?lot={LOT_ID}")
    await fill(user, status="depleted")
    user.find(marker="save").click()

    await user.should_see("已存檔")
    assert lots(state)[0]["status"] == "depleted"


async def test_going_back_from_a_question_saves_nothing_and_keeps_what_is_typed(user: User, state: AppState) -> None:
    await register(state)
    await user.open(f"/BA109?lot={LOT_ID}")
    await fill(user, status="recalled")
    user.find(marker="save").click()
    await user.should_see(marker="go-back")
    for keyboard in user.find(ui.keyboard).elements:
        press(keyboard, "Escape")  # the browser closes the question by it, and nothing else
    user.find(marker="go-back").click()

    await user.should_not_see(marker="go-back")
    assert element(user, "status").value == "recalled"
    assert len(lots(state)[0]["revisions"]) == 1


async def test_an_open_lot_shows_who_received_it(user: User, state: AppState) -> None:
    await register(state)
    patient = make_patient()
    payload = patient.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, patient.record_id, payload)])
    await record_dose(state)
    await user.open(f"/BA109?lot={LOT_ID}")

    await user.should_see("用這個批號的接種紀錄 1 筆")
    [row] = element(user, "vaccinations").rows
    assert (row["vaccine_code"], row["lot_number"], row["chart_number"], row["name"], row["vaccination_date"]) == (
        "MMR",
        "AMJRE075AA-CDC",
        "057164",
        "測試患者",
        "115/11/20",
    )


async def test_correcting_a_number_says_that_doses_keep_the_old_one(user: User, state: AppState) -> None:
    await register(state)
    await record_dose(state)
    await user.open(f"/BA109?lot={LOT_ID}")
    await fill(user, lot_number="AMJRE076AA-CDC")

    await user.should_see("已有 1 筆接種紀錄用原來的「AMJRE075AA-CDC」")


async def test_a_number_typed_wrong_once_can_be_registered_after_it_was_corrected(user: User, state: AppState) -> None:
    await register(state, record_id=record_id_of_lot("MMR", "WRONG"), lot_number="RIGHT-CDC")
    await open_new(user)
    await fill(user, vaccine_code="MMR", lot_number="WRONG", manufacturer="GSK", expiry_date="1160331")
    user.find(marker="save").click()

    await user.should_see("已存檔")
    assert sorted(lot["lot_number"] for lot in lots(state)) == ["RIGHT-CDC", "WRONG"]


async def test_what_two_stations_made_of_a_lot_is_shown_and_settled_by_saving(user: User, state: AppState) -> None:
    await register(state)
    base = lots(state)[0]["revision"]
    await register(state, base, manufacturer="GSK A")
    await register(state, base, manufacturer="GSK B", status="recalled")
    await user.open("/conflicts")
    await user.should_see("回收")
    await user.open(f"/BA109?lot={LOT_ID}")
    await user.should_see("另一站同時改成：AMJRE075AA-CDC，廠商 GSK A")
    user.find(marker="save").click()

    await user.should_see("已存檔")
    assert (lots(state)[0]["conflict"], lots(state)[0]["manufacturer"]) == ([], "GSK B")


async def test_tapping_save_twice_registers_once_and_a_full_disk_says_so(
    user: User, state: AppState, storage: FailingStorage
) -> None:
    await open_new(user)
    await fill(user, vaccine_code="MMR", lot_number="X1", manufacturer="GSK", expiry_date="1160331")
    storage.full = True
    user.find(marker="save").click()
    await user.should_see("儲存空間已滿")
    assert element(user, "lot_number").value == "X1"

    storage.full = False
    user.find(marker="save").click()
    user.find(marker="save").click()

    await user.should_see("已存檔")
    assert len(lots(state)) == 1
    assert len(lots(state)[0]["revisions"]) == 1


async def test_a_lot_that_comes_from_another_station_appears_in_the_list(user: User, state: AppState) -> None:
    await user.open("/BA109")
    await register(state)
    state.touch()

    await user.should_see("共 1 個批號")


async def test_opening_an_unknown_lot_says_so_and_shows_the_list(user: User) -> None:
    await user.open("/BA109?lot=" + "f" * 32)

    await user.should_see("找不到這筆資料")
    await user.should_see("還沒有批號")


async def test_the_menu_counts_lots_that_lack_a_maker(user: User, state: AppState) -> None:
    await register(state, manufacturer="")
    await user.open("/")

    await user.should_see("缺廠商 1")
