"""設定: what the clinic sets for all of its stations, a tab for each group, saved by one key."""

from typing import Any

from nicegui import ui

from store.changes import ChangeDraft
from ui import wording
from ui.dialogs import answer_of
from ui.following import follow
from ui.saving import commit_all_and_tell
from ui.settings_clinic import ClinicSection, VaccinesSection
from ui.settings_lists import LotsSection, StaffSection
from ui.settings_section import Section
from ui.settings_tables import TablesSection
from ui.shell import page_frame
from ui.state import AppState


def build(state: AppState) -> None:
    SettingsPage(state).build()


class SettingsPage:
    """The tabs, and what is common to them: saving, leaving, and what waits for a choice."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._sections: list[Section] = []
        self._saving = False

    def build(self) -> None:
        keys = {"F9": self._save, "Escape": self._leave}
        with page_frame(self._state, wording.SETTINGS, on_key=keys, is_half_typed=lambda: bool(self._unsaved())):
            with ui.column().classes("desk-card"):
                with ui.row().classes("items-center w-full"):
                    ui.button(wording.SAVE, on_click=self._save).props("color=primary").mark("save")
                    ui.button(wording.LEFT_OPEN, on_click=self._leave).props("outline no-caps").mark("leave")
                    self._told = ui.label("").mark("settings-unsaved")
                ui.label(wording.SETTINGS_INTRO).classes("desk-note")
                with ui.row().classes("items-center") as self._conflict:
                    ui.label(wording.SETTINGS_CONFLICT).classes("desk-warned").mark("settings-conflict")
                    see = ui.button(wording.SETTINGS_SEE_CONFLICTS, on_click=lambda: ui.navigate.to("/conflicts"))
                    see.props("outline no-caps").mark("see-conflicts")
                with ui.tabs().props("align=left no-caps inline-label outside-arrows").classes("desk-tabs") as tabs:
                    for name, label in wording.SETTINGS_TAB.items():
                        ui.tab(name, label).mark(f"tab {name}")
            with ui.tab_panels(tabs, value="clinic", animated=False).classes("w-full desk-panels"):
                for kind in (ClinicSection, VaccinesSection, LotsSection, StaffSection, TablesSection):
                    section = kind(self._state, self._tell)
                    with ui.tab_panel(section.tab):
                        section.build()
                    self._sections.append(section)
            self._questions = ui.element("div")
        self._tell()
        follow(self._state.changed, self._refresh)

    def _refresh(self) -> None:
        for section in self._sections:
            section.refresh()
        self._tell()

    def _unsaved(self) -> list[str]:
        """The tabs that have something to save."""
        return [wording.SETTINGS_TAB[s.tab] for s in self._sections if s.faults() or s.drafts()]

    def _tell(self) -> None:
        if len(self._sections) < len(wording.SETTINGS_TAB):
            return  # still being drawn
        tabs = wording.list_of(self._unsaved())
        self._told.set_text(wording.SETTINGS_UNSAVED.format(tabs=tabs) if tabs else wording.SETTINGS_ALL_SAVED)
        self._told.classes(replace="desk-warned" if tabs else "desk-note")
        tables = self._state.database.tables
        open_conflicts = sum(table.count_by("conflict", "open") for table in (tables.settings, tables.staff))
        self._conflict.set_visibility(bool(open_conflicts))

    async def _save(self) -> bool:
        """Save all that was changed, in one step; False where something stands in the way."""
        if self._saving:
            return False
        self._saving = True
        try:
            with self._questions:
                return await self._commit()
        finally:
            self._saving = False

    async def _commit(self) -> bool:
        if faults := [fault for section in self._sections for fault in section.faults()]:
            ui.notify(wording.sentences(faults), type="negative", position="bottom", multi_line=True)
            return False
        drafts: list[ChangeDraft] = [draft for section in self._sections for draft in section.drafts()]
        if not drafts:
            ui.notify(wording.NOT_CHANGED, type="info", position="bottom")
            return True
        changed = [section for section in self._sections if section.drafts()]
        if not await commit_all_and_tell(self._state, drafts, wording.SETTINGS_SAVED):
            return False
        for section in changed:
            section.load()
        self._refresh()
        return True

    async def _leave(self) -> None:
        if not self._saving:
            tabs = self._unsaved()
            answer = await self._ask(wording.list_of(tabs)) if tabs else "discard"
            if answer == "discard" or (answer == "save" and await self._save()):
                ui.navigate.to("/")

    async def _ask(self, tabs: str) -> Any:
        with self._questions, ui.dialog() as dialog, ui.card():
            ui.label(wording.SETTINGS_LEAVE_QUESTION.format(tabs=tabs)).mark("question")
            with ui.row():
                save = ui.button(wording.SETTINGS_SAVE_AND_LEAVE, on_click=lambda: dialog.submit("save"))
                save.props("color=primary autofocus").mark("save-and-leave")
                discard = ui.button(wording.SETTINGS_DISCARD, on_click=lambda: dialog.submit("discard"))
                discard.props("color=negative outline").mark("discard")
                ui.button(wording.SETTINGS_STAY, on_click=lambda: dialog.submit("")).props("outline").mark("stay")
        return await answer_of(dialog)
