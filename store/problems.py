"""What a person can mend: a field, a code that never changes once shipped, and the facts for the sentence.

Invariants:
- every check returns all its problems at once and raises none of them;
- only an error stops saving; a warning is the nurse's to judge; a note tells what was tidied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as with_default
from enum import StrEnum

from pydantic import ValidationError


class Severity(StrEnum):
    """What a problem means for saving."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class ProblemCode(StrEnum):
    """Every problem this program knows; ui/wording has a sentence for each. Facts are named in brackets."""

    # Errors: there is nothing that could be saved.
    REQUIRED = "required"
    MALFORMED = "malformed"  # [reason]: pydantic's name of what is wrong
    WRONG_CELL_COUNT = "wrong_cell_count"  # [expected, found]
    DUPLICATE_CHART_NUMBER = "duplicate_chart_number"  # [first_line]: line of the file that has it first
    CHART_NUMBER_OF_OTHER_PERSON = "chart_number_of_other_person"  # [record_id]: who has it in the store
    COUNT_OUT_OF_RANGE = "count_out_of_range"  # [text, highest]: no whole number from 1 to the highest
    TEXT_TOO_LONG = "text_too_long"  # [length, highest]: in characters
    TEXT_UNSEEN = "text_unseen"  # a control sign, or another that nobody can see

    # Warnings about a person.
    ID_MISSING = "id_missing"  # neither an own ID nor a parent's
    ID_UNKNOWN_FORM = "id_unknown_form"
    ID_CHECKSUM = "id_checksum"
    SEX_UNKNOWN = "sex_unknown"  # [text]: as written, empty where nothing was
    BIRTH_DATE_MISSING = "birth_date_missing"
    DATE_UNREADABLE = "date_unreadable"  # [text, fault]: fault is a RocDateFault
    DATE_IN_FUTURE = "date_in_future"  # of birth and of vaccination
    NUMBER_UNREADABLE = "number_unreadable"  # [text]
    CHARACTERS_LOST = "characters_lost"  # a "?" or U+FFFD stands where the file's encoding had no character

    # Warnings about a vaccination.
    DATE_BEFORE_BIRTH = "date_before_birth"
    VACCINE_UNKNOWN = "vaccine_unknown"
    DOSE_UNKNOWN = "dose_unknown"  # [dose_labels]: what the table has, parted by blanks
    DOSE_ALREADY_RECORDED = "dose_already_recorded"  # [vaccination_date, record_id]: the date in ISO form
    LOT_UNKNOWN = "lot_unknown"
    LOT_CASE_DIFFERS = "lot_case_differs"  # [lot_number]: the known lot that differs in capitals only
    LOT_OF_OTHER_VACCINE = "lot_of_other_vaccine"  # [vaccine_code]: the lot's
    LOT_EXPIRED = "lot_expired"  # [expiry_date]: in ISO form
    LOT_TYPE_DIFFERS = "lot_type_differs"  # [lot_type]: what the lot or its suffix says
    # [needed_days, actual_days, earliest_date, grace_days, source]; earliest_date in ISO form and without the grace.
    AGE_UNDER_MINIMUM = "age_under_minimum"  # and [age_basis]: stated or derived
    # And [other_vaccine, other_dose, other_date] in these: the dose that is too near; earliest_date is the later one's.
    INTERVAL_UNDER_MINIMUM = "interval_under_minimum"  # too soon after the dose before it
    NEXT_DOSE_TOO_SOON = "next_dose_too_soon"  # the dose after it, recorded already, is too soon after this one
    SPACING_UNDER_MINIMUM = "spacing_under_minimum"  # too soon after another vaccine; and [rule] of spacing_rules.csv
    OTHER_VACCINE_TOO_SOON = "other_vaccine_too_soon"  # another vaccine is too soon after this one; and [rule]
    DOSE_OUT_OF_ORDER = "dose_out_of_order"  # [other_vaccine, other_dose, other_date] only
    SPECIAL_IDENTITY_MISSING = "special_identity_missing"  # [scheme, source]: the vaccine's
    SPECIAL_IDENTITY_UNKNOWN = "special_identity_unknown"  # [scheme, source]: the vaccine's
    SPECIAL_IDENTITY_OF_OTHER_VACCINE = "special_identity_of_other_vaccine"  # [scheme, source]: the code's
    SPECIAL_IDENTITY_OF_OTHER_AGE = "special_identity_of_other_age"  # [identity, years, scheme, source]

    # Warnings about a lot; some of the above too.
    MANUFACTURER_MISSING = "manufacturer_missing"
    EXPIRY_MISSING = "expiry_missing"
    EXPIRY_DIFFERS_FROM_NUMBER = "expiry_differs_from_number"  # [expiry_date]: as written into the lot number, ISO form
    LOT_ALREADY_EXPIRED = "lot_already_expired"  # [expiry_date]: in ISO form
    LOT_ALREADY_REGISTERED = "lot_already_registered"  # [record_id]: the lot of the same number and vaccine
    LOT_NUMBER_IN_USE = "lot_number_in_use"  # [count, lot_number]: doses recorded with the number before the change

    # Warnings about an exam report; of these and others [cdc_code] is CDC's own code where it has one.
    EXAM_VALUE_MISSING = "exam_value_missing"
    EXAM_RESULT_MISSING = "exam_result_missing"
    EXAM_ALREADY_RECORDED = "exam_already_recorded"  # [exam_date, record_id]: the date in ISO form
    DRAWN_IN_FUTURE = "drawn_in_future"
    DRAWN_BEFORE_BIRTH = "drawn_before_birth"
    DRAWN_AFTER_TEST = "drawn_after_test"
    DRAWN_AFTER_DUE_DATE = "drawn_after_due_date"
    NEITHER_RIA_NOR_EIA = "neither_ria_nor_eia"
    S_NEGATIVE_E_POSITIVE = "s_negative_e_positive"
    RESULT_INDETERMINATE = "result_indeterminate"
    PRENATAL_OF_A_MAN = "prenatal_of_a_man"

    # Warnings about the clinic's settings.
    INSTITUTION_CODE_FORM = "institution_code_form"
    INSTITUTION_CODE_CHECK_DIGIT = "institution_code_check_digit"

    # Notes.
    CLEANED = "cleaned"  # [text]: as written
    REPEATED_ROW = "repeated_row"  # [first_line]


