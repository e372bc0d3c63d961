"""CDC as it must not be: a server on a real port that spoils the fake CDC's answers, and one hub that asks it.

Shape: every answer has a seed of its own, which with the answer of the fake CDC gives the very bytes again.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from e2e.fake_cdc.cdc import Answer, Cdc
from e2e.fake_cdc.consumption import is_consumption
from e2e.fake_cdc.history import read_seed
from e2e.fake_cdc.outcomes import RequestRefused, refusal_outcome
from e2e.fake_cdc.scenarios import NORMAL, Rule
from e2e.fake_cdc.signature import Gate
from store.changes import ChangeDraft, ChangeKind, World
from store.hub_database import HubDatabase
from store.storage import MemoryFolder
from sync.cdc_client import CdcClient
from sync.exams import ExamDesk
from sync.history import HistoryDesk
from sync.stock import StockDesk
from sync.worker import CdcWorker
from tests.factories import PATIENT_ID, make_patient
from tests.sync.cdc_stand import ORG_ID, make_settings
from tests.sync.spoiled_answers import PRIVATE, Wire, plain, spoil

_NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)


@dataclass
class Answered:
    """One answer as it went out."""

    seed: str
    kind: str
    wire: Wire


@dataclass
class Server:
    """CDC on a port: the fake one's answers, spoiled while `spoils`."""

    cdc: Cdc
    kind: str
    spoils: bool = False
    calm: int = 0  # so many answers more as they are
    made: int = 0
    _others: list[bytes] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    port: int = 0
    first: int = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            _, path, _ = head.split("\r\n")[0].split(" ")
            told = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(told[1]) if told else 0)
            writer.write(self._answer(path, body))
            await writer.drain()
        except ConnectionError:
            pass  # the client had enough
        finally:
            writer.close()

    def _answer(self, path: str, body: bytes) -> bytes:
        seed = f"{self.kind} {self.first + self.made}"
        chance = Random(seed)
        kind, ask = self._question(path, body)
        rule = Rule("", chance.choice(_SCENARIOS[kind]), nth=chance.randint(1, 3)) if self.spoils else NORMAL
        try:
            answer = ask(rule)
        except RequestRefused as refused:
            answer = Answer(refused.status, refusal_outcome(refused.refusal))
        wire = plain(answer.status, answer.content)
        if self.spoils and self.calm:
            self.calm -= 1
        elif self.spoils:
            self.made += 1
            if chance.random() < 0.6:
                answer.content.pop("total", None)  # the contract does not promise it
            wire = spoil(answer.status, answer.content, chance, self._others[-30:], big=self.made % 5 == 0)
            self._others.append(plain(200, answer.content).body)
        self.answers.append(Answered(seed, kind, wire))
        return wire.sent

    def _question(self, path: str, body: bytes) -> tuple[str, Callable[[Rule], Answer]]:
        """Which exchange it is, and what the fake CDC answers to it."""
        cdc, url = self.cdc, urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.endswith("/$confirm"):
            return "confirm", lambda rule: cdc.confirm(ORG_ID, url.path.split("/")[-2], rule)
        if url.path == "/fhir/SupplyDelivery":
            to_page = "http://cdc/fhir/SupplyDelivery?destination.identifier=" + ORG_ID + "&page={}"
            asked = query.get("destination.identifier"), query.get("page", "1")
            return "stock", lambda _: cdc.stock(ORG_ID, *asked, to_page.format)
        if url.path == "/fhir/Immunization":
            person = query.get("patient.identifier"), query.get("patient.birthdate")
            return "history", lambda rule: cdc.history(*person, rule)
        if url.path == "/fhir/UpldExamRslt":
            return "exams", lambda rule: cdc.report_exams(ORG_ID, body, rule)
        if is_consumption(body):
            return "consumption", lambda rule: cdc.consume(ORG_ID, body, rule)
        return "upload", lambda rule: cdc.upload(ORG_ID, body, rule)


