"""The browser program as the builder left it: only files its manifest names, under the build they belong to.

Invariants:
- what is not in manifest.json is not served, so no path can leave the folder and no folder can be listed;
- a path of another build is 404: files of two builds never mix;
- a newly built bundle is noticed without a restart; while a manifest is half written, the last whole one stays.
"""

import asyncio
import html
import logging
from pathlib import Path, PurePosixPath
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from sync.sentences import SENTENCES

log = logging.getLogger(__name__)

# Not the mimetypes module: on Windows it reads the registry, where .js is often text/plain.
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".zip": "application/zip",
}
# Of a first visit, until the service worker (ui/runtime/sw.js) serves pages with policies of its own.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_SHELL = "index.html"


class _File(BaseModel):
    model_config = ConfigDict(frozen=True)

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    size: int


class _Manifest(BaseModel):
    """Shape: .build/bundle/manifest.json, written by `python -m ui.build`."""

    model_config = ConfigDict(frozen=True)

    build: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    files: dict[str, _File]


class Bundle:
    """One folder with a built browser program, perhaps not yet there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: tuple[int, int] | None = None
        self._manifest: _Manifest | None = None

    @property
    def build(self) -> str | None:
        """The id of the build served now; None before the first one is built."""
        manifest = self._current()
        return manifest.build if manifest else None

    async def serve_build_file(self, request: web.Request) -> web.Response:
        """Answer /bundle/<build>/<path>."""
        manifest = self._current()
        if manifest is None or request.match_info["build"] != manifest.build:
            raise web.HTTPNotFound
        return await self._serve(request, manifest, request.match_info["path"], _IMMUTABLE)

    async def serve_root_file(self, request: web.Request) -> web.Response:
        """Answer /sw.js and the other files that browsers look for at the top."""
        manifest = self._current()
        if manifest is None:
            raise web.HTTPNotFound
        return await self._serve(request, manifest, request.path.removeprefix("/"), _REVALIDATE)

    async def serve_shell(self, request: web.Request) -> web.Response:
        """Answer every other navigation with the shell, or say that there is nothing to show yet."""
        if "text/html" not in request.headers.get("Accept", ""):
            raise web.HTTPNotFound
        manifest = self._current()
        if manifest is None:
            return _nothing_built()
        return await self._serve(request, manifest, _SHELL, _REVALIDATE)

    def _current(self) -> _Manifest | None:
        path = self._folder / "manifest.json"
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._manifest, self._stamp = _Manifest.model_validate_json(path.read_bytes()), stamp
                log.info("serving build %s", self._manifest.build)
        except FileNotFoundError:
            self._manifest = self._stamp = None
        except (OSError, ValidationError) as error:
            log.warning("manifest.json is not readable now: %s", type(error).__name__)
        return self._manifest

    async def _serve(self, request: web.Request, manifest: _Manifest, path: str, caching: str) -> web.Response:
        file = manifest.files.get(path)
        if file is None or ".." in path or PurePosixPath(path).is_absolute():
            raise web.HTTPNotFound
        accepted = _accepted_encodings(request.headers.get("Accept-Encoding", ""))
        try:
            encoding, body = await asyncio.to_thread(_read, self._folder / "files" / path, accepted)
        except OSError as error:
            log.error("a file of build %s cannot be read: %s", manifest.build, path)
            raise web.HTTPNotFound from error
        if not encoding and len(body) != file.size:
            # The folder is being rebuilt: better nothing than a file of another build under this one's name.
            raise web.HTTPServiceUnavailable
        etag = f'"{file.sha256[:32]}{"-" + encoding if encoding else ""}"'
        headers = {
            "Cache-Control": caching,
            "ETag": etag,
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        }
        if any(given in ("*", etag) for given in _given_etags(request)):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = CONTENT_TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")
        if encoding:
            headers["Content-Encoding"] = encoding
        return web.Response(body=body, headers=headers)


def _read(path: Path, accepted: set[str]) -> tuple[str, bytes]:
    for encoding, suffix in _ENCODINGS:
        if encoding in accepted:
            try:
                return encoding, path.with_name(path.name + suffix).read_bytes()
            except FileNotFoundError:
                continue
    return "", path.read_bytes()


def _accepted_encodings(header: str) -> set[str]:
    """Shape: "gzip, br;q=0.5, deflate;q=0" -> {"gzip", "br"}."""
    accepted = set()
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            accepted.add(name.strip())
    return accepted


def _given_etags(request: web.Request) -> list[str]:
    given = request.headers.get("If-None-Match", "").split(",")
    return [etag.strip().removeprefix("W/") for etag in given]


def _nothing_built() -> web.Response:
    chinese, english = (html.escape(sentence) for sentence in SENTENCES["no_bundle"])
    page = (
        '<!doctype html><html lang="zh-Hant"><meta charset="utf-8"><meta http-equiv="refresh" content="5">'
        f'<title>{chinese}</title><p>{chinese}<p lang="en">{english}</html>'
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
    return web.Response(status=503, text=page, content_type="text/html", headers=headers)
