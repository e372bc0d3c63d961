"""What is checked while typing, against what the device knows of the person."""

from datetime import date

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.problems import ProblemCode
from store.storage import MemoryFolder
from tests.factories import PATIENT_ID, VACCINATION_ID, make_lot, make_patient, make_vaccination
from tests.worlds import Clock, make_world
from ui.forms import VaccinationText, check_form
from ui.state import AppState
from ui.sync_client import NetworkFailed

OTHER_ID = "4" * 32
VARICELLA = VaccinationText("1151110", "Var", "1", "T025257-CDC", "1")


class NoNetwork:
    async def fetch(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> None:
        raise NetworkFailed("offline")

    def event_stream(self, *_: object) -> None:
        pass

    def is_online(self) -> bool:
        return False


@pytest.fixture
async def state() -> AppState:
    """A person with one MMR of 2026-11-01."""
    world = make_world(Clock())
    state = AppState(await DeviceDatabase.open(MemoryFolder(), world), world, NoNetwork())
    lot = make_lot(vaccine_code="Var", lot_number="T025257-CDC")
    dose = make_vaccination(vaccination_date=date(2026, 11, 1))
    for kind, record in (
        (ChangeKind.REGISTER_PATIENT, make_patient()),
        (ChangeKind.REGISTER_LOT, lot),
        (ChangeKind.RECORD_VACCINATION, dose),
    ):
        payload = record.model_dump(mode="json", exclude={"record_id"})
        await state.commit([ChangeDraft(kind, record.record_id, payload)])
    return state


def told(state: AppState, text: VaccinationText, record_id: str = OTHER_ID) -> list[ProblemCode]:
    return [problem.code for problem in check_form(state, text, PATIENT_ID, record_id)[1]]


async def test_a_live_vaccine_nine_days_after_another_is_warned_of(state: AppState) -> None:
    assert told(state, VARICELLA) == [ProblemCode.SPACING_UNDER_MINIMUM]


async def test_a_back_dated_dose_is_seen_against_the_later_one(state: AppState) -> None:
    back_dated = VaccinationText("1151020", "Var", "1", "T025257-CDC", "1")

    assert told(state, back_dated) == [ProblemCode.OTHER_VACCINE_TOO_SOON]


async def test_a_voided_dose_does_not_count(state: AppState) -> None:
    revision = state.database.tables.vaccinations.at(VACCINATION_ID)["revision"]
    void = ChangeDraft(ChangeKind.VOID_VACCINATION, VACCINATION_ID, {"reason": "誤登"}, (revision,))
    await state.commit([void])

    assert told(state, VARICELLA) == []


async def test_a_dose_being_corrected_is_not_too_near_to_itself(state: AppState) -> None:
    corrected = VaccinationText("1151110", "Var", "1", "T025257-CDC", "1")

    assert told(state, corrected, VACCINATION_ID) == []


async def test_why_staff_saved_against_a_warning_stays_in_the_record(state: AppState) -> None:
    draft, _ = check_form(state, VARICELLA, PATIENT_ID, OTHER_ID)
    kept = draft.model_copy(update={"warning_reason": "出國需要，醫師同意"})
    payload = kept.model_dump(mode="json", exclude_defaults=True)
    await state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, OTHER_ID, payload)])

    assert state.database.tables.vaccinations.at(OTHER_ID)["warning_reason"] == "出國需要，醫師同意"
