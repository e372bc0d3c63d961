"""Whose changes the hub takes from a device, and of which kind; and what a revoked one still hands over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.access_protocol import HandOverAnswer
from store.changes import HUB_MADE_KINDS, Change, ChangeKind, World
from store.device_database import DeviceDatabase
from store.protocol import STAFF, SyncAnswer
from store.roles import Role, may_make
from tests.sync.running_hub import WORLD, RunningHub, make_device, register_patient, request_of, running_hub
from tests.sync.staff_and_devices import MANAGER, DeskDevice, Devices, first_manager
from tests.sync.test_routes import assert_error, charts


@dataclass
class Clinic:
    """Shape: `store` is the tablet's; May, a recorder, is signed in on it."""

    hub: RunningHub
    manager: DeskDevice
    tablet: DeskDevice
    store: DeviceDatabase
    devices: Devices
    later: list[timedelta]

    async def change(self, **facts: Any) -> Change:
        """One that May made on the tablet now, or what the facts make of it."""
        change = await register_patient(self.store, WORLD.make_record_id()[:8])
        now = datetime.now(UTC) + self.later[0]
        return change.model_copy(update={"made_by": "May", "made_at": now} | facts)

    async def push(self, *changes: Change, device: DeskDevice | None = None) -> str:
        """The code of what the hub says and its detail; empty where it takes them."""
        answer = await (device or self.tablet).post("/api/sync", request_of(self.store, changes=list(changes)))
        if answer.status == 200:
            accepted = SyncAnswer.model_validate_json(await answer.read()).accepted
            assert len(accepted) == len(changes)
            return ""
        error = (await answer.json())["error"]
        return f"{error['code']} {error['detail']}".strip()

    async def set_roles(self, staff_id: str, *roles: Role, active: bool = True) -> None:
        told = await self.manager.set_staff(staff_id, roles, is_new=False, password=None, active=active)
        assert not told.problems

    async def revoke(self) -> None:
        body = f'{{"device_id": "{self.tablet.device_id}"}}'.encode()
        assert (await self.manager.post("/api/access/devices/revoke", body)).status == 200


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    later = [timedelta()]
    world = World(now=lambda: datetime.now(UTC) + later[0], random_bytes=WORLD.random_bytes)
    async with running_hub(tmp_path, world=world) as hub, Devices() as devices:
        manager = devices.keep(await first_manager(hub.url))
        await manager.set_staff("May", [Role.RECORDER])
        tablet = devices.keep(await manager.enrol_another("May"))
        yield Clinic(hub, manager, tablet, await make_device(), devices, later)


# ---- kinds and roles


@pytest.mark.parametrize("role", Role)
async def test_a_role_brings_the_kinds_it_may_make_and_no_other(clinic: Clinic, role: Role) -> None:
    await clinic.manager.set_staff("One", [role])
    tablet = clinic.devices.keep(await clinic.manager.enrol_another("One"))
    for kind in ChangeKind:
        before, change = clinic.hub.database.head, await clinic.change(made_by="One", kind=kind)
        said = await clinic.push(change, device=tablet)
        if kind in HUB_MADE_KINDS:
            assert said == "invalid_body changes: a kind that only the hub makes"
        else:
            assert said == ("" if may_make([role], kind) else f"role_may_not {kind}"), kind
        assert clinic.hub.database.head == before + (said == "")


async def test_of_a_batch_with_one_that_may_not_be_nothing_is_taken(clinic: Clinic) -> None:
    good, bad = await clinic.change(), await clinic.change(kind=ChangeKind.SET_CLINIC)
    assert await clinic.push(good, bad) == "role_may_not set_clinic"
    assert clinic.hub.database.head == 0
    assert await clinic.push(good) == ""


async def test_a_kind_of_a_newer_program_is_refused_by_a_name_that_shows_nothing(clinic: Clinic) -> None:
    assert await clinic.push(await clinic.change(kind="王小明 B222419838")) == "role_may_not unknown"


# ---- whose


async def test_a_change_in_the_name_of_somebody_who_is_not_on_this_device_is_refused(clinic: Clinic) -> None:
    for name in (MANAGER, "Nobody", "hub", ""):
        assert await clinic.push(await clinic.change(made_by=name)) == "not_at_the_desk register_patient", name


