"""A tablet that takes along one school's children only, and what it does about the others."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

from playwright.sync_api import expect

from e2e.programs import FakeCdc
from e2e.sample.make_sample import make_roster
from e2e.screens import Desk, Tablet

LOT = "AMJRE075AA-CDC"
CHILDREN, OTHERS = 12, 48


def import_session(desk: Desk, file: Path, name: str, day: str) -> None:
    desk.go("/roster")
    desk.frame.locator("input[type=file]").set_input_files(str(file))
    desk.frame.get_by_label(re.compile("場次名稱")).fill(name)
    desk.frame.get_by_label(re.compile("場次日期")).fill(day)
    desk.tap("確定匯入")
    desk.see(f"場次「{name}」", within=120)


def choose_session(desk: Desk, name: str) -> None:
    desk.go("/device")
    desk.frame.get_by_role("radio", name="指定場次").click()
    desk.row_with(name).get_by_role("checkbox").click()
    desk.tap("套用 (F9)")
    desk.see(re.compile("從這台裝置移除"))
    desk.frame.get_by_role("dialog").get_by_role("button", name="確定").click()
    desk.see("已完成。", within=60)


def rosters(folder: Path) -> tuple[Path, Path]:
    """One HIS export in two files: a school's children, and everybody else."""
    lines = make_roster(CHILDREN + OTHERS, 1, date(2026, 11, 23)).splitlines(keepends=True)
    children, others = folder / "children.csv", folder / "others.csv"
    children.write_bytes(b"".join(lines[: 1 + CHILDREN]))
    others.write_bytes(b"".join([lines[0], *lines[1 + CHILDREN :]]))
    return children, others


def test_a_tablet_holds_one_session_and_finds_the_others_on_the_hub(
    make_tablet: Callable[[str], Tablet], cdc: FakeCdc, tmp_path: Path
) -> None:
    one, two = make_tablet("one"), make_tablet("two")
    children, others = rosters(tmp_path)
    first = one.open()
    first.import_roster(others)
    import_session(first, children, "復興國小", "1151201")
    first.see("未同步 0", within=60)
    second = two.open()
    second.see(re.compile(r"\d+ 人"))

    choose_session(second, "復興國小")

    second.see(re.compile(r"只存 1 場次 \d+ 人"))
    stranger = first.python(
        "from ui import boot; t = boot.running().database.tables; s = next(t.sessions.documents());"
        "next(d['chart_number'] for d in t.patients.documents()"
        " if d['birth_date'] and d['record_id'] not in s['patient_ids'])"  # without a birth date CDC refuses the dose
    )
    assert stranger not in second.python(
        "from ui import boot; [d['chart_number'] for d in boot.running().database.tables.patients.documents()]"
    )
    second.go("/BA102_3")
    second.search(stranger)
    second.see("本機的場次裡沒有這個人。")
    second.see("主機上的其他患者（不在本機場次，點選即取得）")
    second.row_with(stranger).first.click()
    second.see(f"病歷號碼 {stranger}")
    second.fill_vaccination(vaccine="MMR", dose="1", lot=LOT)
    second.save(despite_warning=True)

    second.see("未同步 0")
    first.go("/BA102_3")
    first.see("今日接種 1 筆")
    first.see_row(stranger)
    second.go("/BA102_3_DOWNLOAD")
    second.see_row("檢核通過")
    assert len(cdc.records()) == 1


def test_offline_the_tablet_says_that_it_looks_here_only_and_stays_as_it_was(
    make_tablet: Callable[[str], Tablet], tmp_path: Path
) -> None:
    tablet = make_tablet("one")
    children, others = rosters(tmp_path)
    desk = tablet.open()
    desk.import_roster(others)
    import_session(desk, children, "復興國小", "1151201")
    desk.see("未同步 0", within=60)
    choose_session(desk, "復興國小")
    tablet.cut_network()
    tablet.close()

    desk = tablet.open()
    desk.see("主機 離線", within=40)
    desk.search("沒有這個人")

    desk.see("連不上主機，只查得到本機場次的患者。")
    expect(desk.bar(re.compile("只存 1 場次"))).to_be_visible()
