"""What is made on which page, so that whoever's role may not make it is told before typing, not at saving."""

from store.changes import ChangeKind
from ui.state import AppState

_MADE_ON = {
    "/BA102_3": ChangeKind.RECORD_VACCINATION,
    "/BA102_3_UPLOAD": ChangeKind.REQUEST_UPLOAD,
    "/BA102_3_DOWNLOAD": ChangeKind.REQUEST_UPLOAD,
    "/BA109": ChangeKind.REGISTER_LOT,
    "/BA109_3_DOWNLOAD": ChangeKind.RECORD_CONSUMPTION,
    "/BAMENU4": ChangeKind.RECORD_EXAM,
    "/BA103_3": ChangeKind.RECORD_EXAM,
    "/BA103_3_UPLOAD": ChangeKind.RECORD_EXAM,
    "/roster": ChangeKind.REGISTER_SESSION,
    "/conflicts": ChangeKind.MERGE_PATIENTS,
    "/settings": ChangeKind.SET_CLINIC,
    "/outage": ChangeKind.EXPORT_DOSES,
}


def is_view_only(state: AppState, path: str) -> bool:
    """Whether the person at the desk may only look at the page of this path."""
    made = _MADE_ON.get(path)
    return made is not None and not state.may(made)
