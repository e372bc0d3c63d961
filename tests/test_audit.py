"""The audit of the locks over real servers that know of one unsafe package each; and what it says without a network."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sync.bootstrap.environment import Environment
from sync.bootstrap.refusal import SetupRefused
from sync.bootstrap.start import ROOT
from tests import audit
from tests.audit import Found, NotAsked, ask_npm, ask_osv, npm_pins, python_pins

NOBODY = "http://127.0.0.1:9"
ADVISORY = "https://github.com/advisories/GHSA-none"


class _Lists(BaseHTTPRequestHandler):
    """Both lists: each knows `unsafe` alone, in every version."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self._answer(_osv(asked) if "package" in asked else _npm(asked))

    def do_GET(self) -> None:
        # npm asks which versions there are of what it was told about.
        name = self.path.strip("/")
        version = {"name": name, "version": "1.0.0", "dist": {"tarball": "", "shasum": ""}}
        self._answer({"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}})

    def _answer(self, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def _osv(asked: dict[str, object]) -> object:
    if asked["package"] != {"name": "unsafe", "ecosystem": "PyPI"}:
        return {}
    package = {"name": "unsafe", "ecosystem": "PyPI"}
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
    one = {"id": "PYSEC-1", "aliases": ["CVE-1"], "details": "", "affected": [{"package": package, "ranges": ranges}]}
    return {"vulns": [one]}


def _npm(asked: dict[str, object]) -> object:
    one = {"id": 1, "url": ADVISORY, "title": "unsafe", "severity": "high", "vulnerable_versions": ">=0", "cwe": []}
    return {"unsafe": [one]} if "unsafe" in asked else {}


@pytest.fixture
def lists() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Lists)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def tools() -> Path:
    try:
        return audit.ensure_tools(Environment(ROOT))
    except SetupRefused as refusal:
        if refusal.code == "no_network":
            pytest.skip("pip-audit is not here yet and cannot be fetched")
        raise


def test_every_lock_is_looked_at() -> None:
    pins = python_pins()
    assert pins["nicegui"]
    assert pins["aiohttp"]  # the hub
    assert pins["pytest"]  # the tests
    assert len(pins["pydantic-core"]) >= 1  # the browser
    assert pins["pip-audit"]
    assert "pyodide" in npm_pins()


def test_an_unsafe_package_of_python_is_named_in_each_version_that_is_locked(tools: Path, lists: str) -> None:
    found = ask_osv({"unsafe": {"1.0.0", "2.0.0"}, "safe": {"1.0.0"}}, tools, f"{lists}/v1/query")
    assert [(one.name, one.version) for one in found] == [("unsafe", "1.0.0"), ("unsafe", "2.0.0")]
    assert "CVE-1" in found[0].why


def test_an_unsafe_package_of_npm_is_named(lists: str) -> None:
    assert ask_npm({"unsafe": "1.0.0", "safe": "1.0.0"}, "--registry", lists) == [Found("unsafe", "1.0.0", ADVISORY)]
    assert ask_npm({"safe": "1.0.0"}, "--registry", lists) == []


def test_without_a_network_nothing_is_called_safe(tools: Path) -> None:
    with pytest.raises(NotAsked):
        ask_osv({"safe": {"1.0.0"}}, tools, f"{NOBODY}/v1/query")
    with pytest.raises(NotAsked):
        ask_npm({"safe": "1.0.0"}, "--registry", NOBODY, "--fetch-retries", "0")


def test_what_could_not_be_asked_is_said_and_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(*_: object) -> list[Found]:
        raise NotAsked("no network")

    monkeypatch.setattr(audit, "ensure_tools", lambda _: ROOT)
    monkeypatch.setattr(audit, "ask_osv", nobody)
    monkeypatch.setattr(audit, "ask_npm", lambda _: [])
    assert audit.main() == 2
    assert "could not be asked" in capsys.readouterr().out
    monkeypatch.setattr(audit, "ask_npm", lambda _: [Found("unsafe", "1.0.0", ADVISORY)])
    assert audit.main() == 1
