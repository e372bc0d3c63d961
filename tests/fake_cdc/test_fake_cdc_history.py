"""What the fake CDC tells of one person: what it holds, what was added by hand, and whom it does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.fake_cdc.bundles import BIRTH, MOI, PARENT, bundle, deletion, immunization, one_record, patient
from tests.fake_cdc.running import Client, Reply, RunningCdc

ID = "A123456789"


async def ask(cdc: Client, value: str = ID, *, system: str = MOI, birth: str = BIRTH.isoformat()) -> Reply:
    identifier = quote(f"{system}|{value}", safe="")
    return await cdc.get(f"/fhir/Immunization?patient.identifier={identifier}&patient.birthdate={birth}")


async def seed(cdc: Client, value: str = ID, *, birth: str = BIRTH.isoformat(), **more: Any) -> None:
    await cdc.control("POST", "history", {"value": value, "birth_date": birth, **more})


def resources(answer: Reply) -> list[Any]:
    assert answer.status == 200, answer.text
    content = answer.json
    assert (content["resourceType"], content["type"]) == ("Bundle", "searchset")
    assert content["total"] == len(content.get("entry", []))
    return [entry["resource"] for entry in content.get("entry", [])]


async def test_what_was_uploaded_and_verified_is_told(cdc: Client) -> None:
    await cdc.upload(one_record("b-1", "k1"))

    (told,) = resources(await ask(cdc))

    assert told["vaccineCode"]["coding"][0]["code"] == "MMR"
    assert told["protocolApplied"] == [{"doseNumberString": "1"}]
    assert told["lotNumber"] == "AMJRE075AA-CDC"
    actor = {"identifier": {"value": "1133060019"}, "display": "宜蘭縣頭城鎮衛生所"}
    assert told["performer"] == [{"actor": actor}]
    assert "patient" not in told


async def test_what_is_not_verified_yet_is_not_told(cdc: Client) -> None:
    await seed(cdc)
    await cdc.control("POST", "verify_after", {"seconds": 600})
    await cdc.upload(one_record("b-1", "k1"))

    assert resources(await ask(cdc)) == []


async def test_what_was_voided_is_told_no_more_and_the_person_is_still_known(cdc: Client) -> None:
    await cdc.upload(one_record("b-1", "k1"))
    await cdc.upload(bundle("b-2", deletion("k1")))

    assert resources(await ask(cdc)) == []


async def test_nobody_elses_is_told(cdc: Client) -> None:
    other = patient("B123456780")
    await cdc.upload(bundle("b-1", other, immunization(other, "k2")))
    await seed(cdc, rows=[{"date": "2020-01-01", "vaccine_code": "BCG"}])

    assert [told["vaccineCode"]["coding"][0]["code"] for told in resources(await ask(cdc))] == ["BCG"]


async def test_a_newborn_is_found_by_a_parents_id_and_birth_date(cdc: Client) -> None:
    child = patient(id_type="MR", system=PARENT, multipleBirthInteger=1)
    await cdc.upload(bundle("b-1", child, immunization(child, "k1")))

    assert len(resources(await ask(cdc, system=PARENT))) == 1
    assert (await ask(cdc)).issue[1] == "E00005"


@pytest.mark.parametrize("value", ["", "%20"], ids=["empty", "blank"])
@pytest.mark.parametrize("start", ["", "http%3A%2F%2Fwww.moi.gov.tw%7C"], ids=["nothing", "a system"])
async def test_a_blank_identifier_is_refused(cdc: Client, start: str, value: str) -> None:
    answer = await cdc.get(f"/fhir/Immunization?patient.identifier={start}{value}&patient.birthdate=2020-01-01")
    assert answer.status == 400
    assert answer.issue == ("error", "E00003", "缺少交易參數(必填欄位不足)")


@pytest.mark.parametrize(("birth", "code"), [("", "E00003"), ("2020-02-30", "E00004"), ("109/01/01", "E00004")])
async def test_a_question_without_a_birth_date_is_refused(cdc: Client, birth: str, code: str) -> None:
    await seed(cdc)
    answer = await ask(cdc, birth=birth)
    assert (answer.status, answer.issue[1]) == (400, code)


async def test_an_unknown_id_is_refused(cdc: Client) -> None:
    answer = await ask(cdc)
    assert answer.status == 400
    assert answer.issue[:2] == ("error", "E00005")


async def test_a_known_id_with_another_birth_date_has_no_records(cdc: Client) -> None:
    await cdc.upload(one_record("b-1", "k1"))
    assert resources(await ask(cdc, birth="2020-01-01")) == []


@pytest.mark.parametrize(
    ("scenario", "path", "value"),
    [
        ("history_unknown_vaccine", ("vaccineCode", "coding", 0, "code"), "ZZ_NEW"),
        ("history_missing_lot", ("lotNumber",), None),
        ("history_before_birth", ("occurrenceDateTime",), "2019-12-31"),
        ("history_unreadable_date", ("occurrenceDateTime",), "999/01/01"),
    ],
)
@pytest.mark.parametrize("way", ["scenario", "added"])
async def test_odd_rows_come_when_ordered(cdc: Client, scenario: str, path: Any, value: Any, way: str) -> None:
    added = {"odd": scenario} if way == "added" else {}
    await seed(cdc, birth="2020-01-01", **added)
    if way == "scenario":
        await cdc.next_is("history", scenario)

    (found,) = resources(await ask(cdc, birth="2020-01-01"))
    for step in path[:-1]:
        found = found[step]
    assert (found.get(path[-1]) if isinstance(found, dict) else found[path[-1]]) == value
    assert len(resources(await ask(cdc, birth="2020-01-01"))) == (1 if way == "added" else 0)


@pytest.mark.parametrize(
    ("scenario", "status"),
    [("unauthorized_401", 401), ("rate_limit_429", 429), ("error_503_retry_after", 503), ("error_500", 500)],
)
async def test_the_common_misfortunes_meet_it_too(cdc: Client, scenario: str, status: int) -> None:
    await seed(cdc)
    await cdc.next_is("history", scenario)
    assert (await ask(cdc)).status == status


async def test_no_log_line_and_no_listed_request_names_a_person(cdc: Client, running: RunningCdc) -> None:
    await seed(cdc, "F123456786")
    await ask(cdc, "F123456786")
    assert "F123456786" not in str(await cdc.control("GET", "requests"))
    assert "/fhir/Immunization" in running.log.read_text()
    assert "F123456786" not in running.log.read_text()


async def test_what_was_added_survives_sigkill(tmp_path: Path) -> None:
    first = RunningCdc(tmp_path)
    try:
        async with Client(first.url) as client:
            await seed(client, rows=[{"date": "2020-01-01", "vaccine_code": "BCG"}])
    finally:
        first.kill()
    second = RunningCdc(tmp_path)
    try:
        async with Client(second.url) as client:
            assert len(resources(await ask(client))) == 1
    finally:
        second.kill()


@pytest.mark.parametrize(
    "given",
    [{}, {"value": ID}, {"value": ID, "birth_date": "x"}, {"rows": [{"color": "x"}]}, {"rows": "x"}, {"odd": "x"}],
    ids=str,
)
async def test_a_seed_that_means_nothing_is_refused(cdc: Client, given: Any) -> None:
    if given.keys() & {"rows", "odd"}:
        given |= {"value": ID, "birth_date": "2020-01-01"}
    async with cdc.session.post(f"{cdc.url}/control/history", json=given) as answer:
        assert answer.status == 400
