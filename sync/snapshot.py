"""Give a device far behind the hub's tables as one file in pages, instead of changes one by one.

    POST /api/snapshot                    SnapshotRequest -> SnapshotAnswer
    GET  /api/snapshot/{sha256}/{page}    the bytes of one page, pages counted from 0

Invariants:
- one snapshot serves every device that asks for the same scope: what a device made itself after it, the device puts
  over it, since the usual exchange brings only what others made;
- the hub goes on answering while one is made; devices that ask meanwhile wait for the same one;
- the file is a copy: it is gone when the hub stops, and one made again at the same number has the same bytes and name,
  so that a device goes on where it was.
"""

import asyncio
import gzip
import hashlib
import logging
import zlib
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from aiohttp import web

from store.audit import AuditAction
from store.database import SCHEMA_VERSION
from store.hub_database import HubDatabase
from store.protocol import FAR_BEHIND_CHANGES, MAX_BODY_BYTES, SnapshotAnswer, SnapshotOffer, SnapshotRequest
from store.scope import Scope, scope_digest
from store.storage import FileFolder, StorageFile
from sync.audit_routes import note_by
from sync.messages import answer_json, read_message
from sync.refused import Refused

PAGE_BYTES = 2 * 1024 * 1024
# A device that asks is answered after so long at the latest, and asks again; browsers' requests end after 30 s.
_PATIENCE_SECONDS = 10.0
_KEPT = 2  # a device may be in the middle of the one before
_KEPT_SCOPED = 8  # of chosen sessions: small, and each tablet may have chosen others
_GZIP_LEVEL = 5
_MAKING = "making"
log = logging.getLogger(__name__)


@dataclass
class Snapshot:
    """One snapshot on the disk, its pages packed. Shape: page n ends at `ends[n]`, in bytes."""

    offer: SnapshotOffer
    name: str
    file: StorageFile
    ends: list[int]

    def packed_page(self, page: int) -> bytes:
        start = self.ends[page - 1] if page else 0
        return self.file.read(start, self.ends[page] - start)


