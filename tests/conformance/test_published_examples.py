"""The guides' own examples, read and written by the mapping functions as far as each is meant to.

- OperationOutcome, batch-response, Immunization (of a history): this program only reads them.
- DiagnosticReport, Patient, Organization, Specimen, Observation: it only writes them; what an example says is put into
  a record by an independent reading, and what is written of that record is what the example says.
"""

import csv
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from e2e.fake_cdc.outcomes import Refusal, refusal_outcome
from store.codes import exam_error_codes
from store.exam_uploads import ExamRow
from store.history import HistoryRow, Identity
from store.ids import IdType
from store.patients import Patient
from store.prenatal import ExamMethod, ExamType
from store.uploads import CdcMessage, UploadMethod
from sync import cdc_answers, cdc_exams, cdc_format
from sync.cdc_exams import ExamItem
from sync.registry import Accepted, Exchange, HistoryTold, RefusedWhole, Verdicts
from tests.conformance.conftest import Resource
from tests.conformance.guides import read_guide, read_guide_text
from tests.factories import make_exam
from tests.sync.second_reading import read_person

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HOSPITAL = "0412040012"
BATCH = "0634030014D0420120000"
NARRATIVE = ("id", "text")


def answered(status: int, content: Resource) -> Exchange:
    body = json.dumps(content, ensure_ascii=False).encode()
    return Exchange("upload", BATCH, "POST", "/", b"", NOW, NOW, status, body=body)


def meaning(resource: Resource) -> Resource:
    """Without what is for people to read, and the example's own id."""
    return {name: value for name, value in resource.items() if name not in NARRATIVE}


# ---- read


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("niis_ig/OperationOutcome-operationoutcome-badrequest-min.json", ("E00001", "非正確之JSON格式")),
        ("vacc/OperationOutcome-operationoutcome-fail-min.json", ("E00010", "出生日期異常")),
    ],
)
def test_a_published_refusal_is_read_with_its_words(path: str, message: tuple[str, str]) -> None:
    outcome = read_guide(path)
    code, text = message
    expected = CdcMessage(severity="error", code=code, text=text)

    assert cdc_exams.read_report_answer(answered(400, outcome), []) == expected
    assert cdc_answers.read_upload(answered(400, outcome)) == RefusedWhole(expected, ())
    # The pretended CDC writes what means the same.
    written = refusal_outcome(Refusal(code, text))
    assert cdc_exams.read_report_answer(answered(400, written), []) == expected


def test_a_published_acceptance_is_read_as_one() -> None:
    """The excerpt ends before the issue; that is told in the same file, in words."""
    bundle = whole_part(read_guide_text("vacc/Bundle-bundle-response-put-min.PARTIAL.txt"))
    outcome = bundle["entry"][0]["resource"]
    coding = [{"code": "I00000", "display": "作業完成"}]
    outcome["issue"] = [{"severity": "information", "code": "informational", "details": {"coding": coding}}]

    answer = cdc_answers.read_upload(answered(200, bundle))

    assert answer == Accepted(CdcMessage(severity="information", code="I00000", text="作業完成"))


def test_the_verdict_of_the_travel_guide_has_another_shape_and_decides_nothing() -> None:
    """Its searchset inside a batch-response has no entry of a record of ours; the contract's section 3 is flat."""
    bundle = whole_part(read_guide_text("vacc/Bundle-bundle-response-get-report-min.PARTIAL.txt"))
    assert bundle["entry"][0]["resource"]["type"] == "searchset"

    assert cdc_answers.read_confirm(answered(200, bundle), ["1" * 32]) == Verdicts(())


def test_a_published_immunization_is_read_into_a_history() -> None:
    resource = read_guide("twcore/example/Immunization-imm-example.json")
    content = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": resource}]}
    identity = Identity(IdType.NATIONAL, "B222419838", date(1985, 11, 8))

    row = HistoryRow(
        date_text="2020-11-19T12:46:57-08:00",
        vaccine_code="197",
        vaccine_name="influenza, high-dose, quadrivalent",
    )
    assert cdc_answers.read_history(answered(200, content), identity) == HistoryTold((row,), False)


# ---- written


def written(patient: Patient, **changes: Any) -> dict[str, Resource]:
    """What is written of a report, by kind; the Organizations by the kind of institution."""
    exam = make_exam(patient_id=patient.record_id, collection_institution=HOSPITAL, **changes)
    row = ExamRow(record_id=exam.record_id, revision="f" * 32, method=UploadMethod.POST)
    bundle = json.loads(cdc_exams.make_report(HOSPITAL, "B-1", [ExamItem(row, exam, patient)], NOW))
    resources = [entry["resource"] for entry in bundle["entry"]]
    return {
        one["type"][0]["coding"][0]["code"] if one["resourceType"] == "Organization" else one["resourceType"]: one
        for one in resources
    }


def guides_person() -> Patient:
    return read_person(read_guide("niis_ig/Patient-patient-residentNumber-min.json"), "1" * 32, "1")


def test_the_published_person_is_written_as_published() -> None:
    example = read_guide("niis_ig/Patient-patient-residentNumber-min.json")

    assert meaning(written(guides_person())["Patient"]) == meaning(example)


