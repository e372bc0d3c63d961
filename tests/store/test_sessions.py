"""Sessions: a list of people for a day, made apart and corrected apart, and nobody vanishes from it."""

from datetime import date

import pytest

from store.apply import apply_change, reason_unreadable
from store.changes import Change, ChangeDraft, ChangeKind
from store.conflicts import conflicting_records, draft_choice
from store.sessions import days_of, people_of, plan_session, record_id_of_session
from store.tables import Tables
from tests.store.settling import Writer, record

DAY = date(2026, 11, 25)


def planned(tables: Tables, *digits: str, name: str = "復興國小") -> ChangeDraft | None:
    before = tables.sessions.find(record_id_of_session(name, DAY))
    return plan_session(name, DAY, map(record, digits), before)


def made(tables: Tables, writer: Writer, *digits: str) -> Change:
    draft = planned(tables, *digits)
    assert draft is not None
    return writer.change(draft)


def test_a_session_is_found_by_its_day() -> None:
    tables = Tables()
    apply_change(tables, made(tables, Writer(), "1", "2"))

    [session] = tables.sessions.find_by("session_date", "2026-11-25")

    assert (session["session_name"], session["patient_ids"]) == ("復興國小", [record("1"), record("2")])


def test_the_same_list_again_changes_nothing() -> None:
    tables = Tables()
    apply_change(tables, made(tables, Writer(), "1", "2"))

    assert planned(tables, "2", "1") is None


def test_more_people_of_the_same_name_and_day_join_the_session_that_is_there() -> None:
    tables, writer = Tables(), Writer()
    apply_change(tables, made(tables, writer, "1", "2"))
    later = made(tables, writer, "2", "3")
    apply_change(tables, later)

    [session] = tables.sessions.documents()
    assert later.kind == ChangeKind.CORRECT_SESSION
    assert session["patient_ids"] == [record("1"), record("2"), record("3")]
    assert not session["conflict"]


def test_lists_made_apart_both_count_until_a_person_has_chosen() -> None:
    tables, empty = Tables(), Tables()
    one, two = made(empty, Writer("a"), "1", "2"), made(empty, Writer("b"), "3")
    for change in (one, two):
        apply_change(tables, change)

    [(table, session)] = conflicting_records(tables)
    assert table == "sessions"
    assert people_of(session) == {record("1"), record("2"), record("3")}

    apply_change(tables, Writer("c").change(draft_choice("sessions", session, one.change_id)))
    assert conflicting_records(tables) == []
    assert tables.sessions.at(session["record_id"])["patient_ids"] == [record("1"), record("2")]


def test_who_was_taken_off_the_list_and_the_day_before_stay_known() -> None:
    tables, writer = Tables(), Writer()
    first = made(tables, writer, "1", "2")
    payload = {"session_name": "復興國小", "session_date": "2026-12-01", "patient_ids": [record("2")]}
    apply_change(tables, first)
    correction = ChangeDraft(ChangeKind.CORRECT_SESSION, first.record_id, payload, (first.change_id,))
    apply_change(tables, writer.change(correction))

    session = tables.sessions.at(first.record_id)
    assert people_of(session) == {record("1"), record("2")}
    assert days_of(session) == {"2026-11-25", "2026-12-01"}


@pytest.mark.parametrize(
    "payload",
    [
        {"session_name": " ", "session_date": "2026-11-25"},
        {"session_name": "x", "session_date": "1900-01-01"},
        {"session_name": "x", "session_date": "2026-11-25", "patient_ids": ["somebody"]},
    ],
    ids=["no name", "no such day", "no record id"],
)
def test_what_is_no_session_is_kept_as_unreadable(payload: dict[str, object]) -> None:
    change = Writer().change(ChangeDraft(ChangeKind.REGISTER_SESSION, record("5"), payload))

    assert reason_unreadable(change)
