"""Messages between a device and the hub about staff, devices and sessions. Both sides import this module.

    without a session
    GET  /api/access/state                        -> HubState
    POST /api/access/first    FirstManager        -> CodeAnswer       this PC only, while there is no account
    POST /api/access/pc-code  PcCodeRequest       -> CodeAnswer       this PC only: a manager in a browser not enrolled
    POST /api/access/enrol    EnrolRequest        -> EnrolAnswer
    GET  /api/access/challenge?device_id=         -> ChallengeAnswer
    POST /api/access/sign-in  SignInRequest       -> SignInAnswer
    POST /api/access/session  SessionRequest      -> SessionAnswer    and the session's cookie
    POST /api/access/hand-over HandOverRequest    -> HandOverAnswer   a revoked device's unsent changes

    with a session
    POST /api/access/sign-out                     -> Done             at locking, so that nothing is left to use
    POST /api/access/device-state DeviceState     -> Done
    POST /api/access/password PasswordChange      -> Done             one's own

    with a manager's session
    GET  /api/access/staff                        -> StaffList
    POST /api/access/staff    SetStaff            -> Done
    GET  /api/access/devices                      -> DeviceList
    POST /api/access/devices/name   NameDevice    -> Done
    POST /api/access/devices/revoke RevokeDevice  -> Done
    POST /api/access/code                         -> CodeAnswer       for one more device

Invariants:
- a signature is ECDSA P-256 with SHA-256 as WebCrypto makes it (r and s, 32 bytes each), over `signed_text`; a
  challenge counts once and for a minute;
- bytes are base64url without padding;
- who the hub does not let in gets one of these codes in the one shape of errors: 401 `session_needed`, 401
  `device_unknown`, 401 `device_revoked`, 401 `wrong_signature`, 401 `wrong_password`, 401 `sign_in_needed` (the token
  of a person counts no more on this device), 401 `account_off`, 403 `role_may_not` (its `detail` names the kind of
  change or the operation), 403 `not_at_the_desk` (the device does not have this change's maker, or the id is
  another's), 403 `this_pc_only`, 403 `wrong_code`, 409 `accounts_exist`, 409 `no_accounts`, 409 `device_enrolled`,
  429 `too_many_tries` with Retry-After in seconds.
"""

import re
import unicodedata
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from store import audit
from store.audit_protocol import AuditTaken, AuditTelling
from store.changes import Id
from store.protocol import PROTOCOL_VERSION, STAFF, AcceptedChange, SyncRequest
from store.roles import Role

CODE_DIGITS = 8
CODE_SECONDS = 300
CHALLENGE_SECONDS = 60
SESSION_SECONDS = 12 * 3600
UNUSED_DAYS = 90  # then an account is off
MIN_PASSWORD = 10
MAX_PASSWORD = 200
MAX_STAFF = 500
MAX_DEVICES = 500
# What somebody is called at work. Nothing unseen, so that two that look alike are alike; no blank at an end.
_STAFF_ID = re.compile(r"[^\W_](?:[\w .\-]{0,18}[\w.\-])?")

Bytes32 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
Signature = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{86}$")]
PublicKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{87}$")]  # 65 bytes: 0x04, x, y
Challenge = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{32,100}$")]
StaffId = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Password = Annotated[str, StringConstraints(max_length=MAX_PASSWORD)]
DeviceName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class Purpose(StrEnum):
    """What a signature is for; one for another counts nothing."""

    SESSION = "desk-session"
    SIGN_IN = "desk-sign-in"
    HAND_OVER = "desk-hand-over"


def signed_text(purpose: Purpose, challenge: str, device_id: str, staff_id: str, origin: str) -> str:
    """What a device signs. Shape: `origin` as browsers say it ("https://192.168.1.5:8766"); `staff_id` is empty for
    HAND_OVER."""
    return f"{purpose}\n{challenge}\n{device_id}\n{staff_id}\n{origin}"


