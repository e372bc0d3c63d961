"""What one running hub consists of, as its handlers see it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aiohttp import web

from store.hub_database import HubDatabase
from store.protocol import CdcLinkState, ExamsAnswer, HubStatus, Notice, StockAnswer
from sync.access.desk import AccessDesk
from sync.audit import HubAudit
from sync.history import HistoryDesk
from sync.live import Live
from sync.settings import Settings
from sync.static import Bundle


class CdcLink(Protocol):
    """The line to CDC; sync/worker.py is it."""

    async def run(self) -> None:
        """Upload and ask for verification whenever due, until cancelled."""
        ...

    def wake(self, asked_by: str) -> None:
        """Do now what is waiting: staff asked."""
        ...

    def status(self) -> tuple[CdcLinkState, datetime | None, str]: ...

    def again_at(self) -> datetime | None:
        """Until when nothing is tried after a failure."""
        ...

    def on_status(self, callback: Callable[[], None]) -> object: ...


class StockLink(Protocol):
    """CDC's stock; sync/stock.py is it. Each tells its outcome, and raises nothing that CDC or the line causes."""

    async def download(self, asked_by: str) -> StockAnswer: ...

    async def upload(self, asked_by: str) -> StockAnswer: ...


class ExamLink(Protocol):
    """CDC's registry of exam results; sync/exams.py is it."""

    async def upload(self, asked_by: str) -> ExamsAnswer: ...


@dataclass
class Hub:
    """One clinic's hub.

    Shape: `worker` is None where no CDC is set; `cdc_failed` says why the line cannot work at all (an expired
    certificate, a bug), since saving must go on without it.
    """

    settings: Settings
    database: HubDatabase
    worker: CdcLink | None
    bundle: Bundle
    started_at: datetime
    audit: HubAudit
    access: AccessDesk
    cdc_failed: str = ""
    stock: StockLink | None = None
    exams: ExamLink | None = None
    history: HistoryDesk | None = None  # asks CDC about a person; None where no CDC is set
    lan_names: Sequence[str] = ()  # the hub's names and addresses on the clinic's network, see lan.py
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        self.live = Live(self.notice)

    def status(self) -> HubStatus:
        since: datetime | None = None
        again_at: datetime | None = None
        if self.cdc_failed:
            state, detail = CdcLinkState.FAILING, self.cdc_failed
        elif self.worker is None:
            state, detail = CdcLinkState.NOT_CONFIGURED, ""
        else:
            state, since, detail = self.worker.status()
            again_at = self.worker.again_at()
        return HubStatus(
            cdc=state,
            cdc_since=since,
            cdc_detail=detail,
            cdc_again_at=again_at,
            institution_code=self.settings.institution_code,
            practice=self.settings.practice,
        )

    def notice(self) -> Notice:
        return Notice(head=self.database.head, status=self.status())


HUB = web.AppKey("hub", Hub)
