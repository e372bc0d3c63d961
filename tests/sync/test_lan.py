"""The clinic's network over real sockets: who gets in, who does not, and what is left when something is wrong."""

import asyncio
import random
import signal
import socket
import ssl
import string
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession, ClientSSLError
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from sync import lan as lan_module
from sync.doors import THIS_COMPUTER, Limits
from sync.lan import Lan, addresses_in, host_names
from sync.settings import LanSettings
from tests.sync.certificates import write_pair
from tests.sync.running_hub import RunningHub, make_device, register_patient, request_of, running_hub
from tests.sync.test_routes import start_process
from tests.sync.test_static import FILES, write_bundle

JSON = {"Content-Type": "application/json"}
CA_PATHS = {"/desk-ca.crt", "/desk-ca.pem"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Clinic:
    """A hub on the network. Shape: `ahead` is how far its clock is ahead of this computer's."""

    hub: RunningHub
    lan: Lan
    port: int
    trust_port: int
    ahead: timedelta = timedelta()

    @property
    def app(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.trust_port}"

    async def trusting(self) -> ssl.SSLContext:
        """What a tablet has that went through the steps of the page."""
        async with ClientSession() as session, session.get(f"{self.page}/desk-ca.pem") as answer:
            return ssl.create_default_context(cadata=await answer.text())


@asynccontextmanager
async def clinic(
    folder: Path,
    *,
    allowed_hosts: tuple[str, ...] = (),
    own: tuple[Path, Path] | tuple[None, None] = (None, None),
    limits: Limits = THIS_COMPUTER,  # whose address all of these tests' devices have
) -> AsyncIterator[Clinic]:
    settings = LanSettings.model_validate(
        {
            "listen": ["127.0.0.0/8"],
            "port": free_port(),
            "trust_port": free_port(),
            "certificate_file": own[0],
            "key_file": own[1],
        }
    )
    write_bundle(folder / "bundle")
    async with running_hub(folder, allowed_hosts=allowed_hosts, lan=settings) as hub:
        lan = Lan(settings, hub.hub, hub.runner, lambda: datetime.now(UTC) + running.ahead, limits)
        running = Clinic(hub, lan, settings.port, settings.trust_port)
        try:
            await lan.open()
            yield running
        finally:
            await lan.close()


@pytest.fixture
async def lan(tmp_path: Path) -> AsyncIterator[Clinic]:
    async with clinic(tmp_path, allowed_hosts=("desk.clinic.lan",)) as running:
        yield running


async def status(clinic: Clinic, path: str = "/api/health", **headers: str) -> int:
    async with ClientSession() as session:
        answer = await session.get(clinic.app + path, ssl=await clinic.trusting(), headers=headers)
        return answer.status


async def shown_certificate(clinic: Clinic) -> x509.Certificate:
    """What the hub shows to a connection made now."""
    pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", clinic.port))
    return x509.load_pem_x509_certificate(pem.encode())


# ---- in


async def test_a_device_that_trusts_the_ca_gets_the_app_and_syncs(lan: Clinic) -> None:
    device = await make_device()
    await register_patient(device)
    async with ClientSession() as session:
        trusting = await lan.trusting()
        shell = await session.get(f"{lan.app}/", ssl=trusting, headers={"Accept": "text/html"})
        assert await shell.read() == FILES["index.html"]
        assert "default-src 'self'" in shell.headers["Content-Security-Policy"]
        body = request_of(device).model_dump_json().encode()
        headers = JSON | {"Origin": lan.app, "Sec-Fetch-Site": "same-origin"}
        answer = await session.post(f"{lan.app}/api/sync", data=body, ssl=trusting, headers=headers)
        assert answer.status == 200
    assert lan.hub.database.head == 1


async def test_the_clinic_pc_itself_needs_no_certificate(lan: Clinic) -> None:
    assert (await lan.hub.get("/api/health")).status == 200


# ---- out


async def test_a_device_that_does_not_trust_the_ca_gets_nothing(lan: Clinic) -> None:
    async with ClientSession() as session:
        with pytest.raises(ClientSSLError):
            await session.get(f"{lan.app}/api/health")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_tls_before_1_2_is_refused_by_the_hub(lan: Clinic) -> None:
    context = await lan.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    # Not an SSLError, which would be this client's own refusal to begin.
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", lan.port, ssl=context)

    context.maximum_version = ssl.TLSVersion.TLSv1_2
    _, writer = await asyncio.open_connection("127.0.0.1", lan.port, ssl=context)
    assert writer.get_extra_info("cipher")[0].startswith("ECDHE-")
    writer.close()


async def test_the_app_does_not_answer_without_tls(lan: Clinic) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", lan.port)
    writer.write(f"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:{lan.port}\r\n\r\n".encode())
    assert b"HTTP" not in await reader.read()
    writer.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "desk.clinic.lan", "Desk.Clinic.lan:443", socket.gethostname()])
