"""CDC's stock as the hub fetches it, and what was used of it on its way to CDC. Both only at staff's tap.

    POST /api/cdc/stock           {} -> StockAnswer    download the whole table
    POST /api/cdc/stock/upload    {} -> StockAnswer    upload what was typed and not sent

Invariants, besides those of every desk (tap_desk.py):
- a table counts whole or not at all; an empty one never replaces one that is not;
- what is open goes first also before a download: a balance that may or may not hold it yet would be taken for the wrong
  one.
"""

import logging
from collections.abc import Awaitable, Callable

from store.changes import ChangeDraft, ChangeKind, World
from store.hub_database import HubDatabase
from store.protocol import STAFF, StockAnswer
from store.stock import ConsumptionResult, StockRow, draft_new_lots, stock_rows
from store.stock_waiting import waiting_rows
from sync import cdc_stock
from sync.cdc_client import CdcClient
from sync.registry import AnswerUnreadable, CdcSettings, RegistryError
from sync.tap_desk import MADE_BY, TapDesk

MAX_PAGES = 500
_log = logging.getLogger(__name__)


class StockDesk(TapDesk):
    """The one who asks CDC for stock."""

    def __init__(self, database: HubDatabase, client: CdcClient, settings: CdcSettings, world: World) -> None:
        super().__init__(database, client, settings, world, database.tables.stock_batches)

    async def download(self, asked_by: str = STAFF) -> StockAnswer:
        return await self._alone(self._download, asked_by)

    async def upload(self, asked_by: str = STAFF) -> StockAnswer:
        return await self._alone(self._upload, asked_by)

    async def close(self) -> None:
        await self._client.close()

    async def _alone(self, work: Callable[[], Awaitable[StockAnswer]], asked_by: str) -> StockAnswer:
        if self.is_busy():
            return StockAnswer(code="busy")
        async with self._tapped(asked_by):
            try:
                return await work()
            except RegistryError as error:
                _log.warning("CDC stock: %s", error.code)  # the code alone: CDC's words may name anybody
                return StockAnswer(code=error.code, detail=error.detail)

    # ---- download

    async def _download(self) -> StockAnswer:
        await self._finish_open_batches()
        rows, unreadable = await self._all_pages(self._world.make_record_id())
        if not rows and (unreadable or stock_rows(self._tables)):
            return StockAnswer(code="stock_empty", unreadable=unreadable)
        lots = draft_new_lots(self._tables, rows)
        payload = {
            "rows": [row.model_dump(mode="json", exclude_defaults=True) for row in rows],
            **({"unreadable": unreadable} if unreadable else {}),
        }
        received = ChangeDraft(ChangeKind.STOCK_RECEIVED, self._world.make_record_id(), payload)
        await self._database.commit([received, *lots], MADE_BY)
        return StockAnswer(code="downloaded", rows=len(rows), new_lots=len(lots), unreadable=unreadable)

    async def _all_pages(self, download_id: str) -> tuple[list[StockRow], int]:
        rows: dict[str, StockRow] = {}
        entries = unreadable = 0
        query, asked = cdc_stock.first_query(self._settings.org_id), set[str]()
        while query:
            if query in asked or len(asked) >= MAX_PAGES:
                raise AnswerUnreadable("pages without end")
            asked.add(query)
            exchange = await self._client.stock(download_id, query)
            await self._keep(exchange)
            page = cdc_stock.read_stock_page(exchange)
            rows |= {row.identifier: row for row in page.rows}
            entries += len(page.rows) + page.unreadable
            unreadable += page.unreadable
            query = page.next_query
        if page.total is not None and page.total != entries:
            # Rows went or came while the pages were turned: half of two tables is none.
            raise AnswerUnreadable(f"{entries} of {page.total} rows")
        return list(rows.values()), unreadable

    # ---- upload

    async def _upload(self) -> StockAnswer:
        results = await self._finish_open_batches()
        # Once: what CDC refuses now waits for another tap.
        waiting = [(used, row["identifier"], row["lot_number"]) for used, row in waiting_rows(self._tables)]
        for start in range(0, len(waiting), self._settings.max_rows):
            rows = waiting[start : start + self._settings.max_rows]
            now = self._world.now()
            batch_id = self._new_batch_id(now)
            body = cdc_stock.make_consumption(batch_id, rows, now)
            sent = [row.model_dump(mode="json") for row, _, _ in rows]
            await self._begin(ChangeKind.CONSUMPTION_SENT, batch_id, sent, body, now)
            results += await self._post(batch_id, body)
        if not results:
            return StockAnswer(code="nothing_to_upload")
        accepted = [result for result in results if result.accepted]
        words = (accepted or results)[0]
        return StockAnswer(
            code="uploaded",
            accepted=len(accepted),
            refused=len(results) - len(accepted),
            detail=" ".join(part for part in (words.code, words.text) if part),
        )

    async def _finish_open_batches(self) -> list[ConsumptionResult]:
        """Send again, as it was, whatever CDC's word is not known of. Raises: RegistryError."""
        results: list[ConsumptionResult] = []
        for batch, body in self._open_batches():
            results += await self._post(batch["batch_id"], body)
        return results

    async def _post(self, batch_id: str, body: bytes) -> list[ConsumptionResult]:
        """Raises: RegistryError, also where a row is still without CDC's word: nothing else is done before it has."""
        rows = self._tables.stock_batches.at(batch_id)["rows"]
        exchange = await self._client.consume(batch_id, body)
        await self._keep(exchange)
        results = cdc_stock.read_consumption(exchange, [row["consumption_id"] for row in rows])
        if results:
            payload = {"results": [result.model_dump(mode="json") for result in results]}
            await self._answered(ChangeKind.CONSUMPTION_ANSWERED, batch_id, payload)
        if len(results) < len(rows):
            raise AnswerUnreadable(f"HTTP 200 with a word on {len(results)} of {len(rows)} rows")
        return results