class Snapshots:
    """The newest snapshots of one hub."""

    def __init__(self, database: HubDatabase, folder: Path) -> None:
        self._database = database
        self._path = folder
        self._folder: FileFolder | None = None
        self._kept: list[Snapshot] = []  # the newest last
        self._making: asyncio.Task[None] | None = None
        self._names = count(1)
        self.far_behind = FAR_BEHIND_CHANGES
        self.page_bytes = PAGE_BYTES

    async def answer(self, request: SnapshotRequest) -> SnapshotAnswer:
        """What a device that has read so far is to do. Raises: StorageFailed."""
        lacks = self._database.head - request.after
        if lacks < 0 or (lacks <= self.far_behind and not request.anew):
            return SnapshotAnswer()
        give_up_at = monotonic() + _PATIENCE_SECONDS
        while (kept := self._suiting(request)) is None:
            if self._making is None:  # one at a time, whatever is asked for
                self._making = asyncio.get_running_loop().create_task(self._make(request.scope))
                self._making.add_done_callback(_take_note)
            making = self._making
            await asyncio.wait([making], timeout=give_up_at - monotonic())
            if not making.done():
                return SnapshotAnswer(making=True)
            making.result()
        return SnapshotAnswer(offer=kept.offer)

    def find(self, sha256: str) -> Snapshot | None:
        return next((kept for kept in self._kept if kept.offer.sha256 == sha256), None)

    async def close(self) -> None:
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)
        while self._kept:
            await self._drop(self._kept.pop())

    def _suiting(self, request: SnapshotRequest) -> Snapshot | None:
        """The newest for this scope, where it is new enough."""
        wanted = scope_digest(request.scope)
        kept = next((kept for kept in reversed(self._kept) if kept.offer.scope == wanted), None)
        if kept is None or kept.offer.generation != self._database.generation:
            return None
        head = kept.offer.head
        is_newer = head >= request.after if request.anew else head > request.after
        return kept if is_newer and self._database.head - head <= self.far_behind else None

    async def _make(self, scope: Scope | None) -> None:
        try:
            folder = await self._empty_folder()
            file = await folder.open(_MAKING)
            try:
                facts = await self._database.write_snapshot(file, scope)
                self._kept.append(await self._pack(folder, file, facts))
            finally:
                await file.close()
                await folder.remove(_MAKING)
            alike = [kept for kept in self._kept if bool(kept.offer.scope) == (scope is not None)]
            for kept in alike[: -_KEPT_SCOPED if scope is not None else -_KEPT]:
                self._kept.remove(kept)
                await self._drop(kept)
        finally:
            self._making = None

    async def _empty_folder(self) -> FileFolder:
        """The folder for snapshots, at first without what an earlier run of the hub may have left."""
        if self._folder is None:
            self._folder = FileFolder(self._path)
            for name in await self._folder.names():
                await self._folder.remove(name)
        return self._folder

    async def _pack(self, folder: FileFolder, run: StorageFile, facts: dict[str, Any]) -> Snapshot:
        name, digest = f"pages.{next(self._names)}", hashlib.sha256()
        crcs: list[int] = []
        ends: list[int] = []
        packed = await folder.open(name)
        try:
            for start in range(0, run.size(), self.page_bytes):
                page = run.read(start, self.page_bytes)
                digest.update(page)
                crcs.append(zlib.crc32(page))
                await packed.append(await asyncio.to_thread(gzip.compress, page, _GZIP_LEVEL), durable=False)
                ends.append(packed.size())
        except BaseException:
            await packed.close()
            await folder.remove(name)
            raise
        offer = SnapshotOffer(
            schema_version=SCHEMA_VERSION,
            generation=self._database.generation,
            size_bytes=run.size(),
            page_bytes=self.page_bytes,
            page_crcs=crcs,
            sha256=digest.hexdigest(),
            **facts,
        )
        return Snapshot(offer, name, packed, ends)

    async def _drop(self, snapshot: Snapshot) -> None:
        await snapshot.file.close()
        if self._folder is not None:
            await self._folder.remove(snapshot.name)


def _take_note(making: "asyncio.Task[None]") -> None:
    """Whoever waited has been told already; a device that did not wait so long asks again, and a new one is begun."""
    if not making.cancelled() and (error := making.exception()) is not None:
        log.error("no snapshot could be made: %s", type(error).__name__)


SNAPSHOTS = web.AppKey("snapshots", Snapshots)


def add_snapshots(app: web.Application, database: HubDatabase, folder: Path) -> None:
    """Serve snapshots of a database; they lie in `folder`, which is theirs alone."""
    app[SNAPSHOTS] = Snapshots(database, folder)
    app.router.add_post("/api/snapshot", offer_snapshot)
    app.router.add_get("/api/snapshot/{sha256}/{page:\\d{1,6}}", send_page)

    async def close(app: web.Application) -> None:
        await app[SNAPSHOTS].close()

    app.on_cleanup.append(close)


async def offer_snapshot(request: web.Request) -> web.Response:
    """Say whether a device should fetch a snapshot, and which."""
    message = await read_message(request, SnapshotRequest, MAX_BODY_BYTES)
    answer = await request.app[SNAPSHOTS].answer(message)
    if answer.offer is not None:
        note_by(request, AuditAction.TOOK_SNAPSHOT, {"kind": "everyone" if message.scope is None else "scope"})
    return await answer_json(request, answer)


async def send_page(request: web.Request) -> web.Response:
    """Send one page of a snapshot; packed, as every browser takes it."""
    snapshot = request.app[SNAPSHOTS].find(request.match_info["sha256"])
    page = int(request.match_info["page"])
    if snapshot is None or page >= len(snapshot.ends):
        raise Refused(404, "snapshot_gone")
    body, headers = snapshot.packed_page(page), {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = await asyncio.to_thread(gzip.decompress, body)
    return web.Response(body=body, content_type="application/octet-stream", headers=headers)
