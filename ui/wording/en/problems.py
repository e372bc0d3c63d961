"""English: fields, and what can be wrong in them."""

from store.problems import ProblemCode
from store.roc_date import RocDateFault
from ui.wording.zh_tw.problems import *

CHECK_AGE_BASIS = {"stated": "", "derived": " (from the shortest intervals of the doses before)"}
CHECK_NO_GRACE = ", not a day earlier"
CHECK_GRACE = ", up to {grace_days} days earlier still counts"
CHECK_SPACING_RULE = {
    "live_live": (
        "live vaccines are given on one day (at different sites) or at least {needed_days} days apart, "
        "else the later dose does not count"
    ),
    "opv_rota": "oral polio and rotavirus vaccine are given at least {needed_days} days apart",
    "globulin_live": "it is given at least {needed_days} days after immunoglobulin",
    "live_globulin": "immunoglobulin within {needed_days} days after it means that this dose must be given again",
}
CHECK_SPACING = "at least {needed_days} days must lie between them"
FIELD = {
    "chart_number": "Chart number",
    "name": "Name",
    "sex": "Sex",
    "national_id": "National ID",
    "parent_national_id": "Parent's ID",
    "birth_date": "Birth date",
    "phone": "Phone",
    "address": "Address",
    "four_corner_code": "Four-corner code",
    "birth_order": "Birth order",
    "parity": "Parity",
    "plurality": "Plurality",
    "patient_id": "Patient",
    "vaccination_date": "Date given",
    "vaccine_code": "Vaccine",
    "dose_number": "Dose",
    "lot_number": "Lot number",
    "lot_type": "Lot type",
    "manufacturer": "Maker",
    "special_identity": "Special identity",
    "body_site": "Site",
    "route": "Route",
    "vaccinator_id": "Given by",
    "note": "Note",
    "void_reason": "Void reason",
    "warning_reason": "Why saved all the same",
    "id_type": "Kind of ID",
    "expiry_date": "Expires",
    "doses_per_vial": "Doses per vial",
    "status": "State",
    "as_written": "As in the file",
    "institution_code": "Institution code",
    "session_name": "Session name",
    "session_date": "Session date",
    "location": "Place",
    "patient_ids": "List",
    "exam_type": "Kind of exam",
    "exam_date": "Exam date",
    "collection_date": "Sampling date",
    "collection_institution": "Sampling institution code",
    "due_date": "Due date",
    "is_prenatal": "Prenatal exam?",
    "method": "Method",
    "hbsag": "HBsAg",
    "hbeag": "HBeAg",
    "viral_load": "HBV viral load",
    "viral_load_date": "Viral load sampling date",
    "antiviral": "Antiviral treatment?",
    "antiviral_since": "Antiviral since",
    "igg": "IgG",
    "igm": "IgM",
    "vials": "Used (vials)",
}
DATE_FAULT = {
    RocDateFault.EMPTY: "not filled in",
    RocDateFault.NOT_A_DATE: "not readable as a date; type an ROC date such as 1150520 or 115/5/20",
    RocDateFault.WESTERN_YEAR: "a Western year; type the ROC year, such as 1150520",
    RocDateFault.YEAR_ZERO: "the ROC calendar has no year 0",
    RocDateFault.NO_SUCH_DAY: "there is no such day",
}
PROBLEM = {
    ProblemCode.REQUIRED: "Must be filled in",
    ProblemCode.MALFORMED: "Not in the right form",
    ProblemCode.WRONG_CELL_COUNT: "This row has {found} cells instead of {expected}",
    ProblemCode.DUPLICATE_CHART_NUMBER: "Same chart number as line {first_line} of the file, but another person",
    ProblemCode.CHART_NUMBER_OF_OTHER_PERSON: "This chart number is another person's here",
    ProblemCode.ID_MISSING: "Neither an ID nor a parent's ID",
    ProblemCode.ID_UNKNOWN_FORM: "Not in the form of a national ID or resident certificate",
    ProblemCode.ID_CHECKSUM: "The check digit does not match; check the card",
    ProblemCode.SEX_UNKNOWN: "Sex not known: “{text}”",
    ProblemCode.BIRTH_DATE_MISSING: "No birth date",
    ProblemCode.DATE_UNREADABLE: "“{text}”: {fault}",
    ProblemCode.DATE_IN_FUTURE: "The date is in the future",
    ProblemCode.NUMBER_UNREADABLE: "“{text}” is not a number",
    ProblemCode.CHARACTERS_LOST: "Characters were lost in the export; please check",
    ProblemCode.DATE_BEFORE_BIRTH: "Given before birth",
    ProblemCode.VACCINE_UNKNOWN: "This vaccine code is not in the table",
    ProblemCode.DOSE_UNKNOWN: "The doses of this vaccine are {dose_labels}",
    ProblemCode.DOSE_ALREADY_RECORDED: "The same vaccine and dose is recorded on {vaccination_date}",
    ProblemCode.LOT_UNKNOWN: "This lot is not registered; please check (case matters)",
    ProblemCode.LOT_CASE_DIFFERS: "Differs from the registered “{lot_number}” in case (or in full width)",
    ProblemCode.LOT_OF_OTHER_VACCINE: "This lot is of {vaccine_code}",
    ProblemCode.LOT_EXPIRED: "The lot had expired on the day given ({expiry_date})",
    ProblemCode.LOT_TYPE_DIFFERS: "The lot type should be “{lot_type}”",
    ProblemCode.AGE_UNDER_MINIMUM: (
        "{actual_days} days old; the minimum age for this dose is {needed_days} days{age_basis}, "
        "earliest {earliest_date}{grace}. Source: {source}"
    ),
    ProblemCode.INTERVAL_UNDER_MINIMUM: (
        "{actual_days} days after {other_dose_text} ({other_date}); the minimum interval is {needed_days} days, "
        "earliest {earliest_date}{grace}. Source: {source}"
    ),
    ProblemCode.NEXT_DOSE_TOO_SOON: (
        "{other_dose_text} ({other_date}) is only {actual_days} days after this dose; the minimum interval is "
        "{needed_days} days, so the earliest for {other_dose_text} is {earliest_date}{grace}. Source: {source}"
    ),
    ProblemCode.SPACING_UNDER_MINIMUM: (
        "{other_vaccine} was given on {other_date}, only {actual_days} days apart; {rule}, earliest {earliest_date}. "
        "Source: {source}"
    ),
    ProblemCode.OTHER_VACCINE_TOO_SOON: (
        "{other_vaccine} was given afterwards on {other_date}, only {actual_days} days apart; {rule}; the earliest "
        "for {other_vaccine} is {earliest_date}. Source: {source}"
    ),
    ProblemCode.DOSE_OUT_OF_ORDER: "Out of order with {other_dose_text} ({other_date}); check the date and the dose",
    ProblemCode.SPECIAL_IDENTITY_MISSING: "{scheme} vaccines need a special identity. Source: {source}",
    ProblemCode.SPECIAL_IDENTITY_UNKNOWN: "{scheme} has no such identity code; please check. Source: {source}",
    ProblemCode.SPECIAL_IDENTITY_OF_OTHER_VACCINE: (
        "This identity is of “{scheme}”, not of this vaccine. Source: {source}"
    ),
    ProblemCode.SPECIAL_IDENTITY_OF_OTHER_AGE: (
        "“{identity}” does not fit the age: year given minus year of birth is {years}. Source: {source}"
    ),
    ProblemCode.TEXT_TOO_LONG: "Too long: {length} characters, at most {highest}",
    ProblemCode.TEXT_UNSEEN: "Contains characters that cannot be seen; clear the field and type it again",
    ProblemCode.COUNT_OUT_OF_RANGE: "“{text}” should be a whole number from 1 to {highest}",
    ProblemCode.MANUFACTURER_MISSING: "No maker; see the package",
    ProblemCode.EXPIRY_MISSING: "No expiry date",
    ProblemCode.EXPIRY_DIFFERS_FROM_NUMBER: "Differs from the expiry in the lot number, {expiry_date}",
    ProblemCode.LOT_ALREADY_EXPIRED: "Expired {expiry_date}",
    ProblemCode.LOT_ALREADY_REGISTERED: "This lot of this vaccine is registered already",
    ProblemCode.LOT_NUMBER_IN_USE: (
        "Vaccinations recorded with the old “{lot_number}”: {count}; they do not change with it"
    ),
    ProblemCode.EXAM_VALUE_MISSING: "Not filled in",
    ProblemCode.EXAM_RESULT_MISSING: "No result",
    ProblemCode.EXAM_ALREADY_RECORDED: "An exam of this kind is recorded on {exam_date}",
    ProblemCode.DRAWN_IN_FUTURE: "The sampling date is in the future",
    ProblemCode.DRAWN_BEFORE_BIRTH: "The sampling date is before birth",
    ProblemCode.DRAWN_AFTER_TEST: "Sampled after the exam date",
    ProblemCode.DRAWN_AFTER_DUE_DATE: "Sampled after the due date",
    ProblemCode.NEITHER_RIA_NOR_EIA: "Not a result by RIA or EIA",
    ProblemCode.S_NEGATIVE_E_POSITIVE: "HBsAg negative but HBeAg positive; check the report",
    ProblemCode.RESULT_INDETERMINATE: "The result is ±; check the report or test again",
    ProblemCode.PRENATAL_OF_A_MAN: "This patient is male; check that it is the right person",
    ProblemCode.INSTITUTION_CODE_FORM: "Should be a 10-character institution code",
    ProblemCode.INSTITUTION_CODE_CHECK_DIGIT: "The check digit may be wrong; please check",
    ProblemCode.CLEANED: "Tidied: “{text}”",
    ProblemCode.REPEATED_ROW: "Exactly the same as line {first_line}",
}
NTH_DOSE = "dose {number}"
DOSE_NAMED = "dose {number}"
