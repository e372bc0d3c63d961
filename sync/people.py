"""What a device asks that does not hold everyone: who is meant by what was typed, and all records of some persons.

    POST /api/search    SearchRequest -> SearchAnswer
    POST /api/people    PeopleRequest -> PeopleAnswer

Invariants:
- nothing is kept of what was typed, and none of it is logged;
- an answer costs by what it holds; searching looks through one text of all persons, a few milliseconds of 100,000.
"""

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from store.database import SCHEMA_VERSION
from store.errors import ProtocolMismatch
from store.persons import effective_patient
from store.protocol import (
    PROTOCOL_VERSION,
    FoundPerson,
    PeopleAnswer,
    PeopleRequest,
    SearchAnswer,
    SearchRequest,
)
from store.scope_records import records_of_people
from sync.hub import HUB
from sync.middlewares import Refused

AnyRequest = TypeVar("AnyRequest", PeopleRequest, SearchRequest)


def add_people(app: web.Application) -> None:
    app.router.add_post("/api/search", search)
    app.router.add_post("/api/people", people)


async def search(request: web.Request) -> web.Response:
    """Find persons as a device that holds everyone would."""
    message = await _read(request, SearchRequest)
    tables = request.app[HUB].database.tables
    found = [
        FoundPerson(**person, merged=effective_patient(tables, person["record_id"]) != person["record_id"])
        for person in tables.patients.find_by_typed(message.typed, message.limit)
    ]
    return _json(SearchAnswer(people=found))


async def people(request: web.Request) -> web.Response:
    """Give all records of some persons, as they stand at one moment."""
    message = await _read(request, PeopleRequest)
    database = request.app[HUB].database
    answer = PeopleAnswer(
        schema_version=SCHEMA_VERSION,
        generation=database.generation,
        head=database.head,
        records=records_of_people(database.tables, message.patient_ids),
    )
    return _json(answer)


async def _read(request: web.Request, model: type[AnyRequest]) -> AnyRequest:
    try:
        message = model.model_validate_json(await request.read())
    except ValidationError as error:
        # Field and kind only: the value is what a nurse typed.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Refused(400, "invalid_body", f"{'.'.join(map(str, first['loc']))}: {first['type']}") from None
    if message.protocol != PROTOCOL_VERSION:
        raise ProtocolMismatch(ours=PROTOCOL_VERSION, theirs=message.protocol)
    return message


def _json(answer: BaseModel) -> web.Response:
    return web.Response(body=answer.model_dump_json().encode(), content_type="application/json", charset="utf-8")
