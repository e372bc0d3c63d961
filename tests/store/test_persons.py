"""Whose a dose is after merges, in chains, rings and undone."""

from store.changes import ChangeKind
from store.decisions import Pair, draft_distinct, draft_merge, draft_withdrawal
from store.persons import effective_patient, merged_patients
from store.tables import Tables
from tests.store.settling import Writer, apply_all, record

A, B, C = record("a"), record("b"), record("c")


def merges(*ways: tuple[str, str]) -> Tables:
    writer = Writer()
    return apply_all([writer.change(draft_merge(gone, survivor)) for gone, survivor in ways])


def test_nobody_merged_is_who_they_are() -> None:
    assert effective_patient(Tables(), A) == A


def test_a_merged_person_goes_on_as_the_survivor() -> None:
    tables = merges((A, B))

    assert (effective_patient(tables, A), effective_patient(tables, B)) == (B, B)
    assert merged_patients(tables, B) == [A]


def test_a_chain_of_merges_leads_to_its_end() -> None:
    tables = merges((A, B), (B, C))

    assert [effective_patient(tables, one) for one in (A, B, C)] == [C, C, C]
    assert merged_patients(tables, C) == [A, B]


def test_merges_in_a_ring_make_all_of_them_one_and_the_same() -> None:
    tables = merges((A, B), (B, C), (C, A))

    assert {effective_patient(tables, one) for one in (A, B, C)} == {A}


def test_who_was_merged_into_two_goes_with_the_later_decision_whichever_came_first() -> None:
    writer = Writer()
    earlier, later = writer.change(draft_merge(A, B)), writer.change(draft_merge(A, C))

    assert effective_patient(apply_all([earlier, later]), A) == C
    assert effective_patient(apply_all([later, earlier]), A) == C


def test_undoing_a_merge_gives_each_person_their_doses_back() -> None:
    writer = Writer()
    tables = apply_all([writer.patient("a"), writer.patient("b"), writer.dose("1", "a")])
    apply_all([writer.change(draft_merge(A, B))], tables)
    assert tables.vaccinations.at(record("1"))["person_id"] == B
    assert tables.vaccinations.at(record("1"))["patient_id"] == A

    [merge] = tables.decisions.documents()
    apply_all([writer.change(draft_withdrawal(merge))], tables)

    assert tables.vaccinations.at(record("1"))["person_id"] == A


def test_two_stations_that_merged_each_way_merge_nobody_until_a_person_chooses() -> None:
    tables = apply_all([Writer("d").change(draft_merge(A, B)), Writer("e").change(draft_merge(B, A))])
    assert (effective_patient(tables, A), effective_patient(tables, B)) == (A, B)

    [decision] = tables.decisions.documents()
    apply_all([Writer("f").change(draft_merge(A, B, decision), number=9)], tables)

    assert effective_patient(tables, A) == B


def test_two_stations_that_merged_the_same_way_do_not_disagree() -> None:
    tables = apply_all([Writer("d").change(draft_merge(A, B)), Writer("e").change(draft_merge(A, B))])

    assert effective_patient(tables, A) == B


def test_not_the_same_person_against_a_merge_is_a_conflict_and_merges_nobody() -> None:
    distinct = Writer("e").change(draft_distinct(Pair.PATIENTS, A, B))
    tables = apply_all([Writer("d").change(draft_merge(A, B)), distinct])

    assert tables.decisions.at(distinct.record_id)["conflict"]
    assert effective_patient(tables, A) == A


def test_a_dose_that_arrives_after_the_merge_is_the_survivors() -> None:
    writer = Writer()
    tables = apply_all([writer.change(draft_merge(A, B)), writer.dose("1", "a")])

    assert tables.vaccinations.find_by("person_id", B) == [tables.vaccinations.at(record("1"))]


def test_a_corrected_dose_stays_the_survivors() -> None:
    writer = Writer()
    first = writer.dose("1", "a")
    tables = apply_all([writer.change(draft_merge(A, B)), first])

    correction = writer.dose("1", "a", ChangeKind.CORRECT_VACCINATION, dose_number="2", bases=(first.change_id,))
    apply_all([correction], tables)

    assert tables.vaccinations.at(record("1"))["person_id"] == B
