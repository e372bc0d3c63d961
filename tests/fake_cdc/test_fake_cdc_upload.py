"""Upload and verification without any scenario: contract sections 1 to 4."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.fake_cdc.bundles import BIRTH, ORG, PARENT, TODAY, bundle, deletion, immunization, one_record, patient
from tests.fake_cdc.running import Client, basic, code_of

ACCEPTED_ISSUE = {
    "severity": "information",
    "code": "informational",
    "details": {
        "coding": [
            {
                "system": "https://twniis.cdc.gov.tw/twniis/CodeSystem/twniis-operationoutcome-values",
                "code": "I00000",
                "display": "作業完成",
            }
        ]
    },
}


async def test_an_accepted_bundle_is_answered_as_the_contract_prints_it(cdc: Client) -> None:
    answer = await cdc.upload(one_record("b-1", "k1"))

    assert answer.status == 200
    assert (answer.json["resourceType"], answer.json["type"]) == ("Bundle", "batch-response")
    assert answer.json["identifier"] == {"value": "b-1"}
    (entry,) = answer.json["entry"]
    assert entry["response"]["outcome"]["issue"] == [ACCEPTED_ISSUE]


async def test_new_corrected_and_voided_are_told_with_their_own_code(cdc: Client) -> None:
    await cdc.upload(one_record("b-1", "k1"))
    await cdc.upload(one_record("b-2", "k1", method="PUT", dose="2"))
    held = (await cdc.records())["k1"]
    await cdc.upload(bundle("b-3", deletion("k1")))

    assert await cdc.results("b-1") == {"k1": ("201 Created", "I00001")}
    assert await cdc.results("b-2") == {"k1": ("200 OK", "I00002")}
    assert await cdc.results("b-3") == {"k1": ("204 No Content", "I00003")}
    assert held["current"]["resource"]["protocolApplied"] == [{"doseNumberString": "2"}]
    record = (await cdc.records())["k1"]
    assert (record["state"], record["stored_versions"], record["uploads"]) == ("voided", 3, 3)


async def test_the_same_bundle_again_is_accepted_and_stored_once(cdc: Client) -> None:
    same = one_record("b-1", "k1")

    assert [(await cdc.upload(same)).status for _ in range(3)] == [200, 200, 200]

    record = (await cdc.records())["k1"]
    assert (record["stored_versions"], record["uploads"]) == (1, 3)
    (batch,) = (await cdc.control("GET", "batches"))["batches"]
    assert batch["times_received"] == 3
    assert json.loads(batch["body"]) == same


async def test_the_same_identifier_with_another_body_is_a_conflict(cdc: Client) -> None:
    first = one_record("b-1", "k1")
    await cdc.upload(first)

    answer = await cdc.upload(json.dumps(first, ensure_ascii=False, indent=1).encode())

    assert answer.status == 409
    assert answer.issue[0] == "error"
    assert (await cdc.records())["k1"]["uploads"] == 1


async def test_a_batch_never_seen_is_404(cdc: Client) -> None:
    assert (await cdc.confirm("never")).status == 404


async def test_an_unknown_path_is_404(cdc: Client) -> None:
    answer = await cdc.get("/fhir/Patient/A123456789")

    assert (answer.status, answer.issue[0]) == (404, "error")


async def test_another_institution_does_not_see_the_batch(cdc: Client) -> None:
    await cdc.upload(one_record("b-1", "k1"))
    cdc.headers["Authorization"] = basic("592202A296", "other")

    assert (await cdc.confirm("b-1")).status == 404


async def test_verification_waits_and_says_how_long(cdc: Client) -> None:
    await cdc.control("POST", "verify_after", {"seconds": 1000})
    await cdc.upload(one_record("b-1", "k1"))

    waiting = await cdc.confirm("b-1")
    state = (await cdc.records())["k1"]["state"]
    await cdc.control("POST", "verify_after", {"seconds": 0})

    assert waiting.status == 202
    assert 990 <= int(waiting.headers["Retry-After"]) <= 1000
    assert waiting.json["issue"][0]["details"]["text"] == "處理中"
    assert state == "processing"
    assert await cdc.results("b-1") == {"k1": ("201 Created", "I00001")}


async def test_a_refused_row_leaves_the_others_stored_and_is_new_again_when_corrected(cdc: Client) -> None:
    person = patient()
    await cdc.upload(bundle("b-1", person, immunization(person, "good"), immunization(person, "bad", lot="NOSUCH-CDC")))

    entries = {entry["fullUrl"]: entry["response"] for entry in (await cdc.confirm("b-1")).json["entry"]}
    refused = entries["Immunization/bad"]
    assert refused["status"] == "400 Bad Request"
    (issue,) = refused["outcome"]["issue"]
    assert issue["severity"] == "error"
    assert issue["details"]["coding"][0]["display"] == "批號不存在"
    assert issue["expression"] == ["Immunization.lotNumber"]
    assert entries["Immunization/good"]["status"] == "201 Created"
    assert (await cdc.records())["bad"]["stored_versions"] == 0

    await cdc.upload(one_record("b-2", "bad"))
    assert await cdc.results("b-2") == {"bad": ("201 Created", "I00001")}


async def test_a_lot_added_by_hand_may_be_used(cdc: Client) -> None:
    lot = {"vaccine_code": "MMR", "lot_number": "NEW1-CDC", "lot_type": "1", "vials": 3, "expiry_date": "2027-01-31"}
    await cdc.control("POST", "lots", lot)
    await cdc.upload(one_record("b-1", "k1", lot="NEW1-CDC"))

    assert await cdc.results("b-1") == {"k1": ("201 Created", "I00001")}


async def test_a_self_paid_lot_is_not_looked_up(cdc: Client) -> None:
    await cdc.upload(one_record("b-1", "k1", lot="PRIVATE9", lot_type="2", vaccine="RZV"))

    assert await cdc.results("b-1") == {"k1": ("201 Created", "I00001")}


TOMORROW = (TODAY + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    ("changes", "element"),
    [
        pytest.param({"lot": "amjre075aa-cdc"}, "lotNumber", id="lot in small letters"),
        pytest.param({"lot": "DH2437-CDC"}, "lotNumber", id="lot of another vaccine"),
        pytest.param({"lot_type": "3"}, "lotNumber", id="lot of another type"),
        pytest.param({"lot": ""}, "lotNumber", id="no lot"),
        pytest.param({"lot_type": "4"}, "extension", id="unknown lot type"),
        pytest.param({"vaccine": "Rotavirus"}, "vaccineCode", id="unknown vaccine"),
        pytest.param({"dose": "0"}, "protocolApplied.doseNumber", id="dose nought"),
        pytest.param({"given": TOMORROW}, "occurrence", id="given tomorrow"),
        pytest.param({"given": (BIRTH - timedelta(days=1)).isoformat()}, "occurrence", id="given before birth"),
        pytest.param({"given": "2026-02-30"}, "occurrence", id="a day that is none"),
        pytest.param({"given": "20261120"}, "occurrence", id="date without hyphens"),
        pytest.param({"status": "not-done"}, "status", id="not done"),
        pytest.param({"performer": None}, "performer", id="no institution"),
        pytest.param(
            {"performer": [{"actor": {"identifier": {"value": "592202A296"}}}]}, "performer", id="other institution"
        ),
        pytest.param({"identifier": [{"value": "k2"}]}, "identifier", id="another record key inside"),
        pytest.param({"programEligibility": []}, "programEligibility", id="empty eligibility"),
    ],
)
async def test_a_wrong_vaccination_is_refused_with_its_element(
    cdc: Client, changes: dict[str, Any], element: str
) -> None:
    assert (await cdc.upload(one_record("b-1", "k1", **changes))).status == 200

    (entry,) = (await cdc.confirm("b-1")).json["entry"]
    assert entry["response"]["status"] == "400 Bad Request"
    assert entry["response"]["outcome"]["issue"][0]["expression"] == [f"Immunization.{element}"]


MR = {"id_type": "MR", "system": PARENT}
PRC = {"id_type": "PRC", "system": "http://www.immigration.gov.tw"}


@pytest.mark.parametrize(
    ("person", "code"),
    [
        pytest.param(patient("B222419838"), "I00001", id="national ID"),
        pytest.param(patient("A123456788"), "E00018", id="national ID with a wrong check digit"),
        pytest.param(patient("a123456789"), "E00041", id="national ID in small letters"),
        pytest.param(patient(""), "E00023", id="blank identifier"),
        pytest.param(patient("A123456789", system="http://moi"), "E00004", id="unknown identifier system"),
        pytest.param(patient("A800000014", **PRC), "I00001", id="resident number"),
        pytest.param(patient("A123456789", **PRC), "E00042", id="national ID called resident number"),
        pytest.param(patient("X1234567", id_type="PPN", system="urn:passport:JPN"), "I00001", id="passport"),
        pytest.param(patient("A123456789", **MR, multipleBirthInteger=1), "I00001", id="newborn"),
        pytest.param(patient("A123456789", **MR), "E00003", id="newborn without order of birth"),
        pytest.param(patient(birth=TOMORROW), "E00019", id="born tomorrow"),
        pytest.param(patient(birthDate=None), "E00024", id="no birth date"),
        pytest.param(patient(name=None), "E00003", id="no name"),
        pytest.param(patient(gender="2"), "E00004", id="sex as a number"),
        pytest.param(patient(telecom=None, address=None), "I00001", id="no telephone and address"),
    ],
)
async def test_a_person_is_judged_at_verification(cdc: Client, person: dict[str, Any], code: str) -> None:
    await cdc.upload(bundle("b-1", person, immunization(person, "k1")))

    assert (await cdc.results("b-1"))["k1"][1] == code


async def test_twins_under_one_parent_are_two_persons(cdc: Client) -> None:
    first, second = (patient("A123456789", **MR, multipleBirthInteger=order) for order in (1, 2))
    entries = [first, immunization(first, "k1"), second, immunization(second, "k2")]

    assert (await cdc.upload(bundle("b-1", *entries))).status == 200

    assert set((await cdc.results("b-1")).values()) == {("201 Created", "I00001")}


async def test_a_record_cdc_does_not_hold_cannot_be_changed(cdc: Client) -> None:
    person = patient()
    await cdc.upload(bundle("b-1", person, immunization(person, "k1", method="PUT"), deletion("k2")))

    assert await cdc.results("b-1") == {"k1": ("400 Bad Request", "E00032"), "k2": ("400 Bad Request", "E00033")}


async def test_a_record_key_is_new_only_once(cdc: Client) -> None:
    await cdc.upload(one_record("b-1", "k1"))
    await cdc.upload(one_record("b-2", "k1"))
    await cdc.upload(bundle("b-3", deletion("k1")))
    await cdc.upload(one_record("b-4", "k1"))

    assert (await cdc.results("b-2"))["k1"][0] == "400 Bad Request"
    assert (await cdc.results("b-4"))["k1"][0] == "400 Bad Request"
    assert (await cdc.records())["k1"]["stored_versions"] == 2


def _refused_bundles() -> Iterator[Any]:
    good = one_record("b-1", "k1")
    person, record = good["entry"]
    other = patient("B222419838")

    def changed(name: str, **parts: Any) -> Any:
        return pytest.param({**good, **parts}, id=name)

    yield pytest.param(b"{", id="not JSON")
    yield pytest.param(json.dumps(good, ensure_ascii=False).encode("cp950"), id="Big5")
    yield pytest.param(b"[]", id="a list")
    yield changed("not a Bundle", resourceType="Parameters")
    yield changed("a transaction", type="transaction")
    yield changed("no identifier", identifier={})
    yield changed("identifier of 41 characters", identifier={"value": "x" * 41})
    yield changed("timestamp without offset", timestamp="2026-11-20T10:00:00")
    yield changed("no entries", entry=[])
    yield changed("a person alone", entry=[person])
    yield changed("a record before its person", entry=[record, person])
    yield changed("a record after another person", entry=[person, other, record])
    yield changed("the person twice", entry=[person, record, {**patient(), "fullUrl": "urn:uuid:2"}])
    yield changed("the record twice", entry=[person, record, {**record, "fullUrl": "urn:uuid:3"}])
    yield changed("a record that is PATCHed", entry=[person, {**record, "request": {"method": "PATCH"}}])
    yield changed("DELETE with a resource", entry=[person, {**record, "request": deletion("k1")["request"]}])
    yield changed(
        "a person under another url",
        entry=[{**person, "request": {"method": "PUT", "url": "Patient?identifier=x|y"}}, record],
    )
    yield changed("501 records", entry=[person, *(immunization(person, f"k{number}") for number in range(501))])


@pytest.mark.parametrize("content", list(_refused_bundles()))
async def test_a_bundle_with_a_wrong_frame_is_refused_whole(cdc: Client, content: Any) -> None:
    answer = await cdc.upload(content)

    assert answer.status == 400, answer.text
    assert answer.issue[0] == "error"
    assert await cdc.records() == {}


async def test_500_records_are_taken(cdc: Client) -> None:
    person = patient()
    await cdc.upload(bundle("b-1", person, *(immunization(person, f"k{number}") for number in range(500))))

    assert len(await cdc.results("b-1")) == 500


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in items:
        yield from _paths(part, (*path, step))


async def test_any_part_of_another_kind_is_refused_and_never_breaks_cdc(cdc: Client) -> None:
    good = one_record("b-0", "k0")
    number = 0
    for path in list(_paths(good))[1:]:
        values: tuple[Any, ...] = (None, "", 7, [], {}, True, "\ud800")
        for value in values:
            number += 1
            spoiled = copy.deepcopy(good)
            spoiled["identifier"]["value"] = f"b-{number}"
            parent: Any = spoiled
            for step in path[:-1]:
                parent = parent[step]
            parent[path[-1]] = value
            answer = await cdc.upload(json.dumps(spoiled).encode())
            assert answer.status in (200, 400), (path, value, answer.text)
    assert number > 300


async def test_another_content_type_is_a_bad_parameter(cdc: Client) -> None:
    answer = await cdc.upload(one_record("b-1", "k1"), **{"Content-Type": "application/json"})

    assert answer.status == 400


async def test_stock_comes_in_pages_and_holds_the_contracts_row(cdc: Client) -> None:
    next_url: str | None = f"/fhir/SupplyDelivery?destination.identifier={ORG}"
    rows: list[Any] = []
    pages = 0
    while next_url is not None:
        page = (await cdc.get(next_url)).json
        rows += [entry["resource"] for entry in page["entry"]]
        next_url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
        pages += 1

    assert pages == 3
    assert len(rows) == page["total"] == len({row["identifier"][0]["value"] for row in rows})
    structure = "https://twniis.cdc.gov.tw/twniis/StructureDefinition"
    assert rows[0] == {
        "resourceType": "SupplyDelivery",
        "identifier": [{"value": "S-0001"}],
        "status": "in-progress",
        "extension": [
            {"url": f"{structure}/lot-number", "valueString": "D006A-CDC"},
            {"url": f"{structure}/lot-type", "valueCode": "1"},
            {"url": f"{structure}/expiry-date", "valueDate": "2027-03-31"},
            {"url": f"{structure}/doses-per-vial", "valuePositiveInt": 10},
        ],
        "suppliedItem": {
            "quantity": {"value": 33, "unit": "瓶"},
            "itemCodeableConcept": {
                "coding": [
                    {
                        "system": "https://twniis.cdc.gov.tw/twniis/CodeSystem/twniis-vaccine-code-values",
                        "code": "CoV_AZ",
                    }
                ]
            },
        },
    }


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("?destination.identifier=592202A296", 403), (f"?destination.identifier={ORG}&page=99", 400)],
)
async def test_stock_of_nobody_or_of_another_is_not_given(cdc: Client, query: str, status: int) -> None:
    assert (await cdc.get(f"/fhir/SupplyDelivery{query}")).status == status


async def test_an_encoded_dollar_finds_the_same_question(cdc: Client) -> None:
    await cdc.upload(one_record("b-1", "k1"))

    (entry,) = (await cdc.get("/fhir/Bundle/b-1/%24confirm")).json["entry"]

    assert code_of(entry) == "I00001"
