"""Ten thousand spoiled answers of CDC, each through the hub's own client, journal and worker or desk.

The answers are those of the fake CDC, spoiled by spoiled_answers.py. What such an answer may bring about is read out of
its bytes a second time by strict_reading.py: nothing else may have happened after it.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.protocol import HistoryOutcome
from store.receipts import body_bytes
from store.stock import draft_consumption, stock_rows
from sync import cdc_answers, cdc_exams, cdc_stock
from sync.cdc_client import MAX_ANSWER_BYTES
from sync.registry import AnswerUnreadable, Exchange
from tests.factories import PATIENT_ID, make_exam
from tests.sync.cdc_stand import vaccination_draft
from tests.sync.spoiled_cdc import Answered, Clinic, clinic_with_spoiled_cdc
from tests.sync.strict_reading import (
    Said,
    at,
    clean,
    is_outcome,
    may_be_about_dose,
    may_be_about_exam,
    may_be_about_use,
    readable_rows,
    texts,
)  # fmt: skip

_AT_ONCE = 250  # answers to one hub; then a new one, so that megabytes do not add up


def check_receipts(clinic: Clinic, told: list[Answered]) -> list[Said]:
    """Every answer is kept as it came, and what was cut or broken says so."""
    receipts = clinic.receipts(len(told)) if told else []
    assert len(receipts) == len(told)
    found = []
    for answered, receipt in zip(told, receipts, strict=True):
        said = Said(answered, receipt)
        wire, kept, failure = answered.wire, body_bytes(receipt["answer"] or {}), receipt["failure"]
        assert receipt["kind"] == answered.kind, said
        assert wire.body.startswith(kept), f"kept {kept[:300]!r} of {said}"
        if wire.whole and len(wire.body) <= MAX_ANSWER_BYTES:
            assert (kept, failure) == (wire.body, ""), f"kept {len(kept)} bytes, {failure!r}, of {said}"
        elif wire.whole:
            assert failure == "answer_too_large", said
        found.append(said)
    return found


class Case:
    """What one tap or one step of the worker brought: the answers to it, and what they are held against."""

    def __init__(self, clinic: Clinic, table: str) -> None:
        self._clinic, self._table, self._seen = clinic, table, len(clinic.server.answers)
        self._before = self._states()

    def end(self) -> list[Said]:
        told = self._clinic.server.answers[self._seen :]
        said = check_receipts(self._clinic, told)
        assert not self._clinic.logs.bad, f"{self._clinic.logs.bad} after {[str(one) for one in said]}"
        return said

    def newly(self) -> list[tuple[str, str, str]]:
        """Records whose upload came into another state: record id, state, batch id."""
        return [(key, *state) for key, state in self._states().items() if state and state != self._before.get(key)]

    def _states(self) -> dict[str, Any]:
        found = {}
        for one in self._clinic.tables.table(self._table).documents():
            upload = one["upload"]
            found[one["record_id"]] = upload and (upload["state"], upload.get("upload_batch_id") or upload["batch_id"])
        return found


# ---- vaccinations: POST, PUT and DELETE, and the question what became of them


def check_doses(case: Case) -> list[Said]:
    said = case.end()
    for record_id, state, batch_id in case.newly():
        told = [one for one in said if may_be_about_dose(one, record_id, state, batch_id)]
        assert told or state == "sent", f"{record_id} is {state} after {[str(one) for one in said]}"
    return said


async def play_doses(clinic: Clinic) -> None:
    clinic.cdc_knows_history()
    standing: list[str] = []
    while clinic.server.made < _AT_ONCE:
        ids = [clinic.world.make_record_id() for _ in range(clinic.chance.randint(1, 4))]
        await clinic.commit(*(vaccination_draft(ChangeKind.RECORD_VACCINATION, one, ()) for one in ids))
        for number, record_id in enumerate(standing[:2]):
            base = (clinic.tables.vaccinations.at(record_id)["revision"],)
            void = ChangeDraft(ChangeKind.VOID_VACCINATION, record_id, {"reason": "測試"}, base)
            maker = {"manufacturer": f"M{clinic.server.made}"}
            correction = vaccination_draft(ChangeKind.CORRECT_VACCINATION, record_id, base, **maker)
            await clinic.commit(correction if number else void)
        clinic.server.spoils = True
        for _ in range(14):
            await step(clinic)
        clinic.server.spoils = False
        control = clinic.world.make_record_id()
        await clinic.commit(vaccination_draft(ChangeKind.RECORD_VACCINATION, control, ()))
        states = await come_to_rest(clinic)
        assert states[control] == "verified"
        standing = [one for one in ids if states[one] == "verified"]


async def step(clinic: Clinic) -> bool:
    """One step of the worker after staff's tap; False where nothing is left to do."""
    case = Case(clinic, "vaccinations")
    clinic.worker.wake()
    at = await clinic.worker.step()
    clinic.now = max(clinic.now, at or clinic.now)
    check_doses(case)
    return at is not None


