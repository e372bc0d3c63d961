"""Perform one request to CDC under its scenario: the work, the spoiled answer, the dropped connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from aiohttp import web

from . import outcomes
from .cdc import Answer, Cdc, SeenRequest
from .outcomes import Refusal, RequestRefused
from .scenarios import Rule
from .signature import not_allowed

FHIR_JSON = "application/fhir+json; charset=utf-8"
SEEN = web.RequestKey("seen", SeenRequest)

_SLOW_SECONDS = 5.0
_HOLD_SECONDS = 600.0
_RETRY_AFTER_SECONDS = 2
_PROXY_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>系統維護中</h1></body></html>"


async def perform(request: web.Request, cdc: Cdc, kind: str, work: Callable[[Rule], Answer]) -> web.StreamResponse:
    """Do `work`, which may raise RequestRefused, as the scenario of this request wants it."""
    rule = cdc.scenarios.take(kind)
    request[SEEN].scenario = rule.scenario
    match rule.scenario:
        case "slow":
            await asyncio.sleep(_SLOW_SECONDS if rule.seconds is None else rule.seconds)
        case "time_out":
            if rule.stores:
                _answered(work, rule)
            await asyncio.sleep(_HOLD_SECONDS if rule.seconds is None else rule.seconds)
            return drop(request)
        case "drop_before_storing":
            return drop(request)
        case "drop_after_storing":
            _answered(work, rule)
            return drop(request)
        case "rate_limit_429":
            return _failure(429, outcomes.BUSY, rule)
        case "unauthorized_401":
            return _refused(not_allowed("KeyId is no longer valid"))
        case "error_500" | "error_503_retry_after" | "html_instead_of_json":
            if rule.stores:
                _answered(work, rule)
            return _instead(rule)
    response = _answered(work, rule)
    body = response.body
    assert isinstance(body, bytes)
    if rule.scenario == "truncated_json":
        response.body = body[: len(body) // 2]
    elif rule.scenario == "wrong_charset":
        response.body = body.decode("utf-8").encode("cp950", "replace")  # and the header still says UTF-8
    return response


def drop(request: web.Request) -> web.Response:
    """Cut the connection without an answer; what is returned goes nowhere."""
    request[SEEN].status = "dropped"
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def fhir_response(answer: Answer) -> web.Response:
    body = json.dumps(answer.content, ensure_ascii=False).encode("utf-8")
    return web.Response(status=answer.status, body=body, headers={"Content-Type": FHIR_JSON, **answer.headers})


def refused_response(refusal: Refusal, status: int) -> web.Response:
    return _refused(RequestRefused(refusal, status=status))


def _answered(work: Callable[[Rule], Answer], rule: Rule) -> web.Response:
    try:
        return fhir_response(work(rule))
    except RequestRefused as refused:
        return _refused(refused)


def _refused(refused: RequestRefused) -> web.Response:
    return fhir_response(Answer(refused.status, outcomes.refusal_outcome(refused.refusal), refused.headers))


def _failure(status: int, refusal: Refusal, rule: Rule) -> web.Response:
    seconds = _RETRY_AFTER_SECONDS if rule.retry_after is None else rule.retry_after
    return _refused(RequestRefused(refusal, status=status, headers={"Retry-After": str(seconds)}))


def _instead(rule: Rule) -> web.Response:
    if rule.scenario == "html_instead_of_json":
        return web.Response(status=200, text=_PROXY_PAGE, content_type="text/html")
    if rule.scenario == "error_503_retry_after":
        return _failure(503, outcomes.BUSY, rule)
    return _refused(RequestRefused(outcomes.BUSY, status=500))
