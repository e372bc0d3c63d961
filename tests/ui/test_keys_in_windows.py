"""While a window is open its page's own keys do nothing, from the moment it is asked for."""

import pytest
from nicegui import ui
from nicegui.testing import User

from tests.factories import LOT_ID, PATIENT_ID
from tests.ui.keys import press
from ui.state import AppState


def press_all(user: User, *keys: str) -> None:
    for key in keys:
        for keyboard in user.find(ui.keyboard).elements:
            press(keyboard, key)


async def fill(user: User, **fields: str) -> None:
    for name, value in fields.items():
        await user.should_see(marker=name)
        next(iter(user.find(marker=name).elements)).set_value(value)


async def open_exam(user: User) -> None:
    await user.open(f"/BA103_3?patient={PATIENT_ID}")
    user.find(marker="new").click()
    await fill(user, exam_type="1")


async def open_lot(user: User) -> None:
    await user.open(f"/BA109?lot={LOT_ID}")
    await fill(user, status="recalled")


async def open_dose(user: User) -> None:
    await user.open(f"/BA102_3?patient={PATIENT_ID}")
    await fill(user, vaccine_code="MMR", lot_number="UNHEARD-CDC")


@pytest.mark.parametrize("opens", [open_exam, open_lot, open_dose], ids=["exam", "lot", "dose"])
async def test_escape_takes_back_the_question_and_leaves_the_form_as_it_is(user: User, opens: object) -> None:
    await opens(user)  # type: ignore[operator]
    user.find(marker="save").click()
    await user.should_see(marker="save-anyway")

    press_all(user, "Escape")

    await user.should_not_see(marker="save-anyway")
    await user.should_see(marker="save")
    press_all(user, "Escape")
    await user.should_not_see(marker="save")


async def test_a_key_pressed_before_the_history_is_drawn_does_not_save_the_form_behind(
    user: User, state: AppState
) -> None:
    await user.open(f"/BA102_3?patient={PATIENT_ID}")
    await fill(user, vaccine_code="MMR")

    press_all(user, "F7", "F9", "Escape")

    await user.should_see(marker="history-title")
    await user.should_see(marker="save")
    assert len(state.database.tables.vaccinations) == 0
