"""Read a Bundle of exam reports by the published guide: all of it is stored, or nothing.

Source: NIIS-IG 0.0.1, bundle-request-reporting-niis, its profiles and its 30 codes; the interface contract, section 6.
The first fault found refuses the whole; as in the guide's example, the answer does not say which report it is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from . import outcomes
from .bundle_reading import check_timestamp, parse, pick, refuse
from .outcomes import Refusal, RequestRefused
from .row_checks import check_patient

_BASE = "https://twniis.cdc.gov.tw/twniis"
_FINDINGS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_INSTITUTION = re.compile(r"[0-9A-Z]{10}")
_KINDS = {"1": ("IgG", "IgM"), "2": ("HBsAg", "HBeAg"), "3": ("IgG", "IgM")}
_TEST_SYSTEMS = {
    "1": {"twniis-mrAntibody-obs-values", "twniis-hepBAntibody-obs-values"},  # both builds of the guide
    "2": {"twniis-hep-b-test-code-values"},
    "3": {"twniis-mrAntibody-obs-values", "twniis-hepBAntibody-obs-values"},
}
_METHODS = ("POST", "PUT", "DELETE")


@dataclass(frozen=True)
class Report:
    """One report as it is stored. `resources`: the report and what it refers to, by Type/id."""

    key: str
    method: str
    full_url: str
    resources: dict[str, dict[str, Any]]


def read_exams(body: bytes, org_id: str, today: date, holds: Callable[[str], bool]) -> list[Report]:
    """Take the Bundle apart and judge every report in it. `holds` says whether CDC has a report of this key now.

    Raises: RequestRefused (400) for the first fault.
    """
    bundle = parse(body)
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "batch":
        refuse(outcomes.WRONG_VALUE, "Bundle.type", "not a Bundle of type 'batch'")
    check_timestamp(bundle.get("timestamp"))
    entries = bundle.get("entry")
    if not isinstance(entries, list) or len(entries) < 4:
        refuse(outcomes.MISSING, "Bundle.entry", "fewer than four entries")
    resources: dict[str, dict[str, Any]] = {}
    for entry in entries:
        resource = pick(entry, "resource")
        path = f"{pick(resource, 'resourceType')}/{pick(resource, 'id')}"
        if not isinstance(resource, dict) or pick(entry, "fullUrl") != f"{_BASE}/{path}" or path in resources:
            refuse(outcomes.WRONG_VALUE, "Bundle.entry.fullUrl", "not Type/id of its resource, or twice")
        if pick(entry, "request", "method") not in _METHODS or pick(entry, "request", "url") != path:
            refuse(outcomes.WRONG_VALUE, "Bundle.entry.request", "no method, or not the url of its resource")
        resources[path] = resource
    reports = [
        _read_report(entry, resources, org_id, today, holds)
        for entry in entries
        if entry["resource"]["resourceType"] == "DiagnosticReport"
    ]
    if not reports:
        refuse(outcomes.MISSING, "Bundle.entry", "no DiagnosticReport")
    if len({report.key for report in reports}) != len(reports):
        refuse(outcomes.WRONG_VALUE, "DiagnosticReport.identifier", "twice in one Bundle")
    # ASSUMED: 個案筆數 are the persons that reports are about, 總筆數 the Patient entries.
    persons = {pick(report.resources[report.full_url], "subject", "reference") for report in reports}
    if len(persons) != sum(path.startswith("Patient/") for path in resources):
        refuse(outcomes.COUNTS_DIFFER, "Bundle.entry", "Patient entries that no report is about")
    return reports


def _read_report(
    entry: dict[str, Any],
    resources: dict[str, dict[str, Any]],
    org_id: str,
    today: date,
    holds: Callable[[str], bool],
) -> Report:
    report, method = entry["resource"], entry["request"]["method"]
    key = pick(report, "identifier", 0, "value")
    if not isinstance(key, str) or not key or report.get("status") != "final":
        refuse(outcomes.MISSING, "DiagnosticReport.identifier", "no key, or not final")
    if method == "PUT" and not holds(key):
        raise RequestRefused(outcomes.UNKNOWN_KEY)
    if method == "DELETE" and not holds(key):
        raise RequestRefused(outcomes.NOTHING_TO_DELETE)

    def referred(value: Any, kind: str) -> dict[str, Any] | None:
        path = pick(value, "reference")
        return resources.get(path) if isinstance(path, str) and path.startswith(f"{kind}/") else None

    exam_type = pick(report, "code", "coding", 0, "code")
    if exam_type not in _KINDS or pick(report, "code", "text") != exam_type:
        refuse(outcomes.WRONG_VALUE, "DiagnosticReport.code", "no kind of exam, or another in its text")
    patient = referred(report.get("subject"), "Patient")
    if patient is None:
        refuse(outcomes.MISSING, "DiagnosticReport.subject", "not in the Bundle")
    hospital = referred(pick(report, "performer", 0), "Organization")
    results = report.get("result")
    observations = [referred(one, "Observation") for one in results] if isinstance(results, list) else []
    found = (
        check_patient(patient, today)
        or (None if pick(patient, "telecom", 0, "value") else outcomes.MISSING.at("Patient.telecom"))
        or _check_institution(hospital, "Hospid")
        or (None if pick(hospital, "identifier", 0, "value") == org_id else outcomes.OTHER_INSTITUTION)
        or _check_observations(exam_type, observations, patient, referred, today)
    )
    if found is not None:
        raise RequestRefused(found)
    path = f"DiagnosticReport/{report['id']}"
    specimens = [referred(pick(one, "specimen"), "Specimen") for one in observations]
    kept = {path: report, **{_path(one): one for one in (patient, *observations, *specimens) if one is not None}}
    return Report(key, method, path, kept)


def _check_institution(organization: dict[str, Any] | None, kind: str) -> Refusal | None:
    code = pick(organization, "identifier", 0, "value")
    if not code:
        return outcomes.NO_INSTITUTION.at("Organization.identifier")
    if not isinstance(code, str) or not _INSTITUTION.fullmatch(code):
        return outcomes.WRONG_INSTITUTION_FORMAT.at("Organization.identifier")
    fits = pick(organization, "type", 0, "coding", 0, "code") == kind
    return None if fits else outcomes.WRONG_VALUE.at("Organization.type")


def _check_observations(
    exam_type: str,
    observations: list[dict[str, Any] | None],
    patient: dict[str, Any],
    referred: Callable[[Any, str], dict[str, Any] | None],
    today: date,
) -> Refusal | None:
    findings: dict[str, str] = {}
    for observation in observations:
        if observation is None or observation.get("status") != "final":
            return outcomes.MISSING.at("DiagnosticReport.result")
        code = pick(observation, "code", "coding", 0)
        system, test = str(pick(code, "system")).rpartition("/")[2], pick(code, "code")
        if system not in _TEST_SYSTEMS[exam_type] or test not in _KINDS[exam_type]:
            return outcomes.WRONG_VALUE.at("Observation.code")
        value = pick(observation, "valueCodeableConcept", "coding", 0)
        if pick(value, "system") != _FINDINGS or pick(value, "code") not in ("POS", "NEG", "IND"):
            return outcomes.ODD_RESULT.at("Observation.value")
        collector = referred(pick(observation, "performer", 0), "Organization")
        problem = _check_institution(collector, "SpecimenCollectionid")
        problem = problem or _check_days(observation, patient, referred, today)
        if problem is not None:
            return problem
        method = pick(observation, "method", "coding", 0, "code")
        if exam_type == "2" and method not in ("RIA", "EIA"):
            return outcomes.NEITHER_RIA_NOR_EIA.at("Observation.method")
        findings[test] = value["code"]
    if not findings:
        return outcomes.NEITHER_RIA_NOR_EIA if exam_type == "2" else outcomes.MISSING.at("DiagnosticReport.result")
    if exam_type != "2":
        return None
    if findings.get("HBsAg") == "IND":
        return outcomes.S_UNCERTAIN
    if findings.get("HBeAg") == "IND":
        return outcomes.E_UNCERTAIN
    return outcomes.S_NEGATIVE_E_POSITIVE if findings == {"HBsAg": "NEG", "HBeAg": "POS"} else None


def _check_days(
    observation: dict[str, Any],
    patient: dict[str, Any],
    referred: Callable[[Any, str], dict[str, Any] | None],
    today: date,
) -> Refusal | None:
    specimen = referred(observation.get("specimen"), "Specimen")
    tested = _day(observation.get("effectiveDateTime"))
    # ASSUMED: blood is drawn on the specimen's day of collection, else on the day of the test.
    drawn = _day(pick(specimen, "collection", "collectedDateTime")) or tested
    if tested is None or drawn is None:
        return outcomes.MISSING.at("Observation.effective")
    if drawn > today:
        return outcomes.DRAWN_IN_FUTURE
    born = _day(patient.get("birthDate"))
    if drawn > tested or (born is not None and drawn < born):
        return outcomes.ODD_DRAWING_DAY
    for component in observation.get("component") or []:
        if pick(component, "code", "coding", 0, "code") == "預產期":
            due = _day(pick(component, "valueDateTime"))
            if due is not None and drawn > due:
                return outcomes.DRAWN_AFTER_DUE_DATE
    return None


def _path(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
