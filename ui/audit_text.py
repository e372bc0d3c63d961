"""An entry of the audit in words: in the list, and as a line of a file."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from store.audit import AuditAction, AuditEntry
from store.changes import ChangeKind
from store.formulas import with_mark
from ui import wording
from ui.conflict_facts import device_text, dose_text, person_name
from ui.patient_search import roc_text
from ui.state import AppState
from ui.vaccination_list import moment_text

_MARK = 6  # characters that tell one record from another


def who_text(who: str) -> str:
    return wording.AUDIT_WHO.get(who, who)


def what_text(what: str) -> str:
    if what in set(AuditAction):
        return wording.AUDIT_ACTION[AuditAction(what)]
    if what in set(ChangeKind):
        return wording.AUDIT_CHANGE[ChangeKind(what)]
    return wording.AUDIT_WHAT_OTHER.format(code=what)


def record_text(state: AppState, record_id: str) -> str:
    """Who or what a record id stands for, as far as this device holds it."""
    tables = state.database.tables
    if tables.patients.exists(record_id):
        return person_name(state, record_id)
    if tables.vaccinations.exists(record_id):
        return dose_text(state, record_id)
    if (exam := tables.exams.find(record_id)) is not None:
        return f"{person_name(state, exam['patient_id'])} {roc_text(exam['exam_date'])}"
    if (lot := tables.lots.find(record_id)) is not None:
        return f"{lot['vaccine_code']} {lot['lot_number']}"
    if (session := tables.sessions.find(record_id)) is not None:
        return f"{roc_text(session['session_date'])} {session['session_name']}"
    return wording.AUDIT_RECORD.format(mark=record_id[:_MARK])


def about_text(state: AppState, entry: AuditEntry, device_names: Mapping[str, str]) -> str:
    """What it was done to, in one line."""
    tell: dict[str, Callable[[Any], str]] = {
        "record_id": lambda value: record_text(state, value),
        "upload_batch_id": lambda value: wording.AUDIT_BATCH.format(batch=value),
        "staff_id": lambda value: wording.AUDIT_ACCOUNT.format(staff_id=value),
        "device_id": lambda value: wording.AUDIT_DEVICE.format(device=device_text(state, value, device_names)),
        "kind": _kind_text,
        "reason": lambda value: wording.AUDIT_REASON.get(value, value),
        "number": lambda value: wording.AUDIT_NUMBER.format(number=value),
        "count": lambda value: wording.AUDIT_COUNT.format(count=value),
        "address": lambda value: wording.AUDIT_FROM_ADDRESS.format(address=value),
    }
    return "　".join(tell[name](entry.about[name]) for name in tell if name in entry.about)


def _kind_text(kind: Any) -> str:
    if kind in set(ChangeKind):
        return wording.AUDIT_CHANGE[ChangeKind(kind)]
    return wording.AUDIT_KIND.get(str(kind), str(kind))


def row_of(state: AppState, entry: AuditEntry, device_names: Mapping[str, str]) -> dict[str, Any]:
    """A row of the list. `device_names` as in AuditPage."""
    return {
        "seq": entry.seq,
        "at": moment_text(entry.happened_at.isoformat()),
        "who": who_text(entry.who),
        "what": what_text(entry.what),
        "about": about_text(state, entry, device_names),
        "device": device_text(state, entry.device_id, device_names) if entry.device_id else wording.AUDIT_AT_HUB,
        "is_bad": entry.what == AuditAction.CHAIN_BROKEN,
    }


def audit_csv(state: AppState, entries: Iterable[AuditEntry], device_names: Mapping[str, str]) -> bytes:
    """Entries as a file for a spreadsheet, with their hashes. Shape: UTF-8 with a mark, CRLF, no cell a formula."""
    written = io.StringIO()
    write = csv.writer(written, lineterminator="\r\n").writerow
    write(wording.AUDIT_FILE_COLUMNS)
    for entry in entries:
        row = row_of(state, entry, device_names)
        cells = (
            *(row[name] for name in ("seq", "at", "who", "what", "about")),
            entry.what,
            entry.about.get("record_id", ""),
            entry.device_id,
            moment_text(entry.kept_at.isoformat() if entry.kept_at else None),
            entry.prev,
            entry.hash,
        )
        write([with_mark(str(cell)) for cell in cells])
    return written.getvalue().encode("utf-8-sig")
