"""A device that holds chosen sessions only: all of those in scope, as the hub has them, and nobody else."""

import asyncio
import hashlib
import zlib
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.changes import Change, ChangeDraft, ChangeKind
from store.clinic_settings import LotOfTheDay, StaffMember, draft_setting, lot_key, make_setting
from store.database import SCHEMA_VERSION
from store.decisions import Pair, draft_distinct, draft_merge, pair_id
from store.device_database import DeviceDatabase
from store.exports import draft_export, draft_release, make_export, next_number, waiting_for_export
from store.history import replaced_by_next
from store.hub_database import HubDatabase
from store.pairs import open_pairs
from store.protocol import HubStatus, PeopleAnswer, SnapshotOffer, SyncRequest
from store.record_table import RecordTable
from store.scope import Scope, people_in, with_merged
from store.scope_records import records_of_people
from store.stock import StockRow, draft_consumption
from store.storage import MemoryFolder
from store.tables import Tables
from tests.store.test_checkpoint import no_rest
from tests.store.test_database import dose as dose_payload
from tests.worlds import Clock, make_world

DAYS = ("2026-11-25", "2026-11-26", "2026-11-27")
PEOPLE, SESSIONS = range(6), range(3)


def person_id(number: int) -> str:
    return f"{number + 1:032x}"


def session_id(number: int) -> str:
    return f"{number + 1:031x}5"


