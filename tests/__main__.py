"""`python3 -m tests`: set up all that the tests need, then run them. Needs nothing but Python.

Shape: nothing = lint, types, unit and e2e; or one of GROUPS; or paths. More arguments go to pytest,
those of `sim` to tests/sim/run.py: --seeds N --start S, or --seed K for the story of one. `audit` asks public lists
whether a package that the locks name is known to be unsafe; it needs a network and is no part of the tests.
Invariant: imports only the standard library; the tools run as children inside `.venv`.
"""

from __future__ import annotations

import os
import sys
import time

from sync.bootstrap import environment, processes
from sync.bootstrap.refusal import say
from sync.bootstrap.start import ROOT, build_bundle, enter, guarded
from tests.chromium import ENGINE_PROGRAMS, VARIABLE, ensure_certutil, ensure_chromium, missing_engines

ALL = ["lint", "unit", "e2e"]
GROUPS = [*ALL, "engines", "bench", "sim", "audit"]
# A journey starts a hub, a fake CDC and a browser, and a first visit downloads the whole bundle.
SLOW = ["-o", "timeout=600"]


def commands_of(group: str, more: list[str]) -> dict[str, list[str]]:
    """What runs for one group: a title and the arguments after `python` for each command."""
    e2e = ["-m", "pytest", "e2e", *SLOW]
    return {
        "lint": {"ruff": ["-m", "ruff", "check", "."], "mypy": ["-m", "mypy"]},
        "unit": {"unit": ["-m", "pytest", "tests", *more]},
        "e2e": {"e2e": [*e2e, "-m", "not engines", *more]},
        "engines": {"engines": [*e2e, "-m", "engines", *more]},
        "bench": {"bench": ["-m", "e2e.bench", *more]},
        "sim": {"sim": ["-m", "tests.sim.run", *more]},
        "audit": {"audit": ["-m", "tests.audit", *more]},
    }[group]


def choose(arguments: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Read the command line: the groups it stands for, and the commands to run by title."""
    if not arguments:
        groups = ALL
    elif arguments[0] in GROUPS:
        groups, arguments = arguments[:1], arguments[1:]
    else:
        slow = [argument for argument in arguments if argument.replace("\\", "/").lstrip("./").startswith("e2e")]
        return (["e2e"] if slow else ["unit"]), {"pytest": ["-m", "pytest", *(SLOW if slow else []), *arguments]}
    return groups, {title: rest for group in groups for title, rest in commands_of(group, arguments).items()}


def main() -> int:
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        say(f"python3 -m tests [{'|'.join(GROUPS)}|PATH...] [more arguments]")
        return 0
    groups, commands = choose(arguments)
    needs_browser = not {"e2e", "engines", "bench"}.isdisjoint(groups)
    steps = enter("tests", arguments, "tests", total_steps=5 if needs_browser else 3)
    env = processes.child_environment(ROOT)
    if needs_browser:
        build_bundle(steps)
        steps("檢查 Chromium · Checking for Chromium")
        env[VARIABLE] = str(ensure_chromium(environment.Environment(ROOT)))
        ensure_certutil(environment.Environment(ROOT))
    missing = missing_engines() if "engines" in commands else []
    if missing:
        say(f"      略過其他瀏覽器引擎，缺少 · Left out of `engines`, not on this machine: {', '.join(missing)}")
        if len(missing) == len(ENGINE_PROGRAMS):
            del commands["engines"]
    return run_all(commands, env)


def run_all(commands: dict[str, list[str]], env: dict[str, str]) -> int:
    """Run every command even after a failure, name the failed ones, return 1 if there are any."""
    os.chdir(ROOT)  # pytest's and mypy's settings are found from here
    failed = []
    for title, rest in commands.items():
        say(f"── {title}")
        began = time.monotonic()
        code = processes.run([sys.executable, *rest], env=env)
        say(f"── {title}: {'ok' if code == 0 else f'exit code {code}'}, {time.monotonic() - began:.0f} s")
        if code:
            failed.append(title)
    if not commands:
        say("沒有可執行的測試 · Nothing left to run")
        return 1
    say(f"失敗 · Failed: {', '.join(failed)}" if failed else "全部通過 · All passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(guarded(main))
