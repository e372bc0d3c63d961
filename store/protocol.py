"""Messages between a device and the hub. Both sides import this module; neither imports the other.

One round trip: the device sends its changes and how far it has read; the answer says which the hub now holds on disk
and brings what the device has not seen. Everything may be sent twice without harm.
"""

from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from store.changes import Change, Id
from store.scope import Scope
from store.uploads import CdcMessage

PROTOCOL_VERSION = 1
MAX_PUSH_CHANGES = 1000
# A browser applies an answer in one go, and its screen waits meanwhile: 250 changes are some 30 ms there.
MAX_PULL_CHANGES = 250
MAX_BODY_BYTES = 8 * 1024 * 1024
# A device that lacks more than so many changes is given a snapshot: it takes them in at some 8,000 a second.
FAR_BEHIND_CHANGES = 5000
# A scoped device's share of what is new may be small: so many changes are looked at for one answer, some 30 ms.
SCOPED_PULL_CHANGES = 500
MAX_PEOPLE = 100
MAX_FOUND = 50
MAX_TYPED = 100
MAX_RECEIPTS = 50
# Of one body in a receipt: CDC's largest answer that is read, and more than 500 doses.
MAX_RECEIPT_BYTES = 4 * 1024 * 1024
STAFF = "staff"  # who asked, as long as staff do not sign in


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class NumberedChange(_Message):
    """A change with the hub's sequence number. Units: `hub_seq` counts from 1 without gaps."""

    hub_seq: int
    change: Change


class AcceptedChange(_Message):
    """The hub holds this change on disk under this number."""

    change_id: Id
    hub_seq: int


class CdcLinkState(StrEnum):
    """How the hub's line to CDC stood when it was last used."""

    UNKNOWN = "unknown"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    REFUSED_KEY = "refused_key"
    FAILING = "failing"
    NOT_CONFIGURED = "not_configured"


class HubStatus(_Message):
    """What every device shows of the hub in its bar.

    Shape: `cdc_again_at` is until when the line rests after a failure, None while it is being tried; an older hub
    never says it.
    """

    cdc: CdcLinkState = CdcLinkState.UNKNOWN
    cdc_since: AwareDatetime | None = None
    cdc_detail: str = ""
    cdc_again_at: AwareDatetime | None = None
    institution_code: str = ""
    practice: bool = False


class DeviceCount(_Message):
    """What the hub holds of one device. Units: `last_seq` is its highest number, `count` how many changes."""

    last_seq: int = 0
    count: int = 0


class SyncRequest(_Message):
    """Shape: `hub_generation` is that of the hub the device last spoke to, empty before the first time; with `own` the
    device wants its own changes too, which it has lost; `after_mark` is the `mark` that came with `after`;
    `want_ranges` asks for the digests of the ranges; with `scope` only changes in it are brought, and no digests, and
    a hub of before there were scopes brings all."""

    protocol: int = PROTOCOL_VERSION
    device_id: Id
    generation: Id
    after: int = Field(ge=0)
    changes: list[Change] = Field(max_length=MAX_PUSH_CHANGES)
    hub_generation: str = ""
    own: bool = False
    after_mark: str = ""
    want_ranges: bool = False
    scope: Scope | None = None


class SyncAnswer(_Message):
    """`upto` is how far this answer reaches; `head` how far the hub reaches. More to fetch while `upto < head`.

    Shape: `generation` changes whenever the hub's store is begun anew or put back; `device` is what it holds of the
    one who asks; `digest` is of all it holds of others, `ranges` by range (digests.py). An older hub says none of them.
    """

    protocol: int = PROTOCOL_VERSION
    accepted: list[AcceptedChange]
    changes: list[NumberedChange]
    upto: int
    head: int
    status: HubStatus
    generation: str = ""
    device: DeviceCount | None = None
    mark: str = ""
    digest: str = ""
    ranges: list[str] = []


class SnapshotRequest(_Message):
    """A device far behind asks for all tables at once. `after`: how far it has read.

    With `scope` it asks for the records in it; with `anew` it wants them however little it lacks.
    """

    protocol: int = PROTOCOL_VERSION
    after: int = Field(ge=0)
    scope: Scope | None = None
    anew: bool = False


