"""The browser's own JavaScript under Node, laid out as the bundle lays it out."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ui.build import CACHE, LIBSODIUM_FILE, ROOT
from ui.bundle.download import LIBSODIUM_LOCK, fetch_package
from ui.bundle.node import node_program
from ui.bundle.report import Report

RunInNode = Callable[[str], str]


@pytest.fixture
def run_in_node(tmp_path: Path) -> RunInNode:
    """Run a module beside the folders runtime/ and libsodium/ and the .mjs files here, give what it printed."""
    CACHE.mkdir(parents=True, exist_ok=True)
    libsodium = fetch_package(LIBSODIUM_LOCK, CACHE, Report(steps=1))
    shutil.copytree(ROOT / "ui" / "runtime", tmp_path / "runtime", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "libsodium").mkdir()
    shutil.copy(libsodium / LIBSODIUM_FILE, tmp_path / "libsodium")
    for helper in Path(__file__).parent.glob("*.mjs"):
        shutil.copy(helper, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')

    def run(script: str) -> str:
        (tmp_path / "script.mjs").write_text(script, encoding="utf-8")
        command = [node_program(), "script.mjs"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=110, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    return run
