"""English: the clinic's settings, and its code tables."""

from store.code_table_file import CodeTableName, TableFault
from ui.wording.zh_tw.settings import *

SETTINGS = "Settings"
SETTINGS_MENU = "Clinic, vaccines in use, lots of the day, staff, code tables"
SETTINGS_INTRO = (
    "These settings are shared by all stations: once saved they reach every device; they can be changed offline."
)
SETTINGS_TAB = {
    "clinic": "Clinic",
    "vaccines": "Vaccines in use",
    "lots": "Lots of the day",
    "staff": "Staff",
    "tables": "Code tables",
}
SETTINGS_SAVED = "Settings saved"
SETTINGS_UNSAVED = "Not saved yet: {tabs}"
SETTINGS_ALL_SAVED = "Nothing unsaved"
SETTINGS_LEAVE_QUESTION = "There are unsaved changes ({tabs}). Save them first?"
SETTINGS_SAVE_AND_LEAVE = "Save and leave"
SETTINGS_DISCARD = "Leave without saving"
SETTINGS_STAY = "Go on editing"
SETTINGS_CONFLICT = "Two stations set something differently; the later version is used for now."
SETTINGS_SEE_CONFLICTS = "Choose under open conflicts"
SETTINGS_CHANGED_ELSEWHERE = (
    "Another station has just changed these settings. If you save, both versions are kept, to be chosen from under "
    "open conflicts."
)
SETTINGS_TOO_LONG = "{field} takes at most {limit} characters"

CLINIC_NAME = "Clinic name"
INSTITUTION_HINT = "10 characters; filled in as the sampling institution of prenatal tests"
HUB_CODE_DIFFERS = (
    "The hub's settings file has institution code {hub}, which differs from this one. What goes to CDC always carries "
    "the file's code: please check; to change the code of the link, change the file."
)
HUB_CODE_SAME = "The same as in the hub's settings file, which the link to CDC uses."
INFLUENZA = "Influenza vaccinations are recorded here"
INFLUENZA_HINT = (
    "When off, influenza vaccines are not offered today and no influenza identity is filled in; for an earlier day "
    "they can still be chosen."
)

VACCINES_INTRO = (
    "Tick what the clinic gives most: it comes first when a vaccine is chosen (★). All others stay below. With none "
    "ticked the order is as before."
)
VACCINES_FILTER = "Find a vaccine (code or name)"
VACCINES_TICKED = "{count} ticked"
VACCINES_FILTERED_OUT = "No vaccine matches “{text}”."
VACCINE_NOT_IN_TABLE = " (not in the code table)"
FAVOURITE = "{name} ★"

LOTS_OF_DAY_INTRO = (
    "The lot that every station takes first today ({day}), and today only. The lot a device has just used still comes "
    "before it."
)
LOT_BY_EXPIRY = "Not set (first to expire)"
LOT_NOT_OFFERED = "{lot_number} (no longer usable)"
LOTS_OF_DAY_NONE = "There is no usable lot yet. Register one, or download CDC's stock."
LOTS_OF_DAY_NONE_IN_USE = "None of the vaccines in use has a usable lot yet. Register one, or download CDC's stock."

STAFF_INTRO = (
    "Who vaccinates and records; they can be tapped when a dose is recorded. Switch off whoever has left: old records "
    "stay as they are."
)
STAFF_NONE = "Nobody yet. Type an id and a name below, then Add."
STAFF_ID = "Staff id"
STAFF_NAME = "Staff name"
STAFF_NAME_OF = "Name of {staff_id}"
STAFF_ACTIVE_OF = "{staff_id} active"
STAFF_ADD = "Add"
STAFF_EXISTS = "The id “{staff_id}” is there already."
STAFF_ID_MISSING = "Type a staff id first."
STAFF_CHOOSE = "Choose the vaccinator"

