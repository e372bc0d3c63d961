"""What a clinic that starts for the first time is told to do."""

import pytest
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from tests.factories import make_patient
from tests.sync.staff_and_devices import DeskDevice
from tests.ui.offline import FailingStorage, NoNetwork
from tests.ui.test_session import TabletVault
from tests.ui.waiting import until
from tests.worlds import Clock, make_world
from ui.session import PersonAtDesk
from ui.state import AppState
from ui.sync_client import HubLink


@pytest.fixture
async def state(storage: FailingStorage) -> AppState:
    """Nobody is here yet."""
    world = make_world(Clock())
    return AppState(await DeviceDatabase.open(storage, world), world, NoNetwork())


async def test_it_begins_with_the_managers_account_and_is_over_when_there_are_people(
    state: AppState, user: User
) -> None:
    device = DeskDevice("http://127.0.0.1:9")
    await device.close()
    state.vault = vault = TabletVault(device)
    await user.open("/")
    await user.should_not_see(marker="first-start")
    state.sync.link = HubLink.CONNECTED  # and nobody came from the hub either
    state.changed.emit()

    user.find(marker="begin-accounts").click()
    await until(lambda: vault.told == ["first account"])

    payload = (person := make_patient()).model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, person.record_id, payload)])
    await user.should_not_see(marker="first-start")


async def test_who_has_an_account_is_not_told(state: AppState, user: User) -> None:
    state.person = PersonAtDesk("d" * 32, "May", ["recorder"], "")
    state.sync.link = HubLink.CONNECTED
    await user.open("/")
    await user.should_see(marker="2.BA102_3")
    await user.should_not_see(marker="first-start")
