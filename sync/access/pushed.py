"""Whose changes a device may bring, and of which kind. Pure.

A change made out of the network comes later, when the hub may have taken a role from its maker; the device could not
know. So it is held against the roles that its maker had when it was made by the device's clock, or when the device was
last here by the hub's, or has now. What somebody recorded then is never lost, and after the next contact it is over.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from store.changes import Change
from store.protocol import STAFF
from store.roles import may_make
from sync.access.known import Device, Known

# What was recorded before the device was enrolled names nobody. Its clock may have been ahead.
_UNNAMED_LEEWAY = timedelta(days=1)


def refusal_of(
    known: Known,
    device: Device,
    changes: Iterable[Change],
    *,
    roles: Collection[str],
    last_here: datetime,
    now: datetime,
) -> tuple[str, str] | None:
    """Why this device may not bring these changes: the code, and the kind of the first; None where it may.

    `roles` are of whoever brings them: what was recorded before anybody had a name is held against these.
    `last_here` is when the hub last answered the device.
    """
    for change in changes:
        if change.made_by == STAFF and change.made_at <= device.enrolled_at + _UNNAMED_LEEWAY:
            if not may_make(roles, change.kind):
                return "role_may_not", change.kind
            continue
        account = known.accounts.get(change.made_by)
        if account is None or change.made_by not in device.staff:
            return "not_at_the_desk", change.kind
        moments = (now, change.made_at, last_here)
        if not any(may_make(account.roles_at(moment), change.kind) for moment in moments):
            return "role_may_not", change.kind
    return None
