"""A first part of the seeds; `python3 -m tests sim --seeds 20000` plays more."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.sim.run import kill_everywhere, play_planted
from tests.sim.world import play

ROOT = Path(__file__).resolve().parents[2]
PARTS = 6
SEEDS_A_PART = 25
# What must have happened somewhere in the seeds of this file, or they prove nothing.
SOMETIMES = (
    "answers lost after storing",
    "batches sent again",
    "changes pushed again",
    "crashes",
    "crashes between two journals",
    "crashes merging",
    "crashes publishing",
    "crashes tidying",
    "crashes writing a run",
    "devices put back",
    "hub's disk refused",
    "hubs put back",
    "lost with an evicted device",
    "merges",
    "records seen disputed",
    "refused commits",
    "removed files came back",
    "rows refused",
    "torn ends",
)
happened = Counter[str]()


@pytest.mark.parametrize("part", range(PARTS))
def test_every_rule_holds_whatever_goes_wrong(part: int) -> None:
    for seed in range(part * SEEDS_A_PART, (part + 1) * SEEDS_A_PART):
        outcome = play(seed)
        happened.update(outcome.counts)
        assert not outcome.broken, f"python3 -m tests sim --seed {seed}"


@pytest.mark.parametrize("what", SOMETIMES)
def test_the_seeds_above_meet_each_misfortune(what: str) -> None:
    if not happened:
        pytest.skip("the seeds were not played in this run")
    assert happened[what] > 0


def test_a_kill_after_any_step_breaks_no_rule() -> None:
    # `python3 -m tests sim --seed 32 --kill-everywhere` kills after each one, which takes some minutes.
    kills = list(kill_everywhere(32, every=12))

    assert len(kills) > 100
    assert {str(kill): outcome.broken for kill, outcome in kills if outcome.broken} == {}


def test_a_seed_tells_the_same_story_whatever_was_played_before() -> None:
    first = play(13, with_story=True)
    play(12)
    again = play(13, with_story=True)

    assert len(first.story) > 40
    assert first.story == again.story


def test_telling_the_story_changes_nothing() -> None:
    told, silent = play(13, with_story=True), play(13)

    assert (told.steps, told.seconds, told.counts) == (silent.steps, silent.seconds, silent.counts)


def test_a_failing_seed_tells_the_same_story_in_another_process() -> None:
    bug = "takeover forgets unsent changes"
    seed = next(seed for seed in range(1000) if play_planted(seed, bug).broken)
    arguments = [sys.executable, "-m", "tests.sim.run", "--seed", str(seed), "--bug", bug]

    stories = [
        subprocess.run(
            arguments, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, check=False
        )
        for salt in ("1", "2")
    ]

    assert [story.returncode for story in stories] == [1, 1]
    assert len({hashlib.sha256(story.stdout).hexdigest() for story in stories}) == 1
    assert b"lost the recorded change" in stories[0].stdout
