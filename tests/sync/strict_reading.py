"""What the bytes of an answer of CDC may bring about, read strictly and without the product's readers.

Where this reading and the product's differ, the product may do less than is allowed here, never more.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from store.receipts import body_bytes
from tests.sync.spoiled_cdc import Answered


@dataclass
class Said:
    """One answer as its bytes have it: `content` is None where they are no JSON without a doubt."""

    answered: Answered
    receipt: Any

    def __post_init__(self) -> None:
        kept = self.receipt["answer"] or {}
        self.status = None if self.receipt["failure"] else kept.get("status")
        self.content = _strict_json(body_bytes(kept)) if self.status is not None else None

    def __str__(self) -> str:
        sent = self.answered.wire.sent
        return f"seed {self.answered.seed!r}, {self.answered.kind}: {sent[:6000]!r}{'…' if len(sent) > 6000 else ''}"

    def is_bundle(self, kind: str) -> bool:
        told = self.content if isinstance(self.content, dict) else {}
        return self.status == 200 and told.get("resourceType") == "Bundle" and told.get("type") == kind

    def entries(self) -> list[Any]:
        told = self.content.get("entry") if isinstance(self.content, dict) else None
        return told if isinstance(told, list) else []

    def names_a_next_page(self) -> bool:
        links = self.content.get("link") if isinstance(self.content, dict) else None
        return isinstance(links, list) and any(at(link, "relation") == "next" for link in links)

    def batch(self) -> Any:
        return at(self.content, "identifier", "value")

    def is_refusal(self) -> bool:
        return self.status in (400, 409) and is_outcome(self.content)


def _strict_json(body: bytes) -> Any:
    def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found and found[key] != value:
                raise ValueError(key)
            found[key] = value
        return found

    def no_number(name: str) -> None:
        raise ValueError(name)

    try:
        return json.loads(body.decode("utf-8-sig"), object_pairs_hook=no_key_twice, parse_constant=no_number)
    except (ValueError, RecursionError):
        return None


def at(value: Any, *path: Any) -> Any:
    for key in path:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return None
    return value


def is_outcome(told: Any) -> bool:
    issues = at(told, "issue")
    return at(told, "resourceType") == "OperationOutcome" and isinstance(issues, list) and bool(issues)


def is_kind(told: Any) -> bool:
    """An outcome in which every single word is harmless."""
    return is_outcome(told) and all(at(one, "severity") in ("information", "warning") for one in told["issue"])


def status_of(entry: Any) -> str:
    """The three digits that an entry's status begins with, empty where it does not."""
    status = at(entry, "response", "status")
    digits = status.strip()[:4] if isinstance(status, str) else ""
    return digits[:3] if digits[:3].isdigit() and digits.isascii() and not digits[3:].isdigit() else ""


def taken(entry: Any) -> bool:
    """Whether an entry says of its row, with no word against it, that CDC took it."""
    outcome = at(entry, "response", "outcome")
    return status_of(entry) in ("200", "201", "204") and (outcome is None or is_kind(outcome))


def refused(entry: Any) -> bool:
    """Whether an entry says of its row that CDC did not take it."""
    status, outcome = status_of(entry), at(entry, "response", "outcome")
    if not status or not (outcome is None or is_outcome(outcome)):
        return False
    words = [at(issue, "severity") for issue in outcome["issue"]] if outcome else []
    return "error" in words or "fatal" in words or (status[0] == "4" and (outcome is None or is_kind(outcome)))


def may_be_taken(entries: list[Any], is_about: Callable[[Any], bool]) -> bool:
    own = [entry for entry in entries if is_about(entry)]
    return any(map(taken, own)) and not any(map(refused, own))


# ---- one record of ours


def may_be_about_dose(said: Said, record_id: str, state: str, batch_id: str) -> bool:
    is_response = said.is_bundle("batch-response")
    if said.answered.kind == "upload":
        outcomes = [at(one, "response", "outcome") or at(one, "resource") for one in said.entries()]
        accepts = is_response and said.batch() == batch_id and bool(outcomes) and all(map(is_kind, outcomes))
        return accepts if state == "accepted" else state == "refused" and said.is_refusal()
    own_batch = is_response and said.batch() in (None, batch_id)

    def is_own(entry: Any) -> bool:
        return f"/{at(entry, 'fullUrl')}".endswith(f"/Immunization/{record_id}")

    if state == "verified":
        return own_batch and may_be_taken(said.entries(), is_own)
    if state == "refused":
        forgot = said.status == 404 and is_outcome(said.content)
        return forgot or (own_batch and any(refused(one) for one in said.entries() if is_own(one)))
    return own_batch or (said.status == 202 and is_outcome(said.content))


def readable_rows(said: Said) -> set[tuple[Any, ...]]:
    """What a page says, row by row, as far as it says anything."""
    rows = set()
    for entry in said.entries():
        resource = at(entry, "resource")
        extensions = at(resource, "extension")
        lots = [
            at(one, "valueString") for one in (extensions if isinstance(extensions, list) else ())
            if str(at(one, "url")).endswith("/lot-number")
        ]  # fmt: skip
        row = (
            at(resource, "identifier", 0, "value"),
            at(resource, "suppliedItem", "itemCodeableConcept", "coding", 0, "code"),
            lots[0] if lots else None,
            at(resource, "suppliedItem", "quantity", "value"),
        )
        if at(resource, "resourceType") == "SupplyDelivery" and all(isinstance(text, str) for text in row[:3]):
            rows.add((*(clean(text) for text in row[:3]), row[3]) if isinstance(row[3], int | float) else ())
    return rows


def clean(text: str) -> str:
    return text[:2000].encode("utf-8", "replace").decode()


def may_be_about_use(said: Said, identifier: str, place: int, state: str, batch_id: str) -> bool:
    own_batch = said.is_bundle("batch-response") and said.batch() == batch_id
    named = {number: _name_in(one, "SupplyDelivery") for number, one in enumerate(said.entries())}
    about = {number for number, name in named.items() if (name or number) in (identifier, place)}
    own = [one for number, one in enumerate(said.entries()) if number in about]
    if state == "accepted":
        return own_batch and may_be_taken(own, lambda _: True)
    return said.is_refusal() or (own_batch and any(map(refused, own)))


def _name_in(entry: Any, kind: str) -> str:
    url = at(entry, "fullUrl")
    return url.rpartition(f"{kind}/")[2] if isinstance(url, str) and f"{kind}/" in url else ""


def may_be_about_exam(said: Said, record_id: str, state: str) -> bool:
    def is_own(entry: Any) -> bool:
        names = _name_in(entry, "DiagnosticReport"), at(entry, "resource", "identifier", 0, "value")
        return record_id in names and all(not isinstance(name, str) or name in ("", record_id) for name in names)

    if state == "stored":
        return said.is_bundle("batch-response") and may_be_taken(said.entries(), is_own)
    own = [one for one in said.entries() if is_own(one)]
    return said.is_refusal() or (said.is_bundle("batch-response") and any(map(refused, own)))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts(one)
