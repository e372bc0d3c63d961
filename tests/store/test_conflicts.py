"""What waits for a person, counted, and settled by choosing a version."""

from store.changes import Change, ChangeKind
from store.conflicts import competing_revisions, conflicting_records, count_open_conflicts, draft_choice
from store.tables import Tables
from tests.store.settling import Writer, apply_all, record


def corrected_apart(writer: Writer, *lots: str) -> list[Change]:
    first = writer.dose("1", "a")
    kind = ChangeKind.CORRECT_VACCINATION
    return [first, *(writer.dose("1", "a", kind, lot_number=lot, bases=(first.change_id,)) for lot in lots)]


def choose(writer: Writer, tables: Tables, revision: str) -> Change:
    return writer.change(draft_choice("vaccinations", tables.vaccinations.at(record("1")), revision))


def test_every_kind_of_conflict_is_counted() -> None:
    writer = Writer()
    changes = [*corrected_apart(writer, "ONE", "TWO"), writer.dose("2", "a"), writer.patient("a"), writer.patient("b")]
    tables = apply_all(changes)

    assert [table for table, _ in conflicting_records(tables)] == ["vaccinations"]
    assert count_open_conflicts(tables) == 3


def test_choosing_any_version_settles_it_and_keeps_the_others_readable() -> None:
    for place, lot in enumerate(("ONE", "TWO", "THREE")):
        writer = Writer()
        tables = apply_all(corrected_apart(writer, "ONE", "TWO", "THREE"))
        revisions = competing_revisions(tables.vaccinations.at(record("1")))

        apply_all([choose(writer, tables, revisions[place])], tables)

        document = tables.vaccinations.at(record("1"))
        assert (document["lot_number"], document["conflict"], len(document["revisions"])) == (lot, [], 5)


def test_choosing_the_void_voids_with_its_reason() -> None:
    writer = Writer()
    changes = corrected_apart(writer, "ONE")
    void = writer.void("1", changes[0].change_id)
    tables = apply_all([*changes, void])

    apply_all([choose(writer, tables, void.change_id)], tables)

    document = tables.vaccinations.at(record("1"))
    assert (document["voided"], document["void_reason"], document["conflict"]) == (True, "重複", [])


def test_choosing_the_correction_over_a_void_lets_the_dose_stand() -> None:
    writer = Writer()
    changes = corrected_apart(writer, "ONE")
    tables = apply_all([*changes, writer.void("1", changes[0].change_id)])

    apply_all([choose(writer, tables, changes[1].change_id)], tables)

    document = tables.vaccinations.at(record("1"))
    assert (document["voided"], document["lot_number"], document["conflict"]) == (False, "ONE", [])


def test_two_stations_that_choose_differently_are_in_conflict_again() -> None:
    writer, other = Writer("d"), Writer("e")
    tables = apply_all(corrected_apart(writer, "ONE", "TWO"))
    document = tables.vaccinations.at(record("1"))
    one, two = competing_revisions(document)

    choices = [
        writer.change(draft_choice("vaccinations", document, one), 8),
        other.change(draft_choice("vaccinations", document, two), 9),
    ]
    apply_all(choices, tables)

    assert tables.vaccinations.at(record("1"))["conflict"] == [choices[0].change_id]


def test_a_correction_the_chooser_had_not_seen_is_not_overwritten() -> None:
    writer = Writer()
    tables = apply_all(changes := corrected_apart(writer, "ONE", "TWO"))
    choice = choose(writer, tables, changes[1].change_id)
    late = writer.dose("1", "a", ChangeKind.CORRECT_VACCINATION, lot_number="LATE", bases=(changes[0].change_id,))

    apply_all([late, choice], tables)

    assert len(tables.vaccinations.at(record("1"))["conflict"]) == 1
