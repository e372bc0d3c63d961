"""The hub's audit over a real server: every change has its entry, devices tell theirs, a manager looks."""

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession

from store.audit import HUB, AuditAction, AuditEntry, AuditHead, faults, hash_of
from store.audit_protocol import MAX_TOLD, AuditPage, AuditTaken, AuditTelling
from store.changes import Change, ChangeDraft, ChangeKind
from store.check import check_store
from store.decisions import draft_merge
from store.errors import StorageFull
from store.hub_database import HubDatabase
from store.storage import FileFolder
from sync.audit import HubAudit
from tests.factories import make_vaccination
from tests.store.test_audit import DEVICE, chain
from tests.sync.hub_process import HubProcess
from tests.sync.running_hub import WORLD, RunningHub, make_device, register_patient, request_of, running_hub


async def tell(hub: RunningHub, entries: list[AuditEntry], hub_head: AuditHead | None = None) -> AuditTaken:
    telling = AuditTelling(device_id=DEVICE, entries=entries, hub_head=hub_head or AuditHead())
    response = await hub.post("/api/audit", telling.model_dump_json(exclude_none=True).encode())
    assert response.status == 200, await response.text()
    return AuditTaken.model_validate_json(await response.read())


async def look(hub: RunningHub, **query: Any) -> AuditPage:
    async with hub.session.get("/api/audit", params={name: str(value) for name, value in query.items()}) as response:
        assert response.status == 200, await response.text()
        return AuditPage.model_validate_json(await response.read())


async def whole_chain(hub: RunningHub) -> list[AuditEntry]:
    page = await look(hub, limit=200)
    entries = page.entries
    while page.before is not None:
        page = await look(hub, limit=200, before=page.before)
        entries += page.entries
    return entries[::-1]


async def whats(hub: RunningHub, **query: Any) -> list[str]:
    """What the hub lists, the oldest first, without the looks themselves."""
    entries = (await look(hub, limit=200, **query)).entries[::-1]
    return [entry.what for entry in entries if entry.what != AuditAction.VIEWED_AUDIT]


