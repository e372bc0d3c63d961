"""Apply one change to the tables. The same on every device and on the hub.

Invariants:
- the tables are a function of the set of changes and, for what the hub makes, of its order: any two stores that hold
  the same changes show the same;
- a change already applied changes nothing;
- two edits of one revision both stay: the record is marked with all its heads and shows the one made last until a
  person chooses;
- whose a dose is, and which pairs wait for a person, follow each change (persons.py, pairs.py);
- a change that cannot be understood is kept in `unreadable` with the reason, and stops nothing.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from store.changes import VOID_KINDS, Change, ChangeKind
from store.clinic_settings import Clinic, LotOfTheDay, StaffMember, VaccinesInUse
from store.code_tables import CodeTableSetting
from store.decisions import DistinctDoses, DistinctPatients, Merge, Pair, Withdrawal
from store.exam_uploads import ExamsAnswered, ExamsSent, apply_exams_answered, apply_exams_sent, exam_state
from store.exports import Export, ExportRelease, standing_export, take_export, take_release
from store.history import HistoryReceived
from store.lots import Lot
from store.pairs import refresh_decided, refresh_dose, refresh_patient
from store.patients import Patient, identity_digest
from store.persons import affected_patients, effective_patient
from store.prenatal import ExamResult
from store.record_table import RecordTable
from store.revisions import content, differ, heads
from store.sessions import Session
from store.stock import Consumption, ConsumptionAnswered, ConsumptionSent, StockReceived, consumption_state
from store.stock_apply import apply_consumption_answered, apply_consumption_sent, apply_stock_received
from store.tables import Tables
from store.uploads import (
    BatchState,
    UploadAccepted,
    UploadMethod,
    UploadRefused,
    UploadRow,
    UploadSent,
    UploadState,
    VerificationReceived,
    parts_of_refused,
    past_uploads,
    upload_state,
)
from store.vaccinations import Vaccination

_MODEL: dict[ChangeKind, type[BaseModel]] = {
    ChangeKind.REGISTER_PATIENT: Patient,
    ChangeKind.CORRECT_PATIENT: Patient,
    ChangeKind.REGISTER_LOT: Lot,
    ChangeKind.REGISTER_SESSION: Session,
    ChangeKind.CORRECT_SESSION: Session,
    ChangeKind.RECORD_VACCINATION: Vaccination,
    ChangeKind.CORRECT_VACCINATION: Vaccination,
    ChangeKind.RECORD_EXAM: ExamResult,
    ChangeKind.CORRECT_EXAM: ExamResult,
    ChangeKind.MERGE_PATIENTS: Merge,
    ChangeKind.CONFIRM_DISTINCT_PATIENTS: DistinctPatients,
    ChangeKind.CONFIRM_DISTINCT_DOSES: DistinctDoses,
    ChangeKind.WITHDRAW_DECISION: Withdrawal,
    ChangeKind.EXPORT_DOSES: Export,
    ChangeKind.RELEASE_EXPORT: ExportRelease,
    ChangeKind.UPLOAD_SENT: UploadSent,
    ChangeKind.UPLOAD_ACCEPTED: UploadAccepted,
    ChangeKind.UPLOAD_REFUSED: UploadRefused,
    ChangeKind.VERIFICATION_RECEIVED: VerificationReceived,
    ChangeKind.RECORD_CONSUMPTION: Consumption,
    ChangeKind.SET_CLINIC: Clinic,
    ChangeKind.SET_VACCINES_IN_USE: VaccinesInUse,
    ChangeKind.SET_LOT_OF_THE_DAY: LotOfTheDay,
    ChangeKind.SET_CODE_TABLE: CodeTableSetting,
    ChangeKind.REGISTER_STAFF_MEMBER: StaffMember,
    ChangeKind.STOCK_RECEIVED: StockReceived,
    ChangeKind.CONSUMPTION_SENT: ConsumptionSent,
    ChangeKind.CONSUMPTION_ANSWERED: ConsumptionAnswered,
    ChangeKind.HISTORY_RECEIVED: HistoryReceived,
    ChangeKind.EXAMS_SENT: ExamsSent,
    ChangeKind.EXAMS_ANSWERED: ExamsAnswered,
}
# Worked out once: a journal of 60,000 patients asks each time it is opened.
_KIND = {str(kind): kind for kind in ChangeKind}
_HAS_RECORD_ID = {kind for kind, model in _MODEL.items() if "record_id" in model.model_fields}


def knowledge() -> str:
    """What changes this program can read, as a digest: another one may read what the one before kept as unreadable."""
    known = sorted(f"{kind} {sorted(model.model_fields)}" for kind, model in _MODEL.items())
    return hashlib.sha256("\n".join([*known, *sorted(_KIND)]).encode()).hexdigest()[:16]


def reason_unreadable(change: Change) -> str | None:
    """Say why this program cannot use the change (an English reason without its content), or None."""
    kind = _KIND.get(change.kind)
    if kind is None:
        return "unknown kind"
    if change.change_id in change.base_revisions:
        return "replaces itself"
    model = _MODEL.get(kind)
    if model is None:
        return None
    content = {**change.payload, "record_id": change.record_id} if kind in _HAS_RECORD_ID else change.payload
    try:
        model.model_validate(content)
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False))
    return None


def apply_change(tables: Tables, change: Change) -> None:
    """Bring the tables to what they are with this change. `change` is one that `reason_unreadable` let pass."""
    match _KIND[change.kind]:
        case ChangeKind.REGISTER_PATIENT | ChangeKind.CORRECT_PATIENT:
            _apply_patient(tables, change)
        case ChangeKind.REGISTER_LOT:
            _apply_revision(tables, tables.lots, change)
        case ChangeKind.REGISTER_SESSION | ChangeKind.CORRECT_SESSION:
            _apply_revision(tables, tables.sessions, change)
        case ChangeKind.RECORD_VACCINATION | ChangeKind.CORRECT_VACCINATION | ChangeKind.VOID_VACCINATION:
            _apply_revision(tables, tables.vaccinations, change)
        case ChangeKind.RECORD_EXAM | ChangeKind.CORRECT_EXAM | ChangeKind.VOID_EXAM:
            _apply_revision(tables, tables.exams, change)
        case (
            ChangeKind.MERGE_PATIENTS
            | ChangeKind.CONFIRM_DISTINCT_PATIENTS
            | ChangeKind.CONFIRM_DISTINCT_DOSES
            | ChangeKind.WITHDRAW_DECISION
        ):
            _apply_decision(tables, change)
        case ChangeKind.REQUEST_UPLOAD:
            _request_upload(tables, change)
        case ChangeKind.EXPORT_DOSES | ChangeKind.RELEASE_EXPORT:
            take = take_export if change.kind == ChangeKind.EXPORT_DOSES else take_release
            for record_id in take(tables, change):
                _set_upload(tables, record_id)
        case ChangeKind.UPLOAD_SENT:
            _upload_sent(tables, change)
        case ChangeKind.UPLOAD_ACCEPTED:
            _upload_accepted(tables, change)
        case ChangeKind.UPLOAD_REFUSED:
            _upload_refused(tables, change)
        case ChangeKind.UPLOAD_OVERDUE:
            _upload_overdue(tables, change)
        case ChangeKind.VERIFICATION_RECEIVED:
            _verification_received(tables, change)
        case ChangeKind.RECORD_CONSUMPTION:
            _apply_revision(tables, tables.consumptions, change)
        case (
            ChangeKind.SET_CLINIC
            | ChangeKind.SET_VACCINES_IN_USE
            | ChangeKind.SET_LOT_OF_THE_DAY
            | ChangeKind.SET_CODE_TABLE
        ):
            _apply_revision(tables, tables.settings, change)
        case ChangeKind.REGISTER_STAFF_MEMBER:
            _apply_revision(tables, tables.staff, change)
        case ChangeKind.STOCK_RECEIVED:
            apply_stock_received(tables, change)
        case ChangeKind.CONSUMPTION_SENT:
            apply_consumption_sent(tables, change)
        case ChangeKind.CONSUMPTION_ANSWERED:
            apply_consumption_answered(tables, change)
        case ChangeKind.HISTORY_RECEIVED:
            _history_received(tables, change)
        case ChangeKind.EXAMS_SENT:
            apply_exams_sent(tables, change)
        case ChangeKind.EXAMS_ANSWERED:
            apply_exams_answered(tables, change)


def keep_unreadable(tables: Tables, change: Change, reason: str) -> None:
    tables.unreadable.put(change.change_id, {"reason": reason, "kind": change.kind, "record_id": change.record_id})


def _apply_patient(tables: Tables, change: Change) -> None:
    before, after = _apply_revision(tables, tables.patients, change)
    doses = tables.vaccinations.find_by("person_id", change.record_id)
    if doses and identity_digest(before) != identity_digest(after):
        for vaccination in doses:
            put_vaccination(tables, dict(vaccination))
    refresh_patient(tables, before, after)


def _apply_decision(tables: Tables, change: Change) -> None:
    _, decision = _apply_revision(tables, tables.decisions, change)
    if decision["pair"] == Pair.PATIENTS:
        for patient_id in affected_patients(tables, decision["first"], decision["second"]):
            person_id = effective_patient(tables, patient_id)
            for vaccination in tables.vaccinations.find_by("patient_id", patient_id):
                if vaccination["person_id"] != person_id:
                    put_vaccination(tables, dict(vaccination))
            for exam in tables.exams.find_by("patient_id", patient_id):
                if exam["person_id"] != person_id:
                    put_exam(tables, dict(exam))
    refresh_decided(tables, decision)


def _apply_revision(
    tables: Tables, table: RecordTable, change: Change
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
    """Add a revision to its record; returns the document before and the one after."""
    old = table.find(change.record_id)
    revisions: dict[str, Any] = dict(old["revisions"]) if old is not None else {}
    if old is not None and change.change_id in revisions:
        return old, old
    revisions[change.change_id] = {
        "bases": list(change.base_revisions),
        "kind": change.kind,
        "made_by": change.made_by,
        "made_at": change.made_at.isoformat(),
        "device_id": change.device_id,
        "payload": change.payload,
    }
    standing = heads(revisions)
    head_id = standing[-1]
    head = revisions[head_id]
    first = revisions[min(revisions)]
    document = {
        **content(revisions, head_id),
        "record_id": change.record_id,
        "revision": head_id,
        "revisions": revisions,
        "other_heads": standing[:-1],
        "conflict": [other for other in standing[:-1] if differ(revisions[other], head)],
        "made_by": first["made_by"],
        "made_at": first["made_at"],
    }
    if table.name in ("vaccinations", "exams"):
        document["voided"] = head["kind"] in VOID_KINDS
        document["void_reason"] = head["payload"].get("reason", "") if document["voided"] else ""
        kept = old if old is not None else {}
        document |= {name: kept[name] for name in ("past_uploads", "asked_again") if name in kept}
    if table.name == "vaccinations":
        for key, default in (("upload", None), ("cdc_has", False), ("upload_group", "")):
            document[key] = old[key] if old is not None else default
        put_vaccination(tables, document)
    elif table.name == "exams":
        for key, default in (("upload", None), ("cdc_has", False)):
            document[key] = old[key] if old is not None else default
        put_exam(tables, document)
    else:
        if table.name == "consumptions":
            document["upload"] = old["upload"] if old is not None else None
            document["state"] = str(consumption_state(document))
        table.put(change.record_id, document)
    return old, document


def put_vaccination(tables: Tables, document: dict[str, Any]) -> None:
    """Put a dose with what follows from other records: whose it is now, by what CDC knows that person, its state."""
    before = tables.vaccinations.find(document["record_id"])
    # A void that came before what it voids names nobody yet.
    document["person_id"] = effective_patient(tables, document.get("patient_id", ""))
    document["identity"] = identity_digest(tables.patients.find(document["person_id"]))
    document["export"] = standing_export(tables, document["record_id"])
    document["upload_state"] = str(upload_state(document))
    tables.vaccinations.put(document["record_id"], document)
    refresh_dose(tables, before, document)


def put_exam(tables: Tables, document: dict[str, Any]) -> None:
    """Put an exam with what follows from other records: whose it is now, and whether it waits for CDC."""
    document["person_id"] = effective_patient(tables, document.get("patient_id", ""))
    document["exam_state"] = str(exam_state(document))
    tables.exams.put(document["record_id"], document)


def _set_upload(tables: Tables, record_id: str, **fields: Any) -> None:
    document = tables.vaccinations.find(record_id)
    if document is not None:
        put_vaccination(tables, {**document, **fields})


def _begin_upload(
    tables: Tables, record_id: str, upload: Mapping[str, Any] | None, ended: Mapping[str, Any] | None, group: str
) -> None:
    """Set another upload, or none, and keep the one that `ended` as it came out."""
    document = tables.vaccinations.find(record_id)
    if document is not None:
        _set_upload(tables, record_id, upload=upload, upload_group=group, **past_uploads(document, ended, upload))


def _request_upload(tables: Tables, change: Change) -> None:
    """Staff ask for a refused revision to be sent again as it is, for example after CDC learned of the lot.

    The request names the batch that was refused, and undoes that refusal and no other: a device applies its own request
    before it has the hub's order, so what the record came to meanwhile (corrected, voided, refused once more) must make
    no difference. Nor must it that the refusal is told once more, as to a device that reads all again from a hub that
    was put back, without its own request: so it is kept what was asked for (`asked_again`, identifiers of batches).
    """
    document = tables.vaccinations.find(change.record_id)
    if document is None:
        return
    upload = document["upload"] or {}
    if batch_id := change.payload.get("upload_batch_id"):
        is_meant = upload.get("upload_batch_id") == batch_id
        asked = {*document.get("asked_again", ()), batch_id}
        _set_upload(tables, change.record_id, asked_again=sorted(asked))
    else:  # by a program from before 2026-11-24, which named the revision only
        is_meant = upload.get("revision") == document["revision"] and upload.get("revision") in change.base_revisions
    if is_meant and upload["state"] == UploadState.REFUSED:
        _begin_upload(tables, change.record_id, None, upload, document["upload_group"])


def _refuse(tables: Tables, record_id: str, refused: Mapping[str, Any]) -> None:
    """Let a refusal stand until staff do something about it, which they may have done already."""
    document = tables.vaccinations.at(record_id)
    if refused["upload_batch_id"] in document.get("asked_again", ()):
        _begin_upload(tables, record_id, None, refused, document["upload_group"])
    else:
        _set_upload(tables, record_id, upload=refused)


def _upload_sent(tables: Tables, change: Change) -> None:
    rows = [UploadRow.model_validate(row) for row in change.payload["rows"]]
    tables.batches.put(
        change.record_id,
        {
            "upload_batch_id": change.record_id,
            "state": str(BatchState.SENT),
            "rows": [row.model_dump(mode="json") for row in rows],
            "sent_at": change.made_at.isoformat(),
            "accepted_at": None,
            "due_at": None,
            "message": None,
        },
    )
    for row in rows:
        upload = {
            "state": str(UploadState.SENT),
            "revision": row.revision,
            "method": str(row.method),
            "upload_batch_id": change.record_id,
            "sent_at": change.made_at.isoformat(),
            "message": None,
            "identity": row.identity,
        }
        document = tables.vaccinations.find(row.record_id)
        _begin_upload(tables, row.record_id, upload, document["upload"] if document else None, "")


def _rows_of(tables: Tables, change: Change) -> list[tuple[UploadRow, dict[str, Any]]]:
    """Rows of the change's batch whose record still stands in that batch, with the record's upload."""
    batch = tables.batches.find(change.record_id)
    found = []
    for row in map(UploadRow.model_validate, batch["rows"] if batch else ()):
        document = tables.vaccinations.find(row.record_id)
        upload = document["upload"] if document else None
        if upload and upload["upload_batch_id"] == change.record_id:
            found.append((row, upload))
    return found


def _update_batch(tables: Tables, change: Change, **fields: Any) -> None:
    batch = tables.batches.find(change.record_id)
    if batch is not None:
        tables.batches.put(change.record_id, {**batch, **fields})


def _upload_accepted(tables: Tables, change: Change) -> None:
    # Words come with an answer to an upload: CDC has it from now on, so its time begins anew. To be told that it is
    # being processed says nothing of the kind.
    fresh: dict[str, Any] = {"overdue_at": None} if change.payload["message"] else {}
    _update_batch(
        tables,
        change,
        state=str(BatchState.ACCEPTED),
        accepted_at=change.made_at.isoformat(),
        due_at=change.payload["due_at"],
        message=change.payload["message"],
        **fresh,
    )
    for row, upload in _rows_of(tables, change):
        if upload["state"] == UploadState.SENT or (fresh and upload["state"] == UploadState.ACCEPTED):
            told = {"accepted_at": change.made_at.isoformat(), "accepted_message": change.payload["message"]}
            told |= fresh if upload.get("overdue_at") else {}
            _set_upload(tables, row.record_id, upload={**upload, **told, "state": str(UploadState.ACCEPTED)})


def _upload_refused(tables: Tables, change: Change) -> None:
    """CDC refused the batch whole and stored nothing of it.

    A batch of one is that record's refusal. A larger one goes back to waiting in parts, so that the row at fault
    is found and never holds the others back.
    """
    _update_batch(tables, change, state=str(BatchState.REFUSED), message=change.payload["message"])
    rows = _rows_of(tables, change)
    parts = parts_of_refused([row.record_id for row, _ in rows], change.payload.get("at_fault", ()))
    for row, upload in rows:
        told = {"message": change.payload["message"], "answered_at": change.made_at.isoformat()}
        refused = {**upload, **told, "state": str(UploadState.REFUSED)}
        if len(rows) > 1:
            ended = {**refused, "refused_whole": True}
            _begin_upload(tables, row.record_id, None, ended, f"{change.record_id}/{parts[row.record_id]}")
        else:
            _refuse(tables, row.record_id, refused)


def _upload_overdue(tables: Tables, change: Change) -> None:
    """CDC has had its day, says the hub. The batch stays open: CDC is asked on, and a late verdict counts."""
    overdue_at = change.made_at.isoformat()
    _update_batch(tables, change, overdue_at=overdue_at)
    for row, upload in _rows_of(tables, change):
        if upload["state"] in (UploadState.SENT, UploadState.ACCEPTED):
            _set_upload(tables, row.record_id, upload={**upload, "overdue_at": overdue_at})


def _verification_received(tables: Tables, change: Change) -> None:
    received = VerificationReceived.model_validate(change.payload)
    results = {result.record_id: result for result in received.results}
    waiting = 0
    for row, upload in _rows_of(tables, change):
        result = results.get(row.record_id)
        if upload["state"] in (UploadState.VERIFIED, UploadState.REFUSED):
            continue
        if result is None:
            waiting += 1
            continue
        state = UploadState.VERIFIED if result.verified else UploadState.REFUSED
        message = result.model_dump(include={"severity", "code", "text", "expression"})
        verdict = {**upload, "state": str(state), "message": message, "verified_at": change.made_at.isoformat()}
        verdict |= {"forgotten": True} if received.forgotten else {}
        if result.verified:
            cdc_has = row.method is not UploadMethod.DELETE
            _set_upload(tables, row.record_id, upload=verdict, cdc_has=cdc_has)
        else:
            _refuse(tables, row.record_id, verdict)
    if not waiting:
        _update_batch(tables, change, state=str(BatchState.CLOSED))


def _history_received(tables: Tables, change: Change) -> None:
    """The answer asked for last stands. It says which it replaces, so neither the clock nor the order of coming counts;
    only a hub put back from an older copy may not know of one: then the change made later stands."""
    old = tables.histories.find(change.record_id)
    if old is not None:
        if change.change_id in (old["revision"], *old["replaced"]):
            return
        if old["revision"] not in change.base_revisions and change.change_id < old["revision"]:
            return
    tables.histories.put(
        change.record_id,
        {
            **change.payload,
            "record_id": change.record_id,
            "revision": change.change_id,
            "replaced": list(change.base_revisions),
        },
    )
