"""Exam reports on the wire: the Bundle that goes to `UpldExamRslt` and what its answer means. Pure.

Every `section` is one of the interface contract in the README; what no published document says is `# ASSUMED:`.
Source: NIIS-IG 0.0.1 (twniis.cdc.gov.tw, 2026-08), bundle-request-reporting-niis and the profiles it names.

Invariants:
- the same reports, time and identifier give the same bytes;
- a report is stored only by an entry of its own with status 200, 201 or 204 and readable outcomes none of which is
  worse than a warning; whatever cannot be understood decides nothing.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from store.exam_uploads import ExamAnswer, ExamRow
from store.patients import Patient
from store.prenatal import ExamResult, ExamType
from store.roc_date import TAIPEI
from store.uploads import CdcMessage
from sync.cdc_answers import (
    batch_response,
    first_message,
    messages_of,
    outcome_of,
    pick,
    raise_for_transport,
    text_of,
    unreadable,
    worst_of,
)
from sync.cdc_format import patient_resource
from sync.registry import Exchange

EXAMS_PATH = "/UpldExamRslt"
_CANONICAL = "https://twniis.cdc.gov.tw/twniis"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_FINDING = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_STATUS = re.compile(r"\s*([0-9]{3})(?![0-9])")
# Source: code system twniis-obs-type-values.
_TYPE_NAME = {
    ExamType.RUBELLA: "德國麻疹檢驗結果",
    ExamType.HEPATITIS_B: "孕婦B肝產檢結果",
    ExamType.MEASLES: "麻疹檢驗結果",
}
_TEST_NAME = {"hbsag": "HBsAg", "hbeag": "HBeAg", "igg": "IgG", "igm": "IgM"}

Resource = dict[str, Any]


@dataclass(frozen=True)
class ExamItem:
    """One report with whom it is about."""

    row: ExamRow
    exam: ExamResult
    patient: Patient


def make_report(org_id: str, batch_id: str, items: Sequence[ExamItem], at: datetime) -> bytes:
    """The Bundle of one upload: the reports, then what they refer to, each once. Source: section 6."""
    reports, others = list[Resource](), dict[str, Resource]()
    for item in items:
        referred = _referred(org_id, item)
        report = _report(org_id, item, [one for one in referred if one["resourceType"] == "Observation"])
        reports.append(_entry(report, str(item.row.method)))
        # ASSUMED: what a report refers to is given anew with it, whatever is done with the report; a deletion too
        # carries the whole, since the guide wants at least four entries.
        others |= {_path(resource): _entry(resource, "POST") for resource in referred}
    bundle = {
        "resourceType": "Bundle",
        "meta": _profile("bundle-request-reporting-niis"),
        "identifier": {"value": batch_id},
        "type": "batch",
        "timestamp": at.astimezone(TAIPEI).isoformat(timespec="seconds"),
        "entry": [*reports, *others.values()],
    }
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _report(org_id: str, item: ExamItem, observations: Sequence[Resource]) -> Resource:
    exam = item.exam
    code = _coded("twniis-obs-type-values", exam.exam_type, _TYPE_NAME[exam.exam_type])
    return {
        "resourceType": "DiagnosticReport",
        "id": exam.record_id,
        "meta": _profile("diagnosticReport-reporting-niis"),
        "identifier": [{"value": exam.data_key}],
        "status": "final",
        "code": {**code, "text": str(exam.exam_type)},
        "subject": _reference("Patient", exam.patient_id),
        "effectiveDateTime": exam.exam_date.isoformat(),
        "performer": [_reference("Organization", f"hosp-{org_id}")],
        "result": [_reference("Observation", one["id"]) for one in observations],
    }


def _referred(org_id: str, item: ExamItem) -> list[Resource]:
    """Person, institutions, specimen and observations of one report."""
    exam = item.exam
    person = {**patient_resource(item.patient), "id": exam.patient_id, "meta": _profile("patient-reporting-niis")}
    person["identifier"] = [{"use": "official", **person["identifier"][0]}]
    person["name"] = [{"use": "usual", **person["name"][0]}]
    found = [person, _organization("hosp", "Hospid", "合約院所", org_id)]
    if exam.collection_institution:
        found.append(_organization("specco", "SpecimenCollectionid", "採檢單位", exam.collection_institution))
    specimen = _specimen(exam)
    return [*found, *([specimen] if specimen else []), *_observations(exam, specimen is not None)]


def _organization(kind: str, code: str, name: str, institution: str) -> Resource:
    return {
        "resourceType": "Organization",
        "id": f"{kind}-{institution}",
        "meta": _profile(f"organization-{kind}-reporting-niis"),
        "identifier": [{"value": institution}],
        "type": [_coded("twniis-organization-type-values", code, name)],
    }


def _specimen(exam: ExamResult) -> Resource | None:
    if exam.collection_date is None and exam.viral_load_date is None:
        return None
    specimen: Resource = {
        "resourceType": "Specimen",
        "id": f"{exam.record_id}-specimen",
        "meta": _profile("specimen-reporting-niis"),
        "subject": _reference("Patient", exam.patient_id),
    }
    if exam.viral_load_date is not None:
        specimen["receivedTime"] = exam.viral_load_date.isoformat()
    if exam.collection_date is not None:
        # ASSUMED: 採檢日期 is the specimen's day of collection; the guide names only the day of the viral load's.
        specimen["collection"] = {"collectedDateTime": exam.collection_date.isoformat()}
    return specimen


def _observations(exam: ExamResult, has_specimen: bool) -> list[Resource]:
    is_hepatitis = exam.exam_type is ExamType.HEPATITIS_B
    tests = ("hbsag", "hbeag") if is_hepatitis else ("igg", "igm")
    # ASSUMED: what is told of the report as a whole stands in each of its observations.
    components = _components(exam)
    found = []
    for name in tests:
        finding = getattr(exam, name)
        if finding is None:
            continue
        profile = {"hbsag": "hBsAg", "hbeag": "HBeAg"}.get(name, "MRAntibody")
        system = "twniis-hep-b-test-code-values" if is_hepatitis else "twniis-mrAntibody-obs-values"
        observation: Resource = {
            "resourceType": "Observation",
            "id": f"{exam.record_id}-{name}",
            "meta": _profile(f"observation-{profile}-reporting-niis"),
            "status": "final",
            "category": [{"coding": [{"system": _CATEGORY, "code": "laboratory"}]}],
            "code": _coded(system, _TEST_NAME[name]),
            "subject": _reference("Patient", exam.patient_id),
            "effectiveDateTime": exam.exam_date.isoformat(),
            # ASSUMED: section 6.
            "valueCodeableConcept": {"coding": [{"system": _FINDING, "code": str(finding)}]},
        }
        if exam.collection_institution:
            observation["performer"] = [_reference("Organization", f"specco-{exam.collection_institution}")]
        if is_hepatitis and exam.method is not None:
            observation["method"] = _coded("twniis-obs-method-values", str(exam.method))
        if has_specimen:
            observation["specimen"] = _reference("Specimen", f"{exam.record_id}-specimen")
        if components:
            observation["component"] = components
        found.append(observation)
    return found


def _components(exam: ExamResult) -> list[Resource]:
    """Source: code system twniis-obs-values. # ASSUMED: the kinds of value; the guide shows the boolean only."""
    values: list[tuple[str, str, Any]] = [
        ("預產期", "valueDateTime", exam.due_date),
        ("是否為產檢", "valueBoolean", exam.is_prenatal),
        ("B型肝炎病毒含量", "valueString", exam.viral_load or None),
        ("是否使用抗病毒藥物治療", "valueBoolean", exam.antiviral),
        ("抗病毒藥物治療起日", "valueDateTime", exam.antiviral_since),
    ]
    return [
        {"code": _coded("twniis-obs-values", code), kind: value.isoformat() if isinstance(value, date) else value}
        for code, kind, value in values
        if value is not None
    ]


