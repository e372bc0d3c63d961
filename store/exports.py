"""Doses that left in a file for NIIS (outage_csv.py) instead of by the interface, and what that means for their upload.

Invariants:
- an export is one change and never changes: its number, its rows, its text and the SHA-256 of its bytes;
- an exported dose, corrected or voided since too, is not uploaded until staff say so of that export (a release), since
  NIIS may have it by the file, and would count it twice;
- what CDC has, or may have, by an upload is not exported: a file can neither correct nor delete;
- exports and releases mean the same in whatever order they come.

Shape: the tables `exports` (what is listed), `export_files` (rows, text, notes, by the same record id) and
`exported_doses` (by the dose's record id, in which exports it stands). A dose's document carries as `export` the newest
one that nobody has released, None for none.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from store.changes import Change, ChangeDraft, ChangeKind, Id
from store.outage_csv import MAX_ROWS, Note, NoteKind, OutageFile, file_bytes, make_file
from store.patients import Patient
from store.roc_date import format_compact
from store.uploads import AfterExport, UploadMethod, UploadState, is_in_flight, may_be_at_cdc, next_method
from store.vaccinations import Vaccination

if TYPE_CHECKING:
    from store.tables import Tables

_DEVICE_DIGITS = 6

Document = Mapping[str, Any]


class ExportRow(BaseModel):
    """One revision in a file. Shape: `identity` is `patients.identity_digest` of whose dose it was then."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    record_id: Id
    revision: Id
    identity: str = ""


class Export(BaseModel):
    """One file. Shape: `sha256` of its bytes, 64 hex digits; `notes` are what was to be said of its rows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    rows: list[ExportRow]
    text: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    notes: list[Note] = []


class ExportRelease(BaseModel):
    """Staff say that these doses of an export go by the interface after all. The change's record id is the export's."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    record_ids: list[Id]


def may_be_exported(vaccination: Document) -> bool:
    """Whether a dose waits for CDC as something new. `vaccination` is a document of the vaccinations table."""
    return next_method(vaccination) is UploadMethod.POST and not may_be_at_cdc(vaccination)


def awaits_export(vaccination: Document) -> str | None:
    """By the day it was given, what may be exported."""
    return vaccination.get("vaccination_date") or None if may_be_exported(vaccination) else None


def waiting_for_export(tables: "Tables", days: Iterable[str] | None) -> list[Any]:
    """The documents of the first `MAX_ROWS` doses that may be exported, the oldest first; `days` narrow to ISO days."""
    doses = tables.vaccinations
    if days is None:
        return doses.find_by_prefix("awaits_export", "", MAX_ROWS)
    ids = islice((one for day in days for one in doses.ids_by("awaits_export", day)), MAX_ROWS)
    return [doses.at(one) for one in ids]


def make_export(tables: "Tables", documents: Sequence[Document], institution_code: str) -> OutageFile:
    """The file of these doses, each as whose it is now; a dose whose person has not come yet is left out."""
    doses, unknown = [], []
    for document in documents:
        person = tables.patients.find(document["person_id"])
        if person is None:
            unknown.append(Note(record_id=document["record_id"], field="national_id", kind=NoteKind.NO_IDENTITY))
            continue
        told = [
            {name: one[name] for name in model.model_fields if name in one}
            for model, one in ((Vaccination, document), (Patient, person))
        ]
        doses.append((Vaccination.model_validate(told[0]), Patient.model_validate(told[1])))
    file = make_file(doses, institution_code)
    return OutageFile(file.record_ids, file.text, (*file.notes, *unknown))


def next_number(tables: "Tables", day: date, device_id: str) -> str:
    """The number of this device's next export of a day.

    Shape: "1151123-3F9A2C-001": day, device and count, so that two devices without a network never give the same.
    """
    prefix = f"{format_compact(day)}-{device_id[:_DEVICE_DIGITS].upper()}-"
    last = tables.exports.find_by_prefix("number", prefix, 1, last=True)
    count = int(last[0]["number"].removeprefix(prefix)) if last else 0
    return f"{prefix}{count + 1:03d}"


def draft_export(tables: "Tables", export_id: str, number: str, file: OutageFile) -> ChangeDraft:
    """What makes a file an export, with the revisions that the tables hold now."""
    documents = map(tables.vaccinations.at, file.record_ids)
    rows = [{name: one[name] for name in ("record_id", "revision", "identity")} for one in documents]
    payload = {
        "number": number,
        "rows": rows,
        "text": file.text,
        "sha256": hashlib.sha256(file_bytes(file.text)).hexdigest(),
        "notes": [note.model_dump(mode="json") for note in file.notes if note.record_id not in file.left_out],
    }
    return ChangeDraft(ChangeKind.EXPORT_DOSES, export_id, payload)


