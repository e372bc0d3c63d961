from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from store.changes import ChangeDraft, ChangeKind
from store.conflicts import count_open_conflicts, replaced_by_edit
from store.device_database import DeviceDatabase
from store.lots import (
    Lot,
    LotDraft,
    LotStatus,
    LotType,
    check_lot,
    normalise_lot_query,
    parse_lot_number,
    record_id_of_lot,
)
from store.problems import Problem, ProblemCode, Severity
from store.roc_date import format_compact
from store.storage import MemoryFolder
from store.tables import Tables
from tests.factories import LOT_ID, TODAY, make_lot
from tests.store.settling import Writer, apply_all
from tests.worlds import make_world

OTHER_LOT = "5" * 32


@pytest.mark.parametrize(
    ("lot_number", "maker", "lot_type", "county"),
    [
        ("D006A-CDC", "D006A", LotType.CENTRAL, ""),
        ("X123-HPA", "X123", LotType.CENTRAL, ""),
        ("T025257-66-hb", "T025257", LotType.LOCALLY_PURCHASED, "66"),
        ("AMJRE023AA-1", "AMJRE023AA-1", LotType.SELF_PAID, ""),
        ("AMJRE023AA", "AMJRE023AA", LotType.SELF_PAID, ""),
        ("d006a-cdc", "d006a-cdc", LotType.SELF_PAID, ""),
        ("AB-1-CDC", "AB-1", LotType.CENTRAL, ""),
    ],
)
def test_the_suffix_tells_who_paid(lot_number: str, maker: str, lot_type: LotType, county: str) -> None:
    parts = parse_lot_number(lot_number)

    assert (parts.maker_lot_number, parts.lot_type, parts.county_code) == (maker, lot_type, county)


@pytest.mark.parametrize("suffix", ["", "-CDC", "-HPA", "-66-hb"])
def test_an_expiry_written_into_the_number_is_read(suffix: str) -> None:
    parts = parse_lot_number(f"U0B011M_1150826{suffix}")

    assert (parts.maker_lot_number, parts.expiry_date, parts.suffix) == ("U0B011M", date(2026, 8, 26), suffix)


def test_seven_digits_that_are_no_day_belong_to_the_makers_number() -> None:
    parts = parse_lot_number("U0B011M_1151326-CDC")

    assert (parts.maker_lot_number, parts.expiry_date) == ("U0B011M_1151326", None)


@given(
    st.text(),
    st.one_of(
        st.just(""),
        st.dates(min_value=date(1912, 1, 1), max_value=date(2910, 1, 1)).map(lambda d: f"_{format_compact(d)}"),
    ),
    st.sampled_from(["", "-CDC", "-HPA", "-66-hb"]),
)
def test_the_parts_put_together_are_the_lot_number(maker: str, expiry: str, suffix: str) -> None:
    parts = parse_lot_number(maker + expiry + suffix)

    written = f"_{format_compact(parts.expiry_date)}" if parts.expiry_date else ""
    assert parts.maker_lot_number + written + parts.suffix == maker + expiry + suffix


@given(st.text(min_size=1, alphabet=st.characters(codec="utf-8")))
def test_a_lot_number_is_kept_exactly(lot_number: str) -> None:
    lot = make_lot(lot_number=lot_number)

    assert Lot.model_validate_json(lot.model_dump_json()).lot_number == lot_number


def test_the_entered_expiry_counts_before_the_written_one() -> None:
    lot = make_lot(lot_number="X_1150826-CDC", expiry_date=date(2027, 1, 1))

    assert lot.expires_on == date(2027, 1, 1)


def test_the_written_expiry_counts_where_none_was_entered() -> None:
    assert make_lot(lot_number="X_1150826-CDC", expiry_date=None).expires_on == date(2026, 8, 26)


