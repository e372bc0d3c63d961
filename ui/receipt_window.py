"""One receipt whole, in a window: what was sent to CDC and what came back, as text, to copy and to keep as a file.

Invariant: what stands in a receipt is shown as text, whatever it is; nothing of it is taken for HTML.
"""

import json
from collections.abc import Callable, Mapping

from nicegui import ui

from store.audit import AuditAction
from store.protocol import MAX_RECEIPT_BYTES, ReceiptAnswer, ReceiptBody, ReceiptKind, ReceiptLine, ReceiptRequest
from ui import wording
from ui.dialogs import answer_of, window_place
from ui.receipts_client import ONE, ask_for_receipts
from ui.state import AppState
from ui.vaccination_list import moment_text

# More would hold the screen up, and nobody reads on.
_SHOWN_CHARACTERS = 40_000


def kind_text(kind: str) -> str:
    return wording.RECEIPT_KIND[ReceiptKind(kind)] if kind in set(ReceiptKind) else wording.RECEIPT_KIND_OTHER


def who_text(asked_by: str) -> str:
    """Whose tap it was: a name of staff, or nobody's."""
    return wording.RECEIPT_WHO.get(asked_by, asked_by) if asked_by else wording.RECEIPT_WHO_AUTOMATIC


def words_text(line: ReceiptLine) -> str:
    """CDC's words as they came, or why there are none."""
    if line.kind == ReceiptKind.SENT:
        return ""
    words = wording.cdc_words(line.message.model_dump()) if line.message else ""
    failure = wording.RECEIPT_FAILURE.get(line.failure.split(":")[0], wording.RECEIPT_NO_ANSWER) if line.failure else ""
    return "　".join(part for part in (failure, words) if part) or wording.RECEIPT_NO_WORDS


def is_bad(line: ReceiptLine) -> bool:
    """Whether somebody should look: no answer, an error, or CDC refused something in it."""
    return line.failed or (line.message is not None and line.message.severity in ("error", "fatal"))


def http_text(line: ReceiptLine) -> str:
    return str(line.status) if line.status is not None else "-"


async def show_receipt(state: AppState, number: int) -> str:
    """Fetch a receipt and show it until it is closed. Returns the sentence that says why there is none, or ""."""
    receipt = await ask_for_receipts(state, ONE, ReceiptRequest(number=number), ReceiptAnswer)
    if isinstance(receipt, str):
        return receipt
    state.note(AuditAction.VIEWED, kind="receipt", number=number)

    def give(copy_or_save: Callable[[], object]) -> None:
        state.note(AuditAction.EXPORTED, kind="receipt", number=number)
        copy_or_save()

    with window_place(), ui.dialog() as dialog, ui.card().classes("desk-window desk-receipt"):
        _draw(receipt)
        with ui.row():
            close = ui.button(wording.CLOSE, on_click=lambda: dialog.submit(None))
            close.props("color=primary autofocus").mark("receipt-close")
            name = wording.RECEIPT_FILE.format(number=number)
            save = ui.button(wording.RECEIPT_SAVE, on_click=lambda: give(lambda: ui.download(as_file(receipt), name)))
            save.props("outline").mark("receipt-save")
            for body, label, mark in (
                (receipt.request, wording.RECEIPT_COPY_REQUEST, "copy-request"),
                (receipt.answer, wording.RECEIPT_COPY_ANSWER, "copy-answer"),
            ):
                if body.size_bytes:
                    copy = ui.button(label, on_click=lambda body=body: give(lambda: _copy(readable(body))))
                    copy.props("outline no-caps").mark(mark)
    await answer_of(dialog)
    return ""


def _draw(receipt: ReceiptAnswer) -> None:
    line = receipt.line
    title = wording.RECEIPT_TITLE.format(number=line.number, kind=kind_text(line.kind))
    ui.label(title).classes("desk-person").mark("receipt-title")
    at, who = moment_text(line.started_at.isoformat()), who_text(line.asked_by)
    facts = wording.RECEIPT_FACTS.format(at=at, who=who, http=http_text(line))
    if line.ended_at is not None:
        facts += wording.RECEIPT_TOOK.format(seconds=f"{(line.ended_at - line.started_at).total_seconds():.1f}")
    ui.label(facts).mark("receipt-facts")
    if line.upload_batch_id:
        told = wording.RECEIPT_BATCH_LINE.format(batch=line.upload_batch_id, count=line.records or 0)
        ui.label(told).mark("receipt-batch")
    ui.label(words_text(line)).classes("desk-refused" if is_bad(line) else "text-lg").mark("receipt-words")
    if line.dropped_at is not None:
        at = moment_text(line.dropped_at.isoformat())
        ui.label(wording.RECEIPT_DROPPED.format(at=at)).classes("desk-refused").mark("receipt-dropped")
    with ui.column().classes("w-full desk-receipt-body").props("tabindex=0"):
        sent = f"{receipt.method} {receipt.path}"
        _draw_part(wording.RECEIPT_REQUEST, sent, receipt.request_headers, receipt.request, "receipt-request")
        if line.kind != ReceiptKind.SENT:
            status = f"HTTP {http_text(line)}"
            _draw_part(wording.RECEIPT_ANSWER, status, receipt.answer_headers, receipt.answer, "receipt-answer")


def _draw_part(title: str, first: str, headers: Mapping[str, str], body: ReceiptBody, mark: str) -> None:
    size = f"{body.size_bytes:,}"
    heading = ui.label(wording.RECEIPT_SIZE.format(title=title, count=size) if body.size_bytes else title)
    heading.classes("text-lg").props("role=heading aria-level=2")
    head = "\n".join([first, *(f"{name}: {value}" for name, value in headers.items())])
    ui.label(head).classes("desk-raw")
    if not body.size_bytes:
        ui.label(wording.RECEIPT_EMPTY).classes("desk-note").mark(mark)
        return
    if body.base64:
        ui.label(wording.RECEIPT_NOT_TEXT).classes("desk-note")
    text = readable(body)
    ui.label(text[:_SHOWN_CHARACTERS]).classes("desk-raw").mark(mark)
    if len(text) > _SHOWN_CHARACTERS:
        ui.label(wording.RECEIPT_CUT.format(count=_SHOWN_CHARACTERS)).classes("desk-note")
    if body.is_cut:
        ui.label(wording.RECEIPT_CUT_AT_HUB.format(count=f"{MAX_RECEIPT_BYTES:,}")).classes("desk-note")


def readable(body: ReceiptBody) -> str:
    """The body with its JSON on lines of its own; as it came where it is none."""
    try:
        return json.dumps(json.loads(body.text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return body.text or body.base64


def as_file(receipt: ReceiptAnswer) -> bytes:
    """The whole receipt as JSON, each body exactly as it was."""
    return receipt.model_dump_json(indent=2).encode()


def _copy(text: str) -> None:
    ui.clipboard.write(text)
    ui.notify(wording.RECEIPT_COPIED, type="positive", position="bottom")
