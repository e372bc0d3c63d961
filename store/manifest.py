"""Which files make up a store, and what was true when its newest run was begun.

Invariants:
- a store is the runs of its manifest and, on top, the journals from `journal_from` on, in order;
- a file that the first or the last manifest of the newest journal names is not removed: should the newest word be
  damaged, the one before still holds.
"""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_JOURNAL = re.compile(r"journal\.(\d{6,})")
_RUN = re.compile(r"run\.(\d{6,})")


class Manifest(BaseModel):
    """Shape: `runs` are file numbers, the oldest first; `state` is what tables do not hold: counts, cursor, numbers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    runs: tuple[int, ...] = ()
    journal_from: int = 1
    next_run: int = 1
    state: dict[str, Any] = Field(default_factory=dict)


def journal_name(number: int) -> str:
    return f"journal.{number:06d}"


def run_name(number: int) -> str:
    return f"run.{number:06d}"


def journal_numbers(names: list[str]) -> list[int]:
    return sorted(int(match[1]) for name in names if (match := _JOURNAL.fullmatch(name)))


def run_numbers(names: list[str]) -> list[int]:
    return sorted(int(match[1]) for name in names if (match := _RUN.fullmatch(name)))


def is_store_file(name: str) -> bool:
    return bool(_JOURNAL.fullmatch(name) or _RUN.fullmatch(name))


def unneeded(names: list[str], needed: list[Manifest], newest_journal: int) -> list[str]:
    """The files of a folder that none of the manifests needs. Files that are not a store's are left alone."""
    runs = {number for manifest in needed for number in manifest.runs}
    first = min(manifest.journal_from for manifest in needed)
    return [
        name
        for name in names
        if ((match := _RUN.fullmatch(name)) and int(match[1]) not in runs)
        or ((match := _JOURNAL.fullmatch(name)) and not first <= int(match[1]) <= newest_journal)
    ]
