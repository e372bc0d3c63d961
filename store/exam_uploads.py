"""Exam reports on their way to CDC: what left in one Bundle, and CDC's answer, which is its last word.

Invariants:
- only CDC's own success for that very revision makes STORED; a newer local revision is NOT_SENT again;
- while an older revision's fate is open, the newer one waits;
- CDC takes a Bundle whole or not at all: of a refused one of several reports nothing is known of each, so they wait
  again; of one alone it is that report's refusal.

Source: NIIS-IG 0.0.1 (twniis.cdc.gov.tw, 2026-08), index: 整批被拒時,改以單一OperationOutcome回覆.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from store.changes import Change
from store.prenatal import WAITING, ExamState
from store.uploads import BatchState, CdcMessage, UploadMethod, past_uploads

if TYPE_CHECKING:
    from store.tables import Tables


class ExamRow(BaseModel):
    """One revision of one report in a Bundle."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    record_id: str
    revision: str
    method: UploadMethod


class ExamsSent(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    rows: list[ExamRow]


class ExamAnswer(CdcMessage):
    record_id: str
    stored: bool


class ExamsAnswered(BaseModel):
    """CDC's word on reports of a batch, one without a word is still open; or `refusal`, of the whole batch."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    answers: list[ExamAnswer] = []
    refusal: CdcMessage | None = None


def exam_state(exam: Mapping[str, Any]) -> ExamState:
    """State of a report's current revision. `exam` is a document of the exams table."""
    upload = exam["upload"]
    if upload and (upload["revision"] == exam["revision"] or upload["state"] == ExamState.SENT):
        return ExamState(upload["state"])
    return ExamState.NOT_NEEDED if exam["voided"] and not exam["cdc_has"] else ExamState.NOT_SENT


def next_exam_method(exam: Mapping[str, Any]) -> UploadMethod | None:
    """What to ask of CDC for the current revision; None when there is nothing to ask now.

    A report that two stations edited differently waits until a person has chosen. A refused one goes again when staff
    say so, and only staff begin an upload.
    """
    if exam["conflict"] or exam_state(exam) not in (ExamState.NOT_SENT, ExamState.REFUSED):
        return None
    if exam["voided"]:
        return UploadMethod.DELETE
    return UploadMethod.PUT if exam["cdc_has"] else UploadMethod.POST


def count_waiting(tables: "Tables") -> int:
    """Reports that somebody has still to do something about."""
    return sum(tables.exams.count_by("exam_state", state) for state in WAITING)


def apply_exams_sent(tables: "Tables", change: Change) -> None:
    if tables.exam_batches.exists(change.record_id):
        return
    rows = [row.model_dump(mode="json") for row in ExamsSent.model_validate(change.payload).rows]
    sent_at = change.made_at.isoformat()
    batch = {"batch_id": change.record_id, "state": str(BatchState.SENT), "sent_at": sent_at, "rows": rows}
    tables.exam_batches.put(change.record_id, batch)
    for row in rows:
        upload = {**row, "state": str(ExamState.SENT), "batch_id": change.record_id, "sent_at": sent_at}
        exam = tables.exams.find(row["record_id"])
        _begin(tables, row["record_id"], {**upload, "message": None}, exam["upload"] if exam else None)


def apply_exams_answered(tables: "Tables", change: Change) -> None:
    batch = tables.exam_batches.find(change.record_id)
    if batch is None:
        return
    answered = ExamsAnswered.model_validate(change.payload)
    answers = {answer.record_id: answer for answer in answered.answers}
    is_open = False
    for row in batch["rows"]:
        exam = tables.exams.find(row["record_id"])
        upload = exam["upload"] if exam else None
        if exam is None:  # on a device that does not hold this person
            is_open |= answered.refusal is None and row["record_id"] not in answers
        if not upload or upload["batch_id"] != change.record_id or upload["state"] != ExamState.SENT:
            continue
        known = {**upload, "answered_at": change.made_at.isoformat()}
        answer = answers.get(row["record_id"])
        if answered.refusal is not None and len(batch["rows"]) > 1:
            message = answered.refusal.model_dump()
            ended = {**known, "state": str(ExamState.REFUSED), "message": message, "refused_whole": True}
            _begin(tables, row["record_id"], None, ended)
        elif answered.refusal is not None:
            message = answered.refusal.model_dump()
            _set(tables, row["record_id"], upload={**known, "state": str(ExamState.REFUSED), "message": message})
        elif answer is None:
            is_open = True
        else:
            message = answer.model_dump(include=set(CdcMessage.model_fields))
            state = ExamState.STORED if answer.stored else ExamState.REFUSED
            holds = {"cdc_has": row["method"] != UploadMethod.DELETE} if answer.stored else {}
            _set(tables, row["record_id"], upload={**known, "state": str(state), "message": message}, **holds)
    if not is_open:
        state_of_batch = BatchState.REFUSED if answered.refusal is not None else BatchState.CLOSED
        tables.exam_batches.put(change.record_id, {**batch, "state": str(state_of_batch)})


def _begin(
    tables: "Tables", record_id: str, upload: Mapping[str, Any] | None, ended: Mapping[str, Any] | None
) -> None:
    """Set another upload, or none, and keep the one that `ended` as it came out."""
    exam = tables.exams.find(record_id)
    if exam is not None:
        _set(tables, record_id, upload=upload, **past_uploads(exam, ended, upload))


def _set(tables: "Tables", record_id: str, **fields: Any) -> None:
    exam = tables.exams.find(record_id)
    if exam is not None:
        document = {**exam, **fields}
        tables.exams.put(record_id, {**document, "exam_state": str(exam_state(document))})
