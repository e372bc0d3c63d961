"""The storage contract in the browser's worker: OPFS and IndexedDB, also sealed, pass what file and memory pass."""

import pytest

from e2e.programs import ROOT
from e2e.screens import Tablet
from tests.contracts import STORAGE_CONTRACT

RUN = """
import js
namespace = {{"__name__": "contracts"}}
exec(compile(CONTRACTS, "contracts.py", "exec"), namespace)
from ui.browser_storage import BrowserFolder, open_indexed_db, open_opfs
KEY = js.Uint8Array.new(32)
async def sealed_opfs(name):
    return BrowserFolder(await js.desk.storage.openOpfs(name, 8000, KEY))
async def sealed_indexed_db(name):
    return BrowserFolder(await js.desk.storage.openIndexedDb(name, KEY))
async def reopen():
    return await {storage}("{name}")
await namespace["{check}"](reopen)
"{check} passed"
"""


@pytest.mark.parametrize("storage", ["open_opfs", "open_indexed_db", "sealed_opfs", "sealed_indexed_db"])
def test_storage_contract_in_the_browser(storage: str, tablet: Tablet) -> None:
    desk = tablet.open()
    contracts = (ROOT / "tests" / "contracts.py").read_text(encoding="utf-8")
    desk.python(f"CONTRACTS = {contracts!r}")

    for check in STORAGE_CONTRACT:
        name = f"contract-{check.__name__}"
        assert desk.python(RUN.format(storage=storage, name=name, check=check.__name__)) == f"{check.__name__} passed"


def test_the_check_in_the_browser_can_fail(tablet: Tablet) -> None:
    desk = tablet.open()
    desk.python("CONTRACTS = 'async def check_nothing(reopen):\\n    assert (await reopen()) is None'")

    with pytest.raises(Exception, match="AssertionError"):
        desk.python(RUN.format(storage="open_opfs", name="can-fail", check="check_nothing"))
