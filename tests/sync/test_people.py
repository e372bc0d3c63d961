"""Searching on the hub, and single persons with all their records, over HTTP."""

import json
from pathlib import Path

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.decisions import draft_merge
from store.device_database import DeviceDatabase
from store.protocol import MAX_PEOPLE, PeopleAnswer, PeopleRequest, SearchAnswer, SearchRequest
from store.storage import MemoryFolder
from tests.store.test_checkpoint import patient
from tests.store.test_rebuild import dose
from tests.sync.running_hub import WORLD, RunningHub, running_hub


async def fill_hub(hub: RunningHub, numbers: range) -> None:
    device = await DeviceDatabase.open(MemoryFolder(), WORLD)
    for number in numbers:
        await device.commit([patient(number, phone=f"09{number:08d}"), dose(number)], made_by="nurse")
    await hub.database.accept(list(device.unsent))


async def found(hub: RunningHub, typed: str, limit: int = 20) -> list[str]:
    body = SearchRequest(typed=typed, limit=limit).model_dump_json().encode()
    response = await hub.post("/api/search", body)
    assert response.status == 200
    return [person.chart_number for person in SearchAnswer.model_validate_json(await response.read()).people]


@pytest.mark.parametrize("typed", ["病患12", "０00012", "0900000012", "00001", ""])
async def test_the_hub_finds_whom_a_device_finds(tmp_path: Path, typed: str) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(30))

        here = [d["chart_number"] for d in hub.database.tables.patients.find_by_typed(typed, 20)]
        assert await found(hub, typed) == here
        assert bool(here) == bool(typed)


async def test_no_more_are_found_than_were_asked_for(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(30))

        assert len(await found(hub, "病患", limit=7)) == 7


async def test_a_person_comes_with_all_doses_and_without_anybody_elses(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(5))

        body = PeopleRequest(patient_ids=[f"{3:032x}", "f" * 32]).model_dump_json().encode()
        response = await hub.post("/api/people", body)
        answer = PeopleAnswer.model_validate_json(await response.read())

        assert answer.head == hub.database.head
        assert list(answer.records["patients"]) == [f"{3:032x}"]
        assert list(answer.records["vaccinations"]) == [f"{1003:032x}"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/search", b'{"typed": "%s"}' % (b"x" * 101), 400),
        ("/api/search", b'{"typed": "x", "limit": 51}', 400),
        ("/api/search", b"{}", 400),
        ("/api/search", b'{"typed": "x", "protocol": 9}', 409),
        ("/api/people", json.dumps({"patient_ids": ["a" * 32] * (MAX_PEOPLE + 1)}).encode(), 400),
        ("/api/people", b'{"patient_ids": ["../etc"]}', 400),
    ],
    ids=["long text", "too many wanted", "nothing typed", "other protocol", "too many people", "no record id"],
)
async def test_what_is_no_question_is_refused_and_not_quoted(
    tmp_path: Path, path: str, body: bytes, status: int
) -> None:
    async with running_hub(tmp_path) as hub:
        response = await hub.post(path, body)

        assert response.status == status
        assert "xx" not in await response.text()


async def test_a_chart_that_goes_on_as_another_says_so(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(3))
        await hub.database.commit([draft_merge(f"{1:032x}", f"{2:032x}")], made_by="nurse")
        response = await hub.post("/api/search", SearchRequest(typed="病患").model_dump_json().encode())
        people = SearchAnswer.model_validate_json(await response.read()).people

        assert {p.chart_number: p.merged for p in people} == {"000000": False, "000001": True, "000002": False}


async def test_a_session_of_thousands_is_kept(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        ids = [f"{n:032x}" for n in range(5000)]
        payload = {"session_name": "x", "session_date": "2026-11-25", "patient_ids": ids}
        await hub.database.commit([ChangeDraft(ChangeKind.REGISTER_SESSION, "5" * 32, payload)], made_by="nurse")

        assert len(hub.database.tables.sessions.at("5" * 32)["patient_ids"]) == 5000
