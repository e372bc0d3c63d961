import gzip
import hashlib
import json
import re
from pathlib import Path

import brotli

from ui.bundle.image import Files
from ui.bundle.output import find_current, stamp, write_bundle
from ui.bundle.report import Report

SHELL = b'<meta content="@BUILD@"><meta content="@IMAGES@">'
WORKER = b'const BUILD = "@BUILD@"; const FILES = "@FILES@";'
FILES: Files = {
    "index.html": SHELL,
    "sw.js": WORKER,
    "images/stdlib.zip": b"s" * 2000,
    "images/site.bin": b"t" * 2000,
    "images/app.bin": b"a" * 2000,
    "icons/192.png": b"p" * 2000,
}


def _write(out: Path, files: Files, inputs: str = "same") -> None:
    build, stamped = stamp(files)
    write_bundle(out, build, stamped, inputs, out.parent / "cache", Report(1))


def test_the_same_files_give_the_same_build_and_one_byte_another() -> None:
    assert stamp(FILES) == stamp(dict(reversed(FILES.items())))
    assert stamp(FILES)[0] != stamp(FILES | {"images/app.bin": b"b" * 2000})[0]


def test_shell_and_service_worker_know_their_build_and_its_hashes() -> None:
    build, files = stamp(FILES)

    assert build in files["index.html"].decode()
    assert hashlib.sha256(FILES["images/app.bin"]).hexdigest() in files["index.html"].decode()
    listed = json.loads(re.search(r"FILES = (\{.*\});", files["sw.js"].decode())[1])  # type: ignore[index]
    assert set(listed) == set(FILES) - {"sw.js"}
    assert listed["index.html"]["sha256"] == hashlib.sha256(files["index.html"]).hexdigest()


def test_the_manifest_describes_what_lies_there(tmp_path: Path) -> None:
    _write(tmp_path / "bundle", FILES)

    manifest = json.loads((tmp_path / "bundle/manifest.json").read_text())
    assert set(manifest["files"]) == set(FILES)
    for path, about in manifest["files"].items():
        data = (tmp_path / "bundle/files" / path).read_bytes()
        assert about == {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def test_compressed_siblings_hold_the_same_bytes_and_only_where_they_help(tmp_path: Path) -> None:
    _write(tmp_path / "bundle", FILES)

    image = tmp_path / "bundle/files/images/app.bin"
    assert brotli.decompress(image.with_name("app.bin.br").read_bytes()) == image.read_bytes()
    assert gzip.decompress(image.with_name("app.bin.gz").read_bytes()) == image.read_bytes()
    assert not (tmp_path / "bundle/files/icons/192.png.br").exists()


def test_a_new_bundle_takes_the_place_of_the_old_one_whole(tmp_path: Path) -> None:
    _write(tmp_path / "bundle", FILES | {"runtime/old.js": b"old"})
    (tmp_path / "bundle.new").mkdir()  # left by a build that was interrupted
    (tmp_path / "bundle.old").mkdir()

    _write(tmp_path / "bundle", FILES)

    assert not (tmp_path / "bundle/files/runtime/old.js").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"bundle", "cache"}


def test_a_bundle_find_current_only_for_its_inputs_and_while_whole(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    assert find_current(out, "one") is None
    _write(out, FILES, inputs="one")

    assert find_current(out, "one") == stamp(FILES)[0]
    assert find_current(out, "two") is None
    (out / "files/images/app.bin").write_bytes(b"cut")
    assert find_current(out, "one") is None
