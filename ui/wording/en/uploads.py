"""English: where a record stands at CDC, upload and verification."""

from store.protocol import CdcLinkState
from store.refusals import RefusalReason
from store.uploads import UploadState
from ui.wording.zh_tw.uploads import *

UPLOAD_STATE = {
    UploadState.NOT_NEEDED: "Never uploaded",
    UploadState.NOT_SENT: "To upload",
    UploadState.SENT: "Sent (no answer yet)",
    UploadState.ACCEPTED: "Accepted (not verified)",
    UploadState.VERIFIED: "Verified",
    UploadState.REFUSED: "Refused",
    UploadState.EXPORTED: "In an export file",
    UploadState.LOCKED: "Locked by CDC",
    UploadState.OVERDUE: "No verdict in time",
}
WAITS_FOR_ID = "No ID, cannot be uploaded"
CDC_REMEDY = {
    CdcLinkState.UNREACHABLE: (
        "The hub cannot reach CDC. Check that its VPN is connected; the upload goes on by itself, nothing is lost. "
    ),
    CdcLinkState.REFUSED_KEY: (
        "CDC does not accept the clinic's API key. The upload has stopped and is not tried again by itself, so that "
        "CDC does not lock the clinic out. Have IT support change the key file: it then goes on by itself. If the key "
        "is right, tap Upload to try once more. Nothing is lost. "
    ),
    CdcLinkState.FAILING: (
        "The VPN is up, but CDC gives no proper answer. It is tried again by itself; nothing is lost. "
    ),
    CdcLinkState.NOT_CONFIGURED: (
        "The hub has no connection to CDC yet. Records are kept here and uploaded once it is set up. "
    ),
}
CDC_LINE_BROKEN = (
    "The hub's connection to CDC cannot be used (certificate or settings). Call IT support; nothing is lost."
)
CDC_AGAIN_AT = "Next try at {at}. "
CDC_DETAIL = "(CDC answered: {detail})"
NOT_NHI = "These records go to CDC, not to the NHI Administration. "
ACCEPTED_IS_NOT_VERIFIED = (
    "CDC gives its verdict some 10 to 20 minutes after acceptance; a record is done only when it is verified."
)

# BA102_3_UPLOAD
SEARCH_BY = "Search"
SEARCH_UNSENT = "Not uploaded yet"
SEARCH_RANGE = "Range of days"
GIVEN_FROM, GIVEN_TO = "Vaccinated from (e.g. 1150501)", "Vaccinated until (e.g. 1150531)"
RANGE_REVERSED = "The first day is after the last; please correct."
RANGE_TOO_LONG = "At most 3 months; please shorten."
LOAD = "OK"
UPLOAD_BY = "Way 1.VPN"
LAST_SENT = "Last sent {at}"
UPLOAD_BUTTON = "Upload (F9)"
UPLOAD_COUNT = "{waiting} to upload"
SENT_COUNT = ", {sent} sent without an answer yet"
RANGE_COUNT = "{count} in these days, of which "
LIST_CUT = " (the first {count} are listed)"
NONE_WAITS = "Nothing waits. Doses recorded in BA102_3 appear here, and so do records once they are corrected."
NONE_IN_RANGE = "No dose was given in these days. Choose other days, then tap OK."
REFUSED_WAIT = "{count} refused; each comes back here once it is corrected."
FAILED_COUNT = "{state}: {count}"
NOT_BY_ITSELF = "{failed}. Not uploaded again by themselves; see there what to do."
SEE_REFUSED = "See the refused"
UPLOAD_NOTHING = "Nothing in the list waits. What was sent is not sent twice."
UPLOAD_HELD_BACK = "{count} cannot be uploaded (no ID, or two stations disagree); open and mend them."
UPLOAD_RUNNING = "Vaccination records are being uploaded, please wait... "
UPLOAD_PROGRESS = "{total} in all: {waiting} waiting, {sent} sent, {accepted} accepted by CDC, {refused} refused"
UPLOAD_GOES_ON = ". You may leave this page; the upload goes on."
RESULT_ACCEPTED = "Accepted by CDC (not verified yet)"
RESULT_ANSWERED = "CDC has answered"
RESULT_WORDS = "API message = {message}."
RESULT_NO_WORDS = "CDC has these records (learned by asking, without a message)."
RESULT_COUNTS = "{total} sent: {accepted} accepted, {refused} refused."
RESULT_JUDGED = "Of these CDC has already verified {verified}."
RESULT_LATER = "Not verified, so not done: from {at} on the verdicts are fetched by themselves."
RESULT_SEE = "See the verdicts"

