"""TinyDB tables over records held in memory: TinyDB's query face without its rewriting of everything.

Decision 2026-11-23: stock TinyDB hands the whole table to its storage at each insert (19.5 ms at 50,000 records). Here
the journal is the truth and the table is what applying it gave, so a table only holds documents, keyed by record id,
and keeps the named indexes that screens ask for. Nothing but apply.py writes to a table.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tinydb import TinyDB
from tinydb.storages import MemoryStorage
from tinydb.table import Document, Table

from store import decisions, duplicates
from store.errors import RecordNotFound
from store.patients import match_patient, normalise_query, patient_search_text

KeyOf = Callable[[Mapping[str, Any]], str | None]
TextOf = Callable[[Mapping[str, Any]], str]


class RecordTable(Table):
    """A TinyDB table whose document ids are record ids (32 hex digits)."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB documents this hook, its annotation says int

    def __init__(
        self, storage: Any, name: str, indexes: Mapping[str, KeyOf] | None = None, text_of: TextOf | None = None
    ) -> None:
        super().__init__(storage, name, cache_size=0)
        self._text_of = text_of
        self._texts: dict[str, str] = {}
        self._documents: dict[str, Document] = {}
        self._key_by_index = dict(indexes or {})
        self._ids_by_index: dict[str, dict[str, dict[str, None]]] = {index: {} for index in self._key_by_index}

    def put(self, record_id: str, document: dict[str, Any]) -> None:
        """Insert or replace one document and move its index entries."""
        old = self._documents.get(record_id)
        new = Document(document, record_id)  # type: ignore[arg-type]
        self._documents[record_id] = new
        if self._text_of is not None:
            self._texts[record_id] = self._text_of(new)
        for index, key_of in self._key_by_index.items():
            before, after = (key_of(old) if old is not None else None), key_of(new)
            ids = self._ids_by_index[index]
            if before is not None and before != after:
                ids[before].pop(record_id, None)
                if not ids[before]:
                    del ids[before]
            if after is not None:
                ids.setdefault(after, {})[record_id] = None

    def find(self, record_id: str) -> Document | None:
        return self._documents.get(record_id)

    def at(self, record_id: str) -> Document:
        """Raises: RecordNotFound."""
        document = self._documents.get(record_id)
        if document is None:
            raise RecordNotFound(record_id)
        return document

    def find_by(self, index: str, key: str) -> list[Document]:
        """Documents whose index key is `key`, in the order they came."""
        return [self._documents[record_id] for record_id in self._ids_by_index[index].get(key, ())]

    def find_by_text(self, typed: str, limit: int) -> list[Document]:
        """The first `limit` documents that what was typed means; none for an empty text."""
        query = normalise_query(typed)
        found: list[Document] = []
        for record_id, text in self._texts.items() if query else ():
            if match_patient(text, query):
                found.append(self._documents[record_id])
                if len(found) == limit:
                    break
        return found

    def count_by(self, index: str, key: str) -> int:
        return len(self._ids_by_index[index].get(key, ()))

    def keys(self, index: str) -> list[str]:
        return list(self._ids_by_index[index])

    def documents(self) -> Iterator[Document]:
        return iter(self._documents.values())

    def __len__(self) -> int:
        return len(self._documents)

    # TinyDB's two inner gates: everything its query API does passes through these.
    def _read_table(self) -> dict[str, Mapping[str, Any]]:
        return self._documents  # type: ignore[return-value]

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> None:
        raise TypeError("tables are written by applying changes only")


class Tables(TinyDB):
    """The clinic's tables."""

    table_class = RecordTable  # type: ignore[assignment]  # it is a Table; TinyDB says type[Table] of an instance

    def __init__(self) -> None:
        super().__init__(storage=MemoryStorage)
        by = _by_field
        self.patients = self._add(
            "patients",
            patient_search_text,
            chart_number=by("chart_number"),
            national_id=by("national_id"),
            # Conflicts and duplicates:
            name_birth=duplicates.name_birth_key,
            phone_birth=duplicates.phone_birth_key,
            conflict=duplicates.conflict_key,
        )
        self.lots = self._add(
            "lots",
            lot_number=by("lot_number"),
            vaccine_code=by("vaccine_code"),
            conflict=duplicates.conflict_key,
        )
        self.vaccinations = self._add(
            "vaccinations",
            patient_id=by("patient_id"),
            vaccination_date=by("vaccination_date"),
            upload_state=by("upload_state"),
            # Conflicts and duplicates:
            person_id=by("person_id"),
            dose=duplicates.dose_key,
            conflict=duplicates.conflict_key,
        )
        self.batches = self._add("batches", state=by("state"))
        self.unreadable = self._add("unreadable")
        # Conflicts and duplicates: what staff decided of pairs (decisions.py), and the pairs found (pairs.py).
        self.decisions = self._add(
            "decisions",
            merged=decisions.merged_key,
            survivor=decisions.survivor_key,
            decided_on=decisions.decided_on_key,
        )
        self.pairs = self._add("pairs", open=decisions.open_key)

    def _add(self, name: str, text_of: TextOf | None = None, **indexes: KeyOf) -> RecordTable:
        table = RecordTable(self.storage, name, indexes, text_of)
        self._tables[name] = table
        return table


def _by_field(field: str) -> KeyOf:
    return lambda document: document.get(field) or None
