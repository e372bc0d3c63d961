"""The finished bundle: build id, compressed siblings, manifest, and the swap into its place."""

import gzip
import hashlib
import html
import json
import shutil
import time
from pathlib import Path

from ui.bundle.image import Files
from ui.bundle.report import BuildError, Report

_NOT_WORTH_COMPRESSING = (".png", ".woff2", ".ico")
_BROTLI_QUALITY = 9  # 11 takes ten times as long for 4 percent
_SMALL = 400


def stamp(files: Files) -> tuple[str, Files]:
    """Return the build id and the files with that id written into the shell and the service worker.

    Shape: the id is the first 16 hex digits of a SHA-256 over the sorted lines "path sha256" before it was written in.
    """
    lines = "".join(f"{path} {_sha256(files[path])}\n" for path in sorted(files))
    build = hashlib.sha256(lines.encode()).hexdigest()[:16]
    hashes = html.escape(
        json.dumps({path: _sha256(files[path]) for path in sorted(files) if path.startswith("images/")})
    )
    shell = files["index.html"].decode().replace("@BUILD@", build).replace("@IMAGES@", hashes)
    stamped = files | {"index.html": shell.encode()}
    fetched = {path: data for path, data in stamped.items() if path != "sw.js"}
    listed = json.dumps(describe(fetched), separators=(",", ":"))
    worker = files["sw.js"].decode().replace('"@BUILD@"', json.dumps(build)).replace('"@FILES@"', listed)
    return build, stamped | {"sw.js": worker.encode()}


def describe(files: Files) -> dict[str, dict[str, str | int]]:
    return {path: {"sha256": _sha256(files[path]), "size": len(files[path])} for path in sorted(files)}


def write_bundle(out: Path, build: str, files: Files, inputs: str, cache: Path, report: Report) -> None:
    """Write everything beside the old bundle, then put it in the old one's place. Raises: OSError, BuildError."""
    beside, old = out.with_name(out.name + ".new"), out.with_name(out.name + ".old")
    for leftover in (beside, old):
        if leftover.exists():
            shutil.rmtree(leftover)
    for done, path in enumerate(sorted(files), start=1):
        target = beside / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(files[path])
        for suffix, data in _compressed(path, files[path], cache).items():
            target.with_name(target.name + suffix).write_bytes(data)
        report.count(done, len(files), "files written and compressed")
    manifest = {"build": build, "files": describe(files), "inputs": inputs}
    (beside / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    if out.exists():
        _move(out, old)
    _move(beside, out)
    if old.exists():
        shutil.rmtree(old, ignore_errors=True)  # the next build clears what is still open now


def find_current(out: Path, inputs: str) -> str | None:
    """Return the build id of the bundle in its place if it was made from these inputs and is still whole."""
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        whole = all((out / "files" / path).stat().st_size == about["size"] for path, about in manifest["files"].items())
        return str(manifest["build"]) if whole and manifest["inputs"] == inputs else None
    except (OSError, ValueError, KeyError):
        return None


def _compressed(path: str, data: bytes, cache: Path) -> dict[str, bytes]:
    if path.endswith(_NOT_WORTH_COMPRESSING) or len(data) < _SMALL:
        return {}
    import brotli  # not needed when nothing has changed

    made: dict[str, bytes] = {}
    kept = cache / "compressed" / _sha256(data)
    kept.parent.mkdir(parents=True, exist_ok=True)
    for suffix, compress in (
        (".br", lambda: brotli.compress(data, quality=_BROTLI_QUALITY)),
        (".gz", lambda: gzip.compress(data, 9, mtime=0)),
    ):
        stored = kept.with_suffix(suffix)
        if not stored.exists():
            part = stored.with_suffix(suffix + ".part")
            part.write_bytes(compress())
            part.replace(stored)
        squeezed = stored.read_bytes()
        if len(squeezed) < len(data):
            made[suffix] = squeezed
    return made


def _move(source: Path, target: Path) -> None:
    for attempt in range(20):
        try:
            source.rename(target)
            return
        except PermissionError as error:  # Windows, while somebody reads a file inside
            if attempt == 19:
                raise BuildError(f"{source} is in use.", "Stop the running hub and build again.") from error
            time.sleep(0.1)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
