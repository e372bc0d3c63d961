"""Which files of the wheels go into the browser's third-party image, and the stored zip of the standard library."""

import hashlib
import tempfile
import zipfile
from pathlib import Path

from ui.bundle import download
from ui.bundle.image import Files, read_image, write_image, write_stored_zip
from ui.bundle.node import SCRIPTS, run_node
from ui.bundle.report import Report

# Never imported by what the app uses; each was left out while every browser check passed.
_UNUSED = (
    "nicegui/testing/",
    "nicegui/scripts/",
    "pydantic/v1/",
    "pydantic/mypy.py",
    "anyio/pytest_plugin.py",
)
_LEXERS_KEPT = {"__init__", "_mapping", "python", "json", "shell", "javascript", "html", "css", "data"}
# Developers' tools, mail and file servers; the trial start of every build would miss a wrong one.
_STDLIB_UNUSED = (
    "_pyrepl/", "pydoc_data/", "ensurepip/", "idlelib/", "turtledemo/", "tkinter/", "test/", "unittest/", "wsgiref/",
    "xmlrpc/", "doctest.py", "ftplib.py", "imaplib.py", "mailbox.py", "pdb.py", "poplib.py", "pydoc.py", "smtplib.py",
    "turtle.py",
)  # fmt: skip

# Placeholders: Python only checks that the file exists; the browser gets the real one as a static file.
_PLACEHOLDER = b"throw new Error('this file is not in the bundle');\n"

# C modules that are not in Pyodide, imported by multiprocessing on NiceGUI's way; nothing of them can be used.
_STUBS: Files = {
    "_multiprocessing.py": b"""
class SemLock:
    SEM_VALUE_MAX = 2**31 - 1

    def __init__(self, *args, **kwargs):
        raise NotImplementedError("no processes in the browser")


def sem_unlink(name):
    pass
""",
    "_posixshmem.py": b"""
def shm_open(*args, **kwargs):
    raise OSError("no shared memory in the browser")


def shm_unlink(*args, **kwargs):
    raise OSError("no shared memory in the browser")
""",
}


def build_site(wheel_files: Files, pyodide: Path, cache: Path, report: Report) -> Files:
    """Return the third-party image and the standard library's zip, from the cache when the locks have not changed.

    Shape: paths begin with "site/", the folder's place in the browser's file system; extension modules lie beside the
    images under their place, ending in ".wasm", so that the browser compiles them while they arrive.
    """
    key = _site_key()
    image_path, stdlib_path = cache / f"site-{key}.bin", cache / f"stdlib-{key}.zip"
    if not (image_path.exists() and stdlib_path.exists()):
        sources, data = choose_site_files(wheel_files)
        report.note(f"{len(sources)} third-party modules (about half a minute, once)")
        site = compile_files({f"site/{path}": source for path, source in sources.items()}, pyodide, cache)
        site |= {f"site/{path}": content for path, content in data.items()}
        report.note("the standard library")
        _write_beside(image_path, write_image(site))
        _write_beside(stdlib_path, write_stored_zip(_compile_stdlib(pyodide, cache)))
    extensions = {f"site/{path}.wasm": content for path, content in wheel_files.items() if path.endswith(".so")}
    return {"site.bin": image_path.read_bytes(), "stdlib.zip": stdlib_path.read_bytes(), **extensions}


def choose_site_files(wheel_files: Files) -> tuple[Files, Files]:
    """Split what goes along into modules to compile and files taken as they are."""
    sources: Files = dict(_STUBS)
    data: Files = {}
    for path, content in wheel_files.items():
        if path.startswith(_UNUSED):
            continue
        folder, _, name = path.rpartition("/")
        if ".dist-info" in folder:
            if name == "entry_points.txt":
                data[path] = content
            elif name == "METADATA":  # the version only; the long description would be half of the image
                data[path] = content.replace(b"\r\n", b"\n").split(b"\n\n")[0] + b"\n"
        elif folder == "pygments/lexers" and name.removesuffix(".py") not in _LEXERS_KEPT:
            continue
        elif path == "anyio/__init__.py":
            data[path] = content  # its lazy importer parses its own source
        elif name.endswith(".py"):
            sources[path] = content
        elif path.startswith("nicegui/"):
            kept = _nicegui_data(path, content)
            if kept is not None:
                data[path] = kept
        elif name.endswith(".so"):
            data[path] = b""  # loaded already when Python looks for it (runtime/python.js), but it must find the file
        elif not name.endswith((".pyi", ".typed", ".md", ".c", ".pyx", ".txt", ".rst")):
            data[path] = content
    return sources, data


def _nicegui_data(path: str, content: bytes) -> bytes | None:
    if "/dist/" in path:
        return None  # NiceGUI imports every element that has such a folder: application.py adds those in use
    if path.startswith("nicegui/templates/") or path.endswith(("/headwind.css", "/sad_face.svg", ".vue")):
        return content
    if path.endswith((".js", ".mjs")) and path.startswith(("nicegui/elements/", "nicegui/functions/")):
        return _PLACEHOLDER
    if path == "nicegui/static/favicon.ico":
        return content
    return None


def placeholder_for(path: str) -> tuple[str, bytes]:
    return f"site/{path}", _PLACEHOLDER


def compile_files(sources: Files, pyodide: Path, cache: Path) -> Files:
    """Return the .pyc of each .py file, made by the very Python that will run it."""
    with tempfile.TemporaryDirectory(dir=cache) as name:
        work = Path(name)
        (work / "in.bin").write_bytes(write_image(sources))
        arguments: list[str | Path] = [SCRIPTS / "pyodide.mjs", "compile", pyodide, "in.bin", "out.bin"]
        run_node(arguments, cwd=work, what="Compiling for the browser")
        return read_image((work / "out.bin").read_bytes())


def _compile_stdlib(pyodide: Path, cache: Path) -> Files:
    with zipfile.ZipFile(pyodide / "python_stdlib.zip") as archive:
        files = {
            name: archive.read(name)
            for name in archive.namelist()
            if not name.endswith("/") and not name.startswith(_STDLIB_UNUSED)
        }
    prefix = "lib/python314.zip/"  # the place its tracebacks name
    sources = {prefix + name: data for name, data in files.items() if name.endswith(".py")}
    compiled = compile_files(sources, pyodide, cache)
    return {path.removeprefix(prefix): data for path, data in compiled.items()} | {
        name: data for name, data in files.items() if not name.endswith(".py")
    }


def _site_key() -> str:
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for path in (
        download.WHEEL_LOCK, download.PYTHON_PART_LOCK, download.PYODIDE_LOCK,
        Path(__file__), folder / "pyodide.mjs", folder / "image.py",
    ):  # fmt: skip
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]


def _write_beside(path: Path, data: bytes) -> None:
    beside = path.with_suffix(".part")
    beside.write_bytes(data)
    beside.replace(path)
