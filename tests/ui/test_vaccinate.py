"""The recording desk as a nurse with forty waiting uses it, on CPython."""

from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from tests.factories import make_lot, make_patient, make_vaccination
from tests.ui.keys import press
from ui.form_drafts import kept_draft
from ui.state import AppState

PATIENT = make_patient().record_id


async def fill(user: User, **fields: str) -> None:
    for name, value in fields.items():
        next(iter(user.find(marker=name).elements)).set_value(value)


def value_of(user: User, name: str) -> object:
    return next(iter(user.find(marker=name).elements)).value


async def save_a_dose(user: User, **fields: str) -> None:
    await user.open(f"/BA102_3?patient={PATIENT}")
    await fill(user, **(fields or {"vaccine_code": "MMR"}))
    user.find(marker="save").click()
    await user.should_see("已存檔")


async def test_after_saving_the_next_person_is_searched_and_the_same_one_is_a_tap_away(user: User) -> None:
    await save_a_dose(user)
    await user.should_see("下一位沿用")
    await user.should_see(marker="patient-search")

    user.find(marker="another-vaccine").click()

    await user.should_see(marker="person")
    assert value_of(user, "vaccine_code") is None
    assert value_of(user, "vaccination_date") == "1151120"


async def test_a_half_filled_form_is_there_again_after_a_reload(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={PATIENT}")
    await fill(user, vaccine_code="MMR", dose_number="2", note="左臂紅腫")

    await user.open("/BA102_3")

    await user.should_see("已還原尚未存檔的內容")
    assert (value_of(user, "dose_number"), value_of(user, "note")) == ("2", "左臂紅腫")
    user.find(marker="save").click()
    await user.should_see("已存檔")
    assert kept_draft(state) is None


async def test_a_form_that_was_left_is_not_offered_again(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={PATIENT}")
    await fill(user, vaccine_code="MMR")
    user.find(marker="leave").click()

    await user.open("/BA102_3")
    await user.should_see(marker="patient-search")
    assert kept_draft(state) is None


async def test_opening_a_form_and_typing_nothing_keeps_no_draft(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={PATIENT}")

    assert kept_draft(state) is None


async def test_the_reason_for_saving_against_a_warning_is_kept(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={PATIENT}")
    await fill(user, vaccine_code="MMR", lot_number="UNHEARD-CDC")
    user.find(marker="save").click()
    await user.should_see("請再確認")
    user.find(marker="reason 醫師評估後接種").click()
    user.find(marker="save-anyway").click()
    await user.should_see("已存檔")

    (document,) = state.database.tables.vaccinations.documents()
    assert document["warning_reason"] == "醫師評估後接種"
    await user.open(f"/BA102_3?record={document['record_id']}")
    await user.should_see("有提醒仍存檔，原因：醫師評估後接種")


async def test_a_field_that_was_emptied_is_empty_afterwards(user: User, state: AppState) -> None:
    await save_a_dose(user, vaccine_code="MMR", note="誤植")
    (document,) = state.database.tables.vaccinations.documents()

    await user.open(f"/BA102_3?record={document['record_id']}")
    await fill(user, note="")
    user.find(marker="save").click()
    await user.should_see(marker="patient-search")

    assert "note" not in state.database.tables.vaccinations.at(document["record_id"])


async def test_the_two_level_window_gives_vaccine_and_dose(user: User) -> None:
    await user.open(f"/BA102_3?patient={PATIENT}")
    user.find(marker="vaccine-window").click()
    await user.should_see(marker="window-search")
    left = next(iter(user.find(marker="window-left").elements))
    assert isinstance(left, ui.table)
    assert left.rows[0]["code"] == "MMR"  # the only one of which there are lots

    await fill(user, **{"window-search": "水痘"})
    user.find(marker="window-search").trigger("keydown.enter")
    user.find(marker="window-search").trigger("keydown.enter")
    await user.should_see("已選：Var　1")
    user.find(marker="window-choose").click()

    await user.should_not_see(marker="window-search")
    assert (value_of(user, "vaccine_code"), value_of(user, "dose_number")) == ("Var", "1")


async def test_whoever_is_not_found_is_registered_in_the_flow(user: User, state: AppState) -> None:
    await user.open("/BA102_3")
    user.find(marker="patient-search").type("070001")
    user.find(marker="new-patient").click()
    await user.should_see(marker="chart_number")
    assert value_of(user, "chart_number") == "070001"
    await fill(user, name="王小寶", birth_date="1151119", parent_national_id="B222419838", birth_order="2")
    user.find(marker="save-patient").click()

    await user.should_see(marker="person")
    (found,) = state.database.tables.patients.find_by("chart_number", "070001")
    assert (found["birth_date"], found["birth_order"]) == ("2026-11-19", 2)


async def test_a_chart_number_in_use_opens_its_owner_instead(user: User, state: AppState) -> None:
    await user.open("/BA102_3")
    user.find(marker="new-patient").click()
    await user.should_see(marker="chart_number")
    await fill(user, chart_number="057164", name="別人")
    user.find(marker="save-patient").click()
    await user.should_see("已有患者使用")
    assert len(state.database.tables.patients) == 1

    user.find(marker="open-known").click()
    await user.should_see("測試患者")


async def test_who_may_be_known_already_is_asked_about_and_never_refused(user: User, state: AppState) -> None:
    await user.open("/BA102_3")
    user.find(marker="new-patient").click()
    await user.should_see(marker="chart_number")
    await fill(user, chart_number="099999", name="測試患者", birth_date="0741108")
    await user.should_see("可能已經有這位患者")
    user.find(marker="save-patient").click()
    await user.should_see("仍要新增")
    assert len(state.database.tables.patients) == 1

    user.find(marker="confirm").click()
    await user.should_see(marker="person")
    assert len(state.database.tables.patients) == 2


async def test_a_person_is_mended_and_the_nurse_is_back_where_she_was(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={PATIENT}")
    await fill(user, vaccine_code="MMR")
    user.find(marker="edit-patient").click()
    await user.should_see(marker="save-patient")
    await fill(user, phone="0987654321")
    user.find(marker="save-patient").click()

    await user.should_see(marker="past-doses")
    assert state.database.tables.patients.at(PATIENT)["phone"] == "0987654321"
    assert value_of(user, "vaccine_code") == "MMR"


async def test_the_days_list_is_narrowed_by_day_vaccine_and_state(user: User, state: AppState) -> None:
    for number, (day, code) in enumerate((("2026-11-20", "MMR"), ("2026-11-20", "Var"), ("2021-05-27", "MMR"))):
        fields = make_vaccination(vaccine_code=code).model_dump(mode="json", exclude={"record_id"})
        payload = {**fields, "vaccination_date": day}
        await state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, f"{number + 5:032x}", payload)])
    await user.open("/BA102_3")
    await user.should_see("今日接種 2 筆")

    await fill(user, **{"vaccine-filter": "Var"})
    await user.should_see("今日接種 1 筆")
    await fill(user, **{"vaccine-filter": "", "day-filter": "110/5/27"})
    await user.should_see("110/05/27 接種 1 筆")
    await fill(user, **{"day-filter": "1100230"})
    await user.should_see("看不懂這個日期")


async def test_the_manuals_example_row(user: User, state: AppState) -> None:
    lot = make_lot(record_id="4" * 32, lot_number="AMJRE023AA-1", lot_type="2")
    payload = lot.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_LOT, lot.record_id, payload)])
    await user.open(f"/BA102_3?patient={PATIENT}")
    await fill(user, vaccine_code="MMR", vaccination_date="110/05/27", dose_number="3", lot_number="AMJRE023AA-1")
    user.find(marker="save").click()
    await user.should_see("已存檔")
    await fill(user, **{"day-filter": "1100527"})
    await user.should_see("110/05/27 接種 1 筆")

    table = next(iter(user.find(marker="vaccinations").elements))
    assert isinstance(table, ui.table)
    row = table.rows[0]
    shown = [row[name] for name in ("vaccination_date", "vaccine_code", "dose_number", "lot_number", "routine")]
    assert shown == ["110/05/27", "MMR", "3", "AMJRE023AA-1", ""]


