"""CDC's stock and what was used of it."""

from typing import Any

import pytest

from store.apply import apply_change
from store.changes import ChangeDraft, ChangeKind
from store.conflicts import count_open_conflicts
from store.hub_database import HubDatabase
from store.lots import record_id_of_lot
from store.stock import (
    ConsumptionState,
    StockRow,
    StockWarning,
    check_vials,
    consumption_id,
    count_waiting,
    draft_consumption,
    draft_new_lots,
    last_download,
    stock_line,
    stock_rows,
)
from store.storage import MemoryFolder
from store.tables import Tables
from tests.factories import make_lot, make_vaccination
from tests.worlds import Clock, make_world

# Operations manual, chapter 4: 疫苗代碼 疫苗批號 庫存量(CDC) 消耗量(劑) 消耗量(瓶) 結存量(瓶), codes as in our table.
MANUAL = [
    ("13PCV", "DH2437-CDC", 13, 5, 5, 8),
    ("2HepA", "R3N735V-CDC", 5, 0, 0, 5),
    ("2HepA", "T3A781V-CDC", 2, 0, 0, 2),
    ("5in1", "U0B011M-CDC", 12, 0, 0, 12),
    ("CoV_AZ", "D006A-CDC", 33, 10, 1, 32),
    ("DTaP-IPV", "T3M412V-CDC", 11, 0, 0, 11),
    ("JE-CV_LiveAtd", "08A1911EA-CDC", 2, 0, 0, 2),
    ("JE-CV_LiveAtd", "08A2001EA-CDC", 6, 0, 0, 6),
    ("MMR", "AMJRE075AA-CDC", 14, 0, 0, 14),
    ("Var", "T025257-CDC", 9, 0, 0, 9),
]
AZ = StockRow(
    identifier="S-0001", vaccine_code="CoV_AZ", lot_number="D006A-CDC", lot_type="1", vials=33, doses_per_vial=10
)


class Desk:
    """A hub's store, written to by staff and by what the hub heard of CDC."""

    def __init__(self) -> None:
        self.world = make_world(Clock())
        self.changes: list[Any] = []

    async def open(self) -> "Desk":
        self.database = await HubDatabase.open(MemoryFolder(), self.world)
        self.tables = self.database.tables
        self.database.listen(self.changes.extend)
        return self

    async def commit(self, kind: ChangeKind, record_id: str, payload: dict[str, Any]) -> None:
        await self.database.commit([ChangeDraft(kind, record_id, payload)], "nurse")

    async def receive(self, *rows: StockRow, name: str = "d1") -> None:
        payload = {"rows": [row.model_dump(mode="json") for row in rows]}
        await self.commit(ChangeKind.STOCK_RECEIVED, name, payload)

    async def give(self, count: int, row: StockRow = AZ, *, voided: bool = False) -> None:
        for _ in range(count):
            dose = make_vaccination(vaccine_code=row.vaccine_code, lot_number=row.lot_number)
            record_id = self.world.make_record_id()
            payload = dose.model_dump(mode="json", exclude={"record_id"})
            await self.commit(ChangeKind.RECORD_VACCINATION, record_id, payload)
            if voided:
                await self.void(record_id)

    async def void(self, record_id: str) -> None:
        base = (self.tables.vaccinations.at(record_id)["revision"],)
        await self.database.commit(
            [ChangeDraft(ChangeKind.VOID_VACCINATION, record_id, {"reason": "x"}, base)], "nurse"
        )

    async def type(self, vials: int | None, row: StockRow = AZ) -> None:
        if drafts := draft_consumption(self.tables, self.row(row), vials):
            await self.database.commit(drafts, "nurse")

    async def send(self, batch_id: str, row: StockRow = AZ) -> None:
        line = self.line(row)
        assert line.consumption is not None
        sent = {
            "consumption_id": line.consumption["record_id"],
            "revision": line.consumption["revision"],
            "row_id": row.record_id,
            "vials": line.vials,
            "doses": line.doses,
            "doses_total": (line.doses or 0) + line.row["doses_before"],
        }
        await self.commit(ChangeKind.CONSUMPTION_SENT, batch_id, {"rows": [sent]})

    async def answer(self, batch_id: str, *, accepted: bool, row: StockRow = AZ, text: str = "") -> None:
        [sent] = self.tables.stock_batches.at(batch_id)["rows"]
        result = {"consumption_id": sent["consumption_id"], "accepted": accepted, "text": text}
        await self.commit(ChangeKind.CONSUMPTION_ANSWERED, batch_id, {"results": [result]})

    def row(self, row: StockRow = AZ) -> Any:
        return self.tables.stock_rows.at(row.record_id)

    def line(self, row: StockRow = AZ) -> Any:
        return stock_line(self.tables, self.row(row))


