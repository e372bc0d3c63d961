"""What a device asks that does not hold everyone: who is meant by what was typed, and all records of some persons.

    POST /api/search    SearchRequest -> SearchAnswer
    POST /api/people    PeopleRequest -> PeopleAnswer

Invariants:
- nothing is kept of what was typed, and none of it is logged;
- an answer costs by what it holds; searching looks through one text of all persons, a few milliseconds of 100,000.
"""

from aiohttp import web

from store.database import SCHEMA_VERSION
from store.persons import effective_patient
from store.protocol import FoundPerson, PeopleAnswer, PeopleRequest, SearchAnswer, SearchRequest
from store.scope_records import records_of_people
from sync.hub import HUB
from sync.messages import answer_json, read_message


def add_people(app: web.Application) -> None:
    app.router.add_post("/api/search", search)
    app.router.add_post("/api/people", people)


async def search(request: web.Request) -> web.Response:
    """Find persons as a device that holds everyone would."""
    message = await read_message(request, SearchRequest)
    tables = request.app[HUB].database.tables
    found = [
        FoundPerson(**person, merged=effective_patient(tables, person["record_id"]) != person["record_id"])
        for person in tables.patients.find_by_typed(message.typed, message.limit)
    ]
    return await answer_json(request, SearchAnswer(people=found))


async def people(request: web.Request) -> web.Response:
    """Give all records of some persons, as they stand at one moment."""
    message = await read_message(request, PeopleRequest)
    database = request.app[HUB].database
    answer = PeopleAnswer(
        schema_version=SCHEMA_VERSION,
        generation=database.generation,
        head=database.head,
        records=records_of_people(database.tables, message.patient_ids),
    )
    return await answer_json(request, answer)
