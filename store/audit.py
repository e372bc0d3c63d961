"""The audit: who did what, when, about which record; a chain in which each entry holds the hash of the one before.

Each device keeps a chain of its own (audit_trail.py) and brings it to the hub, which keeps one chain of all
(audit_months.py): what a device told, what the hub did itself, and one entry for each change it holds.

Invariants:
- an entry that was altered, left out, put in, repeated or moved is seen by the hashes;
- nothing clinical is in an entry, and no number a person is known by: `about` holds record ids, codes and counts.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

MAX_WHO = 20  # characters, as of a staff id
HUB = "hub"  # who did what nobody asked for
NOBODY = "nobody"  # who did what a stranger did
_COUNTS_BELOW = 10**8
_YEARS = 1950, 2910
_CODE_SHAPE = r"[a-z]{1,20}(_[a-z]{1,20}){0,4}"
CODE, RECORD_ID = re.compile(_CODE_SHAPE), re.compile(r"[0-9a-f]{32}")
SHAPES = {
    "staff_id": re.compile(r"[^\x00-\x1f\x7f]{1,20}"),
    "address": re.compile(r"(?=.*[.:])[0-9a-fA-F.:]{2,45}"),
    "upload_batch_id": re.compile(r"[0-9A-Za-z-]{1,64}"),
}
NO_HASH = ""  # before the first entry of a chain


class AuditAction(StrEnum):
    """What was done; of a change it is its own kind instead. On the wire it is text: a newer side knows more."""

    # On a device:
    VIEWED = "viewed"  # about: record_id
    SEARCHED = "searched"  # about: kind, count
    OPENED_HISTORY = "opened_history"  # about: record_id
    EXPORTED = "exported"  # about: kind, count; record_id of the export
    PRINTED = "printed"  # about: kind, count
    UNLOCKED = "unlocked"
    LOCKED = "locked"
    UNLOCK_REFUSED = "unlock_refused"  # about: count
    SET_DEVICE = "set_device"  # about: kind
    LOST = "entries_lost"  # about: count
    # At the hub:
    UNKNOWN_CHANGE = "unknown_change"  # of a newer device, in the place of its kind
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"  # about: staff_id, reason
    SESSION_BEGAN = "session_began"
    SESSION_REFUSED = "session_refused"  # about: reason
    ROLE_REFUSED = "role_refused"  # about: kind
    MADE_ACCOUNT = "made_account"  # about: staff_id
    SET_ROLES = "set_roles"  # about: staff_id
    SET_PASSWORD = "set_password"  # about: staff_id
    TURNED_OFF = "turned_off"  # about: staff_id
    TURNED_ON = "turned_on"  # about: staff_id
    OFFERED_ENROLMENT = "offered_enrolment"
    ENROLLED = "enrolled"  # about: device_id
    ENROLMENT_REFUSED = "enrolment_refused"  # about: reason
    REVOKED = "revoked"  # about: device_id
    HANDED_OVER = "handed_over"  # about: count
    VIEWED_AUDIT = "viewed_audit"
    TOOK_SNAPSHOT = "took_snapshot"
    AUDIT_BEGAN = "audit_began"  # about: generation, count
    CHAIN_BROKEN = "chain_broken"  # about: device_id, number, reason
    STORE_REPLACED = "store_replaced"  # about: generation, count


About = Mapping[str, str | int]


def checked_about(about: About) -> dict[str, str | int]:
    """The same, where it holds record ids, codes and counts only.

    Shape: {code: record id (32 hex digits), code, or number below 10**8}; beside those "staff_id", "address" (of a
    computer) and "upload_batch_id". Raises: ValueError.
    """
    for name, value in about.items():
        if not CODE.fullmatch(name):
            raise ValueError("a name that is no code")
        if isinstance(value, int):
            is_right = 0 <= value < _COUNTS_BELOW and not isinstance(value, bool)
        elif shape := SHAPES.get(name):
            is_right = shape.fullmatch(value) is not None
        else:
            is_right = (RECORD_ID.fullmatch(value) or CODE.fullmatch(value)) is not None
        if not is_right:
            raise ValueError(f"{name}: neither id nor code nor count")
    return dict(about)


def is_moment(at: datetime) -> bool:
    """Whether a moment can be told in every time zone, and is no clock's nonsense."""
    return _YEARS[0] <= at.year <= _YEARS[1]


