"""What staff can do about a dose that CDC refused, has locked, or has not judged within a day."""

from collections.abc import Mapping
from typing import Any

from store.refusals import read_refusal
from store.uploads import UploadState
from ui import wording


def what_to_do(document: Mapping[str, Any]) -> str:
    """Of a document of the vaccinations table; empty where nothing has failed."""
    match UploadState(document["upload_state"]):
        case UploadState.REFUSED:
            return wording.refusal(read_refusal(document["upload"]["message"]))
        case UploadState.LOCKED:
            return f"{wording.refusal(read_refusal(document['upload']['message']))}{_what_cdc_holds(document)}"
        case UploadState.OVERDUE:
            return wording.OVERDUE_REMEDY.format(batch=document["upload"]["upload_batch_id"])
    return ""


def _what_cdc_holds(document: Mapping[str, Any]) -> str:
    if not document["cdc_has"]:
        return wording.LOCKED_UNKNOWN_TO_CDC
    return wording.LOCKED_NOT_DELETED if document["voided"] else wording.LOCKED_OLDER_AT_CDC
