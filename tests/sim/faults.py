"""What goes wrong, drawn from the seed: each world has some kinds of misfortune, and in the end none any more."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.sim import storage
from tests.sim.cdc import ILLS, Cdc
from tests.sim.disk import Snapshot, Trouble
from tests.sim.ledger import Ledger
from tests.sim.loop import Process, VirtualLoop
from tests.sim.machines import Device, Hub, Machine
from tests.sim.network import PERFECT, Quality

KINDS = (
    "crash",
    "crash in a write",
    "kill, then power cut",
    "power cut",
    "takeover",
    "disk",
    "partition",
    "wire",
    "clock",
    "cdc",
    "wipe",
    "restore device",
    "restore hub",
)
# What only the writing of a run holds, of its publishing, of a new journal.
_UPKEEP = (b"VACRUN1", b'"e":"runs"', b'"e":"store"')
_TROUBLES = [trouble for trouble in Trouble if trouble is not Trouble.NONE]
_SKEWS = (-400 * 86400.0, -7200.0 * 3, -300.0, -5.0, 0.0, 5.0, 300.0, 86400.0)


@dataclass
class Faults:
    """The misfortunes of one world."""

    loop: VirtualLoop
    rng: Random
    ledger: Ledger
    devices: Sequence[Device]
    hub: Hub
    cdc: Cdc
    kinds: Sequence[str]
    mean_seconds: float

    def __post_init__(self) -> None:
        self._backups: dict[str, Snapshot] = {}
        self._is_over = False
        self._to_be_killed: list[Process] = []
        self._machines: list[Machine] = [self.hub, *self.devices]

    async def run(self) -> None:
        """Misfortune after misfortune, until `end`."""
        by_kind: dict[str, Callable[[], None]] = {
            "crash": self._crash,
            "crash in a write": self._crash_in_a_write,
            "power cut": self._power_cut,
            "takeover": self._takeover,
            "disk": self._disk,
            "partition": self._partition,
            "wire": self._wire,
            "clock": self._clock,
            "cdc": self._cdc,
            "wipe": self._wipe,
            "restore device": self._restore_device,
            "restore hub": self._restore_hub,
            "kill, then power cut": self._kill_then_power_cut,
        }
        for kind in ("cdc", "clock", "wire", "wire"):
            if kind in self.kinds:
                by_kind[kind]()
        while self.kinds and not self._is_over:
            await asyncio.sleep(self.rng.expovariate(1 / self.mean_seconds))
            if not self._is_over:
                by_kind[self.rng.choice(self.kinds)]()

    def end(self) -> None:
        """From now on all is well: lines, disks, CDC; what was off is on."""
        self._is_over = True
        self.ledger.tell("world", "misfortunes end")
        for machine in self._machines:
            machine.folder.trouble, machine.folder.on_next_write = Trouble.NONE, None
            if machine.process is not None and machine.process in self._to_be_killed:
                machine.process.kill_in = None
            machine.switch_on()
        for wire in (self.hub.wire, *(device.wire for device in self.devices)):
            wire.quality = PERFECT
            wire.switch(True)
        self.cdc.behave()

    # ---- one each

    def _crash(self) -> None:
        """At any await: after so many more steps of the program."""
        machine, steps = self._machine(), self.rng.randint(0, 90)
        power_lost, back_in = self.rng.random() < 0.5, self._short()
        if machine.process is not None:
            self._to_be_killed.append(machine.process)
            machine.process.kill_after(steps, lambda: machine.crash(power_lost, back_in))

    def _crash_in_a_write(self) -> None:
        power_lost, back_in = self.rng.random() < 0.5, self._short()
        self._in_next_write(self._machine(), lambda machine: machine.crash(power_lost, back_in))

    def _kill_then_power_cut(self) -> None:
        """The program is killed between write and flush and starts again; then the power goes."""

        def kill(machine: Machine) -> None:
            machine.crash(power_lost=False, back_in=0.001, cached=True)
            self.loop.later(self._long(), lambda: self._is_over or machine.crash(power_lost=True, back_in=1.0))

        self._in_next_write(self._machine(), kill)

    def _in_next_write(self, machine: Machine, kill: Callable[[Machine], None]) -> None:
        share = self.rng.random()

        def soon() -> None:
            process = machine.process
            seconds = share * machine.folder.longest_write_seconds
            self.loop.later(seconds, lambda: kill(machine) if machine.process is process else None)

        machine.folder.on_next_write = soon
        machine.folder.next_write_holds = self.rng.choice((b"", b"", *_UPKEEP))

    def _power_cut(self) -> None:
        """The whole clinic at once."""
        for machine in self._machines:
            machine.crash(power_lost=True, back_in=self._short())

    def _takeover(self) -> None:
        """The leading tab is closed; the one that waited opens the store at once."""
        self.rng.choice(self.devices).crash(power_lost=False, back_in=0.001)

    def _disk(self) -> None:
        machine, trouble = self._machine(), self.rng.choice(_TROUBLES)
        self.ledger.tell(machine.name, f"disk: {trouble}")
        machine.folder.trouble = trouble

        def better() -> None:
            machine.folder.trouble = Trouble.NONE

        self.loop.later(self._long(), better)

    def _partition(self) -> None:
        wire, name = self.rng.choice([(self.hub.wire, "cdc"), *((one.wire, one.name) for one in self.devices)])
        self.ledger.tell(name, "the line is cut")
        wire.switch(False)
        self.loop.later(self._long(), lambda: wire.switch(True))

    def _wire(self) -> None:
        rng = self.rng
        wire = rng.choice([self.hub.wire, *(one.wire for one in self.devices)])
        quality = Quality(
            latency=rng.choice((0.001, 0.01, 0.3)),
            jitter=rng.choice((0.0, 0.5, 5.0)),
            loss=rng.choice((0.0, 0.1, 0.4)),
            duplication=rng.choice((0.0, 0.3)),
            strays=rng.choice((0.0, 0.0, 0.2)),
        )
        self.ledger.tell("world", f"a line becomes {quality}")
        wire.quality = quality

    def _clock(self) -> None:
        machine = self._machine()
        machine.skew_seconds = self.rng.choice(_SKEWS)
        self.ledger.tell(machine.name, f"the clock is set {machine.skew_seconds:+.0f} s off")

    def _cdc(self) -> None:
        rng, cdc = self.rng, self.cdc
        cdc.ill_share, cdc.refusing_share = rng.choice((0.0, 0.4, 0.8)), rng.choice((0.0, 0.3, 0.6))
        cdc.longest_verdict = rng.choice((0.0, 30.0, 100_000.0))
        cdc.ills = rng.sample(ILLS, rng.randint(1, len(ILLS)))
        self.ledger.tell("cdc", f"ill {cdc.ill_share} with {', '.join(cdc.ills)}; refuses {cdc.refusing_share}")

    def _wipe(self) -> None:
        self._replace(self.rng.choice(self.devices), {}, "the store is evicted")

    def _restore_device(self) -> None:
        device = self.rng.choice(self.devices)
        if device.name in self._backups and self.rng.random() < 0.5:
            self._replace(device, self._backups[device.name], "an older copy is put back")
            self.ledger.count("devices put back")
        else:
            self._backups[device.name] = device.folder.snapshot()

    def _restore_hub(self) -> None:
        hub = self.hub
        if hub.name in self._backups and self.rng.random() < 0.5:
            if hub.database is None:
                return  # nobody could say what is lost
            log = storage.hub_log(hub.database)
            hub.crash(power_lost=False, back_in=1.0)
            hub.folder.replace(self._backups[hub.name])
            self.ledger.tell(hub.name, "an older copy is put back")
            self.ledger.count("hubs put back")
            self.ledger.hub_was_restored(log)
        else:
            self._backups[hub.name] = hub.folder.snapshot()

    # ---- small parts

    def _replace(self, device: Device, snapshot: Snapshot, how: str) -> None:
        device.crash(power_lost=False, back_in=1.0)
        device.folder.replace(snapshot)
        self.ledger.tell(device.name, how)
        self.ledger.device_was_replaced(device.name)

    def _machine(self) -> Machine:
        return self.rng.choice(self._machines)

    def _short(self) -> float:
        return self.rng.choice((0.001, 0.5, 5.0))

    def _long(self) -> float:
        return self.rng.expovariate(1 / 20.0)
