"""What CDC's answers to exam reports mean, and what they do not."""

from typing import Any

import pytest

from sync.cdc_exams import read_report_answer
from tests.sync.test_cdc_answers import KEY, OTHER, exchange, outcome, response


def answers(**named: Any) -> dict[str, bool]:
    entry = {**named, "response": {"status": "200 OK", "outcome": outcome()}}
    found = read_report_answer(exchange(200, response(entry)), [KEY, OTHER])
    assert isinstance(found, list)
    return {one.record_id: one.stored for one in found}


def report(key: str) -> dict[str, Any]:
    return {"resourceType": "DiagnosticReport", "identifier": [{"value": key}]}


@pytest.mark.parametrize(
    "named",
    [
        {"fullUrl": f"DiagnosticReport/{KEY}"},
        {"fullUrl": f"https://twniis.cdc.gov.tw/twniis/DiagnosticReport/{KEY}"},
        {"resource": report(KEY)},
        {"resource": report(KEY), "fullUrl": f"DiagnosticReport/{KEY}"},
        {"resource": report(KEY), "fullUrl": "urn:uuid:1"},
    ],
    ids=range(5),
)
def test_an_entry_names_its_report_by_key_or_by_url(named: dict[str, Any]) -> None:
    assert answers(**named) == {KEY: True}


def test_an_entry_that_names_two_reports_decides_nothing() -> None:
    assert answers(resource=report(KEY), fullUrl=f"DiagnosticReport/{OTHER}") == {}
