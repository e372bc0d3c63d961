"""Pure answers to "can this machine do it?", asked before anything is downloaded.

Raises: SetupRefused, everywhere.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from sync.bootstrap.refusal import SetupRefused

OLDEST_PYTHON = (3, 11)
# Measured on Debian 12, 2 cores, with headroom for pip's temporary copies: 350 MB and 630 MB are left on the disk.
SPACE_NEEDED_MB = {"run": 900, "tests": 1400}


def check_python(version: Sequence[int]) -> None:
    """Refuse a Python that the program does not run on."""
    if tuple(version[:2]) < OLDEST_PYTHON:
        raise SetupRefused(
            "python_too_old",
            found=".".join(str(part) for part in version[:3]),
            needed=".".join(str(part) for part in OLDEST_PYTHON),
        )


def check_space(folder: Path, needed_mb: int, free_bytes: int | None = None) -> None:
    """Refuse a disk that a set-up would fill. The free space is measured unless given."""
    free_mb = (shutil.disk_usage(folder).free if free_bytes is None else free_bytes) // 1_000_000
    if free_mb < needed_mb:
        raise SetupRefused("no_space", folder=folder, needed_mb=needed_mb, free_mb=free_mb)


def check_writable(folder: Path) -> None:
    """Refuse a folder in which nothing can be made. Tried for real: permission bits do not tell on Windows."""
    probe = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise SetupRefused("disk_full") from error
        raise SetupRefused("not_writable", folder=folder) from error


def check_port(port: int, host: str = "127.0.0.1") -> None:
    """Refuse a port that the hub could not listen on, before minutes are spent on a set-up."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # The same option means "share" on Windows and "do not wait for TIME_WAIT" elsewhere.
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            refusal = port_refusal(error, port)
            if refusal is None:
                raise
            raise refusal from error


def port_refusal(error: OSError, port: int) -> SetupRefused | None:
    """Read a failed bind as something the user can remedy; None when it failed for another reason."""
    if error.errno in (errno.EADDRINUSE, 10048):  # 10048: WSAEADDRINUSE
        return SetupRefused("port_taken", port=port)
    if error.errno in (errno.EACCES, 10013):  # 10013: WSAEACCES
        return SetupRefused("port_forbidden", port=port)
    return None
