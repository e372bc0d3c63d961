"""The receipts of what went to the fake CDC and came back, as staff ask the hub for them; and their time."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.changes import ChangeDraft, ChangeKind, World
from store.hub_database import HubDatabase
from store.protocol import ReceiptAnswer, ReceiptLine, ReceiptsAnswer
from store.receipts import number_of
from store.storage import FileFolder, MemoryFolder
from store.uploads import UploadState
from sync.cdc_client import CdcClient
from sync.history import HistoryDesk
from sync.receipts import ReceiptKeeper
from sync.registry import Exchange, find_sent_body, sent_exchange
from sync.signing import Signer
from sync.stock import StockDesk
from sync.worker import CdcWorker
from tests.factories import PATIENT_ID, make_patient
from tests.sync.cdc_stand import (
    KEY_ID,
    ORG_ID,
    Stand,
    make_settings,
    make_world,
    running_cdc,
    until,
    vaccination_draft,
)
from tests.sync.running_hub import WORLD, RunningHub, running_hub

DOSE, OTHER = "a" * 32, "b" * 32
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


async def ask(hub: RunningHub, **asked: Any) -> ReceiptsAnswer:
    response = await hub.post("/api/receipts", json.dumps(asked).encode())
    assert response.status == 200, await response.text()
    assert response.headers["Cache-Control"] == "no-store"
    return ReceiptsAnswer.model_validate_json(await response.read())


async def open_one(hub: RunningHub, number: int) -> ReceiptAnswer:
    response = await hub.post("/api/receipts/one", json.dumps({"number": number}).encode())
    assert response.status == 200, await response.text()
    assert response.headers["Cache-Control"] == "no-store"
    return ReceiptAnswer.model_validate_json(await response.read())


def exchange(minute: int = 0, **changes: Any) -> dict[str, Any]:
    """One of the hub's raw exchanges, as many minutes after noon in Greenwich."""
    at = NOON + timedelta(minutes=minute)
    fields: dict[str, Any] = {
        "kind": "confirm", "upload_batch_id": "B-1", "method": "GET", "path": "/Bundle/B-1/$confirm", "status": 202,
        "request_body": b"", "started_at": at, "ended_at": at,
    }  # fmt: skip
    return Exchange(**(fields | changes)).as_data()


# ---- with the real fake CDC


@dataclass
class Clinic:
    hub: RunningHub
    cdc: Stand

    async def record(self, record_id: str, **changes: Any) -> None:
        draft = vaccination_draft(ChangeKind.RECORD_VACCINATION, record_id, (), **changes)
        await self.hub.database.commit([draft], "nurse")

    async def until_verified(self, record_id: str) -> None:
        doses = self.hub.database.tables.vaccinations
        await until(lambda: doses.at(record_id)["upload_state"] == UploadState.VERIFIED)


@asynccontextmanager
async def clinic_with_cdc(folder: Path, **changes: Any) -> AsyncIterator[Clinic]:
    async with running_cdc(folder / "cdc") as cdc, running_hub(folder / "hub") as hub:
        settings, world = make_settings(cdc.base_url, verify_after_seconds=0.0, **changes), make_world()
        client = CdcClient(settings, world)
        worker = hub.hub.worker = CdcWorker(hub.database, client, settings, world)
        hub.hub.stock = StockDesk(hub.database, client, settings, world)
        history = hub.hub.history = HistoryDesk(hub.database, client, world)
        patient = make_patient()
        payload = patient.model_dump(mode="json", exclude={"record_id"})
        await hub.database.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, patient.record_id, payload)], "nurse")
        working = asyncio.create_task(worker.run())
        yield Clinic(hub, cdc)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await history.close()


async def test_an_upload_and_its_verdict_are_receipts_with_cdcs_words(tmp_path: Path) -> None:
    async with clinic_with_cdc(tmp_path) as clinic:
        await clinic.record(DOSE)
        await clinic.until_verified(DOSE)

        confirm, upload = (await ask(clinic.hub)).receipts

        assert (upload.kind, upload.status, upload.records, upload.failed) == ("upload", 200, 1, False)
        assert (confirm.kind, confirm.status, confirm.records) == ("confirm", 200, 1)
        assert upload.message is not None
        assert upload.message.code == "I00000"
        assert upload.upload_batch_id == confirm.upload_batch_id


