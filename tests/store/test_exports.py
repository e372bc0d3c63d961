"""Doses that left in a file: held back from the upload until staff say so, whatever comes in whatever order."""

import hashlib
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.changes import Change, ChangeDraft, ChangeKind
from store.exports import (
    draft_export,
    draft_release,
    intact_bytes,
    make_export,
    may_be_exported,
    next_number,
    waiting_for_export,
)
from store.outage_csv import MAX_ROWS, NoteKind, file_bytes
from store.tables import Tables
from store.uploads import AfterExport, UploadMethod, UploadState, next_method
from tests.store.settling import Writer, apply_all, record

INSTITUTION = "1133060019"
EXPORT, BATCH = record("e"), "batch-1"


class Clinic:
    """One store, and the changes made in it."""

    def __init__(self) -> None:
        self.writer = Writer()
        self.changes: list[Change] = []

    @property
    def tables(self) -> Tables:
        return apply_all(self.changes)

    def add(self, *changes: Change) -> None:
        self.changes += changes

    def make(self, draft: ChangeDraft) -> None:
        self.add(self.writer.change(draft))

    def dose(self, digit: str = "1", **fields: Any) -> str:
        self.add(self.writer.patient("a"), self.writer.dose(digit, "a", **fields))
        return record(digit)

    def export(self, *digits: str, export_id: str = EXPORT) -> None:
        tables = self.tables
        file = make_export(tables, [tables.vaccinations.at(record(digit)) for digit in digits], INSTITUTION)
        number = next_number(tables, date(2026, 11, 23), "3f9a2c" + "0" * 26)
        self.make(draft_export(tables, export_id, number, file))

    def release(self, *digits: str, export_id: str = EXPORT) -> None:
        self.make(draft_release(export_id, [record(digit) for digit in digits]))

    def correct(self, digit: str = "1", **fields: Any) -> None:
        revision = self.tables.vaccinations.at(record(digit))["revision"]
        self.add(
            self.writer.dose(digit, "a", ChangeKind.CORRECT_VACCINATION, bases=(revision,), **fields)
        )

    def void(self, digit: str = "1") -> None:
        self.add(self.writer.void(digit, self.tables.vaccinations.at(record(digit))["revision"]))

    def cdc(self, kind: ChangeKind, **payload: Any) -> None:
        self.make(ChangeDraft(kind, BATCH, payload))

    def sends(self, digit: str = "1") -> None:
        dose = self.tables.vaccinations.at(record(digit))
        row = {"record_id": dose["record_id"], "revision": dose["revision"], "method": "POST"}
        self.cdc(ChangeKind.UPLOAD_SENT, rows=[row])

    def verifies(self, digit: str = "1") -> None:
        self.cdc(ChangeKind.VERIFICATION_RECEIVED, results=[{"record_id": record(digit), "verified": True}])

    def state(self, digit: str = "1") -> tuple[UploadState, UploadMethod | None]:
        dose = self.tables.vaccinations.at(record(digit))
        return UploadState(dose["upload_state"]), next_method(dose)

    def after(self, what: AfterExport) -> int:
        return self.tables.vaccinations.count_by("after_export", what)


@pytest.fixture
def clinic() -> Clinic:
    return Clinic()


def test_an_exported_dose_is_not_uploaded_until_staff_say_so(clinic: Clinic) -> None:
    clinic.dose("1")
    clinic.dose("2", vaccine_code="Var")
    assert clinic.state("1") == (UploadState.NOT_SENT, UploadMethod.POST)

    clinic.export("1")
    assert clinic.state("1") == (UploadState.EXPORTED, None)
    assert clinic.state("2") == (UploadState.NOT_SENT, UploadMethod.POST)

    clinic.release("1")
    assert clinic.state("1") == (UploadState.NOT_SENT, UploadMethod.POST)
    assert clinic.tables.exports.at(EXPORT)["released"] == 1


