"""How often somebody may guess, and that counting it costs a bounded amount."""

from ipaddress import ip_address

import pytest

from sync.access.throttle import MAX_KEYS, Limit, Throttle, TooManyTries, key_of_address

LIMITS = {"person": Limit(free=3, wait=10, longest=35), "all": Limit(free=1000, wait=1)}


class Desk:
    def __init__(self) -> None:
        self.now = 100.0
        self.throttle = Throttle(LIMITS, lambda: self.now)

    def wait_for(self, person: str = "May") -> float:
        """Count one more try; returns how long it has to wait, 0 where it is looked at."""
        try:
            self.throttle.begin(person=person)
        except TooManyTries as error:
            return error.seconds
        return 0


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_each_try_after_the_free_ones_waits_longer_up_to_the_longest(desk: Desk) -> None:
    assert [desk.wait_for() for _ in range(4)] == [0, 0, 0, 10]
    waits = []
    for _ in range(4):
        desk.now += desk.wait_for()
        assert desk.wait_for() == 0
        waits.append(desk.wait_for())
    assert waits == [20, 35, 35, 35]


def test_a_try_that_has_to_wait_is_not_counted(desk: Desk) -> None:
    for _ in range(100):
        desk.wait_for()
    desk.now += 10
    assert desk.wait_for() == 0
    assert desk.wait_for() == 20


def test_one_person_does_not_wait_for_another(desk: Desk) -> None:
    for _ in range(4):
        desk.wait_for("May")
    assert desk.wait_for("Lin") == 0


def test_long_after_the_last_try_all_is_forgotten(desk: Desk) -> None:
    for _ in range(3):
        desk.wait_for()
    desk.now += 10 + 36
    assert [desk.wait_for() for _ in range(4)] == [0, 0, 0, 10]


def test_who_was_right_does_not_wait_and_nothing_before_is_forgiven(desk: Desk) -> None:
    desk.wait_for()
    desk.wait_for()
    for _ in range(5):
        desk.throttle.begin(person="May").succeeded()
    assert [desk.wait_for(), desk.wait_for()] == [0, 10]


def test_what_is_forgiven_is_forgotten(desk: Desk) -> None:
    desk.wait_for()
    desk.wait_for()
    desk.throttle.begin(person="May").succeeded("person")
    assert [desk.wait_for() for _ in range(4)] == [0, 0, 0, 10]


def test_a_million_addresses_fill_a_bounded_memory_and_do_not_hide_the_whole(desk: Desk) -> None:
    for number in range(3 * MAX_KEYS):
        desk.wait_for(f"stranger {number}")
        desk.now += 1
    assert len(desk.throttle._tries["person"]) <= MAX_KEYS
    assert desk.throttle._tries["all"][""].count > 1000


@pytest.mark.parametrize(
    ("remote", "key"),
    [
        ("192.168.1.5", "192.168.1.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.168.1.5", str(ip_address("::ffff:192.168.1.5"))),
        (None, ""),
        ("nonsense", ""),
    ],
)
def test_all_addresses_of_one_ipv6_network_are_one(remote: str | None, key: str) -> None:
    assert key_of_address(remote) == key
