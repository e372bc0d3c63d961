"""What a device asks the hub of staff and devices; they are kept there alone."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from store.access_protocol import AccessProblem, FieldProblem
from ui import wording
from ui.network import NetworkFailed
from ui.session import JSON, refusal_code
from ui.state import AppState

STAFF, DEVICES, CODE = "/api/access/staff", "/api/access/devices", "/api/access/code"
NAME, REVOKE, PASSWORD = f"{DEVICES}/name", f"{DEVICES}/revoke", "/api/access/password"
Answer = TypeVar("Answer", bound=BaseModel)


async def ask_hub(state: AppState, path: str, shape: type[Answer], asked: BaseModel | None = None) -> Answer | str:
    """The hub's answer, or the sentence that says why there is none. Without `asked` it is only looked at."""
    method, body = ("GET", None) if asked is None else ("POST", asked.model_dump_json().encode())
    try:
        answer = await state.network.fetch(method, path, body, JSON if body else {})
        if answer[0] == 200:
            return shape.model_validate_json(answer[2])
    except NetworkFailed:
        return wording.MANAGING_NO_HUB
    except ValidationError:
        return wording.APP_ERROR["protocol_mismatch"]
    return wording.APP_ERROR.get(refusal_code(answer), wording.APP_ERROR["app_error"])


def problem_words(problem: FieldProblem) -> str:
    """What is to be mended at a field; a newer hub may know more problems."""
    is_known = problem.code in set(AccessProblem)
    return wording.ACCESS_PROBLEM[AccessProblem(problem.code)] if is_known else wording.APP_ERROR["app_error"]
