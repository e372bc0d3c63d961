"""A whole day at a hub with staff and a CDC, and all that goes wrong in one: its log names nobody and no secret."""

import asyncio
import re
from datetime import date
from pathlib import Path

import pytest
from aiohttp import ClientSession

from store.access_protocol import FirstManager, PasswordChange, PcCodeRequest, RevokeDevice
from store.changes import ChangeDraft, ChangeKind
from store.device_database import DeviceDatabase
from store.protocol import (
    HistoryRequest,
    PeopleRequest,
    ReceiptRequest,
    ReceiptsAnswer,
    ReceiptsRequest,
    SearchRequest,
    StaffRequest,
    SyncAnswer,
)
from store.roles import Role
from tests.factories import make_exam, make_patient, make_vaccination
from tests.sync.cdc_stand import KEY_ID, ORG_ID, certificate_folder, running_cdc
from tests.sync.running_hub import make_device, request_of
from tests.sync.staff_and_devices import JSON, MANAGER, PASSWORD, DeskDevice, Devices, first_manager
from tests.sync.test_doors import MALFORMED, SECRET, Connection
from tests.sync.test_routes import start_process

NURSE = "陳護理師"
PERSON = {
    "name": "祕密小明", "national_id": "A123456789", "chart_number": "CHART7788", "phone": "0987654321",
    "address": "祕密路七號",
}  # fmt: skip
LOT, BORN = "SECRETLOT9-CDC", date(2019, 8, 17)


def cdc_settings(folder: Path, base_url: str) -> dict[str, str]:
    key_id = folder / "key_id"
    key_id.write_text(KEY_ID)
    key_id.chmod(0o600)
    certificate = certificate_folder() / "practice.p12"
    return {
        "DESK_INSTITUTION_CODE": ORG_ID,
        "DESK_CDC_BASE_URL": base_url,
        "DESK_CDC_KEY_ID_FILE": str(key_id),
        "DESK_CDC_CERTIFICATE_P12": str(certificate),
        "DESK_CDC_CERTIFICATE_PASSWORD_FILE": f"{certificate}.password",
        "DESK_CDC_VERIFY_AFTER_SECONDS": "0.02",
        "DESK_CDC_GATHER_SECONDS": "0",
        "DESK_CDC_RETRY_BASE_SECONDS": "0.02",
        "DESK_CDC_RETRY_CAP_SECONDS": "0.1",
        "DESK_CDC_TIMEOUT_SECONDS": "2",
    }


async def push(desk: DeskDevice, store: DeviceDatabase) -> None:
    answer = await desk.post("/api/sync", request_of(store))
    assert answer.status == 200, await answer.text()
    await store.receive(SyncAnswer.model_validate_json(await answer.read()))


async def record(store: DeviceDatabase, number: int, made_by: str) -> None:
    person_id, dose_id, exam_id = (f"{number + add:032x}" for add in (0, 1000, 2000))
    mine = PERSON | {name: f"{PERSON[name]}{number}" for name in ("name", "chart_number")}
    made = [
        (ChangeKind.REGISTER_PATIENT, make_patient(record_id=person_id, birth_date=BORN, **mine)),
        (ChangeKind.RECORD_VACCINATION, make_vaccination(record_id=dose_id, patient_id=person_id, lot_number=LOT)),
        (ChangeKind.RECORD_EXAM, make_exam(record_id=exam_id, patient_id=person_id)),
    ]
    payloads = [one.model_dump(mode="json", exclude={"record_id"}) for _, one in made]
    drafts = [ChangeDraft(kind, one.record_id, told) for (kind, one), told in zip(made, payloads, strict=True)]
    await store.commit(drafts, made_by=made_by)


