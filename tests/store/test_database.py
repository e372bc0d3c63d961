"""The store of a device and of the hub."""

from itertools import permutations
from typing import Any

import pytest

from store.changes import Change, ChangeDraft, ChangeKind, World
from store.device_database import DeviceDatabase
from store.errors import JournalTooNew, JournalUnreadable, StorageFailed
from store.hub_database import HubDatabase
from store.journal import HEADER, encode_frame
from store.manifest import journal_name
from store.protocol import HubStatus, NumberedChange, SyncAnswer, SyncRequest
from store.storage import MemoryFolder
from store.uploads import BatchState, UploadState, next_method, upload_state
from tests.worlds import make_world

PATIENT = {"chart_number": "057164", "name": "測試患者", "national_id": "B222419838", "birth_date": "1985-11-08"}


def dose(patient_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "patient_id": patient_id,
        "vaccination_date": "2026-11-20",
        "vaccine_code": "MMR",
        "dose_number": "1",
        "lot_number": "AMJRE075AA-CDC",
        "lot_type": "1",
        **fields,
    }


async def make_device() -> tuple[DeviceDatabase, MemoryFolder]:
    storage = MemoryFolder()
    return await DeviceDatabase.open(storage, make_world()), storage


async def make_hub() -> HubDatabase:
    return await HubDatabase.open(MemoryFolder(), make_world())


async def register(database: DeviceDatabase | HubDatabase, **fields: Any) -> str:
    record_id = "a" * 31 + "1"
    draft = ChangeDraft(ChangeKind.REGISTER_PATIENT, record_id, {**PATIENT, **fields})
    await database.commit([draft], made_by="nurse")
    return record_id


async def record(database: DeviceDatabase | HubDatabase, number: int = 1, **fields: Any) -> str:
    record_id = f"{number:032x}"
    draft = ChangeDraft(ChangeKind.RECORD_VACCINATION, record_id, dose("a" * 31 + "1", **fields))
    await database.commit([draft], made_by="nurse")
    return record_id


async def exchange(device: DeviceDatabase, hub: HubDatabase) -> None:
    """One whole sync without a network."""
    accepted = await hub.accept(list(device.unsent))
    changes, upto = hub.changes_after(device.cursor, 100_000, except_device=device.device_id)
    answer = SyncAnswer(accepted=accepted, changes=changes, upto=upto, head=hub.head, status=HubStatus())
    await device.receive(SyncAnswer.model_validate_json(answer.model_dump_json()))


def shown(database: DeviceDatabase | HubDatabase) -> dict[str, Any]:
    tables = database.tables
    return {
        table.name: {document["record_id"]: dict(document) for document in table.documents()}
        for table in (tables.patients, tables.lots, tables.vaccinations)
    }


async def test_what_is_saved_is_there_after_reopening_the_same_bytes() -> None:
    device, storage = await make_device()
    await register(device)
    record_id = await record(device)

    again = await DeviceDatabase.open(storage.copy(), make_world())

    assert shown(again) == shown(device)
    assert again.device_id == device.device_id
    assert list(again.unsent) == list(device.unsent) != []
    assert again.tables.vaccinations.at(record_id)["lot_number"] == "AMJRE075AA-CDC"


async def test_one_action_is_one_append_however_many_changes_it_makes() -> None:
    appended: list[int] = []

    class Counting(MemoryFolder):
        async def append(self, name: str, data: bytes) -> None:
            appended.append(len(data))
            await super().append(name, data)

    device = await DeviceDatabase.open(Counting(), make_world())
    before = len(appended)

    drafts = [ChangeDraft(ChangeKind.REGISTER_PATIENT, f"{n:032x}", PATIENT) for n in range(50)]
    await device.commit(drafts, made_by="nurse")

    assert len(appended) - before == 1


async def test_a_save_that_fails_shows_nothing_and_can_be_repeated() -> None:
    class Full(MemoryFolder):
        full = False

        async def append(self, name: str, data: bytes) -> None:
            if self.full:
                raise StorageFailed("full")
            await super().append(name, data)

    storage = Full()
    device = await DeviceDatabase.open(storage, make_world())
    storage.full = True
    with pytest.raises(StorageFailed):
        await register(device)
    assert len(device.tables.patients) == 0

    storage.full = False
    await register(device)

    assert len(device.tables.patients) == 1


