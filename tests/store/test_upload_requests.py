"""Asking for a refused record to be sent again (store/apply.py), on devices that have not heard of everything yet.

Found by the simulation: a device kept another upload state than the hub, for good.
"""

from typing import Any

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.hub_database import HubDatabase
from store.protocol import HubStatus, SyncAnswer
from store.storage import MemoryFolder
from store.uploads import UploadState
from tests.factories import VACCINATION_ID, make_vaccination
from tests.worlds import make_world

Store = DeviceDatabase | HubDatabase


async def commit(store: Store, kind: ChangeKind, payload: Any, *bases: str, on: str = VACCINATION_ID) -> None:
    await store.commit([ChangeDraft(kind, on, payload, bases)], made_by="staff")


def shown(store: Store) -> dict[str, Any]:
    return dict(store.tables.vaccinations.at(VACCINATION_ID))


async def exchange(device: DeviceDatabase, hub: HubDatabase) -> None:
    accepted = await hub.accept(list(device.unsent))
    changes, upto = hub.changes_after(device.cursor, 1000, except_device=device.device_id)
    await device.receive(SyncAnswer(accepted=accepted, changes=changes, upto=upto, head=hub.head, status=HubStatus()))


async def refuse(hub: HubDatabase, batch_id: str) -> None:
    row = {"record_id": VACCINATION_ID, "revision": shown(hub)["revision"], "method": "POST"}
    result = {"record_id": VACCINATION_ID, "verified": False, "text": "批號不存在"}
    await commit(hub, ChangeKind.UPLOAD_SENT, {"rows": [row]}, on=batch_id)
    await commit(hub, ChangeKind.VERIFICATION_RECEIVED, {"results": [result]}, on=batch_id)


async def ask_again(store: Store) -> None:
    record = shown(store)
    payload = {"upload_batch_id": record["upload"]["upload_batch_id"]}
    await commit(store, ChangeKind.REQUEST_UPLOAD, payload, record["revision"])


async def void(store: Store) -> None:
    await commit(store, ChangeKind.VOID_VACCINATION, {"reason": "測試"}, shown(store)["revision"])


async def correct(store: Store) -> None:
    payload = make_vaccination(dose_number="2").model_dump(mode="json", exclude={"record_id"})
    await commit(store, ChangeKind.CORRECT_VACCINATION, payload, shown(store)["revision"])


async def clinic_with_a_refused_dose() -> tuple[HubDatabase, DeviceDatabase, DeviceDatabase]:
    hub = await HubDatabase.open(MemoryFolder(), make_world())
    devices = [await DeviceDatabase.open(MemoryFolder(), make_world()) for _ in range(2)]
    dose = make_vaccination().model_dump(mode="json", exclude={"record_id"})
    await commit(hub, ChangeKind.RECORD_VACCINATION, dose)
    await refuse(hub, "batch-1")
    for device in devices:
        await exchange(device, hub)
    return hub, devices[0], devices[1]


@pytest.mark.parametrize("edit", [void, correct], ids=lambda edit: edit.__name__)
async def test_a_request_and_an_edit_made_apart_leave_every_store_the_same(edit: Any) -> None:
    hub, asking, editing = await clinic_with_a_refused_dose()
    await ask_again(asking)
    await edit(editing)

    for device in (editing, asking, editing):
        await exchange(device, hub)

    assert shown(asking) == shown(hub)
    assert shown(editing) == shown(hub)


async def test_a_late_request_does_not_undo_a_refusal_that_came_after_it() -> None:
    hub, late, quick = await clinic_with_a_refused_dose()
    await ask_again(late)
    await ask_again(quick)
    await exchange(quick, hub)
    await refuse(hub, "batch-2")

    await exchange(late, hub)
    await exchange(late, hub)

    assert shown(hub)["upload_state"] == UploadState.REFUSED
    assert shown(late) == shown(hub)


async def test_a_request_that_names_no_batch_is_understood_as_before() -> None:
    hub, device, _ = await clinic_with_a_refused_dose()

    await commit(device, ChangeKind.REQUEST_UPLOAD, {}, shown(device)["revision"])
    await exchange(device, hub)

    assert shown(hub)["upload_state"] == UploadState.NOT_SENT
    assert shown(device) == shown(hub)


async def test_a_refusal_that_is_told_again_without_the_devices_own_request_stays_undone() -> None:
    """As to a device that reads all again from a hub that was put back: its own changes are not told to it."""
    hub, asking, _ = await clinic_with_a_refused_dose()
    await ask_again(asking)
    await exchange(asking, hub)
    others, _ = hub.changes_after(0, 1000, except_device=asking.device_id)

    await asking.mend_range(0, others)

    assert shown(asking) == shown(hub)
    assert shown(asking)["upload_state"] == UploadState.NOT_SENT


async def test_a_refusal_that_comes_after_the_request_is_undone_as_well() -> None:
    """As on a hub that was put back and asks CDC once more: what staff asked for still counts."""
    hub, asking, _ = await clinic_with_a_refused_dose()
    await ask_again(asking)
    await exchange(asking, hub)

    await refuse(hub, "batch-1")
    await exchange(asking, hub)

    assert shown(hub)["upload_state"] == UploadState.NOT_SENT
    assert shown(asking) == shown(hub)
