"""What a manager does: make and change accounts, look at the devices, name one, revoke one; and one's own password."""

from collections.abc import Callable, Mapping

from store.access_protocol import (
    AccessProblem,
    Done,
    FieldProblem,
    KnownDevice,
    PasswordChange,
    SetStaff,
    StaffAccount,
    password_problem,
)
from store.audit import AuditAction
from sync.access.desk import AccessDesk
from sync.access.known import Account, Device, Grant, Known, problems_of_account, with_grant
from sync.access.sessions import Caller, Session
from sync.refused import Refused


class _Prevented(Exception):
    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__()
        self.problems = problems


# ---- staff


def list_staff(desk: AccessDesk) -> list[StaffAccount]:
    known, off = desk.known, desk.off()
    return [
        StaffAccount(
            staff_id=account.staff_id,
            roles=list(account.grants[-1].roles),
            active=account.active,
            is_off=account.staff_id in off,
            made_at=account.made_at,
            last_used_at=desk.contacts.used_at.get(account.staff_id),
            devices=[device.name for device in known.devices.values() if account.staff_id in device.staff],
        )
        for account in known.accounts.values()
    ]


async def set_staff(desk: AccessDesk, asked: SetStaff, by: Session) -> Done:
    """Make or change an account, or tell everything that stands in the way."""
    if problems := problems_of_account(desk.known, asked):
        return Done(problems=problems)
    password_hash = None if asked.password is None else await desk.passwords.hash(asked.password)
    before, was_off = desk.known.accounts.get(asked.staff_id), asked.staff_id in desk.off()

    def edit(known: Known) -> Known:
        # Again: another manager may have been quicker.
        if problems := problems_of_account(known, asked):
            raise _Prevented(problems)
        changed = known.with_account(_as_asked(desk, known, asked, password_hash))
        return changed if password_hash is None else changed.signed_out(asked.staff_id)

    try:
        await desk.change(edit)
    except _Prevented as prevented:
        return Done(problems=prevented.problems)
    after, is_off = desk.known.accounts[asked.staff_id], asked.staff_id in desk.off()
    if password_hash is not None:
        desk.end_sessions_of(asked.staff_id)
    done = {
        AuditAction.MADE_ACCOUNT: before is None,
        AuditAction.SET_PASSWORD: before is not None and before.password_hash != after.password_hash,
        AuditAction.SET_ROLES: before is not None and before.grants[-1].roles != after.grants[-1].roles,
        AuditAction.TURNED_OFF: is_off and not was_off,
        AuditAction.TURNED_ON: was_off and not is_off,
    }
    for what in (what for what, was_done in done.items() if was_done):
        desk.audit.note(by.staff_id, what, {"staff_id": asked.staff_id}, by.device_id)
    return Done()


def _as_asked(desk: AccessDesk, known: Known, asked: SetStaff, password_hash: str | None) -> Account:
    now, roles = desk.world.now(), tuple(dict.fromkeys(asked.roles))
    present = known.accounts.get(asked.staff_id)
    if present is None:
        assert password_hash is not None
        grants = (Grant(at=now, roles=roles, active=asked.active),)
        return Account(staff_id=asked.staff_id, password_hash=password_hash, made_at=now, grants=grants)
    if password_hash is not None:
        present = present.model_copy(update={"password_hash": password_hash})
    return with_grant(present, roles, asked.active, now, is_off=asked.staff_id in desk.off())


async def change_password(desk: AccessDesk, asked: PasswordChange, by: Session, caller: Caller) -> Done:
    """Change one's own."""
    try:
        await desk.person(by.staff_id, asked.old, caller, by.device_id)
    except Refused as refused:
        if refused.code != "wrong_password":
            raise
        return Done(problems=[FieldProblem(field="old", code=AccessProblem.PASSWORD_WRONG)])
    if code := password_problem(asked.new, by.staff_id):
        return Done(problems=[FieldProblem(field="new", code=code)])
    await desk.set_password(by.staff_id, asked.new, by_device=by.device_id)
    desk.audit.note(by.staff_id, AuditAction.SET_PASSWORD, {"staff_id": by.staff_id}, by.device_id)
    return Done()


# ---- devices


def list_devices(desk: AccessDesk, by: Session) -> list[KnownDevice]:
    signed_in = desk.sessions.staff_by_device()
    found = []
    for device in desk.known.devices.values():
        seen = desk.contacts.of(device.device_id)
        found.append(
            KnownDevice(
                device_id=device.device_id,
                name=device.name,
                enrolled_at=device.enrolled_at,
                enrolled_by=device.enrolled_by,
                staff=list(device.staff),
                last_seen_at=seen.at,
                last_sync_at=seen.synced_at,
                state=seen.state,
                revoked_at=device.revoked_at,
                revoked_by=device.revoked_by,
                wiped_at=device.wiped_at,
                is_this=device.device_id == by.device_id,
                is_signed_in=device.device_id in signed_in,
            )
        )
    return found


async def name_device(desk: AccessDesk, device_id: str, name: str) -> None:
    await _change_device(desk, device_id, lambda device: {"name": name})


async def revoke(desk: AccessDesk, device_id: str, by: Session) -> None:
    """From now on the device gets nothing; what it has not sent it may still hand over."""

    def facts(device: Device) -> dict[str, object]:
        is_new = device.revoked_at is None
        return {"revoked_at": desk.world.now(), "revoked_by": by.staff_id} if is_new else {}

    await _change_device(desk, device_id, facts)
    desk.sessions.close(device_id)
    desk.on_change()
    desk.audit.note(by.staff_id, AuditAction.REVOKED, {"device_id": device_id}, by.device_id)


async def note_wiped(desk: AccessDesk, device_id: str) -> None:
    """The device says that it keeps nothing any more: nobody will need its data's key again."""
    await _change_device(desk, device_id, lambda _: {"wiped_at": desk.world.now(), "data_key": ""})


async def _change_device(desk: AccessDesk, device_id: str, facts: Callable[[Device], Mapping[str, object]]) -> None:
    def edit(known: Known) -> Known:
        device = known.devices.get(device_id)
        if device is None:
            raise Refused(404, "not_found")
        return known.with_device(device.model_copy(update=facts(device)))

    await desk.change(edit)