async def test_a_name_of_the_hub_on_the_network_is_let_in(lan: Clinic, host: str) -> None:
    assert await status(lan, Host=host) == 200


@pytest.mark.parametrize("host", ["localhost", "[::1]", "evil.example", "desk.clinic.lan.evil.example", "192.168.1.5"])
async def test_another_name_is_refused_over_tls(lan: Clinic, host: str) -> None:
    assert await status(lan, Host=host) == 421


async def test_names_of_the_network_open_nothing_without_tls(lan: Clinic) -> None:
    host = f"{host_names(socket.gethostname(), ())[-1]}:{lan.hub.port}"
    assert (await lan.hub.get("/api/health", Host=host)).status == 421


async def test_a_page_of_another_site_cannot_post_over_tls(lan: Clinic) -> None:
    async with ClientSession() as session:
        headers = JSON | {"Origin": "https://evil.example"}
        answer = await session.post(
            f"{lan.app}/api/cdc/wake", data=b"{}", ssl=await lan.trusting(), headers=headers
        )
        assert answer.status == 403


# ---- the page without TLS


async def test_the_page_shows_its_address_the_apps_and_the_fingerprint(lan: Clinic) -> None:
    async with ClientSession() as session:
        answer = await session.get(f"{lan.page}/")
        text = await answer.text()
        form = await session.get(f"{lan.page}/desk-ca.crt")
        ca = x509.load_der_x509_certificate(await form.read())
    policy = answer.headers["Content-Security-Policy"]

    assert f"http://127.0.0.1:{lan.trust_port}/" in text
    assert f'href="https://desk.clinic.lan:{lan.port}/"' in text
    assert ca.fingerprint(SHA256()).hex(" ", 2).upper() in text
    assert "<svg" in text
    assert "憑證信任設定" in text
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert form.content_type == "application/x-x509-ca-cert"


async def test_every_route_of_the_app_is_closed_without_tls(lan: Clinic) -> None:
    resources = [route.resource for route in lan.hub.runner.app.router.routes()] if lan.hub.runner.app else []
    paths = {resource.canonical for resource in resources if resource is not None}
    assert "/api/sync" in paths, "found nothing to check"
    async with ClientSession() as session:
        for path in paths | {"/index.html", "/api/people", "/sw.js", "/manifest.webmanifest", "/%2e%2e/hub.journal"}:
            for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
                if (path, method) == ("/", "GET"):
                    continue
                answer = await session.request(method, lan.page + path, headers={"Accept": "text/html"})
                assert answer.status in (404, 405), (method, path)


