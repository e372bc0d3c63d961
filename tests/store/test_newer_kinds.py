"""What an older program could not read is there once the program is new: kept until then, passed on, never lost."""

import pytest

import store.apply
from store.changes import ChangeDraft, ChangeKind
from store.clinic_settings import StaffMember, draft_setting, make_setting, staff_members
from store.storage import MemoryFolder
from tests.store.test_standing import make_device, make_hub, patient, sync

LOT = ChangeDraft(
    ChangeKind.REGISTER_LOT, "5" * 32, {"lot_number": "X-CDC", "vaccine_code": "MMR", "lot_type": "1"}
)


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """From here on the program is one that has not heard of lots, until `undo`."""
    known = {name: kind for name, kind in store.apply._KIND.items() if kind is not ChangeKind.REGISTER_LOT}
    monkeypatch.setattr(store.apply, "_KIND", known)
    return monkeypatch


async def test_a_hub_reads_it_out_of_its_own_store(older: pytest.MonkeyPatch) -> None:
    folder = MemoryFolder()
    hub, device = await make_hub(folder), await make_device()
    older.undo()
    await device.commit([LOT], made_by="nurse")
    older.setattr(store.apply, "_KIND", {})
    await sync(device, hub)
    await hub.checkpoint()
    assert (len(hub.tables.lots), len(hub.tables.unreadable)) == (0, 1)

    older.undo()
    hub = await make_hub(folder.copy())

    assert (len(hub.tables.lots), len(hub.tables.unreadable)) == (1, 0)
    await hub.checkpoint()
    hub = await make_hub(hub.folder)  # type: ignore[arg-type]  # the same folder in memory
    assert (len(hub.tables.lots), len(hub.tables.unreadable)) == (1, 0)


async def test_a_device_reads_it_again_from_the_hub_and_once_only(older: pytest.MonkeyPatch) -> None:
    folder = MemoryFolder()
    hub, other, device = await make_hub(), await make_device(), await make_device(folder)
    await device.commit([patient(1)], made_by="nurse")
    await sync(device, hub)
    older.undo()
    await other.commit([LOT], made_by="nurse")
    await sync(other, hub)
    older.setattr(store.apply, "_KIND", {"register_patient": ChangeKind.REGISTER_PATIENT})
    await sync(device, hub)
    await device.checkpoint()
    assert (len(device.tables.lots), len(device.tables.unreadable)) == (0, 1)

    older.undo()
    device = await make_device(folder.copy())
    assert device.cursor == 0
    await sync(device, hub)

    assert (len(device.tables.lots), len(device.tables.unreadable)) == (1, 0)
    assert len(device.tables.patients) == 1
    device = await make_device(device.folder.copy())  # type: ignore[attr-defined]  # a folder in memory
    assert device.cursor == hub.head


async def test_what_still_nobody_can_read_does_not_have_everything_read_again_at_each_opening(
    older: pytest.MonkeyPatch,
) -> None:
    folder = MemoryFolder()
    hub, other, device = await make_hub(), await make_device(), await make_device(folder)
    await sync(device, hub)
    older.undo()
    await other.commit([LOT], made_by="nurse")
    await sync(other, hub)
    older.setattr(store.apply, "_KIND", {})
    await sync(device, hub)
    await device.checkpoint()

    older.setattr(store.apply, "_KIND", {"register_patient": ChangeKind.REGISTER_PATIENT})  # newer, and not enough
    device = await make_device(folder.copy())
    await sync(device, hub)
    assert len(device.tables.unreadable) == 1

    device = await make_device(device.folder.copy())  # type: ignore[attr-defined]  # a folder in memory
    assert device.cursor == hub.head


async def test_settings_that_an_older_hub_cannot_read_pass_through_it_to_the_other_stations(
    older: pytest.MonkeyPatch,
) -> None:
    hub, one, other = await make_hub(), await make_device(), await make_device()
    older.undo()
    member = make_setting(StaffMember, "N1", staff_id="N1", name="王護理師")
    await one.commit([draft_setting(member, None)], made_by="nurse")
    older.setattr(store.apply, "_KIND", {"register_patient": ChangeKind.REGISTER_PATIENT})
    await sync(one, hub)
    assert (len(hub.tables.staff), len(hub.tables.unreadable)) == (0, 1)

    older.undo()
    await sync(other, hub)

    assert staff_members(other.tables) == [member]
