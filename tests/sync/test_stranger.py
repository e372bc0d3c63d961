"""Five thousand requests of a stranger to every route of a hub with staff, right and wrong: nothing comes of it."""

import asyncio
import gc
import json
import logging
import random
import ssl
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import BaseModel

import sync.app
from store.access_protocol import (
    EnrolRequest,
    FirstManager,
    HandOverRequest,
    NameDevice,
    PasswordChange,
    PcCodeRequest,
    RevokeDevice,
    SessionRequest,
    SetStaff,
    SignInRequest,
)
from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.protocol import (
    HistoryRequest,
    PeopleRequest,
    ReceiptRequest,
    ReceiptsRequest,
    SearchRequest,
    SnapshotRequest,
    StaffRequest,
    SyncRequest,
)
from store.roles import Role
from sync import rate_gate
from tests.factories import make_patient, make_vaccination
from tests.sync.running_hub import make_device
from tests.sync.staff_and_devices import MANAGER, PASSWORD, DeskDevice, Devices, first_manager
from tests.sync.stranger import Asked, Stranger, answer_to, status_of
from tests.sync.test_access_gate import filled, routes_of
from tests.sync.test_lan import Clinic, clinic

SEED = 20261129
REQUESTS = 5000
WARM_UP = 1000
AT_ONCE = 8
MOST_BYTES_PER_REQUEST = 250
PEOPLE = 30
NO_SNAPSHOT = "0" * 64  # in the paths that `filled` makes


@dataclass
class Attacked:
    """A hub with staff and people on the network. Shape: `planted` is what must never be answered."""

    clinic: Clinic
    manager: DeskDevice
    store: DeviceDatabase
    context: ssl.SSLContext
    planted: list[bytes]
    routes: list[tuple[str, str]]
    messages: dict[str, bytes]
    statuses: Counter[int] = field(default_factory=Counter)

    def leaks(self, answer: bytes) -> list[bytes]:
        return [one for one in self.planted if one in answer]

    async def bear(self, requests: Sequence[Asked]) -> None:
        """Ask all of it, some at once: over TLS as a tablet, and without it as a program on the clinic PC."""
        chance = random.Random(SEED)
        waiting = iter([(asked, chance.random() < 0.5) for asked in requests])

        async def ask() -> None:
            for asked, is_secure in waiting:
                port = self.clinic.port if is_secure else self.clinic.hub.port
                answer = await answer_to(asked, port, self.context if is_secure else None)
                status = status_of(answer)
                self.statuses[status] += 1
                assert status < 500 or status == 503, (asked.raw[:300], answer[:300])
                assert not self.leaks(answer), asked.raw[:300]

        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))


@asynccontextmanager
async def attacked(folder: Path, monkeypatch: pytest.MonkeyPatch, *, accounts: bool = True) -> AsyncIterator[Attacked]:
    # What is asked too often would else be answered by that gate alone.
    monkeypatch.setattr(rate_gate, "REQUESTS_PER_SECOND", 1e9)
    async with clinic(folder) as running, Devices() as devices:
        hub, store = running.hub, await make_device()
        drafts, planted = planted_people()
        await store.commit(drafts, made_by=MANAGER)
        await hub.sync(store)
        hub.snapshots.far_behind = 0
        offered = await hub.post("/api/snapshot", SnapshotRequest(after=0, anew=True).model_dump_json().encode())
        sha256 = json.loads(await offered.read())["offer"]["sha256"]
        manager = DeskDevice(hub.url)
        if accounts:
            manager = devices.keep(await first_manager(hub.url))
            await manager.set_staff("陳護理師", [Role.RECORDER])
            planted += ["陳護理師".encode(), manager.data_key.encode(), manager.token_by_staff[MANAGER].encode()]
        routes = [
            (method if method != "*" else "POST", filled(path).replace(NO_SNAPSHOT, sha256))
            for method, path in routes_of(hub)
        ]
        yield Attacked(running, manager, store, await running.trusting(), planted, routes, messages(store, manager))


def planted_people() -> tuple[list[ChangeDraft], list[bytes]]:
    """People with a dose each, and all that is theirs as it might stand in an answer."""
    drafts, words = list[ChangeDraft](), list[str]()
    for number in range(PEOPLE):
        record_id, dose_id = f"{number + 1:032x}", f"{number + 1:x}".rjust(32, "d")
        mine = {"name": f"植入{number}號", "chart_number": f"PLANT{number:03}", "phone": f"09888{number:05}"}
        mine |= {"address": f"祕密路{number}號", "national_id": f"A9{number:08}"}
        person = make_patient(record_id=record_id, **mine)
        payload = person.model_dump(mode="json", exclude={"record_id"})
        drafts.append(ChangeDraft(ChangeKind.REGISTER_PATIENT, record_id, payload))
        dose = make_vaccination(record_id=dose_id, patient_id=record_id, lot_number=f"PLANTEDLOT{number}")
        payload = dose.model_dump(mode="json", exclude={"record_id"})
        drafts.append(ChangeDraft(ChangeKind.RECORD_VACCINATION, dose_id, payload))
        words += [*mine.values(), f"PLANTEDLOT{number}"]
    words += [json.dumps(word)[1:-1] for word in words if not word.isascii()]
    return drafts, [word.encode() for word in words]


