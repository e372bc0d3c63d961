"""The programs a journey runs beside the browser: the hub and the fake CDC, each a real process with its own log."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".build" / "cache"
INSTITUTION = "1133060019"
KEY = "practice-key-000001"
PATIENCE_SECONDS = 60.0


def eventually(what: str, condition: Callable[[], Any], *, within: float = PATIENCE_SECONDS) -> Any:
    """Return the condition's first true value. Raises: AssertionError naming `what` when it stays false."""
    deadline = monotonic() + within
    while True:
        if value := condition():
            return value
        assert monotonic() < deadline, f"not within {within:.0f} s: {what}"
        sleep(0.05)  # between two looks at the condition, never instead of it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def call(url: str, body: Any = None, *, method: str | None = None) -> Any:
    """One JSON request past any proxy. Raises: urllib.error.URLError when nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def build_changed(folder: Path, file: str, old: str, new: str) -> Path:
    """Build the browser program with one passage of one of its files changed, and return the bundle's folder."""
    source = copy_source(folder)
    text = (source / file).read_text(encoding="utf-8")
    assert old in text, f"{file} holds no {old}"
    (source / file).write_text(text.replace(old, new), encoding="utf-8")
    return build_from(source, folder / "changed-bundle")


def copy_source(folder: Path) -> Path:
    """Copy what the browser program is built of to another place."""
    for package in ("store", "ui"):
        shutil.copytree(ROOT / package, folder / "source" / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "source"


def build_from(source: Path, out: Path, **environment: str) -> Path:
    command = [sys.executable, "-m", "ui.build", "--out", str(out), "--cache", str(CACHE)]
    subprocess.run(command, cwd=source, env={**os.environ, **environment}, check=True)
    return out


class Program:
    """A child process that is started, stopped, killed and started again on the same port and data."""

    def __init__(self, name: str, command: list[str], url: str, alive: str, log: Path) -> None:
        self.name, self.command, self.url, self.alive, self.log = name, command, url, alive, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=log, stderr=log)
        eventually(f"{self.name} answers", self.answers)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}:\n{self.log_text()}"
        try:
            call(self.url + self.alive)
        except (urllib.error.URLError, OSError):
            return False
        return True

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(getattr(signal, "SIGKILL", signal.SIGTERM))

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=20)
            self.process = None

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-6000:] if self.log.exists() else ""


class FakeCdc(Program):
    """The fake CDC and the levers behind it."""

    def __init__(self, folder: Path, *, verify_after: float = 1.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        subprocess.run([sys.executable, "-m", "e2e.fake_cdc", "make-certificate", str(folder)], cwd=ROOT, check=True)
        command = [sys.executable, "-m", "e2e.fake_cdc", "--port", str(port), "--state", str(folder / "state")]
        command += ["--verify-after", str(verify_after), "--certificate", str(folder / "practice.pem")]
        command += ["--org", INSTITUTION, "--key-id", KEY]
        super().__init__("fake CDC", command, f"http://127.0.0.1:{port}", "/control/state", folder / "cdc.log")
        self.folder = folder

    def records(self) -> dict[str, Any]:
        """What CDC holds by record key."""
        return dict(call(f"{self.url}/control/records")["records"])

    def exams(self) -> dict[str, Any]:
        """The exam reports that stand at CDC, by key."""
        return dict(call(f"{self.url}/control/exams")["exams"])

    def requests(self) -> list[Any]:
        return list(call(f"{self.url}/control/requests")["requests"])

    def scenario(self, kind: str, scenario: str, **more: Any) -> None:
        call(f"{self.url}/control/scenarios", {"kind": kind, "scenario": scenario, **more})

    def know_lot(self, lot_number: str, vaccine_code: str, lot_type: str = "1") -> None:
        lot = {"lot_number": lot_number, "vaccine_code": vaccine_code, "lot_type": lot_type}
        call(f"{self.url}/control/lots", lot)

    def know_history(self, value: str, birth_date: str, *rows: dict[str, str]) -> None:
        """Let CDC know a person, with what other institutions gave them."""
        call(f"{self.url}/control/history", {"value": value, "birth_date": birth_date, "rows": list(rows)})


class Hub(Program):
    """The hub as the clinic runs it, with its settings in a file."""

    def __init__(
        self,
        folder: Path,
        cdc: FakeCdc | None,
        *,
        bundle: Path,
        port: int | None = None,
        verify_after: float = 1.0,
        gather: float = 0.2,
        batches_per_minute: int = 30,
        lan: dict[str, Any] | None = None,
    ) -> None:
        """Units: seconds. After `verify_after` CDC is asked for its verdict; for `gather` changes come together.

        Shape: `lan` is the settings' section of that name.
        """
        folder.mkdir(parents=True, exist_ok=True)
        port = port or free_port()
        self.settings = folder / "clinic.toml"
        self.bundle = bundle
        pace = {"verify_after_seconds": verify_after, "gather_seconds": gather}
        self._write_settings(folder, cdc, port, {**pace, "batches_per_minute": batches_per_minute}, lan or {})
        # Not through `python3 -m sync`, which only sets up first: a kill must hit the hub itself.
        run = "import sys, pathlib, sync.app as a; a.run(pathlib.Path(sys.argv[1]), port=None, open_browser=False)"
        command = [sys.executable, "-c", run, str(self.settings)]
        super().__init__("hub", command, f"http://127.0.0.1:{port}", "/api/health", folder / "hub.log")

    def _write_settings(
        self, folder: Path, cdc: FakeCdc | None, port: int, pace: dict[str, float], lan: dict[str, Any]
    ) -> None:
        text = {
            "listen_port": port,
            "data_dir": (folder / "data").as_posix(),
            "bundle_dir": self.bundle.as_posix(),
            "institution_code": INSTITUTION,
            "practice": True,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in text.items()]
        lines += [f"lan.{key} = {json.dumps(value)}" for key, value in lan.items()]
        if cdc is not None:
            key_file = folder / "key_id"
            key_file.write_text(KEY)
            os.chmod(key_file, 0o600)
            link = {
                "base_url": f"{cdc.url}/fhir",
                "key_id_file": key_file.as_posix(),
                "certificate_p12": (cdc.folder / "practice.p12").as_posix(),
                "certificate_password_file": (cdc.folder / "practice.p12.password").as_posix(),
                **pace,
                "timeout_seconds": 5,
                "retry_base_seconds": 0.3,
                "retry_cap_seconds": 2,
            }
            lines += ["[cdc]", *(f"{key} = {json.dumps(value)}" for key, value in link.items())]
        self.settings.write_text("\n".join(lines), encoding="utf-8")

    def use_bundle(self, bundle: Path) -> None:
        """Serve another build of the browser program from the next start on."""
        text = self.settings.read_text(encoding="utf-8")
        self.settings.write_text(text.replace(self.bundle.as_posix(), bundle.as_posix()), encoding="utf-8")
        self.bundle = bundle

    def health(self) -> dict[str, Any]:
        return dict(call(f"{self.url}/api/health"))
