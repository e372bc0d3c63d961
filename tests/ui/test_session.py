"""Whoever is at the desk, before a real hub with accounts: sessions, roles, and a device that is turned off."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from store.access_protocol import Purpose, RevokeDevice
from store.changes import ChangeDraft, ChangeKind
from store.roles import Role
from tests.factories import make_lot, make_patient
from tests.sync.running_hub import WORLD, RunningHub, make_device, running_hub
from tests.sync.staff_and_devices import DeskDevice, Devices, first_manager
from tests.ui.test_sync_client import HttpNetwork
from tests.ui.waiting import until
from ui.leaving import DeviceRevoked
from ui.session import PersonAtDesk, RoleMayNot, SignedNetwork
from ui.state import AppState
from ui.sync_client import HubLink


@dataclass
class TabletVault:
    """The vault of a test's tablet: its keys are real, its screens are words in a list."""

    device: DeskDevice
    told: list[str] = field(default_factory=list)
    idle: int = 180

    def build_id(self) -> str:
        return "a build"

    async def sign(self, purpose: str, challenge: str, staff_id: str) -> str:
        return self.device.sign(Purpose(purpose), challenge, staff_id)

    def keep_staff(self, staff_json: str) -> None:
        self.told.append(staff_json)

    async def sign_in_again(self) -> None:
        self.told.append("sign in again")

    async def wipe(self) -> None:
        self.told.append("wiped")

    async def lock(self) -> None:
        self.told.append("locked")

    async def change_pin(self) -> None:
        self.told.append("change the PIN")

    async def begin_accounts(self) -> None:
        self.told.append("first account")

    async def ask_to_enrol(self) -> None:
        self.told.append("enrol")

    async def idle_seconds(self) -> int:
        return self.idle

    async def keep_idle_seconds(self, seconds: int) -> None:
        self.idle = seconds


@dataclass
class Desk:
    hub: RunningHub
    manager: DeskDevice
    tablet: DeskDevice
    network: HttpNetwork
    vault: TabletVault
    state: AppState

    async def record(self, kind: ChangeKind = ChangeKind.REGISTER_PATIENT) -> None:
        record = make_lot() if kind is ChangeKind.REGISTER_LOT else make_patient()
        payload = record.model_dump(mode="json", exclude={"record_id"})
        await self.state.commit([ChangeDraft(kind, record.record_id, payload)])

    async def sync(self) -> bool:
        return await self.state.sync.sync_now()

    async def revoke(self) -> None:
        answer = await self.manager.post("/api/access/devices/revoke", RevokeDevice(device_id=self.tablet.device_id))
        assert answer.status == 200


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """May, a recorder, has just unlocked a tablet; it has no session yet."""
    async with running_hub(tmp_path) as hub, Devices() as devices:
        manager = devices.keep(await first_manager(hub.url))
        await manager.set_staff("May", [Role.RECORDER])
        tablet = devices.keep(DeskDevice(hub.url))
        await tablet.enrol(await manager.code())
        token = (await tablet.sign_in("May")).staff_token
        network, vault = HttpNetwork(hub.url, tablet.session), TabletVault(tablet)
        person = PersonAtDesk(device_id=tablet.device_id, staff_id="May", roles=["recorder"], staff_token=token)
        state = AppState(await make_device(), WORLD, network, person=person, vault=vault)
        yield Desk(hub, manager, tablet, network, vault, state)
        await network.close()


async def test_the_person_at_the_desk_makes_the_changes_and_gets_a_session_by_itself(desk: Desk) -> None:
    await desk.record()

    assert await desk.sync()

    assert {row["change"].made_by for row in desk.hub.database.tables.changes.documents()} == {"May"}
    assert '"May"' in desk.vault.told[0]


async def test_a_session_that_ended_is_begun_anew(desk: Desk) -> None:
    assert await desk.sync()
    desk.tablet.session.cookie_jar.clear()
    await desk.record()

    assert await desk.sync()

    assert list(desk.hub.database.tables.patients.ids())


async def test_requests_at_once_share_one_session(desk: Desk) -> None:
    network = desk.state.network
    assert isinstance(network, SignedNetwork)
    asked = (b'{"typed": "x"}', {"Content-Type": "application/json"})

    answers = await asyncio.gather(*(network.fetch("POST", "/api/search", *asked) for _ in range(5)))

    assert [status for status, _, _ in answers] == [200] * 5
    assert len(desk.vault.told) == 1


async def test_what_the_role_may_not_do_is_not_recorded_since_the_hub_would_refuse_all_that_comes_with_it(
    desk: Desk,
) -> None:
    with pytest.raises(RoleMayNot):
        await desk.record(ChangeKind.REGISTER_LOT)
    await desk.record()

    assert await desk.sync()

    assert not list(desk.hub.database.tables.lots.ids())


async def test_a_role_that_was_given_meanwhile_is_known_with_the_next_session(desk: Desk) -> None:
    await desk.manager.set_staff("May", [Role.RECORDER, Role.STOCK_KEEPER], is_new=False, password=None)

    assert await desk.sync()

    assert desk.state.may(ChangeKind.REGISTER_LOT)


async def test_an_account_that_is_off_has_to_sign_in_again(desk: Desk) -> None:
    await desk.manager.set_staff("May", [Role.RECORDER], is_new=False, password=None, active=False)

    assert not await desk.sync()

    assert "sign in again" in desk.vault.told


async def test_away_from_the_hub_she_works_on_and_nothing_is_asked_of_her(desk: Desk) -> None:
    desk.network.cut = True
    await desk.record()

    assert not await desk.sync()

    assert desk.state.sync.link is HubLink.NO_NETWORK
    assert desk.vault.told == []


async def test_the_live_stream_opens_once_there_is_a_session(desk: Desk) -> None:
    opened: list[bool] = []
    stop = desk.state.network.event_stream("/api/events", lambda text: None, opened.append)

    await until(lambda: opened == [True])

    stop()


async def test_a_device_that_is_turned_off_hands_over_then_wipes_itself(desk: Desk) -> None:
    assert await desk.sync()
    await desk.record()
    await desk.revoke()

    assert not await desk.sync()
    await until(lambda: "wiped" in desk.vault.told)

    assert list(desk.hub.database.tables.patients.ids())
    with pytest.raises(DeviceRevoked):
        await desk.record()


async def test_nothing_is_wiped_before_the_hub_has_all(desk: Desk) -> None:
    assert await desk.sync()
    await desk.record()
    await desk.revoke()
    assert not await desk.sync()
    desk.network.lose_answers = 9
    await until(lambda: desk.network.lose_answers < 9)
    desk.network.cut = True
    assert not await desk.sync()
    assert "wiped" not in desk.vault.told
    assert len(desk.state.database.unsent) == 1

    desk.network.cut, desk.network.lose_answers = False, 0
    assert not await desk.sync()

    await until(lambda: "wiped" in desk.vault.told)
    assert len(list(desk.hub.database.tables.patients.ids())) == 1
