"""The clinic's settings: one record a topic, kept apart until a person chooses, and held by every device."""

from datetime import date
from typing import Any

import pytest

from store.apply import reason_unreadable
from store.changes import ChangeDraft, ChangeKind
from store.clinic_settings import (
    Clinic,
    LotOfTheDay,
    Setting,
    StaffMember,
    VaccinesInUse,
    clinic_of,
    draft_setting,
    lot_key,
    lot_of_the_day,
    make_setting,
    staff_members,
    vaccines_in_use,
)
from store.conflicts import conflicting_records, count_open_conflicts, draft_choice
from store.tables import Tables
from tests.store.settling import Writer, apply_all, record

DAY = date(2026, 11, 28)
NOT_A_SETTING: dict[str, tuple[ChangeKind, str, dict[str, Any]]] = {
    "another topic's record": (ChangeKind.SET_CLINIC, VaccinesInUse.id_of(), {}),
    "another vaccine's record": (
        ChangeKind.SET_LOT_OF_THE_DAY,
        LotOfTheDay.id_of(lot_key("Var", DAY)),
        {"vaccine_code": "MMR", "day": "2026-11-28"},
    ),
    "no id": (ChangeKind.REGISTER_STAFF_MEMBER, StaffMember.id_of(""), {"name": "王護理師"}),
    "a name without end": (ChangeKind.SET_CLINIC, Clinic.id_of(), {"clinic_name": "長" * 101}),
}  # fmt: skip


def lot(lot_number: str, day: date = DAY) -> LotOfTheDay:
    return make_setting(LotOfTheDay, lot_key("MMR", day), vaccine_code="MMR", day=day, lot_number=lot_number)


def test_what_nobody_set_is_as_if_there_were_no_settings() -> None:
    tables = Tables()

    assert clinic_of(tables).influenza
    assert (clinic_of(tables).institution_code, vaccines_in_use(tables)) == ("", ())
    assert (lot_of_the_day(tables, "MMR", DAY), staff_members(tables)) == ("", [])


def test_a_setting_is_read_back_as_it_was_set() -> None:
    clinic = make_setting(Clinic, institution_code="1133060019", clinic_name="頭城診所", influenza=False)
    chosen = make_setting(VaccinesInUse, vaccine_codes=("MMR", "Gone_2019"))
    tables, writer = Tables(), Writer()
    apply_all((writer.change(draft_setting(setting, None)) for setting in (clinic, chosen)), tables)

    assert clinic_of(tables) == clinic
    assert vaccines_in_use(tables) == ("MMR", "Gone_2019")


def test_a_lot_of_the_day_holds_on_its_day_only() -> None:
    tables = apply_all([Writer().change(draft_setting(lot("L1"), None))])

    assert lot_of_the_day(tables, "MMR", DAY) == "L1"
    assert lot_of_the_day(tables, "MMR", date(2026, 11, 29)) == ""
    assert lot_of_the_day(tables, "Var", DAY) == ""


def test_whoever_has_left_comes_last_and_stays() -> None:
    staff = [
        make_setting(StaffMember, "N1", staff_id="N1", name="甲", active=False),
        make_setting(StaffMember, "N3", staff_id="N3", name="丙"),
        make_setting(StaffMember, "N2", staff_id="N2", name="乙"),
    ]
    writer = Writer()
    tables = apply_all(writer.change(draft_setting(one, None)) for one in staff)

    assert [one.staff_id for one in staff_members(tables)] == ["N2", "N3", "N1"]


@pytest.mark.parametrize(
    ("table", "one", "other"),
    [
        ("settings", lot("L1"), lot("L2")),
        ("settings", make_setting(Clinic, clinic_name="甲"), make_setting(Clinic, clinic_name="乙")),
        (
            "staff",
            make_setting(StaffMember, "N1", staff_id="N1", name="甲"),
            make_setting(StaffMember, "N1", staff_id="N1", name="乙"),
        ),
    ],
    ids=["lot of the day", "clinic", "staff"],
)
def test_set_apart_both_stay_until_a_person_chooses(table: str, one: Setting, other: Setting) -> None:
    first, second = Writer("a").change(draft_setting(one, None)), Writer("b").change(draft_setting(other, None))
    tables = apply_all([first, second])

    [(found, document)] = conflicting_records(tables)
    assert (found, count_open_conflicts(tables)) == (table, 1)

    apply_all([Writer("c").change(draft_choice(table, document, first.change_id))], tables)
    assert count_open_conflicts(tables) == 0
    assert tables.table(table).at(one.record_id)["revisions"].keys() >= {first.change_id, second.change_id}


def test_different_topics_set_apart_are_no_conflict() -> None:
    apart = (make_setting(Clinic, clinic_name="甲"), make_setting(VaccinesInUse, vaccine_codes=("MMR",)), lot("L1"))
    writers = (Writer("a"), Writer("b"), Writer("c"))
    tables = apply_all(w.change(draft_setting(s, None)) for w, s in zip(writers, apart, strict=True))

    assert count_open_conflicts(tables) == 0


def test_setting_it_anew_replaces_what_was_shown() -> None:
    tables, writer = Tables(), Writer()
    apply_all([writer.change(draft_setting(lot("L1"), None))], tables)
    before = tables.settings.at(lot("L1").record_id)
    apply_all([writer.change(draft_setting(lot("L2"), before))], tables)

    assert lot_of_the_day(tables, "MMR", DAY) == "L2"
    assert count_open_conflicts(tables) == 0


@pytest.mark.parametrize(("kind", "record_id", "payload"), NOT_A_SETTING.values(), ids=NOT_A_SETTING)
def test_what_is_no_setting_is_kept_as_unreadable(kind: ChangeKind, record_id: str, payload: dict[str, Any]) -> None:
    assert reason_unreadable(Writer().change(ChangeDraft(kind, record_id, payload)))


def test_a_setting_needs_its_own_record() -> None:
    change = Writer().change(ChangeDraft(ChangeKind.SET_CLINIC, record("5"), {}))

    assert reason_unreadable(change) == ": value_error"
