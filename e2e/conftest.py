"""Fixtures of the journeys. What failed shows its screens and the logs of the hub, the fake CDC and the browser."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from e2e.cable import Cable
from e2e.programs import ROOT, FakeCdc, Hub, free_port
from e2e.sample.make_sample import make_roster
from e2e.screens import Tablet


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The built browser program; nothing to do where it is built already."""
    subprocess.run([sys.executable, "-m", "ui.build"], cwd=ROOT, check=True)
    return ROOT / ".build" / "bundle"


@pytest.fixture
def browser_log(request: pytest.FixtureRequest) -> list[str]:
    log: list[str] = []
    request.node.user_properties.append(("browser", log))
    return log


@pytest.fixture
def cdc(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[FakeCdc]:
    program = FakeCdc(tmp_path / "cdc")
    request.node.user_properties.append(("fake CDC", program))
    program.start()
    yield program
    program.kill()


@pytest.fixture(scope="session")
def port() -> int:
    """Every hub of the session listens here, so that a device which has visited one has visited all."""
    return free_port()


@pytest.fixture
def hub(tmp_path: Path, cdc: FakeCdc, bundle: Path, port: int, request: pytest.FixtureRequest) -> Iterator[Hub]:
    """A test may parametrize it indirectly with other waits."""
    program = Hub(tmp_path / "hub", cdc, bundle=bundle, port=port, **getattr(request, "param", {}))
    request.node.user_properties.append(("hub", program))
    program.start()
    yield program
    program.stop()


@pytest.fixture(scope="session")
def visited(playwright: Playwright, bundle: Path, port: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The profile of a browser that has opened the app once and has recorded nothing: what a first visit leaves."""
    folder = tmp_path_factory.mktemp("visited")
    hub = Hub(folder / "hub", None, bundle=bundle, port=port)
    hub.start()
    tablet = Tablet(playwright, folder / "profile", hub.url, [])
    try:
        desk = tablet.open()
        # Each copy must be a device of its own, so none of them may find this one's journal.
        desk.page.goto(f"{hub.url}/api/health")
        desk.page.evaluate(
            "navigator.storage.getDirectory().then((root) => root.removeEntry('desk', {recursive: true}))"
        )
    finally:
        tablet.close()
        hub.stop()
    return tablet.profile


@pytest.fixture
def new_tablet(
    playwright: Playwright, tmp_path: Path, hub: Hub, browser_log: list[str], request: pytest.FixtureRequest
) -> Iterator[Tablet]:
    """A device that has never seen the app."""
    with Cable() as cable:
        tablet = Tablet(playwright, tmp_path / "new-tablet", hub.url, browser_log, cable=cable)
        request.node.user_properties.append(("screens of the tablet", tablet))
        yield tablet
        tablet.throw_away()


@pytest.fixture
def make_tablet(
    playwright: Playwright,
    tmp_path: Path,
    hub: Hub,
    visited: Path,
    browser_log: list[str],
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[str], Tablet]]:
    """Make devices by name; each has visited the app once."""
    with ExitStack() as in_use:

        def make(name: str) -> Tablet:
            shutil.copytree(visited, tmp_path / name, ignore=shutil.ignore_patterns("Singleton*"))
            cable = in_use.enter_context(Cable())
            tablet = Tablet(playwright, tmp_path / name, hub.url, browser_log, cable=cable)
            in_use.callback(tablet.throw_away)
            request.node.user_properties.append((f"screens of {name}", tablet))
            return tablet

        yield make


@pytest.fixture
def tablet(make_tablet: Callable[[str], Tablet]) -> Tablet:
    return make_tablet("tablet")


@pytest.fixture(scope="session")
def roster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small HIS export."""
    path = tmp_path_factory.mktemp("roster") / "roster.csv"
    path.write_bytes(make_roster(60, 1, date(2026, 11, 23)))
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[misc,assignment]
    if report.failed:
        for name, source in item.user_properties:
            text = "\n".join(map(str, source[-80:])) if isinstance(source, list) else source.log_text()  # type: ignore[attr-defined]
            report.sections.append((f"log of the {name}", text))
    return report  # type: ignore[return-value]
