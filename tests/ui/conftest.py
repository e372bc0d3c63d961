"""A device's program on CPython, with one patient and one lot, and no network."""

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from nicegui.testing import User, user_simulation

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from tests.factories import make_lot, make_patient
from tests.ui.dirty_screen import Screen
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


@pytest.fixture
def screen(user: User, state: AppState, caplog: pytest.LogCaptureFixture) -> Iterator[Screen]:
    """After it no log has an exception, nor a word of what was typed."""
    caplog.set_level(logging.DEBUG)
    screen = Screen(user, state)
    yield screen
    records = caplog.get_records("call")
    assert [record.getMessage() for record in records if record.levelno >= logging.WARNING] == []
    logged = "\n".join(record.getMessage() for record in records)
    private = {text.strip() for text in (*screen.typed, "測試患者", "B222419838", "0741108")}
    assert [text for text in private if len(text) > 5 and text in logged] == []
