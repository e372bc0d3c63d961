"""What screens show of doses that left in a file: a list with a word on each, and how they go by the interface yet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nicegui import ui

from store.exports import after_export, draft_release
from store.outage_csv import Note
from store.uploads import AfterExport
from ui import wording
from ui.dialogs import confirm
from ui.row_table import open_rows
from ui.saving import commit_and_tell
from ui.state import AppState
from ui.vaccination_list import moment_text, vaccination_rows

_COLUMNS = ("number", "vaccination_date", "chart_number", "name", "vaccine_code", "dose_number", "lot_number")


def note_text(note: Note) -> str:
    """Shape: "地址有匯入檔 (Big5) 沒有的字「𠮷」…"; a sign that cannot be seen is told by its number."""
    seen = "".join(one if one.isprintable() else f"U+{ord(one):04X}" for one in note.characters)
    return wording.EXPORT_NOTE[note.kind].format(field=wording.FIELD[note.field], characters=seen)


def texts_by_dose(notes: Iterable[Note]) -> dict[str, str]:
    """What is to be said of each dose, by its record id."""
    told: dict[str, list[str]] = {}
    for note in notes:
        told.setdefault(note.record_id, []).append(note_text(note))
    return {record_id: wording.sentences(texts) for record_id, texts in told.items()}


def doses_table(state: AppState, documents: Iterable[Mapping[str, Any]], told: Mapping[str, str]) -> ui.table:
    """The doses in their order, each with what is `told` of it by its record id. What a tap does is the caller's."""
    rows = vaccination_rows(state, documents, _COLUMNS)
    rows = [{**row, "told": told.get(row["record_id"], "")} for row in rows]
    labels = {**{name: wording.VACCINATION_COLUMNS[name] for name in _COLUMNS}, "told": wording.EXPORT_TOLD}
    columns = [
        {"name": name, "label": label, "field": name, "align": "left", "classes": f"desk-col-{name}"}
        for name, label in labels.items()
    ]
    table = ui.table(columns=columns, rows=rows, row_key="record_id", pagination=15)
    return table.props("dense wrap-cells").classes("w-full desk-narrow desk-exports")


def opened_doses_table(
    state: AppState, documents: Iterable[Mapping[str, Any]], told: Mapping[str, str]
) -> ui.table:
    """The same, where a tap opens the record."""
    return open_rows(
        doses_table(state, documents, told), lambda record_id: ui.navigate.to(f"/BA102_3?record={record_id}")
    )


async def release(state: AppState, export_id: str, record_ids: Sequence[str], after: AfterExport | None = None) -> bool:
    """Let these doses of an export go by the interface, once staff agree; False where they do not, or it failed.

    `after`: what happened to the one dose since; one that CDC has, or that is voided, is only settled by it.
    """
    count = len(record_ids)
    question = _settles(after)
    if not await confirm(question or wording.RELEASE_ASK.format(count=count)):
        return False
    told = wording.EXPORT_SETTLED if question else wording.RELEASED.format(count=count)
    return await commit_and_tell(state, draft_release(export_id, record_ids), told)


def show_export(state: AppState, document: Mapping[str, Any], on_release: Callable[[], object]) -> None:
    """On a dose's own form: in which file it left, what that means by now, and the way back to the upload."""
    if not (export := document.get("export")):
        return
    after = after_export(document)

    async def let_go() -> None:
        if await release(state, export["export_id"], [document["record_id"]], after):
            on_release()

    told = wording.EXPORTED_IN.format(number=export["number"], at=moment_text(export["made_at"]))
    ui.label(told).classes("desk-note").mark("exported-in")
    if after:
        ui.label(wording.AFTER_EXPORT[after]).classes("desk-refused").mark("after-export")
    button = ui.button(wording.SETTLE if _settles(after) else wording.RELEASE, on_click=let_go)
    button.props("outline color=primary").mark("release-dose")


def _settles(after: AfterExport | None) -> str:
    """The question whose yes settles it, so that nothing is uploaded; empty where it would be."""
    questions = {AfterExport.UPLOADED: wording.SETTLE_UPLOADED, AfterExport.VOIDED: wording.SETTLE_VOIDED}
    return questions.get(after, "") if after else ""
