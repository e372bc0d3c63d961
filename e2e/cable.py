"""The network cable of one browser: a SOCKS5 proxy (RFC 1928) that everything it asks for goes through, to be cut.

Chromium's own offline switch reaches a page or a worker that is loaded anew only after it has begun to ask.
"""

import contextlib
import select
import socket
import socketserver
import struct
import threading
from typing import Self

_CHUNK = 1 << 16
_ANSWERED = b"\x05\x00\x00\x01" + bytes(6)
_ADDRESS_V4, _NAME, _ADDRESS_V6 = 1, 3, 4


class Cable:
    """Whole until `cut`; then what is open breaks, and nothing new comes through until `mend`."""

    def __init__(self) -> None:
        self._is_whole = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._serve)
        self._server.daemon_threads = True
        self.mend()

    @property
    def arguments(self) -> tuple[str, ...]:
        """What Chromium is started with."""
        port = self._server.server_address[1]
        return f"--proxy-server=socks5://127.0.0.1:{port}", "--proxy-bypass-list=<-loopback>"

    def cut(self) -> None:
        with self._lock:
            self._is_whole.clear()
            for end in self._open:
                with contextlib.suppress(OSError):  # it has just ended by itself
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_whole.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, browser: socket.socket, _address: object, _server: object) -> None:
        with contextlib.suppress(OSError), socket.create_connection(_asked_for(browser)) as hub:
            with self._lock:
                if not self._is_whole.is_set():
                    return
                self._open |= {browser, hub}
            try:
                browser.sendall(_ANSWERED)
                _carry(browser, hub)
            finally:
                with self._lock:
                    self._open -= {browser, hub}


def _asked_for(browser: socket.socket) -> tuple[str, int]:
    """Host and port that the browser wants to be connected with."""
    _version, methods = _read(browser, 2)
    _read(browser, methods)
    browser.sendall(b"\x05\x00")
    _version, _command, _reserved, kind = _read(browser, 4)
    if kind == _NAME:
        host = _read(browser, _read(browser, 1)[0]).decode()
    else:
        family = {_ADDRESS_V4: (socket.AF_INET, 4), _ADDRESS_V6: (socket.AF_INET6, 16)}[kind]
        host = socket.inet_ntop(family[0], _read(browser, family[1]))
    return host, struct.unpack(">H", _read(browser, 2))[0]


def _read(end: socket.socket, length: int) -> bytes:
    data = end.recv(length, socket.MSG_WAITALL)
    if len(data) < length:
        raise ConnectionError("the browser hung up")
    return data


def _carry(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one of them hangs up."""
    while True:
        for end in select.select((one, other), (), ())[0]:
            if not (data := end.recv(_CHUNK)):
                return
            (other if end is one else one).sendall(data)