class AccessProblem(StrEnum):
    """What is to be mended at a field of a request about staff."""

    STAFF_ID_FORM = "staff_id_form"  # 1 to 20 letters and digits of any script, also . - _ and blanks within
    STAFF_ID_RESERVED = "staff_id_reserved"  # a name that the program itself uses
    STAFF_ID_TAKEN = "staff_id_taken"
    STAFF_UNKNOWN = "staff_unknown"
    PASSWORD_SHORT = "password_short"  # fewer than MIN_PASSWORD characters
    PASSWORD_PLAIN = "password_plain"  # one character again and again, a row of digits, or the name in it
    PASSWORD_WRONG = "password_wrong"  # the present one, where one's own is changed
    ROLE_MISSING = "role_missing"
    LAST_MANAGER = "last_manager"  # nobody would be left who may manage
    TOO_MANY = "too_many"


RESERVED_STAFF_IDS = frozenset({STAFF, audit.HUB, audit.NOBODY})


def alike(staff_id: str, other: str) -> bool:
    """Whether people would take one for the other."""
    return _plain(staff_id).casefold() == _plain(other).casefold()


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def staff_id_problem(staff_id: str) -> AccessProblem | None:
    if not _STAFF_ID.fullmatch(staff_id):
        return AccessProblem.STAFF_ID_FORM
    return AccessProblem.STAFF_ID_RESERVED if any(alike(staff_id, name) for name in RESERVED_STAFF_IDS) else None


def password_problem(password: str, staff_id: str) -> AccessProblem | None:
    if len(password) < MIN_PASSWORD:
        return AccessProblem.PASSWORD_SHORT
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    has_name = len(staff_id) > 2 and staff_id.casefold() in password.casefold()
    is_row = steps <= {1, -9} or steps <= {-1, 9}  # 1234567890 goes on with 0
    is_plain = has_name or len(set(password)) < 4 or is_row
    return AccessProblem.PASSWORD_PLAIN if is_plain else None


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    protocol: int = PROTOCOL_VERSION


class FieldProblem(BaseModel):
    """Shape: `field` is the request's; `code` is an AccessProblem."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    field: str
    code: str


class Done(_Message):
    """It is done and on disk, or nothing of it is: then `problems` are all that stands in the way."""

    problems: list[FieldProblem] = []


class HubState(_Message):
    """Shape: `has_accounts`: whoever is not signed in gets nothing; `is_this_pc`: the request came from the hub's own
    computer, where the first manager's account can be made."""

    has_accounts: bool
    is_this_pc: bool


class StaffSummary(_Message):
    """Somebody who has signed in on a device, for the buttons of its lock screen. `active`: may sign in now."""

    staff_id: str
    roles: list[Role]
    active: bool = True


class FirstManager(_Message):
    staff_id: str = Field(max_length=100)
    password: Password = Field(repr=False)


class PcCodeRequest(_Message):
    """A manager at the clinic PC whose browser lost its enrolment, or was never given one."""

    staff_id: StaffId
    password: Password = Field(repr=False)


class CodeAnswer(_Message):
    """A code with which one device is enrolled. Shape: eight digits, empty where there are `problems`; `urls` are what
    a QR code holds, by the address under which a device reaches this hub ("https://192.168.1.5:8766/#enrol=12345678"),
    the best first; `qr_svg` is a picture of the first, empty where tablets reach nothing.
    Units: `seconds` for which it counts.
    """

    code: str = Field(default="", repr=False)
    seconds: int = CODE_SECONDS
    urls: list[str] = Field(default=[], repr=False)
    qr_svg: str = Field(default="", repr=False)
    problems: list[FieldProblem] = []


class EnrolRequest(_Message):
    """A device brings its public key (the raw point) and the key of its own data, which the hub keeps for it.

    Sent again with the same keys after an answer that was lost, it is answered again. A device that lost its keys takes
    another `device_id`.
    """

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")] = Field(repr=False)
    device_id: Id
    name: DeviceName
    public_key: PublicKey
    data_key: Bytes32 = Field(repr=False)


class EnrolAnswer(_Message):
    device_id: Id
    name: str