_SCENARIOS = {
    "upload": ("normal", "normal", "refuse_row", "refuse_batch", "month_closed", "unknown_code"),
    "confirm": ("normal", "normal", "normal", "processing_202", "entry_missing", "unknown_code"),
    "stock": ("normal",),
    "consumption": ("normal", "refuse_row", "refuse_batch", "month_closed"),
    "history": ("normal", "history_unknown_vaccine", "history_missing_lot", "history_before_birth"),
    "exams": ("normal", "normal", "refuse_batch"),
}


class Logs(logging.Handler):
    """What the hub logs: nothing of a person, and no bug."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.bad: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if record.levelno >= logging.ERROR or any(word in text for word in PRIVATE):
            self.bad.append(text)


@contextmanager
def all_logs() -> Iterator[Logs]:
    logs, names = Logs(), ("sync", "store", "aiohttp", "asyncio")
    before = [logging.getLogger(name).level for name in names]
    for name in names:
        logging.getLogger(name).addHandler(logs)
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield logs
    for name, level in zip(names, before, strict=True):
        logging.getLogger(name).removeHandler(logs)
        logging.getLogger(name).setLevel(level)


class Clinic:
    """One hub in memory, with everything that talks to CDC, and a clock that only the test moves."""

    def __init__(self, server: Server, logs: Logs) -> None:
        self.now = _NOON
        self.server, self.logs = server, logs
        chance = Random(f"clinic {server.first}")
        self.world = World(now=lambda: self.now, random_bytes=chance.randbytes)
        self.chance = chance
        self.database: HubDatabase

    async def open(self) -> None:
        self.database = await HubDatabase.open(MemoryFolder(), self.world)
        self.tables = self.database.tables
        settings = make_settings(f"http://127.0.0.1:{self.server.port}/fhir", retry_cap_seconds=900.0)
        self.client = CdcClient(settings, self.world)
        self.worker = CdcWorker(self.database, self.client, settings, self.world)
        self.stock = StockDesk(self.database, self.client, settings, self.world)
        self.exams = ExamDesk(self.database, self.client, settings, self.world)
        self.history = HistoryDesk(self.database, self.client, self.world)
        patient = make_patient().model_dump(mode="json", exclude={"record_id"})
        await self.commit(ChangeDraft(ChangeKind.REGISTER_PATIENT, PATIENT_ID, patient))

    async def close(self) -> None:
        await self.history.close()
        await self.client.close()
        await self.database.close()

    def cdc_knows_history(self) -> None:
        rows = [{"date": "2020-03-02", "vaccine_code": "MMR", "dose": "1", "lot_number": "OLD-1", "lot_type": "1"}] * 3
        value, birth_date = PRIVATE[1:]
        self.server.cdc.holdings.add_history(*read_seed({"value": value, "birth_date": birth_date, "rows": rows}))

    async def commit(self, *drafts: ChangeDraft) -> None:
        self.now += timedelta(seconds=1)
        await self.database.commit(drafts, "nurse")

    def receipts(self, count: int) -> list[Any]:
        table = self.tables.exchanges
        last = table.last_number()
        found = [table.at(table.to_key(number)) for number in range(max(1, last - 3 * count), last + 1)]
        return [one for one in found if one["kind"] != "sent"][-count:]


@asynccontextmanager
async def clinic_with_spoiled_cdc(folder: Path, kind: str, first: int) -> AsyncIterator[Clinic]:
    server = Server(Cdc(folder / f"cdc{first}", Gate(), 0.0, _NOON.timestamp), kind, first=first)
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, limit=2**24)
    server.port = listening.sockets[0].getsockname()[1]
    with all_logs() as logs:
        clinic = Clinic(server, logs)
        await clinic.open()
        try:
            yield clinic
        finally:
            await clinic.close()
            listening.close()
            server.cdc.holdings.close()
