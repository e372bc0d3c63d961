"""The pairs that wait for a person: opened by what is recorded, closed by what is decided."""

import pytest

from store.changes import Change, ChangeDraft, ChangeKind
from store.decisions import Pair, draft_distinct, draft_merge, draft_withdrawal
from store.duplicates import CROWD, Likeness
from store.pairs import count_open_pairs, find_likely_patients, same_doses
from store.tables import Tables
from tests.store.settling import PERSON, Writer, apply_all, open_ids, record


@pytest.fixture
def writer() -> Writer:
    return Writer()


class TestDoses:
    """One dose recorded as two records."""

    def test_the_same_dose_of_two_stations_is_listed_and_both_stay(self, writer: Writer) -> None:
        tables = apply_all([writer.dose("1", "a"), writer.dose("2", "a")])

        assert open_ids(tables, Pair.DOSES) == {"12"}
        assert [len(same_doses(tables, dose)) for dose in tables.vaccinations.documents()] == [1, 1]
        assert not any(dose["voided"] for dose in tables.vaccinations.documents())

    def test_another_dose_is_not_listed(self, writer: Writer) -> None:
        tables = apply_all([writer.dose("1", "a"), writer.dose("2", "a", dose_number="2"), writer.dose("3", "b")])

        assert open_ids(tables, Pair.DOSES) == set()

    def test_three_records_of_one_dose_are_three_pairs(self, writer: Writer) -> None:
        tables = apply_all([writer.dose("1", "a"), writer.dose("2", "a"), writer.dose("3", "a")])

        assert open_ids(tables, Pair.DOSES) == {"12", "13", "23"}

    def test_voiding_one_settles_it(self, writer: Writer) -> None:
        first = writer.dose("1", "a")
        tables = apply_all([first, writer.dose("2", "a"), writer.void("1", first.change_id)])

        assert open_ids(tables, Pair.DOSES) == set()
        assert count_open_pairs(tables) == 0

    def test_correcting_one_to_another_dose_settles_it(self, writer: Writer) -> None:
        first = writer.dose("1", "a")
        correction = writer.dose("1", "a", ChangeKind.CORRECT_VACCINATION, dose_number="2", bases=(first.change_id,))
        tables = apply_all([first, writer.dose("2", "a"), correction])

        assert open_ids(tables, Pair.DOSES) == set()

    def test_both_real_takes_the_pair_off_the_list_and_says_who_and_when(self, writer: Writer) -> None:
        tables = apply_all([writer.dose("1", "a"), writer.dose("2", "a")])
        apply_all([writer.change(draft_distinct(Pair.DOSES, record("1"), record("2")))], tables)

        assert open_ids(tables, Pair.DOSES) == set()
        assert same_doses(tables, tables.vaccinations.at(record("1"))) == []
        [decision] = tables.decisions.documents()
        assert (decision["made_by"], decision["made_at"]) == ("nurse", "2026-11-20T02:00:03+00:00")

    def test_both_real_of_one_pair_leaves_a_third_record_listed(self, writer: Writer) -> None:
        tables = apply_all([writer.dose("1", "a"), writer.dose("2", "a"), writer.dose("3", "a")])
        apply_all([writer.change(draft_distinct(Pair.DOSES, record("1"), record("2")))], tables)

        assert open_ids(tables, Pair.DOSES) == {"13", "23"}

    def test_both_real_taken_back_is_listed_again(self, writer: Writer) -> None:
        tables = apply_all([writer.dose("1", "a"), writer.dose("2", "a")])
        apply_all([writer.change(draft_distinct(Pair.DOSES, record("1"), record("2")))], tables)
        apply_all([writer.change(draft_withdrawal(next(tables.decisions.documents())))], tables)

        assert open_ids(tables, Pair.DOSES) == {"12"}

    def test_a_merge_shows_that_both_charts_hold_the_same_dose(self, writer: Writer) -> None:
        tables = apply_all([writer.dose("1", "a"), writer.dose("2", "b")])
        assert open_ids(tables, Pair.DOSES) == set()

        apply_all([writer.change(draft_merge(record("a"), record("b")))], tables)

        assert open_ids(tables, Pair.DOSES) == {"12"}

    def test_undoing_the_merge_takes_the_dose_off_the_list_again(self, writer: Writer) -> None:
        merge = writer.change(draft_merge(record("a"), record("b")))
        tables = apply_all([writer.dose("1", "a"), writer.dose("2", "b"), merge])

        apply_all([writer.change(draft_withdrawal(tables.decisions.at(merge.record_id)))], tables)

        assert open_ids(tables, Pair.DOSES) == set()