class Clinic:
    """A hub, two devices that hold everyone, and a tablet that chooses."""

    def __init__(self, hub: HubDatabase, devices: list[DeviceDatabase], clock: Clock) -> None:
        self.hub, self.devices, self.clock = hub, devices, clock
        self.doses: list[str] = []
        self.exams: list[str] = []
        self.exports: list[str] = []

    @classmethod
    async def open(cls) -> "Clinic":
        clock = Clock()
        hub = await HubDatabase.open(MemoryFolder(), make_world(clock))
        devices = [await DeviceDatabase.open(MemoryFolder(), make_world(clock)) for _ in range(3)]
        for database in (hub, *devices):
            database.rest = no_rest
        return cls(hub, devices, clock)

    @property
    def tablet(self) -> DeviceDatabase:
        return self.devices[2]

    async def commit(self, device: DeviceDatabase | HubDatabase, *drafts: ChangeDraft) -> list[Change]:
        self.clock.forward(seconds=1)
        return await device.commit(list(drafts), made_by="nurse")

    # ---- what people do

    async def person(self, device: DeviceDatabase, number: int, note: int = 0) -> None:
        before = device.tables.patients.find(person_id(number))
        payload = {"chart_number": f"{number}", "name": f"病患{number // 2}", "birth_date": "2020-05-01"}
        payload |= {"address": f"{note}", "national_id": f"A{number}"}
        kind = ChangeKind.CORRECT_PATIENT if before else ChangeKind.REGISTER_PATIENT
        bases = (before["revision"], *before["other_heads"]) if before else ()
        await self.commit(device, ChangeDraft(kind, person_id(number), payload, bases))

    async def dose(self, device: DeviceDatabase, number: int) -> None:
        if device.tables.patients.exists(person_id(number)):
            self.doses.append(f"{len(self.doses) + 1:030x}d0")
            await self.commit(
                device, ChangeDraft(ChangeKind.RECORD_VACCINATION, self.doses[-1], dose_payload(person_id(number)))
            )

    async def move(self, device: DeviceDatabase, which: int, number: int) -> None:
        dose = device.tables.vaccinations.find(self.doses[which % len(self.doses)]) if self.doses else None
        if dose and not dose["voided"]:
            bases = (dose["revision"], *dose["other_heads"])
            draft = ChangeDraft(
                ChangeKind.CORRECT_VACCINATION, dose["record_id"], dose_payload(person_id(number)), bases
            )
            await self.commit(device, draft)

    async def void(self, device: DeviceDatabase, which: int) -> None:
        dose = device.tables.vaccinations.find(self.doses[which % len(self.doses)]) if self.doses else None
        if dose:
            bases = (dose["revision"], *dose["other_heads"])
            await self.commit(
                device, ChangeDraft(ChangeKind.VOID_VACCINATION, dose["record_id"], {"reason": "x"}, bases)
            )

    async def exam(self, device: DeviceDatabase, number: int) -> None:
        if device.tables.patients.exists(person_id(number)):
            self.exams.append(f"{len(self.exams) + 1:030x}e0")
            payload = {"patient_id": person_id(number), "exam_type": "1", "exam_date": "2026-11-20"}
            await self.commit(device, ChangeDraft(ChangeKind.RECORD_EXAM, self.exams[-1], payload))

    async def void_exam(self, device: DeviceDatabase, which: int) -> None:
        exam = device.tables.exams.find(self.exams[which % len(self.exams)]) if self.exams else None
        if exam:
            bases = (exam["revision"], *exam["other_heads"])
            await self.commit(device, ChangeDraft(ChangeKind.VOID_EXAM, exam["record_id"], {"reason": "x"}, bases))

    async def session(self, device: DeviceDatabase, number: int, people: list[int], day: int) -> None:
        before = device.tables.sessions.find(session_id(number))
        kind = ChangeKind.CORRECT_SESSION if before else ChangeKind.REGISTER_SESSION
        payload = {"session_name": f"場次{number}", "session_date": DAYS[day], "patient_ids": [*map(person_id, people)]}
        bases = (before["revision"], *before["other_heads"]) if before else ()
        await self.commit(device, ChangeDraft(kind, session_id(number), payload, bases))

    async def decide(self, device: DeviceDatabase, one: int, other: int, merge: bool) -> None:
        ids = person_id(one), person_id(other)
        if one != other and all(map(device.tables.patients.exists, ids)):
            before = device.tables.decisions.find(pair_id(Pair.PATIENTS, *ids))
            await self.commit(
                device, draft_merge(*ids, before) if merge else draft_distinct(Pair.PATIENTS, *ids, before)
            )

    async def upload(self) -> None:
        """The hub sends what waits, and CDC verifies it."""
        waiting = self.hub.tables.vaccinations.find_by("upload_state", "not_sent")
        if not waiting:
            return
        batch_id = f"{self.hub.head + 1:030x}ba"
        rows = [{"record_id": d["record_id"], "revision": d["revision"], "method": "POST"} for d in waiting]
        await self.commit(self.hub, ChangeDraft(ChangeKind.UPLOAD_SENT, batch_id, {"rows": rows}))
        await self.commit(
            self.hub, ChangeDraft(ChangeKind.UPLOAD_ACCEPTED, batch_id, {"due_at": None, "message": None})
        )
        results = [{"record_id": d["record_id"], "verified": n % 3 != 2} for n, d in enumerate(waiting)]
        await self.commit(self.hub, ChangeDraft(ChangeKind.VERIFICATION_RECEIVED, batch_id, {"results": results}))

    async def export(self, device: DeviceDatabase, which: int) -> None:
        """One dose that waits, or two, leave in a file."""
        waiting = waiting_for_export(device.tables, None)[which : which + 2]
        file = make_export(device.tables, waiting, "1133060019")
        number = next_number(device.tables, self.clock.now().date(), device.device_id)
        if file.record_ids:
            self.exports.append(f"{len(self.exports) + 1:030x}ef")
            await self.commit(device, draft_export(device.tables, self.exports[-1], number, file))

    async def release(self, device: DeviceDatabase, which: int) -> None:
        """A part of an export goes by the interface after all."""
        export_id = self.exports[which % len(self.exports)] if self.exports else ""
        if device.tables.exports.exists(export_id):
            rows = device.tables.export_files.at(export_id)["rows"]
            await self.commit(device, draft_release(export_id, [row["record_id"] for row in rows[: which + 1]]))

    async def stock(self, rows: set[int]) -> None:
        """The hub downloads CDC's stock, as it was before anything was used."""
        told = [stock_row(number).model_dump(mode="json") for number in sorted(rows)]
        await self.commit(self.hub, ChangeDraft(ChangeKind.STOCK_RECEIVED, f"d{self.hub.head}", {"rows": told}))

    async def use(self, device: DeviceDatabase, number: int, vials: int) -> None:
        row = device.tables.stock_rows.find(stock_row(number).record_id)
        if row is not None:
            await self.commit(device, *draft_consumption(device.tables, row, vials))

    async def setting(self, device: DeviceDatabase, number: int) -> None:
        """A lot of the day and somebody of the staff, for all stations."""
        day, tables = date.fromisoformat(DAYS[0]), device.tables
        lot = make_setting(LotOfTheDay, lot_key("MMR", day), vaccine_code="MMR", day=day, lot_number=f"L{number}")
        member = make_setting(StaffMember, "N1", staff_id="N1", name=f"護理師{number}")
        drafts = draft_setting(lot, tables.settings.find(lot.record_id)), draft_setting(
            member, tables.staff.find(member.record_id)
        )
        await self.commit(device, *drafts)

    async def consumption(self, which: int) -> None:
        """The hub tells CDC what was used; CDC takes every row but the one meant."""
        rows = [
            {**d, "consumption_id": d["record_id"], "doses": 0, "doses_total": 0}
            for d in self.hub.tables.consumptions.find_by("state", "not_sent")
        ]
        batch_id = f"c{self.hub.head}"
        await self.commit(self.hub, ChangeDraft(ChangeKind.CONSUMPTION_SENT, batch_id, {"rows": rows}))
        results = [{"consumption_id": r["consumption_id"], "accepted": n != which} for n, r in enumerate(rows)]
        await self.commit(self.hub, ChangeDraft(ChangeKind.CONSUMPTION_ANSWERED, batch_id, {"results": results}))

    async def history(self, number: int) -> None:
        """The hub asked CDC what the person was given anywhere."""
        before = self.hub.tables.histories.find(person_id(number))
        payload = {"identity": "x", "fetched_at": self.clock.now().isoformat(), "rows": []}
        await self.commit(
            self.hub, ChangeDraft(ChangeKind.HISTORY_RECEIVED, person_id(number), payload, replaced_by_next(before))
        )

    # ---- what the programs do

    async def sync(self, device: DeviceDatabase) -> None:
        await self.pull(device)
        if device.reach.wanted:
            await self.fetch(device, list(device.reach.wanted))

    async def pull(self, device: DeviceDatabase) -> None:
        while True:
            request = SyncRequest(
                device_id=device.device_id,
                generation=device.generation,
                after=device.cursor,
                changes=device.unsent.first(2),
                hub_generation=device.hub_generation,
                scope=device.reach.scope,
            )
            answer = await self.hub.answer(SyncRequest.model_validate_json(request.model_dump_json()), 3, HubStatus())
            assert device.reach.scope is None or not (answer.digest or answer.ranges)
            await device.receive(answer)
            if answer.upto >= answer.head and not device.unsent:
                break

    async def fetch(self, device: DeviceDatabase, asked: list[str]) -> None:
        answer = PeopleAnswer(
            schema_version=SCHEMA_VERSION,
            generation=self.hub.generation,
            head=self.hub.head,
            records=records_of_people(self.hub.tables, asked),
        )
        assert await device.take_people(PeopleAnswer.model_validate_json(answer.model_dump_json()), asked)

    async def choose(self, device: DeviceDatabase, scope: Scope | None) -> None:
        await device.adopt(*await snapshot(self.hub, scope), scope)

    async def restart_tablet(self) -> None:
        folder: Any = self.tablet.folder
        self.devices[2] = await DeviceDatabase.open(folder.copy(), make_world(self.clock))
        self.tablet.rest = no_rest


