"""What a device asks the hub for about CDC's stock. The hub answers when CDC has."""

from pydantic import ValidationError

from store.protocol import ErrorAnswer, StockAnswer
from ui.network import NetworkFailed
from ui.state import AppState

DOWNLOAD, UPLOAD = "/api/cdc/stock", "/api/cdc/stock/upload"
UNREACHABLE, NO_ANSWER = "unreachable", "no_answer"


async def ask_stock(state: AppState, path: str) -> StockAnswer:
    """Bring what was typed to the hub, have it do one thing, and take in what came of it.

    Shape: `code` as in StockAnswer, or `unreachable`, `no_answer`, or that of the hub's refusal.
    """
    if not await state.sync.sync_now():
        return StockAnswer(code=UNREACHABLE)
    try:
        status, _, body = await state.network.fetch("POST", path, b"{}", {"Content-Type": "application/json"})
    except NetworkFailed:
        # Waiting for CDC can take longer than a browser waits; the hub goes on meanwhile.
        return StockAnswer(code=NO_ANSWER if await state.sync.sync_now() else UNREACHABLE)
    try:
        if status != 200:
            error = ErrorAnswer.model_validate_json(body).error
            return StockAnswer(code=error.code, detail=error.detail)
        answer = StockAnswer.model_validate_json(body)
    except ValidationError:
        return StockAnswer(code="app_error")
    await state.sync.sync_now()
    return answer
