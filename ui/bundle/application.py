"""Our own files for the browser, and which of NiceGUI's static files they need."""

import ast
import json
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ui.bundle.image import Files, write_image
from ui.bundle.node import SCRIPTS, run_node
from ui.bundle.report import BuildError
from ui.bundle.site import compile_files, placeholder_for

PACKAGES = ("store", "ui")
_NOT_IN_IMAGE = ("ui/build.py", "ui/bundle/")
_RUNTIME = "ui/runtime/"

# NiceGUI's icon fonts are 1.4 MB; only those whose icon names appear in our sources go along.
_ICON_FONT_BY_PREFIX = {
    "o_": "Material Icons Outlined",
    "r_": "Material Icons Round",
    "s_": "Material Icons Sharp",
    "sym_o_": "Material Symbols Outlined",
    "sym_r_": "Material Symbols Rounded",
    "sym_s_": "Material Symbols Sharp",
}
_ICON_NAME = re.compile(r"(o_|r_|s_|sym_[ors]_)[a-z0-9_]+")


@dataclass
class Application:
    """What our sources hold and what they use of NiceGUI."""

    sources: Files = field(default_factory=dict)
    data: Files = field(default_factory=dict)
    runtime: Files = field(default_factory=dict)
    ui_names: set[str] = field(default_factory=set)
    icon_fonts: set[str] = field(default_factory=lambda: {"Material Icons", "Roboto"})


def read_application(root: Path) -> Application:
    """Read store/ and ui/ as they lie in the work tree."""
    application = Application()
    for path, content in project_files(root).items():
        if path.startswith(_NOT_IN_IMAGE):
            continue
        if path.endswith(".py"):
            application.sources[path] = content
            _note_uses(application, path, content)
        elif path.startswith(_RUNTIME):
            application.runtime[path.removeprefix(_RUNTIME)] = content
        else:
            application.data[path] = content
    return application


def project_files(root: Path) -> Files:
    """Every file of our own that can change the bundle, the builder included."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for package in PACKAGES
        for path in sorted((root / package).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def _note_uses(application: Application, path: str, content: bytes) -> None:
    try:
        tree = ast.parse(content, path)
    except SyntaxError as error:
        raise BuildError(f"{path} line {error.lineno} is not Python: {error.msg}.", "Correct it.") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == "ui":
                application.ui_names.add(node.attr)
            if node.attr == "make_sortable":
                application.ui_names.add("sortable")
        elif isinstance(node, ast.Constant) and (icon := _ICON_NAME.fullmatch(str(node.value))):
            application.icon_fonts.add(_ICON_FONT_BY_PREFIX[icon[1]])


def build_application(application: Application, wheel_files: Files, pyodide: Path, cache: Path) -> bytes:
    """Return the image of our own files, and of the folders by which NiceGUI finds the larger elements in use."""
    files = compile_files({f"app/{path}": content for path, content in application.sources.items()}, pyodide, cache)
    files |= {f"app/{path}": content for path, content in application.data.items()}
    for package in _element_packages(application.ui_names, wheel_files):
        path, content = placeholder_for(f"{package}/dist/index.js")
        files[path] = content
    return write_image(files)


def try_and_list_static(
    application: Application, images: Files, wheel_files: Files, pyodide: Path, cache: Path
) -> Files:
    """Start the finished images once and return the static files their pages can ask for, by URL path.

    Raises: BuildError with the traceback when the application does not start.
    """
    tried = json.loads(
        _run_started("try", {**images, "in": json.dumps(sorted(application.ui_names)).encode()}, pyodide, cache)
    )
    prefix = f"_nicegui/{tried['version']}/static/"
    static: Files = {}
    for url, place in tried["urls"].items():
        inside = place.removeprefix("/site/")
        for path, content in _under(inside, wheel_files):
            static[url.removeprefix("/") + path.removeprefix(inside)] = content
    named = set(re.findall(rf'(?:src="|href="|url\("|from ")/{re.escape(prefix)}([^"]+)', tried["page"]))
    named |= set(re.findall(rf'"(?:vue|dompurify)":\s*"/{re.escape(prefix)}([^"]+)', tried["page"]))
    named |= {path.removeprefix("nicegui/static/") for path, _ in _under("nicegui/static/utils", wheel_files)}
    for name in sorted(named):
        static[prefix + name] = wheel_files[f"nicegui/static/{name}"]
        if name == "fonts.css":
            for font in _fonts(static[prefix + name].decode(), application.icon_fonts):
                static[prefix + font] = wheel_files[f"nicegui/static/{font}"]
    return static


def keep_memory(images: Files, pyodide: Path, cache: Path) -> bytes:
    """Return Python's memory after everything is imported and the pages are defined (ui/runtime/memory.js reads it)."""
    return _run_started("memory", images, pyodide, cache)


def _run_started(job: str, files: Files, pyodide: Path, cache: Path) -> bytes:
    """Run a job of pyodide.mjs beside the files and return what it wrote."""
    with tempfile.TemporaryDirectory(dir=cache) as name:
        work = Path(name)
        for path, data in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_bytes(data)
        arguments: list[str | Path] = [SCRIPTS / "pyodide.mjs", job, pyodide, "in", "out"]
        run_node(arguments, cwd=work, what="Starting the application")
        return (work / "out").read_bytes()


def _under(place: str, wheel_files: Files) -> Iterable[tuple[str, bytes]]:
    for path, content in wheel_files.items():
        if (path == place or path.startswith(place + "/")) and not path.endswith(".map"):
            yield path, content


def _fonts(css: str, families: set[str]) -> Iterable[str]:
    for block in css.split("@font-face")[1:]:
        family, url = re.search(r'font-family: "([^"]+)"', block), re.search(r"url\(([^)]+)\)", block)
        if family and url and family[1] in families:
            yield url[1]


def _element_packages(ui_names: set[str], wheel_files: Files) -> set[str]:
    """Return the folders of the elements in use that bring JavaScript of their own in a folder dist."""
    lazy = re.findall(r"'(\w+)': \('\.elements\.(\w+)'", wheel_files["nicegui/ui.py"].decode())
    modules = {module for name, module in lazy if name in ui_names} | ui_names
    with_dist = {str(PurePosixPath(path).parents[1]) for path in wheel_files if path.endswith("/dist/index.js")}
    return {package for package in with_dist if package.rpartition("/")[2] in modules}
