"""Changes made by hand, and what a store shows of them: for the tests of conflicts and duplicates."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from store.apply import apply_change, reason_unreadable
from store.changes import Change, ChangeDraft, ChangeKind
from store.decisions import Pair
from store.pairs import open_pairs
from store.tables import Tables
from tests.worlds import START

PERSON = {"name": "陳小明", "birth_date": "2020-05-01", "national_id": "A123456789", "phone": "0912345678"}


def record(digit: str) -> str:
    return digit * 32


class Writer:
    """Makes changes as devices do; each is one of `device`'s."""

    def __init__(self, device: str = "d") -> None:
        self.device = device
        self.made = 0

    def change(self, draft: ChangeDraft, number: int | None = None) -> Change:
        self.made = self.made + 1 if number is None else number
        return Change(
            change_id=f"{self.made:031x}{self.device}",
            device_id=self.device * 32,
            device_seq=self.made,
            record_id=draft.record_id,
            base_revisions=draft.base_revisions,
            kind=draft.kind,
            payload=draft.payload,
            made_by="nurse",
            made_at=START + timedelta(seconds=self.made),
        )

    def patient(self, digit: str, **fields: Any) -> Change:
        payload = {"chart_number": f"chart {digit}", **PERSON, **fields}
        payload = {name: value for name, value in payload.items() if value is not None}
        return self.change(ChangeDraft(ChangeKind.REGISTER_PATIENT, record(digit), payload))

    def dose(self, digit: str, patient: str, kind: ChangeKind = ChangeKind.RECORD_VACCINATION, **fields: Any) -> Change:
        payload = {
            "patient_id": record(patient),
            "vaccination_date": "2026-11-20",
            "vaccine_code": "MMR",
            "dose_number": "1",
            "lot_number": "AMJRE075AA-CDC",
            "lot_type": "1",
            **fields,
        }
        bases = payload.pop("bases", ())
        return self.change(ChangeDraft(kind, record(digit), payload, bases))

    def void(self, digit: str, *bases: str) -> Change:
        return self.change(ChangeDraft(ChangeKind.VOID_VACCINATION, record(digit), {"reason": "重複"}, bases))

    def exam(self, digit: str, patient: str, kind: ChangeKind = ChangeKind.RECORD_EXAM, **fields: Any) -> Change:
        bases = fields.pop("bases", ())
        payload = {"patient_id": record(patient), "exam_type": "2", "exam_date": "2026-11-20", **fields}
        return self.change(ChangeDraft(kind, record(digit), payload, bases))


def apply_all(changes: Iterable[Change], tables: Tables | None = None) -> Tables:
    tables = tables if tables is not None else Tables()
    for change in changes:
        assert reason_unreadable(change) is None
        apply_change(tables, change)
    return tables


def open_ids(tables: Tables, pair: Pair) -> set[str]:
    """Shape: {"ab"} for the pair of the records a... and b..."""
    return {found["first"][0] + found["second"][0] for found in open_pairs(tables, pair)}


def shown(tables: Tables) -> dict[str, dict[str, Any]]:
    """All that the tables show. A pair once open and now closed is as good as one that never was."""
    every = (tables.patients, tables.lots, tables.vaccinations, tables.exams, tables.decisions)
    found = {table.name: {d["record_id"]: dict(d) for d in table.documents()} for table in every}
    found["pairs"] = {d["record_id"]: dict(d) for d in tables.pairs.documents() if d["open"]}
    return found
