"""Bring the locked wheels and npm packages into the cache; what is there with the right hash is not asked for again."""

import hashlib
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from ui.bundle.image import Files
from ui.bundle.node import run_npm
from ui.bundle.report import BuildError, Report

_LOCKS = Path(__file__).parent
WHEEL_LOCK = _LOCKS / "wheels.txt"
PYTHON_PART_LOCK = _LOCKS / "wheels-python-part.txt"
PYODIDE_LOCK = _LOCKS / "pyodide.txt"
LIBSODIUM_LOCK = _LOCKS / "libsodium.txt"

# Pyodide's CPython and ABI; with a new Pyodide all three lock files are made anew.
_PYODIDE_PLATFORM = ["pyemscripten_2026_0_wasm32"]
_LINUX_PLATFORM = ["manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_28_x86_64"]
_NETWORK = "Check that this machine reaches the internet (a proxy is set with HTTPS_PROXY), then start again."


def fetch_wheels(cache: Path, report: Report) -> Files:
    """Return every file of the locked wheels by its path after installation."""
    files: Files = {}
    for lock, platforms, python_only in (
        (WHEEL_LOCK, _PYODIDE_PLATFORM, False),
        (PYTHON_PART_LOCK, _LINUX_PLATFORM, True),
    ):
        hashes = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock.read_text(encoding="utf-8")))
        folder = cache / "wheels"
        folder.mkdir(parents=True, exist_ok=True)
        if hashes - _hashes_in(folder):
            _pip_download(lock, platforms, folder, report)
        for path in sorted(folder.glob("*.whl")):
            if _sha256(path) in hashes:
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        if not name.endswith("/") and (name.endswith(".py") or not python_only):
                            files[name] = archive.read(name)
        if missing := hashes - _hashes_in(folder):
            raise BuildError(f"{len(missing)} locked wheels are missing after the download.", _NETWORK)
    return files


def fetch_package(lock: Path, cache: Path, report: Report) -> Path:
    """Return the folder of the unpacked npm package, all its files side by side. Raises: BuildError."""
    name, version, expected = lock.read_text(encoding="utf-8").splitlines()[-1].split()
    folder = cache / f"{name}-{version}"
    if (folder / "complete").exists():
        return folder
    tarball = cache / f"{name}-{version}.tgz"
    if not tarball.exists() or _sha256(tarball) != expected:
        report.note(f"{name} {version}")
        package, folder_option = f"{name}@{version}", str(cache.resolve())
        try:
            arguments = ["pack", package, "--pack-destination", folder_option, "--loglevel", "error"]
            run_npm(arguments, cwd=cache, what="npm pack")
        except BuildError as error:
            raise BuildError(f"{name} could not be downloaded.", f"{_NETWORK}\n{error}") from error
    if _sha256(tarball) != expected:
        raise BuildError(f"{tarball.name} is not the file that was locked.", "Delete it and start again.")
    folder.mkdir(exist_ok=True)
    with tarfile.open(tarball) as archive:
        for member in archive.getmembers():
            if member.isfile() and (source := archive.extractfile(member)):
                (folder / Path(member.name).name).write_bytes(source.read())
    (folder / "complete").touch()
    return folder


def _pip_download(lock: Path, platforms: list[str], folder: Path, report: Report) -> None:
    command = [sys.executable, "-m", "pip", "download", "--require-hashes", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "--no-cache-dir"]
    command += ["--implementation=cp", "--python-version=3.14", "--abi=cp314"]
    command += [f"--platform={platform}" for platform in platforms]
    command += ["--dest", str(folder), "--requirement", str(lock)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, errors="replace", **pipes) as pip:
        assert pip.stdout is not None
        tail: list[str] = []
        for line in pip.stdout:
            tail = [*tail[-9:], line.rstrip()]
            if line.startswith("Collecting "):
                report.note(line.split()[1])
    if pip.returncode != 0:
        raise BuildError("pip could not download the browser's wheels.", _NETWORK + "\n" + "\n".join(tail))


def _hashes_in(folder: Path) -> set[str]:
    return {_sha256(path) for path in folder.glob("*.whl")}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
