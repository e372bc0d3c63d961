"""Children that end when we are told to end, and the hand-over to the real program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

GRACE_SECONDS = 20


def end_on_sigterm() -> None:
    """Let a polite kill unwind us like an exception, so that children are ended and locks released."""

    def end(_signal: int, _frame: object) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)


def child_environment(root: Path) -> dict[str, str]:
    """The caller's environment, with `root` importable from any working folder and text in UTF-8 on Windows too."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    return {**environment, "PYTHONPATH": str(root), "PYTHONUTF8": "1"}


@contextmanager
def child(
    command: Sequence[str], *, env: dict[str, str], stdout: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A running child process that does not outlive the body.

    Ctrl-C reaches a child by itself where it shares our console, so it is first given time to finish in its own way.
    """
    stderr = None if stdout is None else subprocess.STDOUT
    with subprocess.Popen(
        list(command), env=env, stdout=stdout, stderr=stderr, text=True, encoding="utf-8", errors="replace"
    ) as process:
        try:
            yield process
        except KeyboardInterrupt:
            if process.stdout:
                process.stdout.close()
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.terminate()
            raise
        except BaseException:
            process.terminate()
            raise


def run(command: Sequence[str], *, env: dict[str, str]) -> int:
    """Run a child on our own console and return its exit code (128 + n if signal n ended it)."""
    sys.stdout.flush()
    with child(command, env=env) as process:
        code = process.wait()
    return code if code >= 0 else 128 - code


def run_lines(command: Sequence[str], on_line: Callable[[str], None], *, env: dict[str, str]) -> int:
    """Run a child and hand over each line it prints, errors included; return its exit code."""
    with child(command, env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            on_line(line.rstrip())
        code = process.wait()
    return code if code >= 0 else 128 - code


def become(command: Sequence[str], *, env: dict[str, str]) -> NoReturn:
    """Go on as another program. Signals then reach it directly, where the system can replace a process."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(command[0], list(command), env)
    raise SystemExit(run(command, env=env))  # Windows' exec returns to the console at once
