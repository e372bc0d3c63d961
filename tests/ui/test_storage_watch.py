"""How much room is left, and when to warn."""

import asyncio

import pytest

from ui.storage_watch import WARN_BELOW_BYTES, StorageWatch

GB = 1024**3


class Browser:
    """A browser with so much room that answers so."""

    def __init__(self, used: int = 0, allowed: int = 0, keeps: bool = False, *, asks: bool = False) -> None:
        self.used, self.allowed, self.keeps, self.asks = used, allowed, keeps, asks
        self.promised = self.is_practising = False
        self.asked = self.measured = 0
        self.switched = asyncio.Event()

    async def storage_estimate(self) -> tuple[int, int]:
        self.measured += 1
        return self.used, self.allowed

    async def request_persistence(self) -> bool:
        self.asked += 1
        self.promised = self.keeps
        return self.keeps

    async def is_persistent(self) -> bool:
        return self.promised

    def asks_the_user(self) -> bool:
        return self.asks

    async def enter_practice(self) -> None:
        self.is_practising = True
        self.switched.set()

    async def leave_practice(self) -> None:
        self.is_practising = False
        self.switched.set()


@pytest.mark.parametrize(
    ("used", "allowed", "is_short"),
    [
        (0, 0, False),
        (0, 10 * GB, False),
        (int(7.9 * GB), 10 * GB, False),
        (8 * GB, 10 * GB, True),
        (0, WARN_BELOW_BYTES, False),
        (1, WARN_BELOW_BYTES, True),
    ],
    ids=["unknown", "empty", "below 80 %", "80 %", "just enough left", "too little left"],
)
async def test_staff_are_warned_before_it_hurts(used: int, allowed: int, is_short: bool) -> None:
    watch = StorageWatch(Browser(used, allowed), lambda: None)
    await watch.measure()

    assert watch.is_short is is_short


@pytest.mark.parametrize("keeps", [True, False])
async def test_the_browser_is_asked_at_the_start_and_its_answer_kept(keeps: bool) -> None:
    browser = Browser(keeps=keeps)
    watch = StorageWatch(browser, lambda: None)
    assert watch.is_kept is None

    await watch.begin()

    assert (browser.asked, watch.is_kept) == (1, keeps)


async def test_who_has_promised_is_not_asked_again() -> None:
    browser = Browser(keeps=True)
    browser.promised = True

    await StorageWatch(browser, lambda: None).begin()

    assert browser.asked == 0


async def test_a_browser_that_would_put_a_question_waits_for_the_button() -> None:
    browser = Browser(keeps=True, asks=True)
    watch = StorageWatch(browser, lambda: None)

    await watch.begin()
    assert (browser.asked, watch.is_kept) == (0, False)

    assert await watch.ask_to_keep()
    assert watch.is_kept


async def test_it_is_measured_now_and_then_only() -> None:
    browser = Browser()
    watch = StorageWatch(browser, lambda: None)
    await watch.measure()

    watch.measure_when_due()

    assert watch._task is None
    assert browser.measured == 1
