"""Syncing over real HTTP, and everything that must be refused."""

import asyncio
import gzip
import json
import os
import signal
import socket
import sys
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientResponse, ClientSession

from store.changes import Change, ChangeKind
from store.errors import StorageFull
from store.hub_database import HubDatabase
from store.protocol import MAX_BODY_BYTES, MAX_PULL_CHANGES, CdcLinkState, HubStatus, SyncAnswer
from store.storage import FileFolder, FileStorage
from sync.settings import ROOT
from tests.sync.running_hub import WORLD, RunningHub, make_device, register_patient, request_of, running_hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    async with running_hub(tmp_path) as running:
        yield running


async def assert_error(response: ClientResponse, status: int, code: str) -> str:
    """The one shape of an error on the wire; returns its detail."""
    body = await response.json()
    assert (response.status, body["error"]["code"]) == (status, code)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "detail"}
    assert response.headers["Cache-Control"] == "no-store"
    detail: str = body["error"]["detail"]
    return detail


def charts(database: HubDatabase) -> set[str]:
    return {document["chart_number"] for document in database.tables.patients.documents()}


# ---- push and pull


async def test_what_one_device_records_another_pulls(hub: RunningHub) -> None:
    first, second = await make_device(), await make_device()
    change = await register_patient(first)

    answer = await hub.sync(first)
    assert [accepted.change_id for accepted in answer.accepted] == [change.change_id]
    assert not first.unsent

    await hub.sync(second)
    assert [d["chart_number"] for d in second.tables.patients.documents()] == ["057164"]


async def test_a_device_gets_no_echo_of_its_own_changes(hub: RunningHub) -> None:
    device = await make_device()
    await register_patient(device)

    assert (await hub.sync(device)).changes == []
    assert (await hub.sync(device)).changes == []
    assert device.cursor == 1


async def test_a_request_sent_twice_is_kept_once_under_one_number(hub: RunningHub) -> None:
    device = await make_device()
    await register_patient(device)
    body = request_of(device).model_dump_json().encode()

    first = SyncAnswer.model_validate_json(await (await hub.post("/api/sync", body)).read())
    second = SyncAnswer.model_validate_json(await (await hub.post("/api/sync", body)).read())

    assert first.accepted == second.accepted
    assert hub.database.head == 1


async def test_more_than_one_answer_holds_is_pulled_in_several(hub: RunningHub) -> None:
    giver, taker = await make_device(), await make_device()
    count = MAX_PULL_CHANGES + 5
    one = await register_patient(giver)
    copies = [
        one.model_copy(update={"change_id": f"{n:032x}", "record_id": f"{n:032x}", "device_seq": n})
        for n in range(1, count + 1)
    ]
    await hub.database.accept(copies)

    answer = await hub.sync(taker)
    assert (answer.upto, answer.head) == (MAX_PULL_CHANGES, count)
    answer = await hub.sync(taker)
    assert answer.upto == answer.head == count
    assert len(taker.tables.patients) == count


async def test_a_gzipped_body_is_accepted(hub: RunningHub) -> None:
    device = await make_device()
    await register_patient(device)
    body = gzip.compress(request_of(device).model_dump_json().encode())

    response = await hub.post("/api/sync", body, Content_Encoding="gzip")

    assert response.status == 200
    assert hub.database.head == 1


@pytest.mark.parametrize(("accepted", "sent"), [("gzip", "gzip"), ("identity", None)])
async def test_a_long_answer_is_gzipped_for_whom_accepts_it(hub: RunningHub, accepted: str, sent: str | None) -> None:
    giver, taker = await make_device(), await make_device()
    for number in range(30):
        await register_patient(giver, str(number))
    await hub.sync(giver)

    body = request_of(taker).model_dump_json().encode()
    response = await hub.post("/api/sync", body, Accept_Encoding=accepted)

    assert response.headers.get("Content-Encoding") == sent
    assert response.headers["Vary"] == "Accept-Encoding"
    assert len(SyncAnswer.model_validate_json(await response.read()).changes) == 30