async def snapshot(hub: HubDatabase, scope: Scope | None) -> tuple[SnapshotOffer, list[bytes]]:
    file = await MemoryFolder().open("snapshot")
    facts = await hub.write_snapshot(file, scope)
    data = file.read(0, file.size())
    return SnapshotOffer(
        schema_version=SCHEMA_VERSION,
        generation=hub.generation,
        size_bytes=len(data),
        page_bytes=len(data),
        page_crcs=[zlib.crc32(data)],
        sha256=hashlib.sha256(data).hexdigest(),
        **facts,
    ), [data]


def held(database: DeviceDatabase | HubDatabase, people: set[str]) -> dict[str, Any]:
    """What a store shows of some persons."""
    tables = database.tables
    doses = {
        d["record_id"]: dict(d)
        for one in people
        for index in ("patient_id", "person_id")
        for d in tables.vaccinations.find_by(index, one)
    }
    exams = {
        d["record_id"]: dict(d)
        for one in people
        for index in ("patient_id", "person_id")
        for d in tables.exams.find_by(index, one)
    }
    exported = {one: dict(found) for one in doses if (found := tables.exported_doses.find(one)) is not None}
    exports = {export_id for dose in exported.values() for export_id in dose["exports"]}
    return {
        "exported doses": exported,
        "exports": {one: tables.exports.at(one)["sha256"] for one in exports},
        "exams": exams,
        "patients": {one: dict(found) for one in people if (found := tables.patients.find(one)) is not None},
        "vaccinations": doses,
        "histories": {one: dict(found) for one in people if (found := tables.histories.find(one)) is not None},
        "decisions": {
            d["record_id"]: dict(d) for d in tables.decisions.documents() if {d["first"], d["second"]} <= people
        },
        "open pairs": {
            pair["record_id"]
            for kind in Pair
            for pair in open_pairs(tables, kind)
            if {pair["first"], pair["second"]} <= people | doses.keys()
        },
        "sessions": {d["record_id"]: dict(d) for d in tables.sessions.documents()},
        **{table.name: {d.doc_id: dict(d) for d in table.documents()} for table in tables_of_all(tables)},
    }


