"""English: what this device holds, its storage."""

from ui.wording.zh_tw.device import *

DEVICE = "This device"
DEVICE_MENU = "Patients kept on this device, storage"
EVERYONE = "All patients"
CHOSEN_SESSIONS = "Chosen sessions"
SCOPE_TITLE = "Patients kept on this device"
SCOPE_INTRO = (
    "Where space is short, or this device serves certain sessions only, it can keep just their patients; "
    "everyone else stays at the hub and is found while connected."
)
SCOPE_IS_EVERYONE = "Kept now: all patients ({people})"
SCOPE_IS_CHOSEN = "Kept now: {sessions} sessions, {people} people"
SCOPE_LACKS = "; {people} more will come by themselves once the hub is reached"
SCOPE_BAR = "Only {sessions} sessions, {people} people"
SCOPE_DAYS = "Whole days of sessions (those added later come too)"
SCOPE_DAY = "{day} ({sessions} sessions, {people} people)"
SCOPE_APPLY = "Apply (F9)"
NO_SESSIONS = "No sessions yet. Give a session's name and date when importing its roster."
CHOOSE_A_SESSION = "Tick a session or a day first."
CONFIRM_NARROW = (
    "Keep only the ticked sessions (about {people} people)? The data of {others} others leaves this device; "
    "the hub keeps everything. What is not synced yet ({unsent}) always stays."
)
CONFIRM_EVERYONE = "Fetch all patients from the hub and keep them here? What is not synced yet stays as it is."
SCOPE_FETCHING = "Fetching from the hub {percent}%. Do not close this page or leave the clinic's network."
SCOPE_DONE = "Done."
SCOPE_UNREACHABLE = "The hub cannot be reached; nothing here has changed. Try again when the bar says the hub is OK."
STORAGE_TITLE = "Storage"
STORAGE_UNKNOWN = "The browser tells nothing about its storage."
STORAGE_USED = "Used {used} of {allowed} that the browser allows ({percent}%)"
STORAGE_SHORT_BAR = "Storage left {left}"
STORAGE_SHORT = (
    "The storage is nearly full; then nothing can be saved. Sync with the hub first, then keep chosen sessions only, "
    "or free some space on this device."
)
STORAGE_KEPT = "The browser has promised not to remove this data by itself."
STORAGE_NOT_KEPT = (
    "The browser has not promised to keep this data: it may remove it when space runs short. Stay connected and synced."
)
STORAGE_KEPT_UNKNOWN = "Asking the browser whether it keeps the data…"
STORAGE_KEPT_BY_ANSWER = {True: STORAGE_KEPT, False: STORAGE_NOT_KEPT, None: STORAGE_KEPT_UNKNOWN}
ASK_TO_KEEP = "Ask the browser to keep the data"
KEPT_NOW = "The browser has promised to keep it."
STILL_NOT_KEPT = "The browser did not promise it. Install this site as an app, or bookmark it, and try again."
EVERY_SESSION = "All sessions"
SESSION_COLUMNS = {"day": "Day", "name": "Session", "location": "Place", "people": "People"}
