"""The test of the test: a rule that is broken on purpose is noticed, soon, and is whole again afterwards."""

import pytest

from tests.sim.bugs import BUGS, planted
from tests.sim.run import play_planted
from tests.sim.world import play

SEEDS = 1000


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    found = next((seed for seed in range(SEEDS) if play_planted(seed, bug).broken), None)

    assert found is not None


def test_a_bug_is_gone_once_it_is_dug_out() -> None:
    with planted("repeat is recorded again"):
        assert play(0).broken

    assert not play(0).broken
