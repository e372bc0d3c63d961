"""The frame around all pages: title, status bar, function keys; within it one page takes the other's place.

Going from page to page loads nothing: the frame stays, and only what is inside is built anew (`ui.sub_pages`).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from nicegui import Client, app, ui
from nicegui.events import KeyEventArguments

from ui import wording
from ui.dialogs import open_window
from ui.following import follow
from ui.help import show_help
from ui.language import language_button
from ui.lock_button import lock_button
from ui.page_roles import is_view_only
from ui.practice_switch import practice_band
from ui.session import SESSION_NEEDED
from ui.state import AppState
from ui.status_bar import status_bar
from ui.sync_client import HubLink

_frames: WeakKeyDictionary[Client, "Frame"] = WeakKeyDictionary()


class Frame:
    """What stays on the screen of one tab, and what the page in it says of itself."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._keys: dict[str, Callable[[], object]] = {}
        self._key_help: Mapping[str, str] = {}
        self._is_half_typed: Callable[[], bool] = lambda: False
        self._page: ui.column | None = None
        self._language = wording.spoken()
        _frames[ui.context.client] = self

    def build(self, pages: Mapping[str, Callable[..., None]]) -> None:
        """Shape of `pages`: {path: what builds the page, with its query parameters as keywords}."""
        state = self._state
        ui.colors(primary="#0f6b7d", positive="#1b7f3b", warning="#a85b00", negative="#b3261e")
        with ui.header().classes("desk-header desk-practice" if state.is_practice else "desk-header"):
            if state.is_practice:
                practice_band(state)
            ui.link(wording.PRODUCT, "/").classes("desk-product").mark("home")
            self._heading = ui.label("").classes("desk-title").mark("title").props("role=heading aria-level=1")
            ui.space()
            help_button = ui.button(icon="help_outline", on_click=self._help).props("flat color=white")
            help_button.props(f'aria-label="{wording.HELP_BUTTON}"').mark("help-button").tooltip(wording.HELP_BUTTON)
            lock_button(state)
            language_button(lambda: self._is_half_typed())
            status_bar(state)
        ui.keyboard(self._pressed, ignore=[], repeating=False)
        _warn_of_refusal(state)
        _warn_of_losses(state)
        ui.sub_pages(dict(pages))

    def turn(
        self,
        title: str,
        keys: Mapping[str, Callable[[], object]],
        key_help: Mapping[str, str],
        is_half_typed: Callable[[], bool],
    ) -> ui.column:
        """Another page begins. Returns the place for it."""
        if self._language is not wording.spoken():
            ui.navigate.reload()  # it was switched in another tab: the frame follows
        tab_title = f"{title} - {wording.PRODUCT}"
        ui.page_title(wording.PRACTICE_PAGE_TITLE.format(title=tab_title) if self._state.is_practice else tab_title)
        self._heading.set_text(title)
        self._keys = {"Escape": lambda: ui.navigate.to("/"), **keys, "F1": self._help}
        self._key_help, self._is_half_typed = key_help, is_half_typed
        self._page = ui.column().classes("desk-page")
        if is_view_only(self._state, urlsplit(ui.context.client.sub_pages_router.current_path).path):
            with self._page:
                ui.label(wording.VIEW_ONLY_PAGE.format(staff_id=self._state.staff)).classes("desk-warned").mark("view-only")
        return self._page

    async def _help(self) -> None:
        assert self._page is not None
        with self._page:
            await show_help(tuple(key for key in self._keys if key != "F1"), self._key_help)

    def _pressed(self, event: KeyEventArguments) -> object:
        name = f"Shift+{event.key}" if event.modifiers.shift else str(event.key)
        action = self._keys.get(name) if event.action.keydown and not event.action.repeat else None
        # In a window keys are meant for that, from the moment it is asked for: it may not be drawn yet.
        if self._page is None or (window := open_window(self._page)) is None:
            return action() if action else None
        # The window itself hears it only once it has come up; one that is persistent has keys of its own.
        if event.key.escape and event.action.keydown and "persistent" not in window.props:
            window.close()
        return None


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
    title = f"{title} ({code})" if code else title
    with _frames[ui.context.client].turn(title, on_key or {}, key_help or {}, is_half_typed):
        yield


def _warn_of_refusal(state: AppState) -> None:
    alarm = ui.label("").classes("desk-alarm").mark("hub-refuses")
    enrol = ui.button(wording.ENROL_DEVICE, on_click=state.vault.ask_to_enrol).props("no-caps color=negative")
    enrol.mark("enrol")

    def refresh() -> None:
        is_refusing = state.sync.link is HubLink.REFUSING
        alarm.set_text(wording.APP_ERROR.get(state.sync.link_detail, wording.APP_ERROR["app_error"]))
        alarm.set_visibility(is_refusing)
        enrol.set_visibility(is_refusing and state.person is None and state.sync.link_detail == SESSION_NEEDED)

    refresh()
    follow(state.changed, refresh)


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
    # A list's rows are sometimes drawn only once it has faded in, when Quasar measures it anew; without, never.
    ui.select.default_props(":transition-duration=60")
    ui.add_head_html(
        '<link rel="stylesheet" href="/assets/desk.css"><script src="/assets/enter.js" defer></script>'
        '<script src="/assets/reach.js" defer></script><script src="/assets/print.js" defer></script>', shared=True
    )