async def test_a_full_disk_is_told_and_nothing_is_acknowledged(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_space(self: FileStorage, data: bytes, *, durable: bool = True) -> None:
        raise StorageFull("No space left on device")

    device = await make_device()
    await register_patient(device)
    monkeypatch.setattr(FileStorage, "append", no_space)
    await assert_error(await hub.post("/api/sync", request_of(device).model_dump_json().encode()), 507, "storage_full")
    assert len(device.unsent) == 1

    monkeypatch.undo()
    await hub.sync(device)
    assert hub.database.head == 1


# ---- a real process


async def start_process(
    data_dir: Path, *arguments: str, more: dict[str, str] | None = None
) -> tuple[asyncio.subprocess.Process, str]:
    """`app.run` in a process of its own on a free port; returns it with its address."""
    code = "import sys; from sync import app; sys.exit(app.run(None, port=int(sys.argv[1]), open_browser=False))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")}
    environment |= {"DESK_DATA_DIR": str(data_dir), "DESK_BUNDLE_DIR": str(data_dir / "bundle"), "PYTHONUTF8": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        *(arguments or ("0",)),
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)} | (more or {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = (await process.stdout.readline()).decode()
    return process, ready.split()[-1] if "http" in ready else ""


async def test_a_change_is_there_after_the_hub_is_killed_right_after_its_answer(tmp_path: Path) -> None:
    device = await make_device()
    for round_number in range(3):
        process, url = await start_process(tmp_path)
        await register_patient(device, f"{round_number}")
        body = request_of(device).model_dump_json().encode()
        async with ClientSession() as session:
            response = await session.post(f"{url}api/sync", data=body, headers={"Content-Type": "application/json"})
            answer = SyncAnswer.model_validate_json(await response.read())
            process.kill()
        await process.wait()
        await device.receive(answer)

    database = await HubDatabase.open(FileFolder(tmp_path), WORLD)
    assert charts(database) == {"0", "1", "2"}
    assert database.head == 3
    await database.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that another process may send politely")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_hub_told_to_stop_ends_open_streams_and_leaves_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    process, url = await start_process(tmp_path)
    async with ClientSession() as session, session.get(f"{url}api/events") as stream:
        assert (await stream.content.readline()).startswith(b"data: ")
        process.send_signal(number)
        rest = await asyncio.wait_for(stream.content.read(), 5)
        assert rest.strip(b":\n") == b""
    assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_a_second_hub_on_the_same_data_is_refused_in_one_sentence(tmp_path: Path) -> None:
    first, _ = await start_process(tmp_path)
    second, url = await start_process(tmp_path)
    assert second.stderr is not None
    words = (await second.stderr.read()).decode()

    assert (await second.wait(), url) == (4, "")
    assert "Another hub is using the data" in words
    assert "Traceback" not in words
    first.kill()
    await first.wait()


async def test_a_taken_port_is_told_with_its_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process, url = await start_process(tmp_path, port)
    assert process.stderr is not None
    words = (await process.stderr.read()).decode()

    assert (await process.wait(), url) == (3, "")
    assert port in words
    assert "--port" in words
    assert "Traceback" not in words


async def test_a_file_that_is_no_journal_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "hub.journal").write_bytes(b"somebody's letter, not a journal")
    process, _ = await start_process(tmp_path)
    assert process.stderr is not None
    words = (await process.stderr.read()).decode()

    assert await process.wait() == 4
    assert "not a data file of this program" in words
    assert (tmp_path / "hub.journal").read_bytes() == b"somebody's letter, not a journal"


# ---- health and the line to CDC


class FakeLine:
    """A line to CDC that only remembers what it was asked."""

    def __init__(self) -> None:
        self.wakes = 0
        self.state = CdcLinkState.CONNECTED

    async def run(self) -> None:
        await asyncio.Event().wait()

    def wake(self, asked_by: str) -> None:
        self.wakes += 1

    def status(self) -> tuple[CdcLinkState, None, str]:
        return self.state, None, ""

    def again_at(self) -> datetime | None:
        return None if self.wakes else datetime(2026, 11, 23, tzinfo=UTC)

    def on_status(self, callback: object) -> None:
        self.callback = callback


async def test_health_counts_and_names_nobody(hub: RunningHub) -> None:
    device = await make_device()
    await register_patient(device)
    await hub.sync(device)

    text = await (await hub.get("/api/health")).text()
    body = json.loads(text)
    assert (body["ok"], body["head"], body["recovery_dropped"]) == (True, 1, 0)
    assert body["journal_bytes"] == hub.database.size_bytes
    assert body["cdc"]["state"] == "not_configured"
    assert body["queue"]["not_sent"] == 0
    for clinical in ("測試患者", "B222419838", "057164", "1985"):
        assert clinical not in text


async def test_staff_wake_the_line_to_cdc(tmp_path: Path) -> None:
    line = FakeLine()
    async with running_hub(tmp_path, worker=line) as hub:
        assert hub.hub.status().cdc_again_at is not None

        answer = await hub.post("/api/cdc/wake")

        assert (answer.status, line.wakes) == (202, 1)
        told = HubStatus.model_validate_json(await answer.read())
        assert (told.cdc, told.cdc_again_at) == (CdcLinkState.CONNECTED, None)


async def test_waking_cdc_without_cdc_settings_says_so(hub: RunningHub) -> None:
    await assert_error(await hub.post("/api/cdc/wake"), 409, "cdc_not_configured")


# ---- what is refused


async def test_another_protocol_version_is_refused_before_its_body_is_read(hub: RunningHub) -> None:
    response = await hub.post("/api/sync", b'{"protocol": 2, "shape": "nobody knows"}')
    assert await assert_error(response, 409, "protocol_mismatch") == "hub 1, device 2"


async def test_a_hub_that_knows_less_than_it_once_told_a_device_says_so_and_takes_nothing(hub: RunningHub) -> None:
    device = await make_device()
    await register_patient(device)
    response = await hub.post("/api/sync", request_of(device, after=7).model_dump_json().encode())
    assert await assert_error(response, 409, "hub_behind_device") == "device read 7, hub has 0"
    assert hub.database.head == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"protocol": 1}', b"\xff\xfe", b'{"a":' * 5000, b'{"device_id": "x"}'],
    ids=["empty", "cut", "list", "null", "fields missing", "not UTF-8", "deep", "bad id"],
)
async def test_a_body_that_is_no_request_is_refused(hub: RunningHub, body: bytes) -> None:
    await assert_error(await hub.post("/api/sync", body), 400, "invalid_body")
    assert hub.database.head == 0


