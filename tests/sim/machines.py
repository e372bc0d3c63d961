"""A nurse's device and the clinic's hub: switched on, killed, taken over, with the product's own code inside.

Invariants:
- a machine has at most one living process; what it knows beyond that stands on its disk;
- the hub is asked through its own handler and error shape (sync/routes.py, sync/middlewares.py).
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from pydantic_core import from_json

from store.changes import World
from store.device_database import DeviceDatabase
from store.errors import AppError, JournalUnreadable
from store.hub_database import HubDatabase
from store.protocol import HubStatus, Notice
from sync import middlewares, routes
from sync.hub import HUB
from sync.registry import CdcSettings
from sync.worker import CdcWorker
from tests.sim import invariants, storage
from tests.sim.cdc import ORG_ID, Cdc, CdcPort
from tests.sim.disk import VirtualFolder
from tests.sim.ledger import Ledger
from tests.sim.loop import Process, VirtualLoop
from tests.sim.network import HubAnswer, HubPort, HubSide, Stream, Wire
from ui.sync_client import SyncClient

_BEGAN = datetime(2026, 11, 23, tzinfo=UTC)
_REOPEN_SECONDS = 5.0
_HANDLERS = {"/api/sync": routes.sync, "/api/cdc/wake": routes.wake_cdc}


class Machine:
    """What a device and the hub share: a disk, a clock that may be wrong, and a process at times."""

    def __init__(self, name: str, loop: VirtualLoop, rng: Random, ledger: Ledger, folder: VirtualFolder) -> None:
        self.name, self.loop, self.rng, self.ledger = name, loop, rng, ledger
        self.folder = folder
        self.upkeep = storage.Upkeep()
        self.database: Any = None
        self.skew_seconds = 0.0
        self.process: Process | None = None
        self.starts = 0
        self.world = World(now=self._now, random_bytes=rng.randbytes)

    def switch_on(self) -> None:
        if self.process is None:
            self.starts += 1
            self.process = Process(self.loop, self.name, self._bug)
            self.process.start(self._run(self.process))

    def crash(self, power_lost: bool, back_in: float, cached: bool = False) -> None:
        """Kill what runs here, now; switch it on again later."""
        if self.process is None:
            return
        self.ledger.tell(self.name, f"{'power lost' if power_lost else 'killed'}, back in {back_in:.1f} s")
        self.ledger.count("crashes")
        doing = storage.upkeep_under_way(self.database, self.folder) if self.database is not None else ""
        if doing:
            self.ledger.tell(self.name, f"it was {doing}")
            self.ledger.count(f"crashes {doing}")
        self.process.kill()
        self.process = None
        self.folder.on_next_write = None
        before = self.folder.came_back
        self.folder.crash(power_lost, cached)
        self.ledger.count("removed files came back", self.folder.came_back - before)
        self._gone()
        self.loop.later(back_in, self.switch_on)

    async def _run(self, process: Process) -> None:
        raise NotImplementedError

    def _gone(self) -> None:
        raise NotImplementedError

    def _could_not_open(self, error: AppError) -> None:
        self.ledger.check(not isinstance(error, JournalUnreadable), f"{self.name} cannot read its journal: {error}")
        self.crash(power_lost=False, back_in=_REOPEN_SECONDS)

    def _now(self) -> datetime:
        return _BEGAN + timedelta(seconds=self.loop.time() + self.skew_seconds)

    def _bug(self, error: BaseException) -> None:
        self.ledger.check(False, f"{self.name}: an exception nobody caught: {error!r}")


class Device(Machine):
    """A browser with the leading tab's program."""

    def __init__(self, name: str, loop: VirtualLoop, rng: Random, ledger: Ledger, wire: Wire, hub: HubSide) -> None:
        super().__init__(name, loop, rng, ledger, VirtualFolder(rng, 0.0005, promises_names=False))
        self.wire = wire
        self._hub = hub
        self.database: DeviceDatabase | None = None
        self.client: SyncClient | None = None
        self.work: Callable[[Device, Process], Any] | None = None

    async def _run(self, process: Process) -> None:
        try:
            database = await storage.open_device(self.folder, process, self.world)
        except AppError as error:
            self._could_not_open(error)
            return
        self.upkeep.set(database)
        self.database = database
        self.ledger.tell(self.name, f"open: {len(database.unsent)} unsent, read up to {database.cursor}")
        invariants.check_opened_device(self.ledger, self.name, database)
        port = HubPort(self.wire, self._hub, process)
        self.client = SyncClient(database, port, self.world, lambda: None)
        process.start(self.client.run())
        if self.work is not None:
            process.start(self.work(self, process))

    def _gone(self) -> None:
        self.database = self.client = None


