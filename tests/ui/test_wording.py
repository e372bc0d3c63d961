"""Sentences stand in ui/wording, in every language, and are looked up when a page is built."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "ui"
MODULES = sorted(path for path in UI.rglob("*.py") if "wording" not in path.parts and "bundle" not in path.parts)
# Ideographs and full-width punctuation; the ideographic space alone is no language.
CHINESE = re.compile("[、-〿一-鿿＀-￯]")
# A column of the HIS's file, and what stands in for characters that a property cannot hold.
NOT_SENTENCES = {
    ("roster.py", "病歷號碼"),
    ("roster.py", "姓名"),
    ("uploads.py", "批號"),
    ("prenatal.py", "＼"),
    ("prenatal.py", "＂"),
}


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


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(UI)))
def test_no_sentence_is_kept_from_the_import(path: Path) -> None:
    """It would stay in the language the program was built in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [(found.attr, found.lineno) for found in looked_up_at_import(tree)] == []
