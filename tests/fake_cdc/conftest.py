"""One real fake CDC per module of tests, emptied before each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.fake_cdc.running import Client, RunningCdc


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCdc]:
    cdc = RunningCdc(tmp_path_factory.mktemp("cdc"), "--verify-after", "0")
    yield cdc
    cdc.kill()
    print(cdc.log.read_text())  # pytest shows it where a test failed


@pytest_asyncio.fixture
async def cdc(running: RunningCdc) -> AsyncIterator[Client]:
    async with Client(running.url) as client:
        await client.control("POST", "reset")
        yield client
