"""Brings a device's part of the audit to the hub."""

import asyncio
import logging

from pydantic import ValidationError

from store.audit_protocol import AuditTaken
from store.audit_trail import AuditTrail
from store.errors import AppError
from ui.network import JSON, Network, NetworkFailed

PATH = "/api/audit"
_log = logging.getLogger(__name__)


class AuditTeller:
    """Tells the hub after each exchange, and before a search in the audit; it stops neither."""

    def __init__(self, trail: AuditTrail, network: Network) -> None:
        self._trail, self._network, self._one_at_a_time = trail, network, asyncio.Lock()

    async def tell(self) -> None:
        """Tell all that is not told yet, as long as the hub takes it."""
        try:
            async with self._one_at_a_time:
                await self._tell()
        except NetworkFailed:
            return
        except (AppError, ValidationError) as error:
            _log.error("audit: %s", type(error).__name__)

    async def _tell(self) -> None:
        await self._trail.flush()
        while (telling := self._trail.telling()) is not None:
            body = telling.model_dump_json(exclude_none=True).encode()
            status, _, content = await self._network.fetch("POST", PATH, body, JSON)
            if status != 200:  # an older hub: 404
                return
            await self._trail.told(telling, AuditTaken.model_validate_json(content))
