"""Applying: the same set of changes gives the same tables in any order, however often each comes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from store.changes import Change, ChangeDraft, ChangeKind
from store.decisions import Pair, draft_distinct, draft_merge
from tests.store.settling import PERSON, Writer, apply_all, record, shown

_PERSONS, _DOSES, _EXAMS, _STATIONS = "abcd", "1234", "67", "de"


_DECISIONS = ("merge", "distinct", "withdraw")
_ALL = ("patient", "dose", "void", "exam", "void exam", "distinct doses", *_DECISIONS)


@st.composite
def honest_changes(draw: st.DrawFn) -> list[Change]:
    """What a few stations may write of a few records, each change on revisions that are among the changes, or not."""
    return _drawn(draw, [], _ALL, draw(st.integers(2, 14)))


@st.composite
def decisions_on_likely_duplicates(draw: st.DrawFn) -> list[Change]:
    """Four charts of one person with the same dose in each, and stations that merge them criss-cross."""
    writer = Writer()
    made = [writer.patient(digit) for digit in _PERSONS]
    made += [writer.exam(exam, person) for exam, person in zip(_EXAMS, _PERSONS, strict=False)]
    made += [writer.dose(dose, person) for dose, person in zip(_DOSES, _PERSONS, strict=True)]
    return _drawn(draw, made, (*_DECISIONS, "merge", "merge"), draw(st.integers(2, 8)))


def _drawn(draw: st.DrawFn, made: list[Change], kinds: tuple[str, ...], count: int) -> list[Change]:
    for number in range(len(made) + 1, len(made) + count + 1):
        writer = Writer(draw(st.sampled_from(_STATIONS)))
        made.append(writer.change(draw(_draft(made, kinds)), number))
    return made


@st.composite
def _draft(draw: st.DrawFn, made: list[Change], kinds: tuple[str, ...]) -> ChangeDraft:
    what = draw(st.sampled_from(kinds))
    one, other = draw(st.lists(st.sampled_from(_PERSONS), min_size=2, max_size=2, unique=True))
    if what == "patient":
        fields = {
            **PERSON,
            "chart_number": one,
            "name": draw(st.sampled_from(("陳小明", "陳大明"))),
            "national_id": draw(st.sampled_from(("A123456789", "B222419838", None))),
            "birth_order": draw(st.sampled_from((1, 2, None))),
            "parent_national_id": draw(st.sampled_from(("B222419838", None))),
        }
        return _based(draw, made, ChangeKind.REGISTER_PATIENT, record(one), fields)
    if what in ("dose", "void"):
        record_id = record(draw(st.sampled_from(_DOSES)))
        if what == "void":
            return _based(draw, made, ChangeKind.VOID_VACCINATION, record_id, {"reason": "重複"})
        fields = {
            "patient_id": record(one),
            "vaccination_date": "2026-11-20",
            "vaccine_code": "MMR",
            "dose_number": draw(st.sampled_from(("1", "2"))),
            "lot_number": draw(st.sampled_from(("ONE-CDC", "TWO-CDC"))),
            "lot_type": "1",
        }
        return _based(draw, made, ChangeKind.RECORD_VACCINATION, record_id, fields)
    if what in ("exam", "void exam"):
        record_id = record(draw(st.sampled_from(_EXAMS)))
        if what == "void exam":
            return _based(draw, made, ChangeKind.VOID_EXAM, record_id, {"reason": "重複"})
        exam = {"patient_id": record(one), "exam_type": draw(st.sampled_from("123")), "exam_date": "2026-11-20"}
        return _based(draw, made, ChangeKind.RECORD_EXAM, record_id, exam)
    if what == "distinct doses":
        one, other = draw(st.lists(st.sampled_from(_DOSES), min_size=2, max_size=2, unique=True))
        draft = draft_distinct(Pair.DOSES, record(one), record(other))
    elif what == "merge":
        draft = draft_merge(record(one), record(other))
    else:
        draft = draft_distinct(Pair.PATIENTS, record(one), record(other))
    payload = dict(draft.payload)
    kind = draft.kind
    if what == "withdraw":
        kind = ChangeKind.WITHDRAW_DECISION
        payload["withdrawn"] = payload.pop("distinct")
    return _based(draw, made, kind, draft.record_id, payload)


def _based(
    draw: st.DrawFn, made: list[Change], kind: ChangeKind, record_id: str, payload: dict[str, object]
) -> ChangeDraft:
    earlier = [change.change_id for change in made if change.record_id == record_id]
    bases = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=2)) if earlier else []
    return ChangeDraft(kind, record_id, {k: v for k, v in payload.items() if v is not None}, tuple(bases))


@settings(max_examples=300)
@given(honest_changes() | decisions_on_likely_duplicates(), st.data())
def test_any_order_and_any_repetition_of_the_same_changes_give_the_same_tables(
    changes: list[Change], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(changes), max_size=5))
    other = data.draw(st.permutations(changes + again))

    assert shown(apply_all(other)) == shown(apply_all(changes))


@given(honest_changes())
def test_nothing_that_was_recorded_is_lost(changes: list[Change]) -> None:
    tables = apply_all(changes)

    kept = {
        revision
        for table in (tables.patients, tables.vaccinations, tables.exams, tables.decisions)
        for document in table.documents()
        for revision in document["revisions"]
    }
    assert kept == {change.change_id for change in changes}


def test_two_corrections_of_one_revision_both_stay_and_mark_the_record() -> None:
    writer = Writer()
    first = writer.dose("1", "a")
    one = writer.dose("1", "a", ChangeKind.CORRECT_VACCINATION, lot_number="ONE-CDC", bases=(first.change_id,))
    two = writer.dose("1", "a", ChangeKind.CORRECT_VACCINATION, lot_number="TWO-CDC", bases=(first.change_id,))

    tables = apply_all([first, one, two])

    [document] = tables.vaccinations.find_by("conflict", "open")
    assert (document["revision"], document["conflict"]) == (two.change_id, [one.change_id])


def test_a_void_against_a_correction_marks_the_record_and_keeps_both() -> None:
    writer = Writer()
    first = writer.dose("1", "a")
    correction = writer.dose("1", "a", ChangeKind.CORRECT_VACCINATION, lot_number="ONE-CDC", bases=(first.change_id,))
    void = writer.void("1", first.change_id)

    tables = apply_all([first, correction, void])

    [document] = tables.vaccinations.find_by("conflict", "open")
    assert (document["voided"], document["conflict"]) == (True, [correction.change_id])


def test_a_void_of_a_version_that_is_gone_leaves_the_dose_with_its_person() -> None:
    writer = Writer()
    first = writer.dose("1", "a")
    lost = writer.dose("1", "a", ChangeKind.CORRECT_VACCINATION, lot_number="ONE-CDC", bases=(first.change_id,))
    void = writer.void("1", lost.change_id)

    tables = apply_all([writer.patient("a"), first, void])

    [document] = tables.vaccinations.find_by("person_id", record("a"))
    assert (document["voided"], document["lot_number"]) == (True, "AMJRE075AA-CDC")
