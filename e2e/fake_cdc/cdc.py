"""The fake CDC at work: what it knows, whom it admits, and what it answers to an upload, a question, a stock query.

Every method here is synchronous, so two requests never interleave inside one decision.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from . import outcomes
from .bundle_reading import Row, read_bundle
from .consumption import read_consumption
from .exams import read_exams
from .history import find_history, read_person
from .holdings import ConsumedRow, Holdings, JudgedRow, Lot, StoredBatch, StoredRecord
from .outcomes import RequestRefused
from .row_checks import LOT_TYPE_URL, VACCINE_SYSTEM, judge_row
from .scenarios import NORMAL, UNKNOWN_REFUSAL, UNKNOWN_SUCCESS, UNKNOWN_VACCINE, Rule, Scenarios, verdict
from .signature import Gate

_HERE = Path(__file__).parent
_TAIPEI = timezone(timedelta(hours=8))
_STRUCTURE = "https://twniis.cdc.gov.tw/twniis/StructureDefinition"
STOCK_PAGE_SIZE = 5


@dataclass
class Answer:
    """What goes back, before any scenario spoils it."""

    status: int
    content: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class SeenRequest:
    """One line of the request log; `path` without its query, which may name a person."""

    at: float
    method: str
    path: str
    body_sha256: str
    scenario: str = ""
    status: int | str = "open"


def read_stock() -> tuple[Lot, ...]:
    return tuple(Lot(**row) for row in json.loads((_HERE / "stock.json").read_text("utf-8"))["rows"])


def read_vaccine_codes() -> frozenset[str]:
    return frozenset(json.loads((_HERE / "vaccine_codes.json").read_text("utf-8"))["codes"])


class Cdc:
    """One registry. `verify_after` is in seconds and counts from acceptance, also for batches already waiting."""

    def __init__(self, folder: Path, gate: Gate, verify_after: float, clock: Callable[[], float]) -> None:
        self.holdings = Holdings(folder, read_stock())
        self.gate = gate
        self.scenarios = Scenarios()
        self.verify_after = self._verify_after_at_start = verify_after
        self.clock = clock
        self.down = False
        self.requests: deque[SeenRequest] = deque(maxlen=5000)
        self._vaccine_codes = read_vaccine_codes()

    def today(self) -> date:
        return datetime.fromtimestamp(self.clock(), _TAIPEI).date()

    def reset(self) -> None:
        self.holdings.reset()
        self.scenarios.clear()
        self.requests.clear()
        self.down = False
        self.verify_after = self._verify_after_at_start

    def upload(self, org_id: str, body: bytes, rule: Rule) -> Answer:
        """Queue a Bundle, or answer again what was answered to the same one before.

        # ASSUMED: records are judged in the order of acceptance, with what CDC knew then; it is told at verification.
        Raises: RequestRefused 400 for the whole Bundle, 409 for an identifier used for another body.
        """
        if rule.scenario == "refuse_batch":
            raise RequestRefused(rule.refusal(outcomes.BATCH_REFUSED))
        bundle = read_bundle(body)
        batch = self.holdings.find_batch(org_id, bundle.identifier)
        if self.holdings.find_consumption(org_id, bundle.identifier) is not None:
            raise RequestRefused(outcomes.IDENTIFIER_REUSED.at("Bundle.identifier"), status=409)
        if batch is None:
            rows = [self._judged(row, number, org_id, rule) for number, row in enumerate(bundle.rows, start=1)]
            self.holdings.accept(org_id, bundle.identifier, body, rows, self.clock())
        elif batch.body == body:
            self.holdings.receive_again(batch)
        else:
            raise RequestRefused(outcomes.IDENTIFIER_REUSED.at("Bundle.identifier"), status=409)
        code, text = _unknown_success(rule) if rule.scenario == "unknown_code" else outcomes.ACCEPTED
        # ASSUMED: the outcome stands in entry.response.outcome, as it does at verification.
        entry = {"response": {"status": "200 OK", "outcome": outcomes.success_outcome(code, text)}}
        return Answer(200, self._batch_response(bundle.identifier, [entry]))

    def confirm(self, org_id: str, identifier: str, rule: Rule) -> Answer:
        """Tell the verdict on each record of a batch, or that it is still being processed.

        Raises: RequestRefused 404 for a batch never seen from this institution.
        """
        batch = self.holdings.find_batch(org_id, identifier)
        if batch is None:
            raise RequestRefused(outcomes.UNKNOWN_BATCH, status=404)
        if rule.scenario == "processing_202":
            headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
            return Answer(202, outcomes.processing_outcome(), headers)
        if not self.is_verified(batch):
            seconds = max(1, math.ceil(batch.accepted_at + self.verify_after - self.clock()))
            return Answer(202, outcomes.processing_outcome(), {"Retry-After": str(seconds)})
        entries = [
            _verification_entry(row, rule)
            for number, row in enumerate(batch.rows, start=1)
            if not (rule.scenario == "entry_missing" and rule.picks(number, row))
        ]
        return Answer(200, self._batch_response(identifier, entries))

    def stock(
        self, org_id: str, asked_for: str | None, page: str, url_of_page: Callable[[int], str], rule: Rule = NORMAL
    ) -> Answer:
        """Give one page of stock rows.

        Raises: RequestRefused 400 without an institution or with a page that is none, 403 for another institution's.
        """
        if not asked_for:
            raise RequestRefused(outcomes.MISSING.at("SupplyDelivery.destination"))
        if asked_for != org_id:
            # ASSUMED: the published 403 "path not allowed" covers another institution's stock.
            raise RequestRefused(outcomes.OTHER_INSTITUTION.at("SupplyDelivery.destination"), status=403)
        lots = self.holdings.lots
        pages = max(1, math.ceil(len(lots) / STOCK_PAGE_SIZE))
        if not page.isascii() or not page.isdigit() or not 1 <= int(page) <= pages:
            raise RequestRefused(outcomes.WRONG_VALUE.at("page"))
        number = int(page)
        links = [{"relation": "self", "url": url_of_page(number)}]
        if number < pages:
            links.append({"relation": "next", "url": url_of_page(number + 1)})
        shown = lots[(number - 1) * STOCK_PAGE_SIZE : number * STOCK_PAGE_SIZE]
        if rule.scenario == "stock_unknown_vaccine":
            shown = [replace(lot, vaccine_code=UNKNOWN_VACCINE) for lot in shown[:1]] + shown[1:]
        content = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(lots),
            "link": links,
            "entry": [{"resource": _supply_delivery(lot)} for lot in shown],
        }
        return Answer(200, content)

    def consume(self, org_id: str, body: bytes, rule: Rule) -> Answer:
        """Take what was used of the stock, once per identifier, and tell the verdict on each row at once.

        Raises: RequestRefused 400 for the whole Bundle, 409 for an identifier used for another body.
        """
        if rule.scenario == "refuse_batch":
            raise RequestRefused(rule.refusal(outcomes.BATCH_REFUSED))
        identifier, rows = read_consumption(body, self.holdings.lots, rule)
        stored = self.holdings.find_consumption(org_id, identifier)
        if stored is None and self.holdings.find_batch(org_id, identifier) is None:
            stored = self.holdings.consume(org_id, identifier, body, rows)
        elif stored is not None and stored.body == body:
            self.holdings.consume_again(org_id, identifier)  # and the same answer as the first time
        else:
            raise RequestRefused(outcomes.IDENTIFIER_REUSED.at("Bundle.identifier"), status=409)
        return Answer(200, self._batch_response(identifier, [_consumption_entry(row, rule) for row in stored.rows]))

    def report_exams(self, org_id: str, body: bytes, rule: Rule) -> Answer:
        """Store every report of a Bundle, or refuse it whole. The very same Bundle again is answered as before.

        Raises: RequestRefused 400.
        """
        if rule.scenario == "refuse_batch":
            raise RequestRefused(rule.refusal(outcomes.UNKNOWN_ID))
        stored = self.holdings.find_exams(org_id, body)
        if stored is None:
            reports = read_exams(body, org_id, self.today(), lambda key: self.holdings.holds_exam(org_id, key))
            stored = self.holdings.store_exams(org_id, body, reports)
        content = {
            "resourceType": "Bundle",
            "meta": {"profile": ["https://twniis.cdc.gov.tw/twniis/StructureDefinition/bundle-response-niis"]},
            "type": "batch-response",
            "timestamp": datetime.fromtimestamp(self.clock(), _TAIPEI).isoformat(timespec="seconds"),
            "entry": [_exam_entry(report, rule) for report in stored["reports"]],
        }
        return Answer(200, content)

    def history(self, identifier: str | None, birth_date: str | None, rule: Rule) -> Answer:
        """Tell what a person was given anywhere. Raises: RequestRefused 400."""
        person = read_person(identifier, birth_date)
        held = [record for record in self.holdings.records.values() if self.state_of(record) == "held"]
        found = find_history(self.holdings, person, held, rule.scenario)
        content: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        if found:  # ASSUMED: as FHIR has it, an empty list is left out
            content["entry"] = [{"resource": resource} for resource in found]
        return Answer(200, content)

    def is_verified(self, batch: StoredBatch) -> bool:
        return self.clock() >= batch.accepted_at + self.verify_after

    def state_of(self, record: StoredRecord) -> str:
        """Say in one word how a record stands: processing, held, voided or refused (never stored)."""
        if not self.is_verified(self.holdings.batches[record.org_id, record.last_batch]):
            return "processing"
        if record.held:
            return "held"
        return "voided" if record.versions else "refused"

    def _judged(self, row: Row, number: int, org_id: str, rule: Rule) -> JudgedRow:
        record = self.holdings.records.get(row.record_key)
        mine = record is not None and record.org_id == org_id
        refusal = judge_row(
            row,
            org_id=org_id,
            today=self.today(),
            held=mine and record is not None and record.held,
            ever_held=record is not None and bool(record.versions),
            vaccine_codes=self._vaccine_codes,
            lot_exists=self.holdings.lot_exists,
        )
        judged = JudgedRow(row.record_key, row.method, row.resource, row.patient, refusal)
        return replace(judged, refusal=verdict(rule, number, judged))

    def _batch_response(self, identifier: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "resourceType": "Bundle",
            "type": "batch-response",
            "identifier": {"value": identifier},
            "timestamp": datetime.fromtimestamp(self.clock(), _TAIPEI).isoformat(timespec="seconds"),
            "entry": entries,
        }


def _unknown_success(rule: Rule) -> tuple[str, str]:
    return rule.code or UNKNOWN_SUCCESS[0], rule.text or UNKNOWN_SUCCESS[1]


def _verification_entry(row: JudgedRow, rule: Rule) -> dict[str, Any]:
    unknown = rule.scenario == "unknown_code"
    if row.refusal is None:
        code, text = _unknown_success(rule) if unknown else outcomes.DONE[row.method]
        status, outcome = outcomes.STATUS[row.method], outcomes.success_outcome(code, text)
    else:
        refusal = rule.refusal(UNKNOWN_REFUSAL.at(row.refusal.expression or "Immunization")) if unknown else row.refusal
        status, outcome = outcomes.STATUS_REFUSED, outcomes.refusal_outcome(refusal)
    return {"fullUrl": f"Immunization/{row.record_key}", "response": {"status": status, "outcome": outcome}}


def _consumption_entry(row: ConsumedRow, rule: Rule) -> dict[str, Any]:
    unknown = rule.scenario == "unknown_code"
    if row.refusal is None:
        told = _unknown_success(rule) if unknown else outcomes.DONE["PUT"]
        status, outcome = outcomes.STATUS["PUT"], outcomes.success_outcome(*told)
    else:
        default = UNKNOWN_REFUSAL.at(row.refusal.expression or "SupplyDelivery")
        refusal = rule.refusal(default) if unknown else row.refusal
        status, outcome = outcomes.STATUS_REFUSED, outcomes.refusal_outcome(refusal)
    return {"fullUrl": f"SupplyDelivery/{row.identifier}", "response": {"status": status, "outcome": outcome}}


def _exam_entry(report: dict[str, Any], rule: Rule) -> dict[str, Any]:
    told = _unknown_success(rule) if rule.scenario == "unknown_code" else outcomes.DONE[report["method"]]
    outcome = outcomes.success_outcome(*told)
    return {
        "fullUrl": f"https://twniis.cdc.gov.tw/twniis/{report['full_url']}",
        "resource": report["resources"][report["full_url"]],
        "response": {"status": "200 OK", "outcome": outcome},  # as in the guide's example, whatever was done
    }


def _supply_delivery(lot: Lot) -> dict[str, Any]:
    extensions: list[dict[str, Any]] = [
        {"url": f"{_STRUCTURE}/lot-number", "valueString": lot.lot_number},
        {"url": LOT_TYPE_URL, "valueCode": lot.lot_type},
    ]
    if lot.expiry_date is not None:
        extensions.append({"url": f"{_STRUCTURE}/expiry-date", "valueDate": lot.expiry_date})
    if lot.doses_per_vial is not None:
        extensions.append({"url": f"{_STRUCTURE}/doses-per-vial", "valuePositiveInt": lot.doses_per_vial})
    return {
        "resourceType": "SupplyDelivery",
        "identifier": [{"value": lot.identifier}],
        "status": "in-progress",
        "extension": extensions,
        "suppliedItem": {
            "quantity": {"value": lot.vials, "unit": "瓶"},
            "itemCodeableConcept": {"coding": [{"system": VACCINE_SYSTEM, "code": lot.vaccine_code}]},
        },
    }
