"""Real answers of CDC, spoiled by chance: by a seed, so that whatever is found can be had again.

Shape: `spoil` takes what the fake CDC really answers and gives the bytes that go over the wire. What of it is a body
that arrives whole, the client must keep byte for byte; of the rest it must keep what came, and decide nothing.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from sync.cdc_client import MAX_ANSWER_BYTES
from tests.factories import make_patient

PERSON = make_patient()
# What no log may say.
PRIVATE = (PERSON.name, str(PERSON.national_id), str(PERSON.birth_date))
_STATUSES = (
    200, 200, 201, 202, 204, 206, 301, 304, 400, 400, 401, 403, 404, 404, 409, 418, 429, 500, 502, 503, 599, 999,
)  # fmt: skip
_RAW, _TWICE = "\u0001raw:", "\u0001twice"
_WORDS = (
    "error", "fatal", "warning", "information", "Error", "panic", "", " ", "x", "0", "201 Created", "200 OK",
    "204 No Content", "400 Bad Request", "500 Oops", "202 Accepted", "2010", "201", "I00001", "E00002", "Z99-新代碼",
    "OperationOutcome", "Bundle", "batch-response", "searchset", "Immunization", "next", "http://[bad?page=2",
    "x" * 5000, "\u202e\u0000\u200b", "單位此月份已結算", "2026-13-45", "999/01/01",
    *[f"{' '.join(PRIVATE)} 之資料有誤"] * 4,
)  # fmt: skip
_RAW_WORDS = (
    "NaN", "-Infinity", "1e999", "1e300", "-0", "01", "9" * 400, "9" * 5000, '"\\ud800"', '"http://x/?page=\\ud800"',
    '"\n"', "undefined", "'x'", "", "[" * 970 + "]" * 970, "[" * 100_000, '{"a":' * 950 + "1" + "}" * 950,
)  # fmt: skip
_VALUES = (None, True, False, 0, 1, -1, 3.5, 200, 201, 2**63, [], {}, [[]], [None], [{}], {"value": 1})
_HEADERS = (
    ("Retry-After", "7"), ("Retry-After", "soon"), ("Retry-After", "9" * 300), ("Retry-After", "-5"),
    ("Retry-After", "Fri, 20 Nov 2026 02:01:00 GMT"), ("Content-Type", "text/html; charset=big5"),
    ("Content-Type", "application/fhir+json; charset=utf-7"), ("Content-Type", ""), ("Location", "http://[x"),
    ("X-Odd", "\u6e2c\udcff"), ("Set-Cookie", "a=b; c"), ("X-Long", "y" * 20_000),
)  # fmt: skip


@dataclass(frozen=True)
class Wire:
    """One answer as it goes out. `whole`: whether all of `body` arrives; else an unknown part of it may."""

    sent: bytes
    body: bytes
    whole: bool = True


def spoil(status: int, content: Any, chance: Random, others: Sequence[bytes], big: bool) -> Wire:
    """`others` are bodies of other answers of CDC, which may come in this one's place; `big`: some may be megabytes."""
    headers = [("Content-Type", "application/fhir+json; charset=utf-8")]
    how = chance.random()
    if how < 0.1:
        body = _write(content, chance, indent=chance.choice((None, 2)), ensure_ascii=chance.random() < 0.5)
    elif how < 0.65:
        body = _write(_with_changes(content, chance), chance)
    elif how < 0.85:
        body = _with_other_bytes(_write(content, chance), chance)
    else:
        body = _instead(content, chance, others, big)
    if chance.random() < 0.12:
        status = chance.choice(_STATUSES)
    while chance.random() < 0.1:
        headers.append(chance.choice(_HEADERS))
    return _on_the_wire(status, headers, body, chance)


