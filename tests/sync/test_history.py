"""Staff ask what a person was given anywhere: through the real hub, of the real fake CDC, to every device."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from e2e.fake_cdc.history import read_seed
from store.changes import ChangeDraft, ChangeKind
from store.decisions import draft_merge
from store.history import asked_for
from store.problems import ProblemCode
from store.protocol import HistoryAnswer, HistoryOutcome, HistoryRequest
from sync.cdc_client import CdcClient
from sync.history import HistoryDesk
from tests.factories import PATIENT_ID, make_patient
from tests.sync.cdc_stand import Stand, make_settings, make_world, running_cdc, until
from tests.sync.running_hub import RunningHub, make_device, running_hub

ID, BIRTH = "B222419838", "1985-11-08"
MMR = {"date": "2020-03-02", "vaccine_code": "MMR", "dose": "1", "lot_number": "OLD-1-CDC", "lot_type": "1"}


@dataclass
class Clinic:
    hub: RunningHub
    cdc: Stand

    async def register(self, **changes: Any) -> None:
        patient = make_patient(**changes)
        payload = patient.model_dump(mode="json", exclude={"record_id"})
        await self.hub.database.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, patient.record_id, payload)], "nurse")

    def cdc_knows(self, *rows: dict[str, str], value: str = ID) -> None:
        person, read = read_seed({"value": value, "birth_date": BIRTH, "rows": list(rows)})
        self.cdc.cdc.holdings.add_history(person, read)

    async def ask(self, record_id: str = PATIENT_ID) -> HistoryAnswer:
        response = await self.hub.post(
            "/api/cdc/history", HistoryRequest(record_id=record_id).model_dump_json().encode()
        )
        assert response.status == 200, await response.text()
        return HistoryAnswer.model_validate_json(await response.read())

    @property
    def history(self) -> Any:
        return self.hub.database.tables.histories.find(PATIENT_ID)

    @property
    def questions(self) -> int:
        return len(self.cdc.requests("GET"))

    def exchanges(self) -> list[Any]:
        return list(self.hub.database.tables.exchanges.documents())


@pytest_asyncio.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    async with running_cdc(tmp_path / "cdc") as cdc, running_hub(tmp_path / "hub") as hub:
        client = CdcClient(make_settings(cdc.base_url), make_world())
        desk = hub.hub.history = HistoryDesk(hub.database, client, make_world(2))
        yield Clinic(hub, cdc)
        await desk.close()
        await client.close()


async def test_what_cdc_tells_reaches_every_device_with_the_time(clinic: Clinic) -> None:
    await clinic.register()
    clinic.cdc_knows(MMR, {"date": "999/01/01", "vaccine_code": "TEST-1"})
    device = await make_device()
    await clinic.hub.sync(device)

    answer = await clinic.ask()
    await clinic.hub.sync(device)

    assert answer.outcome is HistoryOutcome.RECEIVED
    held = device.tables.histories.at(PATIENT_ID)
    assert held == clinic.history
    assert held["revision"] == answer.revision
    assert held["identity"] == asked_for(make_patient().model_dump(mode="json"))
    assert held["fetched_at"].startswith("2026-11-23T04:")
    assert held["rows"] == [
        {
            "date_text": "2020-03-02", "vaccine_code": "MMR", "dose_label": "1", "lot_number": "OLD-1-CDC",
            "lot_type": "1", "institution_code": "1133060019", "institution_name": "宜蘭縣頭城鎮衛生所",
        },
        {
            "date_text": "999/01/01", "vaccine_code": "TEST-1",
            "institution_code": "1133060019", "institution_name": "宜蘭縣頭城鎮衛生所",
        },
    ]  # fmt: skip


async def test_an_empty_answer_of_success_is_kept_as_empty(clinic: Clinic) -> None:
    await clinic.register()
    clinic.cdc_knows()

    assert (await clinic.ask()).outcome is HistoryOutcome.RECEIVED
    assert clinic.history["rows"] == []


async def test_the_newest_answer_replaces_the_one_before(clinic: Clinic) -> None:
    await clinic.register()
    clinic.cdc_knows(MMR)
    await clinic.ask()
    clinic.cdc_knows({**MMR, "dose": "2"})

    answer = await clinic.ask()

    assert [row["dose_label"] for row in clinic.history["rows"]] == ["1", "2"]
    assert clinic.history["revision"] == answer.revision


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"national_id": None, "id_type": None}, [("national_id", ProblemCode.ID_MISSING)]),
        ({"national_id": "  "}, [("national_id", ProblemCode.ID_MISSING)]),
        ({"national_id": "B222419839"}, [("national_id", ProblemCode.ID_CHECKSUM)]),
        ({"birth_date": None}, [("birth_date", ProblemCode.BIRTH_DATE_MISSING)]),
    ],
    ids=["no ID", "a blank ID", "an ID that adds up wrongly", "no birth date"],
)
async def test_who_cannot_be_identified_is_not_asked_about(clinic: Clinic, changes: Any, problems: Any) -> None:
    await clinic.register(**changes)

    answer = await clinic.ask()

    assert answer.outcome is HistoryOutcome.NOT_IDENTIFIED
    assert [(problem.field, problem.code) for problem in answer.problems] == problems
    assert (clinic.questions, clinic.history, clinic.exchanges()) == (0, None, [])


async def test_a_refusal_comes_with_cdcs_words_and_leaves_what_was_known(clinic: Clinic) -> None:
    await clinic.register()

    answer = await clinic.ask()

    assert answer.outcome is HistoryOutcome.REFUSED
    assert answer.message is not None
    assert (answer.message.code, answer.message.text) == ("E00005", "查無此證號(指身分證號、居留證號及護照號碼)")
    assert clinic.history is None
    [kept] = clinic.exchanges()
    assert (kept["kind"], kept["record_id"], kept["answer"]["status"]) == ("history", PATIENT_ID, 400)


@pytest.mark.parametrize(
    ("scenario", "outcome"),
    [
        ("drop_before_storing", HistoryOutcome.BUSY),
        ("error_500", HistoryOutcome.UNREADABLE),
        ("html_instead_of_json", HistoryOutcome.UNREADABLE),
        ("truncated_json", HistoryOutcome.UNREADABLE),
        ("wrong_charset", HistoryOutcome.UNREADABLE),
        ("rate_limit_429", HistoryOutcome.BUSY),
        ("error_503_retry_after", HistoryOutcome.BUSY),
        ("unauthorized_401", HistoryOutcome.KEY_REFUSED),
    ],
)
async def test_a_failure_is_told_kept_raw_and_leaves_what_was_known(
    clinic: Clinic, scenario: str, outcome: HistoryOutcome
) -> None:
    await clinic.register()
    clinic.cdc_knows(MMR)
    await clinic.ask()
    known = clinic.history
    clinic.cdc.misfortune("history", scenario)

    answer = await clinic.ask()

    assert (answer.outcome, answer.revision) == (outcome, "")
    assert clinic.history == known
    assert len(clinic.exchanges()) == 2


async def test_the_raw_answer_is_on_disk_before_anybody_understands_it(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await clinic.register()
    clinic.cdc_knows(MMR)
    seen: list[list[Any]] = []
    client: Any = clinic.hub.hub.history._source  # type: ignore[union-attr]
    read = client.read_history
    monkeypatch.setattr(client, "read_history", lambda *a: (seen.append(clinic.exchanges()), read(*a))[1])

    await clinic.ask()

    assert [one["kind"] for one in seen[0]] == ["history"]
    assert "OLD-1-CDC" in seen[0][0]["answer"]["body"]


async def test_two_taps_are_one_question(clinic: Clinic) -> None:
    await clinic.register()
    clinic.cdc_knows(MMR)

    answers = await asyncio.gather(clinic.ask(), clinic.ask(), clinic.ask())

    assert clinic.questions == 1
    assert len({answer.revision for answer in answers}) == 1


async def test_an_answer_later_than_anybody_waits_for_is_kept(clinic: Clinic) -> None:
    await clinic.register()
    clinic.cdc_knows(MMR)
    assert clinic.hub.hub.history is not None
    clinic.hub.hub.history.patience_seconds = 0.02
    clinic.cdc.misfortune("history", "slow", seconds=0.3)

    assert (await clinic.ask()).outcome is HistoryOutcome.STILL_ASKING
    await until(lambda: clinic.history is not None)

    assert clinic.questions == 1


async def test_who_goes_on_as_another_is_asked_about_as_that_one(clinic: Clinic) -> None:
    gone = "7" * 32
    await clinic.register()
    await clinic.register(record_id=gone, chart_number="000007", national_id=None)
    await clinic.hub.database.commit([draft_merge(gone, PATIENT_ID)], "nurse")
    clinic.cdc_knows(MMR)

    assert (await clinic.ask(gone)).outcome is HistoryOutcome.RECEIVED
    assert clinic.history is not None


async def test_a_newborn_is_asked_for_by_a_parents_id(clinic: Clinic) -> None:
    await clinic.register(national_id=None, id_type=None, parent_national_id="A123456789")

    assert (await clinic.ask()).outcome is HistoryOutcome.REFUSED
    [kept] = clinic.exchanges()
    asked = "patient.identifier=https%3A%2F%2Ftwniis.cdc.gov.tw%2Fparent-id%7CA123456789&patient.birthdate=1985-11-08"
    assert kept["request"]["path"] == f"/Immunization?{asked}"


async def test_nobody_is_known_under_an_unknown_record_id(clinic: Clinic) -> None:
    assert (await clinic.ask("9" * 32)).outcome is HistoryOutcome.UNKNOWN_PERSON


async def test_a_device_cannot_say_what_cdc_told(clinic: Clinic) -> None:
    device = await make_device()
    payload = {"identity": "x", "fetched_at": "2026-11-23T04:00:00Z", "rows": []}
    await device.commit([ChangeDraft(ChangeKind.HISTORY_RECEIVED, PATIENT_ID, payload)], "nurse")
    with pytest.raises(AssertionError, match="a kind that only the hub makes"):
        await clinic.hub.sync(device)


async def test_nothing_of_the_person_is_logged(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await clinic.register()
    clinic.cdc_knows(MMR)
    await clinic.ask()
    clinic.cdc.misfortune("history", "error_500")
    await clinic.ask()
    assert "history: registry_answer_unreadable" in caplog.text
    assert ID not in caplog.text
    assert BIRTH not in caplog.text


async def test_without_cdc_the_hub_says_so(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        response = await hub.post("/api/cdc/history", HistoryRequest(record_id=PATIENT_ID).model_dump_json().encode())
        assert response.status == 409
        assert (await response.json())["error"]["code"] == "cdc_not_configured"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"record_id": "x"}', {}, 400),
        (b"{}", {}, 400),
        (b'{"record_id": "%s", "protocol": 9}' % (b"1" * 32), {}, 409),
        (b'{"record_id": "%s"}' % (b"1" * 32), {"Sec_Fetch_Site": "cross-site"}, 403),
        (b'{"record_id": "%s"}' % (b"1" * 32), {"Content_Type": "text/plain"}, 415),
    ],
    ids=["no id", "nothing", "other protocol", "another site", "no JSON"],
)
async def test_what_is_no_question_of_ours_is_refused(clinic: Clinic, body: bytes, headers: Any, status: int) -> None:
    assert (await clinic.hub.post("/api/cdc/history", body, **headers)).status == status
    assert clinic.questions == 0
