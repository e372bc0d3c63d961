"""English: CDC's history of a person (BA102_3FF)."""

from store.history import RowMark
from store.protocol import HistoryOutcome
from ui.wording.zh_tw.history import *

HISTORY_TITLE = "CDC vaccination history (BA102_3FF)"
HISTORY_BUTTON = "CDC history (F7)"
HISTORY_ASK = "Ask CDC (F9)"
HISTORY_LEAVE = "Leave (Esc)"
HISTORY_PERSON = "Chart no. {chart} · Name {name} · {id_name} {id} · Born {birth}"
HISTORY_NOTHING = "not filled in"
HISTORY_AS_OF = "As of {at}"
HISTORY_NEVER = "Not asked yet"
HISTORY_BEGIN = "CDC's history of this patient is not here yet. Press Ask CDC; afterwards it can be seen offline too."
HISTORY_ASKING = "Asking CDC, please wait..."
HISTORY_DONE = "CDC has answered."
HISTORY_NO_HUB = "The hub cannot be reached, so CDC cannot be asked now; what was found before can still be seen."
HISTORY_NONE = "No vaccinations found (asked by {identity})"
HISTORY_NONE_THEN = "No vaccinations were found then."
HISTORY_OTHER_IDENTITY = (
    "This was found by an ID or birth date that has changed since; it does not match the patient now. Ask again."
)
HISTORY_BY_PARENT = "Asked by a parent's ID and the birth date: twins may be listed together; please check."
HISTORY_HAS_MORE = "CDC has more records than listed; this is not all."
HISTORY_ONLY_OURS = "Recorded here, not at CDC ({count})"
HISTORY_COLUMNS = {
    "number": "No.",
    "vaccination_date": "Date given",
    "vaccine_code": "Vaccine",
    "vaccine_name": "Vaccine name",
    "institution_code": "Institution",
    "institution_name": "Institution name",
    "dose_number": "Dose",
    "lot_number": "Lot",
    "marks": "Notes",
}
HISTORY_MARK = {
    RowMark.OURS: "(ours)",
    RowMark.NOT_A_ROW: "⚠ unreadable, as CDC sent it",
    RowMark.DATE_UNREADABLE: "⚠ date unreadable, as it came",
    RowMark.DATE_IN_FUTURE: "⚠ date in the future",
    RowMark.DATE_BEFORE_BIRTH: "⚠ before birth",
    RowMark.VACCINE_UNKNOWN: "⚠ vaccine not in the code table",
    RowMark.LOT_MISSING: "no lot",
    RowMark.NOT_COMPLETED: "⚠ CDC marks it {status}",
}
HISTORY_OUTCOME = {
    HistoryOutcome.RECEIVED: "Received; saving it to this device...",
    HistoryOutcome.REFUSED: (
        "CDC refused to answer: {words}. This does not mean that nothing was given; check the ID and birth date."
    ),
    HistoryOutcome.NOT_IDENTIFIED: "CDC cannot be asked: {words}. Correct the patient's data first.",
    HistoryOutcome.UNKNOWN_PERSON: "The hub does not have this patient yet; ask again after syncing.",
    HistoryOutcome.UNREACHABLE: (
        "The hub cannot reach CDC. Check that the VPN is connected and ask again; what was found before can be seen."
    ),
    HistoryOutcome.BUSY: "CDC is busy; ask again later.",
    HistoryOutcome.KEY_REFUSED: "CDC does not accept this clinic's API key. Call IT ({words}).",
    HistoryOutcome.UNREADABLE: (
        "CDC's answer was incomplete or unreadable and was not used; ask again later ({words})."
    ),
    HistoryOutcome.STILL_ASKING: "CDC has not replied yet. The result appears here by itself; you may also ask again.",
}
HISTORY_ERROR = {
    "cdc_not_configured": "The hub's link to CDC is not set up, so CDC cannot be asked.",
    "cdc_link_failed": "The hub's link to CDC does not work (certificate or settings). Call IT.",
    "not_found": "The hub runs an older version that cannot ask yet.",
    "storage_failed": "The hub cannot save, so the answer was not kept. Call IT.",
    "storage_full": "The hub's storage is full, so the answer was not kept. Call IT.",
}
HISTORY_LOT = "{lot} ({lot_type})"
