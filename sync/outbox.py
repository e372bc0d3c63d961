"""The rows that wait for CDC, and their bytes. A record that cannot be written is put aside, so that the others go."""

import logging
from collections.abc import Sequence
from datetime import datetime

from store.patients import Patient, can_identify
from store.tables import Tables
from store.uploads import UploadMethod, UploadRow
from store.vaccinations import Vaccination
from sync import upload_queue
from sync.registry import Registry, UploadItem

_log = logging.getLogger(__name__)


class Outbox:
    """What stands in the tables, as the registry wants it."""

    def __init__(self, tables: Tables, registry: Registry, max_rows: int) -> None:
        self._tables = tables
        self._registry = registry
        self._max_rows = max_rows
        self._put_aside: dict[str, str] = {}  # record id -> the revision that cannot be written

    def next_rows(self) -> list[UploadRow]:
        """Out of the oldest that wait; more of them are looked at only where too many of these are held back."""
        doses, looked_at = self._tables.vaccinations, 2 * self._max_rows
        while True:
            waiting = doses.find_by_prefix("waits_since", "", looked_at)
            ready = (v for v in waiting if self._put_aside.get(v["record_id"]) != v["revision"])
            rows = upload_queue.select_rows(ready, self._can_send_person, self._max_rows)
            if len(waiting) < looked_at or len(rows) > self._max_rows // 2:
                return rows
            looked_at *= 2

    def write(self, upload_batch_id: str, rows: Sequence[UploadRow], at: datetime) -> bytes:
        """The body of a batch. Whatever is raised here is a bug; the records that cause it are put aside first."""
        try:
            return self._write(upload_batch_id, rows, at)
        except Exception:
            for row in rows:
                try:
                    self._write(upload_batch_id, [row], at)
                except Exception as error:  # noqa: BLE001 - looking for exactly the records that do this
                    self._put_aside[row.record_id] = row.revision
                    _log.error("record %s cannot be written for CDC: %s", row.record_id, type(error).__name__)
            raise

    def _write(self, upload_batch_id: str, rows: Sequence[UploadRow], at: datetime) -> bytes:
        return self._registry.make_upload(upload_batch_id, [self._item(row) for row in rows], at)

    def _item(self, row: UploadRow) -> UploadItem:
        if row.method is UploadMethod.DELETE:
            return UploadItem(row, None, None)
        document = self._tables.vaccinations.find(row.record_id)
        assert document is not None
        patient = self._tables.patients.find(document["person_id"])  # a merged person's go as the survivor's
        assert patient is not None
        fields = {name: document[name] for name in Vaccination.model_fields if name in document}
        person = {name: patient[name] for name in Patient.model_fields if name in patient}
        return UploadItem(row, Vaccination.model_validate(fields), Patient.model_validate(person))

    def _can_send_person(self, patient_id: str) -> bool:
        patient = self._tables.patients.find(patient_id)
        return patient is not None and can_identify(patient)
