"""The ground the simulation stands on: time that jumps, kills that are final."""

import asyncio

import pytest

from tests.sim.loop import Process, StoodStill, VirtualLoop


@pytest.fixture
def loop():
    loop = VirtualLoop()
    yield loop
    loop.close()


def never(error: BaseException) -> None:
    raise AssertionError from error


def test_sleeping_a_year_takes_no_time(loop: VirtualLoop) -> None:
    loop.run_until_complete(asyncio.sleep(365 * 86400))

    assert loop.time() == 365 * 86400
    assert loop.steps < 10


def test_timers_come_in_order_and_a_timeout_ends_what_waits(loop: VirtualLoop) -> None:
    seen: list[str] = []

    async def wait() -> None:
        loop.later(2.0, lambda: seen.append("two"))
        loop.later(1.0, lambda: seen.append("one"))
        try:
            async with asyncio.timeout(3.0):
                await asyncio.Event().wait()
        except TimeoutError:
            seen.append("three")

    loop.run_until_complete(wait())

    assert seen == ["one", "two", "three"]


def test_waiting_for_what_never_comes_is_said_at_once(loop: VirtualLoop) -> None:
    with pytest.raises(StoodStill):
        loop.run_until_complete(asyncio.Event().wait())


@pytest.mark.parametrize("steps", range(4))
def test_a_process_is_killed_after_exactly_so_many_steps(loop: VirtualLoop, steps: int) -> None:
    process, seen = Process(loop, "one", never), []

    async def work() -> None:
        for number in range(10):
            seen.append(number)
            await asyncio.sleep(0)

    process.kill_after(steps, process.kill)
    process.start(work())
    loop.run_until_complete(asyncio.sleep(1))

    assert seen == list(range(steps + 1))


def test_tasks_of_tasks_die_with_their_process(loop: VirtualLoop) -> None:
    process, seen = Process(loop, "one", never), []

    async def child() -> None:
        await asyncio.sleep(5)
        seen.append("child")

    async def work() -> None:
        await asyncio.shield(asyncio.ensure_future(child()))

    process.start(work())
    loop.later(1, process.kill)
    loop.run_until_complete(asyncio.sleep(10))

    assert seen == []


def test_an_exception_nobody_catches_is_told(loop: VirtualLoop) -> None:
    told: list[BaseException] = []
    process = Process(loop, "one", told.append)

    async def work() -> None:
        raise ValueError("bug")

    process.start(work())
    loop.run_until_complete(asyncio.sleep(1))

    assert [type(error) for error in told] == [ValueError]
