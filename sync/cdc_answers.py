"""What CDC's answers mean. Pure; the other half of cdc_format.py, and like it the only place that knows the interface.

Every `section` is one of the interface contract in the README; what no published document says is `# ASSUMED:`.

Invariants:
- a row is verified only by an entry of its own with status 200, 201 or 204 and readable outcomes none of which is worse
  than a warning; whatever cannot be understood decides nothing;
- codes nobody knows are legal; CDC's code, text and expression are kept as they came.
"""

import json
import re
from collections.abc import Collection
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from store.uploads import CdcMessage, RowResult
from sync.registry import (
    Accepted,
    AnswerUnreadable,
    ConfirmAnswer,
    Exchange,
    KeyRefused,
    NeverSeen,
    Processing,
    RefusedWhole,
    RegistryBusy,
    RegistryUnreachable,
    UploadAnswer,
    Verdicts,
)

_HARMLESS = {"information", "warning"}
_HARMFUL = {"error", "fatal"}
_STATUS = re.compile(r"\s*([0-9]{3})(?![0-9])")
_MAX_TEXT = 2000


def read_upload(exchange: Exchange) -> UploadAnswer:
    """Judge the answer to an upload. Source: section 2. Raises: RegistryError."""
    _raise_for_transport(exchange)
    if exchange.status in (400, 409):
        # 400: nothing was stored. 409: the identifier belongs to other content, so nothing of this body was stored
        # either; its rows may go out under another identifier, and their record keys keep them from being counted
        # twice. To ask `$confirm` instead would hand us the verdict on that other content.
        # Only CDC's own words count: a proxy's 400 says nothing about the rows.
        message = _first_message(_outcome_of(exchange))
        if message is None:
            raise _unreadable(exchange)
        return RefusedWhole(message)
    bundle = _batch_response(exchange)
    if _pick(bundle, "identifier", "value") != exchange.upload_batch_id:
        raise AnswerUnreadable("HTTP 200 for another batch")
    # ASSUMED: the outcome stands in entry.response.outcome, as at verification, or is the entry's resource. The success
    # code is not compared, since I00000 and 100000 are both met (section 1) and codes nobody knows are legal.
    outcomes = [_pick(entry, "response", "outcome") or _pick(entry, "resource") for entry in bundle["entry"]]
    messages = [_messages(outcome) for outcome in outcomes]
    if not messages or any(found is None or _worst(found) != "harmless" for found in messages):
        raise AnswerUnreadable("HTTP 200 without a plain acceptance")
    return Accepted(next((found[0] for found in messages if found), CdcMessage()))


def read_confirm(exchange: Exchange, record_ids: Collection[str]) -> ConfirmAnswer:
    """Judge the answer to `$confirm`. Source: section 3. Raises: RegistryError."""
    _raise_for_transport(exchange)
    if exchange.status == 404:
        return NeverSeen(_first_message(_outcome_of(exchange)))
    if exchange.status == 202:
        if _outcome_of(exchange) is None:
            raise _unreadable(exchange)
        return Processing(read_retry_after(exchange))
    bundle = _batch_response(exchange)
    # ASSUMED: the identifier may be left out here, but not name another batch.
    if _pick(bundle, "identifier", "value") not in (None, exchange.upload_batch_id):
        raise AnswerUnreadable("HTTP 200 for another batch")
    results: dict[str, RowResult] = {}
    for entry in bundle["entry"]:
        result = _row_result(entry, record_ids)
        if result is not None and (result.record_id not in results or not result.verified):
            results[result.record_id] = result  # told twice and differently: the refusal counts
    return Verdicts(tuple(results.values()))


def _row_result(entry: Any, record_ids: Collection[str]) -> RowResult | None:
    """One entry's verdict; None where it is about no row of ours, or decides nothing."""
    full_url = _pick(entry, "fullUrl")
    if not isinstance(full_url, str):
        return None
    # ASSUMED: an absolute URL would mean the same.
    before, resource_type, record_id = full_url.rpartition("Immunization/")
    status = _pick(entry, "response", "status")
    match = _STATUS.match(status) if isinstance(status, str) else None
    outcome = _pick(entry, "response", "outcome")
    messages = [] if outcome is None else _messages(outcome)
    is_ours = resource_type and before in ("", before.rstrip("/") + "/") and record_id in record_ids
    if not is_ours or match is None or messages is None:
        return None
    number, worst = int(match[1]), _worst(messages)
    if worst == "unknown":
        return None
    verified = number in (200, 201, 204) and worst == "harmless"
    if not verified and worst == "harmless" and not 400 <= number <= 499:
        return None  # neither taken nor refused: 1xx, 3xx, 5xx of one row
    harmful = [message for message in messages if message.severity in _HARMFUL]
    shown = (harmful or messages or [CdcMessage(text=_text(status))])[0]
    return RowResult(record_id=record_id, verified=verified, **shown.model_dump())


