"""What a device asks the hub of the exchanges with CDC; they are kept there alone."""

from pydantic import BaseModel

from ui import wording
from ui.hub_question import Answer, ask_hub
from ui.state import AppState

LIST, ONE = "/api/receipts", "/api/receipts/one"


async def ask_for_receipts(state: AppState, path: str, asked: BaseModel, shape: type[Answer]) -> Answer | str:
    """The hub's answer, or the sentence that says why there is none."""
    if state.is_practice:
        return wording.RECEIPT_PRACTICE
    refused = {"not_found": wording.APP_ERROR["record_not_found"] if path == ONE else wording.RECEIPT_OLD_HUB}
    return await ask_hub(
        state, path, shape, asked, no_hub=wording.RECEIPT_NO_HUB, old_hub=wording.RECEIPT_OLD_HUB, refused=refused
    )
