"""The device's store in the browser and its sync with the hub, by the product's own way.

The metrics have the names under which other stores are measured, so that their figures can stand side by side. Each
insert is one `commit` of one person: validated, journalled with one flush, shown in its table, findable by eight keys
(chart number, ID, name, telephone, birth date, two for likely doubles, and any piece of its text).
"""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Playwright

from e2e.bench.hub_store import fill_hub
from e2e.bench.report import OURS, Report
from e2e.programs import ROOT, Hub
from e2e.screens import Desk, Tablet

SIZES = (1_000, 10_000, 50_000, 100_000)
BULK = 10_000
PATIENTS, DOSES = 100_000, 300_000
RAW = "raw OPFS"

# What runs in the worker. Record ids are spread like real ones.
PREPARE = (
    r"""
import asyncio, hashlib, json, os, random
from datetime import UTC, datetime
from time import perf_counter
from store.changes import ChangeDraft, ChangeKind, World
from store.device_database import DeviceDatabase
from ui import boot
from ui.browser_storage import open_opfs
WORLD = World(now=lambda: datetime.now(UTC), random_bytes=os.urandom)
SURNAMES, GIVEN = "陳林黃張李王吳劉蔡楊許鄭謝郭洪", "春舒大平明行小文志豪雅婷怡君家承恩宜芳"

def person(n):
    r = random.Random(n)
    payload = {
        "chart_number": f"{n:07d}", "sex": r.choice("12"),
        "name": r.choice(SURNAMES) + r.choice(GIVEN) + r.choice(GIVEN),
        "national_id": f"{r.choice('ABCDEFGH')}{r.randrange(100000000, 299999999)}", "id_type": "national",
        "birth_date": f"{r.randrange(1940, 2026)}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}",
        "phone": f"09{r.randrange(10**8):08d}", "four_corner_code": "3614",
        "address": f"臺中市南區復興路{r.randrange(500)}號之{r.randrange(30)}四樓",
        "birth_order": 1, "parity": 1, "plurality": 1,
    }
    return ChangeDraft(ChangeKind.REGISTER_PATIENT, hashlib.sha256(str(n).encode()).hexdigest()[:32], payload)

async def fill(database, start, end, step=250):
    for n in range(start, end, step):
        await database.commit([person(i) for i in range(n, min(end, n + step))], "bench")
        await asyncio.sleep(0.004)
    await database.settle()

async def single(database, start, count, pause=0.0):
    samples = []
    for n in range(start, start + count):
        draft = person(n)
        began = perf_counter()
        await database.commit([draft], "bench")
        samples.append((perf_counter() - began) * 1000)
        await asyncio.sleep(pause)
    return samples

async def bulk(name):
    database = await DeviceDatabase.open(await open_opfs(name), WORLD)
    drafts = [person(n) for n in range(BULK)]
    began = perf_counter()
    for start in range(0, BULK, 1000):
        await database.commit(drafts[start : start + 1000], "bench")
    seconds = perf_counter() - began
    await database.settle()
    settled = perf_counter() - began
    await database.close()
    return [seconds, settled]

def prefix(database, text):
    began = perf_counter()
    found = database.tables.patients.find_by_prefix("name", text, 50)
    return (perf_counter() - began) * 1000

async def raw(count):
    folder = await open_opfs("bench-raw")
    file, samples, data = await folder.open("raw"), [], bytes(600)
    for _ in range(count):
        began = perf_counter()
        await file.append(data)
        samples.append((perf_counter() - began) * 1000)
        await asyncio.sleep(0)
    await file.close()
    await folder.close()
    return samples
NAMES = [a + b for a in SURNAMES for b in GIVEN]
"""
    + f"BULK = {BULK}\nNone"
)


def measure_store(report: Report, playwright: Playwright, hub: Hub, folder: Path, runs: int) -> None:
    """Add inserting, opening and searching, on one device without the hub."""
    tablet = Tablet(playwright, folder / "store", hub.url, [])
    desk = ready(tablet)
    for run in range(runs):
        seconds, settled = json.loads(desk.python(f"json.dumps(await bulk('bulk-{run}'))"))
        report.add(OURS, f"bulk insert {BULK} (batches of 1000)", "s", [seconds], f"runs written after {settled:.2f} s")
    desk.python('db = await DeviceDatabase.open(await open_opfs("bench"), WORLD)\nNone')
    have = 0
    for size in SIZES:
        desk.python(f"await fill(db, {have}, {size})\nNone")
        have = size
        report.add(
            RAW, f"write 600 B + flush, beside @{size}", "ms", json.loads(desk.python("json.dumps(await raw(200))"))
        )
        samples = json.loads(desk.python(f"json.dumps(await single(db, {10**6 + size}, 200))"))
        report.add(OURS, f"single insert @{size}", "ms", samples, "one flush each")
        if size == 50_000:
            paced = json.loads(desk.python(f"json.dumps(await single(db, {2 * 10**6 + size}, 60, 0.05))"))
            report.add(OURS, f"single insert @{size}, 50 ms apart", "ms", paced)
            queries = json.loads(desk.python("json.dumps([prefix(db, name) for name in NAMES])"))
            report.add(OURS, f"prefix query @{size} (limit 50, warm)", "ms", queries, "50 records parsed")
            measure_opening(report, tablet, desk, "bench", str(size), runs)
            desk = ready(tablet)
            desk.python('db = await DeviceDatabase.open(await open_opfs("bench"), WORLD)\nNone')
    tablet.throw_away()


