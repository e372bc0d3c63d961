"""人員與裝置 as a manager sees it, beside a real hub."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User, user_simulation

from store.access_protocol import AccessProblem, StaffList
from tests.sync.running_hub import WORLD, make_device, running_hub
from tests.sync.staff_and_devices import MANAGER, PASSWORD, DeskDevice, Devices, first_manager
from tests.ui.test_session import TabletVault
from tests.ui.test_sync_client import HttpNetwork
from tests.ui.waiting import see, until
from ui import boot, wording
from ui.session import PersonAtDesk
from ui.state import AppState


@pytest.fixture
async def pc(tmp_path: Path) -> AsyncIterator[DeskDevice]:
    """The clinic PC, with the manager at it."""
    async with running_hub(tmp_path) as hub, Devices() as devices:
        yield devices.keep(await first_manager(hub.url))


@pytest.fixture
async def network(pc: DeskDevice) -> AsyncIterator[HttpNetwork]:
    network = HttpNetwork(pc.url, pc.session)
    yield network
    await network.close()


@pytest.fixture
async def state(pc: DeskDevice, network: HttpNetwork) -> AppState:
    person = PersonAtDesk(pc.device_id, MANAGER, ["manager"], pc.token_by_staff[MANAGER])
    return AppState(await make_device(), WORLD, network, person=person, vault=TabletVault(pc))


@pytest.fixture
async def user(state: AppState) -> AsyncIterator[User]:
    async with user_simulation(root=None) as user:
        boot.define_pages()
        boot.run(state)
        yield user


def rows(user: User, marker: str) -> list[dict[str, Any]]:
    [table] = user.find(marker=marker, kind=ui.table).elements
    return table.rows


async def open_page(user: User) -> None:
    await user.open("/staff")
    await until(lambda: bool(rows(user, "accounts")))


def open_row(user: User, marker: str, key: str, value: str) -> None:
    user.find(marker=marker, kind=ui.table).trigger("rowClick", [{}, {key: value}, 0])


async def accounts(pc: DeskDevice) -> dict[str, Any]:
    answer = await pc.get("/api/access/staff")
    return {one.staff_id: one for one in StaffList.model_validate_json(await answer.read()).staff}


async def test_a_person_is_added_and_what_is_to_be_mended_stands_at_its_field(user: User, pc: DeskDevice) -> None:
    await open_page(user)
    user.find(marker="new-account").click()
    await see(user, wording.ACCOUNT_ID)
    user.find(marker="account-id").type("May")
    user.find(marker="password").type("short")
    user.find(marker="managing-save").click()
    await see(user, wording.ACCESS_PROBLEM[AccessProblem.PASSWORD_SHORT])
    assert set(await accounts(pc)) == {MANAGER}

    [password] = user.find(marker="password", kind=ui.input).elements
    password.set_value(PASSWORD)
    user.find(marker="managing-save").click()
    await until(lambda: len(rows(user, "accounts")) == 2)

    assert [str(role) for role in (await accounts(pc))["May"].roles] == ["recorder"]
    assert {row["staff_id"]: row["standing"] for row in rows(user, "accounts")}["May"] == wording.ACCOUNT_ON


async def test_the_last_manager_stays_one(user: User, pc: DeskDevice) -> None:
    await open_page(user)
    open_row(user, "accounts", "staff_id", MANAGER)
    await see(user, wording.ACCOUNT_ACTIVE)
    user.find(marker="account-active").click()
    user.find(marker="managing-save").click()

    await see(user, wording.ACCESS_PROBLEM[AccessProblem.LAST_MANAGER])
    assert (await accounts(pc))[MANAGER].active


async def test_a_code_for_one_more_device_is_shown_with_its_time(user: User, pc: DeskDevice) -> None:
    await open_page(user)
    user.find(marker="new-device").click()
    await see(user, wording.CODE_TITLE)

    [code] = user.find(marker="code", kind=ui.label).elements
    tablet = DeskDevice(pc.url)
    await tablet.enrol(code.text.replace(" ", ""))
    await tablet.close()
    user.find(marker="code-close").click()

    await until(lambda: len(rows(user, "devices")) == 2)


async def test_a_device_is_named_and_turned_off(user: User, pc: DeskDevice) -> None:
    tablet = DeskDevice(pc.url, name="平板")
    await tablet.enrol(await pc.code())
    await tablet.close()
    await open_page(user)
    await until(lambda: len(rows(user, "devices")) == 2)
    open_row(user, "devices", "device_id", tablet.device_id)
    await see(user, wording.DEVICE_NAME)
    [name] = user.find(marker="device-name", kind=ui.input).elements
    name.set_value("平板 7 號")
    user.find(marker="managing-save").click()
    await until(lambda: any(row["name"] == "平板 7 號" for row in rows(user, "devices")))

    open_row(user, "devices", "device_id", tablet.device_id)
    await see(user, wording.DEVICE_TURN_OFF)
    user.find(marker="revoke").click()
    await see(user, wording.DEVICE_TURN_OFF_QUESTION.format(name="平板 7 號"))
    user.find(marker="confirm").click()

    await until(lambda: any(MANAGER in row["standing"] for row in rows(user, "devices")))


async def test_without_the_hub_the_page_says_so(user: User, network: HttpNetwork) -> None:
    network.cut = True
    await user.open("/staff")

    await see(user, wording.MANAGING_NO_HUB)


async def test_whoever_is_no_manager_has_neither_the_menu_nor_the_page(user: User, state: AppState) -> None:
    assert state.person is not None
    await user.open("/")
    await user.should_see(marker=wording.MANAGING)

    state.person.roles = ["recorder"]
    await user.open("/")
    await user.should_not_see(marker=wording.MANAGING)
    await user.open("/staff")
    await see(user, wording.MANAGING_NOT_YOU)


async def test_the_own_password_is_changed_at_the_hub_and_faults_stand_at_their_fields(
    user: User, pc: DeskDevice
) -> None:
    await user.open("/device")
    user.find(marker="change-password").click()
    await see(user, wording.PASSWORD_AGAIN)

    def fill(**texts: str) -> None:
        for name, text in texts.items():
            [field] = user.find(marker=f"{name}-password", kind=ui.input).elements
            field.set_value(text)
        user.find(marker="save-password").click()

    def fault(name: str) -> str:
        [field] = user.find(marker=f"{name}-password", kind=ui.input).elements
        return field.error or ""

    fill(old=PASSWORD, new="quite another one", again="something else")
    await until(lambda: fault("again") == wording.PASSWORDS_DIFFER)
    fill(old="not mine at all", new="quite another one", again="quite another one")
    await until(lambda: fault("old") == wording.ACCESS_PROBLEM[AccessProblem.PASSWORD_WRONG])
    fill(old=PASSWORD, new="short", again="short")
    await until(lambda: fault("new") == wording.ACCESS_PROBLEM[AccessProblem.PASSWORD_SHORT])
    fill(new="quite another one", again="quite another one")
    await until(lambda: any("密碼已變更" in text for text in user.notify.messages))

    await pc.sign_in(MANAGER, "quite another one")
