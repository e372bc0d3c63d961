"""What the journey needs of a browser, whatever its engine and whatever protocol drives it."""

import shutil
from pathlib import Path
from typing import Any, ClassVar, Protocol

Action = dict[str, Any]


class Browser(Protocol):
    """One browser with its own profile; `start` after `stop` is the same device again.

    Invariant: `start` always makes new processes, so that what a page finds was on disk.
    """

    needs: ClassVar[dict[str, tuple[str, ...]]]  # Debian package -> its program, under any of these names

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

    def set_offline(self, offline: bool) -> None:
        """Pull the network cable or plug it in, in engines that can. A journey stops the hub as well."""


def missing_package(browser: type[Browser]) -> str | None:
    """Name the first program that is not on this machine, and the package that has it."""
    for package, names in browser.needs.items():
        if find_program(*names) is None:
            return f"{names[0]} is missing: apt-get install {package}"
    return None


def find_program(*names: str) -> str | None:
    """Return the path of the first of these that is installed."""
    return next(filter(None, map(shutil.which, names)), None)
