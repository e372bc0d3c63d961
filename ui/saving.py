"""The one way in which forms write what a person did, and say so."""

from collections.abc import Sequence

from nicegui import ui

from store.changes import ChangeDraft
from store.errors import AppError
from ui import wording
from ui.state import AppState


async def commit_and_tell(state: AppState, draft: ChangeDraft, told: str) -> bool:
    """`commit_all_and_tell` of one change."""
    return await commit_all_and_tell(state, [draft], told)


async def commit_all_and_tell(state: AppState, drafts: Sequence[ChangeDraft], told: str) -> bool:
    """Commit and say `told`; or say what went wrong, until it is read, and leave everything as it stands."""
    try:
        await state.commit(drafts)
    except AppError as error:
        tell_failure(wording.APP_ERROR[error.code])
        return False
    ui.notify(told, type="positive", position="bottom")
    return True


def tell_failure(sentence: str) -> None:
    """Say below what was not done; it stands until it is read."""
    ui.notify(sentence, type="negative", position="bottom", timeout=0, close_button=wording.CLOSE)
