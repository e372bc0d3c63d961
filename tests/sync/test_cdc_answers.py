"""What CDC's answers mean, and above all what they do not."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.history import HistoryRow, Identity
from store.ids import IdType
from store.uploads import CdcMessage, RowResult
from sync.cdc_answers import named_records, read_confirm, read_history, read_retry_after, read_upload
from sync.registry import (
    Accepted,
    AnswerUnreadable,
    Exchange,
    HistoryTold,
    KeyRefused,
    NeverSeen,
    Processing,
    RefusedWhole,
    RegistryBusy,
    RegistryDown,
    RegistryError,
    Verdicts,
)

BATCH = "1133060019-20261120-100000-0001"
KEY = "a" * 32
OTHER = "b" * 32
AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SYSTEM = "https://twniis.cdc.gov.tw/twniis/CodeSystem/twniis-operationoutcome-values"


def exchange(status: int | None, content: Any = None, **changes: Any) -> Exchange:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    fields: dict[str, Any] = {
        "kind": "confirm",
        "upload_batch_id": BATCH,
        "method": "GET",
        "path": "/x",
        "request_body": b"",
        "started_at": AT,
        "ended_at": AT,
        "status": status,
        "body": body,
    }
    return Exchange(**(fields | changes))


def outcome(severity: str = "information", code: str = "I00001", text: str = "新增成功", **more: Any) -> dict[str, Any]:
    details = {"coding": [{"system": SYSTEM, "code": code, "display": text}]}
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": "informational", "details": details, **more}],
    }


def entry(status: Any, said: Any, key: str = KEY) -> dict[str, Any]:
    return {"fullUrl": f"Immunization/{key}", "response": {"status": status, "outcome": said}}


def response(*entries: Any, identifier: Any = BATCH) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "batch-response",
        "identifier": {"value": identifier},
        "entry": list(entries),
    }


def results(*entries: Any) -> tuple[RowResult, ...]:
    answer = read_confirm(exchange(200, response(*entries)), [KEY, OTHER])
    assert isinstance(answer, Verdicts)
    return answer.results


ACCEPTED = outcome(code="I00000", text="作業完成")


def test_acceptance_as_the_contract_prints_it() -> None:
    answer = read_upload(exchange(200, response({"response": {"status": "200 OK", "outcome": ACCEPTED}})))
    assert answer == Accepted(CdcMessage(severity="information", code="I00000", text="作業完成"))


@pytest.mark.parametrize("code", ["100000", "I09999", "全新代碼"])
def test_an_unknown_success_code_accepts(code: str) -> None:
    answer = read_upload(exchange(200, response({"response": {"outcome": outcome(code=code)}})))
    assert isinstance(answer, Accepted)
    assert answer.message.code == code


@pytest.mark.parametrize(
    "content",
    [
        response({"response": {"outcome": ACCEPTED}}, identifier="another"),
        response({"response": {"outcome": ACCEPTED}}, identifier=None),
        response({"response": {"outcome": outcome("error", "E00013")}}),
        response({"response": {"outcome": ACCEPTED}}, {"response": {"outcome": outcome("fatal")}}),
        response({"response": {"outcome": outcome("panic")}}),
        response({"response": {}}),
        response(),
        {**response({"response": {"outcome": ACCEPTED}}), "type": "batch"},
        ACCEPTED,
        [],
        "作業完成",
        None,
        b"<html>",
        b"",
        json.dumps(response({"response": {"outcome": ACCEPTED}}), ensure_ascii=False).encode("cp950"),
        json.dumps(response({"response": {"outcome": ACCEPTED}})).encode()[:-5],
        b"[" * 100_000,
        {**response({"response": {"outcome": ACCEPTED}}), "total": float("nan")},
    ],
    ids=range(18),
)
def test_anything_less_than_plain_acceptance_leaves_the_fate_unknown(content: Any) -> None:
    with pytest.raises(AnswerUnreadable):
        read_upload(exchange(200, content))


@pytest.mark.parametrize("status", [400, 409])
def test_a_whole_refusal_keeps_cdcs_words(status: int) -> None:
    said = outcome("error", "E00013", "新增失敗,整批退回", expression=["Bundle.entry[3]", "Bundle.type"])
    named = "Bundle.entry[3], Bundle.type"
    message = CdcMessage(severity="error", code="E00013", text="新增失敗,整批退回", expression=named)
    assert read_upload(exchange(status, said)) == RefusedWhole(message, (named,))


def test_the_records_that_a_whole_refusal_names_are_found_by_their_place_in_the_body() -> None:
    def row(key: str, person: str) -> dict[str, Any]:
        return {"resource": {"patient": {"reference": person}}, "request": {"url": f"Immunization/{key}"}}

    persons = [{"fullUrl": f"urn:{n}", "request": {"url": "Patient?identifier=x|y"}} for n in (1, 2)]
    void = {"request": {"url": "Immunization/e"}}
    entries = [persons[0], row("a", "urn:1"), row("b", "urn:1"), persons[1], row("c", "urn:2"), void]
    body = json.dumps({"entry": entries}).encode()

    assert named_records(body, ["Bundle.entry[1].resource.lotNumber", "Bundle.entry[5]"]) == ["a", "e"]
    assert named_records(body, ["Bundle.entry[0].resource, Bundle.entry[4]"]) == ["a", "b", "c"]
    assert named_records(body, ["Bundle.entry[6]", "Bundle.type", "Immunization.lotNumber"]) == []


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("content", [b"<html>400 Bad Request</html>", b"", {"resourceType": "OperationOutcome"}])
def test_a_refusal_without_cdcs_words_refuses_nothing(status: int, content: Any) -> None:
    with pytest.raises(AnswerUnreadable):
        read_upload(exchange(status, content))


@pytest.mark.parametrize("read", [read_upload, lambda e: read_confirm(e, [KEY])], ids=["upload", "confirm"])
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (None, RegistryDown),
        (401, KeyRefused),
        (403, KeyRefused),
        (429, RegistryBusy),
        (503, RegistryBusy),
        (500, AnswerUnreadable),
        (502, AnswerUnreadable),
        (302, AnswerUnreadable),
        (204, AnswerUnreadable),
        (418, AnswerUnreadable),
    ],
)
def test_other_statuses_are_errors_of_their_kind(read: Any, status: int, error: type[RegistryError]) -> None:
    with pytest.raises(RegistryError) as caught:
        read(exchange(status, outcome("error", "E00096", "系統忙碌中")))
    assert type(caught.value) is error


def test_the_detail_for_staff_has_cdcs_words() -> None:
    with pytest.raises(KeyRefused, match=r"^HTTP 401 E00001 未具權限$"):
        read_upload(exchange(401, outcome("error", "E00001", "未具權限")))


def test_a_404_to_an_upload_is_a_wrong_address_and_refuses_nothing() -> None:
    with pytest.raises(AnswerUnreadable):
        read_upload(exchange(404, outcome("error", "E00095", "路徑不存在")))


def test_a_404_to_confirm_means_never_seen() -> None:
    assert read_confirm(exchange(404, b""), [KEY]) == NeverSeen(None)
    said = read_confirm(exchange(404, outcome("error", "E00094", "查無此批次")), [KEY])
    assert said == NeverSeen(CdcMessage(severity="error", code="E00094", text="查無此批次"))


@pytest.mark.parametrize("content", [b"<html>", {"resourceType": "OperationOutcome", "issues": []}])
def test_processing_needs_cdcs_words(content: Any) -> None:
    told = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "details": {"text": "處理中"}}]}
    assert read_confirm(exchange(202, told, headers={"Retry-After": "7"}), [KEY]) == Processing(7.0)
    with pytest.raises(AnswerUnreadable):
        read_confirm(exchange(202, content), [KEY])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Fri, 20 Nov 2026 02:01:00 GMT", 60.0),
        ("Fri, 20 Nov 2026 01:00:00 GMT", 0.0),
        ("9" * 400, 999999999.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("٣", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    assert read_retry_after(exchange(503, headers={"retry-after": text})) == seconds


@pytest.mark.parametrize(
    ("status", "code"), [("201 Created", "I00001"), ("200 OK", "I00002"), ("204 No Content", "I00003"), ("200", "I9")]
)
def test_a_row_is_verified_by_status_and_severity(status: str, code: str) -> None:
    assert results(entry(status, outcome(code=code))) == (
        RowResult(record_id=KEY, verified=True, severity="information", code=code, text="新增成功"),
    )


def test_a_row_is_verified_without_any_outcome() -> None:
    assert [r.verified for r in results({"fullUrl": f"Immunization/{KEY}", "response": {"status": "201"}})] == [True]


def test_a_refused_row_keeps_code_text_and_expression_verbatim() -> None:
    said = outcome("error", "Z99-新", "批號不存在", expression=["Immunization.lotNumber"])
    said["issue"].insert(0, outcome("information")["issue"][0])
    assert results(entry("400 Bad Request", said)) == (
        RowResult(
            record_id=KEY,
            verified=False,
            severity="error",
            code="Z99-新",
            text="批號不存在",
            expression="Immunization.lotNumber",
        ),
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("201 Created", outcome("error")),
        ("200 OK", outcome("fatal")),
        ("400 Bad Request", outcome()),
        ("400 Bad Request", None),
        ("422", outcome("warning")),
        ("500", outcome("error")),
        ("202 Accepted", outcome("error")),
    ],
)
def test_a_contradictory_row_counts_as_refused(status: str, said: Any) -> None:
    assert [r.verified for r in results(entry(status, said))] == [False]


@pytest.mark.parametrize(
    "odd",
    [
        entry("202 Accepted", outcome()),
        entry("500 Internal Server Error", outcome()),
        entry("2010", outcome()),
        entry("", outcome()),
        entry(201, outcome()),
        entry(None, outcome()),
        entry("201 Created", "新增成功"),
        entry("201 Created", {"resourceType": "OperationOutcome", "issue": []}),
        entry("201 Created", {"resourceType": "OperationOutcome", "issue": ["error"]}),
        entry("201 Created", outcome("panic")),
        entry("201 Created", outcome(), key="c" * 32),
        entry("201 Created", outcome(), key=KEY + "x"),
        {"fullUrl": KEY, "response": {"status": "201"}},
        {"fullUrl": f"NotImmunization/{KEY}", "response": {"status": "201"}},
        {"fullUrl": f"urn:uuid:{KEY}", "response": {"status": "201"}},
        {"fullUrl": [f"Immunization/{KEY}"], "response": {"status": "201"}},
        "Immunization",
        None,
    ],
    ids=range(18),
)
def test_an_entry_that_cannot_be_understood_decides_nothing(odd: Any) -> None:
    assert [r.record_id for r in results(odd, entry("201 Created", outcome(), key=OTHER))] == [OTHER]


def test_an_absolute_url_means_the_same() -> None:
    told = {"fullUrl": f"https://host/fhir/Immunization/{KEY}", "response": {"status": "201"}}
    assert [r.record_id for r in results(told)] == [KEY]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_row_told_twice_and_differently_is_refused(turn: int) -> None:
    told = [entry("201 Created", outcome()), entry("400 Bad Request", outcome("error", "E1"))]
    assert [(r.verified, r.code) for r in results(*told[::turn])] == [(False, "E1")]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_key_that_stands_twice_with_two_values_makes_the_answer_unreadable(turn: int) -> None:
    # JSON readers differ in which of the two they take.
    told = ['"status": "201 Created"', '"status": "400 Bad Request"']
    body = json.dumps(response(entry("201 Created", outcome()))).replace(told[0], ", ".join(told[::turn]))
    with pytest.raises(AnswerUnreadable):
        read_confirm(exchange(200, body.encode()), [KEY])
    same = json.dumps(response(entry("201", outcome()))).replace('"status": "201"', '"status": "201", "status": "201"')
    assert isinstance(read_confirm(exchange(200, same.encode()), [KEY]), Verdicts)


def test_words_of_any_length_are_kept_up_to_a_limit_and_what_they_name_is_still_found() -> None:
    names = [f"Bundle.entry[{number}].resource" for number in range(400)]
    said = outcome("error" * 1000, "E" * 5000, "長" * 5000, expression=names)
    answer = read_upload(exchange(400, said))
    assert isinstance(answer, RefusedWhole)
    sizes = [len(text) for text in answer.message.model_dump().values()]
    assert sizes == [200, 200, 2000, 2000]
    assert ", ".join(names) in answer.expressions


def test_verdicts_on_another_batch_are_not_taken() -> None:
    with pytest.raises(AnswerUnreadable):
        read_confirm(exchange(200, response(entry("201", outcome()), identifier="another")), [KEY])


def test_half_characters_of_json_are_made_storable() -> None:
    body = json.dumps(response(entry("400", outcome("error", "\ud800", "壞\udfff字")))).encode()
    answer = read_confirm(exchange(200, body), [KEY])
    assert isinstance(answer, Verdicts)
    assert answer.results[0].text == "壞?字"
    answer.results[0].model_dump_json().encode()


_names = ["issue", "severity", "details", "coding", "code", "text", "expression", "resourceType", "status"]
_words = st.sampled_from(["error", "201", "OperationOutcome"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | _words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_names),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


_statuses = st.sampled_from(["201 Created", "400"]) | _json


@given(st.lists(st.builds(entry, _statuses, _json | st.builds(outcome, _json)) | _json))
def test_no_answer_makes_the_reader_fail_or_verify_without_a_success_status(entries: list[Any]) -> None:
    answer = read_confirm(exchange(200, response(*entries)), [KEY])
    assert isinstance(answer, Verdicts)
    for result in answer.results:
        told = [e for e in entries if isinstance(e, dict) and str(e.get("fullUrl")).endswith(KEY)]
        assert not result.verified or any(str(e["response"]["status"])[:3] in ("200", "201", "204") for e in told)


@given(st.binary(max_size=200) | st.builds(lambda value: json.dumps(value).encode(), _json), st.integers(100, 599))
def test_no_bytes_make_the_readers_fail_in_any_other_way(body: bytes, status: int) -> None:
    for read in (read_upload, lambda e: read_confirm(e, [KEY])):
        with suppress(RegistryError):
            read(exchange(status, body))


@given(st.text() | st.from_regex(r"\w{3}, \d{1,2} \w{3} \d{1,9} \d\d:\d\d:\d\d [-+A-Z0-9]{3,6}"))
def test_no_retry_after_makes_the_reader_fail(text: str) -> None:
    read_retry_after(exchange(503, headers={"Retry-After": text}))


# ---- a person's history


IDENTITY = Identity(IdType.NATIONAL, "B222419838", date(1985, 11, 8))


def immunization(**changes: Any) -> dict[str, Any]:
    return {"resource": {"resourceType": "Immunization", "status": "completed", **changes}}


def searchset(*entries: Any, **changes: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": list(entries), **changes}


def told(content: Any) -> HistoryTold:
    answer = read_history(exchange(200, content, kind="history"), IDENTITY)
    assert isinstance(answer, HistoryTold)
    return answer


def test_a_history_row_is_kept_as_it_came() -> None:
    row = immunization(
        occurrenceDateTime="2020-03-02",
        vaccineCode={"coding": [{"code": "MMR", "display": "麻疹"}]},
        protocolApplied=[{"doseNumberString": "1"}],
        lotNumber="AMJRE023AA-1",
        performer=[{"actor": {"identifier": {"value": "1133060019"}, "display": "頭城"}}],
        extension=[{"url": "https://twniis.cdc.gov.tw/twniis/StructureDefinition/lot-type", "valueCode": "1"}],
    )
    assert told(searchset(row)).rows == (
        HistoryRow(
            date_text="2020-03-02", vaccine_code="MMR", vaccine_name="麻疹", dose_label="1", lot_number="AMJRE023AA-1",
            lot_type="1", institution_code="1133060019", institution_name="頭城",
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({}, HistoryRow()),
        ({"occurrenceString": "不詳"}, HistoryRow(date_text="不詳")),
        ({"occurrenceDateTime": 20200302}, HistoryRow(date_text="20200302")),
        ({"vaccineCode": {"text": "卡介苗"}}, HistoryRow(vaccine_code="卡介苗")),
        ({"protocolApplied": [{"doseNumberPositiveInt": 2}]}, HistoryRow(dose_label="2")),
        ({"lotNumber": ["a"]}, HistoryRow(lot_number='["a"]')),
        ({"status": "entered-in-error"}, HistoryRow(status="entered-in-error")),
        ({"extension": "x", "performer": {}, "vaccineCode": 3}, HistoryRow()),
        ({"lotNumber": "\ud800"}, HistoryRow(lot_number="?")),
    ],
    ids=["bare", "text", "number", "code as text", "dose a number", "list", "status", "other shapes", "half character"],
)
def test_odd_parts_of_a_history_row_lose_nothing(changes: Any, row: HistoryRow) -> None:
    assert told(searchset(immunization(**changes))).rows == (row,)


def test_what_is_no_row_is_kept_as_it_came() -> None:
    assert told(searchset({"resource": {"resourceType": "Novel"}}, 7)).rows == (
        HistoryRow(as_came='{"resource": {"resourceType": "Novel"}}'),
        HistoryRow(as_came="7"),
    )


@pytest.mark.parametrize(
    "content", [searchset(), {"resourceType": "Bundle", "type": "searchset", "total": 0}], ids=["list", "no list"]
)
def test_an_empty_history_is_one_that_says_so(content: Any) -> None:
    assert told(content) == HistoryTold(())


@pytest.mark.parametrize(
    "content",
    [
        searchset(total=3),
        searchset(total=None),
        searchset(total="0"),
        searchset(total=False),
        searchset(entry={}),
        searchset(type="batch-response"),
        {"resourceType": "Bundle"},
        outcome("information"),
        [],
        None,
        searchset({"resource": outcome("error", "E1")}),
        searchset(immunization(patient={"identifier": {"value": "A123456789"}})),
    ],
    ids=[
        "rows missing", "no total", "total as text", "total as truth", "entries no list", "other bundle",
        "no kind", "outcome", "list", "no JSON", "error inside", "somebody else",
    ],
)  # fmt: skip
def test_what_is_no_history_is_never_taken_for_an_empty_one(content: Any) -> None:
    with pytest.raises(AnswerUnreadable):
        read_history(exchange(200, content, kind="history"), IDENTITY)


@pytest.mark.parametrize(
    ("content", "more"),
    [
        (searchset(immunization()), False),
        (searchset(immunization(), link=[{"relation": "self", "url": "x"}]), False),
        (searchset(immunization(), link=[{"relation": "next", "url": "x"}]), True),
        (searchset(immunization(), total=2), True),
        (searchset(*[immunization()] * 501), True),
    ],
    ids=["all", "self", "next", "total", "too many"],
)
def test_rows_that_are_not_all_say_so(content: Any, more: bool) -> None:
    answer = told(content)
    assert answer.has_more is more
    assert len(answer.rows) <= 500


def test_a_refused_history_comes_with_cdcs_words_and_only_cdcs() -> None:
    answer = read_history(exchange(400, outcome("error", "E00005", "查無此證號")), IDENTITY)
    assert isinstance(answer, RefusedWhole)
    assert (answer.message.code, answer.message.text) == ("E00005", "查無此證號")
    with pytest.raises(AnswerUnreadable):
        read_history(exchange(400, {"a": 1}), IDENTITY)
