"""The hub as a process of its own, to be killed, limited and started again on the same data and port."""

import asyncio
import os
import sys
from pathlib import Path

from aiohttp import ClientSession

from store.hub_database import HUB_CHECKPOINT_RECORDS
from store.protocol import SyncAnswer, SyncRequest
from sync.settings import ROOT

_RUN = """
import sys
from store import database
from sync import app
database.HUB_CHECKPOINT_RECORDS = int(sys.argv[2])
sys.exit(app.run(None, port=int(sys.argv[1]), open_browser=False))
"""
JSON = {"Content-Type": "application/json"}


class HubProcess:
    """Shape: `url` ends in a slash; `words` are the lines the hub has said so far."""

    def __init__(self, data_dir: Path, checkpoint_records: int = HUB_CHECKPOINT_RECORDS) -> None:
        self.data_dir, self.port, self.url = data_dir, 0, ""
        self.checkpoint_records = checkpoint_records
        self.words: list[str] = []
        self.process: asyncio.subprocess.Process
        self._reading: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")}
        environment |= {"DESK_DATA_DIR": str(self.data_dir), "DESK_BUNDLE_DIR": str(self.data_dir / "bundle")}
        environment |= {"PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _RUN,
            str(self.port),
            str(self.checkpoint_records),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        ready = (await self.process.stdout.readline()).decode()
        assert "http" in ready, (await self.process.stderr.read()).decode()
        self.url = ready.split()[-1]
        self.port = int(self.url.rstrip("/").rpartition(":")[2])
        self._reading = [asyncio.create_task(self._read(s)) for s in (self.process.stdout, self.process.stderr)]

    async def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        await self.process.wait()
        await asyncio.gather(*self._reading)

    async def sync(self, session: ClientSession, request: SyncRequest) -> SyncAnswer | str:
        """One exchange: its answer, or the code of the error. Raises: aiohttp.ClientError when nobody answers."""
        body = request.model_dump_json().encode()
        async with session.post(f"{self.url}api/sync", data=body, headers=JSON) as response:
            if response.status != 200:
                return str((await response.json())["error"]["code"])
            return SyncAnswer.model_validate_json(await response.read())

    async def _read(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            self.words.append(line.decode().rstrip())
