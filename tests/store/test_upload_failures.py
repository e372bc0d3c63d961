"""What CDC refuses for good, and what it does not judge within a day: failed, kept, never sent again by itself."""

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.hub_database import HubDatabase
from store.uploads import BatchState, UploadState, next_method, parts_of_refused
from tests.store import test_database
from tests.store.test_database import dose, exchange, make_device, shown

SETTLED = {"code": "E00002", "text": "單位此月份已結算"}
CERTIFIED = {"code": "E00011", "text": "該筆接種資料具有多筆發證歷程,不允許修改/刪除"}
OF_NIIS = {"code": "E00002", "text": "非正確之交易檢查碼"}
SAID = {"code": "I00000", "text": "作業完成"}
states = test_database.TestUploadStates


async def hub_with_sent(count: int = 1) -> tuple[HubDatabase, list[str]]:
    hub, doses = await states.hub_with_doses(count)
    await states.send(hub, "b1", doses)
    return hub, doses


async def tell(hub: HubDatabase, kind: ChangeKind, payload: dict[str, object], batch_id: str = "b1") -> None:
    await hub.commit([ChangeDraft(kind, batch_id, payload)], made_by="hub")


async def judge(hub: HubDatabase, record_id: str, words: dict[str, str], batch_id: str = "b1") -> None:
    result = {"record_id": record_id, "verified": False, "severity": "error", **words}
    await tell(hub, ChangeKind.VERIFICATION_RECEIVED, {"results": [result]}, batch_id)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (SETTLED, UploadState.LOCKED),
        (CERTIFIED, UploadState.LOCKED),
        ({**SETTLED, "code": "E99999"}, UploadState.LOCKED),
        (OF_NIIS, UploadState.REFUSED),
        ({"code": "E00002", "text": ""}, UploadState.REFUSED),
        ({"code": "E00011", "text": "別的訊息"}, UploadState.REFUSED),
    ],
    ids=["settled", "certified", "words decide", "the other list's meaning", "code alone", "unknown words"],
)
async def test_cdcs_words_tell_what_is_locked(words: dict[str, str], state: UploadState) -> None:
    hub, [one] = await hub_with_sent()
    await judge(hub, one, words)
    assert states.state(hub, one) is state
    assert next_method(hub.tables.vaccinations.at(one)) is None


async def test_a_locked_correction_is_kept_and_goes_again_only_when_staff_say_so() -> None:
    hub, [one] = await hub_with_sent()
    await states.verify(hub, "b1", {one: True})
    first = hub.tables.vaccinations.at(one)["revision"]
    correction = ChangeDraft(ChangeKind.CORRECT_VACCINATION, one, dose("a" * 31 + "1", dose_number="2"), (first,))
    await hub.commit([correction], made_by="nurse")
    await states.send(hub, "b2", [one])
    await judge(hub, one, SETTLED, "b2")
    kept = hub.tables.vaccinations.at(one)
    assert (states.state(hub, one), kept["dose_number"], kept["cdc_has"]) == (UploadState.LOCKED, "2", True)

    request = ChangeDraft(ChangeKind.REQUEST_UPLOAD, one, {"upload_batch_id": "b2"}, (kept["revision"],))
    await hub.commit([request], made_by="nurse")

    assert states.state(hub, one) is UploadState.NOT_SENT
    assert next_method(hub.tables.vaccinations.at(one)) == "PUT"


@pytest.mark.parametrize("accepted", [False, True], ids=["sent", "accepted"])
async def test_what_cdc_has_not_judged_within_a_day_is_overdue_everywhere_and_is_not_sent_again(accepted: bool) -> None:
    hub, [one] = await hub_with_sent()
    if accepted:
        await states.accept(hub, "b1")
    await tell(hub, ChangeKind.UPLOAD_OVERDUE, {})

    assert states.state(hub, one) is UploadState.OVERDUE
    assert next_method(hub.tables.vaccinations.at(one)) is None
    assert hub.tables.batches.at("b1")["state"] == (BatchState.ACCEPTED if accepted else BatchState.SENT)
    device, _ = await make_device()
    await exchange(device, hub)
    assert shown(device) == shown(hub)


@pytest.mark.parametrize("good", [True, False])
async def test_a_late_verdict_counts(good: bool) -> None:
    hub, [one] = await hub_with_sent()
    await tell(hub, ChangeKind.UPLOAD_OVERDUE, {})
    await states.verify(hub, "b1", {one: good})
    assert states.state(hub, one) is (UploadState.VERIFIED if good else UploadState.REFUSED)
    assert hub.tables.batches.at("b1")["state"] == BatchState.CLOSED


async def test_being_processed_leaves_it_overdue_and_a_new_acceptance_does_not() -> None:
    hub, [one] = await hub_with_sent()
    await tell(hub, ChangeKind.UPLOAD_OVERDUE, {})
    due_at = "2026-11-22T02:10:00+00:00"
    await tell(hub, ChangeKind.UPLOAD_ACCEPTED, {"due_at": due_at, "message": None})
    assert states.state(hub, one) is UploadState.OVERDUE
    await tell(hub, ChangeKind.UPLOAD_ACCEPTED, {"due_at": due_at, "message": SAID})
    assert states.state(hub, one) is UploadState.ACCEPTED
    assert hub.tables.batches.at("b1")["overdue_at"] is None


async def test_only_rows_without_a_verdict_become_overdue() -> None:
    hub, [one, two] = await hub_with_sent(2)
    await states.accept(hub, "b1")
    await states.verify(hub, "b1", {one: True})
    await tell(hub, ChangeKind.UPLOAD_OVERDUE, {})
    assert [states.state(hub, each) for each in (one, two)] == [UploadState.VERIFIED, UploadState.OVERDUE]


def test_parts_hold_every_row_once_and_a_named_one_alone() -> None:
    rows = [str(number) for number in range(500)]
    parts = parts_of_refused(rows, ())
    assert list(parts) == rows
    assert sorted(set(parts.values())) == list(range(20))
    assert len(set(parts_of_refused(rows[:25], ()).values())) == 25
    named = parts_of_refused(rows, ["7", "400", "stranger"])
    assert [row for row in rows if named[row]] == ["7", "400"]
    assert named["7"] != named["400"]
    assert len(set(parts_of_refused(["a", "b"], ["a", "b"]).values())) == 2
