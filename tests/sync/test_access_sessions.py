"""Sessions over a real hub: whose cookie counts, where, how long; what a signature must be of."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.access_protocol import (
    CHALLENGE_SECONDS,
    SESSION_SECONDS,
    DeviceList,
    DeviceState,
    Purpose,
    SessionAnswer,
)
from store.changes import World
from store.roles import Role
from sync.access.signatures import Challenges
from tests.sync.running_hub import WORLD, RunningHub, make_device, register_patient, request_of, running_hub
from tests.sync.staff_and_devices import MANAGER, DeskDevice, Devices, first_manager, unpadded
from tests.sync.test_live import next_notice
from tests.sync.test_routes import assert_error


@dataclass
class Clocks:
    """The hub's two clocks. Units: seconds, and a difference to this computer's date."""

    steady: float = 1000.0
    date_ahead: timedelta = field(default_factory=timedelta)

    @property
    def world(self) -> World:
        return World(now=lambda: datetime.now(UTC) + self.date_ahead, random_bytes=WORLD.random_bytes)


@dataclass
class Clinic:
    hub: RunningHub
    clocks: Clocks
    manager: DeskDevice
    tablet: DeskDevice
    devices: Devices

    def borrow_cookie(self, name: str = "") -> dict[str, str]:
        """The tablet's cookie, as a thief has it."""
        [cookie] = self.tablet.session.cookie_jar
        return {"Cookie": f"{name or cookie.key}={cookie.value}"}


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    clocks = Clocks()
    async with running_hub(tmp_path, world=clocks.world, clock=lambda: clocks.steady) as hub, Devices() as devices:
        manager = devices.keep(await first_manager(hub.url))
        await manager.set_staff("May", [Role.RECORDER])
        tablet = devices.keep(await manager.enrol_another("May"))
        yield Clinic(hub, clocks, manager, tablet, devices)


async def status(device: DeskDevice) -> int:
    return (await device.post("/api/search", b'{"typed": "x"}')).status


# ---- the cookie


