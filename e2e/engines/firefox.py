"""Firefox ESR, driven without a driver program: it speaks WebDriver BiDi itself."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any, ClassVar

from e2e.engines.bidi import Bidi, BidiError
from e2e.engines.browser import Action, find_program
from e2e.programs import eventually

# The window's contents, in CSS pixels; the frame holding the page fills it.
WIDTH, HEIGHT = 1280, 800
FILE_FIELD = "() => document.getElementById('desk-frame').contentDocument.querySelector('input[type=file]')"


class Firefox:
    """See browser.Browser."""

    needs: ClassVar = {"firefox-esr": ("firefox-esr", "firefox")}

    def __init__(self, profile: Path, log: list[str]) -> None:
        self._profile, self._log = profile, log
        self._process: subprocess.Popen[bytes] | None = None
        self._bidi: Bidi | None = None
        self._tab = ""

    def start(self) -> None:
        self._profile.mkdir(parents=True, exist_ok=True)
        address = self._profile / "WebDriverBiDiServer.json"
        address.unlink(missing_ok=True)
        program = find_program(*self.needs["firefox-esr"])
        command = [str(program), "--headless", "--no-remote", "--remote-debugging-port=0"]
        command += ["--profile", str(self._profile)]
        with open(self._profile / "firefox.log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        found = eventually("Firefox listens", lambda: _read_address(address))
        self._bidi = Bidi(f"ws://{found['ws_host']}:{found['ws_port']}/session", self._log)
        self._send("session.new", capabilities={})
        self._send("session.subscribe", events=["log.entryAdded"])
        # Not the first tab: there the address bar keeps the focus, and no page gets a focus event.
        self._tab = self._send("browsingContext.create", type="tab")["context"]
        self._send("browsingContext.setViewport", context=self._tab, viewport={"width": WIDTH, "height": HEIGHT})

    def stop(self) -> None:
        if self._bidi is not None:
            self._send("browser.close")
            self._bidi.close()
        elif self._process is not None:  # it did not come so far
            self._process.terminate()
        if self._process is not None:
            self._process.wait(timeout=60)
        self._bidi = self._process = None

    def goto(self, url: str) -> None:
        self._send("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, function: str, *arguments: Any) -> Any:
        text = f"async (given) => JSON.stringify(await ({function})(...JSON.parse(given))) ?? 'null'"
        return json.loads(self._call(text, {"type": "string", "value": json.dumps(arguments)})["value"])

    def act(self, sources: list[Action]) -> None:
        self._send("input.performActions", context=self._tab, actions=sources)

    def set_file(self, path: Path) -> None:
        field = self._call(FILE_FIELD)
        element = {"sharedId": field["sharedId"]}
        self._send("input.setFiles", context=self._frame(), element=element, files=[str(path)])

    def screenshot(self, path: Path) -> None:
        data = self._send("browsingContext.captureScreenshot", context=self._tab)["data"]
        path.write_bytes(base64.b64decode(data))

    def set_offline(self, offline: bool) -> None:
        conditions = {"type": "offline"} if offline else None
        try:
            self._send("emulation.setNetworkConditions", networkConditions=conditions, contexts=[self._tab])
        except BidiError as error:
            if error.code != "unknown command":  # as in older ones
                raise

    def _frame(self) -> str:
        return str(self._send("browsingContext.getTree", root=self._tab)["contexts"][0]["children"][0]["context"])

    def _call(self, function: str, *arguments: Any) -> dict[str, Any]:
        answer = self._send(
            "script.callFunction",
            functionDeclaration=function,
            arguments=list(arguments),
            target={"context": self._tab},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return dict(answer["result"])

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        assert self._bidi is not None, "start() comes first"
        return self._bidi.send(method, **parameters)


def _read_address(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_bytes()))
    except (FileNotFoundError, json.JSONDecodeError):  # not there yet, or half written
        return None
