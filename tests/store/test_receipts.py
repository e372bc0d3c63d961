"""Keys between two, over runs and what is newer; and until when bodies are kept."""

import random
from datetime import date
from pathlib import Path

import pytest

from store.hub_database import HubDatabase
from store.receipts import first_day_kept
from store.storage import FileFolder
from tests.sync.running_hub import WORLD


@pytest.mark.parametrize("last", [False, True], ids=["the first", "the last"])
async def test_keys_between_two_are_found_in_runs_and_in_what_is_newer(tmp_path: Path, last: bool) -> None:
    choose = random.Random(7)
    database = await HubDatabase.open(FileFolder(tmp_path), WORLD)
    database.checkpoint_records, table = 40, database.tables.exchanges
    for _ in range(150):
        day = f"2026-11-{choose.randint(1, 28):02d}T05:00:00+00:00"
        await database.keep_exchange({"kind": choose.choice(["stock", "confirm"]), "started_at": day})
        await database.settle()
    for number in range(1, 150, 7):  # some of those in runs lose their key
        document = dict(table.at(table.to_key(number)))
        await database.put_exchanges({number: {**document, "dropped_at": "2036-01-01T00:00:00+00:00"}})
    assert database._runs

    key_of = table.indexes["with_body"]
    keys = sorted(((key, one) for one in table.ids() if (key := key_of(table.at(one)))), reverse=last)
    for low, high, limit in [("", "~", 500), ("2026-11-05", "2026-11-20", 500), ("2026-11-05", "~", 9), ("~", "", 5)]:
        expected = [one for key, one in keys if low <= key < high][:limit]
        assert table.ids_between("with_body", low, high, limit, last=last) == expected
    await database.close()


@pytest.mark.parametrize(
    ("today", "years", "first"),
    [
        (date(2026, 11, 23), 7, date(2019, 11, 23)),
        (date(2028, 2, 29), 7, date(2021, 2, 28)),
        (date(2028, 2, 29), 8, date(2020, 2, 29)),
    ],
)
def test_bodies_are_kept_whole_years(today: date, years: int, first: date) -> None:
    assert first_day_kept(today, years) == first
