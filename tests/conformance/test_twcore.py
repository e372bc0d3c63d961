"""What is sent, held against the profiles of TW Core that CDC's guides build on.

The exam guide (NIIS-IG 0.0.1) derives its Bundle, Patient and Observations from TW Core. Its DiagnosticReport does too,
but that profile is in no stored package; of its Organizations and Specimen no parent is published, and its own example
of a hospital is none by TW Core's. Doses follow immunization-niis, which derives from FHIR's own Immunization: they and
their persons fit TW Core as well, which is more than is asked. Stock has no profile in TW Core.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.conformance.conftest import Resource, Validate
from tests.conformance.guides import read_guide, read_profile
from tests.conformance.test_bundles import exams, immunization, upload

PROFILES = {
    "Bundle": "Bundle-twcore",
    "Patient": "Patient-twcore",
    "Observation": "Observation-laboratoryResult-twcore",
    "Immunization": "Immunization-twcore",
}


def profiles() -> list[Resource]:
    return [read_profile(name) for name in PROFILES.values()]


def claiming(bundle: Resource) -> Resource:
    """The Bundle, it and what is in it claiming the profiles."""
    url_of = {profile["type"]: profile["url"] for profile in profiles()}
    claiming = deepcopy(bundle)
    for resource in (claiming, *(entry["resource"] for entry in claiming["entry"] if "resource" in entry)):
        if resource["resourceType"] in url_of:
            resource.setdefault("meta", {}).setdefault("profile", []).append(url_of[resource["resourceType"]])
    return claiming


def of_kind(bundle: Resource, kind: str) -> list[Resource]:
    resources = (entry.get("resource", {}) for entry in bundle["entry"])
    return [resource for resource in resources if resource.get("resourceType") == kind]


@pytest.mark.parametrize("make", [exams, upload])
def test_what_is_sent_fits_tw_core(validate: Validate, make: Callable[[], Resource]) -> None:
    bundle = claiming(make())

    assert validate([bundle], profiles()) == [[]]
    for patient in of_kind(bundle, "Patient"):
        assert wrong_fixed_values(read_profile("Patient-twcore"), patient) == []


@pytest.mark.parametrize(
    "name", ["Patient-pat-example", "Patient-pat-child-example", "Patient-pat-residentNumber-example"]
)
def test_the_published_persons_have_the_fixed_values(validate: Validate, name: str) -> None:
    example = read_guide(f"twcore/example/{name}.json")

    assert validate([example], profiles()) == [[]]
    assert wrong_fixed_values(read_profile("Patient-twcore"), example) == []


def first(kind: str) -> Callable[[Resource], Resource]:
    return lambda bundle: of_kind(bundle, kind)[0]


CASES: list[tuple[Callable[[], Resource], Callable[[Resource], object], str]] = [
    (exams, lambda b: first("Patient")(b).pop("gender"), "Patient.gender"),
    (exams, lambda b: first("Patient")(b).pop("birthDate"), "Patient.birthDate"),
    (exams, lambda b: first("Patient")(b).pop("identifier"), "Patient.identifier"),
    (exams, lambda b: first("Patient")(b)["identifier"][0].pop("system"), "Patient.identifier[0].system"),
    (exams, lambda b: first("Patient")(b)["telecom"][0].pop("system"), "Patient.telecom[0].system"),
    (exams, lambda b: double(first("Patient")(b)["identifier"]), "idCardNumber"),
    (exams, lambda b: double(first("Patient")(b)["name"]), "usual"),
    (exams, lambda b: first("Observation")(b).pop("effectiveDateTime"), "Observation.effective[x]"),
    (exams, lambda b: first("Observation")(b).pop("subject"), "Observation.subject"),
    (exams, lambda b: first("Observation")(b).pop("category"), "Observation.category"),
    (exams, lambda b: double(first("Observation")(b)["category"]), "twcore"),
    (exams, lambda b: first("Observation")(b)["category"][0]["coding"][0].update(code="exam"), "twcore"),
    (exams, lambda b: first("Observation")(b).update(dataAbsentReason={"text": "x"}), "obs-6"),
    (exams, lambda b: b.pop("type"), "Bundle.type"),
    (exams, lambda b: b["entry"][0].pop("request"), "bdl-3"),
    (upload, lambda b: immunization(b).pop("vaccineCode"), "Immunization.vaccineCode"),
    (upload, lambda b: immunization(b).pop("occurrenceDateTime"), "Immunization.occurrence[x]"),
]


@pytest.fixture(scope="module")
def found_in_each(validate: Validate) -> list[list[str]]:
    """What is told of each spoiled Bundle; in one go, as the validator takes a second to start."""
    bundles = []
    for make, spoil, _ in CASES:
        bundles.append(claiming(make()))
        spoil(bundles[-1])
    return validate(bundles, profiles())


@pytest.mark.parametrize("number", range(len(CASES)), ids=[told for _, _, told in CASES])
def test_a_profile_catches(found_in_each: list[list[str]], number: int) -> None:
    assert any(CASES[number][2] in problem for problem in found_in_each[number]), found_in_each[number]


def double(items: list[Resource]) -> None:
    items.append(deepcopy(items[0]))


@pytest.mark.parametrize(
    ("person", "wrong", "path"),
    [
        (0, {"use": "old"}, "Patient.identifier:idCardNumber.use"),
        (0, {"system": "http://www.boca.gov.tw"}, "Patient.identifier:idCardNumber.system"),
        (1, {"system": "http://www.boca.gov.tw"}, "Patient.identifier:passportNumber.system"),
    ],
)
def test_a_wrong_fixed_value_is_caught(person: int, wrong: Resource, path: str) -> None:
    patient = of_kind(exams(), "Patient")[person]
    patient["identifier"][0].update(wrong)
    assert wrong_fixed_values(read_profile("Patient-twcore"), patient) == [path]


def test_the_guides_own_hospital_is_none_by_tw_core(validate: Validate) -> None:
    """So the guide's Organizations do not derive from it, and ours are not held against it."""
    hospital, profile = read_guide("niis_ig/Organization-organization-hosp-min.json"), read_profile(
        "Organization-hosp-twcore"
    )
    hospital["meta"]["profile"] = [profile["url"]]
    assert validate([hospital], [profile]) != [[]]


