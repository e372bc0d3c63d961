"""A device's program on CPython, with one patient and one lot, and no network."""

from collections.abc import AsyncIterator

import pytest
from nicegui.testing import User, user_simulation

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from tests.factories import make_lot, make_patient
from tests.ui.offline import FailingStorage, NoNetwork
from tests.worlds import Clock, make_world
from ui import boot
from ui.state import AppState


@pytest.fixture
async def storage() -> FailingStorage:
    return FailingStorage()


@pytest.fixture
async def state(storage: FailingStorage) -> AppState:
    world = make_world(Clock())
    state = AppState(await DeviceDatabase.open(storage, world), world, NoNetwork())
    for kind, record in ((ChangeKind.REGISTER_PATIENT, make_patient()), (ChangeKind.REGISTER_LOT, make_lot())):
        payload = record.model_dump(mode="json", exclude={"record_id"})
        await state.commit([ChangeDraft(kind, record.record_id, payload)])
    return state


@pytest.fixture
async def user(state: AppState) -> AsyncIterator[User]:
    async with user_simulation(root=None) as user:
        boot.define_pages()
        boot.run(state)
        yield user
