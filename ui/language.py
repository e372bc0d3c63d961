"""Which language the screens speak: one tap in the bar, kept on this device by the page around (runtime/shell.js).

Every tab of a device is served by one program, so all speak the same from their next page on.
"""

from collections.abc import Callable

from nicegui import app, ui

from ui import browser, wording
from ui.dialogs import confirm
from ui.wording import Language


def choose_language(language: Language) -> None:
    """Build every page in this language from now on: our sentences, Quasar's own words, the page's `lang`."""
    wording.speak(language)
    app.config.language = language.value


def language_button(is_half_typed: Callable[[], bool]) -> None:
    """Show the other language's name; a tap loads the page again in it."""

    async def switch() -> None:
        if not is_half_typed() or await confirm(wording.SWITCH_LOSES):
            other = Language.ZH_TW if wording.spoken() is Language.EN else Language.EN
            choose_language(other)
            browser.keep_language(other.value)
            ui.navigate.reload()

    button = ui.button(wording.OTHER_LANGUAGE, on_click=switch).props("flat no-caps color=white")
    button.props(f'aria-label="{wording.SWITCH_LANGUAGE}"').mark("language")
