"""A record's whole way, out of the changes of stations and hub."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.apply import apply_change
from store.changes import Change, ChangeDraft, ChangeKind, World
from store.database import Database
from store.device_database import DeviceDatabase
from store.record_way import WayStep, way_of
from store.storage import MemoryFolder
from store.uploads import MAX_PAST_UPLOADS
from tests.factories import make_vaccination

DOSE, OTHER = "a" * 32, "b" * 32
START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
REFUSAL = {"severity": "error", "code": "E00017", "text": "查無此批號", "expression": ""}


class Desk:
    """One store; each change is a minute after the one before."""

    async def open(self) -> "Desk":
        self.now = START
        world = World(now=lambda: self.now, random_bytes=iter_bytes())
        self.database: Database = await DeviceDatabase.open(MemoryFolder(), world)
        return self

    async def do(
        self, kind: ChangeKind, record_id: str, payload: dict[str, Any], bases: tuple[str, ...] = ()
    ) -> Change:
        [change] = await self.database.commit([ChangeDraft(kind, record_id, payload, bases)], "nurse")
        self.now += timedelta(minutes=1)
        return change

    async def record(self, record_id: str = DOSE, **changes: Any) -> Change:
        payload = make_vaccination(**changes).model_dump(mode="json", exclude={"record_id"})
        bases = (self.dose["revision"],) if self.database.tables.vaccinations.exists(record_id) else ()
        kind = ChangeKind.CORRECT_VACCINATION if bases else ChangeKind.RECORD_VACCINATION
        return await self.do(kind, record_id, payload, bases)

    async def send(self, batch_id: str, *record_ids: str) -> None:
        at = self.database.tables.vaccinations.at
        rows = [{"record_id": one, "revision": at(one)["revision"], "method": "POST"} for one in record_ids or (DOSE,)]
        await self.do(ChangeKind.UPLOAD_SENT, batch_id, {"rows": rows})

    async def judge(self, batch_id: str, *, verified: bool) -> None:
        await self.do(ChangeKind.UPLOAD_ACCEPTED, batch_id, {"due_at": None, "message": None})
        words = {} if verified else REFUSAL
        result = {"record_id": DOSE, "verified": verified, **words}
        await self.do(ChangeKind.VERIFICATION_RECEIVED, batch_id, {"results": [result]})

    @property
    def dose(self) -> Any:
        return self.database.tables.vaccinations.at(DOSE)

    @property
    def way(self) -> list[str]:
        return [step.kind for step in way_of(self.dose)]


def iter_bytes() -> Any:
    count = 0

    def random_bytes(length: int) -> bytes:
        nonlocal count
        count += 1
        return count.to_bytes(length, "big")

    return random_bytes


@pytest.fixture
async def desk() -> Desk:
    return await Desk().open()


async def go_the_whole_way(desk: Desk) -> None:
    await desk.record()
    await desk.send("B-1")
    await desk.judge("B-1", verified=False)
    await desk.record(lot_number="OTHER-LOT")
    await desk.send("B-2")
    await desk.judge("B-2", verified=True)


async def test_refused_corrected_and_verified_stand_in_order_with_cdcs_words(desk: Desk) -> None:
    await go_the_whole_way(desk)

    steps = way_of(desk.dose)

    assert [(step.kind, step.upload_batch_id) for step in steps] == [
        (WayStep.RECORDED, ""), (WayStep.SENT, "B-1"), (WayStep.ACCEPTED, "B-1"), (WayStep.REFUSED, "B-1"),
        (WayStep.CORRECTED, ""), (WayStep.SENT, "B-2"), (WayStep.ACCEPTED, "B-2"), (WayStep.VERIFIED, "B-2"),
    ]  # fmt: skip
    assert [step.at for step in steps] == [START + timedelta(minutes=n) for n in range(8)]
    assert steps[3].message == REFUSAL
    assert (steps[4].fields, steps[4].made_by) == (("lot_number",), "nurse")
    assert steps[0].device_id == desk.database.device_id


async def test_a_void_says_why(desk: Desk) -> None:
    await desk.record()
    await desk.do(ChangeKind.VOID_VACCINATION, DOSE, {"reason": "打錯人"}, (desk.dose["revision"],))

    assert [(step.kind, step.reason) for step in way_of(desk.dose)] == [
        (WayStep.RECORDED, ""), (WayStep.VOIDED, "打錯人"),
    ]  # fmt: skip


async def test_a_batch_refused_whole_is_a_step_of_each_record_in_it(desk: Desk) -> None:
    await desk.record()
    await desk.record(OTHER, dose_number="2")
    await desk.send("B-1", DOSE, OTHER)
    await desk.do(ChangeKind.UPLOAD_REFUSED, "B-1", {"message": REFUSAL})
    await desk.send("B-2")

    assert desk.way == ["recorded", "sent", "refused_whole", "sent"]


async def test_a_request_to_send_again_keeps_the_refusal(desk: Desk) -> None:
    await desk.record()
    await desk.send("B-1")
    await desk.judge("B-1", verified=False)
    await desk.do(ChangeKind.REQUEST_UPLOAD, DOSE, {"upload_batch_id": "B-1"}, (desk.dose["revision"],))

    assert desk.way == ["recorded", "sent", "accepted", "refused"]


async def test_only_the_last_uploads_are_kept(desk: Desk) -> None:
    await desk.record()
    for number in range(MAX_PAST_UPLOADS + 3):
        await desk.send(f"B-{number}")

    assert [one["upload_batch_id"] for one in desk.dose["past_uploads"]] == [f"B-{n}" for n in range(2, 22)]


async def test_changes_applied_once_more_leave_the_way_as_it_was(desk: Desk) -> None:
    await go_the_whole_way(desk)
    before = dict(desk.dose)

    for one in list(desk.database.tables.changes.documents()):
        apply_change(desk.database.tables, one["change"])

    assert desk.dose == before


async def test_what_was_sent_once_is_not_past(desk: Desk) -> None:
    await desk.record()
    await desk.send("B-1")
    await desk.judge("B-1", verified=True)

    assert not desk.dose["past_uploads"]


async def test_what_left_stands_after_what_it_carried_though_the_device_was_hours_ahead(desk: Desk) -> None:
    await desk.record()
    desk.now = START - timedelta(hours=3)
    await desk.send("B-1")
    await desk.judge("B-1", verified=True)

    assert desk.way == ["recorded", "sent", "accepted", "verified"]


async def test_an_exam_that_was_refused_and_sent_again_keeps_both(desk: Desk) -> None:
    exam = {"patient_id": "c" * 32, "exam_type": "2", "exam_date": "2026-11-20"}
    [change] = await desk.database.commit([ChangeDraft(ChangeKind.RECORD_EXAM, DOSE, exam)], "nurse")
    row = {"record_id": DOSE, "revision": change.change_id, "method": "POST"}
    for batch_id, stored in (("E-1", False), ("E-2", True)):
        desk.now += timedelta(minutes=1)
        await desk.do(ChangeKind.EXAMS_SENT, batch_id, {"rows": [row]})
        words = {} if stored else REFUSAL
        answer = {"record_id": DOSE, "stored": stored, **words}
        await desk.do(ChangeKind.EXAMS_ANSWERED, batch_id, {"answers": [answer]})

    steps = way_of(desk.database.tables.exams.at(DOSE))

    assert [(step.kind, step.upload_batch_id) for step in steps] == [
        (WayStep.RECORDED, ""), (WayStep.SENT, "E-1"), (WayStep.REFUSED, "E-1"), (WayStep.SENT, "E-2"),
        (WayStep.VERIFIED, "E-2"),
    ]  # fmt: skip