async def test_the_whole_receipt_holds_what_left_and_what_came_as_they_were(tmp_path: Path) -> None:
    async with clinic_with_cdc(tmp_path) as clinic:
        await clinic.record(DOSE)
        await clinic.until_verified(DOSE)
        [upload] = (await ask(clinic.hub, kind="upload")).receipts

        receipt = await open_one(clinic.hub, upload.number)

        sent = find_sent_body(clinic.hub.database.exchanges_of(upload.upload_batch_id), upload.upload_batch_id)
        assert receipt.request.text.encode() == sent
        assert receipt.request.size_bytes == len(sent)
        assert DOSE in receipt.request.text
        assert "OperationOutcome" in receipt.answer.text
        assert (receipt.method, receipt.path) == ("POST", "/Bundle")
        assert receipt.request_headers["Content-Type"].startswith("application/fhir+json")


async def test_no_secret_is_kept_nor_shown(tmp_path: Path) -> None:
    async with clinic_with_cdc(tmp_path) as clinic:
        await clinic.record(DOSE)
        await clinic.until_verified(DOSE)
        settings, batches = make_settings(""), clinic.hub.database.tables.batches
        [batch_id] = batches.ids()
        sent = find_sent_body(clinic.hub.database.exchanges_of(batch_id), batch_id)
        basic = base64.b64encode(f"{ORG_ID}:{KEY_ID}".encode()).decode()
        secrets = [basic, Signer(settings.p12_path, settings.p12_password, make_world().now()).sign(sent)]
        await clinic.hub.database.keep_exchange(  # of a hub that kept more
            {**exchange(9), "request": {"headers": {"Authorization": f"Basic {basic}"}},
             "answer": {"status": 200, "headers": {"Set-Cookie": "session=1", "Server": "x"}, "body": ""}}
        )  # fmt: skip

        shown = [await open_one(clinic.hub, one.number) for one in (await ask(clinic.hub)).receipts]

        kept = json.dumps([dict(one) for one in clinic.hub.database.tables.exchanges.documents()][:-1])
        told = "".join(one.model_dump_json() for one in shown)
        assert not any(secret in kept or secret in told for secret in [*secrets, KEY_ID])
        assert "session=1" not in told
        assert shown[0].answer_headers == {"Server": "x"}


async def test_a_receipt_says_whose_tap_it_was(tmp_path: Path) -> None:
    async with clinic_with_cdc(tmp_path, gather_seconds=3600.0) as clinic:
        await clinic.record(DOSE)
        await clinic.hub.post("/api/cdc/wake", b'{"asked_by": "nurse-7"}')
        await clinic.until_verified(DOSE)
        await clinic.hub.post("/api/cdc/stock", b'{"asked_by": "nurse-8"}')
        asked = {"record_id": PATIENT_ID, "asked_by": "nurse-9"}
        await clinic.hub.post("/api/cdc/history", json.dumps(asked).encode())
        await clinic.hub.post("/api/cdc/stock")

        lines = (await ask(clinic.hub)).receipts

        who = list(dict.fromkeys((line.kind, line.asked_by) for line in reversed(lines) if line.kind != "confirm"))
        assert who == [
            ("upload", "nurse-7"), ("stock", "nurse-8"), ("history", "nurse-9"), ("stock", "staff"),
        ]  # fmt: skip


async def test_after_a_tap_is_done_what_follows_is_nobodys_again(tmp_path: Path) -> None:
    async with clinic_with_cdc(tmp_path) as clinic:
        await clinic.hub.post("/api/cdc/wake", b'{"asked_by": "nurse-7"}')
        await clinic.record(DOSE)
        await clinic.until_verified(DOSE)
        await clinic.record(OTHER, dose_number="2")
        await clinic.until_verified(OTHER)

        uploads = (await ask(clinic.hub, kind="upload")).receipts

        assert uploads[0].asked_by == ""


async def test_receipts_are_found_by_record_and_by_chart_number(tmp_path: Path) -> None:
    async with clinic_with_cdc(tmp_path) as clinic:
        await clinic.record(DOSE)
        await clinic.until_verified(DOSE)
        await clinic.record(OTHER, patient_id="c" * 32)
        await clinic.hub.post("/api/cdc/history", json.dumps({"record_id": PATIENT_ID}).encode())
        await clinic.hub.database.keep_exchange(exchange(1, upload_batch_id="B-ELSE"))

        of_dose = (await ask(clinic.hub, record_id=DOSE)).receipts
        of_other = (await ask(clinic.hub, record_id=OTHER)).receipts
        of_person = (await ask(clinic.hub, chart_number=make_patient().chart_number)).receipts

        assert [line.kind for line in of_dose] == ["confirm", "upload"]
        assert of_other == []
        assert [line.kind for line in of_person] == ["history", "confirm", "upload"]
        assert (await ask(clinic.hub, chart_number="no such")).receipts == []


