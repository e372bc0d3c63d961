"""The hub of practice mode: it answers out of the practice store itself, and has no way to anything outside.

Invariants:
- nothing is sent anywhere: this module knows of no network, and whatever it has no answer to fails as without a hub;
- what it says of CDC goes into the practice store as the changes that a hub makes (store/practice_registry.py).
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Self

from pydantic import BaseModel

from store.changes import Change, ChangeDraft, World
from store.device_database import DeviceDatabase
from store.errors import AppError
from store.history import read_identity
from store.persons import effective_patient
from store.practice_data import INSTITUTION_CODE, draft_lots, draft_people, draft_records
from store.practice_registry import (
    VERIFY_AFTER,
    draft_consumption,
    draft_exams,
    draft_history,
    draft_stock,
    draft_upload,
    draft_verdicts,
    next_due,
    rows_to_send,
)
from store.protocol import (
    AcceptedChange,
    CdcLinkState,
    ExamsAnswer,
    HistoryAnswer,
    HistoryOutcome,
    HistoryRequest,
    HubStatus,
    SnapshotAnswer,
    StockAnswer,
    SyncAnswer,
    SyncRequest,
    ToldProblem,
)
from store.roc_date import TAIPEI
from ui.network import NetworkFailed

MADE_BY = "practice"
# So that one can look at what waits; a tap on 上傳 hurries it, as with a hub.
GATHER = timedelta(seconds=15)
_LOOK_AGAIN = timedelta(seconds=60)
_STATUS = HubStatus(cdc=CdcLinkState.CONNECTED, institution_code=INSTITUTION_CODE)
_log = logging.getLogger(__name__)
Headers = dict[str, str]


class PracticeHub:
    """Stands in the place of the network (ui/network.py)."""

    def __init__(self, database: DeviceDatabase, world: World) -> None:
        self._database, self._tables, self._world = database, database.tables, world
        self._woken = asyncio.Event()
        self._send_at: datetime | None = None
        self._answers: dict[str, Callable[[bytes], BaseModel | Awaitable[BaseModel]]] = {
            "/api/sync": self._sync,
            "/api/snapshot": lambda _: SnapshotAnswer(),
            "/api/cdc/wake": self._wake,
            "/api/cdc/stock": self._download_stock,
            "/api/cdc/stock/upload": self._upload_stock,
            "/api/cdc/exams/upload": self._upload_exams,
            "/api/cdc/history": self._ask_history,
        }

    @classmethod
    async def begin(cls, database: DeviceDatabase, world: World) -> Self:
        """Bring in the practice data where the store is new: older doses verified, today's still to be sent."""
        hub = cls(database, world)
        if not len(database.tables.patients):
            now, today = world.now(), hub._today()
            await hub._commit([*draft_people(today), *draft_lots(today), *draft_records(today)])
            await hub._commit(draft_stock(database.tables, world.make_record_id(), today))
            dose_at = database.tables.vaccinations.at
            waiting = rows_to_send(database.tables)
            older = [row for row in waiting if dose_at(row.record_id)["vaccination_date"] < today.isoformat()]
            await hub._commit(draft_upload(hub._batch_id(), older, now))
            await hub._commit(draft_verdicts(database.tables, now))
        return hub

    # ---- as a network

    async def fetch(self, method: str, path: str, body: bytes | None, headers: Headers) -> tuple[int, Headers, bytes]:
        answer = self._answers.get(path)
        if answer is None:
            raise NetworkFailed(f"{method} {path}: not in practice")
        told = answer(body or b"")
        if isinstance(told, Awaitable):
            told = await told
        return 200, {}, told.model_dump_json().encode()

    def event_stream(self, path: str, on_message: Callable[[str], None], on_open: Callable[[bool], None]) -> None:
        """There is nobody else to hear of."""

    def is_online(self) -> bool:
        return True

    # ---- as a hub

    def _sync(self, body: bytes) -> SyncAnswer:
        """Take everything, bring nothing."""
        request = SyncRequest.model_validate_json(body)
        accepted = [AcceptedChange(change_id=each.change_id, hub_seq=each.device_seq) for each in request.changes]
        return SyncAnswer(accepted=accepted, changes=[], upto=request.after, head=request.after, status=_STATUS)

    def _wake(self, _: bytes) -> HubStatus:
        self._send_at = self._world.now()
        self._woken.set()
        return _STATUS

    async def _download_stock(self, _: bytes) -> StockAnswer:
        drafts = draft_stock(self._tables, self._world.make_record_id(), self._today())
        await self._commit(drafts)
        return StockAnswer(code="downloaded", rows=len(drafts[0].payload["rows"]), new_lots=len(drafts) - 1)

    async def _upload_stock(self, _: bytes) -> StockAnswer:
        drafts = draft_consumption(self._tables, self._batch_id())
        if not drafts:
            return StockAnswer(code="nothing_to_upload")
        await self._commit(drafts)
        results = drafts[-1].payload["results"]
        return StockAnswer(code="uploaded", accepted=len(results), detail=_words(results))

    async def _upload_exams(self, _: bytes) -> ExamsAnswer:
        drafts = draft_exams(self._tables, self._batch_id())
        if not drafts:
            return ExamsAnswer(code="nothing_to_upload")
        await self._commit(drafts)
        answers = drafts[-1].payload["answers"]
        return ExamsAnswer(code="uploaded", stored=len(answers), detail=_words(answers))

    async def _ask_history(self, body: bytes) -> HistoryAnswer:
        person_id = effective_patient(self._tables, HistoryRequest.model_validate_json(body).record_id)
        patient = self._tables.patients.find(person_id)
        if patient is None:
            return HistoryAnswer(outcome=HistoryOutcome.UNKNOWN_PERSON)
        identity, problems = read_identity(patient)
        if identity is None:
            told = [ToldProblem(field=problem.field, code=problem.code) for problem in problems]
            return HistoryAnswer(outcome=HistoryOutcome.NOT_IDENTIFIED, problems=told)
        [change] = await self._commit([draft_history(self._tables, person_id, identity, self._world.now())])
        return HistoryAnswer(outcome=HistoryOutcome.RECEIVED, revision=change.change_id)

    # ---- as CDC

    async def run(self) -> None:
        """Send what was recorded and give the verdicts, until cancelled."""
        self._database.listen(lambda _: self._woken.set())
        while True:
            self._woken.clear()
            try:
                again_at = await self.step()
            except AppError as error:  # a full disk; the screens say so themselves
                _log.warning("practice: %s", error.code)
                again_at = self._world.now() + _LOOK_AGAIN
            pause = (again_at - self._world.now()).total_seconds()
            # Not wait_for: before Python 3.12 it can swallow the cancellation that ends this loop.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, pause)):
                    await self._woken.wait()

    async def step(self) -> datetime:
        """Do what is due; returns when to look again."""
        now = self._world.now()
        await self._commit(draft_verdicts(self._tables, now))
        rows = rows_to_send(self._tables)
        if not rows:
            self._send_at = None
        elif self._send_at is None:
            self._send_at = now + GATHER
        elif not now < self._send_at <= now + GATHER:  # the clock may have been put back
            self._send_at = None
            await self._commit(draft_upload(self._batch_id(), rows, now + VERIFY_AFTER))
        times = [self._send_at, next_due(self._tables, now), now + _LOOK_AGAIN]
        return min(time for time in times if time is not None)

    # ---- small parts

    async def _commit(self, drafts: Sequence[ChangeDraft]) -> list[Change]:
        return await self._database.commit(drafts, MADE_BY) if drafts else []

    def _batch_id(self) -> str:
        return f"practice-{self._world.make_record_id()[:8]}"

    def _today(self) -> date:
        return self._world.now().astimezone(TAIPEI).date()


def _words(results: Sequence[Mapping[str, Any]]) -> str:
    return f"{results[0]['code']} {results[0]['text']}"
