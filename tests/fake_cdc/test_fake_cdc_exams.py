"""The fake CDC's side of exam reports over HTTP; each published code is provoked in tests/ui/test_exam_codes.py."""

from __future__ import annotations

import json
from typing import Any

from store.uploads import UploadMethod
from tests.exam_refusals import body_of
from tests.factories import EXAM_ID
from tests.fake_cdc.running import Client, Reply, code_of


async def report(cdc: Client, body: bytes) -> Reply:
    return await cdc.ask("POST", "/fhir/UpldExamRslt", data=body, headers=cdc.headers)


async def exams(cdc: Client) -> Any:
    return (await cdc.control("GET", "exams"))["exams"]


async def test_a_report_is_held_with_its_observations_and_its_specimen_until_it_is_deleted(cdc: Client) -> None:
    answer = await report(cdc, body_of())
    held = await exams(cdc)

    assert [code_of(entry) for entry in answer.json["entry"]] == ["I00001"]
    kinds = sorted(path.partition("/")[0] for path in held[EXAM_ID])
    assert kinds == ["DiagnosticReport", "Observation", "Observation", "Patient", "Specimen"]
    await report(cdc, body_of(asked=UploadMethod.DELETE))
    assert await exams(cdc) == {}


async def test_an_unknown_success_code_stores_all_the_same(cdc: Client) -> None:
    await cdc.next_is("exams", "unknown_code")
    answer = await report(cdc, body_of())

    assert [code_of(entry) for entry in answer.json["entry"]] == ["I00977"]
    assert list(await exams(cdc)) == [EXAM_ID]


async def test_a_refusal_in_words_of_ones_own_stores_nothing(cdc: Client) -> None:
    await cdc.next_is("exams", "refuse_batch", code="E00999", text="新的檢核", expression="Observation.method")
    answer = await report(cdc, body_of())

    assert (answer.status, answer.issue) == (400, ("error", "E00999", "新的檢核"))
    assert json.loads(answer.body)["issue"][0]["expression"] == ["Observation.method"]
    assert await exams(cdc) == {}
