"""待處理衝突 as staff see it, and what the other pages say of the same conflicts."""

import gc
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.conflicts import count_open_conflicts
from store.decisions import Pair, draft_distinct, draft_merge
from store.device_database import DeviceDatabase
from store.persons import effective_patient
from store.storage import MemoryFolder
from tests.factories import PATIENT_ID, VACCINATION_ID, make_patient, make_vaccination
from tests.ui.offline import NoNetwork
from tests.worlds import Clock, make_world
from ui.state import AppState

OTHER_PERSON, OTHER_DOSE = "9" * 32, "8" * 32


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def state(clock: Clock) -> AppState:
    world = make_world(clock)
    state = AppState(await DeviceDatabase.open(MemoryFolder(), world), world, NoNetwork())
    await register(state)
    return state


async def register(state: AppState, **fields: Any) -> None:
    patient = make_patient(**fields)
    payload = patient.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, patient.record_id, payload)])


async def register_again(state: AppState) -> None:
    await register(state, record_id=OTHER_PERSON, chart_number="057165", name="測試幻者")


async def dose(state: AppState, record_id: str = VACCINATION_ID, **fields: Any) -> None:
    bases = fields.pop("bases", ())
    vaccination = make_vaccination(record_id=record_id, vaccination_date=state.today(), **fields)
    payload = vaccination.model_dump(mode="json", exclude={"record_id"})
    kind = ChangeKind.CORRECT_VACCINATION if bases else ChangeKind.RECORD_VACCINATION
    await state.commit([ChangeDraft(kind, record_id, payload, bases)])


async def correct_apart(state: AppState) -> None:
    await dose(state)
    base = state.database.tables.vaccinations.at(VACCINATION_ID)["revision"]
    for lot in ("ONE-CDC", "TWO-CDC"):
        await dose(state, lot_number=lot, bases=(base,))


async def press(user: User, marker: str, confirm: str = "confirm") -> None:
    """Tap the button and say yes to its question. The buttons of the left side end in -1, of the right in -2."""
    await user.should_see(marker=marker)
    user.find(marker=marker).click()
    await user.should_see(marker=confirm)
    user.find(marker=confirm).click()
    await user.should_see("已記錄決定")


async def test_without_conflicts_the_page_says_so(user: User) -> None:
    await user.open("/conflicts")

    await user.should_see("目前沒有待處理的衝突")


async def test_the_menu_counts_what_waits(user: User, state: AppState) -> None:
    await correct_apart(state)
    await register_again(state)
    await user.open("/")

    await user.should_see("待處理衝突")
    await user.should_see("待處理 2")


class TestEditedApart:
    """One record, two versions."""

    async def test_both_versions_are_shown_with_who_when_and_where(self, user: User, state: AppState) -> None:
        await correct_apart(state)
        await user.open("/conflicts")

        await user.should_see("兩站修改不同 1 筆")
        for text in ("ONE-CDC", "TWO-CDC", "staff", "115/11/20 10:00", f"本機 {state.database.device_id[-6:]}"):
            await user.should_see(text)

    async def test_choosing_a_version_is_a_change_that_settles_it(self, user: User, state: AppState) -> None:
        await correct_apart(state)
        await user.open("/conflicts")
        await press(user, "choose-version-1")

        document = state.database.tables.vaccinations.at(VACCINATION_ID)
        assert (document["lot_number"], document["conflict"], len(document["revisions"])) == ("ONE-CDC", [], 4)
        await user.should_see("目前沒有待處理的衝突")

    async def test_a_void_against_a_correction_can_be_chosen(self, user: User, state: AppState) -> None:
        await dose(state)
        base = state.database.tables.vaccinations.at(VACCINATION_ID)["revision"]
        await state.commit([ChangeDraft(ChangeKind.VOID_VACCINATION, VACCINATION_ID, {"reason": "打錯人"}, (base,))])
        await dose(state, lot_number="TWO-CDC", bases=(base,))
        await user.open("/conflicts")
        await user.should_see("打錯人")
        await press(user, "choose-version-1")

        document = state.database.tables.vaccinations.at(VACCINATION_ID)
        assert (document["voided"], document["void_reason"], document["conflict"]) == (True, "打錯人", [])


