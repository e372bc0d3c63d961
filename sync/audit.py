"""The hub's side of the audit: its own doings are noted here."""

from datetime import datetime

from store.audit import About, checked_about
from store.changes import World


class HubAudit:
    """Notes who did what at the hub. `note` never waits and never fails for want of a disk; a task writes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: list[tuple[datetime, str, str, dict[str, str | int], str]] = []

    def note(self, who: str, what: str, about: About | None = None, device_id: str = "") -> None:
        """Note what was done, now; on disk soon after.

        Shape: `who` a staff id, or `HUB` or `NOBODY` (store/audit.py); `what` an `AuditAction`; `about` as
        `checked_about` says; `device_id` empty where it was none. Raises: ValueError for an `about` of another shape.
        """
        self._waiting.append((self._world.now(), who, what, checked_about(about or {}), device_id))

    async def settle(self) -> None:
        """Wait until all that was noted is on disk. Raises: StorageFailed."""
