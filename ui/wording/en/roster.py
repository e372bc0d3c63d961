"""English: the roster import."""

from store.roster import RosterFault
from ui.wording.zh_tw.roster import *

ROSTER_SESSION = "If this roster is the list of one session, name the session (else leave it empty)"
ROSTER_SESSION_NAME = "Session name, e.g. Fuxing School flu"
ROSTER_SESSION_DATE = "Session date, e.g. 1141125"
ROSTER_SESSION_DONE = "Session {name} on {day}: {count} people on its list."
ROSTER_SCOPED = (
    "This device keeps chosen sessions only, so the roster becomes a session (named Roster import where no name is "
    "given). Imported offline, people whom the hub knows differently are listed under Conflicts."
)
ROSTER_SESSION_DEFAULT = "Roster import"
ROSTER = "Roster import"
ROSTER_MENU = "The patient roster exported from the HIS"
ROSTER_FAULT = {
    RosterFault.EMPTY: "This file is empty.",
    RosterFault.SPREADSHEET: "This is an Excel file. Save it as CSV in Excel and import that.",
    RosterFault.NOT_TEXT: "This is not a text file. Choose the CSV that the HIS exported.",
    RosterFault.TOO_MANY_COLUMNS: "The first row has too many columns; this is no patient roster.",
    RosterFault.MISSING_COLUMNS: "Columns are missing: {columns}. The first row must hold the column names.",
    RosterFault.REPEATED_COLUMNS: "Columns appear twice: {columns}.",
}
ROSTER_INTRO = (
    "Choose the patient roster exported from the HIS (CSV, Big5 or UTF-8). It is shown first and imported only when "
    "you confirm; importing it again makes nobody twice."
)
ROSTER_CHOOSE = "Choose a file"
ROSTER_CHOOSE_FIRST = "Choose a roster file first."
ROSTER_REJECTED = "The file is too large or is no CSV."
ROSTER_SUMMARY = "Encoding {encoding}, {rows} rows; the first ones are below."
ROSTER_IMPORT = "Import (F9)"
ROSTER_PROGRESS = "{percent} · new {new}, updated {changed}, same {unchanged}, not importable {bad}"
ROSTER_DONE = "Import finished."
ROSTER_BAD_ROWS = "Rows not importable: {count} (download them as they were, mend them, import them again):"
ROSTER_BAD_ROWS_FILE = "rows-not-imported-{day}.csv"
ROSTER_BAD_ROWS_DOWNLOAD = "Download the rows not imported"
ROSTER_WARNED_ROWS = "Rows imported, but please check: {count}"
ROSTER_COLUMNS = {"line": "Line", "chart_number": "Chart no.", "name": "Name", "problems": "What is wrong"}
