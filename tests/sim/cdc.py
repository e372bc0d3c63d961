"""A small CDC with a memory, and the line to it as the worker sees one.

It is no reading of CDC's interface (that is e2e/fake_cdc): it answers in the few forms that sync/cdc_answers.py reads,
so that the queue, the worker and both format modules run as they are.

Invariants:
- a batch is known by its identifier; the same one again changes nothing;
- the fate of a row is decided once per revision, and kept until staff ask for it again.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from store.changes import World
from sync import cdc_answers, cdc_format
from sync.registry import ConfirmAnswer, Exchange, UploadAnswer, UploadItem
from tests.sim.ledger import Ledger
from tests.sim.loop import Process, VirtualLoop
from tests.sim.network import Question, Wire

ORG_ID = "1133060019"
_Reply = tuple[int | None, Any, dict[str, str]]  # status None: the line breaks
_BROKEN: _Reply = (None, None, {})
ILLS = ("lost", "lost after storing", "lost after storing", "lost after storing", "500", "503", "429", "html", "401")


@dataclass
class Row:
    key: str
    method: str
    label: str  # what the resource says, by which a revision is told from the others
    good: bool = True


@dataclass
class Batch:
    rows: list[Row]
    ready_at: float
    refusal: bool = False


class Cdc:
    """What CDC holds: batches by identifier, and versions by record key as they were stored."""

    def __init__(self, loop: VirtualLoop, rng: Random, ledger: Ledger) -> None:
        self._loop, self._rng, self._ledger = loop, rng, ledger
        self.batches: dict[str, Batch] = {}
        self.versions: dict[str, list[Row]] = {}
        self.told_good: set[tuple[str, str]] = set()
        self.ill_share = 0.0
        self.ills: Sequence[str] = ILLS
        self.longest_verdict = 0.0
        self.refusing_share = 0.0
        self._refused: dict[str, Literal["", "row", "batch"]] = {}

    def behave(self) -> None:
        """From now on answer at once, and refuse nothing new."""
        self.ill_share = self.refusing_share = self.longest_verdict = 0.0
        for batch in self.batches.values():
            batch.ready_at = min(batch.ready_at, self._loop.time())

    def learn(self, label: str) -> None:
        """Staff told CDC what it did not know: the revision may be sent again."""
        self._refused[label] = ""

    def held(self, key: str) -> Row | None:
        versions = self.versions.get(key)
        return versions[-1] if versions and versions[-1].method != "DELETE" else None

    # ---- requests

    def upload(self, batch_id: str, body: bytes) -> _Reply:
        ill = self._ill()
        if ill not in ("", "lost after storing"):
            return self._spoiled(ill)
        batch = self.batches.get(batch_id)
        if batch is None:
            batch = self.batches[batch_id] = self._take(json.loads(body))
        if ill:
            self._ledger.count("answers lost after storing")
            return _BROKEN
        if batch.refusal:
            return 400, _outcome("error", "E00013"), {}
        entry = {"response": {"status": "200 OK", "outcome": _outcome("information", "I00000")}}
        return 200, _response(batch_id, [entry]), {}

    def confirm(self, batch_id: str) -> _Reply:
        ill = self._ill()
        if ill:
            return self._spoiled(ill)
        batch = self.batches.get(batch_id)
        if batch is None or batch.refusal:
            return 404, _outcome("error", "E00094"), {}
        if self._loop.time() < batch.ready_at:
            wait = {"Retry-After": "7"} if self._rng.random() < 0.3 else {}
            return 202, _outcome("information", "P"), wait
        entries = []
        for row in batch.rows:
            if self._rng.random() < self.ill_share / 2:
                continue  # no word on this row yet
            if row.good:
                self.told_good.add((batch_id, row.key))
            told = _outcome("information", "I1") if row.good else _outcome("error", "E1")
            status = "201 Created" if row.good else "400 Bad Request"
            entry = {"fullUrl": f"Immunization/{row.key}", "response": {"status": status, "outcome": told}}
            entries += [entry] * (2 if self._rng.random() < self.ill_share / 2 else 1)
        return 200, _response(batch_id, entries), {}

    # ---- inner steps

    def _take(self, bundle: dict[str, Any]) -> Batch:
        rows = [_row_of(entry) for entry in bundle["entry"] if "Immunization/" in entry["request"]["url"]]
        for row in rows:
            if row.label not in self._refused:
                refuses = self._rng.random() < self.refusing_share and row.method != "DELETE"
                self._refused[row.label] = self._rng.choice(("row", "row", "batch")) if refuses else ""
        batch = Batch(rows, self._loop.time() + self._rng.uniform(0, self.longest_verdict))
        batch.refusal = any(self._refused[row.label] == "batch" for row in rows)
        for row in rows:
            row.good = not self._refused[row.label]
            self._ledger.count("rows" if row.good else "rows refused")
            if row.good and not batch.refusal:
                self._store(row)
        return batch

    def _store(self, row: Row) -> None:
        held, versions = self.held(row.key), self.versions.setdefault(row.key, [])
        fits = (held is None) == (row.method == "POST")
        doubled = row.method != "DELETE" and any(row.label == one.label for one in versions)
        if row.key.replace("-", "") in self._ledger.untold:
            # The hub cannot know what left after its backup was made. CDC counts by record key: it stays one dose.
            self._ledger.count("told CDC twice after a restore", doubled or not fits)
        else:
            self._ledger.check(fits, f"CDC: {row.method} of {row.key}, held {held}")
            self._ledger.check(not doubled, f"CDC: revision {row.label} of {row.key} is stored twice")
        versions.append(row)

    def _ill(self) -> str:
        return self._rng.choice(self.ills) if self._rng.random() < self.ill_share else ""

    def _spoiled(self, ill: str) -> _Reply:
        if ill.startswith("lost"):
            return _BROKEN
        if ill == "html":
            return 200, "<html>", {}
        return int(ill), _outcome("error", "E"), {"Retry-After": "20"} if ill in ("503", "429") else {}


class CdcPort:
    """CDC as one process of the hub reaches it: `sync.registry.Registry`."""

    def __init__(self, wire: Wire, cdc: Cdc, process: Process, world: World, ledger: Ledger) -> None:
        self._wire, self._cdc, self._process, self._world, self._ledger = wire, cdc, process, world, ledger

    def make_upload(self, upload_batch_id: str, items: Sequence[UploadItem], at: Any) -> bytes:
        return cdc_format.make_upload(ORG_ID, upload_batch_id, items, at)

    def read_upload(self, exchange: Exchange) -> UploadAnswer:
        return cdc_answers.read_upload(exchange)

    def read_confirm(self, exchange: Exchange, record_ids: Collection[str]) -> ConfirmAnswer:
        return cdc_answers.read_confirm(exchange, record_ids)

    async def upload(self, upload_batch_id: str, body: bytes) -> Exchange:
        self._process.refuse_the_dead()
        self._ledger.upload_leaves(upload_batch_id, body)
        return await self._exchange("upload", upload_batch_id, lambda: self._cdc.upload(upload_batch_id, body))

    async def confirm(self, upload_batch_id: str) -> Exchange:
        exchange = await self._exchange("confirm", upload_batch_id, lambda: self._cdc.confirm(upload_batch_id))
        if exchange.status == 404:
            self._ledger.told_never_seen(upload_batch_id)
        return exchange

    async def close(self) -> None:
        pass

    async def _exchange(
        self, kind: Literal["upload", "confirm"], batch_id: str, arrive: Callable[[], _Reply]
    ) -> Exchange:
        began = self._world.now()
        question: Question[_Reply] = Question(self._wire, self._process)
        status, content, headers = await question.ask(lambda answered: answered(arrive())) or _BROKEN
        body = b"" if content is None else json.dumps(content).encode()
        story = f"{kind} {batch_id[11:]}: {'no answer' if status is None else f'HTTP {status}'}"
        self._ledger.tell(self._process.name, story)
        return Exchange(
            kind,
            batch_id,
            "GET",
            "/",
            b"",
            began,
            self._world.now(),
            status=status,
            headers=headers,
            body=body,
            failure="time_out" if status is None else "",
        )


def _row_of(entry: dict[str, Any]) -> Row:
    key, method = entry["request"]["url"].removeprefix("Immunization/"), entry["request"]["method"]
    label = entry["resource"]["manufacturer"]["display"] if "resource" in entry else f"void {key}"
    return Row(key, method, label)


def _outcome(severity: str, code: str) -> dict[str, Any]:
    issue = {"severity": severity, "details": {"coding": [{"code": code}]}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _response(batch_id: str, entries: list[Any]) -> dict[str, Any]:
    identifier = {"value": batch_id}
    return {"resourceType": "Bundle", "type": "batch-response", "identifier": identifier, "entry": entries}
