"""The page at `/` for a person at the levers: what CDC holds, what it was asked lately, buttons for the scenarios."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

_PAGE = Path(__file__).parent / "page"
_FILES = {"/": "index.html", "/page.js": "page.js", "/page.css": "page.css"}
_HEADERS = {"Content-Security-Policy": "default-src 'self'; img-src 'self' data:", "Cache-Control": "no-cache"}


def add_routes(app: web.Application) -> None:
    for path, name in _FILES.items():
        app.router.add_get(path, _send(_PAGE / name))


def _send(file: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers=_HEADERS)

    return handler
