"""Any order of work and any behaviour of CDC, in virtual time: nothing lost, nothing doubled, nothing verified falsely.

The CDC here is a few lines that remember what they took and answer as hypothesis wants; the clinic's side is all real.
"""

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.changes import ChangeDraft, ChangeKind, World
from store.hub_database import HubDatabase
from store.storage import MemoryFolder
from sync import cdc_answers, cdc_format
from sync.registry import CdcSettings, ConfirmAnswer, Exchange, UploadAnswer, UploadItem
from sync.upload_queue import MAX_UNKNOWN_FATES, Pause, open_rows
from sync.worker import LOOK_AGAIN_SECONDS, CdcWorker
from tests.factories import make_patient
from tests.sync.cdc_stand import ORG_ID, make_settings, vaccination_draft

RECORDS = [f"{number:032x}" for number in range(4)]
SETTINGS = make_settings(
    "http://127.0.0.1", verify_after_seconds=600.0, retry_base_seconds=5.0, retry_cap_seconds=900.0, max_rows=3
)
LOST = ["lost_before", "lost_after", "html", "401", "503"]
MISFORTUNES = ["", "", *LOST, "refuse", "409", "202", "missing", "bad_row", "forget"]
WORK = ["step", "step", "step", "record", "correct", "void", "ask_again", "restart", "wake", "wait"]


