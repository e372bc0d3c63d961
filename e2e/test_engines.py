"""The journey everything rests on, in the other engines a clinic may have: Firefox, and WebKit as on iPads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e import test_journey
from e2e.engines.browser import Browser, missing_package
from e2e.engines.desk import EngineTablet
from e2e.engines.firefox import Firefox
from e2e.engines.webkit import WebKit
from e2e.programs import FakeCdc, Hub

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]  # several real starts, on a busy machine perhaps


@pytest.fixture(params=[Firefox, WebKit], ids=["firefox", "webkit"])
def engine(request: pytest.FixtureRequest) -> type[Browser]:
    browser: type[Browser] = request.param
    if missing := missing_package(browser):
        pytest.skip(missing)
    return browser


@pytest.fixture
def engine_tablet(
    engine: type[Browser], tmp_path: Path, hub: Hub, browser_log: list[str]
) -> Iterator[EngineTablet]:
    profile = tmp_path / "tablet"
    tablet = EngineTablet(engine(profile, browser_log), profile, hub.url)
    yield tablet
    tablet.throw_away()


def test_recorded_offline_survives_closing_and_ends_verified(
    engine_tablet: EngineTablet, hub: Hub, cdc: FakeCdc, roster: Path
) -> None:
    test_journey.test_recorded_offline_survives_closing_and_ends_verified(engine_tablet, hub, cdc, roster)
