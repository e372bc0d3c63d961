"""A device beside a hub with a real store: the line between them and the hub's line to CDC are the test's to break."""

from datetime import datetime, timedelta
from typing import Any

from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.hub_database import HubDatabase
from store.protocol import MAX_PULL_CHANGES, CdcLinkState, HubStatus, SyncRequest
from store.storage import MemoryFolder
from tests.factories import make_patient, make_vaccination
from tests.worlds import Clock, make_world
from ui.state import AppState
from ui.sync_client import NetworkFailed

ACCEPTED = {"severity": "information", "code": "I00000", "text": "作業完成"}


class Clinic:
    """What a hub does about uploads, said step by step."""

    def __init__(self) -> None:
        self.is_away = False
        self.wakes = 0
        self.has_no_network = False
        self.refusal = ""  # the code with which the hub answers a tap
        self.status = HubStatus(cdc=CdcLinkState.CONNECTED, cdc_since=datetime.fromisoformat("2026-11-23T08:00+08:00"))

    async def open(self) -> AppState:
        self.clock = Clock()
        self.hub = await HubDatabase.open(MemoryFolder(), make_world(self.clock))
        world = make_world(self.clock)
        self.state = AppState(await DeviceDatabase.open(MemoryFolder(), world), world, self)
        await self.register()
        return self.state

    # ---- the network, as the device sees it

    async def fetch(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        if self.is_away:
            raise NetworkFailed("offline")
        if path == "/api/sync":
            request = SyncRequest.model_validate_json(body or b"")
            answer = await self.hub.answer(request, MAX_PULL_CHANGES, self.status)
            return 200, {}, answer.model_dump_json().encode()
        if path != "/api/cdc/wake":
            return 404, {}, b""
        if self.refusal:
            return 409, {}, b'{"error": {"code": "%s"}}' % self.refusal.encode()
        self.wakes += 1
        stopped = self.status.cdc is CdcLinkState.REFUSED_KEY
        tried = {"cdc": CdcLinkState.UNKNOWN if stopped else self.status.cdc, "cdc_again_at": None}
        self.status = self.status.model_copy(update=tried)
        return 202, {}, self.status.model_dump_json().encode()

    def event_stream(self, *_: object) -> None:
        pass

    def is_online(self) -> bool:
        return not self.has_no_network

    # ---- what staff and CDC do

    async def register(self, **fields: Any) -> str:
        person = make_patient(**fields)
        payload = person.model_dump(mode="json", exclude={"record_id"})
        await self.state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, person.record_id, payload)])
        return person.record_id

    async def give(self, number: int = 1, **fields: Any) -> str:
        """Record a dose; its record id ends in `number`."""
        dose = make_vaccination(record_id=f"{number:032x}", **{"vaccination_date": self.state.today(), **fields})
        payload = dose.model_dump(mode="json", exclude={"record_id"})
        await self.state.commit([ChangeDraft(ChangeKind.RECORD_VACCINATION, dose.record_id, payload)])
        return dose.record_id

    async def sends(self, batch_id: str, *record_ids: str) -> None:
        """What the device has recorded reaches the hub, and leaves it."""
        await self.state.sync.sync_now()
        rows = []
        for record_id in record_ids:
            document = self.hub.tables.vaccinations.at(record_id)
            known = {name: document[name] for name in ("record_id", "revision", "identity")}
            rows.append({**known, "method": "POST"})
        await self._hub_makes(ChangeKind.UPLOAD_SENT, batch_id, {"rows": rows})

    async def cdc_accepts(self, batch_id: str, message: Any = ACCEPTED, minutes: float = 10) -> None:
        due_at = (self.state.world.now() + timedelta(minutes=minutes)).isoformat()
        await self._hub_makes(ChangeKind.UPLOAD_ACCEPTED, batch_id, {"due_at": due_at, "message": message})

    async def cdc_judges(self, batch_id: str, **by_record: dict[str, str] | None) -> None:
        """By record id with an "r" before it: CDC's words at a refusal, or None where it is verified."""
        results = [
            {"record_id": name[1:], "verified": words is None, **(words or {"code": "I00001", "text": "新增成功"})}
            for name, words in by_record.items()
        ]
        await self._hub_makes(ChangeKind.VERIFICATION_RECEIVED, batch_id, {"results": results})

    async def line(self, state: CdcLinkState, detail: str = "", *, rests: bool = True) -> None:
        """How the hub's line to CDC stands from now on."""
        now = self.state.world.now()
        again_at = now + timedelta(minutes=5) if rests else None
        told = {"cdc": state, "cdc_detail": detail, "cdc_since": now, "cdc_again_at": again_at}
        self.status = self.status.model_copy(update=told)
        await self.state.sync.sync_now()

    async def _hub_makes(self, kind: ChangeKind, batch_id: str, payload: dict[str, Any]) -> None:
        await self.hub.commit([ChangeDraft(kind, batch_id, payload)], made_by="hub")
        await self.state.sync.sync_now()