class TestSameDose:
    """One dose, two records."""

    @pytest.fixture(autouse=True)
    async def recorded_twice(self, state: AppState) -> None:
        await dose(state)
        await dose(state, OTHER_DOSE, lot_number="OTHER-CDC")

    async def test_keeping_one_voids_the_other_with_the_reason(self, user: User, state: AppState) -> None:
        await user.open("/conflicts")
        await user.should_see("同一劑登錄了兩筆 1 筆")
        await press(user, "keep-dose-2", confirm="void-confirm")

        kept, gone = (state.database.tables.vaccinations.at(one) for one in (OTHER_DOSE, VACCINATION_ID))
        assert (kept["voided"], gone["voided"], gone["void_reason"]) == (False, True, "與另一筆重複登錄")
        assert count_open_conflicts(state.database.tables) == 0

    async def test_both_real_is_kept_and_can_be_taken_back(self, user: User, state: AppState) -> None:
        await user.open("/conflicts")
        await press(user, "both-real")
        assert count_open_conflicts(state.database.tables) == 0
        await user.should_see("兩筆都是真的：")

        await press(user, "withdraw")
        await user.should_see("同一劑登錄了兩筆 1 筆")

        assert count_open_conflicts(state.database.tables) == 1

    async def test_saying_no_changes_nothing(self, user: User, state: AppState) -> None:
        await user.open("/conflicts")
        user.find(marker="both-real").click()
        await user.should_see(marker="cancel")
        user.find(marker="cancel").click()
        await user.should_not_see(marker="question")

        assert count_open_conflicts(state.database.tables) == 1

    async def test_both_records_carry_a_soft_warning_in_the_list(self, user: User) -> None:
        await user.open("/BA102_3")
        table = next(iter(user.find(marker="vaccinations").elements))
        assert isinstance(table, ui.table)

        assert [row["state"] for row in table.rows] == ["同劑重複登錄，請確認，待上傳"] * 2

    async def test_the_open_record_tells_of_the_other(self, user: User) -> None:
        await user.open(f"/BA102_3?record={VACCINATION_ID}")

        await user.should_see("同一劑另有一筆：057164 測試患者 115/11/20 MMR-1")

    async def test_a_confirmed_dose_is_warned_of_no_more(self, user: User, state: AppState) -> None:
        await state.commit([draft_distinct(Pair.DOSES, VACCINATION_ID, OTHER_DOSE)])
        await user.open(f"/BA102_3?record={VACCINATION_ID}")

        await user.should_not_see("同一劑另有一筆")
        await user.should_not_see("已有同疫苗同劑別的紀錄")


