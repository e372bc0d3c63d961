"""人員與裝置: who may do what in this clinic, and which devices are its own; asked of the hub, by managers."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from nicegui import background_tasks, ui

from store.access_protocol import (
    CodeAnswer,
    DeviceList,
    Done,
    FieldProblem,
    KnownDevice,
    NameDevice,
    RevokeDevice,
    SetStaff,
    StaffAccount,
    StaffList,
)
from store.roles import HubOperation, Role, may_call
from ui import wording
from ui.access_client import CODE, DEVICES, NAME, REVOKE, STAFF, ask_of_access, problem_words
from ui.dialogs import answer_of, confirm, window_place
from ui.lock_button import lock_card
from ui.row_table import open_rows
from ui.saving import tell_failure
from ui.shell import page_frame
from ui.state import AppState
from ui.vaccination_list import moment_text


def may_manage(state: AppState) -> bool:
    """Whether this page has anything for whoever is at the desk."""
    return state.person is not None and may_call(state.person.roles, HubOperation.MANAGE_STAFF)


def build(state: AppState) -> None:
    with page_frame(state, wording.MANAGING):
        if not may_manage(state):
            ui.label(wording.MANAGING_NOT_YOU).classes("desk-note").mark("not-a-manager")
            lock_card(state)
        elif state.is_practice:
            ui.label(wording.MANAGING_NOT_HERE).classes("desk-note").mark("not-a-manager")
        else:
            StaffPage(state).build()


class StaffPage:
    """Both lists, each row opening what can be changed of it."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._staff: Mapping[str, StaffAccount] = {}
        self._devices: Mapping[str, KnownDevice] = {}

    def build(self) -> None:
        self._note = ui.label("").classes("desk-refused").mark("managing-note").props('role="status"')
        with ui.column().classes("desk-card"):
            ui.label(wording.MANAGING_STAFF).classes("text-lg")
            ui.label(wording.MANAGING_STAFF_HINT).classes("desk-note")
            self._staff_table = _table(wording.ACCOUNT_COLUMNS, "staff_id", "accounts")
            open_rows(self._staff_table, lambda staff_id: self._edit(self._staff[staff_id]), key="staff_id")
            ui.button(wording.ACCOUNT_NEW, on_click=lambda: self._edit(None)).props("color=primary").mark("new-account")
        with ui.column().classes("desk-card"):
            ui.label(wording.MANAGING_DEVICES).classes("text-lg")
            ui.label(wording.MANAGING_DEVICES_HINT).classes("desk-note")
            self._device_table = _table(wording.DEVICE_COLUMNS, "device_id", "devices")
            open_rows(self._device_table, lambda device_id: self._open(self._devices[device_id]), key="device_id")
            ui.button(wording.DEVICE_NEW, on_click=self._show_code).props("color=primary").mark("new-device")
        background_tasks.create(self._load(), name="staff and devices")

    async def _load(self) -> None:
        staff = await ask_of_access(self._state, STAFF, StaffList)
        devices = await ask_of_access(self._state, DEVICES, DeviceList)
        told = next((answer for answer in (staff, devices) if isinstance(answer, str)), "")
        self._note.set_text(told)
        if isinstance(staff, StaffList):
            self._staff = {account.staff_id: account for account in staff.staff}
            self._staff_table.rows = [_account_row(account) for account in staff.staff]
        if isinstance(devices, DeviceList):
            self._devices = {device.device_id: device for device in devices.devices}
            self._device_table.rows = [_device_row(device) for device in devices.devices]

    async def _do(self, path: str, asked: SetStaff | NameDevice | RevokeDevice) -> list[FieldProblem] | None:
        """What is to be mended; None where the hub did not do it for another reason, which is told."""
        answer = await ask_of_access(self._state, path, Done, asked)
        if isinstance(answer, str):
            tell_failure(answer)
            return None
        if not answer.problems:
            await self._load()
        return answer.problems

    # ---- a person

    async def _edit(self, account: StaffAccount | None) -> None:
        held = set(account.roles) if account else {Role.RECORDER}
        with window_place(), ui.dialog().props("persistent") as dialog, ui.card().classes("desk-window"):
            ui.label(account.staff_id if account else wording.ACCOUNT_NEW).classes("desk-person")
            who = _field(wording.ACCOUNT_ID, account.staff_id if account else "", 20, "account-id")
            who.set_visibility(account is None)
            roles = {
                role: ui.checkbox(wording.ROLE[role], value=role in held).classes("desk-tick").mark(f"role {role}")
                for role in Role
            }
            told = ui.label("").classes("desk-refused").mark("roles-note")
            active = ui.switch(wording.ACCOUNT_ACTIVE, value=account is None or account.active).mark("account-active")
            active.classes("desk-tick").set_visibility(account is not None)
            password = _field(wording.ACCOUNT_RESET if account else wording.ACCOUNT_PASSWORD, "", 200, "password")
            password.props("type=password autocomplete=new-password")

            async def save() -> None:
                asked = SetStaff(
                    staff_id=(who.value or "").strip(),
                    roles=[role for role, box in roles.items() if box.value],
                    active=bool(active.value),
                    password=password.value or (None if account else ""),
                    is_new=account is None,
                )
                problems = await self._do(STAFF, asked)
                by_field = {problem.field: problem_words(problem) for problem in problems or []}
                who.error, password.error = by_field.pop("staff_id", None), by_field.pop("password", None)
                told.set_text(wording.sentences(list(by_field.values())))
                if problems == []:
                    dialog.submit(True)

            _buttons(save, lambda: dialog.submit(False))
        await answer_of(dialog)

    # ---- a device

    async def _open(self, device: KnownDevice) -> None:
        with window_place(), ui.dialog().props("persistent") as dialog, ui.card().classes("desk-window"):
            ui.label(device.name).classes("desk-person")
            ui.label(_standing(device))
            name = _field(wording.DEVICE_NAME, device.name, 40, "device-name")

            async def rename() -> None:
                if not (name.value or "").strip():
                    name.error = wording.DEVICE_NAME_MISSING
                elif await self._do(NAME, NameDevice(device_id=device.device_id, name=name.value)) == []:
                    dialog.submit(True)

            async def revoke() -> None:
                if not await confirm(wording.DEVICE_TURN_OFF_QUESTION.format(name=device.name)):
                    return
                if await self._do(REVOKE, RevokeDevice(device_id=device.device_id)) == []:
                    dialog.submit(True)

            _buttons(rename, lambda: dialog.submit(False))
            if device.revoked_at is None:
                ui.button(wording.DEVICE_TURN_OFF, on_click=revoke).props("outline color=negative").mark("revoke")
        await answer_of(dialog)

    async def _show_code(self) -> None:
        answer = await ask_of_access(self._state, CODE, CodeAnswer, Done())
        if isinstance(answer, str):
            tell_failure(answer)
            return
        left = answer.seconds
        with window_place(), ui.dialog() as dialog, ui.card().classes("desk-window"):
            ui.label(wording.CODE_TITLE).classes("text-lg")
            ui.label(f"{answer.code[:4]} {answer.code[4:]}").classes("desk-enrol-code").mark("code")
            clock = ui.label("").mark("code-left")
            if answer.qr_svg:
                ui.label(wording.CODE_SCAN)
                # As a picture, so that nothing in it could be more than one.
                standing_alone = answer.qr_svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
                picture = b64encode(standing_alone.encode()).decode()
                ui.element("img").props(f'src="data:image/svg+xml;base64,{picture}" alt="QR"').classes("desk-qr")
                ui.label(answer.urls[0].partition("#")[0]).classes("desk-code")
            else:
                ui.label(wording.CODE_NO_LAN)
            close = ui.button(wording.CLOSE, on_click=lambda: dialog.submit(None)).props("color=primary autofocus")
            close.mark("code-close")

            def tick() -> None:
                nonlocal left
                minutes, seconds = divmod(left, 60)
                clock.set_text(wording.CODE_LEFT.format(time=f"{minutes}:{seconds:02}") if left else wording.CODE_OVER)
                left = max(0, left - 1)

            ui.timer(1, tick)
        await answer_of(dialog)
        await self._load()


