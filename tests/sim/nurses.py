"""What staff do on a device: register, record, correct, void, import, settle conflicts, ask for the upload.

Invariants:
- each edit carries a label that no other edit carries, so that a lost or doubled one can be told;
- staff take a change as recorded when `commit` returned, and as not recorded when it raised.
"""

import asyncio
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.errors import StorageFailed
from store.exports import draft_export, make_export, waiting_for_export
from store.roster_plan import record_id_of_chart
from tests.factories import make_lot, make_patient, make_vaccination
from tests.sim import storage
from tests.sim.ledger import label_of
from tests.sim.loop import Process
from tests.sim.machines import Device

LOTS = ("AMJRE075AA-CDC", "X1_1150826-CDC", "L7")
WORK = {
    "record": 8,
    "correct": 8,
    "void": 3,
    "register patient": 2,
    "correct patient": 1,
    "register lot": 1,
    "import roster": 1,
    "settle": 2,
    "ask again": 2,
    "tap upload": 2,
    "jot": 3,
    "export": 1,
    "release": 1,
}
_PATIENT = make_patient().model_dump(mode="json", exclude={"record_id"})
_LOT = make_lot().model_dump(mode="json", exclude={"record_id"})
_VACCINATION = make_vaccination(vaccination_date=date(2026, 11, 20)).model_dump(mode="json", exclude={"record_id"})
Document = dict[str, Any]


