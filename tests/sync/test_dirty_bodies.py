"""What devices post, when it is nothing that a device would post: a typed refusal, never a failure of the hub."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from store.changes import ChangeDraft, ChangeKind
from store.protocol import ErrorAnswer
from sync.cdc_client import CdcClient
from sync.history import HistoryDesk
from tests.dirty_inputs import WRONG_TYPES, dirty_texts, dirty_values
from tests.factories import PATIENT_ID, make_patient
from tests.sync.cdc_stand import make_settings, make_world, running_cdc
from tests.sync.running_hub import RunningHub, running_hub

SANE: dict[str, dict[str, Any]] = {
    "/api/search": {"typed": "王", "limit": 20},
    "/api/cdc/history": {"record_id": "e" * 32},
    "/api/people": {"patient_ids": [PATIENT_ID]},
    "/api/sync": {"device_id": "a" * 32, "generation": "b" * 32, "after": 0, "changes": []},
    "/api/snapshot": {"after": 0},
}


@pytest_asyncio.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    """With somebody in it, and with a line to CDC, or nobody would be asked about."""
    async with running_cdc(tmp_path / "cdc") as cdc, running_hub(tmp_path / "hub") as hub:
        client = CdcClient(make_settings(cdc.base_url), make_world())
        hub.hub.history = HistoryDesk(hub.database, client, make_world(2))
        payload = make_patient().model_dump(mode="json", exclude={"record_id"})
        await hub.database.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, PATIENT_ID, payload)], "nurse")
        yield hub
        await hub.hub.history.close()
        await client.close()


def bodies(path: str) -> Iterator[bytes]:
    """Field by field a wrong value in a sane message; and what is no message at all."""
    sane = SANE[path]
    fields = [*sane, "protocol", "nobody's"]
    for number, value in enumerate(dirty_values(path)):
        yield json.dumps({**sane, fields[number % len(fields)]: value}).encode()
    for value in WRONG_TYPES:
        yield json.dumps(value).encode()
    for text in dirty_texts(f"raw {path}", 40):
        yield text.encode("utf-8", "surrogatepass")
    yield from (b"", b"[" * 100_000, b'{"after": 1e999}', b'{"after": ' + b"9" * 5000 + b"}", b"\xff\xfe{}")


@pytest.mark.parametrize("path", SANE)
async def test_whatever_is_posted_gets_an_answer_of_its_type(
    hub: RunningHub, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    statuses = set()
    for body in bodies(path):
        response = await hub.post(path, body)
        statuses.add(response.status)
        content = await response.read()
        if response.status != 200:
            assert response.status in (400, 409), body[:200]  # 409: another version of the protocol
            assert len(ErrorAnswer.model_validate_json(content).error.detail) < 200
    assert 400 in statuses  # else nothing was refused, and so nothing tried

    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    logged = caplog.text
    private = {text.strip() for text in (*dirty_texts(path), "測試患者", "B222419838")}
    assert [text for text in private if len(text) > 5 and text in logged] == []
    assert (await hub.post(path, json.dumps(SANE[path]).encode())).status == 200