async def test_a_draft_that_is_no_record_is_refused_before_anything_is_written() -> None:
    device, storage = await make_device()
    before = storage.copy().files

    with pytest.raises(ValueError, match="chart_number"):
        await device.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, "a" * 32, {"name": "x"})], made_by="nurse")

    assert storage.files == before


async def test_two_devices_and_the_hub_show_the_same_after_syncing() -> None:
    hub = await make_hub()
    one, _ = await make_device()
    two, _ = await make_device()
    await register(one)
    await record(one, 1)
    await exchange(one, hub)
    await exchange(two, hub)
    await record(two, 2, dose_number="2")
    await exchange(two, hub)
    await exchange(one, hub)

    assert shown(one) == shown(two) == shown(hub)
    assert not one.unsent
    assert not two.unsent


async def test_pushing_the_same_changes_again_keeps_their_numbers_and_changes_nothing() -> None:
    hub = await make_hub()
    device, _ = await make_device()
    await register(device)
    await record(device)
    changes = list(device.unsent)

    first = await hub.accept(changes)
    again = await hub.accept(changes + changes)

    assert [a.hub_seq for a in first] == [1, 2]
    assert [a.hub_seq for a in again] == [1, 2, 1, 2]
    assert hub.head == 2


async def test_the_hub_numbers_without_gaps_also_after_reopening() -> None:
    storage = MemoryFolder()
    hub = await HubDatabase.open(storage, make_world())
    device, _ = await make_device()
    await register(device)
    await hub.accept(list(device.unsent))

    hub = await HubDatabase.open(storage.copy(), make_world())
    await record(hub)

    changes, upto = hub.changes_after(0, 10, except_device="")
    assert [n.hub_seq for n in changes] == [1, 2]
    assert upto == hub.head == 2


async def test_a_device_does_not_get_its_own_changes_back() -> None:
    hub = await make_hub()
    device, _ = await make_device()
    await register(device)
    await hub.accept(list(device.unsent))

    changes, upto = hub.changes_after(0, 10, except_device=device.device_id)

    assert changes == []
    assert upto == 1


async def test_who_tells_more_than_an_answer_reaches_is_not_behind_afterwards() -> None:
    hub = await make_hub()
    await register(hub)
    device, _ = await make_device()
    for _ in range(4):
        await register(device)
    other, _ = await make_device()
    await register(other)
    told = [*device.unsent, *other.unsent]  # the other one's under its earlier name: it comes back as anybody's
    request = SyncRequest(device_id=device.device_id, generation=device.generation, after=0, changes=told)

    answer = await hub.answer(request, 2, HubStatus())

    assert answer.upto == answer.head == 6
    assert [n.hub_seq for n in answer.changes] == [1, 6]


async def test_an_answer_received_twice_changes_nothing_and_writes_nothing() -> None:
    hub = await make_hub()
    await register(hub)
    device, storage = await make_device()
    changes, upto = hub.changes_after(0, 10, except_device=device.device_id)
    answer = SyncAnswer(accepted=[], changes=changes, upto=upto, head=1, status=HubStatus())
    await device.receive(answer)
    before = storage.copy().files

    await device.receive(answer)

    assert storage.files == before
    assert len(device.tables.patients) == 1


async def test_two_corrections_of_one_revision_both_stay_and_every_store_shows_the_same_one() -> None:
    hub = await make_hub()
    await register(hub)
    record_id = await record(hub)
    base = hub.tables.vaccinations.at(record_id)["revision"]
    corrections = []
    for lot in ("ONE-CDC", "TWO-CDC"):
        device, _ = await make_device()
        await exchange(device, hub)
        payload = dose("a" * 31 + "1", lot_number=lot)
        corrections += await device.commit(
            [ChangeDraft(ChangeKind.CORRECT_VACCINATION, record_id, payload, (base,))], made_by="nurse"
        )

    seen = []
    for order in permutations(corrections):
        store, _ = await make_device()
        await exchange(store, hub)
        head = hub.head
        numbered = [NumberedChange(hub_seq=head + n, change=c) for n, c in enumerate(order, start=1)]
        await store.receive(SyncAnswer(accepted=[], changes=numbered, upto=head + 2, head=head + 2, status=HubStatus()))
        document = store.tables.vaccinations.at(record_id)
        assert len(document["revisions"]) == 3
        assert len(document["conflict"]) == 1
        assert next_method(document) is None, "nothing goes to CDC before a person has chosen"
        seen.append((document["revision"], document["lot_number"], document["conflict"]))

    assert seen[0] == seen[1]


