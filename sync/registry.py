"""The contract between the upload loop and the vaccination registry of Taiwan CDC, and its errors.

    RegistryError            no answer that can be used; the fate of what was sent is unknown
      RegistryUnreachable    no connection: the VPN, or the network
        RegistryDown         CDC's host is there, and no answer comes: refused, time-out, or the connection broke
      RegistryBusy           CDC asks to come later (429, 503)
      KeyRefused             CDC does not know this institution or its key (401, 403); nobody retries by himself
      AnswerUnreadable       an answer that is not CDC's, or cannot be understood
    CertificateUnusable      (signing.py) the institution's certificate cannot sign

Sending and understanding are two calls, so that the raw exchange is on disk before anybody tries to understand it.
"""

import base64
import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from store.errors import AppError
from store.history import HistoryRow, Identity
from store.patients import Patient
from store.uploads import CdcMessage, RowResult, UploadRow
from store.vaccinations import Vaccination


@dataclass(frozen=True)
class CdcSettings:
    """What the CDC link must be told.

    Shape: `base_url` like "https://host/fhir"; `p12_path` holds the institution's certificate with its RSA key;
    `read_key_id` is asked before each request, so that a key CDC has rotated needs no restart.
    Units: seconds. `verify_after_seconds` and the two retry times at most an hour: upload_queue.LONGEST_WAIT.
    """

    base_url: str
    org_id: str
    read_key_id: Callable[[], str]
    p12_path: Path
    p12_password: bytes = field(repr=False)
    verify_after_seconds: float = 900.0
    gather_seconds: float = 3.0
    timeout_seconds: float = 60.0
    retry_base_seconds: float = 5.0
    retry_cap_seconds: float = 900.0
    batches_per_minute: int = 30
    max_rows: int = 500  # Source: CDC contract, section 2


@dataclass(frozen=True)
class UploadItem:
    """One row with what it is about. A voided record carries neither vaccination nor patient."""

    row: UploadRow
    vaccination: Vaccination | None
    patient: Patient | None


# They could open a session with CDC to whoever reads the receipts.
_SECRET_HEADERS = {
    "authorization", "auth", "cookie", "set-cookie", "proxy-authorization", "proxy-authenticate", "www-authenticate",
}  # fmt: skip
_CONTROL_SIGNS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
NOT_REACHED = "not_reached"  # how the failure of an exchange begins where there was no connection
ExchangeKind = Literal["upload", "confirm", "stock", "consumption", "history", "exams"]


@dataclass(frozen=True)
class Exchange:
    """One request to CDC and whatever came back, not understood yet.

    Shape: `path` follows the base URL. `status` is None where no answer came; then `failure` says why, and `body` holds
    what had come until then. `headers` are the answer's. `upload_batch_id` is empty where a person was asked
    about: then `record_id` says who.
    """

    kind: ExchangeKind
    upload_batch_id: str
    method: str
    path: str
    request_body: bytes
    started_at: datetime
    ended_at: datetime
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: str = ""
    record_id: str = ""
    request_headers: Mapping[str, str] = field(default_factory=dict)

    def as_data(self, asked_by: str = "") -> dict[str, Any]:
        """What the journal keeps. The body of an upload is already kept, with SENT, so only its hash is here.

        `asked_by`: whose tap it was, empty where the hub did it by itself.
        """
        headers = without_secrets(self.request_headers)
        request: dict[str, Any] = {"method": self.method, "path": self.path, "headers": headers}
        if self.request_body:
            request["body_sha256"] = sha256(self.request_body).hexdigest()
        answer = {"status": self.status, "headers": without_secrets(self.headers), **_body_as_data(self.body)}
        about = {"record_id": self.record_id} if self.record_id else {"upload_batch_id": self.upload_batch_id}
        return {
            "kind": self.kind,
            **about,
            "started_at": self.started_at.isoformat(),
            "ended_at": self.ended_at.isoformat(),
            "request": request,
            "answer": answer if self.status is not None or self.body else None,
            "failure": self.failure,
            **({"asked_by": asked_by} if asked_by else {}),
        }


def sent_exchange(
    upload_batch_id: str, body: bytes, at: datetime, path: str = "/Bundle", asked_by: str = ""
) -> dict[str, Any]:
    """What the journal keeps of an upload before it leaves: the very bytes, so that sending again sends the same."""
    return {
        "kind": "sent",
        "upload_batch_id": upload_batch_id,
        "started_at": at.isoformat(),
        "request": {"method": "POST", "path": path, **_body_as_data(body)},
        **({"asked_by": asked_by} if asked_by else {}),
    }


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """What of the headers may be kept and shown."""
    return {name: value for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}


