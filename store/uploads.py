"""Where each revision of a vaccination stands with CDC, and what must go there next.

Invariants:
- accepted is not verified: only CDC's answer to `$confirm` for that very revision makes VERIFIED;
- a newer local revision is NOT_SENT again, whatever CDC said of the older one; so is a dose whose person CDC now
  knows by another identity than it was sent under, after a merge or a mended ID;
- while an older revision's fate is open, the newer one waits;
- a dose that left in a file (exports.py) waits until staff say that it goes by the interface after all.
- overdue is not unsent: what CDC has not judged within a day is shown as failed, is never sent again for that, and a
  late verdict counts;
- what CDC has locked is not sent again by itself: the clinic keeps what it says, CDC what it held.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from store.refusals import is_locking

MAX_PAST_UPLOADS = 20  # of one record


class UploadState(StrEnum):
    """The way of one revision to CDC."""

    NOT_NEEDED = "not_needed"  # voided before CDC ever had it
    NOT_SENT = "not_sent"
    SENT = "sent"  # fate unknown: the request left, no answer yet
    ACCEPTED = "accepted"  # CDC queued it; nothing more is known
    VERIFIED = "verified"
    REFUSED = "refused"
    EXPORTED = "exported"  # left in a file; only staff let it go by the interface
    LOCKED = "locked"  # refused, as CDC takes no change of this record any more (month settled, certificates issued)
    OVERDUE = "overdue"  # sent or accepted, and without a verdict for a day


class AfterExport(StrEnum):
    """What happened to a dose after it left in a file, so that the file and the record are no longer one."""

    UPLOADED = "uploaded"
    VOIDED = "voided"
    CORRECTED = "corrected"
    PERSON_CHANGED = "person_changed"  # CDC knows the person by another identity than the file


# The states in which a person has to do something.
FAILED_STATES = (UploadState.REFUSED, UploadState.OVERDUE, UploadState.LOCKED)
PARTS_OF_REFUSED = 20
ALONE_UP_TO = 25  # rows: 20 parts of the largest batch


class UploadMethod(StrEnum):
    """What CDC is asked to do with a record key. Source: CDC contract, section 2."""

    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"


class BatchState(StrEnum):
    """One upload batch, as the hub knows it."""

    SENT = "sent"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CLOSED = "closed"  # every row has CDC's verdict


class CdcMessage(BaseModel):
    """CDC's own words, kept as they came. `code` may be unknown to us; `expression` names the element at fault."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    severity: str = ""
    code: str = ""
    text: str = ""
    expression: str = ""


class RowResult(CdcMessage):
    """CDC's verdict on one row of a batch."""

    record_id: str
    verified: bool


class UploadRow(BaseModel):
    """One revision in one batch.

    Shape: `identity` is `patients.identity_digest` of whose dose it was then, empty from hubs that did not say it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    record_id: str
    revision: str
    method: UploadMethod
    identity: str = ""


class _Payload(BaseModel):
    """What a change of the upload carries. A newer hub may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class UploadSent(_Payload):
    rows: list[UploadRow]


class UploadAccepted(_Payload):
    """`due_at` is when CDC may be asked for its verdict; no `message` where asking showed that it has it."""

    due_at: AwareDatetime | None
    message: CdcMessage | None


class UploadRefused(_Payload):
    """Shape: `at_fault` are the records that CDC named, empty where it named none or from an older hub."""

    message: CdcMessage
    at_fault: list[str] = []


class VerificationReceived(_Payload):
    """Shape: with `forgotten` CDC has judged none of these: it knows the batch no more of which it judged others."""

    results: list[RowResult]
    forgotten: bool = False


