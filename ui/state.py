"""What every page is handed: the store, the sync, and word of any change."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from time import monotonic
from typing import Any

from nicegui import Event

from store.access_protocol import DeviceState
from store.audit import AuditAction
from store.audit_trail import AuditTrail
from store.changes import Change, ChangeDraft, World
from store.code_tables import follow_code_tables
from store.device_database import DeviceDatabase
from store.protocol import STAFF
from store.roc_date import TAIPEI
from store.roles import HubOperation, may_call, may_make
from ui import browser
from ui.audit_teller import AuditTeller
from ui.leaving import DeviceRevoked, leave
from ui.network import NetworkFailed
from ui.session import DeviceVault, PersonAtDesk, RoleMayNot, SessionRefused, SignedNetwork
from ui.storage_watch import StorageSource, StorageWatch
from ui.sync_client import SyncClient

_REFRESH_SECONDS = 0.15
# First what has come goes on its way to the hub or to another device: drawing a screen takes longer than that.
_SEND_FIRST_SECONDS = 0.02
_REFRESH_SHARE = 0.2  # of the one thread, while changes pour in: a long list is drawn less often than a short one


@dataclass
class AppState:
    """One device's running program."""

    database: DeviceDatabase
    world: World
    network: Any
    source: StorageSource = browser
    vault: DeviceVault = browser
    is_practice: bool = False  # this device's own practice mode; a whole practice hub says so in its status
    person: PersonAtDesk | None = None  # whoever unlocked; None on a device without a vault
    trail: AuditTrail | None = None  # what was done here; None in practice
    staff: str = STAFF  # who is at this device, in what is recorded and asked for
    changed: Event[[]] = field(default_factory=Event)  # a record, or how the network, the sync or CDC stand
    # A record. For what is built anew when it changes: a tap that meets a new list in the making is lost.
    recorded: Event[[]] = field(default_factory=Event)
    sync: SyncClient = field(init=False)
    storage: StorageWatch = field(init=False)
    kept: dict[str, Any] = field(default_factory=dict)  # header values a nurse keeps for the next person
    _followed: int = -1
    _shown: int = -1
    _touched: bool = False
    _emitting: asyncio.Task[None] | None = None
    _leaving: asyncio.Task[None] | None = None
    _is_gone: bool = False

    def __post_init__(self) -> None:
        if self.person is not None:
            self.staff = self.person.staff_id
        if self.person is not None and not self.is_practice:
            self.network = SignedNetwork(
                self.network, self.person, self.vault, self._describe_device, self._leave_when_revoked
            )
        self.sync = SyncClient(self.database, self.network, self.world, self.touch)
        if self.trail is not None:
            self.sync.after_sync = AuditTeller(self.trail, self.network).tell
        self.storage = StorageWatch(self.source, self.touch)
        self._follow_settings()

    def today(self) -> date:
        return self.world.now().astimezone(TAIPEI).date()

    def may(self, kind: str) -> bool:
        """Whether the person at the desk may make a change of this kind; the hub refuses what may not."""
        return self.person is None or may_make(self.person.roles, kind)

    def may_call(self, operation: HubOperation) -> bool:
        """Whether the hub does this for the person at the desk."""
        return self.person is None or may_call(self.person.roles, operation)

    def note(self, what: AuditAction, **about: str | int) -> None:
        """Note for the audit what staff did here. What is recorded needs none: the hub notes each change.

        Shape of `about`: record ids, codes and counts (`checked_about`). Raises: ValueError for anything else.
        """
        if self.trail is not None:
            self.trail.note(self.staff, what, about)

    async def tell_audit(self) -> None:
        """Tell the hub what was noted here, as far as it can be reached."""
        if self.sync.after_sync is not None:
            await self.sync.after_sync()

    async def commit(self, drafts: Sequence[ChangeDraft]) -> list[Change]:
        """Record what staff did. On return it is on disk. Raises: StorageFailed, RoleMayNot, DeviceRevoked."""
        if self._is_gone:
            raise DeviceRevoked
        if not all(self.may(draft.kind) for draft in drafts):
            raise RoleMayNot
        changes = await self.database.commit(drafts, made_by=self.staff)
        self._follow_settings()
        return changes

    def _follow_settings(self) -> None:
        """A code table that was loaded here or at another station is asked from now on."""
        if self._followed != (version := self.database.tables.settings.version):
            self._followed = version
            follow_code_tables(self.database.tables)

    def _describe_device(self) -> DeviceState:
        storage = self.storage
        return DeviceState(
            build=self.vault.build_id(),
            unsent=len(self.database.unsent),
            persisted=storage.is_kept,
            free_mb=storage.left_bytes // 1024**2 if storage.allowed_bytes else None,
        )

    def _leave_when_revoked(self) -> None:
        if self._leaving is None:
            self._leaving = asyncio.get_running_loop().create_task(self._leave())

    async def _leave(self) -> None:
        assert self.person is not None
        try:
            await leave(
                self.network,
                self.database,
                self.person.device_id,
                self._stop_recording,
                self.vault.wipe,
                self.trail,
            )
        except (NetworkFailed, SessionRefused):
            pass  # the next exchange is refused again, and leads here again
        finally:
            self._leaving = None

    def _stop_recording(self) -> None:
        self._is_gone = True

    def touch(self) -> None:
        """Let the screens catch up: soon, then at most some times a second, however much arrives."""
        self._touched = True
        if self._emitting is None:
            self._emitting = asyncio.get_running_loop().create_task(self._emit())

    async def _emit(self) -> None:
        await asyncio.sleep(_SEND_FIRST_SECONDS)
        while self._touched:
            self._touched = False
            began = monotonic()
            self.storage.measure_when_due()
            self._follow_settings()
            if self._shown != (version := self.database.tables.version):
                self._shown = version
                self.recorded.emit()
            self.changed.emit()
            await asyncio.sleep(max(_REFRESH_SECONDS, (monotonic() - began) / _REFRESH_SHARE))
        self._emitting = None