def find_sent_body(exchanges: Iterable[Mapping[str, Any]], upload_batch_id: str) -> bytes:
    """The bytes that left under this identifier. Raises: LookupError where the journal no longer holds them."""
    for exchange in exchanges:
        if exchange.get("kind") == "sent" and exchange.get("upload_batch_id") == upload_batch_id:
            request = exchange["request"]
            text = request.get("body")
            return base64.b64decode(request["body_base64"]) if text is None else str(text).encode("utf-8")
    raise LookupError(f"no sent body of {upload_batch_id}")


def _body_as_data(body: bytes) -> dict[str, str]:
    """As text where it is one. Control signs are none: the journal would write each with six bytes."""
    with contextlib.suppress(UnicodeDecodeError):
        if not _CONTROL_SIGNS.search(body):
            return {"body": body.decode("utf-8")}
    return {"body_base64": base64.b64encode(body).decode("ascii")}


# ---- what CDC said, understood


@dataclass(frozen=True)
class Accepted:
    """The batch is queued at CDC; nothing more."""

    message: CdcMessage


@dataclass(frozen=True)
class RefusedWhole:
    """CDC took nothing of this body. `expressions` are the elements that all of its words name."""

    message: CdcMessage
    expressions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Processing:
    """CDC has the batch and no verdict yet. Units: seconds."""

    retry_after: float | None = None


@dataclass(frozen=True)
class NeverSeen:
    """CDC does not know the batch. `message` is None where the 404 carried no words of CDC."""

    message: CdcMessage | None = None


@dataclass(frozen=True)
class Verdicts:
    """CDC's verdict on rows of the batch; a row without one is still unverified."""

    results: tuple[RowResult, ...]


@dataclass(frozen=True)
class HistoryTold:
    """What CDC holds of one person; `has_more` where it said that these rows are not all."""

    rows: tuple[HistoryRow, ...]
    has_more: bool = False


UploadAnswer = Accepted | RefusedWhole
ConfirmAnswer = Processing | NeverSeen | Verdicts


class RegistryError(AppError):
    """No usable answer. `detail` is for staff and names no person; `retry_after` in seconds, where CDC said so."""

    code: ClassVar[str] = "registry_error"
    retryable: ClassVar[bool] = True

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail, self.retry_after = detail, retry_after


class RegistryUnreachable(RegistryError):
    """Nobody answered."""

    code = "registry_unreachable"


class RegistryDown(RegistryUnreachable):
    """The host is there, and gave no answer."""

    code = "registry_down"


class RegistryBusy(RegistryError):
    """CDC asks to come later."""

    code = "registry_busy"


class KeyRefused(RegistryError):
    """CDC refuses this institution's key, or this path to it."""

    code = "registry_key_refused"
    retryable = False


class AnswerUnreadable(RegistryError):
    """What came is not what CDC's interface says, so it proves nothing."""

    code = "registry_answer_unreadable"


class HistorySource(Protocol):
    """CDC as it is asked about one person."""

    async def ask_history(self, record_id: str, identity: Identity) -> Exchange:
        """Ask once. Whatever happens on the way is in the exchange, never raised."""
        ...

    def read_history(self, exchange: Exchange, identity: Identity) -> "HistoryTold | RefusedWhole":
        """Raises: RegistryError; then nothing is known of the person."""
        ...


class Registry(Protocol):
    """CDC as the upload loop sees it. Contract suite: tests/contracts_registry.py."""

    def make_upload(self, upload_batch_id: str, items: Sequence[UploadItem], at: datetime) -> bytes:
        """The exact bytes to send."""
        ...

    async def upload(self, upload_batch_id: str, body: bytes) -> Exchange:
        """Send once. Whatever happens on the way is in the exchange, never raised."""
        ...

    async def confirm(self, upload_batch_id: str) -> Exchange:
        """Ask once for the fate of a batch and of its rows."""
        ...

    def read_upload(self, exchange: Exchange) -> UploadAnswer:
        """Raises: RegistryError; then only `confirm` can tell what became of the batch."""
        ...

    def read_confirm(self, exchange: Exchange, record_ids: Collection[str]) -> ConfirmAnswer:
        """Raises: RegistryError. Verdicts on other records than these stay in the raw exchange."""
        ...

    async def close(self) -> None: ...
