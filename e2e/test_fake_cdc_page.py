"""The fake CDC's control page in a browser: every exchange and scenario can be switched, all that it holds is shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from e2e.fake_cdc.cdc import read_stock
from e2e.fake_cdc.exams import Report
from e2e.fake_cdc.holdings import ConsumedRow, Holdings, JudgedRow
from e2e.fake_cdc.outcomes import NO_SUCH_LOT
from e2e.fake_cdc.scenarios import KINDS, SCENARIOS
from e2e.programs import INSTITUTION, FakeCdc, call
from e2e.screens import Tablet


@pytest.fixture
def held(tmp_path: Path) -> None:
    """A dose, a report and a row of consumption beside a refused one, as they were stored before the start."""
    holdings = Holdings(tmp_path / "cdc" / "state", read_stock())
    dose = {
        "vaccineCode": {"coding": [{"code": "MMR"}]},
        "protocolApplied": [{"doseNumberString": "1"}],
        "lotNumber": "AMJRE075AA-CDC",
    }
    holdings.accept(INSTITUTION, "B-1", b"1", [JudgedRow("dose-1", "POST", dose, {}, None)], 0.0)
    used = [ConsumedRow("S-0001", 1, 10, None), ConsumedRow("S-0002", 0, 0, NO_SUCH_LOT)]
    holdings.consume(INSTITUTION, "C-1", b"2", used)
    resources = {
        "DiagnosticReport/1": {
            "resourceType": "DiagnosticReport",
            "code": {"coding": [{"code": "2", "display": "孕婦B肝產檢結果"}]},
        },
        "Observation/1": {
            "resourceType": "Observation",
            "code": {"coding": [{"code": "HBsAg"}]},
            "effectiveDateTime": "2026-11-20",
            "method": {"coding": [{"code": "EIA"}]},
            "valueCodeableConcept": {"coding": [{"code": "NEG"}]},
        },
        "Specimen/1": {"resourceType": "Specimen", "collection": {"collectedDateTime": "2026-11-18"}},
    }
    holdings.store_exams(INSTITUTION, b"3", [Report("report-1", "POST", "DiagnosticReport/1", resources)])
    holdings.close()


@pytest.fixture
def page(
    playwright: Playwright, tmp_path: Path, held: None, cdc: FakeCdc, browser_log: list[str]
) -> Iterator[Page]:
    computer = Tablet(playwright, tmp_path / "profile", cdc.url, browser_log)
    page = computer.start()
    page.goto(cdc.url)
    yield page
    computer.throw_away()


def test_every_scenario_of_every_exchange_is_switched_on_by_a_tap(page: Page, cdc: FakeCdc) -> None:
    kind_of_request = page.get_by_label("請求種類")
    expect(kind_of_request.locator("option")).to_have_count(len(KINDS))
    for kind in KINDS:
        kind_of_request.select_option(kind)
        for scenario in [name for name, kinds in SCENARIOS.items() if kind in kinds]:
            with page.expect_response(f"{cdc.url}/control/scenarios"):
                page.locator(f"[data-scenario={scenario}]").click()
    page.get_by_label("次數").select_option("")
    page.get_by_role("textbox", name="代碼").fill("Z9")
    page.locator("[data-scenario=refuse_batch]").click()
    expect(page.locator("#rules")).to_contain_text("檢驗結果上傳：整批退回(直到清除)")

    rules = call(f"{cdc.url}/control/state")["rules"]
    switched = {(rule["kind"], rule["scenario"]) for rule in rules if rule["times"] == 1}
    assert switched == {(kind, name) for name, kinds in SCENARIOS.items() for kind in kinds}
    assert [rule["code"] for rule in rules if rule["times"] is None] == ["Z9"]

    page.get_by_role("button", name="全部清除").click()
    expect(page.locator("#rules")).to_have_text("無")


def test_doses_reports_stock_and_consumption_are_shown(page: Page) -> None:
    def rows(table: str) -> list[str]:
        return page.locator(f"#{table} tr").all_inner_texts()

    expect(page.locator("#summary")).to_have_text("接種 1 筆，批次 1 個，檢驗結果 1 筆，耗用量 1 批")
    assert rows("records")[0].startswith("dose-1\tMMR\t1\tAMJRE075AA-CDC\t已收錄")
    assert rows("exams") == ["report-1\t孕婦B肝產檢結果\t2026-11-20\t2026-11-18\tEIA\tHBsAg NEG"]
    assert rows("lots")[0] == "S-0001\tCoV_AZ\tD006A-CDC\t1\t32\t2027-03-31\t10"
    assert rows("consumptions") == ["C-1\t1\tS-0001\t1\t10\t已收下", "C-1\t1\tS-0002\t0\t0\tE00091 批號不存在"]