class Labels:
    """Counts the edits of a world."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> str:
        self._last += 1
        return f"e{self._last}"


class Nurse:
    """Staff at one device, over all its processes."""

    def __init__(self, rng: Random, labels: Labels, busy_seconds: float, actions: int) -> None:
        self._rng, self._labels, self._busy_seconds = rng, labels, busy_seconds
        self.actions_left = actions
        self._doubtful: set[str] = set()
        self._habits = {work: weight * rng.choice((0.2, 1.0, 1.0, 4.0)) for work, weight in WORK.items()}

    async def work(self, device: Device, process: Process) -> None:
        """One shift on one process; the next process goes on where this one was killed."""
        self._doubtful.clear()
        while self.actions_left > 0:
            await asyncio.sleep(self._rng.expovariate(1 / self._busy_seconds))
            self.actions_left -= 1
            work = self._rng.choices(list(self._habits), list(self._habits.values()))[0]
            assert device.database is not None
            await self.act(device, work if len(device.database.tables.patients) else "import roster")

    async def act(self, device: Device, work: str) -> None:
        database, client = device.database, device.client
        assert database is not None
        assert client is not None
        if work == "tap upload":
            device.ledger.tell(device.name, "taps upload")
            await client.wake_cdc()
            return
        if work == "jot":
            await self._jot(device, database)
            return
        drafts = self._drafts(database.tables, work)
        if not drafts:
            return
        labels = {label_of(draft.payload) for draft in drafts}
        device.ledger.tried |= labels
        device.ledger.tell(device.name, f"{work}: {', '.join(_say(draft) for draft in drafts)}")
        try:
            changes = await database.commit(drafts, made_by="nurse")
        except StorageFailed as error:
            device.ledger.tell(device.name, f"not recorded: {error}")
            device.ledger.count("refused commits")
            self._doubtful |= labels
            if self._rng.random() < 0.3:
                # Staff who see that nothing is saved load the page again.
                device.loop.later(0, lambda: device.crash(power_lost=False, back_in=1.0))
            return
        # The journal goes on, so it knew what became of the failed writes: nothing of them remains.
        device.ledger.refused |= self._doubtful
        self._doubtful.clear()
        device.ledger.recorded(device.name, changes)
        device.ledger.tell(device.name, f"recorded {', '.join(change.change_id[-6:] for change in changes)}")

    async def _jot(self, device: Device, database: DeviceDatabase) -> None:
        """Write one of the device's own few notes, or remove it."""
        note, text = f"{self._rng.randrange(1, 4):012d}", self._rng.choice(("", "", self._labels.next()))
        may_be = device.ledger.notes.setdefault(device.name, {}).setdefault(note, {""})
        may_be.add(text)
        device.ledger.tell(device.name, f"note {note}: {text or 'removed'}")
        try:
            await storage.put_note(database, note, text)
        except StorageFailed as error:
            device.ledger.tell(device.name, f"not kept: {error}")
            return
        may_be.clear()
        may_be.add(text)

    # ---- what each kind of work means

    def _drafts(self, tables: Any, work: str) -> list[ChangeDraft]:
        label = self._labels.next()
        match work:
            case "register patient":
                return [ChangeDraft(ChangeKind.REGISTER_PATIENT, self._new_id(), self._patient(label, label))]
            case "register lot":
                lot = {**_LOT, "lot_number": self._rng.choice(LOTS), "manufacturer": label}
                return [ChangeDraft(ChangeKind.REGISTER_LOT, self._new_id(), lot)]
            case "import roster":
                return self._roster()
            case "correct patient":
                return self._edit(ChangeKind.CORRECT_PATIENT, self._pick(tables.patients), self._patient(label, label))
            case "record":
                person = self._pick(tables.patients)
                dose = self._dose(label, person) if person else {}
                return [ChangeDraft(ChangeKind.RECORD_VACCINATION, self._new_id(), dose)] if person else []
            case "export":
                return self._export(tables, label)
            case "release":
                export = self._pick(tables.export_files)
                ids = [row["record_id"] for row in export["rows"]] if export and "rows" in export else []
                payload = {"record_ids": ids[: self._rng.randint(1, 3)], "note": label}
                return [ChangeDraft(ChangeKind.RELEASE_EXPORT, export["record_id"], payload)] if export and ids else []
        document = self._pick(tables.vaccinations, work)
        match work:
            case "correct" | "settle":
                dose = self._dose(label, {"record_id": document["patient_id"]}) if document else {}
                return self._edit(ChangeKind.CORRECT_VACCINATION, document, dose)
            case "void":
                return self._edit(ChangeKind.VOID_VACCINATION, document, {"reason": label})
            case "ask again":
                refused = document["upload"]["upload_batch_id"] if document else ""
                return self._edit(ChangeKind.REQUEST_UPLOAD, document, {"note": label, "upload_batch_id": refused})
        raise AssertionError(work)

    def _pick(self, table: Any, work: str = "") -> Document | None:
        """A record that such work may be done on. Staff look at the newest most of the time."""
        # A dose of which a put-back hub has lost all but the void names no patient: staff cannot correct it.
        found = [document for document in table.documents() if not work or "patient_id" in document]
        if work == "settle":
            found = [document for document in found if document["conflict"]]
        elif work == "ask again":
            found = [document for document in found if document["upload_state"] == "refused"]
        elif work:
            found = [document for document in found if not document["voided"]]
        if not found:
            return None
        return found[-1 - int(len(found) * self._rng.random() ** 2)]

    def _edit(self, kind: ChangeKind, document: Document | None, payload: Document) -> list[ChangeDraft]:
        if document is None:
            return []
        bases = (document["revision"], *document["other_heads"])
        return [
            ChangeDraft(kind, document["record_id"], payload, bases if kind != ChangeKind.REQUEST_UPLOAD else bases[:1])
        ]

    def _dose(self, label: str, person: Document) -> Document:
        lot = self._rng.choice(LOTS)
        return {**_VACCINATION, "patient_id": person["record_id"], "manufacturer": label, "lot_number": lot}

    def _patient(self, label: str, chart: str) -> Document:
        # Now and then nobody knows who it is: such a dose waits until a correction tells.
        known = {} if self._rng.random() < 0.85 else {"national_id": None, "id_type": None}
        return {**_PATIENT, "chart_number": chart, "name": label, **known}

    def _export(self, tables: Any, label: str) -> list[ChangeDraft]:
        """A few doses that wait leave in a file."""
        file = make_export(tables, waiting_for_export(tables, None)[: self._rng.randint(1, 3)], "1133060019")
        draft = draft_export(tables, self._new_id(), label, file)
        return [replace(draft, payload={**draft.payload, "note": label})] if file.record_ids else []

    def _roster(self) -> list[ChangeDraft]:
        """Some rows of a file that every device has: whoever imports them gets the same people."""
        first, count = self._rng.randint(0, 5), self._rng.randint(1, 6)
        charts = [f"r{number}" for number in range(first, first + count)]
        kind = ChangeKind.REGISTER_PATIENT
        return [ChangeDraft(kind, record_id_of_chart(chart), self._patient(chart, chart)) for chart in charts]

    def _new_id(self) -> str:
        return self._rng.randbytes(16).hex()


def _say(draft: ChangeDraft) -> str:
    return f"{label_of(draft.payload)} on {draft.record_id[:6]}"
