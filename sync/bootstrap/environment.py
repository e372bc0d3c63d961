"""`.venv`: made once, known to be whole by its marker, redone whenever that is in doubt.

Locks are made from pyproject.toml with the command in their first lines. `tests.lock` holds all of `run.lock`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.bootstrap import checks, packages, processes
from sync.bootstrap.refusal import SetupRefused, say
from sync.bootstrap.turn import turn


@dataclass(frozen=True)
class Environment:
    """The places of one project folder's environment."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def marker(self) -> Path:
        return self.folder / "ready.json"

    @property
    def log(self) -> Path:
        return self.root / ".build" / "setup.log"

    @property
    def turn_file(self) -> Path:
        return self.root / ".build" / "setup.turn"

    def lock(self, name: str) -> Path:
        return self.root / "sync" / "bootstrap" / f"{name}.lock"


def base_python() -> str:
    """The Python outside any environment: one inside `.venv` cannot remake `.venv`."""
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def is_inside(environment: Environment) -> bool:
    return Path(sys.prefix).resolve() == environment.folder.resolve()


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def read_marker(environment: Environment) -> dict[str, Any] | None:
    """What the last finished set-up left, or None when `.venv` is absent, cut off, or its Python is gone or changed."""
    try:
        marker = json.loads(environment.marker.read_text(encoding="utf-8"))
        base, version, _ = marker["base"], marker["version"], marker["own_pip"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not environment.python.exists() or not os.path.exists(base):
        return None
    # A system upgrade may put a newer Python at the same path; the packages then lie in the old one's folder.
    if base == base_python() and version != list(sys.version_info[:2]):
        return None
    return dict(marker)


def is_ready(environment: Environment, lock_name: str) -> bool:
    marker = read_marker(environment)
    return marker is not None and marker.get(lock_name) == _digest(environment.lock(lock_name))


def ensure(environment: Environment, lock_name: str, step: Callable[[str], None]) -> None:
    """Bring `.venv` to what a lock asks for; three steps are told.

    Raises: SetupRefused.
    """
    step("檢查這台電腦 · Checking this machine")
    if is_ready(environment, lock_name):
        step("執行環境已就緒 · Environment is ready")
        step("套件已就緒 · Packages are ready")
        return
    checks.check_writable(environment.root)
    with turn(environment.turn_file, lambda: say("      等候另一個安裝完成 · Waiting for another set-up to finish")):
        if is_ready(environment, lock_name):
            step("執行環境已就緒 · Environment is ready")
            step("套件已就緒 · Packages are ready")
            return
        checks.check_space(environment.root, checks.SPACE_NEEDED_MB[lock_name])
        marker = read_marker(environment)
        environment.marker.unlink(missing_ok=True)
        if marker is None:
            step("建立執行環境 .venv · Making the environment .venv")
            own_pip = _make(environment)
            marker = {"base": base_python(), "version": list(sys.version_info[:2]), "own_pip": own_pip}
        else:
            step("執行環境需要更新 · Environment needs an update")
        step("安裝套件，第一次約需一至三分鐘 · Installing packages, one to three minutes the first time")
        packages.install(
            pip_command(environment, marker),
            environment.lock(lock_name),
            environment.log,
            env=processes.child_environment(environment.root),
            on_progress=_tell_progress,
        )
        # One lock's packages hold the other's only in this direction.
        marker.update({name: _digest(environment.lock(name)) for name in {lock_name, "run"}})
        beside = environment.marker.with_suffix(".new")
        beside.write_text(json.dumps(marker), encoding="utf-8")
        os.replace(beside, environment.marker)


def _tell_progress(done: int, total: int, name: str) -> None:
    if not name:
        say(f"      {total}/{total} 寫入磁碟 · Writing to the disk")
    elif sys.stdout.isatty():
        print(f"\r      {done}/{total} {name:<40}", end="", flush=True)
    elif done % 10 == 0:
        say(f"      {done}/{total} {name}")


def pip_command(environment: Environment, marker: dict[str, Any]) -> list[str]:
    """The command that installs into `.venv`. No path of it is kept in the marker: the folder may be moved."""
    if marker["own_pip"]:
        return [str(environment.python), "-m", "pip"]
    return [marker["base"], "-m", "pip", "--python", str(environment.python)]


def _make(environment: Environment) -> bool:
    """Make `.venv` anew by whichever way this Python offers; say whether it then has a pip of its own."""
    has = {name: importlib.util.find_spec(name) is not None for name in ("venv", "ensurepip", "virtualenv", "pip")}
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if has["venv"] and has["ensurepip"]:
        _run_maker(environment, "venv")
    elif has["virtualenv"]:
        _run_maker(environment, "virtualenv")
    elif has["venv"] and has["pip"]:
        _run_maker(environment, "venv", "--without-pip")
        return False
    elif install_system_packages([package], environment):
        _run_maker(environment, "venv")
    else:
        by_apt = shutil.which("apt-get") is not None
        remedy = f"sudo apt-get install -y {package}" if by_apt else "python -m pip install virtualenv"
        raise SetupRefused("no_venv", remedy=remedy)
    return True


def _run_maker(environment: Environment, module: str, *options: str) -> None:
    output: list[str] = []
    command = [base_python(), "-m", module, "--clear", *options, str(environment.folder)]
    code = processes.run_lines(command, output.append, env=processes.child_environment(environment.root))
    if code:
        environment.log.write_text("\n".join(output) + "\n", encoding="utf-8")
        raise SetupRefused("environment_failed", folder=environment.folder, log=environment.log)


def install_system_packages(names: list[str], environment: Environment) -> bool:
    """Install packages of a Debian-like system where we may do so without asking; say whether that worked."""
    apt = shutil.which("apt-get")
    # -n: a password prompt in the middle of a set-up would look like a hang.
    as_root = {True: [], False: ["sudo", "-n"]}[_is_root()]
    if apt is None or shutil.which((as_root or [apt])[0]) is None:
        return False
    env = {**processes.child_environment(environment.root), "DEBIAN_FRONTEND": "noninteractive"}
    say(f"      安裝系統套件 · Installing system packages: {' '.join(names)}")
    output: list[str] = []
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *names]):
        code = processes.run_lines([*as_root, apt, *arguments], output.append, env=env)
    environment.log.write_text("\n".join(output) + "\n", encoding="utf-8")
    return code == 0


def _is_root() -> bool:
    return os.name == "posix" and os.geteuid() == 0
