"""What a device has the hub do with CDC at staff's tap: stock, and exam reports. The hub answers when CDC has."""

from typing import TypeVar

from pydantic import ValidationError

from store.protocol import ErrorAnswer, ExamsAnswer, StaffRequest, StockAnswer
from ui.network import JSON, NetworkFailed
from ui.state import AppState

DOWNLOAD, UPLOAD, UPLOAD_EXAMS = "/api/cdc/stock", "/api/cdc/stock/upload", "/api/cdc/exams/upload"
UNREACHABLE, NO_ANSWER = "unreachable", "no_answer"


Answer = TypeVar("Answer", StockAnswer, ExamsAnswer)


async def ask_hub_to(state: AppState, path: str, shape: type[Answer]) -> Answer:
    """Bring what was typed to the hub, have it do one thing, and take in what came of it.

    Shape: `code` as in `shape`, or `unreachable`, `no_answer`, or that of the hub's refusal.
    """
    if not await state.sync.sync_now():
        return shape(code=UNREACHABLE)
    try:
        asked = StaffRequest(asked_by=state.staff).model_dump_json().encode()
        status, _, body = await state.network.fetch("POST", path, asked, JSON)
    except NetworkFailed:
        # Waiting for CDC can take longer than a browser waits; the hub goes on meanwhile.
        return shape(code=NO_ANSWER if await state.sync.sync_now() else UNREACHABLE)
    try:
        if status != 200:
            error = ErrorAnswer.model_validate_json(body).error
            return shape(code=error.code, detail=error.detail)
        answer = shape.model_validate_json(body)
    except ValidationError:
        return shape(code="app_error")
    await state.sync.sync_now()
    return answer