def remove_store(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name.startswith(("journal.", "run.")):
            entry.unlink()


def cut_audit(folder: Path) -> None:
    [path] = folder.glob("audit-*")
    path.write_bytes(path.read_bytes()[:-40])


async def test_each_change_of_a_device_has_an_entry_of_who_made_it(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        device = await make_device()
        change = await register_patient(device)
        await hub.sync(device)

        began, entry, looked = await whole_chain(hub)

    assert (began.what, began.who) == (AuditAction.AUDIT_BEGAN, HUB)
    assert (entry.who, entry.what, entry.at) == ("nurse", ChangeKind.REGISTER_PATIENT, change.made_at)
    assert entry.about == {"change_id": change.change_id, "hub_seq": 1, "record_id": change.record_id}
    assert entry.device_id == device.device_id
    assert looked.what == AuditAction.VIEWED_AUDIT
    assert not list(faults([began, entry, looked], AuditHead()))


async def test_nobody_waits_for_the_entry_of_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_hub(tmp_path) as hub:

        async def never(_: HubAudit) -> bool:
            await asyncio.Event().wait()
            return True

        with monkeypatch.context() as patch:
            patch.setattr(HubAudit, "_write_some", never)
            device = await make_device()
            await register_patient(device)
            await hub.sync(device)
            assert not device.unsent


async def test_changes_that_a_crash_left_without_an_entry_get_it_at_the_next_start(tmp_path: Path) -> None:
    device = await make_device()
    async with running_hub(tmp_path) as hub:
        await register_patient(device)
        await hub.sync(device)
    crashed = await HubDatabase.open(FileFolder(tmp_path), WORLD)
    for chart in ("2", "3"):
        await register_patient(device, chart)
    await crashed.accept(list(device.unsent))
    await crashed.close()

    async with running_hub(tmp_path) as hub:
        entries = await whole_chain(hub)

    assert [entry.about["hub_seq"] for entry in entries if "hub_seq" in entry.about] == [1, 2, 3]


async def test_a_hub_of_before_there_was_an_audit_begins_where_it_stands(tmp_path: Path) -> None:
    database = await HubDatabase.open(FileFolder(tmp_path), WORLD)
    device = await make_device()
    await register_patient(device)
    await database.accept(list(device.unsent))
    await database.close()

    async with running_hub(tmp_path) as hub:
        await register_patient(device, "2")
        await hub.sync(device)
        began, *entries = await whole_chain(hub)

    assert began.about["count"] == 1
    assert [entry.about["hub_seq"] for entry in entries if "hub_seq" in entry.about] == [2]


async def test_a_store_that_was_put_back_is_said_and_its_new_changes_have_entries(tmp_path: Path) -> None:
    device = await make_device()
    async with running_hub(tmp_path) as hub:
        for chart in ("1", "2", "3"):
            await register_patient(device, chart)
        await hub.sync(device)
        generation = hub.database.generation
    remove_store(tmp_path)

    async with running_hub(tmp_path) as hub:
        other = await make_device()
        await register_patient(other, "4")
        await hub.sync(other)
        entries = await whole_chain(hub)

    [replaced] = [entry for entry in entries if entry.what == AuditAction.STORE_REPLACED]
    assert replaced.about["count"] == 0
    assert replaced.about["generation"] != generation
    assert [one.about["hub_seq"] for one in entries if one.seq > replaced.seq and "hub_seq" in one.about] == [1]
    assert not list(faults(entries, AuditHead()))


ODD_CHANGES: dict[str, dict[str, Any]] = {
    "kind of a newer device": {"kind": "Give-Vaccine 2.0"},
    "kind of the audit's own": {"kind": "store_replaced"},
    "record id that is none": {"record_id": "A123456789"},
    "long name": {"made_by": "很長的名字" * 10},
    "no name": {"made_by": ""},
    "year 1": {"made_at": "0001-01-01T00:00:00+14:00"},
    "year 9999": {"made_at": "9999-12-31T23:59:59-12:00"},
}


@pytest.mark.parametrize("odd", ODD_CHANGES.values(), ids=ODD_CHANGES)
async def test_whatever_a_device_writes_into_a_change_it_gets_an_entry(tmp_path: Path, odd: dict[str, Any]) -> None:
    async with running_hub(tmp_path) as hub:
        device = await make_device()
        change = await register_patient(device)
        odd_one = Change.model_validate_json(json.dumps(json.loads(change.model_dump_json()) | odd))
        body = request_of(device, changes=[odd_one]).model_dump_json().encode()
        assert (await hub.post("/api/sync", body)).status == 200

        _, entry, _ = await whole_chain(hub)

    assert entry.about["change_id"] == change.change_id
    assert "A123456789" not in entry.model_dump_json()
    assert hash_of(entry) == entry.hash


async def test_what_a_device_tells_is_kept_once_and_on_disk(tmp_path: Path) -> None:
    told = chain()
    async with running_hub(tmp_path) as hub:
        for batch in (told[:5], told[:5], told[3:]):
            head = (await tell(hub, batch)).hub_head
        entries = await whole_chain(hub)

    assert entries[0].what == AuditAction.AUDIT_BEGAN
    kept = [entry for entry in entries if entry.told is not None]
    assert [entry.about["count"] for entry in kept] == list(range(12))
    assert (kept[-1].seq, kept[-1].hash) == (head.seq, head.hash)
    assert kept[0].who == "王護理師"


async def test_a_break_in_a_devices_chain_is_listed(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        told = chain()
        await tell(hub, told[:3])
        await tell(hub, told[5:])

        [broken] = (await look(hub, what=AuditAction.CHAIN_BROKEN)).entries

    assert broken.about == {"device_id": DEVICE, "number": 6, "reason": "lacking"}
    assert (await check_store(tmp_path, WORLD)).damages == []


async def test_a_device_is_a_witness_that_the_hubs_chain_was_cut_off(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        seen = (await tell(hub, chain()[:2])).hub_head
        assert await whats(hub, what=AuditAction.CHAIN_BROKEN) == []
        await tell(hub, [], AuditHead(seq=seen.seq + 1000, hash=seen.hash))
        await tell(hub, [], seen.model_copy(update={"hash": "0" * 64}))
        await tell(hub, [], seen)

        broken = (await look(hub, what=AuditAction.CHAIN_BROKEN)).entries

    assert [(entry.about["number"], entry.about["reason"]) for entry in broken] == [
        (seen.seq, "written_anew"),
        (seen.seq + 1000, "cut_off"),
    ]


async def test_a_chain_that_was_cut_off_while_the_hub_was_down_is_said_at_its_start(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await tell(hub, chain())
    cut_audit(tmp_path)

    async with running_hub(tmp_path) as hub:
        [broken] = (await look(hub, what=AuditAction.CHAIN_BROKEN)).entries

    assert broken.about["reason"] == "cut_off"
    assert (await check_store(tmp_path, WORLD)).damages


async def test_what_is_asked_for_is_listed_and_nothing_else(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        old = datetime.now(UTC) - timedelta(days=40)
        hub.hub.audit.note("林主任", AuditAction.SIGNED_IN)
        hub.hub.audit.note("王護理師", AuditAction.PRINTED, {"kind": "paper_list", "count": 3})
        told = [entry.model_copy(update={"at": old}) for entry in chain(1)]
        told = [entry.model_copy(update={"hash": hash_of(entry)}) for entry in told]
        await tell(hub, told)
        day = (datetime.now(UTC) + timedelta(hours=8)).date()

        assert await whats(hub, who="林主任") == [AuditAction.SIGNED_IN]
        assert await whats(hub, what=AuditAction.PRINTED) == [AuditAction.PRINTED]
        last = old.date() + timedelta(days=1)
        assert await whats(hub, last_day=last) == [AuditAction.VIEWED]
        assert AuditAction.VIEWED not in await whats(hub, first_day=day - timedelta(days=1))
        assert AuditAction.SIGNED_IN in await whats(hub, first_day=day - timedelta(days=1), last_day=day)


async def test_of_a_person_all_records_and_all_charts_of_the_person_are_listed(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        device = await make_device()
        first, second, stranger = [await register_patient(device, chart) for chart in ("1", "2", "3")]
        payload = make_vaccination(patient_id=second.record_id).model_dump(mode="json", exclude={"record_id"})
        dose = ChangeDraft(ChangeKind.RECORD_VACCINATION, "e" * 32, payload)
        [recorded] = await device.commit([dose], made_by="nurse")
        [merged] = await device.commit([draft_merge(first.record_id, second.record_id, None)], "nurse")
        await hub.sync(device)

        listed = (await look(hub, record_id=first.record_id)).entries

    assert {one.about.get("change_id") for one in listed if "change_id" in one.about} == {
        change.change_id for change in (first, second, recorded, merged)
    }
    assert stranger.record_id not in {one.about.get("record_id") for one in listed}


async def test_pages_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await tell(hub, chain(40))
        numbers: list[int] = []
        page = await look(hub, limit=7)
        while True:
            numbers += [entry.seq for entry in page.entries]
            if page.before is None:
                break
            page = await look(hub, limit=7, before=page.before)

    assert numbers == list(range(len(numbers), 0, -1))
    assert len(numbers) == 42


async def test_a_look_at_the_audit_is_in_it_once_for_each_search(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await tell(hub, chain(40))
        page = await look(hub, limit=5)
        await look(hub, limit=5, before=page.before)

        looks = [entry for entry in (await look(hub, limit=200)).entries if entry.what == AuditAction.VIEWED_AUDIT]

    assert len(looks) == 2


@pytest.mark.parametrize(
    "query",
    [{"record_id": "A123456789"}, {"first_day": "1150101"}, {"limit": "9999"}, {"before": "0"}, {"who": "x" * 21}],
    ids=lambda query: next(iter(query)),
)
async def test_a_question_of_another_shape_is_refused_and_not_quoted(tmp_path: Path, query: dict[str, str]) -> None:
    async with running_hub(tmp_path) as hub, hub.session.get("/api/audit", params=query) as response:
        assert response.status == 400
        text = await response.text()
        assert json.loads(text)["error"]["code"] == "invalid_query"
        assert next(iter(query.values())) not in text


@pytest.mark.parametrize(
    "spoiled",
    [
        {"about": {"name": "王小明"}},
        {"about": {"record_id": "A123456789"}},
        {"who": ""},
        {"what": "Viewed!"},
        {"at": "9999-12-31T23:59:59-12:00"},
        {"seq": 0},
    ],
    ids=["name", "national id", "nobody", "no code", "no moment", "no number"],
)
async def test_what_is_no_entry_is_refused(tmp_path: Path, spoiled: dict[str, Any]) -> None:
    async with running_hub(tmp_path) as hub:
        entry = json.loads(chain(1)[0].model_dump_json()) | spoiled
        response = await hub.post("/api/audit", json.dumps({"device_id": DEVICE, "entries": [entry]}).encode())

        assert response.status == 400
        assert "王小明" not in await response.text()


async def test_more_at_once_than_a_device_tells_is_refused(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        entry = json.loads(chain(1)[0].model_dump_json())
        body = json.dumps({"device_id": DEVICE, "entries": [entry] * (MAX_TOLD + 1)}).encode()

        assert (await hub.post("/api/audit", body)).status == 400


async def test_a_full_disk_loses_no_entry_and_the_health_page_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_hub(tmp_path) as hub:
        audit = hub.hub.audit
        await audit.settle()
        months = audit._opened

        async def full(*_: object) -> None:
            raise StorageFull("no space")

        with monkeypatch.context() as patch:
            patch.setattr(months, "add", full)
            audit.note("林主任", AuditAction.SIGNED_IN)
            with pytest.raises(StorageFull):
                await audit.settle()
            assert (await (await hub.get("/api/health")).json())["audit"] == "storage_full"

        assert await whats(hub, who="林主任") == [AuditAction.SIGNED_IN]
        assert (await (await hub.get("/api/health")).json())["audit"] == "ok"


async def test_what_finds_no_room_while_the_disk_is_full_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.audit._MOST_WAITING", 3)
    async with running_hub(tmp_path) as hub:
        for _ in range(5):
            hub.hub.audit.note("林主任", AuditAction.SIGNED_IN)

        await hub.hub.audit.settle()
        assert await whats(hub, who="林主任") == [AuditAction.SIGNED_IN] * 3
        [lost] = (await look(hub, what=AuditAction.LOST)).entries
        assert lost.about == {"count": 2}


@pytest.mark.parametrize(("what", "device_id"), [("Signed in!", ""), ("signed_in", "tablet")])
async def test_a_note_of_another_shape_is_refused_where_it_is_made(tmp_path: Path, what: str, device_id: str) -> None:
    async with running_hub(tmp_path) as hub:
        with pytest.raises(ValueError, match="neither"):
            hub.hub.audit.note("林主任", what, device_id=device_id)


async def test_a_hub_killed_again_and_again_keeps_a_chain_that_is_proved(tmp_path: Path) -> None:
    """What the hub answered is in it; each change has its entry once, though the kills come at any moment."""
    chance, hub = random.Random(5), HubProcess(tmp_path)
    device, told = await make_device(), chain(400)
    acknowledged = 0
    for round_ in range(5):
        await hub.start()
        killing = asyncio.create_task(_kill_after(hub, chance.uniform(0.1, 0.7)))
        async with ClientSession() as session:
            while not killing.done():
                await register_patient(device, f"{round_}-{device.standing.last_seq}")
                try:
                    answer = await hub.sync(session, request_of(device))
                    assert not isinstance(answer, str)
                    await device.receive(answer)
                    batch = told[acknowledged : acknowledged + 3]
                    body = AuditTelling(device_id=DEVICE, entries=batch).model_dump_json().encode()
                    headers = {"Content-Type": "application/json"}
                    async with session.post(f"{hub.url}api/audit", data=body, headers=headers) as response:
                        assert response.status == 200
                        acknowledged += len(batch)
                except (ClientError, OSError):
                    break
        await killing
        assert (await check_store(tmp_path, WORLD)).damages == []

    async with running_hub(tmp_path) as last:
        await last.sync(device)
        entries = await whole_chain(last)
        assert len([one for one in entries if one.told is not None]) >= acknowledged > 0
        numbers = [one.about["hub_seq"] for one in entries if "hub_seq" in one.about]
        assert numbers == list(range(1, last.database.head + 1))
    assert not list(faults(entries, AuditHead()))


async def _kill_after(hub: HubProcess, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await hub.kill()
