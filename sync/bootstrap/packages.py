"""Install a lock file's packages with pip, saying how far it is, and understand why it failed."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from sync.bootstrap.processes import run_lines
from sync.bootstrap.refusal import SetupRefused

# First match wins: pip reports a lost network also as "no matching distribution", and a full disk also as an OSError.
REASONS = (
    ("disk_full", r"No space left on device|Errno 28|WinError 112"),
    ("hash_mismatch", r"DO NOT MATCH THE HASHES"),
    (
        "no_network",
        r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|Name or service not known"
        r"|getaddrinfo failed|Network is unreachable|Connection refused|ConnectTimeout|ReadTimeout|ProxyError"
        r"|Connection broken|Read timed out|SSLError|Max retries exceeded",
    ),
    ("in_use", r"Errno 13|WinError 5\b|WinError 32|Permission denied|Access is denied"),
    ("no_package", r"No matching distribution|Could not find a version"),
)


def failure_code(output: str) -> str:
    """Name the reason in a failed pip run's output; see refusal.SENTENCES."""
    return next((code for code, pattern in REASONS if re.search(pattern, output)), "install_failed")


def locked_count(lock: Path) -> int:
    """How many packages a lock may install; some are for other systems."""
    return len(re.findall(r"(?m)^[A-Za-z0-9]", lock.read_text(encoding="utf-8")))


def install(
    pip: Sequence[str], lock: Path, log: Path, *, env: dict[str, str], on_progress: Callable[[int, int, str], None]
) -> None:
    """Install exactly what the lock names, each file checked against its hash. Nothing is compiled.

    Raises: SetupRefused with the reason; pip's own words are in the log.
    """
    total, done, output = locked_count(lock), 0, []

    def on_line(line: str) -> None:
        nonlocal done
        output.append(line)
        match = re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)", line)
        if match:
            done += 1
            on_progress(done, total, match.group(1))
        elif line.startswith("Installing collected"):
            on_progress(total, total, "")

    arguments = ["install", "--require-hashes", "--only-binary", ":all:", "--no-input", "--progress-bar", "off"]
    arguments += ["--disable-pip-version-check", "--retries", "2", "--timeout", "30", "-r", str(lock)]
    # A user's own pip settings may ask for --user, which an environment refuses.
    code = run_lines([*pip, *arguments], on_line, env={**env, "PIP_USER": "0"})
    log.write_text("\n".join(output) + "\n", encoding="utf-8")
    if code:
        machine = f"{platform.system()} {platform.machine()}"
        raise SetupRefused(failure_code("\n".join(output)), log=log, machine=machine)