CODE_TABLE = {CodeTableName.VACCINES: "vaccine codes", CodeTableName.IDENTITIES: "identity codes"}
CODE_TABLE_INTRO = (
    "When there are new codes: download the table in use, edit it in a spreadsheet, change its date (# date:), save it "
    "as CSV and load it. Codes that no table has are shown and kept in the records all the same."
)
CODE_TABLE_BUILT_IN = "In use: built in, {day}, {count} codes"
CODE_TABLE_LOADED = "In use: loaded by the clinic, {day}, {count} codes"
CODE_TABLE_OVERTAKEN = "The table the clinic loaded ({day}) is older than the built-in one and not used."
CODE_TABLE_SOURCES = "Sources ({count})"
CODE_TABLE_DOWNLOAD = "Download the {table} in use"
CODE_TABLE_FILE = "{table}_{day}.csv"
CODE_TABLE_LOAD = "Load new {table} (CSV)"
CODE_TABLE_REJECTED = "Not a CSV file, or larger than {kilobytes} KB."
CODE_TABLE_BACK = "Back to the built-in {table}"
CODE_TABLE_BACK_QUESTION = (
    "Go back to the built-in {table} ({day})? All stations go back; what was loaded stays in the history and can be "
    "loaded again."
)
CODE_TABLE_IS_BACK = "Back to the built-in {table}"
CODE_TABLE_REFUSED = "“{file}” was not loaded. Please mend these {count} points and choose the file again."
CODE_TABLE_FAULTS_MORE = "{count} more; mend the above first."
CODE_TABLE_PREVIEW = "“{file}” of {day}, {count} codes"
CODE_TABLE_DIFFERENCE = "Compared with the table in use: {new} new, {changed} changed, {missing} no longer listed"
CODE_TABLE_SAME = "The codes are those in use; only source or date differ."
CODE_TABLE_NEW = "new"
CODE_TABLE_CHANGED = "changed"
CODE_TABLE_MISSING = "no longer listed"
CODE_TABLE_COLUMNS = {"what": "Difference", "code": "Code", "name": "Name", "detail": "Content"}
CODE_TABLE_CELL = "{column}: {text}"
CODE_TABLE_CELL_CHANGED = "{column}: {before} → {after}"
CODE_TABLE_EMPTY_CELL = "(empty)"
CODE_TABLE_USE = "Use this table"
CODE_TABLE_DROP = "Do not use it"
CODE_TABLE_USED = "The new {table} are in use"
TABLE_COLUMN = {
    "code": "code",
    "name": "name",
    "english_name": "English name",
    "dose_labels": "doses",
    "in_use": "in use",
    "routine": "routine",
    "live": "live",
    "routes": "routes",
    "scheme": "scheme",
    "age_counted": "how age is counted",
    "from_days": "from days",
    "from_years": "from years",
    "to_years": "to years",
    "note": "note",
}
TABLE_COLUMN_NAMED = "{name} ({column})"
TABLE_FAULT_PLACE = "Line {line}"
TABLE_FAULT = {
    TableFault.TOO_LARGE: "The file is too large for a code table",
    TableFault.EMPTY: "The file is empty",
    TableFault.SPREADSHEET: "This is an Excel file: save it as CSV first",
    TableFault.NOT_TEXT: "The text encoding is not known: save it as CSV UTF-8",
    TableFault.NOT_CSV: "Quotes are not paired; nothing after can be read",
    TableFault.NO_SOURCE: "No source at the top: add a line “# source: where it comes from”",
    TableFault.NO_DATE: "No date at the top: add a line “# date: the day”",
    TableFault.DATE_UNREADABLE: "The date “{text}” cannot be read; for example 116/1/2",
    TableFault.DATE_NOT_NEWER: "The date must be later than the built-in table's {text} for it to be used",
    TableFault.DATE_IN_FUTURE: "The date {text} is in the future",
    TableFault.COLUMN_MISSING: "This column is missing",
    TableFault.COLUMN_UNKNOWN: "There is no column “{text}”",
    TableFault.COLUMN_REPEATED: "This column is there twice",
    TableFault.CELL_COUNT: "This row has {text} cells, {expected} are needed",
    TableFault.NO_ROWS: "There are no codes in it",
    TableFault.REQUIRED: "Must be filled in",
    TableFault.TOO_LONG: "Too long (“{text}…”)",
    TableFault.SIGN_NOT_ALLOWED: "“{text}” has signs that cannot be seen, or begins with = + - @",
    TableFault.BLANK_IN_CODE: "The code “{text}” must not have blanks",
    TableFault.CODE_REPEATED: "The code “{text}” is there twice",
    TableFault.NOT_ONE_OF: "“{text}” must be one of: {expected}",
    TableFault.NOT_A_NUMBER: "“{text}” is not a whole number",
}
SETTING_TOPIC = {
    "set_clinic": "Clinic",
    "set_vaccines_in_use": "Vaccines in use",
    "set_lot_of_the_day": "Lot of the day",
    "set_code_table": "Code table",
}
SETTING_FIELD = {
    "clinic_name": "Clinic name",
    "influenza": "Influenza vaccinations are recorded here",
    "vaccine_codes": "Vaccines in use",
    "day": "Day",
    "table_name": "Code table",
    "table_text": "Content",
    "staff_id": "Staff id",
    "active": "Active",
}
SETTING_YES_NO = {True: "yes", False: "no"}
TABLE_TEXT_SUMMARY = "{day}, {count} codes"
TABLE_TEXT_BUILT_IN = "built in"
