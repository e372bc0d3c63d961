"""TinyDB's own test cases, run against a table of this store: with the records in its delta, and out of a run.

The cases are TinyDB's source package of the locked version, fetched once into the build folder and checked by its hash.
"""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build" / "cache" / "tinydb-suite"
VERSION, SHA256 = "4.9.0", "6928b1fa785186bda7952a0ba05aaeedc883ede565ca9c7d608de44e5e75de70"
MODULES = ["test_tables.py", "test_operations.py", "test_queries.py", "test_tinydb.py"]
NOT_OURS = {
    "test_query_cache": "no query is kept: a change may come from another device",
    "test_query_cache_size": "the same",
    "test_lru_cache": "the same",
    "test_search": "looks at that cache inside",
    "test_search_path": "looks at that cache inside",
    "test_table_repr": "names TinyDB's own storages",
    "test_persist_table": "asks for tables that are not kept while empty",
    "test_tables_list": "the clinic's tables are there besides",
}
CONFTEST = """
import asyncio

import pytest

from store.device_database import DeviceDatabase
from store.storage import MemoryFolder
from tests.worlds import make_world


@pytest.fixture(params=["delta", "run"])
def db(request):
    loop = asyncio.new_event_loop()
    device = loop.run_until_complete(DeviceDatabase.open(MemoryFolder(), make_world()))
    device.tables.insert_multiple({"int": 1, "char": char} for char in "abc")
    if request.param == "run":
        loop.run_until_complete(device.checkpoint())
    yield device.tables
    loop.close()
"""


def fetch_suite() -> Path:
    """Return the folder with the cases."""
    package = FOLDER / f"tinydb-{VERSION}.tar.gz"
    if not package.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        command += ["--dest", str(FOLDER), f"tinydb=={VERSION}"]
        subprocess.run(command, check=True)
    assert hashlib.sha256(package.read_bytes()).hexdigest() == SHA256
    with tarfile.open(package) as archive:
        for name in MODULES:
            source = archive.extractfile(f"tinydb-{VERSION}/tests/{name}")
            assert source is not None
            (FOLDER / name).write_bytes(source.read())
    (FOLDER / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    return FOLDER


@pytest.mark.timeout(300)  # the first time it fetches the package
def test_tinydbs_own_cases_pass_against_a_table_of_this_store() -> None:
    folder = fetch_suite()
    command = [
        sys.executable,
        "-m",
        "pytest",
        *MODULES,
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir=.",
        "-c",
        os.devnull,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    deselect = [f"--deselect={m}::{n}[{w}]" for m in MODULES for n in NOT_OURS for w in ("delta", "run")]
    done = subprocess.run(
        [*command, *deselect], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 150, done.stdout
