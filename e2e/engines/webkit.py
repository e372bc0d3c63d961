"""WebKitGTK in a window of ours, driven by WebKitWebDriver, on a screen that exists only in memory."""

import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, ClassVar

from e2e.engines import webkit_window
from e2e.engines.browser import Action, find_program
from e2e.programs import eventually, free_port

ANSWER_SECONDS = 60.0


class WebKit:
    """See browser.Browser."""

    needs: ClassVar = {"webkit2gtk-driver": ("WebKitWebDriver",), "xvfb": ("Xvfb",)}

    def __init__(self, profile: Path, log: list[str]) -> None:
        self._profile, self._log = profile, log
        self._screen: subprocess.Popen[bytes] | None = None
        self._driver: subprocess.Popen[bytes] | None = None
        self._base = self._session = ""
        self._lines_read = 0

    def start(self) -> None:
        self._profile.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self._base = f"http://127.0.0.1:{port}"
        with open(self._profile / "driver.log", "ab") as log:
            self._screen, display = _start_screen(log)
            # The sandboxed helpers find neither a session bus nor an accessibility bus here, and wait for them.
            more = {"DISPLAY": display, "NO_AT_BRIDGE": "1", "GDK_BACKEND": "x11"}
            environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYLAND")} | more
            command = [str(find_program("WebKitWebDriver")), f"--port={port}"]
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
        eventually("the last process of the window ends", self._is_gone)
        self._read_console()

    def goto(self, url: str) -> None:
        self._send("POST", "/url", {"url": url})

    def evaluate(self, function: str, *arguments: Any) -> Any:
        # /execute/sync would not wait for a promise here.
        script = f"""const given = [...arguments], tell = given.pop();
            (async () => ({function})(...given))().then(tell, (error) => tell({{ error: `${{error}}` }}))"""
        answer = self._send("POST", "/execute/async", {"script": script, "args": arguments})
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

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

    def set_offline(self, offline: bool) -> None:
        """Its driver knows no such thing: `navigator.onLine` stays true, the network is cut by stopping the hub."""

    def _read_console(self) -> None:
        """Take over what the window has written since the last look."""
        console = self._profile / webkit_window.CONSOLE
        if console.exists():
            lines = console.read_text(encoding="utf-8", errors="replace").splitlines()
            self._log += lines[self._lines_read :]
            self._lines_read = len(lines)

    def _is_gone(self) -> bool:
        import fcntl  # not on Windows, where this file is imported only to say that there is no WebKitGTK

        console = self._profile / webkit_window.CONSOLE
        if not console.exists():
            return True
        with open(console, "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def _answers(self) -> bool:
        try:
            return bool(self._send("GET", "/status")["ready"])
        except OSError:
            return False

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        data = None if method != "POST" else json.dumps(body).encode()
        self._read_console()
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
    command = [str(find_program("Xvfb")), "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"]
    screen = subprocess.Popen(command, pass_fds=[writing], stdout=log, stderr=log)
    os.close(writing)
    with os.fdopen(reading) as answer:
        return screen, f":{answer.readline().strip()}"