def test_a_dose_exported_twice_waits_for_a_release_of_both(clinic: Clinic) -> None:
    clinic.dose()
    clinic.export("1")
    clinic.export("1", export_id=record("f"))

    clinic.release("1")
    assert clinic.state() == (UploadState.EXPORTED, None)
    clinic.release("1", export_id=record("f"))
    assert clinic.state() == (UploadState.NOT_SENT, UploadMethod.POST)


def test_a_correction_after_the_export_waits_for_staff_too_and_is_told(clinic: Clinic) -> None:
    clinic.dose()
    clinic.export("1")
    assert clinic.after(AfterExport.CORRECTED) == 0

    clinic.correct(lot_number="OTHER-CDC")

    assert clinic.state() == (UploadState.EXPORTED, None)
    assert clinic.after(AfterExport.CORRECTED) == 1
    clinic.release("1")
    assert clinic.state() == (UploadState.NOT_SENT, UploadMethod.POST)
    assert clinic.after(AfterExport.CORRECTED) == 0


def test_a_void_after_the_export_is_told_until_staff_settle_it(clinic: Clinic) -> None:
    clinic.dose()
    clinic.export("1")

    clinic.void()

    assert clinic.state() == (UploadState.EXPORTED, None)
    assert clinic.after(AfterExport.VOIDED) == 1
    clinic.release("1")
    assert clinic.state() == (UploadState.NOT_NEEDED, None)
    assert clinic.after(AfterExport.VOIDED) == 0


def test_another_identity_of_the_person_after_the_export_is_told(clinic: Clinic) -> None:
    clinic.dose()
    clinic.export("1")

    clinic.add(clinic.writer.patient("a", national_id="B222419838"))

    assert clinic.after(AfterExport.PERSON_CHANGED) == 1


@pytest.mark.parametrize("verified", [False, True], ids=["no answer yet", "verified"])
def test_a_dose_that_left_both_ways_is_told(clinic: Clinic, *, verified: bool) -> None:
    """Exported at a tablet without a network while the hub was sending it."""
    clinic.dose()
    clinic.export("1")
    clinic.sends()
    if verified:
        clinic.verifies()

    assert clinic.after(AfterExport.UPLOADED) == 1
    assert clinic.state()[0] is (UploadState.VERIFIED if verified else UploadState.SENT)


def test_an_exported_dose_of_a_batch_that_cdc_refused_whole_is_not_sent_again(clinic: Clinic) -> None:
    clinic.dose("1")
    clinic.dose("2", vaccine_code="Var")
    clinic.export("1")
    tables = clinic.tables
    rows = [
        {"record_id": record(digit), "revision": tables.vaccinations.at(record(digit))["revision"], "method": "POST"}
        for digit in "12"
    ]
    clinic.cdc(ChangeKind.UPLOAD_SENT, rows=rows)
    clinic.cdc(ChangeKind.UPLOAD_REFUSED, message={"severity": "error"})

    assert clinic.state("1") == (UploadState.EXPORTED, None)
    assert clinic.state("2") == (UploadState.NOT_SENT, UploadMethod.POST)


def test_only_what_cdc_has_nothing_of_may_be_exported(clinic: Clinic) -> None:
    clinic.dose()
    assert may_be_exported(clinic.tables.vaccinations.at(record("1")))
    clinic.sends()
    assert not may_be_exported(clinic.tables.vaccinations.at(record("1")))
    clinic.verifies()
    clinic.correct(lot_number="OTHER-CDC")

    assert clinic.state() == (UploadState.NOT_SENT, UploadMethod.PUT)
    assert not may_be_exported(clinic.tables.vaccinations.at(record("1")))
    assert waiting_for_export(clinic.tables, None) == []