def draft_release(export_id: str, record_ids: Sequence[str]) -> ChangeDraft:
    return ChangeDraft(ChangeKind.RELEASE_EXPORT, export_id, {"record_ids": list(record_ids)})


def intact_bytes(tables: "Tables", export_id: str) -> bytes | None:
    """An export's file as it was made; None where it is not that any more, by its SHA-256."""
    try:
        data = file_bytes(tables.export_files.at(export_id)["text"])
    except UnicodeEncodeError:
        return None
    return data if hashlib.sha256(data).hexdigest() == tables.exports.at(export_id)["sha256"] else None


def after_export(vaccination: Document) -> AfterExport | None:
    """What happened to a dose since it left in a file, and the file does not say; None for nothing, or without one."""
    export = vaccination.get("export")
    if not export:
        return None
    upload = vaccination["upload"]
    if vaccination["cdc_has"] or is_in_flight(vaccination) or (upload and upload["state"] == UploadState.VERIFIED):
        return AfterExport.UPLOADED
    if vaccination["voided"]:
        return AfterExport.VOIDED
    if vaccination["revision"] != export["revision"] or vaccination["conflict"]:
        return AfterExport.CORRECTED
    return AfterExport.PERSON_CHANGED if vaccination["identity"] != export["identity"] else None


def exported_in(change: Change) -> list[str]:
    """Record ids of the doses that an export or a release names; the change may be one that nobody can read."""
    rows = change.payload.get("rows")
    told = [row.get("record_id") for row in rows] if isinstance(rows, list) else change.payload.get("record_ids")
    return [one for one in told or () if isinstance(one, str)]


# ---- applying


def standing_export(tables: "Tables", record_id: str) -> dict[str, Any] | None:
    """The newest export of a dose that nobody has released. Shape: as `Document["export"]`."""
    known = tables.exported_doses.find(record_id)
    if known is None:
        return None
    standing = [one for export_id, one in known["exports"].items() if export_id not in known["released"]]
    return max(standing, key=lambda one: (one["made_at"], one["export_id"]), default=None)


def take_export(tables: "Tables", change: Change) -> list[str]:
    """Keep an export; returns the record ids of its doses."""
    export = Export.model_validate(change.payload)
    export_id, made_at = change.record_id, change.made_at.isoformat()
    file = export.model_dump(mode="json", include={"text", "rows", "notes"})
    listed = {
        "record_id": export_id,
        "number": export.number,
        "made_at": made_at,
        "made_by": change.made_by,
        "count": len(export.rows),
        "sha256": export.sha256,
    }
    tables.exports.put(export_id, listed)
    _keep_file(tables, export_id, **file)
    for row in export.rows:
        known = _exported(tables, row.record_id)
        told = {**row.model_dump(exclude={"record_id"}), "export_id": export_id, "made_at": made_at}
        exports = {**known["exports"], export_id: {**told, "number": export.number}}
        tables.exported_doses.put(row.record_id, {**known, "exports": exports})
    return [row.record_id for row in export.rows]


def take_release(tables: "Tables", change: Change) -> list[str]:
    """Keep a release; returns the record ids of its doses."""
    export_id = change.record_id
    released = ExportRelease.model_validate(change.payload).record_ids
    before: Document = tables.export_files.find(export_id) or {}
    _keep_file(tables, export_id, released=sorted({*before.get("released", ()), *released}))
    for record_id in released:
        known = _exported(tables, record_id)
        tables.exported_doses.put(record_id, {**known, "released": sorted({*known["released"], export_id})})
    return released


def _keep_file(tables: "Tables", export_id: str, **fields: Any) -> None:
    file = {"record_id": export_id, "released": [], **(tables.export_files.find(export_id) or {}), **fields}
    tables.export_files.put(export_id, file)
    listed = tables.exports.find(export_id)
    if listed is not None:
        exported = {row["record_id"] for row in file["rows"]} if "rows" in file else set()
        tables.exports.put(export_id, {**listed, "released": len(exported.intersection(file["released"]))})


def _exported(tables: "Tables", record_id: str) -> Document:
    return tables.exported_doses.find(record_id) or {"record_id": record_id, "exports": {}, "released": []}
