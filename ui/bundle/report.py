"""Tell whoever waits for the bundle what is being done, and what to do when it fails."""

import sys
import time


class BuildError(Exception):
    """The bundle could not be built; the text is one sentence on what failed and one on the remedy."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")


class Report:
    """Numbered steps on standard output, each with the seconds the one before it took."""

    def __init__(self, steps: int) -> None:
        self._steps, self._done, self._began = steps, 0, time.monotonic()

    def step(self, text: str) -> None:
        self._done += 1
        print(f"bundle {self._done}/{self._steps} ({time.monotonic() - self._began:4.1f} s) {text}", flush=True)

    def note(self, text: str) -> None:
        print(f"    {text}", flush=True)

    def count(self, done: int, total: int, what: str) -> None:
        """Show progress in place on a terminal; a log gets the last line only."""
        if sys.stdout.isatty():
            print(f"\r    {done}/{total} {what}", end="\n" if done == total else "", flush=True)
        elif done == total:
            self.note(f"{total} {what}")