def _checked_moment(at: datetime) -> datetime:
    if not is_moment(at):
        raise ValueError("no moment of this program's time")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_checked_moment)]


class Told(BaseModel):
    """Where an entry stood in the chain of the device that told it. Units: `seq` counts from 1."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: int = Field(ge=1)
    prev: str
    hash: str


class AuditEntry(BaseModel):
    """One link of a chain.

    Shape: `at` is of the clock where it was done; `device_id` is empty for what the hub did itself. In the hub's chain
    `kept_at` is when it came there, for what was done elsewhere, and `told` is set for what a device told. Hashes are
    SHA-256 in hexadecimal digits. Units: `seq` counts from 1.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: int = Field(ge=1)
    at: Moment
    who: Annotated[str, StringConstraints(min_length=1, max_length=MAX_WHO)]
    what: Annotated[str, StringConstraints(pattern=f"^{_CODE_SHAPE}$")]
    about: Annotated[dict[str, str | int], AfterValidator(checked_about)]
    device_id: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")] = ""
    kept_at: Moment | None = None
    told: Told | None = None
    prev: str
    hash: str

    @property
    def happened_at(self) -> datetime:
        """When it was done, never later than it came to the hub: a device's clock may be ahead."""
        return min(self.at, self.kept_at or self.at)


class AuditHead(BaseModel):
    """The last entry of a chain. Shape: 0 and "" before the first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: int = 0
    hash: str = NO_HASH


class Fault(StrEnum):
    """Why an entry does not follow the one before."""

    ALTERED = "altered"  # its own hash is another
    LACKING = "lacking"  # entries before it are not there
    REPEATED = "repeated"  # its number was given before
    OTHER = "other_before"  # what it follows is another entry


def hash_of(entry: AuditEntry) -> str:
    """Of all but the hash itself."""
    at, kept_at = (one and one.astimezone(UTC).isoformat(timespec="microseconds") for one in (entry.at, entry.kept_at))
    told = None if entry.told is None else [entry.told.seq, entry.told.prev, entry.told.hash]
    parts = [entry.prev, entry.seq, at, entry.who, entry.what, entry.about, entry.device_id, kept_at, told]
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def make_entry(
    head: AuditHead,
    *,
    at: datetime,
    who: str,
    what: str,
    about: About,
    device_id: str,
    kept_at: datetime | None = None,
    told: Told | None = None,
) -> AuditEntry:
    """The entry that follows `head`. Raises: ValueError (`checked_about`)."""
    entry = AuditEntry(
        seq=head.seq + 1,
        at=at,
        who=who[:MAX_WHO] or NOBODY,
        what=what,
        about=dict(about),
        device_id=device_id,
        kept_at=kept_at,
        told=told,
        prev=head.hash,
        hash=NO_HASH,
    )
    return entry.model_copy(update={"hash": hash_of(entry)})


def head_of(entry: AuditEntry) -> AuditHead:
    return AuditHead(seq=entry.seq, hash=entry.hash)


def fault_of(entry: AuditEntry, head: AuditHead) -> Fault | None:
    """What is wrong with an entry that stands behind `head`; None where it follows."""
    if hash_of(entry) != entry.hash:
        return Fault.ALTERED
    if entry.seq != head.seq + 1:
        return Fault.LACKING if entry.seq > head.seq else Fault.REPEATED
    return None if entry.prev == head.hash else Fault.OTHER


def faults(entries: Sequence[AuditEntry], head: AuditHead) -> Iterator[tuple[AuditEntry, Fault]]:
    """Every entry that does not follow the one before; the first has to follow `head`."""
    for entry in entries:
        if fault := fault_of(entry, head):
            yield entry, fault
        head = head_of(entry)


def as_told(entry: AuditEntry) -> AuditEntry:
    """An entry of the hub's chain as the device wrote it, which must have `told`; its hash is what the device said."""
    assert entry.told is not None
    of_device = {"seq": entry.told.seq, "prev": entry.told.prev, "hash": entry.told.hash}
    return entry.model_copy(update=of_device | {"told": None, "kept_at": None})