@pytest.fixture
async def desk() -> Desk:
    return await Desk().open()


async def test_the_manuals_table_comes_out_figure_by_figure(desk: Desk) -> None:
    rows = [
        StockRow(identifier=f"S-{n}", vaccine_code=code, lot_number=lot, lot_type="1", vials=stock)
        for n, (code, lot, stock, *_) in enumerate(MANUAL)
    ]
    await desk.receive(*reversed(rows))
    for row, (_, _, _, doses, vials, _) in zip(rows, MANUAL, strict=True):
        await desk.give(doses, row)
        await desk.type(vials, row)

    lines = [stock_line(desk.tables, row) for row in stock_rows(desk.tables)]

    shown = [(x.row["vaccine_code"], x.row["lot_number"], x.stock, x.doses, x.vials, x.balance) for x in lines]
    assert shown == MANUAL


async def test_voided_doses_are_not_counted(desk: Desk) -> None:
    await desk.receive(AZ)
    await desk.give(3)
    await desk.give(2, voided=True)
    assert desk.line().doses == 3


async def test_a_lot_of_the_same_number_for_another_vaccine_is_counted_apart(desk: Desk) -> None:
    await desk.receive(AZ)
    await desk.give(2, AZ.model_copy(update={"vaccine_code": "MMR"}))
    assert desk.line().doses == 0


async def test_unknown_codes_and_types_are_kept_as_they_came(desk: Desk) -> None:
    odd = StockRow(identifier="S-9", vaccine_code="未來 苗", lot_number="x|y", lot_type="9", vials=-2)
    await desk.receive(odd)
    row = desk.row(odd)
    assert (row["vaccine_code"], row["lot_number"], row["lot_type"], row["vials"]) == ("未來 苗", "x|y", "9", -2)


async def test_a_row_that_cdc_no_longer_lists_is_not_shown_and_comes_back(desk: Desk) -> None:
    other = AZ.model_copy(update={"identifier": "S-2", "lot_number": "D007A-CDC"})
    await desk.receive(AZ, other)
    await desk.type(1)
    await desk.receive(other, name="d2")
    assert [row["identifier"] for row in stock_rows(desk.tables)] == ["S-2"]

    await desk.receive(AZ, other, name="d3")

    assert desk.line().vials == 1
    download = last_download(desk.tables)
    assert download is not None
    assert download["record_id"] == "d3"


async def test_lots_are_made_where_there_is_none_and_never_changed(desk: Desk) -> None:
    mmr = StockRow(identifier="S-2", vaccine_code="MMR", lot_number="AMJRE075AA-CDC", lot_type="1", vials=14)
    hb = StockRow(identifier="S-3", vaccine_code="PPV", lot_number="PPV77-66-hb", lot_type="?", vials=6)
    lot = make_lot(manufacturer="GSK")
    payload = lot.model_dump(mode="json", exclude={"record_id"})
    await desk.commit(ChangeKind.REGISTER_LOT, lot.record_id, payload)

    drafts = draft_new_lots(desk.tables, [AZ, AZ, mmr, hb])
    # As a station that enters it by hand would name it: the two are one lot.
    assert drafts[0].record_id == record_id_of_lot(AZ.vaccine_code, AZ.lot_number)
    await desk.database.commit(drafts, "hub")

    made = {d.payload["lot_number"]: (d.payload["lot_type"], d.payload.get("manufacturer", "")) for d in drafts}
    assert made == {"D006A-CDC": ("1", ""), "PPV77-66-hb": ("3", "")}
    assert draft_new_lots(desk.tables, [AZ, mmr, hb]) == []


async def test_accepted_consumption_lowers_the_balance_once_and_begins_a_new_period(desk: Desk) -> None:
    await desk.receive(AZ)
    await desk.give(10)
    await desk.type(1)
    assert (desk.line().state, count_waiting(desk.tables)) == (ConsumptionState.NOT_SENT, 1)
    await desk.send("b1")
    assert desk.line().state is ConsumptionState.SENT
    await desk.answer("b1", accepted=True)
    await desk.answer("b1", accepted=True)
    await desk.give(4)

    line = desk.line()

    assert (line.stock, line.doses, line.vials, line.balance) == (32, 4, None, 32)
    assert (line.state, count_waiting(desk.tables)) == (ConsumptionState.ACCEPTED, 0)


