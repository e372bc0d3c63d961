"""The network's side of the hub under somebody who means it harm: too many, too slow, and what is no HTTP at all."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession

from sync import doors, messages
from sync.doors import Limits
from sync.rate_gate import REQUESTS_AT_ONCE
from tests.sync.running_hub import RunningHub, running_hub
from tests.sync.test_lan import clinic
from tests.sync.test_routes import assert_error
from tests.sync.test_static import OLD, write_bundle

FEW = Limits(most_of_address=3, connects_at_once=1000)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    async with running_hub(tmp_path) as running:
        yield running


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 -- what is waited for is inside the event loop's own transports
            await asyncio.sleep(0.01)


class Connection:
    """Somebody on the network, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext | None = None) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context))

    async def ask(self, raw: bytes) -> bytes:
        """The beginning of the answer; empty where the connection was closed instead."""
        try:
            self.writer.write(raw)
            return await asyncio.wait_for(self.reader.read(65536), 20)
        except ConnectionError:
            return b""

    async def is_closed(self) -> bool:
        """Waits for it."""
        try:
            return await asyncio.wait_for(self.reader.read(1), 20) == b""
        except ConnectionError:
            return True


PAGE = b"GET / HTTP/1.1\r\nHost: desk\r\nAccept: text/html\r\n\r\n"


# ---- too many


async def test_an_address_holds_so_many_connections_and_a_closed_one_makes_room(tmp_path: Path) -> None:
    async with clinic(tmp_path, limits=FEW) as lan:
        held = [await Connection.open(lan.trust_port) for _ in range(3)]
        for each in held:
            assert (await each.ask(PAGE)).startswith(b"HTTP/1.1 200")
        assert await (await Connection.open(lan.trust_port)).ask(PAGE) == b""

        held.pop().writer.close()
        await until(lambda: lan.lan._doors.admits("127.0.0.1"))
        assert (await (await Connection.open(lan.trust_port)).ask(PAGE)).startswith(b"HTTP/1.1 200")


async def test_connections_whose_tls_is_not_begun_take_places_too(tmp_path: Path) -> None:
    async with clinic(tmp_path, limits=FEW) as lan:
        context = await lan.trusting()
        held = [await Connection.open(lan.port) for _ in range(3)]
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await Connection.open(lan.port, context)
        held[0].writer.close()


async def test_the_clinic_pc_itself_is_served_while_the_network_has_taken_every_place(tmp_path: Path) -> None:
    async with clinic(tmp_path, limits=Limits(most=2)) as lan:
        held = [await Connection.open(lan.port) for _ in range(2)]
        assert await (await Connection.open(lan.trust_port)).ask(PAGE) == b""
        assert (await lan.hub.get("/api/health")).status == 200
        assert len(held) == 2


async def test_who_connects_again_and_again_is_turned_away(tmp_path: Path) -> None:
    async with clinic(tmp_path, limits=Limits(connects_per_second=0.001, connects_at_once=2)) as lan:
        answers = [await (await Connection.open(lan.trust_port)).ask(PAGE) for _ in range(3)]
        assert [bool(answer) for answer in answers] == [True, True, False]


async def test_an_address_that_asks_without_end_is_told_to_wait(tmp_path: Path) -> None:
    async with clinic(tmp_path) as lan, ClientSession() as session:
        context = await lan.trusting()
        for _ in range(REQUESTS_AT_ONCE * 2):
            answer = await session.get(f"{lan.app}/api/nothing", ssl=context)
            if answer.status != 404:
                break
            await answer.read()
        await assert_error(answer, 429, "too_many_requests")
        assert answer.headers["Retry-After"] == "1"
        # This computer needs no network to keep its hub busy, and must go on working.
        assert (await lan.hub.get("/api/health")).status == 200


# ---- too slow