class Wonderland:
    """A CDC that takes batches by identifier, and the misfortune the next request meets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        self.misfortune = ""
        self.batches: dict[str, bytes] = {}
        self.sent: dict[str, set[bytes]] = defaultdict(set)
        self.left_at: list[tuple[bytes, datetime]] = []
        self.told_good: set[tuple[str, str]] = set()
        self.last_word: dict[str, str] = {}

    # ---- the registry

    def make_upload(self, upload_batch_id: str, items: Sequence[UploadItem], at: datetime) -> bytes:
        return cdc_format.make_upload(ORG_ID, upload_batch_id, items, at)

    def read_upload(self, exchange: Exchange) -> UploadAnswer:
        return cdc_answers.read_upload(exchange)

    def read_confirm(self, exchange: Exchange, record_ids: Collection[str]) -> ConfirmAnswer:
        return cdc_answers.read_confirm(exchange, record_ids)

    async def close(self) -> None:
        pass

    async def upload(self, upload_batch_id: str, body: bytes) -> Exchange:
        # The law, where it counts: again only after CDC said it never saw the batch, and then the very same bytes.
        assert self.last_word.get(upload_batch_id) in (None, "404")
        self.last_word[upload_batch_id] = "sent"
        self.sent[upload_batch_id].add(body)
        self.left_at.append((body, self.now))
        assert len(self.sent[upload_batch_id]) == 1
        said = self.misfortune
        if said in ("lost_before", "html", "401", "503"):
            return self._spoiled(said, upload_batch_id, "upload")
        if said == "refuse":
            return self._exchange("upload", upload_batch_id, 400, outcome("error", "E00013"))
        if said == "409":
            return self._exchange("upload", upload_batch_id, 409, outcome("error", "E00093"))
        self.batches[upload_batch_id] = body
        if said == "lost_after":
            return self._spoiled(said, upload_batch_id, "upload")
        accepted = {"response": {"status": "200 OK", "outcome": outcome("information", "I00000")}}
        return self._exchange("upload", upload_batch_id, 200, response(upload_batch_id, [accepted]))

    async def confirm(self, upload_batch_id: str) -> Exchange:
        said = self.misfortune
        if said in LOST:
            return self._spoiled(said, upload_batch_id, "confirm")
        if said == "forget":
            self.batches.pop(upload_batch_id, None)
        if upload_batch_id not in self.batches:
            self.last_word[upload_batch_id] = "404"
            return self._exchange("confirm", upload_batch_id, 404, outcome("error", "E00094"))
        if said == "202":
            return self._exchange("confirm", upload_batch_id, 202, outcome("information", "P"))
        entries = []
        rows = [e for e in json.loads(self.batches[upload_batch_id])["entry"] if "Immunization/" in e["request"]["url"]]
        for number, row in enumerate(rows):
            key = row["request"]["url"].removeprefix("Immunization/")
            good = not (said == "bad_row" and number == 0)
            if said == "missing" and number == 0:
                continue
            if good:
                self.told_good.add((upload_batch_id, key))
            told = outcome("information", "I1") if good else outcome("error", "E1")
            status = "201 Created" if good else "400 Bad Request"
            entries.append({"fullUrl": f"Immunization/{key}", "response": {"status": status, "outcome": told}})
        return self._exchange("confirm", upload_batch_id, 200, response(upload_batch_id, entries))

    def _spoiled(self, said: str, batch_id: str, kind: Any) -> Exchange:
        if said.startswith("lost"):
            return self._exchange(kind, batch_id, None, None, failure="time_out")
        status = {"html": 200, "401": 401, "503": 503}[said]
        return self._exchange(kind, batch_id, status, "<html>", headers={"Retry-After": "40"} if status == 503 else {})

    def _exchange(self, kind: Any, batch_id: str, status: int | None, content: Any, **more: Any) -> Exchange:
        body = b"" if content is None else json.dumps(content).encode()
        return Exchange(kind, batch_id, "GET", "/", b"", self.now, self.now, status=status, body=body, **more)


def outcome(severity: str, code: str) -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "details": {"coding": [{"code": code}]}}],
    }


def response(batch_id: str, entries: list[Any]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "batch-response",
        "identifier": {"value": batch_id},
        "entry": entries,
    }


class Story:
    """One clinic and one CDC."""

    def __init__(self, settings: CdcSettings = SETTINGS) -> None:
        self.cdc = Wonderland()
        self.settings = settings
        self.storage = MemoryFolder()
        self.world = World(now=lambda: self.cdc.now, random_bytes=random.Random(7).randbytes)
        self.database: HubDatabase
        self.worker: CdcWorker

    async def open(self) -> None:
        self.database = await HubDatabase.open(self.storage, self.world)
        self.worker = CdcWorker(self.database, self.cdc, self.settings, self.world)

    async def do(self, work: str, record_id: str) -> None:
        self.cdc.now += timedelta(seconds=1)
        document = self.database.tables.vaccinations.find(record_id)
        base = (document["revision"],) if document else ()
        match work:
            case "step":
                await self.worker.step()
            case "wait":
                at = await self.worker.step()
                self.cdc.now = max(at or self.cdc.now, self.cdc.now)
            case "wake":
                self.worker.wake()
            case "restart":
                self.storage = self.storage.copy()
                await self.open()
            case "record" if document is None:
                await self._commit(vaccination_draft(ChangeKind.RECORD_VACCINATION, record_id, ()))
            case "correct" if document and not document["voided"]:
                note = {"manufacturer": f"M{self.cdc.now.timestamp()}"}
                await self._commit(vaccination_draft(ChangeKind.CORRECT_VACCINATION, record_id, base, **note))
            case "void" if document and not document["voided"]:
                await self._commit(ChangeDraft(ChangeKind.VOID_VACCINATION, record_id, {"reason": "x"}, base))
            case "ask_again" if document:
                await self._commit(ChangeDraft(ChangeKind.REQUEST_UPLOAD, record_id, {}, base))

    async def _commit(self, *drafts: ChangeDraft) -> None:
        await self.database.commit(drafts, "nurse")

    async def go_on_until(self, end: datetime) -> None:
        """Let the loop work until then."""
        while self.cdc.now < end:
            at = await self.worker.step()
            later = at or self.cdc.now + timedelta(seconds=LOOK_AGAIN_SECONDS)
            self.cdc.now = max(min(later, end), self.cdc.now + timedelta(seconds=0.01))

    def states(self) -> list[str]:
        return [document["upload_state"] for document in self.database.tables.vaccinations.documents()]

    def check(self) -> None:
        tables = self.database.tables
        in_flight = [
            record_id
            for batch in tables.batches.documents()
            if batch["state"] in ("sent", "accepted")
            for record_id in open_rows(batch, tables.vaccinations.find)
        ]
        assert len(in_flight) == len(set(in_flight)), "a record in two open batches"
        listed = Counter(
            row["record_id"] for b in tables.batches.documents() if b["state"] == "sent" for row in b["rows"]
        )
        assert max(listed.values(), default=0) <= 1, "a record sent twice before its fate was known"
        for document in tables.vaccinations.documents():
            upload = document["upload"]
            if upload and upload["state"] == "verified":
                assert (upload["upload_batch_id"], document["record_id"]) in self.cdc.told_good
            if document["upload_state"] == "verified":
                assert upload["revision"] == document["revision"]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(WORK), st.sampled_from(RECORDS), st.sampled_from(MISFORTUNES)),
        min_size=5,
        max_size=60,
    )
)
def test_any_story_keeps_the_laws_and_ends_with_every_record_told_or_shown(story: list[tuple[str, str, str]]) -> None:
    asyncio.run(_play(story))


async def _play(story: list[tuple[str, str, str]]) -> None:
    play = await _clinic_that_recorded()
    for work, record_id, misfortune in story:
        play.cdc.misfortune = misfortune
        await play.do(work, record_id)
        play.check()

    # At last CDC behaves, and staff have seen to its key. Everything comes to an end within a bounded number of steps.
    play.cdc.misfortune = ""
    play.worker.wake()
    for _ in range(200):
        at = await play.worker.step()
        play.check()
        if at is None:
            break
        play.cdc.now = max(play.cdc.now, at)
    else:
        raise AssertionError("the loop does not come to rest")
    for document in play.database.tables.vaccinations.documents():
        assert document["upload_state"] in ("verified", "refused", "not_needed")
        if document["upload_state"] == "verified":
            # What CDC holds of it is what the clinic says.
            batch = json.loads(play.cdc.batches.get(document["upload"]["upload_batch_id"], b'{"entry": []}'))
            told = [e for e in batch["entry"] if e["request"]["url"].endswith(document["record_id"])]
            makers = [e["resource"]["manufacturer"]["display"] for e in told if "resource" in e]
            assert makers in ([], [document["manufacturer"]])


async def test_a_restart_asks_about_what_is_open_but_not_at_once() -> None:
    play = await _clinic_that_recorded(RECORDS[0])
    play.cdc.misfortune = "lost_after"
    play.worker.wake()
    await play.worker.step()
    play.cdc.misfortune = ""
    await play.do("restart", RECORDS[0])

    at = await play.worker.step()

    assert at is not None
    assert 0 < (at - play.cdc.now).total_seconds() <= SETTINGS.retry_base_seconds
    play.cdc.now = at
    await play.worker.step()
    assert play.states() == ["verified"]


async def test_three_days_without_cdc_cost_few_requests_and_end_by_themselves() -> None:
    play = await _clinic_that_recorded(RECORDS[0])
    play.cdc.misfortune = "lost_before"
    began = play.cdc.now
    while play.cdc.now - began < timedelta(days=3):
        for record_id in RECORDS[: 1 + (play.cdc.now - began) // timedelta(hours=18)]:
            await play.do("record", record_id)
        play.cdc.now = max(await play.worker.step() or play.cdc.now, play.cdc.now)
    assert len(play.database.tables.exchanges) < 3 * 24 * 3600 / (SETTINGS.retry_cap_seconds / 2) + 20

    play.cdc.misfortune = ""
    came_back = play.cdc.now
    while play.states() != ["verified"] * len(RECORDS):
        play.cdc.now = max(await play.worker.step() or play.cdc.now, play.cdc.now)
        assert play.cdc.now - came_back < timedelta(
            seconds=2 * SETTINGS.retry_cap_seconds + SETTINGS.verify_after_seconds
        )


async def test_three_days_away_with_2000_waiting_and_all_are_verified_after_it_the_oldest_first() -> None:
    per_minute = 4
    play = Story(replace(SETTINGS, max_rows=50, batches_per_minute=per_minute, gather_seconds=20.0))
    await play.open()
    people = [f"{n:032x}" for n in range(1, 2001)]
    patient = make_patient().model_dump(mode="json", exclude={"record_id"})
    await play._commit(*(ChangeDraft(ChangeKind.REGISTER_PATIENT, person, patient) for person in people))
    play.cdc.misfortune = "lost_before"
    began = play.cdc.now
    for number, person in enumerate(people):
        record = vaccination_draft(ChangeKind.RECORD_VACCINATION, person, (), patient_id=person)
        await play._commit(record)
        if number % 100 == 0:
            await play.go_on_until(began + timedelta(days=3) * number / len(people))
    await play.go_on_until(began + timedelta(days=3))
    assert "verified" not in play.states()
    away_times, play.cdc.left_at = play.cdc.left_at, []
    assert len(away_times) < 3 * 24 * 3600 / (SETTINGS.retry_cap_seconds / 2) + 20

    play.cdc.misfortune = ""
    await play.go_on_until(play.cdc.now + timedelta(hours=2))
    assert Counter(play.states()) == {"verified": 2000}
    times = [at for _, at in play.cdc.left_at]
    assert all(b - a >= timedelta(minutes=1) for a, b in zip(times, times[per_minute:], strict=False))
    order = [key for body, _ in play.cdc.left_at for key in _record_keys(body)]
    assert order == people  # as they were recorded, and each once


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_day_without_a_verdict_is_told_once_and_asked_about_seldom_and_a_late_one_counts(
    accepted: bool,
) -> None:
    play = await _clinic_that_recorded(RECORDS[0])
    play.cdc.misfortune = "" if accepted else "lost_after"
    play.worker.wake()
    await play.worker.step()
    play.cdc.misfortune = "202"
    began = play.cdc.now
    await play.go_on_until(began + timedelta(hours=23, minutes=50))
    assert play.states() == ["accepted"]
    await play.go_on_until(began + timedelta(hours=24, minutes=30))
    assert play.states() == ["overdue"]
    await play.do("restart", RECORDS[0])
    asked = len(play.database.tables.exchanges)
    await play.go_on_until(began + timedelta(hours=48))
    assert 20 <= len(play.database.tables.exchanges) - asked <= 60  # at a start, then one to two an hour
    assert play.states() == ["overdue"]
    kinds = [c.change.kind for c in play.database.changes_after(0, 10_000, except_device="")[0]]
    assert kinds.count(ChangeKind.UPLOAD_OVERDUE) == 1

    play.cdc.misfortune = ""
    await play.go_on_until(play.cdc.now + timedelta(hours=2))
    assert play.states() == ["verified"]


async def test_a_weekend_switched_off_alarms_nobody_before_cdc_was_asked() -> None:
    play = await _clinic_that_recorded(RECORDS[0])
    play.worker.wake()
    await play.worker.step()
    assert play.states() == ["accepted"]
    play.cdc.now += timedelta(days=3)
    await play.do("restart", RECORDS[0])
    seen = set()
    while play.states() != ["verified"]:
        play.cdc.now = max(await play.worker.step() or play.cdc.now, play.cdc.now)
        seen.update(play.states())
    assert seen == {"accepted", "verified"}


async def test_no_more_batches_are_made_while_nothing_gets_through() -> None:
    play = await _clinic_that_recorded(RECORDS[0])
    play.cdc.misfortune = "lost_before"
    for number in range(100, 120):
        await play.do("record", f"{number:032x}")
        play.worker.wake()
        await play.worker.step()
    assert len(play.database.tables.batches) == 1


async def test_no_more_batches_are_made_while_the_fates_of_many_are_unknown() -> None:
    play = await _clinic_that_recorded(RECORDS[0])
    play.cdc.misfortune = "html"
    for number in range(100, 140):
        await play.do("record", f"{number:032x}")
        play.worker.wake()
        for batch_id in play.worker._pauses:  # only the line's own pause ends, so that nothing is asked about
            play.worker._pauses[batch_id] = Pause(until=play.cdc.now + timedelta(hours=1))
        await play.worker.step()
    assert len(play.database.tables.batches) == MAX_UNKNOWN_FATES


def _record_keys(body: bytes) -> list[str]:
    urls = [entry["request"]["url"] for entry in json.loads(body)["entry"]]
    return [url.removeprefix("Immunization/") for url in urls if url.startswith("Immunization/")]


async def _clinic_that_recorded(*record_ids: str) -> Story:
    play = Story()
    await play.open()
    patient = make_patient().model_dump(mode="json", exclude={"record_id"})
    await play._commit(ChangeDraft(ChangeKind.REGISTER_PATIENT, make_patient().record_id, patient))
    for record_id in record_ids:
        await play.do("record", record_id)
    return play
