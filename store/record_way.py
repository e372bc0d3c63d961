"""The whole way of one record: recorded, corrected, voided; sent, accepted, verified or refused. For doses and exams.

Invariants:
- every revision and every upload that the record keeps is a step, with CDC's words as they came;
- nothing that left stands before the revision that it carried, however wrong a device's clock was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from store.changes import VOID_KINDS
from store.revisions import content
from store.uploads import UploadMethod, batch_of


class WayStep(StrEnum):
    RECORDED = "recorded"
    CORRECTED = "corrected"
    VOIDED = "voided"
    SENT = "sent"
    ACCEPTED = "accepted"
    VERIFIED = "verified"
    REFUSED = "refused"
    REFUSED_WHOLE = "refused_whole"  # of a batch of several: nothing was said of this record


@dataclass(frozen=True)
class Step:
    """One step.

    Shape: `made_by` and `device_id` of what a station did; `upload_batch_id`, `method` and `message` (a CdcMessage as
    JSON) of what went to CDC; `fields` are the names that a correction changed; `reason` that of a void or a warning.
    """

    kind: WayStep
    at: datetime
    made_by: str = ""
    device_id: str = ""
    reason: str = ""
    fields: tuple[str, ...] = ()
    upload_batch_id: str = ""
    method: str = UploadMethod.POST
    message: Mapping[str, Any] | None = None


def way_of(document: Mapping[str, Any]) -> list[Step]:
    """The steps in the order of their times. `document` is one of the vaccinations or the exams table."""
    placed: list[tuple[datetime, int, Step]] = []
    made_at: dict[str, datetime] = {}
    for revision_id in document["revisions"]:
        step = _step_of_revision(document["revisions"], revision_id)
        made_at[revision_id] = step.at
        placed.append((step.at, 0, step))
    for upload in (*document.get("past_uploads", ()), document["upload"]):
        if not upload:
            continue
        not_before = made_at.get(upload["revision"])
        for rank, step in enumerate(_steps_of_upload(upload), 1):
            not_before = max(step.at, not_before) if not_before else step.at
            placed.append((not_before, rank, step))
    return [step for _, _, step in sorted(placed, key=lambda one: one[:2])]


def _step_of_revision(revisions: Mapping[str, Mapping[str, Any]], revision_id: str) -> Step:
    revision = revisions[revision_id]
    payload, bases = revision["payload"], [base for base in revision["bases"] if base in revisions]
    fields: tuple[str, ...] = ()
    if revision["kind"] in VOID_KINDS:
        kind, reason = WayStep.VOIDED, payload.get("reason", "")
    else:
        kind = WayStep.CORRECTED if revision["bases"] else WayStep.RECORDED
        reason = payload.get("warning_reason", "")
        before = content(revisions, bases[0]) if bases else payload
        names = dict.fromkeys([*payload, *before])
        fields = tuple(one for one in names if payload.get(one) != before.get(one) and one != "warning_reason")
    return Step(
        kind,
        datetime.fromisoformat(revision["made_at"]),
        made_by=revision["made_by"],
        device_id=revision["device_id"],
        reason=reason,
        fields=fields,
    )


def _steps_of_upload(upload: Mapping[str, Any]) -> list[Step]:
    """Sent, accepted, CDC's last word, as far as they came. Where no time of one is kept, that of before holds."""
    about = {"upload_batch_id": batch_of(upload), "method": upload["method"]}
    at = datetime.fromisoformat(upload["sent_at"])
    steps = [Step(WayStep.SENT, at, **about)]
    if accepted_at := upload.get("accepted_at"):
        at = datetime.fromisoformat(accepted_at)
        steps.append(Step(WayStep.ACCEPTED, at, message=upload.get("accepted_message"), **about))
    last = {"accepted": WayStep.ACCEPTED, "verified": WayStep.VERIFIED, "stored": WayStep.VERIFIED,
            "refused": WayStep.REFUSED_WHOLE if upload.get("refused_whole") else WayStep.REFUSED}  # fmt: skip
    kind = last.get(upload["state"])
    if kind is not None and kind is not steps[-1].kind:
        told_at = upload.get("verified_at") or upload.get("answered_at")
        at = datetime.fromisoformat(told_at) if told_at else at
        steps.append(Step(kind, at, message=upload["message"], **about))
    return steps
