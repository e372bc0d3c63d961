"""What a device asks the hub of staff and devices; they are kept there alone."""

from pydantic import BaseModel

from store.access_protocol import AccessProblem, FieldProblem
from ui import wording
from ui.hub_question import Answer, ask_hub
from ui.state import AppState

STAFF, DEVICES, CODE = "/api/access/staff", "/api/access/devices", "/api/access/code"
NAME, REVOKE, PASSWORD = f"{DEVICES}/name", f"{DEVICES}/revoke", "/api/access/password"


async def ask_of_access(
    state: AppState, path: str, shape: type[Answer], asked: BaseModel | None = None
) -> Answer | str:
    """The hub's answer, or the sentence that says why there is none. Without `asked` it is only looked at."""
    return await ask_hub(state, path, shape, asked, no_hub=wording.MANAGING_NO_HUB)


def problem_words(problem: FieldProblem) -> str:
    """What is to be mended at a field; a newer hub may know more problems."""
    is_known = problem.code in set(AccessProblem)
    return wording.ACCESS_PROBLEM[AccessProblem(problem.code)] if is_known else wording.APP_ERROR["app_error"]
