"""Fixtures of the journeys. What failed shows the logs of the hub, the fake CDC and the browser."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from e2e.programs import ROOT, FakeCdc, Hub
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


@pytest.fixture
def hub(tmp_path: Path, cdc: FakeCdc, bundle: Path, request: pytest.FixtureRequest) -> Iterator[Hub]:
    program = Hub(tmp_path / "hub", cdc, bundle=bundle)
    request.node.user_properties.append(("hub", program))
    program.start()
    yield program
    program.stop()


@pytest.fixture
def make_tablet(
    playwright: Playwright, tmp_path: Path, hub: Hub, browser_log: list[str]
) -> Iterator[Callable[[str], Tablet]]:
    """Make a tablet by name; the same name is the same device."""
    tablets: list[Tablet] = []

    def make(name: str) -> Tablet:
        tablets.append(Tablet(playwright, tmp_path / name, hub.url, browser_log))
        return tablets[-1]

    yield make
    for tablet in tablets:
        tablet.throw_away()


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
