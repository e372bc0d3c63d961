"""One seed from beginning to end: staff work while things go wrong, then all is well, and all must come right."""

import asyncio
import gc
import itertools
import logging
import random
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from store.changes import HUB_MADE_KINDS
from store.protocol import SyncRequest
from sync import routes
from tests.sim import faults, invariants, storage
from tests.sim.cdc import Cdc
from tests.sim.faults import Faults
from tests.sim.ledger import Ledger
from tests.sim.loop import VirtualLoop
from tests.sim.machines import Device, Hub, Machine
from tests.sim.network import HubAnswer, Quality, Wire
from tests.sim.nurses import Labels, Nurse
from ui import sync_client

# After all misfortunes everything is told and verified within this. Longer than upload_queue.LONGEST_WAIT.
LONGEST_SETTLING_SECONDS = 3 * 3600.0
# And with no more work than this: nobody asks again and again without a pause.
MOST_SETTLING_STEPS = 200_000
_SHIFT_SECONDS = 3600.0
_COLLECTED_AFTER = 16  # worlds
_worlds = itertools.count(1)


@dataclass
class Outcome:
    """What came of one seed. `broken` is empty when every rule held."""

    seed: int
    broken: str
    steps: int
    seconds: float
    counts: dict[str, int]
    story: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kill:
    """Kill the first process of a machine after so many of its steps."""

    machine: str
    after_steps: int
    power_lost: bool


def play(
    seed: int,
    *,
    with_story: bool = False,
    only_faults: Sequence[str] | None = None,
    kill: Kill | None = None,
) -> Outcome:
    """Live through the world of `seed`.

    Shape: `only_faults` are all that happen, instead of what the seed draws.
    """
    loop = VirtualLoop()
    world = _Clinic(loop, seed, only_faults)
    world.kill = kill
    if with_story:
        world.ledger.story = []
    pages = random.Random(seed).choice((2, 7, 250))
    with _the_products_own_words(world.ledger), _its_own_chance(seed), _pages_of(pages):
        main = loop.create_task(world.live())
        world.ledger.when_broken = lambda: loop.call_soon(main.cancel)
        try:
            loop.run_until_complete(main)
        except asyncio.CancelledError:
            assert world.ledger.broken
        except Exception:  # noqa: BLE001 -- whatever it is, it must be told with its seed
            world.ledger.check(False, f"the simulation failed: {traceback.format_exc()}")
        finally:
            world.stop()
            loop.run_until_complete(_unwind())
            loop.close()
    return Outcome(seed, world.ledger.broken, loop.steps, loop.time(), world.ledger.counts, world.ledger.story or [])


