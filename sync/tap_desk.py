"""What the desks have in common that send batches to CDC at staff's tap, and only then.

Invariants:
- one tap at a time;
- every answer of CDC is on disk as it came before anybody tries to understand it;
- what is to be sent is on disk, as SENT and byte for byte, before it leaves. A Bundle whose fate is unknown goes again
  as it was, before anything else: CDC counts an identifier once.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from store.changes import ChangeDraft, ChangeKind, World
from store.hub_database import HubDatabase
from store.protocol import STAFF
from store.record_table import RecordTable
from store.uploads import BatchState
from sync import upload_queue
from sync.cdc_client import CdcClient
from sync.registry import CdcSettings, Exchange, find_sent_body, sent_exchange

MADE_BY = "hub"


class TapDesk:
    """One kind of batch. `batches` is its table."""

    def __init__(
        self, database: HubDatabase, client: CdcClient, settings: CdcSettings, world: World, batches: RecordTable
    ) -> None:
        self._database = database
        self._tables = database.tables
        self._client = client
        self._settings = settings
        self._world = world
        self._batches = batches
        self._turn = asyncio.Lock()
        self._asked_by = STAFF  # whose tap it is that is being done

    def is_busy(self) -> bool:
        """Another station's tap is at it, and its outcome comes to all."""
        return self._turn.locked()

    @asynccontextmanager
    async def _tapped(self, asked_by: str) -> AsyncIterator[None]:
        async with self._turn:
            self._asked_by = asked_by
            yield

    def _new_batch_id(self, now: datetime) -> str:
        return upload_queue.new_batch_id(
            self._settings.org_id, now, self._world.random_bytes(2), self._tables.has_batch
        )

    def _open_batches(self) -> Iterator[tuple[Mapping[str, Any], bytes]]:
        """Each batch that CDC's word is not known of, with its bytes, the oldest first."""
        found = list(self._batches.find_by("state", BatchState.SENT))
        for batch in sorted(found, key=lambda batch: datetime.fromisoformat(batch["sent_at"])):
            yield batch, find_sent_body(self._database.exchanges_of(batch["batch_id"]), batch["batch_id"])

    async def _begin(
        self,
        kind: ChangeKind,
        batch_id: str,
        rows: Sequence[Mapping[str, Any]],
        body: bytes,
        now: datetime,
        path: str = "/Bundle",
    ) -> None:
        """Write a batch down as SENT, with what will leave. `path`: where to."""
        draft = ChangeDraft(kind, batch_id, {"rows": list(rows)})
        kept = sent_exchange(batch_id, body, now, path, self._asked_by)
        await self._database.commit([draft], MADE_BY, exchanges=[kept])

    async def _keep(self, exchange: Exchange) -> None:
        await self._database.keep_exchange(exchange.as_data(self._asked_by))

    async def _answered(self, kind: ChangeKind, batch_id: str, payload: dict[str, Any]) -> None:
        await self._database.commit([ChangeDraft(kind, batch_id, payload)], MADE_BY)
