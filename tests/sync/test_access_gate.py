"""Every route of the hub: nobody without a session, nobody without the role; also a route that is added tomorrow."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from yarl import URL

import sync.app
from store.roles import HubOperation, Role, may_call
from sync.access.gate import OPEN_ROUTES, OPERATIONS
from sync.people import add_people
from tests.sync.running_hub import RunningHub, make_device, register_patient, running_hub
from tests.sync.staff_and_devices import JSON, MANAGER, DeskDevice, Devices, first_manager
from tests.sync.test_routes import FakeLine, assert_error
from tests.sync.test_static import write_bundle


@dataclass
class Clinic:
    hub: RunningHub
    manager: DeskDevice
    by_role: dict[Role, DeskDevice]


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    """A hub with somebody of each role, each at a device of the own, and one patient."""
    write_bundle(tmp_path / "bundle")
    async with running_hub(tmp_path) as hub, Devices() as devices:
        store = await make_device()
        await register_patient(store)
        await hub.sync(store)
        manager = devices.keep(await first_manager(hub.url))
        by_role = {Role.MANAGER: manager}
        for role in (Role.RECORDER, Role.VACCINATOR, Role.STOCK_KEEPER):
            await manager.set_staff(f"only {role}", [role])
            by_role[role] = devices.keep(await manager.enrol_another(f"only {role}"))
        yield Clinic(hub, manager, by_role)


def routes_of(hub: RunningHub) -> list[tuple[str, str]]:
    """Every method and path that the hub knows, by the router's own word."""
    assert hub.runner.app is not None
    found = [(route.method, route.resource.canonical) for route in hub.runner.app.router.routes() if route.resource]
    assert ("POST", "/api/sync") in found, "found nothing to check"
    return found


def filled(path: str) -> str:
    values = {"sha256": "0" * 64, "page": "0", "rest": "nothing", "build": "b", "path": "x", "name": "x"}
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def methods_of(method: str) -> tuple[str, ...]:
    return ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") if method == "*" else (method,)


async def test_every_route_is_open_by_name_or_refuses_without_a_session(clinic: Clinic) -> None:
    refused = 0
    for route_method, path in routes_of(clinic.hub):
        for method in methods_of(route_method):
            if ("GET" if method == "HEAD" else method, path) in OPEN_ROUTES:
                continue
            async with ClientSession() as stranger:
                answer = await stranger.request(method, clinic.hub.url + filled(path), data=b"{}", headers=JSON)
            if (method, path) in (("GET", "/api/health"), ("HEAD", "/api/health")):
                continue  # counts for this computer; over TLS see test_access_lan
            assert answer.status == 401, (method, path)
            refused += 1
    assert refused > 25


async def test_a_route_that_is_added_without_a_word_is_closed_to_managers_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leak(_: web.Request) -> web.Response:
        return web.Response(text="B222419838")

    def add_people_and_more(app: web.Application) -> None:
        add_people(app)
        app.router.add_get("/api/leak", leak)

    monkeypatch.setattr(sync.app, "add_people", add_people_and_more)
    async with running_hub(tmp_path) as hub, Devices() as devices:
        assert await (await hub.get("/api/leak")).text() == "B222419838"

        manager = devices.keep(await first_manager(hub.url))
        await assert_error(await hub.get("/api/leak"), 401, "session_needed")
        await assert_error(await manager.get("/api/leak"), 403, "role_may_not")


def test_each_route_stands_in_one_table_only() -> None:
    assert not OPEN_ROUTES & OPERATIONS.keys()


async def test_no_table_names_a_route_that_is_not_there(clinic: Clinic) -> None:
    assert set(routes_of(clinic.hub)) >= OPEN_ROUTES | OPERATIONS.keys()


@pytest.mark.parametrize("role", Role)
async def test_each_route_answers_the_roles_that_may_alone(
    clinic: Clinic, role: Role
) -> None:
    device = clinic.by_role[role]
    answered = 0
    for (method, path), operation in OPERATIONS.items():
        if path in ("/api/events", "/api/access/sign-out"):
            continue
        answer = await device.session.request(method, clinic.hub.url + filled(path), data=b"{}", headers=JSON)
        if may_call([role], operation):
            assert answer.status in (200, 400, 404, 409), (method, path, await answer.text())
            answered += 1
        else:
            assert await assert_error(answer, 403, "role_may_not") == operation
    assert answered >= sum(o is HubOperation.SYNC for o in OPERATIONS.values()) - 2


async def test_a_role_that_was_taken_counts_no_more_at_the_next_request(clinic: Clinic) -> None:
    tablet = clinic.by_role[Role.STOCK_KEEPER]
    await assert_error(await tablet.post("/api/cdc/stock"), 409, "cdc_not_configured")
    await clinic.manager.set_staff("only stock_keeper", [Role.RECORDER], is_new=False, password=None)
    await assert_error(await tablet.post("/api/cdc/stock"), 403, "role_may_not")


async def test_an_unknown_path_tells_a_stranger_nothing_and_staff_that_it_is_not_there(clinic: Clinic) -> None:
    await assert_error(await clinic.hub.get("/api/nothing"), 401, "session_needed")
    await assert_error(await clinic.manager.get("/api/nothing"), 404, "not_found")
    await assert_error(await clinic.hub.get("/api/sync"), 401, "session_needed")
    await assert_error(await clinic.manager.get("/api/sync"), 404, "not_found")


@pytest.mark.parametrize("path", ["/%61pi/receipts", "//api/receipts", "/api//receipts", "/x/../api/receipts"])
async def test_no_other_spelling_of_a_path_leads_past_the_gate(clinic: Clinic, path: str) -> None:
    url = URL(clinic.hub.url + path, encoded=True)
    for method in ("GET", "POST"):
        answer = await clinic.hub.session.request(method, url, data=b"{}", headers=JSON)
        assert answer.status in (401, 404, 405), await answer.text()


async def test_the_program_itself_needs_no_session(clinic: Clinic) -> None:
    assert (await clinic.hub.get("/", Accept="text/html")).status == 200
    assert (await clinic.hub.get("/sw.js")).status == 200


async def test_before_the_first_account_all_is_as_it_was(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        assert (await hub.get("/api/health")).status == 200
        assert (await hub.post("/api/search", b'{"typed": "x"}')).status == 200
        await assert_error(await hub.get("/api/access/staff"), 409, "no_accounts")
        assert not (tmp_path / "access.json").exists()


async def test_a_page_opened_by_its_address_on_a_locked_tablet_shows_nothing(clinic: Clinic) -> None:
    answer = await clinic.manager.get("/api/access/staff", Sec_Fetch_Mode="navigate", Sec_Fetch_Site="none")
    await assert_error(answer, 403, "not_a_page")


async def test_whose_tap_it_is_says_the_session_and_not_the_request(tmp_path: Path) -> None:
    told: list[str] = []

    class Line(FakeLine):
        def wake(self, asked_by: str) -> None:
            told.append(asked_by)

    async with running_hub(tmp_path, worker=Line()) as hub, Devices() as devices:
        manager = devices.keep(await first_manager(hub.url))
        assert (await manager.post("/api/cdc/wake", b'{"asked_by": "the minister"}')).status == 202
    assert told == [MANAGER]
