"""Who of the staff may do what: one table for both ends. The hub refuses by it, screens hide by it.

Invariants:
- every kind of change that staff make and every operation of the hub stands in a table with the roles that may;
- what stands in none (a kind of a newer program, an operation that was forgotten) only a manager may make, or nobody;
- what only the hub makes, no role may;
- a manager may whatever any role may, so that a clinic with one nurse needs one account.
"""

from collections.abc import Collection
from enum import StrEnum

from store.changes import HUB_MADE_KINDS, ChangeKind


class Role(StrEnum):
    """What somebody does in the clinic. One person may have several."""

    RECORDER = "recorder"  # 登錄: people, doses, exams, sessions, files for NIIS
    VACCINATOR = "vaccinator"  # 接種: people, doses, exams
    STOCK_KEEPER = "stock_keeper"  # 庫存: lots, vials, CDC's stock
    MANAGER = "manager"  # 管理: all of it, the clinic's settings, staff and devices


class HubOperation(StrEnum):
    """What the hub does for somebody who is signed in."""

    SYNC = "sync"  # push and pull, snapshots, live notices, looking people up: what every screen needs
    UPLOAD_NOW = "upload_now"
    STOCK_WITH_CDC = "stock_with_cdc"
    EXAMS_TO_CDC = "exams_to_cdc"
    HISTORY_FROM_CDC = "history_from_cdc"
    RECEIPTS = "receipts"
    MANAGE_STAFF = "manage_staff"
    MANAGE_DEVICES = "manage_devices"
    AUDIT = "audit"


_RECORDERS = frozenset({Role.RECORDER, Role.MANAGER})
_CLINICAL = frozenset({Role.RECORDER, Role.VACCINATOR, Role.MANAGER})
_STOCK = frozenset({Role.STOCK_KEEPER, Role.MANAGER})
_MANAGERS = frozenset({Role.MANAGER})
_ALL = frozenset(Role)

_MAKERS: dict[str, frozenset[Role]] = {
    ChangeKind.REGISTER_PATIENT: _CLINICAL,
    ChangeKind.CORRECT_PATIENT: _CLINICAL,
    ChangeKind.REGISTER_LOT: _STOCK,
    ChangeKind.REGISTER_SESSION: _RECORDERS,
    ChangeKind.CORRECT_SESSION: _RECORDERS,
    ChangeKind.RECORD_VACCINATION: _CLINICAL,
    ChangeKind.CORRECT_VACCINATION: _CLINICAL,
    ChangeKind.VOID_VACCINATION: _CLINICAL,
    ChangeKind.REQUEST_UPLOAD: _CLINICAL,
    ChangeKind.RECORD_EXAM: _CLINICAL,
    ChangeKind.CORRECT_EXAM: _CLINICAL,
    ChangeKind.VOID_EXAM: _CLINICAL,
    ChangeKind.RECORD_CONSUMPTION: _STOCK,
    ChangeKind.SET_CLINIC: _MANAGERS,
    ChangeKind.SET_VACCINES_IN_USE: _MANAGERS,
    ChangeKind.SET_LOT_OF_THE_DAY: _ALL,
    ChangeKind.SET_CODE_TABLE: _MANAGERS,
    ChangeKind.REGISTER_STAFF_MEMBER: _MANAGERS,
    ChangeKind.MERGE_PATIENTS: _RECORDERS,
    ChangeKind.CONFIRM_DISTINCT_PATIENTS: _RECORDERS,
    ChangeKind.CONFIRM_DISTINCT_DOSES: _RECORDERS,
    ChangeKind.WITHDRAW_DECISION: _RECORDERS,
    ChangeKind.EXPORT_DOSES: _RECORDERS,
    ChangeKind.RELEASE_EXPORT: _RECORDERS,
    **dict.fromkeys(HUB_MADE_KINDS, frozenset[Role]()),
}
_CALLERS: dict[str, frozenset[Role]] = {
    HubOperation.SYNC: _ALL,
    HubOperation.UPLOAD_NOW: _CLINICAL,
    HubOperation.STOCK_WITH_CDC: _STOCK,
    HubOperation.EXAMS_TO_CDC: _CLINICAL,
    HubOperation.HISTORY_FROM_CDC: _CLINICAL,
    HubOperation.RECEIPTS: _ALL,
    HubOperation.MANAGE_STAFF: _MANAGERS,
    HubOperation.MANAGE_DEVICES: _MANAGERS,
    HubOperation.AUDIT: _MANAGERS,
}


def may_make(roles: Collection[str], kind: str) -> bool:
    """Whether somebody with these roles may make a change of this kind. Shape: role names; one unknown here counts
    nothing."""
    return not _MAKERS.get(kind, _MANAGERS).isdisjoint(roles)


def may_call(roles: Collection[str], operation: str) -> bool:
    """Whether the hub does this for somebody with these roles."""
    return not _CALLERS.get(operation, frozenset()).isdisjoint(roles)
