"""The set-up, run for real in small projects whose only package is a wheel made here: no network, same code."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import zipfile
from pathlib import Path

import pytest

from sync.bootstrap.environment import base_python
from sync.bootstrap.refusal import EXIT_REFUSED

ROOT = Path(__file__).resolve().parents[2]
APP = """
import threading
import tiny

def run(settings, *, port, open_browser):
    print(f"tiny={tiny.VALUE} port={port} open_browser={open_browser}", flush=True)
    if settings is not None:
        threading.Event().wait()
    return 7
"""


def make_wheel(folder: Path, version: int) -> Path:
    """The smallest wheel pip accepts: one module that knows its version."""
    wheel, info = folder / f"tiny-{version}-py3-none-any.whl", f"tiny-{version}.dist-info"
    files = {
        "tiny.py": f"VALUE = {version}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(text)}")
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,\n"])}.items():
            archive.writestr(name, text)
    return wheel


def lock_tiny(project: Path, version: int) -> None:
    wheel = make_wheel(project, version)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for name in ("run", "tests"):
        lock = project / "sync" / "bootstrap" / f"{name}.lock"
        lock.write_text(f"tiny @ {wheel.as_uri()} --hash=sha256:{digest}\n", encoding="utf-8")


def make_project(folder: Path) -> Path:
    """Our real set-up around a program of three lines."""
    shutil.copytree(ROOT / "sync" / "bootstrap", folder / "sync" / "bootstrap", ignore=shutil.ignore_patterns("__py*"))
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(ROOT / "sync" / name, folder / "sync" / name)
    (folder / "sync" / "app.py").write_text(APP, encoding="utf-8")
    (folder / "ui").mkdir()
    (folder / "ui" / "build.py").write_text("print('bundle built', flush=True)\n", encoding="utf-8")
    lock_tiny(folder, 1)
    return folder


def command(*arguments: str) -> list[str]:
    return [base_python(), "-m", "sync", *arguments]


def start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """Begin a start in a process group of its own, so that a test can end it as a console would."""
    return subprocess.Popen(
        command(*arguments),
        cwd=project,
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def run(project: Path, *arguments: str) -> tuple[int, str]:
    process = start(project, *arguments)
    output, _ = process.communicate()
    return process.returncode, output


def read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    read = []
    try:
        for line in process.stdout:
            read.append(line)
            if words in line:
                return
    except BaseException:  # the timeout: leave no program running behind a failed test
        process.kill()
        raise
    pytest.fail(f"never said {words!r}: {read}")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project after its first start, and what that start printed."""
    project = make_project(tmp_path_factory.mktemp("installed"))
    code, output = run(project, "--port", "0", "--no-browser")
    assert code == 7, output
    return project, output


@pytest.fixture
def copied(installed: tuple[Path, str], tmp_path: Path) -> Path:
    """An installed project that a test may spoil."""
    return shutil.copytree(installed[0], tmp_path / "copy", symlinks=True)


def test_the_first_start_installs_builds_and_runs_the_program(installed: tuple[Path, str]) -> None:
    told = [line[:5] for line in installed[1].splitlines() if line.startswith("[")]

    assert told == ["[1/4]", "[2/4]", "[3/4]", "[4/4]"]
    assert "bundle built" in installed[1]
    assert "tiny=1 port=0 open_browser=False" in installed[1]


def test_the_second_start_installs_nothing(installed: tuple[Path, str]) -> None:
    project, _ = installed
    before = (project / ".venv" / "ready.json").stat().st_mtime_ns

    code, output = run(project)

    assert (code, "Packages are ready" in output) == (7, True)
    assert "tiny=1 port=None open_browser=True" in output
    assert (project / ".venv" / "ready.json").stat().st_mtime_ns == before


def test_a_changed_lock_is_installed_over_the_old_one(copied: Path) -> None:
    lock_tiny(copied, 2)

    assert "tiny=2" in run(copied)[1]


def test_a_package_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    with (project / "tiny-1-py3-none-any.whl").open("ab") as wheel:
        wheel.write(b"x")

    code, output = run(project)

    assert code == EXIT_REFUSED
    assert "locked checksum" in output
    assert "Traceback" not in output


@pytest.mark.skipif(os.name != "posix", reason="ends a whole process group")
def test_a_killed_set_up_is_redone(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    first = start(project)
    read_until(first, "[2/4]")
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert not (project / ".venv" / "ready.json").exists()

    code, output = run(project)

    assert (code, "tiny=1" in output) == (7, True), output


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent to a process group")
def test_ctrl_c_during_set_up_is_one_line(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    process = start(project)
    read_until(process, "[2/4]")

    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()

    assert process.returncode == 130
    assert "Interrupted; run it again" in output
    assert "Traceback" not in output


def test_two_starts_at_once_set_up_once_and_both_run(tmp_path: Path) -> None:
    project = make_project(tmp_path)

    both = [start(project), start(project)]
    outputs = [process.communicate()[0] for process in both]

    assert [process.returncode for process in both] == [7, 7], outputs
    assert sum("Making the environment" in output for output in outputs) == 1


def test_an_environment_without_its_python_is_redone(copied: Path) -> None:
    marker = copied / ".venv" / "ready.json"
    marker.write_text(marker.read_text(encoding="utf-8").replace(base_python(), "/gone/python3"), encoding="utf-8")

    code, output = run(copied)

    assert (code, "Making the environment" in output) == (7, True)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no polite kill")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 0)], ids=["kill", "ctrl-c"])
def test_a_running_program_ends_when_told(installed: tuple[Path, str], sent: signal.Signals, code: int) -> None:
    project, _ = installed
    settings = project / "settings.toml"
    settings.write_text("", encoding="utf-8")
    process = start(project, "--settings", str(settings))
    read_until(process, "tiny=1")

    os.kill(process.pid, sent)
    output, _ = process.communicate()

    assert process.returncode == code
    assert "Traceback" not in output


def test_a_failed_build_is_one_sentence(copied: Path) -> None:
    (copied / "ui" / "build.py").write_text("raise SystemExit(3)\n", encoding="utf-8")

    code, output = run(copied, "build")

    assert (code, "(code 3)" in output) == (EXIT_REFUSED, True)


def test_a_port_in_use_is_said_before_anything_is_installed(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        code, output = run(project, "--port", str(port))

    assert code == EXIT_REFUSED
    assert f"Port {port} is in use" in output
    assert not (project / ".venv").exists()
