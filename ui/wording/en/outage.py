"""English: the outage kit: export files, paper forms."""

from store.outage_csv import NoteKind
from store.uploads import AfterExport
from ui.wording.zh_tw.outage import *

OUTAGE = "Outage"
OUTAGE_MENU = "Export files, print paper forms"
OUTAGE_INTRO = (
    "When CDC cannot be reached for long, doses that wait can be exported as a NIIS import file, which staff load into "
    "NIIS. A usual outage needs no export: everything is kept here and uploads by itself afterwards."
)
OUTAGE_UNSENT = "Not uploaded yet"
EXPORT = "Export (F9)"
PAPER_FORM = "Paper form"
EXPORT_NO_CODE = "Every row of the file needs this clinic's 10-character institution code; please set it first."
EXPORT_TO_SETTINGS = "To settings"
EXPORT_COUNT = "{count} can be exported, {chosen} ticked"
EXPORT_LIMIT = " (one file holds {limit}; after exporting, tap Confirm again for the rest)"
EXPORT_NOTHING = (
    "Nothing to export. What is verified, sent or exported is not listed; corrections and voids of what CDC has "
    "can only be uploaded."
)
EXPORT_EVERY = "Tick all"
EXPORT_TOLD = "Note"
EXPORT_LEFT_OUT = "{count} cannot be exported; open and correct them, then tap Confirm again"
EXPORT_NOTE = {
    NoteKind.NO_IDENTITY: "neither an ID nor a parent's ID",
    NoteKind.MISSING: "{field} is empty, NIIS requires it",
    NoteKind.NOT_IN_BIG5: "{field} has characters that the file (Big5) cannot hold: “{characters}”",
    NoteKind.SUBSTITUTED: (
        "{field} has characters that the file (Big5) cannot hold: “{characters}” becomes a wide question mark"
    ),
    NoteKind.FORMULA: "{field} begins with “{characters}”: a spreadsheet would run it, so it cannot go into the file",
    NoteKind.LIKE_A_FORMULA: (
        "{field} begins with “{characters}”: a spreadsheet would run it, so that sign becomes a wide question mark"
    ),
    NoteKind.LOT_TYPE_UNSURE: "the file's code for this lot type is not confirmed by CDC; please check after import",
}
EXPORT_NONE_CHOSEN = "Please tick what to export first."
EXPORT_OUTDATED = "{count} were changed or sent since they were listed; nothing was exported. Please check the list."
EXPORT_ASK = (
    "Export these {count}? They will then not be uploaded by themselves, and staff must load the file into NIIS. "
    "Under “Exports” they can still be uploaded instead."
)
EXPORT_DONE = "{count} exported, file {number}"
EXPORT_UNTOUCHED = (
    "Load the file into NIIS as it is; do not save it from a spreadsheet (Excel): leading zeros and encoding change."
)

EXPORTS = "Exports"
EXPORTS_NONE = "No file has been exported yet."
EXPORTS_MORE = "Only the last {count} files are listed."
EXPORT_COLUMNS = {
    "number": "File",
    "made_at": "Exported at",
    "count": "Rows",
    "released": "Uploaded instead",
    "sha256": "SHA-256",
}
EXPORT_TITLE = "File {number}"
EXPORT_FACTS = "{count} exported at {at}, {released} of them are uploaded instead."
EXPORT_AGAIN = "Download again"
EXPORT_DAMAGED = "The file is not what its SHA-256 says, and cannot be downloaded. Please tell technical staff."
EXPORT_NOTES = "Different from the record, or to be checked after import"
EXPORT_NOTE_LINE = "{chart} {name}: {told}"
RELEASE = "Upload instead"
RELEASE_ASK = (
    "Upload these {count} instead? If the file is in NIIS already, they would be there twice. Please make sure that "
    "the file was not loaded and will not be."
)
RELEASED = "{count} will be uploaded."

EXPORTED_WAIT = "{count} are in export files and will not be uploaded by themselves."
EXPORTED_SEE = "See exports"
EXPORTED_COUNT = "Exported {count}"
CHANGED_COUNT = "  Changed since {count}"
EXPORTED_IN = "In export file {number} ({at}); not uploaded by itself."
AFTER_EXPORT_COUNT = "{count} changed after the export: file and record differ, please settle"
AFTER_EXPORT = {
    AfterExport.UPLOADED: "Also sent by this program: do not load the file; if it was, delete the second one in NIIS.",
    AfterExport.VOIDED: "Voided after the export, the file still has it: if it was loaded, delete it in NIIS.",
    AfterExport.CORRECTED: (
        "Corrected after the export, the file has the old content: if it was loaded, correct it in NIIS; if not, it "
        "can be uploaded instead."
    ),
    AfterExport.PERSON_CHANGED: (
        "The person's ID was corrected after the export, the file has the old one: if it was loaded, correct it in "
        "NIIS; if not, it can be uploaded instead."
    ),
}
SETTLE = "Settled"
SETTLE_UPLOADED = "NIIS does not have it twice (the file was not loaded, or the second was deleted)?"
SETTLE_VOIDED = "NIIS does not have it (the file was not loaded, or it was deleted there)? It is not uploaded."
EXPORT_SETTLED = "Noted as settled."

PAPER = "Paper vaccination sheet"
PAPER_INTRO = (
    "For when computers or power are gone: write on this sheet; print some ahead. Afterwards enter it under BA102_3: "
    "type the date first, then for each person search, Enter, check, F9."
)
PAPER_DAY = "Session date (e.g. 1150520)"
PAPER_SESSION = "Session"
PAPER_BLANK = "Blank form"
PAPER_SESSION_CHOICE = "{name} ({count} people)"
PAPER_LINES = "Blank lines"
PAPER_LINES_FAULT = "Please give a whole number from 1 to {highest}."
PAPER_PRINT = "Print (F9)"
PAPER_LIST_CUT = "Only the first {count} people are printed."
PAPER_CLINIC = "Clinic"
PAPER_DATE = "Date"
PAPER_DATE_BLANK = "____ / ____ / ____"
PAPER_LOT = "Vaccine and lot (if the same for all)"
PAPER_BLANK_LINE = "________________________________"
PAPER_FOOT = "Entered by: ________________  Date: ________________  Records: ________"
PAPER_COLUMNS = {
    "number": "No.",
    "chart_number": "Chart no.",
    "name": "Name",
    "national_id": "ID",
    "birth_date": "Birth date",
    "vaccine_code": "Vaccine",
    "dose_number": "Dose",
    "lot_number": "Lot",
    "body_site": "Site",
    "time": "Time",
    "sign": "Vaccinator's signature",
    "entered": "Entered",
}
