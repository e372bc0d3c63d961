"""English: what two stations did apart, and decisions."""

from store.duplicates import Likeness
from ui.wording.zh_tw.conflicts import *

CONFLICTS = "Conflicts"
CONFLICTS_MENU = "Edited apart, recorded twice, perhaps one person"
CONFLICTS_INTRO = (
    "When stations record or edit at the same time, both versions are kept and someone decides here. "
    "Who decided, and when, is kept too."
)
NO_CONFLICTS = "There are no conflicts now."
MORE_CONFLICTS = "There are {count} more; they are listed once those above are settled."
EDITED_APART = "Edited differently at two stations"
EDITED_TABLE = {
    "vaccinations": "Vaccination",
    "exams": "Prenatal exam",
    "patients": "Patient",
    "lots": "Vaccine lot",
    "sessions": "Session",
    "consumptions": "Vials used",
    "settings": "Settings",
    "staff": "Staff",
}
SAME_DOSE = "One dose recorded twice"
LIKELY_SAME_PERSON = "Perhaps the same person"
DECIDED_LATELY = "Decisions of the last 30 days (can be withdrawn)"
LIKENESS = {
    Likeness.NATIONAL_ID: "same ID",
    Likeness.NAME_BIRTH: "same name and birth date",
    Likeness.PHONE_BIRTH: "same phone and birth date",
}
DECIDED_APART = "Two stations decided differently on these two; they stay apart until it is settled"
MERGED_ELSEWHERE = "One of them was merged into another chart"
CHOOSE_VERSION = "Take this version"
KEEP_THIS_DOSE = "Keep this one, void the other"
BOTH_DOSES_REAL = "Both were given"
MERGE_INTO_THIS = "Same person, merge into this chart"
NOT_SAME_PERSON = "Not the same person"
WITHDRAW = "Withdraw this decision"
CONFIRM_CHOICE = "Let this version count? The others stay in the records."
CONFIRM_KEEP = "Keep this one and void the other? The voided one is kept with your reason, and deleted at CDC too."
VOID_REASON_DUPLICATE = "Recorded twice"
CONFIRM_BOTH_REAL = "Were both really given? You will not be asked again."
CONFIRM_MERGE = (
    "Merge chart {gone} into chart {survivor}? The vaccinations of {gone} ({doses}) are listed under {survivor} "
    "and uploaded to CDC under the identity of {survivor}. The merge can be withdrawn later."
)
CONFIRM_NOT_SAME = "Are these two different people? You will not be asked again."
CONFIRM_WITHDRAW = "Withdraw this decision? Both records go back to what they were."
SETTLED = "Decision recorded"
THIS_DEVICE = "this device"
MERGES_OF = "Merged charts (can be undone)"
PEOPLE_ON_LIST = "People: {count}"
ONLY_ON_THIS_LIST = "; only on this one: {names}"
CONFLICT_FACT = {
    "patient": "Patient",
    "what": "Content",
    "void": "Voided",
    "doses": "Vaccinations",
    "state": "Upload state",
    "made_by": "Recorded by",
    "made_at": "Recorded at",
    "device": "Station (device)",
}
DECISION = {
    "merge_patients": "Merged charts",
    "confirm_distinct_patients": "Not the same person",
    "confirm_distinct_doses": "Both were given",
    "withdraw_decision": "Decision withdrawn",
}
DECISION_MADE = "{decision}: {what} ({by})"
DOSES_MORE = "… {count} in all"
