"""What the journey needs of a browser, whatever its engine and whatever protocol drives it."""

import shutil
from pathlib import Path
from typing import Any, ClassVar, Protocol

Action = dict[str, Any]


class Browser(Protocol):
    """One browser with its own profile; `start` after `stop` is the same device again.

    Invariant: `start` always makes new processes, so that what a page finds was on disk.
    """

    needs: ClassVar[dict[str, str]]  # program -> Debian package

    def __init__(self, profile: Path, log: list[str]) -> None: ...

    def start(self) -> None: ...

    def stop(self) -> None:
        """End it as its user does. Does nothing where it is not running."""

    def goto(self, url: str) -> None: ...

    def evaluate(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the top page. Shape: arguments and answer are JSON."""

    def act(self, sources: list[Action]) -> None:
        """Real keys and pointer. Shape: input sources of WebDriver "Actions", which BiDi shares; origin viewport."""

    def set_file(self, path: Path) -> None:
        """Choose a file in the only file field of the page in the frame."""

    def screenshot(self, path: Path) -> None: ...

    def set_offline(self, offline: bool) -> bool:
        """Say whether this engine can pull its network cable by itself, and do so if it can."""


def missing_package(browser: type[Browser]) -> str | None:
    """Name the first program that is not on this machine, and the package that has it."""
    for program, package in browser.needs.items():
        if not shutil.which(program):
            return f"{program} is missing: apt-get install {package}"
    return None
