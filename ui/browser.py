"""What only the browser can do, for Python in the worker. On CPython each function answers as a quiet, offline browser.

The one module of the pages that knows `js` and `pyodide`; both are imported when needed, so that tests can import it.
"""

import asyncio
import gzip
import importlib
import sys
from collections.abc import Callable
from typing import Any

from store.errors import StorageFailed
from ui.network import NetworkFailed

IN_BROWSER = sys.platform == "emscripten"
_REQUEST_SECONDS = 30.0
_COMPRESS_FROM_BYTES = 4096
_FIRST_REOPEN_SECONDS = 1.0
_LAST_REOPEN_SECONDS = 5.0  # the hub is in the same building


def build_id() -> str:
    return str(_desk().build) if IN_BROWSER else "development"


def user_agent() -> str:
    return str(_desk().userAgent) if IN_BROWSER else "CPython"


def is_online() -> bool:
    """Whether the browser sees any network; the hub may be off all the same."""
    return bool(_desk().online) if IN_BROWSER else False


def on_connectivity(callback: Callable[[bool], None]) -> Callable[[], None]:
    """Call back with True or False whenever the network comes or goes; the returned function ends that."""
    if not IN_BROWSER:
        return lambda: None
    proxy = _ffi().create_proxy(callback)
    unwatch = _desk().watchConnectivity(proxy)

    def stop() -> None:
        unwatch()
        proxy.destroy()

    return stop


async def fetch(
    method: str, path: str, body: bytes | None, headers: dict[str, str], timeout_seconds: float = _REQUEST_SECONDS
) -> tuple[int, dict[str, str], bytes]:
    """Send one request to the hub and return status, headers and body. Raises: NetworkFailed when no answer came."""
    if not IN_BROWSER:
        raise NetworkFailed("no browser")
    js, ffi = _js(), _ffi()
    if body is not None and len(body) >= _COMPRESS_FROM_BYTES:
        body, headers = gzip.compress(body, 5), {**headers, "Content-Encoding": "gzip"}
    options = {"method": method, "headers": headers, "signal": js.AbortSignal.timeout(int(timeout_seconds * 1000))}
    if body is not None:
        options["body"] = ffi.to_js(body)
    try:
        answer = await js.fetch(path, ffi.to_js(options, dict_converter=js.Object.fromEntries))
        data = (await answer.arrayBuffer()).to_bytes()
    except ffi.JsException as error:
        raise NetworkFailed(f"{method} {path}: {error}") from error
    return answer.status, {str(name): str(value) for name, value in answer.headers.entries()}, data


def event_stream(path: str, on_message: Callable[[str], None], on_state: Callable[[bool], None]) -> Callable[[], None]:
    """Listen to the hub's live notices, opening the stream again whenever it breaks; the returned function ends that.

    `on_state` is told True when the stream opens, and False when it breaks or this device leaves its network.
    """
    if not IN_BROWSER:
        return lambda: None
    stream = _EventStream(path, on_message, on_state)
    stream.open()
    return stream.close


async def storage_estimate() -> tuple[int, int]:
    """Return the bytes in use and the bytes the browser allows; zeros where it does not tell."""
    if not IN_BROWSER:
        return 0, 0
    try:
        estimate = await _js().navigator.storage.estimate()
        return int(estimate.usage), int(estimate.quota)
    except (_ffi().JsException, AttributeError):
        return 0, 0


async def request_persistence() -> bool:
    """Ask the browser never to evict our data; call it from a click, some browsers ask the user."""
    return bool(await _desk().askShell("persist")) if IN_BROWSER else False


def asks_the_user() -> bool:
    """Whether `request_persistence` puts a question on the screen; other browsers decide by themselves."""
    return "Firefox" in user_agent()


async def is_persistent() -> bool:
    return bool(await _desk().askShell("persisted")) if IN_BROWSER else False


async def enter_practice() -> None:
    """Go on with an empty store of practice mode, in all tabs; the real one stays as it is. Raises: StorageFailed."""
    await _switch_store("enterPractice")


async def leave_practice() -> None:
    """Delete the store of practice mode, which must be closed, and go back to the real one, in all tabs.

    Raises: StorageFailed.
    """
    await _switch_store("leavePractice")


async def _switch_store(function: str) -> None:
    try:
        await getattr(_desk().storage, function)()
    except _ffi().JsException as error:
        raise StorageFailed(str(error)) from error
    await _desk().askShell("afresh")