def _table(columns: Mapping[str, str], key: str, mark: str) -> ui.table:
    shape = [{"name": name, "label": label, "field": name, "align": "left"} for name, label in columns.items()]
    table = ui.table(columns=shape, rows=[], row_key=key)
    table.props(f'dense wrap-cells no-data-label="{wording.NO_DATA}"').classes("w-full").mark(mark)
    return table


def _field(label: str, value: str, longest: int, mark: str) -> ui.input:
    field = ui.input(label, value=value).without_auto_validation()
    return field.props(f"outlined bottom-slots autocomplete=off maxlength={longest}").classes("w-full").mark(mark)


def _buttons(save: Any, leave: Any) -> None:
    with ui.row():
        ui.button(wording.CONFIRM, on_click=save).props("color=primary").mark("managing-save")
        ui.button(wording.CANCEL, on_click=leave).props("outline").mark("managing-leave")


def _account_row(account: StaffAccount) -> dict[str, Any]:
    standing = wording.ACCOUNT_ON
    if account.is_off:
        standing = wording.ACCOUNT_UNUSED if account.active else wording.ACCOUNT_OFF
    return {
        "staff_id": account.staff_id,
        "roles": wording.LIST_SEPARATOR.join(wording.ROLE_NAME[role] for role in account.roles),
        "standing": standing,
        "last_used_at": _moment(account.last_used_at) or wording.ACCOUNT_NEVER,
        "devices": wording.LIST_SEPARATOR.join(account.devices),
    }


def _device_row(device: KnownDevice) -> dict[str, Any]:
    state = device.state
    return {
        "device_id": device.device_id,
        "name": wording.DEVICE_THIS.format(name=device.name) if device.is_this else device.name,
        "staff": wording.LIST_SEPARATOR.join(device.staff),
        "enrolled": f"{_moment(device.enrolled_at)} {device.enrolled_by}",
        "last_sync_at": _moment(device.last_sync_at),
        "unsent": "" if state.unsent is None else state.unsent,
        "kept": wording.DEVICE_KEPT_BY_ANSWER[state.persisted],
        "build": state.build[:8],
        "standing": _standing(device),
    }


def _standing(device: KnownDevice) -> str:
    if device.revoked_at is None:
        return wording.DEVICE_IN_USE
    if device.wiped_at is None:
        return wording.DEVICE_OFF.format(day=_moment(device.revoked_at), who=device.revoked_by)
    return wording.DEVICE_WIPED.format(day=_moment(device.wiped_at))


def _moment(at: Any) -> str:
    return moment_text(at.isoformat() if at else None)
