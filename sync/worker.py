"""The upload loop: ask upload_queue what to do, do that one thing, write down what came of it, look again.

Invariants:
- what is to be sent is on disk, as SENT and byte for byte, before the request leaves;
- every answer is on disk as it came before anybody tries to understand it;
- one request at a time; nothing here decides anything that upload_queue could decide.

Pauses live in memory: after a restart everything open is asked about once, spread over a first pause.
"""

import asyncio
import contextlib
import logging
import traceback
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

from store.changes import HUB_MADE_KINDS, Change, ChangeDraft, ChangeKind, World
from store.hub_database import HubDatabase
from store.protocol import STAFF, CdcLinkState
from store.uploads import BatchState, CdcMessage, RowResult, UploadRow, UploadState
from sync import cdc_answers, upload_queue
from sync.link import Endpoint, Link
from sync.outbox import Outbox
from sync.registry import (
    Accepted,
    AnswerUnreadable,
    CdcSettings,
    NeverSeen,
    Processing,
    RefusedWhole,
    Registry,
    RegistryError,
    Verdicts,
    find_sent_body,
    sent_exchange,
)
from sync.upload_queue import Action, Document, Pause

MADE_BY = "hub"
# A PC that slept, or whose clock was set, is noticed within this.
LOOK_AGAIN_SECONDS = 60.0
KEY_LOOK_SECONDS = 5.0  # into its file, while CDC refuses the one that was in it
_log = logging.getLogger(__name__)