class TestSamePerson:
    """One person, two charts."""

    @pytest.fixture(autouse=True)
    async def registered_twice(self, state: AppState) -> None:
        await register_again(state)
        await dose(state)

    async def test_both_charts_are_shown_with_why_they_may_be_one(self, user: User) -> None:
        await user.open("/conflicts")

        await user.should_see("可能是同一人 1 筆")
        await user.should_see("身分證相同、電話與生日相同")
        await user.should_see("115/11/20 MMR-1")

    async def test_a_merge_moves_the_doses_and_can_be_taken_back(self, user: User, state: AppState) -> None:
        tables = state.database.tables
        await user.open("/conflicts")
        await press(user, "merge-2")  # into the second chart
        assert tables.vaccinations.at(VACCINATION_ID)["person_id"] == OTHER_PERSON
        await user.should_see("合併病歷：057164 測試患者 → 057165 測試幻者")

        await press(user, "withdraw")
        await user.should_see("可能是同一人 1 筆")

        assert tables.vaccinations.at(VACCINATION_ID)["person_id"] == PATIENT_ID

    async def test_an_old_merge_is_taken_back_from_the_persons_own_page(
        self, user: User, state: AppState, clock: Clock
    ) -> None:
        await state.commit([draft_merge(PATIENT_ID, OTHER_PERSON)])
        clock.forward(days=400)
        await user.open(f"/BA102_3?patient={OTHER_PERSON}")
        user.find(marker="see-merges").click()
        await user.should_see("已合併的病歷（可取消）")
        await press(user, "withdraw")

        assert effective_patient(state.database.tables, PATIENT_ID) == PATIENT_ID

    async def test_a_change_that_arrives_during_the_question_does_not_lose_the_answer(
        self, user: User, state: AppState
    ) -> None:
        await user.open("/conflicts")
        user.find(marker="not-same-person").click()
        await user.should_see(marker="confirm")
        await dose(state, OTHER_DOSE)
        await user.should_see("同一劑登錄了兩筆 1 筆")
        gc.collect()
        user.find(marker="confirm").click()
        await user.should_see("已記錄決定")

        await user.should_not_see(marker="same-person")

    async def test_not_the_same_person_takes_the_pair_off_the_list(self, user: User, state: AppState) -> None:
        await user.open("/conflicts")
        await press(user, "not-same-person")

        assert count_open_conflicts(state.database.tables) == 0

    async def test_stations_that_decided_apart_are_told_and_settled_by_a_choice(
        self, user: User, state: AppState
    ) -> None:
        await state.commit([draft_merge(PATIENT_ID, OTHER_PERSON)])
        await state.commit([draft_distinct(Pair.PATIENTS, PATIENT_ID, OTHER_PERSON)])
        await user.open("/conflicts")
        await user.should_see("兩站對這兩人的決定不同")
        await press(user, "merge-2")

        assert effective_patient(state.database.tables, PATIENT_ID) == OTHER_PERSON
        assert count_open_conflicts(state.database.tables) == 0

    async def test_a_merged_chart_opens_as_the_survivor_with_all_doses(self, user: User, state: AppState) -> None:
        await state.commit([draft_merge(PATIENT_ID, OTHER_PERSON)])
        await user.open(f"/BA102_3?patient={PATIENT_ID}")

        await user.should_see("病歷號碼 057165")
        await user.should_see("已併入本病歷：057164 測試患者")
        await user.should_see("本院接種紀錄：115/11/20 MMR-1")

    async def test_correcting_a_merged_persons_dose_leaves_for_whom_it_was_recorded(
        self, user: User, state: AppState
    ) -> None:
        await state.commit([draft_merge(PATIENT_ID, OTHER_PERSON)])
        await user.open(f"/BA102_3?record={VACCINATION_ID}")
        next(iter(user.find(marker="dose_number").elements)).set_value("2")
        user.find(marker="save").click()
        await user.should_see(marker="save-anyway")
        user.find(marker="save-anyway").click()
        await user.should_see("已存檔")

        document = state.database.tables.vaccinations.at(VACCINATION_ID)
        assert (document["dose_number"], document["patient_id"], document["person_id"]) == (
            "2",
            PATIENT_ID,
            OTHER_PERSON,
        )


def test_every_likeness_decision_and_field_has_its_words() -> None:
    from store.duplicates import Likeness
    from store.lots import Lot
    from store.patients import PatientDraft
    from store.vaccinations import VaccinationDraft
    from ui import wording

    kinds = {kind for kind in ChangeKind if kind.startswith(("merge_", "confirm_", "withdraw_"))}
    fields = {*Lot.model_fields, *PatientDraft.model_fields, *VaccinationDraft.model_fields} - {"record_id"}
    assert set(Likeness) == wording.LIKENESS.keys()
    assert kinds == wording.DECISION.keys()
    assert fields <= wording.FIELD.keys()
