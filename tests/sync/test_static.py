"""The browser program over real HTTP: what is served, with which headers, and what is not."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import brotli
import pytest
from aiohttp import ClientSession

from sync.middlewares import PERMISSIONS_POLICY
from sync.settings import ROOT
from sync.static import CONTENT_TYPES
from tests.sync.running_hub import RunningHub, running_hub

OLD, NEW = "0" * 16, "1" * 16
SCRIPT = b"export const desk = 1;\n" * 200
FILES = {
    "index.html": b"<!doctype html><title>desk</title>",
    "sw.js": b"self.build = 'old';",
    "manifest.webmanifest": b"{}",
    "favicon.ico": b"\0\0\1\0",
    "icons/192.png": b"\x89PNG",
    "runtime/worker.mjs": SCRIPT,
    "pyodide/pyodide.asm.wasm": b"\0asm",
    "app.bin": b"image",
}


def write_bundle(folder: Path, build: str = OLD, files: dict[str, bytes] = FILES) -> None:
    """A bundle as the builder leaves it: files first, the manifest last."""
    for path, data in files.items():
        place = folder / "files" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        if len(data) > 1000:
            place.with_name(place.name + ".br").write_bytes(brotli.compress(data))
            place.with_name(place.name + ".gz").write_bytes(gzip.compress(data))
    listed = {path: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for path, data in files.items()}
    (folder / "manifest.json").write_text(json.dumps({"build": build, "files": listed}))


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    write_bundle(tmp_path / "bundle")
    async with running_hub(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        (f"/bundle/{OLD}/runtime/worker.mjs", "text/javascript; charset=utf-8"),
        (f"/bundle/{OLD}/pyodide/pyodide.asm.wasm", "application/wasm"),
        (f"/bundle/{OLD}/app.bin", "application/octet-stream"),
        ("/sw.js", "text/javascript; charset=utf-8"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/favicon.ico", "image/x-icon"),
        ("/icons/192.png", "image/png"),
    ],
)
async def test_files_have_the_types_browsers_insist_on(hub: RunningHub, path: str, content_type: str) -> None:
    response = await hub.get(path)
    assert (response.status, response.headers["Content-Type"]) == (200, content_type)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_files_of_a_build_never_change_and_top_files_are_asked_for_again(hub: RunningHub) -> None:
    assert "immutable" in (await hub.get(f"/bundle/{OLD}/app.bin")).headers["Cache-Control"]
    for path in ("/sw.js", "/manifest.webmanifest"):
        assert (await hub.get(path)).headers["Cache-Control"] == "no-cache"
    assert (await hub.get("/", Accept="text/html")).headers["Cache-Control"] == "no-cache"


async def test_a_file_the_browser_has_is_not_sent_again(hub: RunningHub) -> None:
    first = await hub.get("/sw.js")
    again = await hub.get("/sw.js", If_None_Match=f'"other", W/{first.headers["ETag"]}')
    assert (again.status, await again.read()) == (304, b"")


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", None), ("", None)],
)
async def test_the_smallest_accepted_form_is_sent(hub: RunningHub, accepted: str, sent: str | None) -> None:
    async with ClientSession(f"http://{hub.host}", auto_decompress=False) as session:
        response = await session.get(f"/bundle/{OLD}/runtime/worker.mjs", headers={"Accept-Encoding": accepted})
        body = await response.read()

    assert response.headers.get("Content-Encoding") == sent
    assert response.headers["Vary"] == "Accept-Encoding"
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[sent]
    assert unpack(body) == SCRIPT


async def test_forms_of_one_file_have_different_etags(hub: RunningHub) -> None:
    path = f"/bundle/{OLD}/runtime/worker.mjs"
    etags = {(await hub.get(path, Accept_Encoding=form)).headers["ETag"] for form in ("br", "gzip", "identity")}
    assert len(etags) == 3


async def test_every_other_navigation_gets_the_shell(hub: RunningHub) -> None:
    for path in ("/", "/vaccinate", "/patients/0f0f", "/index.html", "/bundle"):
        response = await hub.get(path, Accept="text/html,application/xhtml+xml")
        assert (response.status, await response.read()) == (200, FILES["index.html"]), path
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_the_shell_may_run_only_our_own_scripts(hub: RunningHub) -> None:
    for path in ("/", f"/bundle/{OLD}/runtime/worker.mjs"):
        policy = (await hub.get(path, Accept="text/html")).headers["Content-Security-Policy"]
        assert "script-src 'self' 'wasm-unsafe-eval';" in policy
        assert "unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")
        assert "object-src 'none'" in policy
        assert "http" not in policy


@pytest.mark.parametrize(
    "path",
    [
        f"/bundle/{OLD}/manifest.json",
        f"/bundle/{OLD}/../manifest.json",
        f"/bundle/{OLD}/%2e%2e/manifest.json",
        f"/bundle/{OLD}/..%2fmanifest.json",
        f"/bundle/{OLD}/runtime/",
        f"/bundle/{OLD}/runtime/worker.mjs.br",
        f"/bundle/{OLD}//etc/passwd",
        f"/bundle/{OLD}/%00",
        f"/bundle/{NEW}/app.bin",
        "/icons/%2e%2e%2fsw.js",
        "/icons/none.png",
        "/manifest.json",
    ],
)
async def test_only_files_of_the_manifest_are_served(hub: RunningHub, path: str) -> None:
    # Over the bare connection: a client library would tidy the path first.
    import asyncio

    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {hub.host}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), answer[:200]


async def test_a_new_build_is_served_without_a_restart(hub: RunningHub, tmp_path: Path) -> None:
    assert await (await hub.get("/sw.js")).read() == FILES["sw.js"]

    write_bundle(tmp_path / "bundle", NEW, FILES | {"sw.js": b"self.build = 'the new one';"})

    assert await (await hub.get("/sw.js")).read() == b"self.build = 'the new one';"
    assert (await hub.get(f"/bundle/{NEW}/app.bin")).status == 200
    assert (await hub.get(f"/bundle/{OLD}/app.bin")).status == 404


async def test_a_half_written_manifest_leaves_the_last_build_in_place(hub: RunningHub, tmp_path: Path) -> None:
    assert (await hub.get("/sw.js")).status == 200
    (tmp_path / "bundle" / "manifest.json").write_text('{"build": "11')
    assert (await hub.get(f"/bundle/{OLD}/app.bin")).status == 200


async def test_a_file_overwritten_by_a_running_build_is_not_served_under_the_old_name(
    hub: RunningHub, tmp_path: Path
) -> None:
    assert (await hub.get(f"/bundle/{OLD}/app.bin")).status == 200
    (tmp_path / "bundle" / "files" / "app.bin").write_bytes(b"an image of the next build")
    assert (await hub.get(f"/bundle/{OLD}/app.bin")).status == 503


async def test_a_manifest_that_points_out_of_its_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    write_bundle(tmp_path / "bundle", OLD, FILES)
    manifest = tmp_path / "bundle" / "manifest.json"
    listed = json.loads(manifest.read_text())
    listed["files"]["../../secret"] = {"sha256": "0" * 64, "size": 6}
    manifest.write_text(json.dumps(listed))
    async with running_hub(tmp_path) as hub:
        assert (await hub.get(f"/bundle/{OLD}/..%2f..%2fsecret")).status == 404


async def test_without_a_bundle_the_page_says_what_to_do(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        response = await hub.get("/", Accept="text/html")
        assert response.status == 503
        assert "python3 -m sync" in await response.text()
        assert (await hub.get("/sw.js")).status == 404
        assert (await hub.get("/api/health")).status == 200

        write_bundle(tmp_path / "bundle")
        assert (await hub.get("/", Accept="text/html")).status == 200


def test_scripts_and_wasm_do_not_depend_on_the_machines_registry() -> None:
    assert CONTENT_TYPES[".js"].startswith("text/javascript")
    assert CONTENT_TYPES[".wasm"] == "application/wasm"


def test_the_service_worker_forbids_what_the_hub_forbids() -> None:
    """Two programs that serve one page; neither may import the other."""
    script = (ROOT / "ui" / "runtime" / "sw.js").read_text(encoding="utf-8").replace('" +\n    "', "")
    assert f'"Permissions-Policy": "{PERMISSIONS_POLICY}"' in script


@pytest.mark.parametrize(
    "path",
    [
        "..%5c..%5caccess.json",
        "..\\..\\access.json",
        "%2e%2e/%2e%2e/access.json",
        "....//....//access.json",
        "C:\\access.json",
        "C:/access.json",
        "\\\\?\\C:\\access.json",
        "app.bin::$DATA",
        "app.bin.",
        "app.bin%20",
        "app.bin%00",
        "APP.BIN",
        "./app.bin",
        "manifest.json",
        "../manifest.json",
        "app.bin.br",
        "%c0%ae%c0%ae/access.json",
        "runtime",
        "runtime/",
        "CON",
    ],
)
@pytest.mark.parametrize("place", [f"/bundle/{OLD}/", "/icons/", "/"])
async def test_no_spelling_of_a_path_leads_to_a_file_that_the_manifest_does_not_name(
    hub: RunningHub, tmp_path: Path, place: str, path: str
) -> None:
    (tmp_path / "access.json").write_text("secret")
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    writer.write(f"GET {place}{path} HTTP/1.1\r\nHost: {hub.host}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.split()[1] in (b"404", b"400"), answer
    assert b"secret" not in answer
