"""The control page has a word for all that can be switched; e2e/test_fake_cdc_page.py pulls its levers in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2e.fake_cdc import control_page
from e2e.fake_cdc.scenarios import KINDS, SCENARIOS

SCRIPT = (Path(control_page.__file__).parent / "page" / "page.js").read_text("utf-8")


@pytest.mark.parametrize(("table", "names"), [("KIND_NAMES", set(KINDS)), ("SCENARIO_NAMES", SCENARIOS.keys())])
def test_each_has_its_word_on_the_page(table: str, names: set[str]) -> None:
    found = re.search(rf"const {table} = {{(.*?)}};", SCRIPT, re.DOTALL)
    assert found is not None
    assert set(re.findall(r'(\w+): "', found[1])) == names


def test_every_exchange_can_go_well_and_meet_what_befalls_any_connection() -> None:
    of_any = {
        "normal", "slow", "time_out", "drop_before_storing", "drop_after_storing", "error_500", "error_503_retry_after",
        "html_instead_of_json", "truncated_json", "wrong_charset", "rate_limit_429", "unauthorized_401",
    }  # fmt: skip
    assert {name for name, kinds in SCENARIOS.items() if kinds == set(KINDS)} == of_any
    for kind in ("upload", "consumption", "exams"):
        assert {"refuse_batch", "unknown_code"} <= {name for name, kinds in SCENARIOS.items() if kind in kinds}
