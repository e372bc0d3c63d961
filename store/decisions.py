"""What a person decided of two records that may be one: the same person, not the same, both doses real, or none of it.

Invariants:
- a machine decides nothing here: each decision is a change with who and when, and so is taking it back;
- the record of a decision is the pair: its id comes from the two ids alone, so stations that decide apart meet in it;
- where stations decided a pair differently, nothing is decided until a person has chosen: nobody is merged meanwhile.

Shape: payloads are `Merge`, `Distinct` and `Withdrawal` below; the change's record id is `pair_id`; the change replaces
(`base_revisions`) what was decided of the pair before. No two of the payloads can be equal, so that two of them side by
side are a conflict.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from store.changes import ChangeDraft, ChangeKind
from store.patients import RecordId


class Pair(StrEnum):
    """What the two records of a pair are."""

    PATIENTS = "patients"
    DOSES = "doses"


class Verdict(StrEnum):
    """What holds of a pair."""

    MERGED = "merged"
    DISTINCT = "distinct"


def pair_id(pair: Pair, one: str, other: str) -> str:
    """The record id of a pair, whichever of the two is named first."""
    first, second = sorted((one, other))
    return hashlib.sha256(f"{pair}\0{first}\0{second}".encode()).hexdigest()[:32]


class _Decision(BaseModel):
    """Two records, the smaller id first. A newer device may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    record_id: RecordId
    pair: Pair
    first: RecordId
    second: RecordId

    @model_validator(mode="after")
    def _names_its_pair(self) -> Self:
        if self.first >= self.second:
            raise ValueError("the two records are not two, or not in order")
        if self.record_id != pair_id(self.pair, self.first, self.second):
            raise ValueError("the record id is not this pair's")
        return self


class Merge(_Decision):
    """Both are one person, who goes on as `survivor`. No field moves: doses keep the patient they were recorded for."""

    survivor: RecordId

    @model_validator(mode="after")
    def _survives_as_one_of_them(self) -> Self:
        if self.pair is not Pair.PATIENTS or self.survivor not in (self.first, self.second):
            raise ValueError("the survivor is not one of the two persons")
        return self


class DistinctPatients(_Decision):
    """Two persons, however alike."""

    distinct: bool

    @model_validator(mode="after")
    def _of_persons(self) -> Self:
        if self.pair is not Pair.PATIENTS:
            raise ValueError("not two persons")
        return self


class DistinctDoses(_Decision):
    """Both doses were given."""

    distinct: bool

    @model_validator(mode="after")
    def _of_doses(self) -> Self:
        if self.pair is not Pair.DOSES:
            raise ValueError("not two doses")
        return self


class Withdrawal(_Decision):
    """What was decided of the pair holds no longer."""

    withdrawn: bool


def draft_merge(gone: str, survivor: str, before: Mapping[str, Any] | None = None) -> ChangeDraft:
    """`before` is the pair's decision document, if anything was decided of it."""
    return _draft(ChangeKind.MERGE_PATIENTS, Pair.PATIENTS, gone, survivor, before, survivor=survivor)


def draft_distinct(pair: Pair, one: str, other: str, before: Mapping[str, Any] | None = None) -> ChangeDraft:
    patients = pair is Pair.PATIENTS
    kind = ChangeKind.CONFIRM_DISTINCT_PATIENTS if patients else ChangeKind.CONFIRM_DISTINCT_DOSES
    return _draft(kind, pair, one, other, before, distinct=True)


def draft_withdrawal(before: Mapping[str, Any]) -> ChangeDraft:
    kind, pair = ChangeKind.WITHDRAW_DECISION, Pair(before["pair"])
    return _draft(kind, pair, before["first"], before["second"], before, withdrawn=True)


def _draft(
    kind: ChangeKind, pair: Pair, one: str, other: str, before: Mapping[str, Any] | None, **more: Any
) -> ChangeDraft:
    first, second = sorted((one, other))
    payload = {"pair": str(pair), "first": first, "second": second, **more}
    bases = (before["revision"], *before["other_heads"]) if before is not None else ()
    return ChangeDraft(kind, pair_id(pair, one, other), payload, bases)


def verdict(decision: Mapping[str, Any] | None) -> Verdict | None:
    """What holds, out of a document of the decisions table; None where nothing does, or stations disagree."""
    if decision is None or decision["conflict"]:
        return None
    kind = decision["revisions"][decision["revision"]]["kind"]
    if kind == ChangeKind.WITHDRAW_DECISION:
        return None
    return Verdict.MERGED if kind == ChangeKind.MERGE_PATIENTS else Verdict.DISTINCT


# ---- index keys of the decisions table, and of the pairs table


def merged_key(decision: Mapping[str, Any]) -> str | None:
    """The person who goes on as another."""
    if verdict(decision) is not Verdict.MERGED:
        return None
    return str(decision["second"] if decision["survivor"] == decision["first"] else decision["first"])


def survivor_key(decision: Mapping[str, Any]) -> str | None:
    return str(decision["survivor"]) if verdict(decision) is Verdict.MERGED else None


def decided_on_key(decision: Mapping[str, Any]) -> str | None:
    """Shape: "2026-11-20", the day in UTC by the deciding device's clock; None where nothing holds."""
    if verdict(decision) is None:
        return None
    made_at = datetime.fromisoformat(decision["revisions"][decision["revision"]]["made_at"])
    return made_at.astimezone(UTC).date().isoformat()


def open_key(pair: Mapping[str, Any]) -> str | None:
    return pair["pair"] if pair["open"] else None