# BA102_3_DOWNLOAD
MENU_REFUSED = "　{count} refused"
SEARCH_RECENT = "Uploaded lately"
DOWNLOAD_BUTTON = "Download (F9)"
DOWNLOAD_RUNNING = "CDC has been asked for its verdicts, please wait... "
DOWNLOAD_PROGRESS = "{done} of {total} have one; the others appear when CDC has finished."
DOWNLOAD_NOT_DUE = "It is too early: the verdicts are fetched at {at} by themselves."
DOWNLOAD_NOTHING = "Nothing waits for a verdict."
DOWNLOAD_DONE = "Downloaded"
DOWNLOAD_COUNTS = "{verified} verified, {refused} refused."
DOWNLOAD_MEND = "Open each refused record and correct it; once saved it waits for the upload again."
BATCH_DUE = "{sent}: {count} sent; verdicts are fetched at {due}, in {left}"
BATCH_NOW = "{sent}: {count} sent; it is time, CDC is being asked"
BATCH_SENT = "{sent}: {count} sent, no answer of CDC yet (it is asked first; nothing is sent twice)"
BATCH_OVERDUE = "{sent}: {count} sent; no verdict for 24 hours, CDC is asked every hour (batch {batch})"
BATCHES_MORE = "{count} more batches wait for a verdict"
NO_BATCH_WAITS = "No batch waits for a verdict"
TIME_LEFT = "{minutes} min {seconds} s"
VERIFICATION_COUNT = "Refused {refused}　Waiting {waiting}　Verified {verified}"
OVERDUE_COUNT = "　No verdict in time {overdue}"
LOCKED_COUNT = "　Locked by CDC {locked}"
LIST_JUDGED = {
    "": "All states",
    "refused": "Refused",
    "overdue": "No verdict in time",
    "locked": "Locked by CDC",
    "waiting": "Waiting",
    "verified": "Verified",
}
NONE_UPLOADED = "Nothing was uploaded yet. Verdicts appear here some 10 to 20 minutes after an upload."
NONE_OF_STATE = "Nothing in the list is in this state. Choose all states."
SEND_AGAIN = "Upload again unchanged ({count} refused)"
ASK_SEND_AGAIN = (
    "These {count} were not changed. Where CDC has learned of the lot or the person since, they may go again as they "
    "are; otherwise they may be refused again. Upload again?"
)
SEND_LOCKED_AGAIN = "CDC has opened them: upload again ({count})"
ASK_SEND_LOCKED_AGAIN = (
    "CDC did not allow these {count} to be changed. Where it has agreed to open them, they may go again; otherwise "
    "they are refused again. Upload again?"
)
MEND_PERSON = (
    "Correct the person, then tap OK. With another ID the dose is uploaded again by itself; otherwise tap OK in the "
    "vaccination record too."
)
SENT_AGAIN = "{count} wait for the upload again."

# What failed for good, or has no verdict after a day
LOCKED_OLDER_AT_CDC = (
    "Your correction is kept here; CDC still holds what it said before, and it is not uploaded again by itself. Once "
    "CDC agrees to open it, choose Locked by CDC in BA102_3_DOWNLOAD and upload again."
)
LOCKED_NOT_DELETED = (
    "It is void here; CDC still holds the dose, and it is not uploaded again by itself. Once CDC agrees to open it, "
    "choose Locked by CDC in BA102_3_DOWNLOAD and upload again."
)
LOCKED_UNKNOWN_TO_CDC = (
    "It is kept here only; CDC does not have it, and it is not uploaded again by itself. Once CDC agrees to open it, "
    "choose Locked by CDC in BA102_3_DOWNLOAD and upload again."
)
OVERDUE_REMEDY = (
    "Sent more than 24 hours ago without a verdict of CDC, so it is not done. Do not record it again: CDC is asked "
    "every hour, and its verdict appears here. If there is none tomorrow, ask CDC about batch {batch}."
)

# What CDC's words mean, and what to do. Source of the reasons: store/data/cdc_refusals.csv.
REFUSAL = {
    RefusalReason.LOT_UNKNOWN: (
        "CDC has no such lot of this vaccine and funding type. Compare vial and lot number (capitals matter), vaccine "
        "code and funding type, and correct them; if the lot is right, ask CDC to register it, then upload again."
    ),
    RefusalReason.ID_UNKNOWN: "CDC does not know this ID. Compare it with the card and correct the person, or ask CDC.",
    RefusalReason.ID_WRONG: "The ID is wrong. Compare it with the card and correct the person.",
    RefusalReason.ID_MISSING: "The ID is missing. Add it; for a newborn a parent's ID and the order of birth.",
    RefusalReason.BIRTH_DATE: "The birth date is missing or wrong. Compare it with the card and correct the person.",
    RefusalReason.MISSING: "A required field is empty. Open the record, fill it in and save.",
    RefusalReason.VALUE: (
        "CDC does not accept what a field holds. Check the marked field; where none is marked, check date, vaccine, "
        "dose and lot."
    ),
    RefusalReason.INSTITUTION: "CDC does not accept the clinic's code. This record is not at fault; call IT support.",
    RefusalReason.NOT_AT_CDC: "CDC does not find the record to change or delete. Check it; if it is right, ask CDC.",
    RefusalReason.NOT_ALLOWED: "CDC does not allow the clinic to do this. Ask CDC and IT support.",
    RefusalReason.MONTH_CLOSED: "CDC has closed this month; it cannot be changed from here. Ask CDC to correct it.",
    RefusalReason.NOT_CHANGEABLE: "CDC does not allow this record to be changed or deleted. Ask CDC.",
    RefusalReason.WHOLE_BATCH: "CDC returned the whole batch. Check this record; if it is right, upload again later.",
    RefusalReason.PROGRAM: (
        "CDC cannot read what the program sent. This record is not at fault; tell IT support what CDC said."
    ),
    RefusalReason.COLLECTOR: (
        "CDC does not accept an institution's code. Check the collecting institution's code; if right, call IT support."
    ),
    RefusalReason.DRAWING_DAY: (
        "The blood was drawn on an odd day: in the future, before birth, after the test or after the due date. Compare "
        "it with the report and correct it."
    ),
    RefusalReason.EXAM_METHOD: (
        "CDC takes results by RIA or EIA only. Compare method and results with the report and correct them."
    ),
    RefusalReason.EXAM_RESULT: (
        "CDC does not accept such a result. Compare it with the report, test again if needed, then correct it."
    ),
    RefusalReason.OTHER: "The program does not know this message. Check the record by its words; if unclear, ask CDC.",
}