@pytest.mark.parametrize(("name", "kind"), [("hosp", "Hospid"), ("specco", "SpecimenCollectionid")])
def test_the_published_institutions_are_written_as_published(name: str, kind: str) -> None:
    example = read_guide(f"niis_ig/Organization-organization-{name}-min.json")

    assert meaning(written(guides_person())[kind]) == meaning(example)


def test_the_published_specimen_is_written_as_published() -> None:
    example = read_guide("niis_ig/Specimen-specimen-residentNumber-receivedTime-min.json")
    person = guides_person()
    day = date.fromisoformat(example["receivedTime"])

    specimen = written(person, collection_date=None, viral_load_date=day)["Specimen"]

    subject = {"subject": {"reference": f"Patient/{person.record_id}"}}  # records have ids of their own
    assert meaning(specimen) == meaning(example) | subject


def test_the_published_report_is_written_as_published() -> None:
    """All of the excerpt that is whole. What is written besides: effectiveDateTime, the day of the test."""
    example = whole_part(read_guide_text("niis_ig/DiagnosticReport-diagnosticreport-id-min.PARTIAL.txt"))
    person = guides_person()
    report = written(person, exam_type=ExamType.RUBELLA, hbsag=None, hbeag=None, method=None, igg="POS")[
        "DiagnosticReport"
    ]

    expected = meaning(example) | {
        "identifier": [{"value": report["id"]}],
        "subject": {"reference": f"Patient/{person.record_id}"},
        "performer": [{"reference": f"Organization/hosp-{HOSPITAL}"}],
    }
    assert expected.keys() == {"resourceType", "meta", "identifier", "status", "code", "subject", "performer"}
    assert {name: report[name] for name in expected} == expected
    assert set(report) - set(expected) == {"id", "effectiveDateTime", "result"}


@pytest.mark.parametrize(
    "name", ["Patient-pat-example", "Patient-pat-child-example", "Patient-pat-residentNumber-example"]
)
def test_what_is_written_of_tw_cores_persons_is_in_their_examples(name: str) -> None:
    example = read_guide(f"twcore/example/{name}.json")

    resource = cdc_format.patient_resource(read_person(example, "1" * 32, "1"))

    assert resource["identifier"][0]["value"] == example["identifier"][0]["value"]
    assert resource.keys() >= {"name", "gender", "birthDate", "telecom"}
    assert is_within(resource, example)


def is_within(part: Any, whole: Any) -> bool:
    """Whether everything said in the one is said in the other."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(is_within(value, whole.get(name)) for name, value in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(is_within(one, other) for other in whole) for one in part)
    return bool(part == whole)


# ---- code systems


def test_the_code_systems_are_those_of_the_guide() -> None:
    summary = read_guide("niis_ig/codesystems.summary.json")
    systems = {name: one["codes"] for name, one in summary["codeSystems"].items()}

    assert set(ExamMethod) == set(systems["twniis-obs-method-values"])
    assert set(ExamType) == set(systems["twniis-obs-type-values"])
    full = {"viral_load": "1", "antiviral": True, "antiviral_since": date(2026, 10, 1), "is_prenatal": True}
    told = [written(guides_person(), **full), written(guides_person(), exam_type=ExamType.MEASLES, igm="NEG")]
    codings = [coding for resources in told for coding in codings_in(resources)]
    checked = set()
    for coding in codings:
        system = coding["system"].rpartition("/")[2]
        if coding["system"].startswith("https://twniis.cdc.gov.tw/twniis/CodeSystem/"):
            checked.add(system)
            known = systems[system]
            assert coding["code"] in known
            assert "display" not in coding or known[coding["code"]] == coding["display"]
    assert checked == set(systems) - {"twniis-hepBAntibody-obs-values"}, "of the older build of the guide"


def codings_in(value: Any) -> list[dict[str, str]]:
    if isinstance(value, dict):
        own = [value] if "system" in value and "code" in value else []
        return own + [found for part in value.values() for found in codings_in(part)]
    return [found for part in value for found in codings_in(part)] if isinstance(value, list) else []


def test_the_published_codes_are_kept_with_their_words() -> None:
    rows = csv.DictReader(read_guide_text("error_codes.csv").splitlines())
    published = {row["code"]: row["zh_message"] for row in rows if row["system"].startswith("NIIS(FHIR exam-result")}

    assert len(published) == 30
    assert {code.code: code.text for code in exam_error_codes().values()} == published


def whole_part(excerpt: str) -> Resource:
    """The JSON of an excerpt up to where it breaks off, closed there."""
    text, open_brackets = excerpt[excerpt.index("{") :], ""
    whole, in_string, escaped = "", False, False
    for at, sign in enumerate(text):
        if in_string:
            in_string, escaped = escaped or sign != '"', sign == "\\" and not escaped
        elif sign == '"':
            in_string = True
        elif sign in "{[":
            open_brackets += "}" if sign == "{" else "]"
        elif sign in "}]":
            open_brackets = open_brackets[:-1]
            whole = text[: at + 1] + open_brackets[::-1]
        elif sign == ",":
            whole = text[:at] + open_brackets[::-1]
    found: Resource = json.loads(whole)
    return found
