"""The queue's decisions, one table or property each."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.uploads import UploadMethod, next_method, upload_state
from sync.upload_queue import (
    LONGEST_RETRY_AFTER_SECONDS,
    LONGEST_WAIT,
    MAX_UNKNOWN_FATES,
    OVERDUE_PAUSE_SECONDS,
    Action,
    Pause,
    Step,
    becomes_overdue,
    longer,
    may_send_again,
    new_batch_id,
    next_step,
    open_rows,
    select_rows,
    slower,
    time_by_rate,
    time_to_upload,
)
from tests.sync.cdc_stand import make_settings

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SOON, LATER = NOW + timedelta(seconds=30), NOW + timedelta(seconds=90)
NEVER = NOW + timedelta(days=9)
FAILING = Pause(2, LATER)
SETTINGS = replace(make_settings("http://127.0.0.1"), retry_base_seconds=5.0, retry_cap_seconds=900.0)


def batch(state: str, due_at: datetime | None = None, rows: Iterable[str] = ()) -> dict[str, Any]:
    return {
        "upload_batch_id": "B",
        "state": state,
        "due_at": due_at.isoformat() if due_at else None,
        "rows": [{"record_id": record_id} for record_id in rows],
    }


def vaccination(
    record_id: str = "a", *, patient: str = "p", age: int = 0, group: str = "", **changes: Any
) -> dict[str, Any]:
    document = {
        "record_id": record_id,
        "revision": f"{record_id}1",
        "person_id": patient,
        "made_at": (NOW - timedelta(minutes=age)).isoformat(),
        "voided": False,
        "cdc_has": False,
        "upload": None,
        "upload_group": group,
    }
    return document | changes


def upload(state: str, revision: str = "a1", batch_id: str = "B") -> dict[str, Any]:
    return {"state": state, "revision": revision, "upload_batch_id": batch_id, "message": None}


def chosen(*waiting: dict[str, Any], limit: int = 500, known: str = "pqr") -> list[str]:
    return [row.record_id for row in select_rows(waiting, lambda patient: patient in known, limit)]


@pytest.mark.parametrize(
    ("state", "due_at", "pause", "never_seen", "link", "step"),
    [
        ("closed", None, None, False, None, Step(Action.DONE)),
        ("refused", None, None, False, None, Step(Action.DONE)),
        ("sent", None, None, False, None, Step(Action.ASK)),
        ("sent", None, SOON, False, None, Step(Action.WAIT, SOON)),
        ("sent", None, None, False, SOON, Step(Action.WAIT, SOON)),
        ("sent", None, SOON, False, LATER, Step(Action.WAIT, LATER)),
        ("sent", None, None, True, None, Step(Action.SEND_AGAIN)),
        ("sent", None, SOON, True, None, Step(Action.WAIT, SOON)),
        ("sent", None, None, True, SOON, Step(Action.WAIT, SOON)),
        ("accepted", SOON, None, False, None, Step(Action.WAIT, SOON)),
        ("accepted", NOW, None, False, None, Step(Action.ASK)),
        ("accepted", SOON, LATER, False, None, Step(Action.WAIT, LATER)),
        ("accepted", None, None, False, None, Step(Action.ASK)),
        ("accepted", SOON, None, True, None, Step(Action.SEND_AGAIN)),
        ("accepted", NEVER, None, False, None, Step(Action.ASK)),
        ("sent", None, NEVER, False, NEVER, Step(Action.ASK)),
    ],
    ids=[
        "closed",
        "refused",
        "fate unknown",
        "own pause",
        "pause of the line",
        "the longer pause",
        "never seen",
        "never seen, own pause",
        "never seen, pause of the line",
        "not due",
        "due",
        "due but paused",
        "no due time known",
        "forgotten by CDC",
        "due time of a clock since put back",
        "pauses of a clock since put back",
    ],
)
def test_next_step(
    state: str, due_at: datetime | None, pause: datetime | None, never_seen: bool, link: datetime | None, step: Step
) -> None:
    assert next_step(batch(state, due_at), Pause(until=pause), never_seen, Pause(until=link), NOW) == step


@given(
    st.sampled_from(["sent", "accepted"]),
    st.none() | st.timedeltas(timedelta(-1), timedelta(1)),
    st.none() | st.timedeltas(timedelta(-1), timedelta(1)),
    st.none() | st.timedeltas(timedelta(-1), timedelta(1)),
)
def test_a_batch_is_sent_again_only_after_never_seen(
    state: str, due: timedelta | None, pause: timedelta | None, link: timedelta | None
) -> None:
    times = [None if span is None else NOW + span for span in (due, pause, link)]
    step = next_step(batch(state, times[0]), Pause(until=times[1]), False, Pause(until=times[2]), NOW)
    assert step.action in (Action.ASK, Action.WAIT)
    assert step.action is Action.ASK or (step.at is not None and step.at > NOW)


def test_rows_go_oldest_first_and_by_person() -> None:
    waiting = [
        vaccination("a", patient="p", age=1),
        vaccination("b", patient="q", age=3),
        vaccination("c", patient="p", age=5),
        vaccination("d", patient="q", age=2),
    ]
    assert chosen(*waiting) == ["c", "a", "b", "d"]


def test_a_person_who_no_longer_fits_waits_whole() -> None:
    waiting = [
        vaccination("a", patient="p", age=9),
        vaccination("b", patient="q", age=8),
        vaccination("c", patient="q", age=7),
    ]
    assert chosen(*waiting, limit=2) == ["a"]


def test_one_person_with_more_rows_than_a_batch_holds_is_cut() -> None:
    assert chosen(*(vaccination(i, age=9 - int(i)) for i in "123"), limit=2) == ["1", "2"]


def test_age_is_a_moment_whatever_its_time_zone() -> None:
    waiting = [
        vaccination("a", patient="p", made_at="2026-11-23T12:00:00+08:00"),
        vaccination("b", patient="q", made_at="2026-11-23T03:59:00+00:00"),
    ]
    assert chosen(*waiting) == ["b", "a"]


def test_a_record_of_an_unknown_person_waits() -> None:
    assert chosen(vaccination("a", patient="stranger", age=9), vaccination("b")) == ["b"]


def test_a_void_names_nobody_and_waits_for_nobody() -> None:
    row = select_rows([vaccination(voided=True, cdc_has=True)], lambda _: False, 500)
    assert [r.method for r in row] == [UploadMethod.DELETE]


def test_a_half_of_a_refused_batch_goes_alone() -> None:
    waiting = [
        vaccination("a", patient="p", age=9, group="B/a"),
        vaccination("b", patient="p", age=8, group="B/b"),
        vaccination("c", patient="q", age=7),
        vaccination("d", patient="r", age=6, group="B/a"),
    ]
    assert chosen(*waiting) == ["a", "d"]
    assert chosen(*waiting[1:3]) == ["b"]
    assert chosen(waiting[2]) == ["c"]


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        ({}, "POST"),
        ({"cdc_has": True}, "PUT"),
        ({"voided": True, "cdc_has": True}, "DELETE"),
        ({"voided": True}, None),
        ({"upload": upload("sent")}, None),
        ({"upload": upload("accepted", "a0"), "cdc_has": True}, None),
        ({"upload": upload("sent", "a0"), "voided": True, "cdc_has": True}, None),
        ({"upload": upload("verified", "a0"), "cdc_has": True}, "PUT"),
        ({"upload": upload("verified")}, None),
        ({"upload": upload("refused")}, None),
        ({"upload": upload("refused", "a0")}, "POST"),
    ],
    ids=[
        "new",
        "corrected",
        "voided",
        "voided before CDC had it",
        "in flight",
        "corrected during upload",
        "voided during upload",
        "corrected after verification",
        "verified",
        "refused",
        "corrected after refusal",
    ],
)
def test_what_is_asked_of_cdc(changes: dict[str, Any], method: str | None) -> None:
    rows = select_rows([vaccination(**changes)], lambda _: True, 500)
    assert [str(row.method) for row in rows] == ([] if method is None else [method])


_documents = st.builds(
    vaccination,
    patient=st.sampled_from("pqr"),
    age=st.integers(0, 5),
    group=st.sampled_from(["", "B/a", "B/b"]),
    voided=st.booleans(),
    cdc_has=st.booleans(),
    upload=st.none() | st.builds(upload, st.sampled_from(["sent", "accepted", "verified", "refused"])),
)


@given(st.lists(_documents, max_size=12), st.integers(1, 6))
def test_whatever_waits_a_selection_is_sendable_bounded_and_of_one_group(found: list[Any], limit: int) -> None:
    waiting = [{**document, "record_id": f"{number:02d}"} for number, document in enumerate(found)]
    by_id = {document["record_id"]: document for document in waiting}

    rows = select_rows(waiting, lambda patient: patient != "r", limit)

    sendable = [
        d for d in waiting if next_method(d) is not None and (d["person_id"] != "r" or next_method(d) == "DELETE")
    ]
    assert bool(rows) == bool(sendable)
    assert len(rows) <= limit
    assert len({row.record_id for row in rows}) == len(rows)
    assert len({by_id[row.record_id]["upload_group"] for row in rows}) <= 1
    for row in rows:
        assert row.method == next_method(by_id[row.record_id])
        assert upload_state(by_id[row.record_id]) == "not_sent"
    persons = [by_id[row.record_id]["person_id"] for row in rows]
    assert len([p for n, p in enumerate(persons) if n == 0 or persons[n - 1] != p]) == len(set(persons))


@pytest.mark.parametrize(
    ("rows", "gather", "unknown", "link", "at"),
    [
        (1, NOW, 0, None, NOW),
        (1, SOON, 0, None, SOON),
        (500, SOON, 0, None, NOW),
        (500, SOON, 0, LATER, LATER),
        (1, SOON, 0, LATER, LATER),
        (1, NEVER, 0, NEVER, NOW),
        (1, NOW, MAX_UNKNOWN_FATES, None, None),
        (500, SOON, 0, FAILING, LATER),
        (500, SOON, 1, FAILING, None),
    ],
    ids=["now", "gathering", "full", "full but paused", "both", "clock put back", "too many fates unknown",
        "nothing gets through", "nothing gets through and one fate unknown"],
)
def test_when_waiting_rows_go(
    rows: int, gather: datetime, unknown: int, link: datetime | Pause | None, at: datetime | None
) -> None:
    pause = link if isinstance(link, Pause) else Pause(until=link)
    assert time_to_upload(rows, gather, unknown, pause, SETTINGS, NOW) == at


DAY = timedelta(hours=24)


@pytest.mark.parametrize(
    ("ago", "changes", "was_asked", "expected"),
    [
        (DAY, {}, True, True),
        (DAY - timedelta(seconds=1), {}, True, False),
        (DAY, {}, False, False),
        (DAY, {"overdue_at": NOW.isoformat()}, True, False),
        (DAY, {"state": "closed"}, True, False),
        (DAY, {"message": {"code": "I00000"}, "accepted_at": SOON.isoformat()}, True, False),
        (2 * DAY, {"message": {"code": "I00000"}, "accepted_at": (NOW - DAY).isoformat()}, True, True),
        (DAY, {"message": None, "accepted_at": NOW.isoformat()}, True, True),
        (-2 * DAY, {}, True, False),
    ],
    ids=[
        "a day", "nearly a day", "not asked yet", "already", "closed", "accepted just now", "accepted a day ago",
        "learned by asking that CDC has it", "clock put back",
    ],
)  # fmt: skip
def test_when_a_batch_becomes_overdue(ago: timedelta, changes: dict[str, Any], was_asked: bool, expected: bool) -> None:
    sent = {"sent_at": (NOW - ago).isoformat(), "accepted_at": None, "message": None}
    assert becomes_overdue({**batch("accepted"), **sent, **changes}, was_asked, NOW) is expected


@given(st.floats(0, 1), st.none() | st.timedeltas(timedelta(0), timedelta(hours=2)))
def test_an_overdue_batch_is_asked_about_seldom(chance: float, own: timedelta | None) -> None:
    pause = slower(Pause(3, None if own is None else NOW + own), NOW, chance)
    assert pause.until is not None
    assert timedelta(seconds=OVERDUE_PAUSE_SECONDS / 2) <= pause.until - NOW <= LONGEST_WAIT


@given(st.lists(st.integers(0, 300), max_size=40).map(sorted), st.integers(1, 30))
def test_no_minute_holds_more_batches_than_the_rate_allows(wishes: list[int], per_minute: int) -> None:
    left: list[datetime] = []
    for wish in wishes:
        at = NOW + timedelta(seconds=wish)
        left.append(max([at, *left[-1:], *filter(None, [time_by_rate(left, per_minute)])]))
    assert all(b - a >= timedelta(minutes=1) for a, b in zip(left, left[per_minute:], strict=False))


@given(st.integers(0, 2000), st.floats(0, 1))
def test_pauses_double_up_to_the_cap_with_half_left_to_chance(failures: int, chance: float) -> None:
    pause = longer(Pause(failures), NOW, SETTINGS, chance)
    assert pause.until is not None
    seconds = (pause.until - NOW).total_seconds()
    full = min(900.0, 5.0 * 2 ** min(failures, 20))
    assert full / 2 - 1e-6 <= seconds <= full + 1e-6
    assert (pause.failures, pause.ordered) == (failures + 1, False)


@given(st.floats(0, 1e9), st.floats(0, 1))
def test_the_time_cdc_names_is_never_shortened_up_to_an_hour(retry_after: float, chance: float) -> None:
    pause = longer(Pause(), NOW, SETTINGS, chance, retry_after)
    assert pause.until is not None
    assert pause.ordered
    assert (pause.until - NOW).total_seconds() >= min(retry_after, LONGEST_RETRY_AFTER_SECONDS) - 1e-6


def test_staffs_tap_ends_our_own_pauses_and_none_of_cdcs() -> None:
    assert Pause(3, SOON).after_tap() == Pause(3, None)
    assert Pause(3, SOON, ordered=True).after_tap() == Pause(3, SOON, ordered=True)


def test_open_rows_are_those_still_standing_in_the_batch_without_a_verdict() -> None:
    found = {
        "a": vaccination(upload=upload("sent")),
        "b": vaccination(upload=upload("accepted")),
        "c": vaccination(upload=upload("verified")),
        "d": vaccination(upload=upload("sent", batch_id="other")),
        "e": vaccination(),
    }
    whole = batch("accepted", rows="abcdef")
    assert open_rows(whole, found.get) == ["a", "b"]
    assert not may_send_again(whole, ["a", "b"])
    assert may_send_again(batch("sent", rows="ab"), ["a", "b"])


def test_a_batch_identifier_tells_institution_and_time_and_fits() -> None:
    name = new_batch_id("1133060019", NOW, b"\x9f\x3a", lambda _: False)
    assert name == "1133060019-20261123-120000-9f3a"
    assert len(name) <= 40


def test_a_batch_identifier_already_used_is_not_given_again() -> None:
    taken = {"1133060019-20261123-120000-ffff", "1133060019-20261123-120000-0000"}
    name = new_batch_id("1133060019", NOW, b"\xff\xff", taken.__contains__)
    assert name == "1133060019-20261123-120000-0001"