async def test_voiding_keeps_the_record_with_its_reason() -> None:
    device, _ = await make_device()
    await register(device)
    record_id = await record(device)
    base = device.tables.vaccinations.at(record_id)["revision"]

    void = ChangeDraft(ChangeKind.VOID_VACCINATION, record_id, {"reason": "打錯人"}, (base,))
    await device.commit([void], made_by="nurse")

    document = device.tables.vaccinations.at(record_id)
    assert (document["voided"], document["void_reason"]) == (True, "打錯人")
    assert document["lot_number"] == "AMJRE075AA-CDC"
    assert upload_state(document) is UploadState.NOT_NEEDED


async def test_an_unknown_kind_of_change_is_kept_and_passed_on() -> None:
    hub = await make_hub()
    world = make_world()
    change = Change(
        change_id=world.make_change_id(),
        device_id=world.make_record_id(),
        device_seq=1,
        record_id="b" * 32,
        kind="of_a_later_year",
        payload={"x": 1},
        made_by="nurse",
        made_at=world.now(),
    )

    await hub.accept([change])
    device, storage = await make_device()
    await exchange(device, hub)

    for store in (hub, device, await DeviceDatabase.open(storage.copy(), make_world())):
        assert [d["kind"] for d in store.tables.unreadable.documents()] == ["of_a_later_year"]
    assert [n.change for n in hub.changes_after(0, 10, except_device="")[0]] == [change]


async def test_a_damaged_frame_in_the_hubs_journal_does_not_give_its_numbers_again() -> None:
    storage = MemoryFolder()
    hub = await HubDatabase.open(storage, make_world())
    await register(hub)
    journal = storage.files[journal_name(1)]
    start = len(journal)
    lost = await record(hub, 1)
    end = len(journal)
    kept = await record(hub, 2)
    journal[(start + end) // 2] ^= 1

    hub = await HubDatabase.open(storage.copy(), make_world())
    await record(hub, 3)

    assert hub.recovery.damaged
    assert [n.hub_seq for n in hub.changes_after(0, 10, except_device="")[0]] == [1, 3, 4]
    assert hub.tables.vaccinations.find(kept) is not None
    assert hub.tables.vaccinations.find(lost) is None


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (
            b'[{"e":"store","data":{"schema":99,"role":"device","device_id":"x","generation":"y","manifest":{}}}]',
            JournalTooNew,
        ),
        (
            b'[{"e":"store","data":{"schema":2,"role":"hub","device_id":"x","generation":"y","manifest":{}}}]',
            JournalUnreadable,
        ),
        (b'[{"e":"unheard of"}]', JournalTooNew),
    ],
    ids=["newer schema", "a hub's journal on a device", "unknown entry"],
)
async def test_a_journal_this_program_cannot_serve_is_refused_and_untouched(
    entry: bytes, error: type[Exception]
) -> None:
    data = HEADER + encode_frame(entry)
    storage = MemoryFolder({journal_name(1): data})

    with pytest.raises(error):
        await DeviceDatabase.open(storage, make_world())

    assert storage.files == {journal_name(1): data}