async def test_a_handshake_that_is_not_finished_is_ended(tmp_path: Path) -> None:
    async with clinic(tmp_path, limits=Limits(handshake_seconds=0.2)) as lan:
        silent, babbling = await Connection.open(lan.port), await Connection.open(lan.port)
        babbling.writer.write(b"\x16\x03\x01\x02\x00\x01\x00")  # the beginning of a greeting
        assert await silent.is_closed()
        assert await babbling.is_closed()
        assert not lan.lan._doors._arriving


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "], ids=["silent", "slow"])
async def test_headers_that_do_not_come_are_not_waited_for(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(doors, "_KEEPALIVE_SECONDS", 0.2)
    connection = await Connection.open(hub.port)
    connection.writer.write(said)
    assert await connection.is_closed()


async def test_a_body_that_does_not_come_is_not_waited_for(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_BODY_SECONDS", 0.2)
    connection = await Connection.open(hub.port)
    answer = await connection.ask(POST + b"Content-Length: 99\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"body_too_slow" in answer
    assert await connection.is_closed()


async def test_who_does_not_read_its_answer_loses_its_connection(tmp_path: Path) -> None:
    async with clinic(tmp_path) as lan:
        write_bundle(tmp_path / "bundle", OLD, {"large.bin": b"." * 30_000_000})
        connection = await Connection.open(lan.port, await lan.trusting())
        connection.writer.transport.pause_reading()
        connection.writer.write(f"GET /bundle/{OLD}/large.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        doors_of_lan = lan.lan._doors
        await until(lambda: any(each.is_open and each.waiting_bytes() > 1_000_000 for each in doors_of_lan._inside))
        [inside] = [each for each in doors_of_lan._inside if each.is_open and each.waiting_bytes()]

        for _ in range(doors_of_lan.limits.unread_looks):
            doors_of_lan.look()
        assert inside.is_open, "it may be slow for so long"
        doors_of_lan.look()
        await until(lambda: not inside.is_open)


# ---- no HTTP


SECRET = b"A123456789"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /api/sync HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
MALFORMED = {
    "no header": GET + b"Cookie " + SECRET + b"\r\n\r\n",
    "long address": b"GET /" + SECRET + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "long header": GET + b"X: " + SECRET + b"a" * 9000 + b"\r\n\r\n",
    "many headers": GET + b"X: " + SECRET + b"\r\n" + b"Y: 1\r\n" * 300 + b"\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + SECRET,
    "length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + SECRET,
    "chunks of another kind": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + SECRET,
    "folded header": GET + b"X: a\r\n " + SECRET + b"\r\n\r\n",
    "no size of a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n" + SECRET + b"z\r\n",
    "TLS": b"\x16\x03\x01\x02\x00" + SECRET + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SECRET,
    "expects": GET + b"Expect: " + SECRET + b"\r\n\r\n",
    "another host's address": b"GET http://evil/" + SECRET + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "proxy": b"CONNECT " + SECRET + b":443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
}
HEADERS = (b"X-Content-Type-Options: nosniff", b"Cache-Control: no-store", b"Content-Security-Policy: default-src")


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_no_request_is_refused_and_none_of_its_words_are_repeated_or_logged(
    hub: RunningHub, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await (await Connection.open(hub.port)).ask(MALFORMED[name])

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1][:1] == b"4", head
    assert body.startswith(b'{"error": {"code": "')
    assert body.endswith(b"}}")
    assert SECRET not in answer
    assert b"aiohttp" not in head
    for header in HEADERS:
        assert header in head
    assert SECRET.decode() not in caplog.text


async def test_the_page_without_tls_repeats_nothing_either(tmp_path: Path) -> None:
    async with clinic(tmp_path) as lan:
        for raw in MALFORMED.values():
            answer = await (await Connection.open(lan.trust_port)).ask(raw)
            assert SECRET not in answer
            assert b"aiohttp" not in answer


async def test_a_second_request_hidden_in_a_body_is_not_answered(hub: RunningHub) -> None:
    hidden = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection = await Connection.open(hub.port)
    await connection.ask(POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + hidden)
    assert await connection.is_closed()
