"""The registry over HTTP: the only code that sends anything out of the clinic.

Invariants:
- one call is one request: nothing is retried, redirected or sent to another host here;
- whatever happens on the way comes back as an Exchange, with all that had arrived until then.

Source: CDC contract, section 1.
"""

import base64
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from yarl import URL

from store.changes import World
from store.history import Identity
from sync import cdc_answers, cdc_format
from sync.cdc_exams import EXAMS_PATH
from sync.registry import (
    NOT_REACHED,
    CdcSettings,
    ConfirmAnswer,
    Exchange,
    ExchangeKind,
    HistoryTold,
    RefusedWhole,
    UploadAnswer,
    UploadItem,
    without_secrets,
)
from sync.signing import Signer

MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_CONNECT_SECONDS = 10.0
_CHUNK_BYTES = 64 * 1024


class CdcClient:
    """CDC's registry for one institution."""

    def __init__(self, settings: CdcSettings, world: World) -> None:
        """Raises: CertificateUnusable."""
        self._settings = settings
        self._world = world
        self._signer = Signer(settings.p12_path, settings.p12_password, world.now())
        self._base_url = settings.base_url.rstrip("/")
        self._session: ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def make_upload(self, upload_batch_id: str, items: Sequence[UploadItem], at: datetime) -> bytes:
        return cdc_format.make_upload(self._settings.org_id, upload_batch_id, items, at)

    def read_upload(self, exchange: Exchange) -> UploadAnswer:
        return cdc_answers.read_upload(exchange)

    def read_confirm(self, exchange: Exchange, record_ids: Collection[str]) -> ConfirmAnswer:
        return cdc_answers.read_confirm(exchange, record_ids)

    def read_history(self, exchange: Exchange, identity: Identity) -> HistoryTold | RefusedWhole:
        return cdc_answers.read_history(exchange, identity)

    async def ask_history(self, record_id: str, identity: Identity) -> Exchange:
        return await self._exchange("history", "", "GET", cdc_format.history_path(identity), b"", record_id)

    async def upload(self, upload_batch_id: str, body: bytes) -> Exchange:
        return await self._exchange("upload", upload_batch_id, "POST", "/Bundle", body)

    async def confirm(self, upload_batch_id: str) -> Exchange:
        return await self._exchange("confirm", upload_batch_id, "GET", f"/Bundle/{upload_batch_id}/$confirm", b"")

    async def stock(self, download_id: str, query: str) -> Exchange:
        """One page of the institution's stock. Source: section 4."""
        return await self._exchange("stock", download_id, "GET", f"/SupplyDelivery?{query}", b"")

    async def consume(self, upload_batch_id: str, body: bytes) -> Exchange:
        """Tell what was used of the stock, once. Source: section 4."""
        return await self._exchange("consumption", upload_batch_id, "POST", "/Bundle", body)

    async def report_exams(self, upload_batch_id: str, body: bytes) -> Exchange:
        """Report results of exams, once. Source: section 6."""
        return await self._exchange("exams", upload_batch_id, "POST", EXAMS_PATH, body)

    async def _exchange(
        self,
        kind: ExchangeKind,
        upload_batch_id: str,
        method: str,
        path: str,
        body: bytes,
        record_id: str = "",
    ) -> Exchange:
        started_at = self._world.now()
        answer = _Answer()
        headers: dict[str, str] = {}
        try:
            headers = self._headers(body)
            await self._request(method, path, headers, body, answer)
        except ConnectionTimeoutError as error:
            answer.failure = f"{NOT_REACHED}: {type(error).__name__}"
        except TimeoutError:
            answer.failure = "time_out"
        except ClientConnectorError as error:
            # Who refuses a connection, or whose certificate is wrong, was reached.
            reached = isinstance(error, ClientSSLError) or isinstance(error.os_error, ConnectionRefusedError)
            answer.failure = f"{'no_service' if reached else NOT_REACHED}: {type(error.os_error).__name__}"
        except _Lost as lost:
            answer.failure = f"connection_lost: {type(lost.__cause__).__name__}"
        except (ClientError, OSError) as error:
            # The name only: the text may quote what was sent.
            answer.failure = f"connection_lost: {type(error).__name__}"
        return Exchange(
            kind=kind,
            upload_batch_id=upload_batch_id,
            method=method,
            path=path,
            request_body=body,
            started_at=started_at,
            ended_at=self._world.now(),
            status=answer.status,
            headers=answer.headers,
            body=bytes(answer.body),
            failure=answer.failure,
            record_id=record_id,
            request_headers=without_secrets(headers),
        )

    def _headers(self, body: bytes) -> dict[str, str]:
        """Raises: OSError where the key cannot be read."""
        pair = f"{self._settings.org_id}:{self._settings.read_key_id()}".encode()
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}",
            "Accept": "application/fhir+json",
        }
        if body:
            headers |= {"Content-Type": cdc_format.CONTENT_TYPE, "AUTH": self._signer.sign(body)}
        return headers

    async def _request(self, method: str, path: str, headers: dict[str, str], body: bytes, answer: "_Answer") -> None:
        if self._session is None:
            # A new connection each time: on a kept one aiohttp may send a request twice without saying so, and a
            # connection idle for minutes through a VPN is often dead.
            # Two: a question about a person must not stand in an upload's way, nor wait behind one.
            connector = TCPConnector(force_close=True, limit=2)
            self._session = ClientSession(
                connector=connector, cookie_jar=DummyCookieJar(), trust_env=False, middlewares=(_only_once,)
            )
        seconds = self._settings.timeout_seconds
        timeout = ClientTimeout(total=seconds, sock_connect=min(seconds, MAX_CONNECT_SECONDS))
        async with self._session.request(
            method,
            URL(self._base_url + path, encoded=True),  # `$confirm` as CDC writes it
            data=body or None,
            headers=headers,
            skip_auto_headers=("User-Agent",),
            allow_redirects=False,
            timeout=timeout,
        ) as response:
            answer.status, answer.headers = response.status, _storable(response.headers)
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                answer.body += chunk
                if len(answer.body) > MAX_ANSWER_BYTES:
                    del answer.body[_CHUNK_BYTES:]
                    answer.failure = "answer_too_large"
                    response.close()
                    return


class _Lost(ClientError):
    """The connection broke before an answer came."""


async def _only_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """aiohttp asks a GET again by itself where the connection breaks, unless it meets an error it does not know."""
    try:
        return await handler(request)
    except ClientConnectorError:
        raise
    except (ClientOSError, ServerDisconnectedError) as error:
        raise _Lost from error


class _Answer:
    """What has arrived so far."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.failure = ""


def _storable(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without secrets, in text that UTF-8 can hold."""
    return {
        name: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for name, value in without_secrets(headers).items()
    }
