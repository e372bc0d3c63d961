"""Exam reports on their way to CDC, at staff's tap.

    POST /api/cdc/exams/upload    {} -> ExamsAnswer    upload what was recorded and is not at CDC yet

Invariant, besides those of every desk (tap_desk.py):
- CDC refuses a Bundle whole: reports that it would refuse by what we know go one by one, and a refused Bundle of
  several comes apart in halves, so that one report never holds the others back.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from store.changes import ChangeKind, World
from store.exam_uploads import ExamAnswer, ExamRow, next_exam_method
from store.hub_database import HubDatabase
from store.patients import Patient
from store.prenatal import ExamResult, ExamState, check_exam
from store.protocol import STAFF, ExamsAnswer
from store.roc_date import TAIPEI
from store.uploads import CdcMessage
from sync import cdc_exams
from sync.cdc_client import CdcClient
from sync.cdc_exams import ExamItem
from sync.registry import AnswerUnreadable, CdcSettings, RegistryError
from sync.tap_desk import TapDesk

MAX_REPORTS = 100  # ASSUMED: the guide names no limit; a Bundle that is refused is sent again in halves
_log = logging.getLogger(__name__)


class ExamDesk(TapDesk):
    """The one who reports exams."""

    def __init__(self, database: HubDatabase, client: CdcClient, settings: CdcSettings, world: World) -> None:
        super().__init__(database, client, settings, world, database.tables.exam_batches)

    async def upload(self, asked_by: str = STAFF) -> ExamsAnswer:
        """Tells its outcome, and raises nothing that CDC or the line causes. Raises: StorageFailed."""
        if self.is_busy():
            return ExamsAnswer(code="busy")
        async with self._tapped(asked_by):
            told: list[ExamAnswer] = []
            try:
                await self._upload(told)
            except RegistryError as error:
                _log.warning("CDC exams: %s", error.code)  # the code alone: CDC's words may name a person
                return _outcome(error.code, told, error.detail)
            return _outcome("uploaded" if told else "nothing_to_upload", told)

    async def _upload(self, told: list[ExamAnswer]) -> None:
        """Adds to `told` what CDC says. Raises: RegistryError; what was told until then counts."""
        for batch, body in self._open_batches():
            await self._post(batch["batch_id"], batch["rows"], body, told)
        for items in self._waiting():  # once: what CDC refuses now waits for another tap
            await self._send(items, told)

    async def _send(self, items: Sequence[ExamItem], told: list[ExamAnswer]) -> None:
        now = self._world.now()
        batch_id = self._new_batch_id(now)
        body = cdc_exams.make_report(self._settings.org_id, batch_id, items, now)
        rows = [item.row.model_dump(mode="json") for item in items]
        await self._begin(ChangeKind.EXAMS_SENT, batch_id, rows, body, now, cdc_exams.EXAMS_PATH)
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
        await self._keep(exchange)
        answer = cdc_exams.read_report_answer(exchange, ids)
        if isinstance(answer, CdcMessage):
            await self._answered(ChangeKind.EXAMS_ANSWERED, batch_id, {"refusal": answer.model_dump()})
            if len(ids) == 1:
                told.append(ExamAnswer(record_id=ids[0], stored=False, **answer.model_dump()))
            return len(ids) == 1
        if answer:
            await self._answered(ChangeKind.EXAMS_ANSWERED, batch_id, {"answers": [one.model_dump() for one in answer]})
            told += answer
        if len(answer) < len(ids):
            raise AnswerUnreadable(f"HTTP 200 with a word on {len(answer)} of {len(ids)} reports")
        return True

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
