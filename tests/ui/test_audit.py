"""稽核紀錄: what a day at the desk leaves in it, and how a manager finds it, beside a real hub."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User

from store.audit import AuditAction, AuditHead, make_entry
from store.audit_protocol import AuditQuery
from store.audit_trail import AuditTrail
from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.roles import Role
from store.roster import decode_roster, read_rows
from store.storage import MemoryFolder
from sync.settings import ROOT
from tests.factories import PATIENT_ID, TODAY, make_patient, make_vaccination
from tests.sync.running_hub import WORLD, RunningHub, running_hub
from tests.ui.keys import press
from tests.ui.test_receipts import Line
from tests.ui.waiting import see, until
from ui.audit_text import audit_csv
from ui.session import PersonAtDesk
from ui.state import AppState

DOSE = "a" * 32


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    async with running_hub(tmp_path) as running:
        yield running


@pytest.fixture
async def line(hub: RunningHub) -> Line:
    return Line(hub)


@pytest.fixture
async def folder() -> MemoryFolder:
    return MemoryFolder()


@pytest.fixture
async def state(line: Line, folder: MemoryFolder) -> AsyncIterator[AppState]:
    database = await DeviceDatabase.open(folder, WORLD)
    trail = AuditTrail(folder, WORLD, lambda: database.device_id)
    state = AppState(database, WORLD, line, trail=trail)
    person, dose = make_patient(), make_vaccination(record_id=DOSE)
    await state.commit(
        [
            ChangeDraft(kind, one.record_id, one.model_dump(mode="json", exclude={"record_id"}))
            for kind, one in ((ChangeKind.REGISTER_PATIENT, person), (ChangeKind.RECORD_VACCINATION, dose))
        ]
    )
    yield state
    await trail.close()


def rows(user: User) -> list[dict[str, Any]]:
    """What is listed; nothing while the list is hidden."""
    assert user.client is not None
    with user.client:
        [table] = ElementFilter(kind=ui.table, marker="audit")
    return table.rows


def notes(state: AppState) -> list[tuple[str, dict[str, Any]]]:
    """What this device noted and has not told yet."""
    assert state.trail is not None
    telling = state.trail.telling()
    return [(entry.what, entry.about) for entry in telling.entries] if telling else []


async def noted(state: AppState) -> list[tuple[str, dict[str, Any]]]:
    assert state.trail is not None
    await state.trail.flush()
    return notes(state)


async def test_opening_a_person_a_dose_and_the_history_is_noted(user: User, state: AppState, line: Line) -> None:
    line.is_cut = True
    await user.open(f"/BA102_3?patient={PATIENT_ID}")
    await see(user, "測試患者")
    user.find(marker="cdc-history").click()
    await see(user, "測試患者")
    await user.open(f"/BA102_3?record={DOSE}")
    await see(user, "MMR")

    assert await noted(state) == [
        (AuditAction.VIEWED, {"record_id": PATIENT_ID}),
        (AuditAction.OPENED_HISTORY, {"record_id": PATIENT_ID}),
        (AuditAction.VIEWED, {"record_id": DOSE}),
    ]


async def test_a_search_is_noted_by_its_number_and_not_by_its_text(user: User, state: AppState, line: Line) -> None:
    line.is_cut = True
    await user.open("/BA102_3")
    user.find(marker="patient-search").type("測試患")
    user.find(marker="patients").trigger("rowClick", [None, {"record_id": PATIENT_ID}, None])
    await see(user, "本院接種紀錄")

    assert await noted(state) == [
        (AuditAction.SEARCHED, {"kind": "patients", "count": 1}),
        (AuditAction.VIEWED, {"record_id": PATIENT_ID}),
    ]


async def test_what_was_noted_comes_to_the_hub_with_the_next_sync(user: User, state: AppState) -> None:
    await user.open(f"/BA102_3?patient={PATIENT_ID}")
    await see(user, "測試患者")

    assert await state.sync.sync_now()

    assert notes(state) == []
    await user.open("/audit")
    await see(user, "列出")
    found = {(row["what"], row["about"]) for row in rows(user)}
    assert ("查看", "057164 測試患者") in found
    assert ("登錄接種", "057164 測試患者 115/11/23 MMR-1") in found
    assert ("新增個案", "057164 測試患者") in found


async def test_a_hub_that_is_away_or_old_costs_nothing_and_gets_it_later(
    user: User, state: AppState, line: Line
) -> None:
    state.note(AuditAction.PRINTED, kind="paper_list", count=3)
    line.is_cut = True
    assert not await state.sync.sync_now()
    assert await noted(state) != []

    line.is_cut = False
    assert await state.sync.sync_now()

    assert await noted(state) == []


async def test_a_search_lists_what_was_done_here_a_moment_ago_too(user: User, state: AppState) -> None:
    await user.open("/audit")
    await until(lambda: bool(rows(user)))
    state.note(AuditAction.SEARCHED, kind="patients", count=1)

    user.find("search").click()

    await until(lambda: any(row["what"] == "搜尋" for row in rows(user)))


async def test_telling_twice_at_once_drops_nothing_untold(
    state: AppState, folder: MemoryFolder, hub: RunningHub
) -> None:
    assert state.trail is not None
    for _ in range(3):
        state.note(AuditAction.SEARCHED, kind="patients", count=1)
    await asyncio.gather(state.tell_audit(), state.tell_audit())
    state.note(AuditAction.PRINTED, kind="outage")
    await state.trail.flush()

    again = AuditTrail(folder, WORLD, lambda: state.database.device_id)  # as after the battery was pulled
    await again.flush()
    telling = again.telling()
    assert telling is not None
    assert [entry.what for entry in telling.entries] == [AuditAction.PRINTED]
    await again.close()
    await state.tell_audit()

    assert notes(state) == []
    page = await hub.hub.audit.find(AuditQuery(limit=100))
    told = [entry.what for entry in page.entries]
    assert told.count(AuditAction.SEARCHED) == 3
    assert told.count(AuditAction.PRINTED) == 1


async def test_the_list_is_found_by_person_deed_and_day(user: User, hub: RunningHub, state: AppState) -> None:
    await state.sync.sync_now()
    hub.hub.audit.note("林主任", AuditAction.SIGNED_IN)
    await user.open("/audit")
    await see(user, "列出 5 筆")

    user.find(marker="audit-who").type("林主任")
    press(next(iter(user.find(ui.keyboard).elements)), "F9")
    await until(lambda: [row["what"] for row in rows(user)] == ["登入"])

    user.find(marker="clear").click()
    await until(lambda: len(rows(user)) > 5)
    user.find(marker="audit-to").type("1100101")
    user.find(marker="search").click()
    await see(user, "沒有符合的稽核紀錄")


async def test_staff_are_found_by_what_the_screen_calls_them(user: User, hub: RunningHub, state: AppState) -> None:
    await state.sync.sync_now()
    await user.open("/audit")
    await see(user, "列出")

    user.find(marker="audit-who").type("主機")
    user.find(marker="search").click()

    await until(lambda: [row["what"] for row in rows(user)] == ["開始留存稽核紀錄"])


async def test_a_day_nobody_can_read_is_said_at_its_field(user: User, state: AppState) -> None:
    await state.sync.sync_now()
    await user.open("/audit")
    await see(user, "列出")

    user.find(marker="audit-from").type("1151399")
    user.find(marker="search").click()

    [field] = user.find(marker="audit-from", kind=ui.input).elements
    await until(lambda: bool(field.error))


async def test_from_a_record_all_of_the_person_is_listed(user: User, hub: RunningHub, state: AppState) -> None:
    other = make_patient(record_id="9" * 32, chart_number="000009", name="別人")
    payload = other.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, other.record_id, payload)])
    await state.sync.sync_now()
    await user.open(f"/BA102_3?record={DOSE}")
    user.find(marker="way").click()
    await see(user, "看稽核紀錄")
    user.find(marker="see-audit").click()

    await see(user, "只列與此有關的紀錄：057164 測試患者 115/11/23 MMR-1")
    await see(user, "列出")
    assert "登錄接種" in {row["what"] for row in rows(user)}
    assert {row["about"] for row in rows(user)} == {"057164 測試患者 115/11/23 MMR-1"}

    await user.open(f"/audit?record={PATIENT_ID}")
    await see(user, "列出")
    assert {row["what"] for row in rows(user)} >= {"新增個案", "登錄接種"}
    assert "別人" not in str(rows(user))


async def test_older_entries_come_with_a_tap(user: User, hub: RunningHub, state: AppState) -> None:
    await state.sync.sync_now()
    for number in range(60):
        hub.hub.audit.note("staff", AuditAction.PRINTED, {"count": number})
    await user.open("/audit")
    await see(user, "列出 50 筆，還有更早的紀錄")

    user.find(marker="older").click()

    await see(user, "列出 64 筆")
    assert [row["seq"] for row in rows(user)] == list(range(64, 0, -1))


async def test_what_is_far_back_is_found_without_another_tap(
    user: User, hub: RunningHub, state: AppState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.audit._LOOKED_AT", 10)
    await state.sync.sync_now()
    hub.hub.audit.note("林主任", AuditAction.SIGNED_IN)
    for number in range(60):
        hub.hub.audit.note("staff", AuditAction.PRINTED, {"count": number})
    await user.open("/audit")
    await see(user, "列出 50 筆")

    user.find(marker="audit-who").type("林主任")
    user.find(marker="search").click()

    await until(lambda: [row["what"] for row in rows(user)] == ["登入"])


async def test_without_a_hub_the_page_says_so_and_asks_when_it_is_back(
    user: User, state: AppState, line: Line
) -> None:
    line.is_cut = True
    await state.sync.sync_now()
    await user.open("/audit")
    await see(user, "連不上主機。稽核紀錄存放在主機上")
    assert not [path for path in line.asked if path.startswith("/api/audit?")]

    line.is_cut = False
    await state.sync.sync_now()

    await see(user, "列出")


async def test_who_is_no_manager_sees_no_audit(user: User, state: AppState, line: Line) -> None:
    state.person = PersonAtDesk("d" * 32, "王護理師", [Role.RECORDER], "t")
    await state.sync.sync_now()
    await user.open("/")
    await user.should_not_see("稽核紀錄：誰、何時")
    await user.open("/audit")

    await see(user, "只有管理者可以查看稽核紀錄")
    assert not [path for path in line.asked if path.startswith("/api/audit?")]


async def test_an_export_is_whole_and_noted(user: User, hub: RunningHub, state: AppState) -> None:
    await state.sync.sync_now()
    for number in range(60):
        hub.hub.audit.note("=cmd|calc", AuditAction.PRINTED, {"count": number})
    await user.open("/audit")
    await see(user, "列出 50 筆")

    user.find(marker="export").click()
    await see(user, "存成檔案？")
    user.find(marker="confirm").click()
    download = await user.download.next()

    lines = list(csv.reader(io.StringIO(download.content.decode("utf-8-sig"))))
    assert lines[0][0] == "編號"
    assert [int(cells[0]) for cells in lines[1:]] == list(range(len(lines) - 1, 0, -1))
    assert "'=cmd|calc" in {cells[2] for cells in lines}
    assert not [cell for cells in lines for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert ("exported", {"kind": "audit", "count": len(lines) - 1}) in await noted(state)


async def test_names_that_are_formulas_are_none_in_the_file(state: AppState) -> None:
    person = make_patient(record_id="8" * 32, chart_number="000008", name="=HYPERLINK(1)")
    payload = person.model_dump(mode="json", exclude={"record_id"})
    await state.commit([ChangeDraft(ChangeKind.REGISTER_PATIENT, person.record_id, payload)])
    about: dict[str, str | int] = {"record_id": person.record_id}
    entry = make_entry(AuditHead(), at=WORLD.now(), who="+1", what="viewed", about=about, device_id="")

    lines = list(csv.reader(io.StringIO(audit_csv(state, [entry], {}).decode("utf-8-sig"))))

    assert lines[1][2] == "'+1"
    assert lines[1][4] == "000008 =HYPERLINK(1)"


async def test_no_name_nor_number_of_anybody_stands_in_any_file_of_the_audit(
    user: User, hub: RunningHub, state: AppState, folder: MemoryFolder, tmp_path: Path
) -> None:
    """A day with the sample roster: everybody is registered, searched for by name, ID and phone, and opened."""
    people = sample_people()
    assert len(people) > 100
    drafts = []
    for number, person in enumerate(people):
        record_id = f"{number:032x}"
        drafts.append(ChangeDraft(ChangeKind.REGISTER_PATIENT, record_id, person))
    await state.commit(drafts)
    await user.open("/BA102_3")
    for number, person in enumerate(people[:12]):
        await user.open("/BA102_3")
        typed = str(person[("name", "national_id", "phone", "chart_number")[number % 4]])
        user.find(marker="patient-search").type(typed)
        user.find(marker="patients").trigger("rowClick", [None, {"record_id": f"{number:032x}"}, None])
        await see(user, str(person["name"]))
    await noted(state)
    on_device = b"".join(data for name, data in folder.files.items() if name.startswith("audit"))
    assert await state.sync.sync_now()
    await hub.hub.audit.find(AuditQuery(record_id=f"{1:032x}"))
    on_hub = audit_files(tmp_path)

    assert on_device.count(b'"viewed"') == on_hub.count(b'"viewed"') == 12
    assert on_hub.count(b'"register_patient"') == len(people) + 1
    for person in [*people, make_patient().model_dump(mode="json")]:
        for field in ("name", "national_id", "phone", "birth_date", "address"):
            text = str(person.get(field) or "")
            if len(text) > 1:
                for form in (text, text.encode("unicode_escape").decode()):
                    assert form.encode() not in on_device, field
                    assert form.encode() not in on_hub, field
        if len(chart := str(person["chart_number"])) > 5:  # shorter ones stand in ids and hashes by chance
            assert f'"{chart}"'.encode() not in on_device + on_hub


def audit_files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("audit-*"))


def sample_people() -> list[dict[str, Any]]:
    """Shape: payloads of patients, out of the roster that the journeys use."""
    data = (ROOT / "e2e" / "sample" / "roster.csv").read_bytes()
    people = [row.patient for row in read_rows(decode_roster(data), TODAY) if row.patient is not None]
    return [person.model_dump(mode="json") for person in people]


async def test_practice_leaves_no_trace(line: Line) -> None:
    state = AppState(await DeviceDatabase.open(MemoryFolder(), WORLD), WORLD, line, is_practice=True)
    state.note(AuditAction.VIEWED, record_id=PATIENT_ID)

    assert state.trail is None
    assert state.sync.after_sync is None