class TestPatients:
    """One person registered twice."""

    def test_a_likely_duplicate_is_listed_with_its_reasons(self, writer: Writer) -> None:
        tables = apply_all([writer.patient("a"), writer.patient("b", name="陳曉明")])

        [pair] = tables.pairs.documents()
        assert pair["reasons"] == [Likeness.NATIONAL_ID, Likeness.PHONE_BIRTH]

    def test_a_correction_that_makes_them_differ_takes_them_off_the_list(self, writer: Writer) -> None:
        tables = apply_all([writer.patient("a"), first := writer.patient("b")])
        assert open_ids(tables, Pair.PATIENTS) == {"ab"}
        payload = {"chart_number": "b", "name": "王大同", "birth_date": "1999-01-01"}

        apply_all([first.model_copy(update=_correction(first, payload))], tables)

        assert open_ids(tables, Pair.PATIENTS) == set()

    def test_twins_are_not_listed(self, writer: Writer) -> None:
        twin = {"parent_national_id": "B222419838", "national_id": None}
        tables = apply_all([writer.patient("a", birth_order=1, **twin), writer.patient("b", birth_order=2, **twin)])

        assert open_ids(tables, Pair.PATIENTS) == set()

    def test_a_merge_takes_the_pair_off_the_list(self, writer: Writer) -> None:
        tables = apply_all([writer.patient("a"), writer.patient("b")])
        apply_all([writer.change(draft_merge(record("a"), record("b")))], tables)

        assert open_ids(tables, Pair.PATIENTS) == set()

    def test_an_undone_merge_is_listed_again(self, writer: Writer) -> None:
        tables = apply_all([writer.patient("a"), writer.patient("b")])
        apply_all([writer.change(draft_merge(record("a"), record("b")))], tables)
        apply_all([writer.change(draft_withdrawal(next(tables.decisions.documents())))], tables)

        assert open_ids(tables, Pair.PATIENTS) == {"ab"}

    def test_not_the_same_person_takes_the_pair_off_the_list(self, writer: Writer) -> None:
        tables = apply_all([writer.patient("a"), writer.patient("b")])
        apply_all([writer.change(draft_distinct(Pair.PATIENTS, record("a"), record("b")))], tables)

        assert open_ids(tables, Pair.PATIENTS) == set()

    def test_two_charts_merged_into_a_third_need_no_merge_of_their_own(self, writer: Writer) -> None:
        tables = apply_all([writer.patient(digit) for digit in "abc"])
        apply_all([writer.change(draft_merge(record(gone), record("c"))) for gone in "ab"], tables)

        assert open_ids(tables, Pair.PATIENTS) == set()

    def test_said_to_be_two_and_merged_by_way_of_a_third_is_listed(self, writer: Writer) -> None:
        tables = apply_all([writer.patient(digit) for digit in "abc"])
        apply_all([writer.change(draft_distinct(Pair.PATIENTS, record("a"), record("b")))], tables)
        apply_all([writer.change(draft_merge(record(gone), record("c"))) for gone in "ab"], tables)

        assert open_ids(tables, Pair.PATIENTS) == {"ab"}

    def test_a_merge_that_a_later_one_overruled_is_listed(self, writer: Writer) -> None:
        tables = apply_all([writer.change(draft_merge(record("a"), record(into))) for into in "bc"])

        assert open_ids(tables, Pair.PATIENTS) == {"ab"}

    def test_stations_that_decided_apart_are_listed_whatever_the_persons_look_like(self, writer: Writer) -> None:
        distinct = Writer("e").change(draft_distinct(Pair.PATIENTS, record("a"), record("b")))
        tables = apply_all([writer.change(draft_merge(record("a"), record("b"))), distinct])

        assert open_ids(tables, Pair.PATIENTS) == {"ab"}

    def test_an_id_that_a_crowd_shares_lists_nobody_and_leaving_the_crowd_lists_the_rest(self, writer: Writer) -> None:
        crowd = [
            writer.change(_numbered(number, national_id="A100000001", name=f"人{number}", phone=None))
            for number in range(CROWD + 1)
        ]
        tables = apply_all(crowd)
        assert count_open_pairs(tables) == 0

        payload = {**crowd[0].payload, "national_id": "B222419838"}
        apply_all([crowd[0].model_copy(update=_correction(crowd[0], payload))], tables)

        assert count_open_pairs(tables) == CROWD * (CROWD - 1) // 2


class TestSearchBeforeCreate:
    """Who is there already, asked before somebody is registered."""

    def test_a_draft_finds_its_likely_matches_best_first(self, writer: Writer) -> None:
        tables = apply_all([writer.patient("a", national_id=None), writer.patient("b", name="陳大明"), _other(writer)])

        found = find_likely_patients(tables, PERSON)

        assert [(patient["record_id"][0], reasons[0]) for patient, reasons in found] == [
            ("b", Likeness.NATIONAL_ID),
            ("a", Likeness.NAME_BIRTH),
        ]

    def test_nobody_like_the_draft_finds_nobody(self, writer: Writer) -> None:
        assert find_likely_patients(apply_all([_other(writer)]), PERSON) == []

    def test_a_person_is_not_found_as_a_match_of_itself(self, writer: Writer) -> None:
        tables = apply_all([writer.patient("a")])

        assert find_likely_patients(tables, tables.patients.at(record("a"))) == []


def test_looking_for_pairs_reads_only_the_records_of_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, tables = Writer(), Tables()
    for number in range(300):
        apply_all([writer.change(_numbered(number, name=f"人{number}", national_id=None, phone=None))], tables)
    read: list[int] = []
    find_by = type(tables.patients).find_by

    def counting(self: object, index: str, key: str) -> list[object]:
        found = find_by(self, index, key)  # type: ignore[arg-type]
        read.append(len(found))
        return found  # type: ignore[return-value]

    monkeypatch.setattr(type(tables.patients), "find_by", counting)
    monkeypatch.setattr(type(tables.patients), "documents", None)
    apply_all([writer.patient("a"), writer.patient("b")], tables)

    assert open_ids(tables, Pair.PATIENTS) == {"ab"}
    assert sum(read) < 30


def _other(writer: Writer) -> Change:
    return writer.patient("c", name="王大同", birth_date="1999-01-01", national_id="C123456789", phone="0900000000")


def _numbered(number: int, **fields: object) -> ChangeDraft:
    payload = {**PERSON, "chart_number": str(number), **fields}
    payload = {name: value for name, value in payload.items() if value is not None}
    return ChangeDraft(ChangeKind.REGISTER_PATIENT, f"{number:032x}", payload)


def _correction(first: Change, payload: dict[str, object]) -> dict[str, object]:
    return {
        "change_id": "f" * 32,
        "kind": "correct_patient",
        "base_revisions": (first.change_id,),
        "payload": payload,
    }
