"""The bar on every page that always tells how the network, the sync and CDC stand."""

from nicegui import ui

from store.protocol import CdcLinkState
from store.roc_date import TAIPEI
from store.uploads import FAILED_STATES, UploadState
from ui import wording
from ui.following import follow
from ui.state import AppState
from ui.sync_client import HubLink

_GOOD, _BUSY, _BAD = "positive", "warning", "negative"


def status_bar(state: AppState) -> None:
    with ui.row().classes("desk-bar").mark("status-bar"):
        practice = _chip("practice")
        network = _chip("network")
        first_sync = _chip("first-sync")
        unsent = _chip("unsent")
        synced = _chip("last-sync")
        scope = _chip("scope")
        storage = _chip("storage")
        cdc = _chip("cdc")

    def refresh() -> None:
        _set(practice, wording.PRACTICE, _BAD)
        practice.set_visibility(state.sync.status.practice)
        for chip in (unsent, synced):
            chip.set_visibility(not state.is_practice)
        link = state.sync.link
        _set(
            network,
            wording.BAR_HUB.format(state=wording.PRACTICE_LINK if state.is_practice else wording.HUB_LINK[link]),
            {HubLink.CONNECTED: _GOOD, HubLink.UNKNOWN: _BUSY}.get(link, _BAD),
        )
        _show_snapshot(state, first_sync)
        count = len(state.database.unsent)
        _set(unsent, wording.BAR_UNSENT.format(count=count), _BUSY if count else _GOOD)
        at = state.sync.last_sync_at
        time = f"{at.astimezone(TAIPEI):%H:%M:%S}" if at else ""
        _set(synced, wording.BAR_SYNCED.format(time=time) if at else wording.BAR_NEVER_SYNCED, _GOOD if at else _BUSY)
        _show_scope(state, scope)
        storage.set_visibility(state.storage.is_short)
        _set(storage, wording.STORAGE_SHORT_BAR.format(left=wording.bytes_text(state.storage.left_bytes)), _BAD)
        _show_cdc(state, cdc)

    refresh()
    follow(state.changed, refresh)


def _show_snapshot(state: AppState, chip: ui.chip) -> None:
    percent = state.sync.snapshot.percent
    chip.set_visibility(percent is not None)
    words = wording.CATCHING_UP if state.database.cursor else wording.FIRST_SYNC
    _set(chip, words.format(percent=percent), _BUSY)


def _show_scope(state: AppState, chip: ui.chip) -> None:
    reach, people = state.database.reach, len(state.database.tables.patients)
    chip.set_visibility(reach.is_chosen)
    if reach.is_chosen:
        _set(chip, wording.SCOPE_BAR.format(sessions=len(reach.session_ids), people=people), _BUSY)


def _show_cdc(state: AppState, chip: ui.chip) -> None:
    count = state.database.tables.vaccinations.count_by
    waiting = count("upload_state", UploadState.NOT_SENT)
    unverified = count("upload_state", UploadState.SENT) + count("upload_state", UploadState.ACCEPTED)
    refused = sum(count("upload_state", state) for state in FAILED_STATES)
    # With the hub away nobody knows how CDC is: what it said last would be a guess.
    known = state.sync.status.cdc if state.sync.link is HubLink.CONNECTED else CdcLinkState.UNKNOWN
    colour = {CdcLinkState.CONNECTED: _GOOD, CdcLinkState.UNKNOWN: _BUSY}.get(known, _BAD)
    words = wording.PRACTICE_LINK if state.is_practice else wording.CDC_LINK[known]
    text = wording.BAR_CDC.format(state=words, waiting=waiting, unverified=unverified, refused=refused)
    _set(chip, text, _BAD if refused else colour)


def _chip(mark: str) -> ui.chip:
    return ui.chip("").props("square dense text-color=white").classes("desk-chip").mark(mark)


def _set(chip: ui.chip, text: str, colour: str) -> None:
    chip.set_text(text)
    chip.props(f"color={colour}")
