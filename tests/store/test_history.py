"""Whom CDC may be asked for, how its rows are read, and which answer stands."""

import itertools
from datetime import UTC, date, datetime
from typing import Any

import pytest

from store.apply import apply_change, reason_unreadable
from store.changes import Change, ChangeKind
from store.history import (
    HistoryReceived,
    HistoryRow,
    RowMark,
    asked_for,
    read_day,
    read_identity,
    replaced_by_next,
    show_history,
)
from store.hub_database import HubDatabase
from store.ids import IdType
from store.problems import ProblemCode
from store.scope import Scope, ScopeFilter
from store.scope_records import records_of_people
from store.storage import MemoryFolder
from store.tables import Tables
from tests.factories import PATIENT_ID, make_patient, make_vaccination
from tests.store.test_checkpoint import no_rest
from tests.store.test_checkpoint import patient as patient_draft
from tests.worlds import make_world

FETCHED = datetime(2026, 11, 25, 2, 20, tzinfo=UTC)


def document(**changes: Any) -> dict[str, Any]:
    return make_patient(**changes).model_dump(mode="json")


def answer(*rows: HistoryRow, **fields: Any) -> HistoryReceived:
    return HistoryReceived(**{"identity": "x", "fetched_at": FETCHED, "rows": list(rows), **fields})


def received(change_id: str, bases: tuple[str, ...] = (), record_id: str = PATIENT_ID) -> Change:
    return Change(
        change_id=change_id,
        device_id="f" * 32,
        device_seq=1,
        record_id=record_id,
        base_revisions=bases,
        kind=ChangeKind.HISTORY_RECEIVED,
        payload=answer(HistoryRow(date_text=change_id)).model_dump(mode="json", exclude_defaults=True),
        made_by="hub",
        made_at=FETCHED,
    )


# ---- whom CDC may be asked for


def test_an_own_id_and_a_birth_date_identify() -> None:
    identity, problems = read_identity(document())
    assert problems == []
    assert identity is not None
    assert (identity.id_type, identity.value, identity.birth_date) == (
        IdType.NATIONAL, "B222419838", date(1985, 11, 8),
    )  # fmt: skip


def test_a_newborn_goes_by_a_parents_id() -> None:
    identity, _ = read_identity(document(national_id=None, id_type=None, parent_national_id="A123456789"))
    assert identity is not None
    assert (identity.id_type, identity.value) == (None, "A123456789")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"national_id": None}, [("national_id", ProblemCode.ID_MISSING)]),
        ({"national_id": "   "}, [("national_id", ProblemCode.ID_MISSING)]),
        ({"national_id": "12345"}, [("national_id", ProblemCode.ID_UNKNOWN_FORM)]),
        ({"national_id": "B222419839"}, [("national_id", ProblemCode.ID_CHECKSUM)]),
        ({"national_id": "B222419839", "parent_national_id": "A123456789"}, [("national_id", ProblemCode.ID_CHECKSUM)]),
        ({"birth_date": None}, [("birth_date", ProblemCode.BIRTH_DATE_MISSING)]),
        (
            {"national_id": None, "parent_national_id": "A12", "birth_date": None},
            [("parent_national_id", ProblemCode.ID_UNKNOWN_FORM), ("birth_date", ProblemCode.BIRTH_DATE_MISSING)],
        ),
    ],
    ids=["none", "blank", "no form", "checksum", "never a parent's for a mistyped own", "no birth date", "newborn"],
)
def test_who_cannot_be_identified_is_not_asked_about(
    changes: dict[str, Any], found: list[tuple[str, ProblemCode]]
) -> None:
    identity, problems = read_identity(document(**changes))
    assert identity is None
    assert [(problem.field, problem.code) for problem in problems] == found
    assert asked_for(document(**changes)) == ""


def test_a_passport_has_no_form_to_fail() -> None:
    identity, _ = read_identity(document(national_id="X1234567", id_type=IdType.PASSPORT))
    assert identity is not None
    assert identity.id_type is IdType.PASSPORT


def test_a_mended_id_or_birth_date_is_another_identity() -> None:
    mended = [{}, {"birth_date": date(1985, 11, 9)}, {"national_id": "A123456789"}]
    assert len({asked_for(document(**changes)) for changes in mended}) == 3


# ---- how rows are read


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-20", date(2026, 11, 20)),
        ("2026-11-20T10:00:00+08:00", date(2026, 11, 20)),
        ("2026-11-19T16:30:00Z", date(2026, 11, 20)),
        ("20261120", date(2026, 11, 20)),
        ("115/11/20", date(2026, 11, 20)),
        ("1151120", date(2026, 11, 20)),
        (" 0115/11/20 ", date(2026, 11, 20)),
        ("999/01/01", None),
        ("9990101", None),
        ("2026-11", None),
        ("2026-02-30", None),
        ("2026-11-20Tx", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("不詳", None),
        ("", None),
    ],
)
def test_a_day_is_read_or_left_alone(text: str, day: date | None) -> None:
    assert read_day(text) == day