# ---- pages and filters


async def numbers(hub: RunningHub, **asked: Any) -> list[int]:
    """Of all pages, one after the other."""
    found: list[ReceiptLine] = []
    before: int | None = None
    while True:
        answer = await ask(hub, **asked, before=before)
        assert len(answer.receipts) <= asked.get("limit", 20)
        found += answer.receipts
        if (before := answer.before) is None:
            return [line.number for line in found]


async def test_pages_follow_each_other_without_gap_or_repetition(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        for minute in range(7):
            await hub.database.keep_exchange(exchange(minute))

        assert await numbers(hub, limit=3) == [7, 6, 5, 4, 3, 2, 1]
        assert await numbers(hub, limit=7) == [7, 6, 5, 4, 3, 2, 1]


async def test_a_rare_receipt_is_found_behind_many_others(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await hub.database.keep_exchange(exchange(0, upload_batch_id="B-1"))
        for minute in range(450):
            await hub.database.keep_exchange(exchange(minute, status=503))

        first = await ask(hub, failed=False)

        assert (first.receipts, first.before) == ([], 252)  # 200 were looked at
        assert await numbers(hub, failed=False) == [1]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [6, 5, 4, 3, 2]),
        ({"kind": "sent"}, [1]),
        ({"kind": "stock"}, [3]),
        ({"upload_batch_id": "B-1"}, [4, 2, 1]),
        ({"upload_batch_id": "B-1", "kind": "upload"}, [2]),
        ({"failed": True}, [6, 4]),
        ({"failed": True, "kind": "confirm"}, [4]),
        ({"failed": False}, [5, 3, 2]),
        ({"first_day": "2026-11-24"}, [6, 5]),
        ({"last_day": "2026-11-23"}, [4, 3, 2]),
        ({"first_day": "2026-11-24", "last_day": "2026-11-24", "kind": "confirm"}, [5]),
        ({"first_day": "2026-11-25"}, []),
    ],
    ids=str,
)
async def test_what_is_asked_for_is_found(tmp_path: Path, asked: dict[str, Any], expected: list[int]) -> None:
    midnight_in_taiwan = 12 * 60
    async with running_hub(tmp_path) as hub:
        for kept in (
            sent_exchange("B-1", b"{}", NOON),
            exchange(0, kind="upload", status=200, request_body=b"{}"),
            exchange(1, kind="stock", upload_batch_id="S-1", status=200),
            exchange(midnight_in_taiwan - 1, status=None, failure="time_out"),
            exchange(midnight_in_taiwan, upload_batch_id="B-2"),
            exchange(midnight_in_taiwan + 1, kind="history", upload_batch_id="", record_id=DOSE, status=404),
        ):
            await hub.database.keep_exchange(kept)

        assert await numbers(hub, **asked) == expected
        assert await numbers(hub, **asked, limit=1) == expected


async def test_a_clock_put_back_hides_nothing(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        for minute in (0, 5000, 1, 4999):
            await hub.database.keep_exchange(exchange(minute))

        assert sorted(await numbers(hub, limit=1)) == [1, 2, 3, 4]


async def test_a_body_that_is_not_utf_8_comes_as_base64(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await hub.database.keep_exchange(exchange(body="停機".encode("big5"), status=200))

        answer = (await open_one(hub, 1)).answer

        assert (answer.text, answer.base64, answer.size_bytes) == ("", "sLG+9w==", 4)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/receipts", b'{"limit": 51}', 400),
        ("/api/receipts", b'{"limit": 0}', 400),
        ("/api/receipts", b'{"kind": "secret"}', 400),
        ("/api/receipts", b'{"record_id": "../etc"}', 400),
        ("/api/receipts", b'{"protocol": 9}', 409),
        ("/api/receipts/one", b'{"number": 0}', 400),
        ("/api/receipts/one", b'{"number": 77}', 404),
    ],
    ids=str,
)
async def test_what_is_no_question_is_refused(tmp_path: Path, path: str, body: bytes, status: int) -> None:
    async with running_hub(tmp_path) as hub:
        assert (await hub.post(path, body)).status == status


