"""Planted bugs: each breaks one rule of the product for as long as it is planted. The product itself has no flags.

A simulation that finds none of them proves nothing when it finds nothing else; test_planted_bugs.py asks for each.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import store.apply
import store.database
import store.device_database
from store.changes import Change, ChangeDraft, ChangeKind
from store.database import Database
from store.device_database import DeviceDatabase
from store.hub_database import HubDatabase
from store.manifest import journal_name
from store.protocol import AcceptedChange, NumberedChange, SyncAnswer
from store.standing import Reaction
from store.tables import RecordTable
from store.uploads import BatchState, RowResult
from sync import upload_queue
from sync.registry import RegistryError, sent_exchange
from sync.upload_queue import Action, Step
from sync.worker import CdcWorker
from tests.sim import storage
from tests.sim.disk import VirtualFile
from ui.sync_client import SyncClient

_undo: list[tuple[Any, str, Any]] = []


@contextmanager
def planted(bug: str) -> Iterator[None]:
    """Let the product have this bug; an empty name plants none."""
    if bug:
        BUGS[bug]()
    try:
        yield
    finally:
        while _undo:
            owner, name, before = _undo.pop()
            setattr(owner, name, before)


def _replace(owner: Any, name: str) -> Callable[[Callable[..., Any]], Any]:
    """Put the decorated function in the place of `owner.name`, handing it the one before as its first argument."""

    def put(instead: Callable[..., Any]) -> None:
        before = getattr(owner, name)
        _undo.append((owner, name, before))
        setattr(owner, name, lambda *given, **named: instead(before, *given, **named))

    return put


# ---- what is acknowledged is on disk


def _acknowledge_before_flush(machines: str) -> None:
    @_replace(VirtualFile, "append")
    async def append(before: Any, self: VirtualFile, data: bytes, *, durable: bool = True) -> None:
        forgets = self.name.startswith("journal") and self._process.name.startswith(machines)
        await before(self, data, durable=durable and not forgets)


def _device_acknowledges_before_flush() -> None:
    _acknowledge_before_flush("device")


def _hub_answers_before_flush() -> None:
    _acknowledge_before_flush("hub")


def _failed_write_is_not_cut_off() -> None:
    @_replace(VirtualFile, "truncate")
    async def truncate(before: Any, self: VirtualFile, size: int) -> None:
        self._process.refuse_the_dead()


# ---- what moves from the journal into runs


def _run_is_published_before_it_is_flushed() -> None:
    @_replace(VirtualFile, "append")
    async def append(before: Any, self: VirtualFile, data: bytes, *, durable: bool = True) -> None:
        await before(self, data, durable=durable and not self.name.startswith("run"))


def _journal_is_removed_before_its_run_is_published() -> None:
    @_replace(Database, "_publish")
    async def publish(before: Any, self: Database, runs: list[Any], **changed: Any) -> None:
        done = range(self._manifest.journal_from, changed.get("journal_from", 0))
        for number, journal in zip(done, self._older, strict=False):
            await journal.close()
            await self.folder.remove(journal_name(number))
        await before(self, runs, **changed)


def _merge_forgets_the_newest_word() -> None:
    @_replace(store.database, "merge_runs")
    async def merge_runs(before: Any, writer: Any, runs: Sequence[Any], *given: Any) -> None:
        await before(writer, runs[::-1], *given)


def _tombstones_are_dropped_too_early() -> None:
    @_replace(store.database, "merge_runs")
    async def merge_runs(before: Any, writer: Any, runs: Any, tables: Any, oldest: bool, rest: Any) -> None:
        await before(writer, runs, tables, True, rest)


# ---- a device keeps what the hub does not hold


def _takeover_forgets_unsent() -> None:
    @_replace(storage, "open_device")
    async def open_device(before: Any, *given: Any) -> DeviceDatabase:
        database: DeviceDatabase = await before(*given)
        for change in list(database.unsent):
            storage.forget(database, change.change_id)
        return database


def _sent_counts_as_stored() -> None:
    @_replace(SyncClient, "_exchange")
    async def exchange(before: Any, self: SyncClient, batch: list[Change]) -> SyncAnswer | None:
        answer: SyncAnswer | None = await before(self, batch)
        for change in batch:
            storage.forget(self._database, change.change_id)
        return answer


def _digests_are_not_compared() -> None:
    """Else what a bug kept from a device comes to it all the same."""

    @_replace(SyncClient, "_differs")
    def differs(before: Any, self: SyncClient, answer: SyncAnswer) -> bool:
        return False


def _cursor_before_changes() -> None:
    _digests_are_not_compared()

    @_replace(DeviceDatabase, "receive")
    async def receive(before: Any, self: DeviceDatabase, answer: SyncAnswer) -> None:
        await before(self, answer.model_copy(update={"changes": []}))
        await before(self, answer)


def _client_gives_up() -> None:
    @_replace(SyncClient, "_next_pause")
    def next_pause(before: Any, self: SyncClient) -> float:
        return 1e9


def _changed_hub_generation_is_ignored() -> None:
    @_replace(store.device_database, "react")
    def react(before: Any, *given: Any) -> Reaction:
        reaction: Reaction = before(*given)
        return Reaction.NONE if reaction is Reaction.START_OVER else reaction


def _own_later_changes_are_not_read_again() -> None:
    @_replace(store.device_database, "react")
    def react(before: Any, *given: Any) -> Reaction:
        reaction: Reaction = before(*given)
        return Reaction.NONE if reaction is Reaction.CATCH_UP else reaction


# ---- the hub orders, and a repeat changes nothing


def _known_to(self: HubDatabase) -> set[str]:
    return {one.change.change_id for one in storage.hub_log(self)}


def _repeat_gets_a_new_number() -> None:
    @_replace(HubDatabase, "accept")
    async def accept(before: Any, self: HubDatabase, changes: Sequence[Change]) -> list[AcceptedChange]:
        known = _known_to(self)
        accepted: list[AcceptedChange] = await before(self, changes)
        return [a.model_copy(update={"hub_seq": self.head}) if a.change_id in known else a for a in accepted]


def _repeat_is_recorded_again() -> None:
    @_replace(HubDatabase, "accept")
    async def accept(before: Any, self: HubDatabase, changes: Sequence[Change]) -> list[AcceptedChange]:
        known = _known_to(self)
        again = [c.model_copy(update={"change_id": c.change_id[::-1]}) for c in changes if c.change_id in known]
        await before(self, again)
        return await before(self, changes)  # type: ignore[no-any-return]


def _page_lacks_its_last_change() -> None:
    _digests_are_not_compared()

    @_replace(HubDatabase, "changes_after")
    def changes_after(before: Any, self: HubDatabase, *given: Any, except_device: str, **more: Any) -> Any:
        found: tuple[list[NumberedChange], int] = before(self, *given, except_device=except_device, **more)
        return (found[0][:-1], found[1]) if except_device and len(found[0]) > 3 else found


def _losing_edit_is_dropped() -> None:
    @_replace(store.apply, "heads")
    def heads(before: Any, revisions: dict[str, Any]) -> list[str]:
        return before(revisions)[-1:]  # type: ignore[no-any-return]


def _void_still_counts() -> None:
    @_replace(RecordTable, "put")
    def put(before: Any, self: RecordTable, record_id: str, document: dict[str, Any]) -> None:
        before(self, record_id, {**document, "voided": False} if document.get("voided") else document)


# ---- exactly once at CDC


def _worker_sends_again_without_asking() -> None:
    @_replace(upload_queue, "next_step")
    def next_step(before: Any, batch: Any, *given: Any) -> Step:
        step: Step = before(batch, *given)
        asks = step.action is Action.ASK and batch["state"] == BatchState.SENT
        return Step(Action.SEND_AGAIN) if asks else step


def _worker_does_not_ask_after_sending_again() -> None:
    @_replace(CdcWorker, "_send_again")
    async def send_again(before: Any, self: CdcWorker, batch_id: str) -> None:
        try:
            await before(self, batch_id)
        except RegistryError:
            self._never_seen.add(batch_id)
            raise


def _worker_writes_sent_after_sending() -> None:
    @_replace(CdcWorker, "_upload")
    async def upload(before: Any, self: CdcWorker, batch_id: str, rows: Any) -> None:
        now = self._world.now()
        body = self._outbox.write(batch_id, rows, now)
        await self._registry.upload(batch_id, body)
        sent = ChangeDraft(ChangeKind.UPLOAD_SENT, batch_id, {"rows": [row.model_dump(mode="json") for row in rows]})
        await self._database.commit([sent], "hub", exchanges=[sent_exchange(batch_id, body, now)])


def _accepted_counts_as_verified() -> None:
    @_replace(CdcWorker, "_commit")
    async def commit(before: Any, self: CdcWorker, *drafts: ChangeDraft) -> None:
        accepted = [draft for draft in drafts if draft.kind is ChangeKind.UPLOAD_ACCEPTED]
        for draft in accepted:
            rows = self._tables.batches.at(draft.record_id)["rows"]
            good = [RowResult(record_id=row["record_id"], verified=True).model_dump(mode="json") for row in rows]
            verified = ChangeDraft(ChangeKind.VERIFICATION_RECEIVED, draft.record_id, {"results": good})
            drafts = (*drafts, verified)
        await before(self, *drafts)


BUGS: dict[str, Callable[[], None]] = {
    "device acknowledges before the flush": _device_acknowledges_before_flush,
    "hub answers before the flush": _hub_answers_before_flush,
    "failed write is not cut off": _failed_write_is_not_cut_off,
    "run is published before it is flushed": _run_is_published_before_it_is_flushed,
    "journal is removed before its run is published": _journal_is_removed_before_its_run_is_published,
    "merge forgets the newest word": _merge_forgets_the_newest_word,
    "tombstones are dropped too early": _tombstones_are_dropped_too_early,
    "changed hub generation is ignored": _changed_hub_generation_is_ignored,
    "own later changes are not read again": _own_later_changes_are_not_read_again,
    "takeover forgets unsent changes": _takeover_forgets_unsent,
    "sent counts as stored": _sent_counts_as_stored,
    "cursor stored before the changes": _cursor_before_changes,
    "client gives up after a failure": _client_gives_up,
    "repeat gets a new number": _repeat_gets_a_new_number,
    "repeat is recorded again": _repeat_is_recorded_again,
    "page lacks its last change": _page_lacks_its_last_change,
    "losing edit is dropped": _losing_edit_is_dropped,
    "voided dose still counts": _void_still_counts,
    "worker sends again without asking": _worker_sends_again_without_asking,
    "worker does not ask after sending again": _worker_does_not_ask_after_sending_again,
    "worker writes SENT after sending": _worker_writes_sent_after_sending,
    "accepted counts as verified": _accepted_counts_as_verified,
}
