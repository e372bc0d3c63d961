"""Notices to open screens: at once, to all, whatever one of them does."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientResponse

from store.protocol import CdcLinkState, Notice
from tests.sync.running_hub import RunningHub, make_device, register_patient, running_hub

AT_ONCE_SECONDS = 1.0


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    async with running_hub(tmp_path) as running:
        yield running


async def next_notice(stream: ClientResponse) -> Notice:
    """The next notice on a stream; heartbeats are passed over."""
    async with asyncio.timeout(AT_ONCE_SECONDS):
        while True:
            line = (await stream.content.readline()).decode()
            if line.startswith("data: "):
                return Notice.model_validate_json(line.removeprefix("data: "))
            assert line.strip() in ("", ":"), line


async def test_a_new_stream_says_at_once_where_the_hub_stands(hub: RunningHub) -> None:
    stream = await hub.get("/api/events")
    assert stream.headers["Content-Type"] == "text/event-stream"
    assert "no-store" in stream.headers["Cache-Control"]

    notice = await next_notice(stream)
    assert (notice.head, notice.status.cdc) == (0, CdcLinkState.NOT_CONFIGURED)
    stream.close()


async def test_two_devices_see_each_others_change_within_a_second(hub: RunningHub) -> None:
    first, second = await make_device(), await make_device()
    streams = [await hub.get("/api/events"), await hub.get("/api/events")]
    for stream in streams:
        await next_notice(stream)

    for device, other, chart_number in ((first, second, "057164"), (second, first, "057165")):
        await register_patient(device, chart_number)
        await hub.sync(device)
        for stream in streams:
            assert (await next_notice(stream)).head == hub.database.head
        await hub.sync(other)
        assert other.tables.patients.find_by("chart_number", chart_number)
    for stream in streams:
        stream.close()


async def test_a_notice_names_nobody(hub: RunningHub) -> None:
    stream = await hub.get("/api/events")
    await next_notice(stream)
    device = await make_device()
    await register_patient(device)
    await hub.sync(device)

    notice = await next_notice(stream)
    assert set(notice.model_dump()) == {"head", "status"}
    assert "057164" not in notice.model_dump_json()
    stream.close()


async def test_a_change_of_the_line_to_cdc_is_told(hub: RunningHub) -> None:
    stream = await hub.get("/api/events")
    await next_notice(stream)

    hub.hub.cdc_failed = "certificate_expired"
    hub.hub.live.tell()

    notice = await next_notice(stream)
    assert (notice.status.cdc, notice.status.cdc_detail) == (CdcLinkState.FAILING, "certificate_expired")
    stream.close()


async def test_a_quiet_stream_is_kept_alive(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        hub.hub.live._heartbeat_seconds = 0.02
        stream = await hub.get("/api/events")
        await next_notice(stream)
        async with asyncio.timeout(AT_ONCE_SECONDS):
            lines = [await stream.content.readline() for _ in range(5)]
        assert lines == [b"\n", b":\n", b"\n", b":\n", b"\n"]
        stream.close()


async def test_a_screen_that_does_not_read_holds_up_nobody(hub: RunningHub) -> None:
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", hub.port))
    deaf.sendall(f"GET /api/events HTTP/1.1\r\nHost: {hub.host}\r\n\r\n".encode())
    hearing = await hub.get("/api/events")
    await next_notice(hearing)

    count = 600
    for number in range(count):
        hub.hub.cdc_failed = f"{number} " + "x" * 20_000
        hub.hub.live.tell()
        assert (await next_notice(hearing)).status.cdc_detail == hub.hub.cdc_failed

    # It was really held up: of all that, it was told only what fitted on the way, and then the latest.
    reader, writer = await asyncio.open_connection(sock=deaf)
    received = b""
    async with asyncio.timeout(10):
        while f'"{count - 1} x'.encode() not in received:
            received += await reader.read(1_000_000)
    assert received.count(b"data: ") < count
    writer.transport.abort()
    hearing.close()


async def test_a_screen_that_left_is_forgotten(hub: RunningHub) -> None:
    stream = await hub.get("/api/events")
    await next_notice(stream)
    assert hub.hub.live.stream_count == 1

    stream.close()
    async with asyncio.timeout(AT_ONCE_SECONDS):
        while hub.hub.live.stream_count:
            hub.hub.live.tell()
            hub.hub.cdc_failed += "x"
            await asyncio.sleep(0)