async def sign(purpose: str, challenge: str, staff_id: str) -> str:
    """This device's signature (store/access_protocol.py), by the key in its vault. Shape: base64url."""
    return str(await _desk().sign(purpose, challenge, staff_id))


def keep_staff(staff_json: str) -> None:
    """Tell the vault what the hub says of this device's people. Shape: a JSON list of StaffSummary."""
    _desk().tellStaff(staff_json)


async def sign_in_again() -> None:
    """Lock, and ask the person at the desk for the password: their PIN opens nothing at the hub any more."""
    await _desk().askShell("sign-in")


async def wipe() -> None:
    """Remove everything from this device, the store and the vault, and say so. The store must be closed."""
    await _desk().askShell("wipe")


async def lock() -> None:
    """Close the store, drop its key and show the lock screen, in all tabs."""
    await _desk().askShell("lock")


async def change_pin() -> None:
    """Show the shell's screen for the PIN of the person at the desk."""
    await _desk().askShell("pin")


async def begin_accounts() -> None:
    """Show the shell's screen for the clinic's first account."""
    await _desk().askShell("first")


async def ask_to_enrol() -> None:
    """Show the shell's screen for enrolling this browser, where the hub wants people to sign in."""
    await _desk().askShell("enrol")


async def idle_seconds() -> int:
    """After how long without a touch this device locks."""
    return int(await _desk().askShell("idle"))


async def keep_idle_seconds(seconds: int) -> None:
    await _desk().keepIdleSeconds(seconds)


def mark(name: str) -> None:
    """Note the time under `name` in the shell's `deskMarks`."""
    if IN_BROWSER:
        _desk().mark(name)


def keep_language(language: str) -> None:
    """Let this device's next start speak `language`, before Python runs and after."""
    if IN_BROWSER:
        _desk().keepLanguage(language)


def tell_rebuild(done: int, total: int) -> None:
    """Show on the start screen how far the making of new indexes is."""
    if IN_BROWSER:
        _desk().tellRebuild(done, total)


def device_storage() -> Any:
    """Return runtime/storage.js, for browser_storage.py."""
    return _desk().storage


def js_error() -> type[Exception]:
    """Return the class in which errors of JavaScript arrive."""
    error: type[Exception] = _ffi().JsException
    return error


class _EventStream:
    """An EventSource that also comes back where browsers give up: after an HTTP error, after being offline."""

    def __init__(self, path: str, on_message: Callable[[str], None], on_state: Callable[[bool], None]) -> None:
        self._path, self._on_message, self._on_state = path, on_message, on_state
        self._source: Any = None
        self._is_open = False
        self._pause = _FIRST_REOPEN_SECONDS
        self._timer: asyncio.TimerHandle | None = None
        self._unwatch = on_connectivity(self._on_network)
        create_proxy = _ffi().create_proxy
        self._proxies = {
            "onopen": create_proxy(lambda _event: self._set_open(True)),
            "onmessage": create_proxy(lambda event: self._on_message(str(event.data))),
            "onerror": create_proxy(lambda _event: self._on_error()),
        }

    def open(self) -> None:
        self._drop()
        self._source = _js().EventSource.new(self._path)
        for name, proxy in self._proxies.items():
            setattr(self._source, name, proxy)

    def close(self) -> None:
        self._unwatch()
        self._drop()
        for proxy in self._proxies.values():
            proxy.destroy()

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._source is not None:
            self._source.close()
            self._source = None

    def _on_error(self) -> None:
        self._set_open(False)
        # Reopened by us even where the browser would: its pauses differ, and after an HTTP error it never does.
        self._drop()
        self._timer = asyncio.get_running_loop().call_later(self._pause, self.open)
        self._pause = min(self._pause * 2, _LAST_REOPEN_SECONDS)

    def _on_network(self, online: bool) -> None:
        if online and not self._is_open:
            self._pause = _FIRST_REOPEN_SECONDS
            self.open()
        elif not online:
            self._is_open = False
            self._on_state(False)

    def _set_open(self, is_open: bool) -> None:
        if is_open:
            self._pause = _FIRST_REOPEN_SECONDS
        if is_open != self._is_open:
            self._is_open = is_open
            self._on_state(is_open)


def _js() -> Any:
    return importlib.import_module("js")


def _ffi() -> Any:
    return importlib.import_module("pyodide.ffi")


def _desk() -> Any:
    return _js().desk
