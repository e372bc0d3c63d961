"""How often one address may: at once, with time, and apart from the others."""

import pytest

from sync.allowance import Allowance, owner_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_so_many_at_once_then_one_by_one_with_time() -> None:
    clock = Clock()
    allowance = Allowance(per_second=2, burst=3, clock=clock)
    assert [allowance.take("a") for _ in range(4)] == [True, True, True, False]

    clock.now = 0.5
    assert [allowance.take("a") for _ in range(2)] == [True, False]

    clock.now = 3600
    assert [allowance.take("a") for _ in range(4)] == [True, True, True, False]


def test_what_one_address_takes_is_not_taken_from_another() -> None:
    allowance = Allowance(per_second=1, burst=1, clock=Clock())
    assert allowance.take("192.168.1.5")
    assert not allowance.take("192.168.1.5")
    assert allowance.take("192.168.1.6")


@pytest.mark.parametrize(
    ("one", "other"),
    [("fd00::1", "fd00::2:3"), ("fe80::1%eth0", "fe80::1%eth1"), ("::ffff:10.0.0.1", "10.0.0.1")],
    ids=["the same network of IPv6", "scopes", "IPv4 within IPv6"],
)
def test_addresses_that_one_device_may_have_at_once_count_as_one(one: str, other: str) -> None:
    assert owner_of(one) == owner_of(other)


def test_networks_of_ipv6_are_told_apart_and_so_are_addresses_of_ipv4() -> None:
    assert len({owner_of(one) for one in ("fd00:0:0:1::1", "fd00:0:0:2::1", "10.0.0.1", "10.0.0.2", "")}) == 5


def test_invented_addresses_do_not_make_it_grow() -> None:
    allowance = Allowance(per_second=1, burst=1, clock=Clock())
    for number in range(20_000):
        allowance.take(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(allowance._left) <= 4096
