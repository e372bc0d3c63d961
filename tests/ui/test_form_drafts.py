"""What stands half-filled in any form is there again after a reload, for whom it was meant and for nobody else."""

from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.stock import StockRow
from tests.factories import LOT_ID, PATIENT_ID, make_exam, make_patient
from tests.ui.keys import press
from ui.form_drafts import Form, kept_draft
from ui.state import AppState

OTHER_PERSON = "9" * 32
BACK = "已還原尚未存檔的內容"


async def keep(state: AppState, kind: ChangeKind, record: Any) -> None:
    payload = record.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
    await state.commit([ChangeDraft(kind, record.record_id, payload)])


async def fill(user: User, **fields: str) -> None:
    for name, value in fields.items():
        await user.should_see(marker=name)
        next(iter(user.find(marker=name).elements)).set_value(value)


def value_of(user: User, name: str) -> object:
    return next(iter(user.find(marker=name).elements)).value


async def test_a_new_patient_is_gone_on_with_and_forgotten_once_saved(user: User, state: AppState) -> None:
    await user.open("/BA102_3")
    user.find(marker="new-patient").click()
    await fill(user, chart_number="070001", name="王小寶", sex="1")

    await user.open("/BA102_3")
    await user.should_see(BACK)
    assert [value_of(user, name) for name in ("chart_number", "name", "sex")] == ["070001", "王小寶", "1"]

    user.find(marker="save-patient").click()
    await user.should_see(marker="past-doses")
    assert kept_draft(state, Form.PATIENT) is None


async def test_who_is_searched_in_vain_next_gets_nothing_of_the_one_before(user: User) -> None:
    await user.open("/BA102_3")
    user.find(marker="new-patient").click()
    await fill(user, chart_number="070001", phone="0912000000")

    await user.open(f"/BA102_3?patient={PATIENT_ID}")
    for keyboard in user.find(ui.keyboard).elements:
        press(keyboard, "F2")
    await user.should_see(marker="patient-search")
    await fill(user, **{"patient-search": "070002"})
    user.find(marker="new-patient").click()

    await user.should_see(marker="chart_number")
    assert (value_of(user, "chart_number"), value_of(user, "phone")) == ("070002", "")


async def test_a_person_half_mended_is_gone_on_with_in_that_persons_form_alone(user: User, state: AppState) -> None:
    await keep(state, ChangeKind.REGISTER_PATIENT, make_patient(record_id=OTHER_PERSON, chart_number="057165"))
    await user.open(f"/BA102_3?patient={PATIENT_ID}")
    user.find(marker="edit-patient").click()
    await fill(user, phone="0987")

    await user.open(f"/BA102_3?patient={OTHER_PERSON}")
    user.find(marker="edit-patient").click()
    await user.should_see(marker="save-patient")
    assert value_of(user, "phone") == "0912345678"

    await user.open(f"/BA102_3?patient={PATIENT_ID}")
    await user.should_see(marker="save-patient")
    assert value_of(user, "phone") == "0987"


async def test_a_person_mended_out_of_a_dose_comes_before_the_dose(user: User) -> None:
    await user.open(f"/BA102_3?patient={PATIENT_ID}")
    await fill(user, vaccine_code="MMR", note="左臂")
    user.find(marker="edit-patient").click()
    await fill(user, phone="0987")

    await user.open("/BA102_3")
    await user.should_see(marker="save-patient")
    user.find(marker="leave").click()

    await user.should_see(marker="past-doses")
    assert value_of(user, "note") == "左臂"


@pytest.mark.parametrize("path", ["/BA109", f"/BA109?lot={LOT_ID}"])
async def test_a_lot_is_gone_on_with(user: User, state: AppState, path: str) -> None:
    await user.open(path)
    if path == "/BA109":
        user.find(marker="add-lot").click()
    await fill(user, lot_number="HALF-1", doses_per_vial="1")
    await user.open(path)

    await user.should_see(BACK)
    assert value_of(user, "lot_number") == "HALF-1"
    user.find(marker="leave").click()
    await user.should_see(marker="lot-search")
    assert kept_draft(state, Form.LOT) is None


async def test_a_half_filled_new_lot_is_not_put_into_another_lot(user: User) -> None:
    await user.open("/BA109")
    user.find(marker="add-lot").click()
    await fill(user, lot_number="HALF-1")

    await user.open(f"/BA109?lot={LOT_ID}")
    await user.should_see(marker="lot-form")
    assert value_of(user, "lot_number") == "AMJRE075AA-CDC"


@pytest.mark.parametrize("path", ["/BA103_3", f"/BA103_3?patient={PATIENT_ID}"])
async def test_an_exam_is_gone_on_with_for_its_person(user: User, state: AppState, path: str) -> None:
    await keep(state, ChangeKind.REGISTER_PATIENT, make_patient(record_id=OTHER_PERSON, chart_number="057165"))
    await user.open(f"/BA103_3?patient={PATIENT_ID}")
    user.find(marker="new").click()
    await fill(user, exam_type="2", viral_load="1E+4", hbsag="POS")

    await user.open(f"/BA103_3?patient={OTHER_PERSON}")
    await user.should_see(marker="no-history")
    user.find(marker="new").click()
    await user.should_see(marker="exam_type")
    assert value_of(user, "exam_type") is None

    await user.open(path)
    await user.should_see(BACK)
    assert [value_of(user, name) for name in ("exam_type", "viral_load", "hbsag")] == ["2", "1E+4", "POS"]
    user.find(marker="leave").click()
    await user.should_see(marker="new")
    assert kept_draft(state, Form.EXAM) is None


async def test_an_exam_half_corrected_is_gone_on_with(user: User, state: AppState) -> None:
    await keep(state, ChangeKind.RECORD_EXAM, make_exam())
    await user.open(f"/BA103_3?record={make_exam().record_id}")
    await fill(user, viral_load="9E+9")

    await user.open("/BA103_3")
    await user.should_see(BACK)
    assert value_of(user, "viral_load") == "9E+9"


async def test_vials_nobody_can_read_stay_to_be_mended(user: User, state: AppState) -> None:
    row = StockRow(identifier="S-1", vaccine_code="MMR", lot_number="X-CDC", lot_type="1", vials=14)
    await state.commit([ChangeDraft(ChangeKind.STOCK_RECEIVED, "d1", {"rows": [row.model_dump(mode="json")]})])
    await user.open("/BA109_3_DOWNLOAD")
    await fill(user, **{"vials-X-CDC": "1o"})

    await user.open("/BA109_3_DOWNLOAD")
    assert value_of(user, "vials-X-CDC") == "1o"
    await fill(user, **{"vials-X-CDC": "10"})

    await user.should_see("4")
    assert kept_draft(state, Form.STOCK) is None
