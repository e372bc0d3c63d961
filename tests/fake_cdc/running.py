"""The fake CDC as a real process on a free port, and a client that speaks to it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from tests.fake_cdc.bundles import ORG

ROOT = Path(__file__).parents[2]
KEY = "practice-key"


class RunningCdc:
    """A started process; `url` is where it listens."""

    def __init__(self, state: Path, *arguments: str) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.log = state / "stderr.txt"
        command = [sys.executable, "-m", "e2e.fake_cdc", "--port", "0", "--state", str(state), *arguments]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("fake CDC listening on http://127.0.0.1:"):
            self.kill()
            raise AssertionError(f"did not start: {line!r}\n{self.log.read_text()}")
        self.url = line.split()[-1]

    def kill(self) -> None:
        """SIGKILL, where the system has it."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Client:
    """What an institution's program sends, and the levers behind the scenes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers = {"Authorization": basic(ORG, KEY), "Content-Type": "application/fhir+json; charset=utf-8"}

    async def __aenter__(self) -> Client:
        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.session.close()

    async def upload(self, content: Any, **headers: str) -> Reply:
        body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        return await self.ask("POST", "/fhir/Bundle", data=body, headers=self.headers | headers)

    async def confirm(self, identifier: str) -> Reply:
        return await self.get(f"/fhir/Bundle/{identifier}/$confirm")

    async def get(self, path: str) -> Reply:
        return await self.ask("GET", path, headers={"Authorization": self.headers["Authorization"]})

    async def results(self, identifier: str) -> dict[str, tuple[str, str]]:
        """Verification per record key: response status and code."""
        answer = await self.confirm(identifier)
        assert answer.status == 200, answer.text
        return {
            entry["fullUrl"].removeprefix("Immunization/"): (entry["response"]["status"], code_of(entry))
            for entry in answer.json["entry"]
        }

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        async with self.session.request(method, f"{self.url}/control/{path}", json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def next_is(self, kind: str, scenario: str, **more: Any) -> None:
        await self.control("POST", "scenarios", {"kind": kind, "scenario": scenario, **more})

    async def records(self) -> Any:
        return (await self.control("GET", "records"))["records"]

    async def ask(self, method: str, path: str, **options: Any) -> Reply:
        async with self.session.request(method, path if "://" in path else self.url + path, **options) as response:
            return Reply(response.status, response.headers, await response.read())


class Reply:
    """An answer, read to its end."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
        return json.loads(self.body.decode("utf-8"))

    @property
    def issue(self) -> tuple[str, str, str]:
        """Severity, code and text of a lone OperationOutcome."""
        assert self.json["resourceType"] == "OperationOutcome"
        (issue,) = self.json["issue"]
        coding = issue["details"]["coding"][0]
        return issue["severity"], coding["code"], coding["display"]


def basic(org_id: str, key_id: str) -> str:
    return "Basic " + base64.b64encode(f"{org_id}:{key_id}".encode()).decode()


def code_of(entry: Any) -> str:
    (issue,) = entry["response"]["outcome"]["issue"]
    code = issue["details"]["coding"][0]["code"]
    assert isinstance(code, str)
    return code