def tables_of_all(tables: Tables) -> list[RecordTable]:
    """The tables of stock and settings, that every device holds whole."""
    stock = [tables.stock_rows, tables.consumptions, tables.stock_downloads, tables.stock_batches]
    return [*stock, tables.settings, tables.staff]


def stock_row(number: int) -> StockRow:
    return StockRow(identifier=f"S-{number}", vaccine_code="MMR", lot_number=f"L{number}-CDC", vials=9)


def assert_holds_its_scope(clinic: Clinic) -> None:
    tablet, hub = clinic.tablet, clinic.hub
    assert tablet.reach.scope is not None
    people = with_merged(hub.tables, people_in(hub.tables, tablet.reach.scope))
    assert not tablet.reach.wanted
    assert held(tablet, people) == held(hub, people)
    assert set(tablet.tables.patients.ids()) <= people
    assert {exam["patient_id"] for exam in tablet.tables.exams.documents()} <= people
    assert set(tablet.tables.histories.ids()) <= people


def run(body: Any) -> None:
    asyncio.run(body)


device = st.integers(0, 2)
people = st.integers(0, len(PEOPLE) - 1)
sessions = st.integers(0, len(SESSIONS) - 1)
STEPS = st.one_of(
    st.tuples(st.just("person"), device, people, st.integers(0, 3)),
    st.tuples(st.just("dose"), device, people),
    st.tuples(st.just("move"), device, st.integers(0, 20), people),
    st.tuples(st.just("void"), device, st.integers(0, 20)),
    st.tuples(st.just("exam"), device, people),
    st.tuples(st.just("void_exam"), device, st.integers(0, 20)),
    st.tuples(st.just("session"), device, sessions, st.lists(people, max_size=3, unique=True), st.integers(0, 2)),
    st.tuples(st.just("decide"), device, people, people, st.booleans()),
    st.tuples(st.just("upload")),
    st.tuples(st.just("export"), device, st.integers(0, 2)),
    st.tuples(st.just("release"), device, st.integers(0, 2)),
    st.tuples(st.just("stock"), st.sets(st.integers(0, 1), min_size=1)),
    st.tuples(st.just("use"), device, st.integers(0, 1), st.integers(0, 2)),
    st.tuples(st.just("setting"), device, st.integers(0, 2)),
    st.tuples(st.just("consumption"), st.integers(0, 2)),
    st.tuples(st.just("history"), people),
    st.tuples(st.just("sync"), device),
    st.tuples(st.just("sync"), device),
    st.tuples(st.just("choose"), st.sets(sessions, max_size=2), st.sets(st.integers(0, 2), max_size=1)),
    st.tuples(st.just("open"), people),
    st.tuples(st.just("restart")),
    st.tuples(st.just("checkpoint"), device),
)