async def test_the_cookie_is_for_no_script_no_other_site_and_the_hubs_api_alone(clinic: Clinic) -> None:
    answer = await clinic.tablet.post("/api/access/session", await clinic.tablet.session_request("May"))
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"desk-{clinic.hub.port}=")
    assert {"HttpOnly", "Path=/api", "SameSite=Strict", f"Max-Age={SESSION_SECONDS}"} <= set(cookie.split("; "))
    told = SessionAnswer.model_validate_json(await answer.read())
    assert (told.staff_id, told.roles, [one.staff_id for one in told.staff]) == ("May", [Role.RECORDER], ["May"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
async def test_a_stolen_cookie_is_of_no_use_on_another_computer(clinic: Clinic) -> None:
    stolen = clinic.borrow_cookie()
    assert (await clinic.hub.get("/api/events", **stolen)).status == 200
    reader, writer = await asyncio.open_connection("127.0.0.1", clinic.hub.port, local_addr=("127.0.0.9", 0))
    request = f"GET /api/events HTTP/1.1\r\nHost: {clinic.hub.host}\r\nCookie: {stolen['Cookie']}\r\n\r\n"
    writer.write(request.encode())
    assert b" 401 " in await reader.readline()
    writer.close()


async def test_a_stolen_cookie_cannot_push_as_another_device(clinic: Clinic) -> None:
    store, other = await make_device(), await make_device()
    assert (await clinic.manager.post("/api/sync", request_of(other))).status == 200
    change = await register_patient(store)
    forged = change.model_copy(update={"made_by": "May", "device_id": other.device_id})
    for request in (request_of(store, changes=[forged]), request_of(other, changes=[])):
        await assert_error(await clinic.tablet.post("/api/sync", request), 403, "not_at_the_desk")
    assert clinic.hub.database.head == 0


@pytest.mark.parametrize("value", ["", "x", "A" * 43, "é", "a b"])
async def test_a_made_up_cookie_opens_nothing(clinic: Clinic, value: str) -> None:
    answer = await clinic.hub.get("/api/events", Cookie=f"desk-{clinic.hub.port}={value}")
    await assert_error(answer, 401, "session_needed")


async def test_a_session_ends_after_twelve_hours_and_its_stream_with_it(clinic: Clinic) -> None:
    stream = await clinic.tablet.get("/api/events")
    await next_notice(stream)
    clinic.clocks.steady += SESSION_SECONDS - 1
    assert await status(clinic.tablet) == 200
    clinic.clocks.steady += 2
    assert await status(clinic.tablet) == 401
    clinic.hub.hub.live.tell()
    async with asyncio.timeout(5):
        assert (await stream.content.read()).strip(b":\n") == b""


async def test_setting_the_hubs_date_back_gives_no_session_and_no_challenge_more_time(clinic: Clinic) -> None:
    asked = await clinic.tablet.session_request("May")
    clinic.clocks.date_ahead = -timedelta(days=400)
    clinic.clocks.steady += CHALLENGE_SECONDS + 1
    await assert_error(await clinic.tablet.post("/api/access/session", asked), 401, "wrong_signature")
    clinic.clocks.steady += SESSION_SECONDS
    assert await status(clinic.tablet) == 401


async def test_a_device_has_one_session(clinic: Clinic) -> None:
    before = clinic.borrow_cookie()
    await clinic.tablet.open_session("May")
    await assert_error(await clinic.hub.get("/api/events", **before), 401, "session_needed")
    assert await status(clinic.tablet) == 200


async def test_locking_leaves_nothing_that_could_be_used(clinic: Clinic) -> None:
    before = clinic.borrow_cookie()
    stream = await clinic.tablet.get("/api/events")
    assert (await clinic.tablet.post("/api/access/sign-out")).status == 200
    assert not list(clinic.tablet.session.cookie_jar)
    await assert_error(await clinic.hub.get("/api/events", **before), 401, "session_needed")
    async with asyncio.timeout(5):
        await stream.content.read()


async def test_a_hub_that_starts_anew_asks_every_device_to_sign_again(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        manager = await first_manager(hub.url)
    async with running_hub(tmp_path) as hub:
        value = next(cookie.value for cookie in manager.session.cookie_jar)
        answer = await hub.get("/api/events", Cookie=f"desk-{hub.port}={value}")
        await assert_error(answer, 401, "session_needed")
        manager.url = hub.url
        await manager.open_session(MANAGER)
        assert await status(manager) == 200
        await manager.close()


# ---- what is revoked, taken, turned off


async def test_a_revoked_device_gets_nothing_from_that_moment_on(clinic: Clinic) -> None:
    stream, cookie = await clinic.tablet.get("/api/events"), clinic.borrow_cookie()
    asked = await clinic.tablet.session_request("May")
    body = f'{{"device_id": "{clinic.tablet.device_id}"}}'.encode()
    assert (await clinic.manager.post("/api/access/devices/revoke", body)).status == 200

    async with asyncio.timeout(5):
        await stream.content.read()
    assert (await clinic.hub.get("/api/events", **cookie)).status == 401
    await assert_error(await clinic.tablet.post("/api/access/session", asked), 401, "device_revoked")
    signing_in = await clinic.tablet.sign_in_request("May")
    await assert_error(await clinic.tablet.post("/api/access/sign-in", signing_in), 401, "device_revoked")


async def test_a_device_revoked_while_the_password_is_looked_at_gets_no_key(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = clinic.hub.hub.access
    verify = desk.passwords.verify

    async def revoke_meanwhile(kept: str | None, password: str) -> bool:
        body = f'{{"device_id": "{clinic.tablet.device_id}"}}'.encode()
        assert (await clinic.manager.post("/api/access/devices/revoke", body)).status == 200
        return await verify(kept, password)

    monkeypatch.setattr(desk.passwords, "verify", revoke_meanwhile)
    asked = await clinic.tablet.sign_in_request("May")
    await assert_error(await clinic.tablet.post("/api/access/sign-in", asked), 401, "device_revoked")


async def test_an_account_that_is_turned_off_ends_its_session_and_opens_none(clinic: Clinic) -> None:
    stream = await clinic.tablet.get("/api/events")
    await clinic.manager.set_staff("May", [Role.RECORDER], is_new=False, password=None, active=False)
    async with asyncio.timeout(5):
        await stream.content.read()
    await assert_error(await clinic.tablet.post("/api/search", b'{"typed": "x"}'), 401, "account_off")
    asked = await clinic.tablet.session_request("May")
    await assert_error(await clinic.tablet.post("/api/access/session", asked), 401, "account_off")
    signing_in = await clinic.tablet.sign_in_request("May")
    await assert_error(await clinic.tablet.post("/api/access/sign-in", signing_in), 401, "account_off")


async def test_a_stream_from_before_the_first_account_ends_with_it(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, Devices() as devices:
        stream = await hub.get("/api/events")
        await next_notice(stream)
        devices.keep(await first_manager(hub.url))
        async with asyncio.timeout(5):
            await stream.content.read()


# ---- signatures


async def test_a_challenge_counts_once(clinic: Clinic) -> None:
    asked = await clinic.tablet.session_request("May")
    assert (await clinic.tablet.post("/api/access/session", asked)).status == 200
    await assert_error(await clinic.tablet.post("/api/access/session", asked), 401, "wrong_signature")


async def test_a_signature_counts_for_what_it_is_of_and_nothing_else(clinic: Clinic) -> None:
    tablet, path = clinic.tablet, "/api/access/session"
    asked = await tablet.session_request("May")
    other = DeskDevice(clinic.hub.url, device_id=tablet.device_id)
    wrong = {
        "another key": other.sign(Purpose.SESSION, asked.challenge, "May"),
        "another purpose": tablet.sign(Purpose.SIGN_IN, asked.challenge, "May"),
        "another challenge": tablet.sign(Purpose.SESSION, await tablet.challenge(), "May"),
        "another person": tablet.sign(Purpose.SESSION, asked.challenge, MANAGER),
        "another origin": tablet.sign(Purpose.SESSION, asked.challenge, "May", "https://evil.example"),
        "nothing": unpadded(bytes(64)),
        "the largest numbers": unpadded(b"\xff" * 64),
    }
    for what, signature in wrong.items():
        answer = await tablet.post(path, asked.model_copy(update={"signature": signature}))
        assert await assert_error(answer, 401, "wrong_signature") == "", what
    assert (await tablet.post(path, asked)).status == 200
    await other.close()


async def test_a_challenge_of_another_device_or_made_up_counts_nothing(clinic: Clinic) -> None:
    tablet = clinic.tablet
    for challenge in (await clinic.manager.challenge(), unpadded(bytes(40)), "A" * 53):
        asked = (await tablet.session_request("May")).model_copy(
            update={"challenge": challenge, "signature": tablet.sign(Purpose.SESSION, challenge, "May")}
        )
        await assert_error(await tablet.post("/api/access/session", asked), 401, "wrong_signature")


async def test_a_device_that_nobody_enrolled_is_told_so(clinic: Clinic) -> None:
    stranger = clinic.devices.keep(DeskDevice(clinic.hub.url))
    stranger.token_by_staff["May"] = clinic.tablet.token_by_staff["May"]
    asked = await stranger.session_request("May")
    await assert_error(await stranger.post("/api/access/session", asked), 401, "device_unknown")


async def test_the_token_of_another_device_or_of_before_counts_nothing(clinic: Clinic) -> None:
    before = clinic.tablet.token_by_staff["May"]
    await clinic.tablet.sign_in("May")
    await clinic.manager.sign_in("May")
    for token in (before, clinic.manager.token_by_staff["May"]):
        asked = (await clinic.tablet.session_request("May")).model_copy(update={"staff_token": token})
        await assert_error(await clinic.tablet.post("/api/access/session", asked), 401, "sign_in_needed")


async def test_who_has_not_signed_in_on_this_device_gets_no_session_on_it(clinic: Clinic) -> None:
    clinic.tablet.token_by_staff[MANAGER] = clinic.manager.token_by_staff[MANAGER]
    asked = await clinic.tablet.session_request(MANAGER)
    await assert_error(await clinic.tablet.post("/api/access/session", asked), 401, "sign_in_needed")


async def test_whoever_sends_wrong_signatures_has_to_wait(clinic: Clinic) -> None:
    asked = await clinic.tablet.session_request("May")
    wrong = asked.model_copy(update={"signature": unpadded(bytes(64))})
    answers = [await clinic.tablet.post("/api/access/session", wrong) for _ in range(31)]
    assert [answer.status for answer in answers] == [401] * 30 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 5
    await assert_error(await clinic.tablet.post("/api/access/session", asked), 429, "too_many_tries")
    clinic.clocks.steady += 6
    assert (await clinic.tablet.post("/api/access/session", asked)).status == 200


async def test_asking_for_challenges_fills_no_memory() -> None:
    challenges = Challenges(WORLD.random_bytes, lambda: 0.0)
    made = {challenges.make("0" * 32) for _ in range(5000)}
    assert len(made) == 5000
    assert not challenges._end_by_used
    assert all(challenges.is_open(one, "0" * 32) for one in made)


# ---- the list of devices


async def test_a_manager_sees_what_a_device_says_of_itself(clinic: Clinic) -> None:
    told = DeviceState(build="abc", unsent=3, persisted=True, free_mb=900)
    await clinic.tablet.open_session("May", told)
    assert (await clinic.tablet.post("/api/sync", request_of(await make_device()))).status == 200
    body = f'{{"device_id": "{clinic.tablet.device_id}", "name": " 推車二 "}}'.encode()
    assert (await clinic.manager.post("/api/access/devices/name", body)).status == 200

    listed = DeviceList.model_validate_json(await (await clinic.manager.get("/api/access/devices")).read()).devices
    assert [(device.name, device.is_this, device.enrolled_by) for device in listed] == [
        ("診所電腦", True, MANAGER),
        ("推車二", False, MANAGER),
    ]
    tablet = listed[1]
    assert (tablet.state, tablet.staff, tablet.is_signed_in) == (told, ["May"], True)
    assert tablet.last_sync_at is not None
    assert clinic.tablet.data_key not in tablet.model_dump_json()


async def test_what_was_seen_of_a_device_outlives_the_hub(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, Devices() as devices:
        manager = devices.keep(await first_manager(hub.url))
        await manager.post("/api/access/device-state", DeviceState(build="abc", unsent=7))
    async with running_hub(tmp_path) as hub:
        assert hub.hub.access.contacts.seen[manager.device_id].state.unsent == 7
