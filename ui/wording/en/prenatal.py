"""English: prenatal and measles exams (E.BAMENU4)."""

from store.prenatal import ExamMethod, ExamState, ExamType, Finding
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
EXAM_STATE = {ExamState.NOT_SENT: "To upload", ExamState.NOT_NEEDED: "No upload needed"}
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
EXAM_SAVE_ANYWAY = "Save anyway"
EXAM_GO_BACK = "Go back"
EXAM_CDC_CODE = "{sentence} (CDC code {cdc_code})"
EXAM_PERSON_HINT = "Patient data is updated by the roster."
EXAM_HINT_DATE = "{field} (e.g. 1150520)"
EXAM_UPLOAD_NOT_YET = (
    "Exam results have not gone to Taiwan CDC. They can be uploaded here once their upload link is set up; "
    "until then they stay in the clinic as To upload, and nothing is lost."
)
EXAM_UPLOAD_BUTTON = "Upload"
EXAM_UPLOAD_BY = "Upload by 1. VPN"
EXAM_SEARCH_UNSENT = "Not uploaded yet"
EXAM_SEARCH_RANGE = "Range of days"
EXAM_FROM, EXAM_TO = "Exam date from (e.g. 1150501)", "Exam date to (e.g. 1150531)"
EXAM_LOAD = "OK (F9)"
EXAM_LISTED = "Exams listed: {count}"
EXAM_LIST_CUT = " (the first {count} only)"
EXAM_NONE_WAITS = "No exam results wait for upload. Those recorded in BA103_3 appear here."
EXAM_NONE_IN_RANGE = "There are no exam results in these days."
EXAM_RANGE_REVERSED = "The first day is after the last; please correct."
EXAM_RANGE_TOO_LONG = "At most 3 months; please choose fewer days."
EXAM_READY = "Nothing odd"
EXAM_MORE_PROBLEMS = " and others, {count} in all"
EXAM_COLUMNS = {
    "number": "No.",
    "state": "State",
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
