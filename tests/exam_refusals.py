"""Bundles of exam reports that bring about each published code at a CDC which reads the guide, and one that is sound.

Shape: each is the body of one report, `EXAM_ID` of `PATIENT_ID`, as the hub sends it or spoiled on its way.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from store.exam_uploads import ExamRow
from store.ids import IdType
from store.prenatal import ExamMethod, ExamType, Finding
from store.uploads import UploadMethod
from sync import cdc_exams
from sync.cdc_exams import ExamItem
from tests.factories import EXAM_ID, make_exam, make_patient
from tests.sync.cdc_stand import ORG_ID, make_world

Bundle = dict[str, Any]

# A code that no Bundle can bring about, and why.
NOT_PROVOKED = {
    "I00000": "the word on an upload of doses that was accepted; a report is told I00001, I00002 or I00003",
    "E00005": "only CDC knows who is registered: the pretended one says it when its scenario says so",
}


def body_of(asked: UploadMethod = UploadMethod.POST, **changes: Any) -> bytes:
    """As the hub sends it. `changes`: of `make_exam`; those of `make_patient` as `patient_...`."""
    of_patient = {n.removeprefix("patient_"): value for n, value in changes.items() if n.startswith("patient_")}
    of_exam = {name: value for name, value in changes.items() if not name.startswith("patient_")}
    row = ExamRow(record_id=EXAM_ID, revision="f" * 32, method=asked)
    item = ExamItem(row, make_exam(**of_exam), make_patient(**of_patient))
    return cdc_exams.make_report(ORG_ID, "B-1", [item], make_world().now())


def _with(**changes: Any) -> Callable[[], bytes]:
    return lambda: body_of(**changes)


def _spoiled(spoil: Callable[[Bundle], object]) -> Callable[[], bytes]:
    def make() -> bytes:
        bundle: Bundle = json.loads(body_of())
        spoil(bundle)
        return json.dumps(bundle).encode()

    return make


def _first(bundle: Bundle, kind: str) -> Bundle:
    resources = (entry["resource"] for entry in bundle["entry"])
    return next(resource for resource in resources if resource["resourceType"] == kind)


def _without(kind: str, name: str) -> Callable[[], bytes]:
    return _spoiled(lambda bundle: _first(bundle, kind).pop(name))


def _another_person(bundle: Bundle) -> None:
    other = {**_first(bundle, "Patient"), "id": "other"}
    url = "Patient/other"
    bundle["entry"].append(
        {
            "fullUrl": f"https://twniis.cdc.gov.tw/twniis/{url}",
            "resource": other,
            "request": {"method": "POST", "url": url},
        }
    )


# By code. I00002 and I00003 are about a report that CDC has, E00002 is under the signature of another body.
PROVOKING: Mapping[str, tuple[Callable[[], bytes], ...]] = {
    "I00001": (body_of,),
    "I00002": (_with(asked=UploadMethod.PUT),),
    "I00003": (_with(asked=UploadMethod.DELETE),),
    "E00001": (lambda: b"{",),
    "E00002": (body_of,),
    "E00003": (
        _spoiled(lambda bundle: bundle.update(entry=bundle["entry"][:3])),
        _without("DiagnosticReport", "identifier"),
        _with(patient_phone=""),
        _with(exam_type=ExamType.RUBELLA, hbsag=None, hbeag=None),
    ),
    "E00004": (_spoiled(lambda bundle: bundle.update(type="transaction")),),
    "E00006": (lambda: b"[]",),
    "E00018": (_with(patient_national_id="B222419839"),),
    "E00019": (_with(patient_birth_date=date(2027, 1, 1)),),
    "E00022": (_with(collection_institution="113306001"),),
    "E00023": (_without("Patient", "identifier"),),
    "E00024": (_with(patient_birth_date=None),),
    "E00025": (_with(collection_institution=""),),
    "E00032": (_with(asked=UploadMethod.PUT),),
    "E00033": (_with(asked=UploadMethod.DELETE),),
    "E00041": (_with(patient_national_id="B22241983"),),
    "E00042": (_with(patient_national_id="A80000001", patient_id_type=IdType.RESIDENT),),
    "E00043": (
        _spoiled(lambda bundle: _first(bundle, "Organization")["identifier"][0].update(value="1133060020")),
    ),
    "E00046": (_with(exam_date=date(2026, 11, 25), collection_date=date(2026, 11, 24)),),
    "E00047": (
        _with(collection_date=date(1985, 11, 7)),
        _with(collection_date=date(2026, 11, 23), exam_date=date(2026, 11, 22)),
    ),
    "E00048": (_with(method=ExamMethod.OTHER), _with(method=None), _with(hbsag=None, hbeag=None)),
    "E00049": (_with(hbeag=Finding.POSITIVE),),
    "E00050": (_with(hbsag=Finding.INDETERMINATE),),
    "E00051": (_with(hbeag=Finding.INDETERMINATE),),
    "E00052": (_without("Observation", "valueCodeableConcept"),),
    "E00053": (_spoiled(_another_person),),
    "E00054": (_with(due_date=date(2026, 11, 1)),),
}
