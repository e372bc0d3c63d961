"""Many seeds on all cores, or the readable story of one: `python3 -m tests sim --seeds N --start S`, `--seed K`.

Invariants:
- a seed's story does not depend on which process plays it, nor on what was played before;
- a failing seed is named with the rule it broke and its story, and the exit code is 1.
"""

import argparse
import itertools
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from tests.sim.bugs import BUGS, planted
from tests.sim.faults import KINDS
from tests.sim.world import Kill, Outcome, play

_CHUNK = 25
_SHOWN_STORIES = 1


def play_planted(
    seed: int, bug: str = "", only_faults: Sequence[str] | None = None, with_story: bool = False
) -> Outcome:
    with planted(bug):
        return play(seed, only_faults=only_faults, with_story=with_story)


def play_many(seeds: Sequence[int], bug: str, only_faults: Sequence[str] | None, jobs: int) -> Iterator[Outcome]:
    """Outcomes as they come, on `jobs` processes."""
    one = partial(play_planted, bug=bug, only_faults=only_faults)
    if jobs == 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(one, seeds, chunksize=_CHUNK)


def kill_everywhere(seed: int, every: int = 1) -> Iterator[tuple[Kill, Outcome]]:
    """Play a world without other misfortune again and again, with one kill in it: after each step of each machine.

    `every`: only after each so-many-th step.
    """
    for machine in ("hub", "device 1"):
        for number, steps in enumerate(itertools.count(0, every)):
            kill = Kill(machine, steps, power_lost=number % 2 == 0)
            outcome = play(seed, only_faults=(), kill=kill)
            if not outcome.broken and "killed as asked" not in outcome.counts:
                break  # the machine had come to the end of its work before
            yield kill, outcome


def say_story(outcome: Outcome) -> None:
    print(f"seed {outcome.seed}:")
    print("  seconds  steps who       what")
    for line in outcome.story:
        print(line)
    print(f"broken: {outcome.broken}" if outcome.broken else "every rule held", flush=True)


def run(seeds: Sequence[int], bug: str, only_faults: Sequence[str] | None, jobs: int) -> int:
    """Play all seeds, say how it went; 1 when a rule was broken."""
    began, counts, steps, seconds = time.monotonic(), Counter[str](), 0, 0.0
    failed: list[Outcome] = []
    for played, outcome in enumerate(play_many(seeds, bug, only_faults, jobs), start=1):
        counts.update(outcome.counts)
        steps, seconds = steps + outcome.steps, seconds + outcome.seconds
        if outcome.broken:
            failed.append(outcome)
            print(f"seed {outcome.seed}: {outcome.broken}", flush=True)
        if played % 2000 == 0:
            print(f"{played} seeds, {_speed(played, began)}", flush=True)
    print(f"{len(seeds)} seeds, {_speed(len(seeds), began)} on {jobs} processes; {steps} steps, ", end="")
    print(f"{seconds / 86400:.1f} virtual days; {len(failed)} broke a rule")
    print(", ".join(f"{what}: {times}" for what, times in sorted(counts.items())), flush=True)
    for outcome in sorted(failed, key=lambda one: one.seed)[:_SHOWN_STORIES]:
        say_story(play_planted(outcome.seed, bug, only_faults, with_story=True))
    return 1 if failed else 0


def main(arguments: Iterable[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tests sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first")
    parser.add_argument("--seed", type=int, help="play this one alone and tell its story")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--bug", choices=list(BUGS), default="", help="plant a bug")
    parser.add_argument("--only", action="append", choices=KINDS, help="these misfortunes and no others")
    parser.add_argument("--kill-everywhere", action="store_true", help="the one seed, with a kill after each step")
    chosen = parser.parse_args(list(arguments))
    if chosen.seed is not None and chosen.kill_everywhere:
        outcomes = list(kill_everywhere(chosen.seed))
        broken = [f"{kill}: {outcome.broken}" for kill, outcome in outcomes if outcome.broken]
        print("\n".join([*broken, f"seed {chosen.seed}: {len(outcomes)} kills, {len(broken)} broke a rule"]))
        return 1 if broken else 0
    if chosen.seed is not None:
        outcome = play_planted(chosen.seed, chosen.bug, chosen.only, with_story=True)
        say_story(outcome)
        return 1 if outcome.broken else 0
    return run(range(chosen.start, chosen.start + chosen.seeds), chosen.bug, chosen.only, chosen.jobs)


def _speed(seeds: int, began: float) -> str:
    seconds = time.monotonic() - began
    return f"{seconds:.0f} s, {seeds / seconds:.0f} seeds/s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