async def come_to_rest(clinic: Clinic) -> dict[str, str]:
    """CDC behaves: everything gets its verdict. Returns how each dose stands."""
    for _ in range(100):
        if not await step(clinic):
            break
    states = {one["record_id"]: one["upload_state"] for one in clinic.tables.vaccinations.documents()}
    assert set(states.values()) <= {"verified", "refused", "locked", "not_needed"}, states
    return states


# ---- stock, and what was used of it


async def play_stock(clinic: Clinic) -> None:
    def held() -> list[Any]:
        names = ("identifier", "vaccine_code", "lot_number", "vials")
        return [tuple(row[name] for name in names) for row in stock_rows(clinic.tables)]

    while clinic.server.made < _AT_ONCE:
        # The first pages now and then as they are, or the later ones would never be asked for.
        clinic.server.calm = clinic.chance.choice((0, 0, 1, 2))
        before, case = held(), Case(clinic, "consumptions")
        clinic.server.spoils = True
        answer = await clinic.stock.download()
        clinic.server.spoils = False
        said = case.end()
        if answer.code != "downloaded":
            assert held() == before, [str(one) for one in said]
            continue
        shown, told = [str(one) for one in said], set[Any]().union(*map(readable_rows, said))
        assert all(one.status == 200 and at(one.content, "type") == "searchset" for one in said), shown
        assert not said[-1].names_a_next_page(), shown
        assert set(held()) <= told, shown
        assert len(held()) >= len({row[0] for row in told if row}) - answer.unreadable, shown
    answer = await clinic.stock.download()
    assert (answer.code, answer.rows, len(held())) == ("downloaded", 15, 15)


async def play_consumption(clinic: Clinic) -> None:
    assert (await clinic.stock.download()).code == "downloaded"
    while clinic.server.made < _AT_ONCE:
        rows = clinic.chance.sample(stock_rows(clinic.tables), clinic.chance.randint(1, 4))
        drafts = [draft_consumption(clinic.tables, row, clinic.chance.randint(1, 3)) for row in rows]
        await clinic.commit(*(draft for some in drafts for draft in some))
        for spoils in [True] * 8 + [False] * 2:
            case = Case(clinic, "consumptions")
            clinic.server.spoils = spoils
            await clinic.stock.upload()
            check_consumption(case, clinic)
        states = [one["upload"]["state"] for one in clinic.tables.consumptions.documents() if one["upload"]]
        assert set(states) <= {"accepted"}, states
        assert clinic.tables.stock_batches.count_by("state", "sent") == 0


def check_consumption(case: Case, clinic: Clinic) -> None:
    said = case.end()
    for record_id, state, batch_id in case.newly():
        batch = clinic.tables.stock_batches.at(batch_id)
        places = {row["consumption_id"]: place for place, row in enumerate(batch["rows"])}
        row = clinic.tables.stock_rows.at(batch["rows"][places[record_id]]["row_id"])
        told = [one for one in said if may_be_about_use(one, row["identifier"], places[record_id], state, batch_id)]
        assert told or state == "sent", f"{row['identifier']} is {state} after {[str(one) for one in said]}"


# ---- exam reports


async def play_exams(clinic: Clinic) -> None:
    standing: list[str] = []
    while clinic.server.made < _AT_ONCE:
        ids = [clinic.world.make_record_id() for _ in range(clinic.chance.randint(1, 3))]
        await clinic.commit(*(_exam_draft(ChangeKind.RECORD_EXAM, one) for one in ids))
        for number, record_id in enumerate(standing[:2]):
            base = (clinic.tables.exams.at(record_id)["revision"],)
            void = ChangeDraft(ChangeKind.VOID_EXAM, record_id, {"reason": "測試"}, base)
            load = {"viral_load": f"< {clinic.server.made}"}
            correction = _exam_draft(ChangeKind.CORRECT_EXAM, record_id, base, **load)
            await clinic.commit(correction if number else void)
        for _ in range(8):
            await tap_exams(clinic, spoils=True)
        control = clinic.world.make_record_id()
        await clinic.commit(_exam_draft(ChangeKind.RECORD_EXAM, control))
        for _ in range(2):
            await tap_exams(clinic, spoils=False)
        states = {one["record_id"]: one["exam_state"] for one in clinic.tables.exams.documents()}
        assert states[control] == "stored"
        assert set(states.values()) <= {"stored", "refused", "not_needed"}, states
        standing = [one for one in ids if states[one] == "stored"]


async def tap_exams(clinic: Clinic, spoils: bool) -> None:
    case = Case(clinic, "exams")
    clinic.server.spoils = spoils
    await clinic.exams.upload()
    said = case.end()
    for record_id, state, _ in case.newly():
        told = [one for one in said if may_be_about_exam(one, record_id, state)]
        assert told or state == "sent", f"{record_id} is {state} after {[str(one) for one in said]}"


