"""The records that belong to some people: found by their indexes, and put into a device's tables.

Invariants:
- what is found costs by the people asked for and what is known of them, however large the store is;
- what is put stands as the hub has it; what the device made itself is applied over it by whoever calls.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from store.apply import put_vaccination
from store.decisions import Pair, pair_id
from store.duplicates import CROWD, KEY_BY_LIKENESS, dose_key
from store.pairs import refresh_decided, refresh_dose, refresh_patient
from store.scope import with_merged
from store.tables import Tables

Records = Mapping[str, Mapping[str, Mapping[str, Any]]]  # documents by table and record id
# What is told of single persons; pairs a device finds by itself.
TABLES_OF_PEOPLE = ("patients", "decisions", "vaccinations", "batches")


def ids_of_people(tables: Tables, persons: Collection[str], among: Collection[str]) -> dict[str, list[str]]:
    """Record ids by table: of these persons, their doses, what was decided of them, the upload batches their doses are
    in, and the pairs they are with others of `among`."""
    of = tables.vaccinations.ids_by
    doses = {dose for one in persons for index in ("patient_id", "person_id") for dose in of(index, one)}
    pair_by_others = _pairs_of_persons(tables, persons)
    pairs, batches = {pair for pair, other in pair_by_others.items() if other in among}, set[str]()
    for dose_id in doses:
        dose = tables.vaccinations.at(dose_id)
        pairs |= _pairs_of_dose(tables, dose)
        if dose["upload"]:
            batches.add(dose["upload"]["upload_batch_id"])
    merges = {
        merge["record_id"]
        for one in persons
        for index in ("merged", "survivor")
        for merge in tables.decisions.find_by(index, one)
    }
    found: dict[str, set[str]] = {
        "patients": {one for one in persons if tables.patients.exists(one)},
        "vaccinations": doses,
        # Also where the other is not asked for: a device that holds that one already must not ask staff again.
        "decisions": merges | {one for one in pairs | pair_by_others.keys() if tables.decisions.exists(one)},
        "pairs": {one for one in pairs if tables.pairs.exists(one)},
        "batches": {one for one in batches if tables.batches.exists(one)},
    }
    return {name: sorted(ids) for name, ids in found.items()}


def records_of_people(tables: Tables, people: Iterable[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """The documents of `TABLES_OF_PEOPLE` that belong to these persons."""
    persons = with_merged(tables, people)
    ids = ids_of_people(tables, persons, persons)
    return {name: {one: dict(tables.table(name).at(one)) for one in ids[name]} for name in TABLES_OF_PEOPLE}


def put_records(tables: Tables, records: Records) -> None:
    """Put a hub's documents of some people in the place of what is here, with the pairs that follow."""
    before = {
        name: {one: tables.table(name).find(one) for one in records.get(name, {})}
        for name in ("patients", "vaccinations")
    }
    for name in TABLES_OF_PEOPLE:
        for record_id, document in records.get(name, {}).items():
            tables.table(name).put(record_id, document)
    told = records.get("vaccinations", {})
    for record_id, patient in records.get("patients", {}).items():
        refresh_patient(tables, before["patients"][record_id], patient)
        for dose in tables.vaccinations.find_by("patient_id", record_id):
            if dose["record_id"] not in told:  # made here, when nothing was known of the person yet
                put_vaccination(tables, dict(dose))
    for record_id, document in told.items():
        refresh_dose(tables, before["vaccinations"][record_id], document)
    for decision in records.get("decisions", {}).values():
        refresh_decided(tables, decision)


def _pairs_of_persons(tables: Tables, persons: Iterable[str]) -> dict[str, str]:
    """The ids of the pairs that these may be with others, by what makes persons alike; each with the other's id."""
    found: dict[str, str] = {}
    for one in persons:
        patient = tables.patients.find(one)
        for index, key_of in KEY_BY_LIKENESS.items():
            key = key_of(patient) if patient is not None else None
            if key is not None and 1 < len(others := tables.patients.ids_by(index, key)) <= CROWD:
                found |= {pair_id(Pair.PATIENTS, one, other): other for other in others if other != one}
    return found


def _pairs_of_dose(tables: Tables, dose: Mapping[str, Any]) -> set[str]:
    key = dose_key(dose)
    others = tables.vaccinations.ids_by("dose", key) if key is not None else []
    return {pair_id(Pair.DOSES, dose["record_id"], other) for other in others if other != dose["record_id"]}
