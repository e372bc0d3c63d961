"""How far CDC has got with the records that staff want uploaded. Read out of the tables; nothing of it is kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from store.patients import can_identify
from store.tables import Tables
from store.uploads import FAILED_STATES, UploadState, is_in_flight, next_method

FOLLOWED = 1000  # records; a bar needs no more to move


@dataclass(frozen=True, slots=True)
class Progress:
    """Units: records. `waiting` have not left, of `sent` no answer has come; `messages` are CDC's words at acceptance.

    Shape: `due_at` is when CDC is asked for the first verdict, an ISO moment, empty where none is out.
    """

    waiting: int
    sent: int
    accepted: int
    verified: int
    refused: int
    messages: tuple[dict[str, Any] | None, ...]
    due_at: str

    @property
    def total(self) -> int:
        return self.waiting + self.sent + self.answered

    @property
    def answered(self) -> int:
        """Of these CDC has said something."""
        return self.accepted + self.verified + self.refused

    @property
    def is_over(self) -> bool:
        return not self.waiting and not self.sent


def awaiting(tables: Tables) -> list[Any]:
    """The records that CDC lacks or has not answered for, the oldest; of a long queue as many as can be followed."""
    return tables.vaccinations.find_by_prefix("awaits_upload", "", FOLLOWED)


def is_ready(tables: Tables, document: Any) -> bool:
    """Whether a waiting record may leave, or has left: not one that waits for a person or a verdict."""
    waits = document["upload_state"] == UploadState.NOT_SENT
    return not (waits and (is_in_flight(document) or is_held_back(tables, document)))


def is_held_back(tables: Tables, document: Any) -> bool:
    """Whether a record that waits cannot leave before a person has done something about it."""
    if document["upload_state"] != UploadState.NOT_SENT or is_in_flight(document):
        return False
    person = tables.patients.find(document["person_id"])
    return next_method(document) is None or not (document["voided"] or (person and can_identify(person)))


def progress_of(tables: Tables, asked: frozenset[str]) -> Progress:
    """Where the records `asked` for stand. One that was changed meanwhile counts as what CDC said of it before."""
    by_state: dict[UploadState, frozenset[str]] = {
        state: asked.intersection(tables.vaccinations.ids_by("upload_state", state))
        for state in UploadState
        if state is not UploadState.VERIFIED
    }
    # All that a clinic ever gave: not looked through for the few asked for.
    by_state[UploadState.VERIFIED] = asked.difference(*by_state.values())
    # Corrected since it left: it goes again by itself once CDC has judged what it was before.
    corrected = {one for one in by_state[UploadState.NOT_SENT] if is_in_flight(tables.vaccinations.at(one))}
    accepted = by_state[UploadState.ACCEPTED] | corrected
    failed = frozenset[str]().union(*(by_state[state] for state in FAILED_STATES))
    answered = accepted | by_state[UploadState.VERIFIED] | failed
    batches = _batches_of(tables, answered)
    due = (batch["due_at"] for batch in _batches_of(tables, accepted))
    return Progress(
        waiting=len(by_state[UploadState.NOT_SENT] - corrected),
        sent=len(by_state[UploadState.SENT]),
        accepted=len(accepted),
        verified=len(by_state[UploadState.VERIFIED]),
        refused=len(failed),
        messages=tuple({str(batch["message"]): batch["message"] for batch in batches}.values()),
        due_at=min(filter(None, due), default=""),
    )


def _batches_of(tables: Tables, record_ids: Iterable[str]) -> list[Any]:
    """The batches that the records stand in now."""
    ids = {tables.vaccinations.at(one)["upload"]["upload_batch_id"] for one in record_ids}
    return [batch for one in sorted(ids) if (batch := tables.batches.find(one)) is not None]
