"""English: stock (BA109_3_DOWNLOAD)."""

from store.stock import ConsumptionState, StockWarning
from ui.wording.zh_tw.stock import *

STOCK = "CDC stock: download and upload"
STOCK_DOWNLOAD = "Download CDC stock"
STOCK_UPLOAD = "Upload CDC stock (F9)"
STOCK_COLUMNS = (
    "No.", "Upload state", "Upload message", "Vaccine (2021)", "Lot number", "Lot type", "Stock (CDC)", "Used (doses)",
    "Used (vials)", "Left (vials)",
)  # fmt: skip
STOCK_PATIENT_COLUMNS = {
    "number": "No.",
    "vaccine_code": "Vaccine (2021)",
    "lot_number": "Lot number",
    "chart_number": "Chart no.",
    "name": "Name",
    "vaccination_date": "Date given",
}
STOCK_NEVER = "Stock not downloaded yet"
STOCK_DOWNLOADED_AT = "Stock downloaded {at} · rows: {rows}"
STOCK_UNREADABLE = " (besides, {unreadable} unreadable; kept at the hub as they came)"
STOCK_EMPTY = (
    "No stock yet. When vaccines have arrived and the hub is OK, press Download CDC stock; lots are registered "
    "by themselves."
)
STOCK_HOW = (
    "Type Used (vials) by hand; it is saved as you type, offline too. Left = Stock (CDC) - Used (vials). "
    "Tap a lot number to see its patients."
)
STOCK_SCOPED = (
    "This device keeps chosen sessions only, so it cannot count all doses and shows none; the hub counts them "
    "at upload."
)
STOCK_MORE = "Not listed: {count} more."
STOCK_VIALS_INVALID = "A whole number, 0-99999"
STOCK_FIX_FIRST = "Rows whose Used (vials) cannot be read: {count}. Correct them before uploading."
STOCK_LOT_TYPE = {"1": "central", "2": "self-paid", "3": "locally bought"}
STOCK_PATIENTS = "{vaccine} {lot}: doses given {total}, of them not yet in an upload {since}"
STOCK_PATIENTS_HERE = "{vaccine} {lot}: doses given in this device's sessions {total}"
STOCK_PATIENTS_NONE = (
    "No doses from this lot yet. A dose is listed here only when its vaccine code and lot number are right."
)
STOCK_PATIENTS_LIMIT = "Only {count} are listed."
STOCK_STATE = {
    ConsumptionState.NOTHING: "",
    ConsumptionState.NOT_SENT: "To upload",
    ConsumptionState.SENT: "Sent (awaiting reply)",
    ConsumptionState.ACCEPTED: "Uploaded",
    ConsumptionState.LATE: "Please check",
    ConsumptionState.REFUSED: "Upload refused",
}
STOCK_IN_CONFLICT = "Two stations differ"
STOCK_SETTLE = (
    "Another station typed a different number of vials; nothing is uploaded until it is settled. "
    "Type it again, or choose under Conflicts."
)
STOCK_SENT_WAITS = "No reply from CDC yet. Upload again; it is not counted twice."
STOCK_ACCEPTED = "Uploaded: {vials} vials"
STOCK_LATE = (
    "Uploaded: {sent} vials; {typed} vials were also typed. Type the vials not uploaded yet, 0 if there are none."
)
STOCK_WARNING = {
    StockWarning.BALANCE_BELOW_ZERO: "More used than in stock; please check",
    StockWarning.TOO_MANY_VIALS: "More vials than {doses} doses need; please check",
    StockWarning.TOO_FEW_VIALS: "Too few vials for {doses} doses; please check",
}
STOCK_DOWNLOADING = "Downloading vaccine stock, please wait..."
STOCK_UPLOADING = "Uploading used vaccines, please wait..."
STOCK_UNREACHABLE = (
    "The hub cannot be reached. What you typed is on this device; press again when the bar says the hub is OK."
)
STOCK_NO_ANSWER = "The hub is waiting for CDC's reply; it will appear below by itself."
STOCK_ANSWER = {
    "downloaded": "Downloaded: {rows} rows, {new_lots} new lots.",
    "uploaded": "CDC took {accepted} rows and refused {refused}. API message = {detail}",
    "nothing_to_upload": "Nothing to upload. Type Used (vials) first.",
    "stock_empty": "CDC's answer holds no stock; your stock was left as it is. Try again later, or ask CDC.",
    "busy": "Another station is downloading or uploading stock; the result will appear by itself.",
    "registry_unreachable": "The hub cannot reach CDC. Check that the VPN is connected and press again. ({detail})",
    "registry_down": "CDC gives no answer, though the VPN is up. Try again later. ({detail})",
    "registry_busy": "CDC's system is busy; press again later. ({detail})",
    "registry_key_refused": "CDC does not accept this clinic's API key. Call IT. ({detail})",
    "registry_answer_unreadable": (
        "CDC's answer cannot be read; it is kept at the hub as it came. Try again later. ({detail})"
    ),
    "cdc_not_configured": "The hub's link to CDC is not set up. Call IT.",
    "cdc_link_failed": "The hub's link to CDC does not work. Call IT. ({detail})",
}
STOCK_NEW_MAKERS = "Fill in the makers of new lots under Vaccine lots."
STOCK_VIALS_OF = "Used (vials) {lot}"