async def test_the_code_that_age_decides_is_filled_in_and_another_is_chosen_in_the_window(
    user: User, state: AppState
) -> None:
    await user.open(f"/BA102_3?patient={PATIENT}")
    await fill(user, vaccine_code="CoV_Moderna_XFG")
    assert value_of(user, "special_identity") == "C12"  # 18 to 49 years
    await fill(user, vaccine_code="Flu")
    assert value_of(user, "special_identity") == ""
    user.find(marker="identity-window").click()
    await user.should_see(marker="window-search")
    right = next(iter(user.find(marker="window-right").elements))
    assert isinstance(right, ui.table)
    assert "F06A" in [row["code"] for row in right.rows]


async def test_a_quote_in_a_date_is_told_as_it_was_typed(user: User) -> None:
    await user.open(f"/BA102_3?patient={PATIENT}")
    await fill(user, vaccination_date='11"52 bg-color=red')

    field = next(iter(user.find(marker="vaccination_date").elements))
    assert isinstance(field, ui.input)
    assert '11"52 bg-color=red' in str(field.error)


async def test_escape_in_a_question_closes_the_question_and_leaves_the_form_as_it_is(user: User) -> None:
    await user.open(f"/BA102_3?patient={PATIENT}")
    await fill(user, vaccine_code="MMR", lot_number="UNHEARD-CDC")
    user.find(marker="save").click()
    await user.should_see("請再確認")

    for keyboard in user.find(ui.keyboard).elements:
        press(keyboard, "Escape")

    await user.should_see(marker="person")
    assert value_of(user, "lot_number") == "UNHEARD-CDC"
