"""Whatever valid record is sent, an independent reader reads back as the same record; and what CDC writes, we read.

Sent and read back here: doses and persons (cdc_format), consumption (cdc_stock), exam reports (cdc_exams). Only read
by this program, so written by the fake CDC: verdicts and histories (cdc_answers), stock (cdc_stock).
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2e.fake_cdc import outcomes
from e2e.fake_cdc.bundle_reading import read_bundle
from e2e.fake_cdc.cdc import Cdc
from e2e.fake_cdc.consumption import read_consumption as read_consumption_sent
from e2e.fake_cdc.exams import read_exams
from e2e.fake_cdc.history import find_history
from e2e.fake_cdc.history import read_person as read_person_asked
from e2e.fake_cdc.holdings import ConsumedRow, Lot, StoredRecord
from e2e.fake_cdc.outcomes import Refusal, RequestRefused
from e2e.fake_cdc.scenarios import NORMAL
from e2e.fake_cdc.signature import Gate
from store.history import HistoryRow, Identity
from store.patients import Patient
from store.prenatal import ExamResult, check_exam
from store.stock import ConsumptionRow, StockRow
from store.uploads import UploadMethod, UploadRow
from store.vaccinations import Vaccination
from sync import cdc_answers, cdc_exams, cdc_format, cdc_stock
from sync.registry import Exchange, HistoryTold, UploadItem, Verdicts
from tests.factories import TODAY
from tests.sync.second_reading import read_dose, read_exam, read_person
from tests.sync.valid_records import (
    DOSES,
    NOT_TOLD,
    PEOPLE,
    RECORD_IDS,
    SEEN,
    STOCKS,
    WOMEN,
    WORDS,
    exams,
    item_of,
    uploads,
    with_result,
)

ORG_ID = "1133060019"
BATCH = "1133060019-20261123-120000-0001"
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def exchange(status: int, content: Any) -> Exchange:
    fields: dict[str, Any] = {"kind": "confirm", "upload_batch_id": BATCH, "method": "GET", "path": "/"}
    body = json.dumps(content, ensure_ascii=False).encode()
    return Exchange(**fields, request_body=b"", started_at=NOW, ended_at=NOW, status=status, body=body)


@pytest.fixture(scope="module")
def cdc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cdc]:
    cdc = Cdc(tmp_path_factory.mktemp("cdc"), Gate(), 0.0, NOW.timestamp)
    yield cdc
    cdc.holdings.close()


# ---- doses and persons


@given(uploads())
def test_every_dose_is_read_back_with_its_person(items: list[UploadItem]) -> None:
    bundle = read_bundle(cdc_format.make_upload(ORG_ID, BATCH, items, NOW))

    assert bundle.identifier == BATCH
    rows = {row.record_key: row for row in bundle.rows}
    assert len(rows) == len(items)
    for item in items:
        row = rows[item.row.record_id]
        assert row.method == item.row.method
        if item.vaccination is None or item.patient is None:
            assert row.resource is row.patient is None
            continue
        assert read_dose(row, item.patient.record_id) == item.vaccination
        assert read_person(row.patient, item.patient.record_id, item.patient.chart_number) == item.patient


# A bar parts system and number in the question, and no number has one.
@given(dose=DOSES, person=PEOPLE.filter(lambda one: one.birth_date is not None and "|" not in str(one.national_id)))
def test_a_dose_that_was_sent_comes_back_in_the_history(cdc: Cdc, dose: Vaccination, person: Patient) -> None:
    assert person.birth_date is not None
    assert person.national_id is not None
    item = UploadItem(UploadRow(record_id=dose.record_id, revision="f" * 32, method=UploadMethod.POST), dose, person)
    [row] = read_bundle(cdc_format.make_upload(ORG_ID, BATCH, [item], NOW)).rows
    held = StoredRecord(ORG_ID, [{"method": "POST", "resource": row.resource, "patient": row.patient}])
    identity = Identity(person.id_type, person.national_id, person.birth_date)
    cdc.holdings.records = {dose.record_id: held}

    query = cdc_format.history_path(identity).partition("?")[2]
    asked = dict(part.split("=") for part in query.split("&"))
    found = find_history(
        cdc.holdings, read_person_asked(unquote(asked["patient.identifier"]), asked["patient.birthdate"]), [held], ""
    )
    content = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "entry": [{"resource": one} for one in found],
    }
    assert cdc_answers.read_history(exchange(200, content), identity) == HistoryTold(
        (
            HistoryRow(
                date_text=dose.vaccination_date.isoformat(),
                vaccine_code=dose.vaccine_code,
                dose_label=dose.dose_number,
                lot_number=dose.lot_number,
                lot_type=dose.lot_type,
                institution_code=ORG_ID,
                institution_name="宜蘭縣頭城鎮衛生所",
            ),
        ),
        False,
    )


# ---- CDC's words


REFUSALS = st.builds(Refusal, code=SEEN, text=WORDS, expression=st.none() | SEEN, diagnostics=st.none() | WORDS)


@given(st.dictionaries(RECORD_IDS, st.none() | REFUSALS, min_size=1, max_size=6))
def test_every_verdict_is_read_with_cdcs_words(verdicts: dict[str, Refusal | None]) -> None:
    entries = [
        {
            "fullUrl": f"Immunization/{key}",
            "response": {
                "status": "201 Created" if refusal is None else outcomes.STATUS_REFUSED,
                "outcome": outcomes.success_outcome("I00001", "新增成功")
                if refusal is None
                else outcomes.refusal_outcome(refusal),
            },
        }
        for key, refusal in verdicts.items()
    ]
    content = {"resourceType": "Bundle", "type": "batch-response", "identifier": {"value": BATCH}, "entry": entries}

    answer = cdc_answers.read_confirm(exchange(200, content), list(verdicts))

    assert isinstance(answer, Verdicts)
    told = {one.record_id: (one.verified, one.code, one.text, one.expression) for one in answer.results}
    assert told == {
        key: (True, "I00001", "新增成功", "")
        if refusal is None
        else (False, refusal.code, refusal.text, refusal.expression or "")
        for key, refusal in verdicts.items()
    }


# ---- stock


@given(stock=STOCKS)
def test_the_stock_is_read_as_cdc_holds_it_page_by_page(cdc: Cdc, stock: list[Lot]) -> None:
    cdc.holdings.lots = stock
    rows: list[StockRow] = []
    query = cdc_stock.first_query(ORG_ID)
    while query:
        asked = dict(part.split("=") for part in query.split("&"))
        answer = cdc.stock(
            ORG_ID,
            asked["destination.identifier"],
            asked.get("page", "1"),
            lambda page: f"http://cdc/fhir/SupplyDelivery?destination.identifier={ORG_ID}&page={page}",
        )
        page = cdc_stock.read_stock_page(exchange(answer.status, answer.content))
        assert (page.unreadable, page.total) == (0, len(stock))
        rows += page.rows
        query = page.next_query

    assert [row.model_dump(mode="json") for row in rows] == [vars(lot) for lot in stock]


@given(
    stock=STOCKS.filter(bool),
    used=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**7)), min_size=13, max_size=13),
)
def test_what_was_used_is_read_back_row_by_row(stock: list[Lot], used: list[tuple[int, int]]) -> None:
    rows = [
        (
            ConsumptionRow(
                consumption_id="1" * 32, revision="f" * 32, row_id="2" * 32, vials=vials, doses=doses, doses_total=doses
            ),
            lot.identifier,
            lot.lot_number,
        )
        for lot, (vials, doses) in zip(stock, used, strict=False)
    ]

    identifier, found = read_consumption_sent(cdc_stock.make_consumption(BATCH, rows, NOW), stock, NORMAL)

    assert identifier == BATCH
    assert found == [ConsumedRow(lot, row.vials, row.doses, None) for row, lot, _ in rows]


# ---- exam reports


@given(st.lists(st.tuples(exams().filter(with_result), WOMEN), min_size=1, max_size=4))
def test_every_exam_report_is_read_back(given_reports: list[tuple[ExamResult, Patient]]) -> None:
    items = [item_of(exam, patient) for exam, patient in given_reports]

    bundle = json.loads(cdc_exams.make_report(ORG_ID, BATCH, items, NOW))

    for item in items:
        assert read_exam(bundle, item.exam.data_key) == item.exam
        people = {entry["request"]["url"]: entry["resource"] for entry in bundle["entry"]}
        sent = read_person(people[f"Patient/{item.patient.record_id}"], item.patient.record_id, "-")
        assert sent == item.patient.model_copy(update=NOT_TOLD)


@given(exams(), WOMEN)
@settings(max_examples=300)
def test_what_cdc_refuses_of_a_report_was_told_before_sending(exam: ExamResult, patient: Patient) -> None:
    item = item_of(exam, patient)
    problems = check_exam(item.exam, patient, (), TODAY)
    told = {problem.facts["cdc_code"] for problem in problems if "cdc_code" in problem.facts}

    refused = refusal_of(cdc_exams.make_report(ORG_ID, BATCH, [item], NOW))

    # A report without any result may have fewer entries than the guide wants, which CDC says before all else.
    is_too_short = refused == "E00003" and not with_result(item.exam)
    assert bool(refused) == bool(told), (refused, told)
    assert not refused or is_too_short or refused in told, (refused, told)


def refusal_of(body: bytes) -> str:
    try:
        read_exams(body, ORG_ID, TODAY, lambda key: True)
    except RequestRefused as error:
        return error.refusal.code
    return ""
