"""The one file with staff and devices: whole, or as it was before; its owner's alone.

    access.json = SHA-256 of the rest in hexadecimal digits, a line's end, JSON (`Known`)

Invariants:
- what was acknowledged is on disk; at every moment the file is one whole state;
- a file that is not as it was written is refused and never taken for a hub without accounts, which would open it.
"""

import asyncio
import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from store.beside import ACCESS_FILE
from store.errors import StorageFailed, StorageFull
from store.storage import open_private, sync_folder
from sync.access.known import Known
from sync.sentences import HubRefused


def read_known(folder: Path) -> Known:
    """Raises: HubRefused where there is a file that does not count."""
    path = folder / ACCESS_FILE
    try:
        data, mode = path.read_bytes(), path.stat().st_mode
    except FileNotFoundError:
        return Known()
    except OSError as error:
        raise HubRefused("storage_failed", path=path) from error
    # Windows keeps who may read a file elsewhere; its mode bits tell nothing.
    if os.name == "posix" and mode & 0o077:
        raise HubRefused("file_not_private", path=path)
    digest, _, text = data.partition(b"\n")
    try:
        if hashlib.sha256(text).hexdigest().encode() != digest:
            raise ValueError("damaged")
        known = Known.model_validate_json(text)
    except ValueError as error:  # pydantic's too
        raise HubRefused("access_unreadable", path=path) from (None if isinstance(error, ValidationError) else error)
    return known


def write_known(folder: Path, known: Known) -> None:
    """Raises: StorageFailed; then the file is as it was."""
    path, beside = folder / ACCESS_FILE, folder / f"{ACCESS_FILE}.part"
    text = known.model_dump_json(indent=1).encode()
    try:
        beside.unlink(missing_ok=True)
        with open_private(beside) as out:
            out.write(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(beside, path)
        sync_folder(folder)
    except OSError as error:
        raise (StorageFull if error.errno == errno.ENOSPC else StorageFailed)(str(error)) from error


class KeptFile:
    """What is known, and the way to change it: on disk first."""

    def __init__(self, folder: Path) -> None:
        """Raises: HubRefused."""
        self._folder = folder
        self.known = read_known(folder)
        self._turn = asyncio.Lock()

    async def change(self, edit: Callable[[Known], Known]) -> None:
        """Put what `edit` makes of the present state in its place; on disk when this returns.

        `edit` sees what every earlier one has made, and may raise to change nothing. Raises: StorageFailed; then
        nothing holds.
        """
        async with self._turn:
            edited = edit(self.known)
            if edited is not self.known:
                edited = edited.model_copy(update={"revision": self.known.revision + 1})
                await asyncio.to_thread(write_known, self._folder, edited)
                self.known = edited
