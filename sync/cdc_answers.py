"""What CDC's answers mean. Pure; the other half of cdc_format.py, and like it the only place that knows the interface.

Every `section` is one of the interface contract in the README; what no published document says is `# ASSUMED:`.

Invariants:
- a row is verified only by an entry of its own with status 200, 201 or 204 and readable outcomes none of which is worse
  than a warning; whatever cannot be understood decides nothing;
- what says one thing twice and differently says nothing, and of one row told twice the refusal counts;
- codes nobody knows are legal; CDC's code, text and expression are kept as they came, up to a limit.
"""

import json
import re
from collections.abc import Collection, Iterable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from store.history import HistoryRow, Identity
from store.uploads import CdcMessage, RowResult
from sync.registry import (
    NOT_REACHED,
    Accepted,
    AnswerUnreadable,
    ConfirmAnswer,
    Exchange,
    HistoryTold,
    KeyRefused,
    NeverSeen,
    Processing,
    RefusedWhole,
    RegistryBusy,
    RegistryDown,
    RegistryUnreachable,
    UploadAnswer,
    Verdicts,
)

_HARMLESS = {"information", "warning"}
_HARMFUL = {"error", "fatal"}
_STATUS = re.compile(r"\s*([0-9]{3})(?![0-9])")
_ENTRY = re.compile(r"Bundle\.entry\[([0-9]{1,5})\]")
_MAX_TEXT = 2000
_MAX_CODE = 200  # each of the 500 rows of a batch may get the same words: that must fit into one frame of the journal
_MAX_ROWS = 500  # a life has some dozens; every device keeps them
_LOT_TYPE_URL = "https://twniis.cdc.gov.tw/twniis/StructureDefinition/lot-type"  # section 2


def read_upload(exchange: Exchange) -> UploadAnswer:
    """Judge the answer to an upload. Source: section 2. Raises: RegistryError."""
    _raise_for_transport(exchange)
    if exchange.status in (400, 409):
        # 400: nothing was stored. 409: the identifier belongs to other content, so nothing of this body was stored
        # either; its rows may go out under another identifier, and their record keys keep them from being counted
        # twice. To ask `$confirm` instead would hand us the verdict on that other content.
        # Only CDC's own words count: a proxy's 400 says nothing about the rows.
        told = _messages(_outcome_of(exchange))
        if not told:
            raise _unreadable(exchange)
        return RefusedWhole(told[0], tuple(filter(None, map(_named, _content(exchange)["issue"]))))
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


def named_records(body: bytes, expressions: Iterable[str]) -> list[str]:
    """The records that a refusal of a whole Bundle names, by the body it refuses; a named person's are all of theirs.

    # ASSUMED: CDC names an element as FHIRPath does, `Bundle.entry[n]`, counted from 0.
    """
    entries = json.loads(body)["entry"]
    named = {int(number) for expression in expressions for number in _ENTRY.findall(expression)}
    found = []
    for number, entry in enumerate(entries):
        before, is_dose, record_id = entry["request"]["url"].rpartition("Immunization/")
        person = _pick(entry, "resource", "patient", "reference")
        of_named = any(at < len(entries) and entries[at].get("fullUrl") == person for at in named)
        if is_dose and not before and (number in named or (person is not None and of_named)):
            found.append(record_id)
    return found


def read_confirm(exchange: Exchange, record_ids: Collection[str]) -> ConfirmAnswer:
    """Judge the answer to `$confirm`. Source: section 3. Raises: RegistryError."""
    _raise_for_transport(exchange)
    if exchange.status == 404:
        return NeverSeen(_first_message(_outcome_of(exchange)))
    if exchange.status == 202:
        if _messages(_outcome_of(exchange)) is None:
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


