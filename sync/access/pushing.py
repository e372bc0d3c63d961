"""Holds what a device pushes against what its people may do (pushed.py), and learns its store's name."""

import re
from collections.abc import Iterable

from store.audit import NOBODY, AuditAction
from store.changes import HUB_MADE_KINDS
from store.protocol import SyncRequest
from store.roles import Role
from sync.access.known import Device, Known
from sync.access.pushed import refusal_of
from sync.access.sessions import Session
from sync.hub import Hub
from sync.refused import Refused

_MOST_STORES = 100  # of one device: each was lost or put back once
# Nobody is signed in on a revoked device: what a nurse may have recorded, and no settings.
_HANDED_OVER = frozenset(Role) - {Role.MANAGER}
_KIND = re.compile(r"[a-z]{1,20}(_[a-z]{1,20}){0,4}")


def refuse_hub_made(message: SyncRequest) -> None:
    """Only the hub speaks with CDC. Raises: Refused."""
    if any(change.kind in HUB_MADE_KINDS for change in message.changes):
        raise Refused(400, "invalid_body", "changes: a kind that only the hub makes")


async def check_pushed(hub: Hub, device: Device, message: SyncRequest, session: Session | None) -> None:
    """Let pass what the device may bring; nothing of it is kept here. `session` None where it hands over.

    What the hub holds already needs no leave: it stays as it is. Raises: Refused, StorageFailed.
    """
    refuse_hub_made(message)
    desk = hub.access
    brought = [change for change in message.changes if not hub.database.holds(change.change_id)]
    store_ids = dict.fromkeys([message.device_id, *(change.device_id for change in brought)])
    known_now = _with_stores(desk.known, device.device_id, store_ids)
    roles = desk.roles_of(session) if session is not None else _HANDED_OVER
    times = {"last_here": desk.contacts.last_here(device), "now": desk.world.now()}
    refused = refusal_of(desk.known, device, brought, roles=roles, **times)
    if refused is not None:
        code, kind = refused
        what = kind if _KIND.fullmatch(kind) else "unknown"
        who = session.staff_id if session is not None else NOBODY
        desk.contacts.note_refusal(who, AuditAction.ROLE_REFUSED, {"kind": what}, device.device_id)
        raise Refused(403, code, what)
    if known_now is not desk.known:
        await desk.change(lambda known: _with_stores(known, device.device_id, store_ids))
    for staff_id in {change.made_by for change in brought} & desk.known.accounts.keys():
        desk.contacts.note_used(staff_id)


def _with_stores(known: Known, device_id: str, store_ids: Iterable[str]) -> Known:
    """The same where the device is known to have these stores. Raises: Refused where one is another's."""
    if any(known.owner_of(store_id) not in (None, device_id) for store_id in store_ids):
        raise Refused(403, "not_at_the_desk")
    device = known.devices[device_id]
    having = tuple(dict.fromkeys([*device.store_ids, *store_ids]))
    if having == device.store_ids:
        return known
    if len(having) > _MOST_STORES:
        raise Refused(403, "not_at_the_desk")
    return known.with_device(device.model_copy(update={"store_ids": having}))
