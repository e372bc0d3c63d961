"""What tells a VPN that is away from a CDC that is, without asking CDC anything."""

import asyncio
import socket
from pathlib import Path

import pytest

from store.protocol import CdcLinkState
from sync.link import Endpoint, Link
from sync.probe import PROBE_SECONDS, QUIET_PROBE_SECONDS, can_connect, keep_probing, next_probe
from sync.registry import AnswerUnreadable, KeyRefused, RegistryDown, RegistryUnreachable
from tests.sync.cdc_stand import make_settings, make_world, running_cdc, until


class Line:
    """A line that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[bool] = []

    def status(self) -> tuple[CdcLinkState, object, str]:
        return CdcLinkState.CONNECTED, None, ""

    def has_work(self) -> bool:
        return True

    def probed(self, reachable: bool) -> None:
        self.told.append(reachable)


async def test_a_host_that_answers_or_refuses_is_there_and_is_asked_nothing(tmp_path: Path) -> None:
    async with running_cdc(tmp_path) as cdc:
        assert await can_connect(cdc.base_url)
        assert not cdc.cdc.requests
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert await can_connect(f"http://127.0.0.1:{taken.getsockname()[1]}/fhir")
    assert not await can_connect("https://cdc.invalid/fhir")


@pytest.mark.parametrize("watched", [True, False])
async def test_only_while_somebody_looks(tmp_path: Path, watched: bool) -> None:
    line, asked = Line(), asyncio.Event()

    def is_watched() -> bool:
        asked.set()
        return watched

    async with running_cdc(tmp_path) as cdc:
        probing = asyncio.create_task(keep_probing(line, cdc.base_url, is_watched))
        await asked.wait()
        if watched:
            await until(lambda: bool(line.told))
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)
    assert line.told == ([True] if watched else [])


def test_it_is_rarer_while_nothing_waits_and_the_line_is_well() -> None:
    assert next_probe(CdcLinkState.CONNECTED, False) == QUIET_PROBE_SECONDS
    for state in CdcLinkState:
        assert next_probe(state, True) == PROBE_SECONDS
        assert state is CdcLinkState.CONNECTED or next_probe(state, False) == PROBE_SECONDS


@pytest.fixture
def link() -> Link:
    return Link(make_settings("http://127.0.0.1"), make_world())


def test_the_vpn_going_and_coming_is_told_and_ends_the_pause(link: Link) -> None:
    link.worked(Endpoint.UPLOAD)
    told: list[CdcLinkState] = []
    link.listen(lambda: told.append(link.state))
    assert not link.probed(True)
    assert not link.probed(False)
    link.failed(RegistryUnreachable("not_reached: OSError"), Endpoint.UPLOAD)
    assert link.again_at is not None

    assert link.probed(True)

    assert told == [CdcLinkState.UNREACHABLE, CdcLinkState.UNREACHABLE, CdcLinkState.CONNECTED]
    assert link.again_at is None


def test_the_time_that_cdc_named_is_waited_for_though_its_host_is_there(link: Link) -> None:
    link.failed(RegistryDown("time_out", retry_after=60), Endpoint.UPLOAD)
    link.probed(False)
    link.probed(True)
    assert link.again_at is not None


def test_a_refused_key_goes_before_what_the_probe_finds(link: Link) -> None:
    link.begins()
    link.failed(KeyRefused("HTTP 401"), Endpoint.UPLOAD)
    assert not link.probed(False)
    assert not link.probed(True)
    assert link.state is CdcLinkState.REFUSED_KEY
    assert link.stays_stopped()
    link.tapped()
    assert not link.stays_stopped()
    assert link.state is CdcLinkState.UNKNOWN


def test_an_answer_that_is_none_rests_its_own_endpoint_only(link: Link) -> None:
    link.failed(AnswerUnreadable("HTTP 500"), Endpoint.CONFIRM)
    assert link.pause_of(Endpoint.UPLOAD).until is None
    assert link.pause_of(Endpoint.CONFIRM).until is not None
    link.failed(RegistryDown("time_out"), Endpoint.CONFIRM)
    assert link.pause_of(Endpoint.UPLOAD).until is not None
