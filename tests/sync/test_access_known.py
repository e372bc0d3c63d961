"""The pure rules: roles by time, accounts that are off, passwords and names that will do, what a hash costs."""

from datetime import UTC, datetime, timedelta

import pytest

from store.access_protocol import MIN_PASSWORD, password_problem, staff_id_problem
from store.roles import Role
from sync.access import passwords
from sync.access.known import Account, Grant, Known, off_accounts, with_grant

START = datetime(2026, 5, 1, 8, tzinfo=UTC)


def hours(count: int) -> datetime:
    return START + timedelta(hours=count)


def account(staff_id: str = "May", *grants: tuple[int, Role, bool]) -> Account:
    given = grants or ((0, Role.RECORDER, True),)
    held = tuple(Grant(at=hours(at), roles=(role,), active=active) for at, role, active in given)
    return Account(staff_id=staff_id, password_hash="", made_at=START, grants=held)


def test_roles_are_those_of_the_moment() -> None:
    one = account("May", (1, Role.RECORDER, True), (3, Role.MANAGER, True), (5, Role.MANAGER, False))
    held = [one.roles_at(hours(hour)) for hour in range(7)]
    assert held == [(), *[(Role.RECORDER,)] * 2, *[(Role.MANAGER,)] * 2, (), ()]
    assert (one.roles, one.active) == ((), False)


def test_a_clock_set_back_does_not_put_a_grant_before_the_one_it_follows() -> None:
    one = with_grant(account(), (Role.MANAGER,), True, hours(-100), is_off=False)
    assert [grant.at for grant in one.grants] == [START, START]
    assert one.roles_at(START) == one.roles == (Role.MANAGER,)


def test_what_does_not_change_is_no_new_grant_unless_it_turns_on_what_was_unused() -> None:
    one = account()
    assert with_grant(one, one.roles, True, hours(5), is_off=False) is one
    assert len(with_grant(one, one.roles, True, hours(5), is_off=True).grants) == 2
    off = account("May", (0, Role.RECORDER, False))
    assert with_grant(off, (Role.RECORDER,), False, hours(5), is_off=True) is off


def test_an_account_never_used_is_off_ninety_days_after_it_was_made() -> None:
    known = Known(accounts={"May": account(), "Lin": account("Lin", (0, Role.MANAGER, True))})
    assert off_accounts(known, {}, START + timedelta(days=90)) == set()
    assert off_accounts(known, {}, START + timedelta(days=91)) == {"May"}


@pytest.mark.parametrize(
    ("staff_id", "fits"),
    [
        ("王小明", True),
        ("May Lin-2.b_c", True),
        ("1", True),
        ("x" * 20, True),
        ("x" * 21, False),
        (" x", False),
        ("x ", False),
        ("", False),
        ("<b>", False),
        ("a/b", False),
        ("a\nb", False),
        ("a\n", False),
        ("a\u202eb", False),
        ("=1", False),
        ("Nobody", False),
    ],
)
def test_a_name_holds_letters_and_digits_and_nothing_unseen(staff_id: str, fits: bool) -> None:
    assert (staff_id_problem(staff_id) is None) == fits


@pytest.mark.parametrize(
    "password", ["aaaaaaaaaaaa", "1234567890", "9876543210", "ababababab", "x" * (MIN_PASSWORD - 1)]
)
def test_a_password_that_anybody_would_guess_will_not_do(password: str) -> None:
    assert password_problem(password, "May") is not None


def test_a_long_sentence_will_do() -> None:
    assert password_problem("小明今天打了三劑流感疫苗", "May") is None


async def test_a_hash_costs_what_it_should_and_an_unknown_name_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", passwords.make_hasher())
    desk = passwords.Passwords()
    kept = await desk.hash("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not passwords.is_outdated(kept)
    assert await desk.verify(kept, "correct horse battery")
    assert not await desk.verify(kept, "correct horse batterx")
    assert not await desk.verify("not a hash", "x")

    seen = []
    monkeypatch.setattr(passwords, "_verify", lambda of, _: bool(seen.append(of)))
    assert not await desk.verify(None, "x")
    assert seen[0].startswith("$argon2id$")