async def test_a_download_after_an_acceptance_is_not_lowered_again(desk: Desk) -> None:
    await desk.receive(AZ)
    await desk.type(1)
    await desk.send("b1")
    await desk.answer("b1", accepted=True)
    await desk.receive(AZ.model_copy(update={"vials": 32}), name="d2")
    assert desk.line().stock == 32


async def test_refused_consumption_waits_with_cdcs_words_and_a_new_number_is_not_refused(desk: Desk) -> None:
    await desk.receive(AZ)
    await desk.type(1)
    await desk.send("b1")
    await desk.answer("b1", accepted=False, text="批號不存在")
    line = desk.line()
    assert (line.state, line.balance, line.consumption["upload"]["message"]["text"]) == (
        ConsumptionState.REFUSED,
        32,
        "批號不存在",
    )

    await desk.type(2)

    assert desk.line().state is ConsumptionState.NOT_SENT


async def test_a_number_typed_elsewhere_for_an_ended_period_is_shown_and_never_sent(desk: Desk) -> None:
    await desk.receive(AZ)
    late = draft_consumption(desk.tables, desk.row(), 3)
    await desk.type(1)
    await desk.send("b1")
    await desk.answer("b1", accepted=True)

    await desk.database.commit(late, "nurse at a tablet that was offline")

    line = desk.line()
    assert (line.state, line.vials, line.last["upload"]["vials"], line.last["vials"]) == (
        ConsumptionState.LATE,
        None,
        1,
        3,
    )
    assert count_waiting(desk.tables) == 1
    await desk.type(2)
    assert (desk.line().state, count_open_conflicts(desk.tables)) == (ConsumptionState.NOT_SENT, 0)


async def test_two_stations_that_type_different_numbers_are_a_conflict(desk: Desk) -> None:
    await desk.receive(AZ)
    other = draft_consumption(desk.tables, desk.row(), 3)
    await desk.type(1)
    await desk.database.commit(other, "nurse")
    assert count_open_conflicts(desk.tables) == 1


async def test_an_empty_field_takes_back_what_was_typed(desk: Desk) -> None:
    await desk.receive(AZ)
    await desk.type(1)
    await desk.type(None)
    assert (desk.line().vials, desk.line().balance, count_waiting(desk.tables)) == (None, 33, 0)


async def test_applying_everything_twice_changes_nothing(desk: Desk) -> None:
    await desk.receive(AZ)
    await desk.type(1)
    await desk.send("b1")
    await desk.answer("b1", accepted=True)
    await desk.type(2)
    tables = Tables()
    for change in [*desk.changes, *desk.changes]:
        apply_change(tables, change)

    line = stock_line(tables, tables.stock_rows.at(AZ.record_id))

    assert (line.stock, line.vials, line.balance) == (32, 2, 30)


@pytest.mark.parametrize(
    ("stock", "doses", "vials", "doses_per_vial", "warned"),
    [
        pytest.param(33, 10, 1, 10, [], id="ten doses of one vial of ten"),
        pytest.param(33, 10, 5, 10, [StockWarning.TOO_MANY_VIALS], id="ten doses from five vials of ten"),
        pytest.param(33, 11, 2, 10, [], id="a second vial begun"),
        pytest.param(33, 0, 1, 10, [StockWarning.TOO_MANY_VIALS], id="a vial nobody had a dose of"),
        pytest.param(33, 12, 1, 10, [StockWarning.TOO_FEW_VIALS], id="twelve doses of one vial of ten"),
        pytest.param(13, 5, 5, None, [], id="size unknown, a dose a vial"),
        pytest.param(13, 5, 6, None, [StockWarning.TOO_MANY_VIALS], id="size unknown, more vials than doses"),
        pytest.param(13, 5, 0, None, [StockWarning.TOO_FEW_VIALS], id="doses of no vial"),
        pytest.param(2, 3, 3, 1, [StockWarning.BALANCE_BELOW_ZERO], id="more than there is"),
        pytest.param(2, 3, None, 1, [], id="nothing typed"),
        pytest.param(2, None, 3, 1, [StockWarning.BALANCE_BELOW_ZERO], id="doses cannot be counted here"),
    ],
)
def test_odd_numbers_of_vials_are_told(
    stock: int, doses: int | None, vials: int | None, doses_per_vial: int | None, warned: list[StockWarning]
) -> None:
    assert check_vials(stock, doses, vials, doses_per_vial) == warned


def test_a_row_and_a_period_have_one_record_everywhere() -> None:
    assert consumption_id(AZ.record_id, "b1") == consumption_id(AZ.record_id, "b1") != consumption_id(AZ.record_id, "")