async def play(steps: list[Any]) -> Clinic:
    clinic = await Clinic.open()
    for number in PEOPLE:
        await clinic.person(clinic.devices[0], number)
    for name, *facts in [("session", 0, 0, [0, 1], 0), ("sync", 0), ("sync", 1), ("choose", {0}, set()), *steps]:
        if name == "upload":
            await clinic.upload()
        elif name in ("stock", "consumption"):
            await getattr(clinic, name)(*facts)
        elif name == "history":
            await clinic.history(facts[0])
        elif name == "restart":
            await clinic.restart_tablet()
        elif name == "pull":
            await clinic.pull(clinic.tablet)
        elif name == "choose":
            days = tuple(date.fromisoformat(DAYS[day]) for day in sorted(facts[1]))
            await clinic.choose(clinic.tablet, Scope(session_ids=tuple(map(session_id, sorted(facts[0]))), days=days))
        elif name == "open":
            await clinic.fetch(clinic.tablet, [person_id(facts[0])])
        elif name == "checkpoint":
            await clinic.devices[facts[0]].checkpoint()
        else:
            await getattr(clinic, name)(clinic.devices[facts[0]], *facts[1:])
    for _ in range(2):
        for one in clinic.devices:
            await clinic.sync(one)
    return clinic


CASES: dict[str, list[Any]] = {
    "a dose moved in from a person out of scope, as CDC knows it": [
        ("dose", 0, 4), ("sync", 0), ("upload",), ("sync", 2), ("move", 0, 0, 0), ("sync", 0), ("sync", 2),
    ],
    "a dose moved out of scope": [("dose", 0, 0), ("sync", 0), ("sync", 2), ("move", 0, 0, 4), ("sync", 0)],
    "news of a chart that was merged before the session was chosen": [
        ("decide", 0, 4, 0, True), ("sync", 0), ("choose", {0}, set()), ("person", 0, 4, 7),
    ],
    "a chart merged while the session is held, and the one merged into it before": [
        ("decide", 0, 5, 4, True), ("decide", 0, 4, 0, True), ("sync", 0), ("sync", 2), ("person", 0, 5, 7),
    ],
    "a dose recorded here of whom nothing else was here": [
        ("open", 4), ("dose", 2, 4), ("choose", {0}, set()), ("open", 4),
    ],
    "a correction not sent yet of a person who is fetched": [("person", 2, 0, 3), ("open", 0)],
    "exams of one on the list, and of one who is fetched": [
        ("exam", 0, 0), ("exam", 0, 4), ("sync", 0), ("sync", 2), ("void_exam", 0, 0), ("void_exam", 0, 1), ("open", 4),
    ],
    "an exam recorded here of whom nothing else was here": [
        ("open", 4), ("exam", 2, 4), ("choose", {0}, set()), ("open", 4),
    ],
    "an exam recorded here of one who is out of scope afterwards": [
        ("open", 4), ("exam", 2, 4), ("choose", {0}, set()),
    ],
    "an exam recorded here before the merge of its chart was known": [
        ("open", 4), ("exam", 2, 4), ("decide", 0, 4, 5, True), ("sync", 0), ("choose", {0}, set()), ("open", 4),
    ],
    "an exam of a chart that is merged into one of the list": [
        ("exam", 0, 4), ("decide", 0, 4, 0, True), ("sync", 0), ("sync", 2),
    ],
    "a batch with doses in and out of scope": [
        ("dose", 0, 0), ("dose", 0, 4), ("sync", 0), ("sync", 2), ("upload",), ("sync", 2),
    ],
    "an export of doses in and out of scope, half of it released, and one not sent yet": [
        ("dose", 0, 0), ("dose", 0, 4), ("sync", 0), ("sync", 2), ("export", 0, 0), ("dose", 2, 1), ("export", 2, 1),
        ("sync", 0), ("open", 4), ("release", 0, 0), ("sync", 0), ("sync", 2), ("upload",),
    ],
    "a dose exported before its person is fetched": [
        ("dose", 0, 4), ("export", 0, 0), ("sync", 0), ("sync", 2), ("open", 4), ("release", 2, 0),
    ],
    "persons decided apart and fetched": [
        ("decide", 0, 4, 2, True), ("decide", 1, 4, 2, False), ("sync", 0), ("sync", 1), ("sync", 2), ("open", 4),
        ("open", 2),
    ],
    "a dose recorded twice of a person who is fetched": [
        ("dose", 0, 4), ("dose", 0, 4), ("sync", 0), ("sync", 2), ("open", 4),
    ],
    "alike persons that were told apart, fetched one by one": [
        ("decide", 0, 4, 5, False), ("sync", 0), ("sync", 2), ("open", 4), ("open", 5),
    ],
    "stock and what was used of it, typed at two stations and accepted meanwhile": [
        ("stock", {0, 1}), ("sync", 0), ("sync", 2), ("use", 0, 0, 1), ("use", 2, 0, 2), ("sync", 0),
        ("consumption", 2), ("sync", 2), ("stock", {0}), ("choose", {0}, set()), ("use", 2, 0, 1),
    ],
    "settings made at two stations apart, before and after the session was chosen": [
        ("setting", 0, 0), ("setting", 2, 1), ("sync", 0), ("choose", {0}, set()), ("setting", 0, 2), ("sync", 0),
    ],
    "a session that leaves its day, and who joins it then": [
        ("session", 0, 1, [2], 1), ("sync", 0), ("choose", set(), {1}), ("session", 0, 1, [2], 2), ("sync", 0),
        ("sync", 2), ("session", 0, 1, [2, 3], 2), ("dose", 0, 3),
    ],
    "a session that comes to a chosen day with whom it had before": [
        ("choose", set(), {1}), ("session", 0, 1, [2], 2), ("sync", 0), ("sync", 2), ("session", 0, 1, [2], 1),
    ],
    "what CDC told of persons in and out of scope, and of one fetched later": [
        ("history", 0), ("history", 4), ("history", 5), ("sync", 2), ("open", 4), ("history", 4), ("history", 0),
    ],
    "who was taken off the list": [("session", 0, 0, [1], 0), ("sync", 0), ("sync", 2), ("dose", 0, 0)],
    "who joined, with a restart before the hub was asked": [
        ("session", 0, 0, [0, 1, 4], 0), ("sync", 0), ("pull",), ("checkpoint", 2), ("restart",),
    ],
}  # fmt: skip


@pytest.mark.parametrize("steps", CASES.values(), ids=CASES.keys())
async def test_a_tablet_holds_its_scope_after(steps: list[Any]) -> None:
    assert_holds_its_scope(await play(steps))


@settings(max_examples=150)
@given(st.lists(STEPS, max_size=25))
def test_whatever_happens_it_ends_with_its_scope_as_the_hub_has_it_and_nobody_else(steps: list[Any]) -> None:
    async def body() -> None:
        assert_holds_its_scope(await play(steps))

    run(body())


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=20))
def test_back_to_everyone_it_has_exactly_what_the_hub_has(steps: list[Any]) -> None:
    async def body() -> None:
        clinic = await play(steps)
        await clinic.choose(clinic.tablet, None)
        await clinic.sync(clinic.tablet)

        everybody = set(map(person_id, PEOPLE))
        assert clinic.tablet.reach.scope is None
        assert held(clinic.tablet, everybody) == held(clinic.hub, everybody)
        except_own = clinic.tablet.device_id
        assert clinic.tablet.digests.total(except_own) == clinic.hub.digests.total(except_own)

    run(body())
