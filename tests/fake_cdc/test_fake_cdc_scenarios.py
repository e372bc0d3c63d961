"""Every scenario provoked once, and what CDC holds after it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.fake_cdc.bundles import BIRTH, bundle, deletion, immunization, one_record, patient
from tests.fake_cdc.running import Client, RunningCdc

CUT = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


async def last_request(cdc: Client) -> Any:
    return (await cdc.control("GET", "requests"))["requests"][-1]


async def test_slow_answers_late_but_right(cdc: Client) -> None:
    await cdc.next_is("upload", "slow", seconds=0.3)
    started = asyncio.get_running_loop().time()

    answer = await cdc.upload(one_record("b-1", "k1"))

    assert asyncio.get_running_loop().time() - started >= 0.3
    assert answer.status == 200


async def test_time_out_stores_and_never_answers(cdc: Client) -> None:
    await cdc.next_is("upload", "time_out")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(cdc.upload(one_record("b-1", "k1")), 0.5)

    assert (await cdc.records())["k1"]["stored_versions"] == 1


async def test_dropped_before_storing_nothing_is_held(cdc: Client) -> None:
    await cdc.next_is("upload", "drop_before_storing")

    with pytest.raises(CUT):
        await cdc.upload(one_record("b-1", "k1"))

    assert (await cdc.confirm("b-1")).status == 404
    assert await cdc.records() == {}


async def test_dropped_after_storing_the_batch_is_known(cdc: Client) -> None:
    same = one_record("b-1", "k1")
    await cdc.next_is("upload", "drop_after_storing")

    with pytest.raises(CUT):
        await cdc.upload(same)

    assert await cdc.results("b-1") == {"k1": ("201 Created", "I00001")}
    assert (await cdc.upload(same)).status == 200
    assert (await cdc.records())["k1"]["stored_versions"] == 1


@pytest.mark.parametrize(
    ("selector", "refused"),
    [
        ({"record_key": "k2"}, {"k2"}),
        ({"lot_number": "T025257-CDC"}, {"k3"}),
        ({"nth": 2}, {"k2"}),
        ({}, {"k1"}),
    ],
)
async def test_refuse_row_refuses_the_chosen_row(cdc: Client, selector: dict[str, Any], refused: set[str]) -> None:
    person = patient()
    rows = [immunization(person, key) for key in ("k1", "k2")]
    rows.append(immunization(person, "k3", vaccine="Var", lot="T025257-CDC"))
    await cdc.next_is("upload", "refuse_row", code="Z123", text="從未見過的訊息", **selector)

    await cdc.upload(bundle("b-1", person, *rows))

    results = await cdc.results("b-1")
    assert {key for key, result in results.items() if result == ("400 Bad Request", "Z123")} == refused
    assert {key for key, record in (await cdc.records()).items() if record["stored_versions"] == 0} == refused


async def test_refuse_row_says_unknown_lot_by_itself(cdc: Client) -> None:
    await cdc.next_is("upload", "refuse_row")
    await cdc.upload(one_record("b-1", "k1"))

    (entry,) = (await cdc.confirm("b-1")).json["entry"]
    (issue,) = entry["response"]["outcome"]["issue"]
    assert (issue["severity"], issue["details"]["text"]) == ("error", "批號不存在")


async def test_refuse_batch_is_400_and_stores_nothing(cdc: Client) -> None:
    await cdc.next_is("upload", "refuse_batch")

    answer = await cdc.upload(one_record("b-1", "k1"))

    assert answer.status == 400
    assert answer.issue == ("error", "E00013", "新增失敗,整批退回")
    assert (await cdc.confirm("b-1")).status == 404


@pytest.mark.parametrize(
    ("scenario", "status", "retry_after"),
    [
        ("error_500", 500, None),
        ("error_503_retry_after", 503, "7"),
        ("rate_limit_429", 429, "7"),
        ("unauthorized_401", 401, None),
    ],
)
async def test_an_error_status_stores_nothing(cdc: Client, scenario: str, status: int, retry_after: str | None) -> None:
    await cdc.next_is("upload", scenario, retry_after=7)

    answer = await cdc.upload(one_record("b-1", "k1"))

    assert (answer.status, answer.headers.get("Retry-After")) == (status, retry_after)
    assert await cdc.records() == {}


async def test_an_error_may_come_after_storing(cdc: Client) -> None:
    await cdc.next_is("upload", "error_500", stored=True)

    assert (await cdc.upload(one_record("b-1", "k1"))).status == 500
    assert (await cdc.records())["k1"]["stored_versions"] == 1


async def test_html_comes_with_status_200(cdc: Client) -> None:
    await cdc.next_is("upload", "html_instead_of_json")

    answer = await cdc.upload(one_record("b-1", "k1"))

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert await cdc.records() == {}


async def test_truncated_json_is_stored_but_unreadable(cdc: Client) -> None:
    await cdc.next_is("upload", "truncated_json")

    answer = await cdc.upload(one_record("b-1", "k1"))

    with pytest.raises(json.JSONDecodeError):
        assert answer.json
    assert "k1" in await cdc.records()


async def test_wrong_charset_says_utf8_and_is_big5(cdc: Client) -> None:
    await cdc.next_is("upload", "wrong_charset")

    answer = await cdc.upload(one_record("b-1", "k1"))

    assert "utf-8" in answer.headers["Content-Type"]
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode("utf-8")
    assert "作業完成" in answer.body.decode("cp950")


async def test_a_closed_month_takes_new_records_but_no_change(cdc: Client) -> None:
    await cdc.upload(bundle("b-1", *(person := patient(), immunization(person, "k1"), immunization(person, "k2"))))
    await cdc.next_is("upload", "month_closed", times=None)
    person = patient()
    changed = [immunization(person, "k1", method="PUT"), immunization(person, "k3"), deletion("k2")]

    await cdc.upload(bundle("b-2", person, *changed))

    answer = await cdc.confirm("b-2")
    issues = {entry["fullUrl"][13:]: entry["response"]["outcome"]["issue"][0] for entry in answer.json["entry"]}
    codings = {key: issue["details"]["coding"][0] for key, issue in issues.items()}
    assert {key: (coding["code"], coding["display"]) for key, coding in codings.items()} == {
        "k1": ("E00002", "單位此月份已結算"),
        "k2": ("E00002", "單位此月份已結算"),
        "k3": ("I00001", "新增成功"),
    }
    assert (await cdc.records())["k2"]["state"] == "held"


@pytest.mark.parametrize("retry_after", [None, 3])
async def test_processing_may_come_with_or_without_retry_after(cdc: Client, retry_after: int | None) -> None:
    await cdc.upload(one_record("b-1", "k1"))
    await cdc.next_is("confirm", "processing_202", retry_after=retry_after)

    first = await cdc.confirm("b-1")

    assert first.status == 202
    assert first.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
    assert (await cdc.confirm("b-1")).status == 200


async def test_a_missing_entry_comes_at_the_next_question(cdc: Client) -> None:
    person = patient()
    await cdc.upload(bundle("b-1", person, immunization(person, "k1"), immunization(person, "k2")))
    await cdc.next_is("confirm", "entry_missing", record_key="k2")

    assert set(await cdc.results("b-1")) == {"k1"}
    assert set(await cdc.results("b-1")) == {"k1", "k2"}


async def test_unknown_codes_keep_severity_and_status(cdc: Client) -> None:
    person = patient()
    await cdc.next_is("upload", "unknown_code")
    answer = await cdc.upload(bundle("b-1", person, immunization(person, "k1"), immunization(person, "k2", lot="?")))
    await cdc.next_is("confirm", "unknown_code")

    assert answer.status == 200
    assert answer.json["entry"][0]["response"]["outcome"]["issue"][0]["severity"] == "information"
    assert await cdc.results("b-1") == {"k1": ("201 Created", "I00977"), "k2": ("400 Bad Request", "X7001")}


async def test_a_stock_row_with_a_vaccine_nobody_knows_changes_nothing_else(cdc: Client) -> None:
    path = "/fhir/SupplyDelivery?destination.identifier=1133060019"
    await cdc.next_is("stock", "stock_unknown_vaccine")
    odd, usual = (await cdc.get(path)).json, (await cdc.get(path)).json

    def codes(page: Any) -> list[str]:
        items = [entry["resource"]["suppliedItem"]["itemCodeableConcept"] for entry in page["entry"]]
        return [item["coding"][0]["code"] for item in items]

    assert codes(odd) == ["ZZ_NEW", *codes(usual)[1:]]
    assert odd["total"] == usual["total"]
    assert "ZZ_NEW" not in codes(usual)


@pytest.mark.parametrize("scenario", ["drop_after_storing", "drop_before_storing"])
async def test_a_question_may_be_cut_too(cdc: Client, scenario: str) -> None:
    await cdc.upload(one_record("b-1", "k1"))
    # A client may repeat a GET by itself on a connection that broke, so the cut stands until cleared.
    await cdc.next_is("confirm", scenario, times=None)

    with pytest.raises(CUT):
        await cdc.confirm("b-1")


async def test_counted_scenarios_go_before_standing_ones_and_run_out(cdc: Client) -> None:
    await cdc.next_is("confirm", "error_500", times=None)
    await cdc.next_is("confirm", "rate_limit_429", times=2)
    await cdc.next_is("confirm", "error_503_retry_after")

    statuses = [(await cdc.confirm("b-1")).status for _ in range(5)]
    await cdc.control("DELETE", "scenarios")

    assert statuses == [429, 429, 503, 500, 500]
    assert (await cdc.confirm("b-1")).status == 404


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "upload", "scenario": "nonsense"},
        {"kind": "confirm", "scenario": "refuse_batch"},
        {"kind": "upload", "scenario": "slow", "seconds": "3"},
        {"kind": "upload", "scenario": "slow", "times": 0},
        {"kind": "upload", "scenario": "slow", "typo": 1},
    ],
)
async def test_an_order_that_means_nothing_is_refused(cdc: Client, order: dict[str, Any]) -> None:
    async with cdc.session.post(f"{cdc.url}/control/scenarios", json=order) as response:
        assert response.status == 400
    assert (await cdc.control("GET", "state"))["rules"] == []


async def test_down_drops_every_connection_also_the_waiting_ones(cdc: Client) -> None:
    await cdc.next_is("upload", "time_out")
    waiting = asyncio.create_task(cdc.upload(one_record("b-1", "k1")))
    while "k1" not in await cdc.records():
        pass  # each look is a request, answered only between the other's steps

    await cdc.control("POST", "down", {"down": True})

    with pytest.raises(CUT):
        await waiting
    with pytest.raises(CUT):
        await cdc.confirm("b-1")
    await cdc.control("POST", "down", {"down": False})
    assert (await cdc.confirm("b-1")).status == 200


async def test_the_request_log_tells_method_path_body_and_scenario(cdc: Client) -> None:
    await cdc.next_is("upload", "refuse_batch")
    await cdc.upload(b"x")

    seen = await last_request(cdc)

    assert (seen["method"], seen["path"], seen["scenario"], seen["status"]) == (
        "POST",
        "/fhir/Bundle",
        "refuse_batch",
        400,
    )
    assert seen["body_sha256"] == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


async def test_no_name_or_id_reaches_the_log_of_the_program(cdc: Client, running: RunningCdc) -> None:
    await cdc.upload(one_record("b-1", "k1"))
    await cdc.upload(one_record("b-2", "k1", lot="?"))
    await cdc.get("/fhir/Patient/A123456789?name=測試患者")

    log = running.log.read_text("utf-8")
    assert "POST /fhir/Bundle -> 200" in log
    for secret in ("A123456789", "測試患者", BIRTH.isoformat(), "0912345678"):
        assert secret not in log


async def test_the_page_and_its_files_are_served_under_a_strict_policy(cdc: Client) -> None:
    for path, wanted in (("/", "假 CDC 控制台"), ("/page.js", "refresh"), ("/page.css", "table")):
        async with cdc.session.get(cdc.url + path) as response:
            assert response.status == 200
            assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
            assert wanted in await response.text()


async def test_levers_cannot_be_pulled_by_a_form_of_another_site(cdc: Client) -> None:
    async with cdc.session.post(f"{cdc.url}/control/down", data=b'{"down": true}') as response:
        assert response.status == 400
    assert not (await cdc.control("GET", "state"))["down"]
