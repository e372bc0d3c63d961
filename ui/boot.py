"""The browser's composition root: pages first, the store when this tab leads."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from nicegui import Client, app, ui

from store.audit import AuditAction
from store.audit_trail import AuditTrail
from store.changes import World
from store.collector import standing_aside
from store.database import REST_SECONDS
from store.device_database import DeviceDatabase
from store.storage import MemoryFolder, StorageFolder
from ui import browser, wording
from ui.field_values import guard_field_values
from ui.language import choose_language
from ui.pages import (
    audit,
    conflicts,
    device,
    lots,
    menu,
    outage,
    outage_paper,
    prenatal,
    prenatal_upload,
    receipts,
    roster,
    settings,
    staff,
    stock,
    uploads,
    vaccinate,
    verification,
)
from ui.session import PersonAtDesk
from ui.shell import Frame, register_assets
from ui.state import AppState
from ui.wording import Language

_PAGES: dict[str, Callable[..., None]] = {
    "/": menu.build,
    "/BA102_3": vaccinate.build,
    "/BA102_3_UPLOAD": uploads.build,
    "/BA102_3_DOWNLOAD": verification.build,
    "/BA109": lots.build,
    "/BA109_3_DOWNLOAD": stock.build,
    "/BAMENU4": prenatal.build_menu,
    "/BA103_3": prenatal.build,
    "/BA103_3_UPLOAD": prenatal_upload.build,
    "/roster": roster.build,
    "/conflicts": conflicts.build,
    "/receipts": receipts.build,
    "/audit": audit.build,
    "/device": device.build,
    "/settings": settings.build,
    "/staff": staff.build,
    "/outage": outage.build,
    "/outage/paper": outage_paper.build,
}
PATHS = tuple(_PAGES)
# Two such steps and what they are part of are over before anybody notices.
_WORK_SECONDS = 0.012
_running: list[AppState] = []
_tasks: set[asyncio.Task[None]] = set()


def register() -> None:
    """Define the pages and hand NiceGUI its application. Opens nothing: a standby tab does this ahead of its turn."""
    define_pages()
    app.config.quasar_config["loadingBar"]["skipHijack"] = True  # it tells of requests that nobody waits for
    ui.run(
        title=wording.PRODUCT,
        language="zh-TW",  # of the first start; `start` sets the one this device has chosen
        reload=False,
        show=False,
        # A tablet that sleeps a while comes back to the page it left, with what was being typed.
        reconnect_timeout=600,
        gzip_middleware_factory=None,  # what goes from one thread to the next of one browser needs no packing
        tailwind=False,  # its compiler in the page would cost each start and each change of the screen
    )


def define_pages() -> None:
    """The routes: whichever is asked for first, the others take its place in the same frame."""
    guard_field_values()
    register_assets(str(Path(__file__).parent / "assets"))

    def root() -> None:
        state = running()
        Frame(state).build({path: partial(build, state) for path, build in _PAGES.items()})

    for path in PATHS:
        ui.page(path)(root)


async def rehearse(open_page: Callable[[str], Awaitable[int]]) -> None:
    """Show every page once out of an empty store, then forget it: what pages import and prepare is ready afterwards.

    `open_page` asks the application for a path and returns the status.
    """
    world = World(now=lambda: datetime.now(UTC), random_bytes=os.urandom)
    _running.append(AppState(await DeviceDatabase.open(MemoryFolder(), world), world, browser))
    for path in PATHS:
        if (status := await open_page(path)) != 200:
            raise RuntimeError(f"{path} answers {status}")
    for client in list(Client.instances.values()):
        client.delete()
    _running.clear()


def running() -> AppState:
    """The state of the leading tab."""
    return _running[-1]


async def start(folder: StorageFolder, bootinfo: dict[str, object]) -> None:
    """Open the store and begin to sync. Raises: JournalUnreadable, JournalTooNew, StorageFailed.

    `bootinfo["language"]`: a value of `Language`, or nothing that this version speaks. `bootinfo["staff"]`: as
    `PersonAtDesk.from_shell` takes it, None on a device without a vault.
    """
    if (language := str(bootinfo.get("language"))) in list(Language):
        choose_language(Language(language))
    world = World(now=lambda: datetime.now(UTC), random_bytes=os.urandom)
    with standing_aside():
        database = await DeviceDatabase.open(folder, world, browser.tell_rebuild)
    database.rest = rest_when_due()
    person = PersonAtDesk.from_shell(facts) if isinstance(facts := bootinfo.get("staff"), dict) else None
    if bootinfo["practice"]:
        from ui.practice_hub import PracticeHub  # whoever does not practise does not wait for it

        hub = await PracticeHub.begin(database, world)
        run(AppState(database, world, hub, is_practice=True, person=person), hub.run())
    else:
        trail = AuditTrail(folder, world, lambda: database.device_id)
        state = AppState(database, world, browser, person=person, trail=trail)
        if person is not None:
            if person.refused:
                state.note(AuditAction.UNLOCK_REFUSED, count=person.refused)
            state.note(AuditAction.UNLOCKED)
        run(state)


async def close() -> int | None:
    """The desk is being locked: finish what is being written, end the sync, close the store.

    Returns how many changes the hub does not hold; None for a practice store, of which it knows nothing.
    """
    state = running()
    for task in list(_tasks):
        task.cancel()
    if state.trail is not None:
        state.note(AuditAction.LOCKED)
        await state.trail.close()
    await state.database.close()
    return None if state.is_practice else len(state.database.unsent)


def rest_when_due() -> Callable[[], Awaitable[None]]:
    """What long work calls between its steps: it gives way once a tap would begin to wait, not after each of them."""
    rested_at = monotonic()

    async def rest() -> None:
        nonlocal rested_at
        if monotonic() - rested_at >= _WORK_SECONDS:
            await asyncio.sleep(REST_SECONDS)
            rested_at = monotonic()

    return rest


def run(state: AppState, *more: Coroutine[Any, Any, None]) -> None:
    """Make `state` what the pages show, and keep it in step with the hub; `more` is what runs besides."""
    _running.append(state)
    for work in (state.sync.run(), state.storage.begin(), *more):
        task = asyncio.get_running_loop().create_task(work)
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