class CdcWorker:
    """The only one who makes upload changes."""

    def __init__(self, database: HubDatabase, registry: Registry, settings: CdcSettings, world: World) -> None:
        self._database = database
        self._tables = database.tables
        self._registry = registry
        self._settings = settings
        self._world = world
        self._woken = asyncio.Event()
        self._link = Link(settings, world)
        self._pauses: dict[str, Pause] = {}
        self._never_seen: set[str] = set()
        self._asked_by = ""  # whose tap it is that is being done, until nothing more is due
        newest = self._tables.batches.find_by_prefix("sent_at", "", settings.batches_per_minute, last=True)
        self._left_at = deque(sorted(_sent_at(batch) for batch in newest), maxlen=settings.batches_per_minute)
        self._outbox = Outbox(database.tables, registry, settings.max_rows)
        self._gather_until = self._first_time()
        for batch in self._open_batches():
            self._pauses[batch["upload_batch_id"]] = Pause(until=self._first_time())

    # ---- for the hub

    async def run(self) -> None:
        """Work until cancelled."""
        stop_listening = self._database.listen(self._notice)
        try:
            while True:
                self._woken.clear()  # before looking, so that nothing noticed meanwhile is missed
                try:
                    again_at = await self.step()
                except Exception as error:  # noqa: BLE001 - the loop is all that uploads: it looks again in a minute
                    _log_bug("looking for work", error)
                    again_at = None
                if not self._woken.is_set() and (again_at is None or again_at > self._world.now()):
                    self._asked_by = ""
                await self._sleep_until(again_at)
        finally:
            stop_listening()
            await self._registry.close()

    def wake(self, asked_by: str = STAFF) -> None:
        """Staff asked for it: try now what is not put off by CDC itself."""
        self._asked_by = asked_by
        self._link.tapped()
        self._end_pauses()
        self._gather_until = self._world.now()
        self._woken.set()

    def probed(self, reachable: bool) -> None:
        """Whether CDC's host could be connected to just now; nothing was asked of it."""
        if self._link.probed(reachable):
            self._woken.set()

    def has_work(self) -> bool:
        """Whether anything is on its way to CDC or waits for it."""
        states = UploadState.NOT_SENT, UploadState.SENT, UploadState.ACCEPTED, UploadState.OVERDUE
        return any(self._tables.vaccinations.count_by("upload_state", state) for state in states)

    def status(self) -> tuple[CdcLinkState, datetime, str]:
        """How the line to CDC stood when last used, since when, and CDC's words or the kind of failure."""
        return self._link.state, self._link.since, self._link.detail

    def again_at(self) -> datetime | None:
        """Until when the line rests after a failure; None while it is being tried."""
        return self._link.again_at

    def on_status(self, callback: Callable[[], None]) -> None:
        self._link.listen(callback)

    async def step(self) -> datetime | None:
        """Do the one next thing. Returns when to look again: now after something was done, None without any date."""
        now = self._world.now()
        look_again: list[datetime] = []
        batches = self._open_batches()
        if overdue := [batch["upload_batch_id"] for batch in batches if self._becomes_overdue(batch, now)]:
            await self._commit(*(ChangeDraft(ChangeKind.UPLOAD_OVERDUE, batch_id, {}) for batch_id in overdue))
            return now
        if self._link.stays_stopped():
            return now + timedelta(seconds=KEY_LOOK_SECONDS)
        to_ask, to_send = self._link.pause_of(Endpoint.CONFIRM), self._pause_of_uploads()
        for batch in batches:
            batch_id = batch["upload_batch_id"]
            pause, never_seen = self._pauses.get(batch_id, Pause()), batch_id in self._never_seen
            step = upload_queue.next_step(batch, pause, never_seen, to_send if never_seen else to_ask, now)
            if step.action is Action.ASK:
                return await self._do(batch_id, Endpoint.CONFIRM, self._ask(batch))
            if step.action is Action.SEND_AGAIN:
                return await self._do(batch_id, Endpoint.UPLOAD, self._send_again(batch_id))
            if step.at is not None:
                look_again.append(step.at)
        rows = self._outbox.next_rows()
        if not rows:
            self._gather_until = None
            return min(look_again, default=None)
        if self._gather_until is None:
            self._gather_until = now + timedelta(seconds=self._settings.gather_seconds)
        unknown_fates = sum(batch["state"] == BatchState.SENT and not batch.get("overdue_at") for batch in batches)
        at = upload_queue.time_to_upload(len(rows), self._gather_until, unknown_fates, to_send, self._settings, now)
        if at is not None and at <= now:
            batch_id = self._new_batch_id(now)
            return await self._do(batch_id, Endpoint.UPLOAD, self._upload(batch_id, rows))
        return min([*look_again, at] if at is not None else look_again, default=None)

    # ---- one thing at a time

    async def _do(self, batch_id: str, endpoint: Endpoint, work: Coroutine[Any, Any, None]) -> datetime:
        """Do `work` for one batch. The batch's next pause is set first, so that it waits whatever happens in here."""
        before = self._pauses.get(batch_id, Pause())
        self._pauses[batch_id] = self._link.longer(before)
        was_failing = self._link.is_failing
        self._link.begins()
        try:
            await work
        except RegistryError as error:
            self._link.failed(error, endpoint)
            # The code alone: CDC's words may name a person.
            _log.warning("CDC link, batch %s: %s", batch_id, error.code)
        except Exception as error:  # noqa: BLE001 - a bug met by one batch must not stop the others
            self._link.rest()
            _log_bug(f"batch {batch_id}", error)
        if self._tables.batches.find(batch_id) is None:
            self._pauses.pop(batch_id, None)  # it never left
        if was_failing and not self._link.is_failing:
            own = self._pauses.get(batch_id)
            self._end_pauses()  # CDC is back: the oldest first, and not whose pause ends first
            self._pauses |= {batch_id: own} if own is not None else {}
        return self._world.now()

    async def _upload(self, batch_id: str, rows: Sequence[UploadRow]) -> None:
        now = self._world.now()
        body = self._outbox.write(batch_id, rows, now)
        payload = {"rows": [row.model_dump(mode="json") for row in rows]}
        sent = ChangeDraft(ChangeKind.UPLOAD_SENT, batch_id, payload)
        kept = sent_exchange(batch_id, body, now, asked_by=self._asked_by)
        await self._database.commit([sent], MADE_BY, exchanges=[kept])
        await self._post(batch_id, body)

    async def _send_again(self, batch_id: str) -> None:
        self._never_seen.discard(batch_id)  # first: if this answer is lost, CDC has to be asked again
        await self._post(batch_id, find_sent_body(self._database.exchanges_of(batch_id), batch_id))

    async def _post(self, batch_id: str, body: bytes) -> None:
        asked_by = self._asked_by  # as it begins: a tap meanwhile is about what comes after
        self._left_at.append(self._world.now())
        exchange = await self._registry.upload(batch_id, body)
        await self._database.keep_exchange(exchange.as_data(asked_by))
        answer = self._registry.read_upload(exchange)
        self._link.worked(Endpoint.UPLOAD)
        match answer:
            case Accepted(message):
                due_at = self._world.now() + timedelta(seconds=self._settings.verify_after_seconds)
                await self._commit(_accepted(batch_id, due_at, message))
            case RefusedWhole(message, expressions):
                at_fault = cdc_answers.named_records(body, expressions)
                payload = {"message": message.model_dump(mode="json"), "at_fault": at_fault}
                await self._commit(ChangeDraft(ChangeKind.UPLOAD_REFUSED, batch_id, payload))
        self._pauses.pop(batch_id, None)

    async def _ask(self, batch: Document) -> None:
        batch_id = batch["upload_batch_id"]
        still_open = upload_queue.open_rows(batch, self._tables.vaccinations.find)
        asked_by = self._asked_by
        exchange = await self._registry.confirm(batch_id)
        await self._database.keep_exchange(exchange.as_data(asked_by))
        answer = self._registry.read_confirm(exchange, still_open)
        self._link.worked(Endpoint.CONFIRM)
        match answer:
            case NeverSeen(message):
                await self._after_never_seen(batch, still_open, message)
            case Processing(retry_after):
                if retry_after is not None:
                    # That CDC is still at work is no failure, so the pauses of its own naming do not add up.
                    self._pauses[batch_id] = self._link.longer(Pause(), retry_after)
                self._ask_seldom(batch)
                if batch["state"] == BatchState.SENT:
                    await self._commit(_accepted(batch_id, self._pauses[batch_id].until, None))
            case Verdicts(results):
                await self._verdicts(batch, still_open, results)

    async def _after_never_seen(self, batch: Document, still_open: Sequence[str], message: CdcMessage | None) -> None:
        batch_id = batch["upload_batch_id"]
        if upload_queue.may_send_again(batch, still_open):
            self._never_seen.add(batch_id)
            self._pauses[batch_id] = Pause(self._pauses[batch_id].failures)
        elif message is None:
            raise AnswerUnreadable("HTTP 404 without CDC's words for a batch partly verified")
        else:
            # CDC verified a part and then forgot the batch. Only a person can tell what to do with the rest: they are
            # shown as refused, with CDC's words, and can be corrected or sent again in a batch of their own.
            words = {**message.model_dump(), "severity": "error"}
            lost = [RowResult(record_id=record_id, verified=False, **words) for record_id in still_open]
            await self._commit(_verified(batch_id, lost, forgotten=True))

    async def _verdicts(self, batch: Document, still_open: Sequence[str], results: Sequence[RowResult]) -> None:
        batch_id = batch["upload_batch_id"]
        self._ask_seldom(batch)
        drafts = []
        if batch["state"] == BatchState.SENT:
            drafts.append(_accepted(batch_id, self._pauses[batch_id].until, None))
        if results or not still_open:
            drafts.append(_verified(batch_id, results))
        if drafts:
            await self._commit(*drafts)
        if len(results) == len(still_open):
            self._pauses.pop(batch_id, None)

    # ---- small parts

    async def _commit(self, *drafts: ChangeDraft) -> None:
        await self._database.commit(drafts, MADE_BY)

    def _ask_seldom(self, batch: Document) -> None:
        if batch.get("overdue_at"):
            pause, now = self._pauses[batch["upload_batch_id"]], self._world.now()
            self._pauses[batch["upload_batch_id"]] = upload_queue.slower(pause, now, self._link.chance())

    def _becomes_overdue(self, batch: Document, now: datetime) -> bool:
        batch_id = batch["upload_batch_id"]
        was_asked = self._link.is_failing or self._pauses.get(batch_id, Pause()).failures > 0
        return upload_queue.becomes_overdue(batch, was_asked and batch_id not in self._never_seen, now)

    def _pause_of_uploads(self) -> Pause:
        pause = self._link.pause_of(Endpoint.UPLOAD)
        by_rate = upload_queue.time_by_rate(self._left_at, self._settings.batches_per_minute)
        times = [time for time in (pause.until, by_rate) if time is not None]
        return Pause(pause.failures, max(times, default=None))

    def _end_pauses(self) -> None:
        self._pauses = {batch_id: pause.after_tap() for batch_id, pause in self._pauses.items()}

    def _open_batches(self) -> list[Document]:
        """Batches without CDC's last word, the oldest first."""
        found = [b for s in (BatchState.SENT, BatchState.ACCEPTED) for b in self._tables.batches.find_by("state", s)]
        return sorted(found, key=lambda batch: (_sent_at(batch), batch["upload_batch_id"]))

    def _new_batch_id(self, now: datetime) -> str:
        return upload_queue.new_batch_id(
            self._settings.org_id, now, self._world.random_bytes(2), self._tables.has_batch
        )

    def _first_time(self) -> datetime | None:
        # Half of a pause is left to chance: after a power cut all clinics of a town start at once.
        return self._link.longer(Pause()).until

    def _notice(self, changes: Sequence[Change]) -> None:
        if any(change.kind not in HUB_MADE_KINDS for change in changes):
            self._woken.set()

    async def _sleep_until(self, at: datetime | None) -> None:
        seconds = LOOK_AGAIN_SECONDS
        if at is not None:
            seconds = min(seconds, (at - self._world.now()).total_seconds())
        if seconds > 0:
            # Not wait_for: before Python 3.12 it can swallow the cancellation that stops the hub.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()


def _sent_at(batch: Document) -> datetime:
    return datetime.fromisoformat(batch["sent_at"])


def _log_bug(where: str, error: Exception) -> None:
    # Without the message, which may quote a patient: the places are enough to find it.
    places = "".join(traceback.format_tb(error.__traceback__))
    _log.error("CDC link, %s: %s\n%s", where, type(error).__name__, places)


def _accepted(batch_id: str, due_at: datetime | None, message: CdcMessage | None) -> ChangeDraft:
    payload = {
        "due_at": due_at.isoformat() if due_at is not None else None,
        "message": message.model_dump(mode="json") if message is not None else None,
    }
    return ChangeDraft(ChangeKind.UPLOAD_ACCEPTED, batch_id, payload)


def _verified(batch_id: str, results: Sequence[RowResult], forgotten: bool = False) -> ChangeDraft:
    payload: dict[str, Any] = {"results": [result.model_dump(mode="json") for result in results]}
    payload |= {"forgotten": True} if forgotten else {}
    return ChangeDraft(ChangeKind.VERIFICATION_RECEIVED, batch_id, payload)