class SnapshotOffer(_Message):
    """One run (store/run.py) with all that devices derive from changes, as it stood at `head`, to be fetched in pages.

    Shape: `sha256` is that of the whole, in hexadecimal digits, and its name; `page_crcs` are the CRC-32 of each page,
    all of `page_bytes` but the last; `counts` by table (`RecordTable.counts`); `devices` the number of the last change
    of each device in it; `digests` of all changes in it (`RangeDigests.state`), empty where it holds only the records
    in a scope, whose digest is `scope`.
    Units: bytes, uncompressed.
    """

    schema_version: int
    generation: Id
    head: int
    size_bytes: int
    page_bytes: int
    page_crcs: list[int]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    counts: dict[str, dict[str, Any]]
    devices: dict[str, int]
    digests: dict[str, list[str]] = {}
    scope: str = ""


class SnapshotAnswer(_Message):
    """`offer` is None where the usual exchange is enough, or while `making`: then ask again."""

    protocol: int = PROTOCOL_VERSION
    offer: SnapshotOffer | None = None
    making: bool = False


class StaffRequest(_Message):
    """Staff's tap that has the hub use its line to CDC. `asked_by` is a name; an older device says none."""

    protocol: int = PROTOCOL_VERSION
    asked_by: str = Field(default=STAFF, min_length=1, max_length=MAX_TYPED)


class PeopleRequest(_Message):
    """A device wants all that is known of some persons."""

    protocol: int = PROTOCOL_VERSION
    patient_ids: list[Id] = Field(max_length=MAX_PEOPLE)


class PeopleAnswer(_Message):
    """Their records as they stood at `head`. Shape: `records` are documents by table and record id."""

    protocol: int = PROTOCOL_VERSION
    schema_version: int
    generation: Id
    head: int
    records: dict[str, dict[str, dict[str, Any]]]


class SearchRequest(_Message):
    """What a nurse typed, to be searched among all persons of the hub."""

    protocol: int = PROTOCOL_VERSION
    typed: str = Field(max_length=MAX_TYPED)
    limit: int = Field(default=20, ge=1, le=MAX_FOUND)


class FoundPerson(_Message):
    """A row of a search. Shape: as in a document of the patients table; `merged` when staff made it another's chart."""

    record_id: Id
    chart_number: str
    name: str
    national_id: str | None = None
    phone: str = ""
    birth_date: str | None = None
    four_corner_code: str = ""
    address: str = ""
    merged: bool = False


class SearchAnswer(_Message):
    protocol: int = PROTOCOL_VERSION
    people: list[FoundPerson]


class HistoryOutcome(StrEnum):
    """What became of a question to CDC for a person's history. Only RECEIVED was kept, and comes with the sync."""

    RECEIVED = "received"
    REFUSED = "refused"  # CDC said no, with its words
    NOT_IDENTIFIED = "not_identified"  # CDC was not asked: see the problems
    UNKNOWN_PERSON = "unknown_person"  # the hub does not hold the person (yet)
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    KEY_REFUSED = "key_refused"
    UNREADABLE = "unreadable"
    STILL_ASKING = "still_asking"  # a late answer is kept all the same, and comes with the sync


class HistoryRequest(StaffRequest):
    """Staff want CDC to be asked now what a person was given anywhere."""

    record_id: Id


class ToldProblem(_Message):
    """A `Problem` on the wire, without facts."""

    field: str
    code: str


class HistoryAnswer(_Message):
    """Shape: `revision` is the change that holds the answer, where it was RECEIVED; `message` CDC's words where it was
    REFUSED; `detail` is for staff and names no person."""

    protocol: int = PROTOCOL_VERSION
    outcome: HistoryOutcome
    revision: str = ""
    message: CdcMessage | None = None
    problems: list[ToldProblem] = []
    detail: str = ""


class Notice(_Message):
    """Told live to every device: something is new. It carries no clinical content."""

    head: int
    status: HubStatus


