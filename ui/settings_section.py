"""What the groups of the settings screen have in common: what was shown, what stands there now, what is to be saved.

Invariants:
- what comes from another station is shown at once where nothing was typed, and else told, never typed over;
- a setting that stands as it was shown makes no change.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from nicegui import ui

from store.changes import ChangeDraft
from store.clinic_settings import Setting, StaffMember, draft_setting, read_setting
from ui import wording
from ui.state import AppState


class Section:
    """One tab. Subclasses draw their fields and say what stands in them."""

    tab = ""

    def __init__(self, state: AppState, on_change: Callable[[], None]) -> None:
        """`on_change` is called whenever what stands in the fields may have changed."""
        self._state, self._on_change = state, on_change
        self._tables = state.database.tables
        self._shown: dict[str, tuple[Setting, Mapping[str, Any] | None]] = {}
        self._signature: Hashable = None

    def build(self) -> None:
        with ui.column().classes("desk-card"):
            self._elsewhere = ui.label(wording.SETTINGS_CHANGED_ELSEWHERE).classes("desk-warned")
            self._elsewhere.mark(f"{self.tab}-elsewhere")
            self._body = ui.column().classes("w-full")
        self.load()

    def load(self) -> None:
        """Draw the fields as the store has them."""
        self._signature = self._look()
        self._elsewhere.set_visibility(False)
        self._shown = {}
        self._body.clear()
        with self._body:
            self._draw()

    def refresh(self) -> None:
        """Follow the store."""
        if self._look() == self._signature:
            return
        if self.faults() or self.drafts():
            self._elsewhere.set_visibility(True)
        else:
            self.load()

    def drafts(self) -> list[ChangeDraft]:
        """What is to be saved. Ask only without `faults`."""
        drafts = []
        for setting in self._settings():
            shown, document = self._shown.get(setting.record_id, (None, None))
            if setting != shown:
                drafts.append(draft_setting(setting, document))
        return drafts

    def faults(self) -> list[str]:
        """What keeps it from being saved, in sentences."""
        return []

    # ---- for subclasses

    def _look(self) -> Hashable:
        """Something that differs whenever other fields would be drawn."""
        raise NotImplementedError

    def _draw(self) -> None:
        raise NotImplementedError

    def _settings(self) -> list[Setting]:
        """What stands in the fields."""
        raise NotImplementedError

    def _show(self, empty: Setting) -> Any:
        """Take what the store has of a setting, or `empty`, as what is shown."""
        table = self._tables.staff if isinstance(empty, StaffMember) else self._tables.settings
        document = table.find(empty.record_id)
        setting = read_setting(type(empty), document) if document is not None else empty
        self._shown[empty.record_id] = (setting, document)
        return setting

    def _revision(self, record_id: str) -> str:
        document = self._tables.settings.find(record_id)
        return str(document["revision"]) if document is not None else ""


def too_long(field: str, text: str, limit: int) -> list[str]:
    return [wording.SETTINGS_TOO_LONG.format(field=field, limit=limit)] if len(text) > limit else []
