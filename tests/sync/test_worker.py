"""The upload loop with a real journal on disk and the fake CDC over loopback: every way an answer can go."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from store.changes import ChangeKind
from store.protocol import CdcLinkState
from sync import cdc_format
from sync.cdc_client import CdcClient
from sync.registry import CdcSettings
from sync.worker import CdcWorker
from tests.sync.cdc_stand import KEY_ID, Clinic, Stand, make_settings, running_cdc, until, vaccination_draft

A, B, C = "a" * 32, "b" * 32, "c" * 32


@pytest_asyncio.fixture
async def cdc(tmp_path: Path) -> AsyncIterator[Stand]:
    async with running_cdc(tmp_path) as stand:
        yield stand


@pytest_asyncio.fixture
async def clinic(tmp_path: Path, cdc: Stand) -> AsyncIterator[Clinic]:
    """A clinic with one registered person and the loop running."""
    made = Clinic(tmp_path, make_settings(cdc.base_url))
    await made.start()
    await made.register_patient()
    yield made
    await made.kill()


async def test_a_recorded_vaccination_ends_verified(cdc: Stand, clinic: Clinic) -> None:
    told: list[CdcLinkState] = []
    clinic.worker.on_status(lambda: told.append(clinic.link()))

    await clinic.record(A)
    await clinic.until_state("verified", A)

    assert cdc.versions(A) == ["POST"]
    assert clinic.vaccination(A)["upload"]["message"]["code"] == "I00001"
    assert clinic.vaccination(A)["cdc_has"]
    assert clinic.worker.status()[::2] == (CdcLinkState.CONNECTED, "")
    assert told == [CdcLinkState.CONNECTED]


async def test_sent_is_on_disk_before_the_request_leaves(cdc: Stand, clinic: Clinic) -> None:
    cdc.misfortune("upload", "time_out", seconds=60)
    await clinic.record(A)
    await until(lambda: len(cdc.requests("POST")) == 1)
    seen = cdc.requests("POST")[0]
    await until(lambda: bool(seen.body_sha256))
    await clinic.kill()

    await clinic.open()
    assert clinic.state(A) == "sent"
    sent = [e for e in clinic.database.tables.exchanges.documents() if e["kind"] == "sent"]
    assert len(sent) == 1
    assert cdc.times_received() == [1]
    assert sent[0]["request"]["body"].encode() == next(iter(cdc.cdc.holdings.batches.values())).body


async def test_every_answer_is_kept_raw(cdc: Stand, clinic: Clinic) -> None:
    cdc.misfortune("confirm", "html_instead_of_json")
    await clinic.record(A)
    await clinic.until_state("verified", A)

    kept = [(e["kind"], (e.get("answer") or {}).get("status")) for e in clinic.database.tables.exchanges.documents()]
    assert kept == [("sent", None), ("upload", 200), ("confirm", 200), ("confirm", 200)]
    assert "系統維護中" in list(clinic.database.tables.exchanges.documents())[2]["answer"]["body"]


async def test_a_refused_lot_is_corrected_and_verified(cdc: Stand, clinic: Clinic) -> None:
    await clinic.record(A, lot_number="AMJRE075AA")
    await clinic.until_state("refused", A)
    message = clinic.vaccination(A)["upload"]["message"]
    assert (message["text"], message["expression"]) == ("批號不存在", "Immunization.lotNumber")

    await clinic.correct(A, lot_number="AMJRE075AA-CDC")
    await clinic.until_state("verified", A)
    assert cdc.versions(A) == ["POST"]


async def test_a_refused_record_is_sent_as_it_is_when_staff_ask(cdc: Stand, clinic: Clinic) -> None:
    cdc.misfortune("upload", "refuse_row", code="X1", text="訊息")
    await clinic.record(A)
    await clinic.until_state("refused", A)
    assert clinic.vaccination(A)["upload"]["message"]["code"] == "X1"

    await clinic.ask_again(A)
    await clinic.until_state("verified", A)


@pytest.mark.parametrize(
    ("scenario", "details", "stored"),
    [
        ("drop_after_storing", {}, True),
        ("drop_before_storing", {}, False),
        ("time_out", {"seconds": 60}, True),
        ("time_out", {"seconds": 60, "stored": False}, False),
        ("error_500", {"stored": True}, True),
        ("error_500", {}, False),
        ("html_instead_of_json", {"stored": True}, True),
        ("html_instead_of_json", {}, False),
        ("truncated_json", {}, True),
        ("wrong_charset", {}, True),
        ("slow", {"seconds": 1.0}, True),
    ],
)
async def test_a_lost_answer_to_an_upload_stores_exactly_once(
    tmp_path: Path, cdc: Stand, scenario: str, details: dict[str, Any], stored: bool
) -> None:
    clinic = Clinic(tmp_path, make_settings(cdc.base_url, timeout_seconds=0.3))
    await clinic.start()
    cdc.misfortune("upload", scenario, **details)
    await clinic.register_patient()
    await clinic.record(A)
    await clinic.until_state("verified", A)

    assert cdc.versions(A) == ["POST"]
    assert cdc.times_received() == [1]
    order = [seen.method for seen in cdc.cdc.requests]
    assert order[:2] == ["POST", "GET"]  # asked before anything is sent again
    if scenario != "slow":
        assert order.count("POST") == (1 if stored else 2)
    bodies = {seen.body_sha256 for seen in cdc.requests("POST") if seen.body_sha256}
    assert len(bodies) == 1
    await clinic.kill()


@pytest.mark.parametrize("stored", [True, False])
async def test_a_hub_killed_while_waiting_for_the_answer_asks_and_does_not_double(
    cdc: Stand, clinic: Clinic, stored: bool
) -> None:
    cdc.misfortune("upload", "time_out", seconds=60, stored=stored)
    await clinic.record(A)
    await until(lambda: [seen.scenario for seen in cdc.requests("POST")] == ["time_out"])
    await clinic.kill()
    await clinic.start()
    await clinic.until_state("verified", A)

    methods = [seen.method for seen in cdc.cdc.requests]
    assert methods == (["POST", "GET"] if stored else ["POST", "GET", "POST", "GET"])
    assert cdc.versions(A) == ["POST"]
    assert cdc.times_received() == [1]


async def test_a_hub_killed_while_verification_is_due_asks_again(cdc: Stand, clinic: Clinic) -> None:
    cdc.misfortune("confirm", "processing_202", times=None)
    await clinic.record(A)
    await clinic.until_state("accepted", A)
    await clinic.kill()
    cdc.cdc.scenarios.clear()
    await clinic.start()
    await clinic.until_state("verified", A)
    assert len(cdc.requests("POST")) == 1


@pytest.mark.parametrize("kind", ["upload", "confirm"])
@pytest.mark.parametrize("scenario", ["error_503_retry_after", "rate_limit_429"])
async def test_a_busy_cdc_is_left_alone_for_as_long_as_it_says(
    cdc: Stand, clinic: Clinic, kind: str, scenario: str
) -> None:
    cdc.misfortune(kind, scenario, retry_after=1)
    await clinic.record(A)
    await until(lambda: clinic.link() is CdcLinkState.FAILING)
    assert clinic.worker.status()[2].startswith("HTTP ")
    clinic.worker.wake()  # staff's tap does not shorten it
    await clinic.until_state("verified", A)

    requests = list(cdc.cdc.requests)
    busy = next(n for n, seen in enumerate(requests) if seen.scenario == scenario)
    assert requests[busy + 1].at - requests[busy].at >= 1.0
    assert cdc.versions(A) == ["POST"]


@pytest.mark.parametrize("scenario", ["truncated_json", "wrong_charset", "html_instead_of_json", "error_500"])
async def test_an_unreadable_verification_is_asked_for_again(cdc: Stand, clinic: Clinic, scenario: str) -> None:
    cdc.misfortune("confirm", scenario, times=3)
    await clinic.record(A)
    await clinic.until_state("verified", A)
    assert len(cdc.requests("GET")) == 4
    assert len(cdc.requests("POST")) == 1


async def test_a_refused_key_stops_everything_until_staff_ask(tmp_path: Path, cdc: Stand) -> None:
    keys = ["OLD"]
    settings = make_settings(cdc.base_url, read_key_id=lambda: keys[-1])
    clinic = Clinic(tmp_path, settings)
    await clinic.start()
    await clinic.register_patient()
    await clinic.record(A)
    await until(lambda: clinic.link() is CdcLinkState.REFUSED_KEY)
    assert clinic.worker.status()[2].startswith("HTTP 401 E00001")

    await clinic.record(B)  # a new record does not start another try
    rounds = len(cdc.cdc.requests)
    for _ in range(3):
        assert await clinic.worker.step() is not None
    assert len(cdc.cdc.requests) == rounds == 1

    keys.append(KEY_ID)
    clinic.worker.wake()
    await clinic.until_state("verified", A, B)
    assert [seen.status for seen in cdc.cdc.requests].count(401) == 1
    assert clinic.link() is CdcLinkState.CONNECTED
    await clinic.kill()


async def test_another_key_in_its_file_goes_on_by_itself_and_a_restart_tries_the_refused_one_once(
    tmp_path: Path, cdc: Stand
) -> None:
    keys = ["OLD"]
    clinic = Clinic(tmp_path, make_settings(cdc.base_url, read_key_id=lambda: keys[-1]))
    await clinic.start()
    await clinic.register_patient()
    await clinic.record(A)
    await until(lambda: clinic.link() is CdcLinkState.REFUSED_KEY)
    assert clinic.worker.again_at() is None
    await clinic.kill()
    await clinic.start()
    await until(lambda: clinic.link() is CdcLinkState.REFUSED_KEY)
    assert [seen.status for seen in cdc.cdc.requests] == [401, 401]

    keys.append(KEY_ID)
    await clinic.record(B)  # whatever makes the loop look, as it does each few seconds
    await clinic.until_state("verified", A, B)
    assert [seen.status for seen in cdc.cdc.requests].count(401) == 2
    await clinic.kill()


async def test_a_key_rotated_while_cdc_answers_is_not_taken_for_the_refused_one(tmp_path: Path, cdc: Stand) -> None:
    keys = iter(["OLD", "OLD"])
    clinic = Clinic(tmp_path, make_settings(cdc.base_url, read_key_id=lambda: next(keys, KEY_ID)))
    await clinic.start()
    await clinic.register_patient()
    await clinic.record(A)
    await clinic.until_state("verified", A)
    assert [seen.status for seen in cdc.cdc.requests].count(401) == 1
    await clinic.kill()


async def test_verdicts_that_cannot_be_read_hold_no_upload_back(tmp_path: Path, cdc: Stand) -> None:
    settings = make_settings(cdc.base_url, retry_base_seconds=600.0, retry_cap_seconds=600.0)
    clinic = Clinic(tmp_path, settings)
    await clinic.start()
    await clinic.register_patient()
    cdc.misfortune("confirm", "error_500", times=None)
    await clinic.record(A)
    await until(lambda: clinic.link() is CdcLinkState.FAILING)
    await clinic.record(B)
    await clinic.until_state("accepted", A, B)
    assert clinic.link() is CdcLinkState.FAILING  # that uploads get through makes the other no better
    cdc.cdc.scenarios.clear()
    clinic.worker.wake()
    await clinic.until_state("verified", A, B)
    assert clinic.link() is CdcLinkState.CONNECTED
    await clinic.kill()


async def test_no_more_batches_leave_in_a_minute_than_is_set_also_after_a_restart(tmp_path: Path, cdc: Stand) -> None:
    clinic = Clinic(tmp_path, make_settings(cdc.base_url, batches_per_minute=2))
    await clinic.start()
    await clinic.register_patient()
    for one in (A, B):
        await clinic.record(one)
        await clinic.until_state("verified", one)
    await clinic.record(C)
    at = await clinic.worker.step()
    await clinic.kill()
    await clinic.open()
    worker = CdcWorker(clinic.database, CdcClient(clinic.settings, clinic.world), clinic.settings, clinic.world)
    worker.wake()  # a tap does not hurry it either

    again = await worker.step()
    assert again is not None
    assert at is not None
    assert abs(again - at) < timedelta(seconds=1)  # between being written down and leaving
    assert again - clinic.world.now() > timedelta(seconds=50)
    assert len(cdc.requests("POST")) == 2
    await clinic.database.close()


async def test_each_try_that_fails_is_told_so_that_nobody_waits_for_a_tap_in_vain(cdc: Stand, clinic: Clinic) -> None:
    cdc.cdc.down = True
    told: list[object] = []
    clinic.worker.on_status(lambda: told.append(clinic.worker.again_at()))
    await clinic.record(A)
    await until(lambda: len(told) >= 1)
    assert told[0] is not None

    told.clear()
    clinic.worker.wake()
    await until(lambda: len(told) >= 2)

    assert told[0] is None
    assert told[1] is not None
    assert clinic.link() is CdcLinkState.FAILING
    cdc.cdc.down = False
    await clinic.until_state("verified", A)
    assert clinic.worker.again_at() is None


async def test_cdc_away_and_back(cdc: Stand, clinic: Clinic) -> None:
    cdc.cdc.down = True
    await clinic.record(A)
    await until(lambda: clinic.link() is CdcLinkState.FAILING)
    await clinic.record(B)
    cdc.cdc.down = False
    await clinic.until_state("verified", A, B)
    assert (cdc.versions(A), cdc.versions(B)) == (["POST"], ["POST"])


@pytest.mark.parametrize(("names_it", "most_batches"), [(False, 1 + 20 + 75), (True, 1 + 3 + 3)])
async def test_three_poisonous_rows_of_500_hold_nobody_back_and_no_row_is_sent_more_than_three_times(
    cdc: Stand, tmp_path: Path, names_it: bool, most_batches: int
) -> None:
    clinic = Clinic(tmp_path, make_settings(cdc.base_url, batches_per_minute=600))
    await clinic.open()
    await clinic.register_patient()
    ids = [f"{number:032x}" for number in range(500)]
    bad = {ids[7], ids[250], ids[499]}
    drafts = [vaccination_draft(ChangeKind.RECORD_VACCINATION, i, ()) for i in ids]
    await clinic.record_many(drafts)
    await clinic.database.close()

    async with Poisoned(cdc, bad, names_it):
        await clinic.start()
        await clinic.until_state("verified", *(i for i in ids if i not in bad))
        await clinic.until_state("refused", *bad)

    for one in bad:
        assert clinic.vaccination(one)["upload"]["message"]["code"] == "E00013"
        assert cdc.versions(one) == []
    assert all(cdc.versions(i) == ["POST"] for i in ids if i not in bad)
    batches = list(clinic.database.tables.batches.documents())
    assert len(batches) <= most_batches
    times_sent = Counter(row["record_id"] for batch in batches for row in batch["rows"])
    assert max(times_sent.values()) <= (4 if names_it else 3)  # named one at a time here, so the rest goes three more
    await clinic.kill()


class Poisoned:
    """While it lasts CDC refuses every batch that holds one of these records, whole; it may name the first of them."""

    def __init__(self, cdc: Stand, record_ids: set[str], names_it: bool) -> None:
        self._cdc, self._record_ids, self._names_it = cdc.cdc, record_ids, names_it
        self._upload = cdc.cdc.upload

    async def __aenter__(self) -> None:
        def upload(org_id: str, body: bytes, rule: Any) -> Any:
            urls = [entry["request"]["url"] for entry in json.loads(body)["entry"]]
            bad = [number for number, url in enumerate(urls) if url.rpartition("/")[2] in self._record_ids]
            if bad:
                named = f"Bundle.entry[{bad[0]}].resource" if self._names_it else None
                rule = replace(rule, scenario="refuse_batch", expression=named)
            return self._upload(org_id, body, rule)

        self._cdc.upload = upload  # type: ignore[method-assign]

    async def __aexit__(self, *_: object) -> None:
        self._cdc.upload = self._upload  # type: ignore[method-assign]


async def test_an_identifier_taken_by_other_content_loses_and_doubles_nothing(cdc: Stand, clinic: Clinic) -> None:
    original = cdc.cdc.upload
    taken: list[str] = []

    def upload(org_id: str, body: bytes, rule: Any) -> Any:
        if not taken:
            other = body.replace(A.encode(), C.encode()).replace(b"aaaaaaaa-", b"cccccccc-")
            taken.append("yes")
            original(org_id, other, rule)
        return original(org_id, body, rule)

    cdc.cdc.upload = upload  # type: ignore[method-assign]
    await clinic.record_many([vaccination_draft(ChangeKind.RECORD_VACCINATION, i, ()) for i in (A, B)])
    await clinic.until_state("verified", A)
    await until(lambda: clinic.state(B) in ("verified", "refused"))
    assert cdc.versions(A) == ["POST"]
    assert cdc.versions(B) == ["POST"]  # stored under the other content; ours is refused as already known, and shown
    assert clinic.state(B) == "refused"


async def test_still_processing_is_asked_again(cdc: Stand, clinic: Clinic) -> None:
    cdc.misfortune("confirm", "processing_202", times=3)
    await clinic.record(A)
    await clinic.until_state("verified", A)
    assert [seen.status for seen in cdc.requests("GET")] == [202, 202, 202, 200]


async def test_a_missing_entry_stays_accepted_and_is_asked_for_again(cdc: Stand, clinic: Clinic) -> None:
    cdc.misfortune("confirm", "entry_missing", record_key=A, times=None)
    await clinic.record_many([vaccination_draft(ChangeKind.RECORD_VACCINATION, i, ()) for i in (A, B)])
    await clinic.until_state("verified", B)
    await until(lambda: len(cdc.requests("GET")) >= 3)
    assert clinic.state(A) == "accepted"
    cdc.cdc.scenarios.clear()
    await clinic.until_state("verified", A)
    assert len(cdc.requests("POST")) == 1


async def test_verdicts_on_a_batch_of_unknown_fate_make_the_rest_of_it_accepted(cdc: Stand, clinic: Clinic) -> None:
    cdc.misfortune("upload", "drop_after_storing")
    cdc.misfortune("confirm", "entry_missing", record_key=A, times=None)
    await clinic.record_many([vaccination_draft(ChangeKind.RECORD_VACCINATION, i, ()) for i in (A, B)])
    await clinic.until_state("verified", B)
    assert clinic.state(A) == "accepted"
    cdc.cdc.scenarios.clear()
    await clinic.until_state("verified", A)


async def test_a_batch_cdc_forgot_is_sent_again_byte_for_byte(cdc: Stand, clinic: Clinic) -> None:
    cdc.misfortune("confirm", "processing_202", times=None)
    await clinic.record(A)
    await clinic.until_state("accepted", A)
    cdc.cdc.holdings.reset()
    cdc.cdc.scenarios.clear()
    await clinic.until_state("verified", A)
    assert len({seen.body_sha256 for seen in cdc.requests("POST")}) == 1
    assert len(cdc.requests("POST")) == 2
    assert cdc.versions(A) == ["POST"]


async def test_a_batch_forgotten_after_a_part_was_verified_is_shown_and_not_sent_again(
    cdc: Stand, clinic: Clinic
) -> None:
    cdc.misfortune("confirm", "entry_missing", record_key=A, times=None)
    await clinic.record_many([vaccination_draft(ChangeKind.RECORD_VACCINATION, i, ()) for i in (A, B)])
    await clinic.until_state("verified", B)
    cdc.cdc.holdings.reset()
    await clinic.until_state("refused", A)
    assert clinic.vaccination(A)["upload"]["message"]["text"] == "查無此批次"
    assert clinic.state(B) == "verified"
    assert len(cdc.requests("POST")) == 1


async def test_a_void_after_verification_is_deleted_at_cdc(cdc: Stand, clinic: Clinic) -> None:
    await clinic.record(A)
    await clinic.until_state("verified", A)
    await clinic.void(A)
    await until(lambda: not clinic.vaccination(A)["cdc_has"])
    assert cdc.versions(A) == ["POST", "DELETE"]
    assert clinic.state(A) == "verified"


async def test_a_void_before_anything_was_sent_never_reaches_cdc(cdc: Stand, tmp_path: Path) -> None:
    clinic = Clinic(tmp_path, make_settings(cdc.base_url))
    await clinic.open()
    await clinic.register_patient()
    await clinic.record(A)
    await clinic.void(A)
    await clinic.record(B)
    await clinic.database.close()
    await clinic.start()
    await clinic.until_state("verified", B)
    assert (clinic.state(A), cdc.versions(A)) == ("not_needed", [])
    await clinic.kill()


async def test_a_correction_during_upload_waits_and_goes_later_as_put(cdc: Stand, clinic: Clinic) -> None:
    cdc.misfortune("confirm", "processing_202", times=None)
    await clinic.record(A)
    await clinic.until_state("accepted", A)
    await clinic.correct(A, note="x", dose_number="2")
    assert clinic.state(A) == "not_sent"
    await until(lambda: len(cdc.requests("GET")) >= 3)
    assert len(cdc.requests("POST")) == 1

    cdc.cdc.scenarios.clear()
    await clinic.until_state("verified", A)
    assert cdc.versions(A) == ["POST", "PUT"]
    held = cdc.cdc.holdings.records[A].versions[-1]["resource"]
    assert held["protocolApplied"] == [{"doseNumberString": "2"}]


async def test_a_record_of_a_person_not_yet_known_waits_and_holds_nobody_back(cdc: Stand, clinic: Clinic) -> None:
    await clinic.record(A, patient_id="9" * 32)
    await clinic.record(B)
    await clinic.until_state("verified", B)
    assert clinic.state(A) == "not_sent"
    await clinic.register_patient(record_id="9" * 32, national_id="A123456789")
    await clinic.until_state("verified", A)


async def test_more_rows_than_a_batch_takes_go_in_several(cdc: Stand, tmp_path: Path) -> None:
    clinic = Clinic(tmp_path, make_settings(cdc.base_url, max_rows=4))
    await clinic.open()
    ids = [f"{number:032x}" for number in range(10)]
    for number in range(5):
        newborn = {"national_id": None, "parent_national_id": "A123456789", "birth_order": number + 1}
        await clinic.register_patient(record_id=f"{100 + number:032x}", **newborn)
    await clinic.record_many(
        [
            vaccination_draft(ChangeKind.RECORD_VACCINATION, i, (), patient_id=f"{100 + n // 2:032x}")
            for n, i in enumerate(ids)
        ]
    )
    await clinic.database.close()
    await clinic.start()
    await clinic.until_state("verified", *ids)
    assert sorted(len(batch.rows) for batch in cdc.cdc.holdings.batches.values()) == [2, 4, 4]
    await clinic.kill()


async def test_changes_gather_before_they_leave_and_staffs_tap_ends_the_waiting(cdc: Stand, tmp_path: Path) -> None:
    clinic = Clinic(tmp_path, make_settings(cdc.base_url, gather_seconds=600.0))
    await clinic.start()
    await until(lambda: clinic.worker._gather_until is None)  # the first look found nothing to gather
    await clinic.register_patient()
    await clinic.record(A)
    at = await clinic.worker.step()
    assert at is not None
    assert (at - clinic.world.now()).total_seconds() > 500
    await clinic.record(B)
    clinic.worker.wake()
    await clinic.until_state("verified", A, B)
    assert len(cdc.requests("POST")) == 1
    await clinic.kill()


async def test_a_bug_met_by_one_record_is_logged_without_its_content_and_the_others_go(
    cdc: Stand, clinic: Clinic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = cdc_format._immunization
    secret = "測試患者"

    def buggy(org_id: str, vaccination: Any, patient_url: str) -> Any:
        if vaccination.record_id == A:
            raise RuntimeError(secret)
        return original(org_id, vaccination, patient_url)

    monkeypatch.setattr(cdc_format, "_immunization", buggy)
    with caplog.at_level(logging.INFO):
        await clinic.record_many([vaccination_draft(ChangeKind.RECORD_VACCINATION, i, ()) for i in (A, B)])
        await clinic.until_state("verified", B)
    assert clinic.state(A) == "not_sent"
    assert "RuntimeError" in caplog.text
    assert secret not in caplog.text
    assert A in caplog.text

    monkeypatch.undo()
    await clinic.correct(A)
    await clinic.until_state("verified", A)


async def test_a_bug_met_by_one_answer_leaves_that_batch_waiting_and_the_others_go(
    cdc: Stand, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = clinic.worker._registry.read_confirm

    def buggy(exchange: Any, record_ids: Any) -> Any:
        if A in record_ids:
            raise ZeroDivisionError
        return original(exchange, record_ids)

    monkeypatch.setattr(clinic.worker._registry, "read_confirm", buggy)
    await clinic.record(A)
    await clinic.until_state("accepted", A)
    await clinic.record(B)
    await clinic.until_state("verified", B)
    assert clinic.state(A) == "accepted"
    monkeypatch.undo()
    await clinic.until_state("verified", A)


async def test_cancelling_the_loop_closes_the_line(clinic: Clinic) -> None:
    await clinic.record(A)
    await clinic.until_state("verified", A)
    client: Any = clinic.worker._registry
    session = client._session
    await clinic.kill()
    await clinic.open()
    assert session.closed


def test_settings_show_no_secret(tmp_path: Path) -> None:
    settings = CdcSettings("http://x", "1133060019", lambda: "SECRET-KEY", tmp_path, b"SECRET-PASSWORD")
    assert "SECRET" not in repr(settings)


async def test_waiting_costs_nothing(cdc: Stand, clinic: Clinic) -> None:
    """The loop sleeps while there is nothing to do: many turns of the event loop bring no look at the tables."""
    await clinic.record(A)
    await clinic.until_state("verified", A)
    await until(lambda: clinic.database.tables.batches.count_by("state", "closed") == 1)
    looks = 0
    original = clinic.worker._outbox.next_rows

    def counted() -> Any:
        nonlocal looks
        looks += 1
        return original()

    clinic.worker._outbox.next_rows = counted  # type: ignore[method-assign]
    for _ in range(1000):
        await asyncio.sleep(0)
    assert looks <= 1


async def test_cdcs_words_go_to_staff_and_into_no_log(
    cdc: Stand, clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    cdc.misfortune("upload", "unauthorized_401")
    await clinic.record(A)
    await until(lambda: clinic.link() is CdcLinkState.REFUSED_KEY)

    assert "未具檢視" in clinic.worker.status()[2]
    assert "registry_key_refused" in caplog.text
    assert "未具檢視" not in caplog.text