def _exam_draft(kind: ChangeKind, record_id: str, base: tuple[str, ...] = (), **changes: Any) -> ChangeDraft:
    exam = make_exam(record_id=record_id, **changes)
    payload = exam.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
    return ChangeDraft(kind, record_id, payload, base)


# ---- a person's history


async def play_history(clinic: Clinic) -> None:
    clinic.cdc_knows_history()
    while clinic.server.made < _AT_ONCE:
        before, case = clinic.tables.histories.find(PATIENT_ID), Case(clinic, "vaccinations")
        clinic.server.spoils = True
        answer = await clinic.history.ask(PATIENT_ID)
        clinic.server.spoils = False
        [said] = case.end()
        now = clinic.tables.histories.find(PATIENT_ID)
        if answer.outcome is HistoryOutcome.RECEIVED:
            assert said.is_bundle("searchset"), said
            assert now["rows"] or at(said.content, "total") == 0, said
            assert len(now["rows"]) == len(said.entries()), said
            words = {clean(text) for text in texts(said.content)}
            rows = [row for row in now["rows"] if "as_came" not in row]
            invented = {text for row in rows for text in row.values()} - words
            assert all(text[:1] in '[{"-0123456789tfnI' for text in invented), f"{invented} {said}"
        else:
            assert now == before, said
            is_told = said.status == 400 and is_outcome(said.content)
            assert (answer.outcome is HistoryOutcome.REFUSED) == is_told, said
    assert (await clinic.history.ask(PATIENT_ID)).outcome is HistoryOutcome.RECEIVED


@dataclass(frozen=True)
class Part:
    """So many spoiled answers of one kind of exchange, from one seed on."""

    kind: str
    first: int
    answers: int


PLAYS = {
    "doses": play_doses,
    "stock": play_stock,
    "consumption": play_consumption,
    "exams": play_exams,
    "history": play_history,
}
PARTS = (
    *(Part("doses", first, 1250) for first in (0, 10_000, 20_000, 30_000)),
    Part("stock", 0, 1500),
    Part("consumption", 0, 1250),
    Part("exams", 0, 1250),
    Part("history", 0, 1000),
)


async def play(part: Part, folder: Path) -> Counter[str]:
    """Returns how many answers went out, by kind of exchange."""
    made, kinds = 0, Counter[str]()
    while made < part.answers:
        async with clinic_with_spoiled_cdc(folder, part.kind, part.first + made) as clinic:
            await PLAYS[part.kind](clinic)
            made += clinic.server.made
            kinds.update(one.kind for one in clinic.server.answers)
    return kinds


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.kind} {part.first}")
async def test_no_answer_stops_the_hub_or_counts_for_more_than_it_says(part: Part, tmp_path: Path) -> None:
    kinds = await play(part, tmp_path)
    asked = {"doses": ("upload", "confirm")}.get(part.kind, (part.kind,))
    assert all(kinds[kind] >= 200 for kind in asked), kinds


def test_the_parts_are_ten_thousand_answers() -> None:
    assert sum(part.answers for part in PARTS) == 10_000


BUGS: dict[str, tuple[str, Any, str, Any]] = {
    "every word is harmless": ("doses", cdc_answers, "_worst", lambda _: "harmless"),
    "any charset is read": ("doses", cdc_answers, "_content", lambda one: _lenient_json(one.body)),
    "a key may stand twice": ("doses", cdc_answers, "_object", dict),
    "no answer is kept": ("history", Exchange, "as_data", lambda one, _="": {**as_data(one), "answer": None}),
    "a use is that of its place": ("consumption", cdc_stock, "_name_of", lambda _: ""),
    "a page that cannot be asked for is none": ("stock", cdc_stock, "_next_query", lambda one: _next_or_none(one)),
    "a report is that of its key alone": ("exams", cdc_exams, "_id_in", lambda _: ""),
    "CDC's words are logged": ("doses", AnswerUnreadable, "code", property(lambda one: one.detail)),
}
as_data, next_query = Exchange.as_data, cdc_stock._next_query


def _lenient_json(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8", "replace").strip("\ufeff\x00"))
    except (ValueError, RecursionError):
        return None


def _next_or_none(content: Any) -> str:
    try:
        return next_query(content)
    except AnswerUnreadable:
        return ""


@pytest.mark.parametrize("bug", BUGS)
async def test_a_planted_bug_is_found(bug: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, owner, name, instead = BUGS[bug]
    monkeypatch.setattr(owner, name, instead)
    with pytest.raises(AssertionError) as found:
        await play(Part(kind, 0, 1500), tmp_path)
    assert "seed" in str(found.value)
