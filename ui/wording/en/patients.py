"""English: finding, registering and mending a person."""

from ui.wording.zh_tw.patients import *

SEARCH_HUB_FOUND = "Other patients at the hub (not in this device's sessions; tap to fetch)"
SEARCH_HUB_NONE = "The hub has no other patient like this."
SEARCH_HUB_ASKING = "Asking the hub…"
SEARCH_HERE_ONLY = "The hub cannot be reached; only this device's sessions were searched."
SEARCH_NOBODY = (
    "Nobody found. Try another way (chart number, name, ID, phone, birth date), or import the roster first."
)
SEARCH_NOBODY_HERE = "This person is not in this device's sessions."
FETCHING_PERSON = "Fetching this patient from the hub…"
PERSON_NOT_FETCHED = "This patient could not be fetched from the hub. Try again when the bar says the hub is OK."
SEX_MISSING = "Not filled in"
SEX = {"1": "Male", "2": "Female"}
MERGED_CHARTS = "Merged into this chart: {charts}"
SEE_MERGES = "See merges"
MERGED_CHART = " (merged into another chart)"
EDIT_PATIENT = "Edit patient"
NEW_PATIENT = "New patient"
PATIENT_SAVED = "Saved: {name}"
CHART_TAKEN = "Chart number {chart} already belongs to:"
CHART_TAKEN_SHORT = "Chart number {chart} is taken. Open that patient or use another number."
PERHAPS_KNOWN = "This patient may be registered already; check first:"
OPEN_PATIENT = "Open this one"
CONFIRM_NEW_PATIENT = "There are similar patients. Register a new one all the same?"
ID_BY_FORM = "By its form"
PASSPORT = "Passport"
NEWBORN_HINT = "A newborn without an ID: fill in a parent's ID and the birth order (1 for a single birth)."
PATIENT_COLUMNS = {
    "chart_number": "Chart no.",
    "name": "Name",
    "national_id": "National ID",
    "phone": "Phone",
    "birth_date": "Born",
    "four_corner_code": "Four-corner code",
    "address": "Address",
}
SEARCH_LABEL = "Find a patient: chart number, name, ID, phone, birth date (e.g. 74/11/08); Enter takes the first"
SEARCH_FOUND = "Found: {count}"
SEARCH_MORE = " (the first {limit} only; type a little more)"
BIRTH_DATE_HINT = "Birth date (e.g. 1100527)"
