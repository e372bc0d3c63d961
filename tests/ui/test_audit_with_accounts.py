"""The audit where people sign in: an entry has its person, only managers look, a revoked device tells to the end."""

from collections.abc import AsyncIterator

import pytest

from store.audit import AuditAction, AuditEntry
from store.audit_protocol import AuditPage, AuditQuery, AuditTelling
from store.audit_trail import AuditTrail
from store.changes import ChangeKind
from store.storage import MemoryFolder
from tests.factories import PATIENT_ID
from tests.store.test_audit import chain
from tests.sync.running_hub import WORLD
from tests.sync.staff_and_devices import MANAGER, DeskDevice
from tests.ui.test_session import Desk, desk  # noqa: F401 -- the fixture
from tests.ui.waiting import until
from ui.audit_client import ask_for_audit
from ui.audit_teller import AuditTeller
from ui.audit_text import row_of


@pytest.fixture
async def noting(desk: Desk) -> AsyncIterator[Desk]:  # noqa: F811
    """The same desk, with a trail."""
    state = desk.state
    state.trail = AuditTrail(MemoryFolder(), WORLD, lambda: state.database.device_id)
    state.sync.after_sync = AuditTeller(state.trail, state.network).tell
    yield desk
    await state.trail.close()


async def look(manager: DeskDevice) -> AuditPage:
    answer = await manager.get("/api/audit?limit=200")
    assert answer.status == 200, await answer.text()
    return AuditPage.model_validate_json(await answer.read())


async def entries(manager: DeskDevice) -> list[AuditEntry]:
    return (await look(manager)).entries[::-1]


async def test_who_unlocked_stands_in_what_was_looked_at_and_in_what_was_recorded(noting: Desk) -> None:
    noting.state.note(AuditAction.VIEWED, record_id=PATIENT_ID)
    await noting.record()
    assert await noting.sync()

    by_may = {entry.what for entry in await entries(noting.manager) if entry.who == "May"}

    assert {AuditAction.SIGNED_IN, AuditAction.SESSION_BEGAN, AuditAction.VIEWED, ChangeKind.REGISTER_PATIENT} <= by_may


async def test_only_a_manager_looks_and_the_look_has_a_name(noting: Desk) -> None:
    assert await noting.sync()
    answer = await noting.tablet.get("/api/audit")
    assert answer.status == 403
    assert "role_may_not" in await answer.text()

    looked = [entry for entry in await entries(noting.manager) if entry.what == AuditAction.VIEWED_AUDIT]
    assert [(entry.who, entry.device_id) for entry in looked] == [(MANAGER, noting.manager.device_id)]


async def test_devices_go_by_the_names_that_managers_gave_them(noting: Desk) -> None:
    noting.state.note(AuditAction.VIEWED, record_id=PATIENT_ID)
    assert await noting.sync()

    page = await look(noting.manager)

    devices = {(entry.what, row_of(noting.state, entry, page.device_names)["device"]) for entry in page.entries}
    assert (AuditAction.VIEWED, "本機 平板") in devices  # where the store's own id stands
    assert {(AuditAction.SIGNED_IN, "平板"), (AuditAction.VIEWED_AUDIT, "診所電腦")} <= devices


async def test_a_stranger_neither_looks_nor_tells(noting: Desk) -> None:
    stranger = DeskDevice(noting.hub.url)
    telling = AuditTelling(device_id="d" * 32, entries=chain(2))
    try:
        assert (await stranger.get("/api/audit")).status == 401
        assert (await stranger.post("/api/audit", telling)).status == 401
    finally:
        await stranger.close()
    assert not [entry for entry in await entries(noting.manager) if entry.told is not None]


async def test_a_device_tells_no_chain_of_another(noting: Desk) -> None:
    assert await noting.sync()  # the hub learns whose store it is
    name = noting.state.database.device_id

    answer = await noting.manager.post("/api/audit", AuditTelling(device_id=name, entries=chain(2)))

    assert answer.status == 403


async def test_a_revoked_device_hands_over_what_was_looked_at_there(noting: Desk) -> None:
    assert await noting.sync()
    noting.state.note(AuditAction.VIEWED, record_id=PATIENT_ID)
    await noting.revoke()

    assert not await noting.sync()
    await until(lambda: "wiped" in noting.vault.told)

    assert AuditAction.VIEWED in {entry.what for entry in await entries(noting.manager) if entry.who == "May"}


async def test_who_may_not_look_is_told_so_in_words(noting: Desk) -> None:
    assert await ask_for_audit(noting.state, AuditQuery()) == "只有管理者可以查看稽核紀錄。請管理者解鎖後再查。"
