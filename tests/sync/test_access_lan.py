"""Staff and devices over TLS: what a tablet on the clinic's network gets, and what a stranger there does."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from store.access_protocol import CodeAnswer, FirstManager, PcCodeRequest
from store.roles import Role
from sync.access.gate import OPEN_ROUTES
from tests.sync.running_hub import make_device, register_patient
from tests.sync.staff_and_devices import JSON, MANAGER, PASSWORD, DeskDevice, Devices, first_manager
from tests.sync.test_access_gate import filled, methods_of, routes_of
from tests.sync.test_lan import clinic, free_port
from tests.sync.test_routes import assert_error, start_process


async def test_a_tablet_is_enrolled_with_what_the_qr_code_says_and_signs_in_over_tls(tmp_path: Path) -> None:
    async with clinic(tmp_path, allowed_hosts=("desk.clinic.lan",)) as lan, Devices() as devices:
        manager = devices.keep(await first_manager(lan.hub.url))
        await manager.set_staff("May", [Role.RECORDER])
        made = CodeAnswer.model_validate_json(await (await manager.post("/api/access/code")).read())
        origins = [f"https://desk.clinic.lan:{lan.port}", lan.app]
        assert made.urls[:2] == [f"{origin}/#enrol={made.code}" for origin in origins]
        assert made.qr_svg.startswith("<svg")

        tablet = devices.keep(DeskDevice(lan.app, ssl=await lan.trusting()))
        await tablet.enrol(made.code)
        await tablet.sign_in("May")
        answer = await tablet.post("/api/access/session", await tablet.session_request("May"))
        assert answer.headers["Set-Cookie"].startswith(f"__Secure-desk-{lan.port}=")
        assert "Secure" in answer.headers["Set-Cookie"].split("; ")
        assert (await tablet.post("/api/search", b'{"typed": "x"}')).status == 200


async def test_a_stranger_on_the_network_gets_no_byte_of_data_by_any_route(tmp_path: Path) -> None:
    async with clinic(tmp_path) as lan, Devices() as devices, ClientSession() as stranger:
        store = await make_device()
        await register_patient(store)
        await lan.hub.sync(store)
        devices.keep(await first_manager(lan.hub.url))
        trusting, refused = await lan.trusting(), 0
        for route_method, path in routes_of(lan.hub):
            for method in methods_of(route_method):
                answer = await stranger.request(
                    method, lan.app + filled(path), data=b"{}", headers=JSON, ssl=trusting, allow_redirects=False
                )
                text = await answer.text()
                assert answer.status < 500 or path == "/{rest}", (method, path)
                assert not any(clinical in text for clinical in ("測試患者", "B222419838", "057164")), path
                if ("GET" if method == "HEAD" else method, path) not in OPEN_ROUTES:
                    assert answer.status == 401, (method, path)
                    refused += 1
        assert refused > 25


async def test_the_first_account_and_a_code_by_password_are_for_the_pc_itself_alone(tmp_path: Path) -> None:
    async with clinic(tmp_path) as lan, Devices() as devices:
        tablet = devices.keep(DeskDevice(lan.app, ssl=await lan.trusting()))
        first = FirstManager(staff_id=MANAGER, password=PASSWORD)
        await assert_error(await tablet.post("/api/access/first", first), 403, "this_pc_only")
        assert not lan.hub.hub.access.has_accounts
        devices.keep(await first_manager(lan.hub.url))
        asked = PcCodeRequest(staff_id=MANAGER, password=PASSWORD)
        await assert_error(await tablet.post("/api/access/pc-code", asked), 403, "this_pc_only")


async def test_a_cookie_of_the_pc_opens_nothing_over_tls_and_the_other_way_round(tmp_path: Path) -> None:
    async with clinic(tmp_path) as lan, Devices() as devices, ClientSession() as thief:
        manager = devices.keep(await first_manager(lan.hub.url))
        value = next(cookie.value for cookie in manager.session.cookie_jar)
        for name in (f"__Secure-desk-{lan.port}", f"desk-{lan.port}", f"desk-{lan.hub.port}"):
            headers = {"Cookie": f"{name}={value}"}
            answer = await thief.get(f"{lan.app}/api/events", ssl=await lan.trusting(), headers=headers)
            await assert_error(answer, 401, "session_needed")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that another process may send politely")
async def test_real_data_is_served_on_the_network_from_the_first_account_on_and_not_before(tmp_path: Path) -> None:
    port, trust_port = free_port(), free_port()
    more = {"DESK_LAN_LISTEN": "127.0.0.1", "DESK_LAN_PORT": str(port), "DESK_LAN_TRUST_PORT": str(trust_port)}
    process, url = await start_process(tmp_path, more=more)
    assert process.stdout is not None

    async def said(words: bytes) -> None:
        async with asyncio.timeout(20):
            while words not in (line := await process.stdout.readline()):  # type: ignore[union-attr]
                assert line

    await said(b"The network is not served yet")
    for closed in (port, trust_port):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", closed)

    manager = await first_manager(url)
    await said(b"Tablets open")
    async with ClientSession() as stranger:
        pem = await (await stranger.get(f"http://127.0.0.1:{trust_port}/desk-ca.pem")).text()
        assert "BEGIN CERTIFICATE" in pem
    await manager.close()
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0