def wrong_fixed_values(profile: Resource, resource: Resource) -> list[str]:
    """The fixed values of slices that the resource has otherwise, by the profile's own file.

    The validator counts what belongs to a slice and does not look into it.
    """
    elements = {element["id"]: element for element in profile["snapshot"]["element"]}
    fixed = {
        path: value
        for path, element in elements.items()
        for name, value in element.items()
        if name.startswith(("fixed", "pattern")) and not isinstance(value, dict)
    }
    found = []
    for path, element in elements.items():
        head, is_slice, _ = path.partition(":")
        if not is_slice or path != f"{head}:{element.get('sliceName')}":
            continue
        marks = [one["path"] for one in elements[head]["slicing"]["discriminator"]]
        wanted = {name.removeprefix(f"{path}."): value for name, value in fixed.items() if name.startswith(f"{path}.")}
        if not all(mark in wanted for mark in marks):
            continue
        for item in values_at(resource, head.partition(".")[2]):
            if all(wanted[mark] in values_at(item, mark) for mark in marks):
                found += [
                    f"{path}.{name}"
                    for name, value in wanted.items()
                    if any(one != value for one in values_at(item, name))
                ]
    return found


def values_at(value: Any, path: str) -> list[Any]:
    values = [value]
    for step in path.split("."):
        stepped = [one[step] for one in values if isinstance(one, dict) and step in one]
        values = [part for one in stepped for part in (one if isinstance(one, list) else [one])]
    return values
