"""WebKitGTK in a window of ours, driven by WebKitWebDriver, on a screen that exists only in memory."""

import base64
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, ClassVar

from e2e.engines import webkit_window
from e2e.engines.browser import Action
from e2e.programs import eventually, free_port

ANSWER_SECONDS = 60.0


class WebKit:
    """See browser.Browser."""

    needs: ClassVar = {"WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}

    def __init__(self, profile: Path, log: list[str]) -> None:
        self._profile, self._log = profile, log
        self._screen: subprocess.Popen[bytes] | None = None
        self._driver: subprocess.Popen[bytes] | None = None
        self._base = self._session = ""

    def start(self) -> None:
        self._profile.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self._base = f"http://127.0.0.1:{port}"
        with open(self._profile / "driver.log", "ab") as log:
            self._screen, display = _start_screen(log)
            # The sandboxed helpers find neither a session bus nor an accessibility bus here, and wait for them.
            more = {"DISPLAY": display, "NO_AT_BRIDGE": "1", "GDK_BACKEND": "x11"}
            environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYLAND")} | more
            command = [_program("WebKitWebDriver"), f"--port={port}"]
            self._driver = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        eventually("WebKitWebDriver answers", self._answers)
        options = {"binary": sys.executable, "args": [webkit_window.__file__, str(self._profile)]}
        asked = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        self._session = "/session/" + self._send("POST", "/session", asked)["sessionId"]
        self._send("POST", "/timeouts", {"script": int(ANSWER_SECONDS * 1000)})

    def stop(self) -> None:
        if self._session:
            self._send("DELETE", "")
            self._session = ""
        for process in (self._driver, self._screen):
            if process is not None:
                process.terminate()
                process.wait(timeout=20)
        self._driver = self._screen = None
        console = self._profile / "console.log"
        if console.exists():
            self._log += console.read_text(encoding="utf-8", errors="replace").splitlines()
            console.unlink()

    def goto(self, url: str) -> None:
        self._send("POST", "/url", {"url": url})

    def evaluate(self, function: str, *arguments: Any) -> Any:
        return self._send("POST", "/execute/sync", {"script": f"return ({function})(...arguments)", "args": arguments})

    def act(self, sources: list[Action]) -> None:
        self._send("POST", "/actions", {"actions": sources})

    def set_file(self, path: Path) -> None:
        frame = self._send("POST", "/element", {"using": "css selector", "value": "#desk-frame"})
        self._send("POST", "/frame", {"id": frame})
        field = self._send("POST", "/element", {"using": "css selector", "value": "input[type=file]"})
        self._send("POST", f"/element/{next(iter(field.values()))}/value", {"text": str(path)})
        self._send("POST", "/frame", {"id": None})

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._send("GET", "/screenshot")))

    def set_offline(self, offline: bool) -> bool:
        return False

    def _answers(self) -> bool:
        try:
            return bool(self._send("GET", "/status")["ready"])
        except OSError:
            return False

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        data = None if method != "POST" else json.dumps(body).encode()
        request = urllib.request.Request(self._base + self._session + path, data, method=method)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=ANSWER_SECONDS) as answer:
                return json.loads(answer.read())["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode(errors='replace')}") from error


def _start_screen(log: Any) -> tuple[subprocess.Popen[bytes], str]:
    """Start an X server that chooses its own number and tells it."""
    reading, writing = os.pipe()
    size = f"{webkit_window.WIDTH}x{webkit_window.HEIGHT}x24"
    command = [_program("Xvfb"), "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"]
    screen = subprocess.Popen(command, pass_fds=[writing], stdout=log, stderr=log)
    os.close(writing)
    with os.fdopen(reading) as answer:
        return screen, f":{answer.readline().strip()}"


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, name
    return found
