"""How the way to CDC stands, as a sentence for staff, and the tap that has it used now."""

from store.protocol import CdcLinkState
from ui import wording
from ui.network import NetworkFailed
from ui.state import AppState
from ui.sync_client import HubLink
from ui.vaccination_list import moment_text

_USABLE = (CdcLinkState.CONNECTED, CdcLinkState.UNKNOWN)


async def hurry_cdc(state: AppState) -> str:
    """Bring what was recorded to the hub and have it use its line to CDC now. Returns what stands in the way, or ""."""
    if not await state.sync.sync_now():
        return _hub_sentence(state)
    match await state.sync.wake_cdc(state.staff):
        case "":
            return standstill(state)
        case "cdc_not_configured":
            return wording.CDC_REMEDY[CdcLinkState.NOT_CONFIGURED]
        case "cdc_link_failed":
            return wording.CDC_LINE_BROKEN
        case code:
            return wording.APP_ERROR.get(code, wording.APP_ERROR["app_error"])


def standstill(state: AppState) -> str:
    """Why nothing goes on just now, or ""; while the hub is trying, its last failure is no standstill."""
    if state.sync.link is not HubLink.CONNECTED:
        return _hub_sentence(state)
    status = state.sync.status
    # A refused key is not tried again by itself: there is no time to wait for.
    stands = status.cdc_since is None or status.cdc is CdcLinkState.REFUSED_KEY
    rests = stands or status.cdc_again_at is not None
    return line_sentence(state) if rests and status.cdc not in _USABLE else ""


def line_sentence(state: AppState) -> str:
    """What is wrong on the way to CDC and what to do, "" for nothing known; CDC's own words as they came."""
    status = state.sync.status
    if state.sync.link not in (HubLink.CONNECTED, HubLink.UNKNOWN):
        return _hub_sentence(state)
    if state.sync.link is HubLink.UNKNOWN or status.cdc in _USABLE:
        return ""
    if status.cdc is CdcLinkState.FAILING and status.cdc_since is None:  # it was never up
        return wording.CDC_LINE_BROKEN
    told = wording.CDC_REMEDY[status.cdc]
    if status.cdc_again_at is not None:
        told += wording.CDC_AGAIN_AT.format(at=moment_text(status.cdc_again_at.isoformat()))
    if status.cdc in (CdcLinkState.REFUSED_KEY, CdcLinkState.FAILING):
        told += wording.CDC_DETAIL.format(detail=status.cdc_detail)
    return told


def _hub_sentence(state: AppState) -> str:
    if state.sync.link is HubLink.NO_NETWORK:
        return wording.NO_NETWORK_REMEDY
    code = state.sync.link_detail if state.sync.link is HubLink.REFUSING else NetworkFailed.code
    return wording.APP_ERROR.get(code, wording.APP_ERROR["app_error"])
