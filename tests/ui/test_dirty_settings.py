"""設定 against what nobody should type: a message stands, or what was typed is kept as it was typed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import pytest

from store import codes
from store.changes import ChangeDraft, ChangeKind
from store.clinic_settings import clinic_of, lot_of_the_day, staff_members
from store.code_table_file import CodeTableName, built_in_table
from store.code_tables import follow_code_tables, loaded_table
from store.half_width import to_half_width
from store.tables import Tables
from tests.dirty_inputs import dirty_texts, dirty_values, whole
from tests.factories import make_lot
from tests.ui.dirty_screen import Screen
from tests.worlds import Clock, make_world
from ui.state import AppState

VACCINES = CodeTableName.VACCINES


@pytest.fixture
def built_in() -> Iterator[None]:
    """The tables of this process as they were."""
    yield
    follow_code_tables(Tables())


async def test_the_clinics_code_and_name(screen: Screen, state: AppState) -> None:
    await screen.open("/settings")
    kept = 0
    for code, name in zip(dirty_values("institution code"), dirty_values("clinic name"), strict=True):
        screen.type("institution-code", code)
        screen.type("clinic-name", name)
        typed_code, typed_name = screen.value("institution-code"), screen.value("clinic-name")
        if await screen.save("save"):
            clinic = clinic_of(state.database.tables)
            assert clinic.institution_code == "".join(to_half_width(typed_code).split()).upper()
            assert clinic.clinic_name == typed_name.strip()
            assert screen.value("clinic-name") == clinic.clinic_name
            kept += 1
    screen.check()
    assert kept > 100  # else little was seen of what is kept


@pytest.mark.parametrize("part", range(5))
async def test_staff(screen: Screen, state: AppState, part: int) -> None:
    await screen.open("/settings")
    expected: dict[str, str] = {}
    values = zip(dirty_values("staff id"), dirty_values("staff name"), strict=True)
    for staff_id, name in islice(values, part * 100, part * 100 + 100):
        screen.type("new-staff-id", staff_id)
        screen.type("new-staff-name", name)
        typed_id, typed_name = screen.value("new-staff-id"), screen.value("new-staff-name")
        screen.told.clear()
        screen.click("add-staff")
        if not screen.told:
            expected[to_half_width(typed_id).strip()] = typed_name.strip()
            continue
        assert len(screen.told[0]) < 500
        screen.type("new-staff-id", "")
        screen.type("new-staff-name", "")
    assert await screen.save("save")
    screen.check()
    assert {one.staff_id: one.name for one in staff_members(state.database.tables)} == expected
    assert len(expected) > 20


async def test_the_lots_of_the_day(screen: Screen, state: AppState) -> None:
    numbers = sorted({text.strip()[:40] for text in map(whole, dirty_texts("lot numbers")) if text.strip()})[::10]
    for place, number in enumerate(numbers):
        lot = make_lot(lot_number=number, record_id=f"{place + 0xB00:032x}")
        payload = lot.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
        await state.commit([ChangeDraft(ChangeKind.REGISTER_LOT, lot.record_id, payload)])
    await screen.open("/settings")
    mark = f"lot of {make_lot().vaccine_code}"
    offered = list(screen.at(mark).options)
    for value in dirty_values("lot of the day"):
        screen.type(mark, value)
        assert screen.value(mark) in offered
    screen.check()
    for number in offered[1:]:
        screen.choose(mark, number)
        assert await screen.save("save")
        assert lot_of_the_day(state.database.tables, make_lot().vaccine_code, state.today()) == number
    assert len(offered) > 20


@pytest.mark.usefixtures("built_in")
async def test_files_that_are_no_code_table(screen: Screen, state: AppState) -> None:
    await screen.open("/settings")
    state.world = make_world(Clock(datetime(2027, 1, 5, tzinfo=UTC)))  # after the built-in table's day
    before = f"# date: {built_in_table(VACCINES).dated}"
    whole_table = built_in_table(VACCINES).text.replace(before, "# date: 2027-01-04")
    lines = whole_table.splitlines(keepends=True)
    head = "".join(lines[: next(n for n, line in enumerate(lines) if line.startswith("code,")) + 2])
    looked_at = 0
    for number, text in enumerate(map(whole, dirty_texts("code tables"))):
        row = f"Odd{number},{text},New,1,yes,no,no,IM\n" if number % 4 else f'Odd{number},"{text}",New,1,yes,no,no,IM\n'
        await screen.give(f"load {VACCINES}", (head + row if number % 2 else text).encode(), name=text[:60])
        assert screen.find("table-refused") or screen.find(f"looked at {VACCINES}")
        looked_at += screen.find("table-refused") is None
    screen.check()
    assert loaded_table(state.database.tables, VACCINES) is None
    assert looked_at > 50

    odd = "Odd,<b>x</b>,New,1,yes,no,no,IM\n"
    await screen.give(f"load {VACCINES}", (whole_table + odd).encode(), name="<b>.csv")
    screen.told.clear()
    screen.click(f"use {VACCINES}")
    await screen.until(lambda: screen.told)
    vaccine = codes.vaccine_by_code("Odd")
    assert vaccine is not None
    assert vaccine.name == "<b>x</b>"
