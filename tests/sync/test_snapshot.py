"""The hub's snapshots over HTTP: when one is offered, what its pages are, and how little it keeps."""

import asyncio
import hashlib
import zlib
from pathlib import Path
from typing import Any

import pytest

from store.errors import StorageFailed
from store.hub_database import HubDatabase
from store.protocol import SnapshotAnswer, SnapshotOffer, SnapshotRequest
from store.storage import StorageFile
from tests.store.test_checkpoint import fill, no_rest
from tests.sync.running_hub import RunningHub, make_device, running_hub


async def fill_hub(hub: RunningHub, numbers: range) -> None:
    hub.database.rest = no_rest
    hub.snapshots.far_behind, hub.snapshots.page_bytes = 10, 4096
    other = await make_device()
    await fill(other, numbers)
    await hub.database.accept(list(other.unsent))


async def ask(hub: RunningHub, after: int = 0) -> SnapshotAnswer:
    request = SnapshotRequest(after=after)
    response = await hub.post("/api/snapshot", request.model_dump_json().encode())
    assert response.status == 200, await response.text()
    return SnapshotAnswer.model_validate_json(await response.read())


async def offered(hub: RunningHub) -> SnapshotOffer:
    offer = (await ask(hub)).offer
    assert offer is not None
    return offer


async def test_the_pages_together_are_what_was_offered(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))
        offer = await offered(hub)

        pages = [await (await hub.get(f"/api/snapshot/{offer.sha256}/{n}")).read() for n in range(len(offer.page_crcs))]

        assert [zlib.crc32(page) for page in pages] == offer.page_crcs
        assert hashlib.sha256(b"".join(pages)).hexdigest() == offer.sha256
        assert {len(page) for page in pages[:-1]} == {offer.page_bytes}
        assert offer.head == 60
        assert offer.counts["patients"]["total"] == 60


async def test_a_page_travels_packed_where_that_is_understood(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))
        offer = await offered(hub)
        path = f"/api/snapshot/{offer.sha256}/0"

        packed = await hub.get(path, Accept_Encoding="gzip")
        plain = await hub.get(path, Accept_Encoding="identity")

        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert await packed.read() == await plain.read()
        assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2
        assert packed.headers["Cache-Control"] == "no-store"


async def test_a_device_that_lacks_little_is_offered_none(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))

        assert await ask(hub, after=50) == SnapshotAnswer()
        assert not (tmp_path / "snapshot").exists()


async def test_one_snapshot_serves_many_devices_until_the_hub_has_moved_far(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))
        first = await offered(hub)
        await fill_hub(hub, range(100, 110))
        assert await offered(hub) == first

        await fill_hub(hub, range(200, 201))

        assert (await offered(hub)).head == 71


async def test_devices_that_ask_at_once_wait_for_the_same_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    write = HubDatabase.write_snapshot

    async def counted(database: HubDatabase, file: StorageFile, *scope: Any) -> object:
        nonlocal made
        made += 1
        return await write(database, file, *scope)

    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))
        monkeypatch.setattr(HubDatabase, "write_snapshot", counted)

        answers = await asyncio.gather(*(ask(hub) for _ in range(6)))

        assert made == 1
        assert len({answer.offer.sha256 for answer in answers if answer.offer}) == 1


async def test_the_one_before_is_still_served_and_older_ones_are_gone(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        offers = []
        for start in (0, 100, 200):
            await fill_hub(hub, range(start, start + 60))
            offers.append(await offered(hub))

        statuses = [(await hub.get(f"/api/snapshot/{offer.sha256}/0")).status for offer in offers]

        assert statuses == [404, 200, 200]
        assert len(list((tmp_path / "snapshot").iterdir())) == 2


async def test_a_page_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))
        offer = await offered(hub)

        response = await hub.get(f"/api/snapshot/{offer.sha256}/{len(offer.page_crcs)}")

        assert response.status == 404
        assert (await response.json())["error"]["code"] == "snapshot_gone"


async def test_what_a_hub_left_behind_goes_at_the_next_snapshot(tmp_path: Path) -> None:
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "pages.000007").write_bytes(b"of an earlier run")
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))
        await offered(hub)

        assert [path.name for path in (tmp_path / "snapshot").iterdir()] == ["pages.1"]

    assert list((tmp_path / "snapshot").iterdir()) == []


async def test_a_snapshot_that_could_not_be_written_is_tried_again_at_the_next_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> object:
        raise StorageFailed("the disk")

    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))
        request = SnapshotRequest(after=0)
        with monkeypatch.context() as failing:
            failing.setattr(HubDatabase, "write_snapshot", fail)
            response = await hub.post("/api/snapshot", request.model_dump_json().encode())
        assert response.status == 503

        assert (await offered(hub)).head == 60


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"after": -1}', 400, "invalid_body"),
        (b"[]", 400, "invalid_body"),
        (b'{"protocol": 99, "after": 0}', 409, "protocol_mismatch"),
    ],
    ids=["no number", "no object", "another protocol"],
)
async def test_a_question_that_cannot_be_answered_is_refused(
    tmp_path: Path, body: bytes, status: int, code: str
) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))

        response = await hub.post("/api/snapshot", body)

        assert response.status == status
        assert (await response.json())["error"]["code"] == code


async def test_pages_of_other_sites_read_nothing(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))
        offer = await offered(hub)

        response = await hub.get(f"/api/snapshot/{offer.sha256}/0", Sec_Fetch_Site="cross-site")

        assert response.status == 403


async def test_the_store_is_closed_in_order_while_a_snapshot_is_being_made(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await fill_hub(hub, range(60))
        begun = asyncio.Event()

        async def never() -> None:
            begun.set()
            await asyncio.Event().wait()

        hub.database.rest = never
        asking = asyncio.create_task(ask(hub))
        await begun.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    async with running_hub(tmp_path) as hub:
        assert hub.database.head == 60
