"""A device that a manager has turned off: what only it holds goes to the hub, then everything goes from it.

Invariants:
- nothing is wiped before the hub has said of every change that it is on its disk;
- from the moment on in which nothing is unsent, nothing is recorded here any more.
"""

from collections.abc import Awaitable, Callable

from pydantic import ValidationError

from store.access_protocol import HandOverAnswer, HandOverRequest, Purpose
from store.audit_protocol import AuditTelling
from store.audit_trail import AuditTrail
from store.changes import Change
from store.device_database import DeviceDatabase
from store.errors import AppError
from store.protocol import HubStatus, SyncAnswer, SyncRequest
from ui.network import JSON
from ui.session import SignedNetwork

_CHANGES = 800  # as in an exchange


class DeviceRevoked(AppError):
    """A manager has turned this device off: it is being wiped and records nothing."""

    code = "device_revoked"


async def hand_over(network: SignedNetwork, database: DeviceDatabase, device_id: str) -> bool:
    """Give the hub what it does not hold; False where it did not take all. Raises: NetworkFailed, SessionRefused."""
    while changes := database.unsent.first(_CHANGES):
        answer = await _hand_over(network, database, device_id, changes)
        if answer is None or not answer.accepted:
            return False
        cursor = database.cursor
        told = SyncAnswer(accepted=answer.accepted, changes=[], upto=cursor, head=cursor, status=HubStatus())
        await database.receive(told)
    return True


async def hand_over_audit(
    network: SignedNetwork, database: DeviceDatabase, device_id: str, trail: AuditTrail
) -> None:
    """Tell the hub what was looked at here, as far as it takes it. Raises: NetworkFailed, SessionRefused."""
    await trail.flush()
    while (telling := trail.telling()) is not None:
        answer = await _hand_over(network, database, device_id, [], telling)
        if answer is None or answer.audit is None:
            return
        await trail.told(telling, answer.audit)


async def _hand_over(
    network: SignedNetwork,
    database: DeviceDatabase,
    device_id: str,
    changes: list[Change],
    audit: AuditTelling | None = None,
) -> HandOverAnswer | None:
    challenge, signature = await network.signed(Purpose.HAND_OVER, "")
    request = HandOverRequest(
        device_id=device_id,
        challenge=challenge,
        signature=signature,
        request=SyncRequest(
            device_id=database.device_id, generation=database.generation, after=database.cursor, changes=changes
        ),
        left=len(database.unsent) - len(changes),
        audit=audit,
    )
    status, _, body = await network.plain.fetch(
        "POST", "/api/access/hand-over", request.model_dump_json().encode(), JSON
    )
    try:
        return HandOverAnswer.model_validate_json(body) if status == 200 else None
    except ValidationError:
        return None


async def leave(
    network: SignedNetwork,
    database: DeviceDatabase,
    device_id: str,
    stop_recording: Callable[[], None],
    wipe: Callable[[], Awaitable[None]],
    trail: AuditTrail | None = None,
) -> None:
    """Hand over, then wipe. Where anything is left in spite of it, the device stays as it is.

    Raises: NetworkFailed, SessionRefused; then it is tried at the next contact.
    """
    if not await hand_over(network, database, device_id):
        return
    if trail is not None:
        await hand_over_audit(network, database, device_id, trail)
    stop_recording()
    await database.close()  # after what was being written
    if not len(database.unsent):
        await wipe()
