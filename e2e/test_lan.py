"""A tablet on the clinic's network: it comes to trust the hub, opens it over TLS, and works on without it."""

import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Playwright, expect

from e2e.programs import Hub, eventually, free_port
from e2e.screens import Tablet
from e2e.trust import trust

IN_OPFS = "navigator.storage.getDirectory().then((root) => root.getDirectoryHandle('desk')).then(({ kind }) => kind)"


def lan_address() -> str:
    """This computer's address towards others; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.254", 9))
        except OSError:
            pytest.skip("this computer is on no network")
        return str(probe.getsockname()[0])


class LanHub(Hub):
    """A hub that also serves the network."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        address, port, trust_port = lan_address(), free_port(), free_port()
        lan = {"listen": [address], "port": port, "trust_port": trust_port}
        super().__init__(folder, None, bundle=bundle, lan=lan)
        self.app = f"https://{address}:{port}"
        self.page = f"http://{address}:{trust_port}/"


@pytest.fixture
def lan_hub(tmp_path: Path, bundle: Path, request: pytest.FixtureRequest) -> Iterator[LanHub]:
    program = LanHub(tmp_path / "hub", bundle)
    request.node.user_properties.append(("hub", program))
    program.start()
    eventually("the network is served", lambda: "Tablets open" in program.log_text())
    yield program
    program.stop()


def fetch_ca(hub: LanHub, file: Path) -> Path:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{hub.page}desk-ca.pem") as answer:
        file.write_bytes(answer.read())
    return file


def test_a_tablet_that_trusts_the_clinic_opens_the_desk_over_tls_and_works_on_without_it(
    playwright: Playwright, tmp_path: Path, lan_hub: LanHub, roster: Path, browser_log: list[str]
) -> None:
    trusted = trust(fetch_ca(lan_hub, tmp_path / "ca.pem"), tmp_path / "home", lan_hub.app)
    tablet = Tablet(playwright, tmp_path / "tablet", lan_hub.app, browser_log, trusted)
    try:
        desk = tablet.open()
        assert desk.page.evaluate("isSecureContext && navigator.serviceWorker.controller !== null")
        assert desk.page.evaluate(IN_OPFS) == "directory"
        desk.import_roster(roster)
        eventually("the roster is on the hub", lambda: lan_hub.health()["head"] >= 1)

        lan_hub.stop()
        desk.page.reload()
        desk.wait()
        desk.record("057164", warn=True)
        tablet.close()
        desk = tablet.open("/BA102_3")
        desk.see("今日接種 1 筆")

        lan_hub.start()
        eventually("the dose is on the hub", lambda: lan_hub.health()["queue"]["not_sent"] == 1)
    finally:
        tablet.throw_away()


def test_a_tablet_that_does_not_trust_the_clinic_is_stopped_by_its_browser(
    playwright: Playwright, tmp_path: Path, lan_hub: LanHub, browser_log: list[str]
) -> None:
    tablet = Tablet(playwright, tmp_path / "tablet", lan_hub.app, browser_log)
    page = tablet.start()
    try:
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(tablet.url)
    finally:
        tablet.throw_away()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (820, 1180), (360, 740)])
def test_the_page_with_the_steps_is_fit_to_read_and_to_tap(
    playwright: Playwright, tmp_path: Path, lan_hub: LanHub, browser_log: list[str], width: int, height: int
) -> None:
    tablet = Tablet(playwright, tmp_path / "tablet", lan_hub.page, browser_log)
    page = tablet.start()
    try:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(lan_hub.page)
        expect(page.get_by_role("heading", name="平板連線")).to_be_visible()
        expect(page.get_by_role("img", name="QR")).to_be_visible()
        expect(page.get_by_role("link", name="開啟工作站")).to_have_attribute("href", f"{lan_hub.app}/")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert Axe().run(page).response["violations"] == []
        for link in page.get_by_role("link").all():
            box = link.bounding_box()
            assert box is not None
            assert box["height"] >= 44
        assert not [line for line in browser_log if "Content Security Policy" in line]
    finally:
        tablet.throw_away()
