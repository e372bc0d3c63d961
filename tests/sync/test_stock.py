"""CDC's stock through the hub: a real fake CDC over loopback, a real journal."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from store.changes import ChangeDraft, ChangeKind
from store.hub_database import HubDatabase
from store.stock import ConsumptionState, StockLine, draft_consumption, stock_line, stock_rows
from store.storage import FileFolder
from sync.cdc_client import CdcClient
from sync.stock import StockDesk
from tests.factories import make_lot, make_vaccination
from tests.sync.cdc_stand import Stand, make_settings, make_world, running_cdc
from tests.sync.running_hub import running_hub

AZ, PCV = "D006A-CDC", "DH2437-CDC"


class Clinic:
    def __init__(self, folder: Path, base_url: str) -> None:
        self._folder, self._settings = folder, make_settings(base_url)
        self.world = make_world()

    async def start(self) -> None:
        self.database = await HubDatabase.open(FileFolder(self._folder), self.world)
        self.tables = self.database.tables
        self.desk = StockDesk(self.database, CdcClient(self._settings, self.world), self._settings, self.world)

    async def stop(self) -> None:
        await self.desk.close()
        await self.database.close()

    def line(self, lot_number: str) -> StockLine:
        [row] = [row for row in stock_rows(self.tables) if row["lot_number"] == lot_number]
        return stock_line(self.tables, row)

    async def type(self, lot_number: str, vials: int) -> None:
        await self.database.commit(draft_consumption(self.tables, self.line(lot_number).row, vials), "nurse")

    async def give(self, lot_number: str, vaccine_code: str, count: int) -> None:
        dose = make_vaccination(lot_number=lot_number, vaccine_code=vaccine_code)
        payload = dose.model_dump(mode="json", exclude={"record_id"})
        ids = [self.world.make_record_id() for _ in range(count)]
        await self.database.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, one, payload) for one in ids], "nurse")

    def exchanges(self) -> list[tuple[str, Any]]:
        return [(d["kind"], (d.get("answer") or {}).get("status")) for d in self.tables.exchanges.documents()]


@pytest.fixture
async def cdc(tmp_path: Path) -> AsyncIterator[Stand]:
    async with running_cdc(tmp_path) as stand:
        yield stand


@pytest.fixture
async def clinic(tmp_path: Path, cdc: Stand) -> AsyncIterator[Clinic]:
    clinic = Clinic(tmp_path / "hub", cdc.base_url)
    await clinic.start()
    yield clinic
    await clinic.stop()


def balance_at_cdc(cdc: Stand, lot_number: str) -> int:
    return next(lot.vials for lot in cdc.cdc.holdings.lots if lot.lot_number == lot_number)


async def test_all_pages_come_each_kept_raw_and_lots_are_made(clinic: Clinic) -> None:
    lot = make_lot(manufacturer="GSK", doses_per_vial=7)
    payload = lot.model_dump(mode="json", exclude={"record_id"})
    await clinic.database.commit([ChangeDraft(ChangeKind.REGISTER_LOT, lot.record_id, payload)], "nurse")

    answer = await clinic.desk.download()

    assert (answer.code, answer.rows, answer.new_lots, answer.unreadable) == ("downloaded", 15, 14, 0)
    assert clinic.exchanges() == [("stock", 200)] * 3
    row = clinic.line(AZ).row
    assert (row["vials"], row["expiry_date"], row["doses_per_vial"]) == (33, "2027-03-31", 10)
    typed = clinic.tables.lots.at(lot.record_id)
    assert (typed["manufacturer"], typed["doses_per_vial"], len(typed["revisions"])) == ("GSK", 7, 1)


async def test_a_second_download_makes_no_lot_again(clinic: Clinic) -> None:
    await clinic.desk.download()
    assert (await clinic.desk.download()).new_lots == 0


@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        ("error_500", "registry_answer_unreadable"),
        ("error_503_retry_after", "registry_busy"),
        ("html_instead_of_json", "registry_answer_unreadable"),
        ("truncated_json", "registry_answer_unreadable"),
        ("unauthorized_401", "registry_key_refused"),
        ("drop_before_storing", "registry_down"),
    ],
)
async def test_a_page_that_fails_leaves_the_table_as_it_was(
    clinic: Clinic, cdc: Stand, scenario: str, code: str
) -> None:
    await clinic.desk.download()
    before = [dict(row) for row in stock_rows(clinic.tables)]
    cdc.misfortune("stock", "normal")
    cdc.misfortune("stock", scenario, times=2)  # a dropped GET is asked once more by the HTTP client itself

    answer = await clinic.desk.download()

    assert answer.code == code
    assert [dict(row) for row in stock_rows(clinic.tables)] == before
    assert len(clinic.exchanges()) == 5


async def test_an_empty_table_does_not_replace_one_that_is_not(clinic: Clinic, cdc: Stand) -> None:
    await clinic.desk.download()
    cdc.cdc.holdings.lots.clear()
    assert (await clinic.desk.download()).code == "stock_empty"
    assert len(stock_rows(clinic.tables)) == 15


async def test_consumption_is_uploaded_and_each_row_has_cdcs_word(clinic: Clinic, cdc: Stand) -> None:
    await clinic.desk.download()
    await clinic.give(AZ, "CoV_AZ", 10)
    await clinic.type(AZ, 1)
    await clinic.type(PCV, 5)
    cdc.misfortune("consumption", "refuse_row", lot_number=PCV)

    answer = await clinic.desk.upload()

    assert (answer.code, answer.accepted, answer.refused, answer.detail) == ("uploaded", 1, 1, "I00002 修改成功")
    az, pcv = clinic.line(AZ), clinic.line(PCV)
    assert (az.state, az.stock, az.doses, az.balance) == (ConsumptionState.ACCEPTED, 32, 0, 32)
    assert pcv.consumption is not None
    assert (pcv.state, pcv.consumption["upload"]["message"]["text"]) == (ConsumptionState.REFUSED, "批號不存在")
    assert (balance_at_cdc(cdc, AZ), balance_at_cdc(cdc, PCV)) == (32, 13)
    [stored] = cdc.cdc.holdings.consumptions.values()
    assert [(row.vials, row.doses) for row in stored.rows if row.refusal is None] == [(1, 10)]


async def test_a_refused_row_goes_again_at_the_next_tap(clinic: Clinic, cdc: Stand) -> None:
    await clinic.desk.download()
    await clinic.type(AZ, 1)
    cdc.misfortune("consumption", "refuse_batch")
    assert ((await clinic.desk.upload()).refused, clinic.line(AZ).state) == (1, ConsumptionState.REFUSED)
    await clinic.desk.upload()
    assert (clinic.line(AZ).state, balance_at_cdc(cdc, AZ)) == (ConsumptionState.ACCEPTED, 32)


@pytest.mark.parametrize("again", ["upload", "download"])
async def test_an_answer_lost_after_storing_is_asked_for_with_the_same_bytes(
    clinic: Clinic, cdc: Stand, again: str
) -> None:
    await clinic.desk.download()
    await clinic.type(AZ, 1)
    cdc.misfortune("consumption", "drop_after_storing")
    assert ((await clinic.desk.upload()).code, clinic.line(AZ).state) == ("registry_down", ConsumptionState.SENT)
    await clinic.stop()
    await clinic.start()  # also across a restart of the hub
    await clinic.type(AZ, 4)

    await getattr(clinic.desk, again)()

    [stored] = [one for one in cdc.cdc.holdings.consumptions.values() if one.times_received == 2]
    assert [row.vials for row in stored.rows] == [1]
    assert balance_at_cdc(cdc, AZ) == 32
    line = clinic.line(AZ)
    assert (line.state, line.stock) == (ConsumptionState.LATE, 32)  # the 4 was typed before the 1 was known to count


async def test_two_taps_at_once_are_one_upload(clinic: Clinic, cdc: Stand) -> None:
    await clinic.desk.download()
    await clinic.type(AZ, 1)
    answers = await asyncio.gather(clinic.desk.upload(), clinic.desk.upload())
    assert [answer.code for answer in answers] == ["uploaded", "busy"]
    assert len(cdc.cdc.holdings.consumptions) == 1


async def test_nothing_typed_sends_nothing(clinic: Clinic, cdc: Stand) -> None:
    await clinic.desk.download()
    assert (await clinic.desk.upload()).code == "nothing_to_upload"
    assert cdc.requests("POST") == []


async def test_what_two_stations_typed_apart_waits_for_a_person(clinic: Clinic, cdc: Stand) -> None:
    await clinic.desk.download()
    other = draft_consumption(clinic.tables, clinic.line(AZ).row, 3)
    await clinic.type(AZ, 1)
    await clinic.database.commit(other, "nurse")
    assert (await clinic.desk.upload()).code == "nothing_to_upload"


async def test_the_hub_answers_a_tap_with_the_outcome(tmp_path: Path, clinic: Clinic) -> None:
    async with running_hub(tmp_path / "other") as running:
        refused = await running.post("/api/cdc/stock")
        assert (refused.status, (await refused.json())["error"]["code"]) == (409, "cdc_not_configured")
        running.hub.stock = clinic.desk
        answer = await running.post("/api/cdc/stock")
        assert (answer.status, (await answer.json())["rows"]) == (200, 15)
        other_site = await running.post("/api/cdc/stock", Origin="http://elsewhere")
        assert other_site.status == 403
        answer = await running.post("/api/cdc/stock/upload")
        assert json.loads(await answer.read())["code"] == "nothing_to_upload"
