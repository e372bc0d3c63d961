"""Which records may be one and the same, and the keys under which an index finds them. Pure.

Invariants:
- records are compared only within one key, never all with all;
- twins are never a likely match: one parent's ID, one birth date, another place among the twins;
- a voided dose is nobody's duplicate.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from store.half_width import to_half_width

# Given again and again under the same dose label; their doses are the same only within one season.
# ASSUMED: from the vaccines' nature, the code table does not say it.
_GIVEN_AGAIN = frozenset({"Flu", "Td", "TT", "Tdap", "Rabies", "Typhoid", "PPD", "HBIG"})
_SEASON_BEGINS_MONTH = 7
_SHORTEST_PHONE = 6

# A key that so many persons share tells nobody apart: an ID typed for whoever has none, the clinic's own telephone.
CROWD = 12


class Likeness(StrEnum):
    """Why two persons may be one; each is also the name of the index of patients that finds them."""

    NATIONAL_ID = "national_id"
    NAME_BIRTH = "name_birth"
    PHONE_BIRTH = "phone_birth"


def national_id_key(patient: Mapping[str, Any]) -> str | None:
    return patient.get("national_id") or None


def name_birth_key(patient: Mapping[str, Any]) -> str | None:
    """Shape: "陳小明|2020-05-01"; blanks and width of letters do not count."""
    name, birth_date = _plain(patient.get("name")), patient.get("birth_date")
    return f"{name}|{birth_date}" if name and birth_date else None


def phone_birth_key(patient: Mapping[str, Any]) -> str | None:
    """Shape: "0912345678|2020-05-01"."""
    phone, birth_date = _digits(patient.get("phone")), patient.get("birth_date")
    return f"{phone}|{birth_date}" if len(phone) >= _SHORTEST_PHONE and birth_date else None


KEY_BY_LIKENESS = {
    Likeness.NATIONAL_ID: national_id_key,
    Likeness.NAME_BIRTH: name_birth_key,
    Likeness.PHONE_BIRTH: phone_birth_key,
}


def dose_key(vaccination: Mapping[str, Any]) -> str | None:
    """Person, vaccine and dose, where the dose stands; of a vaccine given every year the season too.

    Shape: "<person id>|MMR|1", "<person id>|Flu|1|2026". The person is the one the dose belongs to now.
    """
    if vaccination.get("voided") or not vaccination.get("person_id"):
        return None
    code = vaccination["vaccine_code"]
    key = f"{vaccination['person_id']}|{code}|{vaccination['dose_number']}"
    if is_given_again(code):
        key += f"|{season_of(date.fromisoformat(vaccination['vaccination_date']))}"
    return key


def is_given_again(vaccine_code: str) -> bool:
    """True for what is given every season, or whenever needed, under the same dose label."""
    return vaccine_code in _GIVEN_AGAIN


def season_of(day: date) -> int:
    """The year in which a day's season began."""
    return day.year if day.month >= _SEASON_BEGINS_MONTH else day.year - 1


def conflict_key(document: Mapping[str, Any]) -> str | None:
    """ "open" for a record that stations edited differently and nobody has settled."""
    return "open" if document.get("conflict") else None


def are_twins(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """True where 同胎次序 tells two children of one birth apart."""
    return _same(one, other, "parent_national_id") and _born_in_turn(one, other)


def likeness(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Likeness]:
    """Why two persons (documents, or what is being typed of one) may be one; empty where they are not likely to be.

    A name or a telephone says nothing of children of one birth date whose place among twins differs, also where a
    parent's ID is missing; a telephone says nothing of two people who have neither name nor ID in common.
    """
    if are_twins(one, other):
        return []
    found = [likeness for likeness, key in KEY_BY_LIKENESS.items() if (k := key(one)) is not None and k == key(other)]
    if Likeness.NATIONAL_ID in found:
        return found
    if _born_in_turn(one, other) and not _differ(one, other, "parent_national_id"):
        return []
    if found == [Likeness.PHONE_BIRTH] and _differ(one, other, "national_id"):
        return []
    return found


def _born_in_turn(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _same(one, other, "birth_date") and _differ(one, other, "birth_order")


def _same(one: Mapping[str, Any], other: Mapping[str, Any], field: str) -> bool:
    return bool(one.get(field)) and one.get(field) == other.get(field)


def _differ(one: Mapping[str, Any], other: Mapping[str, Any], field: str) -> bool:
    """Known of both, and not the same."""
    return bool(one.get(field)) and bool(other.get(field)) and one[field] != other[field]


def _plain(text: str | None) -> str:
    return "".join(to_half_width(text).split()).upper() if text else ""


def _digits(text: str | None) -> str:
    if not text or (text.isascii() and text.isdigit()):
        return text or ""
    return "".join(sign for sign in to_half_width(text) if "0" <= sign <= "9")