@pytest.mark.timeout(180)
async def test_the_log_of_a_day_names_nobody_and_no_secret(tmp_path: Path) -> None:
    secrets = [KEY_ID, PASSWORD, "a wrong password", "another good one", SECRET.decode()]
    async with running_cdc(tmp_path) as cdc, Devices() as devices:
        process, url = await start_process(tmp_path / "data", more=cdc_settings(tmp_path, cdc.base_url))
        url = url.rstrip("/")
        manager = devices.keep(await first_manager(url))
        await manager.set_staff(NURSE, [Role.RECORDER])
        store = await make_device()
        tablet = devices.keep(await manager.enrol_another(NURSE, device_id=store.device_id))

        # What CDC does on a bad day, one after the other.
        for scenario in ("error_500", "html_instead_of_json", "drop_after_storing", "truncated_json", "refuse_row"):
            cdc.misfortune("upload", scenario)
        for number in range(3):
            await record(store, number, NURSE)
            await push(tablet, store)
        for path, message in (
            ("/api/search", SearchRequest(typed=PERSON["name"])),
            ("/api/people", PeopleRequest(patient_ids=[f"{0:032x}"])),
            ("/api/cdc/wake", StaffRequest(asked_by=NURSE)),
            ("/api/cdc/stock", StaffRequest(asked_by=NURSE)),
            ("/api/cdc/exams/upload", StaffRequest(asked_by=NURSE)),
            ("/api/cdc/history", HistoryRequest(record_id=f"{0:032x}")),
        ):
            await (await manager.post(path, message)).read()
        await until_cdc_answered(manager)
        for number in range(1, 4):
            await (await manager.post("/api/receipts/one", ReceiptRequest(number=number))).read()

        # What people do: wrong passwords and codes, odd bodies, requests that are none.
        async with ClientSession() as nobody:
            for message in (
                PcCodeRequest(staff_id=MANAGER, password="a wrong password"),
                FirstManager(staff_id=PERSON["name"], password="a wrong password"),
            ):
                path = "/api/access/pc-code" if isinstance(message, PcCodeRequest) else "/api/access/first"
                await nobody.post(url + path, data=message.model_dump_json(), headers=JSON)
        for path in ("/api/sync", "/api/search", "/api/access/sign-in", "/api/snapshot"):
            for body in ('{"typed": {"%s": "%s"}}', '{"changes": [{"payload": "%s%s"}]}', "%s %s {"):
                await manager.post(path, (body % (PERSON["name"], PERSON["national_id"])).encode())
            await manager.get(f"{path}?{PERSON['name']}={PERSON['national_id']}")
        for raw in MALFORMED.values():
            await (await Connection.open(int(url.rpartition(":")[2]))).ask(raw)
        await manager.post("/api/access/password", PasswordChange(old=PASSWORD, new="another good one"))
        await manager.post("/api/access/devices/revoke", RevokeDevice(device_id=tablet.device_id))
        await tablet.post("/api/sync", request_of(store))

        for device in (manager, tablet):
            secrets += [device.data_key, *device.token_by_staff.values()]
            secrets += [cookie.value for cookie in device.session.cookie_jar]
        process.terminate()
        said = b"".join(await process.communicate()).decode()

    assert len(secrets) > 10
    assert "sync.worker" in said, "else the log was not where this looks"
    personal = [*PERSON.values(), LOT, BORN.isoformat(), "1080817", "108/08/17", NURSE, MANAGER]
    assert [word for word in (*secrets, *personal) if word in said] == [], said
    assert not re.search(r"\b[A-Z][12]\d{8}\b", said), "an ID"


async def until_cdc_answered(manager: DeskDevice) -> None:
    """Until the line has met all of its misfortunes and CDC has taken something."""
    async with asyncio.timeout(60):
        while True:
            answer = await manager.post("/api/receipts", ReceiptsRequest(limit=50))
            receipts = ReceiptsAnswer.model_validate_json(await answer.read()).receipts
            if len({receipt.status for receipt in receipts}) > 3:
                return
            await asyncio.sleep(0.05)
