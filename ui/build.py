"""`python -m ui.build`: make the browser bundle out of store/, ui/, the locked wheels and Pyodide; never sync/.

Nothing is done when nothing has changed. It may be interrupted at any moment and run again. The same inputs give the
same bytes: hashes lock what is downloaded, the browser's own Python compiles it, times and orders are fixed.

Shape: OUT/manifest.json {"build", "files": {path: {"sha256", "size"}}, "inputs"}, OUT/files/PATH, and PATH.br, PATH.gz
where they are smaller.
"""

import argparse
import errno
import hashlib
import sys
from pathlib import Path

from ui.bundle.application import build_application, keep_memory, project_files, read_application, try_and_list_static
from ui.bundle.download import LIBSODIUM_LOCK, PYODIDE_LOCK, fetch_package, fetch_wheels
from ui.bundle.output import find_current, stamp, write_bundle
from ui.bundle.report import BuildError, Report
from ui.bundle.site import build_site

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / ".build" / "bundle"
CACHE = ROOT / ".build" / "cache"
LIBSODIUM_FILE = "libsodium-sumo.mjs"
_PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")


def build(out: Path = OUT, cache: Path = CACHE, root: Path = ROOT) -> str:
    """Make the bundle if it is not current and return its build id. Raises: BuildError."""
    inputs = _hash_inputs(root)
    if current := find_current(out, inputs):
        return current
    try:
        return _build(out, cache, root, inputs)
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise BuildError("The disk is full.", "Free 300 MB and build again.") from error
        raise BuildError(f"A file could not be used ({error}).", "Check its rights and build again.") from error


def _build(out: Path, cache: Path, root: Path, inputs: str) -> str:
    report = Report(steps=7)
    cache.mkdir(parents=True, exist_ok=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    report.step("wheels for the browser")
    wheel_files = fetch_wheels(cache, report)
    report.step("Pyodide and libsodium")
    pyodide = fetch_package(PYODIDE_LOCK, cache.resolve(), report)
    libsodium = fetch_package(LIBSODIUM_LOCK, cache.resolve(), report)
    report.step("third-party modules")
    images = build_site(wheel_files, pyodide, cache, report)
    report.step("our own modules")
    application = read_application(root)
    images["app.bin"] = build_application(application, wheel_files, pyodide, cache)
    report.step("trial start, and the static files in use")
    files = try_and_list_static(application, images, wheel_files, pyodide, cache)
    report.step("Python's memory after the start")
    images["memory.bin"] = keep_memory(images, pyodide, cache)
    files |= {f"pyodide/{name}": (pyodide / name).read_bytes() for name in _PYODIDE_FILES}
    files[f"libsodium/{LIBSODIUM_FILE}"] = (libsodium / LIBSODIUM_FILE).read_bytes()
    files |= {f"images/{name}": data for name, data in images.items()}
    files |= {_place(path): data for path, data in application.runtime.items()}
    files |= {
        path.removeprefix("ui/"): data for path, data in application.data.items() if path.startswith("ui/assets/")
    }
    build_id, files = stamp(files)
    report.step(f"writing build {build_id}: {len(files)} files, {sum(map(len, files.values())) / 1e6:.1f} MB")
    write_bundle(out, build_id, files, inputs, cache, report)
    return build_id


def _place(path: str) -> str:
    at_top = path in {"index.html", "sw.js", "manifest.webmanifest", "favicon.ico"} or path.startswith("icons/")
    return path if at_top else f"runtime/{path}"


def _hash_inputs(root: Path) -> str:
    digest = hashlib.sha256()
    for path, content in project_files(root).items():
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ui.build", description="Make the browser bundle.")
    parser.add_argument("--out", type=Path, default=OUT, help="where the bundle goes (.build/bundle)")
    parser.add_argument("--cache", type=Path, default=CACHE, help="downloads and compiled parts (.build/cache)")
    options = parser.parse_args()
    try:
        print(f"bundle {build(options.out, options.cache)} is ready in {options.out}")
    except BuildError as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bundle: interrupted; run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