class _Clinic:
    """The machines of one world and what happens to them."""

    kill: Kill | None = None

    def __init__(self, loop: VirtualLoop, seed: int, only_faults: Sequence[str] | None) -> None:
        self.loop = loop
        self._rng = rng = random.Random(seed)
        self.ledger = ledger = Ledger(loop)
        self.cdc = Cdc(loop, self._chance(), ledger)
        self._hub = Hub(loop, self._chance(), ledger, self._wire(), self.cdc, max_rows=rng.choice((2, 4, 50)))
        self._devices = [
            Device(f"device {n}", loop, self._chance(), ledger, self._wire(), self._hub)
            for n in range(1, rng.choice((1, 2, 2, 3)) + 1)
        ]
        upkeep = storage.Upkeep(rng.choice((5, 10, 20, 40)), rng.choice((1, 3, 10)), rng.choice((0.5, 2.0, 10.0)))
        for machine in (self._hub, *self._devices):
            machine.upkeep = upkeep
        labels, busy = Labels(), rng.choice((0.5, 3.0, 10.0))
        self._nurses = [Nurse(self._chance(), labels, busy, rng.choice((5, 8, 12, 30))) for _ in self._devices]
        for device, nurse in zip(self._devices, self._nurses, strict=True):
            device.work = nurse.work
        # Few kinds at a time, so that one does not hide what another would show.
        kinds = rng.sample(faults.KINDS, rng.choice((0, 1, 2, 3, 3, 4, len(faults.KINDS))))
        if only_faults is not None:
            kinds = list(only_faults)
        mean = max(2.0, busy * rng.choice((1.0, 3.0)))
        self._misfortunes: asyncio.Task[None] | None = None
        self._faults = Faults(loop, self._chance(), ledger, self._devices, self._hub, self.cdc, kinds, mean)
        ledger.tell("world", f"seed {seed}: {len(self._devices)} devices, misfortunes: {', '.join(kinds) or 'none'}")

    async def live(self) -> None:
        for machine in (self._hub, *self._devices):
            machine.switch_on()
            if self.kill is not None and machine.name == self.kill.machine:
                self._will_be_killed(machine, self.kill)
        self._misfortunes = asyncio.ensure_future(self._faults.run())
        until = self.loop.time() + _SHIFT_SECONDS
        while any(nurse.actions_left for nurse in self._nurses) and self.loop.time() < until:
            await asyncio.sleep(2.0)
            if self._hub.database is not None:
                invariants.check_working_hub(self.ledger, self._hub.database, self.cdc)
        await asyncio.sleep(self._rng.choice((0.0, 10.0, 120.0)))  # staff went home, misfortune did not
        self._faults.end()
        self._misfortunes.cancel()
        await self._settle()
        await self._tidy_up()
        await self._settle()
        self._check()
        for machine in (self._hub, *self._devices):
            if machine.process is not None:
                machine.process.kill_in = None  # from here on the test itself is at work
        await self._repeat_everything()
        await self._move_into_runs()
        self._check()
        await self._reopen()
        self._check()

    def stop(self) -> None:
        if self._misfortunes is not None:
            self._misfortunes.cancel()
        for machine in (self._hub, *self._devices):
            if machine.process is not None:
                machine.process.kill()

    # ---- the end

    async def _settle(self) -> None:
        """Wait until nothing is on its way; staff tap now and then, as they do."""
        until, pause = self.loop.time() + LONGEST_SETTLING_SECONDS, 1.0
        most_steps = self.loop.steps + MOST_SETTLING_STEPS
        while reason := self._why_not_quiet():
            self.ledger.check(self.loop.time() < until and self.loop.steps < most_steps, f"no end: {reason}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 60.0)
            if self._hub.worker is not None and pause > 30:
                self._hub.worker.wake()

    def _why_not_quiet(self) -> str:
        hub = self._hub.database
        if hub is None:
            return "the hub is not open"
        for device in self._devices:
            database = device.database
            if database is None:
                return f"{device.name} is not open"
            if database.unsent:
                return f"{device.name} has unsent changes"
            if database.cursor != hub.head:
                return f"{device.name} has read up to {database.cursor} of {hub.head}"
        return invariants.why_not_quiet(hub)

    async def _tidy_up(self) -> None:
        """Staff settle what stations disagreed on, and ask for some of what CDC refused."""
        device, nurse = self._devices[0], self._nurses[0]
        assert self._hub.database is not None
        vaccinations = self._hub.database.tables.vaccinations
        for document in vaccinations.find_by("upload_state", "refused"):
            self.cdc.learn(document["manufacturer"])

        async def tidy_up() -> None:
            for work in ("settle", "ask again", "record", "settle", "ask again", "record"):
                await nurse.act(device, work)

        assert device.process is not None
        device.process.start(tidy_up())
        await asyncio.sleep(1.0)

    def _check(self) -> None:
        devices = [(one.name, one.database) for one in self._devices if one.database is not None]
        assert self._hub.database is not None
        assert len(devices) == len(self._devices)
        invariants.check_quiet_world(self.ledger, self._hub.database, devices, self.cdc)

    async def _repeat_everything(self) -> None:
        """All that was ever pushed is pushed once more: nothing changes."""
        hub = self._hub
        assert hub.database is not None
        head = hub.database.head
        changes = [one.change for one in storage.hub_log(hub.database) if one.change.kind not in HUB_MADE_KINDS]
        own_id = "0" * 32
        request = SyncRequest(device_id=own_id, generation=own_id, after=head, changes=changes)
        answers: list[HubAnswer] = []
        for _ in range(2):  # a hub that is killed just then, as asked, answers the second time
            if not answers:
                hub.serve("POST", "/api/sync", request.model_dump_json().encode(), answers.append)
                await asyncio.sleep(1.0)
        told = [answer and answer[0] for answer in answers]
        self.ledger.check(told == [200], f"the hub answers {told} when all is pushed again")
        self.ledger.check(hub.database.head == head, "the hub numbers anew what is pushed again")

    async def _move_into_runs(self) -> None:
        """A store whose disk is well can always move what its journals hold into runs, and shows the same after it."""
        for machine in (self._hub, *self._devices):
            assert machine.database is not None
            await machine.database.settle()
            before = storage.shown(machine.database)
            try:
                await machine.database.checkpoint()
                await machine.database.checkpoint()  # the first may have done the work of one that failed
            except Exception:  # noqa: BLE001 -- whatever it is
                self.ledger.check(False, f"{machine.name} cannot move its journal into runs: {traceback.format_exc()}")
            self.ledger.check(not machine.database.newer_records(), f"{machine.name}: records stay outside of runs")
            same = storage.shown(machine.database) == before
            self.ledger.check(same, f"{machine.name}: moving the journal into runs changed what the tables show")
            self.ledger.count("merges", storage.merges_of(machine.database))

    async def _reopen(self) -> None:
        """What the disks hold is what was shown: everybody loses power, and nothing changes."""
        for machine in (self._hub, *self._devices):
            machine.crash(power_lost=True, back_in=0.001)
        await self._settle()

    # ---- small parts

    def _will_be_killed(self, machine: Machine, kill: Kill) -> None:
        def crash() -> None:
            self.ledger.count("killed as asked")
            machine.crash(kill.power_lost, back_in=0.5)

        assert machine.process is not None
        machine.process.kill_after(kill.after_steps, crash)

    def _chance(self) -> random.Random:
        return random.Random(self._rng.getrandbits(64))

    def _wire(self) -> Wire:
        rng = self._rng
        quality = Quality(jitter=rng.choice((0.0, 0.2)), loss=rng.choice((0.0, 0.0, 0.1)))
        return Wire(self.loop, self._chance(), quality)


async def _unwind() -> None:
    """Let the tasks of the killed come to their ends."""
    for _ in range(20):
        await asyncio.sleep(0)


# ---- what the product takes from its process


@contextmanager
def _its_own_chance(seed: int) -> Iterator[None]:
    """The sync client spreads its retries with the module's chance, and freezes what it has read."""
    before = random.getstate()
    random.seed(seed)
    gc.disable()  # one world is small; looking for what is over while it lives took a seventh of the time
    try:
        yield
    finally:
        random.setstate(before)
        gc.unfreeze()
        gc.enable()
        if next(_worlds) % _COLLECTED_AFTER == 0:
            gc.collect()  # what was frozen would be left lying otherwise: thousands of worlds took gigabytes


@contextmanager
def _pages_of(count: int) -> Iterator[None]:
    """Small pages, so that a small world needs several."""
    before = sync_client.PUSH_CHANGES, routes.MAX_PULL_CHANGES
    sync_client.PUSH_CHANGES = routes.MAX_PULL_CHANGES = count
    try:
        yield
    finally:
        sync_client.PUSH_CHANGES, routes.MAX_PULL_CHANGES = before


@contextmanager
def _the_products_own_words(ledger: Ledger) -> Iterator[None]:
    """A bug that the product catches and logs ends the world too; everything else it logs is of no interest here."""
    listener = _BugListener(ledger)
    loggers = [logging.getLogger(name) for name in ("store", "sync", "ui")]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
        logger.propagate = False
        logger.addHandler(listener)
    try:
        yield
    finally:
        for logger, level, propagate in before:
            logger.removeHandler(listener)
            logger.setLevel(level)
            logger.propagate = propagate


class _BugListener(logging.Handler):
    def __init__(self, ledger: Ledger) -> None:
        super().__init__(logging.ERROR)
        self._ledger = ledger

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        first = text.split("\n")[0]
        if first.startswith("no run could be written: Storage"):
            self._ledger.count("checkpoints refused")
        elif "storage_f" not in first and ": Storage" not in first:
            self._ledger.check(False, f"a bug, logged by {record.name}: {text}")
