"""The main menu: search first, then the manual's functions under their codes."""

from nicegui import ui

from store.conflicts import count_open_conflicts
from store.uploads import UploadState
from ui import wording
from ui.patient_search import patient_search
from ui.shell import page_frame
from ui.state import AppState

_NOT_YET = [
    ("7.BA109", "疫苗批號建檔"),
    ("D.BA109_3_DOWNLOAD", "疫苗批號和數量下載且上傳"),
    ("E.BAMENU4", "孕婦 B 肝產檢或德國麻疹系統"),
]


def build(state: AppState) -> None:
    def open_person(record_id: str) -> None:
        ui.navigate.to(f"/BA102_3?patient={record_id}")

    keys = {"F2": lambda: ui.navigate.to("/BA102_3"), "F4": lambda: ui.navigate.to("/conflicts")}
    with page_frame(state, "主選單", on_key=keys):
        patient_search(state, open_person)

        @ui.refreshable
        def functions() -> None:
            tables = state.database.tables
            count = tables.vaccinations.count_by
            waiting = count("upload_state", UploadState.NOT_SENT) + count("upload_state", UploadState.REFUSED)
            unverified = count("upload_state", UploadState.ACCEPTED) + count("upload_state", UploadState.SENT)
            with ui.element("div").classes("desk-menu"):
                _function("2.BA102_3", "預防接種建檔及修改", "/BA102_3", "F2")
                _function("2.BA102_3_UPLOAD", "預防接種 API 上傳作業", "/BA102_3_UPLOAD", f"待處理 {waiting}")
                _function("3.BA102_3_DOWNLOAD", "預防接種 API 下載作業", "/BA102_3_DOWNLOAD", f"待檢核 {unverified}")
                conflicts = count_open_conflicts(tables)
                _function(wording.CONFLICTS, wording.CONFLICTS_MENU, "/conflicts", f"F4　待處理 {conflicts}")
                for code, name in _NOT_YET:
                    _function(code, name, "", "尚未提供")
                _function("名冊匯入", "由 HIS 匯出的病患名冊", "/roster", f"{len(tables.patients)} 人")
                held = wording.CHOSEN_SESSIONS if state.database.reach.is_chosen else wording.EVERYONE
                _function(wording.DEVICE, wording.DEVICE_MENU, "/device", held)

        functions()
        state.changed.subscribe(functions.refresh)


def _function(code: str, name: str, path: str, note: str) -> None:
    # A function without a path is one of the manual's that this program does not have yet.
    with ui.button(on_click=lambda: ui.navigate.to(path)).props("flat no-caps align=left") as button:
        ui.label(code).classes("desk-code")
        ui.label(name)
        ui.label(note).classes("desk-code")
    button.mark(code).set_enabled(bool(path))