class StockAnswer(_Message):
    """What came of a tap on 下載(CDC)庫存 or 上傳(CDC)庫存.

    Shape: `code` is downloaded, uploaded, nothing_to_upload, stock_empty, busy, or that of a RegistryError; `detail`
    are CDC's words, or the kind of failure. The data come with the next sync.
    """

    code: str
    detail: str = ""
    rows: int = 0
    new_lots: int = 0
    unreadable: int = 0
    accepted: int = 0
    refused: int = 0


class ExamsAnswer(_Message):
    """What came of a tap on 上傳 of exam reports.

    Shape: `code` is uploaded, nothing_to_upload, busy, or that of a RegistryError; `detail` are CDC's words, or the
    kind of failure. Which report CDC took comes with the next sync.
    """

    code: str
    detail: str = ""
    stored: int = 0
    refused: int = 0


class ReceiptKind(StrEnum):
    """What an exchange with CDC was about. SENT is what was about to leave, kept before it did."""

    UPLOAD = "upload"
    CONFIRM = "confirm"
    STOCK = "stock"
    CONSUMPTION = "consumption"
    HISTORY = "history"
    EXAMS = "exams"
    SENT = "sent"


class ReceiptsRequest(_Message):
    """Which receipts staff want to see, the newest first.

    Shape: without a `kind` all but SENT, unless a batch is asked for; `upload_batch_id`, `record_id` (of a dose, an
    exam or a person) and `chart_number` as a whole or empty; `first_day` and `last_day` in Taiwan, both included;
    `failed` None for all; `before` only what comes after that number, as an answer names it.
    """

    protocol: int = PROTOCOL_VERSION
    kind: ReceiptKind | None = None
    upload_batch_id: str = Field(default="", max_length=MAX_TYPED)
    record_id: Id | None = None
    chart_number: str = Field(default="", max_length=MAX_TYPED)
    first_day: date | None = None
    last_day: date | None = None
    failed: bool | None = None
    before: int | None = Field(default=None, ge=1)
    limit: int = Field(default=20, ge=1, le=MAX_RECEIPTS)


class ReceiptLine(_Message):
    """One exchange with CDC in a list.

    Shape: `kind` as in ReceiptKind, or of a newer hub; `records` is how many it was about, None where nobody counts;
    `status` is CDC's HTTP status, None where no answer came: then `failure` is the kind of failure; `message` are CDC's
    words as they came; `asked_by` is empty where the hub did it by itself; `dropped_at` is set where the bodies are
    past their time.
    """

    number: int
    kind: str
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    upload_batch_id: str = ""
    record_id: str = ""
    records: int | None = None
    status: int | None = None
    failed: bool = False
    failure: str = ""
    message: CdcMessage | None = None
    asked_by: str = ""
    dropped_at: AwareDatetime | None = None


class ReceiptsAnswer(_Message):
    """`before` is what to ask for next; None where there are no more."""

    protocol: int = PROTOCOL_VERSION
    receipts: list[ReceiptLine]
    before: int | None = None


class ReceiptRequest(_Message):
    """The whole of one receipt."""

    protocol: int = PROTOCOL_VERSION
    number: int = Field(ge=1)


class ReceiptBody(_Message):
    """What was sent or came back. Shape: `text`, or `base64` where it was not UTF-8; cut after MAX_RECEIPT_BYTES.

    Units: `size_bytes` of the whole.
    """

    text: str = ""
    base64: str = ""
    size_bytes: int = 0
    is_cut: bool = False


class ReceiptAnswer(_Message):
    """One exchange as it was, without secrets. `sha256` is that of the request's body, as it left."""

    protocol: int = PROTOCOL_VERSION
    line: ReceiptLine
    method: str = ""
    path: str = ""
    request_headers: dict[str, str] = {}
    request: ReceiptBody = ReceiptBody()
    sha256: str = ""
    answer_headers: dict[str, str] = {}
    answer: ReceiptBody = ReceiptBody()


class ErrorBody(_Message):
    code: str
    detail: str = ""


class ErrorAnswer(_Message):
    """The one shape of an error on the wire: {"error": {"code", "detail"}}."""

    error: ErrorBody
