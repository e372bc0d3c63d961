"""Digests of what a device and its hub hold."""

from hypothesis import given
from hypothesis import strategies as st

from store.digests import RANGE_CHANGES, RangeDigests, differing_ranges

ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
changes = st.dictionaries(st.integers(1, 3 * RANGE_CHANGES), st.tuples(st.sampled_from("abc"), ids), max_size=30)


def digests_of(held: dict[int, tuple[str, str]], order: list[int] | None = None) -> RangeDigests:
    made = RangeDigests()
    for number in order or held:
        made.add(number, *held[number])
    return made


@given(changes)
def test_the_order_in_which_changes_came_does_not_matter(held: dict[int, tuple[str, str]]) -> None:
    one, two = digests_of(held), digests_of(held, sorted(held, reverse=True))

    assert one.total("") == two.total("")
    assert one.ranges("b") == two.ranges("b")


@given(changes)
def test_what_a_device_made_itself_does_not_count(held: dict[int, tuple[str, str]]) -> None:
    without = digests_of({number: change for number, change in held.items() if change[0] != "a"})

    assert digests_of(held).total("a") == without.total("a")
    assert differing_ranges(digests_of(held).ranges("a"), without.ranges("a")) == []


@given(changes.filter(bool))
def test_a_change_that_lacks_is_told_by_its_range(held: dict[int, tuple[str, str]]) -> None:
    lost = max(held)
    lacking = digests_of({number: change for number, change in held.items() if number != lost})

    assert (lacking.total("") == digests_of(held).total("")) == (int(held[lost][1], 16) == 0)
    if int(held[lost][1], 16):
        assert differing_ranges(lacking.ranges(""), digests_of(held).ranges("")) == [(lost - 1) // RANGE_CHANGES]


@given(changes, st.integers(0, 2))
def test_a_range_is_forgotten_and_taken_anew(held: dict[int, tuple[str, str]], number: int) -> None:
    made = digests_of(held)
    made.forget_range(number)
    for hub_seq, change in held.items():
        if (hub_seq - 1) // RANGE_CHANGES == number:
            made.add(hub_seq, *change)

    assert made.total("a") == digests_of(held).total("a")


@given(changes)
def test_kept_and_read_again_it_is_the_same(held: dict[int, tuple[str, str]]) -> None:
    again = RangeDigests()
    again.restore(digests_of(held).state())

    assert again.total("a") == digests_of(held).total("a")
    assert again.ranges("a") == digests_of(held).ranges("a")
