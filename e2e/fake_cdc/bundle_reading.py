"""Read an upload Bundle as far as its frame: which records, which person belongs to each, what is to happen.

A fault of the frame refuses the whole Bundle (HTTP 400). A fault inside one record is judged in row_checks.py and
told at verification, because accepting means no more than queueing.
Source: the interface contract, section 2.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from . import outcomes
from .outcomes import Refusal, RequestRefused

MAX_ROWS = 500
# ASSUMED: the characters; the contract limits only the length of the identifier (40) and nothing of the key.
IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,40}")
_RECORD_KEY = re.compile(r"[A-Za-z0-9.-]{1,64}")
_METHODS = ("POST", "PUT", "DELETE")


@dataclass(frozen=True)
class Row:
    """One Immunization entry; resource and patient are None exactly for DELETE."""

    record_key: str
    method: str
    resource: dict[str, Any] | None
    patient: dict[str, Any] | None


@dataclass(frozen=True)
class UploadBundle:
    identifier: str
    rows: tuple[Row, ...]


def pick(value: Any, *path: str | int) -> Any:
    """Follow a path through JSON; None where the JSON has another shape."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
    return value


def read_bundle(body: bytes) -> UploadBundle:
    """Take the frame of the Bundle apart.

    Raises: RequestRefused (400) for the first fault found in it.
    """
    bundle = parse(body)
    if pick(bundle, "resourceType") != "Bundle":
        refuse(outcomes.WRONG_VALUE, "Bundle.resourceType", "not a Bundle")
    if bundle.get("type") != "batch":
        refuse(outcomes.WRONG_VALUE, "Bundle.type", "not 'batch'")
    identifier = pick(bundle, "identifier", "value")
    if not isinstance(identifier, str) or not IDENTIFIER.fullmatch(identifier):
        refuse(outcomes.WRONG_VALUE, "Bundle.identifier.value", "missing, longer than 40 or odd characters")
    check_timestamp(bundle.get("timestamp"))
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        refuse(outcomes.MISSING, "Bundle.entry", "no entries")
    return UploadBundle(identifier, tuple(_read_rows(entries)))


def parse(body: bytes) -> dict[str, Any]:
    def no_constant(_: str) -> NoReturn:
        raise ValueError("NaN and Infinity are not JSON")

    try:
        bundle = json.loads(body.decode("utf-8"), parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise RequestRefused(outcomes.NOT_JSON) from error
    if not isinstance(bundle, dict):
        refuse(outcomes.WRONG_TYPE, "Bundle", "not a JSON object")
    return bundle


def check_timestamp(value: Any) -> None:
    try:
        stamp = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        refuse(outcomes.WRONG_VALUE, "Bundle.timestamp", "not an ISO instant")
    if stamp.tzinfo is None:
        refuse(outcomes.WRONG_VALUE, "Bundle.timestamp", "without offset from UTC")


def _read_rows(entries: list[Any]) -> list[Row]:
    rows: list[Row] = []
    patient: dict[str, Any] | None = None
    patient_url: str | None = None
    persons: set[tuple[Any, ...]] = set()
    full_urls: set[str] = set()
    keys: set[str] = set()
    for number, entry in enumerate(entries):
        where = f"Bundle.entry[{number}]"
        full_url = pick(entry, "fullUrl")
        if full_url is not None:
            if not isinstance(full_url, str) or full_url in full_urls:
                refuse(outcomes.WRONG_VALUE, f"{where}.fullUrl", "not text or used twice")
            full_urls.add(full_url)
        resource = pick(entry, "resource")
        if pick(resource, "resourceType") == "Patient":
            patient, patient_url = resource, _read_patient_frame(entry, where)
            person = _person(resource)
            if person in persons:
                refuse(outcomes.WRONG_VALUE, where, "a second Patient entry for the same person")
            persons.add(person)
            continue
        row = _read_row(entry, where, patient, patient_url)
        if row.record_key in keys:
            # ASSUMED: refused whole, for $confirm could not tell the two apart.
            refuse(outcomes.WRONG_VALUE, f"{where}.request.url", "record key twice in one Bundle")
        keys.add(row.record_key)
        rows.append(row)
    if not rows:
        refuse(outcomes.MISSING, "Bundle.entry", "no Immunization entry")
    if len(rows) > MAX_ROWS:
        refuse(outcomes.WRONG_VALUE, "Bundle.entry", f"more than {MAX_ROWS} Immunization entries")
    return rows


def _read_patient_frame(entry: dict[str, Any], where: str) -> str:
    full_url = entry.get("fullUrl")
    if not isinstance(full_url, str) or not full_url.startswith("urn:uuid:"):
        refuse(outcomes.WRONG_VALUE, f"{where}.fullUrl", "a Patient entry needs a urn:uuid")
    if pick(entry, "request", "method") != "PUT":
        refuse(outcomes.WRONG_VALUE, f"{where}.request.method", "a Patient entry is PUT")
    system, value = (pick(entry, "resource", "identifier", 0, part) for part in ("system", "value"))
    if pick(entry, "request", "url") != f"Patient?identifier={system}|{value}":
        # ASSUMED: the bar and the colon are written as they are, not percent-encoded, as in the contract's example.
        refuse(outcomes.WRONG_VALUE, f"{where}.request.url", "does not repeat the Patient's identifier")
    return full_url


def _person(patient: dict[str, Any]) -> tuple[Any, ...]:
    # Twins without own ID share the parent's: birth date and order of birth belong to who a person is.
    parts = (pick(patient, "identifier", 0, "system"), pick(patient, "identifier", 0, "value"))
    return (*(str(part) for part in parts), str(patient.get("birthDate")), str(patient.get("multipleBirthInteger")))


def _read_row(entry: Any, where: str, patient: dict[str, Any] | None, patient_url: str | None) -> Row:
    method, url = pick(entry, "request", "method"), pick(entry, "request", "url")
    if method not in _METHODS:
        refuse(outcomes.WRONG_VALUE, f"{where}.request.method", "not POST, PUT or DELETE")
    kind, _, record_key = url.partition("/") if isinstance(url, str) else ("", "", "")
    if kind != "Immunization" or not _RECORD_KEY.fullmatch(record_key):
        refuse(outcomes.WRONG_VALUE, f"{where}.request.url", "not Immunization/{record key}")
    resource = pick(entry, "resource")
    if method == "DELETE":
        if resource is not None:
            refuse(outcomes.WRONG_VALUE, f"{where}.resource", "DELETE carries no resource")
        return Row(record_key, method, None, None)
    if pick(resource, "resourceType") != "Immunization":
        refuse(outcomes.WRONG_VALUE, f"{where}.resource.resourceType", "neither Patient nor Immunization")
    # ASSUMED: strict order. "One Patient entry per person, then that person's Immunization entries."
    if patient is None or pick(resource, "patient", "reference") != patient_url:
        refuse(outcomes.WRONG_VALUE, f"{where}.resource.patient.reference", "not the Patient entry just before")
    return Row(record_key, method, resource, patient)


def refuse(refusal: Refusal, expression: str, diagnostics: str) -> NoReturn:
    raise RequestRefused(refusal.at(expression, diagnostics))
