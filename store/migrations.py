"""Stores of earlier versions, one function per step. The old files stay until the new ones are whole.

Schema 1: one file (`Database.schema_1_file`), read from the start at each opening.
Schema 2: runs and numbered journals (manifest.py).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pydantic import ValidationError

from store.errors import JournalTooNew, JournalUnreadable
from store.journal import Journal
from store.manifest import Manifest, unneeded

if TYPE_CHECKING:
    from store.database import Database


async def migrate(database: Database, names: list[str]) -> bool:
    """Bring a store of an earlier version to this one's form; False where there is none.

    Raises: JournalUnreadable, JournalTooNew, StorageFailed; the old store is untouched then.
    """
    if database.schema_1_file not in names:
        return False
    return await _from_1_to_2(database, names)


async def _from_1_to_2(database: Database, names: list[str]) -> bool:
    from store.database import ENTRIES

    old_file = await database.folder.open(database.schema_1_file)
    journal = Journal(old_file)
    frames = journal.frames()
    first = next(frames, None)
    if first is None:  # nothing was ever kept in it
        await journal.close()
        await database.folder.remove(database.schema_1_file)
        return False
    # Whatever else is there is what an earlier try has left: the old file is removed last.
    for name in unneeded(names, [Manifest(journal_from=1)], newest_journal=0):
        await database.folder.remove(name)
    opened = False
    for payload in chain([first], frames):
        try:
            entries = ENTRIES.validate_json(payload)
        except ValidationError as error:
            raise JournalTooNew("a frame holds entries this version does not know") from error
        for entry in entries:
            if entry.e == "store":
                data = entry.data or {}
                if data.get("role") != database.role:
                    raise JournalUnreadable(f"a journal of role {data.get('role')}, opened as {database.role}")
                if data.get("schema") != 1:
                    raise JournalTooNew(f"schema {data.get('schema')} in a file of schema 1")
                await database.begin(data["device_id"], data["generation"])
                opened = True
            elif not opened:
                raise JournalUnreadable("the beginning of the journal is damaged")
            else:
                database.replay(entry)
        if database.newer_records() >= database.checkpoint_records:
            await database.checkpoint()
    await database.checkpoint()
    database.recovery = journal.recovery
    # A browser may bring a removed file back after a loss of power. Then it holds nothing that could be migrated again,
    # over what was recorded since.
    await old_file.truncate(0)
    await journal.close()
    await database.folder.remove(database.schema_1_file)
    return True
