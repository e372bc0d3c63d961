"""The records that belong to some people: found by their indexes, and put into a device's tables.

Invariants:
- what is found costs by the people asked for and what is known of them, however large the store is;
- what is put stands as the hub has it; what the device made itself is applied over it by whoever calls.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from store.apply import put_exam, put_vaccination
from store.pairs import refresh_decided, refresh_dose, refresh_patient
from store.scope import doses_of, exams_of, ids_by_any, with_merged
from store.tables import Tables

Records = Mapping[str, Mapping[str, Mapping[str, Any]]]  # documents by table and record id
# What is told of single persons; pairs a device finds by itself.
TABLES_OF_PEOPLE = (
    "patients", "decisions", "exported_doses", "exports", "export_files", "vaccinations", "batches", "exams",
    "histories",
)  # fmt: skip
# What every device holds whole.
NOT_OF_PEOPLE = (
    "lots", "sessions", "settings", "staff", "unreadable", "stock_rows", "consumptions", "stock_downloads",
    "stock_batches", "exam_batches",
)  # fmt: skip
_SIDES = ("first", "second")


def ids_of_people(tables: Tables, persons: Collection[str], among: Collection[str]) -> dict[str, list[str]]:
    """Record ids by table: of these persons, their doses and exams, what was decided of persons and doses, the upload
    batches and the exports their doses are in, and the pairs that they are with others of `among`."""
    doses = doses_of(tables, persons)
    batches = {dose["upload"]["upload_batch_id"] for dose in map(tables.vaccinations.at, doses) if dose["upload"]}
    exported = {one for one in doses if tables.exported_doses.exists(one)}
    exports = {export_id for one in exported for export_id in tables.exported_doses.at(one)["exports"]}
    pairs = ids_by_any(tables.pairs, _SIDES, doses)
    for pair_id in ids_by_any(tables.pairs, _SIDES, persons):
        pair = tables.pairs.at(pair_id)
        if pair["first"] in among and pair["second"] in among:
            pairs.add(pair_id)
    found = {
        "patients": {one for one in persons if tables.patients.exists(one)},
        "vaccinations": doses,
        "exams": exams_of(tables, persons),
        # Also with whom is not asked for: a device that holds that one already must not ask staff again.
        "decisions": ids_by_any(tables.decisions, _SIDES, [*persons, *doses]),
        "pairs": pairs,
        "exported_doses": exported,
        "exports": exports,
        "export_files": exports,
        "batches": {one for one in batches if tables.batches.exists(one)},
        "histories": {one for one in persons if tables.histories.exists(one)},
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
    for record_id in records.get("patients", {}):
        for exam in tables.exams.find_by("patient_id", record_id):
            if exam["record_id"] not in records.get("exams", {}):  # as the doses above
                put_exam(tables, dict(exam))
