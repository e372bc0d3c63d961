"""What a hub knows of its staff and devices, and what follows from it. Pure: no clock, no file.

Invariants:
- an account is never deleted and a role never forgotten: what somebody did while holding it stays allowed;
- there is always an account that may manage and counts.
"""

from collections.abc import Iterable, Mapping, Set
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from store.access_protocol import (
    MAX_STAFF,
    UNUSED_DAYS,
    AccessProblem,
    DeviceState,
    FieldProblem,
    SetStaff,
    StaffSummary,
    alike,
    password_problem,
    staff_id_problem,
)
from store.roles import Role

_UNUSED = timedelta(days=UNUSED_DAYS)


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Grant(_Kept):
    """What somebody may do from `at` on, until the next grant."""

    at: AwareDatetime
    roles: tuple[Role, ...]
    active: bool = True


class Account(_Kept):
    """Shape: `grants` in the order of their time, at least one; `password_hash` as argon2 writes it."""

    staff_id: str
    password_hash: str = Field(repr=False)
    made_at: AwareDatetime
    grants: tuple[Grant, ...] = Field(min_length=1)

    @property
    def roles(self) -> tuple[Role, ...]:
        """Nothing while the account is not active."""
        return self.grants[-1].roles if self.active else ()

    @property
    def active(self) -> bool:
        return self.grants[-1].active

    def roles_at(self, moment: datetime) -> tuple[Role, ...]:
        held = next((grant for grant in reversed(self.grants) if grant.at <= moment), None)
        return held.roles if held is not None and held.active else ()


class Registration(_Kept):
    """Somebody who has signed in on a device. Shape: SHA-256 of the token's text, in hexadecimal digits."""

    token_sha256: str = Field(repr=False)
    since: AwareDatetime


class Device(_Kept):
    """Shape: keys as in EnrolRequest; `store_ids` are the names under which its stores make changes: a store that was
    lost or put back gets a new one."""

    device_id: str
    name: str
    public_key: str
    data_key: str = Field(repr=False)
    enrolled_at: AwareDatetime
    enrolled_by: str
    staff: dict[str, Registration] = {}
    store_ids: tuple[str, ...] = ()
    revoked_at: AwareDatetime | None = None
    revoked_by: str = ""
    wiped_at: AwareDatetime | None = None


class Seen(_Kept):
    """When a device was last here, and what it said of itself."""

    at: AwareDatetime | None = None
    synced_at: AwareDatetime | None = None
    state: DeviceState = DeviceState()


class Known(_Kept):
    """Shape: `hub_id` is made with the first account; `revision` goes up with every change; by id, in order of making;
    `used_at` is when an account was last used."""

    hub_id: str = ""
    revision: int = 0
    accounts: dict[str, Account] = {}
    devices: dict[str, Device] = {}
    seen: dict[str, Seen] = {}
    used_at: dict[str, AwareDatetime] = {}

    def with_account(self, account: Account) -> "Known":
        return self.model_copy(update={"accounts": {**self.accounts, account.staff_id: account}})

    def with_device(self, device: Device) -> "Known":
        return self.model_copy(update={"devices": {**self.devices, device.device_id: device}})

    def signed_out(self, staff_id: str, *, but_on: str = "") -> "Known":
        """The same, with a person who has to say the password again on every device but one.

        They stay people of those devices: what they recorded there and nobody has sent yet is taken all the same.
        """
        known = self
        for device in self.devices.values():
            if (present := device.staff.get(staff_id)) is not None and device.device_id != but_on:
                staff = {**device.staff, staff_id: present.model_copy(update={"token_sha256": ""})}
                known = known.with_device(device.model_copy(update={"staff": staff}))
        return known

    def owner_of(self, store_id: str) -> str | None:
        """The device whose store goes by this name; that of another device itself no store may take."""
        if store_id in self.devices:
            return store_id
        return next((device.device_id for device in self.devices.values() if store_id in device.store_ids), None)

    def names_of(self, ids: Iterable[str]) -> dict[str, str]:
        """What managers call these devices and stores, where they are known."""
        owners = {one: self.owner_of(one) for one in ids}
        return {one: self.devices[owner].name for one, owner in owners.items() if owner is not None}

    def summaries(self, device: Device, off: Set[str]) -> list[StaffSummary]:
        """Who has signed in on a device."""
        found = [self.accounts[staff_id] for staff_id in device.staff if staff_id in self.accounts]
        return [StaffSummary(staff_id=a.staff_id, roles=list(a.roles), active=a.staff_id not in off) for a in found]


def off_accounts(known: Known, used_at: Mapping[str, datetime], now: datetime) -> set[str]:
    """The accounts that do not count now: turned off, or unused for too long.

    Of the managers the one that was used last counts however long ago that was. A clock that is behind turns nobody
    off, and what one ahead has turned off is on again when it is right.
    """
    last = {a.staff_id: max(a.grants[-1].at, used_at.get(a.staff_id, a.made_at)) for a in known.accounts.values()}
    off = {a.staff_id for a in known.accounts.values() if not a.active or now - last[a.staff_id] > _UNUSED}
    managers = [a.staff_id for a in known.accounts.values() if Role.MANAGER in a.roles]
    if managers and off.issuperset(managers):
        off.discard(max(managers, key=lambda staff_id: last[staff_id]))
    return off


def problems_of_account(known: Known, asked: SetStaff) -> list[FieldProblem]:
    """All that stands in the way of making or changing an account as asked."""
    problems = []
    present = known.accounts.get(asked.staff_id)
    if asked.is_new:
        if code := staff_id_problem(asked.staff_id):
            problems.append(FieldProblem(field="staff_id", code=code))
        elif any(alike(asked.staff_id, staff_id) for staff_id in known.accounts):
            problems.append(FieldProblem(field="staff_id", code=AccessProblem.STAFF_ID_TAKEN))
        if len(known.accounts) >= MAX_STAFF:
            problems.append(FieldProblem(field="staff_id", code=AccessProblem.TOO_MANY))
    elif present is None:
        problems.append(FieldProblem(field="staff_id", code=AccessProblem.STAFF_UNKNOWN))
    if not asked.roles:
        problems.append(FieldProblem(field="roles", code=AccessProblem.ROLE_MISSING))
    if (asked.is_new or asked.password is not None) and (
        code := password_problem(asked.password or "", asked.staff_id)
    ):
        problems.append(FieldProblem(field="password", code=code))
    others = [a for a in known.accounts.values() if a.staff_id != asked.staff_id and Role.MANAGER in a.roles]
    if not others and not (asked.active and Role.MANAGER in asked.roles):
        field = "active" if Role.MANAGER in asked.roles else "roles"
        problems.append(FieldProblem(field=field, code=AccessProblem.LAST_MANAGER))
    return problems


def with_grant(account: Account, roles: tuple[Role, ...], active: bool, now: datetime, *, is_off: bool) -> Account:
    """The account with these roles from now on.

    Without a new grant where nothing changes, unless that turns on again what is off for want of use. A clock that was
    set back must not put a grant before the one it follows.
    """
    last = account.grants[-1]
    if (last.roles, last.active) == (roles, active) and not (is_off and active):
        return account
    grant = Grant(at=max(now, last.at), roles=roles, active=active)
    return account.model_copy(update={"grants": (*account.grants, grant)})
