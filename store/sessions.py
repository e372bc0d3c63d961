"""A session (場次): the people who are expected on one day, as a named list.

Invariants:
- a session names persons and holds nothing of them;
- the same name and day is the same session on every device, so that importing its roster twice is one session;
- whoever was on the list in any revision stays one of its people: being taken off by one station, or standing on one
  side of a conflict, makes nobody vanish from a device that holds the session.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from store.changes import ChangeDraft, ChangeKind
from store.patients import RecordId
from store.roc_date import RocDay

_Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Session(BaseModel):
    """A named list of people for a day. `patient_ids` may name persons who have not come yet."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    record_id: RecordId
    session_name: _Filled
    session_date: RocDay
    location: str = ""
    patient_ids: tuple[RecordId, ...] = ()


def record_id_of_session(session_name: str, session_date: date) -> str:
    """The record id of a session that a roster brings: the same on every device."""
    return hashlib.sha256(f"session\0{session_date.isoformat()}\0{session_name}".encode()).hexdigest()[:32]


def plan_session(
    session_name: str, session_date: date, patient_ids: Iterable[str], before: Mapping[str, Any] | None
) -> ChangeDraft | None:
    """What makes these people a session, or adds them to the one that is there; None where they are in it already.

    `before` is the document of `record_id_of_session`, if the store has one.
    """
    known = before["patient_ids"] if before is not None else []
    people = list(dict.fromkeys([*known, *patient_ids]))
    if before is not None and people == list(known):
        return None
    payload = {"session_name": session_name, "session_date": session_date.isoformat(), "patient_ids": people}
    record_id = record_id_of_session(session_name, session_date)
    if before is None:
        return ChangeDraft(ChangeKind.REGISTER_SESSION, record_id, payload)
    if before.get("location"):
        payload["location"] = before["location"]
    return ChangeDraft(ChangeKind.CORRECT_SESSION, record_id, payload, (before["revision"], *before["other_heads"]))


def people_of(session: Mapping[str, Any]) -> set[str]:
    """Everybody who is or was on the list, by all revisions. `session` is a document."""
    return set().union(*(revision["payload"].get("patient_ids", ()) for revision in session["revisions"].values()))


def days_of(session: Mapping[str, Any]) -> set[str]:
    """The days the session is or was planned for, by all revisions. Shape: ISO text."""
    return {revision["payload"]["session_date"] for revision in session["revisions"].values()}
