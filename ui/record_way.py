"""歷程: the whole way of one record in a window over its form, each step with what was exchanged about it."""

from collections.abc import Mapping
from typing import Any

from nicegui import background_tasks, ui

from store.protocol import ReceiptKind, ReceiptLine, ReceiptsAnswer, ReceiptsRequest
from store.record_way import Step, WayStep, way_of
from ui import wording
from ui.audit_link import audit_link
from ui.dialogs import answer_of, window_place
from ui.receipt_window import kind_text, who_text, words_text
from ui.receipts_client import LIST, ask_for_receipts
from ui.state import AppState
from ui.vaccination_list import moment_text

_BAD = (WayStep.REFUSED, WayStep.REFUSED_WHOLE, WayStep.VOIDED)
_UPLOADS = (ReceiptKind.UPLOAD, ReceiptKind.EXAMS)
_ASKED = 50  # of one record's receipts
_MARK = 4  # characters that tell one device from another


def way_button(state: AppState, document: Mapping[str, Any]) -> None:
    """The button that opens the window, where it is called. `document` is a dose or an exam."""
    button = ui.button(wording.WAY, on_click=lambda: show_way(state, document)).props("outline no-caps")
    button.mark("way")


async def show_way(state: AppState, document: Mapping[str, Any]) -> None:
    """Show what this device knows at once, and what only the hub knows when it has answered."""
    steps = way_of(document)
    with window_place(), ui.dialog() as dialog, ui.card().classes("desk-window desk-way-window"):
        ui.label(wording.WAY_TITLE).classes("desk-person")
        with ui.column().classes("w-full desk-receipt-body").props("tabindex=0 role=list"):
            for step in steps:
                _draw_step(state, step)
            from_hub = ui.column().classes("w-full")
        with ui.row():
            ui.button(wording.CLOSE, on_click=lambda: dialog.submit(None)).props("color=primary autofocus").mark(
                "way-close"
            )
            every = f"/receipts?record={document['record_id']}"
            see = ui.button(wording.WAY_ALL_RECEIPTS, on_click=lambda: ui.navigate.to(every))
            see.props("outline no-caps").mark("way-receipts")
            audit_link(state, document["record_id"])
    known = {step.upload_batch_id for step in steps}
    background_tasks.create(_ask_hub(state, document["record_id"], known, from_hub), name="way of a record")
    await answer_of(dialog)


def _draw_step(state: AppState, step: Step) -> None:
    told = wording.WAY_STEP[step.kind]
    if step.kind is WayStep.SENT:
        told = wording.WAY_SENT.format(step=told, method=wording.WAY_METHOD.get(step.method, step.method))
    with ui.row().classes("w-full desk-way-step").props("role=listitem").mark("way-step"):
        ui.label(moment_text(step.at.isoformat())).classes("desk-whole")
        with ui.column().classes("desk-way-told"):
            ui.label(told).classes("desk-refused" if step.kind in _BAD else "text-lg")
            for line in _lines_of(state, step):
                ui.label(line).classes("desk-breaks")
        if step.kind is WayStep.SENT:
            _receipt_button(step.upload_batch_id)


def _lines_of(state: AppState, step: Step) -> list[str]:
    if step.upload_batch_id:
        words = wording.cdc_words(dict(step.message)) if step.message else ""
        batch = wording.WAY_BATCH.format(batch=step.upload_batch_id) if step.kind is WayStep.SENT else ""
        return [line for line in (batch, words) if line]
    here = step.device_id == state.database.device_id
    device = wording.WAY_THIS_DEVICE if here else wording.WAY_OTHER_DEVICE.format(mark=step.device_id[-_MARK:])
    lines = [wording.WAY_WHO.format(who=who_text(step.made_by), device=device)]
    if fields := [wording.FIELD[name] for name in step.fields if name in wording.FIELD]:
        lines.append(wording.WAY_CHANGED.format(fields=wording.list_of(fields)))
    if step.reason:
        lines.append(wording.WAY_REASON.format(reason=step.reason))
    return lines


def _receipt_button(batch_id: str) -> None:
    see = ui.button(wording.WAY_RECEIPT, on_click=lambda: ui.navigate.to(f"/receipts?batch={batch_id}"))
    see.props("outline no-caps").mark(f"receipt-of {batch_id}")


async def _ask_hub(state: AppState, record_id: str, known: set[str], where: ui.column) -> None:
    """Add the uploads that this device keeps no word of."""
    asked = ReceiptsRequest(record_id=record_id, limit=_ASKED)
    answer = await ask_for_receipts(state, LIST, asked, ReceiptsAnswer)
    if where.is_deleted or state.is_practice:
        return
    with where:
        if isinstance(answer, str):
            ui.label(wording.WAY_NO_HUB).classes("desk-note").mark("way-no-hub")
            return
        others = [one for one in answer.receipts if one.kind in _UPLOADS and one.upload_batch_id not in known]
        if others:
            ui.label(wording.WAY_HUB_KNOWS).classes("desk-note").mark("way-hub-knows")
            for line in reversed(others):
                _draw_line(line)


def _draw_line(line: ReceiptLine) -> None:
    with ui.row().classes("w-full desk-way-step").props("role=listitem").mark("way-step"):
        ui.label(moment_text(line.started_at.isoformat())).classes("desk-whole")
        with ui.column().classes("desk-way-told"):
            ui.label(kind_text(line.kind)).classes("text-lg")
            ui.label(wording.WAY_BATCH.format(batch=line.upload_batch_id)).classes("desk-breaks")
            ui.label(words_text(line)).classes("desk-breaks")
        _receipt_button(line.upload_batch_id)
