"""What the hub and CDC would do, answered on a device that is in practice mode. Pure: no clock, no network.

Invariants:
- everything is said by the kinds of changes that the hub makes, so every screen shows it as it shows the real thing;
- one kind of mistake is refused: a dose of a public lot that is not registered; correcting it mends it;
- its words say that they are practice, and its code is none of CDC's.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from store.changes import ChangeDraft, ChangeKind
from store.codes import read_table
from store.exam_uploads import ExamAnswer, ExamRow, next_exam_method
from store.history import HistoryReceived, HistoryRow, Identity, replaced_by_next
from store.lots import LotType
from store.patients import can_identify
from store.practice_data import INSTITUTION_CODE, practice_lots
from store.prenatal import ExamState
from store.stock import ConsumptionResult, StockReceived, draft_new_lots, stock_rows
from store.stock_waiting import waiting_rows
from store.tables import Tables
from store.uploads import (
    BatchState,
    CdcMessage,
    RowResult,
    UploadMethod,
    UploadRow,
    UploadState,
    next_method,
)

# Short, so that one sees it happen; CDC takes ten minutes and more.
VERIFY_AFTER = timedelta(seconds=20)


def rows_to_send(tables: Tables) -> list[UploadRow]:
    """What waits for CDC, but for doses of persons of whom it cannot be told who they are."""
    rows = []
    for dose in tables.vaccinations.find_by("upload_state", UploadState.NOT_SENT):
        method, person = next_method(dose), tables.patients.find(dose["person_id"])
        if method is UploadMethod.DELETE or (method and person is not None and can_identify(person)):
            row = UploadRow(
                record_id=dose["record_id"], revision=dose["revision"], method=method, identity=dose["identity"]
            )
            rows.append(row)
    return rows


def draft_upload(batch_id: str, rows: Sequence[UploadRow], due_at: datetime) -> list[ChangeDraft]:
    """Sent, and accepted at once. `due_at`: when the verdicts are to come."""
    return [
        ChangeDraft(ChangeKind.UPLOAD_SENT, batch_id, {"rows": [row.model_dump(mode="json") for row in rows]}),
        ChangeDraft(
            ChangeKind.UPLOAD_ACCEPTED,
            batch_id,
            {"due_at": due_at.isoformat(), "message": _words("accepted").model_dump(mode="json")},
        ),
    ]


def next_due(tables: Tables, now: datetime) -> datetime | None:
    """When verdicts are to come next, at the latest `VERIFY_AFTER` from now, whatever the clock was set to before."""
    due = [datetime.fromisoformat(batch["due_at"]) for batch in tables.batches.find_by("state", BatchState.ACCEPTED)]
    return min(min(due), now + VERIFY_AFTER) if due else None


def draft_verdicts(tables: Tables, now: datetime) -> list[ChangeDraft]:
    """On each row of the batches whose time has come."""
    drafts = []
    for batch in tables.batches.find_by("state", BatchState.ACCEPTED):
        if timedelta(0) < datetime.fromisoformat(batch["due_at"]) - now <= VERIFY_AFTER:
            continue
        results = [_verdict(tables, row["record_id"]).model_dump(mode="json") for row in batch["rows"]]
        drafts.append(
            ChangeDraft(ChangeKind.VERIFICATION_RECEIVED, batch["upload_batch_id"], {"results": results})
        )
    return drafts


def _verdict(tables: Tables, record_id: str) -> RowResult:
    dose = tables.vaccinations.at(record_id)
    known = any(
        lot["vaccine_code"] == dose["vaccine_code"] for lot in tables.lots.find_by("lot_number", dose["lot_number"])
    )
    verified = known or dose["voided"] or dose["lot_type"] == LotType.SELF_PAID
    words = _words("verified" if verified else "no_such_lot")
    return RowResult(record_id=record_id, verified=verified, **words.model_dump())


def draft_stock(tables: Tables, download_id: str, today: date) -> list[ChangeDraft]:
    """CDC's stock: the first time that of the registered lots, then of one lot more, which comes without its maker."""
    # By what was accepted since, CDC's own balance has fallen too.
    left = {row["identifier"]: row["vials"] - row["vials_accepted"] for row in stock_rows(tables)}
    rows = []
    for each in practice_lots(today):
        if each.lot.manufacturer or left:
            row = each.stock_row
            rows.append(row.model_copy(update={"vials": left.get(row.identifier, row.vials)}))
    payload = StockReceived(rows=rows).model_dump(mode="json", exclude_defaults=True)
    return [ChangeDraft(ChangeKind.STOCK_RECEIVED, download_id, payload), *draft_new_lots(tables, rows)]


def draft_consumption(tables: Tables, batch_id: str) -> list[ChangeDraft]:
    """What was typed of the stock, sent and accepted; empty where nothing waits."""
    rows = [row for row, _ in waiting_rows(tables)]
    if not rows:
        return []
    words = _words("consumption").model_dump()
    results = [ConsumptionResult(consumption_id=row.consumption_id, accepted=True, **words) for row in rows]
    return [
        ChangeDraft(ChangeKind.CONSUMPTION_SENT, batch_id, {"rows": [row.model_dump(mode="json") for row in rows]}),
        ChangeDraft(
            ChangeKind.CONSUMPTION_ANSWERED, batch_id, {"results": [each.model_dump(mode="json") for each in results]}
        ),
    ]


def draft_exams(tables: Tables, batch_id: str) -> list[ChangeDraft]:
    """The exam reports that wait, sent and stored, but for persons without an ID of their own; empty where none."""
    states = (ExamState.NOT_SENT, ExamState.REFUSED)
    rows = []
    for exam in [exam for state in states for exam in tables.exams.find_by("exam_state", state)]:
        method, person = next_exam_method(exam), tables.patients.find(exam["person_id"])
        if method is not None and person is not None and person.get("national_id"):
            rows.append(ExamRow(record_id=exam["record_id"], revision=exam["revision"], method=method))
    if not rows:
        return []
    words = _words("exam").model_dump()
    answers = [ExamAnswer(record_id=row.record_id, stored=True, **words).model_dump() for row in rows]
    return [
        ChangeDraft(ChangeKind.EXAMS_SENT, batch_id, {"rows": [row.model_dump(mode="json") for row in rows]}),
        ChangeDraft(ChangeKind.EXAMS_ANSWERED, batch_id, {"answers": answers}),
    ]


def draft_history(tables: Tables, person_id: str, identity: Identity, now: datetime) -> ChangeDraft:
    """What CDC would tell of a person: the doses that it has verified."""
    rows = [
        HistoryRow(
            date_text=dose["vaccination_date"],
            vaccine_code=dose["vaccine_code"],
            dose_label=dose["dose_number"],
            lot_number=dose["lot_number"],
            lot_type=dose["lot_type"],
            institution_code=INSTITUTION_CODE,
        )
        for dose in tables.vaccinations.find_by("person_id", person_id)
        if dose["cdc_has"]
    ]
    received = HistoryReceived(identity=identity.digest, fetched_at=now, rows=rows).model_dump(mode="json")
    return ChangeDraft(
        ChangeKind.HISTORY_RECEIVED, person_id, received, replaced_by_next(tables.histories.find(person_id))
    )


def _words(answer: str) -> CdcMessage:
    return next(CdcMessage.model_validate(row) for row in read_table("practice_answers.csv") if row["answer"] == answer)