class ChallengeAnswer(_Message):
    """Shape: text to be signed as it is."""

    challenge: Challenge
    seconds: int = CHALLENGE_SECONDS


class SignInRequest(_Message):
    """Somebody signs in on a device with the password, in order to choose a PIN there."""

    device_id: Id
    challenge: Challenge
    signature: Signature
    staff_id: StaffId
    password: Password = Field(repr=False)


class SignInAnswer(_Message):
    """Shape: `staff_id` as the account has it, whatever way it was typed; `staff_token` counts for this person on this
    device, and the one before no more; `data_key` is the one that the device brought; `staff` are all who have signed
    in on this device."""

    staff_id: str
    staff_token: Bytes32 = Field(repr=False)
    data_key: Bytes32 = Field(repr=False)
    roles: list[Role]
    staff: list[StaffSummary]
    device_name: str = ""


class DeviceState(_Message):
    """What a device says of itself. Shape: `build` of the program it runs; `unsent` changes, `persisted` and `free_mb`
    as the browser answers about storage, None where it does not."""

    build: str = Field(default="", max_length=100)
    unsent: int | None = Field(default=None, ge=0)
    persisted: bool | None = None
    free_mb: int | None = Field(default=None, ge=0)


class SessionRequest(_Message):
    device_id: Id
    challenge: Challenge
    signature: Signature
    staff_id: StaffId
    staff_token: Bytes32 = Field(repr=False)
    state: DeviceState | None = None


class SessionAnswer(_Message):
    """The session is in the cookie. Units: `seconds` until it ends."""

    staff_id: str
    roles: list[Role]
    staff: list[StaffSummary]
    seconds: int = SESSION_SECONDS
    device_name: str = ""


class HandOverRequest(_Message):
    """What a revoked device has not sent yet, some at a time. `request.changes` count; it is answered nothing else.

    Shape: `left` is how many are left after these; `wiped` says that the device has wiped itself, in a last message;
    `audit` is what it noted of what was looked at there.
    """

    device_id: Id
    challenge: Challenge
    signature: Signature
    request: SyncRequest
    left: int = Field(default=0, ge=0)
    wiped: bool = False
    audit: AuditTelling | None = None


class HandOverAnswer(_Message):
    accepted: list[AcceptedChange]
    audit: AuditTaken | None = None


class PasswordChange(_Message):
    """One's own. Whoever has forgotten it asks a manager."""

    old: Password = Field(repr=False)
    new: Password = Field(repr=False)


class SetStaff(_Message):
    """Make an account, or change one: a person's whole standing, but the password where it is None.

    `is_new` tells making from changing, so that a slip never changes somebody else's account.
    """

    staff_id: str = Field(max_length=100)
    roles: list[Role]
    active: bool = True
    password: Password | None = Field(default=None, repr=False)
    is_new: bool = False


class StaffAccount(_Message):
    """Shape: `active` is what a manager has set; `is_off` where the account does not count now, because of that or of
    UNUSED_DAYS without use; `last_used_at` is None before the first sign-in."""

    staff_id: str
    roles: list[Role]
    active: bool
    is_off: bool
    made_at: AwareDatetime
    last_used_at: AwareDatetime | None = None
    devices: list[str] = []  # names of the devices signed in on


class StaffList(_Message):
    staff: list[StaffAccount]


class KnownDevice(_Message):
    """Shape: `revoked_at` with `wiped_at` None: not heard of since, or not everything is handed over yet (`unsent`)."""

    device_id: Id
    name: str
    enrolled_at: AwareDatetime
    enrolled_by: str
    staff: list[str] = []
    last_seen_at: AwareDatetime | None = None
    last_sync_at: AwareDatetime | None = None
    state: DeviceState = DeviceState()
    revoked_at: AwareDatetime | None = None
    revoked_by: str = ""
    wiped_at: AwareDatetime | None = None
    is_this: bool = False  # the one that asks
    is_signed_in: bool = False


class DeviceList(_Message):
    devices: list[KnownDevice]


class NameDevice(_Message):
    device_id: Id
    name: DeviceName


class RevokeDevice(_Message):
    device_id: Id
