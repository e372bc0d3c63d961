import pytest

from store.changes import HUB_MADE_KINDS, ChangeKind
from store.roles import _CALLERS, _MAKERS, HubOperation, Role, may_call, may_make

R, V, S, M = Role.RECORDER, Role.VACCINATOR, Role.STOCK_KEEPER, Role.MANAGER
MAKERS = {
    "register_patient": {R, V, M},
    "correct_patient": {R, V, M},
    "register_lot": {S, M},
    "register_session": {R, M},
    "correct_session": {R, M},
    "record_vaccination": {R, V, M},
    "correct_vaccination": {R, V, M},
    "void_vaccination": {R, V, M},
    "request_upload": {R, V, M},
    "record_exam": {R, V, M},
    "correct_exam": {R, V, M},
    "void_exam": {R, V, M},
    "record_consumption": {S, M},
    "set_clinic": {M},
    "set_vaccines_in_use": {M},
    "set_lot_of_the_day": {R, V, S, M},
    "set_code_table": {M},
    "register_staff_member": {M},
    "merge_patients": {R, M},
    "confirm_distinct_patients": {R, M},
    "confirm_distinct_doses": {R, M},
    "withdraw_decision": {R, M},
    "export_doses": {R, M},
    "release_export": {R, M},
}
CALLERS = {
    "sync": {R, V, S, M},
    "upload_now": {R, V, M},
    "stock_with_cdc": {S, M},
    "exams_to_cdc": {R, V, M},
    "history_from_cdc": {R, V, M},
    "receipts": {R, V, S, M},
    "manage_staff": {M},
    "manage_devices": {M},
    "audit": {M},
}


@pytest.mark.parametrize("kind", ChangeKind)
def test_each_kind_is_made_by_these_roles_alone(kind: ChangeKind) -> None:
    assert {role for role in Role if may_make([role], kind)} == MAKERS.get(kind, set())


@pytest.mark.parametrize("operation", HubOperation)
def test_each_operation_is_done_for_these_roles_alone(operation: HubOperation) -> None:
    assert {role for role in Role if may_call([role], operation)} == CALLERS[operation]


def test_no_kind_and_no_operation_was_forgotten() -> None:
    assert set(_MAKERS) == set(ChangeKind)
    assert set(_CALLERS) == set(HubOperation)
    assert set(MAKERS) == set(ChangeKind) - HUB_MADE_KINDS


def test_a_kind_of_a_newer_program_is_a_managers_alone() -> None:
    assert {role for role in Role if may_make([role], "grant_wishes")} == {M}


def test_an_operation_that_nobody_knows_is_done_for_nobody() -> None:
    assert not any(may_call([role], "grant_wishes") for role in Role)


def test_who_has_no_role_or_an_unknown_one_may_nothing() -> None:
    assert not may_make([], ChangeKind.RECORD_VACCINATION)
    assert not may_call(["emperor"], HubOperation.SYNC)


def test_two_roles_may_what_either_may() -> None:
    assert may_make([R, S], ChangeKind.REGISTER_LOT)
    assert may_make([R, S], ChangeKind.RECORD_VACCINATION)
