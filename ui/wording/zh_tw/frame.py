"""zh-TW: what stands on every page: menu, bar, help, errors, buttons."""

from store.protocol import CdcLinkState
from ui.sync_client import HubLink

PRODUCT = "疫苗接種工作站"
PRACTICE = "練習模式，不會送到疾管署"
FIRST_SYNC = "首次同步 {percent}%"
CATCHING_UP = "補齊資料 {percent}%"
HUB_LINK = {
    HubLink.UNKNOWN: "連線中",
    HubLink.CONNECTED: "正常",
    HubLink.UNREACHABLE: "離線",
    HubLink.NO_NETWORK: "離線(未連網)",
    HubLink.REFUSING: "主機拒絕",
}
NO_NETWORK_REMEDY = "這台裝置沒有連上診所網路，請檢查網路線或 Wi-Fi；資料已存在這台裝置，恢復後會自動同步。"
CDC_LINK = {
    CdcLinkState.UNKNOWN: "尚未連線",
    CdcLinkState.CONNECTED: "正常",
    CdcLinkState.UNREACHABLE: "連不上",
    CdcLinkState.REFUSED_KEY: "識別碼遭拒",
    CdcLinkState.FAILING: "異常",
    CdcLinkState.NOT_CONFIGURED: "未設定",
}
APP_ERROR = {
    "app_error": "作業沒有完成，請再試一次。",
    "storage_failed": "無法寫入本機儲存空間，這筆資料尚未存檔，請再試一次。",
    "storage_full": "儲存空間已滿，這筆資料尚未存檔。請清出空間後再按一次確定。",
    "journal_unreadable": "本機資料檔無法讀取，檔案原封不動。請匯出資料並洽資訊人員。",
    "journal_too_new": "本機資料由較新版本的程式寫入，請更新程式後再開啟。",
    "record_not_found": "找不到這筆資料。",
    "snapshot_damaged": "從主機取得的整批資料不完整，會重新取得；本機資料沒有變動。",
    "record_damaged": "這筆資料在本機磁碟上已損壞，請連上主機補齊。",
    "protocol_mismatch": "這台裝置與主機的程式版本不同，請重新整理以更新程式。",
    "roster_unusable": "這個檔案不是病患名冊。",
    "hub_behind_device": "主機的資料比這台裝置舊（可能還原過備份），已停止同步以免遺漏。請通知資訊人員；資料都在本機。",
    "host_not_allowed": "主機不接受這個網址，請改用主機列出的網址開啟。",
    "scope_refused": "主機的程式版本較舊，還不能只存放指定場次；這台裝置的資料沒有變動。",
    "storage_busy": "資料檔正被其他視窗使用，請關閉其他視窗後再試一次。",
    "storage_unavailable": "無法開啟此裝置上的資料檔，程式不會以空白資料啟動。",
    "storage_conflict": "此裝置上有兩份資料檔，請先匯出資料並聯絡支援人員。",
    "storage_sealed": "此裝置上的資料已加密，無法以目前的金鑰開啟，請聯絡管理者。",
    "network_failed": "連不上主機，資料已存在這台裝置，恢復後會自動同步。",
    "session_needed": "主機要求登入。請登記這台裝置後再同步；資料都在本機。",
    "session_refused": "主機沒有讓這台裝置登入，資料已存在這台裝置，稍後會自動再試。",
    "device_revoked": "管理者已停用這台裝置：資料送到主機後會清除，不再接受登錄。",
    "device_unknown": "主機不認得這台裝置（可能還原過備份）。資料都在本機，請洽管理者重新登記。",
    "wrong_signature": "主機不認得這台裝置的簽章。資料都在本機，請洽管理者重新登記。",
    "sign_in_needed": "PIN 碼已失效，請用密碼重新登入。",
    "account_off": "這個帳號已停用，請洽管理者。",
    "role_may_not": "您的角色不能做這項作業，請洽管理者。",
    "not_at_the_desk": "有資料是沒有登入這台裝置的人登錄的，主機不接受。資料都在本機，請洽管理者。",
    "too_many_tries": "試了太多次，主機暫時不接受，稍後會自動再試。",
}
OPEN_RECORD = "開啟"
LEAVE = "離開"
CONFIRM = "確定"
CANCEL = "取消"
MENU = "主選單"
RECORDING = "預防接種建檔及修改"
UPLOADING = "預防接種 API 上傳作業"
VERIFYING = "預防接種 API 下載作業"
HELP = "說明：這個畫面的按鍵"
HELP_BUTTON = "說明 (F1)"
HELP_BAR = "上方狀態列"
KEY_NAME = {"Escape": "Esc"}
KEY_HELP = {
    "F1": "開啟這個說明",
    "Enter": "到下一個欄位；在最後一個欄位後到「確定」",
    "F2": "查詢患者／下一位",
    "F3": "新增",
    "F7": "(CDC)接種疫苗查詢",
    "F8": "同一人・另一疫苗",
    "F9": "確定：存檔，或執行這個畫面的上傳、下載",
    "Escape": "離開，回上一層",
}
BAR_HELP = (
    ("主機", "這台裝置與院內主機的連線；離線時照常登錄，恢復後自動同步。"),
    ("未同步", "還只在這台裝置、尚未送到主機的筆數。"),
    ("疾管署", "主機與疾管署的連線，及待上傳、待檢核、檢核失敗的筆數；檢核通過才算完成。"),
)
CLOSE = "關閉"
LIST_SEPARATOR = "、"
SENTENCE_SEPARATOR = "；"
SIDE_BY_SIDE = " ／ "
ADD = "新增 (F3)"
SAVE = "確定 (F9)"
VOID = "作廢"
LEFT_OPEN = "離開 (Esc)"
NOTHING = "無"
NO_DATA = "沒有資料"
NOT_CHANGED = "沒有變更"
SAVED = "已存檔"
COUNTED = "{what} {count} 筆"
FIELD_PROBLEM = "{field}：{problem}"
BAR_HUB = "主機 {state}"
BAR_UNSENT = "未同步 {count}"
BAR_SYNCED = "最後同步 {time}"
BAR_NEVER_SYNCED = "尚未同步"
BAR_CDC = "疾管署 {state}｜待上傳 {waiting}｜待檢核 {unverified}｜檢核失敗 {refused}"
DAMAGED = "本機資料檔有 {lost} 位元組損壞，其餘資料都已讀回。請連上主機補齊，並通知資訊人員。"
MENU_TO_HANDLE = "待處理 {count}"
MENU_TO_VERIFY = "待檢核 {count}"
MENU_TO_UPLOAD = "待上傳 {count}"
MENU_PEOPLE = "{count} 人"
OTHER_LANGUAGE = "EN"
SWITCH_LANGUAGE = "EN：畫面改為英文 (English)"
SWITCH_LOSES = "這個表單輸入的內容還沒有存檔，切換語言後要重新輸入。仍要切換？"
