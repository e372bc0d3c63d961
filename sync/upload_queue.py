"""What to send next and what to do with each batch. Pure: no clock, no network, no chance of its own.

Invariants:
- a record is in at most one batch whose fate is open;
- a batch whose fate is unknown is asked about; it is sent again only after CDC said that it never saw it;
- nobody is asked before the time CDC named.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from store.roc_date import TAIPEI
from store.uploads import BatchState, UploadMethod, UploadRow, UploadState, next_method
from sync.registry import CdcSettings

# A time further off than this was set before the clock was put back, and counts as passed.
LONGEST_WAIT = timedelta(hours=2)
LONGEST_RETRY_AFTER_SECONDS = 3600.0
# What CDC has not judged within this counts as failed; it is asked on, but seldom.
PENDING_LIMIT = timedelta(hours=24)
OVERDUE_PAUSE_SECONDS = 3600.0
# Where CDC takes bodies and gives no answers, new rows wait instead of becoming ever more batches to ask about. While
# nothing gets through at all, one such batch is enough: it is asked about first, and the older ones stay first.
MAX_UNKNOWN_FATES = 8

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Pause:
    """When a batch, or the whole link, may be tried again.

    Shape: `ordered` means CDC named the time, so staff's tap does not shorten it.
    """

    failures: int = 0
    until: datetime | None = None
    ordered: bool = False

    def after_tap(self) -> "Pause":
        return self if self.ordered else replace(self, until=None)


class Action(StrEnum):
    """What the worker does with a batch now."""

    WAIT = "wait"
    ASK = "ask"
    SEND_AGAIN = "send_again"
    DONE = "done"


@dataclass(frozen=True)
class Step:
    """`at` is when to look again, where the action is WAIT."""

    action: Action
    at: datetime | None = None


def next_step(batch: Document, pause: Pause, never_seen: bool, link: Pause, now: datetime) -> Step:
    """Say what to do with one batch. `never_seen`: CDC's last word on it was 404, and nothing was sent since.

    Invariant: a batch in state SENT is asked about, never sent, unless CDC has just said that it does not know it,
    because what was stored once must not be counted twice.
    """
    if batch["state"] not in (BatchState.SENT, BatchState.ACCEPTED):
        return Step(Action.DONE)
    times = [pause.until, link.until]
    if batch["state"] == BatchState.ACCEPTED and batch["due_at"] and not never_seen:
        times.append(datetime.fromisoformat(batch["due_at"]))
    ahead = [time for time in times if not is_past(time, now)]
    if ahead:
        return Step(Action.WAIT, max(time for time in ahead if time is not None))
    return Step(Action.SEND_AGAIN if never_seen else Action.ASK)


def time_to_upload(
    waiting_rows: int, gather_until: datetime, unknown_fates: int, link: Pause, settings: CdcSettings, now: datetime
) -> datetime | None:
    """When the waiting rows may go: `now` or earlier means at once, None means only after a batch's fate is known.

    `unknown_fates` are the batches sent without an answer that are not overdue: one that never gets any holds nobody up
    for longer than that.
    """
    if unknown_fates >= (1 if link.failures else MAX_UNKNOWN_FATES):
        return None
    times = [link.until, None if waiting_rows >= settings.max_rows else gather_until]
    return max((time for time in times if time is not None and not is_past(time, now)), default=now)


def is_past(time: datetime | None, now: datetime) -> bool:
    return time is None or time <= now or time - now > LONGEST_WAIT


def longer(
    pause: Pause, now: datetime, settings: CdcSettings, chance: float, retry_after: float | None = None
) -> Pause:
    """The pause after one more failure: doubling, capped, half of it by chance so that clinics do not come all at once.

    Shape: `chance` from 0 to 1. `retry_after`, in seconds, is never shortened, up to an hour.
    """
    # The exponent is bounded because a float is not: 2.0 ** 1100 raises.
    full = min(settings.retry_cap_seconds, settings.retry_base_seconds * 2.0 ** min(pause.failures, 30))
    seconds = full * (0.5 + chance / 2)
    if retry_after is not None:
        seconds = min(retry_after, LONGEST_RETRY_AFTER_SECONDS) + settings.retry_base_seconds * chance
    return Pause(pause.failures + 1, now + timedelta(seconds=seconds), ordered=retry_after is not None)


def slower(pause: Pause, now: datetime, chance: float) -> Pause:
    """The pause of an overdue batch on which CDC has said once more that there is no verdict; none is shortened."""
    seldom = now + timedelta(seconds=OVERDUE_PAUSE_SECONDS * (0.5 + chance / 2))
    return pause if pause.until is not None and pause.until > seldom else replace(pause, until=seldom)


def becomes_overdue(batch: Document, was_asked: bool, now: datetime) -> bool:
    """Whether an open batch has been without CDC's verdict for a day.

    It counts from CDC's acceptance, or from the sending where there was no answer to it. `was_asked`: in vain, since
    this hub started; after a weekend switched off a hub asks before it alarms anybody. By a clock that was put
    back it becomes so later, by one put forward too early, until the verdict comes.
    """
    if not was_asked or batch.get("overdue_at") or batch["state"] not in (BatchState.SENT, BatchState.ACCEPTED):
        return False
    since = batch["accepted_at"] if batch["message"] else batch["sent_at"]
    return now - datetime.fromisoformat(since) >= PENDING_LIMIT


def time_by_rate(left_at: Sequence[datetime], per_minute: int) -> datetime | None:
    """Until when no further batch may leave; None for now. `left_at`: when the last ones left, the newest last."""
    return left_at[-per_minute] + timedelta(minutes=1) if len(left_at) >= per_minute else None


def select_rows(waiting: Iterable[Document], can_send_person: Callable[[str], bool], limit: int) -> list[UploadRow]:
    """The rows of the next batch: oldest person first, each person's rows together, oldest first, at most `limit`.

    `waiting` are vaccination documents; `can_send_person` tells by the id of the person whose dose it is now whether
    CDC can be told who that is. A record of somebody unknown waits, except a void, which names nobody. A half of a
    refused batch goes alone.
    """
    found: list[tuple[Document, UploadMethod]] = []
    for document in waiting:
        method = next_method(document)
        if method is not None and (method is UploadMethod.DELETE or can_send_person(document["person_id"])):
            found.append((document, method))
    if not found:
        return []
    found.sort(key=lambda pair: _age(pair[0]))
    group = found[0][0]["upload_group"]
    persons: dict[str, list[tuple[Document, UploadMethod]]] = {}
    for document, method in found:
        if document["upload_group"] == group:
            persons.setdefault(document.get("person_id", ""), []).append((document, method))
    chosen: list[tuple[Document, UploadMethod]] = []
    for rows in persons.values():
        if chosen and len(chosen) + len(rows) > limit:
            break
        chosen += rows[:limit]
    return [
        UploadRow(
            record_id=document["record_id"],
            revision=document["revision"],
            method=method,
            identity=document.get("identity", ""),
        )
        for document, method in chosen
    ]


def _age(document: Document) -> tuple[datetime, str]:
    return datetime.fromisoformat(document["made_at"]), document["record_id"]


def open_rows(batch: Document, find_vaccination: Callable[[str], Document | None]) -> list[str]:
    """Record ids of the batch that still stand in it without CDC's verdict."""

    def is_open(record_id: str) -> bool:
        document = find_vaccination(record_id)
        upload = document["upload"] if document is not None else None
        return (
            upload is not None
            and upload["upload_batch_id"] == batch["upload_batch_id"]
            and upload["state"] in (UploadState.SENT, UploadState.ACCEPTED)
        )

    return [row["record_id"] for row in batch["rows"] if is_open(row["record_id"])]


def may_send_again(batch: Document, still_open: Sequence[str]) -> bool:
    """Say whether the whole batch may go out again as it was.

    Not once CDC gave a verdict on one of its rows: that record may have been corrected and sent in another batch since,
    and the old bytes would bring back what it said before.
    """
    return len(still_open) == len(batch["rows"])


def new_batch_id(institution_code: str, now: datetime, chance: bytes, is_taken: Callable[[str], bool]) -> str:
    """Shape: "1133060019-20261120-100000-9f3a": institution, day, time of day and chance; 31 characters, CDC takes 40.

    The time instead of a counter, because a counter restored from a backup would give the same numbers again.
    """
    stamp = now.astimezone(TAIPEI).strftime("%Y%m%d-%H%M%S")
    number = int.from_bytes(chance[:2], "big")
    while is_taken(name := f"{institution_code}-{stamp}-{number & 0xFFFF:04x}"):
        number += 1
    return name
