"""What a device asks the hub of the exchanges with CDC; they are kept there alone."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from store.protocol import ErrorAnswer
from ui import wording
from ui.network import NetworkFailed
from ui.state import AppState

LIST, ONE = "/api/receipts", "/api/receipts/one"
Answer = TypeVar("Answer", bound=BaseModel)


async def ask_for_receipts(state: AppState, path: str, asked: BaseModel, shape: type[Answer]) -> Answer | str:
    """The hub's answer, or the sentence that says why there is none."""
    if state.is_practice:
        return wording.RECEIPT_PRACTICE
    body = asked.model_dump_json(exclude_none=True).encode()
    try:
        status, _, content = await state.network.fetch("POST", path, body, {"Content-Type": "application/json"})
    except NetworkFailed:
        return wording.RECEIPT_NO_HUB
    try:
        if status == 200:
            return shape.model_validate_json(content)
        code = ErrorAnswer.model_validate_json(content).error.code
    except ValidationError:
        return wording.RECEIPT_OLD_HUB
    if code == "not_found":
        return wording.APP_ERROR["record_not_found"] if path == ONE else wording.RECEIPT_OLD_HUB
    return wording.APP_ERROR.get(code, wording.APP_ERROR["app_error"])
