"""The one path everything rests on: recorded with no network, verified at CDC."""

import re
from collections.abc import Callable
from pathlib import Path

from e2e.programs import FakeCdc, Hub, eventually
from e2e.screens import Tablet

LOT = "AMJRE075AA-CDC"


def only_record(cdc: FakeCdc) -> dict[str, object]:
    records = cdc.records()
    assert len(records) == 1, records
    return dict(next(iter(records.values())))


def test_recorded_offline_survives_closing_and_ends_verified(
    new_tablet: Tablet, hub: Hub, cdc: FakeCdc, roster: Path
) -> None:
    tablet = new_tablet
    desk = tablet.open()
    desk.import_roster(roster)

    tablet.cut_network()
    hub.stop()
    desk.record("057164", lot=LOT, warn=True)
    desk.see("待上傳")
    tablet.close()

    desk = tablet.open("/BA102_3")
    desk.see("測試患者")
    desk.see("主機 離線")
    assert desk.row_with("057164").count() == 1
    assert cdc.records() == {}

    hub.start()
    tablet.mend_network()
    desk.see("主機 正常", within=40)
    desk.see("未同步 0")
    desk.go("/BA102_3_DOWNLOAD")
    desk.see(re.compile("I00001 新增成功"), within=60)
    desk.see("檢核通過")
    record = only_record(cdc)
    assert (record["stored_versions"], record["uploads"]) == (1, 1)


def test_refused_lot_is_shown_in_cdcs_words_corrected_and_verified(tablet: Tablet, cdc: FakeCdc, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    desk.record("057164", lot="WRONG1-CDC", warn=True)

    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核失敗")
    desk.see(re.compile("批號不存在"))
    desk.row_with("批號不存在").click()
    desk.see(re.compile("疾管署訊息：.*批號不存在"))
    desk.frame.get_by_label(re.compile("疫苗批號")).fill(LOT)
    desk.save(despite_warning=True)

    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核通過")
    record = only_record(cdc)
    assert record["stored_versions"] == 1
    assert record["state"] == "held"


def test_answer_lost_after_storing_is_asked_about_and_not_doubled(tablet: Tablet, cdc: FakeCdc, roster: Path) -> None:
    cdc.scenario("upload", "drop_after_storing")
    desk = tablet.open()
    desk.import_roster(roster)
    desk.record("057164", lot=LOT, warn=True)

    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核通過")

    record = only_record(cdc)
    assert (record["stored_versions"], record["uploads"]) == (1, 1)


def test_browser_killed_right_after_saved_still_has_the_record(tablet: Tablet, hub: Hub, roster: Path) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    hub.stop()
    desk.record("057164", lot=LOT, warn=True)
    tablet.kill()

    desk = tablet.open("/BA102_3")

    desk.see("今日接種 1 筆")
    assert desk.row_with("057164").count() == 1


def test_another_device_sees_the_change_without_asking(make_tablet: Callable[[str], Tablet], roster: Path) -> None:
    one, two = make_tablet("one"), make_tablet("two")
    first = one.open()
    first.import_roster(roster)
    second = two.open("/BA102_3")
    second.see("主機 正常")

    first.record("057164", lot=LOT, warn=True)

    second.see("今日接種 1 筆")  # nobody asks the hub of itself: only its notice brings this


def test_second_tab_shows_the_same_and_takes_over_when_the_first_goes(tablet: Tablet, roster: Path) -> None:
    first = tablet.open()
    first.import_roster(roster)
    second = tablet.open("/BA102_3")
    first.record("057164", lot=LOT, warn=True)
    second.see("今日接種 1 筆")

    eventually("the second tab stands by", lambda: len(second.page.workers) == 1)
    first.page.close()

    second.wait()
    second.record("058001", lot=LOT, warn=True)
    second.see("今日接種 2 筆")


def test_hub_restarted_in_the_middle_loses_and_doubles_nothing(
    tablet: Tablet, hub: Hub, cdc: FakeCdc, roster: Path
) -> None:
    desk = tablet.open()
    desk.import_roster(roster)
    cdc.scenario("upload", "time_out")
    desk.record("057164", lot=LOT, warn=True)
    eventually("an upload is on its way", lambda: any(r["method"] == "POST" for r in cdc.requests()))
    hub.kill()
    hub.start()

    desk.go("/BA102_3_DOWNLOAD")
    desk.see_row("檢核通過")

    record = only_record(cdc)
    assert record["stored_versions"] == 1
