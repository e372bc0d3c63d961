"""The registry of practice mode: what is sent comes back verified or refused, by the same changes as CDC's word."""

from datetime import timedelta

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.history import HistoryReceived, read_identity, show_history
from store.practice_data import draft_lots, draft_people, draft_records, practice_doses
from store.practice_registry import (
    VERIFY_AFTER,
    draft_consumption,
    draft_history,
    draft_stock,
    draft_upload,
    draft_verdicts,
    next_due,
    rows_to_send,
)
from store.roc_date import TAIPEI
from store.roster_plan import record_id_of_chart
from store.stock import ConsumptionState, stock_line, stock_rows
from store.stock import draft_consumption as draft_vials
from store.storage import MemoryFolder
from store.uploads import UploadState
from store.vaccinations import Vaccination
from tests.worlds import Clock, make_world

BATCH = "practice-1"


class Practice:
    def __init__(self, database: DeviceDatabase, clock: Clock) -> None:
        self.database, self.tables, self.clock = database, database.tables, clock
        self.today = clock.now().astimezone(TAIPEI).date()

    async def commit(self, *drafts: ChangeDraft) -> None:
        await self.database.commit(drafts, "practice")

    async def send(self, batch_id: str = BATCH) -> None:
        now = self.clock.now()
        await self.commit(*draft_upload(batch_id, rows_to_send(self.tables), now + VERIFY_AFTER))

    async def verify(self) -> None:
        self.clock.at += VERIFY_AFTER
        await self.commit(*draft_verdicts(self.tables, self.clock.now()))

    def count(self, state: UploadState) -> int:
        return self.tables.vaccinations.count_by("upload_state", state)

    def refused(self) -> Vaccination:
        [document] = self.tables.vaccinations.find_by("upload_state", UploadState.REFUSED)
        return Vaccination.model_validate({k: v for k, v in document.items() if k in Vaccination.model_fields})


@pytest.fixture
async def practice() -> Practice:
    clock = Clock()
    practice = Practice(await DeviceDatabase.open(MemoryFolder(), make_world(clock)), clock)
    day = practice.today
    await practice.commit(*draft_people(day), *draft_lots(day), *draft_records(day))
    return practice


async def test_what_waits_is_sent_but_for_somebody_without_an_id(practice: Practice) -> None:
    await practice.send()

    assert practice.count(UploadState.ACCEPTED) == len(practice_doses(practice.today)) - 1
    assert practice.count(UploadState.NOT_SENT) == 1
    assert rows_to_send(practice.tables) == []


async def test_the_verdict_comes_when_its_time_has_come(practice: Practice) -> None:
    await practice.send()
    assert next_due(practice.tables, practice.clock.now()) == practice.clock.now() + VERIFY_AFTER
    assert draft_verdicts(practice.tables, practice.clock.now()) == []

    await practice.verify()

    assert practice.count(UploadState.ACCEPTED) == 0
    assert practice.count(UploadState.VERIFIED) == len(practice_doses(practice.today)) - 2
    assert next_due(practice.tables, practice.clock.now()) is None


async def test_a_clock_that_was_put_back_keeps_nobody_waiting(practice: Practice) -> None:
    await practice.send()
    practice.clock.at -= timedelta(days=2)

    assert draft_verdicts(practice.tables, practice.clock.now())


async def test_a_lot_nobody_registered_is_refused_at_its_field_until_it_is_corrected(practice: Practice) -> None:
    await practice.send()
    await practice.verify()
    dose = practice.refused()
    [document] = practice.tables.vaccinations.find_by("upload_state", UploadState.REFUSED)
    assert document["upload"]["message"]["expression"] == "Immunization.lotNumber"

    [flu] = [lot for lot in practice.tables.lots.documents() if lot["vaccine_code"] == "Flu"]
    corrected = dose.model_copy(update={"lot_number": flu["lot_number"]})
    payload = corrected.model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
    await practice.commit(
        ChangeDraft(ChangeKind.CORRECT_VACCINATION, dose.record_id, payload, (document["revision"],))
    )
    await practice.send("practice-2")
    await practice.verify()

    assert practice.count(UploadState.REFUSED) == 0


async def test_the_second_download_of_the_stock_brings_a_lot_without_a_maker(practice: Practice) -> None:
    await practice.commit(*draft_stock(practice.tables, "practice-stock-1", practice.today))
    first = len(stock_rows(practice.tables))
    assert practice.tables.lots.count_by("manufacturer_missing", "missing") == 0

    await practice.commit(*draft_stock(practice.tables, "practice-stock-2", practice.today))

    assert len(stock_rows(practice.tables)) == first + 1
    assert practice.tables.lots.count_by("manufacturer_missing", "missing") == 1


async def test_vials_typed_are_accepted_and_gone_from_the_next_download(practice: Practice) -> None:
    await practice.commit(*draft_stock(practice.tables, "practice-stock-1", practice.today))
    row = stock_rows(practice.tables)[0]
    assert draft_consumption(practice.tables, BATCH) == []
    await practice.commit(*draft_vials(practice.tables, row, 2))

    await practice.commit(*draft_consumption(practice.tables, BATCH))
    line = stock_line(practice.tables, stock_rows(practice.tables)[0])
    await practice.commit(*draft_stock(practice.tables, "practice-stock-2", practice.today))

    assert line.state is ConsumptionState.ACCEPTED
    assert stock_rows(practice.tables)[0]["vials"] == row["vials"] - 2 == line.stock


async def test_the_history_tells_what_was_verified(practice: Practice) -> None:
    person_id = record_id_of_chart("990008")
    patient = practice.tables.patients.at(person_id)
    identity, _ = read_identity(patient)
    assert identity is not None
    doses = practice.tables.vaccinations.find_by("person_id", person_id)
    before = draft_history(practice.tables, person_id, identity, practice.clock.now())
    await practice.send()
    await practice.verify()

    told = draft_history(practice.tables, person_id, identity, practice.clock.now())
    _, lacking = show_history(HistoryReceived.model_validate(told.payload), patient, doses)

    assert before.payload["rows"] == []
    assert len(told.payload["rows"]) == len(doses) > 5
    assert lacking == []


async def test_nothing_of_it_is_unreadable(practice: Practice) -> None:
    await practice.commit(*draft_stock(practice.tables, "practice-stock-1", practice.today))
    await practice.send()
    await practice.verify()

    assert len(practice.tables.unreadable) == 0
