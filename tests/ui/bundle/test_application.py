from pathlib import Path

import pytest

from ui.bundle.application import read_application
from ui.bundle.report import BuildError


def _project(root: Path, page: str) -> Path:
    for path, text in {
        "store/ids.py": "",
        "store/data/codes.json": "{}",
        "ui/pages/menu.py": page,
        "ui/build.py": "",
        "ui/bundle/image.py": "",
        "ui/runtime/bridge.py": "",
        "ui/runtime/sw.js": "// worker",
        "ui/__pycache__/old.pyc": "",
        "sync/app.py": "",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def test_the_browser_gets_store_and_ui_without_the_builder_and_never_sync(tmp_path: Path) -> None:
    application = read_application(_project(tmp_path, ""))

    assert set(application.sources) == {"store/ids.py", "ui/pages/menu.py", "ui/runtime/bridge.py"}
    assert set(application.data) == {"store/data/codes.json"}
    assert set(application.runtime) == {"sw.js"}


def test_elements_used_anywhere_in_a_page_are_noticed(tmp_path: Path) -> None:
    application = read_application(
        _project(tmp_path, "def later():\n    ui.echart({})\n    ui.label().make_sortable()\n")
    )

    assert application.ui_names == {"echart", "label", "sortable"}


def test_icon_fonts_go_along_only_where_their_icons_are_named(tmp_path: Path) -> None:
    plain = read_application(_project(tmp_path / "a", "ui.icon('home')"))
    outlined = read_application(_project(tmp_path / "b", "ui.icon('sym_o_home')"))

    assert outlined.icon_fonts - plain.icon_fonts == {"Material Symbols Outlined"}


def test_a_page_that_is_not_python_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"ui/pages/menu.py line 2"):
        read_application(_project(tmp_path, "\ndef ("))
