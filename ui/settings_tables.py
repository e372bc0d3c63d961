"""設定: the code tables, which one is in force and where it is from; a newer one looked at before it is taken."""

from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from typing import Any

from nicegui import events, ui

from store.clinic_settings import Setting, draft_setting, make_setting
from store.code_table_file import (
    MAX_TABLE_BYTES,
    CodeTable,
    CodeTableName,
    FoundFault,
    TableFault,
    built_in_table,
    read_code_table,
)
from store.code_tables import CodeTableSetting, compare_tables, loaded_table, table_in_force
from store.roc_date import format_compact, format_roc_date
from ui import wording
from ui.dialogs import confirm
from ui.file_choice import file_button
from ui.saving import commit_and_tell
from ui.settings_section import Section

_FAULTS_LISTED, _ROWS_LISTED = 100, 300


class TablesSection(Section):
    """Each table with its origin, its download, and the way to a newer one and back."""

    tab = "tables"

    def _look(self) -> Hashable:
        return tuple(self._revision(CodeTableSetting.id_of(name)) for name in CodeTableName)

    def _draw(self) -> None:
        self._looked_at: dict[CodeTableName, CodeTable] = {}
        self._previews: dict[CodeTableName, ui.column] = {}
        ui.label(wording.CODE_TABLE_INTRO).classes("desk-note")
        for name in CodeTableName:
            self._show(make_setting(CodeTableSetting, name, table_name=name))
            with ui.column().classes("desk-conflict"):
                self._draw_table(name)

    def _draw_table(self, name: CodeTableName) -> None:
        table, loaded = table_in_force(self._tables, name), loaded_table(self._tables, name)
        called = wording.CODE_TABLE[name]
        told = wording.CODE_TABLE_BUILT_IN if table is built_in_table(name) else wording.CODE_TABLE_LOADED
        ui.label(called).classes("desk-person")
        ui.label(told.format(day=format_roc_date(table.dated), count=len(table.rows))).mark(f"in force {name}")
        if loaded is not None and loaded is not table:
            overtaken = wording.CODE_TABLE_OVERTAKEN.format(day=format_roc_date(loaded.dated))
            ui.label(overtaken).classes("desk-warned").mark(f"overtaken {name}")
        with ui.expansion(wording.CODE_TABLE_SOURCES.format(count=len(table.sources))).classes("w-full"):
            for source in table.sources:
                ui.label(source).classes("desk-note")
        file = wording.CODE_TABLE_FILE.format(table=called, day=format_compact(table.dated))
        # With the mark by which a spreadsheet knows UTF-8.
        data = table.text.encode("utf-8-sig")
        with ui.row().classes("items-center w-full"):
            give = ui.button(wording.CODE_TABLE_DOWNLOAD.format(table=called), on_click=lambda: ui.download(data, file))
            give.props("outline no-caps").mark(f"download {name}")
            load = file_button(
                wording.CODE_TABLE_LOAD.format(table=called),
                lambda event: self._read(name, event),
                most_bytes=MAX_TABLE_BYTES,
                rejected=wording.CODE_TABLE_REJECTED.format(kilobytes=MAX_TABLE_BYTES // 1024),
                look="outline",
            )
            load.mark(f"load {name}")
            if loaded is not None:
                back = ui.button(wording.CODE_TABLE_BACK.format(table=called), on_click=lambda: self._go_back(name))
                back.props("outline no-caps color=negative").mark(f"back {name}")
        self._previews[name] = ui.column().classes("w-full").mark(f"preview {name}")

    async def _read(self, name: CodeTableName, event: events.UploadEventArguments) -> None:
        file, data = event.file.name, await event.file.read()
        event.sender.run_method("reset")  # or the same file, once mended, could not be chosen again
        table, faults = read_code_table(name, data, self._state.today())
        self._drop(name)
        with self._previews[name]:
            if table is None:
                _show_faults(file, faults)
            else:
                self._looked_at[name] = table
                self._show_preview(file, table)
        self._on_change()

    def _show_preview(self, file: str, table: CodeTable) -> None:
        name = table.name
        facts = {"file": file, "day": format_roc_date(table.dated), "count": len(table.rows)}
        ui.label(wording.CODE_TABLE_PREVIEW.format(**facts)).classes("text-lg").mark(f"looked at {name}")
        difference = compare_tables(table_in_force(self._tables, name), table)
        counts = {
            "new": len(difference.new), "changed": len(difference.changed), "missing": len(difference.missing),
        }  # fmt: skip
        rows = [
            *(_row(wording.CODE_TABLE_NEW, row, _cells(row)) for row in difference.new),
            *(_row(wording.CODE_TABLE_CHANGED, now, _changes(was, now)) for was, now in difference.changed),
            *(_row(wording.CODE_TABLE_MISSING, row, []) for row in difference.missing),
        ]
        told = wording.CODE_TABLE_DIFFERENCE.format(**counts) if rows else wording.CODE_TABLE_SAME
        ui.label(told).mark(f"difference {name}")
        with ui.row():
            use = ui.button(wording.CODE_TABLE_USE, on_click=lambda: self._use(table))
            use.props("color=primary no-caps").mark(f"use {name}")
            drop = ui.button(wording.CODE_TABLE_DROP, on_click=lambda: self._drop(name))
            drop.props("outline no-caps").mark(f"drop {name}")
        if rows:
            _table(rows[:_ROWS_LISTED], f"rows {name}")

    def _drop(self, name: CodeTableName) -> None:
        self._looked_at.pop(name, None)
        self._previews[name].clear()
        self._on_change()

    async def _use(self, table: CodeTable) -> None:
        await self._set(table.name, table.text, wording.CODE_TABLE_USED)

    async def _go_back(self, name: CodeTableName) -> None:
        day = format_roc_date(built_in_table(name).dated)
        if await confirm(wording.CODE_TABLE_BACK_QUESTION.format(table=wording.CODE_TABLE[name], day=day)):
            await self._set(name, "", wording.CODE_TABLE_IS_BACK)

    async def _set(self, name: CodeTableName, text: str, told: str) -> None:
        setting = make_setting(CodeTableSetting, name, table_name=name, table_text=text)
        draft = draft_setting(setting, self._shown[setting.record_id][1])
        if await commit_and_tell(self._state, draft, told.format(table=wording.CODE_TABLE[name])):
            self.load()
            self._on_change()

    def _settings(self) -> list[Setting]:
        return [
            make_setting(CodeTableSetting, name, table_name=name, table_text=table.text)
            for name, table in self._looked_at.items()
        ]


def _column(column: str) -> str:
    return wording.TABLE_COLUMN.get(column, column)


def _cells(row: Mapping[str, str]) -> list[str]:
    return [
        wording.CODE_TABLE_CELL.format(column=_column(column), text=text)
        for column, text in row.items()
        if text and column not in ("code", "name")
    ]


def _changes(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    empty = wording.CODE_TABLE_EMPTY_CELL
    return [
        wording.CODE_TABLE_CELL_CHANGED.format(
            column=_column(column), before=was[column] or empty, after=text or empty
        )
        for column, text in now.items()
        if text != was[column]
    ]


def _row(what: str, row: Mapping[str, str], detail: list[str]) -> dict[str, str]:
    return {"what": what, "code": row["code"], "name": row["name"], "detail": wording.sentences(detail)}


def _table(rows: list[dict[str, str]], mark: str) -> None:
    columns = [
        {"name": name, "label": label, "field": name, "align": "left", "style": "min-width: 4em"}
        for name, label in wording.CODE_TABLE_COLUMNS.items()
    ]
    table = ui.table(columns=columns, rows=rows, row_key="code", pagination=15).classes("w-full")
    table.props("dense wrap-cells").mark(mark)


def _show_faults(file: str, faults: Iterable[FoundFault]) -> None:
    found = list(faults)
    told = wording.CODE_TABLE_REFUSED.format(file=file, count=len(found))
    ui.label(told).classes("desk-refused").mark("table-refused")
    with ui.column().classes("gap-1"):
        for fault in found[:_FAULTS_LISTED]:
            ui.label(fault_sentence(fault)).mark("table-fault")
    if len(found) > _FAULTS_LISTED:
        ui.label(wording.CODE_TABLE_FAULTS_MORE.format(count=len(found) - _FAULTS_LISTED)).classes("desk-note")


def fault_sentence(found: FoundFault) -> str:
    """Shape: "第 4 行　名稱（name）：必須填寫"; what cannot be seen is written out."""
    facts: dict[str, Any] = {"text": _visible(found.text), "expected": found.expected}
    if found.fault in (TableFault.DATE_IN_FUTURE, TableFault.DATE_NOT_NEWER):
        facts["text"] = format_roc_date(date.fromisoformat(found.text))
    sentence = wording.TABLE_FAULT[found.fault].format(**facts)
    place = [wording.TABLE_FAULT_PLACE.format(line=found.line)] if found.line else []
    if found.column:
        place.append(wording.TABLE_COLUMN_NAMED.format(name=_column(found.column), column=found.column))
    return wording.FIELD_PROBLEM.format(field="　".join(place), problem=sentence) if place else sentence


def _visible(text: str) -> str:
    shown = "".join(sign if sign.isprintable() or sign == "\u3000" else f"\\u{ord(sign):04x}" for sign in text)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
