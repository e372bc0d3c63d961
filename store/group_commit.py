"""Group commit: what comes while the disk is busy goes together in the next append, with one flush for all.

Invariants:
- a caller is answered after its own bytes are durable; callers are taken in the order in which they came;
- a group that the disk did not take is tried again one by one: the error meets those whose own bytes found no room;
- a caller that gives up before its turn is left out; one that gives up later does not disturb the others.

The group is written by a task of its own and not by the first caller, since that one may be cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from store.errors import StorageFailed

Work = TypeVar("Work")
# Applying a group keeps everybody waiting: some 30 microseconds for each change.
GROUP_CHANGES = 2000


@dataclass
class _Waiting(Generic[Work]):
    work: Work
    changes: int
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class GroupCommit(Generic[Work]):
    """Shares the disk among callers. `write` takes the works of one group, all or, raising StorageFailed, none."""

    def __init__(self, write: Callable[[list[Work]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: list[_Waiting[Work]] = []
        self._task: asyncio.Task[None] | None = None

    async def put(self, work: Work, changes: int) -> None:
        """Have the work, of so many changes, written; it is durable on return. Raises: what `write` raises."""
        waiting = _Waiting(work, changes)
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        await waiting.done

    async def settle(self) -> None:
        """Wait until nothing is being written."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            while group := self._next_group():
                await self._write_group(group)
        except BaseException as error:  # stopped from outside: nobody is to wait for ever
            _fail(self._waiting, error)
            self._waiting.clear()
            raise
        finally:
            self._task = None

    def _next_group(self) -> list[_Waiting[Work]]:
        group: list[_Waiting[Work]] = []
        room = GROUP_CHANGES
        while self._waiting and (not group or self._waiting[0].changes <= room):
            waiting = self._waiting.pop(0)
            if not waiting.done.done():
                group.append(waiting)
                room -= waiting.changes
        return group

    async def _write_group(self, group: list[_Waiting[Work]]) -> None:
        try:
            await self._write([waiting.work for waiting in group])
        except StorageFailed as error:
            if len(group) == 1:
                _fail(group, error)
            for waiting in group if len(group) > 1 else ():
                await self._write_group([waiting])
        except BaseException as error:
            _fail(group, error)
            if not isinstance(error, Exception):
                raise
        else:
            for waiting in group:
                if not waiting.done.done():
                    waiting.done.set_result(None)


def _fail(group: list[_Waiting[Work]], error: BaseException) -> None:
    for waiting in group:
        if not waiting.done.done():
            waiting.done.set_exception(error)
