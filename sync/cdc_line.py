"""The line to CDC put together from the settings; nothing of it is loaded where no CDC is set."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Self

from store.changes import World
from store.hub_database import HubDatabase
from sync.history import HistoryDesk
from sync.hub import CdcLink, ExamLink, StockLink
from sync.settings import Settings


async def _nothing_to_close() -> None:
    pass


async def _nothing_to_probe(_: Callable[[], bool]) -> None:
    pass


@dataclass(frozen=True)
class CdcLine:
    """What talks to CDC, or why nothing does: `failure` is empty where no CDC is set."""

    worker: CdcLink | None = None
    history: HistoryDesk | None = None
    close: Callable[[], Awaitable[None]] = _nothing_to_close
    failure: str = ""
    stock: StockLink | None = None
    exams: ExamLink | None = None
    probe: Callable[[Callable[[], bool]], Coroutine[Any, Any, None]] = _nothing_to_probe

    @classmethod
    def open(cls, settings: Settings, database: HubDatabase, world: World) -> Self:
        """Raises: OSError when a secret's file went away since the settings were checked."""
        cdc = settings.cdc
        if cdc is None:
            return cls()
        from sync import registry
        from sync.cdc_client import CdcClient
        from sync.exams import ExamDesk
        from sync.probe import keep_probing
        from sync.signing import CertificateUnusable
        from sync.stock import StockDesk
        from sync.worker import CdcWorker

        told = registry.CdcSettings(
            base_url=cdc.base_url,
            org_id=settings.institution_code,
            read_key_id=cdc.read_key_id,
            p12_path=cdc.certificate_p12,
            p12_password=cdc.read_certificate_password(),
            verify_after_seconds=cdc.verify_after_seconds,
            gather_seconds=cdc.gather_seconds,
            batches_per_minute=cdc.batches_per_minute,
            timeout_seconds=cdc.timeout_seconds,
            retry_base_seconds=cdc.retry_base_seconds,
            retry_cap_seconds=cdc.retry_cap_seconds,
        )
        try:
            client, at_a_tap = CdcClient(told, world), CdcClient(told, world)
        except CertificateUnusable as error:
            return cls(failure=f"certificate_{error.reason}")
        history = HistoryDesk(database, client, world)

        async def close() -> None:
            await history.close()
            await client.close()
            await at_a_tap.close()

        # A client of its own: an upload of vaccinations must not wait behind many pages of stock.
        stock, exams = StockDesk(database, at_a_tap, told, world), ExamDesk(database, at_a_tap, told, world)
        worker = CdcWorker(database, client, told, world)

        def probe(is_watched: Callable[[], bool]) -> Coroutine[Any, Any, None]:
            return keep_probing(worker, cdc.base_url, is_watched)

        return cls(worker, history, close, stock=stock, exams=exams, probe=probe)
