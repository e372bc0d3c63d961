"""A question to the hub: its answer, or the sentence that says why there is none."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ui import wording
from ui.network import JSON, NetworkFailed, refusal_code
from ui.state import AppState

Answer = TypeVar("Answer", bound=BaseModel)


async def ask_hub(
    state: AppState,
    path: str,
    shape: type[Answer],
    asked: BaseModel | None = None,
    *,
    no_hub: str,
    old_hub: str = "",
    refused: Mapping[str, str] = MappingProxyType({}),
) -> Answer | str:
    """Post `asked`; without it, get.

    Shape: sentences for a hub that is away, for one of another version, and for refusals by their code where that of
    APP_ERROR does not say it well enough.
    """
    method, body = ("GET", None) if asked is None else ("POST", asked.model_dump_json().encode())
    old_hub = old_hub or wording.APP_ERROR["protocol_mismatch"]
    try:
        answer = await state.network.fetch(method, path, body, JSON if body else {})
        if answer[0] == 200:
            return shape.model_validate_json(answer[2])
    except NetworkFailed:
        return no_hub
    except ValidationError:
        return old_hub
    sentences = {**wording.APP_ERROR, "": old_hub, **refused}
    return sentences.get(refusal_code(answer), wording.APP_ERROR["app_error"])