def plain(status: int, content: Any) -> Wire:
    """The answer as CDC gives it."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return Wire(_head(status, [("Content-Length", str(len(body)))]) + body, body)


# ---- other content


def _with_changes(content: Any, chance: Random) -> Any:
    content = deepcopy(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = list(_places(content))
        if not places:
            return content
        how, changes = chance.random(), _CHANGES
        if how < 0.2:  # what is said once, among all the rows
            places = [one for one in places if one[0] is content or one[1] in ("relation", "url")]
        elif how < 0.4:  # whose verdict it is, and which
            rows, changes = content.get("entry"), (_from_elsewhere, _exchanged, _shuffled)
            places = [one for one in places if one[0] is rows or one[1] in ("fullUrl", "status", "severity")] or places
        holder, key = chance.choice(places)
        chance.choice(changes)(content, holder, key, chance)
    return content


def _places(value: Any) -> Any:
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


def _value(content: Any, holder: Any, key: Any, chance: Random) -> None:
    holder[key] = chance.choice(_VALUES)


def _word(content: Any, holder: Any, key: Any, chance: Random) -> None:
    holder[key] = chance.choice(_WORDS)


def _raw(content: Any, holder: Any, key: Any, chance: Random) -> None:
    holder[key] = f"{_RAW}{chance.randrange(len(_RAW_WORDS))}"


def _gone(content: Any, holder: Any, key: Any, chance: Random) -> None:
    del holder[key]


def _from_elsewhere(content: Any, holder: Any, key: Any, chance: Random) -> None:
    """What stands in another place: another row's key, another row's verdict."""
    alike = [(one, name) for one, name in _places(content) if name == key or isinstance(key, int)]
    other, name = chance.choice(alike)
    holder[key] = deepcopy(other[name])


def _exchanged(content: Any, holder: Any, key: Any, chance: Random) -> None:
    alike = [(one, name) for one, name in _places(content) if name == key and one is not holder]
    if alike:
        other, name = chance.choice(alike)
        here, there = deepcopy(holder[key]), deepcopy(other[name])
        holder[key], other[name] = there, here


def _twice(content: Any, holder: Any, key: Any, chance: Random) -> None:
    """The same key of an object once more, or an element of a list, with its own or another value."""
    value = deepcopy(holder[key]) if chance.random() < 0.4 else chance.choice((*_WORDS, *_VALUES))
    if isinstance(holder, dict):
        pairs = list(holder.items())
        pairs.insert(chance.randint(0, len(pairs)), (key + _TWICE, value))
        holder.clear()
        holder.update(pairs)
    else:
        holder.insert(chance.randint(0, len(holder)), value)


def _shuffled(content: Any, holder: Any, key: Any, chance: Random) -> None:
    if isinstance(holder, list):
        chance.shuffle(holder)
    else:
        pairs = list(holder.items())
        chance.shuffle(pairs)
        holder.clear()
        holder.update(pairs)


def _other_shape(content: Any, holder: Any, key: Any, chance: Random) -> None:
    value = holder[key]
    holder[key] = chance.choice(([value], {"value": value}, str(value), [value, value], json.dumps(value, default=str)))


def _other_case(content: Any, holder: Any, key: Any, chance: Random) -> None:
    if isinstance(key, str):
        holder[chance.choice((key.upper(), key + " ", f"_{key}"))] = holder.pop(key)
    elif isinstance(holder[key], str):
        holder[key] = chance.choice((holder[key].upper(), holder[key][:-1], holder[key] + "x"))


_Change = Callable[[Any, Any, Any, Random], None]
_CHANGES: tuple[_Change, ...] = (
    _value, _word, _word, _raw, _gone, _gone, _from_elsewhere, _exchanged, _twice, _twice, _shuffled, _other_shape,
    _other_case,
)  # fmt: skip


def _write(content: Any, chance: Random, **how: Any) -> bytes:
    text = json.dumps(content, **{"ensure_ascii": False, **how}).replace(json.dumps(_TWICE)[1:-1], "")
    text = re.sub(rf'"{re.escape(json.dumps(_RAW)[1:-1])}(\d+)"', lambda found: _RAW_WORDS[int(found[1])], text)
    return text.encode("utf-8", "surrogatepass")


# ---- other bytes


def _with_other_bytes(body: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(body))
    to = min(len(body), at + chance.choice((1, 1, 2, 40, 500)))
    match chance.randrange(12):
        case 0 | 1 | 2:
            return body[:at]
        case 3:
            return body[:at] + chance.randbytes(to - at) + body[to:]
        case 4:
            return body[:at] + body[to:]
        case 5:
            return body[:to] + body[at:]
        case 6:
            return body + chance.choice((b"\x00", b"}", body, b"<!-- -->", b"\n\n"))
        case 7:
            return chance.choice((b"\xef\xbb\xbf", b")]}'\n", b"\x00", b" \n", b"{}")) + body
        case 8:
            charset = chance.choice(("cp950", "utf-16", "utf-7", "cp037"))
            return body.decode("utf-8", "replace").encode(charset, "replace")
        case 9:
            return body.decode("latin-1").encode("utf-8")  # as a proxy that takes it for another charset
        case 10:
            return body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1 :]
        case _:
            return body.replace(b"information", chance.choice((b"error", b"informati0n", b"")), 1)


def _instead(content: Any, chance: Random, others: Sequence[bytes], big: bool) -> bytes:
    page = f"<!DOCTYPE html><html><body><h1>系統維護中</h1><p>{' '.join(PRIVATE)}</p></body></html>".encode()
    words = chance.choice(_WORDS)
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "invalid", "details": {"text": words}, "diagnostics": words}],
    }
    choices = [page, page.decode().encode("cp950"), b"", b"null", b"[]", b'"OK"', b"[" * 50_000]
    choices.append(json.dumps(outcome).encode())
    if others:
        choices += [chance.choice(others)] * 4
    if big and chance.random() < 0.1:
        padding = chance.choice((b" ", b"\x00", b"\xff", "測".encode()))
        size = chance.choice((MAX_ANSWER_BYTES // len(padding), MAX_ANSWER_BYTES + 1))
        choices = [padding * size, (_write(content, chance) + padding * size)[:size]]
        if isinstance(content, dict):
            choices.append(_write({**content, "text": "長" * (MAX_ANSWER_BYTES // 4)}, chance))
    return chance.choice(choices)


# ---- HTTP


def _on_the_wire(status: int, headers: list[tuple[str, str]], body: bytes, chance: Random) -> Wire:
    length = ("Content-Length", str(len(body)))
    how = chance.random()
    # A status without a body, and one that no HTTP knows: what the client makes of them is its own business.
    whole = status not in (204, 304) and all(len(value) < 8000 and value.isascii() for _, value in headers)
    if how < 0.88:
        return Wire(_head(status, [*headers, length]) + body, body, whole)
    match chance.randrange(9):
        case 0:
            return Wire(_head(status, headers) + body, body, whole)  # until the connection ends
        case 1:
            cut = chance.randrange(len(body) + 1)
            return Wire(_head(status, [*headers, length]) + body[:cut], body, whole and cut == len(body))
        case 2:
            shorter = ("Content-Length", str(chance.randrange(len(body) + 1)))
            return Wire(_head(status, [*headers, shorter]) + body, body, False)
        case 3:
            packed = gzip.compress(body, 1)
            told = [("Content-Encoding", "gzip"), ("Content-Length", str(len(packed)))]
            return Wire(_head(status, [*headers, *told]) + packed, body, whole and len(body) < MAX_ANSWER_BYTES)
        case 4:
            lie = ("Content-Encoding", chance.choice(("gzip", "deflate", "br", "zstd")))
            return Wire(_head(status, [*headers, lie, length]) + body, body, False)
        case 5:
            cut = chance.randrange(len(body) + 1)
            parts = [body[:cut], body[cut:]]
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part) + b"0\r\n\r\n"
            return Wire(_head(status, [*headers, ("Transfer-Encoding", "chunked")]) + chunks, body, whole)
        case 6:
            broken = b"%x\r\n%b" % (len(body) + 7, body)
            return Wire(_head(status, [*headers, ("Transfer-Encoding", "chunked")]) + broken, body, False)
        case 7:
            no_http = (b"", b"\x00\xff", b"HTTP/1.1 OK\r\n\r\n", b"<html>", zlib.compress(body))
            return Wire(chance.choice(no_http), b"", False)
        case _:
            head = _head(status, [*headers, length])
            return Wire(head[: chance.randrange(len(head))], b"", False)


def _head(status: int, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} Odd", *(f"{name}: {value}" for name, value in headers), "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
