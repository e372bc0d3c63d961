"""Messages between a device and the hub. Both sides import this module; neither imports the other.

One round trip: the device sends its changes and how far it has read; the answer says which the hub now holds on disk
and brings what the device has not seen. Everything may be sent twice without harm.
"""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from store.changes import Change, Id

PROTOCOL_VERSION = 1
MAX_PUSH_CHANGES = 1000
# A browser applies an answer in one go, and its screen waits meanwhile: 250 changes are some 30 ms there.
MAX_PULL_CHANGES = 250
MAX_BODY_BYTES = 8 * 1024 * 1024


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class NumberedChange(_Message):
    """A change with the hub's sequence number. Units: `hub_seq` counts from 1 without gaps."""

    hub_seq: int
    change: Change


class AcceptedChange(_Message):
    """The hub holds this change on disk under this number."""

    change_id: Id
    hub_seq: int


class CdcLinkState(StrEnum):
    """How the hub's line to CDC stood when it was last used."""

    UNKNOWN = "unknown"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    REFUSED_KEY = "refused_key"
    FAILING = "failing"
    NOT_CONFIGURED = "not_configured"


class HubStatus(_Message):
    """What every device shows of the hub in its bar."""

    cdc: CdcLinkState = CdcLinkState.UNKNOWN
    cdc_since: AwareDatetime | None = None
    cdc_detail: str = ""
    institution_code: str = ""
    practice: bool = False


class DeviceCount(_Message):
    """What the hub holds of one device. Units: `last_seq` is its highest number, `count` how many changes."""

    last_seq: int = 0
    count: int = 0


class SyncRequest(_Message):
    """Shape: `hub_generation` is that of the hub the device last spoke to, empty before the first time; with `own` the
    device wants its own changes too, which it has lost."""

    protocol: int = PROTOCOL_VERSION
    device_id: Id
    generation: Id
    after: int = Field(ge=0)
    changes: list[Change] = Field(max_length=MAX_PUSH_CHANGES)
    hub_generation: str = ""
    own: bool = False


class SyncAnswer(_Message):
    """`upto` is how far this answer reaches; `head` how far the hub reaches. More to fetch while `upto < head`.

    Shape: `generation` changes whenever the hub's store is begun anew or put back; `device` is what it holds of the
    one who asks. An older hub says neither.
    """

    protocol: int = PROTOCOL_VERSION
    accepted: list[AcceptedChange]
    changes: list[NumberedChange]
    upto: int
    head: int
    status: HubStatus
    generation: str = ""
    device: DeviceCount | None = None


class Notice(_Message):
    """Told live to every device: something is new. It carries no clinical content."""

    head: int
    status: HubStatus


class ErrorBody(_Message):
    code: str
    detail: str = ""


class ErrorAnswer(_Message):
    """The one shape of an error on the wire: {"error": {"code", "detail"}}."""

    error: ErrorBody
