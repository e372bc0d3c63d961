"""Practice mode: the whole desk with a stand-in for CDC, made-up people and made-up stock, in a folder of its own.

Invariants:
- nothing of the clinic's own data folder is read or written, and nothing leaves this computer;
- what a first start has brought in, a second finds and leaves as it has become.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from aiohttp import ClientSession

from store.changes import ChangeDraft, ChangeKind
from store.hub_database import HubDatabase
from store.patients import Patient
from store.practice_data import INSTITUTION_CODE, draft_lots, draft_people, practice_lots
from store.roster import decode_roster, read_rows
from store.roster_plan import New, plan_import, record_id_of_chart
from sync.app import data_folder, refusing, serve, start_logging
from sync.bootstrap.processes import child_environment
from sync.bootstrap.refusal import say
from sync.sentences import HubRefused
from sync.settings import ROOT, CdcSettings, Settings

DEMO_FOLDER = ROOT / ".data" / "demo"
ROSTER = ROOT / "e2e" / "sample" / "roster.csv"
MADE_BY = "demo"
# Short, so that one sees it happen; CDC takes ten minutes and more.
VERIFY_AFTER_SECONDS = 20
GATHER_SECONDS = 3
_KEY_ID = "practice-key"
_STOP_SECONDS = 10
_FAKE_CDC = [sys.executable, "-m", "e2e.fake_cdc"]


def run(port: int | None, open_browser: bool, folder: Path = DEMO_FOLDER) -> int:
    """Run practice mode until told to stop; return the exit code."""
    start_logging()
    return refusing(lambda: _run(port, open_browser, folder))


def _run(port: int | None, open_browser: bool, folder: Path) -> int:
    with data_folder(folder), _fake_cdc(folder) as cdc_url:
        cdc = CdcSettings(
            base_url=f"{cdc_url}/fhir",
            key_id_file=folder / "practice" / "key-id",
            certificate_p12=folder / "practice" / "practice.p12",
            certificate_password_file=folder / "practice" / "practice.p12.password",
            verify_after_seconds=VERIFY_AFTER_SECONDS,
            gather_seconds=GATHER_SECONDS,
        )
        settings = Settings(data_dir=folder, institution_code=INSTITUTION_CODE, practice=True, cdc=cdc)
        if port is not None:
            settings = settings.model_copy(update={"listen_port": port})

        async def fill(database: HubDatabase) -> None:
            today = datetime.now().astimezone().date()
            await fill_practice_data(database, today)
            await _stock_fake_cdc(cdc_url, today)
            say(f"練習用疾管署（不是真的）· Practice CDC, not the real one  {cdc_url}/")

        return asyncio.run(serve(settings, open_browser=open_browser, on_open=fill))


async def fill_practice_data(database: HubDatabase, today: date) -> None:
    """Bring in the practice people and lots and the sample roster, as far as they are not there."""
    tables = database.tables
    drafts = [draft for draft in draft_people(today) if not tables.patients.exists(draft.record_id)]
    drafts += (lot for lot in draft_lots(today) if not tables.lots.find_by("lot_number", lot.payload["lot_number"]))
    drafts += _new_patients(database, today)
    if drafts:
        await database.commit(drafts, MADE_BY)


def _new_patients(database: HubDatabase, today: date) -> Iterator[ChangeDraft]:
    def find_by_chart(chart_number: str) -> Patient | None:
        found = database.tables.patients.find_by("chart_number", chart_number)
        return (
            Patient.model_validate({k: v for k, v in found[0].items() if k in Patient.model_fields}) if found else None
        )

    for row in read_rows(decode_roster(ROSTER.read_bytes()), today):
        plan = plan_import(row, find_by_chart)
        if isinstance(plan, New):
            payload = plan.draft.model_dump(mode="json", exclude_defaults=True)
            yield ChangeDraft(ChangeKind.REGISTER_PATIENT, record_id_of_chart(plan.draft.chart_number), payload)


async def _stock_fake_cdc(cdc_url: str, today: date) -> None:
    """Let the stand-in know every practice lot, or it would refuse doses of those it has not heard of."""
    async with ClientSession() as session:
        async with session.get(f"{cdc_url}/control/lots") as answer:
            known = {(lot["vaccine_code"], lot["lot_number"]) for lot in (await answer.json())["lots"]}
        for each in practice_lots(today):
            lot = each.lot.model_dump(mode="json", exclude={"record_id", "status"})
            if (each.lot.vaccine_code, each.lot.lot_number) not in known:
                async with session.post(f"{cdc_url}/control/lots", json=lot | {"vials": each.vials}) as answer:
                    answer.raise_for_status()


@contextmanager
def _fake_cdc(folder: Path) -> Iterator[str]:
    """The stand-in for CDC as a child process, gone when the body ends. Raises: HubRefused."""
    practice, log = folder / "practice", folder / "fake-cdc.log"
    environment = child_environment(ROOT)
    with log.open("w", encoding="utf-8") as words:
        made = subprocess.run(
            [*_FAKE_CDC, "make-certificate", str(practice)], env=environment, cwd=ROOT, stdout=words, stderr=words
        )
        if made.returncode:
            raise HubRefused("demo_cdc_failed", log=log, folder=folder)
        _write_private(practice / "key-id", _KEY_ID)
        options = ["--port", "0", "--print-port", "--state", str(folder / "cdc")]
        options += ["--verify-after", str(VERIFY_AFTER_SECONDS), "--certificate", str(practice / "practice.pem")]
        options += ["--org", INSTITUTION_CODE, "--key-id", _KEY_ID]
        process = subprocess.Popen(
            [*_FAKE_CDC, *options], env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=words, text=True
        )
    with process:
        assert process.stdout is not None
        try:
            process.stdout.readline()  # the sentence for people; the bare number follows
            port = process.stdout.readline().strip()
            if not port:
                raise HubRefused("demo_cdc_failed", log=log, folder=folder)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _write_private(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
