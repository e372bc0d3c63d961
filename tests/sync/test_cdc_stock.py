"""What CDC's answers about stock mean, and what they do not."""

from typing import Any

import pytest

from store.stock import ConsumptionResult
from sync.cdc_stock import StockPage, read_consumption, read_stock_page
from sync.registry import AnswerUnreadable
from tests.sync.test_cdc_answers import BATCH, exchange, outcome, response

USES = ["a" * 32, "b" * 32]
ROWS = ["S-0001", "S-0002"]


def page(vials: Any = 3, link: Any = None) -> StockPage:
    resource = {
        "resourceType": "SupplyDelivery",
        "identifier": [{"value": "S-0001"}],
        "extension": [
            {"url": "https://twniis.cdc.gov.tw/twniis/StructureDefinition/lot-number", "valueString": "D006A-CDC"}
        ],
        "suppliedItem": {"quantity": {"value": vials}, "itemCodeableConcept": {"coding": [{"code": "CoV_AZ"}]}},
    }
    content = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource}], "link": link}
    return read_stock_page(exchange(200, content))


@pytest.mark.parametrize("vials", [3, 3.0, 0, -2])
def test_whole_vials_make_a_row(vials: Any) -> None:
    assert [row.vials for row in page(vials).rows] == [vials]


@pytest.mark.parametrize("vials", [3.5, "3", True, None, 1e300, 10**400])
def test_vials_that_nobody_can_have_make_no_row(vials: Any) -> None:
    assert (page(vials).rows, page(vials).unreadable) == ([], 1)


@pytest.mark.parametrize(
    "url", [None, 7, "", "http://[x?page=2", "http://x/?page=\ud800", "http://x/", "http://x/?" + "9" * 5000]
)
def test_a_next_page_that_cannot_be_asked_for_is_no_last_page(url: Any) -> None:
    with pytest.raises(AnswerUnreadable):
        page(link=[{"relation": "next", "url": url}])


def use(status: str, name: str | None) -> dict[str, Any]:
    said = outcome() if status == "200" else outcome("error")
    named = {"fullUrl": f"https://cdc/SupplyDelivery/{name}"} if name else {}
    return {**named, "response": {"status": status, "outcome": said}}


def results(*entries: Any) -> list[ConsumptionResult]:
    rows = [{"request": {"url": f"SupplyDelivery/{name}"}} for name in ROWS]
    body = exchange(None, {"entry": rows}).body
    return read_consumption(exchange(200, response(*entries), upload_batch_id=BATCH, request_body=body), USES)


@pytest.mark.parametrize(
    ("entries", "accepted"),
    [
        ([use("200", None), use("400", None)], {USES[0]: True, USES[1]: False}),
        ([use("200", ROWS[1]), use("400", ROWS[0])], {USES[0]: False, USES[1]: True}),
        ([use("200", ROWS[0]), use("200", "S-0003")], {USES[0]: True}),
        ([use("200", ROWS[0]), use("400", ROWS[0])], {USES[0]: False}),
        ([use("400", ROWS[0]), use("200", ROWS[0])], {USES[0]: False}),
    ],
    ids=["by place", "by name", "another row", "twice", "twice, the other way"],
)
def test_an_entry_is_about_the_row_that_it_names(entries: list[Any], accepted: dict[str, bool]) -> None:
    assert {one.consumption_id: one.accepted for one in results(*entries)} == accepted
