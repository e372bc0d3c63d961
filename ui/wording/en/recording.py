"""English: vaccination records (BA102_3)."""

from ui.wording.zh_tw.recording import *

VOIDED = "Voided"
CONFLICTING = "Edited differently at two stations; open to settle"
CONFLICT = "Another station changed it to: {other}. Check what follows and save; that will count."
RECORDED_TWICE = "Same dose recorded twice; please check"
RECORDED_TWICE_FORM = "This dose is also recorded as: {other}. Both are kept; settle it under Conflicts."
# BA102_3
VOID_QUESTION = "Void this vaccination? It is kept with your reason, and deleted at CDC too."
ANOTHER_VACCINE = "Same patient, another vaccine"
NEXT_PERSON = "Same vaccine, next patient"
SAVED_LATELY = "Saved: {dose}"
OPEN_SAVED = "Open it"
NEXT_GETS = "Next patient starts with: {values}"
HALF_FILLED = "Your unsaved entries are back. Check them and save."
SAVED_BECAUSE = "Saved despite a warning, because: {reason}"
ENTERED_LATER = "Past record entered later"
WARNING_REASONS = ("Checked, correct", "Given on the doctor's decision", ENTERED_LATER)
BODY_SITES = ["Left upper arm", "Right upper arm", "Left thigh", "Right thigh", "Oral"]
VACCINE_WINDOW = "Vaccine codes"
IDENTITY_WINDOW = "Special identities"
IDENTITY_SCHEME = "Kind of identity"
DOSE_LABEL = "Dose {dose}"
TWO_LEVEL_SEARCH = "Type a code or name; Enter takes the first"
TWO_LEVEL_CHOSEN = "Chosen: {left} · {right}"
CODE_NAME = "Name"
CHOOSE = "Choose"
DAY_FILTER = "Day listed"
DAY_TODAY = "Today"
EVERY_VACCINE = "All vaccines"
LIST_VACCINE = "Vaccine listed"
LIST_STATE = "State listed"
EVERY_STATE = "All states"
DAY_COUNT = "Doses on {day}: {count}"
TODAY_COUNT = "Doses today: {count}"
DAY_UNREADABLE = "This date cannot be read. Type an ROC date such as 1150520; empty means today."
VOID_REASON = "Why it is voided (required)"
VOID_CONFIRM = "Void it"
ASK_AGAIN = "Please check again:"
REASON = "Reason (kept with this record)"
SAVE_ANYWAY = "Save anyway"
GO_BACK = "Go back"
DATE_HINT = "{field} (e.g. 1150520)"
LOT_NUMBER_HINT = "Lot number (case matters)"
PARENT_ID = "parent's {id}"
PERSON_LINE = "Chart no. {chart} · ID {id}"
PAST_DOSES = "Given here: {doses}"
CDC_SAID = "{state}. CDC's message: {message}"
CORRECT_TO_RESEND = "Correct it and save; it is uploaded and verified again by itself."
VOIDED_BECAUSE = "Voided: {reason}"
CHOICES_LATER = "Choose a vaccine: its doses and lots are then listed here to tap."
DOSE_CHOICES = "Dose"
LOT_CHOICES = "Lot"
LOT_CHOICES_NONE = "No lot of this vaccine is ready to use: type its number."
LOT_EXPIRES = " exp. {day}"
DOSE_SAVED = "Saved: {name} {vaccine}, dose {dose}"
VOID_REVISION = "voided ({reason})"
DOSE_REVISION = "{day} {vaccine}-{dose} lot {lot}"
STATE_TOO = "{mark}; {state}"
VACCINATION_COLUMNS = {
    "number": "No.",
    "vaccination_date": "Date given",
    "chart_number": "Chart no.",
    "name": "Name",
    "sex": "Sex",
    "birth_date": "Born",
    "national_id": "National ID",
    "birth_order": "Birth order",
    "parity": "Parity",
    "plurality": "Plur.",
    "parent_national_id": "Parent's ID",
    "vaccine_code": "Vaccine",
    "dose_number": "Dose",
    "lot_number": "Lot number",
    "lot_type": "Lot type",
    "routine": "Routine",
    "state": "State",
    "message": "CDC's message",
    "judged_at": "Verified at",
}
