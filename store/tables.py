"""The clinic's tables: what each is found by. Nothing but apply.py and the databases write to them."""

from collections.abc import Mapping
from typing import Any, TypeVar

from tinydb import TinyDB
from tinydb.storages import MemoryStorage

from store import decisions, duplicates, receipts
from store.changes import Change
from store.exports import after_export, awaits_export
from store.lots import (
    folded_number_key,
    listing_key,
    lot_search_text,
    manufacturer_missing_key,
    normalise_lot_query,
)
from store.patients import normalise_query, patient_search_text, phone_digits
from store.record_table import NumberedTable, RecordTable, Writer
from store.revisions import pack, unpack
from store.stock import standing_lot_key
from store.uploads import UploadState

AnyTable = TypeVar("AnyTable", bound=RecordTable)
# To be raised by hand whenever one of the functions below gives another key or text than before for the same record:
# each store then makes its indexes anew at its next opening. A new name is noticed without.
INDEX_VERSION = 1


def index_rules(table: RecordTable) -> list[Any]:
    """By what rules a table's indexes, texts and counts are made; a run keeps those it was made with."""
    return [INDEX_VERSION, table.text_of is not None, sorted(table.indexes), sorted(table.counted)]


class PatientTable(RecordTable):
    """The roster, searched by whatever a nurse types."""

    def find_by_typed(self, typed: str, limit: int) -> list[Any]:
        """The first `limit` persons that what was typed means; none for an empty text."""
        return self.find_by_text(normalise_query(typed), limit)


class LotTable(RecordTable):
    """The lots, searched by either number, vaccine or maker."""

    def find_by_typed(self, typed: str, limit: int) -> list[Any]:
        """The first `limit` lots that what was typed means; for an empty text the list from its beginning."""
        if piece := normalise_lot_query(typed):
            return self.find_by_text(piece, limit)
        return self.find_by_prefix("listing", "", limit)

    def manufacturers(self) -> list[str]:
        """Every maker that lots have, the most frequent first."""
        return [maker for maker, count in self.counted["manufacturer"].most_common() if count > 0]


def _awaits_upload(vaccination: Mapping[str, Any]) -> str | None:
    """By the day it was given, what has not left for CDC or has no answer yet: the oldest come first in a list."""
    waits = vaccination["upload_state"] in (UploadState.NOT_SENT, UploadState.SENT)
    return vaccination.get("vaccination_date") or None if waits else None


def _waits_since(vaccination: Mapping[str, Any]) -> str | None:
    """By the moment it was recorded, what has not left for CDC: the oldest goes first."""
    return vaccination["made_at"] if vaccination["upload_state"] == UploadState.NOT_SENT else None


def _verified_upload(document: Mapping[str, Any]) -> str | None:
    """When a dose that CDC has verified was sent, so that the newest are found first."""
    return document["upload"]["sent_at"] if document["upload_state"] == UploadState.VERIFIED else None


