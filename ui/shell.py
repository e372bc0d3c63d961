"""The frame of every page: title, the bar that always tells where the data is, function keys, and the one catcher."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from nicegui import app, ui
from nicegui.events import KeyEventArguments

from store.protocol import CdcLinkState
from store.roc_date import TAIPEI, format_roc_date
from store.uploads import FAILED_STATES, UploadState
from ui import wording
from ui.dialogs import open_window
from ui.help import show_help
from ui.language import language_button
from ui.practice_switch import practice_band
from ui.state import AppState
from ui.sync_client import HubLink

_GOOD, _BUSY, _BAD = "positive", "warning", "negative"


@contextmanager
def page_frame(
    state: AppState,
    title: str,
    *,
    code: str = "",
    on_key: Mapping[str, Callable[[], object]] | None = None,
    key_help: Mapping[str, str] | None = None,
    is_half_typed: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Lay out one page. `on_key` maps "F2", "Shift+F2" to what they do here; `key_help` tells of unusual ones.

    `is_half_typed`: whether something stands on the page that would be lost if it were loaded again.
    """
    ui.colors(primary="#0f6b7d", positive="#1b7f3b", warning="#a85b00", negative="#b3261e")
    tab_title = f"{title} - {wording.PRODUCT}"
    ui.page_title(wording.PRACTICE_PAGE_TITLE.format(title=tab_title) if state.is_practice else tab_title)
    with ui.header().classes("desk-header desk-practice" if state.is_practice else "desk-header"):
        if state.is_practice:
            practice_band(state)
        ui.link(wording.PRODUCT, "/").classes("desk-product").mark("home")
        heading = ui.label(f"{title}{f' ({code})' if code else ''}").classes("desk-title").mark("title")
        heading.props("role=heading aria-level=1")
        ui.space()
        help_button = ui.button(icon="help_outline", on_click=lambda: help_me()).props("flat color=white")
        help_button.props(f'aria-label="{wording.HELP_BUTTON}"').mark("help-button").tooltip(wording.HELP_BUTTON)
        language_button(is_half_typed)
        _status_bar(state)
    keys = dict(on_key or {})
    keys.setdefault("Escape", lambda: ui.navigate.to("/"))
    told = tuple(keys)

    async def help_me() -> None:
        with page:
            await show_help(told, key_help or {})

    keys["F1"] = help_me

    def pressed(event: KeyEventArguments) -> object:
        name = f"Shift+{event.key}" if event.modifiers.shift else str(event.key)
        action = keys.get(name) if event.action.keydown and not event.action.repeat else None
        # In a window keys are meant for that, from the moment it is asked for: it may not be drawn yet.
        if (window := open_window(page)) is None:
            return action() if action else None
        # The window itself hears it only once it has come up; one that is persistent has keys of its own.
        if event.key.escape and event.action.keydown and "persistent" not in window.props:
            window.close()
        return None

    ui.keyboard(pressed, ignore=[], repeating=False)
    _warn_of_refusal(state)
    _warn_of_losses(state)
    with ui.column().classes("desk-page") as page:
        yield


def _status_bar(state: AppState) -> None:
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
    state.changed.subscribe(refresh)


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


def _warn_of_refusal(state: AppState) -> None:
    alarm = ui.label("").classes("desk-alarm").mark("hub-refuses")

    def refresh() -> None:
        alarm.set_text(wording.APP_ERROR.get(state.sync.link_detail, wording.APP_ERROR["app_error"]))
        alarm.set_visibility(state.sync.link is HubLink.REFUSING)

    refresh()
    state.changed.subscribe(refresh)


def _warn_of_losses(state: AppState) -> None:
    recovery = state.database.recovery
    if recovery.damaged:
        lost = sum(stretch.length for stretch in recovery.dropped if not stretch.at_end)
        ui.label(wording.DAMAGED.format(lost=lost)).classes("desk-alarm")


def register_assets(folder: str) -> None:
    """Serve our own styles and scripts to every page. `folder` is a path on this Python's file system."""
    app.add_static_files("/assets", folder)
    # How many rows stand on a page is nobody's question here.
    ui.table.default_props('flat bordered :rows-per-page-options="[0]"')
    ui.add_head_html(
        '<link rel="stylesheet" href="/assets/desk.css"><script src="/assets/enter.js" defer></script>'
        '<script src="/assets/reach.js" defer></script><script src="/assets/print.js" defer></script>', shared=True
    )


def today_text(state: AppState) -> str:
    return format_roc_date(state.today())
