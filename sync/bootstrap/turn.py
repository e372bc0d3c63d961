"""One set-up at a time in one folder: a lock that the operating system drops when its holder dies.

A pid in a file would outlive a crash; asking whether a pid still lives has no portable answer (on Windows
`os.kill(pid, 0)` ends the process). So this is the system's own file lock, in its two dialects.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def turn(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file while the body runs; `on_wait` is called once if another set-up holds it.

    The file stays behind on purpose: removing it would let two holders lock two files of one name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        if not _try_lock(file):
            on_wait()
            while not _try_lock(file):
                time.sleep(0.2)  # neither system offers an interruptible wait that the other has too
        yield
