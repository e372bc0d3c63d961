"""BA102_3_UPLOAD and BA102_3_DOWNLOAD: what waits for CDC, what CDC said, and staff's tap to hurry it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from nicegui import ui

from store.changes import ChangeDraft, ChangeKind
from store.roc_date import TAIPEI, format_roc_date
from store.uploads import BatchState, UploadState
from ui import wording
from ui.shell import page_frame
from ui.state import AppState
from ui.vaccination_list import UPLOAD_COLUMNS, VERIFICATION_COLUMNS, vaccination_table

# The element CDC names in a refusal -> the field of our form. Source: CDC contract, section 3.
_FIELD_BY_ELEMENT = {
    "lotNumber": "lot_number",
    "vaccineCode": "vaccine_code",
    "occurrenceDateTime": "vaccination_date",
    "protocolApplied": "dose_number",
    "extension": "lot_type",
}
_LISTED = 500


def build_upload(state: AppState) -> None:
    """上傳作業: what CDC does not have yet, oldest first."""
    with page_frame(state, wording.UPLOADING, code="BA102_3_UPLOAD", on_key={"F9": lambda: upload(state)}):
        with ui.column().classes("desk-card"):
            head = ui.label("").mark("last-sent")
            ui.label(f"{wording.NOT_NHI}{wording.ACCEPTED_IS_NOT_VERIFIED}").classes("desk-note")
            with ui.row():
                ui.button(wording.UPLOAD_BUTTON, on_click=lambda: upload(state)).props("color=primary").mark("upload")
                ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/")).props("outline").mark("leave")

        @ui.refreshable
        def rows() -> None:
            head.set_text(wording.UPLOAD_HEAD.format(at=_last_sent(state)))
            _cdc_remedy(state)
            states = (UploadState.REFUSED, UploadState.NOT_SENT, UploadState.SENT)
            ui.label(wording.UPLOAD_COUNT.format(count=_count(state, *states))).classes("text-lg").mark("upload-count")
            documents = _in_states(state, *states, limit=_LISTED)
            vaccination_table(
                state, documents[:_LISTED], columns=UPLOAD_COLUMNS, on_open=lambda r: open_record(state, r)
            )

        with ui.column().classes("desk-card"):
            rows()
        state.changed.subscribe(rows.refresh)


def build_verification(state: AppState) -> None:
    """下載作業: CDC's verdict on what it has accepted, refusals first."""
    with page_frame(state, wording.VERIFYING, code="BA102_3_DOWNLOAD", on_key={"F9": lambda: download(state)}):
        with ui.column().classes("desk-card"):
            due = ui.label("").mark("due")
            ui.label(wording.ACCEPTED_IS_NOT_VERIFIED).classes("desk-note")
            with ui.row():
                ask = ui.button(wording.DOWNLOAD_BUTTON, on_click=lambda: download(state))
                ask.props("color=primary").mark("download")
                ui.button(wording.LEAVE, on_click=lambda: ui.navigate.to("/")).props("outline").mark("leave")

        @ui.refreshable
        def rows() -> None:
            due.set_text(_due_text(state))
            _cdc_remedy(state)
            open_states = (UploadState.REFUSED, UploadState.ACCEPTED)
            documents = _in_states(state, *open_states, limit=_LISTED)
            documents += state.database.tables.vaccinations.find_by_prefix("verified_upload", "", _LISTED, last=True)
            count = _count(state, *open_states, UploadState.VERIFIED)
            ui.label(wording.VERIFICATION_COUNT.format(count=count)).classes("text-lg").mark("verification-count")
            vaccination_table(
                state, documents[:_LISTED], columns=VERIFICATION_COLUMNS, on_open=lambda r: open_record(state, r)
            )

        with ui.column().classes("desk-card"):
            rows()
        state.changed.subscribe(rows.refresh)


async def upload(state: AppState) -> None:
    """Staff's 上傳: refused records that nobody corrected go again too, then the hub is told not to wait."""
    drafts = [
        ChangeDraft(
            ChangeKind.REQUEST_UPLOAD,
            d["record_id"],
            {"upload_batch_id": d["upload"]["upload_batch_id"]},
            (d["revision"],),
        )
        for d in _in_states(state, UploadState.REFUSED)
    ]
    if drafts:
        await state.commit(drafts)
    state.sync.wake()
    told = await state.sync.ask_hub("/api/cdc/wake")
    waiting = _count(state, UploadState.NOT_SENT)
    if not told:
        ui.notify(wording.APP_ERROR["network_failed"], type="warning", position="bottom")
    elif waiting:
        ui.notify(wording.UPLOAD_RUNNING, type="ongoing", position="bottom", timeout=3000)
    else:
        ui.notify(wording.UPLOAD_NOTHING, type="info", position="bottom")


async def download(state: AppState) -> None:
    """Staff's 下載: ask CDC now for what it has decided."""
    if await state.sync.ask_hub("/api/cdc/wake"):
        ui.notify(wording.DOWNLOAD_RUNNING, type="ongoing", position="bottom", timeout=3000)
    else:
        ui.notify(wording.APP_ERROR["network_failed"], type="warning", position="bottom")


def open_record(state: AppState, record_id: str) -> None:
    """Open a record; where CDC named an element, at that field."""
    document = state.database.tables.vaccinations.find(record_id)
    message = ((document["upload"] or {}).get("message") if document else None) or {}
    named = message.get("expression", "")
    field = next((field for element, field in _FIELD_BY_ELEMENT.items() if element in named), "")
    if not field and "批號" in message.get("text", ""):
        field = "lot_number"
    ui.navigate.to(f"/BA102_3?record={record_id}&field={field}")


def _in_states(state: AppState, *states: UploadState, limit: int | None = None) -> list[Mapping[str, Any]]:
    """At most `limit` of each state."""
    table = state.database.tables.vaccinations
    return [document for upload_state in states for document in table.find_by("upload_state", upload_state, limit)]


def _count(state: AppState, *states: UploadState) -> int:
    return sum(state.database.tables.vaccinations.count_by("upload_state", each) for each in states)


def _cdc_remedy(state: AppState) -> None:
    status = state.sync.status
    if status.cdc in wording.CDC_REMEDY:
        ui.label(f"{wording.CDC_REMEDY[status.cdc]}{status.cdc_detail}").classes("desk-refused").mark("cdc-remedy")


def _last_sent(state: AppState) -> str:
    newest = state.database.tables.batches.find_by_prefix("sent_at", "", 1, last=True)
    return _latest(batch["sent_at"] for batch in newest) or wording.NOTHING


def _due_text(state: AppState) -> str:
    accepted = state.database.tables.batches.find_by("state", BatchState.ACCEPTED)
    due = [batch["due_at"] for batch in accepted if batch["due_at"]]
    return wording.NEXT_CHECK.format(at=_latest([min(due)])) if due else wording.NO_BATCH_WAITS


def _latest(moments: Iterable[str]) -> str:
    """Shape: ISO moments -> the latest as "115/11/23 10:55:41" in Taiwan, empty for none."""
    latest = max(moments, default="")
    if not latest:
        return ""
    moment = datetime.fromisoformat(latest).astimezone(TAIPEI)
    return f"{format_roc_date(moment.date())} {moment:%H:%M:%S}"
