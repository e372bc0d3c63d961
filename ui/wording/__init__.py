"""What the screens say. A name is looked up when a page is built, never kept from the import: the language may change.

`wording.NOT_NHI` is a sentence, `wording.PROBLEM` a table from code to sentence; the functions put facts in.
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from types import ModuleType

from store.codes import Vaccine
from store.problems import Problem, ProblemCode
from store.refusals import Refusal
from store.roc_date import RocDateFault, format_roc_date
from store.uploads import UploadState
from ui.wording import en, zh_tw
from ui.wording.zh_tw import *

_QUOTED = 40  # characters


class Language(StrEnum):
    """A language of the screens. Shape: a language tag, as NiceGUI, Quasar and the page's `lang` have it."""

    ZH_TW = "zh-TW"
    EN = "en-US"


_NAMES = {Language.ZH_TW: zh_tw, Language.EN: en}
_spoken = Language.ZH_TW


def speak(language: Language) -> None:
    """Say everything in this language from now on; what a page already shows stays as it is."""
    global _spoken
    _spoken = language
    globals().update(names_in(_NAMES[language]))


def spoken() -> Language:
    return _spoken


def names_in(module: ModuleType) -> dict[str, object]:
    """The sentences and tables of a language, or of one room of it, by name."""
    return {name: said for name, said in vars(module).items() if name.isupper()}


def vaccine_name(vaccine: Vaccine) -> str:
    """What a vaccine is called beside its code."""
    return vaccine.english_name if _spoken is Language.EN and vaccine.english_name else vaccine.name


def list_of(things: Iterable[str]) -> str:
    """Shape: "甲、乙、丙"."""
    return LIST_SEPARATOR.join(things)


def sentences(each: Iterable[str]) -> str:
    return SENTENCE_SEPARATOR.join(each)


def bytes_text(count: int) -> str:
    """Shape: "512 MB", "12.3 GB"."""
    megabytes = count / 1024**2
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def upload_state(code: str) -> str:
    return UPLOAD_STATE[UploadState(code)]


def cdc_words(message: dict[str, str] | None) -> str:
    """CDC's code and text as they came."""
    return " ".join(part for part in (message["code"], message["text"]) if part) if message else ""


def refusal(found: Refusal) -> str:
    """What a refusal means, and what to do."""
    return REFUSAL[found.reason]


def exam_refusal(found: Refusal) -> str:
    """The same of an exam report, with the field at fault where one is known."""
    at_fault = EXAM_FIELD_AT_FAULT.format(field=FIELD[found.field]) if found.field else ""
    return (EXAM_REFUSAL.get(found.reason) or REFUSAL[found.reason]) + at_fault


def masked_id(national_id: str | None) -> str:
    return national_id[:4] + "*" * (len(national_id) - 4) if national_id else ""


def masked_phone(phone: str | None) -> str:
    return phone[:2] + "*" * max(0, len(phone) - 2) if phone else ""


def masked_address(address: str | None) -> str:
    return address[:6] + "***" if address and len(address) > 6 else address or ""


def problem(found: Problem) -> str:
    """The sentence of one problem, with its facts in it."""
    facts = {name: _brief(fact) if name == "text" else fact for name, fact in found.facts.items()}
    if "fault" in facts:
        facts["fault"] = DATE_FAULT[RocDateFault(facts["fault"])]
    for name in ("vaccination_date", "expiry_date", "other_date", "earliest_date", "exam_date"):
        if name in facts:
            facts[name] = _roc_text(date.fromisoformat(facts[name]))
    if "lot_type" in facts:
        facts["lot_type"] = LOT_TYPE.get(facts["lot_type"], facts["lot_type"])
    if found.code is ProblemCode.SEX_UNKNOWN and not facts["text"]:
        return SEX_MISSING
    if "other_dose" in facts:
        number = facts["other_dose"]
        facts["other_dose_text"] = (NTH_DOSE if number.isdecimal() else DOSE_NAMED).format(number=number)
    if "age_basis" in facts:
        facts["age_basis"] = CHECK_AGE_BASIS[facts["age_basis"]]
    if "grace_days" in facts:
        facts["grace"] = CHECK_NO_GRACE if facts["grace_days"] == "0" else CHECK_GRACE.format_map(facts)
    if "rule" in facts:
        facts["rule"] = CHECK_SPACING_RULE.get(facts["rule"], CHECK_SPACING).format_map(facts)
    sentence = PROBLEM[found.code].format_map(facts)
    return EXAM_CDC_CODE.format(sentence=sentence, **facts) if "cdc_code" in facts else sentence


def _brief(text: str) -> str:
    """What somebody typed, as far as a sentence about it can carry it."""
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def _roc_text(day: date) -> str:
    """A day counted on from one a record holds may lie beyond the ROC calendar's three digits."""
    try:
        return format_roc_date(day)
    except ValueError:
        return day.isoformat()