def messages(store: DeviceDatabase, manager: DeskDevice) -> dict[str, bytes]:
    """For each route what it takes, about people and devices that there are."""
    someone, signed = f"{1:032x}", {"challenge": "c" * 43, "signature": "s" * 86}
    device = {"device_id": manager.device_id, **signed}
    pull = SyncRequest(device_id=store.device_id, generation=store.generation, after=0, changes=[])
    all_of_them: dict[str, BaseModel] = {
        "/api/sync": pull,
        "/api/search": SearchRequest(typed="植入"),
        "/api/people": PeopleRequest(patient_ids=[someone]),
        "/api/snapshot": SnapshotRequest(after=0, anew=True),
        "/api/cdc/wake": StaffRequest(),
        "/api/cdc/stock": StaffRequest(),
        "/api/cdc/stock/upload": StaffRequest(),
        "/api/cdc/exams/upload": StaffRequest(),
        "/api/cdc/history": HistoryRequest(record_id=someone),
        "/api/receipts": ReceiptsRequest(),
        "/api/receipts/one": ReceiptRequest(number=1),
        "/api/access/first": FirstManager(staff_id="Eve", password=PASSWORD),
        "/api/access/pc-code": PcCodeRequest(staff_id=MANAGER, password="not this one"),
        "/api/access/enrol": EnrolRequest(
            code="12345678", device_id="e" * 32, name="Eve", public_key="A" * 87, data_key="B" * 43
        ),
        "/api/access/sign-in": SignInRequest(**device, staff_id=MANAGER, password="not this one"),
        "/api/access/session": SessionRequest(**device, staff_id=MANAGER, staff_token="t" * 43),
        "/api/access/hand-over": HandOverRequest(**device, request=pull),
        "/api/access/staff": SetStaff(staff_id="Eve", roles=list(Role), password=PASSWORD, is_new=True),
        "/api/access/password": PasswordChange(old=PASSWORD, new="another good one"),
        "/api/access/devices/name": NameDevice(device_id=manager.device_id, name="Eve"),
        "/api/access/devices/revoke": RevokeDevice(device_id=manager.device_id),
    }
    return {path: one.model_dump_json().encode() for path, one in all_of_them.items()}


async def growth_per_request(hub: Attacked, requests: Sequence[Asked], warm_up: int) -> float:
    """Bytes that stay, of Python's own, after `warm_up` of them have filled every cache there is."""
    tracemalloc.start()
    try:
        await hub.bear(requests[:warm_up])
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        await hub.bear(requests[warm_up:])
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / (len(requests) - warm_up)


@contextmanager
def all_logged(file: Path) -> Iterator[None]:
    """All that the hub and its libraries say, into a file: what a test keeps in memory would count as the hub's."""
    root, handler = logging.getLogger(), logging.FileHandler(file, encoding="utf-8")
    before, level = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        handler.close()


@pytest.mark.timeout(500)
async def test_a_stranger_gets_nothing_breaks_nothing_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with attacked(tmp_path, monkeypatch) as hub:
        known, head = hub.clinic.hub.hub.access.known, hub.clinic.hub.database.head
        requests = list(Stranger(SEED, f"127.0.0.1:{hub.clinic.port}", hub.routes, hub.messages).requests(REQUESTS))

        with all_logged(tmp_path / "log"):
            grown = await growth_per_request(hub, requests, WARM_UP)

        assert grown < MOST_BYTES_PER_REQUEST
        assert hub.statuses.keys() >= {200, 400, 401, 404, 405, 413, 415, 421, 429}, hub.statuses
        assert hub.clinic.hub.database.head == head
        now = hub.clinic.hub.hub.access.known
        assert (now.accounts.keys(), now.devices.keys()) == (known.accounts.keys(), known.devices.keys())
        # It still works for those whose it is, over the same doors.
        found = await hub.manager.post("/api/search", SearchRequest(typed="植入1號"))
        assert hub.leaks(await found.read())
        logged = (tmp_path / "log").read_bytes()
        assert logged.count(b"POST /api/search 401") > 5
        assert not hub.leaks(logged)


# ---- that all this would see it


async def test_a_hub_without_staff_is_seen_to_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with attacked(tmp_path, monkeypatch, accounts=False) as hub:
        # One of the others makes the first account, and then nothing leaks any more.
        routes = [(method, path) for method, path in hub.routes if not path.startswith("/api/access/")]
        requests = Stranger(SEED, f"127.0.0.1:{hub.clinic.port}", routes, hub.messages).requests(200)
        with pytest.raises(AssertionError):
            await hub.bear(list(requests))


async def test_a_bug_that_a_request_finds_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: web.Request) -> web.Response:
        raise KeyError("x")

    monkeypatch.setattr(sync.app, "add_access", lambda app: app.router.add_get("/api/access/state", broken))
    async with attacked(tmp_path, monkeypatch, accounts=False) as hub:
        raw = f"GET /api/access/state HTTP/1.1\r\nHost: 127.0.0.1:{hub.clinic.port}\r\nConnection: close\r\n\r\n"
        with pytest.raises(AssertionError, match="500"):
            await hub.bear([Asked(raw.encode(), is_whole=True)])


async def test_a_hub_that_keeps_what_it_was_asked_is_seen_to_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[bytes] = []
    make = rate_gate.make_rate_gate

    def keeping(*arguments: object) -> object:
        gate = make()

        @web.middleware
        async def keep(request: web.Request, handler: object) -> web.StreamResponse:
            kept.append(bytes(1000))
            return await gate(request, handler)  # type: ignore[arg-type]

        return keep

    monkeypatch.setattr(sync.app, "make_rate_gate", keeping)
    async with attacked(tmp_path, monkeypatch) as hub:
        raw = f"GET /api/nothing HTTP/1.1\r\nHost: 127.0.0.1:{hub.clinic.port}\r\nConnection: close\r\n\r\n"
        requests = [Asked(raw.encode(), is_whole=True)] * 400
        assert await growth_per_request(hub, requests, 200) > MOST_BYTES_PER_REQUEST
