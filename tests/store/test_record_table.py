"""Tables over runs and a delta say what a plain dict would, whatever is in which of them."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinydb import where

from store.compaction import choose_merge, merge_runs, write_delta
from store.errors import JournalUnreadable, RecordDamaged
from store.record_table import RecordTable
from store.run import Run, RunWriter
from store.storage import MemoryFolder
from store.tables import by_field


async def no_rest() -> None:
    pass


def make_table() -> RecordTable:
    return RecordTable(
        "people",
        {"name": by_field("name"), "town": by_field("town")},
        counted=("town",),
        text_of=lambda document: f"{document['name']}\n{document.get('town') or ''}",
    )


class Disk:
    """Runs of one table, written as the database writes them."""

    def __init__(self, table: RecordTable) -> None:
        self.table = table
        self.folder = MemoryFolder()
        self.runs: list[Run] = []  # the newest first
        self._made = 0

    async def _write(self, write: Any) -> Run:
        self._made += 1
        name = f"run.{self._made:06d}"
        await write(RunWriter(await self.folder.open(name)))
        return Run(await self.folder.open(name), self._made)

    async def checkpoint(self) -> None:
        self.table.freeze()
        self._show([await self._write(lambda writer: write_delta(writer, [self.table], no_rest)), *self.runs])
        self.table.frozen = None

    async def merge(self, newest: int) -> None:
        parts, rest = self.runs[:newest], self.runs[newest:]
        tables = [run.tables for run in parts]
        self._show([await self._write(lambda w: merge_runs(w, tables, [self.table], not rest, no_rest)), *rest])

    def _show(self, runs: list[Run]) -> None:
        self.runs = runs
        self.table.runs = [run.tables["people"] for run in runs if "people" in run.tables]


NAMES = ["王", "王小明", "陳", "陳大文", "Ann", "ann", ""]
TOWNS = ["臺中", "臺北", None]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 12), st.sampled_from(NAMES), st.sampled_from(TOWNS)),
        st.tuples(st.just("remove"), st.integers(0, 12)),
        st.tuples(st.just("checkpoint")),
        st.tuples(st.just("merge"), st.integers(1, 3)),
    ),
    max_size=40,
)


@given(STEPS)
async def test_whatever_was_written_merged_and_removed_a_table_says_what_a_dict_says(steps: list[Any]) -> None:
    table, plain = make_table(), dict[str, dict[str, Any]]()
    disk = Disk(table)
    for kind, *details in steps:
        if kind == "put":
            number, name, town = details
            plain[f"{number:04d}"] = {"name": name, "town": town}
            table.put(f"{number:04d}", plain[f"{number:04d}"])
        elif kind == "remove":
            plain.pop(f"{details[0]:04d}", None)
            table.put(f"{details[0]:04d}", None)
        elif kind == "checkpoint":
            await disk.checkpoint()
        elif len(disk.runs) >= details[0]:
            await disk.merge(details[0])

    assert {d.doc_id: dict(d) for d in table.documents()} == plain
    assert len(table) == len(plain)
    for record_id in (f"{n:04d}" for n in range(13)):
        found = table.find(record_id)
        assert (dict(found) if found is not None else None) == plain.get(record_id)
    for town in ("臺中", "臺北"):
        there = {i for i, d in plain.items() if d["town"] == town}
        assert {d.doc_id for d in table.find_by("town", town)} == there
        assert {d.doc_id for d in table.search(where("town") == town)} == there
        assert table.count_by("town", town) == len(there)
    for prefix in ("王", "陳", "A", "zz"):
        wanted = sorted((d["name"], i) for i, d in plain.items() if d["name"] and d["name"].startswith(prefix))
        assert [d.doc_id for d in table.find_by_prefix("name", prefix, 3)] == [i for _, i in wanted[:3]]
        last = [d.doc_id for d in table.find_by_prefix("name", prefix, 3, last=True)]
        assert last == [i for _, i in wanted[::-1][:3]]
    for piece in ("小", "中", "nn"):
        wanted_ids = {i for i, d in plain.items() if piece in f"{d['name']}\n{d['town'] or ''}"}
        assert {d.doc_id for d in table.find_by_text(piece, 100)} == wanted_ids


async def test_what_is_typed_whole_comes_before_what_only_begins_so_and_what_only_holds_it() -> None:
    table = make_table()
    disk = Disk(table)
    for number, name in enumerate(["王小明", "小王", "王"]):
        table.put(str(number), {"name": name})
    await disk.checkpoint()
    table.put("9", {"name": "王二"})

    assert [d["name"] for d in table.find_by_text("王", 10)] == ["王", "王二", "王小明", "小王"]
    assert table.find_by_text("王", 1)[0]["name"] == "王"
    assert table.find_by_text("", 10) == []


async def test_a_damaged_body_is_named_and_costs_no_other_record() -> None:
    table = make_table()
    disk = Disk(table)
    for number in range(5):
        table.put(str(number), {"name": f"N{number}"})
    await disk.checkpoint()
    data = disk.folder.files["run.000001"]
    data[data.index(b'"N3"') + 1] ^= 1

    with pytest.raises(RecordDamaged) as raised:
        table.find("3")
    assert raised.value.record_id == "3"
    assert [table.at(str(n))["name"] for n in (0, 1, 2, 4)] == ["N0", "N1", "N2", "N4"]

    table.put("4", {"name": "later"})
    await disk.checkpoint()
    await disk.merge(2)
    with pytest.raises(RecordDamaged):
        table.find("3")
    assert table.at("4")["name"] == "later"


async def test_a_run_cut_at_any_byte_is_refused() -> None:
    table = make_table()
    disk = Disk(table)
    table.put("1", {"name": "one"})
    await disk.checkpoint()
    whole = bytes(disk.folder.files["run.000001"])

    for cut in range(len(whole)):
        folder = MemoryFolder({"run": whole[:cut]})
        with pytest.raises(JournalUnreadable):
            Run(await folder.open("run"), 1)


async def test_a_damaged_section_is_refused_not_believed() -> None:
    table = make_table()
    disk = Disk(table)
    table.put("1", {"name": "unmistakable"})
    await disk.checkpoint()
    data = disk.folder.files["run.000001"]
    at = data.rindex(b"unmistakable")
    data[at] ^= 1

    with pytest.raises(JournalUnreadable):
        table.find_by("name", "unmistakable")


async def test_finding_one_of_many_reads_one_body(monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table()
    disk = Disk(table)
    for number in range(3000):
        table.put(f"{number:05d}", {"name": f"name {number}", "town": "臺中"})
    await disk.checkpoint()
    table.find("00000")
    parsed: list[bytes] = []

    def decode(body: bytes) -> dict[str, Any]:
        parsed.append(body)
        return {}

    monkeypatch.setattr(table, "decode", decode)
    table.find("01234")
    table.find_by("name", "name 77")
    table.find_by_prefix("name", "name 20", 5)
    table.search(where("name") == "name 8")
    table.put("09999", {"name": "new", "town": "臺中"})

    assert len(parsed) == 1 + 1 + 5 + 1


@pytest.mark.parametrize(
    ("counts", "start"),
    [
        ([], None),
        ([5], None),
        ([100, 10], None),
        ([10, 10], 0),
        ([1000, 30, 10], 1),
        ([1000, 100, 20, 10], 1),
        ([30, 10, 5], 0),
    ],
)
def test_runs_merge_when_they_come_too_near_in_size(counts: list[int], start: int | None) -> None:
    assert choose_merge(counts) == start


def test_few_runs_remain_however_many_checkpoints_there_were() -> None:
    runs: list[int] = []
    most = 0
    for _ in range(3000):
        runs.append(random.Random(1).randrange(500, 2000))
        while (start := choose_merge(runs)) is not None:
            runs[start:] = [sum(runs[start:])]
        most = max(most, len(runs))

    assert most <= 8


def test_a_clinics_table_is_not_written_past_the_journal() -> None:
    with pytest.raises(TypeError, match="applying changes"):
        make_table().insert({"name": "x"})