class TestUploadStates:
    """What the hub's changes make of a record on the hub and on every device."""

    @staticmethod
    async def hub_with_doses(count: int) -> tuple[HubDatabase, list[str]]:
        hub = await make_hub()
        await register(hub)
        return hub, [await record(hub, n, dose_number=str(n)) for n in range(1, count + 1)]

    @staticmethod
    async def send(hub: HubDatabase, batch_id: str, record_ids: list[str]) -> None:
        rows = []
        for record_id in record_ids:
            document = hub.tables.vaccinations.at(record_id)
            method = next_method(document)
            assert method is not None
            rows.append({"record_id": record_id, "revision": document["revision"], "method": str(method)})
        await hub.commit([ChangeDraft(ChangeKind.UPLOAD_SENT, batch_id, {"rows": rows})], made_by="hub")

    @staticmethod
    async def accept(hub: HubDatabase, batch_id: str) -> None:
        payload = {"due_at": "2026-11-20T02:10:00+00:00", "message": {"code": "I00000", "text": "作業完成"}}
        await hub.commit([ChangeDraft(ChangeKind.UPLOAD_ACCEPTED, batch_id, payload)], made_by="hub")

    @staticmethod
    async def verify(hub: HubDatabase, batch_id: str, verified: dict[str, bool]) -> None:
        results = [
            {"record_id": record_id, "verified": good, "text": "" if good else "批號不存在"}
            for record_id, good in verified.items()
        ]
        await hub.commit([ChangeDraft(ChangeKind.VERIFICATION_RECEIVED, batch_id, {"results": results})], made_by="hub")

    @staticmethod
    def state(hub: HubDatabase, record_id: str) -> UploadState:
        return UploadState(hub.tables.vaccinations.at(record_id)["upload_state"])

    async def test_accepted_is_not_verified(self) -> None:
        hub, [one] = await self.hub_with_doses(1)
        assert self.state(hub, one) is UploadState.NOT_SENT
        await self.send(hub, "b1", [one])
        assert self.state(hub, one) is UploadState.SENT
        await self.accept(hub, "b1")
        assert self.state(hub, one) is UploadState.ACCEPTED
        await self.verify(hub, "b1", {one: True})
        assert self.state(hub, one) is UploadState.VERIFIED
        assert hub.tables.batches.at("b1")["state"] == BatchState.CLOSED

    async def test_a_row_without_a_verdict_stays_accepted_and_the_batch_open(self) -> None:
        hub, [one, two] = await self.hub_with_doses(2)
        await self.send(hub, "b1", [one, two])
        await self.accept(hub, "b1")

        await self.verify(hub, "b1", {one: True})

        assert self.state(hub, two) is UploadState.ACCEPTED
        assert hub.tables.batches.at("b1")["state"] == BatchState.ACCEPTED

    async def test_a_refused_record_keeps_cdcs_words_and_goes_again_once_corrected(self) -> None:
        hub, [one] = await self.hub_with_doses(1)
        await self.send(hub, "b1", [one])
        await self.accept(hub, "b1")
        await self.verify(hub, "b1", {one: False})
        document = hub.tables.vaccinations.at(one)
        assert self.state(hub, one) is UploadState.REFUSED
        assert document["upload"]["message"]["text"] == "批號不存在"
        assert next_method(document) is None

        correct = ChangeDraft(ChangeKind.CORRECT_VACCINATION, one, dose("a" * 31 + "1"), (document["revision"],))
        await hub.commit([correct], made_by="nurse")

        assert self.state(hub, one) is UploadState.NOT_SENT
        assert next_method(hub.tables.vaccinations.at(one)) == "POST"

    async def test_a_correction_after_verification_goes_as_put_and_a_void_as_delete(self) -> None:
        hub, [one] = await self.hub_with_doses(1)
        await self.send(hub, "b1", [one])
        await self.verify(hub, "b1", {one: True})
        base = hub.tables.vaccinations.at(one)["revision"]

        draft = ChangeDraft(ChangeKind.CORRECT_VACCINATION, one, dose("a" * 31 + "1", dose_number="2"), (base,))
        [change] = await hub.commit([draft], made_by="nurse")
        assert next_method(hub.tables.vaccinations.at(one)) == "PUT"

        void = ChangeDraft(ChangeKind.VOID_VACCINATION, one, {"reason": "x"}, (change.change_id,))
        await hub.commit([void], made_by="nurse")
        assert next_method(hub.tables.vaccinations.at(one)) == "DELETE"

    async def test_a_change_during_upload_waits_for_the_verdict_on_the_older_revision(self) -> None:
        hub, [one] = await self.hub_with_doses(1)
        await self.send(hub, "b1", [one])
        base = hub.tables.vaccinations.at(one)["revision"]
        draft = ChangeDraft(ChangeKind.CORRECT_VACCINATION, one, dose("a" * 31 + "1", dose_number="2"), (base,))
        await hub.commit([draft], made_by="nurse")

        assert self.state(hub, one) is UploadState.NOT_SENT
        assert next_method(hub.tables.vaccinations.at(one)) is None

        await self.verify(hub, "b1", {one: True})

        assert self.state(hub, one) is UploadState.NOT_SENT
        assert next_method(hub.tables.vaccinations.at(one)) == "PUT"

    async def test_a_batch_refused_whole_comes_apart_until_the_bad_row_stands_alone(self) -> None:
        hub, doses = await self.hub_with_doses(3)
        await self.send(hub, "b1", doses)
        refused = {"message": {"code": "E00004", "text": "輸入之交易參數異常"}}
        await hub.commit([ChangeDraft(ChangeKind.UPLOAD_REFUSED, "b1", refused)], made_by="hub")
        groups = [hub.tables.vaccinations.at(d)["upload_group"] for d in doses]
        assert groups == ["b1/0", "b1/1", "b1/2"]
        assert {self.state(hub, d) for d in doses} == {UploadState.NOT_SENT}

        await self.send(hub, "b2", doses[:1])
        await hub.commit([ChangeDraft(ChangeKind.UPLOAD_REFUSED, "b2", refused)], made_by="hub")

        assert self.state(hub, doses[0]) is UploadState.REFUSED

    async def test_devices_see_each_state(self) -> None:
        hub, [one] = await self.hub_with_doses(1)
        device, _ = await make_device()
        await self.send(hub, "b1", [one])
        await exchange(device, hub)
        assert device.tables.vaccinations.at(one)["upload_state"] == UploadState.SENT
        await self.accept(hub, "b1")
        await self.verify(hub, "b1", {one: True})
        await exchange(device, hub)
        assert shown(device) == shown(hub)


