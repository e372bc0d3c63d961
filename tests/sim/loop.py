"""An event loop whose clock jumps to the next timer, and processes that stop between any two of its steps.

Invariants:
- nothing waits: a sleep costs as much as it takes to run what comes after it;
- handles run one by one, in the order asyncio would run them;
- a killed process has no effect any more: its tasks only unwind, and what they touch of the world refuses them.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any

NOBODY = Context()
_RUNNING: ContextVar["Process | None"] = ContextVar("running_process", default=None)


class StoodStill(Exception):
    """Nothing is left to happen, and the one who runs the loop still waits."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Units: `time()` in virtual seconds from the beginning of the world."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual_now = 0.0
        self.steps = 0
        self.set_task_factory(_make_task)

    def time(self) -> float:
        return self._virtual_now

    def later(self, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        """Let the world itself do something: it happens whoever dies meanwhile."""
        return self.call_later(seconds, call, context=NOBODY)

    def _run_once(self) -> None:
        ready, timers = self._ready, self._scheduled
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if not ready:
            if not timers:
                if self._stopping:
                    return
                raise StoodStill
            self._virtual_now = max(self._virtual_now, timers[0]._when)
        while timers and timers[0]._when <= self._virtual_now:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            if not timer._cancelled:
                ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process = handle._context.get(_RUNNING)
            handle._run()
            self.steps += 1
            if process is not None and process.kill_in is not None and process.is_alive:
                process.count_down()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass  # cancelled timers are dropped when their time comes

    def _process_events(self, event_list: object) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


class Process:
    """One run of a program on a machine: the tasks it started, until it is killed."""

    def __init__(self, loop: VirtualLoop, name: str, on_crash: Callable[[BaseException], None]) -> None:
        self.loop = loop
        self.name = name
        self.is_alive = True
        self.kill_in: int | None = None
        self.when_counted_down: Callable[[], None] = self.kill
        self._on_crash = on_crash
        self._tasks: list[asyncio.Task[Any]] = []
        self._context = copy_context()
        self._context.run(_RUNNING.set, self)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` as part of this process. An exception nobody catches is a bug of the product."""
        task = self.loop.create_task(work, context=self._context.copy())
        task.add_done_callback(self._ended, context=NOBODY)

    def kill(self) -> None:
        """End it now, between two steps. Nothing it does while unwinding has any effect."""
        self.is_alive = False
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    def refuse_the_dead(self) -> None:
        """Called by whatever of the world a process can touch. Raises: CancelledError."""
        if not self.is_alive:
            raise asyncio.CancelledError

    def kill_after(self, steps: int, kill: Callable[[], None]) -> None:
        self.kill_in, self.when_counted_down = steps, kill

    def count_down(self) -> None:
        assert self.kill_in is not None
        if self.kill_in > 0:
            self.kill_in -= 1
            return
        self.kill_in = None
        self.when_counted_down()

    def adopt(self, task: "asyncio.Task[Any]") -> None:
        if len(self._tasks) > 40:
            self._tasks = [one for one in self._tasks if not one.done()]
        self._tasks.append(task)
        if not self.is_alive:
            task.cancel()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None and self.is_alive:
            self._on_crash(error)


def _make_task(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None, **more: Any
) -> "asyncio.Task[Any]":
    task = asyncio.Task(work, loop=loop, context=context, **more)
    process = context.get(_RUNNING) if context is not None else _RUNNING.get()
    if process is not None:
        process.adopt(task)
    return task