@pytest.mark.parametrize(
    "changes", [{"lot_number": ""}, {"vaccine_code": ""}, {"lot_type": "0"}, {"doses_per_vial": 0}]
)
def test_a_lot_needs_its_number_its_vaccine_and_a_sensible_type(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make_lot(**changes)


def check(lot: LotDraft, *others: Lot) -> list[Problem]:
    return check_lot(lot, others, TODAY)


def codes(lot: LotDraft, *others: Lot) -> list[ProblemCode]:
    return [problem.code for problem in check(lot, *others)]


def test_a_usual_lot_has_no_problem() -> None:
    assert check(make_lot(), make_lot(record_id=OTHER_LOT, lot_number="U0B011M-CDC", vaccine_code="5in1")) == []


def test_an_empty_lot_is_told_all_it_needs_at_once() -> None:
    problems = check(LotDraft())

    assert {p.field for p in problems if p.severity is Severity.ERROR} == {"lot_number", "vaccine_code", "lot_type"}
    assert {p.code for p in problems if p.severity is Severity.WARNING} == {
        ProblemCode.MANUFACTURER_MISSING,
        ProblemCode.EXPIRY_MISSING,
    }


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"manufacturer": ""}, Problem("manufacturer", ProblemCode.MANUFACTURER_MISSING)),
        ({"expiry_date": None}, Problem("expiry_date", ProblemCode.EXPIRY_MISSING)),
        (
            {"expiry_date": date(2026, 11, 22)},
            Problem("expiry_date", ProblemCode.LOT_ALREADY_EXPIRED, {"expiry_date": "2026-11-22"}),
        ),
        (
            {"lot_number": "X1_1160826-CDC"},
            Problem("expiry_date", ProblemCode.EXPIRY_DIFFERS_FROM_NUMBER, {"expiry_date": "2027-08-26"}),
        ),
        ({"lot_number": "X1"}, Problem("lot_type", ProblemCode.LOT_TYPE_DIFFERS, {"lot_type": "2"})),
        ({"lot_number": "X1-66-hb"}, Problem("lot_type", ProblemCode.LOT_TYPE_DIFFERS, {"lot_type": "3"})),
        (
            {"lot_number": "X1-HPA", "lot_type": "2"},
            Problem("lot_type", ProblemCode.LOT_TYPE_DIFFERS, {"lot_type": "1"}),
        ),
        ({"vaccine_code": "NEW"}, Problem("vaccine_code", ProblemCode.VACCINE_UNKNOWN)),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_what_is_odd_about_a_lot_is_a_warning(changes: dict[str, Any], problem: Problem) -> None:
    assert check(make_lot(**changes)) == [problem]
    assert problem.severity is Severity.WARNING


def test_the_last_day_of_use_is_no_expired_lot() -> None:
    assert check(make_lot(expiry_date=TODAY)) == []


def test_an_expiry_written_into_the_number_need_not_be_typed() -> None:
    assert check(make_lot(lot_number="X1_1160826-CDC", expiry_date=None)) == []


def test_the_same_number_of_the_same_vaccine_is_said_to_be_registered() -> None:
    [problem] = check(make_lot(), make_lot(record_id=OTHER_LOT))

    assert (problem.code, problem.facts["record_id"]) == (ProblemCode.LOT_ALREADY_REGISTERED, OTHER_LOT)


def test_the_same_number_of_another_vaccine_is_another_lot_and_said() -> None:
    [problem] = check(make_lot(), make_lot(record_id=OTHER_LOT, vaccine_code="Var"))

    assert (problem.code, problem.facts["vaccine_code"]) == (ProblemCode.LOT_OF_OTHER_VACCINE, "Var")


@pytest.mark.parametrize("spelled", ["amjre075aa-CDC", "ＡMJRE075AA-CDC"])
def test_a_number_that_differs_in_capitals_or_width_only_is_said(spelled: str) -> None:
    [problem] = check(make_lot(), make_lot(record_id=OTHER_LOT, lot_number=spelled))

    assert (problem.code, problem.facts["lot_number"]) == (ProblemCode.LOT_CASE_DIFFERS, spelled)


def test_a_lot_written_by_an_earlier_program_is_in_use() -> None:
    earlier = make_lot().model_dump(mode="json", exclude={"status"})

    assert Lot.model_validate(earlier).status is LotStatus.ACTIVE


def test_a_lot_in_use_is_written_as_an_earlier_program_reads_it() -> None:
    assert "status" not in make_lot().model_dump(mode="json", exclude_defaults=True)


# ---- lots in the tables


def lot_change(writer: Writer, lot: Lot, *bases: str) -> Any:
    payload = lot.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
    return writer.change(ChangeDraft(ChangeKind.REGISTER_LOT, lot.record_id, payload, bases))


def stocked(*lots: Lot) -> Tables:
    return apply_all(lot_change(Writer("a"), lot) for lot in lots)


def found(tables: Tables, typed: str) -> list[str]:
    return [lot["lot_number"] for lot in tables.lots.find_by_typed(typed, 10)]


@pytest.mark.parametrize(
    "typed",
    [
        "U0B011M_1160826-CDC", "U0B011M", "u0b0", "B011", "1160826", "Ｕ０Ｂ０１１Ｍ", " U0B011M ", "JE-CV LiveAtd",
        "JE-CV_Live", "sanofi", "賽諾菲",
    ],
)  # fmt: skip
def test_a_lot_is_found_by_either_number_its_vaccine_and_its_maker(typed: str) -> None:
    wanted = make_lot(
        lot_number="U0B011M_1160826-CDC", vaccine_code="JE-CV_LiveAtd", manufacturer="Sanofi 賽諾菲"
    )
    tables = stocked(make_lot(), wanted.model_copy(update={"record_id": OTHER_LOT}))

    assert found(tables, typed) == ["U0B011M_1160826-CDC"]