def past_uploads(
    document: Mapping[str, Any], ended: Mapping[str, Any] | None, begun: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The field `past_uploads` of a record, of which the upload `ended` gives way to `begun`, or to none.

    Shape: the oldest first. What has begun is not past, so a range of changes that
    is applied once more leaves the list as it was.
    """
    past = {batch_of(one): one for one in (*document.get("past_uploads", ()), *([ended] if ended else ()))}
    if begun:
        past.pop(batch_of(begun), None)
    kept = sorted(past.values(), key=lambda one: (one["sent_at"], batch_of(one)))[-MAX_PAST_UPLOADS:]
    return {"past_uploads": kept}


def batch_of(upload: Mapping[str, Any]) -> str:
    """The identifier under which the upload of a dose or of an exam left; empty where there is none."""
    return str(upload.get("upload_batch_id") or upload.get("batch_id") or "")


def parts_of_refused(record_ids: Sequence[str], at_fault: Collection[str]) -> dict[str, int]:
    """The part in which each row of a batch that CDC refused whole goes again, by its number.

    Rows that CDC named go alone, and what is left of the batch together. Where it named none, the batch goes in
    `PARTS_OF_REFUSED` parts, and a part that is refused again row by row: so no row is sent more than three times,
    where halves would send those of 500 up to ten times.
    """
    named = [record_id for record_id in record_ids if record_id in at_fault]
    if named:
        parts = dict.fromkeys(record_ids, 0)
        return parts | {record_id: number for number, record_id in enumerate(named, start=1)}
    size = -(-len(record_ids) // PARTS_OF_REFUSED) if len(record_ids) > ALONE_UP_TO else 1
    return {record_id: position // size for position, record_id in enumerate(record_ids)}


def upload_state(vaccination: Mapping[str, Any]) -> UploadState:
    """State of the current revision. `vaccination` is a document of the vaccinations table.

    Locked and overdue are read out of the upload, whose own state says how far CDC has got with it.
    """
    upload = vaccination["upload"]
    if upload and upload["revision"] == vaccination["revision"] and not _has_moved(vaccination):
        state = UploadState(upload["state"])
        if state is UploadState.REFUSED and is_locking(upload["message"]):
            return UploadState.LOCKED
        if state in (UploadState.SENT, UploadState.ACCEPTED) and upload.get("overdue_at"):
            return UploadState.OVERDUE
        return state
    if vaccination.get("export"):
        return UploadState.EXPORTED
    if vaccination["voided"] and not (
        vaccination["cdc_has"] or is_in_flight(vaccination) or may_be_at_cdc(vaccination)
    ):
        return UploadState.NOT_NEEDED
    return UploadState.NOT_SENT


def _has_moved(vaccination: Mapping[str, Any]) -> bool:
    """True where CDC was told of another person than the dose's. A voided dose is nobody's: its DELETE names no one."""
    told, known = vaccination["upload"].get("identity"), vaccination.get("identity")
    return bool(told) and bool(known) and told != known and not vaccination["voided"]


def is_in_flight(vaccination: Mapping[str, Any]) -> bool:
    """True while CDC's verdict on any revision of the record is still out."""
    upload = vaccination["upload"]
    return bool(upload) and upload["state"] in (UploadState.SENT, UploadState.ACCEPTED)


def may_be_at_cdc(vaccination: Mapping[str, Any]) -> bool:
    """True where CDC forgot a batch with the record before it judged the record, and has verified nothing of it since.

    It may have stored it, so a void has to be told, and a file would bring it a second time.
    """
    uploads = (*vaccination.get("past_uploads", ()), vaccination["upload"] or {})
    last = [one for one in uploads if one.get("forgotten") or one.get("state") == UploadState.VERIFIED]
    return bool(last) and bool(last[-1].get("forgotten"))


def next_method(vaccination: Mapping[str, Any]) -> UploadMethod | None:
    """What to ask of CDC for the current revision; None when there is nothing to ask now.

    A record that two stations edited differently waits until a person has chosen.
    """
    if (
        vaccination.get("conflict")
        or is_in_flight(vaccination)
        or upload_state(vaccination) is not UploadState.NOT_SENT
    ):
        return None
    if vaccination["voided"]:
        return UploadMethod.DELETE
    return UploadMethod.PUT if vaccination["cdc_has"] else UploadMethod.POST