async def test_a_refusal_does_not_repeat_what_was_sent(hub: RunningHub) -> None:
    device = await make_device()
    await register_patient(device)
    body = request_of(device).model_dump(mode="json")
    body["changes"][0]["made_at"] = "測試患者 B222419838"
    detail = await assert_error(await hub.post("/api/sync", json.dumps(body).encode()), 400, "invalid_body")
    assert "made_at" in detail
    assert "B222419838" not in detail


async def test_a_device_may_not_say_what_cdc_said(hub: RunningHub) -> None:
    device = await make_device()
    change = await register_patient(device)
    forged = Change(**{**change.model_dump(), "kind": ChangeKind.VERIFICATION_RECEIVED, "payload": {"results": []}})
    body = request_of(device, changes=[forged]).model_dump_json().encode()
    await assert_error(await hub.post("/api/sync", body), 400, "invalid_body")
    assert hub.database.head == 0


async def test_a_body_above_the_limit_is_refused(hub: RunningHub) -> None:
    response = await hub.post("/api/sync", b" " * (MAX_BODY_BYTES + 1))
    await assert_error(response, 413, "body_too_large")


async def test_a_decompression_bomb_is_refused_before_it_fills_memory(hub: RunningHub) -> None:
    # 4 GB of zeros in about 4 MB: after a full flush a block stands for itself and can be repeated.
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(16 * 1024 * 1024)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = head + block * 256
    assert len(bomb) < MAX_BODY_BYTES
    before = _peak_megabytes()

    await assert_error(await hub.post("/api/sync", bomb, Content_Encoding="gzip"), 413, "body_too_large")

    assert _peak_megabytes() - before < 100
    assert (await hub.get("/api/health")).status == 200


