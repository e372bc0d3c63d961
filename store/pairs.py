"""The pairs that wait for a person's decision: likely one person twice, likely one dose twice.

Kept by apply.py, one look at the few records of one key at each change, so that counting and listing cost the same
however large the store is.

Invariants:
- which pairs are open follows from the records and decisions alone, in whatever order they came;
- a pair that is settled stays in the table, closed; one that was never alike never comes into it;
- a key that more than `CROWD` records share opens no pair.

Shape of a document: `record_id` is `decisions.pair_id`, `pair` its kind, `first` and `second` the record ids,
`reasons` why the two are alike (empty where only decisions disagree), `open` whether a person is asked.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from tinydb.table import Document

from store.decisions import Pair, Verdict, pair_id, verdict
from store.duplicates import CROWD, KEY_BY_LIKENESS, Likeness, dose_key, likeness
from store.persons import affected_patients, effective_patient
from store.record_table import RecordTable
from store.tables import Tables

_DOSE_CROWD = 30


# ---- what screens ask


def open_pairs(tables: Tables, pair: Pair) -> list[Document]:
    return tables.pairs.find_by("open", pair)


def count_open_pairs(tables: Tables) -> int:
    return sum(tables.pairs.count_by("open", pair) for pair in Pair)


def same_doses(tables: Tables, vaccination: Mapping[str, Any]) -> list[Document]:
    """Other records of the same dose of the same person that nobody has confirmed to be a dose of its own."""
    return [
        other
        for other in _sharing(tables.vaccinations, "dose", dose_key(vaccination), _DOSE_CROWD)
        if other["record_id"] != vaccination["record_id"]
        and not are_confirmed_doses(tables, vaccination["record_id"], other["record_id"])
    ]


def are_confirmed_doses(tables: Tables, one: str, other: str) -> bool:
    """True where a person said that both records are doses that were given."""
    return verdict(tables.decisions.find(pair_id(Pair.DOSES, one, other))) is Verdict.DISTINCT


def find_likely_patients(tables: Tables, patient: Mapping[str, Any]) -> list[tuple[Document, list[Likeness]]]:
    """Who in the store may be this person already, the best match first: asked before somebody is registered.

    `patient` is a document, or a draft dumped as JSON that has no record id yet. Nobody is found through a crowd's key.
    """
    found: dict[str, tuple[Document, list[Likeness]]] = {}
    for index, key_of in KEY_BY_LIKENESS.items():
        for other in _sharing(tables.patients, index, key_of(patient), CROWD):
            if other["record_id"] != patient.get("record_id") and other["record_id"] not in found:
                reasons = _reasons(tables, patient, other)
                if reasons:
                    found[other["record_id"]] = (other, reasons)
    return list(found.values())


# ---- what apply.py does


def refresh_patient(tables: Tables, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    """Look at the pairs of one person again. `before` is the document that `after` replaced."""
    for index, key_of in KEY_BY_LIKENESS.items():
        new = key_of(after)
        old = key_of(before) if before is not None else None
        for key in (new,) if old is None or old == new else (old, new):
            if key is not None:
                for one, other in _touched(tables.patients, index, key, after, CROWD, is_own=key == new):
                    _put_patients(tables, one["record_id"], other["record_id"])


def refresh_dose(tables: Tables, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    """Look at the pairs of one dose again, where it became or ceased to be the same as others."""
    old, new = dose_key(before) if before is not None else None, dose_key(after)
    if old == new:
        return
    for key in (old, new):
        if key is not None:
            for one, other in _touched(tables.vaccinations, "dose", key, after, _DOSE_CROWD, is_own=key == new):
                _put_doses(tables, one["record_id"], other["record_id"])


def refresh_decided(tables: Tables, decision: Mapping[str, Any]) -> None:
    """Look at every pair again that a decision may have closed or opened; doses are in their new place already."""
    first, second = decision["first"], decision["second"]
    if decision["pair"] == Pair.DOSES:
        _put_doses(tables, first, second)
        return
    _put_patients(tables, first, second)
    for patient_id in affected_patients(tables, first, second):
        if (patient := tables.patients.find(patient_id)) is not None:
            refresh_patient(tables, None, patient)
        for index in ("merged", "survivor"):
            for merge in tables.decisions.find_by(index, patient_id):
                _put_patients(tables, merge["first"], merge["second"])


# ---- inner steps


def _touched(
    table: RecordTable, index: str, key: str, changed: Mapping[str, Any], crowd: int, *, is_own: bool
) -> Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The pairs whose standing a change of one record may alter through one key. `is_own`: the key is its own now."""
    count = table.count_by(index, key, at_most=crowd + 2)
    if count == is_own or count > crowd + 1:  # as nearly always nobody else is there, and no record is read
        return ()
    members = [other for other in table.find_by(index, key) if other["record_id"] != changed["record_id"]]
    if count in (crowd, crowd + 1):  # all pairs of the key just opened or closed together
        return combinations([changed, *members], 2)
    return ((changed, other) for other in members)


def _sharing(table: RecordTable, index: str, key: str | None, crowd: int) -> list[Document]:
    if key is None or table.count_by(index, key, at_most=crowd + 1) > crowd:
        return []
    return table.find_by(index, key)


def _reasons(tables: Tables, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Likeness]:
    return [
        reason
        for reason in likeness(one, other)
        if tables.patients.count_by(reason, str(KEY_BY_LIKENESS[reason](one)), at_most=CROWD + 1) <= CROWD
    ]


def _put_patients(tables: Tables, one_id: str, other_id: str) -> None:
    one, other = tables.patients.find(one_id), tables.patients.find(other_id)
    reasons = _reasons(tables, one, other) if one is not None and other is not None else []
    decision = tables.decisions.find(pair_id(Pair.PATIENTS, one_id, other_id))
    decided = verdict(decision)
    are_one = effective_patient(tables, one_id) == effective_patient(tables, other_id)
    if decision is not None and decision["conflict"]:
        is_open = True
    elif decided is Verdict.MERGED:
        is_open = not are_one  # overruled by a merge of the same person into somebody else
    elif decided is Verdict.DISTINCT:
        is_open = bool(reasons) and are_one  # said to be two, and merged by way of a third
    else:
        is_open = bool(reasons) and not are_one
    _put(tables, Pair.PATIENTS, one_id, other_id, reasons, is_open)


def _put_doses(tables: Tables, one_id: str, other_id: str) -> None:
    one, other = tables.vaccinations.find(one_id), tables.vaccinations.find(other_id)
    is_open = (
        one is not None
        and other is not None
        and (key := dose_key(one)) is not None
        and key == dose_key(other)
        and tables.vaccinations.count_by("dose", key, at_most=_DOSE_CROWD + 1) <= _DOSE_CROWD
        and not are_confirmed_doses(tables, one_id, other_id)
    )
    _put(tables, Pair.DOSES, one_id, other_id, [], is_open)


def _put(tables: Tables, pair: Pair, one_id: str, other_id: str, reasons: list[Likeness], is_open: bool) -> None:
    first, second = sorted((one_id, other_id))
    record_id = pair_id(pair, first, second)
    document = {
        "record_id": record_id,
        "pair": str(pair),
        "first": first,
        "second": second,
        "reasons": [str(reason) for reason in reasons],
        "open": is_open,
    }
    before = tables.pairs.find(record_id)
    if before != document if before is not None else is_open:
        tables.pairs.put(record_id, document)
