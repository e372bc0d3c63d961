"""The virtual disk: what it may lose, what it never loses, and that the product's storage contract holds on it."""

import asyncio
from random import Random

import pytest

from store.errors import StorageFailed
from tests.contracts import STORAGE_CONTRACT
from tests.sim.disk import Trouble, VirtualFolder
from tests.sim.loop import Process, VirtualLoop
from tests.sim.storage import JOURNAL, JournalOnFile


class Bench:
    """A disk, a loop, and a process that may be replaced."""

    def __init__(self, seed: int = 0) -> None:
        self.loop = VirtualLoop()
        self.folder = VirtualFolder(Random(seed), 0.01)
        self.process = Process(self.loop, "one", lambda error: None)

    def file(self):
        return self.folder.open("f", self.process)

    def run(self, work):
        return self.loop.run_until_complete(work)

    def content(self) -> bytes:
        process = Process(self.loop, "reader", lambda error: None)
        return self.folder.open("f", process).read(0, 1000)


@pytest.mark.parametrize("check", STORAGE_CONTRACT, ids=lambda check: check.__name__)
def test_storage_contract(check) -> None:
    bench = Bench()

    async def reopen():
        return JournalOnFile(bench.folder.open(JOURNAL, bench.process))

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
