"""The hub's composition root: settings in, a running server out, everything closed in order at the end."""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import NoReturn

from aiohttp import web

from store.changes import World
from store.errors import AppError
from store.hub_database import HubDatabase
from store.protocol import MAX_BODY_BYTES
from store.storage import FileFolder
from sync.access.desk import AccessDesk
from sync.access.gate import let_in
from sync.access.routes import add_access
from sync.access.throttle import Clock
from sync.audit import HubAudit
from sync.audit_routes import add_audit
from sync.bootstrap.checks import port_refusal
from sync.bootstrap.refusal import EXIT_REFUSED, SetupRefused, say
from sync.bootstrap.turn import turn
from sync.cdc_line import CdcLine
from sync.doors import THIS_COMPUTER, Doors, GuardedSite
from sync.hub import HUB, CdcLink, Hub
from sync.middlewares import add_security_headers, answer_errors, log_bug, make_gate
from sync.people import add_people
from sync.rate_gate import make_rate_gate
from sync.receipts import ReceiptKeeper, add_receipts
from sync.routes import add_routes
from sync.sentences import SENTENCES, HubRefused
from sync.settings import Settings, SettingsInvalid, load_settings
from sync.snapshot import add_snapshots
from sync.static import Bundle

log = logging.getLogger(__name__)

EXIT_PORT = 3
EXIT_DATA = 4
_SHUTDOWN_SECONDS = 3.0
OnOpen = Callable[[HubDatabase], Awaitable[None]]


def make_app(
    settings: Settings, database: HubDatabase, worker: CdcLink | None, world: World, clock: Clock = monotonic
) -> web.Application:
    """Put one hub together. The caller owns the database and runs the worker. Raises: HubRefused."""
    app = web.Application(
        middlewares=[answer_errors, make_rate_gate(), make_gate(settings), let_in],
        client_max_size=MAX_BODY_BYTES,
    )
    audit = HubAudit(database, FileFolder(settings.data_dir), world)
    access = AccessDesk(settings.data_dir, world, clock, audit)
    hub = app[HUB] = Hub(settings, database, worker, Bundle(settings.bundle_dir), world.now(), audit, access)
    add_access(app)
    add_snapshots(app, database, settings.data_dir / "snapshot")
    add_people(app)
    add_receipts(app)
    add_audit(app)
    add_routes(app)
    app.on_response_prepare.append(add_security_headers)
    database.listen(lambda _: hub.live.tell())
    access.on_change = hub.live.tell
    if worker is not None:
        worker.on_status(hub.live.tell)

    async def end_streams(_: web.Application) -> None:
        hub.live.close()

    app.on_shutdown.append(end_streams)
    return app


def run(settings_path: Path | None, *, port: int | None, open_browser: bool) -> int:
    """Run the clinic's hub until it is told to stop; return the exit code."""
    start_logging()
    return refusing(lambda: _run(settings_path, port, open_browser))


def refusing(body: Callable[[], int]) -> int:
    """Run `body` and turn what staff can remedy into its sentences and an exit code."""
    try:
        return body()
    except SettingsInvalid as error:
        return _say_refusal(error.sentences(), EXIT_REFUSED)
    except HubRefused as error:
        return _say_refusal(error.sentences(), EXIT_DATA)
    except SetupRefused as error:
        return _say_refusal(error.sentences(), EXIT_PORT)


def _run(settings_path: Path | None, port: int | None, open_browser: bool) -> int:
    settings = load_settings(settings_path, os.environ)
    if port is not None:
        settings = settings.model_copy(update={"listen_port": port})
    with data_folder(settings.data_dir):
        return asyncio.run(serve(settings, open_browser=open_browser))


@contextmanager
def data_folder(folder: Path) -> Iterator[None]:
    """Own a data folder while the body runs. Raises: HubRefused when another hub does."""

    def refuse() -> NoReturn:
        raise HubRefused("data_in_use", folder=folder)

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HubRefused("storage_failed", path=folder) from error
    if os.name == "posix":
        # Some file systems know no owners. What an earlier version wrote in here was readable to others.
        with suppress(OSError):
            folder.chmod(0o700)
    with turn(folder / "hub.lock", refuse):
        yield


