"""Letting staff and devices in: the first account, codes, enrolling, signing in, sessions.

Invariants:
- a password is looked at only for an enrolled device that has signed, or on the hub's own computer;
- what was answered is on disk: a token, a key, an account is never given out and then forgotten.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from store.access_protocol import (
    MAX_DEVICES,
    EnrolRequest,
    FieldProblem,
    FirstManager,
    HandOverRequest,
    PcCodeRequest,
    Purpose,
    SessionAnswer,
    SessionRequest,
    SetStaff,
    SignInAnswer,
    SignInRequest,
    alike,
)
from store.audit import NOBODY, AuditAction
from store.changes import World
from store.roles import Role
from sync.access.codes import EnrolmentCodes
from sync.access.contacts import Contacts
from sync.access.kept_file import KeptFile
from sync.access.known import (
    Account,
    Device,
    Grant,
    Known,
    Registration,
    off_accounts,
    problems_of_account,
)
from sync.access.passwords import Passwords, is_outdated
from sync.access.sessions import Caller, Session, Sessions
from sync.access.signatures import Challenges, is_point, is_signed, unpadded
from sync.access.throttle import Clock, Limit, Throttle, key_of_address
from sync.audit import HubAudit
from sync.refused import Refused

# A nurse who mistypes five times waits 30 s. Guessing by many devices at one person, or by many addresses, is slower.
_PASSWORD_LIMITS = {
    "device": Limit(free=5, wait=30),
    "person": Limit(free=15, wait=60),
    "address": Limit(free=20, wait=60),
    "all": Limit(free=60, wait=30),
}
# In the five minutes of a code at most some 25 guesses of 100,000,000 are looked at.
_CODE_LIMITS = {"address": Limit(free=5, wait=30), "all": Limit(free=20, wait=60)}
# A signature cannot be guessed; this keeps whoever tries from costing the hub its time.
_SIGNATURE_LIMITS = {"address": Limit(free=30, wait=5, longest=300)}


class AccessDesk:
    """Knows staff and devices of one hub and lets them in. What each raises: Refused, TooManyTries, StorageFailed."""

    def __init__(self, folder: Path, world: World, clock: Clock, audit: HubAudit) -> None:
        """Raises: HubRefused for a file that does not count."""
        self._file = KeptFile(folder)
        self.world, self.audit = world, audit
        self.contacts = Contacts(self._file, world, audit)
        self.passwords = Passwords()
        self.sessions = Sessions(world.random_bytes, clock)
        self.codes = EnrolmentCodes(world.random_bytes, clock)
        self.challenges = Challenges(world.random_bytes, clock)
        self.guesses = Throttle(_PASSWORD_LIMITS, clock)
        self._code_guesses = Throttle(_CODE_LIMITS, clock)
        self._signatures = Throttle(_SIGNATURE_LIMITS, clock)
        self.accounts_made = asyncio.Event()
        if self.has_accounts:
            self.accounts_made.set()
        self.on_change: Callable[[], None] = lambda: None  # told when somebody may have lost what was let in

    @property
    def known(self) -> Known:
        return self._file.known

    @property
    def has_accounts(self) -> bool:
        return bool(self.known.accounts)

    def off(self) -> set[str]:
        return off_accounts(self.known, self.contacts.used_at, self.world.now())

    async def change(self, edit: Callable[[Known], Known]) -> None:
        """Change what is known, on disk; what was noted meanwhile goes with it."""
        await self._file.change(lambda known: self.contacts.added_to(edit(known)))
        self.on_change()

    # ---- the hub's own computer

    async def make_first(self, asked: FirstManager, caller: Caller) -> tuple[str, list[FieldProblem]]:
        """Make the first account; returns a code for this computer's browser, or what is to be mended."""
        _this_pc_only(caller)
        if self.has_accounts:
            raise Refused(409, "accounts_exist")
        wanted = SetStaff(staff_id=asked.staff_id, roles=[Role.MANAGER], password=asked.password, is_new=True)
        if problems := problems_of_account(self.known, wanted):
            return "", problems
        now, password_hash = self.world.now(), await self.passwords.hash(asked.password)
        grants = (Grant(at=now, roles=(Role.MANAGER,)),)
        first = Account(staff_id=asked.staff_id, password_hash=password_hash, made_at=now, grants=grants)

        def edit(known: Known) -> Known:
            if known.accounts:  # another window was quicker
                raise Refused(409, "accounts_exist")
            return known.with_account(first).model_copy(update={"hub_id": self.world.make_record_id()})

        await self.change(edit)
        self.accounts_made.set()
        self.audit.note(first.staff_id, AuditAction.MADE_ACCOUNT, {"staff_id": first.staff_id})
        return self.make_code(first.staff_id), []

    async def make_pc_code(self, asked: PcCodeRequest, caller: Caller) -> str:
        """A code for this computer's browser, to a manager who says the password."""
        _this_pc_only(caller)
        account = await self.person(asked.staff_id, asked.password, caller, "")
        if Role.MANAGER not in account.roles:
            raise Refused(403, "role_may_not", "manage_devices")
        return self.make_code(account.staff_id)

    def make_code(self, by: str, device_id: str = "") -> str:
        self.audit.note(by, AuditAction.OFFERED_ENROLMENT, device_id=device_id)
        return self.codes.make(by)

    # ---- devices

    async def enrol(self, asked: EnrolRequest, caller: Caller) -> Device:
        """Take a device in for a code."""
        tries = self._code_guesses.begin(address=key_of_address(caller.address))
        made_by = self.codes.take(asked)
        if made_by is None:
            self.audit.note(NOBODY, AuditAction.ENROLMENT_REFUSED, {"reason": "wrong_code"} | _address(caller))
            raise Refused(403, "wrong_code")
        tries.succeeded()
        try:
            await self.change(lambda known: known.with_device(self._enrolled(known, asked, made_by)))
        except BaseException:
            if asked.device_id not in self.known.devices:
                self.codes.give_back(asked)
            raise
        self.audit.note(made_by, AuditAction.ENROLLED, {"device_id": asked.device_id}, asked.device_id)
        return self.known.devices[asked.device_id]

    def _enrolled(self, known: Known, asked: EnrolRequest, made_by: str) -> Device:
        if not is_point(asked.public_key):
            raise Refused(400, "invalid_body", "public_key: not a point of P-256")
        present = known.devices.get(asked.device_id)
        if present is None:
            if known.owner_of(asked.device_id) is not None:
                raise Refused(409, "device_enrolled")
            if len(known.devices) >= MAX_DEVICES:
                raise Refused(409, "too_many_devices")
            fields = asked.model_dump(include={"device_id", "name", "public_key", "data_key"})
            return Device(**fields, enrolled_at=self.world.now(), enrolled_by=made_by)
        if (present.public_key, present.data_key) != (asked.public_key, asked.data_key) or present.revoked_at:
            raise Refused(409, "device_enrolled")
        return present.model_copy(update={"name": asked.name})

    def signed(
        self, asked: SignInRequest | SessionRequest | HandOverRequest, purpose: Purpose, caller: Caller
    ) -> Device:
        """The device that made this request; it counts once."""
        staff_id = "" if isinstance(asked, HandOverRequest) else asked.staff_id
        tries = self._signatures.begin(address=key_of_address(caller.address))
        device = self.known.devices.get(asked.device_id)
        if device is None:
            raise Refused(401, "device_unknown")
        parts = (asked.challenge, asked.device_id, staff_id, caller.origin)
        is_open = self.challenges.is_open(asked.challenge, asked.device_id)
        if not is_open or not is_signed(device.public_key, asked.signature, purpose, *parts):
            self._refuse_session(NOBODY, "wrong_signature", device)
        self.challenges.use(asked.challenge)
        tries.succeeded()
        if device.revoked_at is not None and purpose is not Purpose.HAND_OVER:
            raise Refused(401, "device_revoked")
        return device

    # ---- people

    async def person(self, staff_id: str, password: str, caller: Caller, device_id: str) -> Account:
        """Whose password this is, and whose account counts."""
        account = next((a for a in self.known.accounts.values() if alike(a.staff_id, staff_id)), None)
        who = account.staff_id if account else ""
        tries = self.guesses.begin(
            device=f"{device_id} {who}", person=who or staff_id, address=key_of_address(caller.address)
        )
        if not await self.passwords.verify(account.password_hash if account else None, password) or account is None:
            about = _address(caller) | ({"staff_id": who} if who else {})
            self.audit.note(who or NOBODY, AuditAction.SIGN_IN_REFUSED, about, device_id)
            raise Refused(401, "wrong_password")
        tries.succeeded("device")
        if account.staff_id in self.off():
            about = {"staff_id": who, "reason": "account_off"}
            self.audit.note(who, AuditAction.SIGN_IN_REFUSED, about, device_id)
            raise Refused(401, "account_off")
        if is_outdated(account.password_hash):
            await self._hash_anew(account, password)
        return account

    async def set_password(self, staff_id: str, password: str, *, by_device: str) -> None:
        """One's own, from a device: on all others it has to be said."""
        password_hash = await self.passwords.hash(password)

        def edit(known: Known) -> Known:
            account = known.accounts[staff_id].model_copy(update={"password_hash": password_hash})
            return known.with_account(account).signed_out(staff_id, but_on=by_device)

        await self.change(edit)
        self.end_sessions_of(staff_id, but_on=by_device)

    async def _hash_anew(self, account: Account, password: str) -> None:
        """The same password by the parameters of now; not over one that a manager has set meanwhile."""
        password_hash = await self.passwords.hash(password)

        def edit(known: Known) -> Known:
            present = known.accounts[account.staff_id]
            if present.password_hash != account.password_hash:
                return known
            return known.with_account(present.model_copy(update={"password_hash": password_hash}))

        await self.change(edit)

    def end_sessions_of(self, staff_id: str, *, but_on: str = "") -> None:
        for device_id, who in self.sessions.staff_by_device().items():
            if who == staff_id and device_id != but_on:
                self.sessions.close(device_id)
        self.on_change()

    async def sign_in(self, asked: SignInRequest, caller: Caller) -> SignInAnswer:
        device = self.signed(asked, Purpose.SIGN_IN, caller)
        account = await self.person(asked.staff_id, asked.password, caller, device.device_id)
        token, now = unpadded(self.world.random_bytes(32)), self.world.now()
        registration = Registration(token_sha256=_digest(token), since=now)

        def edit(known: Known) -> Known:
            present = known.devices[device.device_id]
            if present.revoked_at is not None:  # while the password was looked at
                raise Refused(401, "device_revoked")
            staff = {**present.staff, account.staff_id: registration}
            return known.with_device(present.model_copy(update={"staff": staff}))

        self.contacts.note_used(account.staff_id)
        await self.change(edit)
        self.audit.note(account.staff_id, AuditAction.SIGNED_IN, device_id=device.device_id)
        return SignInAnswer(
            staff_id=account.staff_id,
            staff_token=token,
            data_key=device.data_key,
            roles=list(account.roles),
            staff=self.known.summaries(self.known.devices[device.device_id], self.off()),
            device_name=device.name,
        )

    # ---- sessions

    async def open_session(self, asked: SessionRequest, caller: Caller) -> tuple[str, SessionAnswer]:
        """Begin a session; returns the cookie's value and what to tell."""
        device = self.signed(asked, Purpose.SESSION, caller)
        registration = device.staff.get(asked.staff_id)
        if registration is None or not hmac.compare_digest(registration.token_sha256, _digest(asked.staff_token)):
            self._refuse_session(asked.staff_id if registration else NOBODY, "sign_in_needed", device)
        if asked.staff_id in self.off():
            self._refuse_session(asked.staff_id, "account_off", device)
        value = self.sessions.open(device.device_id, asked.staff_id, caller)
        self.on_change()
        self.contacts.note_session(device.device_id)
        self.contacts.note_used(asked.staff_id)
        self.contacts.note_seen(device.device_id, asked.state)
        await self.contacts.keep()
        self.audit.note(asked.staff_id, AuditAction.SESSION_BEGAN, device_id=device.device_id)
        answer = SessionAnswer(
            staff_id=asked.staff_id,
            roles=list(self.known.accounts[asked.staff_id].roles),
            staff=self.known.summaries(device, self.off()),
            device_name=device.name,
        )
        return value, answer

    def _refuse_session(self, who: str, code: str, device: Device) -> NoReturn:
        self.contacts.note_refusal(who, AuditAction.SESSION_REFUSED, {"reason": code}, device.device_id)
        raise Refused(401, code)

    def session_of(self, value: str, caller: Caller) -> Session:
        """The session that a cookie's value stands for, whose person and device count still."""
        session = self.sessions.find(value, caller)
        if session is None:
            raise Refused(401, "session_needed")
        if self.known.devices[session.device_id].revoked_at is not None:
            raise Refused(401, "device_revoked")
        if session.staff_id in self.off():
            raise Refused(401, "account_off")
        return session

    def is_open(self, session: Session) -> bool:
        """Whether it counts still."""
        is_revoked = self.known.devices[session.device_id].revoked_at is not None
        return self.sessions.is_open(session) and not is_revoked and session.staff_id not in self.off()

    def close_session(self, session: Session) -> None:
        self.sessions.close(session.device_id)
        self.on_change()

    def roles_of(self, session: Session) -> tuple[Role, ...]:
        return self.known.accounts[session.staff_id].roles


def _this_pc_only(caller: Caller) -> None:
    if not caller.is_this_pc:
        raise Refused(403, "this_pc_only")


def _address(caller: Caller) -> dict[str, str | int]:
    return {"address": caller.address} if caller.address else {}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
