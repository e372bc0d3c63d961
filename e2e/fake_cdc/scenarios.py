"""Which misfortune the next request meets.

A rule for the next N requests of its kind goes before a standing one ("until cleared"); among counted rules the oldest
is used first, among standing ones the newest counts. Rules live in memory: a restarted CDC behaves normally.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import outcomes
from .holdings import JudgedRow
from .outcomes import Refusal

KINDS = ("upload", "confirm", "stock", "consumption", "history", "exams")
_EVERY = frozenset(KINDS)
SCENARIOS: dict[str, frozenset[str]] = {
    "normal": _EVERY,
    "slow": _EVERY,
    "time_out": _EVERY,
    "drop_before_storing": _EVERY,
    "drop_after_storing": _EVERY,
    "error_500": _EVERY,
    "error_503_retry_after": _EVERY,
    "html_instead_of_json": _EVERY,
    "truncated_json": _EVERY,
    "wrong_charset": _EVERY,
    "rate_limit_429": _EVERY,
    "unauthorized_401": _EVERY,
    "refuse_batch": frozenset({"upload", "consumption", "exams"}),
    "refuse_row": frozenset({"upload", "consumption"}),
    "month_closed": frozenset({"upload", "consumption"}),
    "processing_202": frozenset({"confirm"}),
    "entry_missing": frozenset({"confirm"}),
    "unknown_code": frozenset({"upload", "confirm", "consumption", "exams"}),
    "stock_unknown_vaccine": frozenset({"stock"}),
    "history_unknown_vaccine": frozenset({"history"}),
    "history_missing_lot": frozenset({"history"}),
    "history_before_birth": frozenset({"history"}),
    "history_unreadable_date": frozenset({"history"}),
}
"""Every scenario and the kinds of request it can meet."""

UNKNOWN_SUCCESS = ("I00977", "資料已轉入(新訊息)")
UNKNOWN_VACCINE = "ZZ_NEW"
UNKNOWN_REFUSAL = Refusal("X7001", "中央系統新增之檢核未通過")
# Answers of this sort come from something in front of CDC, so nothing is stored unless the rule says `stored`.
_NOT_STORED = {"error_500", "error_503_retry_after", "html_instead_of_json"}


@dataclass
class Rule:
    """One ordered misfortune. `times` None = until cleared; the selectors are for refuse_row and entry_missing."""

    kind: str
    scenario: str
    times: int | None = 1
    seconds: float | None = None
    retry_after: int | None = None
    stored: bool | None = None
    record_key: str | None = None
    lot_number: str | None = None
    nth: int | None = None
    code: str | None = None
    text: str | None = None
    expression: str | None = None

    @property
    def stores(self) -> bool:
        """Does the request do its work although the answer goes wrong?"""
        return self.scenario not in _NOT_STORED if self.stored is None else self.stored

    def picks(self, number: int, row: JudgedRow) -> bool:
        """Is the row with this number (from 1) meant? Without a selector, the first row is."""
        if self.record_key is None and self.lot_number is None and self.nth is None:
            return number == 1
        return (
            number == self.nth
            or row.record_key == self.record_key
            or (self.lot_number is not None and row.lot_number == self.lot_number)
        )

    def refusal(self, default: Refusal) -> Refusal:
        return Refusal(self.code or default.code, self.text or default.text, self.expression or default.expression)


NORMAL = Rule("", "normal", times=None)


class Scenarios:
    """The rules waiting for requests."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def take(self, kind: str) -> Rule:
        """Give the rule for one request of this kind, using up one of its times."""
        of_kind = [rule for rule in self.rules if rule.kind == kind]
        for rule in of_kind:
            if rule.times is not None:
                rule.times -= 1
                if rule.times == 0:
                    self.rules.remove(rule)
                return rule
        return of_kind[-1] if of_kind else NORMAL

    def clear(self, kind: str | None = None) -> None:
        self.rules = [rule for rule in self.rules if kind is not None and rule.kind != kind]


_TYPES: dict[str, type | tuple[type, ...]] = {
    "times": int,
    "seconds": (int, float),
    "retry_after": int,
    "stored": bool,
    "nth": int,
    **dict.fromkeys(("kind", "scenario", "record_key", "lot_number", "code", "text", "expression"), str),
}


def read_rule(given: dict[str, Any]) -> Rule:
    """Make a rule out of a control request.

    Raises: ValueError for a name, kind or value that means nothing.
    """
    for name, value in given.items():
        fitting = _TYPES.get(name)
        if fitting is None:
            raise ValueError(f"unknown field {name}")
        if value is not None and (not isinstance(value, fitting) or (isinstance(value, bool) and fitting is not bool)):
            raise ValueError(f"{name}: wrong type")
    if given.get("scenario") not in SCENARIOS:
        raise ValueError(f"scenario: one of {', '.join(SCENARIOS)}")
    if given.get("kind") not in SCENARIOS[given["scenario"]]:
        raise ValueError(f"kind: {given['scenario']} is for {', '.join(sorted(SCENARIOS[given['scenario']]))}")
    rule = Rule(**given)
    if rule.times is not None and rule.times < 1:
        raise ValueError("times: at least 1, or null until cleared")
    return rule


def verdict(rule: Rule, number: int, row: JudgedRow) -> Refusal | None:
    """Say what a content scenario makes of one row, over what CDC found itself."""
    if rule.scenario == "refuse_row" and rule.picks(number, row):
        return rule.refusal(outcomes.NO_SUCH_LOT.at("Immunization.lotNumber"))
    if rule.scenario == "month_closed" and row.method in ("PUT", "DELETE"):
        return outcomes.MONTH_CLOSED
    return row.refusal