_ERRORS = frozenset(
    {
        ProblemCode.REQUIRED,
        ProblemCode.MALFORMED,
        ProblemCode.WRONG_CELL_COUNT,
        ProblemCode.DUPLICATE_CHART_NUMBER,
        ProblemCode.CHART_NUMBER_OF_OTHER_PERSON,
        ProblemCode.COUNT_OUT_OF_RANGE,
        ProblemCode.TEXT_TOO_LONG,
        ProblemCode.TEXT_UNSEEN,
    }
)
_NOTES = frozenset({ProblemCode.CLEANED, ProblemCode.REPEATED_ROW})


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of one field.

    Shape: `field` is the model's field name, or empty where the whole record is meant.
    Invariant: `facts` may hold what a person wrote: for the screen, never for a log, so they stay out of the repr.
    """

    field: str
    code: ProblemCode
    facts: Mapping[str, str] = with_default(default_factory=dict, repr=False)

    @property
    def severity(self) -> Severity:
        if self.code in _ERRORS:
            return Severity.ERROR
        return Severity.NOTE if self.code in _NOTES else Severity.WARNING


def problems_from_validation(error: ValidationError) -> list[Problem]:
    """Turn what a model refused into problems at their fields."""
    problems = []
    for fault in error.errors(include_input=False, include_url=False, include_context=False):
        name = ".".join(map(str, fault["loc"]))
        if fault["type"] in ("missing", "string_too_short"):
            problems.append(Problem(name, ProblemCode.REQUIRED))
        else:
            problems.append(Problem(name, ProblemCode.MALFORMED, {"reason": fault["type"]}))
    return problems
