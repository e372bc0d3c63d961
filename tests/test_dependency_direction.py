"""Who may import whom, and what a clinic's Windows PC cannot run, read out of every module's source.

ui -> store <- sync; e2e/fake_cdc stands alone; js and pyodide stay in the browser's corner of ui; the set-up needs
nothing but Python. Imports inside functions, relative ones and `import_module("...")` count like any other.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STANDARD = sys.stdlib_module_names
BROWSER_ONLY = {"js", "pyodide", "pyodide_js"}
Law = Callable[[str], bool]


def forbids(*packages: str) -> Law:
    return lambda name: name.split(".")[0] not in packages


def allows_only(*packages: str) -> Law:
    """Beside the standard library; a dotted name stands for that package alone."""
    return lambda name: name.split(".")[0] in STANDARD or any(f"{name}.".startswith(f"{one}.") for one in packages)


LAWS: dict[str, tuple[list[str], Law]] = {
    "store": (["store/**/*.py"], allows_only("store", "pydantic", "pydantic_core", "tinydb")),
    "ui": (["ui/**/*.py"], forbids("sync", "e2e", "tests", "aiohttp")),
    "sync": (["sync/**/*.py"], forbids("ui", "e2e", "tests", "nicegui", *BROWSER_ONLY)),
    "fake CDC": (["e2e/fake_cdc/**/*.py"], allows_only("e2e.fake_cdc", "aiohttp", "cryptography")),
    "set-up": (
        ["sync/__init__.py", "sync/__main__.py", "sync/bootstrap/**/*.py", "tests/__main__.py", "tests/chromium.py"],
        allows_only("sync", "tests"),
    ),
}


def modules_of(root: Path, patterns: list[str]) -> list[Path]:
    return sorted({path for pattern in patterns for path in root.glob(pattern)})


def imported_names(path: Path, root: Path) -> set[str]:
    """Every module a file imports, by its absolute dotted name."""
    package = list(path.relative_to(root).parent.parts)
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from . import x` and `from e2e import x` name a module only together with x.
            names |= {f"{base}.{alias.name}" for alias in node.names} if base else {alias.name for alias in node.names}
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called in ("__import__", "import_module", "importlib.import_module"):
                names.add(str(node.args[0].value))
    return names


def breaches(root: Path, patterns: list[str], law: Law) -> list[str]:
    return [
        f"{path.relative_to(root)} imports {name}"
        for path in modules_of(root, patterns)
        for name in sorted(imported_names(path, root))
        if not law(name)
    ]


@pytest.mark.parametrize("area", LAWS)
def test_no_module_imports_across_the_boundary(area: str) -> None:
    patterns, law = LAWS[area]

    assert modules_of(ROOT, patterns), "found nothing to check"
    assert breaches(ROOT, patterns, law) == []


def test_js_and_pyodide_stay_in_the_browsers_corner_of_ui() -> None:
    corner = [*(ROOT / "ui").glob("browser*.py"), *(ROOT / "ui" / "runtime").rglob("*.py")]
    rest = [path for path in (ROOT / "ui").rglob("*.py") if path not in corner]

    assert rest
    for path in rest:
        assert not {name.split(".")[0] for name in imported_names(path, ROOT)} & BROWSER_ONLY, path


@pytest.mark.parametrize(
    ("area", "file", "source"),
    [
        ("store", "store/deep/x.py", "import aiohttp"),
        ("store", "store/x.py", "def f():\n    from ui.pages import patients"),
        ("ui", "ui/pages/x.py", "from ...sync import app"),
        ("ui", "ui/x.py", "import importlib\nimportlib.import_module('sync.app')"),
        ("sync", "sync/x.py", "if True:\n    import ui.build"),
        ("sync", "sync/x.py", "from .. import ui"),
        ("fake CDC", "e2e/fake_cdc/x.py", "from store import codes"),
        ("fake CDC", "e2e/fake_cdc/x.py", "from .. import conftest"),
        ("set-up", "sync/bootstrap/x.py", "import pydantic"),
    ],
)
def test_a_planted_breach_is_found(tmp_path: Path, area: str, file: str, source: str) -> None:
    planted = tmp_path / file
    planted.parent.mkdir(parents=True)
    planted.write_text(source, encoding="utf-8")

    assert len(breaches(tmp_path, *LAWS[area])) == 1


POSIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
POSIX_NAMES = {
    "os": "chown execl execle execlp execv execve execvp fchown fork forkpty getegid geteuid getgid getpgid getuid"
    " killpg mkfifo nice posix_fallocate posix_spawn pread pwrite sched_getaffinity setgid setsid setuid statvfs uname"
    " O_DIRECTORY WNOHANG",
    "signal": "SIGALRM SIGCHLD SIGHUP SIGKILL SIGUSR1 SIGUSR2 alarm pause setitimer sigwait",
}
POSIX_ATTRIBUTES = {f"{module}.{name}" for module, names in POSIX_NAMES.items() for name in names.split()}
POSIX_METHODS = {"add_signal_handler", "create_unix_server", "open_unix_connection", "start_unix_server"}
POSIX_ARGUMENTS = {"preexec_fn", "start_new_session", "pass_fds"}
POSIX_FOLDERS = ("/dev/", "/etc/", "/proc/", "/tmp/", "/usr/", "/var/")


def posix_only(node: ast.AST) -> str | None:
    """What in this one node does not exist on Windows."""
    found: str | None = None
    if isinstance(node, ast.Import):
        found = next((alias.name for alias in node.names if alias.name in POSIX_MODULES), None)
    elif isinstance(node, ast.ImportFrom):
        names = {f"{node.module}.{alias.name}" for alias in node.names} & POSIX_ATTRIBUTES
        found = node.module if node.module in POSIX_MODULES else next(iter(names), None)
    elif isinstance(node, ast.Attribute):
        text = ast.unparse(node)
        found = text if text in POSIX_ATTRIBUTES or node.attr in POSIX_METHODS else None
    elif isinstance(node, ast.keyword):
        found = node.arg if node.arg in POSIX_ARGUMENTS else None
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        found = node.value if node.value.startswith(POSIX_FOLDERS) else None
    return found


def asks_for_the_platform(test: ast.AST) -> bool:
    text = ast.unparse(test)
    return "os.name" in text or "sys.platform" in text or "hasattr(os" in text


def catches_absence(node: ast.Try) -> bool:
    caught = " ".join(ast.unparse(handler.type) for handler in node.handlers if handler.type)
    return any(name in caught for name in ("NotImplementedError", "ImportError", "AttributeError"))


def unguarded(node: ast.AST) -> Iterator[str]:
    """POSIX-only names outside any branch that first asks what system this is."""
    if isinstance(node, ast.If | ast.IfExp) and asks_for_the_platform(node.test):
        return
    if isinstance(node, ast.BoolOp) and asks_for_the_platform(node.values[0]):
        return
    if isinstance(node, ast.Try) and catches_absence(node):
        return
    found = posix_only(node)
    if found:
        yield f"line {getattr(node, 'lineno', '?')}: {found}"
    for child in ast.iter_child_nodes(node):
        yield from unguarded(child)
        leaves = isinstance(child, ast.If) and isinstance(child.body[-1], ast.Return | ast.Raise)
        if leaves and isinstance(child, ast.If) and asks_for_the_platform(child.test):
            return  # what follows runs on the other system only


def unguarded_in(path: Path) -> list[str]:
    return list(unguarded(ast.parse(path.read_text(encoding="utf-8"), str(path))))


@pytest.mark.parametrize("package", ["store", "sync", "ui"])
def test_nothing_needs_posix_on_the_clinic_pc(package: str) -> None:
    modules = modules_of(ROOT, [f"{package}/**/*.py"])

    assert modules, "found nothing to check"
    assert {str(path.relative_to(ROOT)): unguarded_in(path) for path in modules if unguarded_in(path)} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.fork()",
        "import fcntl",
        "from os import geteuid",
        "def f(loop):\n    loop.add_signal_handler(15, f)",
        "import subprocess\nsubprocess.run(['x'], start_new_session=True)",
        "where = '/tmp/x'",
        "import os\nif os.environ:\n    os.fork()",
    ],
)
def test_a_planted_posix_call_is_found(tmp_path: Path, source: str) -> None:
    (tmp_path / "x.py").write_text(source, encoding="utf-8")

    assert unguarded_in(tmp_path / "x.py")


@pytest.mark.parametrize(
    "source",
    [
        "import os\nif os.name == 'posix':\n    os.fork()",
        "import os\nroot = os.name == 'posix' and os.geteuid() == 0",
        "import os\ndef f():\n    if os.name == 'nt':\n        return\n    os.fork()",
        "try:\n    import fcntl\nexcept ImportError:\n    fcntl = None",
    ],
)
def test_a_guarded_posix_call_is_accepted(tmp_path: Path, source: str) -> None:
    (tmp_path / "x.py").write_text(source, encoding="utf-8")

    assert unguarded_in(tmp_path / "x.py") == []
