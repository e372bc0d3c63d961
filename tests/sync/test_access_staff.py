"""Accounts over a real hub: what a manager makes of them, what stands in the way, when one is off."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from store.access_protocol import DeviceState, Done, FieldProblem, PasswordChange, StaffAccount, StaffList
from store.audit_protocol import AuditQuery
from store.changes import World
from store.roles import Role
from sync.access import passwords
from tests.sync.running_hub import WORLD, RunningHub, running_hub
from tests.sync.staff_and_devices import MANAGER, PASSWORD, DeskDevice, Devices, first_manager
from tests.sync.test_routes import assert_error

NEW_PASSWORD = "another long sentence"


@dataclass
class Clinic:
    hub: RunningHub
    manager: DeskDevice
    devices: Devices
    later: list[timedelta]

    async def staff(self) -> dict[str, StaffAccount]:
        answer = await self.manager.get("/api/access/staff")
        return {one.staff_id: one for one in StaffList.model_validate_json(await answer.read()).staff}

    async def device_of(self, staff_id: str) -> DeskDevice:
        return self.devices.keep(await self.manager.enrol_another(staff_id))

    async def sign_in(self, staff_id: str, password: str = PASSWORD) -> str:
        """The code of what the hub says; empty where it lets in."""
        asked = await self.manager.sign_in_request(staff_id, password)
        answer = json.loads(await (await self.manager.post("/api/access/sign-in", asked)).read())
        return str(answer.get("error", {}).get("code", ""))


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    later = [timedelta()]
    world = World(now=lambda: datetime.now(UTC) + later[0], random_bytes=WORLD.random_bytes)
    async with running_hub(tmp_path, world=world) as hub, Devices() as devices:
        yield Clinic(hub, devices.keep(await first_manager(hub.url)), devices, later)


def at(field: str, code: str) -> list[FieldProblem]:
    return [FieldProblem(field=field, code=code)]


async def test_an_account_has_the_roles_it_was_given(clinic: Clinic) -> None:
    assert await clinic.manager.set_staff("小美", [Role.RECORDER, Role.VACCINATOR]) == Done()
    await clinic.device_of("小美")
    staff = await clinic.staff()
    assert (staff["小美"].roles, staff["小美"].is_off) == ([Role.RECORDER, Role.VACCINATOR], False)
    assert staff["小美"].devices == ["平板"]
    assert staff["小美"].last_used_at is not None


async def test_a_name_that_people_would_take_for_another_is_taken(clinic: Clinic) -> None:
    await clinic.manager.set_staff("May", [Role.RECORDER])
    for like in ("may", "ＭＡＹ", "May"):
        told = await clinic.manager.set_staff(like, [Role.RECORDER])
        assert told.problems == at("staff_id", "staff_id_taken"), like


async def test_a_name_typed_in_small_letters_is_whose_it_is(clinic: Clinic) -> None:
    await clinic.manager.set_staff("May", [Role.RECORDER])
    assert (await clinic.manager.sign_in("may")).staff_id == "May"


async def test_all_problems_of_an_account_are_told_at_once(clinic: Clinic) -> None:
    told = await clinic.manager.set_staff("", [], password="x")
    assert {(problem.field, problem.code) for problem in told.problems} == {
        ("staff_id", "staff_id_form"),
        ("roles", "role_missing"),
        ("password", "password_short"),
    }
    assert set(await clinic.staff()) == {MANAGER}


async def test_an_account_that_is_not_there_is_not_changed(clinic: Clinic) -> None:
    told = await clinic.manager.set_staff("May", [Role.RECORDER], is_new=False, password=None)
    assert told.problems == at("staff_id", "staff_unknown")


async def test_the_last_manager_stays_one(clinic: Clinic) -> None:
    change = {"is_new": False, "password": None}
    told = await clinic.manager.set_staff(MANAGER, [Role.RECORDER], **change)
    assert told.problems == at("roles", "last_manager")
    told = await clinic.manager.set_staff(MANAGER, [Role.MANAGER], active=False, **change)
    assert told.problems == at("active", "last_manager")

    await clinic.manager.set_staff("Lin", [Role.MANAGER])
    assert await clinic.manager.set_staff(MANAGER, [Role.RECORDER], **change) == Done()


async def test_a_password_that_a_manager_sets_anew_counts_and_the_old_one_no_more(clinic: Clinic) -> None:
    await clinic.manager.set_staff("May", [Role.RECORDER])
    await clinic.manager.set_staff("May", [Role.RECORDER], is_new=False, password=NEW_PASSWORD)
    assert await clinic.sign_in("May") == "wrong_password"
    assert await clinic.sign_in("May", NEW_PASSWORD) == ""


async def test_an_own_password_is_changed_with_the_present_one(clinic: Clinic) -> None:
    async def change(old: str, new: str) -> Done:
        answer = await clinic.manager.post("/api/access/password", PasswordChange(old=old, new=new))
        return Done.model_validate_json(await answer.read())

    assert (await change("not the present one", NEW_PASSWORD)).problems == at("old", "password_wrong")
    assert (await change(PASSWORD, "short")).problems == at("new", "password_short")
    assert await change(PASSWORD, NEW_PASSWORD) == Done()
    assert await clinic.sign_in(MANAGER, NEW_PASSWORD) == ""


async def test_a_new_password_has_to_be_said_on_every_other_device(clinic: Clinic) -> None:
    await clinic.manager.set_staff("May", [Role.RECORDER])
    one, two = await clinic.device_of("May"), await clinic.device_of("May")

    answer = await one.post("/api/access/password", PasswordChange(old=PASSWORD, new=NEW_PASSWORD))
    assert answer.status == 200
    assert (await one.post("/api/access/device-state", DeviceState())).status == 200
    await assert_error(await two.post("/api/access/device-state", DeviceState()), 401, "session_needed")
    refused = await two.post("/api/access/session", await two.session_request("May"))
    await assert_error(refused, 401, "sign_in_needed")
    await two.enter("May", NEW_PASSWORD)

    await clinic.manager.set_staff("May", [Role.RECORDER], is_new=False, password=PASSWORD)
    for device in (one, two):
        refused = await device.post("/api/access/session", await device.session_request("May"))
        await assert_error(refused, 401, "sign_in_needed")
    # Who she is there is not forgotten: what she recorded and has not sent is hers.
    known = clinic.hub.hub.access.known
    assert all("May" in known.devices[device.device_id].staff for device in (one, two))


async def test_the_same_letters_written_in_two_ways_are_one_password(clinic: Clinic) -> None:
    await clinic.manager.set_staff("May", [Role.RECORDER], password="Ünïcödé pass")
    assert await clinic.sign_in("May", "U\u0308ni\u0308co\u0308de\u0301 pass") == ""


async def test_a_hash_of_before_is_made_anew_and_never_over_a_password_set_meanwhile(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hash_of_manager() -> str:
        return clinic.hub.hub.access.known.accounts[MANAGER].password_hash

    before, desk = hash_of_manager(), clinic.hub.hub.access
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))
    assert await clinic.sign_in(MANAGER) == ""
    anew = hash_of_manager()
    assert before != anew
    await desk._hash_anew(desk.known.accounts[MANAGER].model_copy(update={"password_hash": before}), PASSWORD)
    assert hash_of_manager() == anew
    assert await clinic.sign_in(MANAGER) == ""
    assert hash_of_manager() == anew


# ---- ninety days


async def test_an_account_unused_for_ninety_days_is_off_until_a_manager_turns_it_on(clinic: Clinic) -> None:
    await clinic.manager.set_staff("May", [Role.RECORDER])
    tablet = await clinic.device_of("May")
    clinic.later[0] = timedelta(days=91)
    await assert_error(await tablet.post("/api/search", b'{"typed": "x"}'), 401, "account_off")
    assert await clinic.sign_in("May") == "account_off"
    assert await clinic.sign_in("May", "a wrong password") == "wrong_password"
    assert (await clinic.staff())["May"].is_off

    assert await clinic.manager.set_staff("May", [Role.RECORDER], is_new=False, password=None) == Done()
    assert not (await clinic.staff())["May"].is_off
    assert await clinic.sign_in("May") == ""


async def test_an_account_in_use_is_never_off(clinic: Clinic) -> None:
    await clinic.manager.set_staff("May", [Role.RECORDER])
    for days in (80, 160, 240):
        clinic.later[0] = timedelta(days=days)
        assert await clinic.sign_in("May") == ""


async def test_the_last_manager_is_not_off_however_long_the_clinic_was_closed(clinic: Clinic) -> None:
    clinic.later[0] = timedelta(days=1000)
    assert await clinic.sign_in(MANAGER) == ""


async def test_of_managers_who_were_all_away_the_last_one_seen_gets_in(clinic: Clinic) -> None:
    await clinic.manager.set_staff("Lin", [Role.MANAGER])
    clinic.later[0] = timedelta(days=10)
    await clinic.sign_in("Lin")
    clinic.later[0] = timedelta(days=200)
    assert await clinic.sign_in(MANAGER) == "account_off"
    assert await clinic.sign_in("Lin") == ""
    assert await clinic.sign_in(MANAGER) == "account_off"


async def test_a_date_set_wrong_turns_off_nobody_for_good(clinic: Clinic) -> None:
    await clinic.manager.set_staff("May", [Role.RECORDER])
    for days in (4000, -4000, 0):
        clinic.later[0] = timedelta(days=days)
        assert await clinic.sign_in("May") == ("account_off" if days == 4000 else "")


# ---- what is noted for the audit


async def noted(clinic: Clinic) -> list[tuple[str, str, dict[str, str | int]]]:
    audit = clinic.hub.hub.audit
    await audit.settle()
    page = await audit.find(AuditQuery(limit=100))
    return [(entry.who, entry.what, entry.about) for entry in reversed(page.entries)]


async def test_what_a_manager_does_with_accounts_is_noted(clinic: Clinic) -> None:
    start = len(await noted(clinic))
    may, keep = {"staff_id": "May"}, {"is_new": False, "password": None}
    await clinic.manager.set_staff("May", [Role.RECORDER])
    await clinic.manager.set_staff("May", [Role.VACCINATOR], **keep)
    await clinic.manager.set_staff("May", [Role.VACCINATOR], **keep)
    await clinic.manager.set_staff("May", [Role.VACCINATOR], is_new=False, password=NEW_PASSWORD)
    await clinic.manager.set_staff("May", [Role.VACCINATOR], active=False, **keep)
    await clinic.manager.set_staff("May", [Role.RECORDER], **keep)
    done = [what for who, what, about in (await noted(clinic))[start:] if (who, about) == (MANAGER, may)]
    assert done == ["made_account", "set_roles", "set_password", "turned_off", "set_roles", "turned_on"]


async def test_a_tablet_that_asks_again_and_again_fills_no_audit(clinic: Clinic) -> None:
    await clinic.manager.set_staff("May", [Role.RECORDER])
    tablet = await clinic.device_of("May")
    await tablet.sign_in("May")
    start = len(await noted(clinic))
    for _ in range(5):
        asked = (await tablet.session_request("May")).model_copy(update={"staff_token": "A" * 43})
        await assert_error(await tablet.post("/api/access/session", asked), 401, "sign_in_needed")
        await assert_error(await tablet.post("/api/cdc/stock"), 403, "role_may_not")
        await assert_error(await tablet.post("/api/cdc/stock"), 403, "role_may_not")
    later = (await noted(clinic))[start:]
    assert [what for _, what, _ in later] == ["session_refused", "role_refused"]


async def test_nothing_that_was_typed_wrong_is_in_the_audit(clinic: Clinic) -> None:
    for staff_id in ("B222419838", MANAGER):
        assert await clinic.sign_in(staff_id, "測試患者 wrong") == "wrong_password"
    entries = await noted(clinic)
    assert [who for who, what, _ in entries if what == "sign_in_refused"] == ["nobody", MANAGER]
    assert "B222419838" not in str(entries)
