"""Somebody on the clinic's network who has no account: asks everything of every route, rightly and wrongly spelt.

All is drawn from one seed, so that a request that did harm can be asked again.
"""

import asyncio
import gzip
import json
import random
import ssl
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import brotli

_METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 40)
_TYPES = ("application/json", "application/json; charset=utf-16", "text/plain", "multipart/form-data; boundary=x", "")
_PATIENCE_SECONDS = 10.0
_TRUNCATED_SECONDS = 0.02  # how long whoever stopped in the middle looks whether something comes


@dataclass(frozen=True)
class Asked:
    """One request, as bytes. Shape: `is_whole`: no more is to come, so the hub has to answer."""

    raw: bytes
    is_whole: bool


class Stranger:
    """Draws requests. Shape: `routes` as method and path; `messages` by path, a body that it takes."""

    def __init__(self, seed: int, host: str, routes: Sequence[tuple[str, str]], messages: Mapping[str, bytes]) -> None:
        self._draw = random.Random(seed)
        self._host, self._routes, self._messages = host, routes, messages

    def requests(self, count: int) -> Iterator[Asked]:
        for number in range(count):
            # Each route first as it is meant to be asked.
            if number < len(self._routes) * 5:
                method, path = self._routes[number % len(self._routes)]
                yield self._put_together(method, path, self._message_for(path), {})
            else:
                yield self._drawn()

    def _drawn(self) -> Asked:
        draw = self._draw
        method, path = draw.choice(self._routes)
        body = self._body(self._message_for(path))
        if draw.random() < 0.3:
            method = draw.choice(_METHODS)
        if draw.random() < 0.4:
            path = self._spelt(path)
        if draw.random() < 0.1:
            return Asked(self._noise(), is_whole=False)
        asked = self._put_together(method, path, body, self._headers())
        if draw.random() < 0.06:
            return Asked(asked.raw[: draw.randrange(1, len(asked.raw))], is_whole=False)
        return asked

    def _spelt(self, path: str) -> str:
        draw = self._draw
        return draw.choice(
            (
                path.upper(),
                f"/{path}",
                f"{path}/",
                f"{path}?{quote(self._words())}=1&device_id={draw.randbytes(16).hex()}",
                path.replace("/", "%2f"),
                path.replace("a", "%61", 1),
                path.replace("/api", "/x/../api"),
                path.replace("/api", "/bundle/..%2f..%2fapi"),
                f"/bundle/{'0' * 16}/..\\..\\data\\access.json",
                f"/bundle/{'0' * 16}/%2e%2e/%2e%2e/access.json",
                f"/icons/..%5c..%5c{draw.choice(('access.json', 'clinic.toml', 'journal.1'))}",
                f"/{'../' * 8}etc/passwd",
                "/C:\\Windows\\win.ini",
                "//evil.example/",
                f"{path}%00.html",
                f"{path};jsessionid=1",
                f"/{'a' * draw.choice((10, 7000, 20_000))}",
                f"/%{draw.choice(('zz', 'ff', 'c0%af', 'e0%80%af'))}",
                path + "\N{FULLWIDTH SOLIDUS}",
            )
        )

    def _words(self) -> str:
        return "".join(chr(self._draw.choice((0x20, 0x41, 0x22, 0x27, 0x3C, 0x4E00, 0x1F600))) for _ in range(5))

    def _message_for(self, path: str) -> bytes:
        is_its = path in self._messages and self._draw.random() < 0.8
        return self._messages[path] if is_its else self._draw.choice(list(self._messages.values()))

    def _body(self, message: bytes) -> bytes:
        draw = self._draw
        match draw.randrange(12):
            case 0:
                return b""
            case 1:
                return draw.randbytes(draw.randrange(2000))
            case 2:
                return message[: draw.randrange(len(message))]
            case 3:
                return b"[" * 50_000
            case 4:
                return b'{"protocol": ' + b"9" * draw.choice((20, 5000)) + b"}"
            case 5:
                changed = bytearray(message)
                for _ in range(3):
                    changed[draw.randrange(len(changed))] = draw.randrange(256)
                return bytes(changed)
            case 6:
                value = draw.choice((None, True, -1, 1e308, "\0", [], {}, "x" * 20_000))
                return json.dumps(dict.fromkeys(json.loads(message), value)).encode()
            case 7:
                return json.dumps([json.loads(message)] * 3).encode()
            case _:
                return message

    def _headers(self) -> dict[str, str]:
        draw = self._draw
        headers = {}
        for name, values in {
            "Host": (self._host, "evil.example", f"user@{self._host}", f"{self._host}, {self._host}", "", "["),
            "Cookie": (f"desk-{self._host.rpartition(':')[2]}={draw.randbytes(32).hex()}", "a=b; " * 200, "desk=\xff"),
            "Origin": ("null", "http://evil.example", f"https://{self._host}", "x"),
            "Sec-Fetch-Site": ("cross-site", "none", "same-origin"),
            "X-Forwarded-For": ("127.0.0.1",),
            "Forwarded": ("for=127.0.0.1;host=localhost",),
            "Authorization": ("Bearer x", "Basic " + "YQ==" * 100),
            "Accept": ("text/html", "text/event-stream", "*/*;q=x"),
            "Accept-Encoding": ("gzip", "br, gzip;q=0", "identity"),
            "Range": ("bytes=0-1", "bytes=" + "0-1," * 500),
            "If-None-Match": ("*", 'W/"x"'),
            "Expect": ("100-continue", "everything"),
            "Upgrade": ("websocket", "h2c"),
            "X-HTTP-Method-Override": ("GET",),
            "X": ("a" * draw.choice((10, 9000)),),
        }.items():
            if draw.random() < 0.12:
                headers[name] = draw.choice(values)
        return headers

    def _put_together(self, method: str, path: str, body: bytes, more: dict[str, str]) -> Asked:
        draw, is_whole = self._draw, True
        headers = {"Host": self._host, "Content-Type": "application/json", **more}
        if more and draw.random() < 0.2:
            headers["Content-Type"] = draw.choice(_TYPES)
        if more and draw.random() < 0.3:
            encoding = draw.choice(("gzip", "gzip", "deflate", "br", "x", "gzip, gzip"))
            headers["Content-Encoding"] = encoding
            body = self._packed(body, encoding)
        if more and draw.random() < 0.2:
            headers["Transfer-Encoding"] = draw.choice(("chunked", "chunked", "gzip, chunked", "Chunked ", "identity"))
            if draw.random() < 0.2:
                headers["Content-Length"] = str(len(body))
            body, is_whole = self._chunks(body)
        else:
            length = len(body) if not more or draw.random() < 0.9 else draw.choice((0, 1, 10**6, 10**30, -1))
            headers["Content-Length"] = str(length)
            is_whole = length <= len(body)
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if draw.random() < 0.02:
            lines.insert(1, draw.choice((" folded", "no colon", "\0: x", "Content-Length: 3", "Host: localhost")))
        head = "\r\n".join([*lines, "Connection: close", "", ""])
        return Asked(head.encode("latin-1", "replace") + body, is_whole)

    def _packed(self, body: bytes, encoding: str) -> bytes:
        if self._draw.random() < 0.2:
            body = b"\0" * 20_000_000  # unpacked far beyond what is taken, packed some kilobytes
        packed = {"deflate": zlib.compress, "br": brotli.compress}.get(encoding, gzip.compress)(body)
        return packed if self._draw.random() < 0.8 else packed[: len(packed) // 2]

    def _chunks(self, body: bytes) -> tuple[bytes, bool]:
        parts, at = [], 0
        while at < len(body):
            piece = body[at : at + self._draw.choice((1, 7, 4096))] if len(parts) < 50 else body[at:]
            parts.append(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            at += len(piece)
        match self._draw.randrange(6):
            case 0:
                return b"".join(parts), False  # the last one never comes
            case 1:
                return b"".join(parts) + b"-1\r\n", False
            case 2:
                return b"ffffffffffffffffff\r\n" + b"".join(parts), False
            case _:
                return b"".join([*parts, b"0\r\n\r\n"]), True

    def _noise(self) -> bytes:
        draw = self._draw
        return draw.choice(
            (
                draw.randbytes(draw.randrange(1, 400)),
                b"\x16\x03\x01" + draw.randbytes(60),
                b"\r\n" * 100,
                b"GET / HTTP/9.9\r\n\r\n",
                b"GET\r\n\r\n",
                b"GET  /  HTTP/1.1\r\n\r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            )
        )


async def answer_to(asked: Asked, port: int, context: ssl.SSLContext | None) -> bytes:
    """All that comes back, unpacked too where it is packed; nothing where the connection was ended without a word.

    Raises: TimeoutError where a whole request is not answered to its end.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    got = bytearray()
    try:
        writer.write(asked.raw)
        async with asyncio.timeout(_PATIENCE_SECONDS if asked.is_whole else _TRUNCATED_SECONDS):
            while piece := await reader.read(65536):
                got += piece
    except (ConnectionError, ssl.SSLError):
        pass
    except TimeoutError:
        if asked.is_whole:
            raise
    finally:
        writer.transport.abort()
    head, _, body = bytes(got).partition(b"\r\n\r\n")
    if b"content-encoding: gzip" in head.lower():
        body = zlib.decompressobj(31).decompress(body)
    return head + b"\r\n\r\n" + body


def status_of(answer: bytes) -> int:
    """0 for no answer. What only says that the hub goes on listening is passed over."""
    lines = [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.") and b" 100 " not in line]
    return int(lines[0].split()[1]) if lines else 0
