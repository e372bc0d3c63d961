"""The way from `python3 -m something` on a bare machine into the same command inside `.venv`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sync.bootstrap import checks, environment, processes
from sync.bootstrap.refusal import EXIT_INTERRUPTED, SetupRefused, refusal_of, report, say
from sync.bootstrap.turn import turn

ROOT = Path(__file__).resolve().parents[2]


class Steps:
    """Number each step as it begins: `[2/4] ...`."""

    def __init__(self, total: int, done: int = 0) -> None:
        self._total, self._done = total, done

    def __call__(self, words: str) -> None:
        self._done += 1
        say(f"[{self._done}/{self._total}] {words}")


def guarded(main: Callable[[], int]) -> int:
    """Run a program's main and turn what the user can remedy into one sentence and an exit code."""
    try:
        checks.check_python(sys.version_info[:3])
        processes.end_on_sigterm()
        return main()
    except SetupRefused as refusal:
        return report(refusal)
    except KeyboardInterrupt:
        say("\n已中斷；再執行一次會接著完成 · Interrupted; run it again to finish")
        return EXIT_INTERRUPTED
    except OSError as error:
        refused = refusal_of(error)
        if refused is None:
            raise
        return report(refused)


def enter(module: str, arguments: Sequence[str], lock_name: str, total_steps: int) -> Steps:
    """Return inside a ready `.venv`, having started `module` anew there if this process was outside.

    The environment takes three steps; the ones told after this call go on from there.
    """
    place = environment.Environment(ROOT)
    steps = Steps(total_steps)
    if not (environment.is_inside(place) and environment.is_ready(place, lock_name)):
        environment.ensure(place, lock_name, steps)
    if not environment.is_inside(place):
        processes.become([str(place.python), "-m", module, *arguments], env=processes.child_environment(ROOT))
    return Steps(total_steps, done=3)


def build_bundle(steps: Steps) -> None:
    """Build what browsers load, by the builder in a process of its own: `sync` may not import `ui`.

    Raises: SetupRefused.
    """
    steps("組建瀏覽器程式 · Building the browser bundle")
    place = environment.Environment(ROOT)
    with turn(place.turn_file, lambda: say("      等候另一個組建完成 · Waiting for another build to finish")):
        code = processes.run([sys.executable, "-m", "ui.build"], env=processes.child_environment(ROOT))
    if code:
        raise SetupRefused("bundle_failed", exit_code=code)
