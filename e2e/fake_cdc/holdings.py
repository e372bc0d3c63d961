"""What CDC holds, on disk: every accepted Bundle as it came, the records in it, and the lots added by hand.

Invariant: what was answered is on the disk first. One JSON line per event, appended and fsynced; a torn last line was
never answered and is cut off at the next start. Memory is only this file, read again.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from .exams import Report
from .outcomes import Refusal


@dataclass(frozen=True)
class JudgedRow:
    """One record of an accepted Bundle with the verdict that verification will tell; `refusal` None = stored."""

    record_key: str
    method: str
    resource: dict[str, Any] | None
    patient: dict[str, Any] | None
    refusal: Refusal | None

    @property
    def lot_number(self) -> Any:
        return None if self.resource is None else self.resource.get("lotNumber")


@dataclass
class StoredBatch:
    org_id: str
    identifier: str
    accepted_at: float
    body: bytes
    rows: tuple[JudgedRow, ...]
    times_received: int = 1

    @property
    def body_sha256(self) -> str:
        return sha256(self.body).hexdigest()


@dataclass
class StoredRecord:
    """Everything CDC knows of one record key; `versions` holds only what was stored, oldest first."""

    org_id: str
    versions: list[dict[str, Any]] = field(default_factory=list)
    uploads: int = 0
    last_row: JudgedRow | None = None
    last_batch: str = ""

    @property
    def held(self) -> bool:
        return bool(self.versions) and self.versions[-1]["method"] != "DELETE"


@dataclass(frozen=True)
class Lot:
    """One row of stock; `vials` is CDC's balance."""

    identifier: str
    vaccine_code: str
    lot_number: str
    lot_type: str
    vials: int
    expiry_date: str | None = None
    doses_per_vial: int | None = None


@dataclass(frozen=True)
class ConsumedRow:
    """One row of an accepted Bundle of consumption; `refusal` None = stored, and the balance fell by `vials`."""

    identifier: str
    vials: int
    doses: int
    refusal: Refusal | None


@dataclass
class StoredConsumption:
    body: bytes
    rows: tuple[ConsumedRow, ...]
    times_received: int = 1


@dataclass(frozen=True)
class Person:
    """By what a person's history is asked for."""

    system: str
    value: str
    birth_date: str