def _entry(resource: Resource, method: str) -> Resource:
    path = _path(resource)
    return {"fullUrl": f"{_CANONICAL}/{path}", "resource": resource, "request": {"method": method, "url": path}}


def _path(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _reference(kind: str, record_id: str) -> Resource:
    return {"reference": f"{kind}/{record_id}"}


def _profile(name: str) -> Resource:
    return {"profile": [f"{_CANONICAL}/StructureDefinition/{name}"]}


def _coded(system: str, code: str, display: str = "") -> Resource:
    coding = {"system": f"{_CANONICAL}/CodeSystem/{system}", "code": str(code)}
    return {"coding": [{**coding, "display": display} if display else coding]}


def read_report_answer(exchange: Exchange, record_ids: Collection[str]) -> list[ExamAnswer] | CdcMessage:
    """CDC's word on each report, one without a word left out; or its refusal of the whole. Source: section 6.

    Raises: RegistryError; then the fate of the batch is unknown, and the same bytes may go again: CDC knows a report
    by its key.
    """
    raise_for_transport(exchange)
    if exchange.status in (400, 409):
        message = first_message(outcome_of(exchange))
        if message is None:
            raise unreadable(exchange)
        return message
    found: dict[str, ExamAnswer] = {}
    for entry in batch_response(exchange)["entry"]:
        answer = _answer(entry, record_ids)
        if answer is not None and (answer.record_id not in found or not answer.stored):
            found[answer.record_id] = answer  # told twice and differently: the refusal counts
    return list(found.values())


def _answer(entry: Any, record_ids: Collection[str]) -> ExamAnswer | None:
    by_key, by_url = text_of(pick(entry, "resource", "identifier", 0, "value")), _id_in(pick(entry, "fullUrl"))
    key = by_key or by_url
    status, outcome = pick(entry, "response", "status"), pick(entry, "response", "outcome")
    match = _STATUS.match(status) if isinstance(status, str) else None
    messages = messages_of(outcome)
    is_one_report = key in record_ids and by_url in ("", key)
    if not is_one_report or match is None or messages is None or (worst := worst_of(messages)) == "unknown":
        return None
    number = int(match[1])
    stored = number in (200, 201, 204) and worst == "harmless"
    if not stored and worst == "harmless" and not 400 <= number <= 499:
        return None  # neither taken nor refused
    harmful = [message for message in messages if message.severity in ("error", "fatal")]
    return ExamAnswer(record_id=key, stored=stored, **(harmful or messages)[0].model_dump())


def _id_in(full_url: Any) -> str:
    before, is_report, found = full_url.rpartition("DiagnosticReport/") if isinstance(full_url, str) else ("", "", "")
    return found if is_report and before in ("", f"{_CANONICAL}/") else ""
