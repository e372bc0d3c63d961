"""`python3 -m tests audit`: is anything that the locks name known to be unsafe?

OSV is asked of Python's packages, npm of its own. Exit code: 0 nothing known, 1 something is (each is named), 2 a list
could not be asked: then nothing is said about it. What NiceGUI brings along of JavaScript (Vue, Quasar, ...) stands in
no list by itself; it goes with NiceGUI's version.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sync.bootstrap import environment, packages, processes
from sync.bootstrap.refusal import say
from sync.bootstrap.start import ROOT, guarded
from ui.bundle.node import node_program, npm_script

LOCKS = ROOT / "sync" / "bootstrap"
BUNDLE = ROOT / "ui" / "bundle"
OSV_URL = "https://api.osv.dev/v1/query"
_PYTHON_PIN = re.compile(r"(?m)^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
_NPM_PIN = re.compile(r"(?m)^([@a-z0-9][@a-z0-9._/-]*) (\S+) [0-9a-f]{64}$")
_NOTHING, _FOUND, _NOT_ASKED = 0, 1, 2


@dataclass(frozen=True)
class Found:
    """One package that a list names. Shape: `why` are the list's own numbers and words."""

    name: str
    version: str
    why: str


class NotAsked(Exception):
    """The list did not answer; the message is the tool's last words."""


def python_pins() -> dict[str, set[str]]:
    """Versions by package: those of the hub, of the tests and of the browser."""
    pins: dict[str, set[str]] = {}
    for lock in (LOCKS / "tests.lock", LOCKS / "audit.lock", *sorted(BUNDLE.glob("wheels*.txt"))):
        for name, version in _PYTHON_PIN.findall(lock.read_text(encoding="utf-8")):
            pins.setdefault(re.sub(r"[-_.]+", "-", name.lower()), set()).add(version)
    return pins


def npm_pins() -> dict[str, str]:
    """Version by package, of what the bundle takes from npm as it is."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(BUNDLE.glob("*.txt")))
    return {name: version for text in texts for name, version in _NPM_PIN.findall(text)}


def ask_osv(pins: Mapping[str, set[str]], tools: Path, url: str = OSV_URL) -> list[Found]:
    """Raises: NotAsked."""
    with TemporaryDirectory() as folder:
        # A file holds each package once.
        found, rest = list[Found](), {name: sorted(versions) for name, versions in pins.items()}
        while rest:
            listed = Path(folder) / "requirements.txt"
            listed.write_text("".join(f"{name}=={versions[0]}\n" for name, versions in rest.items()), encoding="utf-8")
            rest = {name: versions[1:] for name, versions in rest.items() if versions[1:]}
            found += _ask_osv(listed, tools, url)
    return found


def _ask_osv(listed: Path, tools: Path, url: str) -> list[Found]:
    command = [sys.executable, "-m", "pip_audit", "-r", str(listed), "--no-deps", "--disable-pip", "-s", "osv"]
    command += ["--osv-url", url, "-f", "json", "--progress-spinner", "off"]
    env = {**processes.child_environment(ROOT), "PYTHONPATH": str(tools)}
    answer = _json_of(command, env)
    return [
        Found(one["name"], one["version"], f"{vulnerability['id']} {' '.join(vulnerability['aliases'])}".strip())
        for one in answer.get("dependencies", ())
        for vulnerability in one.get("vulns", ())
    ]


def ask_npm(pins: Mapping[str, str], *options: str) -> list[Found]:
    """Raises: NotAsked."""
    lock = {
        "name": "bundle", "version": "0.0.0", "lockfileVersion": 3, "requires": True,
        "packages": {
            "": {"name": "bundle", "version": "0.0.0", "dependencies": dict(pins)},
            **{f"node_modules/{name}": {"version": version} for name, version in pins.items()},
        },
    }  # fmt: skip
    with TemporaryDirectory() as folder:
        manifest = {"name": "bundle", "version": "0.0.0", "private": True, "dependencies": dict(pins)}
        (Path(folder) / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
        (Path(folder) / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
        command = [str(node_program()), str(npm_script()), "audit", "--json", "--package-lock-only", *options]
        answer = _json_of(command, processes.child_environment(ROOT), Path(folder))
    if "vulnerabilities" not in answer:
        raise NotAsked(str(answer.get("message", "")))
    found = []
    for name, one in answer["vulnerabilities"].items():
        why = [str(via.get("url", via)) for via in one["via"] if isinstance(via, dict)]
        found.append(Found(name, pins.get(name, ""), ", ".join(why)))
    return found


def _json_of(command: list[str], env: Mapping[str, str], cwd: Path = ROOT) -> dict[str, Any]:
    """Raises: NotAsked where the tool printed no answer; its exit code says only whether something was found."""
    done = subprocess.run(command, cwd=cwd, env=dict(env), capture_output=True, encoding="utf-8", check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise NotAsked("\n".join(done.stderr.strip().splitlines()[-1:])) from None
    assert isinstance(answer, dict)
    return answer


def ensure_tools(place: environment.Environment) -> Path:
    """The folder with pip-audit, out of its own lock: what tests and the hub run with stays free of it."""
    lock, folder = place.lock("audit"), place.root / ".build" / "audit"
    digest, marker = hashlib.sha256(lock.read_bytes()).hexdigest(), folder / "lock.sha256"
    if not marker.is_file() or marker.read_text(encoding="utf-8") != digest:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        pip = environment.pip_command(place, environment.read_marker(place) or {"own_pip": True})
        env = {**processes.child_environment(place.root), "PIP_TARGET": str(folder)}
        packages.install(pip, lock, place.log, env=env, on_progress=lambda *_: None)
        marker.write_text(digest, encoding="utf-8")
    return folder


def main() -> int:
    place, codes = environment.Environment(ROOT), {_NOTHING}
    for title, ask in (
        ("OSV (Python)", lambda: ask_osv(python_pins(), ensure_tools(place))),
        ("npm", lambda: ask_npm(npm_pins())),
    ):
        try:
            found = ask()
        except NotAsked as error:
            say(f"{title}：無法查詢，沒有結果 · could not be asked, so nothing is known: {error}")
            codes.add(_NOT_ASKED)
            continue
        for one in found:
            say(f"{title}：{one.name} {one.version}  {one.why}")
        say(f"{title}：{len(found)} 項已知問題 · known problems")
        codes.add(_FOUND if found else _NOTHING)
    return _FOUND if _FOUND in codes else max(codes)


if __name__ == "__main__":
    sys.exit(guarded(main))
