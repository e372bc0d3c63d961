"""The fake CDC's second half of stock: consumption per row, the balance falling once per Bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fake_cdc.bundles import bundle, one_record
from tests.fake_cdc.running import Client, RunningCdc, code_of

_STRUCTURE = "https://twniis.cdc.gov.tw/twniis/StructureDefinition"


def used(row: str, lot: str, vials: Any, doses: int = 10, /, **changes: Any) -> dict[str, Any]:
    resource = {
        "resourceType": "SupplyDelivery",
        "identifier": [{"value": row}],
        "status": "completed",
        "extension": [
            {"url": f"{_STRUCTURE}/lot-number", "valueString": lot},
            {"url": f"{_STRUCTURE}/doses-used", "valueUnsignedInt": doses},
        ],
        "suppliedItem": {"quantity": {"value": vials, "unit": "瓶"}},
        **changes,
    }
    return {"resource": resource, "request": {"method": "PUT", "url": f"SupplyDelivery/{row}"}}


AZ = used("S-0001", "D006A-CDC", 1)


async def balance(cdc: Client, row: str = "S-0001") -> Any:
    lots = (await cdc.control("GET", "lots"))["lots"]
    return next(lot["vials"] for lot in lots if lot["identifier"] == row)


async def test_the_balance_falls_once_however_often_a_bundle_comes(cdc: Client) -> None:
    first = await cdc.upload(bundle("C-1", AZ))
    again = await cdc.upload(bundle("C-1", AZ))

    assert (first.status, first.json["type"], first.json["identifier"]["value"]) == (200, "batch-response", "C-1")
    assert [again.json["entry"], await balance(cdc)] == [first.json["entry"], 32]
    [stored] = (await cdc.control("GET", "consumptions"))["consumptions"]
    assert (stored["times_received"], stored["rows"][0]["doses"]) == (2, 10)


async def test_each_row_is_answered_in_order_and_a_refused_one_leaves_the_others(cdc: Client) -> None:
    answer = await cdc.upload(
        bundle("C-1", used("S-9999", "X-CDC", 1), AZ, used("S-0002", "WRONG-CDC", 1), used("S-0003", "R3N735V-CDC", -1))
    )

    told = [(entry["response"]["status"], code_of(entry)) for entry in answer.json["entry"]]
    assert told == [
        ("400 Bad Request", "E00033"),
        ("200 OK", "I00002"),
        ("400 Bad Request", "E00091"),
        ("400 Bad Request", "E00004"),
    ]
    assert [await balance(cdc), await balance(cdc, "S-0002")] == [32, 13]


async def test_an_identifier_used_for_another_body_is_refused(cdc: Client) -> None:
    await cdc.upload(bundle("C-1", AZ))
    await cdc.upload(one_record("V-1", "k1"))
    other = used("S-0001", "D006A-CDC", 2)
    answers = [await cdc.upload(bundle(name, other)) for name in ("C-1", "V-1")]
    answers.append(await cdc.upload(one_record("C-1", "k2")))
    assert [answer.status for answer in answers] == [409, 409, 409]
    assert await balance(cdc) == 32


async def test_scenarios_meet_consumption(cdc: Client) -> None:
    await cdc.next_is("consumption", "refuse_row", lot_number="D006A-CDC", code="X1", text="不收")
    answer = await cdc.upload(bundle("C-1", AZ))
    assert [code_of(entry) for entry in answer.json["entry"]] == ["X1"]
    await cdc.next_is("consumption", "refuse_batch")
    assert (await cdc.upload(bundle("C-2", AZ))).status == 400
    assert await balance(cdc) == 33


async def test_a_faulty_frame_is_refused_whole(cdc: Client) -> None:
    for fault in (used("S-0001", "D006A-CDC", 1, status="in-progress"), {**AZ, "request": {"method": "POST"}}):
        assert (await cdc.upload(bundle("C-1", AZ, fault))).status == 400
    assert (await cdc.upload(bundle("C-1", AZ, AZ))).status == 400
    assert await balance(cdc) == 33


async def test_the_balance_and_the_verdicts_survive_sigkill(tmp_path: Path) -> None:
    body = bundle("C-1", AZ, used("S-0002", "WRONG-CDC", 1))
    first = RunningCdc(tmp_path, "--verify-after", "0")
    try:
        async with Client(first.url) as cdc:
            before = (await cdc.upload(body)).json["entry"]
    finally:
        first.kill()

    second = RunningCdc(tmp_path, "--verify-after", "0")
    try:
        async with Client(second.url) as cdc:
            assert [(await cdc.upload(body)).json["entry"], await balance(cdc)] == [before, 32]
    finally:
        second.kill()


async def test_unknown_codes_keep_the_verdict_on_each_row(cdc: Client) -> None:
    await cdc.next_is("consumption", "unknown_code")
    answer = await cdc.upload(bundle("C-1", AZ, used("S-0002", "NOBODYS-CDC", 1)))

    assert [(entry["response"]["status"], code_of(entry)) for entry in answer.json["entry"]] == [
        ("200 OK", "I00977"),
        ("400 Bad Request", "X7001"),
    ]
    assert await balance(cdc) == 32
