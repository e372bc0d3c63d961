"""The change: the unit of everything that is journalled, synced, ordered and kept.

Invariants:
- a change never changes: correcting a record is a new change that names the revision it replaces;
- its id is its revision id, made on the device that made it; applying it twice is applying it once;
- kinds this program does not know are kept and passed on, never dropped;
- device clocks are for display; the order is the hub's sequence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class ChangeKind(StrEnum):
    """What one change does. On the wire `kind` is plain text, since a newer device may know more."""

    REGISTER_PATIENT = "register_patient"
    CORRECT_PATIENT = "correct_patient"
    REGISTER_LOT = "register_lot"
    REGISTER_SESSION = "register_session"
    CORRECT_SESSION = "correct_session"
    RECORD_VACCINATION = "record_vaccination"
    CORRECT_VACCINATION = "correct_vaccination"
    VOID_VACCINATION = "void_vaccination"
    REQUEST_UPLOAD = "request_upload"
    RECORD_EXAM = "record_exam"
    CORRECT_EXAM = "correct_exam"
    VOID_EXAM = "void_exam"
    RECORD_CONSUMPTION = "record_consumption"
    # The clinic's own settings (clinic_settings.py, code_tables.py), each whole in every revision:
    SET_CLINIC = "set_clinic"
    SET_VACCINES_IN_USE = "set_vaccines_in_use"
    SET_LOT_OF_THE_DAY = "set_lot_of_the_day"
    SET_CODE_TABLE = "set_code_table"
    REGISTER_STAFF_MEMBER = "register_staff_member"
    # What a person decided of two records that may be one (decisions.py):
    MERGE_PATIENTS = "merge_patients"
    CONFIRM_DISTINCT_PATIENTS = "confirm_distinct_patients"
    CONFIRM_DISTINCT_DOSES = "confirm_distinct_doses"
    WITHDRAW_DECISION = "withdraw_decision"
    # Doses that leave in a file (exports.py):
    EXPORT_DOSES = "export_doses"
    RELEASE_EXPORT = "release_export"
    # Made by the hub alone:
    UPLOAD_SENT = "upload_sent"
    UPLOAD_ACCEPTED = "upload_accepted"
    UPLOAD_REFUSED = "upload_refused"
    UPLOAD_OVERDUE = "upload_overdue"
    VERIFICATION_RECEIVED = "verification_received"
    STOCK_RECEIVED = "stock_received"
    CONSUMPTION_SENT = "consumption_sent"
    CONSUMPTION_ANSWERED = "consumption_answered"
    HISTORY_RECEIVED = "history_received"
    EXAMS_SENT = "exams_sent"
    EXAMS_ANSWERED = "exams_answered"


# These carry a reason in the place of content: the record goes on saying what it said.
VOID_KINDS = frozenset({ChangeKind.VOID_VACCINATION, ChangeKind.VOID_EXAM})

# Only the hub speaks with CDC, so only it may say what CDC said.
HUB_MADE_KINDS = frozenset(
    {
        ChangeKind.UPLOAD_SENT,
        ChangeKind.UPLOAD_ACCEPTED,
        ChangeKind.UPLOAD_REFUSED,
        ChangeKind.UPLOAD_OVERDUE,
        ChangeKind.VERIFICATION_RECEIVED,
        ChangeKind.STOCK_RECEIVED,
        ChangeKind.CONSUMPTION_SENT,
        ChangeKind.CONSUMPTION_ANSWERED,
        ChangeKind.HISTORY_RECEIVED,
        ChangeKind.EXAMS_SENT,
        ChangeKind.EXAMS_ANSWERED,
    }
)


class Change(BaseModel):
    """One edit by one person on one device.

    Shape: ids are 32 hex digits; `base_revisions` is empty for a new record, one change id for an edit, several where
    a person settles a conflict; `payload` is the record's whole content for register/record/correct, else what the
    kind needs.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    change_id: Id
    device_id: Id
    device_seq: int
    record_id: str
    base_revisions: tuple[Id, ...] = ()
    kind: str
    payload: dict[str, Any]
    made_by: str
    made_at: AwareDatetime


@dataclass(frozen=True)
class ChangeDraft:
    """What a screen or the upload queue wants done; the store gives it its ids, its sequence and its time."""

    kind: ChangeKind
    record_id: str
    payload: dict[str, Any]
    base_revisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class World:
    """Time and chance, handed in so that tests and simulations own them."""

    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    def make_record_id(self) -> str:
        return self.random_bytes(16).hex()

    def make_change_id(self) -> str:
        """Shape: 48 bits of milliseconds, then 80 of chance, so that ids of one device sort as they were made."""
        milliseconds = int(self.now().timestamp() * 1000)
        return (milliseconds.to_bytes(6, "big") + self.random_bytes(10)).hex()
