"""What a nurse needs to see of records that compete: field by field, side by side, with who wrote each, when and where.

Numbers are shown whole, unlike in the search: whoever decides whether two charts are one person must compare them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from store.changes import VOID_KINDS
from store.code_table_file import CodeTableName, read_text
from store.roc_date import TAIPEI, format_roc_date
from ui import wording
from ui.patient_search import roc_text
from ui.state import AppState

_DATES = (
    "vaccination_date", "birth_date", "expiry_date", "session_date", "exam_date", "collection_date", "due_date",
    "viral_load_date", "antiviral_since", "day",
)  # fmt: skip
_DOSE_FIELDS = ("vaccination_date", "vaccine_code", "dose_number", "lot_number", "lot_type", "vaccinator_id", "note")
_PATIENT_FIELDS = (
    "chart_number", "name", "sex", "birth_date", "national_id", "phone", "address", "birth_order", "parity",
    "parent_national_id",
)  # fmt: skip
_TOLD_OTHERWISE = ("patient_ids", "table_text")  # lists and whole tables: what tells one from another is said
_DOSES_LISTED = 6
_NAMES_LISTED = 5


@dataclass(frozen=True)
class Fact:
    """One line of the comparison: a value of each side."""

    label: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


def revision_facts(state: AppState, document: Mapping[str, Any], revisions: Sequence[str]) -> list[Fact]:
    """The versions of one record: what differs between them, and who wrote each."""
    versions = [document["revisions"][revision] for revision in revisions]
    contents = [{} if _voids(version) else version["payload"] for version in versions]
    fields = dict.fromkeys(field for content in contents for field in content)
    reasons = [version["payload"].get("reason", "") if _voids(version) else "" for version in versions]
    facts = [_fact(_label(field), field, contents) for field in fields if field not in _TOLD_OTHERWISE]
    if "patient_ids" in fields:
        facts.append(Fact(wording.FIELD["patient_ids"], _lists_of_people(state, contents)))
    if "table_text" in fields:
        facts.append(Fact(_label("table_text"), tuple(_table_text(content) for content in contents)))
    facts.append(Fact(wording.CONFLICT_FACT["void"], tuple(reasons)))
    return [fact for fact in facts if fact.differs] + _writers(state, versions)


def dose_facts(state: AppState, documents: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """Records of one dose, side by side."""
    states = tuple(wording.upload_state(document["upload_state"]) for document in documents)
    return [
        Fact(wording.CONFLICT_FACT["patient"], tuple(person_name(state, d["patient_id"]) for d in documents)),
        *(_fact(wording.FIELD[field], field, documents) for field in _DOSE_FIELDS),
        Fact(wording.CONFLICT_FACT["state"], states),
        *_writers(state, [_first_revision(document) for document in documents]),
    ]


def patient_facts(state: AppState, documents: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """Persons side by side, with their doses."""
    doses = tuple(past_doses(state, document["record_id"]) for document in documents)
    return [
        *(_fact(wording.FIELD[field], field, documents) for field in _PATIENT_FIELDS),
        Fact(wording.CONFLICT_FACT["doses"], doses),
        *_writers(state, [_first_revision(document) for document in documents]),
    ]


def decision_text(state: AppState, decision: Mapping[str, Any], revision: str = "") -> str:
    """Shape: "合併病歷：A1 王小明 → A2 王小明（115/11/20 10:00　staff　本機）"."""
    made = decision["revisions"][revision or decision["revision"]]
    payload = made["payload"]
    if decision["pair"] == "patients":
        first, second = (person_name(state, payload[side]) for side in ("first", "second"))
        if survivor := payload.get("survivor"):
            gone, into = (second, first) if survivor == payload["first"] else (first, second)
            what = f"{gone} → {into}"
        else:
            what = wording.SIDE_BY_SIDE.join((first, second))
    else:
        what = wording.SIDE_BY_SIDE.join(dose_text(state, payload[side]) for side in ("first", "second"))
    by = f"{moment_text(made['made_at'])}　{made['made_by']}　{device_text(state, made['device_id'])}"
    return wording.DECISION_MADE.format(decision=wording.DECISION[made["kind"]], what=what, by=by)


def dose_text(state: AppState, record_id: str) -> str:
    document = state.database.tables.vaccinations.find(record_id)
    if document is None:
        return record_id[:6]
    dose = f"{roc_text(document['vaccination_date'])} {document['vaccine_code']}-{document['dose_number']}"
    return f"{person_name(state, document['patient_id'])} {dose}"


def person_name(state: AppState, patient_id: str) -> str:
    """Shape: "057164 測試患者"; a person not come yet is named by the beginning of the record id."""
    person = state.database.tables.patients.find(patient_id)
    return f"{person['chart_number']} {person['name']}" if person is not None else patient_id[:6]


def past_doses(state: AppState, patient_id: str) -> str:
    """What was recorded for this very chart."""
    doses = [d for d in state.database.tables.vaccinations.find_by("patient_id", patient_id) if not d["voided"]]
    listed = [f"{roc_text(d['vaccination_date'])} {d['vaccine_code']}-{d['dose_number']}" for d in doses]
    more = wording.DOSES_MORE.format(count=len(listed)) if len(listed) > _DOSES_LISTED else ""
    return wording.list_of(listed[:_DOSES_LISTED]) + more or wording.NOTHING


def moment_text(iso: str) -> str:
    """Shape: "115/11/20 10:00" in Taiwan."""
    moment = datetime.fromisoformat(iso).astimezone(TAIPEI)
    return f"{format_roc_date(moment.date())} {moment:%H:%M}"


def device_text(state: AppState, device_id: str, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """What a device is called; `names` by id, of those that have one."""
    own = wording.THIS_DEVICE + " " if device_id == state.database.device_id else ""
    return f"{own}{names.get(device_id, device_id[-6:])}"


def _lists_of_people(state: AppState, contents: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """How many stand on each list, and who stands on it alone: two lists of one length are not the same list."""
    lists = [content.get("patient_ids", []) for content in contents]
    texts = []
    for number, people in enumerate(lists):
        elsewhere = set.union(set(), *(set(other) for place, other in enumerate(lists) if place != number))
        alone = [person_name(state, one) for one in people if one not in elsewhere]
        text = wording.PEOPLE_ON_LIST.format(count=len(people))
        if alone:
            names = wording.list_of(alone[:_NAMES_LISTED]) + ("…" if len(alone) > _NAMES_LISTED else "")
            text += wording.ONLY_ON_THIS_LIST.format(names=names)
        texts.append(text)
    return tuple(texts)


def _writers(state: AppState, revisions: Sequence[Mapping[str, Any]]) -> list[Fact]:
    return [
        Fact(wording.CONFLICT_FACT["made_by"], tuple(revision["made_by"] for revision in revisions)),
        Fact(wording.CONFLICT_FACT["made_at"], tuple(moment_text(revision["made_at"]) for revision in revisions)),
        Fact(
            wording.CONFLICT_FACT["device"], tuple(device_text(state, revision["device_id"]) for revision in revisions)
        ),
    ]


def _first_revision(document: Mapping[str, Any]) -> Mapping[str, Any]:
    revisions: Mapping[str, Mapping[str, Any]] = document["revisions"]
    return revisions[min(revisions)]


def _voids(revision: Mapping[str, Any]) -> bool:
    return revision["kind"] in VOID_KINDS


def _label(field: str) -> str:
    return wording.FIELD.get(field) or wording.SETTING_FIELD.get(field, field)


def _table_text(content: Mapping[str, Any]) -> str:
    """What a loaded table is in one line."""
    text = content.get("table_text", "")
    table = read_text(CodeTableName(content["table_name"]), text)[0] if text else None
    if table is None:
        return text[:80] or wording.TABLE_TEXT_BUILT_IN
    return wording.TABLE_TEXT_SUMMARY.format(day=format_roc_date(table.dated), count=len(table.rows))


def setting_name(document: Mapping[str, Any]) -> str:
    """Shape: "當日批號　MMR"."""
    topic = wording.SETTING_TOPIC.get(document["revisions"][document["revision"]]["kind"], "")
    if table := document.get("table_name"):
        return f"{topic}　{wording.CODE_TABLE[CodeTableName(table)]}"
    return f"{topic}　{document.get('vaccine_code', '')}"


def _fact(label: str, field: str, contents: Iterable[Mapping[str, Any]]) -> Fact:
    return Fact(label, tuple(_text(field, content.get(field)) for content in contents))


def _text(field: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if field in _DATES:
        return roc_text(value)
    if field == "vaccine_codes":
        return wording.list_of(value)
    words = _words_of(field)
    return words.get(value, str(value)) if words else str(value)


def _words_of(field: str) -> Mapping[Any, str] | None:
    """From code to word, of the fields that hold codes."""
    words: dict[str, Mapping[Any, str]] = {
        "sex": wording.SEX,
        "lot_type": wording.LOT_TYPE,
        "status": wording.LOT_STATUS,
        "exam_type": wording.EXAM_TYPE,
        "method": wording.EXAM_METHOD,
        **dict.fromkeys(("hbsag", "hbeag", "igg", "igm"), wording.EXAM_FINDING),
        **dict.fromkeys(("is_prenatal", "antiviral"), wording.EXAM_YES_NO),
        **dict.fromkeys(("influenza", "active"), wording.SETTING_YES_NO),
        "table_name": wording.CODE_TABLE,
    }
    return words.get(field)
