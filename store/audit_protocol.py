"""Messages between a device and the hub about the audit. Both sides import this module.

    POST /api/audit    AuditTelling -> AuditTaken    what a device noted; all of it is on the hub's disk at the answer
    GET  /api/audit?   AuditQuery -> AuditPage       what was done, the newest first, for a manager
"""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from store.audit import MAX_WHO, AuditEntry, AuditHead
from store.changes import Id
from store.protocol import PROTOCOL_VERSION

MAX_TOLD = 500
MAX_LISTED = 200


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    protocol: int = PROTOCOL_VERSION


class AuditTelling(_Message):
    """Entries of a device's own chain, in its order.

    Shape: `hub_head` is where the hub's chain ended when it last answered this device: so each device is a witness
    that nothing was cut off or written anew since.
    """

    device_id: Id
    entries: list[AuditEntry] = Field(max_length=MAX_TOLD)
    hub_head: AuditHead = AuditHead()


class AuditTaken(_Message):
    """The hub holds all that was told; its own chain ends at `hub_head`."""

    hub_head: AuditHead


class AuditQuery(_Message):
    """Which entries to list.

    Shape: empty is any; `record_id` of a person means all records of that person too; days are Taiwan's, both included;
    `before` only what comes after the entry of that number, as a page names it.
    """

    who: Annotated[str, StringConstraints(max_length=MAX_WHO)] = ""
    what: Annotated[str, StringConstraints(max_length=100)] = ""
    record_id: Id | None = None
    first_day: date | None = None
    last_day: date | None = None
    before: int | None = Field(default=None, ge=1)
    limit: int = Field(default=50, ge=1, le=MAX_LISTED)


class AuditPage(_Message):
    """Shape: `before` is what to ask for next, None where there are no more; a page may be empty and still go on.

    `hub_head` is the newest entry of all; `device_names` by the ids that stand in `entries`, of devices that have one.
    """

    entries: list[AuditEntry]
    before: int | None = None
    hub_head: AuditHead
    device_names: dict[str, str] = {}
