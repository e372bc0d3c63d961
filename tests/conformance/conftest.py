"""The validator, installed out of its lock into .build/; a machine without network keeps what it has there."""

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ui.bundle.node import node_program, run_npm

ROOT = Path(__file__).parents[2]
FILES = ("package.json", "package-lock.json", "validate.mjs")

Resource = dict[str, Any]
Validate = Callable[..., list[list[str]]]


@pytest.fixture(scope="session")
def validate() -> Validate:
    """Give a list of resources, get for each the list of what is wrong with it; `profiles` are StructureDefinitions."""
    folder = ROOT / ".build" / "conformance"
    lock = folder / "package-lock.json"
    installed = lock.exists() and lock.read_bytes() == (Path(__file__).parent / "package-lock.json").read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(Path(__file__).parent / name, folder / name)
    if not installed or not (folder / "node_modules").exists():
        run_npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, what="npm ci")

    def run(resources: Sequence[Resource], profiles: Sequence[Resource] = ()) -> list[list[str]]:
        given = json.dumps({"resources": list(resources), "profiles": list(profiles)})
        done = subprocess.run(
            [node_program(), "validate.mjs"], cwd=folder, input=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found: list[list[str]] = json.loads(done.stdout)
        return found

    return run
