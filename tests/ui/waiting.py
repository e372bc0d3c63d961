"""Waiting for what a page shows, or for what came of it."""

import asyncio
from collections.abc import Callable

from nicegui.testing import User

WAITED = 100  # looks at a tenth of a second each


async def see(user: User, text: str) -> None:
    await user.should_see(text, retries=WAITED)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(WAITED):
        if condition():
            return
        await asyncio.sleep(0.1)
    assert condition()
