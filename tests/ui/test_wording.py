"""Sentences stand in ui/wording, in every language, and are looked up when a page is built."""

import ast
import importlib
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from string import Formatter
from types import ModuleType

import pytest

from store.errors import AppError
from store.lots import LotStatus, LotType
from store.patients import Sex
from ui import wording
from ui.wording import Language, en, names_in, zh_tw

UI = Path(__file__).parents[2] / "ui"
MODULES = sorted(path for path in UI.rglob("*.py") if "wording" not in path.parts and "bundle" not in path.parts)
# Ideographs and full-width punctuation; the ideographic space alone is no language.
CHINESE = re.compile("[、-〿一-鿿＀-￯]")
# A column of the HIS's file, and what stands in for characters that a property cannot hold.
NOT_SENTENCES = {
    ("roster.py", "病歷號碼"),
    ("roster.py", "姓名"),
    ("prenatal.py", "＼"),
    ("prenatal.py", "＂"),
}
ROOMS = sorted(path.stem for path in (UI / "wording" / "zh_tw").glob("*.py") if path.stem != "__init__")
LANGUAGES = {"zh_tw": zh_tw, "en": en}
# English screens name the other language in its own script.
CHINESE_IN_ENGLISH = {"OTHER_LANGUAGE", "SWITCH_LANGUAGE"}
# Tables of what is said only of some.
PARTIAL = {"CDC_REMEDY", "EXAM_REFUSAL"}


def texts_of(tree: ast.Module) -> Iterator[ast.Constant]:
    """Every text in the code but the docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node


def looked_up_at_import(node: ast.AST) -> Iterator[ast.Attribute]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for default in (*child.args.defaults, *child.args.kw_defaults, *child.decorator_list):
                if default is not None:
                    yield from looked_up_at_import(ast.Expr(default))
        elif isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name) and child.value.id == "wording":
            yield child
        elif not isinstance(child, ast.Lambda):
            yield from looked_up_at_import(child)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(UI)))
def test_no_sentence_stands_in_the_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {(path.name, text.value) for text in texts_of(tree) if CHINESE.search(text.value)}
    assert found <= NOT_SENTENCES


def names_imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ui.wording"):
            yield from (alias.name for alias in node.names if alias.name.isupper())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(UI)))
def test_no_sentence_is_kept_from_the_import(path: Path) -> None:
    """It would stay in the language the program was built in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [(found.attr, found.lineno) for found in looked_up_at_import(tree)] == []
    assert list(names_imported(tree)) == []


def names_said(language: str, room: str) -> set[str]:
    """The names that a room itself gives, without those it takes from elsewhere."""
    tree = ast.parse((UI / "wording" / language / f"{room}.py").read_text(encoding="utf-8"))
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def sentences_in(said: object, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], str]]:
    """Every sentence of a name, with the keys and places that lead to it."""
    if isinstance(said, str):
        yield path, said
    elif isinstance(said, dict):
        for key, each in said.items():
            yield from sentences_in(each, (*path, key))
    else:
        assert isinstance(said, list | tuple), (path, said)
        for place, each in enumerate(said):
            yield from sentences_in(each, (*path, place))


def room_in(language: str, room: str) -> dict[tuple[object, ...], str]:
    module = importlib.import_module(f"ui.wording.{language}.{room}")
    mine = {name: said for name, said in names_in(module).items() if name in names_said(language, room)}
    return dict(sentences_in(mine))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("room", ROOMS)
def test_both_languages_say_the_same_in_every_room(room: str) -> None:
    chinese, english = (room_in(language, room) for language in LANGUAGES)

    assert chinese, "found nothing to compare"
    assert english.keys() == chinese.keys()
    assert {key: placeholders(said) for key, said in english.items()} == {
        key: placeholders(said) for key, said in chinese.items()
    }


@pytest.mark.parametrize("room", ROOMS)
def test_english_sentences_are_english(room: str) -> None:
    english = {key[0] for key, said in room_in("en", room).items() if CHINESE.search(said)}
    assert english <= CHINESE_IN_ENGLISH


def every_error(base: type[AppError] = AppError) -> Iterator[str]:
    """The codes of the errors that screens can meet; the hub has its own (sync/)."""
    if base.__module__.startswith(("store.", "ui.")):
        yield base.code
    for each in base.__subclasses__():
        yield from every_error(each)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_every_code_that_can_be_told_has_its_words(language: ModuleType) -> None:
    whole = {type(key) for said in names_in(language).values() if isinstance(said, dict) for key in said} - {str, bool}
    for path in UI.glob("*.py"):
        importlib.import_module(f"ui.{path.stem}")  # so that every error of the pages is known

    assert len(whole) > 10, "found too little to check"
    for name, said in names_in(language).items():
        if isinstance(said, dict) and name not in PARTIAL:
            kinds = {type(key) for key in said if isinstance(key, Enum)}
            assert all(said.keys() == set(kind) for kind in kinds), name
    tables = names_in(language)
    for name, codes in (
        ("APP_ERROR", {*every_error()}),
        ("LOT_TYPE", {*LotType}),
        ("STOCK_LOT_TYPE", {*LotType}),
        ("LOT_STATUS", {*LotStatus}),
        ("SEX", {*Sex}),
    ):
        table = tables[name]
        assert isinstance(table, dict)
        assert codes <= table.keys(), name


def test_what_was_said_in_one_language_is_said_in_the_other_after_the_switch() -> None:
    assert (wording.spoken(), wording.SAVE, wording.upload_state("not_sent")) == (Language.ZH_TW, "確定 (F9)", "待上傳")
    wording.speak(Language.EN)
    try:
        assert (wording.spoken(), wording.SAVE, wording.upload_state("not_sent")) == (
            Language.EN,
            "Save (F9)",
            "To upload",
        )
    finally:
        wording.speak(Language.ZH_TW)
    assert wording.SAVE == "確定 (F9)"


@pytest.mark.parametrize("language", ["zh_tw", "en"])
def test_a_name_stands_in_one_room(language: str) -> None:
    """The rooms are put together: of two sentences under one name, one would be said in the other's place."""
    rooms: dict[str, list[str]] = {}
    for path in (UI / "wording" / language).glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for target in node.targets if isinstance(node, ast.Assign) else ():
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        rooms.setdefault(name.id, []).append(path.stem)
    assert len(rooms) > 100
    assert {name: found for name, found in rooms.items() if len(found) > 1} == {}
