"""English: who did what, for the manager."""

from store.audit import HUB, NOBODY, AuditAction
from store.changes import ChangeKind
from store.protocol import STAFF
from ui.wording.zh_tw.audit import *

AUDIT = "Audit"
AUDIT_MENU = "Audit: who looked at or did what, and when"
AUDIT_HINT = (
    "Every look, entry, export and setting leaves an entry; each holds the hash of the one before, so that none is "
    "changed unseen. Kept for seven years at least; the program deletes none."
)
AUDIT_WHO_FIELD = "Person"
AUDIT_WHAT_FIELD = "What was done"
AUDIT_FROM, AUDIT_TO = "From day (such as 1150501)", "To day (such as 1150531)"
AUDIT_ANY = "All"
AUDIT_SEARCH = "Search (F9)"
AUDIT_CLEAR = "Clear"
AUDIT_OLDER = "Show earlier ones"
AUDIT_SEARCHING = "Searching…"
AUDIT_SEARCHING_BACK = "Searching… back to no. {number}"
AUDIT_FOUND = "{count} listed"
AUDIT_FOUND_MORE = "{count} listed, and there are earlier ones"
AUDIT_NONE = "No such entries. Ask for less and search again."
AUDIT_OF_RECORD = "Only about: {name}"
AUDIT_OF_RECORD_END = "Show all"
AUDIT_SEE = "See the audit"
AUDIT_NO_HUB = "The hub cannot be reached. The audit is kept there; press Search when the line is back."
AUDIT_OLD_HUB = "The hub runs an older version that has no audit to search. Please update the hub."
AUDIT_MAY_NOT = "Only a manager may see the audit. Let a manager unlock, then search."
AUDIT_PRACTICE = "Practice mode keeps no audit."
AUDIT_HEAD = "Newest entry: no. {number}, check {mark}. Written down on paper, it shows later whether any were cut off."
AUDIT_COLUMNS = {
    "at": "Time",
    "who": "Person",
    "what": "What was done",
    "about": "About",
    "device": "Device",
    "seq": "No.",
}
AUDIT_WHO = {STAFF: "Staff", HUB: "Hub", NOBODY: "Not signed in"}
AUDIT_AT_HUB = "Hub"
AUDIT_ACTION = {
    AuditAction.VIEWED: "Viewed",
    AuditAction.SEARCHED: "Searched",
    AuditAction.OPENED_HISTORY: "Viewed the national history",
    AuditAction.EXPORTED: "Exported a file",
    AuditAction.PRINTED: "Printed",
    AuditAction.UNLOCKED: "Unlocked",
    AuditAction.LOCKED: "Locked",
    AuditAction.UNLOCK_REFUSED: "Wrong PIN",
    AuditAction.SET_DEVICE: "Changed the device's settings",
    AuditAction.LOST: "Entries lost to a full disk",
    AuditAction.UNKNOWN_CHANGE: "A change of a newer version",
    AuditAction.SIGNED_IN: "Signed in",
    AuditAction.SIGN_IN_REFUSED: "Sign-in refused",
    AuditAction.SESSION_BEGAN: "Session began",
    AuditAction.SESSION_REFUSED: "Session refused",
    AuditAction.ROLE_REFUSED: "Refused: not this role",
    AuditAction.MADE_ACCOUNT: "Made an account",
    AuditAction.SET_ROLES: "Changed roles",
    AuditAction.SET_PASSWORD: "Changed a password",
    AuditAction.TURNED_OFF: "Turned an account off",
    AuditAction.TURNED_ON: "Turned an account on",
    AuditAction.OFFERED_ENROLMENT: "Made an enrolment code",
    AuditAction.ENROLLED: "Enrolled a device",
    AuditAction.ENROLMENT_REFUSED: "Enrolment refused",
    AuditAction.REVOKED: "Revoked a device",
    AuditAction.HANDED_OVER: "A revoked device handed over",
    AuditAction.VIEWED_AUDIT: "Viewed the audit",
    AuditAction.TOOK_SNAPSHOT: "Fetched records as a whole",
    AuditAction.AUDIT_BEGAN: "The audit began",
    AuditAction.CHAIN_BROKEN: "The chain is broken",
    AuditAction.STORE_REPLACED: "The data were put back from a backup",
}
AUDIT_CHANGE = {
    ChangeKind.REGISTER_PATIENT: "Registered a person",
    ChangeKind.CORRECT_PATIENT: "Corrected a person",
    ChangeKind.REGISTER_LOT: "Registered a lot",
    ChangeKind.REGISTER_SESSION: "Registered a session",
    ChangeKind.CORRECT_SESSION: "Corrected a session",
    ChangeKind.RECORD_VACCINATION: "Recorded a dose",
    ChangeKind.CORRECT_VACCINATION: "Corrected a dose",
    ChangeKind.VOID_VACCINATION: "Voided a dose",
    ChangeKind.REQUEST_UPLOAD: "Asked for an upload",
    ChangeKind.RECORD_EXAM: "Recorded an exam",
    ChangeKind.CORRECT_EXAM: "Corrected an exam",
    ChangeKind.VOID_EXAM: "Voided an exam",
    ChangeKind.RECORD_CONSUMPTION: "Recorded vaccine use",
    ChangeKind.SET_CLINIC: "Changed the clinic's settings",
    ChangeKind.SET_VACCINES_IN_USE: "Changed the vaccines in use",
    ChangeKind.SET_LOT_OF_THE_DAY: "Set the lot of the day",
    ChangeKind.SET_CODE_TABLE: "Loaded a code table",
    ChangeKind.REGISTER_STAFF_MEMBER: "Changed the list of staff",
    ChangeKind.MERGE_PATIENTS: "Merged two charts",
    ChangeKind.CONFIRM_DISTINCT_PATIENTS: "Confirmed two persons",
    ChangeKind.CONFIRM_DISTINCT_DOSES: "Confirmed two doses",
    ChangeKind.WITHDRAW_DECISION: "Withdrew a decision",
    ChangeKind.EXPORT_DOSES: "Exported doses",
    ChangeKind.RELEASE_EXPORT: "Released exported doses",
    ChangeKind.UPLOAD_SENT: "Uploaded to CDC",
    ChangeKind.UPLOAD_ACCEPTED: "CDC took an upload",
    ChangeKind.UPLOAD_REFUSED: "CDC refused an upload",
    ChangeKind.UPLOAD_OVERDUE: "CDC's answer is overdue",
    ChangeKind.VERIFICATION_RECEIVED: "CDC's verification came",
    ChangeKind.STOCK_RECEIVED: "Downloaded the stock",
    ChangeKind.CONSUMPTION_SENT: "Uploaded vaccine use",
    ChangeKind.CONSUMPTION_ANSWERED: "CDC answered vaccine use",
    ChangeKind.HISTORY_RECEIVED: "Asked CDC for a history",
    ChangeKind.EXAMS_SENT: "Uploaded exams",
    ChangeKind.EXAMS_ANSWERED: "CDC answered exams",
}
AUDIT_WHAT_OTHER = "Other ({code})"
AUDIT_KIND = {
    "patients": "people",
    "patients_on_hub": "people on the hub",
    "uploads": "list of doses to upload",
    "verification": "list of verifications",
    "conflicts": "list of conflicts",
    "exam_uploads": "list of exams to upload",
    "exports": "list of exports",
    "receipts": "receipts",
    "receipt": "receipt",
    "doses_file": "import file of doses",
    "bad_rows": "rows of a roster at fault",
    "paper_list": "paper forms with a list",
    "audit": "audit",
    "scope": "chosen sessions",
    "everyone": "everyone",
    "idle_time": "Idle time",
    "practice": "entered practice mode",
}
AUDIT_REASON = {
    "altered": "an entry was altered",
    "lacking": "entries are lacking before it",
    "repeated": "its number was used before",
    "other_before": "it follows another entry",
    "cut_off": "the end was cut off",
    "written_anew": "it was written anew",
    "wrong_code": "wrong code",
    "wrong_password": "wrong password",
    "account_off": "the account is off",
    "sign_in_needed": "the password is needed again",
    "device_revoked": "the device is revoked",
    "role_may_not": "not this role",
}
AUDIT_COUNT = "{count} entries"
AUDIT_NUMBER = "no. {number}"
AUDIT_FROM_ADDRESS = "from {address}"
AUDIT_BATCH = "batch {batch}"
AUDIT_ACCOUNT = "account {staff_id}"
AUDIT_DEVICE = "device {device}"
AUDIT_RECORD = "record {mark}"
AUDIT_EXPORT = "Save as CSV"
AUDIT_EXPORT_FILE = "audit-{day}.csv"
AUDIT_EXPORT_ASK = "Save the entries that were asked for (at most {most}) as a file? The export is noted as well."
AUDIT_EXPORT_DONE = "Saved as a file: {count} entries"
AUDIT_EXPORT_CUT = "Saved as a file: the newest {count} entries only. Choose fewer days and save again."
AUDIT_FILE_COLUMNS = (
    "No.", "Time", "Person", "What was done", "About", "Code", "Record id", "Device id", "Kept at", "Hash before",
    "Hash",
)  # fmt: skip
