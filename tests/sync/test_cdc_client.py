"""The HTTP client: against the fake CDC, and against a server that misbehaves below HTTP's good manners."""

import asyncio
import base64
import gzip
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from e2e.fake_cdc.signature import read_public_key
from store.hub_database import HubDatabase
from store.receipts import body_bytes
from store.storage import MemoryFolder
from store.uploads import CdcMessage
from sync.cdc_client import MAX_ANSWER_BYTES, CdcClient
from sync.registry import Accepted, Exchange, Registry, RegistryDown, RegistryUnreachable, find_sent_body, sent_exchange
from tests.contracts_registry import AT, BATCH, GOOD, REGISTRY_CONTRACT, RegistryStand, body_of
from tests.sync.cdc_stand import ORG_ID, Stand, certificate_folder, make_settings, make_world, running_cdc

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpStand:
    """The client and the fake CDC as the contract suite wants them."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.registry: Registry = CdcClient(make_settings(stand.base_url), make_world())

    def spoil(self, kind: str, scenario: str) -> None:
        self.stand.misfortune(kind, scenario)

    def go_down(self) -> None:
        self.stand.cdc.down = True


@pytest_asyncio.fixture
async def stand(tmp_path: Path) -> AsyncIterator[HttpStand]:
    async with running_cdc(tmp_path) as cdc:
        made = HttpStand(cdc)
        yield made
        await made.registry.close()


@pytest.mark.parametrize("check", REGISTRY_CONTRACT, ids=lambda check: check.__name__)
async def test_registry_contract(check: Callable[[RegistryStand], Awaitable[None]], stand: HttpStand) -> None:
    await check(stand)


class Rude:
    """A server that records what it is sent and answers as told."""

    def __init__(self) -> None:
        self.seen: list[tuple[web.Request, bytes]] = []
        self.answer: Answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request, await request.read()))
        return await self.answer(request)


@pytest_asyncio.fixture
async def rude() -> AsyncIterator[tuple[Rude, CdcClient]]:
    server = Rude()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/fhir/"
    client = CdcClient(make_settings(base_url, timeout_seconds=0.3), make_world())
    yield server, client
    await client.close()
    await runner.cleanup()


async def test_what_leaves_is_signed_byte_for_byte_and_named_as_the_contract_says(rude: tuple[Rude, CdcClient]) -> None:
    server, client = rude

    async def ok(_: web.Request) -> web.StreamResponse:
        return web.json_response({})

    server.answer = ok
    body = body_of(client, GOOD)
    await client.upload(BATCH, body)
    await client.confirm(BATCH)

    (upload, sent), (confirm, nothing) = server.seen
    assert (upload.method, upload.path, sent) == ("POST", "/fhir/Bundle", body)
    assert upload.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    assert base64.b64decode(upload.headers["Authorization"].removeprefix("Basic ")) == f"{ORG_ID}:KEY-1".encode()
    key = read_public_key(certificate_folder() / "practice.pem")
    key.verify(base64.b64decode(upload.headers["AUTH"]), sent, padding.PKCS1v15(), hashes.SHA256())
    assert (confirm.method, confirm.raw_path, nothing) == ("GET", f"/fhir/Bundle/{BATCH}/$confirm", b"")
    assert "AUTH" not in confirm.headers


async def test_a_redirect_is_not_followed(rude: tuple[Rude, CdcClient]) -> None:
    server, client = rude

    async def elsewhere(_: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect("/other")

    server.answer = elsewhere
    exchange = await client.upload(BATCH, b"{}")
    assert (exchange.status, len(server.seen)) == (307, 1)


async def test_an_answer_without_end_is_cut_off(rude: tuple[Rude, CdcClient]) -> None:
    server, client = rude

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    server.answer = endless
    exchange = await client.confirm(BATCH)
    assert exchange.failure in ("answer_too_large", "time_out")
    assert len(exchange.body) <= MAX_ANSWER_BYTES
    with pytest.raises(RegistryUnreachable):
        client.read_confirm(exchange, [])


async def test_silence_ends_with_a_time_out(rude: tuple[Rude, CdcClient]) -> None:
    server, client = rude

    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    server.answer = silent
    exchange = await client.upload(BATCH, b"{}")
    assert (exchange.status, exchange.failure) == (None, "time_out")


async def test_a_connection_cut_in_the_middle_of_an_answer_proves_nothing(rude: tuple[Rude, CdcClient]) -> None:
    server, client = rude
    whole = b'{"resourceType":"Bundle","type":"batch-response","entry":[]}'

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(whole) + 10)})
        await response.prepare(request)
        await response.write(whole)
        assert request.transport is not None
        request.transport.close()
        return response

    server.answer = cut
    exchange = await client.confirm(BATCH)
    assert exchange.failure.startswith("connection_lost")
    assert exchange.body == whole
    with pytest.raises(RegistryUnreachable):
        client.read_confirm(exchange, [])


async def test_the_kept_exchange_holds_the_answer_raw_and_no_secret(rude: tuple[Rude, CdcClient]) -> None:
    server, client = rude

    async def big5(_: web.Request) -> web.StreamResponse:
        headers = {"Set-Cookie": "session=1", "X-Odd": "ok"}
        return web.Response(status=500, body="系統".encode("cp950"), headers=headers)

    server.answer = big5
    data = (await client.upload(BATCH, b"{}")).as_data()
    assert base64.b64decode(data["answer"]["body_base64"]) == "系統".encode("cp950")
    assert data["answer"]["status"] == 500
    assert data["answer"]["headers"]["X-Odd"] == "ok"
    assert "Set-Cookie" not in data["answer"]["headers"]
    assert "KEY-1" not in repr(data)
    assert "authorization" not in repr(data).lower()


async def test_an_answer_packed_to_a_thousandth_is_cut_off_and_takes_no_memory(rude: tuple[Rude, CdcClient]) -> None:
    server, client = rude
    packed = gzip.compress(b"\x00" * 128 * 1024 * 1024, 1)

    async def bomb(_: web.Request) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    server.answer = bomb
    client._settings = replace(client._settings, timeout_seconds=20.0)
    tracemalloc.start()
    exchange = await client.confirm(BATCH)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert exchange.failure
    assert len(exchange.body) <= MAX_ANSWER_BYTES
    assert peak_bytes < 64 * 1024 * 1024


@pytest.mark.parametrize("byte", [b"\x00", b'"', b"\x7f", b"\xff", b"a"])
async def test_an_answer_as_large_as_may_be_is_kept_whatever_its_bytes(byte: bytes) -> None:
    exchange = Exchange("stock", "D-1", "GET", "/", b"", AT, AT, status=200, body=byte * MAX_ANSWER_BYTES)
    database = await HubDatabase.open(MemoryFolder(), make_world())
    await database.keep_exchange(exchange.as_data())
    [kept] = database.exchanges_of("D-1")
    assert body_bytes(kept["answer"]) == exchange.body
    await database.close()


async def test_a_closed_port_is_a_host_without_service() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = CdcClient(make_settings(f"http://127.0.0.1:{taken.getsockname()[1]}/fhir"), make_world())
        exchange = await client.upload(BATCH, b"{}")
    await client.close()
    assert exchange.failure == "no_service: ConnectionRefusedError"
    with pytest.raises(RegistryDown):
        client.read_upload(exchange)


async def test_a_host_without_an_address_is_not_reached() -> None:
    client = CdcClient(make_settings("http://cdc.invalid/fhir"), make_world())
    exchange = await client.upload(BATCH, b"{}")
    await client.close()
    assert exchange.failure.startswith("not_reached: ")
    with pytest.raises(RegistryUnreachable) as raised:
        client.read_upload(exchange)
    assert not isinstance(raised.value, RegistryDown)


async def test_a_key_file_that_cannot_be_read_sends_nothing(rude: tuple[Rude, CdcClient]) -> None:
    def missing() -> str:
        raise FileNotFoundError

    server, client = rude
    client._settings = replace(client._settings, read_key_id=missing)
    exchange = await client.upload(BATCH, b"{}")
    assert exchange.failure == "connection_lost: FileNotFoundError"
    assert server.seen == []


async def test_the_fake_refuses_a_signature_over_other_bytes(tmp_path: Path) -> None:
    """Partner of the contract: the fake's check of AUTH can fail."""

    class WrongSigner:
        def sign(self, body: bytes) -> str:
            return real.sign(body + b" ")

    async with running_cdc(tmp_path) as cdc:
        client = CdcClient(make_settings(cdc.base_url), make_world())
        body = body_of(client, GOOD)
        assert client.read_upload(await client.upload(BATCH, body)) == Accepted(
            CdcMessage(severity="information", code="I00000", text="作業完成")
        )
        real = client._signer
        client._signer = WrongSigner()  # type: ignore[assignment]
        assert (await client.upload(BATCH, body)).status == 401
        await client.close()


@pytest.mark.parametrize("body", [b'{"name":"\xe6\xb8\xac"}', b"\xff\xfe\x00"], ids=["text", "bytes"])
def test_the_sent_body_comes_back_byte_for_byte(body: bytes) -> None:
    kept = [sent_exchange("other", b"{}", AT), sent_exchange(BATCH, body, AT)]
    assert find_sent_body(kept, BATCH) == body
    with pytest.raises(LookupError):
        find_sent_body(kept[:1], BATCH)


async def test_a_question_whose_connection_breaks_is_asked_once(rude: tuple[Rude, CdcClient]) -> None:
    server, client = rude

    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.answer = hang_up
    exchange = await client.confirm(BATCH)
    assert exchange.failure.startswith("connection_lost: ")
    assert len(server.seen) == 1
