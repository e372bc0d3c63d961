"""鎖定／換人 in the bar, and the lock's card on the device's page."""

import pytest
from nicegui import ui
from nicegui.testing import User

from tests.sync.staff_and_devices import DeskDevice
from tests.ui.test_session import TabletVault
from tests.ui.waiting import until
from ui import wording
from ui.session import PersonAtDesk
from ui.state import AppState


@pytest.fixture
async def vault(state: AppState) -> TabletVault:
    """Of the device whose person stands at the desk; there is no hub."""
    device = DeskDevice("http://127.0.0.1:9")
    await device.close()
    vault = TabletVault(device)
    state.vault = vault
    state.staff = "May"
    state.person = PersonAtDesk(device.device_id, "May", ["recorder"], "")
    return vault


async def test_one_tap_locks_and_the_button_says_whose_desk_it_is(vault: TabletVault, user: User) -> None:
    await user.open("/BA102_3")
    await user.should_see("May")

    user.find(marker="lock").click()

    await until(lambda: vault.told == ["locked"])


async def test_where_nobody_signs_in_there_is_no_lock_but_the_way_to_accounts(state: AppState, user: User) -> None:
    await user.open("/device")

    await user.should_not_see(marker="lock")
    await user.should_see(marker="begin-accounts")


async def test_the_idle_time_of_this_device_is_shown_and_kept(vault: TabletVault, user: User) -> None:
    vault.idle = 300
    await user.open("/device")
    [idle] = user.find(marker="idle-time", kind=ui.select).elements
    await until(lambda: idle.value == 300)

    idle.set_value(60)

    await until(lambda: vault.idle == 60)
    assert set(idle.options) >= set(wording.LOCK_IDLE)


async def test_the_menu_leads_to_the_first_account_as_long_as_there_is_none(state: AppState, user: User) -> None:
    await user.open("/")
    await user.should_see(wording.MANAGING_BEGIN)

    await user.open("/staff")
    await user.should_see(marker="begin-accounts")


async def test_who_is_no_manager_has_no_way_to_accounts_in_the_menu(vault: TabletVault, user: User) -> None:
    await user.open("/")
    await user.should_not_see(wording.MANAGING)


async def test_whoever_may_only_look_at_a_page_is_told_before_typing(vault: TabletVault, user: User) -> None:
    await user.open("/")
    await user.should_see("僅供查看")

    await user.open("/BA109")
    await user.should_see("「May」的角色只能查看這個畫面")

    await user.open("/BA102_3")
    await user.should_not_see(marker="view-only")