class Holdings:
    """Open the state in `folder`, read every event in it, then append.

    Raises: ValueError when a line other than a torn last one cannot be read: damaged state must not look empty.
    """

    def __init__(self, folder: Path, stock: tuple[Lot, ...]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._stock = stock
        self._forget()
        path = folder / "holdings.jsonl"
        whole = 0
        for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
            if not line.endswith(b"\n"):
                break
            self._apply(json.loads(line))
            whole += len(line)
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - held open as long as the program runs
        self._file.truncate(whole)

    def close(self) -> None:
        self._file.close()

    def find_batch(self, org_id: str, identifier: str) -> StoredBatch | None:
        return self.batches.get((org_id, identifier))

    def lot_exists(self, lot_number: str, vaccine_code: str, lot_type: str) -> bool:
        wanted = (lot_number, vaccine_code, lot_type)
        return any((lot.lot_number, lot.vaccine_code, lot.lot_type) == wanted for lot in self.lots)

    def accept(
        self, org_id: str, identifier: str, body: bytes, rows: list[JudgedRow], accepted_at: float
    ) -> StoredBatch:
        """Store a Bundle that was not seen before, with the verdict on each row."""
        self._append(
            {
                "event": "accepted",
                "org_id": org_id,
                "identifier": identifier,
                "accepted_at": accepted_at,
                "body": body.decode("utf-8"),  # valid UTF-8 by now, so the bytes come back exactly
                "rows": [asdict(row) for row in rows],
            }
        )
        return self.batches[org_id, identifier]

    def receive_again(self, batch: StoredBatch) -> None:
        self._append({"event": "again", "org_id": batch.org_id, "identifier": batch.identifier})

    def find_consumption(self, org_id: str, identifier: str) -> StoredConsumption | None:
        return self.consumptions.get((org_id, identifier))

    def consume(self, org_id: str, identifier: str, body: bytes, rows: list[ConsumedRow]) -> StoredConsumption:
        """Store a Bundle of consumption that was not seen before; the balance of each row stored falls now."""
        self._append(
            {
                "event": "consumed",
                "org_id": org_id,
                "identifier": identifier,
                "body": body.decode("utf-8"),
                "rows": [asdict(row) for row in rows],
            }
        )
        return self.consumptions[org_id, identifier]

    def consume_again(self, org_id: str, identifier: str) -> None:
        self._append({"event": "consumed_again", "org_id": org_id, "identifier": identifier})

    def find_exams(self, org_id: str, body: bytes) -> dict[str, Any] | None:
        """What was stored of the very same Bundle before."""
        text = body.decode("utf-8", "replace")
        return next((one for one in self.exam_bundles if (one["org_id"], one["body"]) == (org_id, text)), None)

    def store_exams(self, org_id: str, body: bytes, reports: list[Report]) -> dict[str, Any]:
        """Store every report of a Bundle."""
        stored = [asdict(report) for report in reports]
        self._append({"event": "exams", "org_id": org_id, "body": body.decode("utf-8"), "reports": stored})
        return self.exam_bundles[-1]

    def holds_exam(self, org_id: str, key: str) -> bool:
        return (org_id, key) in self.exams

    def add_lot(self, lot: Lot) -> None:
        self._append({"event": "lot", "lot": asdict(lot)})

    def add_history(self, person: Person, rows: list[dict[str, str]]) -> None:
        """Know a person, with these rows besides those known before."""
        self._append({"event": "history", "person": asdict(person), "rows": rows})

    def reset(self) -> None:
        self._file.truncate(0)
        os.fsync(self._file.fileno())
        self._forget()

    def _forget(self) -> None:
        self.batches: dict[tuple[str, str], StoredBatch] = {}
        self.records: dict[str, StoredRecord] = {}
        self.lots: list[Lot] = list(self._stock)
        self.consumptions: dict[tuple[str, str], StoredConsumption] = {}
        self.exam_bundles: list[dict[str, Any]] = []
        self.exams: dict[tuple[str, str], dict[str, Any]] = {}  # what stands, by institution and key of the report
        self.people: dict[Person, list[dict[str, str]]] = {}  # with what other institutions gave them

    def _append(self, event: dict[str, Any]) -> None:
        line = memoryview(json.dumps(event).encode("ascii") + b"\n")
        end = os.fstat(self._file.fileno()).st_size
        try:
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)  # half a line with another behind it would be damage, not a torn end
            raise
        self._apply(event)

    def _apply(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "accepted":
                rows = tuple(_row_from(row) for row in event["rows"])
                body = event["body"].encode("utf-8")
                batch = StoredBatch(event["org_id"], event["identifier"], event["accepted_at"], body, rows)
                self.batches[batch.org_id, batch.identifier] = batch
                for row in rows:
                    self._take_in(batch, row)
            case "again":
                batch = self.batches[event["org_id"], event["identifier"]]
                batch.times_received += 1
                for row in batch.rows:
                    self.records[row.record_key].uploads += 1
            case "lot":
                self.lots.append(Lot(**event["lot"]))
            case "consumed":
                consumed = tuple(_consumed_from(row) for row in event["rows"])
                stored = StoredConsumption(event["body"].encode("utf-8"), consumed)
                self.consumptions[event["org_id"], event["identifier"]] = stored
                used = {row.identifier: row.vials for row in consumed if row.refusal is None}
                self.lots = [replace(lot, vials=lot.vials - used.get(lot.identifier, 0)) for lot in self.lots]
            case "consumed_again":
                self.consumptions[event["org_id"], event["identifier"]].times_received += 1
            case "exams":
                self.exam_bundles.append(event)
                for report in event["reports"]:
                    key = (event["org_id"], report["key"])
                    if report["method"] == "DELETE":
                        self.exams.pop(key, None)
                    else:
                        self.exams[key] = report["resources"]
            case "history":
                self.people.setdefault(Person(**event["person"]), []).extend(event["rows"])
            case other:
                raise ValueError(f"holdings.jsonl: unknown event {other!r}")

    def _take_in(self, batch: StoredBatch, row: JudgedRow) -> None:
        record = self.records.setdefault(row.record_key, StoredRecord(batch.org_id))
        record.uploads += 1
        record.last_row, record.last_batch = row, batch.identifier
        if row.refusal is None:
            record.versions.append(
                {
                    "method": row.method,
                    "batch_identifier": batch.identifier,
                    "stored_at": batch.accepted_at,
                    "resource": row.resource,
                    "patient": row.patient,
                }
            )


def _consumed_from(row: dict[str, Any]) -> ConsumedRow:
    refusal = None if row["refusal"] is None else Refusal(**row["refusal"])
    return ConsumedRow(row["identifier"], row["vials"], row["doses"], refusal)


def _row_from(row: dict[str, Any]) -> JudgedRow:
    refusal = None if row["refusal"] is None else Refusal(**row["refusal"])
    return JudgedRow(row["record_key"], row["method"], row["resource"], row["patient"], refusal)
