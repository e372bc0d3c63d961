"""鎖定: a tablet is enrolled over TLS, unlocked by PINs without the hub, changes hands, and locks by itself."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Playwright, expect

from e2e.cable import Cable
from e2e.programs import eventually
from e2e.screens import START_SECONDS, Desk, Tablet
from e2e.test_lan import LanHub, fetch_ca
from e2e.trust import trust
from store.access_protocol import RevokeDevice
from store.roles import Role
from tests.sync.staff_and_devices import MANAGER, PASSWORD, DeskDevice, first_manager

MAY, LIN = ("May", "204816"), ("Lin", "573920")
IN_THE_VAULT = """(seconds) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("desk-vault");
  opening.onsuccess = () => {
    const change = opening.result.transaction("vault", "readwrite"), vault = change.objectStore("vault");
    let found;
    %s
    change.oncomplete = () => { opening.result.close(); resolve(found?.result ?? null); };
    change.onabort = reject;
  };
})"""
KEEP_IDLE_SECONDS = IN_THE_VAULT % 'vault.put(seconds, "idle");'
UNSENT = IN_THE_VAULT % 'found = vault.get("unsent");'
ONE_TRY_LEFT = (
    IN_THE_VAULT
    % 'vault.get("person:May").onsuccess = ({ target }) => vault.put({ ...target.result, wrong: 9 }, "person:May");'
)
WHAT_IS_LEFT = """async () => {
  const names = [];
  for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
  return [...names, ...(await indexedDB.databases()).map(({ name }) => name)];
}"""
MADE_BY = """
from ui import boot
sorted({row["change"].made_by for row in boot.running().database.tables.changes.documents()})
"""
ON_THE_HUB = re.compile(r"^未同步 0$")


@pytest.fixture
def lan_hub(tmp_path: Path, bundle: Path, request: pytest.FixtureRequest) -> Iterator[LanHub]:
    program = LanHub(tmp_path / "hub", bundle)
    request.node.user_properties.append(("hub", program))
    program.start()
    eventually("the network is served", lambda: "Tablets open" in program.log_text())
    yield program
    program.stop()


class Manager:
    """The manager at the clinic PC, by what her browser would ask the hub."""

    def __init__(self, hub: LanHub) -> None:
        self._hub = hub
        self._thread = ThreadPoolExecutor(1)  # Playwright has an event loop in this one
        self._loop = asyncio.new_event_loop()
        self._device: DeskDevice = self._run(first_manager(hub.url))

    def _run(self, work):  # type: ignore[no-untyped-def]
        return self._thread.submit(self._loop.run_until_complete, work).result(60)

    def hire(self, staff_id: str) -> None:
        assert not self._run(self._device.set_staff(staff_id, [Role.RECORDER])).problems

    def code(self) -> str:
        return str(self._run(self._device.code()))

    def devices(self) -> dict[str, dict[str, object]]:
        async def ask() -> dict[str, dict[str, object]]:
            await self._device.open_session(MANAGER)  # the hub may have started anew
            answer = await self._device.get("/api/access/devices")
            return {one["name"]: one for one in (await answer.json())["devices"]}

        return dict(self._run(ask()))

    def revoke(self, name: str) -> None:
        asked = RevokeDevice(device_id=str(self.devices()[name]["device_id"]))
        assert self._run(self._device.post("/api/access/devices/revoke", asked)).status == 200

    def close(self) -> None:
        self._run(self._device.close())
        self._loop.close()
        self._thread.shutdown()


@pytest.fixture
def manager(lan_hub: LanHub) -> Iterator[Manager]:
    manager = Manager(lan_hub)
    for staff_id, _ in (MAY, LIN):
        manager.hire(staff_id)
    yield manager
    manager.close()


@pytest.fixture
def tablet(
    playwright: Playwright, tmp_path: Path, lan_hub: LanHub, browser_log: list[str], request: pytest.FixtureRequest
) -> Iterator[Tablet]:
    trusted = trust(fetch_ca(lan_hub, tmp_path / "ca.pem"), tmp_path / "home", lan_hub.app)
    with Cable() as cable:
        tablet = Tablet(playwright, tmp_path / "tablet", lan_hub.app, browser_log, trusted, cable)
        request.node.user_properties.append(("screens of the tablet", tablet))
        yield tablet
        tablet.throw_away()


class StaffDesk(Desk):
    """One open tab of a device with a lock; `staff_id` with `pin` is at the desk."""

    def __init__(self, page: Page, staff_id: str, pin: str) -> None:
        super().__init__(page)
        self.place = page.locator("#desk-lock")
        self.staff_id, self.pin = staff_id, pin

    def go(self, path: str) -> None:
        """A page that is loaded anew has to be unlocked anew."""
        self.page.goto(re.sub(r"^(https?://[^/]+).*", r"\1", self.page.url) + path)
        self.unlock()

    def see_lock(self, text: str | re.Pattern[str] = "請選擇您的名字") -> None:
        expect(self.place.get_by_text(text).first).to_be_visible(timeout=START_SECONDS * 1000)
        expect(self.page.locator("iframe")).not_to_be_visible()

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.place.get_by_role("button", name=name)

    def choose(self, staff_id: str) -> None:
        self.button(re.compile(f"^{staff_id}")).click(timeout=START_SECONDS * 1000)

    def type_pin(self, pin: str) -> None:
        self.page.keyboard.type(pin)
        self.page.keyboard.press("Enter")

    def tap_pin(self, pin: str) -> None:
        for digit in pin:
            self.button(digit).click()
        self.button("確定").click()

    def unlock(self) -> None:
        self.choose(self.staff_id)
        self.type_pin(self.pin)
        self.wait()

    def lock(self) -> None:
        self.frame.get_by_role("button", name="鎖定／換人").click()
        self.see_lock()

    def enrol(self, code: str, name: str) -> None:
        self.see_lock("登記這台裝置")
        self.place.get_by_label("代碼（8 位數字）").fill(code)
        self.place.get_by_label("這台裝置的名稱").fill(name)
        self.place.get_by_role("button", name="登記", exact=True).click()

    def sign_in(self) -> None:
        """With the password, then choose a PIN."""
        self.place.get_by_label("人員代號").fill(self.staff_id, timeout=START_SECONDS * 1000)
        self.place.get_by_label("密碼").fill(PASSWORD)
        self.button("登入").click()
        self.choose_pin()

    def choose_pin(self) -> None:
        self.place.get_by_label("新的 PIN 碼").fill(self.pin, timeout=START_SECONDS * 1000)
        self.place.get_by_label("再輸入一次").fill(self.pin)
        self.button("確定").click()
        self.wait()


@pytest.fixture
def desk(tablet: Tablet, manager: Manager) -> StaffDesk:
    """A new tablet that has become a device of the clinic, with May at the desk."""
    page = tablet.start()
    page.goto(f"{tablet.url}/#enrol={manager.code()}")
    desk = StaffDesk(page, *MAY)
    desk.see_lock("登記這台裝置")
    assert "enrol" not in page.url
    desk.place.get_by_label("這台裝置的名稱").fill("平板 3 號")
    desk.place.get_by_role("button", name="登記", exact=True).click()
    desk.sign_in()
    expect(page.locator("html[data-whole]")).to_be_attached(timeout=START_SECONDS * 1000)
    return desk


def test_a_tablet_unlocks_without_the_hub_changes_hands_and_locks_by_itself(
    desk: StaffDesk, lan_hub: LanHub, manager: Manager, roster: Path
) -> None:
    desk.import_roster(roster)
    desk.see(ON_THE_HUB, within=60)

    lan_hub.stop()
    desk.lock()
    desk.choose("May")
    desk.tap_pin("204816")
    desk.wait()
    desk.record("057164", warn=True)
    desk.see("未同步 1")
    desk.lock()
    desk.button("其他人／忘記 PIN").click()
    desk.place.get_by_label("人員代號").fill("Lin")
    desk.place.get_by_label("密碼").fill(PASSWORD)
    desk.button("登入").click()
    desk.see_lock("連不上主機")

    lan_hub.start()
    desk.staff_id, desk.pin = LIN
    desk.sign_in()
    desk.see(ON_THE_HUB, within=60)
    desk.record("057165", warn=True)
    desk.see(ON_THE_HUB, within=60)
    assert desk.python(MADE_BY) == ["Lin", "May"]
    state = manager.devices()["平板 3 號"]
    assert state["staff"] == ["May", "Lin"]

    desk.page.evaluate(KEEP_IDLE_SECONDS, 4)
    desk.go("/BA102_3")
    desk.choose_first("057164")
    desk.fill_vaccination(vaccine="MMR", dose="2", lot="HALF-TYPED")
    desk.see_lock()
    desk.page.evaluate(KEEP_IDLE_SECONDS, 180)
    desk.unlock()
    expect(desk.frame.get_by_label(re.compile("疫苗批號"))).to_have_value("HALF-TYPED")


def test_all_windows_of_a_device_are_locked_and_unlocked_together(desk: StaffDesk, tablet: Tablet) -> None:
    assert tablet.context is not None
    second = StaffDesk(tablet.context.new_page(), *MAY)
    second.page.goto(tablet.url)
    second.wait()

    second.lock()
    desk.see_lock()
    desk.unlock()
    second.wait()

    desk.page.close()
    second.go("/device")
    second.see("目前使用者：May")

    second.tap("變更我的 PIN 碼")
    second.place.get_by_label("目前的 PIN 碼").fill("204816")
    second.place.get_by_label("新的 PIN 碼").fill("314159")
    second.place.get_by_label("再輸入一次").fill("314159")
    second.button("確定").click()
    second.see("目前使用者：May")
    second.lock()
    second.choose("May")
    second.type_pin("204816")
    second.see_lock("還可以試 9 次")
    second.type_pin("314159")
    second.wait()


def test_wrong_pins_let_her_wait_also_after_a_reload(desk: StaffDesk) -> None:
    desk.lock()
    desk.choose("May")
    for left in (9, 8, 7):
        desk.type_pin("999999")
        desk.see_lock(f"還可以試 {left} 次")
    desk.see_lock(re.compile(r"請等 (30|2\d) 秒"))
    expect(desk.button("5")).to_be_disabled()
    desk.page.reload()
    desk.choose("May")
    desk.see_lock(re.compile(r"請等 \d+ 秒"))
    expect(desk.button("5")).to_be_enabled(timeout=40_000)
    desk.type_pin(desk.pin)
    desk.wait()


def test_the_last_wrong_pin_removes_what_is_on_the_hub_anyway(desk: StaffDesk, roster: Path) -> None:
    desk.import_roster(roster)
    desk.see(ON_THE_HUB, within=60)
    desk.lock()
    eventually("the desk is closed", lambda: desk.page.evaluate(UNSENT) == 0)
    desk.page.evaluate(ONE_TRY_LEFT)
    desk.choose("May")
    desk.type_pin("999999")

    desk.see_lock("這台裝置的資料已清除")
    assert "desk" not in desk.page.evaluate(WHAT_IS_LEFT)

    desk.sign_in()
    desk.go("/BA102_3")
    desk.choose_first("057164")


def test_a_device_that_is_turned_off_hands_over_and_keeps_nothing(
    desk: StaffDesk, tablet: Tablet, lan_hub: LanHub, manager: Manager, roster: Path
) -> None:
    desk.import_roster(roster)
    desk.see(ON_THE_HUB, within=60)
    tablet.cut_network()
    desk.record("057164", warn=True)
    desk.see("未同步 1")
    head = lan_hub.health()["head"]

    manager.revoke("平板 3 號")
    tablet.mend_network()

    desk.see_lock("這台裝置已停用")
    eventually("the dose is on the hub", lambda: lan_hub.health()["head"] > head)
    eventually("nothing is left", lambda: desk.page.evaluate(WHAT_IS_LEFT) == [])
    assert manager.devices()["平板 3 號"]["wiped_at"]


def test_the_first_manager_begins_on_the_clinic_pc(
    playwright: Playwright, tmp_path: Path, lan_hub: LanHub, browser_log: list[str], request: pytest.FixtureRequest
) -> None:
    pc = Tablet(playwright, tmp_path / "pc", lan_hub.url, browser_log)
    request.node.user_properties.append(("screens of the PC", pc))
    try:
        page = pc.open("/device").page
        desk = StaffDesk(page, "Wang", "204816")
        desk.frame.get_by_role("button", name="建立管理者帳號").click()
        desk.place.get_by_label("人員代號").fill("Wang")
        desk.place.get_by_label("密碼", exact=True).fill("short")
        desk.place.get_by_label("再輸入一次密碼").fill("short")
        desk.place.get_by_role("button", name="建立管理者帳號").click()
        desk.see_lock("密碼至少要 10 個字元")
        desk.place.get_by_label("密碼", exact=True).fill(PASSWORD)
        desk.place.get_by_label("再輸入一次密碼").fill(PASSWORD)
        desk.place.get_by_role("button", name="建立管理者帳號").click()
        desk.choose_pin()
        desk.see("主機 正常", within=60)
        desk.lock()
        desk.unlock()

        desk.go("/staff")
        desk.tap("登記新裝置")
        expect(desk.frame.get_by_text(re.compile(r"^\d{4} \d{4}$"))).to_be_visible()
        picture = desk.frame.get_by_alt_text("QR")
        eventually("the picture is drawn", lambda: picture.evaluate("(image) => image.naturalWidth"))
    finally:
        pc.throw_away()
