"""What a device that does not hold everyone asks the hub for: who is meant by what was typed, and single persons.

Invariants:
- what was asked for of a person is in place before anything else is exchanged (`turn`), so nothing newer is put back;
- the hub being away, or of before there were scopes, costs nothing but the answer.
"""

import asyncio
from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from store.database import SCHEMA_VERSION
from store.device_database import DeviceDatabase
from store.protocol import (
    MAX_PEOPLE,
    MAX_TYPED,
    FoundPerson,
    PeopleAnswer,
    PeopleRequest,
    SearchAnswer,
    SearchRequest,
)
from ui.network import JSON, Network, NetworkFailed

_FOUND = 20


class PeopleClient:
    """One device's questions about persons."""

    def __init__(self, database: DeviceDatabase, network: Network, turn: asyncio.Lock) -> None:
        self._database = database
        self._network = network
        self._turn = turn

    async def search(self, typed: str) -> list[FoundPerson] | None:
        """Persons of the hub that the text means, the best first; None where the hub gave no answer."""
        content = await self._ask("/api/search", SearchRequest(typed=typed[:MAX_TYPED], limit=_FOUND))
        try:
            return SearchAnswer.model_validate_json(content).people if content is not None else None
        except ValidationError:
            return None

    async def fetch(self, patient_ids: Sequence[str]) -> bool:
        """Take all records of some persons into the store; False where the hub gave none. Raises: StorageFailed."""
        asked = list(patient_ids)
        async with self._turn:
            content = await self._ask("/api/people", PeopleRequest(patient_ids=asked))
            if content is None:
                return False
            try:
                answer = PeopleAnswer.model_validate_json(content)
            except ValidationError:
                return False
            return answer.schema_version == SCHEMA_VERSION and await self._database.take_people(answer, asked)

    async def fetch_wanted(self) -> None:
        """Fetch of whom something is lacking, as long as the hub gives it. Raises: StorageFailed."""
        while wanted := list(self._database.reach.wanted)[:MAX_PEOPLE]:
            if not await self.fetch(wanted):
                return

    async def _ask(self, path: str, request: BaseModel) -> bytes | None:
        try:
            body = request.model_dump_json().encode()
            status, _, content = await self._network.fetch("POST", path, body, JSON)
        except NetworkFailed:
            return None
        return content if status == 200 else None
