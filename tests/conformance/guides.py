"""The published guides, where a machine has them: profiles and examples are not this project's to pass on."""

import json
from pathlib import Path
from typing import Any

import pytest

GUIDES = Path(__file__).parents[3] / "shared" / "domain"


def read_profile(name: str) -> dict[str, Any]:
    """A StructureDefinition of TW Core 0.3.1 (CC0-1.0)."""
    return read_guide(f"twcore/StructureDefinition-{name}.json")


def read_guide(path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_guide_text(path))
    return found


def read_guide_text(path: str) -> str:
    """Skips the test where the file is missing."""
    file = GUIDES / path
    if not file.exists():
        pytest.skip(f"the published guides are not beside the project: {path}")
    return file.read_text("utf-8")