class Hub(Machine):
    """The clinic PC."""

    def __init__(self, loop: VirtualLoop, rng: Random, ledger: Ledger, wire: Wire, cdc: Cdc, max_rows: int) -> None:
        super().__init__("hub", loop, rng, ledger, VirtualFolder(rng, 0.003))
        self.wire = wire
        self._cdc = cdc
        self.settings = make_settings(max_rows)
        self.database: HubDatabase | None = None
        self.worker: CdcWorker | None = None
        self.streams: list[Stream] = []
        self._is_telling = False
        self._app: dict[Any, Any] = {}

    async def _run(self, process: Process) -> None:
        try:
            database = await storage.open_hub(self.folder, process, self.world)
        except AppError as error:
            self._could_not_open(error)
            return
        self.upkeep.set(database)
        self.database = database
        self.ledger.tell(self.name, f"open: head {database.head}")
        self.ledger.hub_opened(storage.hub_log(database))
        invariants.check_opened_hub(self.ledger, database)
        port = CdcPort(self.wire, self._cdc, process, self.world, self.ledger)
        self.worker = CdcWorker(database, port, self.settings, self.world)
        known = SimpleNamespace(database=database, worker=self.worker, status=HubStatus, cdc_failed="")
        self._app = {HUB: known}
        database.listen(lambda _: self._tell_soon())
        process.start(self.worker.run())

    def _gone(self) -> None:
        self.database = self.worker = None
        for stream in list(self.streams):
            stream.broke()

    # ---- what devices find

    def is_serving(self) -> bool:
        return self.database is not None

    def serve(self, method: str, path: str, body: bytes, answered: Callable[[HubAnswer], None]) -> None:
        if self.process is None or self.database is None:
            answered(None)
        else:
            self.process.start(self._serve(path, body, answered))

    def notice(self) -> str:
        assert self.database is not None
        return Notice(head=self.database.head, status=HubStatus()).model_dump_json()

    async def _serve(self, path: str, body: bytes, answered: Callable[[HubAnswer], None]) -> None:
        handler = _HANDLERS.get(path, routes._nothing_here)
        answer = await middlewares.answer_errors(cast(Any, _Request(self._app, body)), handler)
        told = cast(bytes, cast(Any, answer).body)
        if path == "/api/sync" and answer.status == 200:
            self._note(from_json(told))
        elif answer.status >= 500:
            self.ledger.tell(self.name, f"answers {answer.status}: {told.decode()}")
            self.ledger.count("hub's disk refused")
            self.ledger.check(answer.status in (503, 507), f"the hub answered {answer.status}: {told.decode()}")
        answered((answer.status, told))

    def _note(self, answer: dict[str, Any]) -> None:
        if answer["accepted"] or answer["changes"]:
            here = ", ".join(f"{one['hub_seq']} = {one['change_id'][-6:]}" for one in answer["accepted"]) or "nothing"
            told = f"{len(answer['changes'])} of others up to {answer['upto']} of {answer['head']}"
            self.ledger.tell(self.name, f"holds {here}; tells {told}")
        for one in answer["accepted"]:
            if one["change_id"] in self.ledger.seq_by_change:
                self.ledger.count("changes pushed again")
        numbers = [(one["change_id"], one["hub_seq"]) for one in answer["accepted"]]
        numbers += [(one["change"]["change_id"], one["hub_seq"]) for one in answer["changes"]]
        self.ledger.hub_says(numbers, answer["head"])

    def _tell_soon(self) -> None:
        if not self._is_telling:
            self._is_telling = True
            self.loop.later(0.01, self._tell)

    def _tell(self) -> None:
        self._is_telling = False
        if self.database is not None:
            text = self.notice()
            for stream in list(self.streams):
                stream.tell(text)


class _Request:
    """As much of an aiohttp request as the handlers ask for."""

    match_info = SimpleNamespace(route=SimpleNamespace(resource=None))
    method = "POST"

    def __init__(self, app: dict[Any, Any], body: bytes) -> None:
        self.app, self._body = app, body
        self.headers: dict[str, str] = {}

    def get(self, key: object) -> None:
        """Nobody is signed in: a hub without accounts."""

    def clone(self, **limits: int) -> "_Request":
        return self

    async def read(self) -> bytes:
        return self._body


def make_settings(max_rows: int) -> CdcSettings:
    """Short pauses, so that a world is soon quiet; their lengths are no rule."""
    return CdcSettings(
        base_url="",
        org_id=ORG_ID,
        read_key_id=str,
        p12_path=cast(Any, None),
        p12_password=b"",
        verify_after_seconds=8.0,
        gather_seconds=2.0,
        retry_base_seconds=2.0,
        retry_cap_seconds=40.0,
        max_rows=max_rows,
    )
