"""When staff and devices were last here, and what devices said of themselves.

It goes to disk with the next change of what is known, and else after a while: what a crash loses of it is told again at
the next contact, and until then a role counts as held a little longer (pushed.py).
"""

import logging
from datetime import datetime, timedelta

from store.access_protocol import DeviceState
from store.audit import About, AuditAction
from store.changes import World
from store.errors import AppError
from sync.access.kept_file import KeptFile
from sync.access.known import Device, Known, Seen
from sync.audit import HubAudit

_KEPT_AFTER = timedelta(minutes=5)
_REFUSALS = 20  # of one device noted until its next session
_log = logging.getLogger(__name__)


class Contacts:
    """Shape: `seen` by device, `used_at` by account."""

    def __init__(self, file: KeptFile, world: World, audit: HubAudit) -> None:
        self._file, self._world, self._audit = file, world, audit
        self.seen, self.used_at = dict(file.known.seen), dict(file.known.used_at)
        self._kept_at = world.now()
        self._refusals: dict[str, set[tuple[str | int, ...]]] = {}  # by device

    def note_used(self, staff_id: str) -> None:
        self.used_at[staff_id] = self._world.now()

    def note_seen(self, device_id: str, state: DeviceState | None = None, *, synced: bool = False) -> None:
        """The device was here, and may have said how it is; `synced` where it was told how things stand."""
        before, now = self.of(device_id), self._world.now()
        self.seen[device_id] = Seen(
            at=now, synced_at=now if synced else before.synced_at, state=state or before.state
        )

    def of(self, device_id: str) -> Seen:
        return self.seen.get(device_id, Seen())

    def last_here(self, device: Device) -> datetime:
        """When this hub last told the device how things stand."""
        return self.of(device.device_id).synced_at or device.enrolled_at

    def note_refusal(self, who: str, what: AuditAction, about: About, device_id: str) -> None:
        """Note for the audit what a device was refused, each thing once until its next session: it asks again every few
        seconds."""
        noted = self._refusals.setdefault(device_id, set())
        refusal = (who, what, *about.values())
        if refusal not in noted and len(noted) < _REFUSALS:
            noted.add(refusal)
            self._audit.note(who, what, about, device_id)

    def note_session(self, device_id: str) -> None:
        self._refusals.pop(device_id, None)

    async def keep(self, *, now: bool = False) -> None:
        """Put what was noted on disk, if that was long ago. A disk that takes nothing keeps nobody out."""
        if not now and abs(self._world.now() - self._kept_at) < _KEPT_AFTER:
            return
        try:
            await self._file.change(self.added_to)
        except AppError as error:
            _log.warning("access: %s", error.code)

    def added_to(self, known: Known) -> Known:
        """What is known, together with what was noted."""
        self._kept_at = self._world.now()
        if (known.seen, known.used_at) == (self.seen, self.used_at):
            return known
        return known.model_copy(update={"seen": dict(self.seen), "used_at": dict(self.used_at)})