def read_retry_after(exchange: Exchange) -> float | None:
    """Units: seconds from the end of the exchange. None where absent or unreadable."""
    text = next((value for name, value in exchange.headers.items() if name.lower() == "retry-after"), "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):  # the standard library's parser raises all of them
        return None
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - exchange.ended_at).total_seconds())


def _raise_for_transport(exchange: Exchange) -> None:
    """Deal with what does not depend on the question. Source: section 1."""
    if exchange.status is None or exchange.failure:
        raise RegistryUnreachable(exchange.failure or "no answer")
    detail = _detail(exchange)
    if exchange.status in (401, 403):
        raise KeyRefused(detail)
    if exchange.status in (429, 503):
        raise RegistryBusy(detail, read_retry_after(exchange))


def _detail(exchange: Exchange) -> str:
    """Status, then CDC's code and text where there are any."""
    message = _first_message(_outcome_of(exchange)) or CdcMessage()
    return " ".join(part for part in (f"HTTP {exchange.status}", message.code, message.text[:200]) if part)


def _unreadable(exchange: Exchange) -> AnswerUnreadable:
    return AnswerUnreadable(_detail(exchange), read_retry_after(exchange))


def _batch_response(exchange: Exchange) -> dict[str, Any]:
    content = _content(exchange)
    entries = _pick(content, "entry")
    is_response = _pick(content, "resourceType") == "Bundle" and _pick(content, "type") == "batch-response"
    if exchange.status != 200 or not is_response or not isinstance(content, dict) or not isinstance(entries, list):
        raise _unreadable(exchange)
    return content


def _outcome_of(exchange: Exchange) -> dict[str, Any] | None:
    content = _content(exchange)
    return content if isinstance(content, dict) and content.get("resourceType") == "OperationOutcome" else None


def _content(exchange: Exchange) -> Any:
    """The body's JSON; None where it is none. JSON is UTF-8, whatever the header claims."""
    try:
        return json.loads(exchange.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _first_message(outcome: Any) -> CdcMessage | None:
    messages = _messages(outcome)
    return messages[0] if messages else None


def _messages(outcome: Any) -> list[CdcMessage] | None:
    """CDC's words out of an OperationOutcome; None where it is none, so that silence is not taken for consent."""
    issues = _pick(outcome, "issue")
    if _pick(outcome, "resourceType") != "OperationOutcome" or not isinstance(issues, list) or not issues:
        return None
    found = []
    for issue in issues:
        if not isinstance(issue, dict):
            return None
        coding = _pick(issue, "details", "coding", 0)
        # ASSUMED: the text stands in details.text or in the coding's display; both are met (section 2, section 3).
        text = _pick(issue, "details", "text") or _pick(coding, "display") or issue.get("diagnostics")
        expression = issue.get("expression")
        found.append(
            CdcMessage(
                severity=_text(issue.get("severity")),
                code=_text(_pick(coding, "code") or issue.get("code")),
                text=_text(text),
                expression=", ".join(map(_text, expression)) if isinstance(expression, list) else _text(expression),
            )
        )
    return found


def _worst(messages: list[CdcMessage]) -> str:
    severities = {message.severity for message in messages}
    if severities & _HARMFUL:
        return "harmful"
    return "harmless" if severities <= _HARMLESS else "unknown"


def _text(value: Any) -> str:
    """CDC's text, made safe to store: JSON may smuggle half characters that UTF-8 cannot hold."""
    return value[:_MAX_TEXT].encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def _pick(value: Any, *path: str | int) -> Any:
    """Follow a path through JSON; None where the JSON has another shape."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else None
    return value


# Also read by what else is asked of CDC (cdc_stock.py).
raise_for_transport, batch_response, content_of = _raise_for_transport, _batch_response, _content
outcome_of, first_message, messages_of, worst_of = _outcome_of, _first_message, _messages, _worst
unreadable, pick, text_of = _unreadable, _pick, _text
