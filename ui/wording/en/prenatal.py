"""English: prenatal and measles exams (E.BAMENU4)."""

from store.prenatal import ExamMethod, ExamState, ExamType, Finding
from store.refusals import RefusalReason
from ui.wording.zh_tw.prenatal import *

EXAM_MENU = "Prenatal hepatitis B and rubella"
EXAM_RECORDS = "Prenatal hepatitis B and rubella records"
EXAM_UPLOAD = "Upload prenatal hepatitis B and rubella"
EXAM_TYPE = {
    ExamType.HEPATITIS_B: "Prenatal hepatitis B",
    ExamType.RUBELLA: "Rubella",
    ExamType.MEASLES: "Measles",
}
EXAM_METHOD = {ExamMethod.RIA: "RIA", ExamMethod.EIA: "EIA", ExamMethod.OTHER: "Other"}
EXAM_FINDING = {
    Finding.POSITIVE: "Positive (+)",
    Finding.NEGATIVE: "Negative (-)",
    Finding.INDETERMINATE: "Indeterminate (±)",
}
EXAM_SIGN = {Finding.POSITIVE: "(+)", Finding.NEGATIVE: "(-)", Finding.INDETERMINATE: "(±)"}
EXAM_YES_NO = {True: "Yes", False: "No"}
EXAM_STATE = {
    ExamState.NOT_SENT: "To upload",
    ExamState.NOT_NEEDED: "No upload needed",
    ExamState.SENT: "Sent (awaiting reply)",
    ExamState.STORED: "Taken by CDC",
    ExamState.REFUSED: "Refused by CDC",
}
EXAM_TOTAL = "Records: {count}"
EXAM_WAITING = "To upload: {count}"
EXAM_TWO_RECORDS = (
    "Hepatitis B and rubella tested on one day are two records; once this one is saved, the other is one tap away."
)
EXAM_CHOOSE_TYPE = "Choose the kind of exam first; its fields appear below."
EXAM_HISTORY = "Exam records: {count}"
EXAM_HISTORY_CUT = " (the first {count} only)"
EXAM_NO_HISTORY = "No exam records yet. Press New to make the first."
EXAM_NEW = "New (F3)"
EXAM_NEW_SAME_DAY = "New, same day ({day}): {kind}"
EXAM_SAVE = "Save (F9)"
EXAM_VOID = "Void"
EXAM_OTHER_PERSON = "Leave"
EXAM_SAVED = "Saved: {name} {day} {kind}"
EXAM_NOT_CHANGED = "Nothing changed"
EXAM_VOIDED = "Voided: {reason}"
EXAM_ASK_VOID = "Void this exam record? It is kept with your reason."
EXAM_CHECK_AGAIN = "Please check again (CDC may refuse it):"
EXAM_CDC_CODE = "{sentence} (CDC code {cdc_code})"
EXAM_PERSON_HINT = "Patient data is updated by the roster; then upload at BA103_3_UPLOAD."
EXAM_HINT_DATE = "{field} (e.g. 1150520)"
EXAM_UPLOAD_BUTTON = "Upload (F9)"
EXAM_UPLOADING = "Uploading exam results, please wait..."
EXAM_UPLOAD_ANSWER = {
    "uploaded": "CDC took {stored} results and refused {refused}. API message = {detail}",
    "nothing_to_upload": "No exam result can be uploaded. Give patients without an ID their ID first.",
    "busy": "Another station is uploading exam results; the result will appear by itself.",
    "unreachable": (
        "The hub cannot be reached. The exam results are on this device; upload again when the bar says the hub is OK."
    ),
    "no_answer": "The hub is waiting for CDC's reply; it will appear below by itself.",
    "registry_unreachable": "The hub cannot reach CDC. Check that the VPN is connected and press again. ({detail})",
    "registry_down": "CDC gives no answer, though the VPN is up. Try again later. ({detail})",
    "registry_busy": "CDC's system is busy; press again later. ({detail})",
    "registry_key_refused": "CDC does not accept this clinic's API key. Call IT. ({detail})",
    "registry_answer_unreadable": (
        "CDC's answer cannot be read; it is kept at the hub as it came. Upload again; nothing is recorded twice. "
        "({detail})"
    ),
    "cdc_not_configured": "The hub's link to CDC is not set up. Call IT.",
    "cdc_link_failed": "The hub's link to CDC does not work. Call IT. ({detail})",
    "not_found": "The hub runs an older version that cannot upload exam results yet.",
}
EXAM_UPLOADED_SO_FAR = " CDC took {stored} results and refused {refused}."
EXAM_FROM, EXAM_TO = "Exam date from (e.g. 1150501)", "Exam date to (e.g. 1150531)"
EXAM_LOAD = "OK"
EXAM_LISTED = "Exams listed: {count}"
EXAM_LIST_CUT = " (the first {count} only)"
EXAM_NONE_WAITS = "No exam results wait for upload. Those recorded in BA103_3 appear here."
EXAM_NONE_IN_RANGE = "There are no exam results in these days."
EXAM_READY = "Nothing odd"
EXAM_MORE_PROBLEMS = " and others, {count} in all"
EXAM_COLUMNS = {
    "number": "No.",
    "state": "State",
    "message": "CDC's message",
    "problems": "Checks before upload",
    "exam_date": "Exam date",
    "chart_number": "Chart no.",
    "name": "Name",
    "birth_date": "Born",
    "national_id": "National ID",
    "exam_type": "Exam",
    "result": "Result",
    "institution": "Sampled at",
    "due_date": "Due date",
}
EXAM_REFUSAL = {
    RefusalReason.VALUE: (
        "CDC does not accept something. Compare days, collecting institution, method and results with the report and "
        "correct them; if all is right, tell IT support CDC's message."
    ),
    RefusalReason.ID_MISSING: "The ID is missing. Add the national ID, resident certificate or passport number.",
}
EXAM_FIELD_AT_FAULT = " (Field: {field})"
CORRECT_TO_RESEND_EXAM = "Correct it and save, then press Upload in BA103_3_UPLOAD."
