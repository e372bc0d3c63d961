"""What every registry must do, whatever it speaks. test_cdc_client.py runs it over HTTP against the fake CDC."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

import pytest

from store.uploads import UploadMethod, UploadRow
from sync.registry import (
    Accepted,
    AnswerUnreadable,
    KeyRefused,
    NeverSeen,
    Processing,
    RefusedWhole,
    Registry,
    RegistryBusy,
    RegistryUnreachable,
    UploadItem,
    Verdicts,
)
from tests.factories import make_patient, make_vaccination

BATCH = "1133060019-20261123-120000-0001"
AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
GOOD, BAD = "a" * 32, "b" * 32


class RegistryStand(Protocol):
    """A registry and the levers behind it. `spoil` meets the next request of that kind."""

    registry: Registry

    def spoil(self, kind: str, scenario: str) -> None: ...

    def go_down(self) -> None: ...


def body_of(registry: Registry, *record_ids: str, lot_number: str = "AMJRE075AA-CDC") -> bytes:
    items = [
        UploadItem(
            UploadRow(record_id=record_id, revision="0" * 32, method=UploadMethod.POST),
            make_vaccination(record_id=record_id, lot_number=lot_number if record_id == BAD else "AMJRE075AA-CDC"),
            make_patient(),
        )
        for record_id in record_ids
    ]
    return registry.make_upload(BATCH, items, AT)


async def check_an_unknown_batch_was_never_seen(stand: RegistryStand) -> None:
    exchange = await stand.registry.confirm(BATCH)
    assert isinstance(stand.registry.read_confirm(exchange, [GOOD]), NeverSeen)


async def check_an_accepted_batch_gets_its_verdicts(stand: RegistryStand) -> None:
    body = body_of(stand.registry, GOOD, BAD, lot_number="NO-SUCH-LOT")
    accepted = stand.registry.read_upload(await stand.registry.upload(BATCH, body))
    assert isinstance(accepted, Accepted)
    assert accepted.message.code == "I00000"

    verdicts = stand.registry.read_confirm(await stand.registry.confirm(BATCH), [GOOD, BAD])
    assert isinstance(verdicts, Verdicts)
    good, bad = sorted(verdicts.results, key=lambda result: result.record_id)
    assert (good.record_id, good.verified) == (GOOD, True)
    assert (bad.record_id, bad.verified) == (BAD, False)
    assert (bad.text, bad.expression) == ("批號不存在", "Immunization.lotNumber")


async def check_the_same_bytes_are_accepted_twice_and_others_are_not(stand: RegistryStand) -> None:
    body = body_of(stand.registry, GOOD)
    for _ in range(2):
        assert isinstance(stand.registry.read_upload(await stand.registry.upload(BATCH, body)), Accepted)
    other = body_of(stand.registry, GOOD, BAD)
    assert isinstance(stand.registry.read_upload(await stand.registry.upload(BATCH, other)), RefusedWhole)


async def check_a_batch_still_processed_is_neither_seen_nor_unseen(stand: RegistryStand) -> None:
    await stand.registry.upload(BATCH, body_of(stand.registry, GOOD))
    stand.spoil("confirm", "processing_202")
    assert isinstance(stand.registry.read_confirm(await stand.registry.confirm(BATCH), [GOOD]), Processing)


async def check_a_batch_refused_whole_is_said_so_with_the_reason(stand: RegistryStand) -> None:
    stand.spoil("upload", "refuse_batch")
    answer = stand.registry.read_upload(await stand.registry.upload(BATCH, body_of(stand.registry, GOOD)))
    assert isinstance(answer, RefusedWhole)
    assert (answer.message.severity, answer.message.code) == ("error", "E00013")


async def check_a_refused_key_is_its_own_error(stand: RegistryStand) -> None:
    stand.spoil("upload", "unauthorized_401")
    exchange = await stand.registry.upload(BATCH, body_of(stand.registry, GOOD))
    with pytest.raises(KeyRefused):
        stand.registry.read_upload(exchange)


async def check_a_busy_registry_names_the_time(stand: RegistryStand) -> None:
    for scenario in ("rate_limit_429", "error_503_retry_after"):
        stand.spoil("confirm", scenario)
        exchange = await stand.registry.confirm(BATCH)
        with pytest.raises(RegistryBusy) as caught:
            stand.registry.read_confirm(exchange, [GOOD])
        assert caught.value.retry_after == 2.0


async def check_rubbish_proves_nothing(stand: RegistryStand) -> None:
    await stand.registry.upload(BATCH, body_of(stand.registry, GOOD))
    for scenario in ("html_instead_of_json", "truncated_json", "wrong_charset", "error_500"):
        stand.spoil("confirm", scenario)
        exchange = await stand.registry.confirm(BATCH)
        assert exchange.status is not None
        with pytest.raises(AnswerUnreadable):
            stand.registry.read_confirm(exchange, [GOOD])
        stand.spoil("upload", scenario)
        exchange = await stand.registry.upload(BATCH, body_of(stand.registry, GOOD))
        with pytest.raises(AnswerUnreadable):
            stand.registry.read_upload(exchange)


async def check_nobody_there_is_an_answer_too(stand: RegistryStand) -> None:
    stand.spoil("upload", "drop_after_storing")
    exchange = await stand.registry.upload(BATCH, body_of(stand.registry, GOOD))
    with pytest.raises(RegistryUnreachable):
        stand.registry.read_upload(exchange)
    stand.go_down()
    exchange = await stand.registry.confirm(BATCH)
    with pytest.raises(RegistryUnreachable):
        stand.registry.read_confirm(exchange, [GOOD])


REGISTRY_CONTRACT: list[Callable[[RegistryStand], Awaitable[None]]] = [
    check_an_unknown_batch_was_never_seen,
    check_an_accepted_batch_gets_its_verdicts,
    check_the_same_bytes_are_accepted_twice_and_others_are_not,
    check_a_batch_still_processed_is_neither_seen_nor_unseen,
    check_a_batch_refused_whole_is_said_so_with_the_reason,
    check_a_refused_key_is_its_own_error,
    check_a_busy_registry_names_the_time,
    check_rubbish_proves_nothing,
    check_nobody_there_is_an_answer_too,
]
