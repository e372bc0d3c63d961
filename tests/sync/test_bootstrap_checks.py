"""What the set-up decides before and after it acts: refusals, pip's words, locks, the two command lines."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from pathlib import Path

import pytest

from sync.__main__ import parse_arguments
from sync.bootstrap import checks, packages
from sync.bootstrap.refusal import SENTENCES, SetupRefused
from tests.__main__ import ALL, choose

ROOT = Path(__file__).resolve().parents[2]


def test_a_free_port_is_accepted() -> None:
    checks.check_port(0)


@pytest.mark.parametrize(("version", "refused"), [((3, 8, 18), True), ((3, 10, 0), True), ((3, 11, 0), False)])
def test_only_an_old_python_is_refused(version: tuple[int, ...], refused: bool) -> None:
    if not refused:
        checks.check_python(version)
        return
    with pytest.raises(SetupRefused) as caught:
        checks.check_python(version)
    assert caught.value.sentences().count(".".join(map(str, version))) == 2


def test_the_oldest_python_is_the_one_pyproject_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["requires-python"] == ">=" + ".".join(map(str, checks.OLDEST_PYTHON))


def test_a_nearly_full_disk_is_refused_with_both_numbers(tmp_path: Path) -> None:
    checks.check_space(tmp_path, 900, free_bytes=900_000_000)
    with pytest.raises(SetupRefused) as caught:
        checks.check_space(tmp_path, 900, free_bytes=899_999_999)

    assert caught.value.facts == {"folder": tmp_path, "needed_mb": 900, "free_mb": 899}


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    checks.check_writable(tmp_path)
    in_the_way = tmp_path / "file"
    in_the_way.write_bytes(b"")

    with pytest.raises(SetupRefused, match="not_writable"):
        checks.check_writable(in_the_way / "folder")


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("Failed to establish a new connection: [Errno -3] Temporary failure in name resolution\nERROR: No matching"
         " distribution found for aiofiles==25.1.0", "no_network"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk_full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "hash_mismatch"),
        ("ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied: 'x.pyd'", "in_use"),
        ("ERROR: No matching distribution found for cryptography==50.0.2", "no_package"),
        ("Segmentation fault", "install_failed"),
    ],
    ids=lambda value: value if " " not in value else "",
)
def test_pips_words_are_understood(output: str, code: str) -> None:
    assert packages.failure_code(output) == code


@pytest.mark.parametrize("code", SENTENCES)
def test_every_refusal_says_the_same_facts_in_both_languages(code: str) -> None:
    facts = [{name for _, name, _, _ in string.Formatter().parse(words) if name} for words in SENTENCES[code]]

    assert {name.removesuffix("_en") for name in facts[0]} == {name.removesuffix("_en") for name in facts[1]}


def locked(name: str) -> set[str]:
    text = (ROOT / "sync" / "bootstrap" / f"{name}.lock").read_text(encoding="utf-8")
    return {entry.lower().replace("_", "-") for entry in re.findall(r"(?m)^([\w.-]+==[\w.]+)", text)}


@pytest.mark.parametrize(("name", "groups"), [("run", []), ("tests", ["dev", "e2e"])])
def test_the_lock_holds_what_pyproject_pins(name: str, groups: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pins = list(project["project"]["dependencies"])
    for group in groups:
        pins += project["dependency-groups"][group]

    assert pins
    assert {pin.lower() for pin in pins} <= locked(name)


def test_the_tests_environment_holds_the_programs_packages() -> None:
    assert locked("run") < locked("tests")


@pytest.mark.parametrize(
    "pattern", ["sync/__main__.py", "sync/__init__.py", "sync/bootstrap/*.py", "tests/__main__.py", "tests/chromium.py"]
)
def test_the_set_up_can_be_read_by_python_3_8(pattern: str) -> None:
    paths = list(ROOT.glob(pattern))

    assert paths
    for path in paths:
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 8))


def test_a_newer_syntax_would_be_noticed() -> None:
    with pytest.raises(SyntaxError):
        ast.parse("match 1:\n    case 1: pass", feature_version=(3, 8))


@pytest.mark.parametrize(
    ("arguments", "groups", "titles"),
    [
        ([], ALL, ["ruff", "mypy", "unit", "e2e"]),
        (["unit", "-x"], ["unit"], ["unit"]),
        (["tests/store"], ["unit"], ["pytest"]),
        (["e2e/test_two_browsers.py"], ["e2e"], ["pytest"]),
    ],
    ids=["all", "group", "fast-path", "slow-path"],
)
def test_the_command_line_chooses_the_tests(arguments: list[str], groups: list[str], titles: list[str]) -> None:
    chosen, commands = choose(arguments)

    assert (chosen, list(commands)) == (groups, titles)
    assert all(command[-1] == "-x" for command in commands.values()) or "-x" not in arguments


def test_serving_is_what_happens_without_a_word() -> None:
    assert parse_arguments([]).command == "serve"


def test_an_impossible_port_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--port", "70000"])
    assert "0-65535" in capsys.readouterr().err
