"""The main menu: search first, then the manual's functions under their codes."""

from nicegui import ui

from store.conflicts import count_open_conflicts
from store.stock import count_waiting
from store.uploads import UploadState
from ui import wording
from ui.patient_search import patient_search
from ui.shell import page_frame
from ui.state import AppState

_NOT_YET = [
    ("7.BA109", "疫苗批號建檔"),
    ("E.BAMENU4", "孕婦 B 肝產檢或德國麻疹系統"),
]


def build(state: AppState) -> None:
    def open_person(record_id: str) -> None:
        ui.navigate.to(f"/BA102_3?patient={record_id}")

    keys = {"F2": lambda: ui.navigate.to("/BA102_3"), "F4": lambda: ui.navigate.to("/conflicts")}
    with page_frame(state, "主選單", on_key=keys):
        patient_search(state, open_person)

        with ui.element("div").classes("desk-menu"):
            _function("2.BA102_3", "預防接種建檔及修改", "/BA102_3").set_text("F2")
            waiting = _function("2.BA102_3_UPLOAD", "預防接種 API 上傳作業", "/BA102_3_UPLOAD")
            unverified = _function("3.BA102_3_DOWNLOAD", "預防接種 API 下載作業", "/BA102_3_DOWNLOAD")
            conflicts = _function(wording.CONFLICTS, wording.CONFLICTS_MENU, "/conflicts")
            stock = _function("D.BA109_3_DOWNLOAD", wording.STOCK, "/BA109_3_DOWNLOAD")
            for code, name in _NOT_YET:
                _function(code, name, "").set_text("尚未提供")
            patients = _function("名冊匯入", "由 HIS 匯出的病患名冊", "/roster")
            held = _function(wording.DEVICE, wording.DEVICE_MENU, "/device")

        def refresh() -> None:
            tables = state.database.tables
            count = {each: tables.vaccinations.count_by("upload_state", each) for each in UploadState}
            waiting.set_text(f"待處理 {count[UploadState.NOT_SENT] + count[UploadState.REFUSED]}")
            unverified.set_text(f"待檢核 {count[UploadState.ACCEPTED] + count[UploadState.SENT]}")
            stock.set_text(f"待上傳 {count_waiting(tables)}")
            conflicts.set_text(f"F4　待處理 {count_open_conflicts(tables)}")
            patients.set_text(f"{len(tables.patients)} 人")
            held.set_text(wording.CHOSEN_SESSIONS if state.database.reach.is_chosen else wording.EVERYONE)

        refresh()
        state.changed.subscribe(refresh)


def _function(code: str, name: str, path: str) -> ui.label:
    """Returns the label that says how much is waiting there."""
    # A function without a path is one of the manual's that this program does not have yet.
    with ui.button(on_click=lambda: ui.navigate.to(path)).props("flat no-caps align=left") as button:
        ui.label(code).classes("desk-code")
        ui.label(name)
        note = ui.label("").classes("desk-code")
    button.mark(code).set_enabled(bool(path))
    return note