async def serve(settings: Settings, *, open_browser: bool, on_open: OnOpen | None = None) -> int:
    """Open the store, listen, say so, and stop cleanly when told to. The caller owns the data folder.

    Raises: HubRefused, SetupRefused.
    """
    stop = _stop_on_signals()
    world = World(now=lambda: datetime.now(UTC), random_bytes=os.urandom)
    async with AsyncExitStack() as closing:
        database = await _open_database(settings.data_dir, world)
        closing.push_async_callback(database.close)
        spare_the_collector()
        database.on_storage = _say_storage
        if on_open is not None:
            await on_open(database)
        line = CdcLine.open(settings, database, world)
        closing.push_async_callback(line.close)
        app = make_app(settings, database, line.worker, world)
        hub = app[HUB]
        hub.cdc_failed, hub.stock, hub.exams, hub.history = line.failure, line.stock, line.exams, line.history
        runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN_SECONDS)
        try:
            await runner.setup()
        except AppError as error:
            raise HubRefused(error.code, path=settings.data_dir) from error
        closing.push_async_callback(runner.cleanup)
        url = await _listen(runner, settings)
        say(f"預防接種工作站已啟動，請開啟 · The vaccination desk is ready, open  {url}")
        say("按 Ctrl-C 停止 · Press Ctrl-C to stop")
        if open_browser and _has_desktop():
            # Some browsers do not return from this until they are closed.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        keeper = ReceiptKeeper(database, settings.receipts_years, world)
        looking = line.probe(lambda: hub.live.is_watched)
        work = (_run_worker(hub), _run_keeper(keeper), looking, _run_lan(hub, runner, world))
        working = [asyncio.create_task(each) for each in work]
        await stop.wait()
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    say("已停止 · Stopped")
    return 0


async def _open_database(folder: Path, world: World) -> HubDatabase:
    try:
        database = await HubDatabase.open(FileFolder(folder), world)
    except AppError as error:
        raise HubRefused(error.code, path=folder) from error
    for stretch in database.recovery.dropped:
        where = "at the end, never acknowledged" if stretch.at_end else "IN THE MIDDLE"
        log.warning("journal: %d bytes at %d held no whole frame (%s)", stretch.length, stretch.offset, where)
    return database


def spare_the_collector() -> None:
    """Keep Python's collector of cycles from walking through the newest records again and again.

    They are no rubbish, and that walk was a quarter of the time of a large push.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _run_worker(hub: Hub) -> None:
    """Keep the line to CDC. If it stops by a bug, say so and go on serving: it must never take saving down with it."""
    if hub.worker is None:
        return
    try:
        await hub.worker.run()
    except Exception as error:  # noqa: BLE001 -- the worker's one place for bugs: logged and shown to staff
        log_bug(error)
        hub.cdc_failed = type(error).__name__
        hub.live.tell()


async def _run_keeper(keeper: ReceiptKeeper) -> None:
    """Keep receipts as long as they have to be kept. A bug here costs disk space and nothing else."""
    try:
        await keeper.run()
    except Exception as error:  # noqa: BLE001 -- as the worker's
        log_bug(error)


async def _run_lan(hub: Hub, runner: web.AppRunner, world: World) -> None:
    """Serve the clinic's network where the settings say so. A bug here must not take this PC's own browser with it."""
    if hub.settings.lan is None:
        return
    # Imported here: a hub without a network must not wait for it at start.
    from sync.lan import Lan

    if not hub.access.has_accounts:
        for sentence in SENTENCES["lan_is_for_trying" if hub.settings.practice else "lan_needs_accounts"]:
            say(sentence)
    try:
        if not hub.settings.practice:
            # Whoever reaches the port would read the clinic's patients, encrypted or not.
            await hub.access.accounts_made.wait()
        await Lan(hub.settings.lan, hub, runner, world.now).run()
    except Exception as error:  # noqa: BLE001 -- as the worker's
        log_bug(error)


async def _listen(runner: web.AppRunner, settings: Settings) -> str:
    host, port = settings.listen_host, settings.listen_port
    try:
        await GuardedSite(runner, Doors(THIS_COMPUTER), host, port).start()
    except OSError as error:
        refusal = port_refusal(error, port)
        raise refusal or HubRefused("host_unknown", host=host) from error
    return f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}/"


def _stop_on_signals() -> asyncio.Event:
    """Plain signal handlers: asyncio's own do not exist on Windows."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), on_signal)
    return stop


def _has_desktop() -> bool:
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def start_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)


def _say_storage(failure: str) -> None:
    """Tell whoever sits at the clinic PC that its disk takes nothing, and when it does again."""
    log.error("storage: %s", failure or "well again")
    for sentence in SENTENCES[f"{failure}_running" if failure else "storage_well_again"]:
        say(sentence)


def _say_refusal(sentences: str, code: int) -> int:
    encoding = getattr(sys.stderr, "encoding", None) or "ascii"
    print(sentences.encode(encoding, "replace").decode(encoding), file=sys.stderr, flush=True)
    return code
