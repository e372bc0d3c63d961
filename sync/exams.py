"""Exam reports on their way to CDC, at staff's tap.

    POST /api/cdc/exams/upload    {} -> ExamsAnswer    upload what was recorded and is not at CDC yet

Invariants:
- every answer of CDC is on disk as it came before anybody tries to understand it;
- what is to be sent is on disk, as SENT and byte for byte, before it leaves. A Bundle whose fate is unknown goes again
  as it was, before anything else: CDC knows a report by its key and stores it once;
- CDC refuses a Bundle whole: reports that it would refuse by what we know go one by one, and a refused Bundle of
  several comes apart in halves, so that one report never holds the others back.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from store.changes import ChangeDraft, ChangeKind, World
from store.exam_uploads import ExamAnswer, ExamRow, next_exam_method
from store.hub_database import HubDatabase
from store.patients import Patient
from store.prenatal import ExamResult, ExamState, check_exam
from store.protocol import STAFF, ExamsAnswer
from store.roc_date import TAIPEI
from store.uploads import BatchState, CdcMessage
from sync import cdc_exams, upload_queue
from sync.cdc_client import CdcClient
from sync.cdc_exams import ExamItem
from sync.registry import AnswerUnreadable, CdcSettings, RegistryError, find_sent_body, sent_exchange

MADE_BY = "hub"
MAX_REPORTS = 100  # ASSUMED: the guide names no limit; a Bundle that is refused is sent again in halves
_log = logging.getLogger(__name__)


class ExamDesk:
    """The one who reports exams. One thing at a time."""

    def __init__(self, database: HubDatabase, client: CdcClient, settings: CdcSettings, world: World) -> None:
        self._database = database
        self._tables = database.tables
        self._client = client
        self._settings = settings
        self._world = world
        self._busy = asyncio.Lock()
        self._asked_by = STAFF  # whose tap it is that is being done

    async def upload(self, asked_by: str = STAFF) -> ExamsAnswer:
        """Tells its outcome, and raises nothing that CDC or the line causes. Raises: StorageFailed."""
        if self._busy.locked():
            return ExamsAnswer(code="busy")  # another station's tap is at it, and its outcome comes to all
        async with self._busy:
            self._asked_by = asked_by
            told: list[ExamAnswer] = []
            try:
                await self._upload(told)
            except RegistryError as error:
                _log.warning("CDC exams: %s", error.code)  # the code alone: CDC's words may name a person
                return _outcome(error.code, told, error.detail)
            return _outcome("uploaded" if told else "nothing_to_upload", told)

    async def _upload(self, told: list[ExamAnswer]) -> None:
        """Adds to `told` what CDC says. Raises: RegistryError; what was told until then counts."""
        for batch in sorted(self._open_batches(), key=lambda batch: datetime.fromisoformat(batch["sent_at"])):
            body = find_sent_body(self._database.exchanges_of(batch["batch_id"]), batch["batch_id"])
            await self._post(batch["batch_id"], batch["rows"], body, told)
        for items in self._waiting():  # once: what CDC refuses now waits for another tap
            await self._send(items, told)

    async def _send(self, items: Sequence[ExamItem], told: list[ExamAnswer]) -> None:
        now = self._world.now()
        org_id, taken = self._settings.org_id, self._tables.has_batch
        batch_id = upload_queue.new_batch_id(org_id, now, self._world.random_bytes(2), taken)
        body = cdc_exams.make_report(org_id, batch_id, items, now)
        rows = [item.row.model_dump(mode="json") for item in items]
        exchange = sent_exchange(batch_id, body, now, cdc_exams.EXAMS_PATH, self._asked_by)
        await self._database.commit(
            [ChangeDraft(ChangeKind.EXAMS_SENT, batch_id, {"rows": rows})], MADE_BY, exchanges=[exchange]
        )
        if not await self._post(batch_id, rows, body, told):
            half = len(items) // 2
            await self._send(items[:half], told)
            await self._send(items[half:], told)

    async def _post(
        self, batch_id: str, rows: Sequence[Mapping[str, Any]], body: bytes, told: list[ExamAnswer]
    ) -> bool:
        """False where CDC refused several reports whole, so that nothing is known of each."""
        ids = [row["record_id"] for row in rows]
        exchange = await self._client.report_exams(batch_id, body)
        await self._database.keep_exchange(exchange.as_data(self._asked_by))
        answer = cdc_exams.read_report_answer(exchange, ids)
        if isinstance(answer, CdcMessage):
            await self._answered(batch_id, {"refusal": answer.model_dump()})
            if len(ids) == 1:
                told.append(ExamAnswer(record_id=ids[0], stored=False, **answer.model_dump()))
            return len(ids) == 1
        if answer:
            await self._answered(batch_id, {"answers": [one.model_dump() for one in answer]})
            told += answer
        if len(answer) < len(ids):
            raise AnswerUnreadable(f"HTTP 200 with a word on {len(answer)} of {len(ids)} reports")
        return True

    async def _answered(self, batch_id: str, payload: dict[str, Any]) -> None:
        await self._database.commit([ChangeDraft(ChangeKind.EXAMS_ANSWERED, batch_id, payload)], MADE_BY)

    def _open_batches(self) -> list[Mapping[str, Any]]:
        return list(self._tables.exam_batches.find_by("state", BatchState.SENT))

    def _waiting(self) -> list[list[ExamItem]]:
        """What to send, Bundle by Bundle. Who has no ID of her own cannot be told to CDC, and waits."""
        sound, doubtful = list[ExamItem](), list[ExamItem]()
        today = self._world.now().astimezone(TAIPEI).date()
        for state in (ExamState.NOT_SENT, ExamState.REFUSED):
            for exam in self._tables.exams.find_by("exam_state", state):
                method, person = next_exam_method(exam), self._tables.patients.find(exam["person_id"])
                if method is None or person is None or not person.get("national_id"):
                    continue
                row = ExamRow(record_id=exam["record_id"], revision=exam["revision"], method=method)
                fields = {name: exam[name] for name in ExamResult.model_fields if name in exam}
                result = ExamResult.model_validate({**fields, "patient_id": exam["person_id"]})
                patient = Patient.model_validate({n: person[n] for n in Patient.model_fields if n in person})
                problems = check_exam(result, patient, (), today)
                is_sound = state is ExamState.NOT_SENT and not any("cdc_code" in one.facts for one in problems)
                (sound if is_sound else doubtful).append(ExamItem(row, result, patient))
        whole = [sound[start : start + MAX_REPORTS] for start in range(0, len(sound), MAX_REPORTS)]
        return [*whole, *([item] for item in doubtful)]


def _outcome(code: str, told: Sequence[ExamAnswer], detail: str = "") -> ExamsAnswer:
    stored = sum(answer.stored for answer in told)
    words = next((answer for answer in told if answer.stored), told[0] if told else None)
    if words is not None and not detail:
        detail = " ".join(part for part in (words.code, words.text) if part)
    return ExamsAnswer(code=code, detail=detail, stored=stored, refused=len(told) - stored)
