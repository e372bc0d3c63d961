"""English: what stands on every page: menu, bar, help, errors, buttons."""

from store.protocol import CdcLinkState
from ui.sync_client import HubLink
from ui.wording.zh_tw.frame import *

PRODUCT = "Vaccination Desk"
PRACTICE = "Practice: nothing goes to CDC"
FIRST_SYNC = "First sync {percent}%"
CATCHING_UP = "Catching up {percent}%"
HUB_LINK = {
    HubLink.UNKNOWN: "connecting",
    HubLink.CONNECTED: "OK",
    HubLink.UNREACHABLE: "offline",
    HubLink.NO_NETWORK: "offline (no network)",
    HubLink.REFUSING: "refuses",
}
NO_NETWORK_REMEDY = (
    "This device is in no network. Check its cable or Wi-Fi; everything is kept here and synced by itself later."
)
CDC_LINK = {
    CdcLinkState.UNKNOWN: "not connected",
    CdcLinkState.CONNECTED: "OK",
    CdcLinkState.UNREACHABLE: "unreachable",
    CdcLinkState.REFUSED_KEY: "key refused",
    CdcLinkState.FAILING: "failing",
    CdcLinkState.NOT_CONFIGURED: "not set up",
}
APP_ERROR = {
    "app_error": "That did not work. Please try again.",
    "storage_failed": "This device's storage cannot be written. This record is not saved yet; please try again.",
    "storage_full": "The storage is full. This record is not saved yet. Free some space and save again.",
    "journal_unreadable": "This device's data file cannot be read; it was left untouched. Export the data and call IT.",
    "journal_too_new": "This device's data was written by a newer version. Update the program and open it again.",
    "record_not_found": "This record was not found.",
    "snapshot_damaged": "The data from the hub came incomplete and will be fetched again; nothing here has changed.",
    "record_damaged": "This record is damaged on this device's disk. Connect to the hub to get it back.",
    "protocol_mismatch": "This device and the hub run different versions. Reload the page to update.",
    "roster_unusable": "This file is not a patient roster.",
    "hub_behind_device": (
        "The hub's data is older than this device's (a backup may have been restored). Syncing has stopped so that "
        "nothing is lost. Call IT; all data is on this device."
    ),
    "host_not_allowed": "The hub does not accept this address. Open one of the addresses that the hub lists.",
    "scope_refused": "The hub runs an older version and cannot keep chosen sessions only; nothing here has changed.",
    "storage_busy": "Another window is using the data file. Close the other windows and try again.",
    "storage_unavailable": "This device's data file cannot be opened. The program will not start with empty data.",
    "storage_conflict": "There are two data files on this device. Export the data and call support.",
    "storage_sealed": "This device's data is encrypted, and the key at hand does not open it. Call the manager.",
    "network_failed": "The hub cannot be reached. The data is saved on this device and will sync by itself later.",
    "session_needed": (
        "The hub wants people to sign in. Enrol this devi"
        "ce, then it syncs; everything is on this device."
    ),
    "session_refused": "The hub did not let this device in. Everything is on this device; it is tried again.",
    "device_revoked": (
        "A manager has turned this device off: what it holds goes to"
        " the hub and is then removed; nothing is recorded any more."
    ),
    "device_unknown": (
        "The hub does not know this device (a backup may have been put bac"
        "k). Everything is on this device; a manager has to enrol it again."
    ),
    "wrong_signature": (
        "The hub does not know this device's signature. Everyth"
        "ing is on this device; a manager has to enrol it again."
    ),
    "sign_in_needed": "The PIN counts no more. Sign in with your password.",
    "account_off": "This account is off. Ask a manager.",
    "role_may_not": "Your role may not do this. Ask a manager.",
    "not_at_the_desk": (
        "Some of this was recorded by somebody who has not signed in on this device,"
        " and the hub does not take it. Everything is on this device; ask a manager."
    ),
    "too_many_tries": "Too many tries; the hub takes none for now. It is tried again.",
}
OPEN_RECORD = "Open"
LEAVE = "Leave"
CONFIRM = "OK"
CANCEL = "Cancel"
MENU = "Main menu"
RECORDING = "Vaccination records"
UPLOADING = "Upload vaccinations to CDC"
VERIFYING = "CDC verification results"
HELP = "Help: keys on this page"
HELP_BUTTON = "Help (F1)"
HELP_BAR = "The status bar above"
KEY_NAME = {"Escape": "Esc"}
KEY_HELP = {
    "F1": "Open this help",
    "Enter": "Go to the next field; after the last one, to Save",
    "F2": "Find a patient / next patient",
    "F3": "New",
    "F7": "CDC vaccination history",
    "F8": "Same patient, another vaccine",
    "F9": "Save, or run this page's upload or download",
    "Escape": "Leave; back one step",
}
BAR_HELP = (
    ("Hub", "The link from this device to the clinic's hub. Offline, go on recording; it syncs by itself later."),
    ("Unsynced", "Records that are on this device only and have not reached the hub yet."),
    (
        "CDC",
        "The hub's link to Taiwan CDC, and how many records wait for upload, wait for verification, or were refused. "
        "A record is done only once it is verified.",
    ),
)
CLOSE = "Close"
LIST_SEPARATOR = ", "
SENTENCE_SEPARATOR = "; "
SIDE_BY_SIDE = " / "
ADD = "New (F3)"
SAVE = "Save (F9)"
VOID = "Void"
LEFT_OPEN = "Leave (Esc)"
NOTHING = "none"
NO_DATA = "No data"
NOT_CHANGED = "Nothing changed"
SAVED = "Saved"
COUNTED = "{what}: {count}"
FIELD_PROBLEM = "{field}: {problem}"
BAR_HUB = "Hub {state}"
BAR_UNSENT = "Unsynced {count}"
BAR_SYNCED = "Synced {time}"
BAR_NEVER_SYNCED = "Not synced yet"
BAR_CDC = "CDC {state} | upload {waiting} | verify {unverified} | refused {refused}"
DAMAGED = (
    "{lost} bytes of this device's data file are damaged; everything else was read. "
    "Connect to the hub to get the rest back, and tell IT."
)
MENU_TO_HANDLE = "To handle: {count}"
MENU_TO_VERIFY = "To verify: {count}"
MENU_TO_UPLOAD = "To upload: {count}"
MENU_PEOPLE = "People: {count}"
OTHER_LANGUAGE = "中文"
SWITCH_LANGUAGE = "中文: switch the screens to Chinese"
SWITCH_LOSES = "What is typed in this form is not saved yet and would be lost. Switch the language all the same?"
