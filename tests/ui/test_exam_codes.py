"""Each of the thirty published codes: provoked at a CDC that reads the guide, and shown right on the screen."""

import base64
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.codes import exam_error_codes
from store.prenatal import ExamResult
from store.refusals import read_exam_refusal
from store.uploads import CdcMessage
from sync.cdc_exams import EXAMS_PATH, read_report_answer
from sync.registry import Exchange
from sync.signing import Signer
from tests.exam_refusals import NOT_PROVOKED, PROVOKING, body_of
from tests.factories import EXAM_ID, make_exam
from tests.sync.cdc_stand import KEY_ID, ORG_ID, Stand, make_settings, make_world, running_cdc
from ui import wording
from ui.state import AppState

BATCH = "B-1"
CASES = [(code, number) for code, makers in PROVOKING.items() for number in range(len(makers))]


async def ask(cdc: Stand, body: bytes, signed: bytes) -> Exchange:
    """One request under a real key and a real signature, without the hub: it would not send what is spoiled."""
    settings, now = make_settings(cdc.base_url), make_world().now()
    signature = Signer(settings.p12_path, settings.p12_password, now).sign(signed)
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"{ORG_ID}:{KEY_ID}".encode()).decode(),
        "AUTH": signature,
        "Content-Type": "application/fhir+json; charset=utf-8",
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{cdc.base_url}{EXAMS_PATH}", data=body, headers=headers) as answer,
    ):
        told = await answer.read()
    return Exchange("exams", BATCH, "POST", EXAMS_PATH, body, now, now, answer.status, dict(answer.headers), told)


async def words_for(tmp_path: Path, code: str, number: int = 0, scenario: str = "") -> CdcMessage:
    async with running_cdc(tmp_path) as cdc:
        if code in ("I00002", "I00003"):
            await ask(cdc, body_of(), body_of())
        if scenario:
            cdc.misfortune("exams", scenario)
        body = PROVOKING[code][number]() if code in PROVOKING else body_of()
        exchange = await ask(cdc, body, b"another body" if code == "E00002" else body)
    answer = read_report_answer(exchange, [EXAM_ID])
    return answer if isinstance(answer, CdcMessage) else answer[0]


async def show_answer(state: AppState, message: CdcMessage, **fields: Any) -> None:
    """The report as it stands on a device after CDC's word on it came."""
    payload = make_exam(**fields).model_dump(mode="json", exclude={"record_id"}, exclude_defaults=True)
    await state.commit([ChangeDraft(ChangeKind.RECORD_EXAM, EXAM_ID, payload)])
    exam = state.database.tables.exams.at(EXAM_ID)
    row = {"record_id": EXAM_ID, "revision": exam["revision"], "method": "POST"}
    await state.commit([ChangeDraft(ChangeKind.EXAMS_SENT, BATCH, {"rows": [row]})])
    words = message.model_dump(include=set(CdcMessage.model_fields))
    is_stored = message.severity == "information"
    answered = {"answers": [{**words, "record_id": EXAM_ID, "stored": True}]} if is_stored else {"refusal": words}
    await state.commit([ChangeDraft(ChangeKind.EXAMS_ANSWERED, BATCH, answered)])


def test_no_published_code_is_forgotten() -> None:
    assert PROVOKING.keys() | NOT_PROVOKED.keys() == exam_error_codes().keys()
    assert not PROVOKING.keys() & NOT_PROVOKED.keys()
    assert len(exam_error_codes()) == 30


@pytest.mark.parametrize(("code", "number"), CASES, ids=[f"{code}-{number}" for code, number in CASES])
async def test_cdc_says_the_published_words_by_its_own_reading(tmp_path: Path, code: str, number: int) -> None:
    message = await words_for(tmp_path, code, number)

    published = exam_error_codes()[code]
    assert (message.code, message.severity) == (code, published.severity)
    # The guide's 資料型別錯誤 names the fields behind it, each time others.
    assert message.text == (published.text if code != "E00006" else "資料型別錯誤")


@pytest.mark.parametrize("code", [code for code in exam_error_codes() if code.startswith("E")])
async def test_a_refusal_is_shown_with_its_meaning_and_its_field(
    user: User, state: AppState, tmp_path: Path, code: str
) -> None:
    message = await words_for(tmp_path, code, scenario="refuse_batch" if code in NOT_PROVOKED else "")
    assert message.code == code
    await show_answer(state, message)
    refusal = read_exam_refusal(message.model_dump())
    meaning = wording.exam_refusal(refusal)

    await user.open("/BA103_3_UPLOAD")
    [row] = table_rows(user)
    assert row["state"] == "疾管署退回"
    assert row["message"] == f"{code} {message.text}\n{meaning}"

    await user.open(f"/BA103_3?record={EXAM_ID}")
    await user.should_see(f"疾管署退回　{code} {message.text}")
    await user.should_see(meaning)
    if refusal.field in ExamResult.model_fields:
        assert wording.FIELD[refusal.field] in meaning
        [field] = user.find(marker=refusal.field).elements
        assert field.props.get("bg-color") == "red-1"
        assert field.props.get("autofocus")
    elif refusal.field:
        assert wording.FIELD[refusal.field] in meaning
        await user.should_see(wording.EXAM_PERSON_HINT)


@pytest.mark.parametrize("code", ["I00001", "I00002", "I00003"])
async def test_a_success_is_shown_with_cdcs_words(user: User, state: AppState, tmp_path: Path, code: str) -> None:
    message = await words_for(tmp_path, code)
    await show_answer(state, message)

    await user.open(f"/BA103_3?record={EXAM_ID}")
    await user.should_see(f"疾管署已收下　{code} {message.text}")


async def test_a_field_that_was_mended_is_no_longer_marked(user: User, state: AppState, tmp_path: Path) -> None:
    await show_answer(state, await words_for(tmp_path, "E00050"))
    await user.open(f"/BA103_3?record={EXAM_ID}")
    [field] = user.find(marker="hbsag").elements
    assert isinstance(field, ui.select)
    field.set_value("POS")

    assert "bg-color" not in field.props


async def test_without_a_day_of_collection_the_day_of_the_test_is_at_fault(
    user: User, state: AppState, tmp_path: Path
) -> None:
    await show_answer(state, await words_for(tmp_path, "E00046"), collection_date=None)
    await user.open(f"/BA103_3?record={EXAM_ID}")

    [field] = user.find(marker="exam_date").elements
    assert field.props.get("bg-color") == "red-1"
    await user.should_see("（欄位：檢驗日期）")


def table_rows(user: User) -> list[dict[str, str]]:
    table = next(iter(user.find(marker="exams").elements))
    assert isinstance(table, ui.table)
    return table.rows
