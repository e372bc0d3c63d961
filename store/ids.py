"""Identity and institution numbers: their form and their checksum, pure.

Invariant: a wrong number is reported, never refused: the person in front of the nurse is vaccinated all the same.

Source: national ID and resident certificate: immigration.gov.tw/5385/12162/238449/382804; institution code: see
`check_institution_code`.
"""

import re
from enum import StrEnum

from store.half_width import to_half_width
from store.problems import Problem, ProblemCode


class IdType(StrEnum):
    """What kind of number identifies a person. A passport has no form of its own: staff choose it."""

    NATIONAL = "national"
    RESIDENT = "resident"
    OLD_RESIDENT = "old_resident"
    PASSPORT = "passport"


_LETTER_VALUE = {letter: value for value, letter in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", start=10)}
_FORM = re.compile(r"[A-Z](?:([12])|([89])|[A-D])[0-9]{8}")
_INSTITUTION = re.compile(r"[0-9]{9}[0-9]|[0-9]{6}[A-Z][0-9]{3}")


def normalise_id(text: str) -> str:
    """Shape: " ａ１23 456789" -> "A123456789": plain capitals and digits without blanks."""
    return "".join(to_half_width(text).split()).upper()


def classify_id(text: str) -> IdType | None:
    """Tell a normalised number's kind by its form alone, whatever its checksum."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    return IdType.NATIONAL if match[1] else IdType.RESIDENT if match[2] else IdType.OLD_RESIDENT


def id_checksum_holds(text: str) -> bool:
    """Say whether the ten places of a number of known form add up.

    Shape: the letter counts as two digits, in an old resident certificate the second letter as the units of its value;
    weights 1 9 8 7 6 5 4 3 2 1 1; the sum ends in 0.
    """
    first = _LETTER_VALUE[text[0]]
    second = _LETTER_VALUE[text[1]] % 10 if text[1] in "ABCD" else int(text[1])
    # Written out: a roster of 60,000 rows passes here in a browser.
    _, _, c, d, e, f, g, h, i, j = text.encode()
    # The character codes stand 48 above their digits, 29 times by weight.
    total = first // 10 + first % 10 * 9 + second * 8 + 7 * c + 6 * d + 5 * e + 4 * f + 3 * g + 2 * h + i + j - 29 * 48
    return total % 10 == 0


def check_national_id(text: str, field: str = "national_id") -> list[Problem]:
    """Report a normalised number that no national ID or resident certificate can be."""
    if classify_id(text) is None:
        return [Problem(field, ProblemCode.ID_UNKNOWN_FORM)]
    return [] if id_checksum_holds(text) else [Problem(field, ProblemCode.ID_CHECKSUM)]


def check_institution_code(text: str, field: str = "institution_code") -> list[Problem]:
    """Report an institution code that is probably mistyped. Warns only: no rule for the check digit is published.

    Shape: ten places, the seventh may be a letter: "1133060019", "592202A296".
    Source: fitted to codes in NHI open data: d10 = sum of i * d_i mod 10, i = 1 to 9, held on all codes tried.
    """
    if not _INSTITUTION.fullmatch(text):
        return [Problem(field, ProblemCode.INSTITUTION_CODE_FORM)]
    # ASSUMED: a letter counts from A = 10; only one code with a letter was seen.
    total = sum(place * int(sign, 36) for place, sign in enumerate(text[:9], start=1))
    return [] if total % 10 == int(text[9]) else [Problem(field, ProblemCode.INSTITUTION_CODE_CHECK_DIGIT)]