def test_what_waits_is_found_by_its_day_oldest_first(clinic: Clinic) -> None:
    clinic.dose("1", vaccination_date="2026-11-21")
    clinic.dose("2", vaccination_date="2026-11-20", vaccine_code="Var")
    clinic.dose("3", vaccination_date="2026-11-22", vaccine_code="BCG")

    def found(days: list[str] | None) -> list[str]:
        return [one["record_id"][0] for one in waiting_for_export(clinic.tables, days)]

    assert found(None) == ["2", "1", "3"]
    assert found(["2026-11-20", "2026-11-21"]) == ["2", "1"]
    clinic.export("1")
    assert found(["2026-11-20", "2026-11-21"]) == ["2"]


def test_no_more_is_found_than_one_file_holds() -> None:
    writer = Writer()
    changes = [writer.patient("a")]
    for number in range(MAX_ROWS + 1):
        dose = writer.dose("1", "a", vaccination_date="2026-11-20", dose_number=str(number))
        changes.append(dose.model_copy(update={"record_id": f"{number:032x}"}))
    tables = apply_all(changes)

    assert len(waiting_for_export(tables, None)) == len(waiting_for_export(tables, ["2026-11-20"])) == MAX_ROWS


def test_the_number_counts_by_device_and_day(clinic: Clinic) -> None:
    clinic.dose("1")
    clinic.dose("2", vaccine_code="Var")
    clinic.export("1")
    tables, day = clinic.tables, date(2026, 11, 23)
    device = "3f9a2c" + "0" * 26

    assert tables.exports.at(EXPORT)["number"] == "1151123-3F9A2C-001"
    assert next_number(tables, day, device) == "1151123-3F9A2C-002"
    assert next_number(tables, day, "00aa11" + "0" * 26) == "1151123-00AA11-001"
    assert next_number(tables, date(2026, 11, 24), device) == "1151124-3F9A2C-001"


def test_the_bytes_are_the_same_later_and_checked(clinic: Clinic) -> None:
    clinic.dose()
    clinic.export("1")
    tables = clinic.tables
    text, listed = tables.export_files.at(EXPORT)["text"], tables.exports.at(EXPORT)

    assert intact_bytes(tables, EXPORT) == file_bytes(text)
    assert hashlib.sha256(file_bytes(text)).hexdigest() == listed["sha256"]
    tables.export_files.put(EXPORT, {**tables.export_files.at(EXPORT), "text": text.replace("MMR", "Var")})
    assert intact_bytes(tables, EXPORT) is None
    tables.export_files.put(EXPORT, {**tables.export_files.at(EXPORT), "text": "😀"})
    assert intact_bytes(tables, EXPORT) is None


def test_a_dose_whose_person_has_not_come_is_left_out_and_told(clinic: Clinic) -> None:
    clinic.add(clinic.writer.dose("1", "a"))

    file = make_export(clinic.tables, [clinic.tables.vaccinations.at(record("1"))], INSTITUTION)

    assert [(note.record_id, note.kind) for note in file.notes] == [(record("1"), NoteKind.NO_IDENTITY)]
    assert file.record_ids == ()


@settings(max_examples=200)
@given(st.data())
def test_exports_and_releases_mean_the_same_in_any_order(data: st.DataObject) -> None:
    clinic = Clinic()
    for digit, vaccine in zip("123", ("MMR", "Var", "BCG"), strict=True):
        clinic.dose(digit, vaccine_code=vaccine)
    for export_id in (record("e"), record("f")):
        chosen = data.draw(st.lists(st.sampled_from("123"), unique=True))
        clinic.export(*chosen, export_id=export_id)
        clinic.release(*data.draw(st.lists(st.sampled_from("123"), unique=True)), export_id=export_id)
    clinic.correct("1", vaccine_code="MMR", lot_number="OTHER-CDC")
    clinic.void("2")

    other = apply_all(data.draw(st.permutations(clinic.changes + clinic.changes[:4])))

    names = "vaccinations", "exports", "export_files", "exported_doses"
    for one, two in ((clinic.tables.table(name), other.table(name)) for name in names):
        assert {d.doc_id: dict(d) for d in one.documents()} == {d.doc_id: dict(d) for d in two.documents()}
