"""The first account, and codes: who gets them, once, for how long; and whoever guesses."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientResponse

from store.access_protocol import (
    CODE_SECONDS,
    CodeAnswer,
    EnrolAnswer,
    FirstManager,
    HubState,
    PcCodeRequest,
    SignInRequest,
)
from store.roles import Role
from sync.access import kept_file
from tests.sync.running_hub import RunningHub, running_hub
from tests.sync.staff_and_devices import MANAGER, PASSWORD, DeskDevice, Devices, first_manager, unpadded
from tests.sync.test_routes import assert_error

FIRST = FirstManager(staff_id=MANAGER, password=PASSWORD)


@dataclass
class Clinic:
    hub: RunningHub
    devices: Devices
    steady: list[float]

    def device(self) -> DeskDevice:
        return self.devices.keep(DeskDevice(self.hub.url))

    async def manager(self) -> DeskDevice:
        return self.devices.keep(await first_manager(self.hub.url))

    async def state(self) -> HubState:
        return HubState.model_validate_json(await (await self.hub.get("/api/access/state")).read())


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    steady = [0.0]
    async with running_hub(tmp_path, clock=lambda: steady[0]) as hub, Devices() as devices:
        yield Clinic(hub, devices, steady)


async def code_of(answer: ClientResponse) -> CodeAnswer:
    assert answer.status == 200, await answer.text()
    return CodeAnswer.model_validate_json(await answer.read())


# ---- the first account


async def test_the_first_account_comes_with_a_code_for_this_computers_browser(clinic: Clinic) -> None:
    assert await clinic.state() == HubState(has_accounts=False, is_this_pc=True)
    pc = clinic.device()
    made = await code_of(await pc.post("/api/access/first", FIRST))
    await pc.enrol(made.code)
    await pc.enter(MANAGER)
    assert (await pc.get("/api/access/staff")).status == 200
    assert await clinic.state() == HubState(has_accounts=True, is_this_pc=True)


async def test_of_many_who_want_the_first_account_at_once_one_gets_it(clinic: Clinic) -> None:
    asked = [FirstManager(staff_id=f"manager {n}", password=PASSWORD) for n in range(8)]
    pc = clinic.device()
    answers = await asyncio.gather(*(pc.post("/api/access/first", one) for one in asked))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    assert len(clinic.hub.hub.access.known.accounts) == 1
    await assert_error(await pc.post("/api/access/first", FIRST), 409, "accounts_exist")


@pytest.mark.parametrize(
    ("staff_id", "password", "problems"),
    [
        ("", "short", {("staff_id", "staff_id_form"), ("password", "password_short")}),
        (" Wang", "0123456789", {("staff_id", "staff_id_form"), ("password", "password_plain")}),
        ("W" * 21, "aaaaaaaaaaaa", {("staff_id", "staff_id_form"), ("password", "password_plain")}),
        ("Wang\u200b", PASSWORD, {("staff_id", "staff_id_form")}),
        ("Wang", "xx-WANG-xx-1", {("password", "password_plain")}),
        ("staff", PASSWORD, {("staff_id", "staff_id_reserved")}),
        ("ｈＵＢ", PASSWORD, {("staff_id", "staff_id_reserved")}),
    ],
)
async def test_everything_to_be_mended_is_told_at_its_field_at_once(
    clinic: Clinic, staff_id: str, password: str, problems: set[tuple[str, str]]
) -> None:
    asked = FirstManager(staff_id=staff_id, password=password)
    told = await code_of(await clinic.device().post("/api/access/first", asked))
    assert {(problem.field, problem.code) for problem in told.problems} == problems
    assert (told.code, (await clinic.state()).has_accounts) == ("", False)


# ---- codes


async def test_a_code_enrols_one_device(clinic: Clinic) -> None:
    manager = await clinic.manager()
    code = await manager.code()
    first, second = clinic.device(), clinic.device()
    await first.enrol(code)
    await assert_error(await second.post("/api/access/enrol", second.enrol_request(code)), 403, "wrong_code")
    assert second.device_id not in clinic.hub.hub.access.known.devices


async def test_of_two_devices_with_one_code_at_once_one_is_enrolled(clinic: Clinic) -> None:
    code = await (await clinic.manager()).code()
    wanted = [clinic.device() for _ in range(6)]
    answers = await asyncio.gather(*(one.post("/api/access/enrol", one.enrol_request(code)) for one in wanted))
    # The sixth is not looked at: five guesses from one address are.
    assert sorted(answer.status for answer in answers) in ([200] + [403] * 5, [200] + [403] * 4 + [429])
    assert len(clinic.hub.hub.access.known.devices) == 2


async def test_a_device_whose_answer_was_lost_asks_again(clinic: Clinic) -> None:
    device, code = clinic.device(), await (await clinic.manager()).code()
    await device.enrol(code)
    answer = await device.post("/api/access/enrol", device.enrol_request(code))
    assert EnrolAnswer.model_validate_json(await answer.read()).device_id == device.device_id


async def test_a_code_counts_five_minutes_whatever_the_date_says(clinic: Clinic) -> None:
    manager = await clinic.manager()
    device, code = clinic.device(), await manager.code()
    clinic.steady[0] += CODE_SECONDS
    await assert_error(await device.post("/api/access/enrol", device.enrol_request(code)), 403, "wrong_code")
    code = await manager.code()
    clinic.steady[0] += CODE_SECONDS - 1
    await device.enrol(code)


async def test_only_the_last_five_codes_count(clinic: Clinic) -> None:
    manager = await clinic.manager()
    codes = [await manager.code() for _ in range(6)]
    device = clinic.device()
    await assert_error(await device.post("/api/access/enrol", device.enrol_request(codes[0])), 403, "wrong_code")
    await device.enrol(codes[1])


async def test_a_script_that_guesses_codes_is_locked_out(clinic: Clinic) -> None:
    """Specified: five guesses are free, then each waits 30 s, 1, 2, 4, 8, 15 minutes; a code lives for five."""
    code = await (await clinic.manager()).code()
    thief, looked_at, waits = clinic.device(), 0, list[int]()
    for guess in range(2000):
        answer = await thief.post("/api/access/enrol", thief.enrol_request(f"{guess:08}"))
        assert answer.status in (403, 429)
        looked_at += answer.status == 403
        if answer.status == 429:
            waits.append(int(answer.headers["Retry-After"]))
            clinic.steady[0] += 1
        if clinic.steady[0] >= CODE_SECONDS:
            break
    assert looked_at == 8
    assert sorted(set(waits))[-1] == 240
    await assert_error(await thief.post("/api/access/enrol", thief.enrol_request(code)), 429, "too_many_tries")
    assert thief.device_id not in clinic.hub.hub.access.known.devices


async def test_a_mistyped_code_locks_nobody_out(clinic: Clinic) -> None:
    device, code = clinic.device(), await (await clinic.manager()).code()
    for _ in range(4):
        await assert_error(await device.post("/api/access/enrol", device.enrol_request("00000000")), 403, "wrong_code")
    await device.enrol(code)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("public_key", unpadded(b"\x04" + bytes(64))),
        ("public_key", unpadded(b"\x02" + bytes(64))),
        ("public_key", "x"),
        ("data_key", "x"),
        ("device_id", "../../etc"),
        ("name", "  "),
        ("code", "1234567"),
    ],
)
async def test_a_request_with_no_key_or_name_enrols_nothing_and_leaves_the_code(
    clinic: Clinic, field: str, value: str
) -> None:
    device, code = clinic.device(), await (await clinic.manager()).code()
    asked = device.enrol_request(code).model_dump() | {field: value}
    answer = await device.session.post(clinic.hub.url + "/api/access/enrol", json=asked)
    await assert_error(answer, 400, "invalid_body")
    await device.enrol(code)


async def test_a_code_that_enrolled_a_device_counts_for_no_other_though_the_disk_is_full_since(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    device, code = clinic.device(), await (await clinic.manager()).code()
    await device.enrol(code)
    device.name = "another name"
    with monkeypatch.context() as full:
        full.setattr(kept_file, "open_private", no_space)
        await assert_error(await device.post("/api/access/enrol", device.enrol_request(code)), 507, "storage_full")
    thief = clinic.device()
    await assert_error(await thief.post("/api/access/enrol", thief.enrol_request(code)), 403, "wrong_code")


async def test_nobody_takes_the_place_of_a_device_that_is_enrolled(clinic: Clinic) -> None:
    manager = await clinic.manager()
    device = clinic.device()
    await device.enrol(await manager.code())
    thief = clinic.devices.keep(DeskDevice(clinic.hub.url, device_id=device.device_id))
    answer = await thief.post("/api/access/enrol", thief.enrol_request(await manager.code()))
    await assert_error(answer, 409, "device_enrolled")
    await device.enter(MANAGER)


# ---- a browser of this computer that is not enrolled any more


async def test_a_manager_at_the_pc_gets_a_code_with_the_password(clinic: Clinic) -> None:
    await clinic.manager()
    pc = clinic.device()
    made = await code_of(await pc.post("/api/access/pc-code", PcCodeRequest(staff_id=MANAGER, password=PASSWORD)))
    await pc.enrol(made.code)
    await pc.enter(MANAGER)


async def test_others_get_no_code_at_the_pc(clinic: Clinic) -> None:
    manager, pc = await clinic.manager(), clinic.device()
    await manager.set_staff("May", [Role.RECORDER])
    asked = PcCodeRequest(staff_id="May", password=PASSWORD)
    await assert_error(await pc.post("/api/access/pc-code", asked), 403, "role_may_not")
    for staff_id in (MANAGER, "Nobody"):
        asked = PcCodeRequest(staff_id=staff_id, password="a wrong password")
        await assert_error(await pc.post("/api/access/pc-code", asked), 401, "wrong_password")


# ---- passwords


async def test_a_script_that_guesses_a_password_is_locked_out_and_the_owner_elsewhere_is_not(clinic: Clinic) -> None:
    """Specified: on one device five guesses at a person are free, then each waits 30 s, 1, 2, 4, 8, 15 minutes."""
    manager = await clinic.manager()
    await manager.set_staff("May", [Role.RECORDER])
    tablet = clinic.device()
    await tablet.enrol(await manager.code())

    async def guess(password: str) -> ClientResponse:
        asked: SignInRequest = await tablet.sign_in_request("May", password)
        return await tablet.post("/api/access/sign-in", asked)

    answers = [await guess(f"guess number {n}") for n in range(8)]
    assert [answer.status for answer in answers] == [401] * 5 + [429] * 3
    assert answers[-1].headers["Retry-After"] == "30"
    assert (await guess(PASSWORD)).status == 429
    await manager.sign_in("May")

    clinic.steady[0] += 31
    await assert_error(await guess("guess number 9"), 401, "wrong_password")
    assert (await guess(PASSWORD)).headers["Retry-After"] == "60"
    clinic.steady[0] += 61
    assert (await guess(PASSWORD)).status == 200
    assert (await guess("one slip after that")).status == 401
    assert (await guess(PASSWORD)).status == 200


async def test_a_hundred_guesses_at_once_are_not_a_hundred_free_ones(clinic: Clinic) -> None:
    manager = await clinic.manager()
    asked = [await manager.sign_in_request(MANAGER, f"guess {n}") for n in range(30)]
    answers = await asyncio.gather(*(manager.post("/api/access/sign-in", one) for one in asked))
    assert [answer.status for answer in answers].count(401) == 5


async def test_a_password_is_looked_at_only_for_a_device_that_has_signed(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, stranger = await clinic.manager(), clinic.device()
    monkeypatch.setattr(clinic.hub.hub.access, "passwords", None)
    answer = await stranger.post("/api/access/sign-in", await stranger.sign_in_request(MANAGER))
    await assert_error(answer, 401, "device_unknown")
    unsigned = (await manager.sign_in_request(MANAGER)).model_copy(update={"signature": unpadded(bytes(64))})
    await assert_error(await manager.post("/api/access/sign-in", unsigned), 401, "wrong_signature")
    await assert_error(await manager.post("/api/access/sign-in", await manager.sign_in_request(MANAGER)), 500, "bug")