class Tables(TinyDB):
    """The clinic's tables."""

    table_class = NumberedTable  # type: ignore[assignment]  # of a table that is not named here: this device's own, never synced

    def __init__(self, write: Writer | None = None) -> None:
        super().__init__(storage=MemoryStorage)
        self._write = write
        by = by_field
        kept_by_revision: dict[str, Any] = {"encode": pack, "decode": unpack}
        self.patients = self._add(
            PatientTable(
                "patients",
                {
                    "chart_number": by("chart_number"),
                    "national_id": by("national_id"),
                    "name": by("name"),
                    "phone": lambda document: phone_digits(document.get("phone")) or None,
                    "birth_date": by("birth_date"),
                    # Conflicts and duplicates:
                    "name_birth": duplicates.name_birth_key,
                    "phone_birth": duplicates.phone_birth_key,
                    "conflict": duplicates.conflict_key,
                },
                counted=("conflict",),
                text_of=patient_search_text,
                **kept_by_revision,
            )
        )
        self.lots = self._add(
            LotTable(
                "lots",
                {
                    "lot_number": by("lot_number"),
                    "vaccine_code": by("vaccine_code"),
                    "manufacturer": by("manufacturer"),
                    "manufacturer_missing": manufacturer_missing_key,
                    "folded_number": folded_number_key,
                    "listing": listing_key,
                    "conflict": duplicates.conflict_key,
                },
                counted=("conflict", "manufacturer", "manufacturer_missing"),
                text_of=lot_search_text,
                **kept_by_revision,
            )
        )
        self.sessions = self._add(
            RecordTable(
                "sessions",
                {"session_date": by("session_date"), "conflict": duplicates.conflict_key},
                counted=("conflict",),
                **kept_by_revision,
            )
        )
        # The clinic's settings by topic, and its staff (clinic_settings.py).
        self.settings = self._add(self._settings_table("settings"))
        self.staff = self._add(self._settings_table("staff"))
        self.vaccinations = self._add(
            RecordTable(
                "vaccinations",
                {
                    "patient_id": by("patient_id"),
                    "vaccination_date": by("vaccination_date"),
                    "lot_number": by("lot_number"),
                    "standing_lot": standing_lot_key,
                    "upload_state": by("upload_state"),
                    "awaits_upload": _awaits_upload,
                    "waits_since": _waits_since,
                    "verified_upload": _verified_upload,
                    "awaits_export": awaits_export,
                    "after_export": after_export,
                    # Conflicts and duplicates:
                    "person_id": by("person_id"),
                    "dose": duplicates.dose_key,
                    "conflict": duplicates.conflict_key,
                },
                counted=("upload_state", "after_export", "conflict"),
                **kept_by_revision,
            )
        )
        self.exams = self._add(
            RecordTable(
                "exams",
                {
                    "patient_id": by("patient_id"),
                    "person_id": by("person_id"),
                    "exam_date": by("exam_date"),
                    "exam_state": by("exam_state"),
                    "conflict": duplicates.conflict_key,
                },
                counted=("exam_state", "conflict"),
                **kept_by_revision,
            )
        )
        self.batches = self._add(
            RecordTable("batches", {"state": by("state"), "sent_at": by("sent_at")}, counted=("state",))
        )
        self.unreadable = self._add(RecordTable("unreadable"))
        # What staff decided of pairs (decisions.py), and the pairs found (pairs.py).
        self.decisions = self._add(
            RecordTable(
                "decisions",
                {
                    "merged": decisions.merged_key,
                    "survivor": decisions.survivor_key,
                    "decided_on": decisions.decided_on_key,
                    "first": by("first"),
                    "second": by("second"),
                },
                **kept_by_revision,
            )
        )
        self.pairs = self._add(
            RecordTable(
                "pairs",
                {"open": decisions.open_key, "first": by("first"), "second": by("second")},
                counted=("open",),
            )
        )
        # CDC's stock (stock.py): its rows, what staff say was used of them, downloads, and uploads of what was used.
        self.stock_rows = self._add(RecordTable("stock_rows", {"listed": by("listed")}))
        self.consumptions = self._add(
            RecordTable(
                "consumptions",
                {"state": by("state"), "conflict": duplicates.conflict_key},
                counted=("state", "conflict"),
                **kept_by_revision,
            )
        )
        self.stock_downloads = self._add(RecordTable("stock_downloads", {"downloaded_at": by("downloaded_at")}))
        self.stock_batches = self._add(RecordTable("stock_batches", {"state": by("state"), "sent_at": by("sent_at")}))
        # Uploads of exam reports (exam_uploads.py).
        self.exam_batches = self._add(RecordTable("exam_batches", {"state": by("state"), "sent_at": by("sent_at")}))
        # Doses that left in a file (exports.py).
        self.exports = self._add(RecordTable("exports", {"number": by("number"), "made_at": by("made_at")}))
        self.export_files = self._add(RecordTable("export_files"))
        self.exported_doses = self._add(RecordTable("exported_doses"))
        # What CDC told of a person, by the person's record id (history.py).
        self.histories = self._add(RecordTable("histories"))
        # Whole changes: a device keeps its own, in the order they were made; the hub keeps all, by their number.
        self.changes = self._add(
            NumberedTable(
                "changes",
                {"change_id": lambda document: str(document["change"].change_id)},
                encode=lambda document: document["change"].model_dump_json().encode(),
                decode=lambda body: {"change": Change.model_validate_json(body)},
            )
        )
        # Of a device's own changes: the numbers of those that the hub is not known to hold.
        self.unsent = self._add(NumberedTable("unsent"))
        # The hub's raw exchanges with CDC.
        self.exchanges = self._add(
            NumberedTable(
                "exchanges",
                {
                    "upload_batch_id": by("upload_batch_id"),
                    "record_id": by("record_id"),
                    "listed": receipts.listed_key,
                    "kind": receipts.kind_key,
                    "failed": receipts.failed_key,
                    "with_body": receipts.with_body_key,
                },
            )
        )

    def has_batch(self, batch_id: str) -> bool:
        """Whether anything was sent to CDC under this identifier: doses, what was used of the stock, or exams."""
        return any(table.exists(batch_id) for table in self._batch_tables())

    def find_batch(self, batch_id: str) -> Mapping[str, Any] | None:
        """The batch that was sent under this identifier, of whichever kind."""
        return next((found for table in self._batch_tables() if (found := table.find(batch_id)) is not None), None)

    def _batch_tables(self) -> tuple[RecordTable, ...]:
        return self.batches, self.stock_batches, self.exam_batches

    def record_tables(self) -> list[RecordTable]:
        return list(self._tables.values())  # type: ignore[arg-type]  # each was added below

    def derived_tables(self) -> list[RecordTable]:
        """What every device makes of the same changes alike: not the changes, not the raw exchanges, not its own."""
        kept_apart = (self.changes, self.unsent, self.exchanges)
        return [table for table in self.record_tables() if not table.is_own and table not in kept_apart]

    @property
    def version(self) -> int:
        """Another one whenever a record of the clinic may be another; this device's own tables do not count."""
        return sum(table.version for table in self.derived_tables())

    def tables(self) -> set[str]:
        """The names of all tables, the clinic's and this device's own."""
        return set(self._tables)

    def table(self, name: str, **_: Any) -> RecordTable:  # ours has no query cache to size
        """A table by name; one that is not the clinic's is this device's own and takes TinyDB's insert and update."""
        if name not in self._tables:
            self._add(NumberedTable(name, write=self._write))
        return self._tables[name]  # type: ignore[return-value]  # each was added below

    def drop_table(self, name: str) -> None:
        """Empty one of this device's own tables; the clinic's are not to be dropped."""
        self.table(name).truncate()

    def drop_tables(self) -> None:
        for table in self.record_tables():
            if table.is_own:
                table.truncate()

    @staticmethod
    def _settings_table(name: str) -> RecordTable:
        by_conflict = {"conflict": duplicates.conflict_key}
        return RecordTable(name, by_conflict, counted=("conflict",), encode=pack, decode=unpack)

    def _add(self, table: AnyTable) -> AnyTable:
        self._tables[table.name] = table
        return table


class by_field:
    """The index key is one field's text; TinyDB's `where(FIELD) == VALUE` may go by such an index."""

    def __init__(self, field: str) -> None:
        self.field = field

    def __call__(self, document: Mapping[str, Any]) -> str | None:
        return document.get(self.field) or None
