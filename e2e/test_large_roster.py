"""A whole town's roster: 60,000 rows through the page that a clinic uses, with the screen in use meanwhile."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from e2e.programs import Hub, eventually
from e2e.sample.make_sample import make_roster
from e2e.screens import Desk, Tablet

ROWS = 60_000
LAST = f"{58000 + ROWS - 2:06d}"  # the chart number of the last row
IMPORT_SECONDS = 300


@pytest.fixture(scope="module")
def large_roster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "roster.csv"
    path.write_bytes(make_roster(ROWS, 7, date(2026, 11, 23)))
    return path


def progress(desk: Desk) -> dict[str, int]:
    """What the page tells of the import: percent, and rows by what became of them."""
    text = desk.frame.get_by_text(re.compile(r"^\d+%　新增")).text_content() or ""
    counts = map(int, re.findall(r"\d+", text))
    return dict(zip(("percent", "new", "changed", "same", "bad"), counts, strict=True))


def start_import(desk: Desk, file: Path) -> None:
    desk.go("/roster")
    desk.frame.locator("input[type=file]").set_input_files(str(file))
    desk.see("編碼 Big5", within=60)
    desk.tap("確定匯入")


def test_sixty_thousand_rows_are_imported_while_the_screen_is_in_use(
    make_tablet: Callable[[str], Tablet], hub: Hub, large_roster: Path
) -> None:
    tablet = make_tablet("tablet")
    desk, other = tablet.open(), tablet.open("/BA102_3")
    start_import(desk, large_roster)

    seen = []
    for _ in range(3):
        seen.append(eventually("the import goes on", lambda: later_than(desk, seen)))
        # Meanwhile, at the other desk of the same device, somebody looks for the second person of the manual.
        other.search("")
        other.search("057165")
        other.see("找到 1 人")
    assert progress(desk)["percent"] < 100, "the import was over before anybody could use the screen"
    desk.see("匯入完成。", within=IMPORT_SECONDS)
    first = progress(desk)
    assert (first["percent"], first["changed"]) == (100, 0)
    assert first["new"] + first["same"] + first["bad"] == ROWS

    desk.go("/BA102_3")
    desk.search(LAST)
    desk.see("找到 1 人")
    assert desk.row_with(LAST).count() == 1

    start_import(desk, large_roster)
    desk.see("匯入完成。", within=IMPORT_SECONDS)
    again = progress(desk)
    assert (again["new"], again["changed"], again["bad"]) == (0, 0, first["bad"])
    desk.go("/")
    desk.see(f"{first['new']} 人")

    # The hub has each person once, and so has a device that knew nobody.
    eventually("the hub has everybody", lambda: hub.health()["head"] == first["new"], within=IMPORT_SECONDS)
    newcomer = make_tablet("newcomer").open("/")
    newcomer.see(f"{first['new']} 人", within=IMPORT_SECONDS)
    newcomer.search(LAST)
    newcomer.see("找到 1 人")


def later_than(desk: Desk, seen: list[int]) -> int:
    """The percentage shown, once it is above what was seen before; else 0."""
    now = progress(desk).get("percent", 0)
    return now if now > max(seen, default=0) else 0