def _peak_megabytes() -> float:
    if sys.platform == "win32":
        pytest.skip("no peak memory without another package on Windows")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def test_a_body_that_is_not_the_gzip_it_claims_is_refused(hub: RunningHub) -> None:
    response = await hub.post("/api/sync", b"not gzip at all", Content_Encoding="gzip")
    await assert_error(response, 400, "invalid_body")


async def test_an_unknown_encoding_is_refused(hub: RunningHub) -> None:
    response = await hub.post("/api/sync", b"{}", Content_Encoding="br")
    await assert_error(response, 415, "encoding_not_supported")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "evil.example@127.0.0.1", "[::1", "192.168.1.5"]
)
async def test_a_host_name_that_is_not_ours_is_refused(hub: RunningHub, host: str) -> None:
    await assert_error(await hub.get("/api/health", Host=host), 421, "host_not_allowed")
    await assert_error(await hub.get("/", Host=host, Accept="text/html"), 421, "host_not_allowed")


async def test_a_host_name_from_the_settings_is_ours(tmp_path: Path) -> None:
    async with running_hub(tmp_path, allowed_hosts=("desk.clinic.lan",)) as hub:
        assert (await hub.get("/api/health", Host="Desk.Clinic.lan:443")).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
    ],
    ids=lambda headers: " ".join(headers.values()),
)
async def test_a_post_from_another_site_is_refused(hub: RunningHub, headers: dict[str, str]) -> None:
    await assert_error(await hub.post("/api/cdc/wake", b"{}", **headers), 403, "other_site")


async def test_a_post_from_our_own_page_is_let_in(hub: RunningHub) -> None:
    device = await make_device()
    body = request_of(device).model_dump_json().encode()
    response = await hub.post("/api/sync", body, Origin=f"http://{hub.host}", Sec_Fetch_Site="same-origin")
    assert response.status == 200


async def test_another_site_may_not_even_open_the_stream(hub: RunningHub) -> None:
    await assert_error(await hub.get("/api/events", Sec_Fetch_Site="cross-site"), 403, "other_site")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_post_that_a_form_could_make_is_refused(hub: RunningHub, content_type: str) -> None:
    await assert_error(await hub.post("/api/sync", b"{}", Content_Type=content_type), 415, "content_type_not_json")


async def test_unknown_paths_and_methods_have_the_same_error_shape(hub: RunningHub) -> None:
    await assert_error(await hub.get("/api/nothing"), 404, "not_found")
    await assert_error(await hub.get("/_nicegui/nothing.js"), 404, "not_found")
    await assert_error(await hub.post("/sw.js"), 405, "method_not_allowed")


async def test_every_answer_carries_the_security_headers(hub: RunningHub) -> None:
    for path in ("/api/health", "/api/nothing", "/"):
        headers = (await hub.get(path, Accept="text/html")).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert "frame-ancestors" in headers["Content-Security-Policy"], path
    assert (await hub.get("/api/health")).headers["Cache-Control"] == "no-store"


async def test_a_bug_is_answered_and_logged_without_what_it_was_about(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def stumble(self: HubDatabase, changes: object) -> None:
        raise KeyError(changes)

    monkeypatch.setattr(HubDatabase, "accept", stumble)
    device = await make_device()
    await register_patient(device)
    await assert_error(await hub.post("/api/sync", request_of(device).model_dump_json().encode()), 500, "bug")
    assert "KeyError" in caplog.text
    assert "測試患者" not in caplog.text
