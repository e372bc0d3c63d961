"""The revisions of one record: which stand, what they say, and how they are written without saying it twice.

Shape: revisions by change id, each {"bases", "kind", "made_by", "made_at", "device_id", "payload"}.

Invariant: what `unpack` gives is what was packed.
"""

import json
from collections.abc import Mapping
from typing import Any

from store.changes import VOID_KINDS

Revisions = Mapping[str, Mapping[str, Any]]


def heads(revisions: Revisions) -> list[str]:
    """The revisions that no other replaces, sorted; the last is shown."""
    if len(revisions) == 1:
        return list(revisions)
    replaced = {base for revision in revisions.values() for base in revision["bases"]}
    # Revisions that replace each other in a ring are no device's honest work: all of them count, and all are shown.
    return sorted(revisions.keys() - replaced) or sorted(revisions)


def differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Two stations that wrote the same of a record do not disagree: the same roster imported twice is no conflict."""
    voids = not VOID_KINDS.isdisjoint((one["kind"], other["kind"]))
    return one["payload"] != other["payload"] or (voids and one["kind"] != other["kind"])


def content(revisions: Revisions, revision_id: str) -> Mapping[str, Any]:
    """The record's fields at a revision; a void carries none, so it shows those of what it voided.

    Of a void whose base is not here, as after the hub went back to an older copy, they are the newest known: whose dose
    it is must stay on the screen.
    """
    seen: set[str] = set()
    while revisions[revision_id]["kind"] in VOID_KINDS:
        seen.add(revision_id)
        known = [base for base in revisions[revision_id]["bases"] if base in revisions and base not in seen]
        if not known:
            known = sorted(one for one in revisions if revisions[one]["kind"] not in VOID_KINDS)[-1:]
        if not known:
            return {}
        revision_id = known[0]
    payload: Mapping[str, Any] = revisions[revision_id]["payload"]
    return payload


def pack(document: Mapping[str, Any]) -> bytes:
    """Write a document of a table of records: the fields that its shown revision says are not written again."""
    said = content(document["revisions"], document["revision"])
    rest = {name: value for name, value in document.items() if name not in said or said[name] != value}
    return json.dumps(rest, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(body: bytes) -> dict[str, Any]:
    rest = json.loads(body)
    return {**content(rest["revisions"], rest["revision"]), **rest}
