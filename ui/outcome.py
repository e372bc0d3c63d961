"""What a page about CDC says under its buttons: what goes on, what a tap came to, or what stands in the way to CDC."""

from nicegui import ui

from ui.cdc_line import line_sentence
from ui.state import AppState


class Outcome:
    """One label, always there, so that nothing moves when it begins to speak. `usual` is said when nothing else is."""

    def __init__(self, state: AppState, usual: str, mark: str) -> None:
        self._state = state
        self._usual = usual
        self._told = self._line = ""
        self._working = False
        self._label = ui.label("").classes("desk-outcome").mark(mark)
        self.refresh()

    def work(self, sentence: str) -> None:
        """Say what goes on, until `end`."""
        self._working = True
        self._show(sentence, good=True)

    def end(self, told: str = "") -> None:
        """Say what came of it, until the next tap, or until the way to CDC that stood in its way is free."""
        self._working, self._told = False, told
        self.refresh()

    def refresh(self) -> None:
        """Something changed: the way to CDC may be another."""
        if self._working:
            return
        line = line_sentence(self._state)
        if self._line and not line:
            self._told = ""
        self._line = line
        said = line or self._told
        self._show(said or self._usual, good=not said)

    def _show(self, sentence: str, *, good: bool) -> None:
        self._label.set_text(sentence)
        self._label.classes(remove="desk-refused" if good else "", add="" if good else "desk-refused")
