"""English: what went to CDC and came back, and the whole way of one record."""

from store.protocol import STAFF, ReceiptKind
from store.record_way import WayStep
from ui.wording.zh_tw.receipts import *

RECEIPTS = "Transmissions"
RECEIPTS_MENU = "Transmissions: what went to CDC and came back"
RECEIPTS_HINT = "Every exchange with CDC is kept as it was. Tap one to see all of it."
RECEIPT_KIND = {
    ReceiptKind.UPLOAD: "Upload of doses",
    ReceiptKind.CONFIRM: "Question for the verdict",
    ReceiptKind.STOCK: "Download of stock",
    ReceiptKind.CONSUMPTION: "Upload of vaccine used",
    ReceiptKind.HISTORY: "Question about a person",
    ReceiptKind.EXAMS: "Upload of exam reports",
    ReceiptKind.SENT: "Kept before it was sent",
}
RECEIPT_KIND_OTHER = "Another exchange"
RECEIPT_KIND_ALL = "All kinds"
RECEIPT_OUTCOME = {"": "All outcomes", "ok": "CDC answered", "failed": "No answer, or an error"}
RECEIPT_KIND_LABEL = "Kind"
RECEIPT_OUTCOME_LABEL = "Outcome"
RECEIPT_BATCH = "Batch"
RECEIPT_CHART = "Chart number"
RECEIPT_FROM, RECEIPT_TO = "From day (such as 1150501)", "To day (such as 1150531)"
RECEIPT_SEARCH = "Search (F9)"
RECEIPT_CLEAR = "Clear"
RECEIPT_OF_RECORD = "Of this one record only"
RECEIPT_OF_RECORD_END = "Show all"
RECEIPT_OLDER = "Show older ones"
RECEIPT_SEARCHING = "Searching…"
RECEIPT_FOUND = "{count} listed"
RECEIPT_FOUND_MORE = "{count} listed, there are older ones"
RECEIPT_NONE = "Nothing matches. Ask for less, or upload in BA102_3_UPLOAD first."
RECEIPT_NO_HUB = "The hub cannot be reached. The transmissions are kept there; search again once it is back."
RECEIPT_OLD_HUB = "The hub's program is older and cannot show transmissions yet. Update the hub."
RECEIPT_PRACTICE = "Practice mode exchanges nothing with CDC, so there are no transmissions."
RECEIPT_COLUMNS = {
    "at": "Time",
    "kind": "Kind",
    "records": "Records",
    "http": "HTTP",
    "words": "CDC's answer",
    "who": "By",
    "batch": "Batch",
}
RECEIPT_WHO_AUTOMATIC = "Automatic"
RECEIPT_WHO = {STAFF: "Staff"}
RECEIPT_NO_ANSWER = "no answer"
RECEIPT_FAILURE = {
    "time_out": "No answer in time",
    "not_reached": "CDC was not reached",
    "connection_lost": "The connection broke before the answer was whole",
    "answer_too_large": "The answer was too large, only a part came",
}
RECEIPT_NO_WORDS = "No message came with it"
RECEIPT_TITLE = "Transmission {number}: {kind}"
RECEIPT_FACTS = "{at}, by {who}, HTTP {http}"
RECEIPT_TOOK = ", took {seconds} s"
RECEIPT_BATCH_LINE = "Batch {batch}, records: {count}"
RECEIPT_REQUEST = "What was sent"
RECEIPT_ANSWER = "CDC's answer"
RECEIPT_EMPTY = "Nothing in it"
RECEIPT_NOT_TEXT = "Not text; shown as Base64"
RECEIPT_DROPPED = (
    "Past the years it is kept: the content was deleted at {at}. This line and the content's hashes stay for ever."
)
RECEIPT_CUT = "Only the first {count} characters are shown; save it as a file to have all."
RECEIPT_CUT_AT_HUB = "Too long: the hub gives the first {count} bytes only."
RECEIPT_SIZE = "{title} ({count} bytes)"
RECEIPT_COPY_REQUEST = "Copy what was sent"
RECEIPT_COPY_ANSWER = "Copy CDC's answer"
RECEIPT_COPIED = "Copied"
RECEIPT_SAVE = "Save as a file"
RECEIPT_FILE = "transmission-{number}.json"

# The way of one record
WAY = "History of this record"
WAY_TITLE = "The way of this record"
WAY_STEP = {
    WayStep.RECORDED: "Recorded",
    WayStep.CORRECTED: "Corrected",
    WayStep.VOIDED: "Voided",
    WayStep.SENT: "Sent to CDC",
    WayStep.ACCEPTED: "Accepted by CDC (not verified)",
    WayStep.VERIFIED: "Verified",
    WayStep.REFUSED: "Refused",
    WayStep.REFUSED_WHOLE: "Batch refused whole (sent again in parts; this record may be right)",
}
WAY_METHOD = {"POST": "new", "PUT": "corrected", "DELETE": "deleted"}
WAY_SENT = "{step}: {method}"
WAY_WHO = "{who}, {device}"
WAY_THIS_DEVICE = "this device"
WAY_OTHER_DEVICE = "another device ({mark})"
WAY_CHANGED = "Changed: {fields}"
WAY_REASON = "Reason: {reason}"
WAY_BATCH = "Batch {batch}"
WAY_RECEIPT = "See what was exchanged"
WAY_ALL_RECEIPTS = "See all transmissions of this record"
WAY_HUB_KNOWS = "The hub knows of earlier uploads:"
WAY_NO_HUB = "The hub cannot be reached; only what this device knows is shown."
