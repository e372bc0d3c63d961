"""What the program needs of a network: the browser's (ui/browser.py), or a test's."""

from collections.abc import Callable
from typing import Protocol

from pydantic import ValidationError

from store.errors import AppError
from store.protocol import ErrorAnswer

JSON = {"Content-Type": "application/json"}
Answer = tuple[int, dict[str, str], bytes]  # status, headers, body


class NetworkFailed(AppError):
    """No answer came from the hub: no network, or the hub is off."""

    code = "network_failed"
    retryable = True


class Network(Protocol):
    """What the sync needs of the browser (ui/browser.py) or of a test."""

    async def fetch(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """One request to the hub. Raises: NetworkFailed when there was no answer."""
        ...

    def event_stream(
        self, path: str, on_message: Callable[[str], None], on_open: Callable[[bool], None]
    ) -> Callable[[], None]:
        """Keep a live stream open, reconnecting by itself; `on_open` says when it opens (True) or breaks (False).

        The returned function ends it.
        """
        ...

    def is_online(self) -> bool: ...


def refusal_code(answer: Answer) -> str:
    """The code of a refusal in the one shape of errors, empty for any other answer."""
    status, _, body = answer
    if status < 400:
        return ""
    try:
        return ErrorAnswer.model_validate_json(body).error.code
    except ValidationError:
        return ""