def test_rows_are_shown_by_day_and_those_nobody_can_read_last() -> None:
    rows = [HistoryRow(date_text=text) for text in ("999/01/01", "2026-01-02", "115/01/01", "不詳")]
    shown, _ = show_history(answer(*rows), document(), [])
    assert [one.row.date_text for one in shown] == ["115/01/01", "2026-01-02", "999/01/01", "不詳"]


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        ({}, []),
        ({"date_text": "999/01/01"}, [RowMark.DATE_UNREADABLE]),
        ({"date_text": "2026-11-26"}, [RowMark.DATE_IN_FUTURE]),
        ({"date_text": "1985-11-07"}, [RowMark.DATE_BEFORE_BIRTH]),
        ({"vaccine_code": "XNEW"}, [RowMark.VACCINE_UNKNOWN]),
        ({"lot_number": ""}, [RowMark.LOT_MISSING]),
        ({"status": "entered-in-error"}, [RowMark.NOT_COMPLETED]),
        ({"as_came": "{}"}, [RowMark.NOT_A_ROW]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_is_odd_about_a_row_is_marked(changes: dict[str, str], marks: list[RowMark]) -> None:
    fields = {"date_text": "2026-11-20", "vaccine_code": "MMR", "dose_label": "1", "lot_number": "L1", **changes}
    [shown], _ = show_history(answer(HistoryRow(**fields)), document(), [])
    assert list(shown.marks) == marks


def test_our_own_doses_are_marked_once_and_what_cdc_lacks_is_told() -> None:
    same = HistoryRow(date_text="115/11/23", vaccine_code="MMR", dose_label="1", lot_number="L1")
    ours, other = make_vaccination(), make_vaccination(record_id="4" * 32, dose_number="2")
    voided = {**make_vaccination(record_id="5" * 32, dose_number="3").model_dump(mode="json"), "voided": True}
    own = [{**dose.model_dump(mode="json"), "voided": False} for dose in (other, ours)]

    shown, lacking = show_history(answer(same, same), document(), [*own, voided])

    assert [RowMark.OURS in one.marks for one in shown] == [True, False]
    assert [dose["record_id"] for dose in lacking] == ["4" * 32]


# ---- which answer stands


def test_the_answer_asked_for_last_stands_in_whatever_order_and_however_often_they_come() -> None:
    # The second was made while the clock was behind: by the clock it would be the oldest.
    first, second, third = received("5" * 32), received("1" * 32, ("5" * 32,)), received("6" * 32, ("1" * 32, "5" * 32))
    for order in itertools.permutations([first, second, third, first, second]):
        tables = Tables()
        for change in order:
            apply_change(tables, change)
        assert tables.histories.at(PATIENT_ID)["revision"] == "6" * 32


def test_the_clock_going_backwards_hides_no_newer_answer() -> None:
    tables = Tables()
    apply_change(tables, received("5" * 32))
    apply_change(tables, received("1" * 32, replaced_by_next(tables.histories.find(PATIENT_ID))))
    assert tables.histories.at(PATIENT_ID)["rows"][0]["date_text"] == "1" * 32
    assert replaced_by_next(tables.histories.find(PATIENT_ID)) == ("1" * 32, "5" * 32)


def test_a_later_version_may_say_more() -> None:
    change = received("5" * 32)
    more = {**change.payload, "novel": 1, "rows": [{"novel": "x"}]}
    assert reason_unreadable(change.model_copy(update={"payload": more})) is None


# ---- who gets it


async def test_only_who_holds_the_person_gets_the_history() -> None:
    hub = await HubDatabase.open(MemoryFolder(), make_world())
    await hub.commit([patient_draft(1), patient_draft(2)], "nurse")
    one, other = f"{1:032x}", f"{2:032x}"

    wanted = ScopeFilter(hub.tables, Scope(patient_ids=(one,)))

    assert wanted.lets_through(received("5" * 32, record_id=one))
    assert not wanted.lets_through(received("5" * 32, record_id=other))


async def test_a_person_fetched_brings_the_history_along() -> None:
    hub = await HubDatabase.open(MemoryFolder(), make_world())
    await hub.commit([patient_draft(1), patient_draft(2)], "nurse")
    await hub.accept([received("5" * 32, record_id=f"{1:032x}"), received("6" * 32, record_id=f"{2:032x}")])

    assert list(records_of_people(hub.tables, [f"{1:032x}"])["histories"]) == [f"{1:032x}"]


@pytest.mark.parametrize("scope", [None, Scope(patient_ids=(f"{1:032x}",))], ids=["everyone", "chosen"])
async def test_a_snapshot_holds_the_histories_of_whom_it_holds(scope: Scope | None) -> None:
    hub = await HubDatabase.open(MemoryFolder(), make_world())
    hub.rest = no_rest
    await hub.commit([patient_draft(1), patient_draft(2)], "nurse")
    await hub.accept([received(f"{n:032x}", record_id=f"{n:032x}") for n in (1, 2)])

    facts = await hub.write_snapshot(await MemoryFolder().open("snapshot"), scope)

    assert facts["counts"]["histories"]["total"] == (2 if scope is None else 1)


async def test_a_store_last_written_before_there_were_histories_still_gives_a_snapshot() -> None:
    hub = await HubDatabase.open(MemoryFolder(), make_world())
    hub.rest = no_rest
    await hub.commit([patient_draft(1)], "nurse")
    await hub.checkpoint()
    del hub._manifest.state["counts"]["histories"]

    facts = await hub.write_snapshot(await MemoryFolder().open("snapshot"))

    assert "histories" not in facts["counts"]