async def test_what_a_colleague_recorded_on_the_same_tablet_goes_with_whoever_is_signed_in(clinic: Clinic) -> None:
    await clinic.manager.set_staff("Lin", [Role.STOCK_KEEPER])
    await clinic.tablet.enter("Lin")
    assert await clinic.push(await clinic.change()) == ""
    assert await clinic.push(await clinic.change(made_by="Lin")) == "role_may_not register_patient"
    assert await clinic.push(await clinic.change(made_by="Lin", kind=ChangeKind.REGISTER_LOT)) == ""


async def test_what_was_recorded_before_the_device_was_enrolled_names_nobody_and_is_taken(clinic: Clinic) -> None:
    assert await clinic.push(await clinic.change(made_by=STAFF)) == ""
    clinic.later[0] = timedelta(days=2)
    assert await clinic.push(await clinic.change(made_by=STAFF)) == "not_at_the_desk register_patient"


async def test_nobodys_name_opens_no_other_kind_than_who_brings_it_may_make(clinic: Clinic) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    unnamed = await clinic.change(made_by=STAFF, kind=ChangeKind.SET_CLINIC, made_at=long_ago)
    assert await clinic.push(unnamed) == "role_may_not set_clinic"
    await clinic.tablet.enter(MANAGER)
    assert await clinic.push(unnamed) == ""


async def test_a_store_that_begins_anew_on_a_device_goes_on_under_another_name(clinic: Clinic) -> None:
    assert await clinic.push(await clinic.change()) == ""
    clinic.store = await make_device()
    assert await clinic.push(await clinic.change()) == ""


async def test_the_name_of_another_devices_store_cannot_be_taken(clinic: Clinic) -> None:
    assert await clinic.push(await clinic.change()) == ""
    assert await clinic.push(device=clinic.manager) == "not_at_the_desk"
    own = await make_device()
    answer = await clinic.manager.post("/api/sync", request_of(own, changes=[await clinic.change(made_by=MANAGER)]))
    await assert_error(answer, 403, "not_at_the_desk")


async def test_a_device_has_a_bounded_number_of_stores(clinic: Clinic) -> None:
    changes = [await clinic.change(device_id=f"{number:032x}") for number in range(200)]
    assert await clinic.push(*changes) == "not_at_the_desk"
    assert await clinic.push(*changes[:50]) == ""


async def test_what_the_hub_holds_already_is_acknowledged_without_a_question(clinic: Clinic) -> None:
    change = await clinic.change()
    assert await clinic.push(change) == ""
    assert await clinic.push(change.model_copy(update={"made_by": "Nobody", "kind": "set_clinic"})) == ""
    assert charts(clinic.hub.database) == {change.payload["chart_number"]}


# ---- out of the network while a role was taken


async def test_what_was_made_while_the_role_was_held_is_taken_later(clinic: Clinic) -> None:
    made_then = await clinic.change()
    clinic.later[0] = timedelta(hours=1)
    await clinic.set_roles("May", Role.STOCK_KEEPER)
    clinic.later[0] = timedelta(hours=2)
    # The device is told with this answer; what is made after it is held against what is so now.
    assert await clinic.push() == ""
    clinic.later[0] = timedelta(hours=3)
    assert await clinic.push(await clinic.change()) == "role_may_not register_patient"
    assert await clinic.push(made_then) == ""


async def test_what_was_made_before_the_device_could_know_is_never_stranded_on_it(clinic: Clinic) -> None:
    assert await clinic.push() == ""
    clinic.later[0] = timedelta(hours=1)
    await clinic.set_roles("May", Role.RECORDER, active=False)
    clinic.later[0] = timedelta(hours=2)
    made_unknowing = await clinic.change()
    await clinic.tablet.enter(MANAGER)
    assert await clinic.push(made_unknowing) == ""
    clinic.later[0] = timedelta(hours=3)
    assert await clinic.push(await clinic.change()) == "role_may_not register_patient"