async def test_change_ids_of_one_world_sort_as_they_were_made() -> None:
    world: World = make_world()

    ids = [world.make_change_id() for _ in range(5)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 5


@pytest.mark.parametrize("kind", [ChangeKind.CORRECT_VACCINATION, ChangeKind.VOID_VACCINATION])
async def test_changes_that_replace_themselves_or_each_other_never_keep_the_journal_from_opening(
    kind: ChangeKind,
) -> None:
    storage, world = MemoryFolder(), make_world()
    hub = await HubDatabase.open(storage, world)
    await register(hub)
    ids = [world.make_change_id() for _ in range(3)]
    for change_id, base in ((ids[0], ids[0]), (ids[1], ids[2]), (ids[2], ids[1])):
        change = Change(
            change_id=change_id,
            device_id=world.make_record_id(),
            device_seq=1,
            record_id="c" * 32,
            base_revisions=(base,),
            kind=kind,
            payload=dose("a" * 31 + "1"),
            made_by="x",
            made_at=world.now(),
        )
        await hub.accept([change])

    again = await HubDatabase.open(storage.copy(), make_world())

    assert again.head == 4
    assert shown(again) == shown(hub)


async def test_a_bug_in_applying_keeps_neither_the_store_shut_nor_the_save_from_being_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device, storage = await make_device()

    def stumble(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("store.database.apply_change", stumble)
    device.listen(stumble)
    await register(device)

    again = await DeviceDatabase.open(storage.copy(), make_world())
    assert [d["reason"] for d in again.tables.unreadable.documents()] == ["bug: KeyError"]
    assert len(again.unsent) == 1


async def test_the_same_record_written_the_same_on_two_devices_is_no_conflict() -> None:
    hub = await make_hub()
    for _ in range(2):
        device, _ = await make_device()
        await register(device)
        await exchange(device, hub)

    document = hub.tables.patients.at("a" * 31 + "1")
    assert len(hub.tables.patients) == 1
    assert len(document["revisions"]) == 2
    assert document["conflict"] == []


async def test_an_edit_that_replaces_both_sides_settles_a_conflict() -> None:
    hub = await make_hub()
    await register(hub)
    record_id = await record(hub)
    base = hub.tables.vaccinations.at(record_id)["revision"]
    for lot in ("ONE-CDC", "TWO-CDC"):
        payload = dose("a" * 31 + "1", lot_number=lot)
        await hub.commit([ChangeDraft(ChangeKind.CORRECT_VACCINATION, record_id, payload, (base,))], made_by="nurse")
    document = hub.tables.vaccinations.at(record_id)
    assert document["conflict"]

    bases = (document["revision"], *document["other_heads"])
    payload = dose("a" * 31 + "1", lot_number="ONE-CDC")
    await hub.commit([ChangeDraft(ChangeKind.CORRECT_VACCINATION, record_id, payload, bases)], made_by="nurse")

    document = hub.tables.vaccinations.at(record_id)
    assert (document["conflict"], document["lot_number"], next_method(document)) == ([], "ONE-CDC", "POST")