async def test_no_path_leads_anywhere_without_tls(lan: Clinic) -> None:
    chance = random.Random(6)
    parts = ["api", "sync", "..", "%2e%2e", "tls", "ca.pem", "server.pem", "desk-ca.crt", "", "hub.journal", "%00", "x"]
    secret = (lan.hub.hub.settings.data_dir / "tls" / "ca.pem").read_bytes().splitlines()[1]
    for _ in range(300):
        path = "/" + "/".join(chance.choices(parts, k=chance.randint(1, 4)))
        if chance.random() < 0.3:
            path += "?" + "".join(chance.choices(string.printable.strip(), k=8))
        reader, writer = await asyncio.open_connection("127.0.0.1", lan.trust_port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        is_page = path.partition("?")[0] in CA_PATHS | {"/"}
        assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400", *([b"HTTP/1.1 200"] if is_page else []))), path
        assert secret not in answer


# ---- what changes while it runs


async def test_a_certificate_near_its_end_is_renewed_while_running(lan: Clinic) -> None:
    first = await shown_certificate(lan)
    trusting = await lan.trusting()
    await lan.lan.look()
    assert await shown_certificate(lan) == first

    lan.ahead = timedelta(days=300)
    await lan.lan.look()

    renewed = await shown_certificate(lan)
    assert renewed.not_valid_after_utc > first.not_valid_after_utc
    renewed.verify_directly_issued_by(x509.load_der_x509_certificate(trusting.get_ca_certs(binary_form=True)[0]))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
async def test_a_changed_address_is_followed_under_the_same_ca(lan: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    trusting = await lan.trusting()
    monkeypatch.setattr(lan_module, "addresses_in", lambda _: ["127.0.0.2"])
    await lan.lan.look()

    async with ClientSession() as session:
        answer = await session.get(f"https://127.0.0.2:{lan.port}/api/health", ssl=trusting)
        assert answer.status == 200
        for gone in (lan.app, lan.page):
            with pytest.raises(ClientConnectionError):
                await session.get(gone)
    assert (await lan.hub.get("/api/health")).status == 200


async def test_a_computer_off_the_network_serves_its_own_browser_and_comes_back(
    lan: Clinic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    with monkeypatch.context() as off:
        off.setattr(lan_module, "addresses_in", lambda _: [])
        await lan.lan.look()
        await lan.lan.look()
        assert capsys.readouterr().out.count("no address in 127.0.0.0/8") == 1
        async with ClientSession() as session:
            with pytest.raises(ClientConnectionError):
                await session.get(lan.page)
        assert (await lan.hub.get("/api/health")).status == 200

    await lan.lan.look()
    assert await status(lan) == 200


async def test_a_torn_ca_closes_the_network_alone_and_opens_it_when_put_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with clinic(tmp_path):
        pass
    ca = tmp_path / "tls" / "ca.pem"
    whole = ca.read_bytes()
    ca.write_bytes(whole[:100])
    async with clinic(tmp_path) as lan:
        words = capsys.readouterr().out
        assert "is damaged" in words
        assert "PRIVATE" not in words
        assert (await lan.hub.get("/api/health")).status == 200
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", lan.port)

        ca.write_bytes(whole)
        await lan.lan.look()
        assert await status(lan) == 200


async def test_a_taken_port_is_told_and_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = LanSettings.model_validate({"listen": ["127.0.0.1"], "port": port, "trust_port": free_port()})
        async with running_hub(tmp_path, lan=settings) as hub:
            lan_of = Lan(settings, hub.hub, hub.runner, lambda: datetime.now(UTC))
            await lan_of.open()
            assert f"Port {port} of 127.0.0.1 cannot be used" in capsys.readouterr().out
            taken.close()
            await lan_of.look()
            await asyncio.open_connection("127.0.0.1", port)
            await lan_of.close()


async def test_names_that_the_ca_was_not_made_for_are_told_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with clinic(tmp_path):
        pass
    async with clinic(tmp_path, allowed_hosts=("desk.clinic.tw",)) as lan:
        assert "was not made for desk.clinic.tw" in capsys.readouterr().out
        assert await status(lan) == 200
        async with ClientSession() as session, session.get(lan.page) as answer:
            assert f'href="{lan.app}/"' in await answer.text()


# ---- a certificate of the clinic's own


async def test_an_own_certificate_is_served_and_nothing_has_to_be_installed(tmp_path: Path) -> None:
    own = write_pair(tmp_path, "desk.clinic.tw", since=datetime.now(UTC))
    async with clinic(tmp_path, allowed_hosts=("desk.clinic.tw",), own=own) as lan, ClientSession() as session:
        assert await shown_certificate(lan) == x509.load_pem_x509_certificate(own[0].read_bytes())
        text = await (await session.get(lan.page)).text()
        assert f'href="https://desk.clinic.tw:{lan.port}/"' in text
        assert "desk-ca" not in text
        assert {(await session.get(lan.page + path)).status for path in CA_PATHS} == {404}
    assert not (tmp_path / "tls").exists()


async def test_an_expired_own_certificate_closes_the_network_until_it_is_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = write_pair(tmp_path, "127.0.0.1", since=datetime.now(UTC) - timedelta(days=40), days=30)
    async with clinic(tmp_path, own=own) as lan:
        assert "ended on" in capsys.readouterr().out
        assert (await lan.hub.get("/api/health")).status == 200

        write_pair(tmp_path, "127.0.0.1", since=datetime.now(UTC))
        await lan.lan.look()
        assert await shown_certificate(lan) == x509.load_pem_x509_certificate(own[0].read_bytes())


async def test_a_torn_file_of_an_own_certificate_leaves_the_one_in_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = write_pair(tmp_path, "127.0.0.1", since=datetime.now(UTC))
    whole = x509.load_pem_x509_certificate(own[0].read_bytes())
    async with clinic(tmp_path, own=own) as lan:
        own[0].write_bytes(own[0].read_bytes()[:200])
        await lan.lan.look()
        assert "no certificate in PEM" in capsys.readouterr().out
        assert await shown_certificate(lan) == whole


async def test_an_own_certificate_near_its_end_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = write_pair(tmp_path, "127.0.0.1", since=datetime.now(UTC), days=20)
    async with clinic(tmp_path, own=own) as lan:
        await lan.lan.look()
        assert capsys.readouterr().out.count("tablets cannot connect after that") == 1


# ---- addresses and names


def test_only_this_computers_addresses_in_the_networks_are_found() -> None:
    assert addresses_in([ip_network("127.0.0.1")]) == ["127.0.0.1"]
    assert addresses_in([ip_network("240.0.0.0/8")]) == []
    everywhere = addresses_in([ip_network("0.0.0.0/0"), ip_network("::/0")])
    assert "127.0.0.1" in everywhere
    assert not any(ip_address(address).version == 6 and ip_address(address).is_link_local for address in everywhere)


@pytest.mark.parametrize(
    ("computer", "configured", "names"),
    [
        ("DESKTOP-A1", (), ["desktop-a1", "desktop-a1.local"]),
        ("desk.clinic.tw", (), ["desk.clinic.tw", "desk", "desk.local"]),
        ("pc", ("Desk.Clinic.TW",), ["desk.clinic.tw", "pc", "pc.local"]),
        ("診所電腦", ("*.clinic.tw", "a b", "-x"), []),
        ("", (), []),
    ],
)
def test_the_hubs_names_are_what_a_certificate_can_name(
    computer: str, configured: tuple[str, ...], names: list[str]
) -> None:
    assert host_names(computer, configured) == names


# ---- a real process


def _is_reachable(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(5)
        return probe.connect_ex((host, port)) == 0


async def test_without_settings_nothing_but_this_computer_is_served(tmp_path: Path) -> None:
    process, url = await start_process(tmp_path)
    port = int(url.rstrip("/").rpartition(":")[2])
    others = [host for host in addresses_in([ip_network("0.0.0.0/0")]) if not ip_address(host).is_loopback]
    reachable = {host: _is_reachable(host, port) for host in ["127.0.0.1", *others]}
    process.kill()
    await process.wait()
    assert reachable == {"127.0.0.1": True, **dict.fromkeys(others, False)}
    assert not (tmp_path / "tls").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that another process may send politely")
async def test_a_hub_on_the_network_says_where_and_stops_cleanly(tmp_path: Path) -> None:
    trust_port = free_port()
    process, _ = await start_process(
        tmp_path,
        more={
            "DESK_PRACTICE": "true",
            "DESK_LAN_LISTEN": "127.0.0.1",
            "DESK_LAN_PORT": str(free_port()),
            "DESK_LAN_TRUST_PORT": str(trust_port),
        },
    )
    assert process.stdout is not None
    said = b""
    while b"Tablets open" not in said:
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        assert line, said.decode()
        said += line
    assert f"http://127.0.0.1:{trust_port}/" in said.decode()
    assert b"anybody on it can read and write" in said
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0