def test_the_makers_whole_number_comes_before_numbers_that_only_hold_it() -> None:
    tables = stocked(
        make_lot(record_id=OTHER_LOT, lot_number="1D006A-CDC"), make_lot(lot_number="D006A-CDC", manufacturer="")
    )

    assert found(tables, "D006A") == ["D006A-CDC", "1D006A-CDC"]


@given(st.text(), st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_whatever_stands_in_a_number_does_not_break_the_search_text(typed: str, number: str) -> None:
    assert not set("\0\n _") & set(normalise_lot_query(typed))
    assert len(stocked(make_lot(lot_number=number)).lots) == 1


def test_lots_without_a_maker_are_listed_first_then_those_in_use_by_expiry() -> None:
    lots = [
        make_lot(record_id="a" * 32, lot_number="RECALLED", expiry_date=date(2027, 1, 1), status="recalled"),
        make_lot(record_id="b" * 32, lot_number="LATER", expiry_date=date(2028, 1, 1)),
        make_lot(record_id="c" * 32, lot_number="WRITTEN_1160501", expiry_date=None),
        make_lot(record_id="d" * 32, lot_number="UNKNOWN", expiry_date=None),
        make_lot(record_id="e" * 32, lot_number="NO-MAKER", manufacturer="", expiry_date=date(2029, 1, 1)),
    ]
    tables = stocked(*lots)

    assert found(tables, "  ") == ["NO-MAKER", "WRITTEN_1160501", "LATER", "UNKNOWN", "RECALLED"]
    assert tables.lots.count_by("manufacturer_missing", "missing") == 1


def test_the_makers_already_used_are_known_the_most_frequent_first() -> None:
    writer = Writer("a")
    first = lot_change(writer, make_lot(manufacturer="Typo"))
    tables = apply_all(
        [
            first,
            lot_change(writer, make_lot(manufacturer="MSD"), first.change_id),
            lot_change(writer, make_lot(record_id="7" * 32, manufacturer="GSK")),
            lot_change(writer, make_lot(record_id="8" * 32, manufacturer="GSK")),
            lot_change(writer, make_lot(record_id="9" * 32, manufacturer="")),
        ]
    )

    assert tables.lots.manufacturers() == ["GSK", "MSD"]


def test_the_same_lot_registered_at_two_stations_is_one_lot() -> None:
    lot = make_lot(record_id=record_id_of_lot("MMR", "AMJRE075AA-CDC"))

    tables = apply_all([lot_change(Writer("a"), lot), lot_change(Writer("b"), lot)])

    assert (len(tables.lots), count_open_conflicts(tables)) == (1, 0)
    assert record_id_of_lot("MMR", "amjre075aa-CDC") != lot.record_id != record_id_of_lot("Var", "AMJRE075AA-CDC")


def test_a_lot_edited_at_two_stations_keeps_both_until_someone_settles_it() -> None:
    a, b = Writer("a"), Writer("b")
    first = lot_change(a, make_lot())
    recalled = lot_change(a, make_lot(status=LotStatus.RECALLED), first.change_id)
    renamed = lot_change(b, make_lot(manufacturer="MSD"), first.change_id)
    tables = apply_all([first, recalled, renamed])
    assert count_open_conflicts(tables) == 1

    settled = lot_change(
        a, make_lot(manufacturer="MSD", status=LotStatus.RECALLED), *replaced_by_edit(tables.lots.at(LOT_ID))
    )
    apply_all([settled], tables)

    document = tables.lots.at(LOT_ID)
    assert (document["manufacturer"], document["status"], len(document["revisions"])) == ("MSD", "recalled", 4)
    assert count_open_conflicts(tables) == 0


async def test_lots_of_a_store_from_before_the_search_are_found_and_counted() -> None:
    folder = MemoryFolder()
    device = await DeviceDatabase.open(folder, make_world())
    lots = device.tables.lots
    for index in ("manufacturer", "manufacturer_missing", "folded_number", "listing"):
        del lots.indexes[index]
        lots.counted.pop(index, None)
    lots.text_of = None
    lots.delta = lots._new_delta()
    drafts = [
        ChangeDraft(ChangeKind.REGISTER_LOT, record_id, {**_EARLIER, "lot_number": number, "manufacturer": maker})
        for record_id, number, maker in ((LOT_ID, "D006A-CDC", "AstraZeneca"), (OTHER_LOT, "DH2437-CDC", ""))
    ]
    await device.commit(drafts, made_by="nurse")
    await device.checkpoint()

    again = await DeviceDatabase.open(folder.copy(), make_world())

    assert found(again.tables, "d006a") == ["D006A-CDC"]
    assert found(again.tables, "") == ["DH2437-CDC", "D006A-CDC"]
    assert again.tables.lots.count_by("manufacturer_missing", "missing") == 1
    assert again.tables.lots.manufacturers() == ["AstraZeneca"]


_EARLIER = {"vaccine_code": "MMR", "lot_type": "1"}
