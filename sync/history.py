"""Ask CDC what one person was given anywhere, when staff ask, and keep what it tells for every device.

Invariants:
- who has no ID that passes its form check is not asked about;
- the raw answer is on disk before anybody tries to understand it; only a success of CDC becomes a history, an empty one
  too: a refusal or a failure is told and leaves what was known;
- one question a tap: two taps for one person are one question, and of several persons one is asked about at a time;
- nothing here touches the pauses of the uploads.
"""

import asyncio
import logging

from store.changes import ChangeDraft, ChangeKind, World
from store.history import HistoryReceived, Identity, read_identity, replaced_by_next
from store.hub_database import HubDatabase
from store.persons import effective_patient
from store.protocol import STAFF, HistoryAnswer, HistoryOutcome, ToldProblem
from sync.registry import (
    AnswerUnreadable,
    HistorySource,
    KeyRefused,
    RefusedWhole,
    RegistryBusy,
    RegistryDown,
    RegistryError,
    RegistryUnreachable,
)

MADE_BY = "hub"
# Browsers' requests end after 30 s; a late answer is kept all the same.
PATIENCE_SECONDS = 20.0
_OUTCOME_BY_ERROR: dict[type[RegistryError], HistoryOutcome] = {
    RegistryUnreachable: HistoryOutcome.UNREACHABLE,
    RegistryDown: HistoryOutcome.BUSY,
    RegistryBusy: HistoryOutcome.BUSY,
    KeyRefused: HistoryOutcome.KEY_REFUSED,
    AnswerUnreadable: HistoryOutcome.UNREADABLE,
}
_log = logging.getLogger(__name__)


class HistoryDesk:
    """The one place that asks CDC about persons."""

    def __init__(self, database: HubDatabase, source: HistorySource, world: World) -> None:
        self._database = database
        self._source = source
        self._world = world
        self._asking: dict[tuple[str, str], asyncio.Task[HistoryAnswer]] = {}
        self._turn = asyncio.Lock()
        self.patience_seconds = PATIENCE_SECONDS

    async def ask(self, record_id: str, asked_by: str = STAFF) -> HistoryAnswer:
        """Ask now, or wait for the question that is on its way. Raises: StorageFailed."""
        tables = self._database.tables
        person_id = effective_patient(tables, record_id)
        patient = tables.patients.find(person_id)
        if patient is None:
            return HistoryAnswer(outcome=HistoryOutcome.UNKNOWN_PERSON)
        identity, problems = read_identity(patient)
        if identity is None:
            told = [ToldProblem(field=problem.field, code=problem.code) for problem in problems]
            return HistoryAnswer(outcome=HistoryOutcome.NOT_IDENTIFIED, problems=told)
        key = (person_id, identity.digest)
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(person_id, identity, asked_by))
            task.add_done_callback(lambda done: self._forget(key, done))
        await asyncio.wait([task], timeout=self.patience_seconds)
        return task.result() if task.done() else HistoryAnswer(outcome=HistoryOutcome.STILL_ASKING)

    async def close(self) -> None:
        """Stop asking; what was asked for is asked again by whoever still wants it."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, person_id: str, identity: Identity, asked_by: str) -> HistoryAnswer:
        async with self._turn:
            exchange = await self._source.ask_history(person_id, identity)
            await self._database.keep_exchange(exchange.as_data(asked_by))
            try:
                answer = self._source.read_history(exchange, identity)
            except RegistryError as error:
                # The code alone: CDC's words may name the person.
                _log.warning("history: %s", error.code)
                outcome = _OUTCOME_BY_ERROR.get(type(error), HistoryOutcome.UNREADABLE)
                return HistoryAnswer(outcome=outcome, detail=error.detail)
            if isinstance(answer, RefusedWhole):
                return HistoryAnswer(outcome=HistoryOutcome.REFUSED, message=answer.message)
            received = HistoryReceived(
                identity=identity.digest,
                fetched_at=exchange.ended_at,
                rows=list(answer.rows),
                has_more=answer.has_more,
            )
            draft = ChangeDraft(
                ChangeKind.HISTORY_RECEIVED,
                person_id,
                # An empty list of rows is what CDC said, so it is written.
                {"rows": [], **received.model_dump(mode="json", exclude_defaults=True)},
                replaced_by_next(self._database.tables.histories.find(person_id)),
            )
            [change] = await self._database.commit([draft], MADE_BY)
            return HistoryAnswer(outcome=HistoryOutcome.RECEIVED, revision=change.change_id)

    def _forget(self, key: tuple[str, str], done: "asyncio.Task[HistoryAnswer]") -> None:
        self._asking.pop(key, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            _log.error("history: %s", type(error).__name__)  # whoever still waits is told; nobody else need be
