"""The virtual disk: what it may lose, what it never loses, and that the product's storage contract holds on it."""

import asyncio
from random import Random

import pytest

from store.errors import StorageFailed
from tests.contracts import STORAGE_CONTRACT
from tests.sim.disk import Trouble, VirtualFolder
from tests.sim.loop import Process, VirtualLoop
from tests.sim.storage import Folder


class Bench:
    """A disk, a loop, and a process that may be replaced."""

    def __init__(self, seed: int = 0, promises_names: bool = True) -> None:
        self.loop = VirtualLoop()
        self.folder = VirtualFolder(Random(seed), 0.01, promises_names)
        self.process = Process(self.loop, "one", lambda error: None)

    def file(self):
        return self.run(Folder(self.folder, self.process).open("f"))

    def run(self, work):
        return self.loop.run_until_complete(work)

    def content(self) -> bytes:
        process = Process(self.loop, "reader", lambda error: None)
        return self.run(self.folder.open("f", process)).read(0, 1000)


@pytest.mark.parametrize("promises_names", [True, False])
@pytest.mark.parametrize("check", STORAGE_CONTRACT, ids=lambda check: check.__name__)
def test_storage_contract(check, promises_names: bool) -> None:
    bench = Bench(promises_names=promises_names)

    async def reopen():
        return Folder(bench.folder, bench.process)

    bench.run(check(reopen))


def test_what_was_flushed_survives_a_loss_of_power_and_the_rest_is_cut_at_any_byte() -> None:
    seen = set()
    for seed in range(300):
        bench = Bench(seed)
        bench.run(bench.file().append(b"flushed"))
        bench.run(bench.file().append(b"rest", durable=False))
        bench.folder.crash(power_lost=True)
        seen.add(bench.content())

    assert seen == {b"flushed" + b"rest"[:length] for length in range(5)}


def test_what_was_being_written_is_torn_at_any_byte() -> None:
    seen = set()
    for seed in range(300):
        bench = Bench(seed)
        bench.process.start(bench.file().append(b"torn"))
        bench.run(asyncio.sleep(0.001))
        bench.process.kill()
        bench.folder.crash(power_lost=False)
        bench.run(asyncio.sleep(1))
        seen.add(bench.content())

    assert seen == {b"torn"[:length] for length in range(5)}


def test_a_killed_program_leaves_what_it_wrote_in_the_machines_memory_until_power_is_lost() -> None:
    seen = set()
    for seed in range(50):
        bench = Bench(seed)
        bench.run(bench.file().append(b"x", durable=False))
        bench.folder.crash(power_lost=False, cached=True)
        assert bench.content() == b"x"
        bench.folder.crash(power_lost=True)
        seen.add(bench.content())

    assert seen == {b"", b"x"}


@pytest.mark.parametrize("trouble", [trouble for trouble in Trouble if trouble not in (Trouble.NONE, Trouble.SLOW)])
def test_a_disk_in_trouble_refuses_an_append(trouble: Trouble) -> None:
    bench = Bench()
    bench.folder.trouble = trouble

    with pytest.raises(StorageFailed):
        bench.run(bench.file().append(b"x"))


def test_a_killed_process_gets_nothing_done() -> None:
    bench = Bench()
    file = bench.file()
    bench.process.kill()

    with pytest.raises(asyncio.CancelledError):
        bench.run(file.append(b"x"))

    assert bench.content() == b""


def names_after_power_cuts(promises_names: bool) -> set[tuple[str, ...]]:
    """A file made and never flushed, one made and flushed, one removed."""
    seen = set()
    for seed in range(100):
        bench = Bench(seed, promises_names)
        folder = Folder(bench.folder, bench.process)
        for name in ("flushed", "removed"):
            file = bench.run(folder.open(name))
            bench.run(file.append(b"x"))
            bench.run(file.close())
        bench.run(folder.open("made"))
        bench.run(folder.remove("removed"))
        bench.folder.crash(power_lost=True)
        seen.add(tuple(bench.folder.names()))
    return seen


def test_names_are_durable_where_the_folder_promises_it() -> None:
    assert names_after_power_cuts(promises_names=True) == {("flushed", "made")}


def test_elsewhere_a_removed_file_may_come_back_and_one_never_flushed_be_gone() -> None:
    assert names_after_power_cuts(promises_names=False) == {
        ("flushed",),
        ("flushed", "made"),
        ("flushed", "removed"),
        ("flushed", "made", "removed"),
    }
