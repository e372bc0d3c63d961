"""The messages of store/protocol.py over HTTP: one way in and one way out, whatever is asked."""

import asyncio
import gzip
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from store.errors import ProtocolMismatch
from store.protocol import PROTOCOL_VERSION
from sync.refused import Refused

_GZIP_FROM_BYTES = 4096
# Of all but changes and choices of many people; a stranger's first message is no larger either.
SMALL_BODY_BYTES = 256 * 1024
_BODY_SECONDS = 60.0  # a device itself gives up after 30
Message = TypeVar("Message", bound=BaseModel)


class _Versioned(BaseModel):
    # No version is a number that fills a screen, as the refusal names it.
    protocol: int = Field(default=PROTOCOL_VERSION, ge=0, le=1_000_000)


async def read_message(
    request: web.Request, model: type[Message], most_bytes: int = SMALL_BODY_BYTES
) -> Message:
    """Read a body of at most `most_bytes`, unpacked. Raises: ProtocolMismatch, Refused."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await request.clone(client_max_size=most_bytes).read()
    except TimeoutError:
        raise Refused(408, "body_too_slow") from None
    try:
        # The version first: what another version says need not look like ours at all.
        if (theirs := _Versioned.model_validate_json(body).protocol) != PROTOCOL_VERSION:
            raise ProtocolMismatch(ours=PROTOCOL_VERSION, theirs=theirs)
        return model.model_validate_json(body)
    except ValidationError as error:
        # Field and kind only; the values are patients', or what a nurse typed.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"] if part != "payload")
        raise Refused(400, "invalid_body", f"{field}: {first['type']}") from None


async def answer_json(request: web.Request, answer: BaseModel) -> web.Response:
    """Packed where that is worth it and the device takes it."""
    body = answer.model_dump_json().encode()
    headers = {"Vary": "Accept-Encoding"}
    if len(body) >= _GZIP_FROM_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = await asyncio.to_thread(gzip.compress, body, 5)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, content_type="application/json", charset="utf-8", headers=headers)
