"""What may be said of a pair, and what is refused."""

from typing import Any

import pytest

from store.apply import reason_unreadable
from store.changes import ChangeDraft, ChangeKind
from store.decisions import Pair, draft_distinct, draft_merge, pair_id
from tests.store.settling import Writer, record

A, B, C = record("a"), record("b"), record("c")


def payload(**changes: Any) -> dict[str, Any]:
    return {"pair": "patients", "first": A, "second": B, "survivor": B, **changes}


def test_a_pair_has_one_id_whichever_record_is_named_first() -> None:
    assert pair_id(Pair.PATIENTS, A, B) == pair_id(Pair.PATIENTS, B, A)
    assert draft_merge(A, B).record_id == draft_merge(B, A).record_id


def test_doses_and_persons_with_the_same_ids_are_different_pairs() -> None:
    assert pair_id(Pair.PATIENTS, A, B) != pair_id(Pair.DOSES, A, B)


@pytest.mark.parametrize(
    "wrong",
    [payload(survivor=C), payload(first=B, second=A), payload(second=A, survivor=A), payload(second=C, survivor=C)],
    ids=["survivor is a third", "not in order", "one person twice", "another pair's record id"],
)
def test_a_merge_that_names_no_pair_of_persons_is_unreadable(wrong: dict[str, Any]) -> None:
    change = Writer().change(ChangeDraft(ChangeKind.MERGE_PATIENTS, pair_id(Pair.PATIENTS, A, B), wrong))

    assert reason_unreadable(change) is not None


def test_doses_are_never_merged() -> None:
    merge = ChangeDraft(ChangeKind.MERGE_PATIENTS, pair_id(Pair.DOSES, A, B), payload(pair="doses"))

    assert reason_unreadable(Writer().change(merge)) is not None


def test_why_a_decision_is_unreadable_names_no_record() -> None:
    change = Writer().change(ChangeDraft(ChangeKind.MERGE_PATIENTS, "f" * 32, payload()))

    assert A not in str(reason_unreadable(change))


def test_a_newer_device_may_say_more_of_a_decision() -> None:
    draft = draft_distinct(Pair.PATIENTS, A, B)
    more = ChangeDraft(draft.kind, draft.record_id, {**draft.payload, "note": "已核對健保卡"})

    assert reason_unreadable(Writer().change(more)) is None