# ---- retention


@dataclass
class Calendar:
    """A world whose clock a test moves."""

    today: date
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(now=self.now, random_bytes=WORLD.random_bytes)

    def now(self) -> datetime:
        return datetime(self.today.year, self.today.month, self.today.day, 4, tzinfo=UTC)


async def drop_all(keeper: ReceiptKeeper) -> int:
    steps = 0
    while await keeper.step():
        steps += 1
    return steps


def with_body(database: HubDatabase) -> list[int]:
    kept = database.tables.exchanges.documents()
    return [number_of(one) for one in kept if "dropped_at" not in one]


def of_day(day: str, **changes: Any) -> dict[str, Any]:
    at = datetime.fromisoformat(f"{day}T04:00:00+00:00")
    return exchange(started_at=at, ended_at=at, body=b'{"name": "a patient"}', status=200, **changes)


async def test_bodies_go_when_their_years_are_over_and_lines_stay(tmp_path: Path) -> None:
    calendar = Calendar(date(2036, 11, 23))
    async with running_hub(tmp_path) as hub:
        path = "/Immunization?patient.identifier=x|A123456789"
        await hub.database.keep_exchange(of_day("2026-11-22", path=path))
        await hub.database.keep_exchange(of_day("2026-11-23"))
        await hub.database.keep_exchange(of_day("2036-11-23"))
        keeper = ReceiptKeeper(hub.database, 10, calendar.world)

        await drop_all(keeper)

        assert with_body(hub.database) == [2, 3]
        dropped = await open_one(hub, 1)
        assert (dropped.answer.text, dropped.path, dropped.line.status) == ("", "/Immunization", 200)
        assert dropped.line.dropped_at is not None
        assert "a patient" not in json.dumps(hub.database.tables.exchanges.at("000000000001"))
        assert await numbers(hub) == [3, 2, 1]


async def test_what_was_dropped_stays_so_after_a_restart(tmp_path: Path) -> None:
    database = await HubDatabase.open(FileFolder(tmp_path), WORLD)
    await database.keep_exchange(of_day("2020-01-01"))
    await database.keep_exchange(of_day("2036-11-23"))
    await drop_all(ReceiptKeeper(database, 10, Calendar(date(2036, 11, 23)).world))
    await database.close()

    again = await HubDatabase.open(FileFolder(tmp_path), WORLD)

    assert with_body(again) == [2]
    await again.keep_exchange(of_day("2036-11-24"))
    assert with_body(again) == [2, 3]
    await again.close()


async def test_a_body_that_an_open_batch_needs_is_never_dropped(tmp_path: Path) -> None:
    database = await HubDatabase.open(FileFolder(tmp_path), WORLD)
    body = b'{"the": "bytes"}'
    row = {"record_id": DOSE, "revision": "r", "method": "POST"}
    sent = ChangeDraft(ChangeKind.UPLOAD_SENT, "B-OPEN", {"rows": [row]})
    at = datetime(2020, 1, 1, tzinfo=UTC)
    await database.commit([sent], "hub", exchanges=[sent_exchange("B-OPEN", body, at)] * 25)
    await database.keep_exchange(of_day("2020-01-02"))
    await database.keep_exchange(of_day("2036-11-23"))
    keeper = ReceiptKeeper(database, 10, Calendar(date(2036, 11, 23)).world)

    await drop_all(keeper)

    assert find_sent_body(database.exchanges_of("B-OPEN"), "B-OPEN") == body
    assert with_body(database) == [*range(1, 26), 27]
    refused = {"message": {"code": "E1", "text": "x"}}
    await database.commit([ChangeDraft(ChangeKind.UPLOAD_REFUSED, "B-OPEN", refused)], "hub")
    assert await drop_all(keeper) == 2  # in small steps
    assert with_body(database) == [27]
    await database.close()


async def test_a_clock_set_years_ahead_drops_nothing_by_itself() -> None:
    database = await HubDatabase.open(MemoryFolder(), WORLD)
    await database.keep_exchange(of_day("2026-11-23"))

    assert await drop_all(ReceiptKeeper(database, 10, Calendar(date(2099, 1, 1)).world)) == 0
    assert with_body(database) == [1]