def read_history(exchange: Exchange, identity: Identity) -> HistoryTold | RefusedWhole:
    """Judge the answer to a question about a person. Source: section 5. Raises: RegistryError.

    Only a searchset that says 0 itself means that there is nothing: silence is no empty history.
    """
    _raise_for_transport(exchange)
    if exchange.status == 400 and (message := _first_message(_outcome_of(exchange))) is not None:
        return RefusedWhole(message)
    content = _content(exchange)
    total, entries = _pick(content, "total"), _pick(content, "entry")
    is_searchset = _pick(content, "resourceType") == "Bundle" and _pick(content, "type") == "searchset"
    if exchange.status != 200 or not is_searchset or (entries is not None and not isinstance(entries, list)):
        raise _unreadable(exchange)
    rows: list[HistoryRow] = []
    for entry in entries or ():
        resource = _pick(entry, "resource")
        if _pick(resource, "resourceType") == "OperationOutcome":
            # ASSUMED: as FHIR has it, a search may tell of trouble beside what it found.
            messages = _messages(resource)
            if messages is None or _worst(messages) != "harmless":
                raise AnswerUnreadable("HTTP 200 with an error in it")
        elif _pick(resource, "patient", "identifier", "value") not in (None, identity.value):
            raise AnswerUnreadable("HTTP 200 about somebody else")
        else:
            rows.append(_history_row(entry))
    counted = type(total) is int
    if not rows and not (counted and total == 0):
        raise AnswerUnreadable("HTTP 200 without rows and without saying that there are none")
    links = _pick(content, "link")
    is_paged = any(_pick(link, "relation") == "next" for link in links) if isinstance(links, list) else False
    # ASSUMED: section 5 knows no pages. Where CDC has more all the same, staff are told so.
    has_more = is_paged or (counted and total > len(rows)) or len(rows) > _MAX_ROWS
    return HistoryTold(tuple(rows[:_MAX_ROWS]), has_more)


def _history_row(entry: Any) -> HistoryRow:
    """One row, every text as it came; its JSON where it is no Immunization. Source: section 5, lot type section 2."""
    resource = _pick(entry, "resource")
    if _pick(resource, "resourceType") != "Immunization":
        return HistoryRow(as_came=_text(json.dumps(entry, ensure_ascii=False)))
    coding = _pick(resource, "vaccineCode", "coding", 0)
    applied, actor = _pick(resource, "protocolApplied", 0), _pick(resource, "performer", 0, "actor")
    extensions = resource.get("extension")
    lot_types = [
        _pick(one, "valueCode")
        for one in (extensions if isinstance(extensions, list) else ())
        if _pick(one, "url") == _LOT_TYPE_URL
    ]
    status = _word(resource.get("status"))
    return HistoryRow(
        # ASSUMED: FHIR's other forms of a day and of a dose mean the same.
        date_text=_word(resource.get("occurrenceDateTime") or resource.get("occurrenceString")),
        vaccine_code=_word(_pick(coding, "code") or _pick(resource, "vaccineCode", "text")),
        vaccine_name=_word(_pick(coding, "display")),
        dose_label=_word(_pick(applied, "doseNumberString") or _pick(applied, "doseNumberPositiveInt")),
        lot_number=_word(resource.get("lotNumber")),
        lot_type=_word(lot_types[0] if lot_types else None),
        institution_code=_word(_pick(actor, "identifier", "value")),
        institution_name=_word(_pick(actor, "display")),
        status="" if status == "completed" else status,
    )


def _word(value: Any) -> str:
    """A short text or a number, as it came; what is neither, as JSON, so that nothing gets lost."""
    if value is None or isinstance(value, str):
        return _text(value)
    return _text(json.dumps(value, ensure_ascii=False))


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
        reached = not exchange.failure.startswith(NOT_REACHED)
        raise (RegistryDown if reached else RegistryUnreachable)(exchange.failure or "no answer")
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
        text = exchange.body.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> None:
    """NaN and its like are no JSON."""
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises: ValueError where a key stands twice with different values, since readers differ in which they take."""
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[key] != value for key, value in pairs):
        raise ValueError("a key twice")
    return found


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
        found.append(
            CdcMessage(
                severity=_text(issue.get("severity"))[:_MAX_CODE],
                code=_text(_pick(coding, "code") or issue.get("code"))[:_MAX_CODE],
                text=_text(text),
                expression=_text(_named(issue)),
            )
        )
    return found


def _named(issue: Any) -> str:
    """The elements that an issue names, all of them."""
    expression = issue.get("expression")
    return ", ".join(map(_text, expression)) if isinstance(expression, list) else _text(expression)


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