async def test_a_role_given_now_counts_for_what_was_made_before_it(clinic: Clinic) -> None:
    made_before = await clinic.change(kind=ChangeKind.REGISTER_LOT)
    clinic.later[0] = timedelta(hours=1)
    assert await clinic.push(made_before) == "role_may_not register_lot"
    await clinic.set_roles("May", Role.RECORDER, Role.STOCK_KEEPER)
    assert await clinic.push(made_before) == ""


async def test_a_tablet_whose_clock_is_years_wrong_still_brings_its_doses(clinic: Clinic) -> None:
    for year in (1970, 2099):
        assert await clinic.push(await clinic.change(made_at=datetime(year, 1, 1, tzinfo=UTC))) == ""


# ---- handing over


async def test_a_revoked_device_hands_over_what_it_has_not_sent_and_learns_nothing(clinic: Clinic) -> None:
    others = await make_device()
    change = await register_patient(others, "from another")
    seen = request_of(others, changes=[change.model_copy(update={"made_by": MANAGER})])
    assert (await clinic.manager.post("/api/sync", seen)).status == 200
    unsent = await clinic.change()
    await clinic.revoke()

    asked = await clinic.tablet.hand_over_request(request_of(clinic.store, changes=[unsent], after=0))
    answer = await clinic.tablet.post("/api/access/hand-over", asked)
    text = await answer.text()
    assert [a.change_id for a in HandOverAnswer.model_validate_json(text).accepted] == [unsent.change_id]
    assert "from another" not in text
    assert charts(clinic.hub.database) == {"from another", unsent.payload["chart_number"]}

    await assert_error(await clinic.tablet.post("/api/access/hand-over", asked), 401, "wrong_signature")


async def test_a_device_that_wiped_itself_is_told_to_the_manager_and_its_key_is_forgotten(clinic: Clinic) -> None:
    await clinic.revoke()
    device = clinic.hub.hub.access.known.devices[clinic.tablet.device_id]
    assert (device.data_key, device.wiped_at) == (clinic.tablet.data_key, None)
    asked = await clinic.tablet.hand_over_request(request_of(clinic.store, changes=[]), left=2, wiped=True)
    assert (await clinic.tablet.post("/api/access/hand-over", asked)).status == 200
    assert clinic.hub.hub.access.known.devices[clinic.tablet.device_id].wiped_at is None
    assert clinic.hub.hub.access.contacts.seen[clinic.tablet.device_id].state.unsent == 2

    asked = await clinic.tablet.hand_over_request(request_of(clinic.store, changes=[]), wiped=True)
    assert (await clinic.tablet.post("/api/access/hand-over", asked)).status == 200
    device = clinic.hub.hub.access.known.devices[clinic.tablet.device_id]
    assert device.data_key == ""
    assert device.wiped_at is not None


async def test_only_a_revoked_device_hands_over_and_only_what_it_may_bring(clinic: Clinic) -> None:
    async def hand_over(*changes: Change) -> tuple[int, str]:
        asked = await clinic.tablet.hand_over_request(request_of(clinic.store, changes=list(changes)))
        answer = await clinic.tablet.post("/api/access/hand-over", asked)
        return answer.status, (await answer.json()).get("error", {}).get("code", "")

    change = await clinic.change()
    assert await hand_over(change) == (409, "device_not_revoked")
    await clinic.revoke()
    assert await hand_over(await clinic.change(kind=ChangeKind.SET_CLINIC)) == (403, "role_may_not")
    unnamed = await clinic.change(made_by=STAFF, kind=ChangeKind.SET_CLINIC)
    assert await hand_over(unnamed) == (403, "role_may_not")
    assert await hand_over(await clinic.change(made_by=MANAGER)) == (403, "not_at_the_desk")
    assert await hand_over(await clinic.change(kind=ChangeKind.UPLOAD_ACCEPTED)) == (400, "invalid_body")
    thief = clinic.devices.keep(DeskDevice(clinic.hub.url, device_id=clinic.tablet.device_id))
    asked = await thief.hand_over_request(request_of(clinic.store, changes=[change]))
    await assert_error(await thief.post("/api/access/hand-over", asked), 401, "wrong_signature")
    assert clinic.hub.database.head == 0
    assert await hand_over(change) == (200, "")