def measure_opening(report: Report, tablet: Tablet, desk: Desk, name: str, size: str, runs: int) -> None:
    """In new browser processes: Python is up, the store of this name is not. In the worker it is `db`."""
    desk.python("await asyncio.sleep(5)\nawait db.settle()\nawait db.close()")
    opens, firsts = [], []
    for _ in range(runs):
        tablet.close()
        desk = ready(tablet)
        opened, first = json.loads(
            desk.python(
                f'folder = await open_opfs("{name}")\nbegan = perf_counter()\n'
                "db = await DeviceDatabase.open(folder, WORLD)\nopened = (perf_counter() - began) * 1000\n"
                'first = prefix(db, "王春")\nawait db.close()\njson.dumps([opened, opened + first])'
            )
        )
        opens.append(opened)
        firsts.append(first)
    report.add(OURS, f"open @{size}", "ms", opens, "new browser process, Python up")
    report.add(OURS, f"open + first prefix query @{size}", "ms", firsts)
    tablet.close()


def measure_large(report: Report, playwright: Playwright, folder: Path, runs: int) -> None:
    """Add opening a device that holds what a hub of 100,000 patients and 300,000 doses gave it."""
    with filled_hub(folder / "large-hub") as hub:
        tablet = Tablet(playwright, folder / "large", hub.url, [])
        desk = ready(tablet)
        began = time.monotonic()
        desk.python(
            "from ui import browser\nfrom ui.sync_client import SyncClient\n"
            'db = await DeviceDatabase.open(await open_opfs("large"), WORLD)\n'
            "await SyncClient(db, browser, WORLD, lambda: None)._sync_all()\nNone"
        )
        size = f"{PATIENTS} patients + {DOSES} doses"
        report.add(OURS, f"pull {size} to a fresh device", "s", [time.monotonic() - began])
        held = json.loads(desk.python("json.dumps([len(db.tables.patients), len(db.tables.vaccinations)])"))
        assert held == [PATIENTS, DOSES], held
        measure_opening(report, tablet, desk, "large", size, runs)
        tablet.throw_away()


@contextmanager
def filled_hub(
    folder: Path, patients: int = PATIENTS, doses: int = DOSES, *, open_doses: int | None = None
) -> Iterator[Hub]:
    """A hub at work that already holds so many; `open_doses` as in `fill_hub`."""
    hub = Hub(folder, None, bundle=ROOT / ".build" / "bundle")
    data = folder / "data"
    data.mkdir(mode=0o700)
    with ThreadPoolExecutor(1) as beside:  # Playwright's own loop runs in this thread
        beside.submit(asyncio.run, fill_hub(data, patients, doses, open_doses=open_doses)).result()
    hub.start()
    try:
        yield hub
    finally:
        hub.kill()


def measure_sync(report: Report, playwright: Playwright, hub: Hub, folder: Path) -> None:
    """Add pushing, pulling, and one change from one device to another, with the bytes on the wire."""
    with counted(hub) as (url, count):
        one, two = (Tablet(playwright, folder / name, url, []) for name in ("push", "pull"))
        desk, other = ready(one), ready(two)
        for tablet, page in ((one, desk), (two, other)):
            page.python("state = boot.running()\nNone")
            tablet.cut_network()
        desk.python("for n in range(0, BULK, 1000): await state.commit([person(i) for i in range(n, n + 1000)])\nNone")
        before, began = count(), time.monotonic()
        one.mend_network()
        desk.python("state.sync.wake()\nwhile state.database.unsent: await asyncio.sleep(0.01)\nNone")
        report.add(OURS, f"push {BULK} device→server", "s", [time.monotonic() - began])
        report.add(OURS, f"push {BULK} wire bytes", "MB", [(count() - before) / 1e6])
        before, began = count(), time.monotonic()
        two.mend_network()
        everything = (
            f"state.sync.wake()\nwhile state.database.cursor < {hub.health()['head']}: await asyncio.sleep(0.01)"
        )
        other.python(f"{everything}\nNone")
        report.add(OURS, f"pull {BULK} server→fresh device", "s", [time.monotonic() - began])
        report.add(OURS, f"pull {BULK} wire bytes", "MB", [(count() - before) / 1e6])
        live = [one_change(desk, other, 3 * 10**6 + n) for n in range(20)]
        report.add(OURS, f"incremental 1 of {BULK}, live device A→server→device B", "ms", live)
        for tablet in (one, two):
            tablet.throw_away()


def one_change(desk: Desk, other: Desk, number: int) -> float:
    """Milliseconds from the tap on one device until the other has it, by the machine's clock."""
    other.python("there.clear()\nNone")
    began = desk.python(f"began = datetime.now(UTC).timestamp()\nawait state.commit([person({number})])\nbegan")
    # Waited for, not looked for again and again: that would keep the worker from what comes over the network.
    arrived = other.python("await there.wait()\narrived[0]")
    return (float(arrived) - float(began)) * 1000


def ready(tablet: Tablet) -> Desk:
    desk = tablet.open()
    desk.python(PREPARE)
    desk.python(
        "arrived, there = [0.0], asyncio.Event()\n"
        "def note(changes):\n    arrived[0] = datetime.now(UTC).timestamp()\n    there.set()\n"
        "boot.running().database.listen(note)\nNone"
    )
    return desk


@contextmanager
def counted(hub: Hub) -> Iterator[tuple[str, Callable[[], int]]]:
    """A wire to the hub that counts the bytes of both directions; gives its address and the count so far."""
    host, port = hub.url.split("//")[1].split(":")
    listener = socket.create_server(("127.0.0.1", 0))
    total = [0]

    def carry(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                total[0] += len(data)
                target.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def serve() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection((host, int(port)))
            for end in (near, far):  # else the wire, not the program, holds small pieces back for 40 ms
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for pair in ((near, far), (far, near)):
                threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", lambda: total[0]
    finally:
        listener.close()
